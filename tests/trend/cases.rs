//! Series that tools are known to get wrong.

use heapdiff::trend::{Class, Judgement, Noise, Plan, Reason, Row};

fn judge(noise: Noise, y: &[f64]) -> Judgement {
    let x: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
    Plan::new(&x).unwrap().judge_one(noise, &Row::of(y))
}

fn class(y: &[f64]) -> Class {
    let exact = judge(Noise::Exact, y).class;
    assert_eq!(exact, judge(Noise::Unknown, y).class);
    exact
}

#[test]
fn a_cache_that_fills_and_stops() {
    let y: Vec<f64> = (0..12).map(|i| 1e6 + 2e5 * f64::from(i.min(5))).collect();
    let judged = judge(Noise::Exact, &y);
    assert_eq!(judged.class, Class::WarmUp, "{judged:?}");
    assert_eq!(judged.warm_up, 5, "its length");
}

#[test]
fn a_long_warm_up_and_then_flat() {
    let y: Vec<f64> = (0..12)
        .map(|i| 1e6 * (3.0 - 2.0 * (-f64::from(i) / 1.4).exp()))
        .map(f64::round)
        .collect();
    let judged = judge(Noise::Exact, &y);
    assert_eq!(judged.class, Class::WarmUp, "{judged:?}");
    assert!((5..=7).contains(&judged.warm_up), "{judged:?}");
}

#[test]
fn forty_per_cent_over_a_day() {
    let y: Vec<f64> = (0..24)
        .map(|h| 27.5e6 + 11e6 * f64::from(h) / 23.0)
        .collect();
    assert_eq!(class(&y), Class::SteadyGrowth);
}

#[test]
fn a_sawtooth_whose_first_point_is_the_lowest() {
    let y: Vec<f64> = (0..12).map(|i| 1e6 + 1e5 * f64::from(i % 4)).collect();
    assert_eq!(class(&y), Class::Sawtooth);
    // Its last point the highest, for the naive comparison of the ends.
    assert!(y[11] > y[0]);
}

#[test]
fn one_buffer_that_doubles_each_run() {
    for n in [3, 4, 5, 6, 8, 12] {
        let x: Vec<f64> = (0..n).map(f64::from).collect();
        let mut row = Row::of(
            &x.iter()
                .map(|i| 64.0 * 2.0_f64.powf(*i))
                .collect::<Vec<_>>(),
        );
        row.blocks = vec![1.0; x.len()];
        let plan = Plan::new(&x).unwrap();
        let judged = plan.judge_one(Noise::Exact, &row);
        assert!(judged.class.is_leak(), "{n}: {judged:?}");
        assert_eq!(judged.reason, Reason::Capacity);
        assert!(judged.count_constant && !judged.is_certain());
        assert!(judged.reason.words().contains("count constant"));
    }
}

#[test]
fn container_capacity() {
    let x: Vec<f64> = (1..=12).map(|i| 10.0 * f64::from(i)).collect();
    let plan = Plan::new(&x).unwrap();
    let mut row = Row::of(&[
        1024.0, 2048.0, 2048.0, 4096.0, 4096.0, 4096.0, 4096.0, 8192.0, 8192.0, 8192.0, 8192.0,
        8192.0,
    ]);
    row.blocks = vec![1.0; 12];
    let judged = plan.judge_one(Noise::Exact, &row);
    assert_eq!(judged.class, Class::SteadyGrowth, "{judged:?}");
    assert_eq!((judged.reason, judged.jumps), (Reason::Capacity, 3));
    let slope = plan
        .detail(Noise::Exact, &row, &judged, 0.001)
        .slope
        .unwrap();
    // The content grew at least from 1024 to 4096 between 10 and 80.
    assert!((slope.lo - 3072.0 / 70.0).abs() < 1e-9, "{slope:?}");
    assert!(slope.hi > 61.0 && slope.hi < 80.0, "{slope:?}");
    row.values[7..].fill(4096.0);
    let judged = plan.judge_one(Noise::Exact, &row);
    assert_eq!(judged.class, Class::Step);
    assert_eq!(judged.reason, Reason::CapacityUnknown);
}

#[test]
fn a_site_that_appears_in_the_third_capture() {
    let y = [0.0, 0.0, 500.0, 1000.0, 1500.0, 2000.0];
    let judged = judge(Noise::Exact, &y);
    assert_eq!(judged.class, Class::SteadyGrowth);
    assert_eq!((judged.reason, judged.leading_zeros), (Reason::Exact, 2));
    let early = judge(Noise::Exact, &y[..4]);
    assert_eq!(early.reason, Reason::JustAppeared);
}

