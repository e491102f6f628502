//! Monitoring held against budgets: what broke, and when.

use super::{Gated, root, run_in};
use std::path::Path;

const FAULTY: &str = "--timeline profiles/web-app/faulty";
const CURED: &str = "--timeline profiles/web-app/cured";

/// Minutes from the midnight with which the recordings begin.
fn minutes(time: &serde_json::Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    (time.as_second() - 1_772_409_600) as f64 / 60.0
}

#[test]
fn services_that_leak_fail_with_the_time_and_the_cure_passes() {
    let gated = Gated::of(FAULTY);
    gated.is("fail", 1);
    let budget = gated.budget("growth of services");
    let names: Vec<&str> = budget["broken_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["reports", "backend"]);
    // Exports begin at 03:00, four times as many at 09:00: a warning for the one at some 140 MB/h
    // from the first episode on, for the other from the second.
    let since = |i: usize| minutes(&budget["broken_by"][i]["since"]);
    assert!((180.0..300.0).contains(&since(0)), "{}", since(0));
    assert!((530.0..600.0).contains(&since(1)), "{}", since(1));
    assert_eq!(budget["broke_at"], budget["broken_by"][0]["since"]);
    // At 12:00 all workers are busy.
    let line = format!("{FAULTY} --budget 'severity = \"emergency\"'");
    let gated = Gated::of(&line);
    gated.is("fail", 1);
    let at = minutes(&gated.budget("severity")["broke_at"]);
    assert!((690.0..750.0).contains(&at), "{at}");
    Gated::of(CURED).is("pass", 0);
    let steady = Gated::of("--timeline profiles/monitoring");
    steady.is("fail", 1);
    assert_eq!(steady.json["schema"], "heapdiff.timeline/1");
    assert_eq!(
        minutes(&steady.budget("growth of services")["broke_at"]),
        0.0
    );
}

#[test]
fn rates_are_tested_and_levels_are_read() {
    let of = |recording: &str, budget: &str| Gated::of(&format!("{recording} --budget '{budget}'"));
    let rate = |limit: &str| format!("series = \"reports\", rate = \"{limit}\"");
    let gated = of(FAULTY, &rate("50MB"));
    gated.is("fail", 1);
    let budget = gated.budget("rate of reports");
    assert!(budget["value"].as_f64().unwrap() > 500.0);
    assert!(budget["noise"].as_f64().unwrap() > 1.0);
    assert!((180.0..300.0).contains(&minutes(&budget["broke_at"])));
    assert!(gated.gate()["tests"].as_u64().unwrap() > 1);
    of(FAULTY, &rate("5GB")).is("pass", 0);
    of(CURED, &rate("warning")).is("pass", 0);
    // 259 exports of a mebibyte in a day are 11.3 MB/h: a limit inside the interval cannot be told.
    let webapp = "--timeline profiles/monitoring";
    let rate = |limit: &str| format!("rate = \"{limit}\"");
    of(webapp, &rate("5MB")).is("fail", 1);
    of(webapp, &rate("40MB")).is("pass", 0);
    let between = of(webapp, &rate("12MB"));
    between.is("inconclusive", 3);
    assert_eq!(between.budget("rate")["lacking"], "resolution");
    // The first sample above 1 GB of anonymous memory stands at 09:23:52.
    let level = "series = \"reports\", level = \"1GB\"";
    let gated = of(FAULTY, level);
    gated.is("fail", 1);
    let at = minutes(&gated.budget("level of reports")["broke_at"]);
    assert!((at - 563.9).abs() <= 1.0, "{at}");
    of(CURED, level).is("pass", 0);
    // `anon` of all services, and one of them alone.
    of(FAULTY, "series = \"anon\", level = \"1GB\"").is("fail", 1);
    of(FAULTY, "series = \"backend/anon\", level = \"10GB\"").is("pass", 0);
}

#[test]
fn endpoints_break_with_their_time() {
    let of = |recording: &str, budget: &str| {
        Gated::of(&format!(
            "{recording} --budget 'endpoint = \"GET /publisher/{{id}}/export/\", {budget}'"
        ))
    };
    // Exports of 39 s from 03:00 on; they time out when all workers are busy, from 12:00 on.
    let gated = of(FAULTY, "duration = \"30s\"");
    gated.is("fail", 1);
    let budget = &gated.gate()["budgets"][0];
    assert_eq!(budget["unit"], "seconds");
    assert!((150.0..175.0).contains(&budget["value"].as_f64().unwrap()));
    assert!((180.0..330.0).contains(&minutes(&budget["broke_at"])));
    for budget in ["success = \"99 %\"", "timeouts = 0.01"] {
        let gated = of(FAULTY, budget);
        gated.is("fail", 1);
        let at = minutes(&gated.gate()["budgets"][0]["broke_at"]);
        assert!((700.0..790.0).contains(&at), "{budget}: {at}");
        of(CURED, budget).is("pass", 0);
    }
    of(FAULTY, "duration = \"10m\"").is("pass", 0);
    let none = Gated::of(&format!(
        "{FAULTY} --budget 'endpoint = \"GET /nothing\", duration = \"1s\"'"
    ));
    none.is("inconclusive", 3);
    let next = none.gate()["budgets"][0]["next"].as_str().unwrap();
    assert!(next.contains("GET /publisher/{id}/export/"), "{next}");
}

/// A table of one sample a minute from midnight on.
fn table(dir: &Path, columns: &str, rows: usize, value: impl Fn(usize) -> String) -> String {
    let mut text = format!("time,{columns}\n");
    for i in 0..rows {
        let time = jiff::Timestamp::from_second(1_772_409_600 + 60 * i as i64).unwrap();
        text.push_str(&format!("{time},{}\n", value(i)));
    }
    let path = dir.join("host.csv");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_condition_breaks_when_it_has_lasted() {
    let dir = tempfile::tempdir().unwrap();
    // Swap for five minutes from 01:00, for twenty from 02:00.
    let used = |i: usize| (60..65).contains(&i) || (120..140).contains(&i);
    let path = table(dir.path(), "swap_used_bytes,rss_bytes", 240, |i| {
        format!("{},50000000", if used(i) { 4096 * 1024 } else { 0 })
    });
    let of = |condition: &str| {
        Gated::of(&format!(
            "--timeline {path} --budget 'name = \"swap\", series = \"swap_used_bytes\", condition = \"{condition}\"'"
        ))
    };
    let gated = of("> 0 for 10m");
    gated.is("fail", 1);
    assert_eq!(minutes(&gated.budget("swap")["broke_at"]), 130.0);
    let gated = of("> 0 for 4m");
    assert_eq!(minutes(&gated.budget("swap")["broke_at"]), 64.0);
    let gated = of("> 1MB");
    assert_eq!(minutes(&gated.budget("swap")["broke_at"]), 60.0);
    of("> 0 for 30m").is("pass", 0);
    of("> 0 for 5h").is("inconclusive", 3);
    of("< 0").is("pass", 0);
}

#[test]
fn processes_and_new_connections_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let columns = "rss_bytes,processes,connections_accepted_total,open_sockets";
    // Four processes, from 03:20 on nine; ten connections a minute, from 05:00 on a hundred.
    let path = table(dir.path(), columns, 420, |i| {
        let processes = if i < 200 { 4 } else { 9 };
        let accepted = 10 * i + 90 * i.saturating_sub(300);
        format!("60000000,{processes},{accepted},{}", 20 + i % 7)
    });
    let of = |budget: &str| Gated::of(&format!("--timeline {path} --budget '{budget}'"));
    of("processes = 9").is("pass", 0);
    let gated = of("processes = 8");
    gated.is("fail", 1);
    assert_eq!(minutes(&gated.budget("processes")["broke_at"]), 200.0);
    let gated = of("series = \"connections_accepted*\", connections_per_minute = 50");
    gated.is("fail", 1);
    let budget = &gated.gate()["budgets"][0];
    assert!((300.0..=302.0).contains(&minutes(&budget["broke_at"])));
    of("series = \"connections_accepted*\", connections_per_minute = 100").is("pass", 0);
    // Open sockets do not tell those that came and went.
    let gated = of("series = \"open_sockets\", connections_per_minute = 100");
    gated.is("inconclusive", 3);
    assert_eq!(gated.gate()["budgets"][0]["lacking"], "counter");
}

#[test]
fn the_volume_of_logs_is_held_to_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let mut text = String::new();
    // Six a minute for four hours, sixty a minute in the third.
    for minute in 0..240 {
        for second in 0..if (120..180).contains(&minute) { 60 } else { 6 } {
            text.push_str(&format!(
                "10.0.0.1 - - [02/Mar/2026:{:02}:{:02}:{second:02} +0000] \"GET /a HTTP/1.1\" 200 5 0.010\n",
                minute / 60,
                minute % 60
            ));
        }
    }
    std::fs::write(&path, &text).unwrap();
    let of = |budget: &str| {
        Gated::of(&format!(
            "--timeline {} --budget '{budget}'",
            path.display()
        ))
    };
    of("logs_per_hour = 3600").is("pass", 0);
    let gated = of("logs_per_hour = 2000");
    gated.is("fail", 1);
    let budget = gated.budget("logs_per_hour");
    assert_eq!(budget["value"], 3600);
    assert!((120.0..=150.0).contains(&minutes(&budget["broke_at"])));
    let line = text.lines().next().unwrap().len() + 1;
    of(&format!("log_bytes_per_hour = {}", 3600 * line)).is("pass", 0);
    of(&format!("log_bytes_per_hour = {}", 3000 * line)).is("fail", 1);
    // Ten minutes of a log show no hour.
    let head: Vec<&str> = text.lines().take(60).collect();
    std::fs::write(&path, head.join("\n") + "\n").unwrap();
    of("logs_per_hour = 3600").is("inconclusive", 3);
    of("logs_per_hour = 50").is("fail", 1);
}

