//! The error that the gate promises, and the power that it states, by simulation.
//!
//! Sampled captures of a program whose sites hold the same on average: each site's samples are a
//! Poisson count. The captures go through the library as the program's do, without files.

use super::random::Random;
use heapdiff::diff::{Certainty, Ends, Growth, Values};
use heapdiff::model::{Column, Frame, Metric, StackId, Symbols};
use heapdiff::normalize::{Naming, PathMap, SiteId};
use heapdiff::verdict::{
    Budget, Each, Gate, GateVerdict, Limit, Measured, Question, Rows, evaluate,
};

/// Bytes for one sample.
const MEAN: f64 = 524_288.0;
/// Mean number of samples of the sites.
const LEVELS: [f64; 12] = [
    0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0, 90.0, 250.0,
];
const SITES: usize = 36;
const RUNS: f64 = 1000.0;

struct World {
    symbols: Symbols,
    stacks: Vec<StackId>,
}

impl World {
    fn new() -> World {
        let mut symbols = Symbols::default();
        let stacks = (0..SITES)
            .map(|i| {
                let frames = ["main".to_owned(), format!("site_{i}")].map(|name| {
                    let name = symbols.strings.intern(&name);
                    symbols.frames.intern(Frame::named(name))
                });
                symbols.stacks.intern_root_first(&frames)
            })
            .collect();
        World { symbols, stacks }
    }

    /// A capture of sites with these mean numbers of samples.
    fn capture(&self, levels: &[f64], random: &mut Random) -> Column {
        let mut column = Column::default();
        for &level in levels {
            column.push((random.poisson(level) as f64 * MEAN) as i64);
        }
        column
    }

    /// The gate over two captures: before and after so many runs, or two sides.
    fn gate(
        &self,
        naming: &Naming<'_>,
        captures: [Column; 2],
        sides: bool,
        budgets: &[Budget],
    ) -> Gate {
        let metrics = [Metric::known("live_bytes")];
        let variances: Vec<Vec<f64>> = captures
            .iter()
            .map(|c| (0..SITES).map(|i| c.get(i) as f64 * MEAN).collect())
            .collect();
        let values = table(&captures, variances, sides);
        let sums = captures.clone().map(|c| {
            let mut sum = Column::default();
            sum.push(c.sum() as i64);
            sum
        });
        let total = sums.iter().map(|s| vec![s.get(0) as f64 * MEAN]).collect();
        let totals = table(&sums, total, sides);
        let growth = vec![Growth::Undetermined; SITES];
        let rows = Rows {
            symbols: &self.symbols,
            naming,
            stacks: &self.stacks,
            id: Box::new(|row| SiteId {
                hash: row as u64,
                rank: 1,
            }),
            only_after: Box::new(|_| true),
            values: &values,
            totals: &totals,
            metrics: &metrics,
            chosen: 0,
            certainty: Certainty::Sampled(vec![MEAN; 2]),
            base: usize::from(sides),
            runs: match sides {
                true => (vec![RUNS], vec![RUNS]),
                false => (Vec::new(), vec![RUNS, 2.0 * RUNS]),
            },
            growth: &growth,
            judgements: &[],
            findings: &[],
            runs_per_hour: None,
        };
        let mut measured = Measured {
            captures: vec![rows],
            ..Measured::default()
        };
        let question = |b: &Budget| Question {
            budget: b.clone(),
            of: Some(0),
            lacking: None,
        };
        let today = jiff::civil::date(2026, 11, 21);
        evaluate(
            budgets.iter().map(question).collect(),
            &mut measured,
            Vec::new(),
            today,
        )
    }
}

fn table(captures: &[Column; 2], variances: Vec<Vec<f64>>, sides: bool) -> Values {
    let ends = |first: Option<&Column>, last: &Column| Ends {
        first: first.map(|c| vec![c.clone()]).unwrap_or_default(),
        last: vec![last.clone()],
    };
    let [before, after] = captures;
    Values {
        base: sides.then(|| ends(None, before)),
        new: match sides {
            true => ends(None, after),
            false => ends(Some(before), after),
        },
        series: captures.to_vec(),
        blocks: Vec::new(),
        variances,
    }
}

/// Every kind of budget that samples are tested for, none of them with room to spare.
fn budgets() -> Vec<Budget> {
    let each = |name: &str, limit: Limit| Budget {
        each: Each::Site,
        ..Budget::total(name, limit)
    };
    vec![
        Budget::total("total", Limit::PerRun(0.0)),
        each("sites", Limit::PerRun(0.0)),
        Budget::total(
            "growth",
            Limit::Growth {
                absolute: Some(0.0),
                percent: None,
            },
        ),
        each(
            "new",
            Limit::Growth {
                absolute: Some(1.0),
                percent: Some(1.0),
            },
        ),
    ]
}

fn levels() -> Vec<f64> {
    (0..SITES).map(|i| LEVELS[i % LEVELS.len()]).collect()
}

#[test]
fn noise_alone_fails_no_more_than_six_of_twenty_thousand() {
    let world = World::new();
    let naming = Naming::new(&world.symbols, None, PathMap::default());
    let (levels, budgets) = (levels(), budgets());
    let mut failed = 0;
    for seed in 0..20_000u64 {
        let mut random = Random(seed);
        let captures = [(); 2].map(|()| world.capture(&levels, &mut random));
        let gate = world.gate(&naming, captures, seed % 2 == 0, &budgets);
        assert_ne!(
            gate.verdict,
            GateVerdict::Pass,
            "a limit of 0 is never shown by samples"
        );
        failed += usize::from(gate.verdict == GateVerdict::Fail);
    }
    assert!(failed <= 6, "{failed}");
}

#[test]
fn a_leak_of_twice_the_resolution_fails_in_99_of_100() {
    let world = World::new();
    let naming = Naming::new(&world.symbols, None, PathMap::default());
    let budget = |each| Budget {
        each,
        ..Budget::total("per run", Limit::PerRun(1024.0))
    };
    let total: f64 = levels().iter().sum();
    for (each, site, level) in [
        (Each::Sum, 11, total),
        (Each::Site, 0, LEVELS[0]),
        (Each::Site, 6, LEVELS[6]),
        (Each::Site, 11, LEVELS[11]),
    ] {
        let budgets = [budget(each)];
        let mut failed = 0;
        for seed in 0..100u64 {
            let mut random = Random(0xabcd_0000 + seed);
            // What the captures of the code without the leak state.
            let quiet = [(); 2].map(|()| world.capture(&levels(), &mut random));
            let base = quiet[0].clone();
            let stated = world.gate(&naming, quiet, true, &budgets);
            let outcome = &stated.outcomes[0];
            let unit = Reading::of(&stated, level);
            let leak = 2.0
                * outcome
                    .resolution
                    .filter(|_| each == Each::Sum)
                    .unwrap_or(unit);
            let mut grown = levels();
            grown[site] += leak * RUNS / MEAN;
            let new = world.capture(&grown, &mut random);
            let gate = world.gate(&naming, [base, new], true, &budgets);
            failed += usize::from(gate.verdict == GateVerdict::Fail);
        }
        assert!(failed >= 99, "{each:?} site {site}: {failed}");
    }
}

/// The resolution of one site as the library states it.
struct Reading;

impl Reading {
    fn of(gate: &Gate, level: f64) -> f64 {
        let base = level * MEAN + 1024.0 * RUNS;
        1024.0 + heapdiff::trend::sampled_resolution(MEAN, base, 2.0 * gate.level, 1) / RUNS
    }
}
