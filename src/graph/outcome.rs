//! What is known of object graphs in the end: captures, types, cycles, holders, in words and numbers.

use super::cut::{CutKind, Reference};
use super::growing::Inside;
use super::growth::Trend;
use super::heaviest::Heavy;
use super::holders::Share;
use super::signature::Benign;
use super::ways::Ways;
use super::words::{CONTEXT, NAMESPACE};
use crate::model::GraphMeta;

/// Counts and bytes of one type in one capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TypeCount {
    /// Objects.
    pub count: u64,
    /// Their own bytes.
    pub shallow: u64,
    /// Bytes that they keep alive.
    pub retained: u64,
}

/// What is stated of a whole capture.
#[derive(Debug, Clone, Default)]
pub struct CaptureFacts {
    /// What it says about itself.
    pub meta: GraphMeta,
    /// Whether it stands on the base side.
    pub base: bool,
    /// Objects.
    pub objects: u64,
    /// References that hold.
    pub edges: u64,
    /// Roots.
    pub roots: u64,
    /// Own bytes of all objects.
    pub shallow: u64,
    /// Bytes that roots keep alive.
    pub reachable: u64,
    /// Bytes and objects that no root reaches.
    pub unreachable: (u64, u64),
    /// Objects that the collector cannot free.
    pub uncollectable: u64,
    /// Components too entangled to count every cycle.
    pub entangled: u32,
}

/// One step of a path in words: the labels that lead to an object, and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// `.KEEP[*]`; for the first step the kind of root.
    pub edge: String,
    /// Full name of the type.
    pub type_name: String,
    /// The object's original id, where the format has one.
    pub id: Option<u64>,
    /// A container or a dictionary of names: told by what holds it.
    pub folds: bool,
    /// Whether it is part of what grows.
    pub state: State,
}

/// What an object on a path is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It grows, or what holds it does.
    Leaking,
    /// There are as many in every capture, or it holds some of which this is so.
    NotLeaking,
    /// Neither is known.
    #[default]
    Undecided,
}

impl State {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Leaking => "leaking",
            State::NotLeaking => "not-leaking",
            State::Undecided => "undecided",
        }
    }

    /// What holds an object that does not leak does not leak; what is below one that leaks does.
    /// Where both are said the nearer to the root wins.
    pub(super) fn settle(steps: &mut [PathStep]) {
        let first = steps.iter().position(|s| s.state == State::Leaking);
        let first = first.unwrap_or(steps.len());
        let (above, below) = steps.split_at_mut(first);
        for step in below {
            step.state = State::Leaking;
        }
        let still = above.iter().rposition(|s| s.state == State::NotLeaking);
        for step in &mut above[..still.map_or(0, |i| i + 1)] {
            step.state = State::NotLeaking;
        }
    }
}

/// A way to cut something free, in words.
#[derive(Debug, Clone)]
pub struct CutRow {
    /// How.
    pub kind: CutKind,
    /// One to four.
    pub references: Vec<Reference>,
    /// Number of references of these shapes.
    pub count: u32,
    /// Bytes that it frees.
    pub frees: u64,
}

/// The cycles of one signature along all captures.
#[derive(Debug, Clone)]
pub struct CycleRow {
    /// Its signature's id.
    pub id: u64,
    /// Its signature.
    pub signature: String,
    /// Why it is structure and no fault.
    pub benign: Option<Benign>,
    /// Number of cycles in each capture.
    pub occurrences: Vec<u32>,
    /// Bytes that they keep, in each capture.
    pub retained: Vec<u64>,
    /// In the last capture that holds any: objects of one, own bytes of all, those unreachable.
    pub objects: u32,
    /// Own bytes of all.
    pub shallow: u64,
    /// Cycles that no root reaches.
    pub unreachable: u32,
    /// One cycle: the label that leaves each object, its type and id.
    pub path: Vec<PathStep>,
    /// From a root to one of them; none where no root reaches it.
    pub root_path: Option<Vec<PathStep>>,
    /// What cuts them free.
    pub cut: CutRow,
    /// What would break the cycle itself, where references are counted and something else holds it.
    pub breaks: Option<CutRow>,
    /// Whether a path that grows holds most of them, so that it is that path's growth.
    pub explained: bool,
    /// What it does on the base side and on the new one.
    pub trends: [Trend; 2],
}

