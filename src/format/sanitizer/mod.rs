//! Leak reports of LeakSanitizer, alone or in AddressSanitizer and HWAddressSanitizer.
//!
//! Written from the output of GCC 12 and LLVM 14 (`compiler-rt/lib/lsan/lsan_common.cpp`,
//! `sanitizer_common/sanitizer_stacktrace_printer.cpp`).

mod frame;

use super::leaks::{self, Check, Record};
use super::lines::{Line, Lines, decimal, find};
use super::native;
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{FrameId, Meta, Salvage, Symbols};
use std::borrow::Cow;

/// LeakSanitizer reports.
pub static FORMAT: Format = Format {
    name: "leak-sanitizer",
    title: "LeakSanitizer report",
    recipe: "ASAN_OPTIONS=detect_leaks=1:log_path=leaks ./program-built-with-fsanitize-address",
    sniff,
    read,
};

const ERROR: &[u8] = b"ERROR: LeakSanitizer: detected memory leaks";

fn sniff(head: &[u8]) -> Match {
    match find(head, ERROR) {
        Some(_) => Match::Yes,
        None => Match::No,
    }
}

/// A record that is being read.
struct Open {
    kind: &'static str,
    bytes: u64,
    objects: u64,
}

#[derive(Default)]
struct Reader {
    checks: Vec<Check>,
    open: Option<Open>,
    frames: Vec<(u64, crate::model::Frame)>,
    scratch: Vec<FrameId>,
    /// Offset behind the last complete record.
    read_to: usize,
    omitted: u64,
    suppressed: bool,
    tool: Option<&'static str>,
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let mut reader = Reader::default();
    let mut released = 0;
    for line in Lines::new(&bytes) {
        bytes.release(&mut released, line.start);
        let text = without_colours(line.text);
        reader.line(&text, &line, cx.symbols)?;
    }
    if reader.checks.is_empty() {
        return Err(Error::new(Code::Unrecognised, "no LeakSanitizer report"));
    }
    let incomplete = reader.checks.iter().filter(|c| !c.complete).count();
    let mut meta = Meta {
        producer: reader.tool.map(str::to_owned),
        ..Meta::default()
    };
    if incomplete > 0 {
        let reason = "a report breaks off before its summary";
        if cx.strict {
            return Err(Error::truncated(bytes.len() as u64, reason));
        }
        meta.salvaged = Some(Salvage {
            read_bytes: reader.read_to as u64,
            of_bytes: bytes.len() as u64,
            reason: reason.to_owned(),
        });
    }
    let profiles = leaks::choose(&reader.checks, &meta, cx)?;
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

impl Reader {
    fn line(&mut self, text: &[u8], line: &Line<'_>, symbols: &mut Symbols) -> Result<()> {
        if let Some(n) = find(text, ERROR) {
            self.finish(line.start, symbols);
            self.omitted = 0;
            self.suppressed = false;
            self.checks.push(Check {
                pid: pid(&text[..n]),
                ..Check::default()
            });
            return Ok(());
        }
        if self.checks.is_empty() {
            return Ok(());
        }
        if let Some((kind, rest)) = leak(text) {
            self.finish(line.start, symbols);
            if !line.ended {
                return Ok(());
            }
            let (bytes, objects) = sizes(rest).ok_or_else(|| {
                Error::damaged(line.start as u64, "a leak whose size cannot be read")
                    .at(Place::Line(line.number))
            })?;
            self.open = Some(Open {
                kind,
                bytes,
                objects,
            });
            return Ok(());
        }
        if self.open.is_some() {
            // A cut line may lose the end of its address or name.
            if line.ended
                && let Some(frame) = frame::parse(text, symbols)
            {
                self.frames.push(frame);
                return Ok(());
            }
            if find(text, b"<empty stack>").is_some() {
                return Ok(());
            }
            self.finish_if(line.ended, line.start, symbols);
        }
        if let Some(n) = find(text, b"Omitting ") {
            self.omitted = decimal(&text[n + 9..]).map_or(0, |(n, _)| n);
        } else if find(text, b"Suppressions used:").is_some() {
            self.suppressed = true;
        } else if let Some(n) = find(text, b"SUMMARY: ") {
            self.summary(&text[n + 9..], line);
        }
        Ok(())
    }

