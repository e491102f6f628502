use super::*;
use crate::error::{Code, Result};
use crate::format::{Capture, Context, testing};
use crate::input::{Select, Source};
use crate::model::{Exactness, Limits, Profile, Symbols};

const CLASSIC: &str = "heap profile:    3:   3072 [   10:  40960] @ heapprofile\n\
     2:     2048 [     8:    32768] @ 0x4011a1 0x401231 0x7f00aa24\n     1:     1024 [     2:     8192] @ 0x4011a1 0x401256\n\n\
MAPPED_LIBRARIES:\n00400000-00402000 r-xp 00000000 fe:00 123   /opt/app/bin/demo\n";

const JEMALLOC_FILE: &str = "heap_v2/1024\n  t*: 5: 5120 [0: 0]\n  t0: 5: 5120 [0: 0] worker a\n@ 0x4011a1 0x401231\n  t*: 3: 3072 [0: 0]\n  t0: 3: 3072 [0: 0]\n\
@\n  t*: 2: 2048 [0: 0]\n  t0: 2: 2048 [0: 0]\n\nMAPPED_LIBRARIES:\n00400000-00402000 r-xp 00001000 fe:00 123   /opt/app/bin/demo\n";

const GO_FILE: &str = "heap profile: 1: 1048576 [3: 3145728] @ heap/1048576\n1: 1048576 [3: 3145728] @ 0x47b1 0x46d2\n\
#\t0x47b0\tmain.grow[...]+0x30\t/src/main.go:12\n#\t0x46d1\tmain.main+0x11\t/src/main.go:30\n\n0: 0 [1: 8] @ 0x1 0x2\n\n\
# runtime.MemStats\n# Alloc = 5\n# HeapAlloc = 0x5\n";

fn read_as(
    format: &Format,
    text: &str,
    set: impl Fn(&mut Context<'_>),
) -> (Symbols, Result<Profile>) {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default()).unwrap();
    let mut cx = Context::new(&mut symbols);
    set(&mut cx);
    let read = (format.read)(&source, &mut cx).map(|mut captures| {
        assert_eq!(captures.len(), 1);
        let Some(Capture::Profile(p)) = captures.pop() else {
            panic!()
        };
        p
    });
    (symbols, read)
}

fn totals(profile: &Profile) -> Vec<i128> {
    profile.columns.iter().map(|c| c.sum()).collect()
}

#[test]
fn each_is_recognised_as_one() {
    let symbolised = |rest: &str, kind: &str| {
        format!(
            "--- symbol\nbinary=/opt/demo\n0x00000000004011a0 outer--get\n---\n--- {kind}\n{rest}"
        )
    };
    for (text, expected) in [
        (CLASSIC.to_owned(), [Match::Yes, Match::No, Match::No]),
        (GO_FILE.to_owned(), [Match::No, Match::Yes, Match::No]),
        (JEMALLOC_FILE.to_owned(), [Match::No, Match::No, Match::Yes]),
        (
            symbolised(CLASSIC, "heap"),
            [Match::Yes, Match::No, Match::No],
        ),
        (
            symbolised(JEMALLOC_FILE, "heap"),
            [Match::No, Match::No, Match::Yes],
        ),
        ("goroutine profile: total 3\n".to_owned(), [Match::No; 3]),
        ("heap_v2/x\n".to_owned(), [Match::No; 3]),
    ] {
        let verdicts = [&GPERFTOOLS, &GO, &JEMALLOC].map(|f| (f.sniff)(text.as_bytes()));
        assert_eq!(verdicts, expected, "{text}");
    }
}

#[test]
fn gperftools_counts_exactly() {
    let (symbols, read) = read_as(&GPERFTOOLS, CLASSIC, |_| {});
    let p = read.unwrap();
    p.check_valid(&symbols).unwrap();
    assert_eq!(totals(&p), [3072, 3, 40960, 10]);
    assert_eq!(
        (p.meta.exactness, p.meta.sampling),
        (Exactness::Exact, None)
    );
    assert_eq!(
        testing::stacks(&p, &symbols),
        [
            "0x7f00aa24;demo+0x1230;demo+0x11a0",
            "demo+0x1255;demo+0x11a0"
        ]
    );
    let (_, read) = read_as(&GPERFTOOLS, CLASSIC, |cx| cx.select = Some(Select::Peak));
    assert_eq!(read.unwrap_err().code(), Code::Usage);
}

