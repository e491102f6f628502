//! Lines of text input: as slices of bytes in memory, or as blocks of whole lines of a stream.

use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use std::io::{BufRead, Read};
use std::sync::mpsc::{Receiver, Sender};

/// One line, without its line feed and a carriage return before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The bytes of the line.
    pub text: &'a [u8],
    /// Offset of its first byte.
    pub start: usize,
    /// Its number, from 1.
    pub number: u64,
    /// Whether a line feed ends it; only the last line of a file may lack one.
    pub ended: bool,
}

/// The lines of `bytes`, in order. Cost: one vectorised search per line.
#[derive(Debug, Clone)]
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    /// All lines of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Lines {
            bytes,
            at: 0,
            number: 0,
        }
    }

    /// Offset of the next line.
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.bytes.get(self.at..).filter(|r| !r.is_empty())?;
        let start = self.at;
        let (text, ended) = match memchr::memchr(b'\n', rest) {
            Some(n) => (&rest[..n], true),
            None => (rest, false),
        };
        self.at += text.len() + usize::from(ended);
        self.number += 1;
        Some(Line {
            text: text.strip_suffix(b"\r").unwrap_or(text),
            start,
            number: self.number,
            ended,
        })
    }
}

/// Size of a block; a longer line makes its block larger.
const BLOCK: usize = 256 << 10;
/// The longest line that a stream may hold: some 50 times the longest C++ name seen.
const LONGEST: usize = 64 << 20;

/// Blocks of whole lines of a stream, so that a large recording is never in memory as a whole.
pub(crate) struct Blocks<'a> {
    source: &'a Source,
    reader: Box<dyn BufRead + 'a>,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are filled; those before `given` were handed out.
    filled: usize,
    given: usize,
    /// Offset of the buffer's first byte in the stream.
    offset: u64,
}

/// What [`Blocks::next`] found.
#[derive(Debug)]
pub(crate) enum Block<'b> {
    /// One or more lines, each with its line feed, and the offset of the first.
    Lines(&'b [u8], u64),
    /// The stream ended; the bytes after the last line feed, usually none.
    End(&'b [u8], u64),
    /// The stream broke off: the packed data is cut short or damaged at this offset.
    Broken(Error, u64),
}

/// Where blocks come from.
pub(crate) trait NextBlock {
    /// The next lines, or the end.
    fn next(&mut self) -> Result<Block<'_>>;
}

impl NextBlock for Blocks<'_> {
    fn next(&mut self) -> Result<Block<'_>> {
        Blocks::next(self)
    }
}

/// A block on its way from the thread that unpacks.
enum Parcel {
    Lines(Vec<u8>, u64),
    End(Vec<u8>, u64),
    Broken(Error, u64),
    Failed(Error),
}

/// Blocks that another thread unpacks ahead of the reader. Memory: four blocks.
pub(crate) struct Ahead {
    full: Receiver<Parcel>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
}

impl Ahead {
    /// Starts the thread; it ends when all is read or the reader is dropped.
    pub fn spawn<'scope, 'env>(
        scope: &'scope std::thread::Scope<'scope, 'env>,
        source: &'env Source,
    ) -> Ahead {
        let (give, full) = std::sync::mpsc::sync_channel(2);
        let (empty, take) = std::sync::mpsc::channel::<Vec<u8>>();
        scope.spawn(move || {
            let mut blocks = Blocks::new(source);
            loop {
                let copy = |bytes: &[u8]| {
                    let used = take.try_recv().ok();
                    let mut buffer = used
                        .filter(|b| b.capacity() <= 2 * BLOCK)
                        .unwrap_or_default();
                    buffer.clear();
                    buffer.extend_from_slice(bytes);
                    buffer
                };
                let parcel = match blocks.next() {
                    Ok(Block::Lines(lines, at)) => Parcel::Lines(copy(lines), at),
                    Ok(Block::End(rest, at)) => Parcel::End(copy(rest), at),
                    Ok(Block::Broken(error, at)) => Parcel::Broken(error, at),
                    Err(error) => Parcel::Failed(error),
                };
                let more = matches!(parcel, Parcel::Lines(..));
                if give.send(parcel).is_err() || !more {
                    return;
                }
            }
        });
        Ahead {
            full,
            empty,
            current: Vec::new(),
        }
    }
}

