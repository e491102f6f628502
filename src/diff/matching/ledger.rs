//! How much was recognised, and by what; and where it was not much, why.

use super::MatchedBy;

/// Sites and bytes (of the chosen metric).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Number of rows.
    pub sites: u64,
    /// Before.
    pub before: i128,
    /// After.
    pub after: i128,
}

impl Share {
    fn add(&mut self, before: i64, after: i64) {
        self.sites += 1;
        self.before += before as i128;
        self.after += after as i128;
    }
}

/// What each tier recognised. Every row counts once, so the parts add up to the totals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// From `exact` to `moved`, then `only-before` and `only-after`.
    pub tiers: Vec<(MatchedBy, Share)>,
    /// Rows that are several sites of one side that could not be told apart.
    pub ambiguous: Share,
    /// Why much was not recognised, in words; empty if little was not.
    pub reasons: Vec<String>,
}

/// The order of a ledger.
const TIERS: [MatchedBy; 9] = [
    MatchedBy::Exact,
    MatchedBy::Line,
    MatchedBy::Symbol,
    MatchedBy::Path,
    MatchedBy::Inline,
    MatchedBy::Source,
    MatchedBy::Moved,
    MatchedBy::OnlyBefore,
    MatchedBy::OnlyAfter,
];

impl Ledger {
    /// Adds rows up. Cost: linear.
    pub(super) fn of(rows: impl Iterator<Item = (MatchedBy, i64, i64)>) -> Ledger {
        let mut ledger = Ledger {
            tiers: TIERS.iter().map(|&t| (t, Share::default())).collect(),
            ..Ledger::default()
        };
        for (by, before, after) in rows {
            match ledger.tiers.iter_mut().find(|(tier, _)| *tier == by) {
                Some((_, share)) => share.add(before, after),
                None => ledger.ambiguous.add(before, after),
            }
        }
        ledger
    }

    /// What one tier recognised.
    pub fn tier(&self, by: MatchedBy) -> Share {
        let found = self.tiers.iter().find(|(tier, _)| *tier == by);
        found.map_or(Share::default(), |&(_, share)| share)
    }

    /// Before and after over all parts.
    pub fn total(&self) -> (i128, i128) {
        let parts = || self.tiers.iter().map(|(_, s)| s).chain([&self.ambiguous]);
        (
            parts().map(|s| s.before).sum(),
            parts().map(|s| s.after).sum(),
        )
    }

    /// The larger of the shares of before and after, of what a tier recognised.
    pub fn share(&self, by: MatchedBy) -> f64 {
        let part = self.tier(by);
        let total = self.total();
        let of = |n: i128, all: i128| if all == 0 { 0.0 } else { n as f64 / all as f64 };
        of(part.before, total.0).max(of(part.after, total.1))
    }

    /// Whether more than one per cent was not recognised on either side: new code alone is not.
    pub fn is_doubtful(&self) -> bool {
        let (before, after) = self.total();
        let over = |n: i128, all: i128| n.saturating_mul(100) > all && n > 0;
        over(
            self.ambiguous.before + self.tier(MatchedBy::OnlyBefore).before,
            before,
        ) && over(
            self.ambiguous.after + self.tier(MatchedBy::OnlyAfter).after,
            after,
        )
    }
}
