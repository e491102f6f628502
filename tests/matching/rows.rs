//! What must come out of small captures.

use super::{Matched, compare, folded};
use heapdiff::diff::MatchedBy;
use heapdiff::input::Source;
use heapdiff::model::Limits;
use std::fmt::Write;

/// A DHAT capture of Rust: stacks leaf first, each with its bytes.
fn dhat(sites: &[(&[&str], i64)]) -> Source {
    let mut table = vec!["[root]".to_owned()];
    let mut pps = Vec::new();
    for (frames, bytes) in sites {
        let ids: Vec<String> = frames
            .iter()
            .map(|f| {
                table.push(format!("0x{:x}: {f}", 0x1000 + table.len()));
                (table.len() - 1).to_string()
            })
            .collect();
        pps.push(format!(
            r#"{{"tb":{bytes},"tbk":1,"tl":1,"mb":{bytes},"mbk":1,"gb":{bytes},"gbk":1,"eb":{bytes},"ebk":1,"fs":[{}]}}"#,
            ids.join(",")
        ));
    }
    let mut text = String::new();
    write!(
        text,
        r#"{{"dhatFileVersion":2,"mode":"rust-heap","verb":"Allocated","bklt":true,"bkacc":false,"tu":"µs","Mtu":"s","cmd":"app","pid":1,"tg":1,"te":2,"pps":[{}],"ftbl":{}}}"#,
        pps.join(","),
        serde_json::to_string(&table).unwrap()
    )
    .unwrap();
    Source::from_bytes("x.json", text.into_bytes(), Limits::default()).unwrap()
}

fn rust(base: &[(&[&str], i64)], new: &[(&[&str], i64)]) -> Matched {
    compare(&dhat(base), &dhat(new), MatchedBy::Moved, true)
}

fn all(m: &Matched, by: MatchedBy) {
    for (row, found) in m.matching.rows.iter().enumerate() {
        let (before, after) = m.ends(row);
        assert_eq!(before, after, "{:?}", m.words());
        assert_eq!(found.by, by, "{:?}", m.words());
    }
}

#[test]
fn lines_that_shift_are_no_difference() {
    let m = rust(
        &[
            (
                &["app::read (src/app.rs:10:5)", "app::main (src/app.rs:40:5)"],
                100,
            ),
            (
                &["app::read (src/app.rs:12:5)", "app::main (src/app.rs:40:5)"],
                200,
            ),
            (
                &[
                    "app::write (src/app.rs:20:5)",
                    "app::main (src/app.rs:41:5)",
                ],
                300,
            ),
        ],
        &[
            (
                &["app::read (src/app.rs:13:5)", "app::main (src/app.rs:43:5)"],
                100,
            ),
            (
                &["app::read (src/app.rs:15:5)", "app::main (src/app.rs:43:5)"],
                200,
            ),
            (
                &[
                    "app::write (src/app.rs:23:5)",
                    "app::main (src/app.rs:44:5)",
                ],
                300,
            ),
        ],
    );
    assert_eq!(m.len(), 3);
    all(&m, MatchedBy::Line);
}

#[test]
fn hashes_and_closure_numbers_are_no_difference() {
    let m = rust(
        &[
            (
                &[
                    "app::read::h0123456789abcdef (src/app.rs:10:5)",
                    "app::main (src/app.rs:40:5)",
                ],
                100,
            ),
            (
                &[
                    "app::run::{closure#0} (src/app.rs:22:9)",
                    "app::run (src/app.rs:21:5)",
                ],
                70,
            ),
        ],
        &[
            (
                &[
                    "app::read::hfedcba9876543210 (src/app.rs:10:5)",
                    "app::main (src/app.rs:40:5)",
                ],
                100,
            ),
            (
                &[
                    "app::run::{closure#1} (src/app.rs:22:9)",
                    "app::run (src/app.rs:21:5)",
                ],
                70,
            ),
        ],
    );
    assert_eq!(m.len(), 2);
    all(&m, MatchedBy::Symbol);
}

