//! Allocation sites across captures: lined up, filtered, grouped, classified.

mod builds;
mod filter;
mod group;
mod growth;
mod judge;
mod matching;
mod sides;
mod table;
mod tree;

pub use builds::is_one_build;
pub use filter::{Filters, TagFilter, View};
pub use group::{Group, GroupBy, GroupTable, group};
pub use growth::{Growth, PerRun, Runs};
pub use judge::{Certainty, Drivers, Follow, Judge, Judged, Significance};
pub use matching::{Ledger, Match, MatchedBy, Matching, Setup as MatchSetup, Share, match_sites};
pub use sides::{SideChange, SideGrowth};
pub use table::{Ends, Side, SiteTable, TableBuilder, Values, default_metric, plain_metric};
pub use tree::{CallTree, Change, Node, Peek, call_tree, peek};
