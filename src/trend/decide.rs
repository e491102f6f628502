//! From scores to a class: when growth is called a leak, and what the rest is.

use super::shape::Fit;
use super::words::{Class, Reason};

/// How much is asked of growth before it is called a leak.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Largest p.
    pub level: f64,
    /// Added to every margin.
    pub margin: f64,
    /// Least margin of the falling parabola.
    pub slowing: f64,
}

impl Demand {
    /// The demand on a series of n values.
    pub fn first(n: usize) -> Demand {
        Demand {
            level: if n <= 7 { 0.001 } else { 0.0003 },
            margin: 0.0,
            slowing: -18.0,
        }
    }

    /// On a series from which a capture was left out.
    pub const WITHOUT_ONE: Demand = Demand {
        level: 0.0003,
        margin: 0.0,
        slowing: -18.0,
    };

    /// On the rest after a warm-up.
    pub const REST: Demand = Demand {
        level: 0.0001,
        margin: 3.0,
        slowing: -6.0,
    };
}

/// Largest two-sided p of Mann-Kendall for a leak.
pub(super) const KENDALL: f64 = 0.05;
/// Largest q for a leak.
pub(super) const Q: f64 = 0.01;

/// What is asked of every margin beside its own: more at few captures, and the
/// more the noisier the series is, since noise makes a step look like a line.
fn extra(fit: &Fit) -> f64 {
    let few = match fit.line.n {
        0..=5 => 6.0,
        6 => 4.0,
        7 => 3.0,
        _ => 0.0,
    };
    // With more captures a step or a warm-up shows itself: less is asked.
    let rate = (1500.0 / fit.line.n as f64).min(150.0);
    let noisy = if fit.line.known {
        8.0
    } else {
        (rate * (fit.residual - 0.035).max(0.0)).min(8.0)
    };
    few + noisy
}

/// By how much the margin of each rival falls short (positive) or is exceeded
/// (negative), with the words for it.
fn shortfalls(fit: &Fit, demand: Demand) -> [(f64, Reason); 7] {
    let more = extra(fit) + demand.margin;
    let short = |score: f64, least: f64| least - (score - fit.lk);
    [
        (short(fit.line.score_c, 2.0 + more), Reason::NotSignificant),
        (short(fit.s, 2.0 + more), Reason::LikeStep),
        (short(fit.s2, -6.0 + more), Reason::LikeIrregular),
        (short(fit.w, more), Reason::LikeWarmUp),
        (short(fit.v, more), Reason::GrowthSlows),
        (short(fit.t, 4.0 + more), Reason::LikeSawtooth),
        (short(fit.d, demand.slowing), Reason::GrowthSlows),
    ]
}

/// Whether the shape is that of a leak, q and Mann-Kendall apart. `p` may be
/// larger than the fit's, where the ends were tested too.
pub(super) fn leak(fit: &Fit, p: f64, demand: Demand) -> bool {
    fit.line.slope > 0.0
        && p <= demand.level
        && shortfalls(fit, demand)
            .iter()
            .all(|(short, _)| *short <= 0.0)
}

/// Which of the two leaks.
pub(super) fn growth(fit: &Fit) -> Class {
    if fit.a.min(fit.q) < fit.line.score_l - 4.0 {
        Class::Accelerating
    } else {
        Class::SteadyGrowth
    }
}

/// The class of a series that is no leak, why, and the share of the window
/// that is warm-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label {
    pub class: Class,
    pub reason: Reason,
    /// Settled at this share of the window; 0 without a warm-up.
    pub settle: f64,
    /// Or after this many captures.
    pub captures: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Model {
    Constant,
    Step,
    TwoSteps,
    WarmUp,
    LongWarmUp,
    Falling,
    Teeth,
    Growth,
}

/// The label of what was not called. `p` as in [`leak`]; `ends_agree`: one
/// process whose two ends do not differ enough.
pub(super) fn label(fit: &Fit, p: f64, ends_agree: bool) -> Label {
    let line = &fit.line;
    let falls = line.slope < 0.0;
    let none = f64::INFINITY;
    let table = [
        (line.score_c, Model::Constant),
        (fit.s + 4.0, Model::Step),
        (fit.s2 + 10.0, Model::TwoSteps),
        (fit.w + 4.0, Model::WarmUp),
        (fit.v + 6.0, Model::LongWarmUp),
        (fit.wd + 4.0, Model::Falling),
        (
            if falls { line.score_l + 4.0 } else { none },
            Model::Falling,
        ),
        (fit.t + 12.0, Model::Teeth),
        (if line.slope > 0.0 { fit.lk } else { none }, Model::Growth),
    ];
    let (mut least, mut model) = table[0];
    for (score, m) in table {
        if score < least {
            least = score;
            model = m;
        }
    }
    let mut out = Label {
        class: Class::Irregular,
        reason: Reason::None,
        settle: 0.0,
        captures: 0,
    };
    out.class = match model {
        Model::Constant => Class::Stable,
        Model::TwoSteps => Class::Irregular,
        Model::Falling => Class::Shrinking,
        Model::Teeth => Class::Sawtooth,
        Model::WarmUp => {
            out.settle = fit.settle;
            Class::WarmUp
        }
        Model::LongWarmUp => {
            out.reason = Reason::LongWarmUp;
            Class::WarmUp
        }
        Model::Growth if fit.p > 0.05 => Class::Stable,
        Model::Growth => {
            out.reason = why_not(fit, p, ends_agree);
            Class::Undetermined
        }
        Model::Step => step(fit, &mut out),
    };
    if matches!(out.class, Class::Stable | Class::Step) {
        if line.known {
            if fit.least > 3.0 {
                out.reason = Reason::Noisy;
            }
        } else if fit.least.sqrt() > 0.15 {
            out.class = Class::Irregular;
        }
    }
    out
}

fn step(fit: &Fit, out: &mut Label) -> Class {
    let n = fit.line.n;
    let before = fit.step_at;
    let after = n - before.min(n);
    let side = if n < 7 { 2 } else { 3 };
    if fit.step_up && before <= 2 && after > before {
        out.captures = before;
        Class::WarmUp
    } else if before < side || after < side {
        out.reason = Reason::EdgeJump;
        Class::Undetermined
    } else {
        Class::Step
    }
}

fn why_not(fit: &Fit, p: f64, ends_agree: bool) -> Reason {
    let demand = Demand::first(fit.line.n);
    if fit.p > demand.level {
        return Reason::NotSignificant;
    }
    if ends_agree && p > demand.level {
        return Reason::EndsAgree;
    }
    let mut worst = (0.0, Reason::NotSignificant);
    for (short, reason) in shortfalls(fit, demand) {
        if short > worst.0 {
            worst = (short, reason);
        }
    }
    worst.1
}
