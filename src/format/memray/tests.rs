use super::*;
use crate::model::{Limits, Symbols};

/// A header of version 13 for CPython 3.11 whose main thread is 1.
fn header(aggregated: bool) -> Vec<u8> {
    let mut out = b"memray\0".to_vec();
    out.extend(13u32.to_le_bytes());
    out.extend(0x030b_02f0u32.to_le_bytes());
    out.extend([0, aggregated as u8]);
    out.extend([0; 32]);
    out.extend(b"app.py --fast\0");
    out.extend(77u32.to_le_bytes());
    out.extend(1u64.to_le_bytes());
    out.extend(0u64.to_le_bytes());
    out.extend([1, 0, 0]);
    out.extend(b"lib\0\0\0");
    out
}

fn read_bytes(
    bytes: Vec<u8>,
    select: Option<Select>,
    strict: bool,
) -> Result<Vec<(Profile, String)>> {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("x", bytes, Limits::default())?;
    let mut cx = Context::new(&mut symbols);
    cx.select = select;
    cx.strict = strict;
    let captures = read(&source, &mut cx)?;
    let shown = |p: &Profile| {
        let rows = p.stacks.iter().enumerate().map(|(i, &s)| {
            let names = symbols.stacks.frames(s).map(|f| {
                let f = symbols.frames.get(f);
                format!("{}:{}", symbols.strings.get(f.function), f.line)
            });
            let names: Vec<_> = names.collect();
            let values: Vec<_> = p.columns.iter().map(|c| c.get(i)).collect();
            format!("{} {values:?}", names.join(";"))
        });
        rows.collect::<Vec<_>>().join("\n")
    };
    let profiles = captures.into_iter().filter_map(Capture::into_profile);
    Ok(profiles
        .map(|p| {
            let text = shown(&p);
            (p, text)
        })
        .collect())
}

/// The records of one thread after its function `f` of line 2 was called.
fn recording(records: &[u8]) -> Vec<u8> {
    let mut out = header(false);
    out.extend(b"\x0c\x01\0\0\0\0\0\0\0\x0e\x05f\0a.py\0\x04\x00\x41\x05\x00");
    out.extend(records);
    out
}

fn rows(records: &[u8]) -> String {
    let mut all = records.to_vec();
    all.push(1);
    read_bytes(recording(&all), None, true).unwrap().remove(0).1
}

#[test]
fn blocks_and_their_peak() {
    // 320 bytes; 16 more; both freed (the first is no longer among the last two of the thread
    // only after a third); 100 kept.
    let records = b"\xfe\x80\x40\xc0\x02\xfe\x02\x10\x85\x8d\xfe\x02\x64";
    assert_eq!(rows(records), "f:2 [100, 1, 336, 2, 436, 3, 2]");
    let all = read_bytes(recording(b"\xfe\x80\x40\xc0\x02\x01"), None, true).unwrap();
    let meta = &all[0].0.meta;
    assert_eq!(meta.command.as_deref(), Some("app.py --fast"));
    assert_eq!((meta.pid, meta.language), (Some(77), Some("python")));
}

#[test]
fn the_latest_of_equal_peaks() {
    // 64 bytes from f, freed; the same from outside of it: the second is the peak.
    let records = b"\xfe\x80\x40\x40\x85\x10\xfe\x02\x40";
    assert_eq!(
        rows(records),
        "f:2 [0, 0, 0, 0, 64, 1, 1]\n [64, 1, 64, 1, 64, 1, 0]"
    );
}

#[test]
fn pages_are_returned_in_parts() {
    // mmap of 12 KiB at 32 KiB; munmap of the middle page, of the last, of all.
    let map = b"\xf8\x80\x40\x0e\x80\x60";
    let middle = b"\xf8\x80\x08\x0f\x80\x20";
    let mut records = map.to_vec();
    assert_eq!(rows(&records), "f:2 [12288, 1, 12288, 1, 12288, 1, 0]");
    records.extend(middle);
    assert_eq!(rows(&records), "f:2 [8192, 2, 12288, 1, 12288, 1, 0]");
    records.extend(middle);
    assert_eq!(rows(&records), "f:2 [4096, 1, 12288, 1, 12288, 1, 0]");
    records.extend(b"\xf8\xff\x0f\x0f\x80\x80\x04");
    assert_eq!(rows(&records), "f:2 [0, 0, 12288, 1, 12288, 1, 1]");
}

#[test]
fn an_arena_is_told_from_what_its_stack_holds() {
    // mmap of 1 MiB, of 1 MiB and 4 KiB.
    let arena = b"\xf8\x80\x40\x0e\x80\x80\x40";
    assert_eq!(
        rows(arena),
        "f:2;arena of small objects:0 [1048576, 1, 1048576, 1, 1048576, 1, 0]"
    );
    let buffer = b"\xf8\x80\x40\x0e\x80\xa0\x40";
    assert!(rows(buffer).starts_with("f:2 [1052672, 1,"));
}

