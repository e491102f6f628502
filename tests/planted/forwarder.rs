//! The log forwarder: a leak on every post, buffers that follow the connections, and error paths
//! that leak now and then.

use super::{Document, LEAKS, Site, first_word, truth};
use serde_json::Value;

const RUNS: [i64; 3] = [50, 200, 800];

fn capture(state: &str, runs: i64, connections: i64) -> String {
    format!("profiles/log-forwarder/dhat/{state}/runs-{runs:03}-conns-{connections}.json")
}

fn series(state: &str, connections: i64) -> Document {
    let captures = RUNS.map(|n| format!("{}@{n}", capture(state, n, connections)));
    Document::of(&captures.join(" "))
}

/// Whether a fault is switched on: a state names its cures.
fn has(truth: &Value, state: &str, fault: &str) -> bool {
    let cures = truth["folders"][state].as_array().unwrap();
    !cures.iter().any(|c| c == fault)
}

/// The sites of `function` that are reached through another one, where it is named.
fn through<'a>(document: &'a Document, fault: &Value) -> Vec<Site<'a>> {
    let mut sites = document.sites_of(fault["function"].as_str().unwrap());
    if let Some(by) = fault["through"].as_str() {
        sites.retain(|s| s.functions().any(|f| f == by));
    }
    sites
}

#[test]
fn the_encoder_comes_first_by_both_protocols() {
    let truth = truth("log-forwarder");
    let encoder = &truth["encoder"];
    for state in truth["folders"].as_object().unwrap().keys() {
        let document = series(state, 20);
        let function = encoder["function"].as_str().unwrap();
        if !has(&truth, state, "encoder") {
            assert!(!document.leaks().contains(&function), "{state}");
            continue;
        }
        assert_eq!(document.verdict(), "leak");
        let mut sum = (0.0, 0.0);
        for (at, path) in encoder["paths"].as_array().unwrap().iter().enumerate() {
            assert_eq!(document.site(at).owner(), function, "{state}");
            let sites = through(&document, path);
            assert_eq!(sites.len(), 1, "{state}: {path}");
            let site = &sites[0];
            assert_eq!(site.growth(), "steady-growth");
            assert!(
                site.owner_file()
                    .ends_with(encoder["file"].as_str().unwrap())
            );
            for caller in encoder["callers"].as_array().unwrap() {
                assert!(site.functions().any(|f| f == caller), "{state}: {caller}");
            }
            let bytes = site.per_run("live_bytes").unwrap();
            let blocks = site.per_run("live_blocks").unwrap();
            assert_eq!(Some(bytes), path["bytes_per_run"].as_f64());
            assert_eq!(Some(blocks), path["blocks_per_run"].as_f64());
            sum = (sum.0 + bytes, sum.1 + blocks);
        }
        assert_eq!(Some(sum.0), encoder["bytes_per_run"].as_f64());
        assert_eq!(Some(sum.1), encoder["blocks_per_run"].as_f64());
        document.adds_up();
    }
}

#[test]
fn error_paths_hold_what_was_planted_and_nothing_else_leaks() {
    let truth = truth("log-forwarder");
    let errors = truth["errors"].as_array().unwrap();
    let planted: Vec<&str> = errors
        .iter()
        .chain([&truth["encoder"]])
        .map(|f| f["function"].as_str().unwrap())
        .collect();
    for state in truth["folders"].as_object().unwrap().keys() {
        for connections in [4, 20] {
            if connections == 4 && !["faulty", "cured"].contains(&state.as_str()) {
                continue;
            }
            let document = series(state, connections);
            for leak in document.leaks() {
                assert!(planted.contains(&leak), "{state}: {leak}");
            }
            for error in errors {
                let bytes = error["bytes"].as_i64().unwrap();
                let count = |n: &str| error["count"][n].as_i64().unwrap();
                let expected = ["50", "200", "800"].map(|n| {
                    let on = has(&truth, state, "errors");
                    if on { count(n) * bytes } else { 0 }
                });
                let mut found = [0; 3];
                for site in through(&document, error) {
                    for (sum, n) in found.iter_mut().zip(site.series()) {
                        *sum += n;
                    }
                }
                assert_eq!(found, expected, "{state}, {connections}: {}", error["when"]);
            }
        }
    }
}

