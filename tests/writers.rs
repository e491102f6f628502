//! Writers: what they write is what the readers read, and what other tools read.

use heapdiff::format::{self, Capture, Context};
use heapdiff::input::Source;
use heapdiff::model::{
    Column, Exactness, Frame, Label, LabelValue, LabelsId, Limits, Meta, Metric, Nature, Profile,
    ProfileBuilder, Sampling, StackId, StrId, Symbols, Unit,
};
use heapdiff::render;
use proptest::prelude::*;
use std::io::Read;

fn read(name: &str, bytes: Vec<u8>, symbols: &mut Symbols) -> Vec<Profile> {
    let source = Source::from_bytes("x", bytes, Limits::default()).unwrap();
    let format = format::by_name(name).unwrap();
    let recognised = format::recognise(&source).unwrap_or_default();
    assert!(recognised.iter().any(|f| f.name == name) || name == "folded");
    let mut cx = Context::new(symbols);
    cx.unit = Some("bytes".to_owned());
    format::read(&source, Some(format), &mut cx)
        .unwrap()
        .into_iter()
        .filter_map(Capture::into_profile)
        .collect()
}

/// Indices into pools of text, and numbers.
type FrameSpec = (usize, usize, usize, u32, u32, bool);
type RowSpec = (Vec<FrameSpec>, usize, Vec<i64>);

const NAMES: &[&str] = &[
    "main",
    "alloc::vec::Vec<T,A>::push",
    "A::operator()(int) const",
    "load (x.c:7)",
    "f (in /lib/y.so)",
    "caf\u{e9} \u{1F600}",
    "<a b>::{closure#0}",
    "(below main)",
    "quote\"back\\slash",
];
const FILES: &[&str] = &[
    "",
    "main.rs",
    "src/a b/c.cpp",
    "C:\\x\\y.c",
    "a:3",
    "d (x)/b.c",
];
const MODULES: &[&str] = &["", "libc.so.6", "/usr/bin/app (deleted)"];

fn frames() -> impl Strategy<Value = Vec<FrameSpec>> {
    let frame = (
        0..NAMES.len(),
        0..FILES.len(),
        0..MODULES.len(),
        prop_oneof![Just(0u32), 1..100_000u32],
        prop_oneof![Just(0u32), 1..300u32],
        any::<bool>(),
    );
    prop::collection::vec(frame, 0..8)
}

fn rows(values: impl Strategy<Value = i64>, n: usize) -> impl Strategy<Value = Vec<RowSpec>> {
    let values = prop::collection::vec(values, n);
    prop::collection::vec((frames(), 0usize..4, values), 0..30)
}

fn build(metrics: Vec<Metric>, rows: &[RowSpec], plain: bool) -> (Profile, Symbols) {
    let mut symbols = Symbols::default();
    let mut builder = ProfileBuilder::new(metrics);
    for (frames, label, values) in rows {
        let mut ids = Vec::new();
        for (i, &(name, file, module, line, column, inlined)) in frames.iter().enumerate() {
            let file = symbols.strings.intern(FILES[file]);
            let known = !file.is_empty();
            let function = symbols.strings.intern(NAMES[name]);
            let module = symbols.strings.intern(MODULES[module]);
            let frame = Frame {
                function,
                file,
                module,
                line: if known { line } else { 0 },
                column: if known { column } else { 0 },
                inlined: inlined && i > 0,
            };
            let frame = if plain { Frame::named(function) } else { frame };
            ids.push(symbols.frames.intern(frame));
        }
        let stack = symbols.stacks.intern_root_first(&ids);
        let key = symbols.strings.intern("bytes");
        let other = symbols.strings.intern("kind");
        let text = symbols.strings.intern("lost");
        let number = |n, unit| Label {
            key,
            value: LabelValue::Number(n, unit),
        };
        let kind = Label {
            key: other,
            value: LabelValue::Text(text),
        };
        let labels = match label {
            _ if plain => LabelsId::NONE,
            1 => symbols.labels.intern(&[number(64, StrId::EMPTY)]),
            2 => symbols.labels.intern(&[number(-1, text), kind]),
            3 => symbols.labels.intern(&[kind]),
            _ => LabelsId::NONE,
        };
        builder.add_labelled(stack, labels, values).unwrap();
    }
    let profile = builder.finish(Meta {
        default_metric: Some("live_bytes".to_owned()),
        exactness: Exactness::Exact,
        ..Meta::default()
    });
    (profile, symbols)
}

