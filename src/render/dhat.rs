//! A profile as DHAT JSON, version 2, which Valgrind's `dh_view.html` shows.
//!
//! Source of the format: Valgrind `dhat/dh_view.js` and `dhat/dh_main.c`.
//!
//! The viewer wants either totals alone or all of totals, maxima, peak and end. What the profile
//! lacks of these is filled with the least that fits what it has: a total or a maximum is at
//! least what was live, a peak at least what was live at the end. A profile that has neither
//! live, peak nor total values has its chosen metric written as the total, in its own unit.
//! Addresses number the locations of the file; they are no addresses of a program.

use super::locations::Locations;
use super::unwritable;
use crate::error::{Code, Error, Result};
use crate::model::{Frame, Profile, StackId, Symbols, Unit};
use std::io::Write;

/// Members of a program point, with the metric that each one is.
const FIELDS: [(&str, &str); 11] = [
    ("tb", "total_bytes"),
    ("tbk", "total_blocks"),
    ("tl", "lifetime"),
    ("mb", "max_bytes"),
    ("mbk", "max_blocks"),
    ("gb", "peak_bytes"),
    ("gbk", "peak_blocks"),
    ("eb", "live_bytes"),
    ("ebk", "live_blocks"),
    ("rb", "read_bytes"),
    ("wb", "written_bytes"),
];
const TOTAL: usize = 0;
const TIME: usize = 2;
const MAX: usize = 3;
const PEAK: usize = 5;
const LIVE: usize = 7;
const READ: usize = 9;

/// How a profile becomes a file of DHAT.
#[derive(Debug)]
struct Plan {
    columns: [Option<usize>; FIELDS.len()],
    lifetimes: bool,
    accesses: bool,
    copies: bool,
    /// What is counted instead of bytes.
    unit: Option<String>,
}

impl Plan {
    fn new(profile: &Profile, metric: usize) -> Plan {
        let mut columns = FIELDS.map(|(_, name)| profile.metric(name));
        let any = |from: usize| columns[from].is_some() || columns[from + 1].is_some();
        let lifetimes = any(LIVE) || any(PEAK);
        let accesses = columns[READ].is_some() && columns[READ + 1].is_some();
        let copies = !lifetimes && !any(TOTAL) && profile.metric("copied_bytes").is_some();
        let mut unit = None;
        if copies {
            columns[TOTAL] = profile.metric("copied_bytes");
            columns[TOTAL + 1] = profile.metric("copied_blocks");
        } else if !lifetimes && !any(TOTAL) {
            let of = |i: usize| profile.metrics.get(i).map(|m| &m.unit);
            match of(metric) {
                Some(Unit::Count) => columns[TOTAL + 1] = Some(metric),
                Some(Unit::Named(name)) => {
                    unit = Some(name.clone());
                    columns[TOTAL] = Some(metric);
                    columns[TOTAL + 1] = profile.metric("total_events");
                }
                _ => columns[TOTAL] = Some(metric),
            }
        }
        Plan {
            columns,
            lifetimes,
            accesses,
            copies,
            unit,
        }
    }

    /// The values of a row, completed to what the viewer demands.
    fn values(&self, profile: &Profile, rows: &[usize]) -> Result<[i64; FIELDS.len()]> {
        let mut values = [0i64; FIELDS.len()];
        for (value, column) in values.iter_mut().zip(self.columns) {
            let Some(column) = column else { continue };
            for &row in rows {
                let next = profile.columns[column].get(row);
                if next < 0 {
                    return Err(negative());
                }
                *value = value.checked_add(next).ok_or_else(overflow)?;
            }
        }
        for kind in [0, 1] {
            if self.columns[PEAK + kind].is_none() {
                values[PEAK + kind] = values[LIVE + kind];
            }
            let live = values[LIVE + kind].max(values[PEAK + kind]);
            if self.columns[MAX + kind].is_none() {
                values[MAX + kind] = live;
            }
            if self.columns[TOTAL + kind].is_none() {
                values[TOTAL + kind] = live.max(values[MAX + kind]);
            }
        }
        Ok(values)
    }
}

fn negative() -> Error {
    Error::new(
        Code::Unsupported,
        "DHAT cannot hold a negative value, as a difference has it",
    )
    .help("write a difference as pprof or folded stacks")
}

fn overflow() -> Error {
    Error::new(
        Code::LimitExceeded,
        "the values of one stack exceed 64 bits",
    )
    .help("write it as pprof")
}

/// Writes `profile`. `metric` is the column that is shown where the profile has nothing that
/// DHAT knows. Rows that differ in labels only are added up.
///
/// Errors: a negative value, a sum beyond 64 bits, `out` cannot be written to.
pub fn write(
    profile: &Profile,
    symbols: &Symbols,
    metric: usize,
    out: &mut dyn Write,
) -> Result<()> {
    let plan = Plan::new(profile, metric);
    // Found before a byte is written: the viewer refuses two points of one stack.
    let mut order: Vec<u32> = (0..profile.len() as u32).collect();
    if !profile.labels.is_empty() {
        order.sort_by_key(|&row| profile.stacks[row as usize]);
    }
    let same = |a: &u32, b: &u32| profile.stacks[*a as usize] == profile.stacks[*b as usize];
    let mut text = String::new();
    header(profile, &plan, &mut text);
    let mut locations = Locations::default();
    let (mut ids, mut rows) = (Vec::new(), Vec::new());
    let mut numbers = Numbers::default();
    for (i, group) in order.chunk_by(same).enumerate() {
        rows.clear();
        rows.extend(group.iter().map(|&r| r as usize));
        let values = plan.values(profile, &rows)?;
        let stack = rows.first().map_or(StackId::EMPTY, |&r| profile.stacks[r]);
        ids.clear();
        locations.of_stack(stack, symbols, &mut ids);
        numbers.grow(&locations);
        text.push_str(if i == 0 { "\n" } else { ",\n" });
        point(&plan, &values, &numbers, &ids, &mut text);
        flush(&mut text, out)?;
    }
    text.push_str("\n],\n\"ftbl\":[\n\"[root]\"");
    for (id, frames) in locations.rows() {
        for frame in frames {
            text.push_str(",\n");
            let name = frame_text(id, &symbols.frames.get(frame), symbols);
            string(&name, &mut text);
        }
        flush(&mut text, out)?;
    }
    text.push_str("\n]}\n");
    out.write_all(text.as_bytes()).map_err(unwritable)
}

