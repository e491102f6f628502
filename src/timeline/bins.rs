//! Cells become bins: the level where the collector's teeth, bursts and single samples are gone.

use super::fit::{median_of, quantile, spread};
use crate::model::Series;
use crate::model::SeriesUnit;
use crate::model::Time;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// Up to this span every minute is a bin: five of them would be too few lines to draw through.
const SHORT_S: f64 = 3.0 * 3_600.0;
/// Most bins of a series.
const MOST_BINS: i64 = 2_880;
/// A release is a fall of so many times the usual change.
const RELEASE: f64 = 6.0;
/// Fewest releases of a saw-tooth.
const LEAST_RELEASES: usize = 6;
/// Releases nearer than this many cells are one.
const ONE_RELEASE: usize = 4;
/// Rises as steep as releases may be this share of them.
const ASYMMETRY: f64 = 0.34;
/// The share of a tooth's cells below the value of a bin.
const LOW: f64 = 0.25;
/// The share of a bin's cells that have to be seen where it holds less than half of its samples.
const SPREAD: f64 = 0.75;
/// Cells of a bin from which on samples can be spread over it.
const LEAST_CELLS: f64 = 4.0;
/// Bursts with breaks rise as steeply as they fall: they have to take turns this often, and to come
/// as evenly as that.
const TURNS: f64 = 0.9;
const EVENLY: f64 = 1.5;

/// A saw-tooth: memory that is gathered and given back again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Teeth {
    /// Time between releases that nine in ten stay below, in seconds.
    pub period_s: f64,
    /// What a release gives back at the median, in the unit of the series.
    pub size: f64,
    /// Number of releases.
    pub releases: usize,
    /// The share of cells below the value of a bin: inside of what lies at the floor.
    pub low: f64,
}

/// One bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Its number: seconds since 1970 divided by the width.
    pub at: i64,
    /// The moment of its value, in hours from the start of the series.
    pub t: f64,
    /// The level.
    pub y: f64,
}

/// A series in bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// Width in seconds.
    pub width_s: i64,
    /// Bins with enough samples, by time.
    pub bins: Vec<Bin>,
    /// The saw-tooth, if there is one.
    pub teeth: Option<Teeth>,
    /// Whether whole days line up with bins.
    pub daily: bool,
    /// The variance that whole numbers have by themselves; 0 for other values.
    pub grain: f64,
}

/// The moment `t` hours from the start of the series.
pub(super) fn moment(series: &Series, t: f64) -> Time {
    series.start.plus(t * 3600.0)
}

