//! The records of a full recording, in the layouts of versions 10 and 11 and of 12 and 13.

use super::header::Header;
use super::lines::LineTable;
use super::natives::Natives;
use super::replay::Replay;
use super::stream::Stream;
use crate::error::{Error, Result};
use crate::model::{Frame, FrameId, StrId, Symbols};
use rustc_hash::FxHashMap;

/// What one record was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Record {
    /// A record.
    Some,
    /// Nothing but a filler.
    Filler,
    /// The mark of a whole file.
    Trailer,
    /// The bytes ran out.
    End,
}

/// A function of the program.
#[derive(Debug)]
pub struct Code {
    function: StrId,
    file: StrId,
    lines: LineTable,
}

/// Names that records refer to, and numbers that are given as differences.
#[derive(Debug, Default)]
pub struct Names {
    codes: FxHashMap<u64, Code>,
    frames: FxHashMap<(u64, i64), FrameId>,
    frame_ids: FxHashMap<u64, FrameId>,
    line: u64,
    frame: u64,
    native: u64,
    /// Native stacks and modules.
    pub natives: Natives,
    address: u64,
    recent: [u64; 15],
}

impl Names {
    /// Reads the description of a function (versions 12 and 13).
    pub fn code(&mut self, s: &mut Stream<'_>, h: &Header, symbols: &mut Symbols) -> Result<()> {
        let id = s.varint()?;
        let function = symbols.strings.intern_bytes(s.text()?);
        let file = symbols.strings.intern_bytes(s.text()?);
        let first = line(s.delta(&mut self.line)?);
        let length = s.varint()?;
        let table = s.slice(length, "a table of lines")?;
        let lines = LineTable::new(table, h.python, first);
        let code = Code {
            function,
            file,
            lines,
        };
        self.codes.insert(id, code);
        Ok(())
    }

    /// The frame of an instruction of a function (versions 12 and 13).
    pub fn frame(
        &mut self,
        code: u64,
        offset: i64,
        h: &Header,
        symbols: &mut Symbols,
    ) -> Option<FrameId> {
        if let Some(&known) = self.frames.get(&(code, offset)) {
            return Some(known);
        }
        let c = self.codes.get(&code)?;
        let id = symbols.frames.intern(Frame {
            file: c.file,
            line: c.lines.line(offset, h.python),
            ..Frame::named(c.function)
        });
        self.frames.insert((code, offset), id);
        Some(id)
    }

    /// Reads a native stack or where a file is mapped.
    pub fn segment(&mut self, s: &mut Stream<'_>, kind: u8, symbols: &mut Symbols) -> Result<()> {
        self.natives.read(s, kind, &mut self.native, symbols)
    }

    /// The address of a block: one of the last fifteen, or a difference.
    fn address(&mut self, s: &mut Stream<'_>, place: usize) -> Result<u64> {
        if let Some(&known) = self.recent.get(place) {
            return Ok(known);
        }
        let address = s.delta(&mut self.address)? << 3;
        self.recent.copy_within(0..14, 1);
        self.recent[0] = address;
        Ok(address)
    }