impl NextBlock for Ahead {
    fn next(&mut self) -> Result<Block<'_>> {
        let used = std::mem::take(&mut self.current);
        if used.capacity() > 0 {
            // The thread may have ended: then nobody needs the buffer.
            let _ = self.empty.send(used);
        }
        match self.full.recv() {
            Ok(Parcel::Lines(lines, at)) => {
                self.current = lines;
                Ok(Block::Lines(&self.current, at))
            }
            Ok(Parcel::End(rest, at)) => {
                self.current = rest;
                Ok(Block::End(&self.current, at))
            }
            Ok(Parcel::Broken(error, at)) => Ok(Block::Broken(error, at)),
            Ok(Parcel::Failed(error)) => Err(error),
            Err(_) => Err(Error::new(Code::Unreadable, "unpacking stopped early")),
        }
    }
}

impl<'a> Blocks<'a> {
    /// Starts at the beginning of `source`.
    pub fn new(source: &'a Source) -> Self {
        Blocks {
            source,
            reader: source.reader(),
            buffer: vec![0; BLOCK],
            filled: 0,
            given: 0,
            offset: 0,
        }
    }

    /// The next lines.
    ///
    /// Errors: a line of more than 64 MiB; a bound on inflation that is exceeded.
    pub fn next(&mut self) -> Result<Block<'_>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.offset += self.given as u64;
        self.filled -= self.given;
        self.given = 0;
        // One long line is no reason for long blocks from then on.
        if self.buffer.len() > BLOCK && self.filled <= BLOCK / 2 {
            self.buffer.truncate(BLOCK);
            self.buffer.shrink_to_fit();
        }
        loop {
            if self.filled == self.buffer.len() {
                if self.filled >= LONGEST {
                    return Err(Error::new(Code::LimitExceeded, "a line of over 64 MiB")
                        .at(Place::Byte(self.offset))
                        .help("the file is damaged: capture it again"));
                }
                let more = (self.filled / 4).max(BLOCK);
                self.buffer.reserve_exact(more);
                self.buffer.resize(self.filled + more, 0);
            }
            let read = match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    let at = self.offset + self.filled as u64;
                    let error = self.source.inflate_error(&e, at);
                    return if error.code() == Code::LimitExceeded {
                        Err(error)
                    } else {
                        Ok(Block::Broken(error, at))
                    };
                }
            };
            if read == 0 {
                self.given = self.filled;
                return Ok(Block::End(&self.buffer[..self.filled], self.offset));
            }
            let fresh = self.filled..self.filled + read;
            self.filled += read;
            if let Some(n) = memchr::memrchr(b'\n', &self.buffer[fresh.clone()]) {
                self.given = fresh.start + n + 1;
                return Ok(Block::Lines(&self.buffer[..self.given], self.offset));
            }
        }
    }
}

/// A decimal number at the start of `text`, after blanks, and what follows it. Commas between
/// digits are skipped, as in `1,248 bytes`. None without a digit or beyond 64 bits.
pub(crate) fn decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.trim_ascii_start();
    let mut value: u64 = 0;
    let mut i = 0;
    while let Some(&b) = text.get(i) {
        match b {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(u64::from(b - b'0'))?;
            }
            b',' if i > 0 && text.get(i + 1).is_some_and(u8::is_ascii_digit) => {}
            _ => break,
        }
        i += 1;
    }
    (i > 0).then(|| (value, &text[i..]))
}