#[test]
fn too_short_a_recording_is_no_clean_bill() {
    let dir = tempfile::tempdir().unwrap();
    let path = table(dir.path(), "rss_bytes", 8, |_| "50000000".to_owned());
    let gated = Gated::of(&format!("--timeline {path}"));
    gated.is("inconclusive", 3);
    assert_eq!(gated.budget("growth of services")["lacking"], "longer");
    let flat = table(dir.path(), "rss_bytes", 600, |i| {
        (50_000_000 + 4096 * (i * 7919 % 13)).to_string()
    });
    Gated::of(&format!("--timeline {flat}")).is("pass", 0);
}

#[test]
fn monitoring_stands_beside_captures() {
    let sites = "--runs 50,200,800 profiles/ingest/cured";
    let gated = Gated::of(&format!("{sites} {FAULTY}"));
    gated.is("fail", 1);
    assert_eq!(gated.json["schema"], "heapdiff.compare/1");
    assert_eq!(gated.json["timeline"]["schema"], "heapdiff.timeline/1");
    assert_eq!(gated.budget("growth per run")["held"], true);
    assert_eq!(gated.budget("growth of services")["held"], false);
    Gated::of(&format!("{sites} {CURED}")).is("pass", 0);
    let dumps = "profiles/rules-engine/cured-10.hdg.zst profiles/rules-engine/cured-20.hdg.zst \
                 profiles/rules-engine/cured-40.hdg.zst";
    Gated::of(&format!("{dumps} {CURED}")).is("pass", 0);
    let gated = Gated::of(&format!("{dumps} {FAULTY}"));
    gated.is("fail", 1);
    assert_eq!(gated.json["kind"], "object-graph");
    assert_eq!(gated.json["timeline"]["schema"], "heapdiff.timeline/1");
}

