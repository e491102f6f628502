//! Prints the table of the documentation: `HEAPDIFF_LONG=1 cargo test --release
//! table -- --nocapture`.

use super::confusion::{Cell, Counts, long};
use super::generator::{self, Random};
use heapdiff::trend::{Noise, Plan};
use std::time::Instant;

const NOISES: [f64; 5] = [0.0, 0.01, 0.03, 0.05, 0.10];

fn row(captures: usize, rates: (f64, f64), others: usize) -> String {
    let mut out = format!("| {captures} |");
    for noise in NOISES {
        let mut counts = Counts::default();
        for seed in 0..4 {
            let mut cell = Cell::new(captures, noise);
            cell.uneven = seed % 2 == 1;
            cell.rates = rates;
            cell.others = others;
            cell.add(500 + seed, &mut counts);
        }
        let found = 100.0 * counts.found_share();
        let found = match counts.found {
            0 => "0".to_owned(),
            all if all == counts.leaks => "100".to_owned(),
            _ if found > 99.0 => format!("{found:.2}"),
            _ => format!("{found:.1}"),
        };
        if others < 20_000 {
            out.push_str(&format!(" {found} |"));
        } else {
            out.push_str(&format!(" {found} / {:.1} |", counts.accused_per_20_000()));
        }
    }
    out
}

/// Exact captures: found, accused, accused as certain.
fn exact_row(captures: usize, uneven: bool) {
    let mut counts = Counts::default();
    for seed in 0..4 {
        let mut cell = Cell::new(captures, 0.0);
        cell.exact = true;
        cell.uneven = uneven;
        cell.add(500 + seed, &mut counts);
    }
    let certain = counts.accused_for_certain as f64 * 20_000.0 / counts.others as f64;
    println!(
        "| {captures}, exact, {} | {:.1} / {:.1}, as certain {certain:.1} | | | | |",
        if uneven { "uneven" } else { "even" },
        100.0 * counts.found_share(),
        counts.accused_per_20_000()
    );
}

#[test]
fn table() {
    if !long() {
        return;
    }
    println!("| captures | 0 | 1 % | 3 % | 5 % | 10 % |\n|---|---|---|---|---|---|");
    for captures in [3, 4] {
        for uneven in [false, true] {
            exact_row(captures, uneven);
        }
    }
    for captures in [3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 30, 50] {
        println!("{}", row(captures, (0.03, 0.30), 20_000));
    }
    println!("\n| captures | 0 | 1 % | 3 % | 5 % | 10 % |\n|---|---|---|---|---|---|");
    for captures in [5, 6, 7, 8, 10, 12, 16, 20, 30, 50] {
        println!("{}", row(captures, (0.03, 0.03), 2_000));
    }
}

#[test]
fn speed() {
    if !long() {
        return;
    }
    for captures in [5, 8, 12, 20, 50] {
        let mut random = Random::new(3);
        let x = generator::runs(captures, false, &mut random);
        let sites = 40_000;
        let values: Vec<f64> = (0..sites)
            .flat_map(|i| {
                let mut values = match i % 10 {
                    0 => generator::leak(&x, 0.1, &mut random).1,
                    _ => generator::other(&x, &mut random).1,
                };
                generator::noisy(&mut values, 0.03, &mut random);
                values
            })
            .collect();
        let plan = Plan::new(&x).unwrap();
        let start = Instant::now();
        let judged = plan.judge_all(Noise::Unknown, sites, |i, row| {
            row.values
                .copy_from_slice(&values[i * captures..(i + 1) * captures]);
        });
        let each = start.elapsed().as_secs_f64() * 1e6 / sites as f64;
        assert_eq!(judged.rows.len(), sites);
        println!("{captures} captures: {each:.2} microseconds a site");
    }
}

/// What no test of one series can tell from growth, or what breaks its
/// assumptions: shares called leaks, in per cent.
#[test]
fn broken_assumptions() {
    if !long() {
        return;
    }
    let mut random = Random::new(12);
    let x = generator::runs(12, false, &mut random);
    let plan = Plan::new(&x).unwrap();
    for (name, correlation) in [("walk", 1.0), ("0.3", 0.3), ("0.6", 0.6)] {
        let judged = plan.judge_all(Noise::Unknown, 20_000, |_, row| {
            let mut level = 1.0;
            let (_, values) = generator::other(&x, &mut random);
            for (to, value) in row.values.iter_mut().zip(values) {
                let base = if name == "walk" { 1.0 } else { value };
                level = 1.0 + correlation * (level - 1.0) + 0.03 * random.normal();
                *to = 1e6 * level * base;
            }
        });
        let called = judged.rows.iter().filter(|r| r.class.is_leak()).count();
        println!("noise correlated by {name}: {called} of 20,000 called leaks");
    }
}
