//! Folded stacks: a line for each stack, frames joined by semicolons root first, then a number;
//! with two numbers it is a comparison, which is read as its two captures.
//!
//! Sources of the format: `stackcollapse-*.pl` and `difffolded.pl` of brendangregg/FlameGraph,
//! jonhoo/inferno. Nothing in a file says what its numbers count.

mod line;
mod names;
mod scan;
#[cfg(test)]
mod tests;

use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{
    Fingerprint, FrameId, Meta, Metric, ProfileBuilder, Salvage, StackId, StackTexts, Symbols,
};
use line::{Kind, line, line_feed};
use scan::{Batch, Scanner, piece, pieces};
use std::sync::mpsc;

/// The format.
pub static FORMAT: Format = Format {
    name: "folded",
    title: "folded stacks",
    recipe: "heaptrack_print -l 0 -p 0 -a 0 -T 0 --flamegraph-cost-type leaked \
             -F heap.folded heap.zst",
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

/// Threads that take a large file apart, beside the one that gathers what they find.
const MOST_THREADS: usize = 4;

struct Reader {
    two: bool,
    threads: usize,
    metric: Metric,
    builders: Vec<ProfileBuilder>,
    /// For each scanner its frames by its numbers.
    frames: Vec<Vec<Named>>,
    scratch: Vec<FrameId>,
    /// Texts of this file; scanners see those of earlier files only.
    texts: Vec<(Fingerprint, StackId)>,
    lines: u64,
    stacks: u64,
    bad: u64,
    first_bad: Option<u64>,
    negative: u64,
    rounded: u64,
    cut: Option<Salvage>,
}

/// A frame of a scanner: its text until it first stands in a stack, then the frame itself.
/// Frames are so interned in the order of the file, however many scanners there are.
#[derive(Debug)]
enum Named {
    Text(Box<[u8]>),
    Frame(FrameId),
}

impl Reader {
    fn new(metric: &Metric, two: bool) -> Self {
        let builder = || ProfileBuilder::new(vec![metric.clone()]);
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Reader {
            two,
            threads: cores.min(MOST_THREADS),
            metric: metric.clone(),
            builders: if two {
                vec![builder(), builder()]
            } else {
                vec![builder()]
            },
            frames: Vec::new(),
            scratch: Vec::new(),
            texts: Vec::new(),
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
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let known = std::mem::take(&mut cx.symbols.texts);
        let read = self.pieces(bytes, whole, &known, cx.symbols);
        cx.symbols.texts = known;
        if !read? {
            return Ok(false);
        }
        for (text, stack) in self.texts.drain(..) {
            cx.symbols.texts.add(text, stack);
        }
        self.lines += 1;
        self.unfinished(&bytes[whole..], whole, bytes.len(), cx.strict)?;
        Ok(true)
    }

    fn pieces(
        &mut self,
        bytes: &crate::input::Bytes<'_>,
        whole: usize,
        known: &StackTexts,
        symbols: &mut Symbols,
    ) -> Result<bool> {
        let text = &bytes[..whole];
        let count = pieces(text);
        let threads = self.threads.min(count);
        let (two, mut at, mut released) = (self.two, 0, 0);
        if threads < 2 {
            let mut scanner = Scanner::new(two, known);
            self.frames.push(Vec::new());
            for i in 0..count {
                if !self.take(0, scanner.scan(piece(text, i)), symbols)? {
                    return Ok(false);
                }
                at += piece(text, i).len();
                bytes.release(&mut released, at);
            }
            return Ok(true);
        }
        // Piece i goes to scanner i modulo their number, and is taken in the order of the file.
        std::thread::scope(|scope| {
            let mut batches = Vec::new();
            for first in 0..threads {
                let (send, receive) = mpsc::sync_channel(1);
                batches.push(receive);
                self.frames.push(Vec::new());
                scope.spawn(move || {
                    let mut scanner = Scanner::new(two, known);
                    for i in (first..count).step_by(threads) {
                        let piece = piece(text, i);
                        if send.send((scanner.scan(piece), piece.len())).is_err() {
                            return;
                        }
                    }
                });
            }
            for i in 0..count {
                let Ok((batch, len)) = batches[i % threads].recv() else {
                    let what = "a part of the file could not be read";
                    return Err(Error::new(Code::Unreadable, what));
                };
                if !self.take(i % threads, batch, symbols)? {
                    return Ok(false);
                }
                at += len;
                bytes.release(&mut released, at);
            }
            Ok(true)
        })
    }

    /// Takes in what a scanner found. False when two columns were expected and a line has one.
    fn take(&mut self, scanner: usize, batch: Batch, symbols: &mut Symbols) -> Result<bool> {
        if self.two && batch.bad > 0 {
            return Ok(false);
        }
        let mut from = 0;
        for &end in &batch.ends {
            let text = batch.texts[from..end].into();
            self.frames[scanner].push(Named::Text(text));
            from = end;
        }
        let mut from = 0;
        for found in &batch.stacks {
            let stack = match found.known {
                Some(stack) => stack,
                None => {
                    let frames = &batch.frames[from..found.end];
                    let stack = self.intern(scanner, frames, symbols);
                    self.texts.push((found.print, stack));
                    stack
                }
            };
            from = found.end;
            for (builder, value) in self.builders.iter_mut().zip(found.values) {
                if value != 0 || !self.two {
                    builder
                        .add(stack, &[value])
                        .map_err(|e| e.at(Place::Line(self.lines + found.line)))?;
                }
            }
        }
        if let Some(first) = batch.first_bad {
            self.first_bad.get_or_insert(self.lines + first);
        }
        self.stacks += batch.stacks.len() as u64;
        self.lines += batch.lines;
        self.bad += batch.bad;
        self.negative += batch.negative;
        self.rounded += batch.rounded;
        Ok(true)
    }

    fn intern(&mut self, scanner: usize, numbers: &[u32], symbols: &mut Symbols) -> StackId {
        let frames = &mut self.frames[scanner];
        self.scratch.clear();
        for &n in numbers {
            let named = &mut frames[n as usize];
            let frame = match named {
                Named::Frame(frame) => *frame,
                Named::Text(text) => {
                    let frame = names::intern(text, symbols);
                    *named = Named::Frame(frame);
                    frame
                }
            };
            self.scratch.push(frame);
        }
        symbols.stacks.intern_root_first(&self.scratch)
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
