//! How readers fill a [`HeapGraph`], in one pass and without an allocation per record.
//!
//! Two ways to name a target, one way to write rows:
//! - **By ordinal** ([`GraphBuilder::by_ordinal`]): the file numbers its objects, as V8 does.
//!   Objects and rows may be written apart: first every [`GraphBuilder::node`], then row after row
//!   [`GraphBuilder::edge`]... and [`GraphBuilder::end_row`], in the same order.
//! - **By id** ([`GraphBuilder::by_id`]): the file names objects by address, in any order, targets
//!   before or after their own record. [`GraphBuilder::target`] gives an id a handle on first
//!   sight, [`GraphBuilder::define`] says that this id's record has come, and
//!   [`GraphBuilder::finish`] renumbers handles to ordinals (the order of records) and drops and
//!   counts what was never defined.
//! - **Rows out of order** ([`GraphBuilder::fill`]): when degrees are known from a first pass,
//!   [`GraphBuilder::reserve_rows`] lays out all rows, and references come in any order.

use super::ids::Ids;
use super::meta::{GraphMeta, Root, RootKind};
use super::names::{LabelId, TypeId};
use super::tight::push;
use super::{HeapGraph, LARGE};
use crate::error::{Code, Error, Result};
use crate::model::strings::StrId;
use hashbrown::HashTable;

/// No ordinal: a handle that is not defined, a place that is not filled.
const NONE: u32 = u32::MAX;

/// What [`GraphBuilder::define`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    /// The record is new; its ordinal.
    New(u32),
    /// The id was defined before, with this ordinal: compare with [`GraphBuilder::row`].
    Again(u32),
}

/// Collects objects and references; see the module for the three ways to use it.
///
/// Memory while reading: by ordinal that of the graph, by id 10 to 20 bytes more an object.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: HeapGraph,
    /// By id: ids by handle, the table over them, and the ordinal that each handle got.
    handles: Option<Handles>,
    /// Out of order: the next free place of each row.
    cursors: Vec<u32>,
    dropped: bool,
}

#[derive(Debug, Default)]
struct Handles {
    ids: Vec<u64>,
    table: HashTable<u32>,
    ordinal: Vec<u32>,
}

