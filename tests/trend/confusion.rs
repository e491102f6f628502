//! What is found and what is falsely accused, over generated series.

use super::generator::{self, Random};
use heapdiff::trend::{Class, Judged, Noise, Plan};

pub const LEAKS: usize = 2_000;
pub const OTHERS: usize = 20_000;

/// Counts over one or several seeds.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub leaks: usize,
    pub found: usize,
    pub others: usize,
    pub accused: usize,
    /// Of these, without "cannot be told from".
    pub accused_for_certain: usize,
    /// Rows: the label; columns: the class called.
    pub matrix: [[usize; 9]; 9],
}

impl Counts {
    pub fn found_share(&self) -> f64 {
        self.found as f64 / self.leaks as f64
    }

    pub fn accused_per_20_000(&self) -> f64 {
        self.accused as f64 * 20_000.0 / self.others as f64
    }

    pub fn count(&mut self, labels: &[Class], judged: &Judged) {
        for (label, row) in labels.iter().zip(&judged.rows) {
            let called = usize::from(row.class.is_leak());
            if label.is_leak() {
                self.leaks += 1;
                self.found += called;
            } else {
                self.others += 1;
                self.accused += called;
                self.accused_for_certain += called * usize::from(row.is_certain());
            }
            self.matrix[*label as usize][row.class as usize] += 1;
        }
    }
}

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub captures: usize,
    pub noise: f64,
    pub uneven: bool,
    /// Growth per run as a share of the first value.
    pub rates: (f64, f64),
    pub exact: bool,
    pub leaks: usize,
    pub others: usize,
}

impl Cell {
    pub fn new(captures: usize, noise: f64) -> Cell {
        Cell {
            captures,
            noise,
            uneven: false,
            rates: (0.03, 0.30),
            exact: false,
            leaks: LEAKS,
            others: OTHERS,
        }
    }

    pub fn add(self, seed: u64, counts: &mut Counts) {
        let mut random = Random::new(seed);
        let x = generator::runs(self.captures, self.uneven, &mut random);
        let plan = Plan::new(&x).unwrap();
        let mut labels = Vec::with_capacity(self.leaks + self.others);
        let noise = if self.exact {
            Noise::Exact
        } else {
            Noise::Unknown
        };
        let judged = plan.judge_all(noise, self.leaks + self.others, |i, row| {
            let (label, mut values) = if i < self.leaks {
                let rate = random.within(self.rates.0, self.rates.1);
                generator::leak(&x, rate, &mut random)
            } else {
                generator::other(&x, &mut random)
            };
            generator::noisy(&mut values, self.noise, &mut random);
            let size = 1e6 * (4.0 * random.normal()).exp();
            for (to, value) in row.values.iter_mut().zip(&values) {
                *to = size * value;
            }
            labels.push(label);
        });
        counts.count(&labels, &judged);
    }
}

/// Whether the full tables are asked for: minutes instead of seconds.
pub fn long() -> bool {
    std::env::var_os("HEAPDIFF_LONG").is_some_and(|v| v == "1")
}

pub fn print_matrix(counts: &Counts) {
    for (label, row) in Class::ALL.iter().zip(&counts.matrix) {
        let sum = row.iter().sum::<usize>().max(1) as f64;
        let shares: Vec<String> = row
            .iter()
            .map(|&c| format!("{:5.1}", 100.0 * c as f64 / sum))
            .collect();
        println!("{:14} {}", label.as_str(), shares.join(" "));
    }
}

#[test]
fn twelve_captures_at_three_per_cent() {
    let mut counts = Counts::default();
    for seed in 1..=10 {
        let mut cell = Cell::new(12, 0.03);
        cell.uneven = seed % 2 == 0;
        cell.add(seed, &mut counts);
    }
    print_matrix(&counts);
    println!("{} of {} found", counts.found, counts.leaks);
    println!("{} per 20,000 accused", counts.accused_per_20_000());
    assert!(counts.accused_per_20_000() <= 20.0, "{counts:?}");
    assert!(counts.found_share() >= 0.999, "{counts:?}");
}

#[test]
fn twelve_captures_and_the_slowest_leaks() {
    let mut counts = Counts::default();
    for seed in 21..=30 {
        let mut cell = Cell::new(12, 0.03);
        cell.uneven = seed % 2 == 0;
        cell.rates = (0.03, 0.03);
        cell.others = 2_000;
        cell.add(seed, &mut counts);
    }
    println!("{} of {} found", counts.found, counts.leaks);
    assert!(counts.found_share() >= 0.95, "{counts:?}");
}

#[test]
fn few_are_accused_at_any_noise() {
    let (captures, seeds): (&[usize], u64) = if long() {
        (&[5, 6, 7, 8, 9, 10, 12, 16, 20, 30, 50], 4)
    } else {
        (&[5, 8, 12, 20], 1)
    };
    for &captures in captures {
        for noise in [0.0, 0.01, 0.03, 0.05, 0.10] {
            if captures == 12 && noise == 0.03 {
                continue;
            }
            let mut counts = Counts::default();
            for seed in 0..seeds {
                let mut cell = Cell::new(captures, noise);
                cell.uneven = seed % 2 == 1;
                cell.add(100 + seed, &mut counts);
            }
            println!(
                "{captures} captures, noise {noise}: {:.2} % found, {:.1} accused",
                100.0 * counts.found_share(),
                counts.accused_per_20_000()
            );
            assert!(counts.accused_per_20_000() <= 30.0, "{captures} {noise}");
        }
    }
}

#[test]
fn three_and_four_noisy_captures_accuse_nobody() {
    for captures in [3, 4] {
        let mut counts = Counts::default();
        let mut cell = Cell::new(captures, 0.03);
        cell.others = 2_000;
        cell.add(7, &mut counts);
        assert_eq!((counts.found, counts.accused), (0, 0));
    }
}

#[test]
fn exact_captures_are_enough_at_three() {
    let mut counts = Counts::default();
    let mut cell = Cell::new(3, 0.0);
    cell.exact = true;
    cell.add(8, &mut counts);
    let linear = counts.matrix[Class::SteadyGrowth as usize];
    let found = linear[0] + linear[1];
    assert_eq!(found, linear.iter().sum::<usize>(), "every linear leak");
    assert!(counts.accused_per_20_000() <= 100.0, "{counts:?}");
}
