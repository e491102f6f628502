//! Lines to numbers, a piece of the file at a time, so that several threads can share the work.
//! A scanner knows frames by numbers of its own; whoever takes its batches in order gives them
//! their names.

use super::line::{Kind, Line, line, line_feed};
use super::names::{Names, Position};
use crate::model::{Fingerprint, StackId, StackTexts};

/// What a piece of a file holds.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Frames of all stacks in a row, by the scanner's numbers, root first.
    pub frames: Vec<u32>,
    /// The stacks.
    pub stacks: Vec<Stack>,
    /// Texts of the frames that this scanner met for the first time, in order of their numbers.
    pub texts: Vec<u8>,
    /// Where each of these texts ends.
    pub ends: Vec<usize>,
    /// Lines of any kind.
    pub lines: u64,
    /// Lines that are no stack.
    pub bad: u64,
    /// The first of these, from 1, counted in this batch.
    pub first_bad: Option<u64>,
    /// Counts below 0.
    pub negative: u64,
    /// Counts with decimals.
    pub rounded: u64,
}

/// One line's stack and numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stack {
    /// End of its frames in [`Batch::frames`]; they begin where those before end.
    pub end: usize,
    /// The stack itself, if an earlier file had the same text; then there are no frames.
    pub known: Option<StackId>,
    /// What its text is known by.
    pub print: Fingerprint,
    /// Line in the batch, from 1.
    pub line: u64,
    /// Its values: the two columns, or the one twice.
    pub values: [i64; 2],
}

/// Takes pieces of one file apart.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    two: bool,
    known: &'a StackTexts,
    names: Names,
    told: usize,
    frames: Vec<u32>,
    /// For each frame of the stack before: where its text ended, how many frames there then were,
    /// and its place for the next.
    marks: Vec<(usize, usize, Position)>,
}

impl<'a> Scanner<'a> {
    /// A scanner of one or two columns; `known` are the stacks of earlier files.
    pub fn new(two: bool, known: &'a StackTexts) -> Self {
        Scanner {
            two,
            known,
            names: Names::default(),
            told: 0,
            frames: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Takes a piece apart that consists of whole lines.
    pub fn scan(&mut self, piece: &[u8]) -> Batch {
        let mut batch = Batch::default();
        let mut before: &[u8] = &[];
        let mut from = 0;
        while let Some(end) = line_feed(piece, from) {
            batch.lines += 1;
            match line(&piece[from..end], self.two) {
                Kind::Skip => {}
                Kind::Stack(line) => {
                    self.stack(&line, &mut before, &mut batch);
                }
                Kind::Bad => {
                    batch.bad += 1;
                    batch.first_bad.get_or_insert(batch.lines);
                }
            }
            from = end + 1;
        }
        for row in self.told..self.names.len() {
            batch.texts.extend_from_slice(self.names.text(row));
            batch.ends.push(batch.texts.len());
        }
        self.told = self.names.len();
        batch
    }

    fn stack<'b>(&mut self, line: &Line<'b>, before: &mut &'b [u8], batch: &mut Batch) {
        let numbers = [line.first.unwrap_or(line.last), line.last];
        for number in &numbers[!self.two as usize..] {
            batch.negative += (number.value < 0) as u64;
            batch.rounded += number.rounded as u64;
        }
        let print = self.known.fingerprint(line.stack);
        let known = match self.known.is_empty() {
            true => None,
            false => self.known.find(print),
        };
        if known.is_none() {
            self.frames_of(line.stack, before);
            *before = line.stack;
            batch.frames.extend_from_slice(&self.frames);
        }
        batch.stacks.push(Stack {
            end: batch.frames.len(),
            known,
            print,
            line: batch.lines,
            values: numbers.map(|n| n.value),
        });
    }

    /// Sorted files share most of a stack with the line before; that part is not looked up again.
    fn frames_of(&mut self, stack: &[u8], before: &[u8]) {
        let common = common_prefix(stack, before);
        if before.is_empty() {
            self.marks.clear();
        }
        while self.marks.last().is_some_and(|&(end, ..)| end >= common) {
            self.marks.pop();
        }
        let (mut at, kept, position) = match self.marks.last() {
            Some(&(end, frames, position)) => (end + 1, frames, position),
            None => (0, 0, Position::default()),
        };
        self.names.continue_at(position);
        self.frames.truncate(kept);
        while at < stack.len() {
            let (len, frame) = self.names.first(&stack[at..]);
            self.frames.extend(frame);
            let mark = (at + len, self.frames.len(), self.names.position());
            self.marks.push(mark);
            at += len + 1;
        }
    }
}

/// Number of equal bytes at the start of both.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let n = a.len().min(b.len());
    let mut at = 0;
    for (x, y) in a[..n].chunks_exact(16).zip(b[..n].chunks_exact(16)) {
        if x != y {
            break;
        }
        at += 16;
    }
    at + a[at..n]
        .iter()
        .zip(&b[at..n])
        .take_while(|(x, y)| x == y)
        .count()
}

/// Pieces are about this large.
const PIECE: usize = 2 << 20;

/// Number of pieces of a text.
pub(super) fn pieces(text: &[u8]) -> usize {
    text.len().div_ceil(PIECE)
}

/// Piece number `i` of a text of whole lines: those that begin in its stretch of the text.
pub(super) fn piece(text: &[u8], i: usize) -> &[u8] {
    let start = |i: usize| match i * PIECE {
        0 => 0,
        at if at >= text.len() => text.len(),
        at => line_feed(text, at - 1).map_or(text.len(), |end| end + 1),
    };
    &text[start(i)..start(i + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_lines() {
        let mut text = Vec::new();
        for n in 0..40_000usize {
            text.extend(std::iter::repeat_n(b'x', n * 7919 % 200));
            text.push(b'\n');
        }
        text.extend(std::iter::repeat_n(b'y', 3 * PIECE));
        text.push(b'\n');
        text.extend(b"end\n");
        let mut joined = Vec::new();
        for i in 0..pieces(&text) {
            let piece = piece(&text, i);
            assert!(piece.is_empty() || piece.ends_with(b"\n"));
            joined.extend_from_slice(piece);
        }
        assert!(joined == text);
    }
}