    /// The record that is being read has all its frames.
    fn finish(&mut self, at: usize, symbols: &mut Symbols) {
        self.finish_if(true, at, symbols);
    }

    fn finish_if(&mut self, whole: bool, at: usize, symbols: &mut Symbols) {
        if let (Some(open), Some(check), true) = (self.open.take(), self.checks.last_mut(), whole) {
            check.records.push(Record {
                kind: leaks::kind(symbols, open.kind),
                stack: native::stack(symbols, &mut self.frames, &mut self.scratch),
                bytes: open.bytes,
                blocks: open.objects,
            });
            self.read_to = at;
        }
        self.frames.clear();
    }

    /// `AddressSanitizer: 225 byte(s) leaked in 9 allocation(s).`
    fn summary(&mut self, text: &[u8], line: &Line<'_>) {
        let tools: [(&[u8], &str); 3] = [
            (b"AddressSanitizer:", "AddressSanitizer"),
            (b"LeakSanitizer:", "LeakSanitizer"),
            (b"HWAddressSanitizer:", "HWAddressSanitizer"),
        ];
        let tool = tools.iter().find(|(word, _)| text.starts_with(word));
        let Some(&(word, name)) = tool else {
            return;
        };
        let said = decimal(&text[word.len()..]).and_then(|(bytes, rest)| {
            let rest = rest.trim_ascii_start().strip_prefix(b"byte(s) leaked in")?;
            Some((bytes, decimal(rest)?.0))
        });
        // Another report of the same tool (a use after free) has another summary.
        let (Some((bytes, objects)), Some(check)) = (said, self.checks.last_mut()) else {
            return;
        };
        if !line.ended && !text.ends_with(b".") {
            return;
        }
        self.tool = Some(name);
        check.complete = true;
        self.read_to = line.start + line.text.len();
        let sum = |f: fn(&Record) -> u64| -> u128 {
            check.records.iter().map(|r| u128::from(f(r))).sum()
        };
        let (listed, listed_objects) = (sum(|r| r.bytes), sum(|r| r.blocks));
        if listed != u128::from(bytes) || listed_objects != u128::from(objects) {
            let why = if self.omitted > 0 {
                "max_leaks leaves out the rest"
            } else {
                "lines are missing"
            };
            check.notes.push(format!(
                "the report lists {listed} bytes in {listed_objects} objects of {bytes} in {objects}: {why}"
            ));
        }
        if self.suppressed {
            check
                .notes
                .push("suppressed leaks are not in the report".into());
        }
    }
}

/// `Direct leak of ` or `Indirect leak of ` anywhere in the line: runners put text before it.
fn leak(text: &[u8]) -> Option<(&'static str, &[u8])> {
    let n = find(text, b"irect leak of ")?;
    let kind = match &text[..n] {
        before if before.ends_with(b"D") => "direct",
        before if before.ends_with(b"Ind") => "indirect",
        _ => return None,
    };
    Some((kind, &text[n + b"irect leak of ".len()..]))
}

/// `48 byte(s) in 3 object(s) allocated from:`
fn sizes(rest: &[u8]) -> Option<(u64, u64)> {
    let (bytes, rest) = decimal(rest)?;
    let (objects, _) = decimal(rest.strip_prefix(b" byte(s) in ")?)?;
    Some((bytes, objects))
}

/// The number in `==PID==` at the end of `text`.
fn pid(text: &[u8]) -> Option<u64> {
    let inner = text.strip_suffix(b"==")?;
    let start = memchr::memmem::rfind(inner, b"==")?;
    decimal(&inner[start + 2..]).map(|(pid, _)| pid)
}

/// A line without the colours of a terminal.
fn without_colours(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0x1b, text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        rest = &rest[1..];
        if byte == 0x1b && rest.first() == Some(&b'[') {
            let n = rest
                .iter()
                .skip(1)
                .take_while(|b| matches!(b, b'0'..=b'9' | b';'));
            let n = n.count() + 1;
            rest = rest.get(n + 1..).unwrap_or_default();
        } else {
            out.push(byte);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
