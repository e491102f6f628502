//! What a capture is: interned names, columns of numbers, metadata. Knows nothing else.

mod cells;
mod code;
mod column;
mod frames;
mod heap_graph;
mod labels;
mod limits;
mod metric;
mod profile;
mod series;
mod stacks;
mod strings;
mod texts;

pub use cells::{CELL_S, Cell, ClockStep, Gap, Series, SeriesBuilder};
pub use code::{CodePlace, Counted, Nameless};
pub use column::Column;
pub use frames::{ARENA, Frame, FrameId, Frames};
pub use heap_graph::{
    Collector, Defined, EdgeKind, GcMode, GraphBuilder, GraphCounts, GraphMeta, GraphNames,
    HeapGraph, IdKind, Ids, LabelId, LabelInfo, LoaderTally, Role, Root, RootKind, TypeId,
    TypeInfo, TypeTally, push,
};
pub use labels::{Label, LabelValue, Labels, LabelsId};
pub use limits::Limits;
pub use metric::{Metric, Nature, Unit, canonical_name, snake_case};
pub use profile::{Exactness, Meta, Moment, Profile, ProfileBuilder, Salvage, Sampling, Symbols};
pub use series::{Measure, Request, SeriesId, SeriesName, SeriesUnit, Sink, Time};
pub use stacks::{StackFrames, StackId, Stacks};
pub use strings::{StrId, Strings};
pub use texts::{Fingerprint, StackTexts};
