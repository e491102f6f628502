//! Folded stacks: a line for each stack, frames joined by semicolons root first, then a number;
//! with two numbers it is a comparison, which is read as its two captures.
//!
//! Sources of the format: `stackcollapse-*.pl` and `difffolded.pl` of brendangregg/FlameGraph,
//! jonhoo/inferno. Nothing in a file says what its numbers count.

mod line;
mod names;
#[cfg(test)]
mod tests;

use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{FrameId, Meta, Metric, ProfileBuilder, Salvage, StackId, Symbols};
use line::{Kind, Line, line, line_feed};
use names::{Names, Position};

/// The format.
pub static FORMAT: Format = Format {
    name: "folded",
    title: "folded stacks",
    recipe: "heaptrack_print -l 0 -p 0 -a 0 -T 0 --flamegraph-cost-type leaked \
             -F heap.folded heaptrack.app.1234.zst",
    sniff,
    read,
};

/// A head of this size may be a part of the file.
const WHOLE_HEAD: usize = 64 << 10;
/// Lines that a sniffer looks at.
const SNIFFED: usize = 50;

/// Nine of ten of the first lines are a stack and a number, and one has a semicolon. Never sure,
/// because any text may look like that.
fn sniff(head: &[u8]) -> Match {
    if head.contains(&0) {
        return Match::No;
    }
    let (mut lines, mut good, mut deep) = (0, 0, false);
    let mut from = 0;
    while from < head.len() && lines < SNIFFED {
        let end = line_feed(head, from);
        let cut = end.is_none() && head.len() >= WHOLE_HEAD;
        let end = end.unwrap_or(head.len());
        match line(&head[from..end], false) {
            // The head ends inside of this line, which may be the first.
            _ if cut && lines > 0 => {}
            _ if cut => deep = head[from..].contains(&b';'),
            Kind::Skip => {}
            Kind::Bad => lines += 1,
            Kind::Stack(l) => {
                lines += 1;
                good += !head[from].is_ascii_whitespace() as usize;
                deep |= l.stack.contains(&b';');
            }
        }
        from = end + 1;
    }
    if deep && good * 10 >= lines * 9 {
        Match::Maybe
    } else {
        Match::No
    }
}

/// Whether every whole line of the head ends in two numbers.
fn looks_two_columned(head: &[u8]) -> bool {
    let mut any = false;
    let mut from = 0;
    while let Some(end) = line_feed(head, from) {
        match line(&head[from..end], true) {
            Kind::Skip => {}
            Kind::Bad => return false,
            Kind::Stack(_) => any = true,
        }
        from = end + 1;
    }
    any
}

/// Reads folded stacks: one capture, or two where every line has two numbers.
///
/// The metric is `bytes` or `blocks`, as the user says. Errors: more than one line in twenty that
/// cannot be read (with the number of the first), a line cut off by the end of the file when
/// reading strictly, sums beyond 64 bits. Cost: one pass; memory for what is distinct, and, of
/// packed files, for the unpacked bytes.
fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("folded")?;
    let metric = match cx.unit.as_deref() {
        None | Some("bytes") => Metric::known("bytes"),
        Some("blocks" | "objects" | "count") => Metric::known("blocks"),
        Some(other) => {
            return Err(
                Error::usage(format!("folded stacks do not count {other:?}"))
                    .help("say --unit bytes or --unit blocks"),
            );
        }
    };
    let bytes = source.bytes()?;
    if looks_two_columned(source.head()) {
        let mut reader = Reader::new(&metric, true);
        if reader.read(&bytes, cx)? {
            return reader.finish(cx);
        }
    }
    let mut reader = Reader::new(&metric, false);
    reader.read(&bytes, cx)?;
    reader.finish(cx)
}

struct Reader {
    two: bool,
    metric: Metric,
    builders: Vec<ProfileBuilder>,
    names: Names,
    frames: Vec<FrameId>,
    /// For each frame of the stack before: where its text ended, how many frames there then were,
    /// and its place for the next.
    marks: Vec<(usize, usize, Position)>,
    lines: u64,
    stacks: u64,
    bad: u64,
    first_bad: Option<u64>,
    negative: u64,
    rounded: u64,
    cut: Option<Salvage>,
}

impl Reader {
    fn new(metric: &Metric, two: bool) -> Self {
        let builder = || ProfileBuilder::new(vec![metric.clone()]);
        Reader {
            two,
            metric: metric.clone(),
            builders: if two {
                vec![builder(), builder()]
            } else {
                vec![builder()]
            },
            names: Names::default(),
            frames: Vec::new(),
            marks: Vec::new(),
            lines: 0,
            stacks: 0,
            bad: 0,
            first_bad: None,
            negative: 0,
            rounded: 0,
            cut: None,
        }
    }

