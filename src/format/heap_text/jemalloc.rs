//! jemalloc's `heap_v2` files: a stack on one line, its numbers by thread on the next ones.

use super::super::lines::{Lines, decimal};
use super::super::{Capture, Context};
use super::classic::{Row, counts, finish, has_totals, sampled};
use super::names::{Names, addresses};
use crate::error::{Code, Error, Result};
use crate::input::Source;
use crate::model::{Exactness, FrameId, Meta, Salvage, StackId};

/// The mean distance of samples in a header `heap_v2/524288`.
pub(super) fn header(text: &[u8]) -> Option<u64> {
    let (mean, rest) = decimal(text.strip_prefix(b"heap_v2/")?)?;
    rest.is_empty().then_some(mean)
}

pub(super) fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("jemalloc")?;
    let bytes = source.bytes()?;
    let mut names = Names::read(&bytes, cx.symbols);
    let mut rows: Vec<Row> = Vec::new();
    let mut mean = None;
    let mut open: Option<StackId> = None;
    let mut stacks = 0u64;
    let mut scratch: Vec<u64> = Vec::new();
    let mut frames: Vec<FrameId> = Vec::new();
    let mut kept = 0;
    let mut released = 0;
    let samples = names.samples.clone();
    for line in Lines::new(&bytes[samples.clone()]) {
        let at = samples.start + line.start;
        bytes.release(&mut released, at);
        let text = line.text.trim_ascii();
        if mean.is_none() {
            mean = header(text);
            if mean.is_none() && !text.is_empty() && super::section(text).is_none() {
                return Err(Error::new(Code::Unrecognised, "no jemalloc header"));
            }
            continue;
        }
        if !line.ended && samples.end == bytes.len() {
            break;
        }
        if let Some(list) = text.strip_prefix(b"@") {
            if !addresses(list, &mut scratch) {
                let what = "a stack that is no list of addresses";
                return Err(Error::damaged(at as u64, what));
            }
            frames.clear();
            for &address in &scratch {
                names.push(address, cx.symbols, &mut frames);
            }
            open = Some(cx.symbols.stacks.intern_leaf_first(&frames));
            stacks += 1;
        } else if let Some(numbers) = text.strip_prefix(b"t*:") {
            let (counts, _) = counts(numbers)
                .ok_or_else(|| Error::damaged(at as u64, "totals that cannot be read"))?;
            // Those before the first stack are of all stacks; they cannot be scaled.
            if let Some(stack) = open.take() {
                rows.push(Row { stack, counts });
                kept = at + line.text.len();
            }
        } else if !text.is_empty() && text[0] != b't' && super::section(text).is_none() {
            return Err(Error::damaged(
                at as u64,
                "a line that jemalloc does not write",
            ));
        }
    }
    let Some(mean) = mean else {
        return Err(Error::new(Code::Unrecognised, "no jemalloc header"));
    };
    let mut meta = Meta {
        producer: Some("jemalloc".into()),
        command: names.binary.take(),
        exactness: Exactness::Exact,
        ..Meta::default()
    };
    let mean = Some(mean as f64).filter(|m| *m > 1.0);
    if mean.is_some() {
        sampled(&mut meta, mean, &rows);
    }
    meta.notes
        .push("sizes are those of jemalloc's size classes, not those asked for".into());
    if names.cut || open.is_some() {
        if cx.strict {
            return Err(Error::truncated(
                bytes.len() as u64,
                "the profile is cut short",
            ));
        }
        meta.salvaged = Some(Salvage {
            read_bytes: kept as u64,
            of_bytes: bytes.len() as u64,
            reason: "the profile breaks off".into(),
        });
    }
    if !names.mapped && stacks > 0 {
        meta.notes
            .push("no list of mapped files: addresses mean nothing in another run".into());
    } else if names.unresolved > 0 {
        meta.notes.push(format!(
            "{} addresses lie in no file that the profile lists: they mean nothing in another run",
            names.unresolved
        ));
    }
    let with_totals = has_totals(&rows, true);
    Ok(vec![finish(&rows, mean, with_totals, meta)?])
}