#[test]
fn with_the_errors_cured_the_encoder_is_the_only_leak() {
    let truth = truth("log-forwarder");
    let document = series("cure-errors", 20);
    let function = truth["encoder"]["function"].as_str().unwrap();
    assert_eq!(document.leaks(), [function, function]);
    assert_eq!(document.total("per_run", "live_bytes"), 71_680.0);
    for site in document.sites().skip(2) {
        assert_eq!(
            (site.growth(), site.number("delta", "live_bytes")),
            ("stable", 0)
        );
    }
}

#[test]
fn buffers_do_not_grow_with_the_runs() {
    let truth = truth("log-forwarder");
    let buffers = &truth["buffers"];
    let function = buffers["function"].as_str().unwrap();
    for (state, connections) in [("faulty", 4), ("faulty", 20), ("cured", 4), ("cured", 20)] {
        let key = if has(&truth, state, "buffers") {
            "bytes_per_connection"
        } else {
            "cured_bytes_per_connection"
        };
        let each = buffers[key].as_i64().unwrap();
        let document = series(state, connections);
        let site = document.largest(function);
        assert_eq!(site.series(), [each * connections; 3], "{}", document.line);
        assert!(!LEAKS.contains(&site.growth()));
    }
}

#[test]
fn buffers_follow_the_connections() {
    let truth = truth("log-forwarder");
    let buffers = &truth["buffers"];
    let line = format!(
        "--driver connections {}@runs=200,connections=4 {}@runs=200,connections=20",
        capture("faulty", 200, 4),
        capture("faulty", 200, 20)
    );
    let document = Document::of(&line);
    let site = document.site(0);
    assert_eq!(site.owner(), buffers["function"].as_str().unwrap());
    assert_eq!(
        site.per_run("live_bytes"),
        buffers["bytes_per_connection"].as_f64()
    );
    assert_eq!(
        site.per_run("live_blocks"),
        buffers["blocks_per_connection"].as_f64()
    );
    for stable in truth["stable"].as_array().unwrap() {
        if let Some(blocks) = stable["blocks_per_connection"].as_f64() {
            let site = document.largest(stable["function"].as_str().unwrap());
            assert_eq!(site.per_run("live_blocks"), Some(blocks));
            let each = stable["bytes"].as_f64().unwrap() * blocks;
            assert_eq!(site.per_run("live_bytes"), Some(each));
        }
    }
    let grew = document.sites().filter(|s| s.growth() == "grew").count();
    assert_eq!(grew, 2, "only what a connection holds");
}

#[test]
fn against_the_cure_the_buffers_come_first() {
    let truth = truth("log-forwarder");
    let buffers = &truth["buffers"];
    let number = |key: &str| buffers[key].as_i64().unwrap();
    for connections in [4, 20] {
        for runs in RUNS {
            // At 800 posts over few connections the encoder holds more.
            if connections == 4 && runs == 800 {
                continue;
            }
            let line = format!(
                "--base {}@{runs} {}@{runs}",
                capture("cured", runs, connections),
                capture("faulty", runs, connections)
            );
            let document = Document::of(&line);
            let site = document.largest(buffers["function"].as_str().unwrap());
            assert_eq!(document.site(0).owner(), site.owner(), "{line}");
            let found = ["before", "after"].map(|w| site.number(w, "live_bytes"));
            let each = [
                number("cured_bytes_per_connection"),
                number("bytes_per_connection"),
            ];
            assert_eq!(found, each.map(|n| n * connections), "{line}");
            document.adds_up();
        }
    }
}

#[test]
fn the_cure_of_the_encoder_is_a_cure() {
    let captures = |state: &str| RUNS.map(|n| format!("{}@{n}", capture(state, n, 20)));
    let base = captures("faulty").map(|c| format!("--base {c}")).join(" ");
    let line = format!("{base} {}", captures("cured").join(" "));
    let document = Document::of(&line);
    assert_eq!(document.verdict(), "cured");
    assert_eq!(first_word(&line), "CURED");
    assert_eq!(document.total("per_run", "live_bytes"), -71_680.0);
    document.adds_up();
}

#[test]
fn two_captures_of_one_state_are_no_leak() {
    for (first, last) in [(50, 200), (200, 800)] {
        let line = format!(
            "{}@{first} {}@{last}",
            capture("faulty", first, 20),
            capture("faulty", last, 20)
        );
        let document = Document::of(&line);
        assert_eq!(document.verdict(), "grew");
        assert_eq!(document.leaks(), Vec::<&str>::new());
        assert_eq!(first_word(&line), "GREW");
    }
}
