use super::*;
use crate::format::testing::{self, cut_and_flip_graph};
use crate::model::{EdgeKind, HeapGraph, Symbols};

/// A snapshot of given nodes (kind, name, id, size, references, trace, detached), references
/// (kind, name or index, ordinal) and strings.
struct Snapshot {
    nodes: Vec<[u64; 7]>,
    edges: Vec<[u64; 3]>,
    strings: Vec<&'static str>,
    extra: &'static str,
}

const STRING: u64 = 2;
const OBJECT: u64 = 3;
const CLOSURE: u64 = 5;
const NATIVE: u64 = 8;
const SYNTHETIC: u64 = 9;
const META: &str = r#""node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],"string","number","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"trace_node_fields":["id","function_info_index","count","size","children"],"sample_fields":["timestamp_us","last_assigned_id"],"location_fields":["object_index","script_id","line","column"]"#;

impl Snapshot {
    fn small() -> Snapshot {
        Snapshot {
            nodes: vec![
                [SYNTHETIC, 0, 1, 0, 3, 0, 0],
                [SYNTHETIC, 1, 3, 0, 1, 0, 0],
                [SYNTHETIC, 2, 5, 0, 1, 0, 0],
                [OBJECT, 3, 7, 40, 3, 0, 0],
                [OBJECT, 4, 9, 5_000_000_000, 2, 0, 0],
                [STRING, 5, 11, 16, 0, 0, 0],
                [CLOSURE, 6, 13, 64, 1, 0, 0],
            ],
            edges: vec![
                [1, 1, 1],
                [5, 3, 3],
                [6, 3, 4],
                [1, 1, 2],
                [1, 70, 4],
                [2, 7, 4],
                [2, 7, 5],
                [5, 7, 6],
                [0, 8, 6],
                [4, 3, 3],
                [3, 9, 4],
            ],
            strings: vec![
                "",
                "(GC roots)",
                "(Global handles)",
                "global / x",
                "Session",
                "a secret",
                "onChange",
                "current",
                "state",
                "context",
            ],
            extra: "",
        }
    }

