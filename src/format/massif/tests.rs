use super::*;
use crate::error::Code;
use crate::format::testing::{self, totals};
use crate::model::{Limits, Symbols};

const SMALL: &str = "desc: --threshold=5\ncmd: ./demo #1\ntime_unit: ms\n#-----------\nsnapshot=0\n\
#-----------\ntime=0\nmem_heap_B=0\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=empty\n\
#-----------\nsnapshot=1\n#-----------\ntime=1500\nmem_heap_B=9135\nmem_heap_extra_B=81\nmem_stacks_B=0\nheap_tree=peak\n\
n3: 9135 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n\
\x20n0: 5000 0x109240: main::{closure#0} (a.c:13)\n n1: 4096 0x48C88CB: get_buf (io.c:101)\n  n0: 4000 0x109215: main (a.c:10)\n\
\x20n0: 39 in 3 places, all below massif's threshold (5.00%)\n\
#-----------\nsnapshot=2\n#-----------\ntime=2000\nmem_heap_B=100\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\n\
n1: 100 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n n0: 100 0x109240: main::{closure#0} (a.c:13)\n";

fn read_text(text: &str, select: Option<Select>) -> (Symbols, Result<Vec<Profile>>) {
    testing::read_with(&FORMAT, text, |cx| cx.select = select.clone())
}

#[test]
fn read_whole_it_is_the_peak_and_the_end() {
    assert_eq!(sniff(SMALL.as_bytes()), Match::Yes);
    let (symbols, read) = read_text(SMALL, None);
    let p = &read.unwrap()[0];
    p.check_valid(&symbols).unwrap();
    assert_eq!(
        (p.metrics[0].name.as_str(), totals(p)[0]),
        ("live_bytes", 100)
    );
    assert_eq!(
        (p.metrics[1].name.as_str(), totals(p)[1]),
        ("peak_bytes", 9135)
    );
    assert_eq!(
        testing::stacks(p, &symbols),
        [
            "main::{closure#0} a.c:13",
            "main a.c:10;get_buf io.c:101",
            "get_buf io.c:101",
            "(below massif's threshold)"
        ]
    );
    let peaks: Vec<i64> = (0..4).map(|i| p.columns[1].get(i)).collect();
    assert_eq!(peaks, [5000, 4000, 96, 39]);
    assert_eq!(p.meta.command.as_deref(), Some("./demo #1"));
    let seconds = |m: &Option<Moment>| m.as_ref().and_then(|m| m.seconds);
    assert_eq!(seconds(&p.meta.peak_moment), Some(1.5));
    assert_eq!(seconds(&p.meta.moment), Some(2.0));
}

#[test]
fn snapshots_are_chosen() {
    let live = |select| {
        let (_, read) = read_text(SMALL, Some(select));
        read.map(|ps| ps.iter().map(|p| totals(p)[0]).collect::<Vec<_>>())
    };
    assert_eq!(live(Select::Number(1)).unwrap(), [9135]);
    assert_eq!(live(Select::Peak).unwrap(), [9135]);
    assert_eq!(live(Select::Last).unwrap(), [100]);
    assert_eq!(live(Select::Ends).unwrap(), [9135, 100]);
    assert_eq!(live(Select::Time(1.9)).unwrap(), [9135]);
    assert_eq!(live(Select::EverySeconds(0.5)).unwrap(), [9135, 100]);
    for wrong in [
        Select::Number(7),
        Select::EveryBytes(5),
        Select::EverySeconds(60.0),
    ] {
        assert_eq!(live(wrong).unwrap_err().code(), Code::Usage);
    }
}

#[test]
fn an_end_without_a_tree_is_not_known() {
    let text = SMALL.replace("heap_tree=detailed\n", "heap_tree=empty\n");
    let text = &text[..text.find("n1: 100").unwrap()];
    let (_, read) = read_text(text, None);
    let p = &read.unwrap()[0];
    assert_eq!(p.metric("live_bytes"), None);
    let (_, read) = read_text(text, Some(Select::Last));
    let p = &read.unwrap()[0];
    assert_eq!((p.len(), totals(p)[0]), (1, 100));
}

#[test]
fn xtree_files_are_metrics_of_one_moment() {
    let mut text = String::from("desc: xtree.produce_report\ncmd: ./demo\ntime_unit: ms\n");
    for (i, (label, n)) in [
        ("curB", 10),
        ("curBk", 1),
        ("totB", 30),
        ("totBk", 3),
        ("totFdB", 20),
        ("totFdBk", 2),
    ]
    .iter()
    .enumerate()
    {
        text += &format!(
            "#-----------\nsnapshot={i}\n#-----------\ntime=5\nmem_heap_B={n}\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\nn1: {n} {label} : what\n n1: {n} 0x1: f (a.c:1)\n  n0: {n} 0x2: main (a.c:2)\n"
        );
    }
    let (_, read) = read_text(&text, None);
    let p = &read.unwrap()[0];
    let names: Vec<_> = p.metrics.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        names,
        ["live_bytes", "live_blocks", "total_bytes", "total_blocks"]
    );
    assert_eq!(totals(p), [10, 1, 30, 3]);
    assert_eq!(p.meta.notes, Vec::<String>::new());
}

#[test]
fn heaptrack_prints_no_header() {
    let text = &SMALL[SMALL.find('#').unwrap()..];
    let text = text.replace("./demo #1\ntime_unit: ms\n", "");
    let text = &text[text.find("#---").unwrap()..].replace("time=1500", "time=1.5");
    assert_eq!(sniff(text.as_bytes()), Match::Yes);
    let (_, read) = read_text(text, Some(Select::Peak));
    assert_eq!(totals(&read.unwrap()[0]), [9135]);
}

#[test]
fn damage_is_named_and_cuts_are_salvaged() {
    for (from, to) in [
        ("n3: 9135", "n2: 9135"),
        ("n3: 9135", "n9: 9135"),
        ("n0: 4000", "n0: 4097"),
        ("  n0: 4000", " n0: 4000"),
        ("mem_heap_B=100", "mem_heap_B=99999999999999999999"),
        ("n0: 5000", "n0: x"),
        ("heap_tree=peak", "heap_tree=pear"),
    ] {
        let (_, read) = read_text(&SMALL.replace(from, to), None);
        let code = read.unwrap_err().code();
        assert!(
            matches!(code, Code::Damaged | Code::Truncated),
            "{from:?} {to:?}"
        );
    }
    for cut in [SMALL.len() - 1, SMALL.len() - 40, SMALL.len() - 150] {
        let (_, read) = read_text(&SMALL[..cut], None);
        let p = &read.unwrap()[0];
        assert!(p.meta.salvaged.is_some(), "{cut}");
        assert_eq!(totals(p)[1], 9135);
        let mut symbols = Symbols::default();
        let bytes = SMALL.as_bytes()[..cut].to_vec();
        let source = Source::from_bytes("x", bytes, Limits::default()).unwrap();
        let mut cx = Context::new(&mut symbols);
        cx.strict = true;
        let error = (FORMAT.read)(&source, &mut cx).unwrap_err();
        assert_eq!(error.code(), Code::Truncated);
    }
}

#[test]
fn cut_and_flipped() {
    testing::cut_and_flip(&FORMAT, SMALL.as_bytes());
}
