//! The rules engine: the planted cycle is found, with its numbers; its cures are clean; and the
//! script that captured it keeps its promises on the Python that is here.

use crate::program::run;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "profiles/rules-engine";

fn truth() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    serde_json::from_slice(&std::fs::read(path.join("truth.json")).unwrap()).unwrap()
}

fn cycles(state: &str, runs: &[u32], more: &[&str]) -> String {
    let path = |n: &u32| format!("{FOLDER}/{state}-{n}.hdg.zst");
    let paths: Vec<String> = runs.iter().map(path).collect();
    let mut args = vec!["cycles"];
    args.extend(paths.iter().map(String::as_str));
    args.extend(more);
    let ran = run(&args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{state}");
    ran.out
}

const CYCLE: &str = "Broker.exceptions[*] -> Missing.__traceback__ -> traceback.tb_frame -> frame";

#[test]
fn each_failing_run_leaves_one_broker_that_nothing_holds() {
    assert_eq!(truth()["off"]["brokers_per_run"], 1.0);
    for state in ["off", "saveall"] {
        let out = cycles(state, &[10, 20, 40], &["--width", "200"]);
        let head = "LEAK  1.00 Broker cycle per run (10 -> 20 -> 40), 20.7 KiB kept by each";
        assert!(out.starts_with(head), "{out}");
        assert!(out.contains(CYCLE), "{out}");
        assert!(out.contains("gc is disabled in this process"), "{out}");
        assert!(out.contains("cut   Missing.__traceback__"), "{out}");
    }
}

/// The same in the document that programs read, to the byte where the truth tells bytes.
#[test]
fn the_document_says_the_same() {
    let document = |state: &str| -> Value {
        serde_json::from_str(&cycles(state, &[10, 20, 40], &["--format", "json"])).unwrap()
    };
    for (state, reachable) in [("off", false), ("saveall", false), ("held", true)] {
        let report = document(state);
        assert_eq!(report["verdict"], "leak", "{state}");
        let cycle = &report["cycles"][0];
        let signature = cycle["signature"].as_str().unwrap();
        assert!(signature.starts_with(CYCLE), "{state} {signature}");
        assert_eq!(cycle["occurrences"], serde_json::json!([10, 20, 40]));
        assert_eq!(cycle["per_run"].as_f64(), Some(1.0));
        assert_eq!(cycle["reachable"], reachable, "{state}");
        assert_eq!(cycle["root_path"].is_null(), !reachable, "{state}");
        assert_eq!(cycle["explained"], reachable, "{state}");
        let cut = &cycle["cut"];
        assert_eq!(
            cut["kind"],
            if reachable { "bridge" } else { "break-cycle" }
        );
        // What breaks the cycles frees at least all that they keep.
        let bytes = |row: &Value, key: &str| row[key].as_u64().unwrap();
        let keeps = bytes(cycle, "retained_bytes");
        let frees = bytes(cut, "frees_bytes");
        assert!(frees >= keeps && frees <= keeps + keeps / 100, "{state}");
        let rules: Vec<&str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["rule"].as_str().unwrap())
            .collect();
        assert_eq!(rules[0], "HD040", "{state} {rules:?}");
    }
    for state in ["cured", "on"] {
        let report = document(state);
        assert_eq!(report["verdict"], "same", "{state}");
        assert_eq!(report["findings"], serde_json::json!([]), "{state}");
        let grows = |c: &&Value| c["growth"] == "steady-growth" && c["benign"].is_null();
        let cycles = report["cycles"].as_array().unwrap();
        assert_eq!(cycles.iter().filter(grows).count(), 0, "{state}");
    }
}

#[test]
fn a_registry_that_holds_the_brokers_is_the_reference_to_cut() {
    let out = cycles("held", &[10, 20, 40], &["--width", "200"]);
    assert!(out.starts_with("LEAK  1.00 Broker cycle per run"), "{out}");
    assert!(out.contains("REGISTRY -> Registry.brokers"), "{out}");
    assert!(out.contains("cut   Registry.brokers[*] -> Broker"), "{out}");
}

#[test]
fn the_cure_the_collector_and_the_innocents_are_no_findings() {
    for state in ["cured", "on"] {
        let out = cycles(state, &[10, 20, 40], &[]);
        assert!(out.starts_with("SAME"), "{out}");
        assert!(!out.contains("Broker"), "{out}");
    }
    for state in ["off", "held", "saveall", "cured", "on"] {
        let out = cycles(state, &[10, 20, 40], &[]);
        for innocent in ["PATTERNS", "TABLE", "catalog"] {
            assert!(!out.contains(innocent), "{state} accuses {innocent}: {out}");
        }
    }
}

#[test]
fn brokers_that_wait_for_the_collector_are_counted() {
    let out = cycles("waiting", &[40], &["--width", "200"]);
    assert!(out.contains(CYCLE) && out.contains("40 x"), "{out}");
    assert!(!out.starts_with("LEAK"), "{out}");
}

#[test]
fn tracemalloc_knows_who_made_it() {
    let paths = [0, 10, 20, 40].map(|n| format!("{FOLDER}/off-{n}.pickle"));
    let mut args = vec!["compare", "--runs", "0,10,20,40"];
    args.extend(paths.iter().map(String::as_str));
    args.extend(["--format", "json"]);
    let report: Value = serde_json::from_str(&run(&args).out).unwrap();
    assert_eq!(report["verdict"], "leak");
    let site = &report["sites"][0];
    assert_eq!(site["growth"], "steady-growth");
    // What the log takes is the same to the allocator, to getsizeof and here.
    assert_eq!(
        site["per_run"]["live_bytes"].as_f64(),
        truth()["off"]["log_bytes"].as_f64()
    );
}

/// The tests of the exporter, on the Python that is here. `CONTRIBUTING.md` has the recipe for all
/// versions.
#[test]
fn the_python_exporter_keeps_its_promises() {
    if !crate::tools::has("python3") {
        return;
    }
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/capture/python.py");
    let output = Command::new("python3")
        .args(["-S", "-E"])
        .arg(test)
        .output();
    let output = output.unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains(" 0 failed"), "{out}");
}

#[test]
fn the_script_is_printed_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join("capture/heapdiff_capture.py")).unwrap();
    assert_eq!(run(&["capture", "python"]).out, script);
}
