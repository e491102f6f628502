//! A profile as speedscope JSON, for <https://www.speedscope.app>.
//!
//! Source of the format: jlfwong/speedscope `src/lib/file-format-spec.ts`.
//!
//! Each metric is a sampled profile of its own, stacks root first. Weights may not be negative:
//! of a difference, what decreased is a second profile of its metric, `live_bytes decrease`,
//! whose weights are the amounts of the decrease.

use super::unwritable;
use crate::error::Result;
use crate::model::{Profile, Symbols, Unit};
use std::io::Write;

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

/// Writes `profile` under the title `name`; `metric` is the column shown first.
///
/// Errors: `out` cannot be written to. Cost: a pass over the samples for each metric.
pub fn write(
    profile: &Profile,
    symbols: &Symbols,
    name: &str,
    metric: usize,
    out: &mut dyn Write,
) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    write_json(profile, symbols, name, metric, &mut out)
        .and_then(|()| out.flush())
        .map_err(unwritable)
}

fn write_json(
    profile: &Profile,
    symbols: &Symbols,
    name: &str,
    metric: usize,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    // Frames are numbered in order of first appearance in this profile.
    let mut number = vec![u32::MAX; symbols.frames.len()];
    let mut used = Vec::new();
    for &stack in &profile.stacks {
        for frame in symbols.stacks.frames(stack) {
            if number[frame.index()] == u32::MAX {
                number[frame.index()] = used.len() as u32;
                used.push(frame);
            }
        }
    }
    write!(out, "{{\"$schema\":{},\"name\":", text(SCHEMA))?;
    write!(out, "{},\"exporter\":\"heapdiff\",", text(name))?;
    write!(out, "\"shared\":{{\"frames\":[")?;
    for (i, &frame) in used.iter().enumerate() {
        let frame = symbols.frames.get(frame);
        let of = |id| symbols.strings.get(id);
        let name = match of(frame.function) {
            "" => "???",
            name => name,
        };
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}\n{{\"name\":{}", text(name))?;
        let file = if frame.file.is_empty() {
            frame.module
        } else {
            frame.file
        };
        if !file.is_empty() {
            write!(out, ",\"file\":{}", text(of(file)))?;
        }
        if frame.line > 0 {
            write!(out, ",\"line\":{}", frame.line)?;
        }
        if frame.column > 0 {
            write!(out, ",\"col\":{}", frame.column)?;
        }
        out.write_all(b"}")?;
    }
    let mut active = 0;
    let mut written = 0;
    write!(out, "]}},\n\"profiles\":[")?;
    for i in 0..profile.metrics.len() {
        if i == metric {
            active = written;
        }
        for sign in [1, -1] {
            let some = (0..profile.len()).any(|row| signed(profile, i, row, sign) > 0);
            if sign > 0 || some {
                out.write_all(if written == 0 { b"\n" } else { b",\n" })?;
                one(profile, symbols, i, sign, &number, out)?;
                written += 1;
            }
        }
    }
    writeln!(out, "],\n\"activeProfileIndex\":{active}}}")
}

/// The value if it has the sign, made positive.
fn signed(profile: &Profile, metric: usize, row: usize, sign: i64) -> u64 {
    let value = profile.columns[metric].get(row);
    if value.signum() == sign {
        value.unsigned_abs()
    } else {
        0
    }
}

fn one(
    profile: &Profile,
    symbols: &Symbols,
    metric: usize,
    sign: i64,
    number: &[u32],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let m = &profile.metrics[metric];
    let unit = match m.unit {
        Unit::Bytes => "bytes",
        _ => "none",
    };
    let name = match sign {
        -1 => format!("{} decrease", m.name),
        _ => m.name.clone(),
    };
    let values = || (0..profile.len()).map(|row| signed(profile, metric, row, sign));
    let sum: u128 = values().map(u128::from).sum();
    write!(out, "{{\"type\":\"sampled\",\"name\":{}", text(&name))?;
    write!(
        out,
        ",\"unit\":\"{unit}\",\"startValue\":0,\"endValue\":{sum}"
    )?;
    out.write_all(b",\n\"samples\":[")?;
    let mut first = true;
    for (row, _) in values().enumerate().filter(|&(_, v)| v > 0) {
        out.write_all(if first { b"[" } else { b",[" })?;
        first = false;
        let frames = symbols.stacks.frames(profile.stacks[row]);
        for (i, frame) in frames.enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(out, "{comma}{}", number[frame.index()])?;
        }
        out.write_all(b"]")?;
    }
    out.write_all(b"],\n\"weights\":[")?;
    for (i, value) in values().filter(|&v| v > 0).enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}{value}")?;
    }
    out.write_all(b"]}")
}

/// A JSON string.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
