//! Growth along the captures of one side.

use super::{ENOUGH, Need, Reading, SideValues, Told, mean_interval, samples, unit_of};
use crate::diff::Certainty;
use crate::trend::{Class, Growth, Noise, Plan, Row, Sampled};

/// Growth per x of one side.
pub(super) fn along(side: &SideValues, certainty: &Certainty, limit: f64) -> Told {
    let n = side.values.len();
    if n < 2 {
        return Err(Need::AnotherCapture);
    }
    let span = side.span();
    if !(span > 0.0) {
        return Err(Need::Runs);
    }
    let ends = (side.last() - side.first()) / span;
    if side.is_level() && !matches!(certainty, Certainty::Sampled(_)) {
        return Ok(Reading::counted(0.0, limit));
    }
    match certainty {
        Certainty::Sampled(_) => along_samples(side, certainty, limit, ends, span),
        Certainty::Exact if n == 2 => Ok(Reading::counted(ends, limit)),
        Certainty::Exact if n < ENOUGH => sustained(side, limit, ends),
        Certainty::Unknown if n < ENOUGH => Err(Need::Captures {
            have: n,
            need: ENOUGH,
        }),
        _ => Ok(slope(side, certainty, limit, ends)),
    }
}

/// Three or four counted captures: what a leak adds it adds in every interval. What grew and is
/// within the limit at the end was a warm-up; what grew in the end alone may be anything.
fn sustained(side: &SideValues, limit: f64, ends: f64) -> Told {
    let rates = rates_of(side);
    let last = rates.last().copied().unwrap_or(ends);
    let reading = Reading::counted(ends, limit);
    if ends <= limit || rates.iter().all(|&r| r > limit) {
        return Ok(reading);
    }
    match last <= limit {
        true => Ok(reading.settled(last)),
        false => Err(Need::OnceMore),
    }
}

/// Growth per x from each capture to the next.
fn rates_of(side: &SideValues) -> Vec<f64> {
    side.values
        .windows(2)
        .zip(side.runs.windows(2))
        .map(|(y, x)| (y[1] - y[0]) / (x[1] - x[0]))
        .filter(|r| r.is_finite())
        .collect()
}

/// Five captures and more: the slope, and whether the shape of the series is growth at all.
fn slope(side: &SideValues, certainty: &Certainty, limit: f64, ends: f64) -> Reading {
    let (class, skip) = class_of(side, certainty);
    let fit = |skip| Growth::of_series(&side.runs, &side.values, skip);
    let Some(growth) = fit(skip).or_else(|| fit(0)) else {
        return Reading::counted(ends, limit);
    };
    let reading = Reading::tested(growth.per_run, limit, growth.error, growth.degrees);
    let rates = rates_of(side);
    let quiet = match class {
        // What follows the warm-up.
        Class::WarmUp => match side.values.get(skip.min(side.values.len() - 1)) {
            Some(&from) if side.last() <= from => Some(0.0),
            _ => rates.last().copied(),
        },
        Class::Shrinking => Some(growth.per_run),
        // The median of the rates: one step does not show in it.
        Class::Step => {
            let mut sorted = rates.clone();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied()
        }
        _ => None,
    };
    match quiet.filter(|&rate| rate <= limit) {
        Some(rate) => reading.settled(rate),
        None => reading,
    }
}

/// The class of a series, and how many captures are its warm-up.
pub(super) fn class_of(side: &SideValues, certainty: &Certainty) -> (Class, usize) {
    let x: Vec<f64> = match side.span() > 0.0 {
        true => side.runs.clone(),
        false => (0..side.values.len()).map(|i| i as f64).collect(),
    };
    let Ok(plan) = Plan::new(&x) else {
        return (Class::Undetermined, 0);
    };
    let noise = match certainty {
        Certainty::Exact => Noise::Exact,
        Certainty::Sampled(_) => Noise::Known { one_process: true },
        Certainty::Unknown => Noise::Unknown,
    };
    let mut row = Row::of(&side.values);
    if let (Certainty::Sampled(_), Some(&variance)) = (certainty, side.variances.last()) {
        row.unit = unit_of(side.last(), variance, mean_interval(certainty));
    }
    let judged = plan.judge_one(noise, &row);
    (judged.class, judged.skipped())
}

fn along_samples(
    side: &SideValues,
    certainty: &Certainty,
    limit: f64,
    ends: f64,
    span: f64,
) -> Told {
    if side.variances.len() != side.values.len() {
        return Err(Need::Captures {
            have: side.values.len(),
            need: ENOUGH,
        });
    }
    let mean = mean_interval(certainty);
    let at = |i: usize| Sampled {
        bytes: side.values[i],
        unit: unit_of(side.values[i], side.variances[i], mean),
        raw: None,
    };
    let (first, last) = (at(0), at(side.values.len() - 1));
    Ok(samples(&first, &last, limit * span, span, ends, limit))
}
