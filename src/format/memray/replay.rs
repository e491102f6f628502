//! What the events of a recording add up to: who holds what, now and at the peak.

use super::natives::Natives;
use crate::error::{Code, Error, Result};
use crate::format::tree::{ROOT, Tree};
use crate::model::{FrameId, Metric, Moment, Profile, ProfileBuilder, Symbols};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Frames that one thread may have at a time.
const MOST_FRAMES: usize = 1 << 20;
const NONE: u32 = u32::MAX;

/// Where to stop or pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// At the end.
    End,
    /// After so many allocations and frees.
    Event(u64),
    /// After so many milliseconds.
    Time(u64),
    /// A pause at every so many milliseconds.
    EveryMillis(u64),
    /// A pause at every so many bytes allocated.
    EveryBytes(u64),
}

/// What one stack allocated.
#[derive(Debug, Clone, Copy, Default)]
struct Site {
    node: u32,
    bytes: i64,
    blocks: i64,
    peak_bytes: i64,
    peak_blocks: i64,
    /// The peak that the two above are of, if it is not the last.
    epoch: u64,
    total_bytes: i64,
    total_blocks: i64,
    temporary: i64,
}

#[derive(Debug)]
struct Thread {
    id: u64,
    stack: Vec<u32>,
    /// Address and site of the last two allocations.
    recent: [(u64, u32); 2],
}

/// The state of the program as the events leave it.
///
/// The values at the peak cost nothing until a site changes: a site that was not touched since
/// the last peak still has its values of that moment.
#[derive(Debug)]
pub struct Replay {
    /// The stacks.
    pub tree: Tree,
    /// The frame below the stack of an arena, where the allocator takes small objects from arenas.
    arena: Option<FrameId>,
    /// By Python stack, native stack and modules: the two stacks as one.
    joined: FxHashMap<(u32, u64, u64), u32>,
    /// The stack of the next allocation, if a native one was given with it.
    next_node: Option<u32>,
    scratch: Vec<FrameId>,
    site_of_node: Vec<u32>,
    sites: Vec<Site>,
    threads: Vec<Thread>,
    thread_of_id: FxHashMap<u64, u32>,
    thread: Option<u32>,
    main_thread: u64,
    skipped: usize,
    blocks: FxHashMap<u64, (u64, u32)>,
    ranges: BTreeMap<u64, (u64, u32)>,
    live: i64,
    peak: i64,
    epoch: u64,
    peak_event: u64,
    peak_millis: u64,
    allocated: u64,
    events: u64,
    millis: u64,
    stop: Stop,
    next_pause: u64,
    pause: bool,
    stopped: bool,
}

/// What CPython's allocator of small objects takes from the system at once: 256 KiB, from 3.10 on
/// 1 MiB (Objects/obmalloc.c, ARENA_BITS).
pub const ARENA_SIZES: [u64; 2] = [256 << 10, 1 << 20];

fn damaged(what: &str) -> Error {
    Error::new(Code::Damaged, what).help("the file is damaged: capture it again")
}

impl Replay {
    /// An empty heap. The outermost `skipped` frames of `main_thread` are left out.
    pub fn new(stop: Stop, main_thread: u64, skipped: u64) -> Replay {
        let next_pause = match stop {
            Stop::EveryMillis(step) | Stop::EveryBytes(step) => step,
            _ => u64::MAX,
        };
        Replay {
            tree: Tree::new(),
            arena: None,
            joined: FxHashMap::default(),
            next_node: None,
            scratch: Vec::new(),
            site_of_node: Vec::new(),
            sites: Vec::new(),
            threads: Vec::new(),
            thread_of_id: FxHashMap::default(),
            thread: None,
            main_thread,
            skipped: skipped as usize,
            blocks: FxHashMap::default(),
            ranges: BTreeMap::new(),
            live: 0,
            peak: 0,
            epoch: 0,
            peak_event: 0,
            peak_millis: 0,
            allocated: 0,
            events: 0,
            millis: 0,
            stop,
            next_pause,
            pause: false,
            stopped: stop == Stop::Event(0),
        }
    }

    /// Puts what is taken as an arena below `frame`.
    pub fn set_arena(&mut self, frame: FrameId) {
        self.arena = Some(frame);
    }

    /// Whether the moment asked for was reached.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Whether a moment of a series was reached.
    pub fn paused(&self) -> bool {
        self.pause
    }

    /// Seconds at the last time stamp.
    pub fn seconds(&self) -> f64 {
        self.millis as f64 / 1e3
    }

