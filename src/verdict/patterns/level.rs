//! HD021 and HD024: a level that rises evenly, with failures or with runs, to a cap or not.

use super::{Fact, Finding, Pattern, PatternGround};
use crate::model::{Column, Nature, Unit};
use crate::verdict::rules;

/// Rates of rise agree within this share.
const EVEN: f64 = 0.02;
/// A level that stays does so within this share.
const LEVEL: f64 = 0.005;
/// Without the cap the last capture would hold at least this many times what it holds.
const BEYOND: f64 = 1.5;
/// Smaller levels are not worth a word.
const LEAST: i64 = 64 << 10;
/// What the name of a driver that counts failures holds.
const FAILURES: [&str; 7] = [
    "fail", "error", "retr", "refus", "reject", "timeout", "dropped",
];

/// A level that rises by the same amount for each unit of a driver.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The driver that it rises with.
    pub driver: String,
    /// Whether that driver counts failures.
    pub failures: bool,
    /// Bytes for each unit of it, all rows together.
    pub per_unit: f64,
    /// The least and the most of one row.
    pub each: (f64, f64),
    /// Number of rows that do so.
    pub rows: usize,
    /// The last value of the driver, up to which this was seen.
    pub seen_to: f64,
    /// What they hold in the last capture.
    pub level: i64,
    /// Where the level stays, and from which value of the driver on.
    pub cap: Option<Cap>,
    /// Runs explain the rise as well as the failures do.
    pub runs_alike: bool,
}

/// A level that stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cap {
    /// The value of the driver at which the rise meets the level.
    pub met_at: f64,
    /// Blocks held, where they are counted.
    pub blocks: Option<i64>,
}

impl Level {
    pub(super) fn facts(&self) -> Vec<(&'static str, Fact)> {
        let mut facts = vec![
            ("driver", Fact::Text(self.driver.clone())),
            ("per_unit", Fact::Number(self.per_unit)),
            ("per_unit_least", Fact::Number(self.each.0)),
            ("per_unit_most", Fact::Number(self.each.1)),
            ("rows", Fact::Whole(self.rows as i128)),
            ("seen_to", Fact::Number(self.seen_to)),
            ("level", Fact::Whole(self.level as i128)),
        ];
        let cap = self.cap.map(|_| Fact::Whole(self.level as i128));
        facts.push(("cap", cap.unwrap_or(Fact::Unknown)));
        if let Some(cap) = self.cap {
            facts.push(("cap_met_at", Fact::Number(cap.met_at)));
            let blocks = cap.blocks.map(|n| Fact::Whole(n as i128));
            facts.extend(blocks.map(|n| ("cap_blocks", n)));
        }
        facts
    }
}

pub(super) fn find(ground: &PatternGround<'_>) -> Vec<Finding> {
    let metric = &ground.metrics[ground.chosen];
    let series = ground.series(&ground.values.series, false);
    if metric.nature != Nature::Live || metric.unit != Unit::Bytes || series.len() < 3 {
        return Vec::new();
    }
    let names = ground.drivers.first().map_or(&[][..], |d| d);
    let is_failure = |name: &str| FAILURES.iter().any(|part| name.contains(part));
    let runs = counts(ground, "runs");
    let mut findings = Vec::new();
    let failing = names.iter().filter(|(name, _)| is_failure(name));
    for (name, _) in failing {
        let Some(at) = counts(ground, name) else {
            continue;
        };
        let rises = rises(series, &at);
        let alike = runs.as_ref().is_some_and(|runs| {
            let same = |r: &Rise| rise(series, runs, r.row).is_some();
            rises.iter().all(same)
        });
        findings.extend(finding(ground, name, true, alike, &at, rises));
    }
    if findings.is_empty()
        && let Some(at) = runs
    {
        let capped = rises(series, &at).into_iter().filter(|r| r.cap.is_some());
        findings.extend(finding(ground, "runs", false, false, &at, capped.collect()));
    }
    findings
}

/// The values of a driver in every capture of the new side; none unless all have it and it rises.
fn counts(ground: &PatternGround<'_>, name: &str) -> Option<Vec<f64>> {
    let of = |drivers: &&[(String, f64)]| {
        let found = drivers.iter().find(|(n, _)| n == name);
        found.map(|&(_, n)| n)
    };
    let all: Option<Vec<f64>> = ground.drivers.iter().map(of).collect();
    all.filter(|n| n.windows(2).all(|w| w[1] > w[0]))
}

/// One row that rises evenly.
struct Rise {
    row: u32,
    per_unit: f64,
    level: i64,
    /// Where the rise meets the level, when it stays.
    cap: Option<f64>,
}

fn rises(series: &[Column], at: &[f64]) -> Vec<Rise> {
    let Some(last) = series.last() else {
        return Vec::new();
    };
    let large = (0..last.len()).filter(|&r| last.get(r) >= LEAST);
    large.filter_map(|r| rise(series, at, r as u32)).collect()
}