fn flush(text: &mut String, out: &mut dyn Write) -> Result<()> {
    if text.len() > 64 << 10 {
        out.write_all(text.as_bytes()).map_err(unwritable)?;
        text.clear();
    }
    Ok(())
}

/// Numbers of the frame table by location: its frames follow one another, innermost first.
#[derive(Debug, Default)]
struct Numbers {
    first: Vec<u32>,
    next: u32,
}

impl Numbers {
    fn grow(&mut self, locations: &Locations) {
        for (_, frames) in locations.rows_from(self.first.len() + 1) {
            self.first.push(self.next + 1);
            self.next += frames.count() as u32;
        }
    }

    fn of(&self, location: usize) -> std::ops::Range<u32> {
        let from = self.first.get(location - 1).copied().unwrap_or(0);
        let to = self.first.get(location).copied().unwrap_or(self.next + 1);
        from..to
    }
}

fn header(profile: &Profile, plan: &Plan, text: &mut String) {
    let meta = &profile.meta;
    let time = profile.metric("lifetime").map(|i| &profile.metrics[i].unit);
    let time = match time {
        Some(Unit::Named(name)) => name.as_str(),
        _ => "instrs",
    };
    let (mode, verb) = match (plan.copies, &plan.unit) {
        (true, _) => ("copy", "Copied"),
        (false, Some(_)) => ("ad-hoc", "Occurred"),
        (false, None) if meta.language == Some("rust") => ("rust-heap", "Allocated"),
        (false, None) => ("heap", "Allocated"),
    };
    let (million, short) = match time {
        "instrs" => ("Minstr".to_owned(), 500),
        "µs" => ("s".to_owned(), 10),
        other => (format!("M{other}"), 0),
    };
    text.push_str("{\"dhatFileVersion\":2");
    for (key, value) in [
        ("mode", mode),
        ("verb", verb),
        ("tu", time),
        ("Mtu", &million),
    ] {
        member(key, value, text);
    }
    if let Some(unit) = &plan.unit {
        for (key, value) in [("bu", unit.as_str()), ("bsu", unit), ("bksu", "events")] {
            member(key, value, text);
        }
    }
    member("cmd", meta.command.as_deref().unwrap_or(""), text);
    text.push_str(&format!(
        ",\n\"bklt\":{},\"bkacc\":{},\"pid\":{}",
        plan.lifetimes,
        plan.accesses,
        meta.pid.unwrap_or(0)
    ));
    if plan.lifetimes {
        text.push_str(&format!(",\"tuth\":{short},\"tg\":0"));
    }
    text.push_str(",\"te\":0,\n\"pps\":[");
}

fn member(key: &str, value: &str, text: &mut String) {
    text.push_str(",\n");
    string(key, text);
    text.push(':');
    string(value, text);
}

fn point(
    plan: &Plan,
    values: &[i64; FIELDS.len()],
    numbers: &Numbers,
    locations: &[usize],
    text: &mut String,
) {
    for (i, ((name, _), value)) in FIELDS.iter().zip(values).enumerate() {
        let written = match i {
            TIME => plan.columns[TIME].is_some() && plan.lifetimes,
            TOTAL | 1 => true,
            READ.. => plan.accesses,
            _ => plan.lifetimes,
        };
        if written {
            text.push(if i == 0 { '{' } else { ',' });
            text.push_str(&format!("\"{name}\":{value}"));
        } else if i == TIME && plan.lifetimes {
            text.push_str(",\"tl\":0");
        }
    }
    text.push_str(",\"fs\":[");
    let mut first = true;
    for &location in locations.iter().rev() {
        for number in numbers.of(location) {
            if !first {
                text.push(',');
            }
            first = false;
            text.push_str(&number.to_string());
        }
    }
    text.push_str("]}");
}

/// `0x1F: load (src/x.rs:12:5)`. A name that itself looks as if a place followed it gets an
/// unknown one, so that it is read back whole.
fn frame_text(address: usize, frame: &Frame, symbols: &Symbols) -> String {
    let of = |id| symbols.strings.get(id);
    let name = match of(frame.function) {
        "" => "???",
        name => name,
    };
    let (file, module) = (of(frame.file), of(frame.module));
    let mut out = format!("{address:#x}: {name}");
    if !file.is_empty() {
        out.push_str(&format!(" ({file}:{}", frame.line));
        if frame.column > 0 || file.contains(':') {
            out.push_str(&format!(":{}", frame.column));
        }
        out.push(')');
    } else if !module.is_empty() {
        out.push_str(&format!(" (in {module})"));
    } else if name.ends_with(')') {
        out.push_str(" (in ???)");
    }
    out
}

/// A JSON string.
fn string(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c if (c as u32) < 0x20 => text.push_str(&format!("\\u{:04x}", c as u32)),
            c => text.push(c),
        }
    }
    text.push('"');
}
