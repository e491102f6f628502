use super::*;
use crate::error::Code;
use crate::model::{Limits, Symbols};

fn read_bytes(
    bytes: &[u8],
    select: Option<Select>,
    strict: bool,
) -> (Result<Vec<Profile>>, Symbols) {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("t.pickle", bytes.to_vec(), Limits::default()).unwrap();
    let mut cx = Context::new(&mut symbols);
    cx.select = select;
    cx.strict = strict;
    let read = read(&source, &mut cx).map(|all| {
        let profiles = all.into_iter().filter_map(Capture::into_profile);
        profiles.collect::<Vec<_>>()
    });
    (read, symbols)
}

/// A snapshot by protocol 4 whose list holds what `traces` says.
fn pickle(traces: &[u8]) -> Vec<u8> {
    let mut out = b"\x80\x04".to_vec();
    let text = |out: &mut Vec<u8>, t: &str| {
        out.extend([0x8c, t.len() as u8]);
        out.extend(t.as_bytes());
        out.push(0x94);
    };
    text(&mut out, "tracemalloc");
    text(&mut out, "Snapshot");
    out.extend(b"\x93\x94)\x81\x94}\x94(");
    text(&mut out, "traces");
    out.extend(b"h\x00");
    text(&mut out, "_Traces");
    out.extend(b"\x93\x94)\x81\x94}\x94");
    text(&mut out, "_traces");
    out.extend(b"]\x94");
    out.extend(traces);
    out.extend(b"sb");
    text(&mut out, "traceback_limit");
    out.extend(b"K\x01ub.");
    out
}

const ONE: &[u8] = b"(K\x00K\x20\x8c\x04a.py\x94K\x04\x86\x94\x85\x94K\x03t\x94a";

#[test]
fn the_smallest_snapshot() {
    let bytes = pickle(ONE);
    assert_eq!(sniff(&bytes), Match::Yes);
    let (read, symbols) = read_bytes(&bytes, None, true);
    let p = &read.unwrap()[0];
    assert_eq!(
        (p.columns[0].sum(), p.columns[1].sum(), p.len()),
        (32, 1, 1)
    );
    let frame = symbols.stacks.frames(p.stacks[0]).next().unwrap();
    let frame = symbols.frames.get(frame);
    assert_eq!((symbols.strings.get(frame.file), frame.line), ("a.py", 4));
    assert!(frame.function.is_empty());
    assert_eq!(p.meta.depth_limit, Some(1));
    assert!(
        p.meta.notes[0].contains("1 blocks were allocated deeper"),
        "{:?}",
        p.meta.notes
    );
}

#[test]
fn older_shapes_none_and_domains() {
    // (size, frames); (domain, size, frames); (domain, size, frames, None); a size of 2^31.
    let frames: &[u8] = b"\x8c\x01f\x94K\x01\x86\x85";
    let mut traces = b"(".to_vec();
    traces.extend(b"K\x05");
    traces.extend(frames);
    traces.extend(b"\x86K\x00K\x06");
    traces.extend(frames);
    traces.extend(b"\x87(J\x95\xef\x05\x00\x8a\x05\x00\x00\x00\x80\x00");
    traces.extend(frames);
    traces.extend(b"Nte");
    let (read, symbols) = read_bytes(&pickle(&traces), None, true);
    let p = &read.unwrap()[0];
    assert_eq!(p.columns[0].sum(), 11 + (1 << 31));
    assert_eq!(p.len(), 2, "the domain splits the stack");
    let key = symbols.strings.find("domain").unwrap();
    let domain = symbols
        .labels
        .text_of(p.labels_of(1), key, &symbols.strings);
    assert_eq!(domain.as_deref(), Some("389013"));
}

