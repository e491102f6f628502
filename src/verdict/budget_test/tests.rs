use super::*;

fn side(runs: &[f64], values: &[f64]) -> SideValues {
    SideValues {
        values: values.to_vec(),
        variances: Vec::new(),
        runs: runs.to_vec(),
    }
}

fn series(runs: &[f64], values: &[f64]) -> Sample {
    Sample {
        base: SideValues::default(),
        new: side(runs, values),
    }
}

fn sides(base: &[f64], new: &[f64], runs: f64) -> Sample {
    Sample {
        base: side(&vec![runs; base.len()], base),
        new: side(&vec![runs; new.len()], new),
    }
}

/// The verdict of a single test.
fn held(told: Told) -> Held {
    match told {
        Err(need) => Held::CannotTell(need),
        Ok(reading) => {
            let rejected = reading.p.is_some_and(|p| p <= FAMILY);
            reading.held(rejected, FAMILY)
        }
    }
}

fn resolution(held: &Held) -> bool {
    matches!(held, Held::CannotTell(Need::Resolution { .. }))
}

const EXACT: Certainty = Certainty::Exact;
const UNKNOWN: Certainty = Certainty::Unknown;

#[test]
fn counted_captures_are_compared() {
    let at = |y: &[f64]| held(per_run(&series(&[0.0, 100.0], y), &EXACT, 10.0));
    assert_eq!(at(&[5000.0, 6000.0]), Held::Yes);
    assert_eq!(at(&[5000.0, 6001.0]), Held::No);
    assert_eq!(at(&[6000.0, 5000.0]), Held::Yes);
    let one = series(&[100.0], &[5.0]);
    assert_eq!(
        held(per_run(&one, &EXACT, 10.0)),
        Held::CannotTell(Need::AnotherCapture)
    );
    let still = series(&[100.0, 100.0], &[5.0, 6.0]);
    assert_eq!(
        held(per_run(&still, &EXACT, 10.0)),
        Held::CannotTell(Need::Runs)
    );
}

#[test]
fn a_leak_adds_in_every_interval() {
    let x = [50.0, 200.0, 800.0];
    let at = |y: &[f64]| per_run(&series(&x, y), &EXACT, 10.0);
    assert_eq!(held(at(&[0.0, 3000.0, 15000.0])), Held::No);
    let warm = at(&[0.0, 90_000.0, 90_000.0]).unwrap();
    assert!(warm.settled && warm.value == 0.0);
    assert_eq!(
        held(at(&[0.0, 0.0, 90_000.0])),
        Held::CannotTell(Need::OnceMore)
    );
    assert_eq!(held(at(&[90_000.0, 0.0, 3000.0])), Held::Yes);
}

#[test]
fn a_step_and_a_warm_up_are_no_growth_per_run() {
    let x: Vec<f64> = (0..12).map(|i| 10.0 * f64::from(i)).collect();
    let step = [
        1010., 985., 1003., 1021., 992., 1502., 1489., 1521., 1497., 1510., 1478., 1505.,
    ];
    let warm = [
        1000., 1632., 1864., 1950., 1982., 1993., 1998., 1999., 2000., 2000., 2000., 2000.,
    ];
    let leak: Vec<f64> = x.iter().map(|x| 1000.0 + 5.0 * x).collect();
    for certainty in [EXACT, UNKNOWN] {
        let at = |y: &[f64], limit| held(per_run(&series(&x, y), &certainty, limit));
        assert_eq!(at(&step, 2.0), Held::Yes, "a step, {certainty:?}");
        assert_eq!(at(&warm, 2.0), Held::Yes, "a warm-up, {certainty:?}");
        assert_eq!(at(&leak, 2.0), Held::No);
        assert_eq!(at(&leak, 6.0), Held::Yes);
    }
}

#[test]
fn noise_is_neither_broken_nor_held() {
    let x: Vec<f64> = (0..8).map(f64::from).collect();
    let noisy = [1000., 1300., 900., 1500., 1100., 1400., 950., 1450.];
    let at = |limit| held(per_run(&series(&x, &noisy), &UNKNOWN, limit));
    assert!(resolution(&at(5.0)), "{:?}", at(5.0));
    assert_eq!(at(1000.0), Held::Yes);
    let few = series(&x[..4], &noisy[..4]);
    let needs = held(per_run(&few, &UNKNOWN, 5.0));
    assert_eq!(needs, Held::CannotTell(Need::Captures { have: 4, need: 5 }));
    let level = series(&x[..2], &[7.0, 7.0]);
    assert_eq!(held(per_run(&level, &UNKNOWN, 5.0)), Held::Yes, "identical");
}

