//! Sampled captures through the table and the judge: what the noise allows to say.

use crate::trend::generator::Random;
use heapdiff::diff::{Certainty, Filters, Growth, Judge, Side, TableBuilder, View};
use heapdiff::model::{
    Exactness, Frame, Meta, Metric, Profile, ProfileBuilder, Sampling, StackId, Symbols,
};

const M: f64 = 524_288.0;
const SITES: usize = 400;

/// A site: its stack, the size of its blocks, and what it holds.
type Site = (StackId, f64, f64);

fn sites(symbols: &mut Symbols, random: &mut Random) -> Vec<Site> {
    (0..SITES)
        .map(|i| {
            let name = symbols.strings.intern(&format!("f{i}"));
            let frame = symbols.frames.intern(Frame::named(name));
            let stack = symbols.stacks.intern_root_first(&[frame]);
            let size = (random.unit() * 17.0).exp2().max(8.0);
            (stack, size, M * (2.0 * random.normal() + 2.5).exp())
        })
        .collect()
}

/// What a sampler with this mean interval reports: values scaled up.
fn sampled(sites: &[Site], mean: f64, random: &mut Random) -> Profile {
    let metrics = ["live_bytes", "live_blocks"].map(Metric::known).to_vec();
    let mut builder = ProfileBuilder::new(metrics);
    for &(stack, size, held) in sites {
        let chance = -(-size / mean).exp_m1();
        let seen = random.poisson(held / size * chance);
        let blocks = seen / chance;
        let values = [(blocks * size).round() as i64, blocks.round() as i64];
        builder.add(stack, &values).unwrap();
    }
    builder.finish(Meta {
        exactness: Exactness::Sampled,
        sampling: Some(Sampling {
            mean_bytes: Some(mean),
            estimated_mean_bytes: None,
            unbiased: true,
        }),
        ..Meta::default()
    })
}

/// The same workload at mean intervals of M and 10 M: no site is significant, and the intervals
/// of the differences cover zero as often as they should.
#[test]
fn the_same_workload_at_two_rates() {
    let (mut with_any, mut covered, mut all) = (0, 0, 0);
    for seed in 0..200 {
        let mut random = Random::new(31_000 + seed);
        let mut symbols = Symbols::default();
        let sites = sites(&mut symbols, &mut random);
        let mut builder = TableBuilder::new("live_bytes", None);
        let mut view = View::new(Filters::default());
        for (i, mean) in [M, 10.0 * M].into_iter().enumerate() {
            let profile = sampled(&sites, mean, &mut random);
            builder
                .add(Side::New, i == 0, i == 1, profile, &mut view, &mut symbols)
                .unwrap();
        }
        let table = builder.finish();
        let certainty = Certainty::Sampled(vec![M, 10.0 * M]);
        let judge = Judge::new(&[0.0, 1.0], 0, certainty, table.chosen);
        let judged = judge.rows(&table.values, false);
        let differs = judged.growth.iter().any(|&g| g != Growth::Unchanged);
        with_any += usize::from(differs);
        for row in 0..table.len() {
            let test = judge.significance(&table.values, &judged, row).unwrap();
            covered += usize::from(test.interval.0 <= 0.0 && 0.0 <= test.interval.1);
            all += 1;
        }
    }
    let cover = covered as f64 / all as f64;
    println!("{with_any} of 200 seeds with a significant site, coverage {cover:.4}");
    assert!(with_any <= 1, "{with_any}");
    assert!((0.93..=0.97).contains(&cover), "{cover}");
}
