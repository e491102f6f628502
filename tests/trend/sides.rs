//! Two sides and several drivers, over generated captures.

use super::generator::Random;
use heapdiff::trend::{Change, Follows, Growth, compare_sides, follows};

/// Shares of worse, cured, reduced, unchanged and cannot tell.
fn shares(n: usize, noise: f64, before: f64, after: f64) -> [f64; 5] {
    let mut random = Random::new(4_000 + n as u64);
    let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let mut counts = [0.0; 5];
    let tries = 1_000;
    for _ in 0..tries {
        let mut side = |slope: f64| {
            let y: Vec<f64> = x
                .iter()
                .map(|x| (1.0 + slope * x) * (1.0 + noise * random.normal()))
                .collect();
            Growth::of_series(&x, &y, 0).unwrap()
        };
        let (base, new) = (side(before), side(after));
        let at = match compare_sides(&base, &new).change {
            Change::Worse => 0,
            Change::Cured => 1,
            Change::Reduced { .. } => 2,
            Change::Unchanged => 3,
            Change::CannotTell => 4,
        };
        counts[at] += 100.0 / f64::from(tries);
    }
    println!("{n} captures, noise {noise}, {before} to {after}: {counts:.1?}");
    counts
}

#[test]
fn what_two_sides_tell() {
    let [_, cured, reduced, ..] = shares(12, 0.03, 0.1, 0.0);
    assert!(cured > 90.0 && cured + reduced > 99.5);
    assert!(shares(12, 0.03, 0.1, 0.05)[2] > 99.0);
    assert!(shares(12, 0.03, 0.0, 0.05)[0] > 99.0);
    let same = shares(12, 0.03, 0.1, 0.1);
    assert!(same[0] + same[1] + same[2] < 3.0);
    assert!(shares(12, 0.01, 0.1, 0.1)[3] > 95.0);
    let [_, cured, reduced, ..] = shares(8, 0.03, 0.1, 0.0);
    assert!(cured + reduced > 99.0);
    let few = shares(5, 0.03, 0.1, 0.1);
    assert!(few[0] + few[1] + few[2] < 3.0, "few captures accuse nobody");
}

#[test]
fn what_drivers_tell() {
    let designs: [&[(f64, f64)]; 2] = [
        &[
            (50.0, 4.0),
            (200.0, 4.0),
            (800.0, 4.0),
            (200.0, 20.0),
            (800.0, 20.0),
        ],
        &[
            (50.0, 4.0),
            (200.0, 4.0),
            (800.0, 4.0),
            (50.0, 20.0),
            (200.0, 20.0),
            (800.0, 20.0),
        ],
    ];
    for design in designs {
        let runs: Vec<f64> = design.iter().map(|d| d.0).collect();
        let connections: Vec<f64> = design.iter().map(|d| d.1).collect();
        for noise in [0.003, 0.01, 0.03] {
            let mut random = Random::new(6_000);
            let mut right = [0.0; 4];
            for _ in 0..1_000 {
                for (kind, (a, b)) in [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]
                    .into_iter()
                    .enumerate()
                {
                    let y: Vec<f64> = design
                        .iter()
                        .map(|(r, c)| 1.0 + a * r / 750.0 + b * c / 16.0)
                        .map(|y| y * (1.0 + noise * random.normal()))
                        .collect();
                    let expected = [
                        Follows::One(0),
                        Follows::One(1),
                        Follows::Several,
                        Follows::CannotTell,
                    ][kind];
                    let told = follows(&y, &[&runs, &connections], false).follows;
                    right[kind] += f64::from(u8::from(told == expected)) / 10.0;
                }
            }
            println!("{} captures, noise {noise}: {right:.1?}", design.len());
            assert!(right[3] > 97.0, "nothing is named where nothing follows");
            if noise < 0.02 {
                assert!(right.iter().all(|&r| r > 90.0), "{right:?}");
            }
        }
    }
}
