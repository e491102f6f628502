//! A capture of allocation sites: samples as columns, and what is known about the capture.

use super::code::Nameless;
use super::column::Column;
use super::frames::Frames;
use super::labels::{Labels, LabelsId};
use super::metric::Metric;
use super::stacks::{StackId, Stacks};
use super::strings::Strings;
use super::texts::StackTexts;
use crate::error::{Error, Result};
use rustc_hash::FxHashMap;

/// The interned names of all captures of one comparison: strings, frames, stacks, label sets.
#[derive(Debug, Default)]
pub struct Symbols {
    /// Text.
    pub strings: Strings,
    /// Places in the program.
    pub frames: Frames,
    /// Call stacks.
    pub stacks: Stacks,
    /// Label sets.
    pub labels: Labels,
    /// Stacks by the text that they were read from, for formats that write them as text.
    pub texts: StackTexts,
    /// Frames without a name, of the capture that was read last.
    pub nameless: Nameless,
}

/// Whether the numbers of a capture are counts or estimates. Decided by the format, never by the
/// look of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exactness {
    /// Every allocation was seen.
    Exact,
    /// Some allocations were seen; values are estimates.
    Sampled,
    /// The format does not say.
    #[default]
    Unknown,
}

/// How a capture was sampled.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sampling {
    /// Mean number of bytes between two samples, as recorded.
    pub mean_bytes: Option<f64>,
    /// The same, estimated from the samples where it is not recorded.
    pub estimated_mean_bytes: Option<f64>,
    /// Whether the values of the capture are scaled up to all allocations already.
    pub unbiased: bool,
}

/// A capture that ends too early, read as far as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvage {
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Bytes of the whole file.
    pub of_bytes: u64,
    /// Why the rest is missing.
    pub reason: String,
}

/// An instant of a recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moment {
    /// The instant in words: `the end`, `the peak`, `snapshot 12`.
    pub label: String,
    /// Seconds since the start of the recording, where it keeps time.
    pub seconds: Option<f64>,
}

/// What a capture says about itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meta {
    /// Name of the format in the registry.
    pub format: &'static str,
    /// The tool that wrote the file, as far as the file tells.
    pub producer: Option<String>,
    /// The command line of the profiled program.
    pub command: Option<String>,
    /// Process id of the profiled program.
    pub pid: Option<u64>,
    /// Completed runs and other drivers of growth, `runs` first.
    pub drivers: Vec<(String, f64)>,
    /// Exact, sampled or unknown.
    pub exactness: Exactness,
    /// How it was sampled; none for exact captures.
    pub sampling: Option<Sampling>,
    /// Set when the file was cut short and read as far as it goes.
    pub salvaged: Option<Salvage>,
    /// The instant that the live values are of, for formats that hold several.
    pub moment: Option<Moment>,
    /// The instant that the peak values are of, where it is known.
    pub peak_moment: Option<Moment>,
    /// The metric that the format shows by default.
    pub default_metric: Option<String>,
    /// Language of the whole capture where the format fixes it: `rust`, `python`, `js`, `java`.
    pub language: Option<&'static str>,
    /// The most frames that the tool kept of a stack, where it is known.
    pub depth_limit: Option<u32>,
    /// What a reader wants to tell the user: damage, guesses, what was left out.
    pub notes: Vec<String>,
}

impl Meta {
    /// Completed runs, if known.
    pub fn runs(&self) -> Option<f64> {
        self.drivers
            .iter()
            .find(|(name, _)| name == "runs")
            .map(|&(_, n)| n)
    }
}

/// A capture of allocation sites. Row `i` of every column belongs to `stacks[i]`; a pair of stack
/// and label set occurs once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// What the capture says about itself.
    pub meta: Meta,
    /// What each column counts.
    pub metrics: Vec<Metric>,
    /// The stack of each row.
    pub stacks: Vec<StackId>,
    /// The label set of each row; empty when no row has a label.
    pub labels: Vec<LabelsId>,
    /// One column per metric.
    pub columns: Vec<Column>,
}

impl Profile {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.stacks.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// Position of the metric called `name` (canonical), if the capture has it.
    pub fn metric(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|m| m.name == name)
    }

    /// The label set of row `i`.
    pub fn labels_of(&self, i: usize) -> LabelsId {
        self.labels.get(i).copied().unwrap_or(LabelsId::NONE)
    }

    /// Whether the columns fit together; every reader's result passes through this.
    ///
    /// Errors: names the first column or row that does not fit.
    pub fn check_valid(&self, symbols: &Symbols) -> Result<()> {
        let broken = |what: String| Err(Error::new(crate::error::Code::Damaged, what));
        if self.metrics.len() != self.columns.len() {
            return broken(format!(
                "{} metrics and {} columns",
                self.metrics.len(),
                self.columns.len()
            ));
        }
        if self.metrics.is_empty() {
            return broken("a profile without any metric".into());
        }
        for (metric, column) in self.metrics.iter().zip(&self.columns) {
            if column.len() != self.len() {
                return broken(format!(
                    "metric {} has {} of {} values",
                    metric.name,
                    column.len(),
                    self.len()
                ));
            }
        }
        if !self.labels.is_empty() && self.labels.len() != self.len() {
            return broken(format!(
                "{} label sets for {} samples",
                self.labels.len(),
                self.len()
            ));
        }
        for (i, metric) in self.metrics.iter().enumerate() {
            if self.metrics[..i].iter().any(|m| m.name == metric.name) {
                return broken(format!("two sample types are called {}", metric.name));
            }
        }
        if self
            .stacks
            .iter()
            .any(|s| s.index() >= symbols.stacks.len())
        {
            return broken("a sample without a stack".into());
        }
        Ok(())
    }
}

