//! A stream as a sliding window: what is read is looked at in place, and only a token that lies
//! across the end of the window is moved.
//!
//! For captures that are too large to hold: memory is that of the window, which grows only for a
//! token that is longer than it, up to a bound.

use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use std::io::{BufRead, Read};

/// What the window holds at first: what it holds still lies near the processor when it is read, and
/// is filled without a buffer between.
const WINDOW: usize = 1 << 19;
/// The longest token: a string of JSON, a record of names.
const LONGEST: usize = 256 << 20;

/// A window over the unpacked bytes of a [`Source`].
pub struct Feed<'a> {
    source: &'a Source,
    reader: Box<dyn BufRead + 'a>,
    window: Vec<u8>,
    at: usize,
    end: usize,
    /// Offset in the stream of the window's first byte.
    base: u64,
    ended: bool,
}

impl std::fmt::Debug for Feed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed({} at {})", self.source.name(), self.offset())
    }
}

impl<'a> Feed<'a> {
    /// A window at the start of `source`.
    pub fn new(source: &'a Source) -> Feed<'a> {
        Feed {
            source,
            reader: source.reader(),
            window: vec![0; WINDOW],
            at: 0,
            end: 0,
            base: 0,
            ended: false,
        }
    }

    /// Offset of the next byte in the unpacked stream.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// What is in the window and not consumed.
    #[inline]
    pub fn rest(&self) -> &[u8] {
        &self.window[self.at..self.end]
    }

    /// Consumes `n` bytes of [`Feed::rest`].
    #[inline]
    pub fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.end);
    }

    /// Reads on: the rest moves to the front and more follows it. `false` at the end of the
    /// stream.
    ///
    /// Errors: the stream cannot be unpacked, or the rest is longer than any token may be.
    pub fn more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.window.copy_within(self.at..self.end, 0);
        self.base += self.at as u64;
        self.end -= self.at;
        self.at = 0;
        if self.end == self.window.len() {
            if self.end >= LONGEST {
                return Err(Error::new(
                    Code::LimitExceeded,
                    format!("one value is longer than {} MiB", LONGEST >> 20),
                )
                .at(Place::Byte(self.base))
                .help("this is no heap dump"));
            }
            self.window.resize(self.end * 2, 0);
        }
        let before = self.end;
        while self.end < self.window.len() {
            let read = self.reader.read(&mut self.window[self.end..]);
            match read {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(n) => self.end += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                // What came before the damage is still looked at.
                Err(_) if self.end > before => break,
                Err(e) => {
                    let at = self.base + self.end as u64;
                    self.ended = true;
                    return Err(self.source.inflate_error(&e, at));
                }
            }
        }
        Ok(self.end > before)
    }

    /// Makes at least `n` bytes visible; `false` when the stream ends before.
    #[inline]
    pub fn need(&mut self, n: usize) -> Result<bool> {
        while self.end - self.at < n {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes over `n` bytes; returns how many there were.
    pub fn skip(&mut self, n: u64) -> Result<u64> {
        let mut left = n;
        loop {
            let here = left.min((self.end - self.at) as u64);
            self.at += here as usize;
            left -= here;
            if left == 0 || !self.more()? {
                return Ok(n - left);
            }
        }
    }

    /// The next byte, without consuming it; none at the end.
    #[inline]
    pub fn byte(&mut self) -> Result<Option<u8>> {
        if self.at == self.end && !self.more()? {
            return Ok(None);
        }
        Ok(Some(self.window[self.at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    #[test]
    fn a_window_slides_and_grows() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        let source = Source::from_bytes("x", bytes.clone(), Limits::default()).unwrap();
        let mut feed = Feed::new(&source);
        assert!(feed.need(2_000_000).unwrap());
        assert_eq!(feed.rest()[1_999_999], bytes[1_999_999]);
        feed.consume(1_999_999);
        assert_eq!(feed.byte().unwrap(), Some(bytes[1_999_999]));
        assert_eq!(feed.offset(), 1_999_999);
        assert_eq!(feed.skip(900_000).unwrap(), 900_000);
        assert_eq!(feed.byte().unwrap(), Some(bytes[2_899_999]));
        assert!(!feed.need(200_000).unwrap());
        assert_eq!(feed.skip(200_000).unwrap(), 100_001);
        assert_eq!(feed.byte().unwrap(), None);
    }
}
