//! A profile as pprof's `profile.proto`, gzipped. The same profile gives the same bytes.
//!
//! Source of the format: `proto/profile.proto` of github.com/google/pprof.
//!
//! Metrics carry pprof's names where it has one (`live_bytes` is `inuse_space`). A location is a
//! frame with what was inlined into it, at address 0; there is a mapping for each module, marked
//! as symbolised, so that `go tool pprof` looks for no symbols. Names stand without a
//! `system_name`, so that it does not shorten them either.

use super::locations::Locations;
use super::proto::Message;
use super::unwritable;
use crate::error::Result;
use crate::model::{
    Exactness, LabelValue, LabelsId, Metric, Profile, StackId, StrId, Symbols, Unit,
};
use flate2::{Compression, GzBuilder};
use rustc_hash::FxHashMap;
use std::io::Write;

/// pprof's names for metrics that it knows by another name.
const NAMES: &[(&str, &str)] = &[
    ("live_bytes", "inuse_space"),
    ("live_blocks", "inuse_objects"),
    ("total_bytes", "alloc_space"),
    ("total_blocks", "alloc_objects"),
];

fn name_of(metric: &Metric) -> &str {
    NAMES
        .iter()
        .find(|(ours, _)| *ours == metric.name)
        .map_or(&metric.name, |(_, theirs)| theirs)
}

fn unit_of(metric: &Metric) -> &str {
    match &metric.unit {
        Unit::Bytes => "bytes",
        Unit::Count => "count",
        Unit::Named(name) => name,
    }
}

/// The string table: index 0 is the empty string.
#[derive(Debug)]
struct Text<'a> {
    symbols: &'a Symbols,
    /// Index by handle; 0 is not there yet, or the empty string.
    of_handle: Vec<u32>,
    index: FxHashMap<&'a str, u32>,
    rows: Vec<&'a str>,
}

impl<'a> Text<'a> {
    fn new(symbols: &'a Symbols) -> Self {
        Text {
            symbols,
            of_handle: vec![0; symbols.strings.len()],
            index: FxHashMap::from_iter([("", 0)]),
            rows: vec![""],
        }
    }

    fn text(&mut self, text: &'a str) -> i64 {
        let next = self.rows.len() as u32;
        let index = *self.index.entry(text).or_insert(next);
        if index == next {
            self.rows.push(text);
        }
        index as i64
    }

    fn handle(&mut self, id: StrId) -> i64 {
        match self.of_handle.get(id.index()) {
            Some(&known) if known > 0 => known as i64,
            _ => {
                let index = self.text(self.symbols.strings.get(id));
                if let Some(slot) = self.of_handle.get_mut(id.index()) {
                    *slot = index as u32;
                }
                index
            }
        }
    }
}

/// Writes `profile` with all its metrics and labels. `default_metric` is the metric that pprof
/// shows first; without it, or where the profile lacks it, the profile's own default. Exact
/// profiles are marked by a period of 1 byte.
///
/// Errors: `out` cannot be written to. Cost: one pass over the samples; memory for the tables.
pub fn write(
    profile: &Profile,
    symbols: &Symbols,
    default_metric: Option<&str>,
    out: &mut dyn Write,
) -> Result<()> {
    let own = profile.meta.default_metric.as_deref();
    let sampling = profile.meta.sampling.and_then(|s| s.mean_bytes);
    let source = Source {
        symbols,
        metrics: &profile.metrics,
        rows: profile.len(),
        default_metric: default_metric
            .and_then(|name| profile.metric(name))
            .or_else(|| own.and_then(|name| profile.metric(name))),
        period: match profile.meta.exactness {
            Exactness::Exact => Some(1),
            Exactness::Sampled => Some(sampling.map_or(0, |mean| mean.round() as i64)),
            Exactness::Unknown => None,
        },
    };
    let row = |i: usize, values: &mut Vec<i64>| {
        values.extend(profile.columns.iter().map(|c| c.get(i)));
        Row {
            stack: profile.stacks[i],
            labels: profile.labels_of(i),
            is_base: false,
            left_out: false,
        }
    };
    write_source(&source, row, out)
}

/// What is written besides the samples.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// The names behind all handles.
    pub symbols: &'a Symbols,
    /// What a sample counts.
    pub metrics: &'a [Metric],
    /// Number of samples.
    pub rows: usize,
    /// The metric that pprof shows first.
    pub default_metric: Option<usize>,
    /// Mean number of bytes between two samples, where it is known.
    pub period: Option<i64>,
}

/// A sample, beside its values.
#[derive(Debug)]
pub(super) struct Row {
    /// Where.
    pub stack: StackId,
    /// Its labels.
    pub labels: LabelsId,
    /// Whether it belongs to what is subtracted; pprof takes percentages of those.
    pub is_base: bool,
    /// Whether it is not written.
    pub left_out: bool,
}

