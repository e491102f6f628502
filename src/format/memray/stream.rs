//! The records as a stream of bytes, however large the file.

use crate::error::{Code, Error, Result};
use crate::input::Source;
use std::io::BufRead;

/// Names and paths longer than this are no names.
const LONGEST_TEXT: usize = 1 << 20;
/// A record is at most this long, texts and tables aside.
const ROOM: usize = 128;
const BUFFER: usize = 256 << 10;

/// Reads bytes, numbers and texts, and knows where it is.
pub struct Stream<'a> {
    source: &'a Source,
    reader: Box<dyn BufRead + 'a>,
    buffer: Vec<u8>,
    at: usize,
    /// Offset of the buffer in the stream.
    base: u64,
    ended: bool,
}

impl<'a> Stream<'a> {
    /// A stream from the start of the source.
    pub fn new(source: &'a Source) -> Self {
        Stream {
            source,
            reader: source.reader(),
            buffer: Vec::with_capacity(BUFFER + ROOM),
            at: 0,
            base: 0,
            ended: false,
        }
    }

    /// Offset of the next byte in the unpacked stream.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    fn left(&self) -> usize {
        self.buffer.len() - self.at
    }

    /// Reads on until at least `n` bytes wait or the stream ends.
    fn fill(&mut self, n: usize) -> Result<()> {
        while self.left() < n && !self.ended {
            self.buffer.drain(..self.at);
            self.base += self.at as u64;
            self.at = 0;
            let read = self.base + self.buffer.len() as u64;
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) => {
                    let error = self.source.inflate_error(&e, read);
                    // What came out before the cut is good.
                    if error.code() != Code::Truncated || self.left() == 0 {
                        return Err(error);
                    }
                    self.ended = true;
                    break;
                }
            };
            let taken = chunk.len().min(BUFFER);
            self.ended = taken == 0;
            self.buffer.extend_from_slice(&chunk[..taken]);
            self.reader.consume(taken);
        }
        Ok(())
    }

    fn need(&mut self, n: usize) -> Result<()> {
        if self.left() < n {
            self.fill(n.max(ROOM))?;
            if self.left() < n {
                return Err(Error::truncated(
                    self.offset(),
                    "the recording ends within a record",
                ));
            }
        }
        Ok(())
    }

    /// The next byte, if there is one.
    pub fn next(&mut self) -> Result<Option<u8>> {
        if self.left() < ROOM && !self.ended {
            self.fill(ROOM)?;
        }
        let byte = self.buffer.get(self.at).copied();
        self.at += byte.is_some() as usize;
        Ok(byte)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8> {
        self.need(1)?;
        let byte = self.buffer[self.at];
        self.at += 1;
        Ok(byte)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.need(N)?;
        let mut out = [0; N];
        out.copy_from_slice(&self.buffer[self.at..self.at + N]);
        self.at += N;
        Ok(out)
    }

    /// A 64-bit number.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A 32-bit number.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A number in groups of seven bits.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(Error::damaged(
                    self.offset(),
                    "a number of more than 64 bits",
                ));
            }
            value |= ((byte & 0x7f) as u64) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    /// A signed number, its sign in the lowest bit.
    pub fn signed(&mut self) -> Result<i64> {
        let zigzag = self.varint()?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// A number given as the difference to the one before.
    pub fn delta(&mut self, last: &mut u64) -> Result<u64> {
        *last = last.wrapping_add(self.signed()? as u64);
        Ok(*last)
    }

    /// The text up to the next zero byte, which may be of any encoding.
    pub fn text(&mut self) -> Result<&[u8]> {
        let mut looked = 0;
        loop {
            let waiting = &self.buffer[self.at..];
            if let Some(n) = waiting[looked..].iter().position(|&b| b == 0) {
                let start = self.at;
                self.at += looked + n + 1;
                return Ok(&self.buffer[start..start + looked + n]);
            }
            looked = waiting.len();
            if looked > LONGEST_TEXT {
                return Err(Error::damaged(
                    self.offset(),
                    format!("a text of more than {LONGEST_TEXT} bytes"),
                ));
            }
            self.need(looked + 1)?;
        }
    }

    /// The next `n` bytes; a length that the file claims is bounded first.
    pub fn slice(&mut self, n: u64, what: &str) -> Result<&[u8]> {
        if n > LONGEST_TEXT as u64 {
            let error = format!("{what} claims {n} bytes");
            return Err(Error::damaged(self.offset(), error));
        }
        self.need(n as usize)?;
        let start = self.at;
        self.at += n as usize;
        Ok(&self.buffer[start..self.at])
    }
}
