//! What became of each row, with what the noise of the captures allows to say.

use super::growth::Growth;
use super::sides::{SideChange, TwoSides};
use super::table::Values;
use crate::model::Metric;
use crate::trend::{self, Judgement, Noise, Plan, Sampled};

/// What is known of the captures' noise.
#[derive(Debug, Clone, PartialEq)]
pub enum Certainty {
    /// Every allocation is counted.
    Exact,
    /// Samples, one in so many bytes on average, per capture; variances are in the table.
    Sampled(Vec<f64>),
    /// Nothing is known.
    Unknown,
}

/// A test of the difference between two captures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significance {
    /// Two-sided p, not corrected.
    pub p_value: f64,
    /// Corrected for the number of rows (Benjamini and Hochberg 1995).
    pub q_value: f64,
    /// The difference lies in it with 95 % probability.
    pub interval: (f64, f64),
    /// The smallest difference of this row that these captures show with 80 % probability.
    pub resolution: f64,
}

/// A row differs when its corrected p is at most this.
const Q: f64 = 0.01;
/// A total is one test.
const P_OF_TOTAL: f64 = 0.01;

/// The class of each row, and what it rests on.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// The class of each row.
    pub growth: Vec<Growth>,
    /// Of one sum: it is called a leak from few captures, by what other growth can imitate.
    pub doubtful: bool,
    /// What the statistics say of each series; empty for fewer than three captures of a side.
    pub judgements: Vec<Judgement>,
    /// p and q of each row's difference; empty where nothing was tested.
    pub tests: Vec<(f64, f64)>,
    /// The level in force for one row.
    pub level: f64,
    /// What each row that changed follows, where several drivers are given.
    pub follows: Vec<Option<Follow>>,
    /// What the change did to each row, where two sides can be compared per run.
    pub changes: Vec<SideChange>,
}

/// The driver that a row's growth follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Follow {
    /// Position among the drivers.
    pub driver: usize,
    /// Growth for each unit of the driver, in units of the chosen metric.
    pub per_unit: f64,
}

/// The drivers of a series: a name and one value a capture for each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drivers {
    /// Names, in the order given.
    pub names: Vec<String>,
    /// One list a driver, one value a capture of the new side.
    pub values: Vec<Vec<f64>>,
}

/// Classifies rows of captures.
#[derive(Debug)]
pub struct Judge {
    plan: Option<Plan>,
    pub(super) skip: usize,
    pub(super) certainty: Certainty,
    pub(super) chosen: usize,
    pub(super) two: Option<TwoSides>,
    drivers: Drivers,
    driver: String,
}

impl Judge {
    /// The same for captures whose runs are unknown: what was given are their positions.
    pub fn of_positions(mut self) -> Judge {
        self.plan = self.plan.map(Plan::of_positions);
        self
    }

    /// A judge of captures at `runs` of the new side (positions where runs are unknown); `skip` is
    /// the number of captures of the base side.
    pub fn new(runs: &[f64], skip: usize, certainty: Certainty, chosen: usize) -> Judge {
        let plan = if runs.len() >= 3 {
            Plan::new(runs).ok()
        } else {
            None
        };
        Judge {
            plan,
            skip,
            certainty,
            chosen,
            two: None,
            drivers: Drivers::default(),
            driver: String::new(),
        }
    }

    /// Compares growth per run with that of a base side whose captures were taken at the runs
    /// `base`, the new side's at `new`. A metric without growth per run is compared at equal runs
    /// alone.
    pub fn against(mut self, base: &[f64], new: &[f64], metric: &Metric) -> Judge {
        self.two = TwoSides::new(base, new, metric);
        self
    }

    /// Adds the drivers that growth may follow; `counted_by` is the one of the runs.
    pub fn with_drivers(mut self, drivers: Drivers, counted_by: &str) -> Judge {
        self.drivers = drivers;
        self.driver = counted_by.to_owned();
        self
    }

    /// The name of a driver.
    pub fn driver_name(&self, follow: Follow) -> &str {
        self.drivers
            .names
            .get(follow.driver)
            .map_or("", String::as_str)
    }

    /// Classifies every row. `total`: the rows are one sum, tested alone.
    ///
    /// Cost: linear in the rows for two captures; some microseconds a row for more.
    pub fn rows(&self, values: &Values, total: bool) -> Judged {
        match &self.plan {
            Some(plan) if values.base.is_none() => self.series(plan, values, total),
            _ => self.pair(values, total),
        }
    }

