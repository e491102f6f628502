//! Every record but the hot ones: names, modules, traces, and blocks by their address.

use super::super::super::lines::lossy;
use super::super::super::native::in_page;
use super::{Block, NONE, Recording, Stop, damaged, field};
use crate::error::{Code, Error, Result};
use crate::model::{Frame, Symbols};

impl Recording {
    pub(super) fn record(&mut self, line: &[u8], place: u64, symbols: &mut Symbols) -> Result<()> {
        let Some((&letter, rest)) = line.split_first() else {
            return Ok(());
        };
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let broken = |what: &str| damaged(place, format!("a record {what} that cannot be read"));
        match letter {
            b'+' | b'-' => self.by_pointer(letter, rest, symbols, place)?,
            b'a' => {
                let fields = field(rest).and_then(|(size, r)| Some((size, field(r)?.0)));
                let (size, trace) = fields.ok_or_else(|| broken("a"))?;
                let trace = self.trace(trace, place)?;
                if size > i64::MAX as u64 {
                    return Err(damaged(place, "a size that exceeds 63 bits"));
                }
                self.announce(size, trace);
            }
            b't' => {
                let fields = field(rest).and_then(|(ip, r)| Some((ip, field(r)?.0)));
                let (ip, parent) = fields.ok_or_else(|| broken("t"))?;
                let parent = self.trace(parent, place)?;
                let pointer = if self.raw {
                    self.modules.resolve(ip, symbols, &mut self.pointers)
                } else {
                    match u32::try_from(ip) {
                        Ok(i) if (i as usize) < self.pointers.len() => i,
                        _ => return Err(damaged(place, format!("no instruction pointer {ip:x}"))),
                    }
                };
                self.traces.push((pointer, parent));
            }
            b'i' => self.pointer(rest, symbols, place)?,
            b's' => {
                let text = self.sized(rest).ok_or_else(|| broken("s"))?.0;
                let id = symbols.strings.intern_bytes(text);
                self.strings.push(id);
            }
            b'c' => {
                let (millis, _) = field(rest).ok_or_else(|| broken("c"))?;
                match self.stop {
                    Stop::Time(at) if millis > at => self.stopped = true,
                    Stop::EveryMillis(_) => self.pause = millis >= self.next_pause,
                    _ => {}
                }
                self.millis = self.millis.max(millis);
            }
            b'R' => {}
            b'v' => self.version(rest, place)?,
            b'X' => {
                self.command.get_or_insert_with(|| lossy(rest));
            }
            b'x' => {
                self.raw = true;
                let (name, _) = self.sized(rest).ok_or_else(|| broken("x"))?;
                self.modules.executable = symbols.strings.intern_bytes(name);
            }
            b'm' => self.module(rest, symbols).ok_or_else(|| broken("m"))?,
            b'I' => self.own_writer = true,
            b'A' if rest.is_empty() => self.attach(),
            b'S' => self.suppressions += 1,
            b'#' => self.end_mark |= rest.starts_with(b"ips: "),
            _ => self.unknown_records += 1,
        }
        Ok(())
    }

