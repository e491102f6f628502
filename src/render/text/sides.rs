//! Two sides in words.

use super::Writer;
use crate::diff::Side;
use crate::model::Unit;
use crate::render::figures::{amount, change};
use crate::trend::Change;
use crate::units;
use crate::verdict::Certainty;
use std::cmp::Ordering;

impl Writer<'_> {
    /// What the change did, per run where that is known, and how sure it is.
    pub(super) fn two_sides_fact(&self, delta: i128, before: i128) -> String {
        let r = self.report;
        let s = &r.summary;
        let difference = || {
            let metric = &r.metric().name;
            match delta {
                0 => format!("{metric} {} on both sides", self.amount(before)),
                _ => format!("{metric} {}{}", self.signed(delta), change(delta, before)),
            }
        };
        let (Some(growth), Some(change)) = (s.sides, s.change) else {
            return difference();
        };
        let per = self.per();
        let how = match (growth.lo < growth.hi, s.certainty) {
            (true, _) => format!("{} to {}", self.rate(growth.lo), self.rate(growth.hi)),
            (false, Certainty::Exact | Certainty::Counted) => "exact".to_owned(),
            (false, _) => "of unknown noise".to_owned(),
        };
        let rates = format!(
            "{} {per} -> {} {per} (difference {}, {how})",
            self.rate_plain(growth.before),
            self.rate_plain(growth.after),
            self.rate(growth.difference)
        );
        if !s.series {
            // Levels per run: shown where the runs differ, or where repeats give their noise.
            let runs = |side| r.captures.iter().rev().find(|c| c.side == side)?.runs();
            let same = runs(Side::Base) == runs(Side::New);
            return match r.captures.len() {
                2 if same => format!(
                    "{}{}",
                    difference(),
                    if how == "exact" {
                        "   exact; one capture a side shows levels, not growth"
                    } else {
                        "   one capture a side shows levels, not growth"
                    }
                ),
                2 => format!(
                    "{}; for each run {} -> {} ({how})",
                    difference(),
                    self.rate_plain(growth.before),
                    self.rate_plain(growth.after)
                ),
                _ => format!("held for each run: {rates}"),
            };
        }
        let level = |n: i128, word: &str| {
            let n = self.amount(n.abs());
            let rate = self.rate_plain(growth.after);
            let difference = self.rate(growth.difference);
            format!(
                "holds {n} {word}; grows as before, {rate} {per} (difference {difference}, {how})"
            )
        };
        match (change.change, change.level) {
            (Change::Reduced { percent, lo, hi }, _) if lo < hi => {
                format!("by {percent:.0} % ({lo:.0} to {hi:.0} %): {rates}")
            }
            (Change::Reduced { percent, .. }, _) => format!("by {percent:.0} %: {rates}"),
            (Change::Unchanged, Ordering::Less) => level(delta, "less"),
            (Change::Unchanged, Ordering::Greater) => level(delta, "more"),
            (Change::CannotTell, _) => {
                format!("{rates}: neither a change nor sameness is shown")
            }
            _ => rates,
        }
    }

    /// The peak before and after, where another metric was compared.
    pub(super) fn peak(&self) -> Option<String> {
        let r = self.report;
        let at = r.metrics.iter().position(|m| m.name == "peak_bytes")?;
        if !r.has_two_sides() || r.metric().name != "live_bytes" {
            return None;
        }
        let (before, after) = r.total(at);
        let percent = units::change_percent(after - before, before)
            .filter(|_| (after - before).unsigned_abs() * 1000 >= before.unsigned_abs())?;
        let [b, a] = [before, after].map(|n| amount(&Unit::Bytes, n, self.style.exact));
        Some(format!("peak {b} -> {a} ({percent})"))
    }
}