#[test]
fn sampled_tcmalloc_is_scaled_by_stack() {
    // Held numbers repeated in brackets are no totals.
    let text =
        "heap profile: 3: 96 [3: 96] @ heap_v2/1024\n1: 64 [1: 64] @ 0x1\n2: 32 [2: 32] @ 0x2\n";
    let (_, read) = read_as(&GPERFTOOLS, text, |_| {});
    let p = read.unwrap();
    let expected = |n: f64, s: f64| s / (1.0 - (-s / n / 1024.0).exp());
    let bytes = [expected(1.0, 64.0), expected(2.0, 32.0)].map(|v| v.round() as i64);
    assert_eq!([p.columns[0].get(0), p.columns[0].get(1)], bytes);
    assert_eq!(p.metrics.len(), 2);
    let sampling = p.meta.sampling.unwrap();
    assert_eq!(
        (sampling.mean_bytes, sampling.unbiased),
        (Some(1024.0), true)
    );
    let unknown = text.replace("heap_v2/1024", "heap_v2");
    let (_, read) = read_as(&GPERFTOOLS, &unknown, |_| {});
    let p = read.unwrap();
    assert_eq!(totals(&p), [96, 3]);
    assert_eq!(p.meta.exactness, Exactness::Sampled);
    assert!(!p.meta.sampling.unwrap().unbiased);
}

#[test]
fn go_names_its_frames_in_comments() {
    let (symbols, read) = read_as(&GO, GO_FILE, |_| {});
    let p = read.unwrap();
    assert_eq!(
        testing::stacks(&p, &symbols)[0],
        "main.main /src/main.go:30;main.grow[...] /src/main.go:12"
    );
    let live = 1048576.0 / (1.0 - (-1048576.0f64 / 524288.0).exp());
    assert_eq!(p.columns[0].get(0), live.round() as i64);
    assert_eq!(p.metrics[2].name, "total_bytes");
    assert_eq!(p.meta.sampling.unwrap().mean_bytes, Some(524288.0));
    assert_eq!(p.meta.language, Some("go"));
    let cut = &GO_FILE[..GO_FILE.find("# runtime").unwrap()];
    let (_, read) = read_as(&GO, cut, |_| {});
    assert!(read.unwrap().meta.salvaged.is_some());
}

#[test]
fn jemalloc_takes_the_line_of_all_threads() {
    let (symbols, read) = read_as(&JEMALLOC, JEMALLOC_FILE, |_| {});
    let p = read.unwrap();
    assert_eq!(
        testing::stacks(&p, &symbols),
        ["demo+0x2230;demo+0x21a0", ""]
    );
    let scale = 1.0 / (1.0 - (-1f64).exp());
    assert_eq!(p.columns[0].get(0), (3072.0 * scale).round() as i64);
    assert_eq!(p.metrics.len(), 2);
    let accumulated = JEMALLOC_FILE.replace("3072 [0: 0]", "3072 [30: 30720]");
    let (_, read) = read_as(&JEMALLOC, &accumulated, |_| {});
    assert_eq!(read.unwrap().metrics.len(), 4);
}

#[test]
fn symbols_in_the_file_are_used() {
    let text = format!(
        "--- symbol\nbinary=/opt/demo\n0x00000000004011a0 caller<0000000000001234>--get\n0x401231 main\n---\n--- heap\n{JEMALLOC_FILE}"
    );
    let (symbols, read) = read_as(&JEMALLOC, &text, |_| {});
    let p = read.unwrap();
    assert_eq!(testing::stacks(&p, &symbols)[0], "main;caller;get");
    assert_eq!(p.meta.command.as_deref(), Some("/opt/demo"));
}

#[test]
fn damage_is_named_and_cuts_are_salvaged() {
    for (format, text) in [
        (&GPERFTOOLS, CLASSIC.replace("2048 [", "2048 ")),
        (
            &GPERFTOOLS,
            CLASSIC.replace("@ 0x4011a1 0x401231", "@ 0x4011a1 zz"),
        ),
        (&GPERFTOOLS, CLASSIC.replace("2048", "99999999999999999999")),
        (&JEMALLOC, JEMALLOC_FILE.replace("3: 3072", "3 3072")),
        (
            &JEMALLOC,
            JEMALLOC_FILE.replace("@ 0x4011a1", "@ 0x4011a1x"),
        ),
        (&JEMALLOC, JEMALLOC_FILE.replace("  t0: 3", "  z0: 3")),
    ] {
        let (_, read) = read_as(format, &text, |_| {});
        assert_eq!(read.unwrap_err().code(), Code::Damaged, "{text}");
    }
    for (format, whole) in [(&GPERFTOOLS, CLASSIC), (&JEMALLOC, JEMALLOC_FILE)] {
        let map = whole.find("MAPPED").unwrap();
        for cut in [whole.len() - 3, map - 8] {
            let (_, read) = read_as(format, &whole[..cut], |_| {});
            assert!(read.unwrap().meta.salvaged.is_some(), "{cut}");
            let (_, read) = read_as(format, &whole[..cut], |cx| cx.strict = true);
            assert_eq!(read.unwrap_err().code(), Code::Truncated);
        }
    }
}

#[test]
fn cut_and_flipped() {
    testing::cut_and_flip(&GPERFTOOLS, CLASSIC.as_bytes());
    testing::cut_and_flip(&GO, GO_FILE.as_bytes());
    testing::cut_and_flip(&JEMALLOC, JEMALLOC_FILE.as_bytes());
}