#[test]
fn a_reused_address_replaces() {
    let records = b"\xfe\x80\x40\x40\x86\x20";
    assert_eq!(rows(records), "f:2 [32, 1, 64, 1, 96, 2, 0]");
}

#[test]
fn damage_is_named() {
    let cases: &[(&[u8], &str)] = &[
        (b"\x41\x09\x00", "function 9 that is not known"),
        (b"\x11", "more frames than were called"),
        (b"\x03", "record 3"),
        (b"\x80\x10\x05", "allocator 16"),
        (
            b"\x0e\x07g\0b\0\x00\xff\xff\xff\xff\x7f",
            "claims 34359738367 bytes",
        ),
        (b"\xfe\x80\x40\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "2^56"),
        (
            b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            "more than 64 bits",
        ),
    ];
    for (records, what) in cases {
        let error = read_bytes(recording(records), None, false).unwrap_err();
        assert!(error.to_string().contains(what), "{what}: {error}");
        assert!(error.place().is_some(), "{error}");
    }
    let mut early = header(false);
    early.extend(b"\xfe\x80\x40\x40\x01");
    let error = read_bytes(early, None, false).unwrap_err();
    assert!(
        error.to_string().contains("before the first thread"),
        "{error}"
    );
}

#[test]
fn a_cut_recording_is_salvaged_unless_strict() {
    for cut in [
        &b"\xfe\x80\x40\x40"[..],
        b"\xfe\x80\x40\x40\xfe\x80",
        b"\xfe\x80\x40\x40\0\0\0\0",
    ] {
        let bytes = recording(cut);
        let all = read_bytes(bytes.clone(), None, false).unwrap();
        let salvaged = all[0].0.meta.salvaged.clone().unwrap();
        assert_eq!(
            salvaged.read_bytes,
            recording(b"\xfe\x80\x40\x40").len() as u64
        );
        assert_eq!(salvaged.of_bytes, bytes.len() as u64);
        assert_eq!(
            read_bytes(bytes, None, true).unwrap_err().code(),
            Code::Truncated
        );
    }
    let empty = read_bytes(recording(b"\0\0\0"), None, false).unwrap_err();
    assert!(
        empty.to_string().contains("before the first allocation"),
        "{empty}"
    );
}

#[test]
fn other_versions_are_refused_by_number() {
    let mut other = header(false);
    other[7] = 9;
    let error = read_bytes(other, None, false).unwrap_err();
    assert_eq!(error.code(), Code::Unsupported);
    assert!(error.to_string().contains("version 9"), "{error}");
}

#[test]
fn deep_stacks_keep_their_innermost_frames() {
    let mut records = Vec::new();
    for line in 0..5000u32 {
        records.extend(b"\x41\x05");
        let mut offset = line * 2 * 2;
        while offset >= 0x80 {
            records.push(offset as u8 | 0x80);
            offset >>= 7;
        }
        records.push(offset as u8);
    }
    records.extend(b"\xfe\x80\x40\x40\x01");
    let all = read_bytes(recording(&records), None, true).unwrap();
    assert!(all[0].0.meta.notes.iter().any(|n| n.contains("1024")));
}

#[test]
fn sums_of_an_aggregated_file() {
    let mut bytes = header(true);
    bytes.extend(b"\x0e\x05f\0a.py\0\x04\x00\x04\x07\x05\x00\x01\x03\x07\x00");
    bytes.push(2);
    bytes.extend(9u64.to_le_bytes());
    bytes.extend(b"\x06undefin");
    for n in [0u64, 1, 0, 3, 2, 300, 200] {
        bytes.extend(n.to_le_bytes());
    }
    let whole = [&bytes[..], b"\x0f"].concat();
    let (profile, rows) = read_bytes(whole.clone(), None, true).unwrap().remove(0);
    assert_eq!(rows, "f:2 [200, 2, 300, 3]");
    assert!(profile.metric("total_bytes").is_none());
    let peak = read_bytes(whole.clone(), Some(Select::Peak), true).unwrap();
    assert_eq!(peak[0].1, "f:2 [300, 3, 300, 3]");
    assert!(read_bytes(whole, Some(Select::Time(1.0)), true).is_err());
    let error = read_bytes(bytes, None, false).unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
}

#[test]
fn packed_recordings_are_streamed() {
    use std::io::Write;
    let bytes = recording(b"\xfe\x80\x40\x40\x01");
    let mut packed = lz4_flex::frame::FrameEncoder::new(Vec::new());
    packed.write_all(&bytes).unwrap();
    let packed = packed.finish().unwrap();
    let source = Source::from_bytes("x", packed.clone(), Limits::default()).unwrap();
    assert_eq!(sniff(source.head()), Match::Yes);
    assert_eq!(
        read_bytes(packed, None, true).unwrap()[0].1,
        "f:2 [64, 1, 64, 1, 64, 1, 0]"
    );
}