/// Looks for teeth: regular releases without rises as steep. Linear time but for sorting.
pub(super) fn teeth(series: &Series) -> Option<Teeth> {
    let cells = &series.cells;
    let width = series.width_s;
    let mut changes = Vec::new();
    for i in 0..cells.len().saturating_sub(2) {
        let (a, b) = (&cells[i], &cells[i + 2]);
        if b.median != 0.0 && (b.at - a.at) * width <= (6 * width).max(3 * series.step_s as i64) {
            changes.push((i, (b.median - a.median) / b.median.abs()));
        }
    }
    if changes.len() < 3 * LEAST_RELEASES {
        return None;
    }
    let relative: Vec<f64> = changes.iter().map(|c| c.1).collect();
    let usual = median_of(&relative);
    let s = spread(&relative).max(0.001);
    let (mut runs, mut ups): (Vec<(usize, usize)>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
    let (mut falls, mut rises) = (0, 0);
    let join = |runs: &mut Vec<(usize, usize)>, i: usize| match runs.last_mut() {
        Some(run) if i - run.1 < ONE_RELEASE => run.1 = i,
        _ => runs.push((i, i)),
    };
    for &(i, d) in &changes {
        let d = d - usual;
        if d > RELEASE * s {
            rises += 1;
            join(&mut ups, i);
        }
        if d < -RELEASE * s {
            falls += 1;
            join(&mut runs, i);
        }
    }
    if runs.len() < LEAST_RELEASES {
        return None;
    }
    let bursts = rises as f64 > ASYMMETRY * falls as f64;
    let low = match bursts {
        true => breaks(&runs, &ups)? / 2.0,
        false => LOW,
    };
    let seconds = |i: usize| (cells[i].at * width) as f64;
    let mut gaps: Vec<f64> = runs
        .windows(2)
        .map(|p| seconds(p[1].0) - seconds(p[0].0))
        .collect();
    gaps.sort_by(f64::total_cmp);
    let period_s = quantile(&gaps, 0.9);
    let span = series.end.hours_since(series.start) * 3600.0;
    let uneven = if bursts { EVENLY } else { 3.0 };
    if period_s > uneven * median_of(&gaps) || period_s > span / 16.0 {
        return None;
    }
    // What a release gives back: the highest cell just before, less the lowest just behind it.
    let sizes: Vec<f64> = runs
        .iter()
        .map(|&(a, b)| {
            let near = &cells[a.saturating_sub(2)..(b + 5).min(cells.len())];
            let high = near.iter().map(|c| c.max).fold(f64::NEG_INFINITY, f64::max);
            let low = near.iter().map(|c| c.min).fold(f64::INFINITY, f64::min);
            high - low
        })
        .collect();
    Some(Teeth {
        period_s,
        size: median_of(&sizes),
        releases: runs.len(),
        low: low.clamp(0.02, LOW),
    })
}

/// The share of a period that is a break, where bursts and breaks take turns; `None` if they do not.
fn breaks(falls: &[(usize, usize)], rises: &[(usize, usize)]) -> Option<f64> {
    let mut turns: Vec<(usize, bool)> = falls.iter().map(|r| (r.0, true)).collect();
    turns.extend(rises.iter().map(|r| (r.0, false)));
    turns.sort_unstable();
    let pairs = turns.len().saturating_sub(1);
    let taken = turns.windows(2).filter(|p| p[0].1 != p[1].1).count();
    if rises.len() < LEAST_RELEASES || (taken as f64) < TURNS * pairs as f64 {
        return None;
    }
    let shares: Vec<f64> = falls
        .windows(2)
        .filter_map(|p| {
            let next = rises.partition_point(|r| r.0 <= p[0].0);
            let back = rises.get(next).filter(|r| r.0 < p[1].0)?;
            Some((back.0 - p[0].0) as f64 / (p[1].0 - p[0].0) as f64)
        })
        .collect();
    (!shares.is_empty()).then(|| median_of(&shares))
}

/// The width of bins for a span of so many seconds.
fn width_for(span: f64) -> i64 {
    match span {
        s if s <= SHORT_S => 60,
        s if s <= 2.0 * DAY as f64 => 300,
        s if s <= 8.0 * DAY as f64 => 900,
        _ => {
            let least = (span / MOST_BINS as f64).ceil() as i64;
            let of_a_day = [3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200];
            let fits = of_a_day.into_iter().find(|&w| w >= least);
            fits.unwrap_or_else(|| (least + DAY - 1) / DAY * DAY)
        }
    }
}

/// The smallest part of a day in whole minutes that is at least so long.
fn part_of_a_day(least: i64) -> i64 {
    (1..=1440)
        .map(|m| m * 60)
        .find(|w| *w >= least && DAY % w == 0)
        .unwrap_or(DAY)
}

/// Puts a series into bins: medians, or where a saw-tooth is longer than a third of a bin a low
/// quantile over one whole tooth.
pub(super) fn bins(series: &Series, teeth: Option<Teeth>) -> Bins {
    let span = series.end.hours_since(series.start) * 3600.0;
    let mut width = width_for(span).max(series.width_s);
    // A few samples have to stand in a bin.
    while width < DAY && (width as f64) < 3.0 * series.step_s {
        width = part_of_a_day(width + 60);
    }
    let days = span >= 1.9 * DAY as f64;
    let low = teeth.filter(|t| t.period_s > width as f64 / 3.0);
    if let Some(t) = low {
        let least = ((t.period_s / 60.0).ceil() as i64 * 60).max(width.min(300));
        width = if days {
            part_of_a_day(least.max(width))
        } else {
            least
        };
    }
    let due = width as f64 / series.step_s.max(1e-3);
    let due_cells = width as f64 / series.step_s.max(series.width_s as f64);
    let mut out = Vec::new();
    let mut from = 0;
    let number = |i: usize| (series.cells[i].at * series.width_s).div_euclid(width);
    let mut values: Vec<(f64, i64)> = Vec::new();
    while from < series.cells.len() {
        let at = number(from);
        let mut to = from;
        let mut samples = 0u64;
        values.clear();
        while to < series.cells.len() && number(to) == at {
            let cell = &series.cells[to];
            samples += u64::from(cell.n);
            values.push((cell.median, cell.at));
            to += 1;
        }
        from = to;
        // A machine under load is sampled more slowly, just when it matters: few samples will do
        // where they are spread over the bin.
        let spread = due_cells >= LEAST_CELLS && values.len() as f64 >= SPREAD * due_cells;
        let seen = samples as f64 >= 0.5 * due || spread;
        if !seen && series.step_s > 0.0 {
            continue;
        }
        values.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let centre = |cell: i64| cell as f64 * series.width_s as f64 + series.width_s as f64 / 2.0;
        let (y, seconds) = if let Some(t) = low {
            let at = ((values.len() - 1) as f64 * t.low).round() as usize;
            (values[at].0, centre(values[at].1))
        } else {
            let sorted: Vec<f64> = values.iter().map(|v| v.0).collect();
            let mean = values.iter().map(|v| centre(v.1)).sum::<f64>() / values.len() as f64;
            (quantile(&sorted, 0.5), mean)
        };
        out.push(Bin {
            at,
            t: (seconds - series.start.seconds()) / 3600.0,
            y,
        });
    }
    Bins {
        width_s: width,
        bins: out,
        teeth,
        daily: DAY % width == 0,
        grain: match series.name.unit {
            SeriesUnit::Count => 0.25,
            _ => 0.0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_divide_a_day_from_two_days_on() {
        assert_eq!(width_for(3_600.0), 60);
        assert_eq!(width_for(86_400.0), 300);
        assert_eq!(width_for(3.0 * 86_400.0), 900);
        assert_eq!(width_for(30.0 * 86_400.0), 3_600);
        assert_eq!(width_for(3_650.0 * 86_400.0), 2 * DAY);
        assert_eq!(part_of_a_day(1_980), 2_160);
    }
}
