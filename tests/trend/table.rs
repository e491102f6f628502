//! Prints the table of the documentation: `HEAPDIFF_LONG=1 cargo test --release
//! table -- --nocapture`.

use super::confusion::{Cell, Counts, long};

const NOISES: [f64; 5] = [0.0, 0.01, 0.03, 0.05, 0.10];

fn row(captures: usize, rates: (f64, f64), others: usize, exact: bool) -> String {
    let mut out = format!("| {captures}{} |", if exact { ", exact" } else { "" });
    for noise in NOISES {
        if exact && noise > 0.0 {
            out.push_str(" |");
            continue;
        }
        let mut counts = Counts::default();
        for seed in 0..4 {
            let mut cell = Cell::new(captures, noise);
            cell.uneven = seed % 2 == 1;
            cell.rates = rates;
            cell.others = others;
            cell.exact = exact;
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

#[test]
fn table() {
    if !long() {
        return;
    }
    println!("| captures | 0 | 1 % | 3 % | 5 % | 10 % |\n|---|---|---|---|---|---|");
    for captures in [3, 4] {
        println!("{}", row(captures, (0.03, 0.30), 20_000, true));
    }
    for captures in [3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 30, 50] {
        println!("{}", row(captures, (0.03, 0.30), 20_000, false));
    }
    println!("\n| captures | 0 | 1 % | 3 % | 5 % | 10 % |\n|---|---|---|---|---|---|");
    for captures in [5, 6, 7, 8, 10, 12, 16, 20, 30, 50] {
        println!("{}", row(captures, (0.03, 0.03), 2_000, false));
    }
}

#[test]
fn speed() {
    if !long() {
        return;
    }
    for captures in [5, 8, 12, 20, 50] {
        let mut counts = Counts::default();
        let mut cell = Cell::new(captures, 0.03);
        cell.leaks = 1_000;
        cell.others = 100_000;
        let both = std::time::Instant::now();
        cell.add(1, &mut counts);
        let both = both.elapsed();
        println!(
            "{captures} captures: {:.2} microseconds a site, generation included",
            both.as_secs_f64() * 1e6 / 101_000.0
        );
    }
}