#[test]
fn accepted_services_are_hidden_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heapdiff.toml");
    let with = |keys: &str| {
        let text = format!("[[suppress]]\nreason = \"known\"\nexpires = 2027-01-01\n{keys}\n");
        std::fs::write(&path, text).unwrap();
        Gated::of(&format!("--config {} {FAULTY}", path.display()))
    };
    let gated = with("rule = \"HD060\"\nsubject = \"reports\"");
    gated.is("fail", 1);
    let broken = &gated.budget("growth of services")["broken_by"];
    assert_eq!(broken[0]["name"], "backend");
    assert_eq!(broken.as_array().unwrap().len(), 1);
    let hidden = &gated.gate()["suppressed"];
    assert_eq!(hidden[0]["suppression"], "known");
    with("rule = \"HD060\"\nsubject = \"*\"").is("pass", 0);
    // A suppression of a site says nothing of a service, and monitoring nothing of it.
    let gated = with("rule = \"*\"\nstack = \"** > main > **\"");
    gated.is("fail", 1);
    assert_eq!(gated.gate()["warnings"].as_array().unwrap().len(), 0);
}

#[test]
fn thresholds_of_severity_are_set_in_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heapdiff.toml");
    let with = |text: &str, line: &str| {
        std::fs::write(&path, text).unwrap();
        Gated::of(&format!("--config {} {line}", path.display()))
    };
    let high = "[severity]\nwarning = \"2GB\"\ncritical = \"3GB\"\nemergency = \"4GB\"\n";
    let steady = "--timeline profiles/monitoring";
    with(high, FAULTY).is("pass", 0);
    // The day multiplies its memory by 27: by its factor it is critical, whatever the rate.
    with(high, steady).is("fail", 1);
    let factor = "[severity.factor]\nwarning = 40\ncritical = 50\n";
    with(&format!("{high}{factor}"), steady).is("pass", 0);
    // 300 MB now and 12 MB more an hour reach 1 GB in 57 hours: a warning, or none if it is told so.
    let limit = "[gate]\nmemory_limit = \"1GB\"\n";
    with(&format!("{limit}{high}{factor}"), steady).is("fail", 1);
    let late = "[severity.limit]\nwarning = \"2d\"\n";
    with(&format!("{limit}{high}{factor}{late}"), steady).is("pass", 0);
    // The same of captures: 7,928 B per run at 20,000 runs an hour are 159 MB/h.
    let sites =
        "--runs-per-hour 20000 --runs 50,200,800 --no-leaks critical profiles/ingest/retries";
    let factors = "[severity.factor]\nwarning = 1e9\ncritical = 1e9\n";
    with(factors, sites).is("pass", 0);
    let low = format!("[severity]\ncritical = \"150MB\"\n{factors}");
    with(&low, sites).is("fail", 1);
    // And of object graphs: 21,179 B per run at 3,000 runs an hour are 64 MB/h.
    let dumps = "--runs-per-hour 3000 --no-leaks warning profiles/rules-engine/off-10.hdg.zst \
                 profiles/rules-engine/off-20.hdg.zst profiles/rules-engine/off-40.hdg.zst";
    with(factors, dumps).is("fail", 1);
    with(&format!("{high}{factors}"), dumps).is("pass", 0);
}

#[test]
fn mistakes_name_what_to_do() {
    for (args, says) in [
        (&["gate"][..], ""),
        (
            &["gate", "--timeline", "profiles/nothing"],
            "profiles/nothing",
        ),
        (
            &["gate", "--timeline", "profiles/ingest/a.json"],
            "profiles/ingest/a.json",
        ),
        (
            &[
                "gate",
                "--timeline",
                "profiles/monitoring",
                "--base",
                "profiles/ingest/a.json",
            ],
            "--base is for captures",
        ),
        (
            &[
                "gate",
                "--timeline",
                "profiles/monitoring",
                "--format",
                "pprof",
            ],
            "no rendering",
        ),
        (
            &[
                "gate",
                "--timeline",
                "profiles/monitoring",
                "--budget",
                "condition = \"> 0\"",
            ],
            "needs a series",
        ),
        (
            &[
                "gate",
                "--timeline",
                "profiles/monitoring",
                "--tz",
                "Nowhere/City",
            ],
            "Nowhere/City",
        ),
    ] {
        let ran = run_in(root(), args);
        assert_eq!(ran.status, 2, "{args:?}: {}", ran.out);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}
