//! Statistics of a series of numbers: what it does along the runs, and what
//! its noise allows to say.
//!
//! This module knows numbers only, no captures and no sites, reads no clock
//! and does no input or output. Every number is accepted: NaN, infinite,
//! constant, empty and unsorted input gives `undetermined` with a reason, or an
//! error value, never a panic.

// `!(a > b)` sends NaN the safe way, and several arrays are walked by one index.
#![allow(clippy::neg_cmp_op_on_partial_ord, clippy::needless_range_loop)]

mod counts;
mod decide;
mod detail;
mod dist;
mod drivers;
mod few;
mod judge;
mod plan;
mod resolution;
mod robust;
mod sampled;
mod several;
mod shape;
mod sides;
mod template;
mod words;
#[cfg(test)]
mod worked;

pub use counts::count_upper;
pub use detail::Detail;
pub use dist::{normal_upper, student_quantile_two_sided, student_two_sided};
pub use drivers::{Drivers, Follows, follows};
pub use few::{Capacity, capacity};
pub use judge::{Judge, Judged, Judgement, Row};
pub use plan::{MOST_CAPTURES, NotFinite, Plan};
pub use resolution::{
    level_in_force, rate_needed, runs_needed, sampled_resolution, slope_error, slope_resolution,
    spacing_needed,
};
pub use robust::{MannKendall, Slope, mann_kendall, median, theil_sen};
pub use sampled::{
    Estimate, Sampled, difference_interval, difference_p, square_root_z, unseen_upper_bound,
    value_interval,
};
pub use several::{benjamini_hochberg, benjamini_hochberg_of, holm};
pub use sides::{Change, Growth, SideDifference, compare_exact, compare_sides, one_process_factor};
pub use words::{Class, Noise, Reason};