    /// Reads all lines. False when two columns were expected and a line has only one.
    fn read(&mut self, bytes: &crate::input::Bytes<'_>, cx: &mut Context<'_>) -> Result<bool> {
        let mut before: &[u8] = &[];
        let (mut from, mut released) = (0, 0);
        while from < bytes.len() {
            self.lines += 1;
            let Some(end) = line_feed(bytes, from) else {
                self.unfinished(&bytes[from..], from, bytes.len(), cx.strict)?;
                break;
            };
            match line(&bytes[from..end], self.two) {
                Kind::Skip => {}
                Kind::Stack(line) => {
                    self.stack(&line, before, cx.symbols)?;
                    before = line.stack;
                }
                Kind::Bad if self.two => return Ok(false),
                Kind::Bad => {
                    self.bad += 1;
                    self.first_bad.get_or_insert(self.lines);
                }
            }
            from = end + 1;
            bytes.release(&mut released, from);
        }
        Ok(true)
    }

    /// The last line has no end: its number may have more digits.
    fn unfinished(&mut self, rest: &[u8], from: usize, of: usize, strict: bool) -> Result<()> {
        if line(rest, false) == Kind::Skip {
            return Ok(());
        }
        if strict || self.stacks == 0 {
            let e = Error::truncated(of as u64, "the last line has no end, its count may be cut");
            return Err(e);
        }
        self.cut = Some(Salvage {
            read_bytes: from as u64,
            of_bytes: of as u64,
            reason: "the last line has no end".to_owned(),
        });
        Ok(())
    }

    fn stack(&mut self, line: &Line<'_>, before: &[u8], symbols: &mut Symbols) -> Result<()> {
        self.stacks += 1;
        let stack = self.intern(line.stack, before, symbols);
        let number = line.first.unwrap_or(line.last);
        let values = [number, line.last];
        for (builder, number) in self.builders.iter_mut().zip(values) {
            self.negative += (number.value < 0) as u64;
            self.rounded += number.rounded as u64;
            if number.value != 0 || !self.two {
                builder
                    .add(stack, &[number.value])
                    .map_err(|e| e.at(Place::Line(self.lines)))?;
            }
        }
        Ok(())
    }

    /// Sorted files share most of a stack with the line before; that part is not looked up again.
    fn intern(&mut self, stack: &[u8], before: &[u8], symbols: &mut Symbols) -> StackId {
        let common = common_prefix(stack, before);
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
            let (len, frame) = self.names.first(&stack[at..], symbols);
            self.frames.extend(frame);
            let mark = (at + len, self.frames.len(), self.names.position());
            self.marks.push(mark);
            at += len + 1;
        }
        symbols.stacks.intern_root_first(&self.frames)
    }

    fn finish(self, cx: &Context<'_>) -> Result<Vec<Capture>> {
        if let Some(first) = self.first_bad
            && self.bad * 20 > self.bad + self.stacks
        {
            let code = if self.stacks == 0 {
                Code::Unrecognised
            } else {
                Code::Damaged
            };
            let what = format!(
                "{} of {} lines are no stack with a number behind it",
                self.bad,
                self.bad + self.stacks
            );
            return Err(Error::new(code, what)
                .at(Place::Line(first))
                .help("a line is `main;load;alloc 4096`"));
        }
        if self.stacks == 0 {
            return Err(Error::new(Code::Unrecognised, "holds no folded stack").at(Place::Line(1)));
        }
        let mut notes = Vec::new();
        if cx.unit.is_none() {
            notes.push(
                "folded stacks do not say what they count: bytes are assumed (--unit)".to_owned(),
            );
        }
        if let Some(first) = self.first_bad {
            notes.push(format!(
                "{} lines could not be read and were left out, the first is line {first}",
                self.bad
            ));
        }
        if self.negative > 0 {
            notes.push(format!("{} counts are negative", self.negative));
        }
        if self.rounded > 0 {
            notes.push(format!("{} counts lost their decimals", self.rounded));
        }
        if self.cut.is_some() {
            notes.push("the last line has no end and was left out".to_owned());
        }
        let meta = Meta {
            salvaged: self.cut,
            default_metric: Some(self.metric.name.clone()),
            notes,
            ..Meta::default()
        };
        let mut captures = Vec::new();
        for (i, builder) in self.builders.into_iter().enumerate() {
            let mut meta = meta.clone();
            if self.two {
                let side = ["first", "second"][i.min(1)];
                meta.notes
                    .push(format!("the {side} of the two columns of a comparison"));
            }
            captures.push(Capture::Profile(builder.finish(meta)));
        }
        Ok(captures)
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
