//! Files as the tools write them, and as they should not be.

use super::FORMAT;
use crate::error::{Code, Error, Place};
use crate::format::{Capture, Context, Match};
use crate::input::Source;
use crate::model::{Limits, Profile, Symbols};

fn read_as(
    text: &[u8],
    unit: Option<&str>,
    strict: bool,
) -> Result<(Vec<Profile>, Symbols), Error> {
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("f", text.to_vec(), Limits::default())?;
    let mut cx = Context::new(&mut symbols);
    cx.unit = unit.map(str::to_owned);
    cx.strict = strict;
    let all = crate::format::read(&source, Some(&FORMAT), &mut cx)?;
    let profiles = all.into_iter().filter_map(Capture::into_profile).collect();
    Ok((profiles, symbols))
}

fn read(text: &str) -> Vec<Vec<(String, i64)>> {
    let (profiles, symbols) = read_as(text.as_bytes(), Some("bytes"), false).unwrap();
    profiles.iter().map(|p| rows(p, &symbols)).collect()
}

fn rows(p: &Profile, s: &Symbols) -> Vec<(String, i64)> {
    (0..p.len())
        .map(|i| {
            let names: Vec<_> = s
                .stacks
                .frames(p.stacks[i])
                .map(|f| s.strings.get(s.frames.get(f).function))
                .collect();
            (names.join("|"), p.columns[0].get(i))
        })
        .collect()
}

fn row(stack: &str, value: i64) -> (String, i64) {
    (stack.to_owned(), value)
}

#[test]
fn one_column() {
    let text = "# made by hand\nmain;load;alloc buf 4096\r\nmain;load 5\n\nmain;load;alloc buf 4\n\
                main;;load;leaf (x.c);  10\nmain;lo 1\nmain 2\nmain;load;z 3\n";
    assert_eq!((FORMAT.sniff)(text.as_bytes()), Match::Maybe);
    assert_eq!(
        read(text),
        [vec![
            row("main|load|alloc buf", 4100),
            row("main|load", 5),
            row("main|load|leaf", 10),
            row("main|lo", 1),
            row("main", 2),
            row("main|load|z", 3),
        ]]
    );
}

#[test]
fn every_order_gives_the_same_stacks() {
    let lines = [
        "a;b;c 1",
        "a;b 2",
        "a;bc 4",
        "a;b;c;d 8",
        "x 16",
        "a;b;cc 32",
        "a 64",
    ];
    let mut all: Vec<_> = read(&(lines.join("\n") + "\n")).remove(0);
    all.sort();
    for turn in 1..lines.len() {
        let mut turned = lines;
        turned.rotate_left(turn);
        let mut rows = read(&(turned.join("\n") + "\n")).remove(0);
        rows.sort();
        assert_eq!(rows, all);
        turned.reverse();
        let mut rows = read(&(turned.join("\n") + "\n")).remove(0);
        rows.sort();
        assert_eq!(rows, all);
    }
}

#[test]
fn two_columns_are_two_captures() {
    let both = read("main;a 10 20\nmain;b 0 7\nmain;operator 5 3 0\n");
    assert_eq!(
        both,
        [
            vec![row("main|a", 10), row("main|operator 5", 3)],
            vec![row("main|a", 20), row("main|b", 7)]
        ]
    );
    // One line without a second number: the numbers before belong to the frames.
    let one = read("main;operator 5 10\nmain;b 7\n");
    assert_eq!(one, [vec![row("main|operator 5", 10), row("main|b", 7)]]);
    // The line that decides stands beyond the head.
    let mut late = "main;a 10 20\n".repeat(10_000);
    late.push_str("main;b 7\n");
    let one = read(&late);
    assert_eq!(one, [vec![row("main|a 10", 200_000), row("main|b", 7)]]);
}

