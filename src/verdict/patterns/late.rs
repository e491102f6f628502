//! HD022: what a recording shows to be held, unchanged, until it is filled again.

use super::{Fact, Finding, Pattern, PatternGround, State};
use crate::model::{Column, Nature};
use crate::verdict::rules;

/// A batch has at least so many blocks.
const LEAST_BLOCKS: i64 = 1000;
/// A batch is at least this share of the recording's largest moment.
const LEAST_SHARE: f64 = 0.05;
/// It is held for at least so many moments, and this share of them all.
const LEAST_MOMENTS: usize = 4;
const LEAST_TIME: f64 = 0.1;
/// Released, when less than this share is left; filled again, when as much is back.
const HALF: f64 = 0.5;

/// A batch that is held until the next one comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// In the last side, or in the base alone.
    pub state: State,
    /// Bytes that are held.
    pub bytes: i64,
    /// Blocks that are held.
    pub blocks: i64,
    /// Moments for which nothing of it changed.
    pub moments: usize,
    /// Moments of the recording.
    pub of: usize,
    /// Held when the recording ends.
    pub at_end: i64,
}

impl Late {
    pub(super) fn facts(&self) -> Vec<(&'static str, Fact)> {
        vec![
            ("state", Fact::Text(self.state.as_str().to_owned())),
            ("held_bytes", Fact::Whole(self.bytes as i128)),
            ("held_blocks", Fact::Whole(self.blocks as i128)),
            ("moments", Fact::Whole(self.moments as i128)),
            ("of_moments", Fact::Whole(self.of as i128)),
            ("held_at_end", Fact::Whole(self.at_end as i128)),
        ]
    }
}

pub(super) fn find(ground: &PatternGround<'_>) -> Vec<Finding> {
    if ground.metrics[ground.chosen].nature != Nature::Live {
        return Vec::new();
    }
    let new = held(ground, false);
    let mut findings = Vec::new();
    if ground.moments[1] {
        for (row, late) in held(ground, true) {
            if new.iter().all(|(r, _)| *r != row) {
                let words = [
                    "a later recording in which it is held again",
                    "keep the recording as a baseline: heapdiff compare --base",
                ];
                let late = Late {
                    state: State::Gone,
                    ..late
                };
                let rule = &rules::LATE_RELEASE;
                findings.push(ground.finding(rule, vec![row], Pattern::Late(late), words));
            }
        }
    }
    for (row, late) in new {
        let words = [
            "work that reads the batch during that time",
            "let go of it when its work is done, not when the next one takes its place",
        ];
        findings.push(ground.finding(&rules::LATE_RELEASE, vec![row], Pattern::Late(late), words));
    }
    findings
}

/// The rows of one side that hold a batch so, the largest first.
fn held(ground: &PatternGround<'_>, base: bool) -> Vec<(u32, Late)> {
    let [of_base, of_new] = ground.moments;
    let (bytes, blocks, totals) = (
        ground.series(&ground.values.series, base),
        ground.series(&ground.values.blocks, base),
        ground.series(&ground.totals.series, base),
    );
    let is_recording = if base { of_base } else { of_new };
    if !is_recording || bytes.len() != blocks.len() || bytes.len() < 2 * LEAST_MOMENTS {
        return Vec::new();
    }
    let largest = totals.iter().map(|c| c.get(0)).max().unwrap_or(0);
    let least = ((largest as f64 * LEAST_SHARE) as i64).max(1);
    let rows = blocks[0].len() as u32;
    let late = (0..rows).filter_map(|row| Some((row, batch(bytes, blocks, row, least)?)));
    let mut late: Vec<(u32, Late)> = late.collect();
    late.sort_by_key(|(row, l)| (std::cmp::Reverse(l.bytes), *row));
    late
}

/// The batch that a row holds for the longest time, if it is released and filled again after it.
fn batch(bytes: &[Column], blocks: &[Column], row: u32, least: i64) -> Option<Late> {
    let row = row as usize;
    let n = bytes.len();
    let at = |i: usize| (bytes[i].get(row), blocks[i].get(row));
    let wanted = LEAST_MOMENTS.max((n as f64 * LEAST_TIME).ceil() as usize);
    let mut best: Option<Late> = None;
    let mut from = 0;
    while from < n {
        let held = at(from);
        let mut to = from + 1;
        while to < n && at(to) == held {
            to += 1;
        }
        let half = HALF * held.0 as f64;
        // It came to be, is held, is let go of, and comes again.
        let came = from > 0;
        let mut later = (to..n).map(|i| at(i).0 as f64);
        let released = later.next().is_some_and(|v| v < half) && later.any(|v| v >= half);
        let large = held.1 >= LEAST_BLOCKS && held.0 >= least;
        let long = to - from >= wanted && best.as_ref().is_none_or(|b| to - from > b.moments);
        if came && released && large && long {
            best = Some(Late {
                state: State::Present,
                bytes: held.0,
                blocks: held.1,
                moments: to - from,
                of: n,
                at_end: at(n - 1).0,
            });
        }
        from = to;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(levels: &[i64]) -> Option<(usize, i64)> {
        let column = |v: i64| {
            let mut c = Column::default();
            c.push(v);
            c
        };
        let bytes: Vec<Column> = levels.iter().map(|&v| column(v * 4000)).collect();
        let blocks: Vec<Column> = levels.iter().map(|&v| column(v)).collect();
        batch(&bytes, &blocks, 0, 1).map(|l| (l.moments, l.at_end))
    }

    #[test]
    fn held_until_the_next() {
        let held = [0, 900, 2000, 2000, 2000, 2000, 2000, 300, 1500, 2000];
        assert_eq!(late(&held), Some((5, 8_000_000)));
        // Never released: a table that stays.
        assert_eq!(late(&[0, 900, 2000, 2000, 2000, 2000, 2000, 2000]), None);
        // Never filled again: nothing to wait for.
        assert_eq!(late(&[0, 900, 2000, 2000, 2000, 2000, 2000, 0, 0]), None);
        // Released at once.
        assert_eq!(late(&[0, 900, 2000, 0, 900, 2000, 0, 900, 2000, 0]), None);
        // A small batch.
        assert_eq!(late(&[0, 90, 200, 200, 200, 200, 200, 0, 200]), None);
        // There from the start.
        assert_eq!(late(&[2000, 2000, 2000, 2000, 2000, 2000, 0, 2000]), None);
    }
}