    /// Bytes allocated so far.
    pub fn allocated(&self) -> u64 {
        self.allocated
    }

    /// Number of allocations and frees up to the peak.
    pub fn peak_event(&self) -> u64 {
        self.peak_event
    }

    /// Seconds at the last time stamp before the peak.
    pub fn peak_seconds(&self) -> f64 {
        self.peak_millis as f64 / 1e3
    }

    /// The next moment of a series that was passed.
    pub fn due(&mut self) -> Option<Moment> {
        if !self.pause {
            return None;
        }
        let (now, step) = match self.stop {
            Stop::EveryMillis(step) => (self.millis, step),
            Stop::EveryBytes(step) => (self.allocated, step),
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

    /// A time stamp, in milliseconds since the start.
    pub fn time(&mut self, millis: u64) {
        match self.stop {
            // What is held now is what was held then: nothing happened in between.
            Stop::Time(wanted) if millis > wanted => {
                self.stopped = true;
                return;
            }
            Stop::EveryMillis(_) => self.pause = millis >= self.next_pause,
            _ => {}
        }
        self.millis = self.millis.max(millis);
    }

    /// What follows is of another thread.
    pub fn switch(&mut self, id: u64) {
        let next = self.threads.len() as u32;
        let thread = *self.thread_of_id.entry(id).or_insert(next);
        if thread == next {
            self.threads.push(Thread {
                id,
                stack: Vec::new(),
                recent: [(0, NONE); 2],
            });
        }
        self.thread = Some(thread);
    }

    fn current(&mut self) -> Result<&mut Thread> {
        let thread = self.thread.and_then(|i| self.threads.get_mut(i as usize));
        thread.ok_or_else(|| damaged("a record before the first thread is named"))
    }

    /// The current thread calls `frame`.
    pub fn push(&mut self, frame: FrameId) -> Result<()> {
        let (main, skipped) = (self.main_thread, self.skipped);
        let thread = self.current()?;
        let depth = thread.stack.len();
        if depth == MOST_FRAMES {
            return Err(damaged("a stack of more than 2^20 frames"));
        }
        let hidden = thread.id == main && depth < skipped;
        let parent = thread.stack.last().copied().unwrap_or(ROOT);
        let node = if hidden {
            ROOT
        } else {
            self.tree.child(parent, frame)
        };
        self.current()?.stack.push(node);
        Ok(())
    }

    /// The current thread returns from `n` frames.
    pub fn pop(&mut self, n: usize) -> Result<()> {
        let stack = &mut self.current()?.stack;
        match stack.len().checked_sub(n) {
            Some(left) => stack.truncate(left),
            None => return Err(damaged("a return from more frames than were called")),
        }
        Ok(())
    }

    fn site(&mut self, node: u32) -> u32 {
        let i = node as usize;
        if i >= self.site_of_node.len() {
            self.site_of_node.resize(self.tree.len().max(i + 1), NONE);
        }
        if self.site_of_node[i] == NONE {
            self.site_of_node[i] = self.sites.len() as u32;
            self.sites.push(Site {
                node,
                epoch: self.epoch,
                ..Site::default()
            });
        }
        self.site_of_node[i]
    }

    /// A site now holds so much more.
    fn change(&mut self, site: u32, bytes: i64, blocks: i64) -> Result<()> {
        let site = &mut self.sites[site as usize];
        if site.epoch != self.epoch {
            site.epoch = self.epoch;
            site.peak_bytes = site.bytes;
            site.peak_blocks = site.blocks;
        }
        let sums = site
            .bytes
            .checked_add(bytes)
            .zip(self.live.checked_add(bytes));
        let (held, live) = sums.ok_or_else(|| damaged("more than 2^63 bytes held"))?;
        site.bytes = held;
        site.blocks += blocks;
        self.live = live;
        Ok(())
    }

    /// After an allocation or free: is this the peak, or the end?
    fn event(&mut self) {
        self.events += 1;
        if self.live >= self.peak {
            self.peak = self.live;
            self.epoch += 1;
            self.peak_event = self.events;
            self.peak_millis = self.millis;
        }
        match self.stop {
            Stop::Event(wanted) => self.stopped = self.events >= wanted,
            Stop::EveryBytes(_) => self.pause = self.allocated >= self.next_pause,
            _ => {}
        }
    }

    /// The next allocation has a native stack; 0 is none.
    pub fn native(
        &mut self,
        stack: u64,
        natives: &mut Natives,
        symbols: &mut Symbols,
    ) -> Result<()> {
        if stack == 0 {
            return Ok(());
        }
        let python = self.current()?.stack.last().copied().unwrap_or(ROOT);
        let generation = natives.generation();
        let key = (python, stack, generation);
        let node = match self.joined.get(&key) {
            Some(&node) => node,
            None => {
                natives.frames(stack, generation, symbols, &mut self.scratch)?;
                let node = self.tree.below(python, &self.scratch);
                self.joined.insert(key, node);
                node
            }
        };
        self.next_node = Some(node);
        Ok(())
    }

    /// The current thread allocates; with `range` by pages, which may be returned in parts.
    pub fn allocate(&mut self, address: u64, size: u64, range: bool) -> Result<()> {
        let joined = self.next_node.take();
        let thread = self.current()?;
        let python = thread.stack.last().copied().unwrap_or(ROOT);
        let mut node = joined.unwrap_or(python);
        if let Some(frame) = self.arena.filter(|_| range && ARENA_SIZES.contains(&size)) {
            node = self.tree.child(node, frame);
        }
        let site = self.site(node);
        let thread = self.current()?;
        thread.recent = [(address, site), thread.recent[0]];
        let bytes = match i64::try_from(size) {
            Ok(bytes) if bytes < 1 << 56 => bytes,
            _ => return Err(damaged("a block of more than 2^56 bytes")),
        };
        if range {
            let end = address.saturating_add(size);
            if size > 0 {
                self.release_range(address, end)?;
                self.ranges.insert(address, (end, site));
            }
        } else if let Some((size, old)) = self.blocks.insert(address, (size, site)) {
            self.change(old, -(size as i64), -1)?;
        }
        self.change(site, bytes, 1)?;
        let total = &mut self.sites[site as usize];
        total.total_blocks += 1;
        let sum = total.total_bytes.checked_add(bytes);
        total.total_bytes = sum.ok_or_else(|| damaged("more than 2^63 bytes allocated"))?;
        self.allocated = self.allocated.saturating_add(size);
        self.event();
        Ok(())
    }

    /// The current thread frees a block; one that was allocated before the start is not known.
    pub fn free(&mut self, address: u64) -> Result<()> {
        self.forget_recent(address)?;
        if let Some((size, site)) = self.blocks.remove(&address) {
            self.change(site, -(size as i64), -1)?;
        }
        self.event();
        Ok(())
    }

    /// The current thread returns pages.
    pub fn unmap(&mut self, address: u64, size: u64) -> Result<()> {
        self.forget_recent(address)?;
        self.release_range(address, address.saturating_add(size))?;
        self.event();
        Ok(())
    }

    /// A free of one of this thread's last two allocations makes that a temporary one.
    fn forget_recent(&mut self, address: u64) -> Result<()> {
        let thread = self.current()?;
        let found = thread
            .recent
            .iter()
            .position(|&(a, s)| a == address && s != NONE);
        if let Some(i) = found {
            let site = thread.recent[i].1;
            thread.recent[i].1 = NONE;
            self.sites[site as usize].temporary += 1;
        }
        Ok(())
    }

    /// Takes `from..to` out of the ranges; a range may lose an end or be split in two.
    fn release_range(&mut self, from: u64, to: u64) -> Result<()> {
        loop {
            let before = self.ranges.range(..to).next_back();
            let Some((&start, &(end, site))) = before.filter(|(_, (end, _))| *end > from) else {
                return Ok(());
            };
            self.ranges.remove(&start);
            let mut pieces = 0;
            if start < from {
                self.ranges.insert(start, (from, site));
                pieces += 1;
            }
            if end > to {
                self.ranges.insert(to, (end, site));
                pieces += 1;
            }
            let gone = end.min(to) - start.max(from);
            self.change(site, -(gone as i64), pieces - 1)?;
        }
    }

    /// The capture of this moment, without what the header says. Cost: linear in sites.
    pub fn profile(&mut self, symbols: &mut Symbols, bytes_read: u64) -> Result<Profile> {
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
        for s in &self.sites {
            let (peak_bytes, peak_blocks) = if s.epoch == self.epoch {
                (s.peak_bytes, s.peak_blocks)
            } else {
                (s.bytes, s.blocks)
            };
            let stack = self.tree.stack(s.node, bytes_read, symbols, &mut scratch)?;
            builder.add(
                stack,
                &[
                    s.bytes,
                    s.blocks,
                    peak_bytes,
                    peak_blocks,
                    s.total_bytes,
                    s.total_blocks,
                    s.temporary,
                ],
            )?;
        }
        Ok(builder.finish(Default::default()))
    }
}
