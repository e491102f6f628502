//! Profiles written byte by byte, whole, damaged and hostile.

use super::FORMAT;
use crate::error::{Code, Error};
use crate::format::{Capture, Context, Match};
use crate::input::Source;
use crate::model::{Exactness, LabelValue, Limits, Profile, Sampling, StackId, Symbols, Unit};
use std::io::Write;

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A message under construction.
#[derive(Default, Clone)]
struct Msg(Vec<u8>);

impl Msg {
    fn int(mut self, field: u64, value: i64) -> Self {
        varint(field << 3, &mut self.0);
        varint(value as u64, &mut self.0);
        self
    }
    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        varint(field << 3 | 2, &mut self.0);
        varint(value.len() as u64, &mut self.0);
        self.0.extend_from_slice(value);
        self
    }
    fn msg(self, field: u64, value: Msg) -> Self {
        self.bytes(field, &value.0)
    }
    fn packed(self, field: u64, values: &[i64]) -> Self {
        let mut all = Vec::new();
        for &v in values {
            varint(v as u64, &mut all);
        }
        self.bytes(field, &all)
    }
}

fn m() -> Msg {
    Msg::default()
}

const STRINGS: [&str; 13] = [
    "",                 // 0
    "alloc_space",      // 1
    "bytes",            // 2
    "inuse_space",      // 3
    "inuse_objects",    // 4
    "count",            // 5
    "main",             // 6
    "load",             // 7
    "main.go",          // 8
    "space",            // 9
    "/usr/lib/libc.so", // 10
    "helper",           // 11
    "kB",               // 12
];

fn strings(mut p: Msg) -> Msg {
    for s in STRINGS {
        p = p.bytes(6, s.as_bytes());
    }
    p
}

/// Three sample types, samples first, text last, as google/pprof writes it.
fn usual() -> Msg {
    let p = m()
        .msg(1, m().int(1, 1).int(2, 2))
        .msg(1, m().int(1, 4).int(2, 5))
        .msg(1, m().int(1, 3).int(2, 2))
        .msg(2, m().packed(1, &[2, 1]).packed(2, &[1000, 3, 300]))
        .msg(2, m().int(1, 1).int(2, 50).int(2, 1).packed(2, &[50]))
        .msg(3, m().int(1, 1).int(2, 0x1000).int(3, 0x9000).int(5, 10))
        .msg(
            4,
            m().int(1, 1)
                .int(2, 1)
                .int(3, 0x1234)
                .msg(4, m().int(1, 1).int(2, 12)),
        )
        .msg(
            4,
            m().int(1, 2)
                .int(2, 1)
                .msg(4, m().int(1, 3).int(2, 5).int(3, 9))
                .msg(4, m().int(1, 2).int(2, 40)),
        )
        .msg(5, m().int(1, 1).int(2, 6).int(3, 6).int(4, 8))
        .msg(5, m().int(1, 2).int(2, 7).int(4, 8))
        .msg(5, m().int(1, 3).int(3, 11));
    strings(p)
        .int(9, 1_700_000_000)
        .msg(11, m().int(1, 9).int(2, 2))
        .int(12, 524_288)
}

fn read(bytes: Vec<u8>) -> Result<(Profile, Symbols), Error> {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("p", bytes, Limits::default())?;
    let mut all = crate::format::read(&source, Some(&FORMAT), &mut Context::new(&mut symbols))?;
    let Some(Capture::Profile(profile)) = all.pop() else {
        return Err(Error::usage("no capture"));
    };
    Ok((profile, symbols))
}

fn stack(symbols: &Symbols, id: StackId) -> Vec<String> {
    symbols
        .stacks
        .frames(id)
        .map(|f| {
            let f = symbols.frames.get(f);
            let inlined = if f.inlined { " inlined" } else { "" };
            format!(
                "{}@{}:{}:{}{inlined}",
                symbols.strings.get(f.function),
                symbols.strings.get(f.file),
                f.line,
                f.column
            )
        })
        .collect()
}

