//! Patterns of allocation: found where they are planted, and not where something else is.

use crate::program::run;
use pprof::protos::{Function, Label, Line, Location, Message, Profile, Sample, ValueType};
use serde_json::{Value, json};
use std::path::Path;

/// The findings of a comparison by these rules.
fn found(args: &[&str], rule: &str) -> Vec<Value> {
    let args = [&["compare", "--format", "json"], args].concat();
    let ran = run(&args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{args:?}");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let of_rule = findings.iter().filter(|f| f["rule"] == rule);
    of_rule.cloned().collect()
}

fn ingester(name: &str) -> String {
    format!("profiles/telemetry-ingester/{name}")
}

fn truth() -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/telemetry-ingester");
    serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap()
}

fn near(value: &Value, truth: &Value, share: f64) -> bool {
    (value.as_f64().unwrap() / truth.as_f64().unwrap() - 1.0).abs() <= share
}

#[test]
fn the_payload_twice_is_told_and_so_is_its_cure() {
    let payload = &truth()["payload_bytes"];
    let [fault, cure] = ["payload-fault.bin", "payload-cure.bin"].map(ingester);
    for metric in ["peak_bytes", "live_bytes"] {
        let list = found(&[&cure, &fault, "--metric", metric], "HD020");
        assert_eq!(list.len(), 1, "{metric}");
        let e = &list[0]["evidence"];
        assert_eq!(e["state"], "present");
        assert!(near(&e["payload_bytes"], payload, 0.01), "{e}");
        assert!(near(&e["times"], &json!(2.0), 0.01), "{e}");
    }
    for args in [vec![fault.as_str(), &cure], vec!["--base", &fault, &cure]] {
        let list = found(&args, "HD020");
        assert_eq!(list.len(), 1);
        let e = &list[0]["evidence"];
        assert_eq!(e["state"], "gone");
        let held = e["pieces_bytes"].as_f64().unwrap() + e["payload_bytes"].as_f64().unwrap();
        let less = 1.0 - e["since_bytes"].as_f64().unwrap() / held;
        assert!((0.48..=0.52).contains(&less), "{less}");
        let peak = e["since_peak_bytes"].as_f64().unwrap() / e["peak_bytes"].as_f64().unwrap();
        assert!((0.3..=0.5).contains(&peak), "{peak}");
    }
    assert!(found(&[&cure, &cure], "HD020").is_empty());
}

#[test]
fn a_stream_saves_the_payload_of_each_concurrent_request() {
    let name = |state: &str| format!("{}@runs=10,concurrent=10", ingester(state));
    let [fault, cure] = [name("ten-fault.bin"), name("ten-cure.bin")];
    let list = found(&[&cure, &fault, "--metric", "peak_bytes"], "HD020");
    let e = &list[0]["evidence"];
    assert_eq!(e["under_way"], 10);
    let payload = &truth()["payload_bytes"];
    assert!(near(&e["a_stream_saves_per_request"], payload, 0.01), "{e}");
}

/// Every capture with the fault in it, of three languages and three tools, and none without.
#[test]
fn double_buffers_are_told_by_every_tool_and_nowhere_else() {
    for (folder, truth) in [
        ("ingest/double-buffer", "decompress_doubled"),
        ("ingest/faulty", "decompress_doubled"),
        ("c-ingest/double-buffer", "decompress_doubled"),
        ("c-ingest/faulty", "decompress_doubled"),
    ] {
        let list = found(&[&format!("profiles/{folder}")], "HD020");
        assert_eq!(list.len(), 1, "{folder}");
        let title = list[0]["title"].as_str().unwrap();
        assert!(title.contains(truth), "{title}");
    }
    for folder in [
        "ingest/cured",
        "ingest/retries",
        "ingest/encoder",
        "ingest/keep-alive",
        "c-ingest/cured",
        "c-ingest/retries",
        "log-forwarder/dhat/faulty",
        "log-forwarder/dhat/cured",
    ] {
        let list = found(&[&format!("profiles/{folder}")], "HD020");
        assert!(list.is_empty(), "{folder}: {list:?}");
    }
}

