//! Sampled captures: the null, coverage, and leaks of one process.

use super::confusion::{Counts, long};
use super::generator::{self, Random};
use heapdiff::trend::{
    Class, Noise, Plan, Sampled, benjamini_hochberg, difference_interval, difference_p,
};

/// The same program twice, at one sample in M and in 10 M bytes.
#[test]
fn nothing_is_significant_where_nothing_changed() {
    const M: f64 = 524_288.0;
    let (mut seeds_with_any, mut covered, mut sites) = (0, 0_u32, 0_u32);
    for seed in 0..200 {
        let mut random = Random::new(9_000 + seed);
        let mut p = Vec::new();
        for _ in 0..if long() { 2_000 } else { 500 } {
            let level = M * (2.0 * random.normal() + 2.5).exp();
            let side = |unit: f64, random: &mut Random| {
                let n = random.poisson(level / unit);
                Sampled {
                    bytes: n * unit,
                    unit,
                    raw: Some(n as u64),
                }
            };
            let base = side(M, &mut random);
            let new = side(10.0 * M, &mut random);
            p.push(difference_p(&base, &new));
            let (lo, hi) = difference_interval(&base, &new);
            covered += u32::from(lo <= 0.0 && 0.0 <= hi);
            sites += 1;
        }
        let q = benjamini_hochberg(&p);
        seeds_with_any += u32::from(q.iter().any(|&q| q <= 0.01));
    }
    let cover = f64::from(covered) / f64::from(sites);
    println!("{seeds_with_any} of 200 seeds, coverage {cover:.4}");
    assert!(seeds_with_any <= 1, "{seeds_with_any}");
    assert!((0.93..=0.97).contains(&cover), "{cover}");
}

fn one_process(samples: f64, others: usize, one: bool) -> Counts {
    let mut counts = Counts::default();
    let mut random = Random::new(77);
    let x = generator::runs(12, false, &mut random);
    let plan = Plan::new(&x).unwrap();
    let leaks = others / 5;
    let mut labels: Vec<Class> = Vec::new();
    let unit = 524_288.0;
    let noise = Noise::Known { one_process: one };
    let judged = plan.judge_all(noise, leaks + others, |i, row| {
        let (label, levels) = if i < leaks {
            let rate = random.within(0.03, 0.30);
            generator::leak(&x, rate, &mut random)
        } else {
            generator::other(&x, &mut random)
        };
        let values = if one {
            generator::sampled_one(&levels, samples, 0.75, i < leaks, &mut random)
        } else {
            generator::sampled_apart(&levels, samples, &mut random)
        };
        for (to, v) in row.values.iter_mut().zip(&values) {
            *to = unit * v;
        }
        row.unit = unit;
        row.ends = Some((values[0] as u64, values[11] as u64));
        labels.push(label);
    });
    counts.count(&labels, &judged);
    counts
}

#[test]
fn leaks_of_sampled_processes() {
    let others = if long() { 20_000 } else { 5_000 };
    for one in [true, false] {
        for (samples, least) in [(30.0, 0.35), (100.0, 0.68), (300.0, 0.88), (1000.0, 0.98)] {
            let counts = one_process(samples, others, one);
            println!(
                "one process {one}, {samples} samples: {:.1} % found, {:.1} accused",
                100.0 * counts.found_share(),
                counts.accused_per_20_000()
            );
            assert!(counts.found_share() >= least, "{one} {samples}");
            assert!(counts.accused_per_20_000() <= 20.0, "{one} {samples}");
        }
    }
}
