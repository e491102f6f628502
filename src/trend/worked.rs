//! Worked series: the numbers behind each class, by hand and by a second program.

use super::decide::{self, Demand};
use super::shape::{self, Buffers, Fit, Variance};
use super::template::Templates;
use super::{Class, Noise, Plan, Reason, Row};

struct Worked {
    fit: Fit,
    t: f64,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Worked {
    fn at(x: &[f64], y: &[f64]) -> Worked {
        let tpl = Templates::new(x);
        let mut buf = Buffers::default();
        let line = shape::line(&tpl, y, Variance::Relative, &mut buf).unwrap();
        let mut fit = shape::fit(&tpl, line, &buf);
        shape::add_teeth(&tpl, &mut fit, &buf);
        Worked {
            fit,
            t: line.slope / line.se,
            x: x.to_vec(),
            y: y.to_vec(),
        }
    }

    fn of(y: &[f64]) -> Worked {
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
        Worked::at(&x, y)
    }

    fn class(&self, class: Class) -> &Self {
        let plan = Plan::new(&self.x).unwrap();
        let row = Row::of(&self.y);
        for noise in [Noise::Exact, Noise::Unknown] {
            let judged = plan.judge_one(noise, &row);
            assert_eq!(judged.class, class, "{judged:?} {:?}", self.fit);
        }
        self
    }

    fn reason(&self, reason: Reason) -> &Self {
        let judged = Plan::new(&self.x)
            .unwrap()
            .judge_one(Noise::Unknown, &Row::of(&self.y));
        assert_eq!(judged.reason, reason, "{judged:?} {:?}", self.fit);
        self
    }

    /// The margin of a model, to 0.06.
    fn margin(&self, of: fn(&Fit) -> f64, expected: f64) -> &Self {
        near(of(&self.fit) - self.fit.lk, expected, 0.06);
        self
    }

    fn slope(&self, expected: f64, tolerance: f64) -> &Self {
        let plan = Plan::new(&self.x).unwrap();
        let row = Row::of(&self.y);
        let judged = plan.judge_one(Noise::Unknown, &row);
        let detail = plan.detail(Noise::Unknown, &row, &judged, 0.001);
        near(detail.slope.unwrap().value, expected, tolerance);
        self
    }

    fn warm_up(&self, expected: f64) -> &Self {
        let plan = Plan::new(&self.x).unwrap();
        let row = Row::of(&self.y);
        let judged = plan.judge_one(Noise::Unknown, &row);
        let detail = plan.detail(Noise::Unknown, &row, &judged, 0.001);
        assert_eq!(detail.warm_up, Some(expected), "{judged:?}");
        self
    }

    fn p(&self, expected: f64, rel: f64) -> &Self {
        near(self.fit.p, expected, rel * expected);
        self
    }
}

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

fn series(n: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..n).map(|i| f(i as f64)).collect()
}

const NOISY: [f64; 12] = [
    1000.0, 1061.0, 1085.0, 1170.0, 1196.0, 1238.0, 1311.0, 1342.0, 1418.0, 1437.0, 1522.0, 1540.0,
];

#[test]
fn exact_line() {
    let s = Worked::of(&series(12, |i| 1000.0 + 50.0 * i));
    s.class(Class::SteadyGrowth)
        .reason(Reason::Tested)
        .slope(50.0, 1e-9)
        .margin(|f| f.s, 103.3)
        .margin(|f| f.w, 93.1);
    near(s.t, 421.4, 0.1);
}

#[test]
fn noisy_line() {
    let s = Worked::of(&NOISY);
    s.class(Class::SteadyGrowth)
        .p(1.56e-12, 0.01)
        .slope(50.143, 1e-3)
        .margin(|f| f.line.score_c, 59.4)
        .margin(|f| f.s, 47.2)
        .margin(|f| f.s2, 41.6)
        .margin(|f| f.w, 38.3)
        .margin(|f| f.v, 42.2)
        .margin(|f| f.t, 62.9);
    near(s.t, 41.55, 0.01);
}

#[test]
fn warm_ups() {
    let s = [
        1000.0, 1632.0, 1864.0, 1950.0, 1982.0, 1993.0, 1998.0, 1999.0, 2000.0, 2000.0, 2000.0,
        2000.0,
    ];
    Worked::of(&s)
        .class(Class::WarmUp)
        .margin(|f| f.w, -85.5)
        .warm_up(5.0);
    let s = [
        1012.0, 1655.0, 1830.0, 1968.0, 1949.0, 2031.0, 1981.0, 1962.0, 2044.0, 2011.0, 1973.0,
        2020.0,
    ];
    Worked::of(&s)
        .class(Class::WarmUp)
        .p(0.0049, 0.02)
        .margin(|f| f.w, -50.3)
        .warm_up(5.0);
}