#[test]
fn replicates_bring_their_noise() {
    let base = [1000., 1012., 991., 1003., 988., 1006.];
    let same = [1004., 989., 1009., 996., 1001., 1008.];
    let more: Vec<f64> = same.iter().map(|v| v + 200.0).collect();
    for certainty in [EXACT, UNKNOWN] {
        let at = |new: &[f64], limit| held(growth(&sides(&base, new, 100.0), &certainty, limit));
        assert_eq!(at(&same, 50.0), Held::Yes);
        assert_eq!(at(&more, 50.0), Held::No);
        assert!(resolution(&at(&same, 1.0)));
        assert_eq!(
            at(&more[..1], 50.0),
            Held::No,
            "one capture, as noisy as the others"
        );
    }
    let single = held(growth(
        &sides(&base[..1], &same[..1], 100.0),
        &UNKNOWN,
        50.0,
    ));
    assert_eq!(
        single,
        Held::CannotTell(Need::Captures { have: 1, need: 3 })
    );
    assert_eq!(
        held(growth(&sides(&base[..1], &same[..1], 100.0), &EXACT, 50.0)),
        Held::Yes
    );
}

#[test]
fn two_series_are_compared_by_their_slopes() {
    let x = [10.0, 20.0, 40.0];
    let two = |base: &[f64], new: &[f64]| Sample {
        base: side(&x, base),
        new: side(&x, new),
    };
    let leaking = [100.0, 200.0, 400.0];
    let worse = [100.0, 300.0, 700.0];
    let at = |s: &Sample| held(per_run(s, &EXACT, 5.0));
    assert_eq!(
        at(&two(&leaking, &leaking)),
        Held::Yes,
        "what leaked before is no news"
    );
    assert_eq!(at(&two(&leaking, &worse)), Held::No);
    assert_eq!(at(&two(&worse, &leaking)), Held::Yes);
    let noisy = two(&[100.0, 230.0, 390.0], &[100.0, 340.0, 690.0]);
    assert!(
        resolution(&held(per_run(&noisy, &UNKNOWN, 5.0))),
        "three captures of each are few"
    );
}

fn sampled(counts: [f64; 2], mean: f64) -> (Sample, Certainty) {
    let of = |n: f64| SideValues {
        values: vec![n * mean],
        variances: vec![n * mean * mean],
        runs: vec![100.0],
    };
    let sample = Sample {
        base: of(counts[0]),
        new: of(counts[1]),
    };
    (sample, Certainty::Sampled(vec![mean; 2]))
}

#[test]
fn samples_are_tested_by_their_number() {
    let at = |counts, limit| {
        let (sample, certainty) = sampled(counts, 1000.0);
        held(growth(&sample, &certainty, limit))
    };
    assert_eq!(at([100.0, 190.0], 0.0), Held::No);
    assert!(resolution(&at([100.0, 130.0], 0.0)), "inside the noise");
    assert_eq!(at([100.0, 100.0], 100_000.0), Held::Yes);
    assert!(
        resolution(&at([100.0, 190.0], 60_000.0)),
        "not beyond limit and noise"
    );
    assert_eq!(at([0.0, 25.0], 0.0), Held::No);
    assert!(resolution(&at([0.0, 5.0], 0.0)));
    assert!(
        resolution(&at([0.0, 0.0], 0.0)),
        "nothing seen is not nothing there"
    );
    let (sample, certainty) = sampled([100.0, 100.0], 1000.0);
    let value = |limit| held(level(&sample, &certainty, limit));
    assert_eq!((value(150_000.0), value(50_000.0)), (Held::Yes, Held::No));
    assert!(resolution(&value(99_500.0)), "above, within the noise");
}

#[test]
fn a_plateau_has_to_be_reached() {
    let x = [10.0, 20.0, 40.0, 80.0];
    let at = |y: &[f64], limit| held(plateau(&series(&x, y), &EXACT, limit));
    assert_eq!(at(&[50.0, 90.0, 100.0, 100.0], 120.0), Held::Yes);
    assert_eq!(at(&[50.0, 90.0, 130.0, 130.0], 120.0), Held::No);
    assert_eq!(
        at(&[10.0, 20.0, 40.0, 80.0], 120.0),
        Held::CannotTell(Need::Settled)
    );
}

#[test]
fn odd_numbers_break_nothing() {
    let odd = [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e300];
    for a in odd {
        for b in odd {
            for certainty in [EXACT, UNKNOWN, Certainty::Sampled(vec![a.abs(), b.abs()])] {
                let mut one = sides(&[a], &[b], a);
                one.base.variances = vec![b];
                one.new.variances = vec![a];
                let many = series(&[a, b, 3.0, 4.0, 5.0], &[b, a, a, b, 1.0]);
                for sample in [&one, &many] {
                    for limit in odd {
                        let _ = held(per_run(sample, &certainty, limit));
                        let _ = held(growth(sample, &certainty, limit));
                        let _ = held(level(sample, &certainty, limit));
                        let _ = held(plateau(sample, &certainty, limit));
                    }
                }
            }
        }
    }
}