    fn series(&self, plan: &Plan, values: &Values, total: bool) -> Judged {
        let noise = self.noise();
        let rows = values.after()[self.chosen].len();
        let mut doubtful = false;
        let mut judged = plan.judge_all(noise, rows, |row, out| self.fill(values, row, out));
        match total {
            true => doubtful = judged.is_doubtful(0),
            false => judged.doubt_the_few(),
        }
        let mut out = Judged {
            growth: judged.rows.iter().map(|j| j.class.into()).collect(),
            doubtful,
            judgements: judged.rows,
            tests: Vec::new(),
            level: judged.level,
            follows: Vec::new(),
            changes: Vec::new(),
        };
        if self.tests_ends(values) {
            self.test_ends(values, total, &mut out);
        }
        self.follow_drivers(values, &mut out);
        out
    }

    /// Which driver each changed row follows, where there are two captures more than drivers.
    /// What follows another driver than the one that runs are counted by is no leak per run; of
    /// exact captures, what follows that one alone is.
    fn follow_drivers(&self, values: &Values, out: &mut Judged) {
        let lists: Vec<&[f64]> = self.drivers.values.iter().map(Vec::as_slice).collect();
        let captures = values.series.len() - self.skip;
        if lists.len() < 2 || captures < lists.len() + 2 {
            return;
        }
        let exact = self.certainty == Certainty::Exact;
        out.follows = vec![None; out.growth.len()];
        let mut y = vec![0.0; captures];
        for row in 0..out.growth.len() {
            for (y, column) in y.iter_mut().zip(&values.series[self.skip..]) {
                *y = column.get(row) as f64;
            }
            if y.windows(2).all(|w| w[0] == w[1]) {
                continue;
            }
            let answer = trend::follows(&y, &lists, exact);
            let trend::Follows::One(driver) = answer.follows else {
                continue;
            };
            let per_unit = answer.coefficients.get(driver).copied().unwrap_or(f64::NAN);
            if !per_unit.is_finite() {
                continue;
            }
            out.follows[row] = Some(Follow { driver, per_unit });
            let by_runs = self.drivers.names.get(driver) == Some(&self.driver);
            let growth = &mut out.growth[row];
            match by_runs {
                true if exact && per_unit > 0.0 => *growth = Growth::SteadyGrowth,
                false if growth.is_leak() => *growth = Growth::Undetermined,
                _ => {}
            }
        }
    }

    /// Captures of one process share their survivors: assumed where it is not known, since it is
    /// the more careful case.
    pub(super) fn noise(&self) -> Noise {
        match self.certainty {
            Certainty::Exact => Noise::Exact,
            Certainty::Sampled(_) => Noise::Known { one_process: true },
            Certainty::Unknown => Noise::Unknown,
        }
    }

    fn fill(&self, values: &Values, row: usize, out: &mut trend::Row) {
        let series = &values.series[self.skip..];
        for (value, column) in out.values.iter_mut().zip(series) {
            *value = column.get(row) as f64;
        }
        match &self.certainty {
            Certainty::Exact => {
                out.blocks.extend(
                    values
                        .blocks
                        .iter()
                        .skip(self.skip)
                        .map(|c| c.get(row) as f64),
                );
            }
            Certainty::Sampled(means) => {
                let bytes: f64 = out.values.iter().sum();
                let variance: f64 = values
                    .variances
                    .iter()
                    .skip(self.skip)
                    .map(|v| v[row])
                    .sum();
                let mean = means.last().copied().unwrap_or(1.0);
                out.unit = if bytes > 0.0 && variance > 0.0 {
                    variance / bytes
                } else {
                    mean
                };
            }
            Certainty::Unknown => {}
        }
    }

    fn pair(&self, values: &Values, total: bool) -> Judged {
        let before = &values.before()[self.chosen];
        let after = &values.after()[self.chosen];
        let rows = after.len();
        let growth = |row| Growth::between(before.get(row), after.get(row));
        let mut judged = Judged {
            growth: (0..rows).map(growth).collect(),
            level: 0.001,
            changes: self.changes(values, total),
            ..Judged::default()
        };
        if self.compares_series() {
            self.classes_of_changes(values, &mut judged);
        }
        if self.tests_ends(values) {
            self.test_ends(values, total, &mut judged);
        }
        judged
    }

    /// Tests the difference of first and last; rows inside the noise become quiet. Of three and
    /// four samples it is all that can be said.
    fn test_ends(&self, values: &Values, total: bool, judged: &mut Judged) {
        let rows = judged.growth.len();
        let p: Vec<f64> = (0..rows)
            .map(|row| {
                self.sides(values, row)
                    .map_or(1.0, |(a, b)| trend::difference_p(&a, &b))
            })
            .collect();
        let q = trend::benjamini_hochberg(&p);
        let mut largest = None;
        for (row, (&p, &q)) in p.iter().zip(&q).enumerate() {
            let differs = if total { p <= P_OF_TOTAL } else { q <= Q };
            if differs {
                largest = Some(p.max(largest.unwrap_or(0.0)));
            } else {
                judged.growth[row] = if self.plan.is_some() {
                    Growth::Stable
                } else {
                    Growth::Unchanged
                };
            }
        }
        judged.level = trend::level_in_force(largest, Q, rows.max(1));
        judged.tests = p.into_iter().zip(q).collect();
    }

