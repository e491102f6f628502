//! Signatures: what a cycle looks like, whoever is in it.
//!
//! A signature is the cycle's sequence of types and labels, containers folded into the label that
//! leads to them, rotated so that equal cycles are equal from wherever they were found.

use super::types;
use super::words::{Nearness, STAR, Words};
use crate::model::{EdgeKind, HeapGraph, LabelId, Role, StrId, Symbols, TypeId};
use rustc_hash::{FxHashMap, FxHasher};
use sha2::{Digest, Sha256};
use std::hash::Hasher;

/// One hop of a cycle: an object that is no container, and the labels that lead from it through
/// containers to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The type of the object.
    pub type_of: TypeId,
    /// One label, and one more for each container on the way.
    pub labels: Vec<LabelId>,
    /// The types of those containers.
    pub through: Vec<TypeId>,
}

/// Why a cycle is structure and no fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benign {
    /// Objects of one type that refer to each other: lists, trees, graphs.
    Links,
    /// A child that refers to what holds it.
    Parent,
    /// Classes, their methods and what those close over.
    Types,
    /// The runtime's or a library's own objects.
    Library,
}

impl Benign {
    /// What it is, in words.
    pub fn reason(self) -> &'static str {
        match self {
            Benign::Links => "linked objects of one type",
            Benign::Parent => "a child that refers to its holder",
            Benign::Types => "classes and their methods",
            Benign::Library => "objects of the runtime or a library",
        }
    }
}

/// A kind of cycle.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Its hops, rotated; cut after [`MOST_HOPS`].
    pub hops: Vec<Hop>,
    /// Number of hops.
    pub length: usize,
    /// As text, with short names.
    pub text: String,
    /// Head of SHA-256 over full names.
    pub id: u64,
    /// Why it is no fault, if it is none.
    pub benign: Option<Benign>,
}

/// Hops of a longer cycle are counted and not kept.
pub const MOST_HOPS: usize = 64;

/// Of a longer cycle so many references are looked at, and the rest counted.
const LONGEST: usize = 4096;

/// All signatures of a comparison.
#[derive(Debug, Default)]
pub struct Signatures {
    all: Vec<Signature>,
    by_id: FxHashMap<u64, u32>,
    by_walk: FxHashMap<(u64, u64), u32>,
}

/// One reference of a cycle: the object it leaves, its type and label.
pub type Arc = (u32, LabelId);

impl Signatures {
    /// Every signature, by number.
    pub fn all(&self) -> &[Signature] {
        &self.all
    }

    /// The number of a cycle's signature. `cycle`: references in order, the target of one being
    /// the source of the next.
    pub fn of(
        &mut self,
        graph: &HeapGraph,
        words: &Words,
        symbols: &Symbols,
        cycle: &[Arc],
    ) -> u32 {
        // Two independent hashes stand for the walk, which may be as long as the heap is large.
        let (mut a, mut b) = (FxHasher::default(), FxHasher::default());
        b.write_u64(0x9e37_79b9_7f4a_7c15);
        for &(v, label) in cycle {
            let step =
                (u64::from(graph.type_of(v).0) << 32) | u64::from(words.of_label(label).plain);
            a.write_u64(step);
            b.write_u64(step.rotate_left(23) ^ 0xa076_1d64_78bd_642f);
        }
        let walk = (a.finish(), b.finish());
        if let Some(&known) = self.by_walk.get(&walk) {
            return known;
        }
        let head = &cycle[..cycle.len().min(LONGEST)];
        let hops = rotated(folded(graph, words, head), words, symbols);
        let more = cycle.len() - head.len();
        let signature = Signature::new(hops, more, words, symbols);
        let next = self.all.len() as u32;
        let number = *self.by_id.entry(signature.id).or_insert(next);
        if number == next {
            self.all.push(signature);
        }
        self.by_walk.insert(walk, number);
        number
    }
}

/// Hops of a cycle; containers are folded unless there is nothing else.
fn folded(graph: &HeapGraph, words: &Words, cycle: &[Arc]) -> Vec<Hop> {
    let solid = |v: u32| words.of_type(graph.type_of(v)).near != Nearness::Container;
    let start = cycle.iter().position(|&(v, _)| solid(v));
    let mut hops: Vec<Hop> = Vec::new();
    for i in 0..cycle.len() {
        let (v, label) = cycle[(i + start.unwrap_or(0)) % cycle.len()];
        let type_of = graph.type_of(v);
        match hops.last_mut() {
            Some(hop) if start.is_some() && !solid(v) => {
                hop.labels.push(label);
                hop.through.push(type_of);
            }
            _ => hops.push(Hop {
                type_of,
                labels: vec![label],
                through: Vec::new(),
            }),
        }
    }
    hops
}

/// Rotates to the hop that is nearest to the program, then smallest by name. Ties are told apart
/// by the hops that follow, up to a bound: beyond it cycles repeat themselves.
fn rotated(mut hops: Vec<Hop>, words: &Words, symbols: &Symbols) -> Vec<Hop> {
    const LOOK: usize = 16;
    let n = hops.len();
    let key = |i: usize| {
        let hop = &hops[i % n];
        let near = words.of_type(hop.type_of).near;
        let type_name = symbols.graph.type_info(hop.type_of).name;
        (
            near,
            symbols.strings.get(type_name),
            label_text(hop, words, symbols),
        )
    };
    let mut best: Vec<usize> = vec![0];
    let mut smallest = key(0);
    for i in 1..n {
        let k = key(i);
        if k < smallest {
            smallest = k;
            best.clear();
        } else if k != smallest {
            continue;
        }
        best.push(i);
    }
    let mut ahead = 1;
    while best.len() > 1 && ahead < LOOK.min(n) {
        let least = best.iter().map(|&i| key(i + ahead)).min();
        best.retain(|&i| Some(key(i + ahead)) == least);
        ahead += 1;
    }
    let start = best[0];
    hops.rotate_left(start);
    hops
}

