//! Object graphs held against budgets: real dumps with planted holders and cycles.

use super::{Gated, root, run_in};
use serde_json::Value;

/// Dumps of one program along its runs.
fn dumps(name: &str) -> String {
    match name {
        "node" => "profiles/node-graph/faulty-010.heapsnapshot.zst \
                   profiles/node-graph/faulty-020.heapsnapshot.zst \
                   profiles/node-graph/faulty-040.heapsnapshot.zst"
            .to_owned(),
        "java" => "profiles/java-graph/faulty-010.hprof.zst@10 \
                   profiles/java-graph/faulty-020.hprof.zst@20 \
                   profiles/java-graph/faulty-040.hprof.zst@40"
            .to_owned(),
        "ruby" => "profiles/ruby-graph/faulty-010.rbheap.zst \
                   profiles/ruby-graph/faulty-020.rbheap.zst \
                   profiles/ruby-graph/faulty-040.rbheap.zst"
            .to_owned(),
        name => [10, 20, 40]
            .map(|n| format!("profiles/rules-engine/{name}-{n}.hdg.zst"))
            .join(" "),
    }
}

/// The names of what breaks a budget.
fn names(gated: &Gated, budget: &str) -> Vec<String> {
    let all = gated.budget(budget)["broken_by"]
        .as_array()
        .unwrap()
        .clone();
    all.iter()
        .map(|o| o["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn planted_holders_and_cycles_fail_by_name_and_cures_pass() {
    for (program, name, per_run) in [
        (
            "off",
            "Broker.exceptions[*] -> Missing.__traceback__",
            21_179.1,
        ),
        (
            "saveall",
            "Broker.exceptions[*] -> Missing.__traceback__",
            21_179.1,
        ),
        (
            "held",
            "module __main__.REGISTRY -> Registry.brokers[*] -> Broker",
            21_196.5,
        ),
        ("node", "Settings._events -> Object.change[*]", 6_282.5),
        (
            "java",
            "class Service.OPEN.table[*] -> HashMap$Node",
            3_560.0,
        ),
        ("ruby", "Registry[*][*] -> Session", 4_400.0),
    ] {
        let gated = Gated::of(&dumps(program));
        gated.is("fail", 1);
        for budget in ["growth per run", "leaks"] {
            let found = names(&gated, budget);
            assert!(found[0].contains(name), "{program} {budget}: {found:?}");
        }
        let value = gated.budget("growth per run")["value"].as_f64().unwrap();
        assert!((value - per_run).abs() < 20.0, "{program}: {value}");
        assert_eq!(gated.json["kind"], "object-graph");
    }
    let both = names(&Gated::of(&dumps("node")), "leaks");
    assert!(both[1].contains("Mailer.retries[*]"), "{both:?}");
    for cure in ["cured", "on"] {
        let gated = Gated::of(&dumps(cure));
        gated.is("pass", 0);
        assert_eq!(gated.budget("growth per run")["value"], 0);
    }
}

#[test]
fn cycles_are_counted_and_weighed_by_their_signature() {
    let off = "profiles/rules-engine/off-40.hdg.zst";
    let signature = |n: u32| format!("--budget 'cycles = {n}, signature = \"Broker.*\"'");
    let gated = Gated::of(&format!("{} {off}", signature(0)));
    gated.is("fail", 1);
    assert_eq!(gated.budget("cycles")["value"], 40);
    Gated::of(&format!("{} {off}", signature(40))).is("pass", 0);
    // The truth: 21,179.1 bytes for each of 40.
    let gated = Gated::of(&format!("--max-retained-by-cycles 840KB {off}"));
    gated.is("fail", 1);
    assert_eq!(gated.budget("retained_by_cycles")["value"], 847_164);
    assert_eq!(
        gated.budget("retained_by_cycles")["offenders"][0],
        gated.json["cycles"][0]["id"]
    );
    for cured in ["cured-40", "on-40", "held-cured-40"] {
        let line = format!("profiles/rules-engine/{cured}.hdg.zst");
        let both = "--max-cycles 0 --max-retained-by-cycles 0";
        Gated::of(&format!("{both} {line}")).is("pass", 0);
        Gated::of(&format!("{} {line}", signature(0))).is("pass", 0);
    }
    // What a registry holds is no cycle's fault, but its cycles are there.
    let held = "profiles/rules-engine/held-40.hdg.zst";
    Gated::of(&format!("--max-retained-by-cycles 0 {held}")).is("pass", 0);
    Gated::of(&format!("{} {held}", signature(0))).is("fail", 1);
    // Structure of a runtime is no retention cycle.
    for dump in [
        "node-graph/faulty-040.heapsnapshot.zst",
        "java-graph/faulty-040.hprof.zst",
        "ruby-graph/faulty-040.rbheap.zst",
    ] {
        Gated::of(&format!("--max-cycles 0 profiles/{dump}")).is("pass", 0);
    }
}

#[test]
fn whole_dumps_have_levels_and_growth() {
    let p = "profiles/node-graph";
    let (cured, faulty) = (
        format!("{p}/cured-040.heapsnapshot.zst"),
        format!("{p}/faulty-040.heapsnapshot.zst"),
    );
    let line = format!("--max-growth 64KiB --base {cured}");
    Gated::of(&format!("{line} {cured}")).is("pass", 0);
    let gated = Gated::of(&format!("{line} {faulty}"));
    gated.is("fail", 1);
    let found = names(&gated, "growth");
    assert!(found.iter().any(|n| n == "Item"), "{found:?}");
    Gated::of(&format!("--max-live 3200000 {cured}")).is("pass", 0);
    Gated::of(&format!("--max-live 3200000 {faulty}")).is("fail", 1);
    let series = dumps("off");
    Gated::of(&format!(
        "--budget 'metric = \"objects\", per_run = 5' {series}"
    ))
    .is("fail", 1);
    Gated::of(&format!(
        "--budget 'metric = \"objects\", per_run = 11' {series}"
    ))
    .is("pass", 0);
}

#[test]
fn what_dumps_do_not_show_is_no_pass() {
    let one = "profiles/ruby-graph/cured-040.rbheap.zst";
    let two = format!("profiles/ruby-graph/cured-010.rbheap.zst {one}");
    let series = dumps("cured");
    for (line, budget, lacking) in [
        (one.to_owned(), "leaks", "dumps"),
        (two.clone(), "growth per run", "dumps"),
        (format!("--max-peak 1GB {series}"), "peak", "metric"),
        (format!("--max-new-sites 0 {series}"), "new_sites", "sites"),
        (
            format!("--budget 'function = \"decode*\", per_run = 0' {series}"),
            "per_run of function decode*",
            "sites",
        ),
        (
            format!("--max-per-hour 1MB {series}"),
            "per_hour",
            "runs-per-hour",
        ),
        (
            format!("--budget 'series = \"rss\", rate = \"1MB\"' {series}"),
            "rate of rss",
            "monitoring",
        ),
        (
            format!("--no-leaks warning --base {one} {series}"),
            "leaks",
            "even-sides",
        ),
    ] {
        let gated = Gated::of(&line);
        gated.is("inconclusive", 3);
        assert_eq!(gated.budget(budget)["lacking"], lacking, "{line}");
        assert!(gated.budget(budget)["next"].is_string(), "{line}");
    }
    Gated::of(&format!("--max-per-hour 1MB --runs-per-hour 100 {series}")).is("pass", 0);
    let faulty = dumps("off");
    Gated::of(&format!("--max-per-hour 1MB --runs-per-hour 100 {faulty}")).is("fail", 1);
}

#[test]
fn two_sides_are_held_against_each_other() {
    let (off, cured) = (dumps("off"), dumps("cured"));
    let base = |dumps: &str| {
        let each = dumps.split_whitespace().map(|d| format!("--base {d} "));
        each.collect::<String>()
    };
    let gated = Gated::of(&format!("{}{off}", base(&cured)));
    gated.is("fail", 1);
    assert!(names(&gated, "growth per run")[0].starts_with("Broker"));
    // What leaked before is no news.
    Gated::of(&format!("{}{off}", base(&off))).is("pass", 0);
    Gated::of(&format!("{}{cured}", base(&off))).is("pass", 0);
}

fn with(text: &str, line: &str) -> Gated {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heapdiff.toml");
    std::fs::write(&path, text).unwrap();
    Gated::of(&format!("--config {} {line}", path.display()))
}

#[test]
fn accepted_subjects_are_hidden_and_counted() {
    let block = |keys: &str| format!("[[suppress]]\nreason = \"known\"\n{keys}\n");
    let until = "expires = 2027-03-01";
    let off = dumps("off");
    for subject in ["14d135aaa97065ca", "Broker.exceptions*"] {
        for rule in ["HD040", "growing-cycle", "*", "HD090"] {
            let text = block(&format!(
                "rule = \"{rule}\"\nsubject = \"{subject}\"\n{until}"
            ));
            let gated = with(&text, &off);
            gated.is("pass", 0);
            let hidden = &gated.gate()["suppressed"];
            assert_eq!(hidden[0]["finding"], "HD040:14d135aaa97065ca");
            assert_eq!(hidden[0]["bytes"], 847_164);
            assert_eq!(hidden[0]["names"][0], "14d135aaa97065ca");
            assert_eq!(gated.gate()["warnings"].as_array().unwrap().len(), 0);
            let cycles = with(&text, &format!("--max-cycles 0 {off}"));
            cycles.is("pass", 0);
        }
    }
    let text = block(&format!("rule = \"HD041\"\nsubject = \"Broker*\"\n{until}"));
    let gated = with(&text, &off);
    gated.is("fail", 1);
    let warnings = gated.gate()["warnings"].to_string();
    assert!(warnings.contains("hides nothing"), "{warnings}");
    for (max, verdict, status) in [("900KB", "pass", 0), ("800KB", "fail", 1)] {
        let text = block(&format!(
            "rule = \"*\"\nsubject = \"Broker*\"\nmax = \"{max}\"\n{until}"
        ));
        with(&text, &off).is(verdict, status);
    }
    let expired = block("rule = \"*\"\nsubject = \"Broker*\"\nexpires = 2026-11-20");
    let gated = with(&expired, &off);
    gated.is("fail", 1);
    assert!(gated.gate()["warnings"].to_string().contains("expired"));
    // Of two leaks the other one is left.
    let one = block(&format!(
        "rule = \"*\"\nsubject = \"*Settings._events*\"\n{until}"
    ));
    let gated = with(&one, &dumps("node"));
    gated.is("fail", 1);
    let found = names(&gated, "growth per run");
    assert!(found.len() == 1 && found[0].contains("Mailer"), "{found:?}");
}

#[test]
fn the_command_accepts_what_is_no_site() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("heapdiff.toml");
    let config = config.to_str().unwrap();
    for (line, status) in [
        (dumps("off"), 1),
        ("--timeline profiles/monitoring".to_owned(), 1),
        (
            "--timeline profiles/web-app/faulty --budget 'endpoint = \"GET /publisher*export/\", duration = \"30s\"'"
                .to_owned(),
            1,
        ),
    ] {
        let gated = Gated::of(&line);
        gated.is("fail", status);
        let finding = gated.gate()["budgets"][0]["findings"][0].as_str().unwrap();
        let _ = std::fs::remove_file(config);
        let ran = run_in(
            root(),
            &[
                "suppress", finding, "--reason", "known", "--expires", "2027-03-01", "--append",
                "--config", config,
            ],
        );
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{finding}");
        Gated::of(&format!("--config {config} {line}")).is("pass", 0);
    }
}

#[test]
fn a_baseline_of_sites_is_not_for_graphs() {
    let dir = tempfile::tempdir().unwrap();
    let dump = root().join("profiles/rules-engine/cured-10.hdg.zst");
    let dump = dump.to_str().unwrap();
    let ran = run_in(dir.path(), &["gate", "--baseline", "main", dump]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--base PATH"), "{}", ran.err);
    std::fs::create_dir(dir.path().join(".git")).unwrap();
    std::fs::write(
        dir.path().join("heapdiff.toml"),
        "[gate]\nbaseline = \"main\"\n[[budget]]\nlive = \"1GB\"\n",
    )
    .unwrap();
    let gated = Gated::within(dir.path(), dump);
    gated.is("pass", 0);
    let warnings = gated.gate()["warnings"].to_string();
    assert!(warnings.contains("not held against it"), "{warnings}");
}

#[test]
fn sites_and_dumps_are_not_mixed() {
    for line in [
        "profiles/ingest/a.json profiles/rules-engine/off-10.hdg.zst",
        "profiles/rules-engine/off-10.hdg.zst profiles/ingest/a.json",
        "--base profiles/ingest/a.json profiles/rules-engine/off-10.hdg.zst",
    ] {
        let args: Vec<&str> = std::iter::once("gate").chain(line.split(' ')).collect();
        let ran = run_in(root(), &args);
        assert_eq!(ran.status, 2, "{line}: {}", ran.out);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
}

#[test]
fn renderings_of_graphs_are_offered_by_name() {
    let ran = run_in(
        root(),
        &[
            "gate",
            "--format",
            "pprof",
            "profiles/rules-engine/off-10.hdg.zst",
        ],
    );
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("sarif"), "{}", ran.err);
    let lines = run_in(
        root(),
        &[
            "gate",
            "--format",
            "jsonl",
            "profiles/rules-engine/off-10.hdg.zst",
        ],
    );
    for line in lines.out.lines() {
        let _: Value = serde_json::from_str(line).unwrap();
    }
}
