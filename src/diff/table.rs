//! The captures of a comparison side by side: one row per site, one column per capture and metric.
//!
//! Captures are added one at a time and given up as they are taken in, so one is resident besides
//! the table. All metrics are kept of the first and last capture of each side; in between only
//! the chosen one.

use super::filter::View;
use crate::error::{Code, Error, Result};
use crate::model::{Column, LabelsId, Metric, Nature, Profile, StackId, StrId, Symbols, Unit};
use crate::trend::Estimate;
use rustc_hash::FxHashMap;

/// Which side of a comparison a capture stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Given with `--base`.
    Base,
    /// All others.
    New,
}

impl Side {
    /// `base` or `new`, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Base => "base",
            Side::New => "new",
        }
    }
}

/// The columns of one side: every metric at its ends.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// The first capture of the side; empty when the side has only one.
    pub first: Vec<Column>,
    /// The last capture of the side.
    pub last: Vec<Column>,
}

/// The numbers of a set of rows.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// The base side, when there are two.
    pub base: Option<Ends>,
    /// The new side, or the only one.
    pub new: Ends,
    /// The chosen metric, one column per capture, base side first.
    pub series: Vec<Column>,
    /// The number of blocks behind a chosen metric of bytes, one column per capture; empty where
    /// not every capture counts them.
    pub blocks: Vec<Column>,
    /// The variance of each value of `series`, in squared units, where captures are samples of a
    /// known rate; else empty.
    pub variances: Vec<Vec<f64>>,
}

impl Values {
    /// The columns that stand for "before": the base side's last capture, or the only side's first.
    pub fn before(&self) -> &[Column] {
        match &self.base {
            Some(base) => &base.last,
            None if self.new.first.is_empty() => &self.new.last,
            None => &self.new.first,
        }
    }

    /// The columns that stand for "after": the last capture of all.
    pub fn after(&self) -> &[Column] {
        &self.new.last
    }

    fn each_column(&mut self, f: &mut dyn FnMut(&mut Column)) {
        if let Some(base) = &mut self.base {
            base.first
                .iter_mut()
                .chain(&mut base.last)
                .for_each(&mut *f);
        }
        self.new
            .first
            .iter_mut()
            .chain(&mut self.new.last)
            .chain(&mut self.series)
            .chain(&mut self.blocks)
            .for_each(f);
    }
}

/// One row per site.
#[derive(Debug, Clone, Default)]
pub struct SiteTable {
    /// What the columns of the ends count.
    pub metrics: Vec<Metric>,
    /// Position of the chosen metric in `metrics`.
    pub chosen: usize,
    /// The stack of each row.
    pub stacks: Vec<StackId>,
    /// The label value of each row; empty unless rows are told apart by a label.
    pub tags: Vec<StrId>,
    /// In which captures each row is, whatever its numbers: [`SiteTable::IN_BASE`] and others.
    pub presence: Vec<u8>,
    /// The numbers.
    pub values: Values,
    /// For each capture the totals of every metric that it has, before filters.
    pub totals: Vec<Vec<(Metric, i128)>>,
    /// What the filters left out, in the shape of `values`, one row.
    pub filtered: Values,
    /// Number of samples that the filters left out, over all captures.
    pub filtered_samples: u64,
}

impl SiteTable {
    /// The row is in a capture of the base side.
    pub const IN_BASE: u8 = 1;
    /// The row is in the new side's first capture.
    pub const IN_FIRST: u8 = 2;
    /// The row is in a later capture of the new side.
    pub const IN_LATER: u8 = 4;

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.stacks.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// Before and after of the chosen metric in a row.
    fn ends(&self, row: usize) -> (i64, i64) {
        (
            self.values.before()[self.chosen].get(row),
            self.values.after()[self.chosen].get(row),
        )
    }

    /// Whether some rows are there only before and some only after.
    pub fn has_one_sided_rows(&self) -> bool {
        let any = |test: fn((i64, i64)) -> bool| (0..self.len()).any(|row| test(self.ends(row)));
        any(|(b, a)| b != 0 && a == 0) && any(|(b, a)| b == 0 && a != 0)
    }

