//! Growth rates from monitoring, and the requests that coincide with them.
//!
//! Samples become bins (`bins`), restarts cut them into processes (`restarts`), one rate is
//! fitted to the whole (`rate`) and episodes are found by the new ground that a rise keeps
//! (`episodes`). Nothing here knows captures or severities.

// `!(a > b)` sends NaN the safe way.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod bins;
mod curve;
mod episodes;
mod events;
mod fit;
mod follows;
mod makeup;
mod marks;
mod rate;
mod record;
mod requests;
mod restarts;

pub use bins::{Bin, Bins, Teeth};
pub use curve::{Class, Curve, curve};
pub use episodes::{Chain, Rise, Segment};
pub use events::{EventFacts, LogVolume};
pub use follows::Follow;
pub use makeup::{Makeup, Part, Place, Split, split};
pub use marks::{Change, MarkFacts};
pub use rate::{Rate, Rhythm};
pub use record::{Question, Recording, Stuck, Timeline};
pub use requests::{Attribution, Coincidence, EndpointFacts, Load, Moment, Requests, Untested};
pub use restarts::{Evidence, Process, Restart};

/// How many things are tested at once: what significance is corrected for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scope {
    /// Series that are judged; never taken for fewer than 50.
    pub series: usize,
    /// The chance that a healthy run has any finding at all.
    pub alpha: f64,
    /// Bins of a series, where they are more than the series itself has.
    pub bins: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Scope::of(1)
    }
}

impl Scope {
    /// The scope of a run of so many series, at a chance of 1e-4.
    pub fn of(series: usize) -> Scope {
        Scope {
            series: series.max(50),
            alpha: 1e-4,
            bins: 0,
        }
    }
}
