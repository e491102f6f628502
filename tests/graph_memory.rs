//! Memory of a comparison of object graphs: 64 bytes an object and 16 a reference of the larger
//! capture, 24 bytes an object of the other, at the peak; 32 bytes an object by type alone, and
//! for a Java heap dump then no more the larger it is. A binary of its own: its allocator counts.

#[path = "graph_memory/write.rs"]
mod write;

use heapdiff::format::{self, Context};
use heapdiff::graph::series::Series;
use heapdiff::input::{Memory, Source};
use heapdiff::model::{Limits, Symbols};
use std::alloc::{GlobalAlloc, Layout};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use write::{SHAPES, Shape};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(n: usize) {
    let now = NOW.fetch_add(n, Relaxed) + n;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: every call is handed to the program's own allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { Memory.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { Memory.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // A block that grows is moved by the kernel, not copied, once it is large.
        if size > layout.size() {
            add(size - layout.size());
        } else {
            NOW.fetch_sub(layout.size() - size, Relaxed);
        }
        unsafe { Memory.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What does not grow with the graph: the readers' windows, tables of names, the thread that reads
/// ahead.
const FIXED: usize = 1 << 20;

/// One measures at a time.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a capture is written: a path, the number of objects and the shape; references are returned.
type Writer = fn(&Path, u64, Shape) -> u64;

/// What [`compare`] saw.
struct Seen {
    /// References of the larger capture.
    edges: usize,
    /// The most that was allocated.
    peak: usize,
    /// The most that was resident; none where the system does not tell.
    resident: Option<usize>,
}

/// A line of what Linux tells of this process, in bytes.
fn resident(line: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(line))?;
    Some(line.trim_end_matches("kB").trim().parse::<usize>().ok()? << 10)
}

/// Compares captures of these sizes; all of them are written before.
fn compare(name: &str, write: Writer, sizes: &[u64], shape: Shape, types_only: bool) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = |n: u64| folder.path().join(format!("{n}"));
    let mut edges = 0;
    for &n in sizes {
        edges = write(&path(n), n, shape) as usize;
    }
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let forgotten = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let resident_before = resident("VmRSS:").filter(|_| forgotten);
    let mut symbols = Symbols::default();
    let mut series = Series::default();
    for (i, &n) in sizes.iter().enumerate() {
        let source = Source::open(&path(n), Limits::default()).unwrap();
        let mut context = Context::new(&mut symbols);
        context.types_only = types_only;
        let mut captures = format::read(&source, None, &mut context).unwrap();
        let graph = captures.remove(0).into_graph().unwrap();
        drop(source);
        series.add(graph, &symbols, false, i + 1 == sizes.len());
    }
    let outcome = series.finish(&symbols);
    let objects = outcome.captures.last().unwrap().objects;
    assert!(objects >= *sizes.last().unwrap(), "{name}");
    let most = resident("VmHWM:");
    Seen {
        edges,
        peak: PEAK.load(Relaxed) - before,
        resident: most.zip(resident_before).map(|(m, b)| m.saturating_sub(b)),
    }
}

/// Holds comparisons of two captures against the promise.
fn holds(format: &str, write: Writer, shapes: &[(&str, Shape)]) {
    let _turn = turn();
    // Just above a power of two: a column that doubles is half empty.
    let (small, large) = (230_000, 270_000);
    let mut over = Vec::new();
    for &(name, shape) in shapes {
        let name = format!("{format}, {name}");
        let seen = compare(&name, write, &[small, large], shape, false);
        let most = 64 * large as usize + 16 * seen.edges + 24 * small as usize + FIXED;
        println!(
            "{name}: {} bytes at the peak, {most} are allowed",
            seen.peak
        );
        if seen.peak > most {
            over.push(format!("{name}: {} of {most}", seen.peak));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

fn shape(name: &str) -> Shape {
    SHAPES.iter().find(|s| s.0 == name).unwrap().1
}

#[test]
fn comparisons_of_graphs_keep_to_their_bytes() {
    holds("graph", write::graph, SHAPES);
}

/// What is resident is what is in use: columns are not scattered, and nothing is held back beyond
/// the peak. Large pages round up.
#[test]
fn no_more_is_resident_than_is_promised() {
    let _turn = turn();
    let (small, large) = (500_000, 550_000);
    let sizes = [small, large];
    let shape = shape("one component");
    let seen = compare("one component", write::graph, &sizes, shape, false);
    let most = 64 * large as usize + 16 * seen.edges + 24 * small as usize + (8 << 20);
    println!("{:?} resident, {most} are allowed", seen.resident);
    assert!(seen.resident.is_none_or(|r| r <= most), "over {most}");
}

#[test]
fn comparisons_of_snapshots_keep_to_their_bytes() {
    let shapes = ["random heap", "one component"].map(|s| (s, shape(s)));
    holds("snapshot", write::snapshot, &shapes);
}

#[test]
fn comparisons_of_java_heap_dumps_keep_to_their_bytes() {
    let shapes = ["double list", "random heap", "one component"].map(|s| (s, shape(s)));
    holds("hprof", write::hprof, &shapes);
}

#[test]
fn snapshots_by_type_alone_keep_to_their_bytes() {
    let _turn = turn();
    let shape = shape("random heap");
    let (small, large) = (230_000, 270_000);
    let seen = compare("snapshot", write::snapshot, &[small, large], shape, true);
    let most = 32 * large as usize + FIXED;
    println!("{} bytes at the peak, {most} are allowed", seen.peak);
    assert!(seen.peak <= most, "{} of {most}", seen.peak);
}

#[test]
fn java_heap_dumps_by_type_alone_take_the_same_at_any_size() {
    let _turn = turn();
    let shape = shape("random heap");
    let peak = |n: u64| compare("hprof", write::hprof, &[n, n + 1], shape, true).peak;
    let (small, large) = (peak(100_000), peak(800_000));
    println!("{small} and {large} bytes at the peak");
    assert!(large <= small + (64 << 10), "{small} and {large}");
    assert!(large <= 8 << 20, "{large}");
}
