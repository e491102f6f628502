//! Labels: what a capture says of a sample besides its stack (a tag, a size class, a leak kind).

use super::strings::{StrId, Strings};
use rustc_hash::FxHashMap;

/// The value of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelValue {
    /// Text.
    Text(StrId),
    /// A number with its unit; the unit is empty where none is given.
    Number(i64, StrId),
}

/// One label of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// The label's key.
    pub key: StrId,
    /// The label's value.
    pub value: LabelValue,
}

/// Handle of a set of labels in [`Labels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelsId(u32);

impl LabelsId {
    /// The set without a label.
    pub const NONE: LabelsId = LabelsId(0);

    /// Position in the table, from 0, in order of first appearance.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A table of distinct label sets. Sets are few in practice (size classes, leak kinds).
#[derive(Debug)]
pub struct Labels {
    sets: Vec<Box<[Label]>>,
    table: FxHashMap<Box<[Label]>, u32>,
}

impl Default for Labels {
    fn default() -> Self {
        let mut labels = Labels {
            sets: Vec::new(),
            table: FxHashMap::default(),
        };
        labels.intern(&[]);
        labels
    }
}

impl Labels {
    /// The handle of a set of labels in the order given, added if it is new.
    pub fn intern(&mut self, set: &[Label]) -> LabelsId {
        if let Some(&found) = self.table.get(set) {
            return LabelsId(found);
        }
        let id = self.sets.len() as u32;
        self.sets.push(set.into());
        self.table.insert(set.into(), id);
        LabelsId(id)
    }

    /// The labels of a set, in the order in which the capture gave them.
    pub fn get(&self, id: LabelsId) -> &[Label] {
        self.sets.get(id.index()).map_or(&[], |s| s)
    }

    /// Every handle of the table, in order.
    pub fn ids(&self) -> impl Iterator<Item = LabelsId> + use<> {
        (0..self.sets.len() as u32).map(LabelsId)
    }

    /// Number of distinct sets, the empty one included.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Never true: the empty set is always there.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The value of `key` as text, if the set has it; of several the first.
    pub fn text_of(&self, id: LabelsId, key: StrId, strings: &Strings) -> Option<String> {
        let label = self.get(id).iter().find(|l| l.key == key)?;
        Some(match label.value {
            LabelValue::Text(text) => strings.get(text).to_owned(),
            LabelValue::Number(n, unit) if unit.is_empty() => n.to_string(),
            LabelValue::Number(n, unit) => format!("{n} {}", strings.get(unit)),
        })
    }
}
