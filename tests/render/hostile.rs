//! Names that mean something to the reader of a rendering.

use super::{json, rendered, text};
use serde_json::{Value, json as value};

fn names() -> Vec<String> {
    [
        "</script><script>alert(1)</script>",
        "\"quoted\" 'single' \\back\\",
        "line\nfeed\r\nand\ttab\u{0}\u{1b}[31m",
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1:A9)",
        "| pipe || `tick` ``ticks`` **bold** __init__",
        "](http://example.com/) <img src=x onerror=alert(1)> &lt; https://example.com",
        "\u{202e}gnp.exe\u{202c} \u{2067}x\u{2069} \u{200f}",
        "a;b;c 12 34",
        "# comment",
        "ends with 12",
        "\u{fffe}\u{ffff}\u{1F600}e\u{301}",
        " ",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        "x".repeat(10_000),
        "\u{1F600}".repeat(10_000),
        "&<|".repeat(3_000),
    ])
    .collect()
}

/// Two captures whose functions, files and labels have such names; one name is no UTF-8.
fn captures(dir: &std::path::Path) -> [String; 2] {
    [1i64, 7].map(|factor| {
        let names = names();
        let table: Vec<String> = std::iter::once("[root]".to_owned())
            .chain(names.iter().map(|n| format!("0x1: {n} ({n}.c:3)")))
            .chain(names.iter().map(|n| format!("0x1: {n}")))
            .chain(["0x1: INVALID (x.c:1)".to_owned()])
            .collect();
        let points: Vec<Value> = (1..table.len())
            .map(|i| {
                let n = factor * i as i64;
                value!({"tb": n * 10, "tbk": n, "tl": 0, "mb": n, "mbk": n, "gb": n, "gbk": n,
                    "eb": n, "ebk": n, "fs": [i, 1 + (i * 7) % (table.len() - 1)]})
            })
            .collect();
        let text = value!({"dhatFileVersion": 2, "mode": "heap", "verb": "Allocated", "bklt": true,
            "bkacc": false, "tu": "instrs", "Mtu": "Minstr", "cmd": "</script>\n=cmd()", "pid": 1,
            "tg": 1, "te": 2, "pps": points, "ftbl": table})
        .to_string();
        let (head, tail) = text.split_once("INVALID").unwrap();
        let bytes = [head.as_bytes(), b"in\xff\xfevalid", tail.as_bytes()].concat();
        let path = dir.join(format!("{factor}.json"));
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

fn each(check: impl Fn(&[&str])) {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = captures(dir.path());
    for more in [
        &[][..],
        &["--group-by", "function"],
        &["--group-by", "file"],
    ] {
        check(&[&[a.as_str(), b.as_str()], more].concat());
    }
}

#[test]
fn json_is_one_value_and_lines_are_lines() {
    each(|args| {
        let document = json(args);
        let lines = text("jsonl", args);
        let sites = document["sites"].as_array().unwrap().len();
        assert_eq!(lines.lines().count(), sites);
        for line in lines.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
        for finding in document["findings"].as_array().unwrap() {
            let title = finding["title"].as_str().unwrap();
            assert!(!title.contains(|c: char| c.is_control()), "{title}");
        }
    });
}

#[test]
fn csv_has_no_formula() {
    each(|args| {
        let text = text("csv", args);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().len();
        let mut rows = 0;
        for record in reader.records() {
            let record = record.unwrap();
            assert_eq!(record.len(), columns);
            for cell in &record {
                let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!formula || cell.parse::<f64>().is_ok(), "{cell}");
            }
            rows += 1;
        }
        assert!(rows > 10);
    });
}

#[test]
fn markdown_holds_no_other_markup() {
    each(|args| {
        for limit in ["0", "20", "3"] {
            let page = text("md", &[args, &["--limit", limit]].concat());
            assert!(page.len() < 65_536, "{}", page.len());
            let allowed = [
                "<code>",
                "</code>",
                "<details>",
                "</details>",
                "<summary>",
                "</summary>",
            ];
            let mut rest = page.clone();
            for tag in allowed {
                rest = rest.replace(tag, "");
            }
            assert!(!rest.contains('<'), "{}", &rest[rest.find('<').unwrap()..]);
            assert!(!rest.contains(['`', '[', '@', '\u{202e}', '\u{2067}', '\u{0}']));
            let mut width = None;
            for line in page.lines() {
                if !line.starts_with('|') {
                    width = None;
                    continue;
                }
                let cells = line.matches('|').count();
                assert_eq!(*width.get_or_insert(cells), cells, "{line}");
            }
        }
    });
}

#[test]
fn folded_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    each(|args| {
        let folded = rendered("folded", args);
        let path = dir.path().join("x.folded");
        std::fs::write(&path, &folded).unwrap();
        let path = path.to_str().unwrap();
        let (whole, again) = (json(args), json(&[path, path, "--input-format", "folded"]));
        for which in ["before", "after"] {
            assert_eq!(
                whole["totals"][which]["live_bytes"],
                again["totals"][which]["bytes"]
            );
        }
    });
}

#[test]
fn pprof_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    each(|args| {
        let path = dir.path().join("x.pb.gz");
        std::fs::write(&path, rendered("pprof", args)).unwrap();
        let path = path.to_str().unwrap();
        let (whole, again) = (json(args), json(&[path, path]));
        let delta = &whole["totals"]["delta"]["live_bytes"];
        assert_eq!(delta, &again["totals"]["after"]["live_bytes"]);
    });
}

#[test]
fn a_picture_is_well_formed() {
    each(|args| {
        let svg = text("svg", args);
        let mut reader = quick_xml::Reader::from_str(&svg);
        let mut scripts = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(e) => {
                    scripts += usize::from(e.name().as_ref() == b"script");
                    assert_ne!(e.name().as_ref(), b"img");
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        // What is drawn, and what draws it again.
        assert_eq!(scripts, 2);
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        assert!(!svg.contains(odd));
        assert!(!svg.contains(['\u{202e}', '\u{2067}', '\u{ffff}']));
    });
}
