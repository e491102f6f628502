//! Native stacks of recordings made with `--native`, and the modules that they lie in.
//!
//! memray records addresses, and names them when a report is made. Which native frame runs the
//! interpreter is known by its name alone, so that the Python frames cannot be laid between the
//! native ones without it. What is kept is the part that Python's own stack lacks: the native
//! frames from the last call out of the interpreter to the allocation.

use super::events::unknown;
use super::stream::Stream;
use crate::error::Result;
use crate::format::lines::base_name;
use crate::format::native::{at_address, at_offset};
use crate::model::{CodePlace, Counted, FrameId, StrId, Symbols};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// memray itself keeps 128 frames of a native stack.
const DEEPEST: usize = 1024;

/// Where a module was loaded: by start, the end, the address that 0 in the file has, the path.
type Segments = BTreeMap<u64, (u64, u64, StrId)>;

/// Native stacks as a tree, and the modules at each time that they changed.
#[derive(Debug, Default)]
pub struct Natives {
    /// Return address and caller of each node; nodes count from 1.
    nodes: Vec<(u64, u64)>,
    generations: Vec<Segments>,
    /// Path and load address that the segments which follow are of.
    module: (StrId, u64),
    modules: FxHashMap<StrId, bool>,
    frames: FxHashMap<(u64, u64), (FrameId, Kind)>,
    last_address: u64,
}

/// Whose code a native frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Interpreter,
    Other,
}

impl Natives {
    /// Reads a record of kind 5 to 8; `last` is the number that native stacks are given as
    /// differences to, `old` the layout of versions 10 and 11.
    pub fn read(
        &mut self,
        s: &mut Stream<'_>,
        kind: u8,
        last: &mut u64,
        symbols: &mut Symbols,
    ) -> Result<()> {
        match kind {
            5 => {
                let address = s.delta(&mut self.last_address)?;
                let caller = s.delta(last)?;
                if caller > self.nodes.len() as u64 {
                    return Err(unknown("native caller", caller));
                }
                self.nodes.push((address, caller));
            }
            6 => self.generations.push(Segments::new()),
            7 => {
                let path = symbols.strings.intern_bytes(s.text()?);
                s.varint()?;
                self.module = (path, s.u64()?);
            }
            _ => {
                let (start, size) = (s.u64()?, s.varint()?);
                let (path, base) = self.module;
                let start = base.wrapping_add(start);
                let end = start.saturating_add(size);
                if let Some(now) = self.generations.last_mut()
                    && end > start
                {
                    now.insert(start, (end, base, path));
                }
            }
        }
        Ok(())
    }

    /// The number of times that the modules changed so far.
    pub fn generation(&self) -> u64 {
        self.generations.len() as u64
    }

    /// The native frames of a stack below the interpreter, outermost first, into `out`. `stack`
    /// 0 is none; `generation` counts from 1.
    ///
    /// Errors: a stack that was not recorded.
    pub fn frames(
        &mut self,
        stack: u64,
        generation: u64,
        symbols: &mut Symbols,
        out: &mut Vec<FrameId>,
    ) -> Result<()> {
        out.clear();
        let mut at = stack;
        while at != 0 && out.len() < DEEPEST {
            let node = usize::try_from(at - 1).ok().and_then(|i| self.nodes.get(i));
            let Some(&(address, caller)) = node else {
                return Err(unknown("native stack", at));
            };
            let (frame, kind) = self.frame(address, generation, symbols);
            if kind == Kind::Interpreter {
                break;
            }
            out.push(frame);
            // Callers come first, so that there is no loop.
            at = if caller < at { caller } else { 0 };
        }
        out.reverse();
        Ok(())
    }

    fn frame(&mut self, address: u64, generation: u64, symbols: &mut Symbols) -> (FrameId, Kind) {
        if let Some(&known) = self.frames.get(&(generation, address)) {
            return known;
        }
        // Stacks hold the address behind the call.
        let call = address.saturating_sub(1);
        let index = usize::try_from(generation).unwrap_or(0).checked_sub(1);
        let segments = index.and_then(|i| self.generations.get(i));
        let part = segments.and_then(|s| s.range(..=call).next_back());
        let (frame, kind) = match part.filter(|(_, part)| call < part.0) {
            Some((_, &(_, base, module))) if !module.is_empty() => {
                let place = CodePlace {
                    module,
                    build: StrId::EMPTY,
                    counted: Counted::Image,
                    offset: call.wrapping_sub(base),
                };
                let runs = self.modules.entry(module).or_insert_with(|| {
                    let name = base_name(symbols.strings.get(module));
                    name.starts_with("python") || name.starts_with("libpython")
                });
                let kind = if *runs {
                    Kind::Interpreter
                } else {
                    Kind::Other
                };
                (at_offset(symbols, place), kind)
            }
            _ => (at_address(symbols, address), Kind::Other),
        };
        let frame = symbols.frames.intern(frame);
        self.frames.insert((generation, address), (frame, kind));
        (frame, kind)
    }
}
