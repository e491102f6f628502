//! What many cuts free, each by itself, in one search for up to 64 of them.
//!
//! Every object has a bit for each cut: set when it is still reached without that cut's
//! references. What is reached without any reference of a cut is found first, by a plain search;
//! bits travel only through the rest, which is what the suspects hold. Most of it is reached once
//! for all cuts, so that the cost of one search is paid, not that of one a cut.

use super::paths::Sources;
use super::rows::{Marks, Rows};
use crate::model::{HeapGraph, push};
use std::collections::VecDeque;

/// Cuts that are counted together.
pub const TOGETHER: usize = 64;

/// References of up to [`TOGETHER`] cuts: the place of each and the cut that it belongs to.
///
/// 8 bytes an entry.
#[derive(Debug, Clone, Default)]
pub struct Removed(Vec<u64>);

impl Removed {
    /// Adds a reference to a cut.
    pub fn add(&mut self, edge: u32, cut: usize) {
        self.0.push(u64::from(edge) << 8 | cut as u64);
    }

    /// Sorts the entries by place and drops what is there twice. To be called before a search.
    pub fn settle(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }

    /// Number of references of a cut.
    pub fn count(&self, cut: usize) -> u32 {
        self.0.iter().filter(|&&e| e as u8 as usize == cut).count() as u32
    }

    /// The bits of the cuts that a reference belongs to. `from` is moved on to its place; places
    /// must be asked for in ascending order.
    #[inline]
    fn cuts(&self, from: &mut usize, edge: u32) -> u64 {
        let mut cuts = 0;
        while let Some(&entry) = self.0.get(*from) {
            match ((entry >> 8) as u32).cmp(&edge) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => cuts |= 1 << (entry & 0xff),
                std::cmp::Ordering::Greater => break,
            }
            *from += 1;
        }
        cuts
    }

    fn first(&self, edge: usize) -> usize {
        self.0.partition_point(|&e| (e >> 8) < edge as u64)
    }
}

/// The bits of `n` cuts.
pub fn all(n: usize) -> u64 {
    if n >= TOGETHER {
        u64::MAX
    } else {
        (1 << n) - 1
    }
}

/// For each object the cuts in spite of which it is reached. `starts`: objects with the cuts in
/// spite of which they are there. `n`: number of cuts, at most [`TOGETHER`].
///
/// Linear in references where cuts do not overlap, at worst once for each cut; 8 bytes an object
/// and 4 for each that waits.
pub fn survivors(
    graph: &HeapGraph,
    starts: impl Iterator<Item = (u32, u64)> + Clone,
    removed: &Removed,
    n: usize,
) -> Vec<u64> {
    let rows = Rows::of(graph);
    let all = all(n);
    let mut bits = vec![0u64; graph.len()];
    let mut owners = Marks::new(graph.len());
    let mut sources = Sources::default();
    for &entry in &removed.0 {
        owners.add(sources.of(graph, (entry >> 8) as u32));
    }
    let mut todo: Vec<u32> = Vec::new();
    for (v, _) in starts.clone().filter(|s| s.1 == all) {
        if std::mem::replace(&mut bits[v as usize], all) != all {
            todo.push(v);
        }
    }
    while let Some(v) = todo.pop() {
        let owner = owners.has(v);
        let row = graph.row(v);
        let mut at = if owner { removed.first(row.start) } else { 0 };
        for (e, &w) in row.zip(rows.of_node(v)) {
            if bits[w as usize] != all && !(owner && removed.cuts(&mut at, e as u32) != 0) {
                bits[w as usize] = all;
                push(&mut todo, w);
            }
        }
    }
    let mut spread = Spread {
        bits,
        waits: Marks::new(graph.len()),
        queue: VecDeque::new(),
    };
    for (v, cuts) in starts.filter(|s| s.1 != all) {
        spread.gain(v, cuts);
    }
    let mut rest = removed.0.as_slice();
    let mut sources = Sources::default();
    while let Some(&entry) = rest.first() {
        let edge = (entry >> 8) as u32;
        let same = rest.iter().take_while(|&&e| (e >> 8) as u32 == edge);
        let (count, cuts) = same.fold((0, 0u64), |(n, c), &e| (n + 1, c | 1 << (e & 0xff)));
        rest = &rest[count..];
        let from = spread.bits[sources.of(graph, edge) as usize];
        spread.gain(graph.targets()[edge as usize], from & !cuts);
    }
    while let Some(v) = spread.next() {
        let own = spread.bits[v as usize];
        let owner = owners.has(v);
        let row = graph.row(v);
        let mut at = if owner { removed.first(row.start) } else { 0 };
        for (e, &w) in row.zip(rows.of_node(v)) {
            let cuts = if owner {
                removed.cuts(&mut at, e as u32)
            } else {
                0
            };
            spread.gain(w, own & !cuts);
        }
    }
    spread.bits
}

/// For each object the sets that reach it through objects that `within` keeps. At most
/// [`TOGETHER`] sets. Cost as that of [`survivors`].
pub fn reached_by(graph: &HeapGraph, sets: &[&[u32]], within: impl Fn(u32) -> bool) -> Vec<u64> {
    let rows = Rows::of(graph);
    let mut spread = Spread {
        bits: vec![0; graph.len()],
        waits: Marks::new(graph.len()),
        queue: VecDeque::new(),
    };
    for (k, set) in sets.iter().enumerate().take(TOGETHER) {
        for &v in *set {
            spread.gain(v, 1 << k);
        }
    }
    while let Some(v) = spread.next() {
        let own = spread.bits[v as usize];
        for &w in rows.of_node(v) {
            if within(w) {
                spread.gain(w, own);
            }
        }
    }
    spread.bits
}

/// Bits on their way: objects that have gained some wait to hand them on.
struct Spread {
    bits: Vec<u64>,
    waits: Marks,
    queue: VecDeque<u32>,
}

impl Spread {
    #[inline]
    fn gain(&mut self, v: u32, cuts: u64) {
        let own = &mut self.bits[v as usize];
        if cuts & !*own != 0 {
            *own |= cuts;
            if self.waits.add(v) {
                self.queue.push_back(v);
            }
        }
    }

    fn next(&mut self) -> Option<u32> {
        let v = self.queue.pop_front()?;
        self.waits.remove(v);
        Some(v)
    }
}

/// Bytes of `objects` for each of `n` cuts whose bit they lack.
pub fn lacking(
    graph: &HeapGraph,
    bits: &[u64],
    n: usize,
    objects: impl Fn(u32) -> bool,
) -> Vec<u64> {
    let mut out = vec![0u64; n];
    let all = all(n);
    for (v, &own) in bits.iter().enumerate() {
        let mut lacks = all & !own;
        if lacks == 0 || !objects(v as u32) {
            continue;
        }
        let size = graph.size(v as u32);
        while lacks != 0 {
            let sum = &mut out[lacks.trailing_zeros() as usize];
            *sum = sum.saturating_add(size);
            lacks &= lacks - 1;
        }
    }
    out
}
