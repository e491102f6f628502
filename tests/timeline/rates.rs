//! Leaks of a known rate.

use super::generator::{FRESH, Noise, Random, office, series, sin};
use heapdiff::model::Series;
use heapdiff::timeline::{Class, Curve, Rise, Scope, curve};

fn look(series: Series) -> Curve {
    curve(series, &[], &Scope::default())
}

fn exact(hours: f64, level: impl Fn(f64) -> f64) -> Curve {
    look(series(hours, 5, Noise::White(0.0), 1, level))
}

#[test]
fn a_leak_under_a_saw_tooth() {
    let c = exact(24.0, |t| 120.0 + 21.4 * t + 70.0 * (t / 0.55).fract());
    let teeth = c.bins.teeth.unwrap();
    assert!((teeth.period_s - 1980.0).abs() <= 60.0, "{teeth:?}");
    assert!((66.0..71.0).contains(&(teeth.size / 1e6)), "{teeth:?}");
    let r = c.rate.unwrap();
    assert!((r.value / 1e6 - 21.4).abs() < 0.15, "{r:?}");
    assert!(r.lo / 1e6 > 20.5 && r.hi / 1e6 < 22.3 && c.grows, "{r:?}");
    assert_eq!(c.fastest(1.0), None, "an hour is less than three teeth");
    let (lo, hi) = c.hourly.unwrap();
    assert!(lo / 1e6 < 5.0 && hi / 1e6 > 40.0, "{lo} {hi}");
}

#[test]
fn a_wave_of_any_phase_is_none() {
    for phase in [0.0, 0.25, 0.5, 0.75] {
        let c = look(series(24.0, 5, Noise::White(0.002), 3, |t| {
            500.0 + 100.0 * sin(t, phase)
        }));
        assert!(!c.grows, "{phase}: {:?}", c.rate);
        assert_eq!(c.episodes().count(), 0, "{phase}: {:?}", c.chains);
        assert!(c.rate.unwrap().value.abs() < 1e6, "{phase}: {:?}", c.rate);
    }
}

#[test]
fn new_ground_decides() {
    let rise = |t: f64| 100.0 + 60.0 * (t - 4.0).clamp(0.0, 2.0);
    let c = look(series(24.0, 5, Noise::White(0.001), 5, rise));
    let e: Vec<_> = c.episodes().collect();
    assert_eq!(e.len(), 1, "{:?}", c.chains);
    assert!(
        (e[0].start - 4.0).abs() < 0.2 && (e[0].end - 6.0).abs() < 0.2,
        "{e:?}"
    );
    assert!(
        (e[0].peak / 1e6 - 60.0).abs() < 3.0 && (e[0].kept - 1.0).abs() < 0.05,
        "{e:?}"
    );
    let back = |t: f64| if t < 12.0 { rise(t) } else { 100.0 };
    let c = look(series(24.0, 5, Noise::White(0.001), 5, back));
    assert_eq!(
        c.episodes().filter(|e| e.kept > 0.5).count(),
        usize::from(c.has_doubtful_cut()),
        "{:?}",
        c.chains
    );
    let slowly = |t: f64| {
        if t < 12.0 {
            rise(t)
        } else {
            (220.0 - 60.0 * (t - 12.0)).max(100.0)
        }
    };
    let c = look(series(24.0, 5, Noise::White(0.001), 5, slowly));
    assert_eq!(c.episodes().count(), 0, "{:?}", c.chains);
    let at = heapdiff::model::Time((super::generator::START + 12 * 3600) * 1000);
    let c = curve(
        series(24.0, 5, Noise::White(0.001), 5, back),
        &[(at, "cpu_seconds".to_owned())],
        &Scope::default(),
    );
    assert_eq!(
        c.episodes().count(),
        1,
        "a restart gives nothing back: {:?}",
        c.chains
    );
}

#[test]
fn a_warm_up_is_one() {
    let c = look(series(24.0, 5, Noise::White(0.001), 9, |t| {
        300.0 + 180.0 * (1.0 - (-t / 0.5).exp())
    }));
    let w = c.warm_up().unwrap_or_else(|| panic!("{:?}", c.chains));
    assert!((150.0..185.0).contains(&(w.gain / 1e6)), "{w:?}");
    assert_eq!(
        (c.class, c.episodes().count(), c.grows),
        (Class::WarmUp, 0, false)
    );
    assert!(c.chains.iter().all(|c| c.kind != Rise::Episode));
}

