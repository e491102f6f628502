//! Two captures: names, sums, code that moved, builds.

use super::{Files, document, row, text};
use serde_json::json;

fn two(base: &str, new: &str, more: &[&str]) -> serde_json::Value {
    let files = Files::new();
    let (a, b) = (files.write("a", base), files.write("b", new));
    document(&[&[a.as_str(), &b], more].concat())
}

#[test]
fn a_caller_is_the_sum_of_what_it_calls() {
    let base = "p;a 10\np;b 10\np2 30\n";
    let new = "p;a 30\np;b 30\np2 30\n";
    let d = two(base, new, &["--group-by", "function"]);
    let p = &row(&d, "p")["cumulative"];
    assert_eq!(
        (&p["before"]["bytes"], &p["after"]["bytes"]),
        (&json!(20), &json!(60))
    );
    assert_eq!(p["delta"]["bytes"], 40, "+200 % of 20");
    let p2 = row(&d, "p2");
    assert_eq!(
        (&p2["growth"], &p2["delta"]["bytes"]),
        (&json!("unchanged"), &json!(0))
    );
}

#[test]
fn new_and_gone_are_words_and_no_percentages() {
    let base = "m;base_only 50\nm;both1 25\nm;both2 25\n";
    let new = "m;both1 25\nm;both2 50\nm;new 125\n";
    let d = two(base, new, &[]);
    for (name, growth, delta) in [
        ("base_only", "gone", -50),
        ("both1", "unchanged", 0),
        ("both2", "grew", 25),
        ("new", "new", 125),
    ] {
        let row = row(&d, name);
        assert_eq!(
            (&row["growth"], &row["delta"]["bytes"]),
            (&json!(growth), &json!(delta))
        );
    }
    let files = Files::new();
    let (a, b) = (files.write("a", base), files.write("b", new));
    let text = text(&[&a, &b]);
    assert!(
        text.contains("+25 B +100.0 % 25 B 50 B m > both2"),
        "{text}"
    );
    assert!(text.contains("+125 B new 0 B 125 B m > new"), "{text}");
    assert!(text.contains("-50 B gone 50 B 0 B m > base_only"), "{text}");
}

#[test]
fn what_a_function_holds_is_told_from_what_it_calls() {
    let base = "main;foo 1\nmain;foo;bar 0\n";
    let new = "main;foo 2\nmain;foo;bar 4\n";
    let d = two(base, new, &["--group-by", "function"]);
    let foo = row(&d, "foo");
    assert_eq!(
        (&foo["before"]["bytes"], &foo["after"]["bytes"]),
        (&json!(1), &json!(2))
    );
    let total = &foo["cumulative"];
    assert_eq!(
        (&total["before"]["bytes"], &total["after"]["bytes"]),
        (&json!(1), &json!(6))
    );
    assert_eq!(row(&d, "bar")["growth"], "new");
}

#[test]
fn everything_doubles_is_growth_though_shares_are_equal() {
    let sites = |factor: u64| -> String {
        let line = |i: u64| format!("main;f{i} {}\n", 1000 * i * factor);
        (1..20).map(line).collect()
    };
    let d = two(&sites(1), &sites(2), &[]);
    assert_eq!(d["verdict"], "grew");
    let rows = d["sites"].as_array().unwrap();
    assert!(rows.iter().all(|r| r["growth"] == "grew"), "{d:#}");
}

#[test]
fn code_that_moved_is_moved_and_nothing_at_the_total() {
    let base = "main;parse;alloc_buf;malloc 60\nmain;run;malloc 10\n";
    let new = "main;load;alloc_buf;malloc 60\nmain;run;malloc 10\n";
    let files = Files::new();
    let (a, b) = (files.write("a", base), files.write("b", new));
    let d = document(&["--base", &a, &b]);
    assert_eq!(
        (&d["verdict"], &d["totals"]["delta"]["bytes"]),
        (&json!("same"), &json!(0))
    );
    let rows = d["sites"].as_array().unwrap();
    let moved: Vec<_> = rows.iter().filter(|r| r["matched_by"] == "moved").collect();
    assert_eq!(moved.len(), 1, "{d:#}");
    assert_eq!(
        (&moved[0]["growth"], &moved[0]["delta"]["bytes"]),
        (&json!("unchanged"), &json!(0))
    );
    assert!(moved[0]["moved_from"].is_string());
    assert!(text(&["--base", &a, &b]).starts_with("SAME"));
}

