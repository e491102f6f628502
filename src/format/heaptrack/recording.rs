//! The state of a recording while its records are read.

use super::super::lines::{DIGIT, hexadecimal, lossy};
use super::super::native::in_page;
use super::names::{Modules, Pointers};
use crate::error::{Code, Error, Result};
use crate::model::{
    Exactness, Frame, FrameId, Meta, Metric, Moment, Profile, ProfileBuilder, StackId, StrId,
    Symbols,
};
use rustc_hash::FxHashMap;

/// Where reading stops, or pauses for a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nowhere before the end.
    End,
    /// After so many allocations and frees.
    Event(u64),
    /// Before the first time stamp beyond so many milliseconds.
    Time(u64),
    /// A pause every so many milliseconds.
    EveryMillis(u64),
    /// A pause every so many allocated bytes.
    EveryBytes(u64),
}

/// One distinct pair of size and trace.
///
/// The count at the peak is kept without copying anything when a new peak is reached: `at_peak`
/// holds for peak number `epoch`; a block untouched since the latest peak still has its count.
#[derive(Debug, Clone, Copy)]
struct Block {
    size: u64,
    trace: u32,
    live: i32,
    at_peak: i32,
    epoch: u32,
    allocated: u32,
    temporary: u32,
}

/// The most frames of one stack; heaptrack itself keeps 64 addresses.
const DEEPEST: usize = 1024;
/// A trace tree can stand for stacks of any total length: so many frames for each byte read.
const FRAMES_A_BYTE: u64 = 8;
const FRAMES_FREE: u64 = 4 << 20;
const NONE: u32 = u32::MAX;

/// A recording as far as it was read.
#[derive(Debug)]
pub(super) struct Recording {
    stop: Stop,
    stopped: bool,
    /// The next time stamp or sum of bytes that pauses.
    next_pause: u64,
    pause: bool,
    stop_event: u64,

    version: u32,
    producer: Option<String>,
    command: Option<String>,
    raw: bool,
    attached: bool,
    own_writer: bool,
    end_mark: bool,
    strings: Vec<StrId>,
    pointers: Pointers,
    modules: Modules,
    traces: Vec<(u32, u32)>,
    stacks: FxHashMap<u32, StackId>,
    frames_made: u64,
    bytes_read: u64,

    blocks: Vec<Block>,
    block_of: FxHashMap<(u64, u32), u32>,
    held: FxHashMap<u64, u32>,
    last: u32,
    last_pointer: u64,

    events: u64,
    live: i64,
    allocated: i64,
    peak: i64,
    peak_epoch: u32,
    peak_event: u64,
    peak_millis: u64,
    millis: u64,

    unknown_records: u64,
    nameless: u64,
    unmatched_frees: u64,
    suppressions: u64,
    cut_stacks: u64,
}

fn damaged(at: u64, what: impl Into<String>) -> Error {
    Error::damaged(at, what)
}

/// One field of hexadecimal digits, and the rest behind one blank.
fn field(text: &[u8]) -> Option<(u64, &[u8])> {
    let (value, rest) = hexadecimal(text)?;
    match rest.split_first() {
        None => Some((value, rest)),
        Some((b' ', rest)) => Some((value, rest)),
        Some(_) => None,
    }
}

impl Recording {
    pub fn new(stop: Stop) -> Self {
        Recording {
            stop,
            stopped: stop == Stop::Event(0),
            next_pause: match stop {
                Stop::Time(n) | Stop::EveryMillis(n) | Stop::EveryBytes(n) => n,
                Stop::End | Stop::Event(_) => u64::MAX,
            },
            pause: false,
            stop_event: match stop {
                Stop::Event(n) => n,
                _ => u64::MAX,
            },
            version: 0,
            producer: None,
            command: None,
            raw: false,
            attached: false,
            own_writer: false,
            end_mark: false,
            strings: vec![StrId::EMPTY],
            pointers: Pointers::new(),
            modules: Modules::new(),
            traces: vec![(0, 0)],
            stacks: FxHashMap::default(),
            frames_made: 0,
            bytes_read: 0,
            blocks: Vec::new(),
            block_of: FxHashMap::default(),
            held: FxHashMap::default(),
            last: NONE,
            last_pointer: 0,
            events: 0,
            live: 0,
            allocated: 0,
            peak: 0,
            peak_epoch: 0,
            peak_event: 0,
            peak_millis: 0,
            millis: 0,
            unknown_records: 0,
            nameless: 0,
            unmatched_frees: 0,
            suppressions: 0,
            cut_stacks: 0,
        }
    }

    /// Whether the moment asked for was reached.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Whether there was any record of heaptrack's.
    pub fn begun(&self) -> bool {
        self.version > 0 || self.traces.len() > 1
    }

