//! A line of the dump, taken apart without an allocation of its own.

use crate::error::Result;
use crate::format::json::Scanner;
use std::ops::Range;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    Header,
    Root,
    Object,
    Shape,
}

/// The fields of a line; texts are ranges of it, between their quotes.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) address: u64,
    pub(super) kind: Option<Range<usize>>,
    pub(super) class: u64,
    pub(super) superclass: u64,
    /// The name of a class or a root.
    pub(super) name: Option<(usize, usize)>,
    /// The C type of a `DATA`, or the kind of an `IMEMO`.
    pub(super) detail: Option<Range<usize>>,
    pub(super) file: Option<(usize, usize)>,
    pub(super) method: Option<(usize, usize)>,
    pub(super) value: Option<(usize, usize)>,
    pub(super) line: u32,
    pub(super) memsize: u64,
    pub(super) ivars: u64,
    pub(super) shape: u64,
    /// Of a shape: its number, its parent's, the variable it adds, and whether it adds one.
    pub(super) id: u64,
    pub(super) parent: u64,
    pub(super) edge: Option<(usize, usize)>,
    pub(super) adds: bool,
    pub(super) references: Vec<u64>,
}

impl Object {
    fn clear(&mut self) {
        let references = std::mem::take(&mut self.references);
        *self = Object {
            references,
            ..Object::default()
        };
        self.references.clear();
    }
}

/// The text of a range that [`parse`] found, unescaped; empty for none.
pub(super) fn text(line: &[u8], range: Option<(usize, usize)>) -> String {
    let raw = range.and_then(|(from, to)| line.get(from..to));
    let raw = raw.unwrap_or_default();
    let plain = || String::from_utf8_lossy(raw).into_owned();
    if raw.contains(&b'\\') {
        crate::format::json::unescape(raw).unwrap_or_else(plain)
    } else {
        plain()
    }
}

/// Takes a line apart.
///
/// Errors: no JSON object.
pub(super) fn parse(line: &[u8], nesting: usize, out: &mut Object) -> Result<Line> {
    out.clear();
    let mut s = Scanner::new(line, nesting);
    if s.peek().is_none() {
        return Ok(Line::Blank);
    }
    let mut header = false;
    let mut slot_size = 0;
    let mut more = s.begin_object()?;
    while more {
        match s.key()? {
            b"address" => out.address = address(&mut s)?,
            b"type" => out.kind = range(&mut s)?.map(|(a, b)| a..b),
            b"class" => out.class = address(&mut s)?,
            b"superclass" => out.superclass = address(&mut s)?,
            b"name" | b"root" => out.name = range(&mut s)?,
            b"struct" | b"imemo_type" => out.detail = range(&mut s)?.map(|(a, b)| a..b),
            b"file" => out.file = range(&mut s)?,
            b"method" => out.method = range(&mut s)?,
            b"value" => out.value = range(&mut s)?,
            b"edge_name" => out.edge = range(&mut s)?,
            b"shape_type" => {
                let text = range(&mut s)?;
                out.adds = text.is_some_and(|(a, b)| &line[a..b] == b"IVAR");
            }
            b"line" => out.line = u32::try_from(integer(&mut s)?).unwrap_or(0),
            b"memsize" => out.memsize = integer(&mut s)?,
            b"slot_size" => slot_size = integer(&mut s)?,
            b"ivars" => out.ivars = integer(&mut s)?,
            b"shape_id" => out.shape = integer(&mut s)?,
            b"id" => out.id = integer(&mut s)?,
            b"parent_id" => out.parent = integer(&mut s)?,
            b"references" if s.peek() == Some(b'[') => {
                let mut more = s.begin_array()?;
                while more {
                    out.references.push(address(&mut s)?);
                    more = s.next_element()?;
                }
            }
            b"format" => {
                header = true;
                s.skip_value()?;
            }
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    s.end()?;
    if out.memsize == 0 {
        out.memsize = slot_size;
    }
    let kind = out.kind.clone().map_or(&b""[..], |r| &line[r]);
    Ok(match kind {
        _ if header => Line::Header,
        b"ROOT" => Line::Root,
        b"SHAPE" => Line::Shape,
        b"" => return Err(s.error("a type is expected")),
        _ if out.address == 0 => return Err(s.error("an address is expected")),
        _ => Line::Object,
    })
}

/// The range of a string; none for a value of another kind, which is passed over.
fn range(s: &mut Scanner<'_>) -> Result<Option<(usize, usize)>> {
    if s.peek() != Some(b'"') {
        s.skip_value()?;
        return Ok(None);
    }
    let from = s.offset() + 1;
    let text = s.raw_string()?;
    Ok(Some((from, from + text.bytes.len())))
}

/// A number; 0 for a value of another kind, which is passed over.
fn integer(s: &mut Scanner<'_>) -> Result<u64> {
    match s.peek() {
        Some(b'0'..=b'9') => Ok(u64::try_from(s.integer()?).unwrap_or(0)),
        _ => {
            s.skip_value()?;
            Ok(0)
        }
    }
}

/// `"0x7f..."`; 0 for what is none.
fn address(s: &mut Scanner<'_>) -> Result<u64> {
    if s.peek() != Some(b'"') {
        s.skip_value()?;
        return Ok(0);
    }
    let text = s.raw_string()?.bytes;
    let digits = text.strip_prefix(b"0x").unwrap_or_default();
    if digits.is_empty() || digits.len() > 16 {
        return Ok(0);
    }
    let mut value = 0;
    for &digit in digits {
        match (digit as char).to_digit(16) {
            Some(d) => value = value << 4 | u64::from(d),
            None => return Ok(0),
        }
    }
    Ok(value)
}
