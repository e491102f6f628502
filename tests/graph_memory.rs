//! Memory of a comparison of object graphs: 64 bytes an object and 16 a reference of the larger
//! capture, 24 bytes an object of the other, at the peak. A binary of its own: its allocator counts.

use heapdiff::format::{self, Context};
use heapdiff::graph::series::Series;
use heapdiff::input::Source;
use heapdiff::model::{Limits, Symbols};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(n: usize) {
    let now = NOW.fetch_add(n, Relaxed) + n;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // A block that grows is moved by the kernel, not copied, once it is large.
        if size > layout.size() {
            add(size - layout.size());
        } else {
            NOW.fetch_sub(layout.size() - size, Relaxed);
        }
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What does not grow with the graph: buffers, tables of names, the thread that reads ahead.
const FIXED: usize = 6 << 20;

/// Targets of an object, of `n`.
type Shape = fn(u64, u64, &mut dyn FnMut() -> u64, &mut Vec<u64>);

/// Every shape, by name. Several types at once, so that few paths are alike.
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
        let (other, end) = if v < half {
            (half + v, half)
        } else {
            (v - half, n)
        };
        out.extend((v + 1 < end).then_some(v + 1));
        out.extend((other < n).then_some(other));
    }),
    ("random heap", |v, n, random, out| {
        // A tree that reaches all, and references to what is near.
        out.extend([2 * v + 1, 2 * v + 2].into_iter().filter(|&w| w < n));
        out.push((v / 2 + random() % 64).min(n - 1));
    }),
    ("one component", |v, n, random, out| {
        out.extend([(v + 1) % n, random() % n, random() % n]);
    }),
    ("lists and fans", |v, n, random, out| {
        let back = if v % 3 == 0 {
            v.saturating_sub(1)
        } else {
            random() % n
        };
        out.extend([(v + 1) % n, back, random() % n]);
    }),
    ("deep ring", |v, n, _, out| {
        out.extend((v + 1 < n).then_some(v + 1));
        out.extend([v / 2, n - 1 - v / 2]);
    }),
    ("array", |v, n, _, out| {
        if v == 0 {
            out.extend(1..n);
        }
    }),
];

/// A heap of `n` objects. Returns the number of references.
fn write(path: &std::path::Path, n: u64, shape: Shape) -> u64 {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(out, "{{\"format\":\"heapdiff-graph\",\"version\":1,\"runtime\":\"cpython\",\"id_kind\":\"address\",\"capture\":{{\"run\":{n}}}}}").unwrap();
    for t in 0..40 {
        writeln!(
            out,
            "{{\"t\":{t},\"name\":\"app.T{t}\",\"role\":\"instance\"}}"
        )
        .unwrap();
        writeln!(out, "{{\"k\":{t},\"name\":\".a{t}\",\"kind\":\"attr\"}}").unwrap();
    }
    let id = |v: u64| 0x7f00_0000_0000 + v * 16;
    let mut seed = 7u64;
    let mut random = move || {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        seed >> 33
    };
    let mut edges = 0;
    let mut row = Vec::new();
    for v in 0..n {
        row.clear();
        shape(v, n, &mut random, &mut row);
        edges += row.len() as u64;
        let labelled: Vec<String> = row
            .iter()
            .zip(v % 7..)
            .map(|(&w, k)| format!("{},{}", k % 40, id(w)))
            .collect();
        writeln!(
            out,
            "{{\"n\":{},\"t\":{},\"s\":{},\"e\":[{}]}}",
            id(v),
            v % 40,
            16 + v % 100,
            labelled.join(",")
        )
        .unwrap();
    }
    writeln!(
        out,
        "{{\"r\":{},\"kind\":\"module\",\"name\":\"app\"}}",
        id(0)
    )
    .unwrap();
    writeln!(out, "{{\"end\":true}}").unwrap();
    edges
}

#[test]
fn comparisons_of_graphs_keep_to_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut over = Vec::new();
    for &(name, shape) in SHAPES {
        let (small, large) = (150_000u64, 200_000u64);
        let paths = [folder.path().join("a.hdg"), folder.path().join("b.hdg")];
        write(&paths[0], small, shape);
        let edges = write(&paths[1], large, shape);
        let before = NOW.load(Relaxed);
        PEAK.store(before, Relaxed);
        let mut symbols = Symbols::default();
        let mut series = Series::default();
        for (i, path) in paths.iter().enumerate() {
            let source = Source::open(path, Limits::default()).unwrap();
            let mut captures =
                format::read(&source, None, &mut Context::new(&mut symbols)).unwrap();
            let graph = captures.remove(0).into_graph().unwrap();
            drop(source);
            series.add(graph, &symbols, false, i == 1);
        }
        let outcome = series.finish(&symbols);
        assert_eq!(outcome.captures[1].objects, large, "{name}");
        let peak = PEAK.load(Relaxed) - before;
        let most = 64 * large as usize + 16 * edges as usize + 24 * small as usize + FIXED;
        println!("{name}: {peak} bytes at the peak, {most} are allowed");
        if peak > most {
            over.push(format!(
                "{name}: {peak} bytes at the peak, {most} are allowed"
            ));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}
