//! Baselines: saved, shown, updated, merged, and held against.

use super::{Gated, root, run_in};
use std::path::Path;

fn save(dir: &Path, name: &str, words: &str) -> String {
    let path = dir.join(name).to_str().unwrap().to_owned();
    let mut args = vec!["baseline", "save", &path];
    args.extend(words.split_whitespace());
    let ran = run_in(root(), &args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{words}");
    path
}

#[test]
fn a_saved_baseline_is_a_stored_base_side() {
    let dir = tempfile::tempdir().unwrap();
    for (i, (folder, ending)) in [
        ("ingest", "json"),
        ("c-ingest", "json"),
        ("go-ingest/exact", "pb.gz"),
        ("go-ingest/rate-4096", "pb.gz"),
    ]
    .iter()
    .enumerate()
    {
        let capture = format!("profiles/{folder}/cured/run-200.{ending}");
        let file = save(
            dir.path(),
            &format!("{i}.json"),
            &format!("--runs 200 {capture}"),
        );
        let same = Gated::of(&format!("--baseline {file} {capture}@200"));
        same.is("pass", 0);
        assert_eq!(same.gate()["budgets"][0]["value"], 0, "{folder}");
        assert_eq!(same.json["totals"]["delta"]["live_bytes"], 0, "{folder}");
        // Every site keeps its id.
        let direct = Gated::of(&format!("--base {capture}@200 {capture}@200"));
        let ids = |g: &Gated| -> Vec<String> {
            let sites = g.json["sites"].as_array().unwrap().iter();
            let mut ids: Vec<String> = sites.map(|s| s["id"].to_string()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&same), ids(&direct), "{folder}");
    }
}

#[test]
fn planted_faults_fail_against_the_baseline_of_the_cure() {
    let dir = tempfile::tempdir().unwrap();
    let file = save(
        dir.path(),
        "main.json",
        "--runs 200 profiles/ingest/cured/run-200.json",
    );
    for (fault, site) in [
        ("retries", "readd_failed"),
        ("encoder", "encode"),
        ("keep-alive", "fill"),
    ] {
        let gated = Gated::of(&format!(
            "--baseline {file} profiles/ingest/{fault}/run-200.json@200"
        ));
        gated.is("fail", 1);
        let found = gated.offenders("growth per run");
        assert!(found[0].contains(site), "{fault}: {found:?}");
        assert_eq!(gated.gate()["against"], format!("baseline {file}"));
    }
}

#[test]
fn the_file_is_sorted_and_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let words =
        "--runs 50,200 profiles/ingest/cured/run-050.json profiles/ingest/cured/run-200.json";
    let read = |name: &str| std::fs::read_to_string(save(dir.path(), name, words)).unwrap();
    let (a, b) = (read("a.json"), read("b.json"));
    assert_eq!(a, b);
    let json: serde_json::Value = serde_json::from_str(&a).unwrap();
    assert_eq!(json["schema"], "heapdiff.baseline/1");
    let ids: Vec<&str> = json["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap())
        .collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(ids, sorted);
    for site in json["sites"].as_array().unwrap() {
        for values in site["values"].as_object().unwrap().values() {
            assert_eq!(values.as_array().unwrap().len(), 2);
        }
    }
    for part in ["/root", "/work", "/tmp", "/home", ".cargo"] {
        assert!(!a.contains(part), "{part}");
    }
}

#[test]
fn a_missing_baseline_names_the_command_that_makes_it() {
    let ran = run_in(
        root(),
        &["gate", "--baseline", "nightly", "profiles/ingest/a.json"],
    );
    assert_eq!(ran.status, 2);
    assert!(
        ran.err
            .contains("heapdiff baseline save nightly CAPTURE..."),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.lines().count(), 1);
}

#[test]
fn names_lie_beside_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let capture = root().join("profiles/ingest/cured/run-200.json");
    let capture = capture.to_str().unwrap();
    std::fs::create_dir_all(dir.path().join("a/b/.git")).unwrap();
    std::fs::create_dir_all(dir.path().join("a/b/c/d")).unwrap();
    std::fs::write(
        dir.path().join("a/b/heapdiff.toml"),
        "[gate]\nbaseline = \"main\"\n",
    )
    .unwrap();
    let within = dir.path().join("a/b/c/d");
    let ran = run_in(
        &within,
        &["baseline", "save", "main", &format!("{capture}@200")],
    );
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(
        dir.path()
            .join("a/b/.heapdiff/baselines/main.json")
            .is_file()
    );
    let gated = Gated::within(&within, &format!("{capture}@200"));
    gated.is("pass", 0);
    assert_eq!(gated.gate()["against"], "baseline main");
    let again = run_in(&within, &["baseline", "save", "main", capture]);
    assert_eq!(again.status, 2);
    assert!(
        again.err.contains("heapdiff baseline update main"),
        "{}",
        again.err
    );
}

