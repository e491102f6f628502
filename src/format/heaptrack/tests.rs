use super::*;
use crate::format::testing::{self, totals};
use crate::model::{Limits, Symbols};

const SMALL: &str = "v 10400 3\nX ./demo\nI 1000 3e8\ns 4 demo\ns 4 main\ns 3 get\ns 6 demo.c\n\
i 4010 1 2 4 c\nt 1 0\ni 4020 1 3 4 5\nt 2 1\na 20 2\n+ 0\n+ 0\n- 0\nc a\nR 64\n# strings: 4\n# ips: 2\n";

fn read_text(text: &str, select: Option<Select>) -> (Symbols, Result<Vec<Profile>>) {
    testing::read_with(&FORMAT, text, |cx| cx.select = select.clone())
}

#[test]
fn a_small_recording_is_read_whole() {
    assert_eq!(sniff(SMALL.as_bytes()), Match::Yes);
    let (symbols, read) = read_text(SMALL, None);
    let profiles = read.unwrap();
    let p = &profiles[0];
    p.check_valid(&symbols).unwrap();
    assert_eq!(totals(p), [32, 1, 64, 2, 64, 2, 1]);
    assert_eq!(
        testing::stacks(p, &symbols),
        ["main demo.c:12;get demo.c:5"]
    );
    assert_eq!(p.meta.producer.as_deref(), Some("heaptrack 1.4.0"));
    assert_eq!(p.meta.command.as_deref(), Some("./demo"));
    assert_eq!((&p.meta.salvaged, p.meta.notes.len()), (&None, 0));
}

#[test]
fn a_free_of_block_0_after_a_free_is_not_temporary() {
    let text = SMALL.replace("- 0\n", "- 0\n- 0\n");
    let (_, read) = read_text(&text, None);
    assert_eq!(totals(&read.unwrap()[0]), [0, 0, 64, 2, 64, 2, 1]);
}

#[test]
fn the_peak_is_of_one_instant() {
    // Two sites of which each has its own maximum outside the peak.
    let text = SMALL.replace(
        "+ 0\n+ 0\n- 0\n",
        "a 10 1\n+ 0\n+ 0\n+ 0\n- 0\n- 0\n+ 1\n+ 1\n+ 1\n+ 1\n+ 1\n+ 1\n- 0\n- 1\n+ 1\n+ 1\n",
    );
    let (symbols, read) = read_text(&text, None);
    let p = &read.unwrap()[0];
    assert_eq!(totals(p)[2..4], [128, 7]);
    assert_eq!(
        testing::stacks(p, &symbols)[0],
        "main demo.c:12;get demo.c:5"
    );
    assert_eq!((p.columns[2].get(0), p.columns[2].get(1)), (32, 96));
    let (_, peak) = read_text(&text, Some(Select::Peak));
    let peak = &peak.unwrap()[0];
    assert_eq!(totals(peak)[..4], [128, 7, 128, 7]);
    assert_eq!(totals(peak)[5], 9);
}

#[test]
fn moments_of_a_recording() {
    let text = SMALL.replace(
        "+ 0\n+ 0\n- 0\nc a\n",
        "+ 0\nc a\n+ 0\nc 14\n+ 0\nc 3e8\n- 0\n",
    );
    let live = |select| {
        let (_, read) = read_text(&text, Some(select));
        read.map(|ps| ps.iter().map(|p| totals(p)[1]).collect::<Vec<_>>())
    };
    assert_eq!(live(Select::Last).unwrap(), [2]);
    assert_eq!(live(Select::Time(0.010)).unwrap(), [2]);
    assert_eq!(live(Select::Time(0.0)).unwrap(), [1]);
    assert_eq!(live(Select::EverySeconds(0.5)).unwrap(), [3, 3]);
    assert_eq!(live(Select::EveryBytes(40)).unwrap(), [2, 3]);
    for wrong in [
        Select::Number(1),
        Select::Ends,
        Select::Time(1.5),
        Select::EverySeconds(5.0),
        Select::EverySeconds(0.0001),
    ] {
        if wrong == Select::EverySeconds(0.0001) {
            assert_eq!(live(wrong).unwrap().len(), 1000);
        } else {
            assert_eq!(live(wrong).unwrap_err().code(), Code::Usage);
        }
    }
}