fn same_rows(a: &Profile, b: &Profile) {
    assert_eq!(a.metrics, b.metrics);
    assert_eq!(a.stacks, b.stacks);
    for row in 0..a.len() {
        assert_eq!(a.labels_of(row), b.labels_of(row));
        for (x, y) in a.columns.iter().zip(&b.columns) {
            assert_eq!(x.get(row), y.get(row));
        }
    }
}

fn small() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0i64),
        -5..5i64,
        any::<i32>().prop_map(i64::from),
        -(1i64 << 58)..1 << 58
    ]
}

fn pprof_metrics() -> Vec<Metric> {
    vec![
        Metric::known("total_bytes"),
        Metric::known("live_bytes"),
        Metric::known("live_blocks"),
        Metric::known("peak_bytes"),
        Metric {
            name: "odd_time".to_owned(),
            unit: Unit::Named("nanoseconds".to_owned()),
            nature: Nature::Plain,
        },
    ]
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut out)
        .unwrap();
    out
}

fn pprof(profile: &Profile, symbols: &Symbols) -> Vec<u8> {
    let mut bytes = Vec::new();
    render::pprof::write(profile, symbols, None, &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn pprof_is_read_back(rows in rows(small(), 5)) {
        let (profile, mut symbols) = build(pprof_metrics(), &rows, false);
        let bytes = pprof(&profile, &symbols);
        prop_assert_eq!(&bytes, &pprof(&profile, &symbols));
        let back = read("pprof", bytes.clone(), &mut symbols).remove(0);
        same_rows(&profile, &back);
        prop_assert_eq!(back.meta.default_metric.as_deref(), Some("live_bytes"));
        prop_assert_eq!(back.meta.exactness, Exactness::Exact);
        // With new names: what a first reader sees is written and read again.
        let mut fresh = Symbols::default();
        let first = read("pprof", bytes, &mut fresh).remove(0);
        let again = read("pprof", pprof(&first, &fresh), &mut fresh).remove(0);
        same_rows(&first, &again);
    }

    #[cfg(unix)]
    #[test]
    fn pprof_is_what_others_decode(rows in rows(small(), 5)) {
        use pprof::protos::Message;
        let (profile, symbols) = build(pprof_metrics(), &rows, false);
        let plain = gunzip(&self::pprof(&profile, &symbols));
        let theirs = pprof::protos::Profile::decode(&plain[..]).unwrap();
        prop_assert_eq!(theirs.sample.len(), profile.len());
        prop_assert_eq!(theirs.sample_type.len(), 5);
        prop_assert_eq!(&theirs.string_table[0], "");
        let text = |i: i64| theirs.string_table[i as usize].as_str();
        prop_assert_eq!(text(theirs.sample_type[1].ty), "inuse_space");
        prop_assert_eq!(text(theirs.default_sample_type), "inuse_space");
        for (row, sample) in theirs.sample.iter().enumerate() {
            let ours: Vec<i64> = profile.columns.iter().map(|c| c.get(row)).collect();
            prop_assert_eq!(&sample.value, &ours);
            let names: Vec<&str> = sample
                .location_id
                .iter()
                .flat_map(|&id| &theirs.location[id as usize - 1].line)
                .map(|l| text(theirs.function[l.function_id as usize - 1].name))
                .collect();
            let ours: Vec<&str> = symbols
                .stacks
                .frames(profile.stacks[row])
                .rev()
                .map(|f| symbols.strings.get(symbols.frames.get(f).function))
                .collect();
            prop_assert_eq!(names, ours);
        }
    }

    #[test]
    fn folded_is_read_back(rows in rows(small().prop_filter("a row", |&v| v != 0), 1)) {
        let rows: Vec<RowSpec> = rows
            .into_iter()
            .map(|(f, l, v)| {
                // Names that a folded file tells apart from places.
                let f = f.into_iter().filter(|f| !matches!(f.0, 3 | 4)).collect();
                (f, l, v)
            })
            .filter(|(f, ..): &RowSpec| !f.is_empty())
            .collect();
        let (profile, mut symbols) = build(vec![Metric::known("bytes")], &rows, true);
        prop_assume!(!profile.is_empty());
        let mut bytes = Vec::new();
        render::folded::write(&profile.stacks, &profile.columns[0], &symbols, &mut bytes).unwrap();
        let back = read("folded", bytes, &mut symbols).remove(0);
        same_rows(&profile, &back);
    }

    #[test]
    fn two_columns_are_read_back(rows in rows(1..1i64 << 60, 2)) {
        let rows: Vec<RowSpec> = rows
            .into_iter()
            .map(|(f, l, v)| (f.into_iter().filter(|f| f.0 < 2).collect(), l, v))
            .filter(|(f, ..): &RowSpec| !f.is_empty())
            .collect();
        let metrics = vec![Metric::known("bytes"), Metric::known("blocks")];
        let (profile, mut symbols) = build(metrics, &rows, true);
        prop_assume!(!profile.is_empty());
        let triples = (0..profile.len()).map(|i| {
            (profile.stacks[i], profile.columns[0].get(i), profile.columns[1].get(i))
        });
        let mut bytes = Vec::new();
        render::folded::write_two_columns(triples, &symbols, &mut bytes).unwrap();
        let both = read("folded", bytes, &mut symbols);
        prop_assert_eq!(both.len(), 2);
        for (side, back) in both.iter().enumerate() {
            prop_assert_eq!(&back.stacks, &profile.stacks);
            for i in 0..profile.len() {
                prop_assert_eq!(back.columns[0].get(i), profile.columns[side].get(i));
            }
        }
    }

    #[test]
    fn dhat_is_read_back(rows in rows(0..1i64 << 50, 11)) {
        let names = [
            "live_bytes", "live_blocks", "peak_bytes", "peak_blocks", "total_bytes",
            "total_blocks", "max_bytes", "max_blocks", "lifetime", "read_bytes", "written_bytes",
        ];
        let mut metrics: Vec<Metric> = names.iter().map(|n| Metric::known(n)).collect();
        metrics[8].unit = Unit::Named("instrs".to_owned());
        let rows: Vec<RowSpec> = rows.into_iter().map(|(f, _, v)| (f, 0, v)).collect();
        let (profile, mut symbols) = build(metrics, &rows, false);
        let mut bytes = Vec::new();
        render::dhat::write(&profile, &symbols, 0, &mut bytes).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let table = json["ftbl"].as_array().unwrap().len();
        for point in json["pps"].as_array().unwrap() {
            for f in point["fs"].as_array().unwrap() {
                prop_assert!((1..table as u64).contains(&f.as_u64().unwrap()));
            }
        }
        let back = read("dhat", bytes, &mut symbols).remove(0);
        same_rows(&profile, &back);
        prop_assert_eq!(back.meta.exactness, Exactness::Exact);
    }

    #[test]
    fn speedscope_keeps_sums_and_stacks(rows in rows(small(), 2)) {
        let metrics = vec![Metric::known("live_bytes"), Metric::known("live_blocks")];
        let (profile, symbols) = build(metrics, &rows, false);
        let mut bytes = Vec::new();
        render::speedscope::write(&profile, &symbols, "a \"name\"", 1, &mut bytes).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let frames = json["shared"]["frames"].as_array().unwrap().len() as u64;
        let mut sums = std::collections::HashMap::new();
        for p in json["profiles"].as_array().unwrap() {
            let weights = p["weights"].as_array().unwrap();
            let samples = p["samples"].as_array().unwrap();
            prop_assert_eq!(weights.len(), samples.len());
            let sum: i128 = weights.iter().map(|w| w.as_u64().unwrap() as i128).sum();
            sums.insert(p["name"].as_str().unwrap().to_owned(), sum);
            for sample in samples {
                for f in sample.as_array().unwrap() {
                    prop_assert!(f.as_u64().unwrap() < frames);
                }
            }
        }
        for (m, c) in profile.metrics.iter().zip(&profile.columns) {
            let down = sums.get(&format!("{} decrease", m.name)).copied().unwrap_or(0);
            prop_assert_eq!(sums[&m.name] - down, c.sum());
        }
        let active = json["activeProfileIndex"].as_u64().unwrap() as usize;
        prop_assert_eq!(json["profiles"][active]["name"].as_str(), Some("live_blocks"));
    }
}

fn tiny(metrics: Vec<Metric>, values: &[i64]) -> (Profile, Symbols) {
    let rows = vec![(
        vec![(0, 1, 0, 5, 0, false), (1, 1, 0, 6, 2, true)],
        0,
        values.to_vec(),
    )];
    build(metrics, &rows, false)
}

#[test]
fn sampling_and_inlining_survive_pprof() {
    let (mut profile, symbols) = tiny(vec![Metric::known("live_bytes")], &[7]);
    profile.meta.exactness = Exactness::Sampled;
    profile.meta.sampling = Some(Sampling {
        mean_bytes: Some(524_288.0),
        estimated_mean_bytes: None,
        unbiased: true,
    });
    let mut fresh = Symbols::default();
    let back = read("pprof", pprof(&profile, &symbols), &mut fresh).remove(0);
    assert_eq!(back.meta.sampling, profile.meta.sampling);
    assert_eq!(back.meta.exactness, Exactness::Sampled);
    let inlined: Vec<bool> = fresh
        .stacks
        .frames(back.stacks[0])
        .map(|f| fresh.frames.get(f).inlined)
        .collect();
    assert_eq!(inlined, [false, true]);
}

#[test]
fn dhat_fills_what_its_viewer_demands() {
    let (profile, mut symbols) = tiny(vec![Metric::known("live_bytes")], &[70]);
    let mut bytes = Vec::new();
    render::dhat::write(&profile, &symbols, 0, &mut bytes).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for key in ["tuth", "tg", "te", "cmd", "pid", "bkacc", "Mtu"] {
        assert!(json.get(key).is_some(), "{key}");
    }
    for key in ["tb", "mb", "gb", "eb"] {
        assert_eq!(json["pps"][0][key], 70, "{key}");
    }
    assert_eq!(
        json["ftbl"][1],
        "0x1: alloc::vec::Vec<T,A>::push (main.rs:6:2)"
    );
    assert_eq!(json["ftbl"][2], "0x1: main (main.rs:5)");
    let back = read("dhat", bytes, &mut symbols).remove(0);
    assert_eq!(back.columns[back.metric("live_bytes").unwrap()].get(0), 70);

    let (profile, symbols) = tiny(vec![Metric::known("blocks")], &[3]);
    let mut bytes = Vec::new();
    render::dhat::write(&profile, &symbols, 0, &mut bytes).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&json["pps"][0]["tbk"], &json["bklt"]),
        (&3.into(), &false.into())
    );

    let (profile, symbols) = tiny(vec![Metric::known("live_bytes")], &[-1]);
    let e = render::dhat::write(&profile, &symbols, 0, &mut Vec::new()).unwrap_err();
    assert!(e.to_string().contains("negative"), "{e}");
}

#[test]
fn folded_names_cannot_break_a_line() {
    let mut symbols = Symbols::default();
    let mut frame = |text: &str| {
        let name = symbols.strings.intern(text);
        symbols.frames.intern(Frame::named(name))
    };
    let stack = [frame("#main"), frame("La/b;.c\n"), frame("")];
    let stacks = [
        StackId::EMPTY,
        symbols.stacks.intern_root_first(&stack),
        StackId::EMPTY,
    ];
    let mut values = Column::default();
    for value in [1, -2, 3] {
        values.push(value);
    }
    let mut bytes = Vec::new();
    render::folded::write(&stacks, &values, &symbols, &mut bytes).unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "[unattributed] 4\n_#main;La/b:.c ;??? -2\n"
    );
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (p, s) = tiny(vec![Metric::known("live_bytes")], &[1]);
    for e in [
        render::pprof::write(&p, &s, None, &mut Full),
        render::folded::write(&p.stacks, &p.columns[0], &s, &mut Full),
        render::dhat::write(&p, &s, 0, &mut Full),
        render::speedscope::write(&p, &s, "x", 0, &mut Full),
    ] {
        assert_eq!(e.unwrap_err().code(), heapdiff::Code::Unwritable);
    }
}