/// How often the interval covers the truth, the finding is there, the value is within 5 %.
fn covered(
    seeds: std::ops::Range<u64>,
    truth: f64,
    make: impl Fn(u64) -> Series,
) -> (usize, usize, usize) {
    let (mut covers, mut found, mut near) = (0, 0, 0);
    for seed in seeds {
        let c = look(make(seed));
        let Some(r) = c.rate else { continue };
        let inside = r.lo <= truth * 1e6 && truth * 1e6 <= r.hi;
        covers += usize::from(inside);
        found += usize::from(c.grows || c.episodes().any(|e| e.peak >= 50e6));
        near += usize::from(inside || (r.value / 1e6 / truth - 1.0).abs() <= 0.05);
    }
    (covers, found, near)
}

fn cases() -> Vec<(&'static str, f64, f64, Box<dyn Fn(u64) -> Series>)> {
    let phase = |seed: u64| Random::new(seed + 13).uniform();
    let slow = Noise::Slow(0.05, 3.0);
    let w = Noise::White(0.05);
    vec![
        (
            "1 day, wave + 20, white",
            24.0,
            20.0,
            Box::new(move |s| {
                series(24.0, 15, w, s, |t| {
                    600.0 + 20.0 * t + 180.0 * sin(t, phase(s))
                })
            }),
        ),
        (
            "1 day, wave + 20, 3 min",
            24.0,
            20.0,
            Box::new(move |s| {
                series(24.0, 15, slow, s, |t| {
                    600.0 + 20.0 * t + 180.0 * sin(t, phase(s))
                })
            }),
        ),
        (
            "1 day, two harmonics + 20, 30 min",
            24.0,
            20.0,
            Box::new(move |s| {
                series(24.0, 15, Noise::Slow(0.05, 30.0), s, |t| {
                    600.0
                        + 20.0 * t
                        + 120.0 * sin(t, phase(s))
                        + 70.0 * sin(2.0 * t, 0.3 + phase(s))
                })
            }),
        ),
        (
            "1 day, office + 60, 3 min",
            24.0,
            60.0,
            Box::new(move |s| {
                series(24.0, 15, slow, s, |t| {
                    600.0 + 60.0 * t + 300.0 * office(t, phase(s))
                })
            }),
        ),
        (
            "1 day, teeth + 21, white",
            24.0,
            21.0,
            Box::new(move |s| {
                series(24.0, 15, w, s, |t| {
                    600.0 + 21.0 * t + 120.0 * (t / 0.55 + phase(s)).fract()
                })
            }),
        ),
        (
            "3 days, wave + 20, 3 min",
            72.0,
            20.0,
            Box::new(move |s| {
                series(72.0, 15, slow, s, |t| {
                    600.0 + 20.0 * t + 180.0 * sin(t, phase(s))
                })
            }),
        ),
        (
            "3 days, office + 20, 30 min",
            72.0,
            20.0,
            Box::new(move |s| {
                series(72.0, 15, Noise::Slow(0.05, 30.0), s, |t| {
                    600.0 + 20.0 * t + 300.0 * office(t, phase(s))
                })
            }),
        ),
        (
            "3 days, teeth, wave + 21, 3 min",
            72.0,
            21.0,
            Box::new(move |s| {
                series(72.0, 15, slow, s, |t| {
                    600.0
                        + 21.0 * t
                        + 100.0 * sin(t, phase(s))
                        + 120.0 * (t / 0.55 + phase(s)).fract()
                })
            }),
        ),
        (
            "3 days, climb of 30 under nightly restarts, 3 min",
            72.0,
            30.0,
            Box::new(move |s| {
                series(72.0, 15, slow, s, |t| {
                    let age = (t - 3.0).rem_euclid(24.0);
                    if age < 0.01 {
                        f64::NAN
                    } else {
                        600.0 + 30.0 * age
                    }
                })
            }),
        ),
    ]
}

#[test]
fn intervals_cover_the_truth() {
    for (name, _, truth, make) in cases() {
        let (_, found, near) = covered(0..4, truth, make);
        assert!(near >= 3, "{name}: near {near} of 4");
        assert!(
            found >= 3 || name.contains("30 min"),
            "{name}: found {found} of 4"
        );
    }
}

/// The bound that is promised: 95 of 100 seeds.
#[test]
#[ignore = "a minute: cargo test --release -- --ignored timeline"]
fn intervals_cover_the_truth_in_95_of_100_seeds() {
    let mut wrong = Vec::new();
    for (name, hours, truth, make) in cases() {
        let (covers, found, near) = covered(FRESH..FRESH + 100, truth, make);
        println!("{name:55} covers {covers} found {found} within 5 % or covered {near}");
        let enough = if hours >= 72.0 { near } else { covers };
        if enough < 95 {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