#[test]
fn a_site_that_appears_and_stays() {
    let judged = judge(Noise::Exact, &[0.0, 0.0, 7.0, 7.0, 7.0, 7.0]);
    assert_eq!(
        (judged.class, judged.reason),
        (Class::WarmUp, Reason::Appeared)
    );
    let judged = judge(Noise::Exact, &[0.0, 0.0, 0.0, 7.0, 7.0, 7.0]);
    assert_eq!(
        (judged.class, judged.reason),
        (Class::Step, Reason::Appeared)
    );
    assert_eq!(judge(Noise::Exact, &[0.0; 6]).class, Class::Stable);
}

#[test]
fn a_leak_that_begins_after_a_warm_up() {
    let y: Vec<f64> = (0..12)
        .map(|i| 1e6 + 2e6 * f64::from(i.min(3)) / 3.0 + 1e5 * f64::from(i))
        .collect();
    let judged = judge(Noise::Exact, &y);
    assert!(judged.class.is_leak(), "{judged:?}");
    assert_eq!((judged.reason, judged.warm_up), (Reason::AfterWarmUp, 3));
}

#[test]
fn one_bad_capture() {
    let mut y: Vec<f64> = (0..12).map(|i| 1e6 + 1e5 * f64::from(i)).collect();
    y[4] *= 0.5;
    let judged = judge(Noise::Exact, &y);
    assert_eq!(judged.class, Class::SteadyGrowth, "{judged:?}");
    assert_eq!(judged.left_out(), Some(4));
}

#[test]
fn two_captures_are_never_a_trend() {
    let judged = judge(Noise::Exact, &[1.0, 1e9]);
    assert_eq!(
        (judged.class, judged.reason),
        (Class::Undetermined, Reason::TwoCaptures)
    );
    assert!(!judged.reason.next_capture().is_empty());
}

#[test]
fn odd_numbers_are_undetermined() {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e308,
        -1e308,
        0.0,
        -1.0,
        1e-308,
    ];
    let noises = [
        Noise::Exact,
        Noise::Unknown,
        Noise::Known { one_process: true },
        Noise::Known { one_process: false },
    ];
    for n in 0..14_usize {
        for (k, &v) in odd.iter().enumerate() {
            for x in [
                (0..n).map(|i| i as f64).collect::<Vec<_>>(),
                vec![5.0; n],
                (0..n).map(|i| (i as f64 * 7.0) % 5.0).collect(),
                (0..n).map(|i| 1e300 * i as f64).collect(),
                (0..n).map(|i| 1e-300 * i as f64).collect(),
            ] {
                let plan = Plan::new(&x).unwrap();
                for noise in noises {
                    let mut row = Row::of(&vec![3.0; n]);
                    for i in (k % 3..n).step_by(k + 1) {
                        row.values[i] = v;
                    }
                    row.unit = v;
                    row.blocks = row.values.clone();
                    row.variances = if k % 2 == 0 {
                        row.values.clone()
                    } else {
                        vec![]
                    };
                    row.ends = Some((u64::MAX, k as u64));
                    let judged = plan.judge_one(noise, &row);
                    let _ = plan.detail(noise, &row, &judged, v);
                    assert!((0.0..=1.0).contains(&judged.p_value), "{judged:?}");
                    assert!((0.0..=1.0).contains(&judged.q_value));
                    let short = plan.judge_one(noise, &Row::of(&[1.0]));
                    assert!(!short.class.is_leak());
                }
            }
        }
    }
    assert!(Plan::new(&[f64::NAN]).is_err());
}

#[test]
fn many_captures_are_averaged() {
    let y: Vec<f64> = (0..1_440).map(|i| 1e8 + 1e4 * f64::from(i)).collect();
    assert_eq!(class(&y), Class::SteadyGrowth);
    assert_eq!(class(&vec![1.0; 1_000]), Class::Stable);
}

#[test]
fn judging_on_two_threads_is_the_same() {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let plan = Plan::new(&x).unwrap();
    let rows: Vec<Row> = (0..40)
        .map(|k| {
            let mut y: Vec<f64> = x.iter().map(|i| 1e3 + f64::from(k % 7) * i).collect();
            y[k as usize % 12] *= 0.6;
            Row::of(&y)
        })
        .collect();
    let mut one = plan.judge(Noise::Unknown);
    rows.iter().for_each(|r| one.push(r));
    let mut first = plan.judge(Noise::Unknown);
    let mut second = plan.judge(Noise::Unknown);
    rows[..20].iter().for_each(|r| first.push(r));
    rows[20..].iter().for_each(|r| second.push(r));
    first.absorb(second);
    assert_eq!(one.finish().rows, first.finish().rows);
}
