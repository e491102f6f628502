use super::*;
use crate::error::Code;
use crate::format::testing::{self, read_with as read_as, totals};
use crate::input::Select;
use crate::model::{Profile, Symbols};

const FRAMES: &str = "<stack><frame><ip>0x48417B4</ip><obj>/usr/lib/vg.so</obj><fn>malloc</fn></frame>\
<frame><ip>0x109</ip><obj>/opt/a</obj><fn>f&lt;int&gt;</fn><dir>src</dir><file>a.cpp</file><line>4</line></frame>\
<frame><ip>0x109</ip><obj>/opt/a</obj><fn>main</fn><dir>src</dir><file>a.cpp</file><line>9</line></frame>\
<frame><ip>0x1abc</ip><obj>/opt/lib.so</obj></frame></stack>";

fn leak(kind: &str, text: &str, bytes: u64, blocks: u64) -> String {
    format!(
        "<error><unique>0x3</unique><tid>1</tid><kind>Leak_{kind}</kind><xwhat><text>{text}</text><leakedbytes>{bytes}</leakedbytes><leakedblocks>{blocks}</leakedblocks></xwhat>{FRAMES}</error>\n"
    )
}

fn document(errors: &str) -> String {
    format!(
        "noise\n<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n<protocolversion>4</protocolversion><protocoltool>memcheck</protocoltool>\
<preamble><line>Using Valgrind-3.19.0 and LibVEX</line></preamble><pid>77</pid><args><argv><exe>./a</exe><arg>-x</arg></argv></args>\
<error><kind>InvalidRead</kind><what>Invalid</what><stack><frame><ip>0x1</ip></frame></stack></error>\n{errors}</valgrindoutput>\n"
    )
}

fn small_xml() -> String {
    let direct = "1,248 (48 direct, 1,200 indirect) bytes in 3 blocks are definitely lost in loss record 2 of 2";
    let indirect = "1,200 bytes in 3 blocks are indirectly lost in loss record 1 of 2";
    document(
        &(leak("IndirectlyLost", indirect, 1200, 3) + &leak("DefinitelyLost", direct, 1248, 3)),
    )
}

const LOG: &str = "==9== Memcheck, a memory error detector\n==9== Using Valgrind-3.19.0 and LibVEX; rerun with -h\n\
==9== Command: ./demo\n==9== \n==9== HEAP SUMMARY:\n==9==     in use at exit: 110 bytes in 3 blocks\n==9== \n\
==9== 10 bytes in 1 blocks are possibly lost in loss record 1 of 2\n==9==    at 0x48417B4: malloc (in /usr/lib/vg.so)\n\
program output\n==8== Memcheck, a memory error detector\n==9==    by 0x109: main (a.c:4)\n==9== \n\
==9== 100 bytes in 2 blocks are still reachable in loss record 2 of 2\n==9==    at 0x48417B4: malloc (in /usr/lib/vg.so)\n==9==    by 0x1abc: ??? (in /opt/lib.so)\n==9== \n\
==9== LEAK SUMMARY:\n==9==    definitely lost: 0 bytes in 0 blocks\n==8== All heap blocks were freed -- no leaks are possible\n";

fn kinds(profile: &Profile, symbols: &Symbols) -> Vec<String> {
    let key = symbols.strings.find("kind").unwrap();
    let kind = |i| {
        symbols
            .labels
            .text_of(profile.labels_of(i), key, &symbols.strings)
    };
    (0..profile.len()).filter_map(kind).collect()
}

#[test]
fn indirect_bytes_are_not_counted_twice() {
    let text = small_xml();
    assert_eq!(sniff_xml(text.as_bytes()), Match::Yes);
    let (symbols, read) = read_as(&XML, &text, |_| {});
    let p = &read.unwrap()[0];
    p.check_valid(&symbols).unwrap();
    assert_eq!(totals(p), [1248, 6]);
    assert_eq!(kinds(p, &symbols), ["indirect", "definite"]);
    let stack = "lib.so+0x*abc;main src/a.cpp:9;f<int> src/a.cpp:4;malloc";
    assert_eq!(testing::stacks(p, &symbols), [stack, stack]);
    assert_eq!(p.meta.command.as_deref(), Some("./a -x"));
    assert_eq!(p.meta.producer.as_deref(), Some("Valgrind 3.19.0 memcheck"));
    assert_eq!((p.meta.pid, &p.meta.salvaged), (Some(77), &None));
    let inlined: Vec<bool> = symbols
        .stacks
        .frames(p.stacks[0])
        .map(|f| symbols.frames.get(f).inlined)
        .collect();
    assert_eq!(inlined, [false, false, true, false]);
}