/// Whether a row rises by the same amount for each unit of `at`: in every interval, or in the
/// first two and more and then, after the interval in which it meets the cap, not at all.
fn rise(series: &[Column], at: &[f64], row: u32) -> Option<Rise> {
    let value = |i: usize| series[i].get(row as usize) as f64;
    let n = series.len().min(at.len());
    let rate = |i: usize| (value(i + 1) - value(i)) / (at[i + 1] - at[i]);
    let first = rate(0);
    let even = |i: &usize| first > 0.0 && (rate(*i) - first).abs() <= EVEN * first;
    let intervals = n - 1;
    let rising = (0..intervals).take_while(even).count();
    if rising < 2 {
        return None;
    }
    let per_unit = (value(rising) - value(0)) / (at[rising] - at[0]);
    let level = series[n - 1].get(row as usize);
    let found = |cap| {
        Some(Rise {
            row,
            per_unit,
            level,
            cap,
        })
    };
    if rising == intervals {
        return found(None);
    }
    // The cap is met inside the interval after the last even one, or at its start.
    let met_at = at[rising] + (level as f64 - value(rising)) / per_unit;
    let stays = rising + usize::from((value(rising) - level as f64).abs() > LEVEL * level as f64);
    let flat = (stays..n).all(|i| (value(i) - level as f64).abs() <= LEVEL * level as f64);
    let without = value(rising) + per_unit * (at[n - 1] - at[rising]);
    let capped = flat
        && n - stays >= 2
        && met_at <= at[stays] + EVEN * at[stays]
        && without >= BEYOND * level as f64;
    capped.then(|| found(Some(met_at))).flatten()
}

fn finding(
    ground: &PatternGround<'_>,
    driver: &str,
    failures: bool,
    runs_alike: bool,
    at: &[f64],
    mut rises: Vec<Rise>,
) -> Option<Finding> {
    // Those with a cap and those without say different things; the larger part is told.
    let sum = |capped: bool| -> f64 {
        let of = rises.iter().filter(|r| r.cap.is_some() == capped);
        of.map(|r| r.per_unit).sum()
    };
    let capped = sum(true) > sum(false);
    rises.retain(|r| r.cap.is_some() == capped);
    rises.sort_by(|a, b| b.per_unit.total_cmp(&a.per_unit).then(a.row.cmp(&b.row)));
    let most = rises.first()?.per_unit;
    let rows: Vec<u32> = rises.iter().map(|r| r.row).collect();
    let blocks = ground.series(&ground.values.blocks, false).last();
    let cap = rises[0].cap.map(|met_at| Cap {
        met_at,
        blocks: blocks.map(|c| rows.iter().map(|&r| c.get(r as usize)).sum()),
    });
    let pattern = Level {
        driver: driver.to_owned(),
        failures,
        per_unit: rises.iter().map(|r| r.per_unit).sum(),
        each: (rises.last()?.per_unit, most),
        rows: rises.len(),
        seen_to: at.last().copied()?,
        level: rises.iter().map(|r| r.level).fold(0, i64::saturating_add),
        cap,
        runs_alike,
    };
    let (rule, words) = match (failures, capped, runs_alike) {
        (true, _, true) => (
            &rules::RISES_WITH_FAILURES,
            [
                "captures with other failures for each run: here the two rise at one rate",
                "bound what is put back, and drop it after a number of retries",
            ],
        ),
        (true, ..) => (
            &rules::RISES_WITH_FAILURES,
            [
                "captures in which the failures go on and the level stays",
                "bound what is put back, and drop it after a number of retries",
            ],
        ),
        _ => (
            &rules::CAPPED,
            [
                "a later capture in which the level rises again",
                "budget for the cap, or lower it; nothing is lost beyond it",
            ],
        ),
    };
    Some(ground.finding(rule, rows, Pattern::Level(pattern), words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[i64]) -> Vec<Column> {
        let column = |&v: &i64| {
            let mut c = Column::default();
            c.push(v);
            c
        };
        values.iter().map(column).collect()
    }

    fn cap_of(values: &[i64], at: &[f64]) -> Option<Option<f64>> {
        rise(&series(values), at, 0).map(|r| r.cap)
    }

    #[test]
    fn an_even_rise_and_where_it_stops() {
        let k = 100_000;
        let runs = [20.0, 40.0, 80.0, 160.0, 320.0];
        assert_eq!(
            cap_of(&[2 * k, 4 * k, 8 * k, 16 * k, 32 * k], &runs),
            Some(None)
        );
        assert_eq!(
            cap_of(&[2 * k, 4 * k, 8 * k, 10 * k, 10 * k], &runs),
            Some(Some(100.0))
        );
        // One capture at the level is no level.
        assert_eq!(cap_of(&[2 * k, 4 * k, 8 * k, 10 * k], &runs[..4]), None);
        // Two points of rise are no even rise.
        assert_eq!(cap_of(&[2 * k, 4 * k, 4 * k, 4 * k], &runs[..4]), None);
        assert_eq!(cap_of(&[2 * k, 9 * k, 8 * k, 16 * k, 32 * k], &runs), None);
        assert_eq!(cap_of(&[k, k, k, k, k], &runs), None);
        // Higher than the rise could have reached is no cap.
        assert_eq!(cap_of(&[2 * k, 4 * k, 8 * k, 30 * k, 30 * k], &runs), None);
    }
}