    /// Of the smaller end, the share of the chosen metric in rows that both ends have.
    pub fn shared_share(&self) -> f64 {
        let (mut shared, mut total) = ([0i128; 2], [0i128; 2]);
        for (before, after) in (0..self.len()).map(|row| self.ends(row)) {
            for (i, value) in [before, after].into_iter().enumerate() {
                total[i] += value.unsigned_abs() as i128;
                if before != 0 && after != 0 {
                    shared[i] += value.unsigned_abs() as i128;
                }
            }
        }
        let smaller = usize::from(total[1] < total[0]);
        if total[smaller] == 0 {
            1.0
        } else {
            shared[smaller] as f64 / total[smaller] as f64
        }
    }
}

/// Builds a [`SiteTable`]; see [`TableBuilder::add`].
#[derive(Debug)]
pub struct TableBuilder {
    table: SiteTable,
    chosen: String,
    tag_key: Option<StrId>,
    row_of_stack: Vec<u32>,
    row_of_tagged: FxHashMap<(StackId, StrId), u32>,
    notes: Vec<String>,
}

const NO_ROW: u32 = u32::MAX;

/// The metric that is looked at when the user names none: `live_bytes`, else the format's own
/// default, else `total_bytes`, else the first.
pub fn default_metric(profile: &Profile) -> String {
    let own = profile
        .meta
        .default_metric
        .as_deref()
        .filter(|m| profile.metric(m).is_some());
    ["live_bytes"]
        .into_iter()
        .chain(own)
        .chain(["total_bytes"])
        .find(|m| profile.metric(m).is_some())
        .or(profile.metrics.first().map(|m| m.name.as_str()))
        .unwrap_or("live_bytes")
        .to_owned()
}

impl TableBuilder {
    /// A table whose series hold the metric `chosen`. With `tag_key` rows are told apart by the
    /// value of that label as well.
    pub fn new(chosen: &str, tag_key: Option<StrId>) -> Self {
        TableBuilder {
            table: SiteTable::default(),
            chosen: chosen.to_owned(),
            tag_key,
            row_of_stack: Vec::new(),
            row_of_tagged: FxHashMap::default(),
            notes: Vec::new(),
        }
    }

    /// Takes in one capture. Captures come in order, the base side first; `first` and `last` say
    /// whether it is the first and the last of its side.
    ///
    /// Errors: the capture lacks the chosen metric, or counts it in other units.
    pub fn add(
        &mut self,
        side: Side,
        first: bool,
        last: bool,
        mut profile: Profile,
        view: &mut View,
        symbols: &mut Symbols,
    ) -> Result<()> {
        let chosen = self.find_chosen(&mut profile)?;
        self.align_metrics(&profile);
        let totals = profile.metrics.iter().zip(&profile.columns);
        self.table.totals.push(
            totals
                .filter(|(m, _)| m.is_additive())
                .map(|(m, c)| (m.clone(), c.sum()))
                .collect(),
        );
        let rows = self.rows_of(&profile, view, symbols);
        let len = self.table.stacks.len();
        self.table.presence.resize(len, 0);
        let bit = match side {
            Side::Base => SiteTable::IN_BASE,
            Side::New if first => SiteTable::IN_FIRST,
            Side::New => SiteTable::IN_LATER,
        };
        for &row in rows.iter().filter(|&&row| row != NO_ROW) {
            self.table.presence[row as usize] |= bit;
        }
        let identity = rows.len() == len && rows.iter().enumerate().all(|(i, &r)| r as usize == i);
        let mut left_out = Ends::default();
        let spread = variances(&profile, chosen, blocks_of(&self.chosen), &rows, len);
        self.table.values.variances.extend(spread);
        let blocks = blocks_of(&self.chosen).and_then(|name| profile.metric(&name));
        let wanted: Vec<usize> = self
            .table
            .metrics
            .iter()
            .filter_map(|m| profile.metric(&m.name))
            .collect();
        profile.stacks = Vec::new();
        // Each column is lined up once; wherever it stands it is the same one.
        let mut lined: Vec<Option<(Column, i128)>> = vec![None; profile.columns.len()];
        let mut line_up = |i: usize| {
            let column = &mut profile.columns[i];
            let (column, rest) = lined[i].get_or_insert_with(|| {
                let own = std::mem::take(column);
                let (mut column, rest) = match identity {
                    true => (own, 0),
                    false => scatter(&own, &rows, len),
                };
                column.share();
                (column, rest)
            });
            (column.clone(), one(*rest))
        };
        let mut ends = Vec::new();
        for &i in wanted.iter().filter(|_| first || last) {
            let (column, rest) = line_up(i);
            ends.push(column);
            left_out.last.push(rest);
        }
        if let Some(i) = blocks {
            let (column, rest) = line_up(i);
            self.table.values.blocks.push(column);
            self.table.filtered.blocks.push(rest);
        }
        let (column, rest) = line_up(chosen);
        self.table.values.series.push(column);
        self.table.filtered.series.push(rest);
        let only = first && last;
        for (values, ends) in [
            (&mut self.table.values, ends),
            (&mut self.table.filtered, left_out.last),
        ] {
            let place = match side {
                Side::Base => values.base.get_or_insert_default(),
                Side::New => &mut values.new,
            };
            if last || only {
                place.last = ends;
            } else if first {
                place.first = ends;
            }
        }
        Ok(())
    }