#[test]
fn code_that_moved_to_another_function_is_moved() {
    let m = folded(
        "main;parse;alloc_buf;malloc 60\nmain;run;malloc 10\n",
        "main;load;alloc_buf;malloc 60\nmain;run;malloc 10\n",
    );
    assert_eq!(
        m.words(),
        [
            "main;load;alloc_buf;malloc 60 60 moved",
            "main;run;malloc 10 10 exact"
        ]
    );
    let row = (0..m.len()).find(|&r| m.matching.rows[r].by == MatchedBy::Moved);
    assert!(m.matching.rows[row.unwrap()].base_stack.is_some());
}

#[test]
fn sizes_further_apart_than_a_factor_of_two_did_not_move() {
    let m = folded(
        "base_only 50\nboth1 25\nboth2 25\n",
        "both1 25\nboth2 50\nnew 125\n",
    );
    assert_eq!(
        m.words(),
        [
            "base_only 50 0 only-before",
            "both1 25 25 exact",
            "both2 25 50 exact",
            "new 0 125 only-after"
        ]
    );
}

/// Three allocations of one function became four, and the lines say no more than that.
#[test]
fn sites_that_cannot_be_told_apart_are_one_row() {
    let site = |line: u32, main: u32| {
        [
            format!("app::cache (src/app.rs:{line}:5)"),
            format!("app::main (src/app.rs:{main}:5)"),
        ]
    };
    let make = |lines: &[u32], main: u32| -> Vec<[String; 2]> {
        lines.iter().map(|&l| site(l, main)).collect()
    };
    let (old, new) = (make(&[10, 11, 12], 40), make(&[10, 11, 12, 13], 41));
    let refs = |list: &[[String; 2]]| -> Source {
        let stacks: Vec<Vec<&str>> = list
            .iter()
            .map(|f| f.iter().map(String::as_str).collect())
            .collect();
        let sites: Vec<(&[&str], i64)> = stacks.iter().map(|s| (s.as_slice(), 100)).collect();
        dhat(&sites)
    };
    let m = compare(&refs(&old), &refs(&new), MatchedBy::Moved, true);
    assert_eq!(m.len(), 1, "{:?}", m.words());
    assert_eq!(m.ends(0), (300, 400));
    assert_eq!(m.matching.rows[0].became, Some((3, 4)));
    assert_eq!(m.matching.ledger.ambiguous.sites, 1);
    assert_eq!(
        m.matching.ledger.reasons,
        [
            "3 sites became 4 in app::cache, and which is which cannot be told: their sum is compared"
        ]
    );
}

/// One program, two moments: another line of a function that did not move is another site.
#[test]
fn lines_of_one_build_are_kept_apart() {
    let frames = |line: u32| {
        [
            format!("app::work (src/app.rs:{line}:5)"),
            "app::main (src/app.rs:90:5)".to_owned(),
        ]
    };
    let (a, b, c, d) = (frames(10), frames(20), frames(30), frames(31));
    fn site(f: &[String; 2]) -> [&str; 2] {
        [f[0].as_str(), f[1].as_str()]
    }
    let (a, b, c, d) = (site(&a), site(&b), site(&c), site(&d));
    let m = rust(
        &[(&a, 1), (&b, 2), (&c, 100)],
        &[(&a, 1), (&b, 2), (&d, 100)],
    );
    let tiers = [
        MatchedBy::Exact,
        MatchedBy::OnlyBefore,
        MatchedBy::OnlyAfter,
    ]
    .map(|by| m.matching.ledger.tier(by).sites);
    assert_eq!(tiers, [2, 1, 1], "{:?}", m.words());
}

#[test]
fn a_tier_is_as_far_as_matching_goes() {
    let base = "main;parse;alloc_buf;malloc 60\nmain;run;malloc 10\n";
    let new = "main;load;alloc_buf;malloc 60\nmain;run;malloc 10\n";
    let source =
        |text: &str| Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default()).unwrap();
    let m = compare(&source(base), &source(new), MatchedBy::Source, true);
    assert_eq!(m.len(), 3);
    assert_eq!(m.matching.ledger.tier(MatchedBy::OnlyAfter).after, 60);
}

#[test]
fn the_parts_of_the_ledger_add_up() {
    let m = folded(
        "main;a;malloc 10\nmain;b;malloc 7\nmain;old 5\n",
        "main;a;malloc 30\nmain;c;malloc 7\nmain;x;y;z 900\n",
    );
    assert_eq!(m.matching.ledger.total(), (22, 937));
}
