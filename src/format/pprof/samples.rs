//! Samples: the bulk of a profile, read in one pass without an allocation per sample.

use super::columns::Columns;
use super::frames::Places;
use super::prune::Cut;
use super::tables::Tables;
use super::wire::{Cursor, Field};
use crate::error::{Error, Result};
use crate::model::{FrameId, Label, LabelValue, LabelsId, ProfileBuilder, StrId, Symbols};
use rustc_hash::FxHashMap;

/// Reads samples into a builder.
pub(super) struct Samples<'a> {
    tables: &'a Tables,
    columns: &'a Columns,
    places: &'a Places,
    builder: ProfileBuilder,
    rows: Vec<usize>,
    frames: Vec<FrameId>,
    values: Vec<i64>,
    labels: Vec<Label>,
    texts: FxHashMap<i64, StrId>,
    plain: bool,
    base_key: StrId,
    base_value: StrId,
    /// Samples of the base side of a difference that was saved.
    pub base: u64,
}

impl<'a> Samples<'a> {
    /// A reader of the samples of these tables.
    pub fn new(
        tables: &'a Tables,
        columns: &'a Columns,
        places: &'a Places,
        symbols: &mut Symbols,
    ) -> Self {
        Samples {
            tables,
            columns,
            places,
            builder: ProfileBuilder::new(columns.metrics.clone()),
            rows: Vec::new(),
            frames: Vec::new(),
            values: Vec::new(),
            labels: Vec::new(),
            texts: FxHashMap::default(),
            plain: columns.factors.iter().all(|&f| f == 1),
            base_key: symbols.strings.intern("pprof::base"),
            base_value: symbols.strings.intern("true"),
            base: 0,
        }
    }

    /// The finished builder.
    pub fn finish(self) -> ProfileBuilder {
        self.builder
    }

    /// Reads one sample.
    ///
    /// Errors: a location that does not exist, a number of values that is not the number of
    /// sample types, a value out of range, a string index outside of the table.
    pub fn take(&mut self, sample: &Field<'_>, symbols: &mut Symbols) -> Result<()> {
        let at = sample.at;
        self.rows.clear();
        self.frames.clear();
        self.values.clear();
        self.labels.clear();
        let mut message = sample.bytes()?;
        while let Some(field) = message.field()? {
            match field.number {
                1 if self.places.cuts_any => {
                    let (rows, places) = (&mut self.rows, self.places);
                    field.each(|id, at| {
                        rows.push(places.row(id).ok_or_else(|| no_location(id, at))?);
                        Ok(())
                    })?;
                }
                1 => {
                    let (frames, places) = (&mut self.frames, self.places);
                    field.each(|id, at| {
                        if let Some(one) = places.single(id) {
                            frames.push(one);
                            return Ok(());
                        }
                        let row = places.row(id).ok_or_else(|| no_location(id, at))?;
                        frames.extend_from_slice(places.frames(row));
                        Ok(())
                    })?;
                }
                2 => {
                    let values = &mut self.values;
                    field.each(|n, _| {
                        values.push(n as i64);
                        Ok(())
                    })?;
                }
                3 => {
                    let message = field.bytes()?;
                    self.label(message, field.at, symbols)?;
                }
                _ => {}
            }
        }
        if self.values.len() != self.columns.metrics.len() {
            return Err(Error::damaged(
                at,
                format!(
                    "a sample with {} values for {} sample types",
                    self.values.len(),
                    self.columns.metrics.len()
                ),
            ));
        }
        if !self.plain {
            for (value, factor) in self.values.iter_mut().zip(&self.columns.factors) {
                *value = value.checked_mul(*factor).ok_or_else(|| too_large(at))?;
            }
        }
        let stack = self.stack(symbols);
        let added = if self.labels.is_empty() {
            self.builder.add(stack, &self.values)
        } else {
            let labels = self.label_set(symbols);
            self.builder.add_labelled(stack, labels, &self.values)
        };
        added.map_err(|e| e.at(crate::error::Place::Byte(at)))
    }

    /// The sample's stack, of which `drop_frames` may have removed a part.
    fn stack(&mut self, symbols: &mut Symbols) -> crate::model::StackId {
        if self.places.cuts_any {
            let from = self.cut();
            for &row in &self.rows[from..] {
                self.frames.extend_from_slice(self.places.frames(row));
            }
        }
        symbols.stacks.intern_leaf_first(&self.frames)
    }

    /// The first location that stays: from the root, the first to be dropped after one that is
    /// not, so that a stack is never dropped as a whole.
    fn cut(&self) -> usize {
        let mut user = false;
        for (i, &row) in self.rows.iter().enumerate().rev() {
            match self.places.cut(row) {
                Cut::Nothing => user = true,
                Cut::Whole if user => return i + 1,
                Cut::Beneath if user => return i,
                _ => {}
            }
        }
        0
    }

    fn label(&mut self, mut message: Cursor<'_>, at: u64, symbols: &mut Symbols) -> Result<()> {
        let (mut key, mut text, mut number, mut unit) = (0, 0, 0, 0);
        while let Some(field) = message.field()? {
            match field.number {
                1 => key = field.int()?,
                2 => text = field.int()?,
                3 => number = field.int()?,
                4 => unit = field.int()?,
                _ => {}
            }
        }
        let key = self.text(key, at, symbols)?;
        let value = if text != 0 {
            LabelValue::Text(self.text(text, at, symbols)?)
        } else if number != 0 || unit != 0 {
            LabelValue::Number(number, self.text(unit, at, symbols)?)
        } else {
            return Ok(());
        };
        self.labels.push(Label { key, value });
        Ok(())
    }

    fn text(&mut self, index: i64, at: u64, symbols: &mut Symbols) -> Result<StrId> {
        if let Some(&known) = self.texts.get(&index) {
            return Ok(known);
        }
        let id = symbols.strings.intern_bytes(self.tables.text(index, at)?);
        self.texts.insert(index, id);
        Ok(id)
    }

    /// Labels are a set: the order in which a writer happened to list them tells nothing.
    fn label_set(&mut self, symbols: &mut Symbols) -> LabelsId {
        let strings = &symbols.strings;
        self.labels
            .sort_by(|a, b| strings.get(a.key).cmp(strings.get(b.key)));
        let base = Label {
            key: self.base_key,
            value: LabelValue::Text(self.base_value),
        };
        self.base += self.labels.contains(&base) as u64;
        symbols.labels.intern(&self.labels)
    }
}

#[cold]
fn no_location(id: u64, at: u64) -> Error {
    Error::damaged(at, format!("a sample in location {id}, which is not there"))
}

#[cold]
fn too_large(at: u64) -> Error {
    Error::damaged(at, "a value that does not fit into 64 bits as bytes")
}
