//! Analyses of object graphs on every shape, by size.
//!
//! ```text
//! cargo bench --bench graph                           1,000,000 and 10,000,000 objects
//! HEAPDIFF_BENCH=small cargo bench --bench graph      100,000 and 1,000,000
//! HEAPDIFF_BENCH=large cargo bench --bench graph      also 100,000,000: some 10 GB
//! cargo bench --bench graph -- ladder complete        these shapes alone
//! ```
//!
//! Each shape is compared with itself at nine tenths of its size, so that everything is done that
//! a comparison does: growth, holders, cuts. Times are those of both captures. They are processor
//! seconds of the whole process, which other programs on the machine do not lengthen; the time that
//! passes is beside them. Nanoseconds an element (an object or a reference) stay about level where
//! the cost is linear. Memory is what the analysis takes at its peak, the graphs included, an object
//! and 16 bytes a reference off: what is promised is 64 and 24 for nine tenths.

use heapdiff::graph::series::Series;
use heapdiff::model::{EdgeKind, GraphBuilder, HeapGraph, LabelId, Role, RootKind, Symbols};
use std::time::Instant;

#[global_allocator]
static MEMORY: heapdiff::input::Memory = heapdiff::input::Memory;

/// Targets of an object, of `n`.
type Shape = fn(u32, u32, &mut u64, &mut Vec<u32>);

fn random(seed: &mut u64, n: u32) -> u32 {
    *seed = seed
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    ((*seed >> 33) % u64::from(n)) as u32
}

/// Every shape, by name.
const SHAPES: &[(&str, Shape)] = &[
    ("list", |v, n, _, out| {
        out.extend((v + 1 < n).then_some(v + 1))
    }),
    ("double list", |v, n, _, out| {
        out.extend((v + 1 < n).then_some(v + 1));
        out.extend(v.checked_sub(1));
    }),
    ("ladder", |v, n, _, out| {
        let half = n / 2;
        if v < half {
            out.extend((v + 1 < half).then_some(v + 1));
            out.extend((v > 0).then(|| half + v - 1));
        } else {
            out.extend((v + 1 < n).then_some(v + 1));
            out.extend((v > half).then(|| v - half - 1));
        }
        if v == 0 {
            out.push(half);
        }
    }),
    ("random heap", |v, n, seed, out| {
        // Mostly local, as allocation order is, with a tree that reaches all.
        out.extend(
            [2 * u64::from(v) + 1, 2 * u64::from(v) + 2]
                .iter()
                .filter_map(|&w| u32::try_from(w).ok().filter(|&w| w < n)),
        );
        let near = random(seed, 64) + v / 2;
        out.push(near.min(n - 1));
    }),
    ("one component", |v, n, seed, out| {
        out.push((v + 1) % n);
        out.extend([random(seed, n), random(seed, n)]);
    }),
    ("one cycle", |v, n, _, out| out.push((v + 1) % n)),
    ("star", |v, n, _, out| {
        // One array of everything.
        if v == 0 {
            out.extend(1..n);
        }
    }),
    ("linked array", |v, n, _, out| {
        // An array of everything, and each refers to the next and back to the first.
        if v == 0 {
            out.extend(1..n);
        } else {
            out.extend((v + 1 < n).then_some(v + 1));
            out.push(0);
        }
    }),
    ("deep ring", |v, n, _, out| {
        // A chain down, and from everywhere one back up: what iterative schemes are slow on.
        out.extend((v + 1 < n).then_some(v + 1));
        out.push(v / 2);
        out.push(n - 1 - v / 2);
    }),
    ("complete", |v, n, _, out| {
        // Of the root of n objects everyone refers to everyone; the others hang below them.
        let k = n.isqrt();
        if v < k {
            out.extend((0..k).filter(|&w| w != v));
            let own = (n - k) / k;
            let end = if v + 1 == k { n } else { k + (v + 1) * own };
            out.extend(k + v * own..end);
        }
    }),
];

