//! One side against the other.

use super::{ENOUGH, Need, Reading, Sample, SideValues, Told, mean_interval, samples, unit_of};
use crate::diff::Certainty;
use crate::trend::{self, Growth, Sampled};

/// Two sides: growth per run of each, or their levels; per run each value is counted by its runs.
pub(super) fn between(sample: &Sample, certainty: &Certainty, limit: f64, per_run: bool) -> Told {
    let (base, new) = (&sample.base, &sample.new);
    if new.values.is_empty() {
        return Err(Need::AnotherCapture);
    }
    let flat = base.is_flat() && new.is_flat();
    if flat {
        return levels(base, new, certainty, limit, per_run);
    }
    if !per_run {
        let last = |side: &SideValues| SideValues {
            values: vec![side.last()],
            variances: side.variances.last().copied().into_iter().collect(),
            runs: side.runs.last().copied().into_iter().collect(),
        };
        return levels(&last(base), &last(new), certainty, limit, false);
    }
    if base.span() > 0.0 && new.span() > 0.0 {
        return rates(base, new, certainty, limit);
    }
    match certainty {
        Certainty::Exact => {
            let rate = |side: &SideValues| match side.span() > 0.0 {
                true => (side.last() - side.first()) / side.span(),
                false => side.mean() / side.runs.last().copied().unwrap_or(f64::NAN),
            };
            finite(rate(new) - rate(base), limit)
        }
        _ => Err(Need::EvenSides),
    }
}

fn finite(value: f64, limit: f64) -> Told {
    match value.is_finite() {
        true => Ok(Reading::counted(value, limit)),
        false => Err(Need::Runs),
    }
}

/// Growth per run of two series.
fn rates(base: &SideValues, new: &SideValues, certainty: &Certainty, limit: f64) -> Told {
    let of = |side: &SideValues| match certainty {
        Certainty::Sampled(_) if side.variances.len() == side.values.len() => {
            Growth::of_sampled(&side.runs, &side.values, &side.variances, true)
        }
        Certainty::Sampled(_) => None,
        Certainty::Exact if side.values.len() < ENOUGH => {
            Growth::of_exact(&side.runs, &side.values)
        }
        _ => Growth::of_series(&side.runs, &side.values, 0),
    };
    let (Some(before), Some(after)) = (of(base), of(new)) else {
        let have = base.values.len().min(new.values.len());
        return Err(Need::Captures { have, need: 3 });
    };
    let difference = trend::compare_sides(&before, &after);
    let error = before.error.hypot(after.error);
    if !(error > 0.0) {
        return finite(difference.difference, limit);
    }
    // Welch and Satterthwaite, on the careful side: the smaller of both.
    let degrees = before.degrees.min(after.degrees);
    Ok(Reading::tested(
        difference.difference,
        limit,
        error,
        degrees,
    ))
}

/// Levels of two sides, each one capture or replicates of it.
fn levels(
    base: &SideValues,
    new: &SideValues,
    certainty: &Certainty,
    limit: f64,
    per_run: bool,
) -> Told {
    let runs = |side: &SideValues| match per_run {
        true => side
            .runs
            .last()
            .copied()
            .filter(|r| *r > 0.0)
            .ok_or(Need::Runs),
        false => Ok(1.0),
    };
    let (r1, r2) = (runs(base)?, runs(new)?);
    let value = new.mean() / r2 - base.mean() / r1;
    let single = base.values.len() == 1 && new.values.len() == 1;
    if let Certainty::Sampled(_) = certainty {
        let known = |s: &SideValues| s.variances.len() == s.values.len();
        if !(known(base) && known(new)) {
            return Err(Need::Captures { have: 1, need: 3 });
        }
        let mean = mean_interval(certainty);
        // The mean of k replicates: each sample stands for a k-th. Counted per run of the new
        // side, so that both sides are in its bytes.
        let side = |s: &SideValues, scale: f64| {
            let k = s.values.len() as f64;
            let variance = s.variances.iter().sum::<f64>() / k;
            Sampled {
                bytes: s.mean() * scale,
                unit: unit_of(s.mean(), variance, mean) * scale / k,
                raw: None,
            }
        };
        let (a, b) = (side(base, r2 / r1), side(new, 1.0));
        let reading = samples(&a, &b, limit * r2, r2, value, limit);
        // Replicates may differ by more than sampling explains.
        return Ok(match replicate_error(base, new, r1, r2) {
            Some((error, degrees)) => {
                let own = Reading::tested(value, limit, error, degrees);
                match own.p > reading.p {
                    true => own,
                    false => reading,
                }
            }
            None => reading,
        });
    }
    if single {
        let same = base.values == new.values && r1 == r2;
        return match certainty {
            Certainty::Exact => finite(value, limit),
            _ if same => Ok(Reading::counted(0.0, limit)),
            _ => Err(Need::Captures { have: 1, need: 3 }),
        };
    }
    match replicate_error(base, new, r1, r2) {
        Some((error, degrees)) => Ok(Reading::tested(value, limit, error, degrees)),
        None => finite(value, limit),
    }
}

/// The standard error of the difference of two means and its degrees of freedom (Welch 1947, the
/// degrees of Satterthwaite 1946). A side of one capture is as noisy as the other side's.
fn replicate_error(base: &SideValues, new: &SideValues, r1: f64, r2: f64) -> Option<(f64, f64)> {
    let spread = |side: &SideValues, runs: f64| {
        let k = side.values.len() as f64;
        let mean = side.mean();
        let squares: f64 = side.values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (k > 1.0).then(|| squares / (k - 1.0) / (runs * runs))
    };
    let (a, b) = (spread(base, r1), spread(new, r2));
    let either = a.or(b)?;
    let (k1, k2) = (base.values.len() as f64, new.values.len() as f64);
    let (va, vb) = (a.unwrap_or(either) / k1, b.unwrap_or(either) / k2);
    let degrees = match (a, b) {
        (Some(_), Some(_)) => {
            let below = va * va / (k1 - 1.0) + vb * vb / (k2 - 1.0);
            if below > 0.0 {
                (va + vb) * (va + vb) / below
            } else {
                k1 + k2 - 2.0
            }
        }
        _ => k1.max(k2) - 1.0,
    };
    let error = (va + vb).sqrt();
    (error > 0.0).then_some((error, degrees))
}
