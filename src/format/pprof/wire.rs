//! Protocol buffers on the wire: a bounded cursor that knows its offset.

use crate::error::{Error, Result};

/// A cursor over one message. It never reads past its bytes and never allocates.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pos: usize,
    /// Offset of `bytes[0]` in the unpacked file.
    base: u64,
    /// Whether the end of the bytes is the end of the file, so that what is missing was cut off.
    whole_file: bool,
}

/// The value of one field.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// Wire type 0.
    Int(u64),
    /// Wire type 2: text, a message, or packed numbers.
    Bytes(Cursor<'a>),
    /// Wire types 1 and 5, which no field of a profile uses.
    Fixed,
}

/// One field of a message.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    /// Number as in the schema.
    pub number: u32,
    /// What it holds.
    pub value: Value<'a>,
    /// Offset of its tag in the unpacked file.
    pub at: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor over a whole file.
    pub fn file(bytes: &'a [u8]) -> Self {
        Cursor {
            bytes,
            pos: 0,
            base: 0,
            whole_file: true,
        }
    }

    /// Offset of the next byte in the unpacked file.
    pub fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    /// Whether nothing is left.
    pub fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or(&[])
    }

    #[cold]
    fn ends_early(&self, what: &str) -> Error {
        let end = self.base + self.bytes.len() as u64;
        if self.whole_file {
            Error::truncated(end, format!("the profile ends inside {what}"))
        } else {
            Error::damaged(self.offset(), format!("{what} runs past its message"))
        }
    }

    /// The next number.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64> {
        match self.bytes.get(self.pos) {
            Some(&b) if b < 0x80 => {
                self.pos += 1;
                Ok(b as u64)
            }
            _ => self.long_varint(),
        }
    }

    /// The next number, fastest for one to three bytes: the ids of a large profile.
    #[inline(always)]
    fn short_varint(&mut self) -> Result<u64> {
        if let Some(&[a, b, c]) = self.rest().first_chunk::<3>() {
            let (a, b, c) = (a as u64, b as u64, c as u64);
            if a < 0x80 {
                self.pos += 1;
                return Ok(a);
            }
            if b < 0x80 {
                self.pos += 2;
                return Ok(a & 0x7f | b << 7);
            }
            if c < 0x80 {
                self.pos += 3;
                return Ok(a & 0x7f | (b & 0x7f) << 7 | c << 14);
            }
        }
        self.varint()
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for (i, &b) in self.rest().iter().take(10).enumerate() {
            value |= ((b & 0x7f) as u64) << (7 * i);
            if b < 0x80 {
                self.pos += i + 1;
                return Ok(value);
            }
        }
        Err(self.bad_varint())
    }

    #[cold]
    fn bad_varint(&self) -> Error {
        if self.rest().len() < 10 {
            self.ends_early("a number")
        } else {
            Error::damaged(self.offset(), "a number of more than 10 bytes")
        }
    }

    /// The next field; none at the end.
    ///
    /// Errors: a length beyond the end, a number that is none, a group, field number 0.
    #[inline(always)]
    pub fn field(&mut self) -> Result<Option<Field<'a>>> {
        if self.at_end() {
            return Ok(None);
        }
        let at = self.offset();
        let tag = self.short_varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        if number == 0 {
            return Err(Error::damaged(at, "a field with an impossible number"));
        }
        let value = match tag & 7 {
            0 => Value::Int(self.short_varint()?),
            2 => {
                let len = self.short_varint()?;
                Value::Bytes(self.take(len)?)
            }
            1 => {
                self.take(8)?;
                Value::Fixed
            }
            5 => {
                self.take(4)?;
                Value::Fixed
            }
            wire => {
                return Err(Error::damaged(
                    at,
                    format!("field {number} has wire type {wire}, which profiles never use"),
                ));
            }
        };
        Ok(Some(Field { number, value, at }))
    }

    #[inline(always)]
    fn take(&mut self, len: u64) -> Result<Cursor<'a>> {
        let rest = self.rest();
        let Some(bytes) = usize::try_from(len).ok().and_then(|n| rest.get(..n)) else {
            let what = format!("a field of {len} bytes, of which {} are there", rest.len());
            return Err(self.ends_early(&what));
        };
        let inner = Cursor {
            bytes,
            pos: 0,
            base: self.offset(),
            whole_file: false,
        };
        self.pos += bytes.len();
        Ok(inner)
    }
}

impl<'a> Field<'a> {
    #[cold]
    fn mistyped(&self, wanted: &str) -> Error {
        Error::damaged(
            self.at,
            format!("field {} does not hold {wanted}", self.number),
        )
    }

    /// The field as a number.
    #[inline]
    pub fn uint(&self) -> Result<u64> {
        match self.value {
            Value::Int(n) => Ok(n),
            _ => Err(self.mistyped("a number")),
        }
    }

    /// The field as a signed number; profiles never use the zigzag form.
    #[inline]
    pub fn int(&self) -> Result<i64> {
        Ok(self.uint()? as i64)
    }

    /// The field as a message or text.
    #[inline]
    pub fn bytes(&self) -> Result<Cursor<'a>> {
        match &self.value {
            Value::Bytes(inner) => Ok(inner.clone()),
            _ => Err(self.mistyped("a message")),
        }
    }

    /// Hands over the numbers of a repeated field, packed or not, each with its offset.
    #[inline(always)]
    pub fn each(&self, mut f: impl FnMut(u64, u64) -> Result<()>) -> Result<()> {
        match &self.value {
            &Value::Int(n) => f(n, self.at),
            Value::Bytes(packed) => {
                let mut packed = packed.clone();
                while !packed.at_end() {
                    let at = packed.offset();
                    f(packed.short_varint()?, at)?;
                }
                Ok(())
            }
            Value::Fixed => Err(self.mistyped("numbers")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Place};

    #[test]
    fn numbers_of_every_length() {
        let mut c = Cursor::file(&[
            5, 0xe8, 0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ]);
        assert_eq!(c.varint().unwrap(), 5);
        assert_eq!(c.varint().unwrap(), 1000);
        assert_eq!(c.varint().unwrap() as i64, -1);
        assert_eq!(c.varint().unwrap_err().code(), Code::Truncated);
        let e = Cursor::file(&[0x80; 11]).varint().unwrap_err();
        assert_eq!((e.code(), e.place()), (Code::Damaged, Some(Place::Byte(0))));
    }

    #[test]
    fn lengths_are_not_believed() {
        let cut = Cursor::file(&[0x0a, 200, 1, 0]).field().unwrap_err();
        assert_eq!(cut.code(), Code::Truncated);
        let huge = [
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        ];
        assert!(Cursor::file(&huge).field().is_err());
        let mut outer = Cursor::file(&[0x0a, 2, 0x0a, 9]);
        let inner = outer.field().unwrap().unwrap();
        let e = inner.bytes().unwrap().field().unwrap_err();
        assert_eq!(e.code(), Code::Damaged);
    }

    #[test]
    fn groups_are_refused() {
        for tag in [0x0b, 0x0c, 0x0e] {
            let e = Cursor::file(&[tag, 0]).field().unwrap_err();
            assert_eq!(e.code(), Code::Damaged, "{tag}");
        }
        assert!(Cursor::file(&[0x02, 0]).field().is_err());
    }
}