fn rows(p: &Profile, s: &Symbols) -> Vec<(Vec<String>, Vec<i64>)> {
    (0..p.len())
        .map(|i| {
            (
                stack(s, p.stacks[i]),
                p.columns.iter().map(|c| c.get(i)).collect(),
            )
        })
        .collect()
}

fn fails(p: Msg, code: Code, words: &str) {
    let e = read(p.0).map(|_| ()).unwrap_err();
    assert_eq!(e.code(), code, "{e}");
    assert!(e.to_string().contains(words), "{e}");
    assert!(e.place().is_some(), "{e}");
}

#[test]
fn a_usual_profile() {
    let bytes = usual().0;
    assert_eq!((FORMAT.sniff)(&bytes), Match::Yes);
    let (p, s) = read(bytes).unwrap();
    let names: Vec<_> = p.metrics.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["total_bytes", "live_blocks", "live_bytes"]);
    assert_eq!(p.meta.default_metric.as_deref(), Some("live_bytes"));
    assert_eq!(p.meta.exactness, Exactness::Sampled);
    assert_eq!(
        p.meta.sampling,
        Some(Sampling {
            mean_bytes: Some(524_288.0),
            estimated_mean_bytes: None,
            unbiased: true
        })
    );
    assert_eq!(p.meta.format, "pprof");
    assert_eq!(
        rows(&p, &s),
        [
            (
                vec![
                    "main@main.go:12:0".to_owned(),
                    "load@main.go:40:0".to_owned(),
                    "helper@:5:9 inlined".to_owned()
                ],
                vec![1000, 3, 300]
            ),
            (vec!["main@main.go:12:0".to_owned()], vec![50, 1, 50]),
        ]
    );
}

#[test]
fn the_example_of_the_notes() {
    let mut bytes = vec![
        0x0a, 4, 8, 1, 0x10, 2, 0x12, 7, 0x0a, 1, 1, 0x12, 2, 0xe8, 7, 0x22, 8, 8, 1, 0x22, 4, 8,
        1, 0x10, 5, 0x2a, 4, 8, 1, 0x10, 3, 0x32, 0, 0x32, 11,
    ];
    bytes.extend(b"inuse_space\x32\x05bytes\x32\x04main");
    let (p, s) = read(bytes.clone()).unwrap();
    assert_eq!(rows(&p, &s), [(vec!["main@:5:0".to_owned()], vec![1000])]);
    assert_eq!(p.meta.exactness, Exactness::Unknown);

    let gzip = |b: &[u8]| {
        let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        e.write_all(b).unwrap();
        e.finish().unwrap()
    };
    let mut members = gzip(&bytes[..20]);
    members.extend(gzip(&bytes[20..]));
    assert_eq!(read(members).unwrap().0, p);
    let zstd = zstd::encode_all(&bytes[..], 1).unwrap();
    assert_eq!(read(zstd).unwrap().0, p);
    let other = read(gzip(b"main;load 12\n")).map(|_| ()).unwrap_err();
    assert_eq!(other.code(), Code::Unrecognised, "{other}");
    let mut cut = gzip(&bytes);
    cut.truncate(cut.len() - 5);
    assert_eq!(read(cut).map(|_| ()).unwrap_err().code(), Code::Truncated);
}

#[test]
fn sparse_ids_and_any_order_of_fields() {
    let p = strings(m())
        .msg(4, m().int(1, i64::MAX).msg(4, m().int(1, -1).int(2, 1)))
        .msg(5, m().int(1, -1).int(2, 6))
        .msg(2, m().packed(1, &[i64::MAX, i64::MAX]).packed(2, &[-7]))
        .msg(1, m().int(1, 3).int(2, 2));
    let (p, s) = read(p.0).unwrap();
    let twice = vec!["main@:1:0".to_owned(), "main@:1:0".to_owned()];
    assert_eq!(rows(&p, &s), [(twice, vec![-7])]);
}