    /// Whether nothing says that the end is missing. Only heaptrack's interpreter writes an end
    /// mark, and only heaptrack writes the record `I`.
    pub fn complete(&self) -> bool {
        self.raw || !self.own_writer || self.end_mark
    }

    /// Seconds at the last time stamp.
    pub fn seconds(&self) -> f64 {
        self.millis as f64 / 1e3
    }

    /// Bytes allocated so far.
    pub fn allocated(&self) -> i64 {
        self.allocated
    }

    /// Number of allocations and frees up to the peak, its allocation included.
    pub fn peak_event(&self) -> u64 {
        self.peak_event
    }

    /// The next moment of a series that was passed.
    pub fn due(&mut self) -> Option<Moment> {
        if !self.pause {
            return None;
        }
        let (now, step) = match self.stop {
            Stop::EveryMillis(step) => (self.millis, step),
            Stop::EveryBytes(step) => (self.allocated as u64, step),
            _ => return None,
        };
        let at = self.next_pause;
        self.next_pause = at.saturating_add(step);
        self.pause = self.next_pause <= now;
        Some(match self.stop {
            Stop::EveryMillis(_) => Moment {
                label: format!("{} s", at as f64 / 1e3),
                seconds: Some(at as f64 / 1e3),
            },
            _ => Moment {
                label: format!("{at} bytes allocated"),
                seconds: Some(self.seconds()),
            },
        })
    }

