//! A pull scanner for JSON of a known layout: one pass, no tree, bounded nesting.
//!
//! Generic parsers build values that a reader of a fixed layout throws away again; this one hands
//! out integers and raw strings where they stand. Source of the grammar: RFC 8259. Bytes that are
//! no UTF-8 are allowed inside strings and become U+FFFD, since profilers write them.

use crate::error::{Code, Error, Place, Result};
use std::borrow::Cow;

/// Reads JSON from a slice, front to back.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    nesting: usize,
}

/// A string as it stands in the file, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawString<'a> {
    /// The bytes between the quotes.
    pub bytes: &'a [u8],
    /// Whether a backslash occurs in them.
    pub escaped: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `bytes`; values nested deeper than `nesting` are refused.
    pub fn new(bytes: &'a [u8], nesting: usize) -> Self {
        let bom = bytes.starts_with(b"\xef\xbb\xbf");
        Scanner {
            bytes,
            at: if bom { 3 } else { 0 },
            nesting,
        }
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Goes on at `offset`, which must have come from [`Scanner::offset`].
    pub fn seek(&mut self, offset: usize) {
        self.at = offset.min(self.bytes.len());
    }

    /// The next byte that is no white space, without consuming it.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(&b) = self.bytes.get(self.at) {
            if b > b' ' || !matches!(b, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(b);
            }
            self.at += 1;
        }
        None
    }

    /// An error at the present place: damaged, or truncated at the end of the bytes.
    pub fn error(&self, what: impl Into<String>) -> Error {
        let what = what.into();
        if self.at >= self.bytes.len() {
            Error::truncated(self.at as u64, format!("the file ends where {what}"))
        } else {
            Error::damaged(self.at as u64, what)
        }
    }

    /// Consumes `byte` if it comes next.
    #[inline]
    pub fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Consumes `byte`.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<()> {
        if self.accept(byte) {
            Ok(())
        } else {
            Err(self.error(format!("{:?} is expected", byte as char)))
        }
    }

    /// After an element of an object or array: whether another follows.
    #[inline]
    fn more(&mut self, close: u8) -> Result<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                if self.peek() == Some(close) {
                    return Err(self.error("another element is expected"));
                }
                Ok(true)
            }
            Some(b) if b == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.error(format!("\",\" or {:?} is expected", close as char))),
        }
    }

    /// Enters an array; `false` when it is empty.
    #[inline]
    pub fn begin_array(&mut self) -> Result<bool> {
        self.expect(b'[')?;
        Ok(!self.accept(b']'))
    }

    /// After an element: `true` when another follows, `false` when the array has ended.
    #[inline]
    pub fn next_element(&mut self) -> Result<bool> {
        self.more(b']')
    }

    /// Enters an object; `false` when it is empty.
    #[inline]
    pub fn begin_object(&mut self) -> Result<bool> {
        self.expect(b'{')?;
        Ok(!self.accept(b'}'))
    }

    /// After a member: `true` when another follows, `false` when the object has ended.
    #[inline]
    pub fn next_member(&mut self) -> Result<bool> {
        self.more(b'}')
    }

    /// The key of a member and its colon. Keys of known layouts hold no escapes: an escaped key
    /// is returned as it stands and so is unknown.
    #[inline]
    pub fn key(&mut self) -> Result<&'a [u8]> {
        let key = self.raw_string()?;
        self.expect(b':')?;
        Ok(key.bytes)
    }

    /// A string without its quotes, unescaped nothing.
    pub fn raw_string(&mut self) -> Result<RawString<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = &self.bytes[self.at..];
            let Some(n) = rest
                .iter()
                .position(|&b| b == b'"' || b == b'\\' || b < 0x20)
            else {
                self.at = self.bytes.len();
                return Err(self.error("a string is not closed"));
            };
            self.at += n;
            match rest[n] {
                b'"' => {
                    let bytes = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok(RawString { bytes, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.at = (self.at + 2).min(self.bytes.len());
                }
                _ => return Err(self.error("a control character stands in a string")),
            }
        }
    }

    /// A string as text; bytes that are no UTF-8 become U+FFFD.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        let start = self.at;
        let raw = self.raw_string()?;
        if !raw.escaped {
            return Ok(String::from_utf8_lossy(raw.bytes));
        }
        unescape(raw.bytes).map(Cow::Owned).ok_or_else(|| {
            Error::damaged(
                start as u64,
                "a string holds an escape that JSON does not know",
            )
        })
    }

    /// An integer. Fractions and exponents are refused: no known layout writes them for counts.
    #[inline]
    pub fn integer(&mut self) -> Result<i64> {
        let negative = self.accept(b'-');
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(&b) = self.bytes.get(self.at) {
            let digit = b.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = match value
                .checked_mul(10)
                .and_then(|v| v.checked_add(digit as u64))
            {
                Some(v) => v,
                None => return Err(self.error("a number exceeds 64 bits")),
            };
            self.at += 1;
        }
        if self.at == start {
            return Err(self.error("a number is expected"));
        }
        if matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            return Err(self.error("a whole number is expected"));
        }
        match i64::try_from(value) {
            Ok(v) => Ok(if negative { -v } else { v }),
            Err(_) => Err(self.error("a number exceeds 63 bits")),
        }
    }

    /// A whole number of 64 bits without a sign.
    #[inline]
    pub fn unsigned(&mut self) -> Result<u64> {
        self.peek();
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(&b) = self.bytes.get(self.at) {
            let digit = b.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            let next = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u64::from(digit)));
            let Some(next) = next else {
                return Err(self.error("a number exceeds 64 bits"));
            };
            value = next;
            self.at += 1;
        }
        if self.at == start || matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            return Err(self.error("a whole number that is not negative is expected"));
        }
        Ok(value)
    }

    /// Any number.
    pub fn float(&mut self) -> Result<f64> {
        self.peek();
        let rest = &self.bytes[self.at..];
        let is_part = |b: &u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
        let n = rest.iter().take_while(|b| is_part(b)).count();
        let text = std::str::from_utf8(&rest[..n]).unwrap_or("");
        match text.parse::<f64>() {
            Ok(v) if v.is_finite() => {
                self.at += n;
                Ok(v)
            }
            _ => Err(self.error("a number is expected")),
        }
    }

    /// `true`, `false`; JSON has no other.
    pub fn boolean(&mut self) -> Result<bool> {
        self.peek();
        for (text, value) in [(&b"true"[..], true), (b"false", false)] {
            if self.bytes[self.at..].starts_with(text) {
                self.at += text.len();
                return Ok(value);
            }
        }
        Err(self.error("true or false is expected"))
    }

    /// Passes over one value of any kind without recursion.
    pub fn skip_value(&mut self) -> Result<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                Some(b'{') => {
                    if self.begin_object()? {
                        self.push(&mut open, b'}')?;
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    if self.begin_array()? {
                        self.push(&mut open, b']')?;
                        continue;
                    }
                }
                Some(b'"') => {
                    self.raw_string()?;
                }
                Some(b't' | b'f') => {
                    self.boolean()?;
                }
                Some(b'n') if self.bytes[self.at..].starts_with(b"null") => self.at += 4,
                Some(b'-' | b'0'..=b'9') => {
                    self.float()?;
                }
                _ => return Err(self.error("a value is expected")),
            }
            loop {
                let Some(&close) = open.last() else {
                    return Ok(());
                };
                if self.more(close)? {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    fn push(&self, open: &mut Vec<u8>, close: u8) -> Result<()> {
        if open.len() >= self.nesting {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("values are nested deeper than {}", self.nesting),
            )
            .at(Place::Byte(self.at as u64))
            .help("this is no heap profile"));
        }
        open.push(close);
        Ok(())
    }

    /// Fails unless only white space is left.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("something stands behind the end of the document")),
        }
    }
}