#[test]
fn step_is_significant_and_no_leak() {
    let s = [
        1010.0, 985.0, 1003.0, 1021.0, 992.0, 1502.0, 1489.0, 1521.0, 1497.0, 1510.0, 1478.0,
        1505.0,
    ];
    let s = Worked::of(&s);
    s.class(Class::Step).p(2.6e-4, 0.02).margin(|f| f.s, -51.3);
    assert_eq!(s.fit.step_at, 5);
}

#[test]
fn sawtooth() {
    let s: Vec<f64> = [1000.0, 1200.0, 1400.0, 1600.0].repeat(3);
    let s = Worked::of(&s);
    s.class(Class::Sawtooth).margin(|f| f.t, -117.0);
    near(s.t, 1.14, 0.01);
}

#[test]
fn accelerating() {
    Worked::of(&series(12, |i| 1000.0 + 10.0 * i * i))
        .class(Class::Accelerating)
        .slope(110.0, 1e-9);
    Worked::of(&series(8, |i| 64.0 * 2.0_f64.powf(i)))
        .class(Class::Accelerating)
        .p(2.1e-4, 0.03)
        .slope(720.0, 1.0);
}

#[test]
fn stable_and_shrinking() {
    let s = [
        1003.0, 979.0, 1021.0, 1010.0, 988.0, 995.0, 1017.0, 1002.0, 981.0, 1008.0, 1012.0, 990.0,
    ];
    Worked::of(&s).class(Class::Stable).p(0.96, 0.01);
    let s = [
        2000.0, 1890.0, 1812.0, 1690.0, 1604.0, 1512.0, 1387.0, 1305.0,
    ];
    Worked::of(&s).class(Class::Shrinking).slope(-99.83, 0.01);
}

#[test]
fn uneven_runs() {
    let x = [0.0, 10.0, 20.0, 50.0, 100.0, 200.0, 400.0, 800.0];
    let y: Vec<f64> = x.iter().map(|x| 1000.0 + 10.0 * x).collect();
    Worked::at(&x, &y)
        .class(Class::SteadyGrowth)
        .slope(10.0, 1e-9);
    // The same captures in another order.
    let mixed = [100.0, 0.0, 800.0, 20.0, 10.0, 400.0, 50.0, 200.0];
    let y: Vec<f64> = mixed.iter().map(|x| 1000.0 + 10.0 * x).collect();
    let judged = Plan::new(&mixed)
        .unwrap()
        .judge_one(Noise::Unknown, &Row::of(&y));
    assert_eq!(judged.class, Class::SteadyGrowth);
}

#[test]
fn five() {
    let s = Worked::of(&[100.0, 200.0, 300.0, 400.0, 500.0]);
    s.class(Class::SteadyGrowth).p(8.7e-9, 0.02);
    near(s.t, 633.0, 1.0);
    Worked::of(&[1000.0, 1110.0, 1170.0, 1330.0, 1390.0])
        .class(Class::Undetermined)
        .reason(Reason::NotSignificant)
        .p(1.06e-3, 0.01);
}

#[test]
fn jump_at_the_edge() {
    let mut s = vec![1000.0; 7];
    s.push(2000.0);
    Worked::of(&s)
        .class(Class::Undetermined)
        .reason(Reason::EdgeJump)
        .p(3.6e-5, 0.02)
        .margin(|f| f.s, -52.0);
}

#[test]
fn logarithm() {
    Worked::of(&series(12, |i| (1000.0 * (1.0 + (1.0 + i).ln())).trunc()))
        .class(Class::WarmUp)
        .reason(Reason::LongWarmUp)
        .margin(|f| f.v, -36.0)
        .margin(|f| f.d, -19.7);
}

#[test]
fn hours() {
    let x = series(24, |i| i);
    let y: Vec<f64> = x.iter().map(|h| 27.5e6 + 11e6 * h / 23.0).collect();
    Worked::at(&x, &y)
        .class(Class::SteadyGrowth)
        .slope(478_261.0, 1.0);
}

#[test]
fn scores_of_degenerate_grids_are_no_leak() {
    // Two different x only: the line and the step are the same.
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let s = Worked::at(&x, &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    assert!(!decide::leak(&s.fit, s.fit.p, Demand::first(6)));
}