    /// What the captures made the table say: metrics that were dropped and why.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The finished table; columns of earlier captures are filled up with zeros.
    pub fn finish(mut self) -> SiteTable {
        let len = self.table.stacks.len();
        // What stands among the ends and in the series is one column, and stays one.
        let values = &self.table.values;
        let twice: Vec<Column> = values
            .series
            .iter()
            .chain(&values.blocks)
            .cloned()
            .collect();
        let mut extended: Vec<(Column, Column)> = Vec::new();
        self.table.values.each_column(&mut |column| {
            if column.len() >= len {
                return;
            }
            if let Some((_, after)) = extended.iter().find(|(before, _)| before.is_same(column)) {
                *column = after.clone();
                return;
            }
            let before = twice.iter().find(|c| c.is_same(column));
            column.extend_to(len);
            column.share();
            extended.extend(before.map(|before| (before.clone(), column.clone())));
        });
        drop((twice, extended));
        let captures = self.table.values.series.len();
        if self.table.values.blocks.len() != captures {
            self.table.values.blocks.clear();
            self.table.filtered.blocks.clear();
        }
        if self.table.values.variances.len() != captures {
            self.table.values.variances.clear();
        }
        for variances in &mut self.table.values.variances {
            variances.resize(len, 0.0);
        }
        self.table.chosen = self
            .table
            .metrics
            .iter()
            .position(|m| m.name == self.chosen)
            .unwrap_or(0);
        self.table
    }

    /// Position of the chosen metric in this capture. Folded stacks name no metric: theirs stands
    /// for whichever is chosen, when the units agree.
    fn find_chosen(&self, profile: &mut Profile) -> Result<usize> {
        if let Some(i) = profile.metric(&self.chosen) {
            if let Some(known) = self.table.metrics.iter().find(|m| m.name == self.chosen)
                && known.unit != profile.metrics[i].unit
            {
                return Err(Error::new(
                    Code::Incomparable,
                    format!(
                        "counts {} in {}, the captures before it in {}",
                        self.chosen,
                        profile.metrics[i].unit.as_str(),
                        known.unit.as_str()
                    ),
                )
                .help("compare captures of one tool"));
            }
            return Ok(i);
        }
        let wanted = Metric::known(&self.chosen);
        if let Some(i) = plain_metric(profile, &wanted.unit) {
            profile.metrics[i] = wanted;
            return Ok(i);
        }
        let have: Vec<_> = profile.metrics.iter().map(|m| m.name.as_str()).collect();
        Err(Error::new(
            Code::Incomparable,
            format!("has no {}, it has {}", self.chosen, have.join(", ")),
        )
        .help("choose a metric that every capture has with --metric"))
    }

    /// Keeps the metrics that this capture shares with all before it.
    fn align_metrics(&mut self, profile: &Profile) {
        if self.table.totals.is_empty() {
            self.table.metrics = profile.metrics.clone();
            return;
        }
        let mut keep = Vec::new();
        for metric in &self.table.metrics {
            let same = profile.metrics.iter().find(|m| m.name == metric.name);
            let comparable = same.is_some_and(|m| m.unit == metric.unit);
            if !comparable && same.is_some() {
                self.notes.push(format!(
                    "{} is left out: it is counted in different units",
                    metric.name
                ));
            }
            keep.push(comparable);
        }
        let retain = |columns: &mut Vec<Column>| {
            let mut it = keep.iter();
            columns.retain(|_| *it.next().unwrap_or(&true));
        };
        for values in [&mut self.table.values, &mut self.table.filtered] {
            if let Some(base) = &mut values.base {
                retain(&mut base.first);
                retain(&mut base.last);
            }
            retain(&mut values.new.first);
            retain(&mut values.new.last);
        }
        let mut it = keep.iter();
        self.table.metrics.retain(|_| *it.next().unwrap_or(&true));
    }

