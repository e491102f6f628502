//! The state of a recording while its records are read.

mod records;
mod result;

use super::super::lines::{DIGIT, hexadecimal};
use super::names::{Modules, Pointers};
use crate::error::{Error, Result};
use crate::model::{Moment, StackId, StrId, Symbols};
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
}
