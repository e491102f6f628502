//! The heap of heapdiff itself: compares six small captures again and again, and has the dhat
//! crate record what that leaves behind.
//!
//!     cargo run --example own_heap -- PASSES OUTPUT > /dev/null
//!
//! One pass warms up before the recording starts: what is made once and kept is not counted. The
//! captures after 10, 20 and 40 passes are what `.ci/own-heap` holds against a baseline.

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Six captures of three tools.
const CAPTURES: [[&str; 2]; 3] = [
    ["profiles/ingest/a.json@50", "profiles/ingest/b.json@200"],
    [
        "profiles/go-ingest/exact/cured/run-050.pb.gz@50",
        "profiles/go-ingest/exact/cured/run-200.pb.gz@200",
    ],
    [
        "profiles/c-ingest/faulty/run-050.json@50",
        "profiles/c-ingest/faulty/run-200.json@200",
    ],
];

fn pass() -> u8 {
    let compare = |pair: &[&str; 2]| {
        let args = ["heapdiff", "compare", "--format", "json", pair[0], pair[1]];
        heapdiff::cli::run(args.iter().map(std::ffi::OsString::from))
    };
    CAPTURES.iter().map(compare).max().unwrap_or(0)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let passes: usize = args.next().and_then(|n| n.parse().ok()).unwrap_or(10);
    let output = args.next().unwrap_or_else(|| "own-heap.json".to_owned());
    assert_eq!(pass(), 0, "a comparison failed");
    let profiler = dhat::Profiler::builder()
        .file_name(output)
        .trim_backtraces(Some(16))
        .build();
    for _ in 0..passes {
        pass();
    }
    drop(profiler);
}
