//! HD023: blocks that are freed again before anything else is allocated.

use super::{Fact, Finding, Pattern, PatternGround};
use crate::model::Nature;
use crate::verdict::rules;

/// Fewer blocks are not worth a word.
const LEAST: i64 = 1000;
/// The site's share of all blocks that the program allocates.
const OF_ALL: f64 = 0.1;
/// Of the site's own blocks.
const OF_OWN: f64 = 0.5;
/// Sites that are named.
const MOST: usize = 3;

/// Temporary allocations of one site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Churn {
    /// Blocks that were freed at once.
    pub temporary: i64,
    /// Blocks that the site allocated.
    pub blocks: i64,
    /// Blocks that the program allocated.
    pub of_all: i128,
}

impl Churn {
    pub(super) fn facts(&self) -> Vec<(&'static str, Fact)> {
        vec![
            ("temporary_blocks", Fact::Whole(self.temporary as i128)),
            ("total_blocks", Fact::Whole(self.blocks as i128)),
            ("program_blocks", Fact::Whole(self.of_all)),
        ]
    }
}

pub(super) fn find(ground: &PatternGround<'_>) -> Vec<Finding> {
    let metric = &ground.metrics[ground.chosen];
    let asked = metric.nature == Nature::Cumulative || metric.name == "temporary_blocks";
    let columns = ground.values.after();
    let (Some(temporary), Some(blocks)) = (
        ground
            .metric("temporary_blocks")
            .and_then(|i| columns.get(i)),
        ground.metric("total_blocks").and_then(|i| columns.get(i)),
    ) else {
        return Vec::new();
    };
    if !asked {
        return Vec::new();
    }
    let of_all = blocks.sum();
    let mut sites: Vec<(u32, Churn)> = (0..temporary.len())
        .map(|row| {
            let churn = Churn {
                temporary: temporary.get(row),
                blocks: blocks.get(row),
                of_all,
            };
            (row as u32, churn)
        })
        .filter(|(_, c)| {
            let n = c.temporary as f64;
            c.temporary >= LEAST && n >= OF_ALL * of_all as f64 && n >= OF_OWN * c.blocks as f64
        })
        .collect();
    sites.sort_by_key(|(row, c)| (std::cmp::Reverse(c.temporary), *row));
    let words = [
        "a profile of time in which the site does not show",
        "keep a buffer and reuse it",
    ];
    let each = sites.into_iter().take(MOST);
    each.map(|(row, c)| ground.finding(&rules::CHURN, vec![row], Pattern::Churn(c), words))
        .collect()
}