#[test]
fn an_update_shows_what_it_accepts_and_the_origin_stays() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: u64| {
        let path = dir.path().join(name);
        std::fs::write(
            &path,
            format!("main;serve;work {bytes}\nmain;serve;rest 1000\n"),
        )
        .unwrap();
        path.to_str().unwrap().to_owned()
    };
    let first = write("first.folded", 1_000_000);
    let file = save(dir.path(), "main.json", &first);
    // Each step is within the default of 64 KiB and 5 %.
    let mut level = 1_000_000;
    for step in 0..6 {
        level += 40_000;
        let capture = write(&format!("step{step}.folded"), level);
        Gated::of(&format!("--noise exact --baseline {file} {capture}")).is("pass", 0);
        let mut command = crate::program::heapdiff(&["baseline", "update", &file, &capture]);
        let refused = command.env("CI", "true").output().unwrap();
        assert_eq!(
            refused.status.code(),
            Some(2),
            "CI does not change what it judges by"
        );
        let ran = run_in(root(), &["baseline", "update", &file, &capture]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert!(ran.out.contains("+39.1 KiB"), "{}", ran.out);
        assert!(ran.out.contains("since the first save"), "{}", ran.out);
    }
    let last = write("last.folded", level);
    let line = |against: &str| {
        format!(
            "--noise exact --budget 'growth = \"64KiB\", growth_percent = 5, against = \"{against}\"' \
             --baseline {file} {last}"
        )
    };
    Gated::of(&line("base")).is("pass", 0);
    let crept = Gated::of(&line("origin"));
    crept.is("fail", 1);
    assert_eq!(crept.budget("growth")["value"], 240_000);
    let ran = run_in(
        root(),
        &["baseline", "update", &file, &last, "--reset-origin"],
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    Gated::of(&line("origin")).is("pass", 0);
}

#[test]
fn merged_captures_give_the_baseline_its_noise() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: i64| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("main;serve;work {bytes}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let noise = [0i64, 9_000, -7_000, 4_000, -11_000, 6_000];
    let files: Vec<String> = (0..6)
        .map(|i| write(&format!("{i}.folded"), 10_000_000 + noise[i]))
        .collect();
    let file = save(dir.path(), "main.json", &format!("{}@100", files[0]));
    let grown = write("grown.folded", 10_400_000);
    let line = format!("--baseline {file} {grown}@100");
    // One capture shows no noise, and folded stacks do not say that they are exact.
    Gated::of(&line).is("inconclusive", 3);
    let mut args = vec!["baseline".to_owned(), "merge".to_owned(), file.clone()];
    args.extend(files[1..].iter().map(|f| format!("{f}@100")));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = run_in(root(), &args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("6 captures"), "{}", ran.out);
    Gated::of(&line).is("fail", 1);
    let same = write("same.folded", 10_002_000);
    Gated::of(&format!("--baseline {file} {same}@100")).is("pass", 0);
}

#[test]
fn many_small_sites_are_one_row_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for i in 0..3000 {
        text.push_str(&format!("main;f{i};g 100\n"));
    }
    text.push_str("main;large 1000000\n");
    let path = dir.path().join("many.folded");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let file = save(dir.path(), "main.json", path);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(json["sites"].as_array().unwrap().len(), 1);
    assert_eq!(json["rest"]["sites"], 3000);
    assert_eq!(json["rest"]["values"]["bytes"][0], 300_000);
    let gated = Gated::of(&format!("--noise exact --baseline {file} {path}"));
    gated.is("pass", 0);
    assert_eq!(gated.json["totals"]["delta"]["bytes"], 0);
}

#[test]
fn damaged_and_later_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = save(dir.path(), "main.json", "profiles/ingest/a.json");
    let good = std::fs::read_to_string(&file).unwrap();
    for (text, says) in [
        (good.replace("baseline/1", "baseline/9"), "version 9"),
        (good[..good.len() / 2].to_owned(), "byte"),
        (
            good.replacen("\"peak_bytes\":[", "\"peak_bytes\":[1,", 1),
            "do not fit",
        ),
        (
            good.replace("\"stack\":[\"", "\"stack\":[\"0"),
            "unknown frame",
        ),
    ] {
        assert_ne!(text, good, "{says}");
        std::fs::write(&file, text).unwrap();
        let ran = run_in(
            root(),
            &["gate", "--baseline", &file, "profiles/ingest/a.json"],
        );
        assert_eq!(ran.status, 2, "{says}");
        assert!(
            ran.err.contains(says) && ran.err.contains("main.json"),
            "{}",
            ran.err
        );
        assert_eq!(ran.err.lines().count(), 1);
    }
}