    /// The row of each sample; [`NO_ROW`] for those that the filters leave out.
    fn rows_of(&mut self, profile: &Profile, view: &mut View, symbols: &mut Symbols) -> Vec<u32> {
        let plain = view.is_plain();
        let mut rows = Vec::with_capacity(profile.len());
        for (i, &stack) in profile.stacks.iter().enumerate() {
            let labels = profile.labels_of(i);
            let seen = if plain {
                Some(stack)
            } else {
                view.apply(stack, labels, symbols)
            };
            let row = match seen {
                Some(stack) => self.row(stack, labels, symbols),
                None => {
                    self.table.filtered_samples += 1;
                    NO_ROW
                }
            };
            rows.push(row);
        }
        rows
    }

    fn row(&mut self, stack: StackId, labels: LabelsId, symbols: &mut Symbols) -> u32 {
        let table = &mut self.table;
        let next = table.stacks.len() as u32;
        if let Some(key) = self.tag_key {
            let text = symbols
                .labels
                .text_of(labels, key, &symbols.strings)
                .unwrap_or_default();
            let tag = symbols.strings.intern(&text);
            let row = *self.row_of_tagged.entry((stack, tag)).or_insert(next);
            if row == next {
                table.stacks.push(stack);
                table.tags.push(tag);
            }
            return row;
        }
        let i = stack.index();
        if i >= self.row_of_stack.len() {
            self.row_of_stack
                .resize(symbols.stacks.len().max(i + 1), NO_ROW);
        }
        if self.row_of_stack[i] == NO_ROW {
            self.row_of_stack[i] = next;
            table.stacks.push(stack);
        }
        self.row_of_stack[i]
    }
}

/// The variance of each row of a sampled capture, by the rate and the size of the blocks; nothing
/// for captures that are no samples, or of an unknown rate.
fn variances(
    profile: &Profile,
    chosen: usize,
    blocks: Option<String>,
    rows: &[u32],
    len: usize,
) -> Option<Vec<f64>> {
    let sampling = profile.meta.sampling?;
    let mean = sampling
        .mean_bytes
        .or(sampling.estimated_mean_bytes)
        .filter(|&m| m > 1.0)?;
    if profile.metrics[chosen].unit != Unit::Bytes {
        return None;
    }
    let blocks = blocks.and_then(|name| profile.metric(&name));
    let mut out = vec![0.0; len];
    for (i, &row) in rows.iter().enumerate() {
        let bytes = profile.columns[chosen].get(i) as f64;
        if row == NO_ROW || bytes <= 0.0 {
            continue;
        }
        let estimate = match blocks.map(|b| profile.columns[b].get(i)) {
            Some(n) if n > 0 => Estimate::of_scaled(bytes, n as f64, mean),
            _ => Estimate::of_bytes(bytes, mean),
        };
        out[row as usize] += estimate.variance;
    }
    Some(out)
}

/// The metric that counts the blocks of a metric of bytes.
fn blocks_of(metric: &str) -> Option<String> {
    metric
        .strip_suffix("_bytes")
        .map(|stem| format!("{stem}_blocks"))
}

/// The metric of a capture whose format names none, if it counts in `unit`.
pub fn plain_metric(profile: &Profile, unit: &Unit) -> Option<usize> {
    let named =
        |m: &&Metric| m.nature == Nature::Plain && (m.name == "bytes" || m.name == "blocks");
    let position = profile
        .metrics
        .iter()
        .position(|m| named(&m) && m.unit == *unit)?;
    (profile.metrics.len() == 1).then_some(position)
}

/// Adds the values of `column` up by row; returns also the sum of those without a row. A sum that
/// exceeds 64 bits is held at the bound: single sites of 8 EiB are damage that readers refuse.
fn scatter(column: &Column, rows: &[u32], len: usize) -> (Column, i128) {
    let mut out = Column::zeros(len);
    let mut rest = 0i128;
    for (i, &row) in rows.iter().enumerate() {
        let value = column.get(i);
        if row == NO_ROW {
            rest += value as i128;
        } else if value != 0 {
            let row = row as usize;
            let old = out.get(row);
            out.set(
                row,
                if old == 0 {
                    value
                } else {
                    old.saturating_add(value)
                },
            );
        }
    }
    (out, rest)
}

fn one(value: i128) -> Column {
    let mut column = Column::default();
    column.push(value.clamp(i64::MIN as i128, i64::MAX as i128) as i64);
    column
}