#[test]
fn units_and_names() {
    let t = |kind, unit| m().int(1, kind).int(2, unit);
    let p = strings(m())
        .msg(1, t(9, 12))
        .msg(1, t(3, 2))
        .msg(1, t(3, 5))
        .msg(1, t(3, 2))
        .int(14, 9)
        .msg(2, m().packed(2, &[2, 5, 6, 7]));
    let (p, s) = read(p.0).unwrap();
    let names: Vec<_> = p.metrics.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "live_bytes",
            "inuse_space",
            "inuse_space_2",
            "inuse_space_3"
        ]
    );
    assert_eq!(p.metrics[2].unit, Unit::Count);
    assert_eq!(rows(&p, &s), [(vec![], vec![2048, 5, 6, 7])]);
    assert_eq!(p.meta.default_metric.as_deref(), Some("live_bytes"));
}

#[test]
fn labels_split_and_equal_samples_add_up() {
    let sample = |v, label: Msg| m().packed(1, &[1]).packed(2, &[v]).msg(3, label);
    let base = strings(m())
        .bytes(6, b"pprof::base")
        .bytes(6, b"true")
        .msg(1, m().int(1, 3).int(2, 2))
        .msg(4, m().int(1, 1))
        .msg(2, sample(5, m().int(1, 2).int(3, 64)))
        .msg(2, sample(6, m().int(1, 2).int(3, 64)))
        .msg(2, sample(7, m().int(1, 2).int(3, 64).int(4, 2)))
        .msg(2, sample(-8, m().int(1, 13).int(2, 14)))
        .msg(2, sample(9, m().int(1, 2)));
    let (p, s) = read(base.0).unwrap();
    let values: Vec<_> = (0..p.len()).map(|i| p.columns[0].get(i)).collect();
    assert_eq!(values, [11, 7, -8, 9]);
    let key = s.strings.find("bytes").unwrap();
    assert_eq!(
        s.labels.get(p.labels[1])[0].value,
        LabelValue::Number(64, key)
    );
    assert_eq!(
        s.labels
            .text_of(
                p.labels[2],
                s.strings.find("pprof::base").unwrap(),
                &s.strings
            )
            .as_deref(),
        Some("true")
    );
    assert!(p.meta.notes.iter().any(|n| n.contains("saved difference")));
    assert_eq!(stack(&s, p.stacks[0]), ["0x0@:0:0"]);
}

#[test]
fn frames_are_dropped_as_pprof_drops_them() {
    let with = |drop: &str, keep: &str| {
        let p = strings(m())
            .bytes(6, drop.as_bytes())
            .bytes(6, keep.as_bytes())
            .int(7, 13)
            .int(8, 14)
            .msg(1, m().int(1, 3).int(2, 2))
            .msg(5, m().int(1, 1).int(2, 6))
            .msg(5, m().int(1, 2).int(2, 7))
            .msg(5, m().int(1, 3).int(2, 11))
            .msg(4, m().int(1, 1).msg(4, m().int(1, 1)))
            .msg(4, m().int(1, 2).msg(4, m().int(1, 2)))
            .msg(
                4,
                m().int(1, 3)
                    .msg(4, m().int(1, 3))
                    .msg(4, m().int(1, 2))
                    .msg(4, m().int(1, 1)),
            )
            .msg(2, m().packed(1, &[1, 2, 1]).packed(2, &[1]))
            .msg(2, m().packed(1, &[2, 3]).packed(2, &[1]));
        let (p, s) = read(p.0).unwrap();
        let plain: Vec<Vec<String>> = rows(&p, &s)
            .into_iter()
            .map(|(frames, _)| {
                frames
                    .iter()
                    .map(|f| f.split('@').next().unwrap_or("").to_owned())
                    .collect()
            })
            .collect();
        (plain, p.meta.notes)
    };
    let (all, notes) = with("nothing", "");
    assert_eq!(all[0], ["main", "load", "main"]);
    assert_eq!(all[1], ["main", "load", "helper", "load"]);
    assert!(notes.is_empty());
    // The inner lines of a location go in any case; what is nearer to the leaf only below a
    // frame that stays.
    let (dropped, _) = with("lo.*|nomatch", "");
    assert_eq!(dropped, [vec!["main"], vec!["main", "load"]]);
    let (kept, _) = with("lo.*", "load");
    assert_eq!(kept, all);
    let (odd, notes) = with("(?=x)", "");
    assert_eq!(odd, all);
    assert!(notes[0].contains("drop_frames"), "{notes:?}");
}

