//! Snapshots of names and numbers: `/proc/PID/status`, `smaps_rollup`, `/proc/meminfo`, `memory.stat`
//! of cgroups. One a file, or many in a row with a time in front of each.

use super::columns::{self, Column};
use super::outside::{Clock, folder_named, service_named};
use super::{Kind, Options, Outcome, each_line};
use crate::error::Result;
use crate::input::Source;
use crate::model::Measure;
use crate::model::SeriesName;
use crate::model::SeriesUnit;
use crate::model::Sink;
use crate::model::Time;

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Status,
    Smaps,
    Meminfo,
    Cgroup,
}

/// Lines of a snapshot that have to be there.
const LEAST: usize = 3;
/// Files of cgroups: bytes that the group holds, bytes of the kernel for it, page cache. Numbers of
/// pages and events are left out, except faults.
const HELD: [&str; 7] = [
    "anon",
    "shmem",
    "rss",
    "total_rss",
    "swap",
    "total_swap",
    "zswap",
];
const KERNEL: [&str; 6] = [
    "kernel",
    "kernel_stack",
    "pagetables",
    "percpu",
    "sock",
    "slab_unreclaimable",
];
const CACHE: [&str; 6] = [
    "file",
    "file_mapped",
    "slab_reclaimable",
    "cache",
    "total_cache",
    "mapped_file",
];
const EVENTS: [&str; 2] = ["pgfault", "pgmajfault"];

/// The name and the rest of `Name: value unit` or `name value`.
fn pair(line: &[u8], colon: bool) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line).ok()?;
    let (key, value) = match colon {
        true => text.split_once(':')?,
        false => text.split_once([' ', '\t'])?,
    };
    let word = |c: char| c.is_alphanumeric() || "_()".contains(c);
    (!key.is_empty() && key.chars().all(word)).then_some((key, value.trim()))
}

/// What these lines are a snapshot of.
pub(super) fn recognise(lines: &[&[u8]]) -> Option<Of> {
    let has = |key: &str, colon: bool| {
        let mut pairs = lines.iter().filter_map(|l| pair(l, colon));
        pairs.any(|(k, v)| k == key && v.starts_with(|c: char| c.is_ascii_digit()))
    };
    if has("VmRSS", true) || has("Pid", true) && has("Threads", true) || has("Tgid", true) {
        Some(Of::Status)
    } else if has("MemTotal", true) && has("MemFree", true) {
        Some(Of::Meminfo)
    } else if has("Rss", true) && (has("Pss", true) || has("Private_Dirty", true)) {
        Some(Of::Smaps)
    } else if has("anon", false) && has("file", false) || has("cache", false) && has("rss", false) {
        (lines.len() >= LEAST).then_some(Of::Cgroup)
    } else {
        None
    }
}

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::Snapshot);
    let Some(of) = recognise(&super::first_lines(source.head())) else {
        return Ok(outcome);
    };
    let mut clock = Clock::of(source, options);
    let of_cgroup = || (of == Of::Cgroup).then(|| folder_named(source)).flatten();
    let outside = service_named(source, options).or_else(of_cgroup);
    let mut service = outside.clone().unwrap_or_else(|| "service".to_owned());
    let mut pending: Vec<(Column, f64)> = Vec::new();
    let mut at = None;
    let mut lost = false;
    let host = of == Of::Meminfo;
    each_line(source, |number, line| {
        let before = clock.now();
        let Some(line) = clock.take(line) else {
            // A time in front of the next snapshot: this one is whole.
            lost |= !put(sink, &service, host, at.or(before), &mut pending);
            at = clock.now();
            return;
        };
        outcome.lines += 1;
        let colon = of != Of::Cgroup;
        let Some((key, value)) = pair(line, colon) else {
            // `... [rollup]`, and what else stands between.
            if line.ends_with(b"[rollup]") {
                return;
            }
            return outcome.bad(number, line);
        };
        if of == Of::Status && key == "Name" {
            lost |= !put(sink, &service, host, at, &mut pending);
            if outside.is_none() {
                value.clone_into(&mut service);
            }
        }
        at = clock.now();
        if let Some((column, v)) = sample(of, key, value) {
            pending.push((column, v));
        }
    })?;
    lost |= !put(sink, &service, host, at, &mut pending);
    if host {
        let what = "/proc/meminfo is the host's, wherever it was read: it is not judged";
        outcome.notes.push(what.to_owned());
    }
    clock.note(&mut outcome);
    if lost {
        outcome
            .notes
            .push("a snapshot without any time was left out".to_owned());
    }
    Ok(outcome)
}

/// A number of a snapshot, in base units.
fn sample(of: Of, key: &str, value: &str) -> Option<(Column, f64)> {
    let (number, unit) = match value.split_once(' ') {
        Some((n, u)) => (n.parse::<f64>().ok()?, u.trim()),
        None => (value.split('\t').next()?.parse::<f64>().ok()?, ""),
    };
    let bytes = unit.eq_ignore_ascii_case("kB");
    let mut column = columns::column(key);
    column.factor = if bytes { 1024.0 } else { 1.0 };
    column.unit = if bytes {
        SeriesUnit::Bytes
    } else {
        SeriesUnit::Count
    };
    match of {
        Of::Status => {
            let whole = ["Threads", "Pid"].contains(&key);
            if !bytes && !whole {
                return None;
            }
            // Text and libraries are mapped, page tables the kernel's.
            column.role = match key {
                "VmRSS" | "RssAnon" => Measure::Memory,
                "RssFile" | "RssShmem" => Measure::Cache,
                "VmPeak" | "VmHWM" => Measure::Limit,
                "VmSwap" | "VmPTE" => Measure::Part,
                _ if bytes => Measure::Address,
                _ => column.role,
            };
        }
        Of::Smaps => {
            column.role = match key {
                "Rss" | "Pss" | "Anonymous" | "Pss_Anon" | "Private_Dirty" => Measure::Memory,
                "Swap" | "SwapPss" => Measure::Part,
                _ => Measure::Cache,
            };
        }
        Of::Meminfo => {
            if !bytes {
                return None;
            }
            column.role = Measure::Host;
        }
        Of::Cgroup => {
            column.unit = SeriesUnit::Bytes;
            column.role = match key {
                k if HELD.contains(&k) => Measure::Memory,
                k if KERNEL.contains(&k) => Measure::Part,
                k if CACHE.contains(&k) => Measure::Cache,
                k if EVENTS.contains(&k) => {
                    column.unit = SeriesUnit::Count;
                    Measure::Counter
                }
                _ => return None,
            };
        }
    }
    let value = number * column.factor;
    value.is_finite().then_some((column, value))
}

/// Hands a snapshot on; false if it has no time.
fn put(
    sink: &mut dyn Sink,
    service: &str,
    host: bool,
    at: Option<Time>,
    pending: &mut Vec<(Column, f64)>,
) -> bool {
    let Some(at) = at else {
        let nothing = pending.is_empty();
        pending.clear();
        return nothing;
    };
    for (column, value) in pending.drain(..) {
        let metric = match host {
            true => format!("host.{}", column.metric),
            false => column.metric,
        };
        let id = sink.series(&SeriesName {
            service: service.to_owned(),
            metric,
            role: column.role,
            unit: column.unit,
        });
        sink.sample(id, at, value);
    }
    true
}