/// Writes samples that `row` gives by position, their values into an empty list.
///
/// Errors: `out` cannot be written to.
pub(super) fn write_source(
    source: &Source<'_>,
    row: impl Fn(usize, &mut Vec<i64>) -> Row,
    out: &mut dyn Write,
) -> Result<()> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(out, Compression::new(6));
    write_plain(source, row, &mut gzip).map_err(unwritable)?;
    gzip.finish().map_err(unwritable)?;
    Ok(())
}

/// What is written goes out in pieces of about this size.
const PIECE: usize = 64 << 10;

fn write_plain(
    source: &Source<'_>,
    row: impl Fn(usize, &mut Vec<i64>) -> Row,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let symbols = source.symbols;
    let mut text = Text::new(symbols);
    let mut all = Message::default();
    let mut one = Message::default();
    for metric in source.metrics {
        one.clear();
        one.int(1, text.text(name_of(metric)));
        one.int(2, text.text(unit_of(metric)));
        all.bytes(1, one.as_bytes());
    }
    let mut locations = Locations::default();
    let (mut ids, mut values) = (Vec::new(), Vec::new());
    let mut label = Message::default();
    for i in 0..source.rows {
        values.clear();
        let row = row(i, &mut values);
        if row.left_out {
            continue;
        }
        ids.clear();
        locations.of_stack(row.stack, symbols, &mut ids);
        one.clear();
        one.packed(1, ids.iter().rev().map(|&id| id as i64));
        one.packed(2, values.iter().copied());
        for l in symbols.labels.get(row.labels) {
            label.clear();
            label.int(1, text.handle(l.key));
            match l.value {
                LabelValue::Text(value) => label.int(2, text.handle(value)),
                LabelValue::Number(value, unit) => {
                    label.int(3, value);
                    label.int(4, text.handle(unit));
                }
            }
            one.bytes(3, label.as_bytes());
        }
        if row.is_base {
            label.clear();
            label.int(1, text.text("pprof::base"));
            label.int(2, text.text("true"));
            one.bytes(3, label.as_bytes());
        }
        all.bytes(2, one.as_bytes());
        flush(&mut all, PIECE, out)?;
    }
    tables(&locations, symbols, &mut text, &mut all, out)?;
    footer(source, &mut text, &mut all);
    for row in &text.rows {
        all.bytes(6, row.as_bytes());
        flush(&mut all, PIECE, out)?;
    }
    flush(&mut all, 0, out)
}

fn flush(all: &mut Message, from: usize, out: &mut dyn Write) -> std::io::Result<()> {
    if all.as_bytes().len() > from {
        out.write_all(all.as_bytes())?;
        all.clear();
    }
    Ok(())
}

/// Mappings, locations and functions, numbered in order of first appearance.
fn tables(
    locations: &Locations,
    symbols: &Symbols,
    text: &mut Text<'_>,
    all: &mut Message,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut modules: FxHashMap<StrId, i64> = FxHashMap::default();
    let mut functions: FxHashMap<(StrId, StrId), i64> = FxHashMap::default();
    let (mut one, mut line) = (Message::default(), Message::default());
    for (id, frames) in locations.rows() {
        one.clear();
        one.int(1, id as i64);
        for (i, frame) in frames.enumerate() {
            let frame = symbols.frames.get(frame);
            if i == 0 && !frame.module.is_empty() {
                let next = modules.len() as i64 + 1;
                let mapping = *modules.entry(frame.module).or_insert(next);
                one.int(2, mapping);
                if mapping == next {
                    line.clear();
                    line.int(1, mapping);
                    line.int(5, text.handle(frame.module));
                    for has in 7..=10 {
                        line.int(has, 1);
                    }
                    all.bytes(3, line.as_bytes());
                }
            }
            let next = functions.len() as i64 + 1;
            let function = *functions
                .entry((frame.function, frame.file))
                .or_insert(next);
            if function == next {
                line.clear();
                line.int(1, function);
                line.int(2, text.handle(frame.function));
                line.int(4, text.handle(frame.file));
                all.bytes(5, line.as_bytes());
            }
            line.clear();
            line.int(1, function);
            line.int(2, frame.line as i64);
            line.int(3, frame.column as i64);
            one.bytes(4, line.as_bytes());
        }
        all.bytes(4, one.as_bytes());
        flush(all, PIECE, out)?;
    }
    Ok(())
}

/// The default metric, and how the profile was sampled.
fn footer<'a>(source: &Source<'a>, text: &mut Text<'a>, all: &mut Message) {
    if let Some(i) = source.default_metric {
        all.int(14, text.text(name_of(&source.metrics[i])));
    }
    let Some(period) = source.period else {
        return;
    };
    let mut one = Message::default();
    one.int(1, text.text("space"));
    one.int(2, text.text("bytes"));
    all.bytes(11, one.as_bytes());
    all.int(12, period);
}
