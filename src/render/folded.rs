//! Profiles as folded stacks: what flamegraph tools read.
//!
//! Source of the format: brendangregg/FlameGraph, jonhoo/inferno. Frames are function names;
//! stacks that differ in lines, files or labels only are added up. What cannot stand in a frame
//! (a semicolon, a line end) is replaced. Stacks come in order of first appearance.

use super::unwritable;
use crate::error::{Code, Error, Result};
use crate::model::{Column, FrameId, StackId, Stacks, StrId, Symbols};
use std::io::Write;

/// Writes one column: `main;load;alloc 4096`.
///
/// `stacks[i]` has the value `column[i]`. Negative numbers are written as they are; other tools
/// skip such lines. Errors: `out` cannot be written to, a sum exceeds 64 bits.
pub fn write(
    stacks: &[StackId],
    column: &Column,
    symbols: &Symbols,
    out: &mut dyn Write,
) -> Result<()> {
    let rows = stacks.iter().enumerate();
    let rows = rows.map(|(i, &stack)| (stack, [column.get(i)]));
    write_columns(rows, symbols, out)
}

/// Writes two columns, `main;load;alloc 4096 8192`: what `inferno-diff-folded` writes of two
/// folded files, and what `inferno-flamegraph` draws as a difference.
///
/// `rows` gives each stack with its value before and after; a stack may come several times.
/// Errors: `out` cannot be written to, a sum exceeds 64 bits.
pub fn write_two_columns(
    rows: impl Iterator<Item = (StackId, i64, i64)>,
    symbols: &Symbols,
    out: &mut dyn Write,
) -> Result<()> {
    let rows = rows.map(|(stack, before, after)| (stack, [before, after]));
    write_columns(rows, symbols, out)
}

/// A stack without a frame.
const UNATTRIBUTED: &str = "[unattributed]";
/// A frame without a name.
const UNNAMED: &str = "???";

fn write_columns<const N: usize>(
    rows: impl Iterator<Item = (StackId, [i64; N])>,
    symbols: &Symbols,
    out: &mut dyn Write,
) -> Result<()> {
    let mut names = Stacks::default();
    let mut sums = vec![[0i64; N]];
    let mut unattributed = false;
    // Stacks of equal names are one, so a handle of text stands in place of a frame.
    let mut text_of = vec![StrId::EMPTY; symbols.strings.len()];
    for (stack, values) in rows {
        unattributed |= stack == StackId::EMPTY;
        let id = names.intern(symbols.stacks.frames(stack).map(|f| {
            let name = symbols.frames.get(f).function;
            if let Some(slot) = text_of.get_mut(name.index()) {
                *slot = name;
            }
            FrameId(name.index() as u32)
        }));
        sums.resize(names.len(), [0; N]);
        for (sum, value) in sums[id.index()].iter_mut().zip(values) {
            *sum = sum.checked_add(value).ok_or_else(overflow)?;
        }
    }
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    let mut line = String::new();
    for (id, sums) in names.ids().zip(&sums) {
        if id == StackId::EMPTY && !unattributed {
            continue;
        }
        line.clear();
        for name in names.frames(id) {
            let id = text_of.get(name.index()).copied();
            push_frame(&mut line, symbols.strings.get(id.unwrap_or_default()));
        }
        if line.is_empty() {
            line.push_str(UNATTRIBUTED);
        }
        for sum in sums {
            line.push(' ');
            line.push_str(&sum.to_string());
        }
        line.push('\n');
        out.write_all(line.as_bytes()).map_err(unwritable)?;
    }
    out.flush().map_err(unwritable)
}

/// Appends a frame to a stack. A number sign at the start of a line would make it a comment.
fn push_frame(line: &mut String, name: &str) {
    match (line.is_empty(), name.starts_with('#')) {
        (true, true) => line.push('_'),
        (true, false) => {}
        (false, _) => line.push(';'),
    }
    match name {
        "" => line.push_str(UNNAMED),
        name if name.contains([';', '\n', '\r']) => {
            line.extend(name.chars().map(|c| match c {
                ';' => ':',
                '\n' | '\r' => ' ',
                c => c,
            }));
        }
        name => line.push_str(name),
    }
}

fn overflow() -> Error {
    Error::new(
        Code::LimitExceeded,
        "the values of one stack exceed 64 bits",
    )
    .help("choose another metric")
}