    fn sections(&self) -> [(&'static str, String); 6] {
        let flat = |rows: Vec<Vec<u64>>| {
            let rows: Vec<String> = rows
                .iter()
                .map(|r| r.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
                .collect();
            format!("[{}]", rows.join("\n,"))
        };
        let nodes = flat(self.nodes.iter().map(|n| n.to_vec()).collect());
        let edges = flat(
            self.edges
                .iter()
                .map(|e| vec![e[0], e[1], e[2] * 7])
                .collect(),
        );
        let strings: Vec<String> = self.strings.iter().map(|s| format!("\"{s}\"")).collect();
        [
            (
                "snapshot",
                format!(
                    "{{\"meta\":{{{META}}},\"node_count\":{},\"edge_count\":{},\"trace_function_count\":0}}",
                    self.nodes.len(),
                    self.edges.len()
                ),
            ),
            ("nodes", nodes),
            ("edges", edges),
            ("trace_tree", "[]".into()),
            ("locations", "[42,5,27,20]".into()),
            ("strings", format!("[{}]", strings.join(",\n"))),
        ]
    }

    fn text(&self) -> String {
        self.in_order(&[0, 1, 2, 3, 4, 5])
    }

    fn in_order(&self, order: &[usize]) -> String {
        let sections = self.sections();
        let members: Vec<String> = order
            .iter()
            .map(|&i| format!("\"{}\":{}", sections[i].0, sections[i].1))
            .collect();
        format!("{{{}{}}}\n", members.join(",\n"), self.extra)
    }
}

fn read_with(bytes: &[u8], strict: bool) -> Result<(HeapGraph, Symbols)> {
    testing::read_graph(&FORMAT, bytes, strict)
}

fn read_text(text: &str) -> Result<(HeapGraph, Symbols)> {
    read_with(text.as_bytes(), false)
}

/// Every object with its type, size and references.
fn rows(g: &HeapGraph, symbols: &Symbols) -> Vec<String> {
    let name = |v: u32| {
        let info = symbols.graph.type_info(g.type_of(v));
        symbols.strings.get(info.name).to_owned()
    };
    (0..g.len() as u32)
        .map(|v| {
            let edges = g.edges(v).map(|(to, label)| {
                let label = symbols.graph.label_info(label);
                let kind = label.kind.as_str();
                format!(" {}({kind})->{to}", symbols.strings.get(label.name))
            });
            format!("{} {}{}", name(v), g.size(v), edges.collect::<String>())
        })
        .collect()
}

#[test]
fn nodes_and_references_are_those_of_devtools() {
    let text = Snapshot::small().text();
    assert_eq!(sniff(text.as_bytes()), Match::Yes);
    let (g, symbols) = read_text(&text).unwrap();
    assert_eq!(
        rows(&g, &symbols),
        [
            "(root) 0",
            "(GC roots) 0",
            "(Global handles) 0 [](item)->4",
            "global 40 .current(attr)->4 .current(attr)->5",
            "Session 5000000000 local:state(closure)->6 <slot>(internal)->3",
            "(string) 16",
            "onChange() 64 <context>(internal)->4",
        ]
    );
    let roots: Vec<_> = g
        .roots
        .iter()
        .map(|r| {
            format!(
                "{} {} {}",
                r.node,
                r.kind.as_str(),
                symbols.strings.get(r.name)
            )
        })
        .collect();
    assert_eq!(
        roots,
        [
            "0 interp (root)",
            "1 interp (GC roots)",
            "2 handle (Global handles)",
            "3 module global"
        ]
    );
    assert_eq!(g.ids().get(4), Some(9));
    assert_eq!(symbols.strings.find("a secret"), None);
}

#[test]
fn members_may_come_in_any_order() {
    let small = Snapshot::small();
    let (g, symbols) = read_text(&small.text()).unwrap();
    let expected = rows(&g, &symbols);
    for order in [[5, 4, 3, 2, 1, 0], [0, 5, 2, 1, 4, 3], [1, 2, 0, 3, 4, 5]] {
        let (g, symbols) = read_text(&small.in_order(&order)).unwrap();
        assert_eq!(rows(&g, &symbols), expected);
    }
}

#[test]
fn a_weak_map_holds_its_values_by_their_keys() {
    let mut s = Snapshot::small();
    // 2 is the table (id 5), 3 the key, 4 the value.
    s.strings[9] = "1 / part of key (global @7) -> value (Session @9) pair in WeakMap (table @5)";
    s.edges[4] = [3, 9, 4];
    s.edges[5] = [3, 9, 4];
    let (g, symbols) = read_text(&s.text()).unwrap();
    let rows = rows(&g, &symbols);
    assert_eq!(rows[2], "(Global handles) 0");
    assert!(rows[3].starts_with("global 40 <WeakMap value>(ephemeron)->4"));
    assert_eq!(g.meta.counts.weak, 1);
    let ephemeral = symbols
        .graph
        .labels()
        .iter()
        .filter(|l| l.kind == EdgeKind::Ephemeron);
    assert_eq!(ephemeral.count(), 1);
}

#[test]
fn detached_counts_where_there_is_a_document() {
    let mut s = Snapshot::small();
    s.nodes[4] = [NATIVE, 4, 10, 8, 2, 0, 2];
    let (g, symbols) = read_text(&s.text()).unwrap();
    assert!(rows(&g, &symbols)[4].starts_with("Session 8"));
    s.strings[4] = "<div class=x>";
    let (g, symbols) = read_text(&s.text()).unwrap();
    assert!(rows(&g, &symbols)[4].starts_with("Detached <div> 8"));
}

#[test]
fn runs_and_items_stand_behind_the_names() {
    let mut s = Snapshot::small();
    s.extra = r#","heapdiff":{"version":1,"run":40,"items":80,"label":"\u005bend\u005d","settled":true,"runtime_version":"v20","pid":7}"#;
    let (g, _) = read_text(&s.text()).unwrap();
    assert_eq!(
        (g.meta.runs(), g.meta.driver("items")),
        (Some(40.0), Some(80.0))
    );
    assert_eq!(g.meta.label.as_deref(), Some("[end]"));
    assert_eq!((g.meta.settled, g.meta.pid), (Some(true), Some(7)));
}

/// Which names are used is noted before the table is seen: one number must not take memory.
#[test]
fn names_beyond_any_table_are_refused() {
    let traced = Snapshot::small()
        .text()
        .replace("\"trace_function_count\":0", "\"trace_function_count\":1")
        .replace(
            "\"trace_tree\":[]",
            "\"trace_function_infos\":[0,4294967295,0,0,0,0],\"trace_tree\":[1,0,0,0,[]]",
        );
    let mut referring = Snapshot::small();
    referring.edges[5][1] = 4_294_967_295;
    for text in [traced, referring.text()] {
        let error = read_text(&text).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("name lies beyond any table"), "{error}");
    }
}

#[test]
fn traces_are_stacks() {
    let mut s = Snapshot::small();
    s.nodes[4][5] = 3;
    s.strings.push("main");
    s.strings.push("/app/a.js");
    let text = s
        .text()
        .replace("\"trace_function_count\":0", "\"trace_function_count\":2")
        .replace(
            "\"trace_tree\":[]",
            "\"trace_function_infos\":[0,0,0,0,0,0,1,10,11,5,3,7],\"trace_tree\":[1,0,0,0,[2,1,0,0,[3,1,1,8,[]],4,1,0,0,[]]]",
        );
    let (g, symbols) = read_text(&text).unwrap();
    let stack = symbols
        .stacks
        .ids()
        .nth(g.site(4).unwrap() as usize)
        .unwrap();
    let frames: Vec<_> = symbols
        .stacks
        .frames(stack)
        .map(|f| symbols.frames.get(f))
        .map(|f| format!("{} {}", symbols.strings.get(f.function), f.line))
        .collect();
    assert_eq!(frames, ["main 3", "main 3"]);
    assert_eq!(g.site(3), None);
}

#[test]
fn damage_is_named() {
    let s = Snapshot::small();
    let text = s.text();
    for (from, to, code) in [
        ("\"node_count\":7", "\"node_count\":8", Code::Damaged),
        (
            "\"node_count\":7",
            "\"node_count\":99999999999999",
            Code::Damaged,
        ),
        ("\"edge_count\":11", "\"edge_count\":12", Code::Damaged),
        (",5000000000,", ",99999999999999999999999,", Code::Damaged),
        (",5000000000,", ",-5,", Code::Damaged),
        (",5000000000,", ",1.5,", Code::Damaged),
        ("[9,0,1,", "[99,0,1,", Code::Damaged),
        ("[1,1,7\n", "[1,1,6\n", Code::Damaged),
        ("[1,1,7\n", "[55,1,7\n", Code::Damaged),
        ("[1,1,7\n", "[2,88,7\n", Code::Damaged),
        ("\"strings\"", "\"stringz\"", Code::Truncated),
        ("self_size", "size", Code::Damaged),
        ("\"snapshot\"", "\"snap\"", Code::Unrecognised),
    ] {
        let broken = text.replace(from, to);
        assert_ne!(broken, text, "{from}");
        match read_text(&broken) {
            Err(e) => assert_eq!(e.code(), code, "{to}: {e}"),
            // The root's own references have no names.
            Ok(_) => assert_eq!(to, "[2,88,7\n"),
        }
    }
    // A reference beyond the last node is counted.
    let (g, _) = read_text(&text.replace("\n,2,7,28", "\n,2,7,700")).unwrap();
    assert_eq!(g.meta.counts.out_of_range, 1);
    let bun = br#"{"version":3,"type":"Inspector","nodeClassNames":[],"edgeTypes":[]}"#;
    let error = read_with(bun, false).map(|_| ()).unwrap_err();
    assert_eq!((sniff(bun), error.code()), (Match::Yes, Code::Unsupported));
}

#[test]
fn a_file_that_ends_within_its_names_is_read_without_them() {
    let text = Snapshot::small().text();
    let cut = &text[..text.find("\"onChange\"").unwrap() + 3];
    let (g, symbols) = read_text(cut).unwrap();
    assert!(g.meta.salvaged.is_some());
    assert_eq!(rows(&g, &symbols)[6].split(' ').next(), Some("(anonymous"));
    let strict = read_with(cut.as_bytes(), true).map(|_| ()).unwrap_err();
    assert_eq!(strict.code(), Code::Truncated);
    let cut = &text[..text.find("\"locations\"").unwrap()];
    assert_eq!(
        read_text(cut).map(|_| ()).unwrap_err().code(),
        Code::Truncated
    );
}

#[test]
fn cut_and_flipped_files_never_panic() {
    cut_and_flip_graph(&FORMAT, Snapshot::small().text().as_bytes());
}
