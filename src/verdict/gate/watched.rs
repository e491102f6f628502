//! Budgets on monitoring.

use super::{Named, Offender, Outcome, Question, Shares};
use crate::verdict::budget::Limit;
use crate::verdict::budget_monitor::{Answer, MonitorBudget, Watching};
use crate::verdict::budget_test::{Held, Need, Reading};
use crate::verdict::monitored::Monitored;

/// One subject of a budget on its way to the family.
pub(super) struct Pending {
    watching: Watching,
    /// Position of its first test in the family.
    family: usize,
}

/// Holds what was monitored against a budget, tests into the family.
pub(super) fn ask(
    budget: &MonitorBudget,
    monitored: Option<&Monitored>,
    family: &mut Vec<f64>,
) -> Result<Vec<Pending>, Need> {
    let none = Monitored::default();
    let answers = budget.watch(monitored.unwrap_or(&none))?;
    let pending = |watching: Watching| {
        let at = family.len();
        if let Answer::Tested(tests) = &watching.answer {
            family.extend(tests.iter().filter_map(|(reading, _)| reading.p));
        }
        Pending {
            watching,
            family: at,
        }
    };
    Ok(answers.into_iter().map(pending).collect())
}

/// What one subject came to.
struct Settled {
    held: Held,
    value: f64,
    since: Option<f64>,
    reading: Option<Reading>,
}

impl Pending {
    fn settle(&self, shares: &Shares) -> Settled {
        let plain = |held, since| Settled {
            held,
            value: self.watching.value,
            since,
            reading: None,
        };
        let tests = match &self.watching.answer {
            Answer::Within => return plain(Held::Yes, None),
            Answer::Beyond(since) => {
                return plain(Held::No, Some(*since).filter(|t| t.is_finite()));
            }
            Answer::Unknown(need) => return plain(Held::CannotTell(need.clone()), None),
            Answer::Tested(tests) => tests,
        };
        let mut at = self.family;
        let mut broken: Option<(Reading, f64)> = None;
        let mut open: Option<(Reading, Held)> = None;
        for (reading, since) in tests {
            let rejected = reading.p.is_some_and(|_| {
                at += 1;
                shares.rates[at - 1] <= shares.each
            });
            match reading.held(rejected, shares.rate_level) {
                // The value is the highest, the time the first.
                Held::No => {
                    broken = Some(match broken {
                        Some((worst, first)) if worst.value >= reading.value => {
                            (worst, first.min(*since))
                        }
                        Some((_, first)) => (*reading, first.min(*since)),
                        None => (*reading, *since),
                    });
                }
                Held::Yes => {}
                held if open.as_ref().is_none_or(|o| o.0.value < reading.value) => {
                    open = Some((*reading, held));
                }
                _ => {}
            }
        }
        match (broken, open) {
            (Some((reading, since)), _) => Settled {
                held: Held::No,
                value: reading.value,
                since: Some(since),
                reading: Some(reading),
            },
            (None, Some((reading, held))) => Settled {
                held,
                value: reading.value,
                since: None,
                reading: Some(reading),
            },
            (None, None) => plain(Held::Yes, None),
        }
    }
}

/// The outcome of a budget, now that the family is known: the worst of its subjects.
pub(super) fn settle(
    question: &Question,
    answer: Result<Vec<Pending>, Need>,
    shares: &Shares,
) -> Outcome {
    let Limit::Monitor(budget) = &question.budget.limit else {
        return Outcome::lacking(question, Need::AnotherCapture);
    };
    let (limit, unit) = budget.watch.limit();
    let blank = Outcome::blank(&question.budget, limit, unit);
    let (mut outcome, pending) = match blank.answered(answer) {
        Ok(answered) => answered,
        Err(outcome) => return *outcome,
    };
    let lower_is_worse = budget.lower_is_worse();
    let worse = |a: f64, b: f64| match lower_is_worse {
        true => a < b,
        false => a > b,
    };
    let rank = |held: &Held| match held {
        Held::Yes => 0,
        Held::CannotTell(_) => 1,
        Held::No => 2,
    };
    let mut shown: Option<(u8, f64)> = None;
    for p in &pending {
        let settled = p.settle(shares);
        let own = rank(&settled.held);
        if settled.held == Held::No {
            outcome.broke_at = match (outcome.broke_at, settled.since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            outcome.offenders.push(Offender::Named(Named {
                rule: p.watching.rule,
                id: p.watching.id.clone(),
                name: p.watching.name.clone(),
                amount: settled.value,
                since: settled.since,
            }));
        }
        let first = shown.is_none_or(|(rank, value)| {
            own > rank || own == rank && (worse(settled.value, value) || value.is_nan())
        });
        if first {
            shown = Some((own, settled.value));
            outcome.value = Some(settled.value).filter(|v| v.is_finite());
            outcome.noise = settled.reading.and_then(|r| r.noise());
            outcome.resolution = settled
                .reading
                .and_then(|r| r.resolution(shares.rate_level));
            outcome.held = settled.held;
        }
    }
    // The worst first; of equal ones the earlier.
    outcome.offenders.sort_by(|a, b| {
        let key = |o: &Offender| match o {
            Offender::Named(n) => (n.amount, n.since.unwrap_or(f64::INFINITY)),
            Offender::Rows(_, n) => (*n, f64::INFINITY),
        };
        let ((x, s), (y, t)) = (key(a), key(b));
        let by = match lower_is_worse {
            true => x.total_cmp(&y),
            false => y.total_cmp(&x),
        };
        by.then(s.total_cmp(&t))
    });
    outcome
}