/// Two builds that differ in lines, hashes and the numbers of closures alone.
#[test]
fn what_a_build_changes_in_names_is_no_difference() {
    let dhat = |shift: u32, hash: &str, closure: u32| {
        let frame = |name: &str, line: u32| format!("{name} (src/app.rs:{}:5)", line + shift);
        let read = [
            frame("app::main", 40),
            frame(&format!("app::read::h{hash}"), 10),
        ];
        let run = [
            frame("app::main", 41),
            frame(&format!("app::run::{{closure#{closure}}}"), 22),
        ];
        let read: Vec<&str> = read.iter().map(String::as_str).collect();
        let run: Vec<&str> = run.iter().map(String::as_str).collect();
        super::exact(&[(&read, 100, 1), (&run, 70, 1)])
    };
    let old = dhat(0, "0123456789abcdef", 0);
    for new in [
        dhat(3, "0123456789abcdef", 0),
        dhat(0, "fedcba9876543210", 0),
        dhat(0, "0123456789abcdef", 1),
        dhat(40, "fedcba9876543210", 7),
    ] {
        let files = Files::new();
        let (a, b) = (files.write("a.json", &old), files.write("b.json", &new));
        let d = document(&["--base", &a, &b]);
        assert_eq!(d["verdict"], "same");
        let rows = d["sites"].as_array().unwrap();
        assert_eq!(rows.len(), 2);
        let same =
            |r: &serde_json::Value| r["growth"] == "unchanged" && r["delta"]["live_bytes"] == 0;
        assert!(rows.iter().all(same), "{d:#}");
    }
}

/// A function renamed in the middle of a stack: the site is the same, its caller's name is not.
#[test]
fn a_function_renamed_in_the_middle() {
    let base = "main;serve;encode;write;malloc 60\nmain;serve;flush;malloc 10\n";
    let new = "main;serve;serialise;write;malloc 90\nmain;serve;flush;malloc 10\n";
    let files = Files::new();
    let (a, b) = (files.write("a", base), files.write("b", new));
    let d = document(&["--base", &a, &b]);
    let rows = d["sites"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{d:#}");
    let deltas: Vec<i64> = rows
        .iter()
        .map(|r| r["delta"]["bytes"].as_i64().unwrap())
        .collect();
    assert_eq!(deltas, [30, 0]);
}

/// `examples/ingest.rs` at O0 after 50 runs, and another build of it after 200: what was planted
/// comes first. At the default depth of 10
/// a finding names the cut.
#[test]
fn the_planted_leak_comes_first_across_builds() {
    let new = "profiles/ingest/b.json@200";
    let planted = ["readd_failed", "encode"];
    for (base, cut) in [("o0-32.json", false), ("o0-10.json", true)] {
        let base = format!("profiles/builds/ingest/{base}@50");
        let d = document(&["--base", &base, new]);
        let name = |i: usize| {
            let row = &d["sites"][i];
            let owner = row["owner"].as_u64().unwrap() as usize;
            row["frames"][owner]["function"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert!(name(0).contains(planted[0]), "{base}: {}", name(0));
        let named = d["findings"].as_array().unwrap().iter();
        let cuts: Vec<_> = named.filter(|f| f["rule"] == "HD081").collect();
        assert_eq!(cuts.len(), usize::from(cut), "{base}: {cuts:#?}");
        for finding in cuts {
            // Ten frames as the tool counts them; its own are among them.
            let depth = finding["evidence"]["stack_cut_at"].as_u64().unwrap();
            assert!((6..=10).contains(&depth), "{finding:#}");
            let title = finding["title"].as_str().unwrap();
            assert!(title.contains(&format!("cut at depth {depth}")), "{title}");
        }
    }
}

/// Sites that cannot be told apart are called by the largest, whatever the order of the samples.
#[test]
fn a_group_is_called_by_its_largest_site() {
    let site = |line: u32, bytes: u64, shift: u32| (format!("cache (a.c:{})", line + shift), bytes);
    let make = |sites: &[(String, u64)], shift: u32| {
        let main = format!("main (a.c:{})", 40 + shift);
        let stacks: Vec<([&str; 2], u64)> = sites
            .iter()
            .map(|(f, bytes)| ([main.as_str(), f.as_str()], *bytes))
            .collect();
        let held: Vec<super::Held<'_>> = stacks.iter().map(|(s, b)| (&s[..], *b, 1)).collect();
        super::exact(&held)
    };
    let old: Vec<_> = [(10, 100), (11, 300), (12, 200)]
        .map(|(l, b)| site(l, b, 0))
        .to_vec();
    let mut new: Vec<_> = [(10, 100), (11, 100), (12, 900), (13, 100)]
        .map(|(l, b)| site(l, b, 1))
        .to_vec();
    let files = Files::new();
    let a = files.write("a.json", &make(&old, 0));
    let mut seen = Vec::new();
    for _ in 0..new.len() {
        new.rotate_left(1);
        let b = files.write("b.json", &make(&new, 1));
        let d = document(&["--base", &a, &b]);
        assert_eq!(d["sites"].as_array().unwrap().len(), 1, "{d:#}");
        let row = &d["sites"][0];
        assert_eq!(row["became"], json!([3, 4]));
        let frames = row["frames"].as_array().unwrap();
        assert_eq!(frames.last().unwrap()["line"], 13, "the largest: 900 B");
        seen.push(row["id"].clone());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}