/// The value of each byte as a hexadecimal digit; 255 for what is none.
pub(crate) const DIGIT: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut i = 0;
    while i < 16 {
        table[b"0123456789abcdef"[i] as usize] = i as u8;
        table[b"0123456789ABCDEF"[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// A hexadecimal number at the start of `text`, `0x` allowed, and what follows it. None without
/// a digit or beyond 64 bits.
pub(crate) fn hexadecimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text
        .strip_prefix(b"0x")
        .or_else(|| text.strip_prefix(b"0X"))
        .unwrap_or(text);
    let mut value: u64 = 0;
    let mut i = 0;
    while let Some(&b) = text.get(i) {
        let digit = DIGIT[b as usize];
        if digit == 0xff {
            break;
        }
        if value >> 60 != 0 {
            return None;
        }
        value = value << 4 | u64::from(digit);
        i += 1;
    }
    (i > 0).then(|| (value, &text[i..]))
}

/// Position of `needle` in `text`.
pub(crate) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}

/// `text` as a string; what is no UTF-8 becomes U+FFFD.
pub(crate) fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The part of a path after the last `/` or `\`.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    #[test]
    fn lines_know_their_place() {
        let lines: Vec<_> = Lines::new(b"a\r\n\nbc").collect();
        let texts: Vec<_> = lines.iter().map(|l| l.text).collect();
        assert_eq!(texts, [&b"a"[..], b"", b"bc"]);
        assert_eq!((lines[2].start, lines[2].number), (4, 3));
        assert!(lines[1].ended && !lines[2].ended);
    }

    #[test]
    fn blocks_hold_whole_lines_whatever_their_length() {
        let mut text = Vec::new();
        for n in [1, 300_000, 5, 700_000, 2] {
            text.extend(std::iter::repeat_n(b'x', n));
            text.push(b'\n');
        }
        text.extend(b"tail");
        let source = Source::from_bytes("x", text.clone(), Limits::default()).unwrap();
        let mut blocks = Blocks::new(&source);
        let mut all = Vec::new();
        loop {
            match blocks.next().unwrap() {
                Block::Lines(lines, at) => {
                    assert_eq!(at, all.len() as u64);
                    assert!(lines.ends_with(b"\n"));
                    all.extend_from_slice(lines);
                }
                Block::End(rest, _) => {
                    assert_eq!(rest, b"tail");
                    all.extend_from_slice(rest);
                    break;
                }
                Block::Broken(e, _) => panic!("{e}"),
            }
        }
        assert_eq!(all, text);
    }

    #[test]
    fn a_thread_ahead_gives_the_same_and_may_be_left() {
        let text: Vec<u8> = (0..400_000)
            .flat_map(|i| format!("{i}\n").into_bytes())
            .collect();
        let packed = zstd::encode_all(&text[..], 1).unwrap();
        let read = |bytes: &[u8], most: usize| {
            let source = Source::from_bytes("x", bytes.to_vec(), Limits::default()).unwrap();
            let mut all = Vec::new();
            let broken = std::thread::scope(|scope| {
                let mut blocks = Ahead::spawn(scope, &source);
                while all.len() < most {
                    match blocks.next().unwrap() {
                        Block::Lines(lines, at) => {
                            assert_eq!(at, all.len() as u64);
                            all.extend_from_slice(lines);
                        }
                        Block::End(..) => break,
                        Block::Broken(error, _) => return Some(error.code()),
                    }
                }
                None
            });
            (all, broken)
        };
        assert_eq!(read(&packed, usize::MAX), (text.clone(), None));
        assert!(read(&packed, 1).0.len() < text.len());
        let (part, broken) = read(&packed[..packed.len() / 2], usize::MAX);
        assert!(text.starts_with(&part) && broken == Some(Code::Truncated));
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(decimal(b" 1,248 bytes"), Some((1248, &b" bytes"[..])));
        assert_eq!(decimal(b"12, x"), Some((12, &b", x"[..])));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(hexadecimal(b"0xff]"), Some((255, &b"]"[..])));
        assert_eq!(hexadecimal(b"10000000000000000"), None);
        assert_eq!(hexadecimal(b"0x"), None);
    }
}
