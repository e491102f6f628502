//! JSON from a stream: the tokens of a snapshot, and its arrays of integers at memory speed.

use crate::error::{Code, Error, Place, Result};
use crate::format::feed::Feed;

/// The most integers of a record.
pub(super) const WIDEST: usize = 16;

/// Reads a snapshot's JSON front to back.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    feed: Feed<'a>,
    nesting: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(feed: Feed<'a>, nesting: usize) -> Self {
        Scan { feed, nesting }
    }

    pub(super) fn offset(&self) -> u64 {
        self.feed.offset()
    }

    /// An error at this place; at the end of the stream it is a truncation.
    pub(super) fn error(&mut self, what: &str) -> Error {
        match self.feed.byte() {
            Ok(Some(_)) => Error::damaged(self.offset(), what),
            Ok(None) => Error::truncated(self.offset(), format!("the file ends where {what}")),
            Err(e) => e,
        }
    }

    /// The next byte that is no white space, not consumed.
    pub(super) fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let rest = self.feed.rest();
            let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let next = rest.get(blank).copied();
            self.feed.consume(blank);
            if next.is_some() || !self.feed.more()? {
                return Ok(next);
            }
        }
    }

    pub(super) fn accept(&mut self, byte: u8) -> Result<bool> {
        let found = self.peek()? == Some(byte);
        self.feed.consume(usize::from(found));
        Ok(found)
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.accept(byte)? {
            Ok(())
        } else {
            Err(self.error(&format!("{:?} is expected", byte as char)))
        }
    }

    /// After an element: whether another follows, or `close` has come.
    pub(super) fn another(&mut self, close: u8) -> Result<bool> {
        if self.accept(b',')? {
            Ok(true)
        } else if self.accept(close)? {
            Ok(false)
        } else {
            Err(self.error(&format!("\",\" or {:?} is expected", close as char)))
        }
    }

    /// A string between its quotes as it stands, handed to `f` with whether it holds a backslash.
    pub(super) fn string<T>(&mut self, f: impl FnOnce(&[u8], bool) -> T) -> Result<T> {
        self.expect(b'"')?;
        let mut seen = 0;
        let mut escaped = false;
        loop {
            let rest = self.feed.rest();
            while let Some(n) = memchr::memchr2(b'"', b'\\', &rest[seen.min(rest.len())..]) {
                seen += n;
                if rest[seen] == b'"' {
                    let out = f(&rest[..seen], escaped);
                    self.feed.consume(seen + 1);
                    return Ok(out);
                }
                escaped = true;
                seen += 2;
            }
            seen = seen.max(rest.len());
            if !self.feed.more()? {
                let at = self.offset() + self.feed.rest().len() as u64;
                return Err(Error::truncated(at, "the file ends within a string"));
            }
        }
    }

    /// A value of any kind as it stands, for a parser of small documents.
    pub(super) fn raw_value(&mut self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.value(&mut |bytes| out.extend_from_slice(bytes))?;
        Ok(out)
    }

    /// Passes over a value of any kind without recursion.
    pub(super) fn skip_value(&mut self) -> Result<()> {
        self.value(&mut |_| {})
    }

    /// Walks over one value and hands out its bytes without the white space. The grammar inside is
    /// held only as far as brackets and strings go.
    fn value(&mut self, out: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut open = Vec::new();
        loop {
            let Some(byte) = self.peek()? else {
                return Err(self.error("a value is expected"));
            };
            match byte {
                b'"' => self.string(|text, _| {
                    out(b"\"");
                    out(text);
                    out(b"\"");
                })?,
                b'[' | b'{' => {
                    if open.len() >= self.nesting {
                        return Err(Error::new(
                            Code::LimitExceeded,
                            format!("values are nested deeper than {}", self.nesting),
                        )
                        .at(Place::Byte(self.offset()))
                        .help("this is no heap snapshot"));
                    }
                    open.push(byte + 2);
                    out(&[byte]);
                    self.feed.consume(1);
                    continue;
                }
                b']' | b'}' => {
                    if open.pop() != Some(byte) {
                        return Err(self.error("a value is expected"));
                    }
                    out(&[byte]);
                    self.feed.consume(1);
                }
                b',' | b':' if !open.is_empty() => {
                    out(&[byte]);
                    self.feed.consume(1);
                    continue;
                }
                b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E' => {
                    let rest = self.feed.rest();
                    let part = |b: &&u8| b.is_ascii_alphanumeric() || b"-+.".contains(b);
                    let n = rest.iter().take_while(part).count();
                    let whole = n < rest.len();
                    out(&rest[..n]);
                    self.feed.consume(n);
                    if !whole && self.feed.more()? {
                        continue;
                    }
                }
                _ => return Err(self.error("a value is expected")),
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// Reads an array of integers, `width` to a record, and hands over each record.
    ///
    /// Errors: anything that is no such array, numbers beyond 64 bits, a last record that is not
    /// whole; what `each` says.
    pub(super) fn records(
        &mut self,
        width: usize,
        mut each: impl FnMut(&[u64; WIDEST]) -> Result<()>,
    ) -> Result<u64> {
        self.expect(b'[')?;
        let mut record = [0u64; WIDEST];
        let mut field = 0;
        let mut records = 0u64;
        loop {
            // The last number of the window may go on behind it.
            let rest = self.feed.rest();
            let whole = rest
                .iter()
                .rposition(|b| !b.is_ascii_digit())
                .map_or(0, |n| n + 1);
            let mut at = 0;
            let mut ended = false;
            let mut bad = None;
            while at < whole {
                let byte = rest[at];
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    at += 1;
                    match byte {
                        b',' | b'\n' | b' ' | b'\r' | b'\t' => continue,
                        b']' => ended = true,
                        _ => bad = Some((at - 1, "a whole number is expected")),
                    }
                    break;
                }
                let mut value = u64::from(digit);
                let first = at;
                at += 1;
                // A digit never ends the window: there is a byte behind every number.
                while at < whole {
                    let digit = rest[at].wrapping_sub(b'0');
                    if digit > 9 {
                        break;
                    }
                    value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
                    at += 1;
                }
                if at - first > 19 && !fits(&rest[first..at]) {
                    bad = Some((first, "a number exceeds 64 bits"));
                    break;
                }
                record[field] = value;
                field += 1;
                if field == width {
                    field = 0;
                    records += 1;
                    if let Err(e) = each(&record) {
                        let offset = self.feed.offset() + at as u64;
                        return Err(e.at(Place::Byte(offset)));
                    }
                }
            }
            if let Some((place, what)) = bad {
                return Err(Error::damaged(self.feed.offset() + place as u64, what));
            }
            self.feed.consume(at);
            if ended {
                if field != 0 {
                    return Err(Error::damaged(
                        self.offset(),
                        format!("the last record has {field} of {width} numbers"),
                    ));
                }
                return Ok(records);
            }
            if !self.feed.more()? {
                let at = self.offset() + self.feed.rest().len() as u64;
                return Err(Error::truncated(
                    at,
                    "the file ends within a list of numbers",
                ));
            }
        }
    }

    /// A number of a small array, and what separates it from the next.
    pub(super) fn integer(&mut self) -> Result<u64> {
        self.peek()?;
        self.feed.need(24)?;
        let rest = self.feed.rest();
        let n = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..n]).unwrap_or("");
        match text.parse() {
            Ok(value) => {
                self.feed.consume(n);
                Ok(value)
            }
            Err(_) => Err(self.error("a whole number is expected")),
        }
    }
}

fn fits(digits: &[u8]) -> bool {
    std::str::from_utf8(digits).is_ok_and(|t| t.parse::<u64>().is_ok())
}