#[test]
fn raw_recordings_name_modules_and_offsets() {
    let text = "v 10400 3\nx 9 /opt/demo\nX ./demo\nI 1000 3e8\nm 1 -\nm 1 x 5000 0 100 1000 200\n\
m 7 lib.so. 9000 0 10\nt 6010 0\nt 9008 1\nt 7777 1\n+ 20 2 aa0\n+ 8 3 bb0\n- bb0\n- cc0\n+ 10 2 aa0\n";
    let (symbols, read) = read_text(text, None);
    let p = &read.unwrap()[0];
    let mut stacks = testing::stacks(p, &symbols);
    stacks.sort();
    assert_eq!(stacks, ["demo+0x1010;0x7777", "demo+0x1010;lib.so.+0x8"]);
    // The second block at aa0 means that the free of the first was missed.
    assert_eq!(totals(p), [16, 1, 40, 2, 56, 3, 1]);
}

#[test]
fn older_versions() {
    let v0 = "X ./demo\ns demo\ns main\ni 4010 1 2 1 c\nt 1 0\n+ 20 1 aa0\n+ 8 1 bb0\n- bb0\n";
    assert_eq!(sniff(v0.as_bytes()), Match::Maybe);
    let (_, read) = read_text(v0, None);
    assert_eq!(totals(&read.unwrap()[0])[..4], [32, 1, 40, 2]);
    let v1 = "v 10200\nX ./demo\ns demo\ns main x\ni 4010 1 2 1 c\nt 1 0\na 20 1\n+ 0\n";
    let (symbols, read) = read_text(v1, None);
    let p = &read.unwrap()[0];
    assert_eq!(testing::stacks(p, &symbols), ["main x demo:12"]);
    let (_, read) = read_text("v 10400 4\nX a\n", None);
    assert_eq!(read.unwrap_err().code(), Code::Unsupported);
}

#[test]
fn inlined_frames_and_missing_names() {
    let text = SMALL.replace(
        "i 4020 1 3 4 5\n",
        "i 4020 1 3 4 5 2 4 9\ni 7fff12345 1\ni 7ffe99abc 1\nt 3 1\nt 4 1\na 1 2\na 1 3\n+ 0\n+ 1\n",
    );
    let text = text.replace("t 2 1\na 20 2\n", "t 2 1\na 20 4\n+ 2\n");
    let (symbols, read) = read_text(&text, None);
    let p = &read.unwrap()[0];
    let stacks = testing::stacks(p, &symbols);
    assert_eq!(
        stacks,
        [
            "main demo.c:12;demo+0x*345",
            "main demo.c:12;demo+0x*abc",
            "main demo.c:12;main demo.c:9;get demo.c:5"
        ]
    );
}

#[test]
fn damage_is_named_and_cuts_are_salvaged() {
    for (from, to) in [
        ("t 2 1\n", "t 2 7\n"),
        ("t 2 1\n", "t 9 1\n"),
        ("+ 0\n", "+ 5\n"),
        ("- 0\n", "- 5\n"),
        ("+ 0\n", "+ zz\n"),
        ("a 20 2\n", "a 20 9\n"),
        ("s 4 main\n", "s ff main\n"),
        ("i 4020 1 3 4 5\n", "i 4020 1 ff\n"),
        ("a 20 2\n", "a ffffffffffffffff 2\n"),
    ] {
        let (_, read) = read_text(&SMALL.replace(from, to), None);
        assert_eq!(read.unwrap_err().code(), Code::Damaged, "{from:?} {to:?}");
    }
    let cut = &SMALL[..SMALL.len() - 12];
    let (_, read) = read_text(cut, None);
    assert!(read.unwrap()[0].meta.salvaged.is_some());
    let mut symbols = Symbols::default();
    let source = Source::from_bytes("x", cut.as_bytes().to_vec(), Limits::default()).unwrap();
    let mut cx = Context::new(&mut symbols);
    cx.strict = true;
    let error = (FORMAT.read)(&source, &mut cx).unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
}

#[test]
fn a_tree_that_stands_for_endless_stacks_is_refused() {
    let mut text = String::from("v 10400 2\nX a\ns m\ni 1 1 1\nt 1 0\n");
    for i in 1..60_000 {
        text.push_str(&format!("t 1 {i:x}\na 1 {i:x}\n+ {:x}\n", i - 1));
    }
    let (_, read) = read_text(&text, None);
    assert_eq!(read.unwrap_err().code(), Code::LimitExceeded);
}

#[test]
fn cut_and_flipped() {
    testing::cut_and_flip(&FORMAT, SMALL.as_bytes());
}
