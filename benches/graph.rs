//! Analyses of object graphs on every shape, by size.
//!
//! ```text
//! cargo bench --bench graph                           1,000,000 and 10,000,000 objects
//! HEAPDIFF_BENCH=small cargo bench --bench graph      100,000 and 1,000,000
//! HEAPDIFF_BENCH=large cargo bench --bench graph      also 100,000,000: some 9 GB
//! ```
//!
//! Prints nanoseconds an object and a reference: they stay about level where the cost is linear.

use heapdiff::graph::series::Series;
use heapdiff::model::{EdgeKind, GraphBuilder, HeapGraph, LabelId, Role, RootKind, Symbols};
use std::time::Instant;

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

fn main() {
    let sizes: &[u32] = match std::env::var("HEAPDIFF_BENCH").as_deref() {
        Ok("small") => &[100_000, 1_000_000],
        Ok("large") => &[1_000_000, 10_000_000, 100_000_000],
        _ => &[1_000_000, 10_000_000],
    };
    println!("shape          objects  references  seconds  ns/object  ns/reference");
    for &(name, shape) in SHAPES {
        for &n in sizes {
            let mut symbols = Symbols::default();
            let graph = build(shape, n, &mut symbols);
            let edges = graph.edge_count();
            let start = Instant::now();
            let mut series = Series::default();
            series.add(graph, &symbols, false, true);
            let outcome = series.finish(&symbols);
            let took = start.elapsed().as_secs_f64();
            assert_eq!(outcome.captures[0].objects, u64::from(n));
            println!(
                "{name:13} {n:9} {edges:11} {took:8.2} {:10.1} {:13.1}",
                took * 1e9 / f64::from(n),
                took * 1e9 / edges.max(1) as f64
            );
        }
    }
}