/// A path that holds ever more objects.
#[derive(Debug, Clone)]
pub struct HolderRow {
    /// Its identity, the same in every capture.
    pub id: u64,
    /// From the root to the objects that become more.
    pub path: Vec<PathStep>,
    /// Objects in each capture of its side.
    pub series: Vec<u64>,
    /// Whether it was found on the base side.
    pub base: bool,
    /// What it does.
    pub trend: Trend,
    /// Bytes that they are to blame for in the last capture.
    pub share: Share,
    /// Bytes that they keep.
    pub retained: u64,
    /// The program's own objects among what they hold, where they are none themselves.
    pub inside: Option<Inside>,
    /// What cuts them free.
    pub cut: CutRow,
    /// The same at other paths: other types that the same holder holds.
    pub also: Vec<(String, u64)>,
    /// Paths to entries of other collections that hold the same objects.
    pub beside: Vec<Vec<PathStep>>,
    /// Why it is no fault that it grows.
    pub benign: Option<&'static str>,
    /// Objects by the stack that allocated them, a handle of `Symbols::stacks`: the stacks of
    /// most objects first, in captures with allocation traces.
    pub made: Vec<(u32, u64)>,
}

impl HolderRow {
    /// Bytes that it is to blame for and that came up along the captures: objects may have been
    /// there before.
    pub fn grown_bytes(&self) -> u64 {
        grown(self.share.share, self.series.first(), self.series.last())
    }
}

/// The part of `bytes` that came up while a number went from `first` to `last`.
pub(super) fn grown(bytes: u64, first: Option<&u64>, last: Option<&u64>) -> u64 {
    let (first, last) = (first.copied().unwrap_or(0), last.copied().unwrap_or(0));
    let part = last.saturating_sub(first) as f64 / last.max(1) as f64;
    (bytes as f64 * part).round() as u64
}

/// Objects at one path that came up during the runs and are still there, told by their identity.
#[derive(Debug, Clone)]
pub struct SurvivorRow {
    /// The identity of the path, that of a holder with the same path.
    pub id: u64,
    /// From the root to them.
    pub path: Vec<PathStep>,
    /// Objects.
    pub objects: u64,
    /// Bytes that they keep.
    pub retained: u64,
    /// Whether they are of the base side.
    pub base: bool,
}

/// One type along all captures.
#[derive(Debug, Clone)]
pub struct TypeRow {
    /// Full name.
    pub name: String,
    /// One entry a capture.
    pub counts: Vec<TypeCount>,
    /// Objects of the last capture of each side that paths that grow hold, and nothing else.
    pub explained: [u64; 2],
    /// What its number of objects does on each side.
    pub trends: [Trend; 2],
}

/// Loaders of one class along all captures; see [`crate::model::LoaderTally`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderRow {
    /// The class of the loaders.
    pub name: String,
    /// One entry a capture.
    pub counts: Vec<LoaderCount>,
}

/// Loaders of one class in one capture, and what they loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoaderCount {
    /// Loaders.
    pub loaders: u64,
    /// Classes.
    pub classes: u64,
    /// Objects of these classes, and the classes themselves.
    pub objects: u64,
    /// Their own bytes.
    pub bytes: u64,
}

/// All that is known at the end.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every capture, base side first.
    pub captures: Vec<CaptureFacts>,
    /// Types, by name.
    pub types: Vec<TypeRow>,
    /// Objects by the loader of their class, by name; empty where the runtime has no loaders.
    pub loaders: Vec<LoaderRow>,
    /// Cycles: those that grow first, then by bytes.
    pub cycles: Vec<CycleRow>,
    /// Holders: by growth, largest share first.
    pub holders: Vec<HolderRow>,
    /// Objects that came up and stayed, where ids are stable: those that keep most first.
    pub survivors: Vec<SurvivorRow>,
    /// Ways to what was asked for.
    pub ways: Option<Ways>,
    /// The heaviest part of the last capture's dominator tree.
    pub heaviest: Vec<Heavy>,
    /// Captures were read for numbers and bytes by type alone: nothing is known of what is kept.
    pub types_only: bool,
}

/// Whether a step of a path is where names live, which nobody names: the dictionary of a module,
/// the variables of a JavaScript function.
pub fn is_namespace(step: &PathStep) -> bool {
    step.edge.trim_start_matches('.') == NAMESPACE
        || step.type_name == CONTEXT && matches!(step.edge.as_str(), "<context>" | "<previous>")
}