#[test]
fn checks_processes_and_cuts_of_xml() {
    let one = |n: u64| {
        leak(
            "StillReachable",
            &format!("{n} bytes in 1 blocks are still reachable in loss record 1 of 1"),
            n,
            1,
        )
    };
    let twice = document(&(one(10) + &one(30)));
    let live = |text: &str, select: Option<Select>| {
        let (_, read) = read_as(&XML, text, |cx| cx.select = select.clone());
        read.map(|ps| ps.iter().map(|p| totals(p)[0]).collect::<Vec<_>>())
    };
    assert_eq!(live(&twice, None).unwrap(), [30]);
    assert_eq!(live(&twice, Some(Select::Number(1))).unwrap(), [10]);
    assert_eq!(live(&twice, Some(Select::Ends)).unwrap(), [10, 30]);
    assert!(live(&twice, Some(Select::Peak)).is_err());
    let child = document(&one(5)).replace("<pid>77<", "<pid>78<");
    assert_eq!(live(&(twice.clone() + &child), None).unwrap(), [35]);
    let cut = &twice[..twice.len() - 30];
    let (_, read) = read_as(&XML, cut, |_| {});
    assert!(read.unwrap()[0].meta.salvaged.is_some());
    let (_, read) = read_as(&XML, cut, |cx| cx.strict = true);
    assert_eq!(read.unwrap_err().code(), Code::Truncated);
    assert_eq!(live(&document(""), None).unwrap(), [0]);
}

#[test]
fn hostile_xml() {
    let deep = format!("<valgrindoutput>{}", "<a>".repeat(100_000));
    let (_, read) = read_as(&XML, &deep, |_| {});
    assert_eq!(read.unwrap_err().code(), Code::LimitExceeded);
    let entity = small_xml().replace("f&lt;int&gt;", "&xxe;");
    let (symbols, read) = read_as(&XML, &entity, |_| {});
    assert!(testing::stacks(&read.unwrap()[0], &symbols)[0].contains("&xxe;"));
    let (_, read) = read_as(&XML, "<valgrindoutput></error>", |_| {});
    assert_eq!(read.unwrap_err().code(), Code::Damaged);
    let other = small_xml().replace(">memcheck<", ">helgrind<");
    let (_, read) = read_as(&XML, &other, |_| {});
    assert_eq!(read.unwrap_err().code(), Code::Unsupported);
}

#[test]
fn logs_of_several_processes() {
    assert_eq!(sniff_text(LOG.as_bytes()), Match::Yes);
    assert_eq!(sniff_xml(LOG.as_bytes()), Match::No);
    let (symbols, read) = read_as(&TEXT, LOG, |_| {});
    let p = &read.unwrap()[0];
    assert_eq!(totals(p), [110, 3]);
    assert_eq!(kinds(p, &symbols), ["possible", "reachable"]);
    assert_eq!(
        testing::stacks(p, &symbols),
        ["main a.c:4;malloc", "lib.so+0x*abc;malloc"]
    );
    assert_eq!(p.meta.notes, ["adds up the reports of 2 processes"]);
    let cut = &LOG[..LOG.find("==9== LEAK").unwrap() - 20];
    let (_, read) = read_as(&TEXT, cut, |_| {});
    let p = &read.unwrap()[0];
    assert!(p.meta.salvaged.is_some());
    assert_eq!(totals(p), [10, 1]);
    let stamped = LOG.replace("==9==", "ci | ==00:00:00:01.250 9==");
    let (_, read) = read_as(&TEXT, &stamped, |_| {});
    assert_eq!(totals(&read.unwrap()[0]), [110, 3]);
}

#[test]
fn cut_and_flipped() {
    testing::cut_and_flip(&XML, small_xml().as_bytes());
    testing::cut_and_flip(&TEXT, LOG.as_bytes());
}
