//! What the tests of readers share.

use super::{Capture, Context, Format, Match};
use crate::input::Source;
use crate::model::{HeapGraph, Limits, Profile, Symbols};

/// The stacks of a profile's rows as `function file:line;...`, root first.
pub(crate) fn stacks(profile: &Profile, symbols: &Symbols) -> Vec<String> {
    let text = |id| symbols.strings.get(id);
    let frame = |id| {
        let frame = symbols.frames.get(id);
        let mut out = text(frame.function).to_owned();
        if !frame.file.is_empty() {
            out = format!("{out} {}", text(frame.file));
        }
        if frame.line > 0 {
            out = format!("{out}:{}", frame.line);
        }
        out
    };
    profile
        .stacks
        .iter()
        .map(|&s| {
            let frames: Vec<String> = symbols.stacks.frames(s).map(frame).collect();
            frames.join(";")
        })
        .collect()
}

/// Reads bytes as `format`; what it says about them if it takes them.
pub(crate) fn read(format: &Format, bytes: &[u8]) -> crate::Result<(Symbols, Vec<Profile>)> {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("x", bytes.to_vec(), Limits::default())?;
    let captures = (format.read)(&source, &mut Context::new(&mut symbols))?;
    let mut profiles = Vec::new();
    for profile in captures.into_iter().filter_map(Capture::into_profile) {
        profile.check_valid(&symbols)?;
        profiles.push(profile);
    }
    Ok((symbols, profiles))
}

/// Reads a text as `format`, with a context that `set` changed.
pub(crate) fn read_with(
    format: &Format,
    text: &str,
    set: impl Fn(&mut Context<'_>),
) -> (Symbols, crate::Result<Vec<Profile>>) {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default()).unwrap();
    let mut cx = Context::new(&mut symbols);
    set(&mut cx);
    let read = (format.read)(&source, &mut cx).map(|captures| {
        let profile = |c: Capture| c.into_profile().unwrap();
        captures.into_iter().map(profile).collect()
    });
    (symbols, read)
}

/// The sum of every column.
pub(crate) fn totals(profile: &Profile) -> Vec<i128> {
    profile.columns.iter().map(|c| c.sum()).collect()
}

/// Reads bytes as an object graph of `format`.
pub(crate) fn read_graph(
    format: &Format,
    bytes: &[u8],
    strict: bool,
) -> crate::Result<(HeapGraph, Symbols)> {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("x", bytes.to_vec(), Limits::default())?;
    let mut cx = Context::new(&mut symbols);
    cx.strict = strict;
    let captures = (format.read)(&source, &mut cx)?;
    let graph = captures.into_iter().find_map(Capture::into_graph).unwrap();
    graph.check_valid(&symbols)?;
    Ok((graph, symbols))
}

/// The objects of a graph: type, size, references with their names.
pub(crate) fn graph_rows(g: &HeapGraph, symbols: &Symbols) -> Vec<String> {
    (0..g.len() as u32)
        .map(|v| {
            let info = symbols.graph.type_info(g.type_of(v));
            let edges = g.edges(v).map(|(to, label)| {
                let label = symbols.graph.label_info(label);
                format!(" {}->{to}", symbols.strings.get(label.name))
            });
            let edges: String = edges.collect();
            format!("{} {}{edges}", symbols.strings.get(info.name), g.size(v))
        })
        .collect()
}

/// Cuts a capture at 200 places and flips 200 of its bytes: none may panic, and every error has
/// a text of one line. Whether a cut is salvaged or refused is for the format's own tests.
pub(crate) fn cut_and_flip(format: &Format, whole: &[u8]) {
    assert_ne!((format.sniff)(whole), Match::No);
    assert!(read(format, whole).is_ok());
    let mut seed = 0x9e37_79b9_u64;
    for i in 0..200 {
        let cut = whole.len() * i / 200;
        check(format, &whole[..cut]);
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let mut flipped = whole.to_vec();
        let at = (seed >> 33) as usize % flipped.len();
        flipped[at] ^= (seed >> 21) as u8 | 1;
        check(format, &flipped);
    }
}

fn check(format: &Format, bytes: &[u8]) {
    let _ = (format.sniff)(bytes);
    if let Err(error) = read(format, bytes) {
        assert_eq!(error.to_string().lines().count(), 1);
    }
}

/// As [`cut_and_flip`], for a format of object graphs.
pub(crate) fn cut_and_flip_graph(format: &Format, whole: &[u8]) {
    let read = |bytes: &[u8]| -> crate::Result<()> {
        let mut symbols = Symbols::default();
        let source = Source::from_bytes("x", bytes.to_vec(), Limits::default())?;
        let captures = (format.read)(&source, &mut Context::new(&mut symbols))?;
        for graph in captures.into_iter().filter_map(Capture::into_graph) {
            graph.check_valid(&symbols)?;
        }
        Ok(())
    };
    assert_ne!((format.sniff)(whole), Match::No);
    read(whole).unwrap();
    let mut seed = 0x9e37_79b9_u64;
    for i in 0..800 {
        let cut = whole.len() * i / 800;
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let mut flipped = whole.to_vec();
        let at = (seed >> 33) as usize % flipped.len();
        flipped[at] ^= (seed >> 21) as u8 | 1;
        for bytes in [&whole[..cut], &flipped] {
            let _ = (format.sniff)(bytes);
            if let Err(error) = read(bytes) {
                assert_eq!(error.to_string().lines().count(), 1);
                assert!(!error.to_string().contains("contradicts"), "{error}");
            }
        }
    }
}