    /// Reads one record of versions 12 and 13.
    pub fn next(
        &mut self,
        s: &mut Stream<'_>,
        h: &Header,
        replay: &mut Replay,
        symbols: &mut Symbols,
    ) -> Result<Record> {
        let Some(t) = s.next()? else {
            return Ok(Record::End);
        };
        match t {
            0x80.. => {
                let address = self.address(s, (t >> 3 & 15) as usize)?;
                let allocator = match t & 7 {
                    0 => s.byte()?,
                    short => short,
                };
                // 1 and 5 free a block, 14 and 15 are mmap and munmap.
                let frees = matches!(allocator, 1 | 5);
                let native = match h.native && !frees {
                    true => s.delta(&mut self.native)?,
                    false => 0,
                };
                if frees {
                    replay.free(address)?;
                } else {
                    let size = s.varint()?;
                    match allocator {
                        15 => replay.unmap(address, size)?,
                        2..=14 => {
                            replay.native(native, &mut self.natives, symbols)?;
                            replay.allocate(address, size, allocator == 14)?;
                        }
                        _ => return Err(unknown("allocator", allocator)),
                    }
                }
            }
            0x40..=0x7f => {
                let code = s.varint()?;
                let offset = s.signed()?;
                let frame = self.frame(code, offset, h, symbols);
                replay.push(frame.ok_or_else(|| unknown("function", code))?)?;
            }
            0x20..=0x3f => {
                self.address(s, (t >> 1 & 15) as usize)?;
                if h.native && t & 1 == 1 {
                    s.delta(&mut self.native)?;
                }
            }
            0x10..=0x1f => replay.pop((t & 15) as usize + 1)?,
            0 => return Ok(Record::Filler),
            1 => return Ok(Record::Trailer),
            2 => {
                s.varint()?;
                replay.time(s.varint()?);
            }
            5..=8 => self.segment(s, t, symbols)?,
            10 => {
                s.text()?;
            }
            12 => replay.switch(s.u64()?),
            14 => self.code(s, h, symbols)?,
            _ => return Err(unknown("record", t)),
        }
        Ok(Record::Some)
    }

    /// Reads one record of versions 10 and 11.
    pub fn next_of_old(
        &mut self,
        s: &mut Stream<'_>,
        replay: &mut Replay,
        symbols: &mut Symbols,
    ) -> Result<Record> {
        let Some(t) = s.next()? else {
            return Ok(Record::End);
        };
        let flags = t >> 4;
        match t & 15 {
            0 if flags == 1 => return Ok(Record::Trailer),
            0 => return Ok(Record::Filler),
            kind @ (1 | 2) => {
                let address = s.delta(&mut self.address)?;
                // 2 and 15 free a block, 10 and 11 are mmap and munmap.
                if matches!(flags, 2 | 15) && kind == 1 {
                    replay.free(address)?;
                    return Ok(Record::Some);
                }
                let size = s.varint()?;
                let native = match kind {
                    2 => s.delta(&mut self.native)?,
                    _ => 0,
                };
                match flags {
                    11 => replay.unmap(address, size)?,
                    0 => return Err(unknown("allocator", flags)),
                    _ => {
                        replay.native(native, &mut self.natives, symbols)?;
                        replay.allocate(address, size, flags == 10)?;
                    }
                }
            }
            3 => {
                let id = s.delta(&mut self.frame)?;
                let function = symbols.strings.intern_bytes(s.text()?);
                let file = symbols.strings.intern_bytes(s.text()?);
                let line = line(s.delta(&mut self.line)?);
                let frame = symbols.frames.intern(Frame {
                    file,
                    line,
                    ..Frame::named(function)
                });
                self.frame_ids.insert(id, frame);
            }
            4 => {
                let id = s.delta(&mut self.frame)?;
                let frame = self.frame_ids.get(&id).copied();
                replay.push(frame.ok_or_else(|| unknown("frame", id))?)?;
            }
            kind @ 5..=8 => self.segment(s, kind, symbols)?,
            9 => replay.pop(flags as usize + 1)?,
            10 => {
                s.text()?;
            }
            11 => {
                s.varint()?;
                replay.time(s.varint()?);
            }
            12 => replay.switch(s.u64()?),
            kind => return Err(unknown("record", kind)),
        }
        Ok(Record::Some)
    }
}

/// Lines are kept as 32-bit numbers; a damaged one is unknown.
pub fn line(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// An error for a number that names nothing.
pub fn unknown(what: &str, number: impl std::fmt::Display) -> Error {
    Error::new(
        crate::error::Code::Damaged,
        format!("a {what} {number} that is not known"),
    )
    .help("the file is damaged: capture it again")
}