/// Undoes JSON's escapes; lone surrogates become U+FFFD. `None` for an unknown escape.
pub(crate) fn unescape(raw: &[u8]) -> Option<String> {
    let mut out: Vec<u8> = Vec::with_capacity(raw.len());
    let mut i = 0;
    while i < raw.len() {
        if raw[i] != b'\\' {
            out.push(raw[i]);
            i += 1;
            continue;
        }
        let kind = *raw.get(i + 1)?;
        i += 2;
        let plain = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut unit = hex4(raw.get(i..i + 4)?)?;
                i += 4;
                if (0xd800..0xdc00).contains(&unit)
                    && raw.get(i..i + 2) == Some(b"\\u")
                    && let Some(low) = raw.get(i + 2..i + 6).and_then(hex4)
                    && (0xdc00..0xe000).contains(&low)
                {
                    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    i += 6;
                }
                let c = char::from_u32(unit).unwrap_or('\u{fffd}');
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        };
        out.push(plain);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |n, &d| Some(n << 4 | (d as char).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_unescaped() {
        let mut s = Scanner::new(br#" "a\n\"\u00e9\ud83d\ude00\ud800" "#, 8);
        assert_eq!(s.string().unwrap(), "a\n\"é😀\u{fffd}");
        let mut s = Scanner::new(b"\"a\xffb\"", 8);
        assert_eq!(s.string().unwrap(), "a\u{fffd}b");
        assert!(Scanner::new(br#""\x""#, 8).string().is_err());
        assert_eq!(
            Scanner::new(br#""abc"#, 8).string().unwrap_err().code(),
            Code::Truncated
        );
    }

    #[test]
    fn numbers_keep_their_bounds() {
        assert_eq!(
            Scanner::new(b"9223372036854775807", 8).integer().unwrap(),
            i64::MAX
        );
        assert!(Scanner::new(b"9223372036854775808", 8).integer().is_err());
        assert!(
            Scanner::new(b"99999999999999999999999", 8)
                .integer()
                .is_err()
        );
        assert_eq!(Scanner::new(b"-12 ", 8).integer().unwrap(), -12);
        assert!(Scanner::new(b"1.5", 8).integer().is_err());
        assert_eq!(Scanner::new(b"1.5e2", 8).float().unwrap(), 150.0);
    }

    #[test]
    fn values_are_passed_over_without_recursion() {
        let text = br#"{"a":[1,2,{"b":null}],"c":"}]","d":{}, "e":[]} 7"#;
        let mut s = Scanner::new(text, 8);
        s.skip_value().unwrap();
        assert_eq!(s.integer().unwrap(), 7);
        let deep = vec![b'['; 100_000];
        let error = Scanner::new(&deep, 512).skip_value().unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded);
        for bad in [
            &b"{\"a\" 1}"[..],
            b"[1 2]",
            b"{1:2}",
            b"nul",
            b"[1,",
            b"{\"a\":1,}",
            b"[1,]",
        ] {
            assert!(
                Scanner::new(bad, 8).skip_value().is_err(),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
    }
}