#[test]
fn damage_is_named_with_its_place() {
    let t = || m().msg(1, m().int(1, 3).int(2, 2));
    let loc = || strings(t()).msg(4, m().int(1, 1));
    let two = m().packed(1, &[1]).packed(2, &[1, 2]);
    fails(loc().msg(2, two), Code::Damaged, "2 values for 1");
    let lost = m().packed(1, &[9]).packed(2, &[1]);
    fails(loc().msg(2, lost), Code::Damaged, "location 9");
    fails(loc().msg(4, m().int(1, 1)), Code::Damaged, "two locations");
    fails(loc().msg(4, m().int(2, 1)), Code::Damaged, "id 0");
    let f = m().int(1, 1).int(2, 99);
    fails(strings(t()).msg(5, f), Code::Damaged, "string 99");
    let f = m().int(1, 1).int(2, -1);
    fails(strings(t()).msg(5, f), Code::Damaged, "string -1");
    fails(strings(t()).int(4, 1), Code::Damaged, "field 4");
    let f = m().int(1, 5).bytes(2, b"x");
    fails(strings(t()).msg(5, f), Code::Damaged, "field 2");
    let big = strings(m().msg(1, m().int(1, 3).int(2, 12))).msg(2, m().packed(2, &[i64::MAX]));
    fails(big, Code::Damaged, "64 bits");
    let twice = loc()
        .msg(2, m().packed(2, &[i64::MAX]))
        .msg(2, m().packed(2, &[1]));
    fails(twice, Code::Damaged, "64 bits");
    let mut both = usual();
    both.0.extend(usual().0);
    fails(both, Code::Damaged, "second profile");
    let mut both = loc();
    both.0.extend(loc().0);
    fails(both, Code::Damaged, "second profile");
    let mut types = strings(m());
    for _ in 0..300 {
        types = types.msg(1, m().int(1, 3));
    }
    fails(types, Code::LimitExceeded, "300 sample types");
}

#[test]
fn what_is_no_profile_is_not_damaged() {
    let nothing = m().bytes(6, b"");
    fails(nothing, Code::Unrecognised, "no sample types");
    let no_text = m().msg(1, m().int(1, 0));
    fails(no_text, Code::Unrecognised, "string table");
    for other in [
        &b"\nmain;load 12\n"[..],
        b"{\"dhatFileVersion\": 2}",
        b"main;load 12\n",
        b"\x7fELF\x02\x01\x01",
        b"heap profile: 1: 2 [3: 4] @ heapprofile\n",
        b"\n",
        b"\x0a\x03abc",
        b"",
    ] {
        assert_ne!((FORMAT.sniff)(other), Match::Yes, "{other:?}");
        if !other.is_empty() {
            let e = read(other.to_vec()).map(|_| ()).unwrap_err();
            assert_eq!(e.code(), Code::Unrecognised, "{e}");
        }
    }
}

#[test]
fn a_profile_without_samples_is_a_profile() {
    let (p, _) = read(strings(m().msg(1, m().int(1, 3).int(2, 2))).0).unwrap();
    assert_eq!((p.len(), p.metrics.len()), (0, 1));
}

#[test]
fn cut_anywhere_is_an_error_or_a_smaller_profile() {
    let whole = usual().0;
    for n in 1..whole.len() {
        match read(whole[..n].to_vec()) {
            Err(e) => assert!(
                matches!(
                    e.code(),
                    Code::Truncated | Code::Damaged | Code::Unrecognised
                ),
                "{n}: {e}"
            ),
            Ok((p, _)) => assert!(p.len() <= 2, "{n}"),
        }
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let whole = usual().0;
    for i in 0..whole.len() {
        for b in [0, 1, 0x7f, 0x80, 0xff, whole[i] ^ 1, whole[i] ^ 0x40] {
            let mut bytes = whole.clone();
            bytes[i] = b;
            let _ = (FORMAT.sniff)(&bytes);
            if let Ok((p, s)) = read(bytes) {
                p.check_valid(&s).unwrap();
            }
        }
    }
}
