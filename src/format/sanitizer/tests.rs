use super::*;
use crate::format::testing::{self, totals};
use crate::input::Select;
use crate::model::Profile;

const SMALL: &str = "=================================================================\n\
==27484==ERROR: LeakSanitizer: detected memory leaks\n\n\
\x1b[1m\x1b[34mDirect leak of 48 byte(s) in 3 object(s) allocated from:\n\x1b[0m\
    #0 0x7fb4 in operator new(unsigned long) ../../src/asan_new.cpp:95\n    #1 0x558 in mkn(int) /src/leak.cpp:5\n    #2 0x558 in main /src/leak.cpp:7\n\n\
Objects leaked above:\n0x602000 (16 bytes)\n\n\
Indirect leak of 120 byte(s) in 3 object(s) allocated from:\n    #0 0x7ff  (/lib/libasan.so.8+0xb94c8)\n\n\
Indirect leak of 7 byte(s) in 1 object(s) allocated from:\n    <empty stack>\n\n\
SUMMARY: AddressSanitizer: 175 byte(s) leaked in 7 allocation(s).\n";

fn read_text(text: &str, set: impl Fn(&mut Context<'_>)) -> (Symbols, Result<Vec<Profile>>) {
    testing::read_with(&FORMAT, text, set)
}

#[test]
fn a_report_adds_up_to_its_summary() {
    assert_eq!(sniff(SMALL.as_bytes()), Match::Yes);
    let (symbols, read) = read_text(SMALL, |_| {});
    let p = &read.unwrap()[0];
    p.check_valid(&symbols).unwrap();
    assert_eq!(totals(p), [175, 7]);
    assert_eq!(
        testing::stacks(p, &symbols),
        [
            "main /src/leak.cpp:7;mkn(int) /src/leak.cpp:5;operator new(unsigned long) ../../src/asan_new.cpp:95",
            "libasan.so.8+0xb94c8",
            ""
        ]
    );
    assert_eq!((p.meta.pid, p.meta.notes.len()), (Some(27484), 0));
    assert_eq!(p.meta.producer.as_deref(), Some("AddressSanitizer"));
}

#[test]
fn reports_of_several_processes_and_checks() {
    let again = SMALL
        .replace("48 byte", "68 byte")
        .replace("175 byte", "195 byte");
    let other = SMALL.replace("27484", "5");
    let text = format!("{SMALL}{other}{again}");
    let live = |select: Option<Select>| {
        let (_, read) = read_text(&text, |cx| cx.select = select.clone());
        read.map(|ps| ps.iter().map(|p| totals(p)[0]).collect::<Vec<_>>())
    };
    assert_eq!(live(None).unwrap(), [195 + 175]);
    assert_eq!(live(Some(Select::Number(2))).unwrap(), [175]);
    assert_eq!(live(Some(Select::Ends)).unwrap(), [175, 195]);
    assert!(live(Some(Select::Number(4))).is_err());
}

#[test]
fn cuts_and_omissions_are_said() {
    let cut = &SMALL[..SMALL.find("SUMMARY").unwrap() - 20];
    let (_, read) = read_text(cut, |_| {});
    let p = &read.unwrap()[0];
    assert!(p.meta.salvaged.is_some());
    assert_eq!(totals(p), [168, 6]);
    let (_, read) = read_text(cut, |cx| cx.strict = true);
    assert_eq!(read.unwrap_err().code(), Code::Truncated);
    let top = SMALL
        .replace("SUMMARY", "Omitting 4 more leak(s).\nSUMMARY")
        .replace("175 byte", "999 byte");
    let (_, read) = read_text(&top, |_| {});
    assert!(read.unwrap()[0].meta.notes[0].contains("max_leaks"));
}

#[test]
fn cut_and_flipped() {
    testing::cut_and_flip(&FORMAT, SMALL.as_bytes());
}