/// Multiplies and folds: addresses differ in their middle bits.
fn hash(id: u64) -> u64 {
    let product = u128::from(id ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    (product >> 64) as u64 ^ product as u64
}

impl Handles {
    fn of(&mut self, id: u64) -> Result<u32> {
        let Handles {
            ids,
            table,
            ordinal,
        } = self;
        let h = hash(id);
        if let Some(&found) = table.find(h, |&i| ids[i as usize] == id) {
            return Ok(found);
        }
        let handle = number(ids.len(), "objects")?;
        table.insert_unique(h, handle, |&i| hash(ids[i as usize]));
        push(ids, id);
        push(ordinal, NONE);
        Ok(handle)
    }
}

/// A position as 32 bits; the last value stands for none.
fn number(n: usize, what: &str) -> Result<u32> {
    match u32::try_from(n) {
        Ok(n) if n != NONE => Ok(n),
        _ => Err(
            Error::new(Code::LimitExceeded, format!("more than 2^32 {what}"))
                .help("capture a smaller process"),
        ),
    }
}

impl GraphBuilder {
    /// A builder for a format that numbers its objects from 0.
    pub fn by_ordinal() -> Self {
        GraphBuilder {
            graph: HeapGraph {
                offsets: vec![0],
                ..HeapGraph::default()
            },
            ..GraphBuilder::default()
        }
    }

    /// A builder for a format that names objects by address or id.
    pub fn by_id() -> Self {
        GraphBuilder {
            handles: Some(Handles::default()),
            ..GraphBuilder::by_ordinal()
        }
    }

    /// What is to be known about the capture; readers fill it as they go.
    pub fn meta(&mut self) -> &mut GraphMeta {
        &mut self.graph.meta
    }

    /// Makes room for so many objects and references. Lengths that a file claims must be held
    /// against its size by the caller.
    pub fn reserve(&mut self, nodes: usize, edges: usize) {
        self.graph.types.reserve(nodes);
        self.graph.sizes.reserve(nodes);
        self.graph.offsets.reserve(nodes);
        self.graph.targets.reserve(edges);
        self.graph.labels.reserve(edges);
    }

    /// Number of objects so far.
    pub fn nodes(&self) -> usize {
        self.graph.types.len()
    }

    /// Appends an object; its ordinal. By ordinal, `id` is kept as its original id where the
    /// format has one; by id, use [`GraphBuilder::define`] first and pass none.
    ///
    /// Errors: more than 2^32 - 1 objects.
    #[inline]
    pub fn node(&mut self, type_of: TypeId, size: u64, id: Option<u64>) -> Result<u32> {
        let ordinal = number(self.graph.types.len(), "objects")?;
        push(&mut self.graph.types, type_of.0);
        if size < u64::from(LARGE) {
            push(&mut self.graph.sizes, size as u32);
        } else {
            push(&mut self.graph.sizes, LARGE);
            push(&mut self.graph.large, (ordinal, size));
        }
        if let Some(id) = id {
            self.graph.ids.push(id);
        }
        Ok(ordinal)
    }

    /// By id: the record of `id` has come. When new, its [`GraphBuilder::node`] must follow.
    ///
    /// Errors: more than 2^32 - 1 ids.
    pub fn define(&mut self, id: u64) -> Result<Defined> {
        let next = number(self.graph.types.len(), "objects")?;
        let handles = self.handles.get_or_insert_default();
        let handle = handles.of(id)? as usize;
        Ok(match handles.ordinal[handle] {
            NONE => {
                handles.ordinal[handle] = next;
                Defined::New(next)
            }
            before => Defined::Again(before),
        })
    }

    /// By id: the handle of a target, for [`GraphBuilder::edge`] and [`GraphBuilder::root`].
    ///
    /// Errors: more than 2^32 - 1 ids.
    #[inline]
    pub fn target(&mut self, id: u64) -> Result<u32> {
        self.handles.get_or_insert_default().of(id)
    }

    /// By id: the ordinal of an id whose record has come.
    pub fn defined(&self, id: u64) -> Option<u32> {
        let handles = self.handles.as_ref()?;
        let found = handles
            .table
            .find(hash(id), |&i| handles.ids[i as usize] == id)?;
        Some(handles.ordinal[*found as usize]).filter(|&o| o != NONE)
    }

    /// Changes the type of an object: a class that turns up after its instances.
    pub fn set_type(&mut self, ordinal: u32, type_of: TypeId) {
        if let Some(t) = self.graph.types.get_mut(ordinal as usize) {
            *t = type_of.0;
        }
    }

    /// Adds a reference to the open row: to an ordinal, or by id to a handle. Weak ones are
    /// counted in [`GraphBuilder::meta`] by the reader and not added.
    ///
    /// Errors: more than 2^32 - 1 references.
    #[inline]
    pub fn edge(&mut self, target: u32, label: LabelId) -> Result<()> {
        number(self.graph.targets.len(), "references")?;
        push(&mut self.graph.targets, target);
        push(&mut self.graph.labels, label.0);
        Ok(())
    }

    /// Closes the open row. Rows that are never closed are empty.
    #[inline]
    pub fn end_row(&mut self) {
        push(&mut self.graph.offsets, self.graph.targets.len() as u32);
    }

    /// Lays out rows of known degrees, to be filled in any order by [`GraphBuilder::fill`].
    /// Places that stay empty are dropped at the end.
    ///
    /// Errors: more than 2^32 - 1 references.
    pub fn reserve_rows(&mut self, degrees: &[u32]) -> Result<()> {
        let total: u64 = degrees.iter().map(|&d| u64::from(d)).sum();
        let total = number(usize::try_from(total).unwrap_or(usize::MAX), "references")?;
        let mut at = 0;
        self.graph.offsets = Vec::with_capacity(degrees.len() + 1);
        self.graph.offsets.push(0);
        for &degree in degrees {
            at += degree;
            self.graph.offsets.push(at);
        }
        self.cursors = self.graph.offsets[..degrees.len()].to_vec();
        self.graph.targets = vec![NONE; total as usize];
        self.graph.labels = vec![0; total as usize];
        self.dropped = true;
        Ok(())
    }

    /// Puts a reference into the row of `source`; `false` when that row has no place left.
    #[inline]
    pub fn fill(&mut self, source: u32, target: u32, label: LabelId) -> bool {
        let v = source as usize;
        let Some(cursor) = self.cursors.get_mut(v) else {
            return false;
        };
        if *cursor >= self.graph.offsets[v + 1] {
            return false;
        }
        self.graph.targets[*cursor as usize] = target;
        self.graph.labels[*cursor as usize] = label.0;
        *cursor += 1;
        true
    }

    /// Adds a root: an ordinal, or by id a handle.
    pub fn root(&mut self, target: u32, kind: RootKind, name: StrId, weak: bool) {
        self.graph.roots.push(Root {
            node: target,
            kind,
            name,
            weak,
        });
    }

    /// The allocation stack of the object added last; see [`HeapGraph::site`].
    pub fn site(&mut self, stack: u32) {
        let n = self.graph.types.len();
        self.graph.sites.resize(n, NONE);
        if let Some(last) = self.graph.sites.last_mut() {
            *last = stack;
        }
    }

    /// A short value of the object added last; for captures that were asked for values only.
    pub fn value(&mut self, text: StrId) {
        let last = self.graph.types.len().saturating_sub(1) as u32;
        self.graph.values.push((last, text));
    }

    /// The original id of an object, by ordinal.
    pub fn id(&self, ordinal: u32) -> Option<u64> {
        self.graph.ids.get(ordinal)
    }

    /// Gives every object the type that `rename` makes of its ordinal and the number that it was
    /// added with: for formats whose names come last.
    pub fn rename_types(&mut self, mut rename: impl FnMut(u32, u32) -> TypeId) {
        for (ordinal, t) in self.graph.types.iter_mut().enumerate() {
            *t = rename(ordinal as u32, *t).0;
        }
    }

    /// Gives every reference the label that `rename` makes of its source and the number that it
    /// was added with, and drops it where there is none. Rows must be closed. Cost: one pass.
    pub fn rename_labels(&mut self, mut rename: impl FnMut(&Self, u32, u32) -> Option<LabelId>) {
        let mut kept = 0;
        let mut start = 0;
        for v in 0..self.graph.offsets.len().saturating_sub(1) {
            let end = self.graph.offsets[v + 1] as usize;
            for e in start..end {
                if let Some(label) = rename(self, v as u32, self.graph.labels[e]) {
                    self.graph.targets[kept] = self.graph.targets[e];
                    self.graph.labels[kept] = label.0;
                    kept += 1;
                }
            }
            start = end;
            self.graph.offsets[v + 1] = kept as u32;
        }
        self.graph.targets.truncate(kept);
        self.graph.labels.truncate(kept);
    }

    /// Drops references that say again what another says: those of a store (the array in which an
    /// object keeps its elements) to what its object refers to itself. `is_store` tells the labels
    /// by which objects hold their stores, `is_slot` those by which stores hold content. A store
    /// that several hold is left as it is.
    ///
    /// Two passes; 5 bytes an object and a bit a reference while it works.
    pub fn drop_repeated(&mut self, is_store: impl Fn(u32) -> bool, is_slot: impl Fn(u32) -> bool) {
        let graph = &mut self.graph;
        let n = graph.types.len();
        let rows = graph.offsets.len().saturating_sub(1).min(n);
        let mut ways = vec![0u8; n];
        let roots = graph.roots.iter().map(|r| r.node);
        for target in graph.targets.iter().copied().chain(roots) {
            if let Some(count) = ways.get_mut(target as usize) {
                *count = count.saturating_add(1);
            }
        }
        let mut seen = vec![NONE; n];
        let mut again = vec![0u64; graph.targets.len().div_ceil(64)];
        for v in 0..rows {
            let row = graph.offsets[v] as usize..graph.offsets[v + 1] as usize;
            if !row.clone().any(|e| is_store(graph.labels[e])) {
                continue;
            }
            for e in row.clone().filter(|&e| !is_store(graph.labels[e])) {
                if let Some(seen) = seen.get_mut(graph.targets[e] as usize) {
                    *seen = v as u32;
                }
            }
            for e in row.filter(|&e| is_store(graph.labels[e])) {
                let store = graph.targets[e] as usize;
                if store >= rows || ways[store] != 1 || store == v {
                    continue;
                }
                for slot in graph.offsets[store] as usize..graph.offsets[store + 1] as usize {
                    let target = graph.targets[slot] as usize;
                    if is_slot(graph.labels[slot]) && seen.get(target) == Some(&(v as u32)) {
                        again[slot / 64] |= 1 << (slot % 64);
                    }
                }
            }
        }
        drop((ways, seen));
        let mut e = 0;
        self.rename_labels(|_, _, label| {
            let repeats = again[e / 64] >> (e % 64) & 1 == 1;
            e += 1;
            (!repeats).then_some(LabelId(label))
        });
    }

    /// Replaces every allocation stack that was given by what `rename` makes of it.
    pub fn rename_sites(&mut self, mut rename: impl FnMut(u32) -> Option<u32>) {
        for site in self.graph.sites.iter_mut().filter(|s| **s != NONE) {
            *site = rename(*site).unwrap_or(NONE);
        }
        if self.graph.sites.iter().all(|&s| s == NONE) {
            self.graph.sites = Vec::new();
        }
    }

    /// Type, size and references (targets and labels as given) of a closed row.
    pub fn row(&self, ordinal: u32) -> (TypeId, u64, &[u32], &[u32]) {
        let v = ordinal as usize;
        let at = |i: usize| self.graph.offsets.get(i).map_or(0, |&o| o as usize);
        let row = at(v)..at(v + 1).max(at(v));
        (
            self.graph.type_of(ordinal),
            self.graph.size(ordinal),
            &self.graph.targets[row.clone()],
            &self.graph.labels[row],
        )
    }

    /// The graph: handles become ordinals, references and roots to nothing are dropped and
    /// counted. Cost: one pass over references.
    pub fn finish(mut self) -> HeapGraph {
        let n = self.graph.types.len();
        let end = self.graph.targets.len() as u32;
        self.graph.offsets.resize(n + 1, end);
        if !self.graph.sites.is_empty() {
            self.graph.sites.resize(n, NONE);
        }
        let by_id = self.handles.is_some();
        if let Some(Handles {
            ids,
            table,
            ordinal,
        }) = self.handles.take()
        {
            drop(table);
            for target in &mut self.graph.targets {
                *target = ordinal.get(*target as usize).copied().unwrap_or(NONE);
            }
            for root in &mut self.graph.roots {
                root.node = ordinal.get(root.node as usize).copied().unwrap_or(NONE);
            }
            self.graph.ids = by_ordinal(ids, &ordinal, n);
        }
        self.compact(by_id);
        let graph = &mut self.graph;
        let before = graph.roots.len();
        graph.roots.retain(|r| (r.node as usize) < n);
        graph.meta.counts.dangling_roots += (before - graph.roots.len()) as u64;
        graph.offsets.shrink_to_fit();
        graph.targets.shrink_to_fit();
        graph.labels.shrink_to_fit();
        graph.types.shrink_to_fit();
        graph.sizes.shrink_to_fit();
        graph.ids.shrink();
        self.graph
    }

    /// Moves rows together over references to nothing.
    fn compact(&mut self, by_id: bool) {
        let graph = &mut self.graph;
        let n = graph.types.len();
        let mut kept = 0;
        let mut start = 0;
        let mut lost = 0u64;
        for v in 0..n {
            let end = graph.offsets[v + 1] as usize;
            for e in start..end {
                if (graph.targets[e] as usize) < n {
                    graph.targets[kept] = graph.targets[e];
                    graph.labels[kept] = graph.labels[e];
                    kept += 1;
                } else if !(self.dropped && graph.targets[e] == NONE) {
                    lost += 1;
                }
            }
            start = end;
            graph.offsets[v + 1] = kept as u32;
        }
        graph.targets.truncate(kept);
        graph.labels.truncate(kept);
        if by_id {
            graph.meta.counts.dangling += lost;
        } else {
            graph.meta.counts.out_of_range += lost;
        }
    }
}

/// Ids by handle put in the order of ordinals.
fn by_ordinal(ids: Vec<u64>, ordinal: &[u32], n: usize) -> Ids {
    let narrow = ids.iter().all(|&id| u32::try_from(id).is_ok());
    let placed = ids.iter().zip(ordinal).filter(|(_, o)| (**o as usize) < n);
    if narrow {
        let mut out = vec![0; n];
        placed.for_each(|(&id, &o)| out[o as usize] = id as u32);
        Ids::Narrow(out)
    } else {
        let mut out = vec![0; n];
        placed.for_each(|(&id, &o)| out[o as usize] = id);
        Ids::Wide(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EdgeKind, Role, Symbols};

    fn names(symbols: &mut Symbols) -> (TypeId, LabelId) {
        let Symbols { strings, graph, .. } = symbols;
        (
            graph.type_id(strings, "T", Role::Instance),
            graph.label_id(strings, ".x", EdgeKind::Attr),
        )
    }

    #[test]
    fn targets_may_come_before_their_records() {
        let mut symbols = Symbols::default();
        let (t, l) = names(&mut symbols);
        let mut b = GraphBuilder::by_id();
        let name = symbols.strings.intern("main");
        let held = b.target(0x7f00_0000_0030).unwrap();
        b.root(held, RootKind::Module, name, false);
        let lost = b.target(99).unwrap();
        b.root(lost, RootKind::Module, name, false);
        for (id, targets) in [
            (0x10u64, &[0x7f00_0000_0030u64, 0x99][..]),
            (0x7f00_0000_0030, &[0x10, 0x10]),
        ] {
            assert!(matches!(b.define(id).unwrap(), Defined::New(_)));
            b.node(t, u64::from(u32::MAX) + id, None).unwrap();
            for &target in targets {
                let handle = b.target(target).unwrap();
                b.edge(handle, l).unwrap();
            }
            b.end_row();
        }
        assert_eq!(b.define(0x10).unwrap(), Defined::Again(0));
        assert_eq!(b.defined(0x7f00_0000_0030), Some(1));
        let g = b.finish();
        g.check_valid(&symbols).unwrap();
        assert_eq!((g.offsets(), g.targets()), (&[0, 1, 3][..], &[1, 0, 0][..]));
        assert_eq!(
            (g.meta.counts.dangling, g.meta.counts.dangling_roots),
            (1, 1)
        );
        assert_eq!(g.roots[0].node, 1);
        assert_eq!(g.ids().get(1), Some(0x7f00_0000_0030));
        assert_eq!(g.find_id(0x10), Some(0));
        assert_eq!(g.size(0), u64::from(u32::MAX) + 0x10);
        assert_eq!(g.total_size(), g.size(0) + g.size(1));
    }

    #[test]
    fn objects_and_rows_may_be_written_apart() {
        let mut symbols = Symbols::default();
        let (t, l) = names(&mut symbols);
        let mut b = GraphBuilder::by_ordinal();
        for id in 0..3 {
            b.node(t, 8, Some(id * 2 + 1)).unwrap();
        }
        b.edge(2, l).unwrap();
        b.edge(7, l).unwrap();
        b.end_row();
        b.end_row();
        b.edge(0, l).unwrap();
        let g = b.finish();
        g.check_valid(&symbols).unwrap();
        assert_eq!((g.offsets(), g.targets()), (&[0, 1, 1, 2][..], &[2, 0][..]));
        assert_eq!(g.meta.counts.out_of_range, 1);
        assert!(matches!(g.ids(), Ids::Narrow(_)));
    }

    #[test]
    fn rows_may_be_filled_in_any_order() {
        let mut symbols = Symbols::default();
        let (t, l) = names(&mut symbols);
        let mut b = GraphBuilder::by_ordinal();
        for _ in 0..3 {
            b.node(t, 8, None).unwrap();
        }
        b.reserve_rows(&[2, 0, 1]).unwrap();
        assert!(b.fill(2, 1, l));
        assert!(b.fill(0, 2, l));
        assert!(!b.fill(1, 2, l));
        assert!(!b.fill(9, 2, l));
        let g = b.finish();
        g.check_valid(&symbols).unwrap();
        assert_eq!((g.offsets(), g.targets()), (&[0, 1, 1, 2][..], &[2, 1][..]));
        assert_eq!(g.meta.counts.out_of_range, 0);
    }
}