fn build(shape: Shape, n: u32, symbols: &mut Symbols) -> HeapGraph {
    let Symbols { strings, graph, .. } = symbols;
    let labels: Vec<LabelId> = (0..8)
        .map(|k| graph.label_id(strings, &format!(".a{k}"), EdgeKind::Attr))
        .collect();
    let types: Vec<_> = (0..50)
        .map(|t| graph.type_id(strings, &format!("app.T{t}"), Role::Instance))
        .collect();
    let name = strings.intern("app");
    let mut b = GraphBuilder::by_ordinal();
    b.meta().runtime = "jvm".into();
    let (mut seed, mut row) = (1, Vec::new());
    for v in 0..n {
        b.node(
            types[v as usize % 50],
            16 + u64::from(v % 64),
            Some(u64::from(v)),
        )
        .expect("fewer than 2^32 objects");
        row.clear();
        shape(v, n, &mut seed, &mut row);
        for (i, &w) in row.iter().enumerate() {
            b.edge(w, labels[i % 8])
                .expect("fewer than 2^32 references");
        }
        b.end_row();
    }
    b.root(0, RootKind::Module, name, false);
    b.finish()
}

/// Processor seconds of this process so far.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or("");
    let ticks = |n: usize| -> f64 {
        let field = after.split_whitespace().nth(n);
        field.and_then(|f| f.parse().ok()).unwrap_or(f64::NAN)
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory so far, in bytes.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |k| k * 1024.0)
}

fn main() {
    let sizes: &[u32] = match std::env::var("HEAPDIFF_BENCH").as_deref() {
        Ok("small") => &[100_000, 1_000_000],
        Ok("large") => &[1_000_000, 10_000_000, 100_000_000],
        _ => &[1_000_000, 10_000_000],
    };
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|c| name.contains(c.as_str()));
    println!("shape           objects  references  processor  passed  ns/element  bytes/object");
    for &(name, shape) in SHAPES.iter().filter(|s| wanted(s.0)) {
        for &n in sizes {
            match std::env::var(ONE) {
                Ok(one) if one == format!("{name} {n}") => measure(name, shape, n),
                Ok(_) => {}
                Err(_) => apart(name, n),
            }
        }
    }
}

/// The shape and size that this process is to measure.
const ONE: &str = "HEAPDIFF_BENCH_ONE";

/// Measures in a process of its own, since memory stays with a process.
fn apart(name: &str, n: u32) {
    let own = std::env::current_exe().expect("the path of this program");
    let mut command = std::process::Command::new(own);
    let output = command.arg(name).env(ONE, format!("{name} {n}")).output();
    let output = output.expect("this program starts again");
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().nth(1) {
        Some(line) => println!("{line}"),
        None => println!("{name:13} {n:9} failed: {}", output.status),
    }
}

fn measure(name: &str, shape: Shape, n: u32) {
    let mut symbols = Symbols::default();
    let before = peak();
    let mut series = Series::default();
    let (mut used, mut passed, mut elements) = (0.0, 0.0, 0);
    let mut edges = 0;
    for (n, last) in [(n / 10 * 9, false), (n, true)] {
        let graph = build(shape, n, &mut symbols);
        edges = graph.edge_count();
        elements += n as usize + edges;
        let (at, start) = (processor(), Instant::now());
        series.add(graph, &symbols, false, last);
        used += processor() - at;
        passed += start.elapsed().as_secs_f64();
    }
    let (at, start) = (processor(), Instant::now());
    let outcome = series.finish(&symbols);
    used += processor() - at;
    passed += start.elapsed().as_secs_f64();
    assert_eq!(outcome.captures[1].objects, u64::from(n));
    println!(
        "{name:13} {n:9} {edges:11} {used:10.2} {passed:7.2} {:11.1} {:13.1}",
        used * 1e9 / elements as f64,
        (peak() - before - 16.0 * edges as f64) / f64::from(n)
    );
}
