use super::*;
use crate::format::testing::{self, cut_and_flip_graph, graph_rows as rows};
use crate::model::{HeapGraph, Symbols};

/// As Ruby 3.3 writes it: with shapes, so that variables have names.
const SHAPED: &str = r#"{"type":"ROOT", "root":"vm", "references":["0x10", "0x99"]}
{"type":"ROOT", "root":"machine_context", "references":["0x30"]}
{"address":"0x10", "type":"CLASS", "shape_id":2, "slot_size":160, "class":"0x11", "variation_count":0, "superclass":"0x12", "name":"Session", "references":["0x12", "0x30"], "memsize":560, "flags":{"wb_protected":true}}
{"address":"0x11", "type":"CLASS", "superclass":"0x10", "singleton":true, "memsize":100}
{"address":"0x12", "type":"CLASS", "name":"Object", "memsize":100}
{"address":"0x30", "type":"OBJECT", "shape_id":7, "slot_size":40, "class":"0x10", "embedded":true, "ivars":2, "references":["0x40", "0x50"], "file":"a.rb", "line":7, "method":"open", "generation":3, "memsize":40, "flags":{"old":true}}
{"address":"0x31", "type":"OBJECT", "shape_id":7, "class":"0x11", "ivars":2, "references":["0x40"], "memsize":40}
{"address":"0x40", "type":"ARRAY", "class":"0x60", "length":1, "references":["0x30", "0x30"], "memsize":40}
{"address":"0x50", "type":"STRING", "class":"0x61", "bytesize":6, "value":"a \"secret\"", "encoding":"UTF-8", "memsize":40}
{"address":"0x60", "type":"CLASS", "name":"Array", "memsize":8}
{"address":"0x61", "type":"CLASS", "name":"String", "memsize":8}
{"address":"0x70", "type":"DATA", "class":"0x99", "struct":"proc", "references":["0x80"], "slot_size":80}
{"address":"0x80", "type":"IMEMO", "class":"0x999", "imemo_type":"env", "references":["0x30"], "memsize":40}
{"address":"0x90", "type":"SHAPE", "id":5, "parent_id":5, "shape_type":"ROOT"}
{"address":"0x91", "type":"SHAPE", "id":6, "parent_id":5, "depth":1, "shape_type":"IVAR", "edge_name":"@basket"}
{"address":"0x92", "type":"SHAPE", "id":7, "parent_id":6, "depth":2, "shape_type":"IVAR", "edge_name":"@name"}
"#;

fn read_with(bytes: &[u8], strict: bool) -> Result<(HeapGraph, Symbols)> {
    testing::read_graph(&FORMAT, bytes, strict)
}

#[test]
fn classes_and_shapes_give_names() {
    assert_eq!(sniff(SHAPED.as_bytes()), Match::Yes);
    let (g, symbols) = read_with(SHAPED.as_bytes(), true).unwrap();
    assert_eq!(
        rows(&g, &symbols),
        [
            "class Session 560 <class>->1 ::*->2 ::*->3",
            "class Session 100",
            "class Object 100",
            "Session 40 <class>->0 @basket->5 @name->6",
            "Session 40 <class>->1 @*->5",
            "Array 40 <class>->7 []->3 []->3",
            "String 40 <class>->8",
            "class Array 8",
            "class String 8",
            "DATA/proc 80 local:*->10",
            "IMEMO/env 40 local:*->3",
        ]
    );
    assert_eq!(
        (g.meta.counts.dangling, g.meta.counts.dangling_roots),
        (1, 1)
    );
    assert_eq!(g.ids().get(3), Some(0x30));
    assert!(g.site(3).is_some() && g.site(4).is_none());
    assert_eq!(symbols.strings.find("a \"secret\""), None);
    assert!(g.meta.notes.iter().any(|n| n.contains("GC.start")));
}

#[test]
fn a_first_line_tells_the_runs() {
    let header = r#"{"format":"heapdiff-ruby","version":1,"run":3,"items":9,"gc":"full","runtime_version":"3.3.0","pid":4}"#;
    let text = format!("{header}\n{SHAPED}");
    let (g, _) = read_with(text.as_bytes(), true).unwrap();
    assert_eq!(
        (g.meta.runs(), g.meta.driver("items")),
        (Some(3.0), Some(9.0))
    );
    assert_eq!((g.meta.gc, g.meta.pid), (GcMode::Full, Some(4)));
}

#[test]
fn lines_that_are_no_json_are_counted_and_cuts_salvaged() {
    // As Ruby 2.6 may write it: a raw control character in a string.
    let many = SHAPED.replace("a.rb", "a\u{1}.rb");
    let error = read_with(many.as_bytes(), false).map(|_| ()).unwrap_err();
    assert_eq!(error.place(), Some(Place::Line(6)), "{error}");
    let filler: String = (0..200)
        .map(|n| {
            format!(
                "{{\"address\":\"0x{:x}\", \"type\":\"FLOAT\", \"memsize\":40}}\n",
                0x1000 + n * 8
            )
        })
        .collect();
    let (g, _) = read_with(format!("{many}{filler}").as_bytes(), false).unwrap();
    assert_eq!(g.meta.counts.unknown, 1);
    let cut = &SHAPED.as_bytes()[..SHAPED.find("\"IMEMO\"").unwrap()];
    let (g, _) = read_with(cut, false).unwrap();
    assert!(g.meta.salvaged.is_some());
    assert_eq!(g.len(), 10);
    let strict = read_with(cut, true).map(|_| ()).unwrap_err();
    assert_eq!(strict.code(), Code::Truncated);
}

#[test]
fn an_object_that_is_written_twice_is_refused() {
    let text = SHAPED.replace("\"0x31\"", "\"0x30\"");
    let error = read_with(text.as_bytes(), false).map(|_| ()).unwrap_err();
    assert_eq!(
        (error.code(), error.place()),
        (Code::Damaged, Some(Place::Line(7)))
    );
}

#[test]
fn cut_and_flipped_files_never_panic() {
    cut_and_flip_graph(&FORMAT, SHAPED.as_bytes());
}