/// The labels of a hop as they are printed: `.exceptions[*]`.
pub fn label_text(hop: &Hop, words: &Words, symbols: &Symbols) -> String {
    hop.labels
        .iter()
        .map(|&l| one_label(l, words, symbols))
        .collect()
}

/// One label as it is printed, with its dot or in brackets; content of containers is `[*]`.
pub fn one_label(label: LabelId, words: &Words, symbols: &Symbols) -> String {
    let known = words.of_label(label);
    if known.plain == STAR || known.private {
        return "[*]".to_owned();
    }
    dotted(symbols.strings.get(symbols.graph.label_info(label).name))
}

/// A label with a dot in front, unless it has its own mark.
pub fn dotted(name: &str) -> String {
    match name.bytes().next() {
        None => ".?".to_owned(),
        Some(b'.' | b'[' | b'<') => name.to_owned(),
        Some(_) => format!(".{name}"),
    }
}

impl Signature {
    fn new(mut hops: Vec<Hop>, more: usize, words: &Words, symbols: &Symbols) -> Signature {
        let length = hops.len() + more;
        let mut hash = Sha256::new();
        let full = |t: TypeId| symbols.strings.get(symbols.graph.type_info(t).name);
        for hop in &hops {
            hash.update(full(hop.type_of).as_bytes());
            hash.update([0]);
            for &label in &hop.labels {
                hash.update(match words.of_label(label).plain {
                    STAR => "[*]".to_owned(),
                    _ => dotted(symbols.strings.get(symbols.graph.label_info(label).name)),
                });
            }
            hash.update([1]);
        }
        if more > 0 {
            hash.update(more.to_le_bytes());
        }
        let digest = hash.finalize();
        let id = digest.iter().take(8).fold(0, |n, &b| n << 8 | u64::from(b));
        let benign = benign(&hops, words, symbols);
        hops.truncate(MOST_HOPS);
        let mut text = String::new();
        for hop in &hops {
            text.push_str(types::short(full(hop.type_of)));
            text.push_str(&label_text(hop, words, symbols));
            text.push_str(" -> ");
        }
        if length > hops.len() {
            text.push_str(&format!("... {} more ... -> ", length - hops.len()));
        }
        if let Some(first) = hops.first() {
            text.push_str(types::short(full(first.type_of)));
        }
        Signature {
            hops,
            length,
            text,
            id,
            benign,
        }
    }
}

/// Names by which a child calls what holds it.
const PARENTS: &[&str] = &[
    "parent",
    "owner",
    "root",
    "container",
    "host",
    "document",
    "ownerdocument",
    "holder",
    "outer",
    "this$0",
    "up",
    "scope",
    "tree",
    "list",
    "head",
    "prev",
    "previous",
    "next",
    "sibling",
    "manager",
    "group",
    "collection",
    "session",
    "engine",
    "server",
    "app",
    "application",
    "loop",
];

fn benign(hops: &[Hop], words: &Words, symbols: &Symbols) -> Option<Benign> {
    let role = |h: &Hop| words.of_type(h.type_of).role;
    if hops
        .iter()
        .any(|h| matches!(role(h), Role::Type | Role::Module | Role::Namespace))
    {
        return Some(Benign::Types);
    }
    let first = hops.first()?;
    if hops.iter().all(|h| h.type_of == first.type_of)
        && matches!(
            words.of_type(first.type_of).near,
            Nearness::Application | Nearness::Library
        )
    {
        return Some(Benign::Links);
    }
    let plain_object = |h: &Hop| {
        matches!(
            words.of_type(h.type_of).near,
            Nearness::Application | Nearness::Library | Nearness::Container
        ) && role(h) != Role::Exception
    };
    if hops.len() <= 3 && hops.iter().all(plain_object) {
        let up = |h: &Hop| {
            let info = symbols.graph.label_info(h.labels[0]);
            let name: StrId = info.name;
            let name = symbols.strings.get(name).trim_start_matches(['.', '_']);
            let name = name.trim_end_matches('_').to_ascii_lowercase();
            h.labels.len() == 1
                && matches!(info.kind, EdgeKind::Attr)
                && PARENTS.contains(&name.as_str())
        };
        let through_container = |h: &Hop| h.labels.len() > 1;
        let back = |h: &Hop| h.labels.len() == 1;
        let down_and_up =
            hops.len() == 2 && hops.iter().any(through_container) && hops.iter().any(back);
        if hops.iter().any(up) || down_and_up {
            return Some(Benign::Parent);
        }
    }
    let own = hops
        .iter()
        .any(|h| words.of_type(h.type_of).near == Nearness::Application);
    let code = hops
        .iter()
        .any(|h| matches!(role(h), Role::Frame | Role::Closure | Role::Generator));
    (!own && !code).then_some(Benign::Library)
}