/// Collects samples into a [`Profile`]; samples of equal stack and labels are added up.
///
/// Cost: constant per sample; no allocation per sample.
#[derive(Debug)]
pub struct ProfileBuilder {
    profile: Profile,
    row_of_stack: Vec<u32>,
    row_of_labelled: FxHashMap<(StackId, LabelsId), u32>,
}

const NO_ROW: u32 = u32::MAX;

impl ProfileBuilder {
    /// A builder for samples with one value per metric.
    pub fn new(metrics: Vec<Metric>) -> Self {
        let columns = metrics.iter().map(|_| Column::default()).collect();
        ProfileBuilder {
            profile: Profile {
                metrics,
                columns,
                ..Profile::default()
            },
            row_of_stack: Vec::new(),
            row_of_labelled: FxHashMap::default(),
        }
    }

    /// Adds a sample without labels. `values` holds one value per metric; missing ones are 0.
    ///
    /// Errors: a sum that does not fit into 64 bits.
    pub fn add(&mut self, stack: StackId, values: &[i64]) -> Result<()> {
        self.add_labelled(stack, LabelsId::NONE, values)
    }

    /// Adds a sample with a label set; see [`ProfileBuilder::add`].
    pub fn add_labelled(&mut self, stack: StackId, labels: LabelsId, values: &[i64]) -> Result<()> {
        let row = self.row(stack, labels);
        let fresh = row == self.profile.stacks.len();
        if fresh {
            if labels != LabelsId::NONE && self.profile.labels.is_empty() {
                self.profile.labels.resize(row, LabelsId::NONE);
            }
            if labels != LabelsId::NONE || !self.profile.labels.is_empty() {
                self.profile.labels.push(labels);
            }
            self.profile.stacks.push(stack);
        }
        for (i, column) in self.profile.columns.iter_mut().enumerate() {
            let value = values.get(i).copied().unwrap_or(0);
            // A column without any number takes no memory before the end.
            if value == 0 && (!fresh || column.is_empty()) {
                continue;
            }
            if column.len() < row {
                column.extend_to(row);
            }
            if column.len() == row {
                column.push(value);
            } else {
                let sum = column.get(row).checked_add(value).ok_or_else(overflow)?;
                column.set(row, sum);
            }
        }
        Ok(())
    }

    fn row(&mut self, stack: StackId, labels: LabelsId) -> usize {
        let next = self.profile.stacks.len();
        if labels != LabelsId::NONE {
            return *self
                .row_of_labelled
                .entry((stack, labels))
                .or_insert(next as u32) as usize;
        }
        let i = stack.index();
        if i >= self.row_of_stack.len() {
            self.row_of_stack.resize(i + 1, NO_ROW);
        }
        if self.row_of_stack[i] == NO_ROW {
            self.row_of_stack[i] = next as u32;
        }
        self.row_of_stack[i] as usize
    }

    /// Number of rows so far.
    pub fn len(&self) -> usize {
        self.profile.len()
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.profile.is_empty()
    }

    /// The finished profile.
    pub fn finish(mut self, meta: Meta) -> Profile {
        let len = self.len();
        for column in &mut self.profile.columns {
            column.extend_to(len);
        }
        Profile {
            meta,
            ..self.profile
        }
    }
}

fn overflow() -> Error {
    Error::new(
        crate::error::Code::Damaged,
        "the values of one site exceed 64 bits",
    )
    .help("the file is damaged: capture it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_stacks_are_added_up_and_columns_widen() {
        let mut symbols = Symbols::default();
        let name = symbols.strings.intern("main");
        let frame = symbols
            .frames
            .intern(super::super::frames::Frame::named(name));
        let stack = symbols.stacks.intern_root_first(&[frame]);
        let mut b = ProfileBuilder::new(vec![
            Metric::known("live_bytes"),
            Metric::known("live_blocks"),
        ]);
        b.add(stack, &[u32::MAX as i64, 1]).unwrap();
        b.add(StackId::EMPTY, &[-5, 1]).unwrap();
        b.add(stack, &[10, 2]).unwrap();
        let p = b.finish(Meta::default());
        p.check_valid(&symbols).unwrap();
        assert_eq!(p.len(), 2);
        assert_eq!(
            (p.columns[0].get(0), p.columns[0].get(1)),
            (u32::MAX as i64 + 10, -5)
        );
        assert_eq!((p.columns[1].get(0), p.columns[1].sum()), (3, 4));
    }

    #[test]
    fn labels_split_a_stack() {
        let mut symbols = Symbols::default();
        let key = symbols.strings.intern("bytes");
        let set = symbols.labels.intern(&[super::super::labels::Label {
            key,
            value: super::super::labels::LabelValue::Number(
                64,
                super::super::strings::StrId::EMPTY,
            ),
        }]);
        let mut b = ProfileBuilder::new(vec![Metric::known("live_bytes")]);
        b.add(StackId::EMPTY, &[1]).unwrap();
        b.add_labelled(StackId::EMPTY, set, &[2]).unwrap();
        b.add_labelled(StackId::EMPTY, set, &[3]).unwrap();
        let p = b.finish(Meta::default());
        p.check_valid(&symbols).unwrap();
        assert_eq!(p.labels, vec![LabelsId::NONE, set]);
        assert_eq!(p.columns[0].get(1), 5);
    }
}
