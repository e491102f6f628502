//! Locations: a frame of the machine together with the functions inlined into it, as pprof and
//! DHAT list them.

use crate::model::{FrameId, StackId, Stacks, Symbols};

/// The distinct locations of a profile, in order of first appearance, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Locations {
    groups: Stacks,
    frames: Vec<FrameId>,
}

impl Locations {
    /// Appends the locations of a stack to `out`, root first. A frame that is inlined belongs to
    /// the location of the frame before it, unless the capture puts it into another module: a
    /// location has one.
    pub fn of_stack(&mut self, stack: StackId, symbols: &Symbols, out: &mut Vec<usize>) {
        let Locations { groups, frames } = self;
        frames.clear();
        frames.extend(symbols.stacks.frames(stack));
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let module = symbols.frames.get(rest[0]).module;
            let joins = |f| {
                let frame = symbols.frames.get(f);
                frame.inlined && frame.module == module
            };
            let inlined = rest[1..].iter().take_while(|&&f| joins(f)).count();
            let (group, after) = rest.split_at(1 + inlined);
            out.push(groups.intern_root_first(group).index());
            rest = after;
        }
    }

    /// The frames of every location, innermost first, in order of their numbers.
    pub fn rows(&self) -> impl Iterator<Item = (usize, impl Iterator<Item = FrameId> + '_)> {
        self.rows_from(1)
    }

    /// The same from the location `first` on. Cost: what is skipped costs nothing.
    pub fn rows_from(
        &self,
        first: usize,
    ) -> impl Iterator<Item = (usize, impl Iterator<Item = FrameId> + '_)> {
        let ids = (first as u32..self.groups.len() as u32).map(StackId);
        ids.map(|id| (id.index(), self.groups.frames(id).rev()))
    }
}