#[test]
fn nothing_is_executed_or_constructed() {
    let refused: &[(&[u8], &str)] = &[
        (b"\x80\x04cos\nsystem\n(\x8c\x02lstR.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
        (b"\x80\x04ctracemalloc\nSnapshot\n)R.", "REDUCE"),
        (b"\x80\x04(\x8c\x02lsios\nsystem\n.", "INST"),
        (b"\x80\x04(ctracemalloc\nSnapshot\no.", "OBJ"),
        (b"\x80\x04P1\n.", "PERSID"),
        (b"\x80\x04}}\x92.", "NEWOBJ_EX"),
        (b"\x80\x04\x82\x01.", "EXT"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x04}}b.", "BUILD"),
        (b"\x80\x04ctracemalloc\nSnapshot\n\x85\x81.", "shape"),
        (b"\x80\x63.", "protocol 99"),
        (b"\x80\x04]]a.", "list of something else"),
        (b"\x80\x04}.", "no snapshot"),
        (b"\x80\x04K\x01.", "no snapshot"),
        (b"\x80\x04K\x01\x94.", "shared value"),
        (b"\x80\x02}r\xff\xff\xff\xff.", "memo with gaps"),
        (b"\x80\x04h\x07.", "comes later"),
        (b"\x80\x04e.", "more values than"),
        (b"\x80\x04\x85.", "more values than"),
        (b"\x80\x04(\x85.", "more values than"),
        (b"\x80\x04\x8a\x09\0\0\0\0\0\0\0\0\x01.", "64 bits"),
        (b"\x80\x04]\x94h\x00a.", "list of something else"),
    ];
    for (bytes, what) in refused {
        let error = read_bytes(bytes, None, false).0.unwrap_err();
        assert!(error.to_string().contains(what), "{what}: {error}");
        assert!(
            matches!(error.code(), Code::Unsupported | Code::Damaged),
            "{error}"
        );
    }
}

#[test]
fn lengths_are_not_trusted() {
    for bytes in [
        &b"\x80\x04X\xff\xff\xff\xffabc"[..],
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc",
        b"\x80\x04\x8a\xff",
        b"\x80\x04\x95\xff\xff",
        b"\x80\x04cno line feed",
    ] {
        let error = read_bytes(bytes, None, false).0.unwrap_err();
        assert_eq!(error.code(), Code::Truncated, "{error}");
    }
    let mut deep = b"\x80\x04".to_vec();
    deep.extend(std::iter::repeat_n(b'(', 1 << 20));
    let error = read_bytes(&deep, None, false).0.unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded, "{error}");
}

#[test]
fn a_shared_list_does_not_multiply() {
    // A thousand references to one block: counted a thousand times, as Python counts.
    let mut traces = b"((K\x00K\x20\x8c\x04a.py\x94K\x04\x86\x94\x85\x94K\x03t\x94".to_vec();
    let memo = 15u8;
    for _ in 0..999 {
        traces.extend([b'h', memo]);
    }
    traces.push(b'e');
    let (read, _) = read_bytes(&pickle(&traces), None, true);
    assert_eq!(read.unwrap()[0].columns[1].sum(), 1000);
}

#[test]
fn a_cut_file_is_salvaged_unless_strict() {
    let whole = pickle(ONE);
    let cut = &whole[..whole.len() - 10];
    let (read, _) = read_bytes(cut, None, false);
    let p = &read.unwrap()[0];
    assert_eq!(p.columns[0].sum(), 32);
    let salvage = p.meta.salvaged.clone().unwrap();
    assert_eq!(salvage.of_bytes, cut.len() as u64);
    assert!(salvage.read_bytes <= salvage.of_bytes);
    let error = read_bytes(cut, None, true).0.unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
}

#[test]
fn several_dumps_in_one_file() {
    let mut two = pickle(b"");
    two.extend(pickle(ONE));
    let sums = |select| -> Vec<i128> {
        let (read, _) = read_bytes(&two, select, true);
        read.unwrap().iter().map(|p| p.columns[0].sum()).collect()
    };
    assert_eq!(sums(None), [32]);
    assert_eq!(sums(Some(Select::Number(0))), [0]);
    assert_eq!(sums(Some(Select::Ends)), [0, 32]);
    assert_eq!(sums(Some(Select::Peak)), [32]);
    assert!(read_bytes(&two, Some(Select::Number(2)), true).0.is_err());
    assert!(read_bytes(&two, Some(Select::Time(1.0)), true).0.is_err());
    two.extend(b"trailing");
    let (read, _) = read_bytes(&two, None, true);
    assert!(
        read.unwrap()[0]
            .meta
            .notes
            .iter()
            .any(|n| n.starts_with("8 bytes behind"))
    );
}

#[test]
fn raw_text_and_lone_surrogates() {
    let mut traces =
        b"(K\x00K\x20Va\\u00e9\\ud800\\x\n\x94K\x04\x86\x94\x85\x94K\x03t\x94a".to_vec();
    traces.extend(b"(K\x00K\x20\x8c\x05b\xed\xa0\x80b\x94K\x04\x86\x94\x85\x94K\x03t\x94a");
    let (read, symbols) = read_bytes(&pickle(&traces), None, true);
    assert_eq!(read.unwrap()[0].len(), 2);
    assert!(symbols.strings.find("a\u{e9}\u{fffd}\\x").is_some());
}