    /// Whether the ends are single samples whose noise is known, and nothing better is there.
    fn tests_ends(&self, values: &Values) -> bool {
        matches!(self.certainty, Certainty::Sampled(_))
            && values.variances.len() == values.series.len()
            && values.series.len() <= 4
            && (values.base.is_none() || values.series.len() == 2)
    }

    /// Both ends of a row as samples.
    fn sides(&self, values: &Values, row: usize) -> Option<(Sampled, Sampled)> {
        let last = values.series.len().checked_sub(1)?;
        Some((
            self.sample(values, row, 0)?,
            self.sample(values, row, last)?,
        ))
    }

    /// The test behind a row, in full.
    pub fn significance(
        &self,
        values: &Values,
        judged: &Judged,
        row: usize,
    ) -> Option<Significance> {
        let &(p_value, q_value) = judged.tests.get(row)?;
        let (a, b) = self.sides(values, row)?;
        Some(Significance {
            p_value,
            q_value,
            interval: trend::difference_interval(&a, &b),
            resolution: trend::sampled_resolution(a.unit, a.bytes, judged.level, 1),
        })
    }

    /// The smallest growth of one site that these captures show with 80 % probability, in units
    /// of the chosen metric: of the median site by bytes, and of a site that was not there
    /// before. One unit for exact captures; none where the noise is not known.
    pub fn resolution(&self, values: &Values, judged: &Judged) -> Option<(f64, f64)> {
        match &self.certainty {
            Certainty::Exact => Some((1.0, 1.0)),
            Certainty::Unknown => None,
            Certainty::Sampled(means) => {
                let mean = means.first().copied()?;
                let rows: Vec<usize> = (0..values.before()[self.chosen].len()).collect();
                let at = |row: usize| values.before()[self.chosen].get(row).max(0) as f64;
                let mut by_size: Vec<usize> = rows.into_iter().filter(|&r| at(r) > 0.0).collect();
                by_size.sort_by(|&a, &b| at(b).total_cmp(&at(a)).then(a.cmp(&b)));
                let half: f64 = by_size.iter().map(|&r| at(r)).sum::<f64>() / 2.0;
                let mut sum = 0.0;
                let median = by_size.iter().find(|&&r| {
                    sum += at(r);
                    sum >= half
                });
                let new_site = trend::sampled_resolution(mean, 0.0, judged.level, 1);
                let total = median.map_or(new_site, |&row| {
                    let variance = values.variances.first().map_or(0.0, |v| v[row]);
                    let unit = if variance > 0.0 {
                        variance / at(row)
                    } else {
                        mean
                    };
                    let blocks = values.blocks.first().map_or(1, |c| c.get(row).max(1));
                    let block = at(row) / blocks as f64;
                    trend::sampled_resolution(unit, at(row), judged.level, 1).max(block)
                });
                Some((total, new_site))
            }
        }
    }

    /// The robust slope of a row's series with its interval, of two sides that of the new one;
    /// none for fewer than three captures.
    pub fn slope(&self, values: &Values, judged: &Judged, row: usize) -> Option<trend::Slope> {
        if values.base.is_some() {
            return self.side_slope(values, row, 1);
        }
        self.detail(values, judged, row)?.slope
    }

    /// The numbers behind the class of a row of one series of three captures or more.
    pub fn detail(&self, values: &Values, judged: &Judged, row: usize) -> Option<trend::Detail> {
        let plan = self.plan.as_ref().filter(|_| values.base.is_none())?;
        let judgement = judged.judgements.get(row)?;
        let mut out = trend::Row::default();
        out.values.resize(values.series.len() - self.skip, 0.0);
        self.fill(values, row, &mut out);
        Some(plan.detail(self.noise(), &out, judgement, judged.level))
    }

    /// Whether the new side's captures are evenly spaced, which can alias a sawtooth into a ramp.
    pub fn is_even(&self) -> bool {
        self.plan.as_ref().is_some_and(Plan::is_even)
    }
}

impl From<trend::Class> for Growth {
    fn from(class: trend::Class) -> Growth {
        match class {
            trend::Class::SteadyGrowth => Growth::SteadyGrowth,
            trend::Class::Accelerating => Growth::Accelerating,
            trend::Class::Step => Growth::Step,
            trend::Class::WarmUp => Growth::WarmUp,
            trend::Class::Sawtooth => Growth::Sawtooth,
            trend::Class::Stable => Growth::Stable,
            trend::Class::Shrinking => Growth::Shrinking,
            trend::Class::Irregular => Growth::Irregular,
            trend::Class::Undetermined => Growth::Undetermined,
        }
    }
}