    /// Reads records of `lines` from `at` on, until its end or a pause; returns where it stopped.
    /// `lines` are whole lines, `offset` is where they begin in the stream.
    pub fn feed(
        &mut self,
        lines: &[u8],
        mut at: usize,
        offset: u64,
        symbols: &mut Symbols,
    ) -> Result<usize> {
        while at < lines.len() && !self.pause && !self.stopped {
            let sign = lines[at];
            if (sign == b'+' || sign == b'-') && !self.raw && self.version != 0 {
                let mut i = at + 2;
                let mut index: u64 = 0;
                while let Some(&b) = lines.get(i) {
                    let digit = DIGIT[b as usize];
                    if digit == 0xff {
                        break;
                    }
                    index = index << 4 | u64::from(digit);
                    i += 1;
                }
                let plain = i > at + 2 && i <= at + 10 && lines.get(i) == Some(&b'\n');
                if !plain || lines[at + 1] != b' ' {
                    let place = offset + at as u64;
                    return Err(damaged(place, "an allocation record without an index"));
                }
                let place = offset + at as u64;
                if sign == b'+' {
                    self.allocate(index as u32, place)?;
                } else {
                    self.free(index as u32, place)?;
                }
                at = i + 1;
                continue;
            }
            let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |n| at + n);
            let line = &lines[at..end];
            self.record(
                line.strip_suffix(b"\r").unwrap_or(line),
                offset + at as u64,
                symbols,
            )?;
            at = end + 1;
        }
        self.bytes_read = offset + at as u64;
        Ok(at.min(lines.len()))
    }

    #[inline(always)]
    fn allocate(&mut self, index: u32, place: u64) -> Result<()> {
        let Some(block) = self.blocks.get_mut(index as usize) else {
            return Err(damaged(
                place,
                format!("allocation {index:x} was not announced"),
            ));
        };
        if block.epoch != self.peak_epoch {
            block.at_peak = block.live;
            block.epoch = self.peak_epoch;
        }
        let size = i64::try_from(block.size).ok();
        let sums = size.and_then(|size| {
            block.live = block.live.checked_add(1)?;
            block.allocated = block.allocated.checked_add(1)?;
            self.allocated = self.allocated.checked_add(size)?;
            self.live = self.live.checked_add(size)?;
            Some(())
        });
        if sums.is_none() {
            return Err(damaged(place, "the sizes add up to more than 64 bits hold"));
        }
        self.last = index;
        self.events += 1;
        if self.live > self.peak {
            self.peak = self.live;
            self.peak_epoch = self.peak_epoch.wrapping_add(1);
            self.peak_event = self.events;
            self.peak_millis = self.millis;
        }
        self.stopped |= self.events == self.stop_event;
        if let Stop::EveryBytes(_) = self.stop {
            self.pause = self.allocated as u64 >= self.next_pause;
        }
        Ok(())
    }

    #[inline(always)]
    fn free(&mut self, index: u32, place: u64) -> Result<()> {
        let Some(block) = self.blocks.get_mut(index as usize) else {
            return Err(damaged(
                place,
                format!("allocation {index:x} was not announced"),
            ));
        };
        if block.epoch != self.peak_epoch {
            block.at_peak = block.live;
            block.epoch = self.peak_epoch;
        }
        let size = block.size as i64;
        block.live = block.live.saturating_sub(1);
        self.unmatched_frees += u64::from(block.live < 0);
        // Sizes were checked when the block was allocated; a free without that may go below.
        self.live = self.live.saturating_sub(size);
        // Only the block allocated just before: an index of 0 means nothing else here, unlike
        // in heaptrack_print, which takes 0 for "none" as well as for the first block.
        if self.last == index {
            block.temporary = block.temporary.saturating_add(1);
        }
        self.last = NONE;
        self.events += 1;
        self.stopped |= self.events == self.stop_event;
        Ok(())
    }

    fn record(&mut self, line: &[u8], place: u64, symbols: &mut Symbols) -> Result<()> {
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

    /// heaptrack was attached to a running program: counting starts here.
    fn attach(&mut self) {
        self.attached = true;
        self.held.clear();
        for block in &mut self.blocks {
            block.live = 0;
            block.at_peak = 0;
            block.epoch = 0;
            block.allocated = 0;
            block.temporary = 0;
        }
        (self.live, self.allocated, self.peak) = (0, 0, 0);
        (self.peak_epoch, self.peak_event, self.peak_millis) = (0, 0, 0);
        self.last = NONE;
    }

    /// The capture of this moment. Cost: linear in distinct blocks and in new stacks.
    ///
    /// Errors: stacks that add up to far more frames than the recording has bytes.
    pub fn profile(&mut self, symbols: &mut Symbols, moment: Moment) -> Result<Profile> {
        let metrics = [
            "live_bytes",
            "live_blocks",
            "peak_bytes",
            "peak_blocks",
            "total_bytes",
            "total_blocks",
            "temporary_blocks",
        ];
        let mut builder = ProfileBuilder::new(metrics.map(Metric::known).to_vec());

        let mut scratch = Vec::new();
        for i in 0..self.blocks.len() {
            let block = self.blocks[i];
            if block.allocated == 0 && block.live == 0 {
                continue;
            }
            let at_peak = if block.epoch == self.peak_epoch {
                block.at_peak
            } else {
                block.live
            };
            let stack = self.stack(block.trace, symbols, &mut scratch)?;
            let size = block.size as i64;
            let times = |count: i64| {
                size.checked_mul(count)
                    .ok_or_else(|| damaged(self.bytes_read, "a size that exceeds 64 bits"))
            };
            let (live, peak) = (i64::from(block.live), i64::from(at_peak));
            let allocated = i64::from(block.allocated);
            builder.add(
                stack,
                &[
                    times(live)?,
                    live,
                    times(peak)?,
                    peak,
                    times(allocated)?,
                    allocated,
                    i64::from(block.temporary),
                ],
            )?;
        }
        Ok(builder.finish(self.meta(moment)))
    }

    fn stack(
        &mut self,
        trace: u32,
        symbols: &mut Symbols,
        scratch: &mut Vec<FrameId>,
    ) -> Result<StackId> {
        if let Some(&known) = self.stacks.get(&trace) {
            return Ok(known);
        }
        scratch.clear();
        let mut at = trace;
        while at != 0 {
            let Some(&(pointer, parent)) = self.traces.get(at as usize) else {
                break;
            };
            scratch.extend_from_slice(self.pointers.get(pointer));
            if scratch.len() >= DEEPEST {
                scratch.truncate(DEEPEST);
                self.cut_stacks += 1;
                break;
            }
            at = parent;
        }
        self.frames_made += scratch.len() as u64;
        if self.frames_made > FRAMES_FREE + FRAMES_A_BYTE * self.bytes_read {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("the stacks hold more than {} frames", self.frames_made),
            )
            .help("the file is damaged: capture it again"));
        }
        let stack = symbols.stacks.intern_leaf_first(scratch);
        self.stacks.insert(trace, stack);
        Ok(stack)
    }

    fn meta(&self, moment: Moment) -> Meta {
        let mut notes = Vec::new();
        let mut note = |n: u64, text: &str| {
            if n > 0 {
                notes.push(format!("{n} {text}"));
            }
        };
        note(self.unknown_records, "records of unknown kinds left out");
        note(self.unmatched_frees, "frees without an allocation");
        note(
            self.suppressions,
            "suppressions lie in the recording and are not applied: heaptrack_print leaves out what they match",
        );
        note(
            self.nameless,
            "addresses without a symbol, told apart by the last three digits of the address",
        );
        note(self.cut_stacks, "stacks cut to their innermost 1024 frames");
        if self.attached {
            notes.push(
                "heaptrack was attached to a running program: blocks from before are not counted"
                    .into(),
            );
        }
        if self.raw {
            notes.push("a raw recording: heaptrack looks up no names in it".into());
        }
        Meta {
            producer: self.producer.clone(),
            command: self.command.clone(),
            exactness: Exactness::Exact,
            moment: Some(moment),
            peak_moment: Some(Moment {
                label: "the peak".into(),
                seconds: Some(self.peak_millis as f64 / 1e3),
            }),
            notes,
            ..Meta::default()
        }
    }
}
