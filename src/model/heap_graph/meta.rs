//! What an object graph says about itself, and where its objects are held from.

use super::names::words;
use crate::model::profile::Salvage;
use crate::model::strings::StrId;

words! {
    /// What an object's id means in another capture of the same process.
    IdKind {
        /// Not said.
        #[default]
        Unknown = "unknown",
        /// The same object has the same id in every capture of the process.
        Stable = "stable",
        /// An address: valid while the object lives, used again afterwards.
        Address = "address",
        /// No meaning in another capture.
        Moving = "moving",
    }
}

words! {
    /// What the collector did before the capture.
    GcMode {
        /// Not said.
        #[default]
        Unknown = "unknown",
        /// A full collection: what is left is reachable.
        Full = "full",
        /// None: cyclic garbage may be in the capture.
        None = "none",
        /// A full collection that kept what it found: exactly the unreachable cyclic objects.
        SaveAll = "saveall",
    }
}

words! {
    /// What holds an object from outside the graph.
    RootKind {
        /// Not said.
        #[default]
        Other = "other",
        /// A loaded module, a static field, a global.
        Module = "module",
        /// A class and its static fields.
        Class = "class",
        /// A variable of a call frame that is running.
        Frame = "frame",
        /// A thread object.
        Thread = "thread",
        /// A handle of native code.
        Handle = "handle",
        /// The interpreter itself.
        Interp = "interp",
        /// A type that is part of the runtime.
        StaticType = "static_type",
        /// Held by native code that the capture does not see.
        External = "external",
        /// Set apart from collection.
        Frozen = "frozen",
        /// In the list of objects that the collector cannot free.
        Garbage = "garbage",
        /// Unreachable, found by the collector, not freed yet: proves presence, holds nothing.
        Uncollected = "uncollected",
    }
}

/// How a runtime frees memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collector {
    /// By tracing from roots: a cycle alone keeps nothing.
    Tracing,
    /// By counting references: a cycle waits for a cyclic collector.
    Counting,
    /// Not known.
    Unknown,
}

/// A hold on an object from outside the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// Ordinal of the object.
    pub node: u32,
    /// What holds it.
    pub kind: RootKind,
    /// Its name: the module, `main thread#2 run`, ...
    pub name: StrId,
    /// Proves that the object is there, and keeps nothing.
    pub weak: bool,
}

/// What was left out of the rows, or looked odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GraphCounts {
    /// References to objects that the capture does not hold, null references excepted.
    pub dangling: u64,
    /// Weak references.
    pub weak: u64,
    /// Objects that were written twice, with equal content.
    pub duplicates: u64,
    /// References to an ordinal beyond the last object.
    pub out_of_range: u64,
    /// Records of a kind that is not known.
    pub unknown: u64,
    /// Roots that name no object of the capture.
    pub dangling_roots: u64,
}

/// What an object graph says about itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GraphMeta {
    /// Name of the format in the registry.
    pub format: &'static str,
    /// The tool that wrote the file, as far as the file tells.
    pub producer: Option<String>,
    /// The command line of the program.
    pub command: Option<String>,
    /// `cpython`, `v8`, `jvm`, `ruby`, ...
    pub runtime: String,
    /// Its version.
    pub runtime_version: String,
    /// What ids mean in another capture.
    pub id_kind: IdKind,
    /// When it was captured, as written.
    pub time: Option<String>,
    /// Process id.
    pub pid: Option<u64>,
    /// Completed runs and other drivers of growth, `runs` first; `items` where they are counted.
    pub drivers: Vec<(String, f64)>,
    /// What the program calls the moment.
    pub label: Option<String>,
    /// What the collector did before.
    pub gc: GcMode,
    /// Whether automatic collection was on.
    pub gc_enabled: Option<bool>,
    /// Objects that the collection before the capture freed.
    pub gc_collected: Option<u64>,
    /// Objects set apart from collection.
    pub frozen: Option<u64>,
    /// Whether the program was at rest when it was captured; none when nobody looked.
    pub settled: Option<bool>,
    /// What was left out.
    pub counts: GraphCounts,
    /// Set when the file was cut short and read as far as it goes.
    pub salvaged: Option<Salvage>,
    /// What a reader wants to tell the user.
    pub notes: Vec<String>,
}

impl GraphMeta {
    /// Completed runs, if known.
    pub fn runs(&self) -> Option<f64> {
        self.driver("runs")
    }

    /// The count of a driver, if known.
    pub fn driver(&self, name: &str) -> Option<f64> {
        self.drivers
            .iter()
            .find(|(n, _)| n == name)
            .map(|&(_, v)| v)
    }

    /// How the runtime frees memory.
    pub fn collector(&self) -> Collector {
        match self.runtime.as_str() {
            "cpython" | "python" => Collector::Counting,
            "" => Collector::Unknown,
            _ => Collector::Tracing,
        }
    }
}
