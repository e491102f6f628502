//! Records, damage and files that are cut short.

use super::*;
use crate::model::{HeapGraph, Limits};

const HEAD: &str = r#"{"format":"heapdiff-graph","version":1,"runtime":"cpython","id_kind":"address","capture":{"run":2,"items":30,"gc":"none","gc_enabled":false}}
{"t":0,"name":"builtins.dict"}
{"t":1,"name":"app.Broker","role":"instance"}
{"k":0,"name":"[key]","kind":"item"}
{"k":1,"name":".last","kind":"attr"}
{"k":2,"name":"<weak>","kind":"weak"}
"#;

fn parse_with(text: &[u8], strict: bool, values: bool) -> Result<(HeapGraph, Symbols)> {
    let source = Source::from_bytes("x", text.to_vec(), Limits::default())?;
    let mut symbols = Symbols::default();
    let mut cx = Context {
        strict,
        values,
        ..Context::new(&mut symbols)
    };
    let graph = super::super::read(&source, None, &mut cx)?.remove(0);
    Ok((graph.into_graph().unwrap(), symbols))
}

fn parse(rest: &str) -> Result<(HeapGraph, Symbols)> {
    parse_with(format!("{HEAD}{rest}").as_bytes(), false, false)
}

#[test]
fn records_become_rows() {
    let (g, symbols) = parse(
        r#"{"r":18446744073709551615,"kind":"module","name":"__main__"}
{"n":16,"t":1,"s":48,"e":[1,32,2,32,1,77],"v":"secret"}
{"new kind":[1,{"x":2}]}
{"n":"0x20","t":0,"s":5000000000,"e":[0,"16"],"c":3}
{"n":18446744073709551615,"t":1,"s":1,"e":[]}
{"n":16,"t":1,"s":48,"e":[1,32,2,32,1,77]}
{"r":32,"kind":"uncollected"}
{"r":5,"kind":"frame"}
{"end":true,"nodes":4,"edges":7,"roots":3}
"#,
    )
    .unwrap();
    assert_eq!((g.len(), g.targets()), (3, &[1, 0][..]));
    assert_eq!(g.size(1), 5_000_000_000);
    let counts = g.meta.counts;
    assert_eq!((counts.dangling, counts.weak, counts.duplicates), (1, 2, 1));
    assert_eq!((counts.unknown, counts.dangling_roots), (1, 1));
    assert_eq!((g.roots[0].node, g.roots[1].weak), (2, true));
    assert_eq!(g.meta.runs(), Some(2.0));
    assert_eq!(g.meta.driver("items"), Some(30.0));
    assert_eq!(g.meta.gc_enabled, Some(false));
    assert_eq!((g.value(0), &g.meta.salvaged), (None, &None));
    assert!(symbols.strings.find("secret").is_none());
    let role = |v| symbols.graph.type_info(g.type_of(v)).role;
    assert_eq!((role(0), role(1)), (Role::Instance, Role::Map));
}

#[test]
fn values_are_read_only_when_asked_for() {
    let text = format!("{HEAD}{}", r#"{"n":1,"t":1,"s":1,"v":"secret"}"#);
    let (g, symbols) = parse_with(text.as_bytes(), false, true).unwrap();
    assert_eq!(g.value(0).map(|v| symbols.strings.get(v)), Some("secret"));
}

#[test]
fn a_file_cut_short_is_read_as_far_as_it_goes() {
    let whole = format!(
        "{HEAD}{}",
        "{\"n\":1,\"t\":1,\"s\":1,\"e\":[1,2]}\n{\"n\":2,\"t\":1,\"s\":1}\n{\"end\":true}\n"
    );
    for cut in 1..whole.len() {
        match parse_with(&whole.as_bytes()[..cut], false, false) {
            Ok((g, _)) => assert!(!g.is_empty()),
            Err(e) => assert!(matches!(
                e.code(),
                Code::Truncated | Code::Damaged | Code::Unrecognised
            )),
        }
    }
    let part = &whole.as_bytes()[..whole.len() - 14];
    let (g, _) = parse_with(part, false, false).unwrap();
    assert_eq!(g.len(), 2);
    assert!(g.meta.salvaged.is_some());
    let error = parse_with(part, true, false).unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
}

#[test]
fn damage_names_the_line() {
    for (line, why) in [
        (r#"{"n":1,"t":9,"s":1}"#, "type 9 is not defined"),
        (r#"{"n":1,"t":1,"s":1,"e":[9,1]}"#, "label 9 is not defined"),
        (
            r#"{"n":1,"t":1,"s":1,"e":[1]}"#,
            "a label without its target",
        ),
        (r#"{"n":-1,"t":1,"s":1}"#, "not negative"),
        (r#"{"n":18446744073709551616,"t":1}"#, "exceeds 64 bits"),
        (r#"{"n":1,"s":1}"#, "the object has no type"),
        (r#"{"n":1,"t":1,"s":1} {"#, "goes on"),
        (r#"{"n":1,"t":1"#, "ends too early"),
        (r#"{"n":"x","t":1}"#, "is no id"),
        (r#"{"t":1,"name":"other"}"#, "defined twice"),
        (r#"{"n":1,"t":1,"a":3}"#, "site 3 is not defined"),
        (
            "{\"n\":1,\"t\":1,\"s\":1}\n{\"n\":1,\"t\":1,\"s\":2}",
            "otherwise",
        ),
    ] {
        let error = parse(&format!("{line}\n{{\"end\":true}}\n")).unwrap_err();
        assert_eq!(error.code(), Code::Damaged, "{line}");
        let text = error.to_string();
        let number = if line.contains('\n') {
            "line 8"
        } else {
            "line 7"
        };
        assert!(text.contains(why) && text.contains(number), "{text}");
    }
    let other = HEAD.replace("\"version\":1", "\"version\":2");
    let error = parse_with(other.as_bytes(), false, false).unwrap_err();
    assert_eq!(error.code(), Code::Unsupported);
}