    /// Text of which version 3 says the length, and what follows it.
    fn sized<'l>(&self, rest: &'l [u8]) -> Option<(&'l [u8], &'l [u8])> {
        if self.version < 3 {
            return Some((rest, &[]));
        }
        let (length, rest) = field(rest)?;
        rest.split_at_checked(usize::try_from(length).ok()?)
    }

    fn version(&mut self, rest: &[u8], place: u64) -> Result<()> {
        let wrong = || damaged(place, "a version that cannot be read");
        let (tool, rest) = field(rest).ok_or_else(wrong)?;
        let file = if rest.is_empty() {
            1
        } else {
            field(rest).ok_or_else(wrong)?.0
        };
        if file > 3 {
            return Err(Error::new(
                Code::Unsupported,
                format!("heaptrack format {file} is newer than the latest known, 3"),
            )
            .at(crate::error::Place::Byte(place))
            .help("record with heaptrack 1.6 or older, or update heapdiff"));
        }
        self.version = file as u32;
        self.modules.behind_call = u64::from(file < 3);
        self.producer = Some(format!(
            "heaptrack {}.{}.{}",
            tool >> 16,
            tool >> 8 & 0xff,
            tool & 0xff
        ));
        Ok(())
    }

    fn trace(&self, index: u64, place: u64) -> Result<u32> {
        // A trace refers to earlier ones only, so that no chain of parents is a loop.
        if index < self.traces.len() as u64 {
            Ok(index as u32)
        } else {
            Err(damaged(place, format!("no trace {index:x} so far")))
        }
    }

    fn announce(&mut self, size: u64, trace: u32) -> u32 {
        self.blocks.push(Block {
            size,
            trace,
            live: 0,
            at_peak: 0,
            epoch: 0,
            allocated: 0,
            temporary: 0,
        });
        (self.blocks.len() - 1) as u32
    }

    fn pointer(&mut self, rest: &[u8], symbols: &mut Symbols, place: u64) -> Result<()> {
        let wrong = || damaged(place, "an instruction pointer that cannot be read");
        let (address, rest) = field(rest).ok_or_else(wrong)?;
        let (module, mut rest) = field(rest).ok_or_else(wrong)?;
        let strings = &self.strings;
        let text = |index: u64| {
            let known = usize::try_from(index).ok().and_then(|i| strings.get(i));
            known
                .copied()
                .ok_or_else(|| damaged(place, format!("no string {index:x} so far")))
        };
        let module = text(module)?;
        let mut count = 0;
        while !rest.is_empty() {
            let (function, r) = field(rest).ok_or_else(wrong)?;
            let (file, r) = if r.is_empty() {
                (0, r)
            } else {
                field(r).ok_or_else(wrong)?
            };
            let (line, r) = if r.is_empty() {
                (0, r)
            } else {
                field(r).ok_or_else(wrong)?
            };
            rest = r;
            let (function, file) = (text(function)?, text(file)?);
            let frame = if function.is_empty() {
                self.nameless += 1;
                in_page(symbols, module, address)
            } else {
                Frame {
                    function,
                    file,
                    module,
                    line: u32::try_from(line).unwrap_or(0),
                    column: 0,
                    // The last of a chain is the function that holds the code.
                    inlined: !rest.is_empty(),
                }
            };
            self.pointers.push(symbols.frames.intern(frame));
            count += 1;
        }
        if count == 0 {
            self.nameless += 1;
            let frame = in_page(symbols, module, address);
            self.pointers.push(symbols.frames.intern(frame));
        }
        self.pointers.end();
        Ok(())
    }

    /// Loaded parts of a module: `NAME START (OFFSET SIZE)*`, all hexadecimal.
    fn module(&mut self, rest: &[u8], symbols: &mut Symbols) -> Option<()> {
        self.raw = true;
        let (name, rest) = if self.version < 3 {
            let n = rest.iter().position(|&b| b == b' ').unwrap_or(rest.len());
            rest.split_at(n)
        } else {
            self.sized(rest)?
        };
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        if name == b"-" {
            self.modules.clear();
            return Some(());
        }
        let path = if name == b"x" {
            self.modules.executable
        } else {
            symbols.strings.intern_bytes(name)
        };
        let (base, mut rest) = field(rest)?;
        while !rest.is_empty() {
            let (start, r) = field(rest)?;
            let (size, r) = field(r)?;
            rest = r;
            self.modules.add(base.checked_add(start)?, size, base, path);
        }
        Some(())
    }

    /// `+ SIZE TRACE POINTER` and `- POINTER` of raw and of the oldest recordings.
    fn by_pointer(
        &mut self,
        sign: u8,
        rest: &[u8],
        _symbols: &mut Symbols,
        place: u64,
    ) -> Result<()> {
        let wrong = || damaged(place, "an allocation that cannot be read");
        let (first, rest) = field(rest).ok_or_else(wrong)?;
        if sign == b'-' {
            // Blocks from before the recording, and frees of nothing.
            let Some(index) = self.held.remove(&first) else {
                return Ok(());
            };
            if self.last_pointer != first {
                self.last = NONE;
            }
            return self.free(index, place);
        }
        let (trace, rest) = field(rest).ok_or_else(wrong)?;
        let (pointer, _) = field(rest).ok_or_else(wrong)?;
        let trace = self.trace(trace, place)?;
        if first > i64::MAX as u64 {
            return Err(damaged(place, "a size that exceeds 63 bits"));
        }
        let index = match self.block_of.get(&(first, trace)) {
            Some(&known) => known,
            None => {
                let index = self.announce(first, trace);
                self.block_of.insert((first, trace), index);
                index
            }
        };
        if let Some(before) = self.held.insert(pointer, index) {
            // The address is given out again: its free was missed.
            self.last = NONE;
            self.free(before, place)?;
        }
        self.last_pointer = pointer;
        self.allocate(index, place)
    }
}