/// A DHAT capture of these sites: frames root first, blocks and bytes at the peak.
fn capture(dir: &Path, name: &str, sites: &[(&[&str], i64, i64)]) -> String {
    let mut table = vec!["[root]".to_owned()];
    let mut points = Vec::new();
    for (frames, blocks, bytes) in sites {
        let mut stack = Vec::new();
        for frame in frames.iter().rev() {
            let text = format!("0x1: {frame}");
            let at = table.iter().position(|t| *t == text);
            stack.push(at.unwrap_or(table.len()));
            if at.is_none() {
                table.push(text);
            }
        }
        points.push(
            json!({"tb": bytes, "tbk": blocks, "tl": 1, "mb": bytes, "mbk": blocks,
            "gb": bytes, "gbk": blocks, "eb": 0, "ebk": 0, "fs": stack}),
        );
    }
    let text = json!({"dhatFileVersion": 2, "mode": "heap", "verb": "Allocated", "bklt": true,
        "bkacc": false, "tu": "instrs", "Mtu": "Minstr", "cmd": "x", "pid": 1, "tg": 1, "te": 2,
        "pps": points, "ftbl": table});
    let path = dir.join(name);
    std::fs::write(&path, text.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

const MIB: i64 = 1 << 20;

#[test]
fn equal_buffers_of_other_kinds_are_not_accused() {
    let dir = tempfile::tempdir().unwrap();
    let told = |name: &str, sites: &[(&[&str], i64, i64)]| {
        let path = capture(dir.path(), name, sites);
        !found(&[&path, &path], "HD020").is_empty()
    };
    let read: &[&str] = &["main (a.c:1)", "unpack (a.c:10)"];
    let join: &[&str] = &["main (a.c:1)", "unpack (a.c:20)"];
    assert!(told("pair", &[(read, 128, 8 * MIB), (join, 1, 8 * MIB)]));
    // One block against one: two buffers that happen to be of one size.
    assert!(!told("one", &[(read, 1, 8 * MIB), (join, 1, 8 * MIB)]));
    // In two functions that have no caller in common but the program's start.
    let other: &[&str] = &["main (a.c:1)", "serve (a.c:30)", "fill (a.c:50)"];
    assert!(!told("far", &[(other, 128, 8 * MIB), (join, 1, 8 * MIB)]));
    // From another place in the same caller's loop: another call of the function.
    let again: &[&str] = &["main (a.c:2)", "unpack (a.c:10)"];
    assert!(!told("calls", &[(again, 128, 8 * MIB), (join, 1, 8 * MIB)]));
    // Pieces smaller than the block cannot be joined to it, larger ones by more than headers
    // would not fit.
    assert!(!told(
        "less",
        &[(read, 128, 8 * MIB - 200_000), (join, 1, 8 * MIB)]
    ));
    assert!(!told("more", &[(read, 128, 9 * MIB), (join, 1, 8 * MIB)]));
    // Records, not chunks.
    assert!(!told(
        "small",
        &[(read, 80_000, 8 * MIB), (join, 1, 8 * MIB)]
    ));
    // Next to nothing of the peak.
    let rest: &[&str] = &["main (a.c:1)", "cache (a.c:70)"];
    let sites = [
        (read, 128, 8 * MIB),
        (join, 1, 8 * MIB),
        (rest, 9, 900 * MIB),
    ];
    assert!(!told("little", &sites));
    // Alike in one capture, and not in the other.
    let a = capture(dir.path(), "a", &[(read, 128, 8 * MIB), (join, 1, 8 * MIB)]);
    let b = capture(
        dir.path(),
        "b",
        &[(read, 128, 8 * MIB), (join, 1, 16 * MIB)],
    );
    for pair in [[&a, &b], [&b, &a]] {
        assert!(found(&[pair[0], pair[1]], "HD020").is_empty());
    }
}

fn retries(state: &str, flushes: &[i64]) -> Vec<String> {
    let name = |&n: &i64| {
        let runs = 10 * n;
        let file = ingester(&format!("retries-{state}-{runs}.bin"));
        format!("{file}@runs={runs},failures={n}")
    };
    flushes.iter().map(name).collect()
}

#[test]
fn a_level_rises_with_failures_to_its_cap() {
    let truth = &truth()["faults"][1];
    let list = |state: &str, flushes: &[i64], rule: &str| {
        let paths = retries(state, flushes);
        found(&paths.iter().map(String::as_str).collect::<Vec<_>>(), rule)
    };
    let open = list("fault", &[2, 4, 8], "HD021");
    assert_eq!(open.len(), 1);
    let e = &open[0]["evidence"];
    assert_eq!(e["driver"], "failures");
    assert_eq!(e["per_unit"], truth["bytes_per_failed_flush"]);
    assert_eq!(e["cap"], Value::Null);
    let title = open[0]["title"].as_str().unwrap();
    assert!(title.contains("no cap seen up to 8 failures"), "{title}");
    let capped = list("fault", &[2, 4, 8, 16, 32], "HD021");
    let e = &capped[0]["evidence"];
    assert_eq!(e["per_unit"], truth["bytes_per_failed_flush"]);
    assert_eq!(e["cap"], truth["cap_bytes"]);
    assert_eq!(e["cap_blocks"], truth["cap_records"]);
    assert_eq!(e["cap_met_at"], truth["cap_after_failed_flushes"]);
    assert!(list("cure", &[2, 4, 6, 8, 16, 32], "HD021").is_empty());
    // Without failures it is a rise to a cap, by runs.
    let paths: Vec<String> = [20, 40, 80, 160, 320]
        .map(|n| format!("{}@{n}", ingester(&format!("retries-fault-{n}.bin"))))
        .into();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert!(found(&paths, "HD021").is_empty());
    let capped = found(&paths, "HD024");
    assert_eq!(capped[0]["evidence"]["cap_met_at"], 100);
    assert!(found(&paths[..3], "HD024").is_empty());
}

/// A pprof heap profile in which each measurement, a label, holds so many bytes.
fn labelled(dir: &Path, name: &str, held: &[(&str, i64)]) -> String {
    let mut strings: Vec<String> = ["", "inuse_objects", "count", "inuse_space", "bytes"]
        .map(str::to_owned)
        .into();
    let mut text = |s: &str| {
        strings.push(s.to_owned());
        strings.len() as i64 - 1
    };
    let (key, function) = (text("measurement"), text("main.readd"));
    let sample = |(name, bytes): &(&str, i64)| Sample {
        location_id: vec![1],
        value: vec![bytes / 100, *bytes],
        label: vec![Label {
            key,
            str: text(name),
            ..Label::default()
        }],
    };
    let samples = held.iter().map(sample).collect();
    let kind = |ty, unit| ValueType { ty, unit };
    let profile = Profile {
        sample_type: vec![kind(1, 2), kind(3, 4)],
        sample: samples,
        location: vec![Location {
            id: 1,
            line: vec![Line {
                function_id: 1,
                line: 58,
            }],
            ..Location::default()
        }],
        function: vec![Function {
            id: 1,
            name: function,
            ..Function::default()
        }],
        string_table: strings,
        ..Profile::default()
    };
    let path = dir.join(name);
    std::fs::write(&path, profile.encode_to_vec()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn levels_are_told_by_measurement_and_in_sum() {
    let dir = tempfile::tempdir().unwrap();
    let disk = 312_400;
    let captures: Vec<String> = (1..=6i64)
        .map(|n| {
            let held = [
                ("disk", 100_000 + n * disk),
                ("cpu", 100_000 + n * 100_000),
                ("net", 900_000),
            ];
            let path = labelled(dir.path(), &format!("{n}.pb"), &held);
            format!("{path}@runs={},failures={n}", n * n)
        })
        .collect();
    let mut args: Vec<&str> = captures.iter().map(String::as_str).collect();
    args.extend(["--group-by", "label:measurement"]);
    let list = found(&args, "HD021");
    assert_eq!(list.len(), 1);
    let e = &list[0]["evidence"];
    assert_eq!((&e["rows"], &e["per_unit_most"]), (&json!(2), &json!(disk)));
    assert_eq!(e["per_unit"], json!(disk + 100_000));
    let title = list[0]["title"].as_str().unwrap();
    assert!(
        title.contains("+312,400 B per failure at disk and 1 other"),
        "{title}"
    );
    assert!(title.contains("+412,400 B in sum"), "{title}");
    assert!(title.ends_with("no cap seen up to 6 failures"), "{title}");
}

#[test]
fn a_batch_is_released_late_and_then_no_more() {
    let truth = &truth()["faults"][2];
    let every = |state: &str| format!("{}#every=1MB", ingester(state));
    let [fault, cure] = [every("payload-fault.bin"), every("payload-cure.bin")];
    let list = found(&[&fault], "HD022");
    assert_eq!(list.len(), 1);
    let e = &list[0]["evidence"];
    for key in ["held_bytes", "held_at_end"] {
        assert_eq!(e[key], truth["bytes"], "{key}");
    }
    assert_eq!(e["held_blocks"], truth["records"]);
    assert!(found(&[&cure], "HD022").is_empty());
    let gone = found(&["--base", &fault, &cure], "HD022");
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0]["evidence"]["state"], "gone");
    // Captures of several programs are no recording.
    let runs: Vec<String> = retries("fault", &[2, 4, 6, 8, 16, 32]);
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    assert!(found(&runs, "HD022").is_empty());
}

#[test]
fn temporary_blocks_are_told_where_they_are_asked_for() {
    let path = "profiles/memray/runs-210.bin";
    let list = found(&[path, path, "--metric", "temporary_blocks"], "HD023");
    assert_eq!(list.len(), 1);
    let e = &list[0]["evidence"];
    assert_eq!(e["temporary_blocks"], e["total_blocks"]);
    let title = list[0]["title"].as_str().unwrap();
    assert!(title.contains("collect"), "{title}");
    assert!(found(&[path, path], "HD023").is_empty());
}
