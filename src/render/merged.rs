//! Stacks by the names of their frames: stacks of equal names are one, in an order that depends
//! on the text alone.

use crate::model::{FrameId, StackId, Stacks, StrId, Strings, Symbols};
use std::cmp::Ordering;

/// A stack without a frame.
pub(super) const UNATTRIBUTED: &str = "[unattributed]";
/// A frame without a name.
const UNNAMED: &str = "???";

/// Distinct stacks of names with the sums of `N` numbers. Names hold neither a semicolon nor a
/// line end.
#[derive(Debug)]
pub(super) struct Merged<const N: usize> {
    names: Strings,
    /// The name at each position that [`Stacks`] holds in place of a frame.
    handles: Vec<StrId>,
    stacks: Stacks,
    rows: Vec<(StackId, [i128; N])>,
}

/// A position that is not known yet.
const UNKNOWN: u32 = u32::MAX;

impl<const N: usize> Merged<N> {
    /// Adds up `rows`. `name` is asked once for each frame; an empty name becomes `???`.
    ///
    /// Cost: one look at every frame of every row; memory for what is distinct.
    pub fn new(
        rows: impl Iterator<Item = (StackId, [i64; N])>,
        symbols: &Symbols,
        mut name: impl FnMut(FrameId) -> String,
    ) -> Self {
        let mut merged = Merged {
            names: Strings::default(),
            handles: vec![StrId::EMPTY],
            stacks: Stacks::default(),
            rows: Vec::new(),
        };
        let mut of_frame = vec![UNKNOWN; symbols.frames.len()];
        let mut row_of = Vec::new();
        let mut frames = Vec::new();
        for (stack, values) in rows {
            frames.clear();
            for frame in symbols.stacks.frames(stack) {
                if of_frame[frame.index()] == UNKNOWN {
                    of_frame[frame.index()] = merged.position(&clean(&name(frame)));
                }
                frames.push(FrameId(of_frame[frame.index()]));
            }
            if frames.is_empty() {
                frames.push(FrameId(merged.position(UNATTRIBUTED)));
            }
            let id = merged.stacks.intern_root_first(&frames);
            row_of.resize(merged.stacks.len(), UNKNOWN);
            let row = &mut row_of[id.index()];
            if *row == UNKNOWN {
                *row = merged.rows.len() as u32;
                merged.rows.push((id, [0; N]));
            }
            let sums = &mut merged.rows[*row as usize].1;
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value as i128;
            }
        }
        merged
    }

    fn position(&mut self, name: &str) -> u32 {
        let handle = self.names.intern(name);
        if handle.index() == self.handles.len() {
            self.handles.push(handle);
        }
        handle.index() as u32
    }

    fn name(&self, position: FrameId) -> &str {
        self.names.get(self.handles[position.index()])
    }

    /// The names of a stack, root first.
    pub fn frames(&self, stack: StackId) -> impl Iterator<Item = &str> {
        self.stacks.frames(stack).map(|f| self.name(f))
    }

    /// Stacks and sums.
    pub fn rows(&self) -> &[(StackId, [i128; N])] {
        &self.rows
    }

    /// Keeps the rows that `keep` wants.
    pub fn retain(&mut self, keep: impl FnMut(&(StackId, [i128; N])) -> bool) {
        self.rows.retain(keep);
    }

    /// Orders the rows by the bytes of `root;...;leaf`, as `sort` orders the lines of a file.
    pub fn sort_by_text(&mut self) {
        self.sort(|this, a, b| {
            // A name that begins another is followed by a semicolon, or by nothing at the end.
            let bytes = |(name, last): (FrameId, bool)| {
                let end = if last { None } else { Some(b';') };
                this.name(name).bytes().chain(end)
            };
            bytes(a).cmp(bytes(b))
        });
    }

    /// Orders the rows frame by frame, so that stacks with the same callers are neighbours.
    pub fn sort_by_frame(&mut self) {
        self.sort(|this, a, b| this.name(a.0).cmp(this.name(b.0)));
    }

    fn sort(&mut self, compare: impl Fn(&Self, (FrameId, bool), (FrameId, bool)) -> Ordering) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by(|a, b| {
            let (mut a, mut b) = (self.stacks.frames(a.0), self.stacks.frames(b.0));
            loop {
                let (x, y) = match (a.next(), b.next()) {
                    (Some(x), Some(y)) => (x, y),
                    (x, y) => return x.is_some().cmp(&y.is_some()),
                };
                if x != y {
                    let last = |rest: &crate::model::StackFrames<'_>| rest.clone().next().is_none();
                    return compare(self, (x, last(&a)), (y, last(&b)));
                }
            }
        });
        self.rows = rows;
    }
}

/// A name as it may stand between semicolons.
fn clean(name: &str) -> String {
    if name.is_empty() {
        return UNNAMED.to_owned();
    }
    let plain = |c| match c {
        ';' => ':',
        '\n' | '\r' => ' ',
        c => c,
    };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Frame;

    fn merged(stacks: &[&str]) -> Merged<1> {
        let mut symbols = Symbols::default();
        let mut rows = Vec::new();
        for stack in stacks {
            let mut frames = Vec::new();
            for name in stack.split('/').filter(|n| !n.is_empty()) {
                let name = symbols.strings.intern(name);
                frames.push(symbols.frames.intern(Frame::named(name)));
            }
            rows.push((symbols.stacks.intern_root_first(&frames), [1]));
        }
        Merged::new(rows.into_iter(), &symbols, |f| {
            let name = symbols.frames.get(f).function;
            symbols.strings.get(name).to_owned()
        })
    }

    fn texts(merged: &Merged<1>) -> Vec<String> {
        let text = |&(stack, _): &(StackId, _)| merged.frames(stack).collect::<Vec<_>>().join(";");
        merged.rows().iter().map(text).collect()
    }

    #[test]
    fn the_order_by_text_is_that_of_lines() {
        let stacks = [
            "main/x",
            "main",
            "main::a/x",
            "main b",
            "a;b",
            "a:b",
            "",
            "main/x/y",
            "z\n/q",
            "ma",
        ];
        let mut m = merged(&stacks);
        assert_eq!(m.rows().len(), stacks.len() - 1);
        m.sort_by_text();
        let mut sorted = texts(&m);
        sorted.sort();
        assert_eq!(texts(&m), sorted);
        m.sort_by_frame();
        let texts = texts(&m);
        let at = |name: &str| texts.iter().position(|t| t == name).unwrap();
        assert_eq!(at("main;x"), at("main") + 1);
        assert_eq!(at("main;x;y"), at("main") + 2);
    }

    #[test]
    fn equal_names_are_one() {
        let m = merged(&["a;b/x", "a:b/x", "a:b/x"]);
        assert_eq!(m.rows().len(), 1);
        assert_eq!(m.rows()[0].1, [3]);
    }
}
