//! An object graph as compact rows: objects are ordinals, references are columns.
//!
//! References of object `v` are `targets[offsets[v]..offsets[v + 1]]`, with their labels parallel
//! to them. What stands in the rows holds its target: weak references, null and references to
//! objects that the capture lacks are counted in [`GraphCounts`] and left out, so that no analysis
//! can disagree about them. Parallel references are kept (two slots are two things to cut), and so
//! are references of an object to itself.
//!
//! Memory: 20 bytes an object (offset, type, size, id; 16 where ids fit 32 bits), 8 a reference.

mod allocations;
mod builder;
mod ids;
mod loaders;
mod meta;
mod names;
mod tally;
mod tight;

pub use builder::{Defined, GraphBuilder};
pub use ids::Ids;
pub use loaders::LoaderTally;
pub use meta::{Collector, GcMode, GraphCounts, GraphMeta, IdKind, Root, RootKind};
pub use names::{EdgeKind, GraphNames, LabelId, LabelInfo, Role, TypeId, TypeInfo};
pub use tally::TypeTally;
pub use tight::push;

use super::profile::Symbols;
use super::strings::StrId;
use crate::error::{Error, Result};

/// In the column of sizes: the size stands in the side table.
const LARGE: u32 = u32::MAX;

/// An object graph. Built by [`GraphBuilder`].
#[derive(Debug, Default)]
pub struct HeapGraph {
    /// What the capture says about itself.
    pub meta: GraphMeta,
    /// What holds objects from outside, in the order of the file.
    pub roots: Vec<Root>,
    offsets: Vec<u32>,
    targets: Vec<u32>,
    labels: Vec<u32>,
    types: Vec<u32>,
    sizes: Vec<u32>,
    large: Vec<(u32, u64)>,
    ids: Ids,
    sites: Vec<u32>,
    values: Vec<(u32, StrId)>,
    tally: Option<Box<[TypeTally]>>,
    loaders: Box<[LoaderTally]>,
}

impl HeapGraph {
    /// Number of objects.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Number of references in the rows.
    pub fn edge_count(&self) -> usize {
        self.targets.len()
    }

    /// Where the references of each object begin; one more entry than objects.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// Target of each reference.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// Label of each reference, as [`LabelId`] numbers.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Type of each object, as [`TypeId`] numbers.
    pub fn types(&self) -> &[u32] {
        &self.types
    }

    /// The range of an object's references in the columns.
    #[inline]
    pub fn row(&self, node: u32) -> std::ops::Range<usize> {
        let v = node as usize;
        self.offsets[v] as usize..self.offsets[v + 1] as usize
    }

    /// The references of an object: target and label.
    pub fn edges(&self, node: u32) -> impl Iterator<Item = (u32, LabelId)> + '_ {
        let row = self.row(node);
        let labels = self.labels[row.clone()].iter().map(|&l| LabelId(l));
        self.targets[row].iter().copied().zip(labels)
    }

    /// The type of an object.
    #[inline]
    pub fn type_of(&self, node: u32) -> TypeId {
        TypeId(self.types[node as usize])
    }

    /// The object's own bytes.
    #[inline]
    pub fn size(&self, node: u32) -> u64 {
        match self.sizes[node as usize] {
            LARGE => self
                .large
                .binary_search_by_key(&node, |l| l.0)
                .map_or(LARGE as u64, |i| self.large[i].1),
            small => small as u64,
        }
    }

    /// Own bytes of all objects. Cost: one pass.
    pub fn total_size(&self) -> u64 {
        let small = |&&s: &&u32| s != LARGE;
        let sum: u64 = self.sizes.iter().filter(small).map(|&s| s as u64).sum();
        let side = |(i, _): &(usize, &u32)| self.size(*i as u32);
        let large = self.sizes.iter().enumerate().filter(|(_, s)| **s == LARGE);
        large.map(|l| side(&l)).fold(sum, u64::saturating_add)
    }

    /// The original ids, by ordinal; empty when the format has none.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The ordinal of an original id. Cost: a pass over all ids.
    pub fn find_id(&self, id: u64) -> Option<u32> {
        (0..self.len() as u32).find(|&v| self.ids.get(v) == Some(id))
    }

    /// The call stack that allocated an object, as a handle of [`Symbols::stacks`]; none where
    /// the capture has no allocation traces.
    pub fn site(&self, node: u32) -> Option<u32> {
        let site = self.sites.get(node as usize).copied();
        site.filter(|&s| s != u32::MAX)
    }

    /// Whether the capture has allocation traces.
    pub fn has_sites(&self) -> bool {
        !self.sites.is_empty()
    }

    /// A short value of an object; present only where the user asked for values.
    pub fn value(&self, node: u32) -> Option<StrId> {
        let at = self.values.binary_search_by_key(&node, |v| v.0).ok()?;
        Some(self.values[at].1)
    }

    /// Lets go of the references, which an analysis has reduced to what it needs.
    pub fn drop_edges(&mut self) {
        self.offsets = Vec::new();
        self.targets = Vec::new();
        self.labels = Vec::new();
    }

    /// Holds that columns are of equal length and that every handle points into its table.
    ///
    /// Errors: the reader built a graph that contradicts itself.
    pub fn check_valid(&self, symbols: &Symbols) -> Result<()> {
        let n = self.len();
        let broken = |what: &str| Err(Error::damaged(0, format!("the object graph {what}")));
        if self.sizes.len() != n || self.offsets.len() != n + 1 {
            return broken("has columns of unequal length");
        }
        if !self.sites.is_empty() && self.sites.len() != n {
            return broken("has allocation sites for some objects only");
        }
        if !self.ids.is_empty() && self.ids.len() != n {
            return broken("has ids for some objects only");
        }
        let ascending = self.offsets.windows(2).all(|w| w[0] <= w[1]);
        let ends = self.offsets.last().map(|&o| o as usize);
        if !ascending || ends != Some(self.targets.len()) || self.labels.len() != self.targets.len()
        {
            return broken("has rows that overlap");
        }
        if self.targets.iter().any(|&t| t as usize >= n) {
            return broken("refers to objects that it lacks");
        }
        let known = symbols.graph.types().len();
        if self
            .tally()
            .into_iter()
            .flatten()
            .any(|t| t.type_of.0 as usize >= known)
        {
            return broken("counts objects of a type that it lacks");
        }
        let (types, labels) = (symbols.graph.types().len(), symbols.graph.labels().len());
        if self.types.iter().any(|&t| t as usize >= types) {
            return broken("has objects of a type that it lacks");
        }
        if self.labels.iter().any(|&l| l as usize >= labels) {
            return broken("has references with a label that it lacks");
        }
        if self.roots.iter().any(|r| r.node as usize >= n) {
            return broken("has roots that name no object");
        }
        Ok(())
    }
}
