//! Before and after a mark, a deploy for example: one fit with a slope on each side and a rhythm
//! that both share.

use super::bins::Bins;
use super::curve::Curve;
use super::fit::{fit, uncertainty};
use super::rate::{RHYTHM_H, harmonics};
use super::restarts::SETTLE_H;
use crate::model::Time;
use crate::trend::student_quantile_two_sided;

/// Level of the intervals: 99 %.
const LEVEL: f64 = 0.01;
/// Differences below this are none: 5 MB/h, and a tenth of the rate before.
const NONE_MB_H: f64 = 5e6;
const NONE_SHARE: f64 = 0.1;
/// Hours behind the mark below which a daily wave may be anything.
const LEAST_AFTER_H: f64 = 6.0;
/// Rates that a wave of a quarter of the level reaches, as a share of the level an hour, on both sides.
const WAVE: f64 = 0.13;

/// What a mark changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The growth is gone.
    Cured,
    /// There is less of it.
    Reduced,
    /// There is more.
    Worse,
    /// These hours do not tell.
    CannotTell,
}

impl Change {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Cured => "cured",
            Change::Reduced => "reduced",
            Change::Worse => "worse",
            Change::CannotTell => "cannot-tell",
        }
    }
}

/// Rates on both sides of a mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarkFacts {
    /// When.
    pub at: Time,
    /// Rate before, in units an hour, and its interval of 99 %.
    pub before: (f64, f64, f64),
    /// Rate after.
    pub after: (f64, f64, f64),
    /// What it comes to.
    pub change: Change,
    /// Hours behind the mark that would tell, where these do not.
    pub hours_needed: Option<f64>,
    /// Hours seen behind it.
    pub hours_after: f64,
}

/// A slope, its standard error and degrees.
#[derive(Debug, Clone, Copy)]
struct Side {
    value: f64,
    se: f64,
    df: f64,
}

/// Compares the rates before and after `at`; `None` where a side has too few bins.
pub(super) fn mark(curve: &Curve, at: Time) -> Option<MarkFacts> {
    let when = at.hours_since(curve.series.start);
    let restarted = curve.restarts.iter().any(|r| {
        let h = r.at.hours_since(curve.series.start);
        (h - when).abs() < 1.0
    });
    let settle = if restarted { SETTLE_H } else { 0.0 };
    let bins: &Bins = &curve.bins;
    let used: Vec<_> = bins
        .bins
        .iter()
        .filter(|b| b.t < when || b.t >= when + settle)
        .collect();
    let sides = [
        used.iter().filter(|b| b.t < when).count(),
        used.iter().filter(|b| b.t >= when).count(),
    ];
    if sides[0] < 12 || sides[1] < 12 {
        return None;
    }
    let t: Vec<f64> = used.iter().map(|b| b.t).collect();
    let y: Vec<f64> = used.iter().map(|b| b.y).collect();
    let grid: Vec<i64> = used.iter().map(|b| b.at).collect();
    let flag = |after: bool| -> Vec<f64> {
        t.iter()
            .map(|&h| f64::from(u8::from((h >= when) == after)))
            .collect()
    };
    let line = |after: bool| -> Vec<f64> {
        t.iter()
            .map(|&h| if (h >= when) == after { h - when } else { 0.0 })
            .collect()
    };
    let span = t[t.len() - 1] - t[0];
    let rhythm = span >= RHYTHM_H;
    let mut all = Vec::new();
    for pairs in if rhythm { 1..=3 } else { 0..=0 } {
        let mut common = vec![flag(false), flag(true)];
        common.extend(harmonics(&t, pairs));
        let side = |after: bool| -> Option<Side> {
            let mut others = common.clone();
            others.push(line(!after));
            let f = fit(&y, &others, &line(after), true)?;
            let u = uncertainty(&f, &grid);
            Some(Side {
                value: f.value,
                se: u.se,
                df: u.df,
            })
        };
        all.push((side(false)?, side(true)?));
    }
    let level = used.iter().map(|b| b.y.abs()).sum::<f64>() / used.len() as f64;
    let hours_after = t[t.len() - 1] - when;
    let mut changes: Vec<Change> = all.iter().map(|(b, a)| judge(*b, *a)).collect();
    let (b, a) = all[all.len().min(2) - 1];
    if !rhythm || hours_after < LEAST_AFTER_H {
        let plain = (a.value - b.value).abs() < WAVE * level;
        if plain {
            changes = vec![Change::CannotTell];
        }
    }
    let same = changes.iter().all(|c| *c == changes[0]);
    let better = changes
        .iter()
        .all(|c| matches!(c, Change::Cured | Change::Reduced));
    let change = match (same, better) {
        (true, _) => changes[0],
        (false, true) => Change::Reduced,
        _ => Change::CannotTell,
    };
    let reach = |s: Side| student_quantile_two_sided(LEVEL, s.df) * s.se;
    let z = NONE_MB_H.max(NONE_SHARE * b.value.abs());
    // The half width shrinks with the hours to the power of one and a half.
    let needed = (reach(a) / z).powf(1.0 / 1.5) * hours_after;
    let needed = if rhythm { needed } else { needed.max(24.0) };
    Some(MarkFacts {
        at,
        before: (b.value, b.value - reach(b), b.value + reach(b)),
        after: (a.value, a.value - reach(a), a.value + reach(a)),
        change,
        hours_needed: (change == Change::CannotTell && needed > hours_after).then_some(needed),
        hours_after,
    })
}

fn judge(before: Side, after: Side) -> Change {
    let d = after.value - before.value;
    let (v0, v1) = (before.se * before.se, after.se * after.se);
    // Welch: the degrees of a difference of unequal variances.
    let df = match v0 + v1 > 0.0 {
        true => (v0 + v1).powi(2) / (v0 * v0 / before.df + v1 * v1 / after.df),
        false => before.df + after.df,
    };
    let reach = match v0 + v1 > 0.0 {
        true => student_quantile_two_sided(LEVEL, df) * (v0 + v1).sqrt(),
        false => 0.0,
    };
    let of = |s: Side| {
        if s.se > 0.0 {
            student_quantile_two_sided(LEVEL, s.df) * s.se
        } else {
            0.0
        }
    };
    let z = NONE_MB_H.max(NONE_SHARE * before.value.abs());
    if d - reach > z {
        Change::Worse
    } else if before.value - of(before) > 0.0 && d + reach < 0.0 && after.value + of(after) < z {
        Change::Cured
    } else if d + reach < 0.0 && d < -NONE_SHARE * before.value {
        Change::Reduced
    } else {
        Change::CannotTell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_cases() {
        let side = |mb: f64| Side {
            value: mb * 1e6,
            se: 2e6,
            df: 60.0,
        };
        for (after, want) in [
            (0.0, Change::Cured),
            (40.0, Change::Reduced),
            (98.0, Change::CannotTell),
            (130.0, Change::Worse),
        ] {
            assert_eq!(judge(side(100.0), side(after)), want, "{after}");
        }
    }
}
