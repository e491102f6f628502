//! Memory that readers take of damaged and hostile files, counted by an allocator: at most ten
//! times the unpacked size and 16 MiB. A binary of its own, since it replaces the allocator.

#[path = "captures/walk.rs"]
mod walk;

use heapdiff::format::{self, Context, Format};
use heapdiff::input::Source;
use heapdiff::model::{Limits, Symbols};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts what is held, and the most that was.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the content is copied.
        more(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// One test counts at a time: the counters are those of the whole process.
static COUNTING: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ALWAYS: usize = 16 << 20;

/// Reads bytes that are gone afterwards; what it came to, and the most memory held meanwhile
/// besides the bytes themselves.
fn most_held(bytes: &[u8], forced: Option<&'static Format>) -> (heapdiff::Result<usize>, usize) {
    let stored = bytes.to_vec();
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let read = Source::from_bytes("x", stored, Limits::default()).and_then(|source| {
        let mut symbols = Symbols::default();
        let mut cx = Context::new(&mut symbols);
        format::read(&source, forced, &mut cx).map(|captures| captures.len())
    });
    if let Err(error) = &read {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    (read, MOST.load(Ordering::Relaxed) - before)
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let source = Source::from_bytes("x", bytes.to_vec(), Limits::default()).unwrap();
    source.bytes().unwrap().to_vec()
}

/// Captures of one format that are damaged by default.
const MOST_CAPTURES: usize = 8;

/// Cuts at 200 places and flips 200 bytes. By default of the smallest captures of every
/// format, with `HEAPDIFF_ALL_CAPTURES` of every one up to 4 MiB.
#[test]
fn damaged_captures_take_bounded_memory() {
    let _alone = alone();
    let all = std::env::var_os("HEAPDIFF_ALL_CAPTURES").is_some();
    let mut by_format: BTreeMap<&str, Vec<(usize, std::path::PathBuf)>> = BTreeMap::new();
    for path in walk::captures() {
        let Ok(source) = Source::open(&path, Limits::default()) else {
            continue;
        };
        let Ok(formats) = format::recognise(&source) else {
            continue;
        };
        let size = source.bytes().map_or(usize::MAX, |b| b.len());
        by_format
            .entry(formats[0].name)
            .or_default()
            .push((size, path));
    }
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize
    };
    for captures in by_format.values_mut() {
        captures.sort();
        let last = if all { captures.len() } else { MOST_CAPTURES };
        for (size, path) in captures.iter().take(last) {
            if *size > 4 << 20 {
                continue;
            }
            let stored = std::fs::read(path).unwrap();
            let plain = unpacked(&stored);
            let bound = 10 * size + ALWAYS;
            let check = |bytes: &[u8], what: &str| {
                let (_, most) = most_held(bytes, None);
                let shown = path.display();
                assert!(
                    most <= bound,
                    "{shown} {what}: {most} bytes, {size} unpacked"
                );
            };
            // Packed captures are damaged as they are stored and as they unpack.
            let mut forms = vec![&stored];
            if plain != stored {
                forms.push(&plain);
            }
            for whole in forms {
                for i in 0..200 {
                    let end = whole.len() * i / 200;
                    check(&whole[..end], &format!("cut at {end}"));
                    let mut flipped = whole.clone();
                    let (at, bits) = (random() % flipped.len(), random() as u8 | 1);
                    flipped[at] ^= bits;
                    check(&flipped, &format!("byte {at} flipped by {bits}"));
                }
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn many(part: &str, times: usize) -> String {
    part.repeat(times)
}

/// Files that claim, nest or repeat more than they hold.
fn hostile() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut all: Vec<(&str, &str, Vec<u8>)> = Vec::new();
    let mut add = |format, what, bytes: Vec<u8>| all.push((format, what, bytes));
    let deep = |open: &str| many(open, 400_000);
    let text = |s: String| s.into_bytes();

    // Nesting.
    for (format, head) in [
        ("dhat", r#"{"dhatFileVersion":2,"mode":"heap","x":"#),
        (
            "heapprofile",
            r#"{"head":{"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":0,"id":1,"children":"#,
        ),
        (
            "speedscope",
            r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":"#,
        ),
        ("flamebearer", r#"{"version":1,"flamebearer":{"names":"#),
        ("memray-stats", r#"{"total_num_allocations":1,"metadata":"#),
    ] {
        add(
            format,
            "arrays in arrays",
            text(format!("{head}{}", deep("["))),
        );
        add(
            format,
            "objects in objects",
            text(format!("{head}{}", deep("{\"a\":"))),
        );
    }
    let node = r#"{"callFrame":{"functionName":"f","scriptId":"1","url":"","lineNumber":1,"columnNumber":1},"selfSize":8,"id":1,"children":["#;
    add(
        "heapprofile",
        "calls in calls",
        text(format!("{{\"head\":{}", many(node, 20_000))),
    );
    for (what, op) in [
        ("marks", &b"("[..]),
        ("lists", b"]"),
        ("dictionaries", b"}"),
        ("doubled tuples", b"2\x86"),
        ("tuples of one", b"\x85"),
    ] {
        let mut bytes = b"\x80\x03ctracemalloc\nSnapshot\n".to_vec();
        bytes.extend(op.repeat(400_000));
        add("tracemalloc", what, bytes);
    }
    let mut pickle = b"\x80\x04ctracemalloc\nSnapshot\n".to_vec();
    for _ in 0..100_000 {
        pickle.extend(b"]q\x00h\x00a");
    }
    add("tracemalloc", "a list in itself", pickle);
    add(
        "memcheck-xml",
        "elements in elements",
        text(format!(
            "<?xml version=\"1.0\"?>\n<valgrindoutput>\n<protocoltool>memcheck</protocoltool>\n{}",
            deep("<error>")
        )),
    );
    add(
        "memcheck-xml",
        "entities of entities",
        text(format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\">{}]>\n<valgrindoutput>\n<protocoltool>memcheck</protocoltool>\n<args>&k;</args>",
            ('b'..='k')
                .map(|c| {
                    let before = (c as u8 - 1) as char;
                    format!("<!ENTITY {c} \"{}\">", many(&format!("&{before};"), 10))
                })
                .collect::<String>()
        )),
    );
    let mut massif = String::from(
        "desc: (none)\ncmd: a\ntime_unit: i\n#-----------\nsnapshot=0\n#-----------\ntime=0\nmem_heap_B=8\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=peak\n",
    );
    for depth in 0..3_000 {
        massif.push_str(&format!(
            "{}n1: 8 0x{depth:X}: f (a.c:1)\n",
            many(" ", depth)
        ));
    }
    add("massif", "a deep tree", text(massif));
    add("massif", "promised children", text("desc: (none)\ncmd: a\ntime_unit: i\n#-----------\nsnapshot=0\n#-----------\ntime=0\nmem_heap_B=8\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=peak\nn18446744073709551615: 8 (heap)\n".into()));

    // One stack of many frames, and many stacks that are long for what is written.
    add(
        "folded",
        "one long stack",
        text(format!("{}x 1\n", many("f;", 400_000))),
    );
    add(
        "jemalloc",
        "one long stack",
        text(format!(
            "heap_v2/1\n  t*: 1: 1 [0: 0]\n@{}\n  t*: 1: 1 [0: 0]\n",
            many(" 0x1", 400_000)
        )),
    );
    add(
        "gperftools",
        "one long stack",
        text(format!(
            "heap profile: 1: 1 [1: 1] @ heapprofile\n1: 1 [1: 1] @{}\n",
            many(" 0x1", 400_000)
        )),
    );
    add(
        "leak-sanitizer",
        "one long stack",
        text(format!(
            "==1==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 8 byte(s) in 1 object(s) allocated from:\n{}\nSUMMARY: LeakSanitizer: 8 byte(s) leaked in 1 allocation(s).\n",
            many("    #0 0x1 in f a.c:1\n", 100_000)
        )),
    );
    add(
        "memleak",
        "one long stack",
        text(format!(
            "[11:16:34] Top 2 stacks with outstanding allocations:\n\t8 bytes in 1 allocations from stack\n{}",
            many("\t\tf+0x1 [a]\n", 100_000)
        )),
    );
    let mut trees = String::from("v 10400 3\nX a\nI 1000 1\ns 1 m\ni 1 1 1\nt 1 0\n");
    for i in 1..20_000 {
        trees.push_str(&format!("t 1 {i:x}\na 1 {i:x}\n+ {:x}\n", i - 1));
    }
    add("heaptrack", "stacks of a long chain", text(trees));

    // Lengths and counts.
    add(
        "heaptrack",
        "a long string",
        text("v 10400 3\nX a\ns ffffffffffffffff x\n".into()),
    );
    add(
        "heaptrack",
        "a large address range",
        text(
            "v 10400 3\nX a\nx 1 a\nm 1 x 0 0 ffffffffffffffff\nt 1 0\n+ 7fffffffffffffff 1 1\n"
                .into(),
        ),
    );
    let mut memray = b"memray\0".to_vec();
    memray.extend(13u32.to_le_bytes());
    memray.extend(0x030b_02f0_u32.to_le_bytes());
    memray.extend([1, 0]);
    memray.extend([0xff; 16]);
    memray.extend([0; 16]);
    memray.extend(b"a\0");
    memray.extend([1, 0, 0, 0]);
    memray.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    memray.extend([0; 8]);
    memray.extend([1, 0, 1]);
    memray.extend(b"\0\0\0");
    memray.extend([12, 1, 0, 0, 0, 0, 0, 0, 0]);
    let mut code = memray.clone();
    code.extend([14, 5]);
    code.extend(b"f\0a.py\0");
    code.push(4);
    code.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    add("memray", "a long table of lines", code);
    let mut frames = memray.clone();
    frames.extend([14, 5]);
    frames.extend(b"f\0a.py\0");
    frames.extend([4, 0]);
    for _ in 0..400_000 {
        frames.extend([0x41, 5, 0]);
    }
    add("memray", "a deep stack", frames);
    let mut natives = memray.clone();
    for i in 0..200_000u32 {
        natives.extend([5, 2, if i == 0 { 0 } else { 2 }]);
    }
    add("memray", "a deep native stack", natives);
    let mut segments = memray;
    segments.push(6);
    segments.extend(b"\x07a\0");
    segments.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    segments.extend([0; 8]);
    add("memray", "promised segments", segments);
    let types = b"\x0a\x04\x08\x01\x10\x02";
    let strings = b"\x32\x00\x32\x0binuse_space\x32\x05bytes";
    let mut long = types.to_vec();
    long.extend(strings);
    long.extend(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
    add("pprof", "a long sample", long);
    let mut ids = types.to_vec();
    ids.extend(strings);
    ids.extend(b"\x22\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    ids.extend(b"\x12\x05\x0a\x01\x01\x12\x00");
    add("pprof", "a large id", ids);
    let mut labels = types.to_vec();
    labels.extend(strings);
    for _ in 0..100_000 {
        labels.extend(b"\x12\x07\x12\x01\x01\x1a\x02\x08\x01");
    }
    add("pprof", "labels", labels);
    add("dhat", "a large frame number", text(r#"{"dhatFileVersion":2,"mode":"heap","verb":"Allocated","bklt":false,"bkacc":false,"tu":"i","cmd":"x","pid":1,"te":1,"pps":[{"tb":1,"tbk":1,"fs":[18446744073709551615]}],"ftbl":["[root]"]}"#.into()));
    add("flamebearer", "a large name number", text(r#"{"version":1,"flamebearer":{"names":["total"],"levels":[[0,9,9,18446744073709551615]],"numTicks":9,"maxSelf":9},"metadata":{"format":"single","units":"bytes"}}"#.into()));
    add("speedscope", "a large frame number", text(r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[{"name":"a"}]},"profiles":[{"type":"sampled","name":"a","unit":"bytes","startValue":0,"endValue":1,"samples":[[18446744073709551615]],"weights":[1]}]}"#.into()));
    for (what, op) in [
        ("a long string", &b"\x80\x04X\xff\xff\xff\x7f"[..]),
        (
            "a long long string",
            b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
        ),
        (
            "a long frame",
            b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
        ),
        (
            "long bytes",
            b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        ),
        ("a far memo", b"\x80\x04]r\xff\xff\xff\xff"),
    ] {
        let mut bytes = op.to_vec();
        bytes.extend(b"ctracemalloc\nSnapshot\n");
        add("tracemalloc", what, bytes);
    }
    all
}

#[test]
fn hostile_files_take_bounded_memory() {
    let _alone = alone();
    let mut wrong = Vec::new();
    for (name, what, bytes) in hostile() {
        let format = format::by_name(name).unwrap();
        let bound = 10 * bytes.len() + ALWAYS;
        let (_, most) = most_held(&bytes, Some(format));
        let size = bytes.len();
        // Not forced it is that or unknown, and no other reader takes more.
        let (_, recognised) = most_held(&bytes, None);
        if most.max(recognised) > bound {
            wrong.push(format!(
                "{name}, {what}: {most} and {recognised} bytes of {size}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A small file that unpacks to much, for every format: what is held of it is bounded, whether it
/// is refused or read as a stream.
#[test]
fn bombs_take_bounded_memory() {
    let _alone = alone();
    let limits = Limits::default();
    let mut heads: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for path in walk::captures() {
        let Ok(source) = Source::open(&path, Limits::default()) else {
            continue;
        };
        let Ok(formats) = format::recognise(&source) else {
            continue;
        };
        if seen.insert(formats[0].name) {
            let head = source.head();
            heads.push((formats[0].name, head[..head.len().min(2000)].to_vec()));
        }
    }
    assert!(heads.len() > 15);
    for (name, head) in heads {
        for filler in [b' ', 0, b'\n', b'['] {
            let mut content = head.clone();
            content.resize(80 << 20, filler);
            let bomb = gzip(&content);
            drop(content);
            let free = limits.ratio_free_bytes as usize;
            let (read, most) = most_held(&bomb, None);
            assert!(most <= 4 * free, "{name} {filler}: {most} bytes, {read:?}");
        }
    }
}