#[test]
fn numbers_that_need_a_word() {
    let (p, s) = read_as(b"a;b -5\na;c 2.5\na;d 3.0\n", None, false).unwrap();
    assert_eq!(
        rows(&p[0], &s),
        [row("a|b", -5), row("a|c", 2), row("a|d", 3)]
    );
    let notes = p[0].meta.notes.join("\n");
    for words in [
        "bytes are assumed",
        "1 counts are negative",
        "1 counts lost",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
    let (p, _) = read_as(b"a;b 5\n", Some("blocks"), false).unwrap();
    assert_eq!(p[0].metrics[0].name, "blocks");
    assert!(p[0].meta.notes.is_empty());
    assert_eq!(
        read_as(b"a;b 5\n", Some("miles"), false)
            .unwrap_err()
            .code(),
        Code::Usage
    );
}

#[test]
fn a_line_without_an_end_is_not_believed() {
    let (p, s) = read_as(b"a;b 5\na;c 12", None, false).unwrap();
    assert_eq!(rows(&p[0], &s), [row("a|b", 5)]);
    assert_eq!(p[0].meta.salvaged.as_ref().unwrap().read_bytes, 6);
    let e = read_as(b"a;b 5\na;c 12", None, true).unwrap_err();
    assert_eq!(e.code(), Code::Truncated);
    let e = read_as(b"a;c 12", None, false).unwrap_err();
    assert_eq!(e.code(), Code::Truncated);
    assert!(read_as(b"a;b 5\n  ", None, true).is_ok());
}

#[test]
fn lines_that_are_no_stacks() {
    let mut text = "a;b 1\n".repeat(30);
    text.push_str("oops\n");
    let (p, _) = read_as(text.as_bytes(), None, false).unwrap();
    assert!(p[0].meta.notes.iter().any(|n| n.contains("line 31")));
    let e = read_as(b"a;b 1\noops\na;b 1\n", None, false).unwrap_err();
    assert_eq!((e.code(), e.place()), (Code::Damaged, Some(Place::Line(2))));
    let e = read_as(b"no\nstacks\n", None, false).unwrap_err();
    assert_eq!(e.code(), Code::Unrecognised);
    let e = read_as(b"a;b 9223372036854775807\na;b 1\n", None, false).unwrap_err();
    assert_eq!((e.code(), e.place()), (Code::Damaged, Some(Place::Line(2))));
}

#[test]
fn what_is_no_text_of_stacks() {
    for other in [
        &b""[..],
        b"\n\n\n",
        b"{\"a\": 1}",
        b"Top 2 stacks with outstanding allocations:\n\t160 bytes in 10 allocations from stack\n",
        b"a;b 1\0\n",
        b"heap profile: 1: 2 [3: 4] @ heapprofile\n",
        b"one 1\ntwo 2\n",
        b"# comments; only 1\n",
    ] {
        assert_eq!((FORMAT.sniff)(other), Match::No, "{other:?}");
    }
    assert_eq!((FORMAT.sniff)(b"a;b 1"), Match::Maybe);
    let long = "frame;".repeat(11_000);
    assert_eq!((FORMAT.sniff)(&long.as_bytes()[..64 << 10]), Match::Maybe);
    let second = format!("a;b 1\n{long}");
    assert_eq!((FORMAT.sniff)(&second.as_bytes()[..64 << 10]), Match::Maybe);
}

#[test]
fn names_that_are_no_text() {
    let (p, s) = read_as(b"ma\xffin;\xc3\xa9 5\n", None, false).unwrap();
    assert_eq!(rows(&p[0], &s), [row("ma\u{fffd}in|\u{e9}", 5)]);
    let long = format!("{};leaf 5\n", "x".repeat(100_000));
    assert_eq!(read(&long)[0][0].1, 5);
    let deep = format!("{} 5\n", "f;".repeat(100_000));
    assert_eq!(read(&deep)[0][0].1, 5);
}

#[test]
fn cut_and_changed_anywhere() {
    let whole = b"main;load;alloc_buf 4096\nmain;load;x (y.c:4) 12 \n# c\nmain;z_[k] 7\n";
    for n in 1..=whole.len() {
        let _ = (FORMAT.sniff)(&whole[..n]);
        let _ = read_as(&whole[..n], None, false);
    }
    for i in 0..whole.len() {
        for b in [0, b'\n', b' ', b';', b'9', 0xff, b'-'] {
            let mut text = whole.to_vec();
            text[i] = b;
            let _ = (FORMAT.sniff)(&text);
            let _ = read_as(&text, None, true);
        }
    }
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let mut text = String::new();
    for n in 0..120_000u64 {
        let m = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let (a, b, c) = (m % 7, m % 911, m % 10_007);
        text.push_str(&format!(
            "main;level{a};module::function{b};leaf with a name {c} {n}\n"
        ));
        if n == 90_000 {
            text.push_str("no stack\n");
        }
    }
    let source = Source::from_bytes("f", text.into_bytes(), Limits::default()).unwrap();
    let bytes = source.bytes().unwrap();
    let mut all = Vec::new();
    for threads in [1, 2, 3] {
        let mut symbols = Symbols::default();
        // The second time all texts are known.
        for _ in 0..2 {
            let mut cx = Context::new(&mut symbols);
            let mut reader = super::Reader::new(&crate::model::Metric::known("bytes"), false);
            reader.threads = threads;
            assert!(reader.read(&bytes, &mut cx).unwrap());
            let p = reader.finish(&cx).unwrap().remove(0);
            let p = p.into_profile().unwrap();
            assert!(p.meta.notes.iter().any(|n| n.contains("line 90002")));
            all.push((rows(&p, &symbols), p, symbols.frames.len()));
        }
    }
    assert_eq!(all[0].0.len(), all[0].1.len());
    for other in &all[1..] {
        assert!(all[0] == *other);
    }
}
