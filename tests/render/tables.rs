//! CSV, Markdown and folded stacks.

use super::{json, profile, text};

const FAULTY: [&str; 3] = ["--runs", "50,200,800", "profiles/ingest/faulty"];

/// What inferno-diff-folded writes of the same files. heaptrack ends every stack with an empty
/// frame, which is none.
#[test]
fn folded_is_what_inferno_writes() {
    for (kind, unit) in [
        ("leaked", "bytes"),
        ("peak", "bytes"),
        ("allocations", "blocks"),
    ] {
        let path = |n| format!("profiles/folded/{kind}-{n}.folded");
        let ours = text(
            "folded",
            &["--unit", unit, "--metric", unit, &path("050"), &path("200")],
        );
        let theirs = profile(&format!("folded/{kind}.diff-strip-hex.folded"));
        assert_eq!(ours, theirs.replace("; ", " "), "{kind}");
        let mut lines: Vec<&str> = ours.lines().collect();
        lines.sort_by_key(|l| l.rsplitn(3, ' ').last().map(str::as_bytes));
        assert_eq!(lines, ours.lines().collect::<Vec<_>>());
    }
}

#[test]
fn csv_sums_to_the_total() {
    for limit in ["0", "1", "5"] {
        for more in [&["--focus", "flush"][..], &["--group-by", "function"], &[]] {
            let args = [&FAULTY[..], &["--limit", limit], more].concat();
            let text = text("csv", &args);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let header = reader.headers().unwrap().clone();
            let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.unwrap()).collect();
            for (i, name) in header.iter().enumerate() {
                let numbers = ["_before", "_after", "_delta"];
                if name != "sites" && !numbers.iter().any(|end| name.ends_with(end)) {
                    continue;
                }
                let (total, parts) = rows.split_last().unwrap();
                assert_eq!(&total[0], "total");
                let sum: i128 = parts.iter().map(|r| r[i].parse::<i128>().unwrap()).sum();
                assert_eq!(sum.to_string(), total[i], "{name} of {args:?}");
            }
        }
    }
}

#[test]
fn markdown_says_the_verdict_first_and_sums_up() {
    let page = text("md", &FAULTY);
    assert!(
        page.starts_with("### LEAK: +11,000 B and 9 blocks per run"),
        "{page}"
    );
    let table: Vec<&str> = page.lines().filter(|l| l.starts_with('|')).collect();
    assert_eq!(
        table[0],
        "| per run | growth | before | after | class | site |"
    );
    assert!(page.contains("| 17 other sites |"));
    assert!(page.contains("| **total** |"));
    assert_eq!(
        page.matches("<details>").count(),
        page.matches("</details>").count()
    );
    let first = page.split("<details>").next().unwrap();
    assert!(first.len() < 2_000);
}

#[test]
fn markdown_shows_twenty_rows_and_folds_the_rest_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let capture = |n: i64| -> String {
        (0..500)
            .map(|i| format!("main;site{i} {}\n", 1000 + n * i))
            .collect()
    };
    std::fs::write(path("a.folded"), capture(1)).unwrap();
    std::fs::write(path("b.folded"), capture(2)).unwrap();
    let pair = [path("a.folded"), path("b.folded")];
    let pair: Vec<&str> = pair.iter().map(String::as_str).collect();
    let page = text("md", &pair);
    let rows = |part: &str| part.lines().filter(|l| l.contains("<code>")).count();
    let (first, rest) = page.split_once("<details>").unwrap();
    assert_eq!(rows(first), 20);
    assert!(first.contains("| 480 other sites |"));
    assert!(rest.contains("<summary>80 more sites</summary>"));
    let all = text("md", &[&pair[..], &["--limit", "0"]].concat());
    assert!(all.len() < 65_536);
    assert!(rows(all.split("<details>").next().unwrap()) > 200);
    assert_eq!(json(&pair)["sites"].as_array().unwrap().len(), 500);
}
