//! What else is said of a service: bursts, error counters, churn, families of endpoints, clocks.

use super::generator::{Random, START};
use super::program::{csv, document, fine, run, valid};
use serde_json::Value;
use std::fmt::Write;

fn at(seconds: i64) -> String {
    jiff::Timestamp::from_second(START + seconds)
        .unwrap()
        .to_string()
}

fn rules(d: &Value) -> Vec<&str> {
    let all = d["findings"].as_array().unwrap();
    all.iter().filter_map(|f| f["rule"].as_str()).collect()
}

fn save(dir: &std::path::Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Bursts of 20 minutes with breaks: growth is measured at the floor, and what stays is named.
#[test]
fn what_a_burst_never_gives_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = csv(&dir.path().join("batch.csv"), 24.0, 3, |t| {
        let n = (t * 60.0 / 25.0).floor();
        let busy = (t * 60.0).rem_euclid(25.0) < 20.0;
        400.0 + 10.0 * n + if busy { 150.0 } else { 0.0 }
    });
    let d = document(&[&file]);
    valid(&d);
    let f = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["rule"] == "HD061")
        .unwrap_or_else(|| panic!("{:?}", rules(&d)));
    // 10 MiB a burst of 25 minutes.
    let kept = f["evidence"]["never_given_back_bytes_per_tooth"]
        .as_f64()
        .unwrap();
    let period = f["evidence"]["tooth_seconds"].as_f64().unwrap();
    assert!(
        (kept / (10.0 * 1_048_576.0 * period / 1500.0) - 1.0).abs() < 0.03,
        "{f}"
    );
    let text = fine(&["timeline", &file]);
    assert!(text.contains("is never given back"), "{text}");
}

/// Retries that stop coming back to zero are one finding, however many queues there are; an error
/// counter that speeds up is another.
#[test]
fn counters_that_should_be_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::new();
    let mut errors = 0;
    let mut r = Random::new(5);
    for i in 0..24 * 60i64 {
        let stuck = i > 18 * 60;
        errors += r.poisson(if (17 * 60..19 * 60).contains(&i) {
            8.0
        } else {
            1.0
        });
        let waits = |k: i64| {
            if stuck {
                3 + k + i / 100
            } else {
                i64::from(i % 7 == k)
            }
        };
        writeln!(text, "{{\"time\":\"{}\",\"rss_bytes\":{},\"retry_counts\":{{\"disk\":{},\"net\":{},\"cpu\":{}}},\"write_errors_total\":{errors}}}", at(60 * i), 300_000_000 + (i * 7919) % 100_000, waits(0), waits(1), waits(2)).unwrap();
    }
    let file = save(dir.path(), "ingester.jsonl", &text);
    let d = document(&[&file]);
    valid(&d);
    let stuck: Vec<&Value> = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["rule"] == "HD067")
        .collect();
    assert_eq!(stuck.len(), 1, "{stuck:#?}");
    assert!(stuck[0]["title"].as_str().unwrap().starts_with("retry_counts.cpu, retry_counts.disk, retry_counts.net of ingester no longer return to zero"), "{}", stuck[0]);
    let burst = d["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| {
            e["pattern"] == "write_errors of ingester"
                || e["pattern"] == "write_errors_total of ingester"
        })
        .unwrap_or_else(|| panic!("{}", d["events"]));
    let start = burst["bursts"][0]["start"].as_str().unwrap();
    assert!(
        start.starts_with("2026-03-02T16:") || start.starts_with("2026-03-02T17:"),
        "{burst}"
    );
    // A burst of events is a note and raises nothing.
    let mut notes = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["rule"] == "HD068");
    assert!(notes.all(|f| f["severity"] == "note"));
}

/// Two endpoints of a family that always run together are named together; connections that are
/// opened and timeouts are counted across all patterns and endpoints.
#[test]
fn endpoints_that_run_together_are_not_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let mut r = Random::new(11);
    let (mut log, mut errors, mut steps) = (Vec::new(), String::new(), Vec::new());
    for minute in 0..600i64 {
        for _ in 0..r.poisson(0.8) {
            let s = minute as f64 * 60.0 + 60.0 * r.uniform();
            log.push((s + 1.0, 1.0, "/publisher/7/export/", 200));
            log.push((s + 1.2, 1.0, "/publisher/7/export.xml", 200));
            steps.push(s + 1.1);
        }
        for _ in 0..r.poisson(6.0) {
            log.push((
                minute as f64 * 60.0 + 60.0 * r.uniform(),
                0.02,
                "/news",
                200,
            ));
        }
        let cascade = (300..330).contains(&minute);
        for _ in 0..r.poisson(if cascade { 4.0 } else { 0.2 }) {
            log.push((
                minute as f64 * 60.0 + 60.0 * r.uniform(),
                30.0,
                "/slow",
                504,
            ));
        }
        for k in 0..r.poisson(if cascade { 12.0 } else { 2.0 }) {
            writeln!(
                errors,
                "{} [info] New connection for \"pool-{}\"",
                at(60 * minute + k as i64),
                k % 3
            )
            .unwrap();
        }
    }
    log.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lines: String = log
        .iter()
        .map(|(t, took, path, status)| {
            format!(
                "{} 10.0.0.1 \"GET {path} HTTP/1.1\" {status} {took:.3} seconds\n",
                at(*t as i64)
            )
        })
        .collect();
    let mut samples = String::from("time,rss_bytes\n");
    for i in 0..7200i64 {
        let t = 5.0 * i as f64;
        let n = steps.iter().filter(|s| **s <= t).count();
        writeln!(
            samples,
            "{},{}",
            START + 5 * i,
            400_000_000 + 2_000_000 * n as i64 + (i * 7919) % 300_000
        )
        .unwrap();
    }
    let files = [
        save(dir.path(), "app.csv", &samples),
        save(dir.path(), "access.log", &lines),
        save(dir.path(), "error.log", &errors),
    ];
    let d = document(&[&files[0], &files[1], &files[2]]);
    valid(&d);
    let requests = d["requests"].as_array().unwrap();
    let export = requests
        .iter()
        .find(|e| e["endpoint"] == "GET /publisher/{id}/export/")
        .unwrap();
    assert_eq!(
        export["not_separable_from"][0], "GET /publisher/{id}/export.xml",
        "{export}"
    );
    assert_eq!(export["family"], "/publisher/{id}/export");
    assert_eq!(export["reported"], true);
    // Together they keep 2 MB: one of each.
    let per = export["bytes_per_request"]["value"].as_f64().unwrap();
    assert!((per / 1e6 - 1.0).abs() < 0.1, "{export}");
    assert!(requests.iter().filter(|e| e["reported"] == true).count() <= 2);
    let text = fine(&["timeline", &files[0], &files[1], &files[2]]);
    assert!(text.contains("not separable"), "{text}");
    for (pattern, hour) in [
        ("requests that timed out", "2026-03-02T0"),
        ("connections opened", "2026-03-02T0"),
    ] {
        let e = d["events"]
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["pattern"] == pattern)
            .unwrap_or_else(|| panic!("{}", d["events"]));
        let start = e["bursts"][0]["start"].as_str().unwrap();
        assert!(start.starts_with(hour), "{e}");
    }
}

/// A clock that is set back, and a gap: said, and no growth of their own.
#[test]
fn clocks_and_gaps_make_no_growth() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("time,rss_bytes\n");
    for i in 0..1440i64 {
        if (300..420).contains(&i) {
            continue;
        }
        let moved = if i >= 900 { 3600 } else { 0 };
        writeln!(
            text,
            "{},{}",
            START + 60 * i - moved,
            500_000_000 + 50_000 * i
        )
        .unwrap();
    }
    let file = save(dir.path(), "app.csv", &text);
    let d = document(&[&file]);
    valid(&d);
    let s = &d["series"][0];
    let rate = s["rate_mb_per_hour"]["overall"].as_f64().unwrap();
    assert!((rate - 3.0).abs() < 0.05, "{rate}");
    assert_eq!(s["gaps"].as_array().unwrap().len(), 1, "{}", s["gaps"]);
    assert_eq!(
        s["clock_steps"].as_array().unwrap().len(),
        1,
        "{}",
        s["clock_steps"]
    );
    assert!((s["clock_steps"][0]["moved_s"].as_f64().unwrap() - 3600.0).abs() <= 120.0);
    assert!(fine(&["timeline", &file]).contains("the clock went back"));
}

/// Growth of an hour or less is a note: a warm-up cannot be ruled out.
#[test]
fn less_than_an_hour_is_a_note() {
    let dir = tempfile::tempdir().unwrap();
    let file = csv(&dir.path().join("app.csv"), 0.75, 3, |t| 300.0 + 400.0 * t);
    let d = document(&[&file]);
    assert_eq!(d["verdict"], "grew");
    assert_eq!(d["findings"][0]["severity"], "note");
    let rate = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["primary"] == true)
        .unwrap();
    let rate = rate["rate_mb_per_hour"]["overall"].as_f64().unwrap();
    assert!((rate / 419.4 - 1.0).abs() < 0.02, "{rate}");
}

/// The document holds what a page draws: thinned samples, thresholds.
#[test]
fn the_document_can_be_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let file = csv(&dir.path().join("app.csv"), 24.0, 3, |t| 300.0 + 60.0 * t);
    let d = document(&[&file, "--memory-limit", "1GB"]);
    assert_eq!(d["thresholds"]["mb_per_hour"]["critical"], 200);
    assert_eq!(d["thresholds"]["memory_limit_bytes"], 1_000_000_000);
    let s = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["primary"] == true)
        .unwrap();
    let samples = s["samples"].as_array().unwrap();
    assert!((300..=480).contains(&samples.len()), "{}", samples.len());
    assert_eq!(samples[0][0], START);
    let extreme = |i: usize, max: bool| {
        let all = samples.iter().map(|p| p[i].as_f64().unwrap());
        if max {
            all.fold(0.0, f64::max)
        } else {
            all.fold(f64::INFINITY, f64::min)
        }
    };
    // Thinning loses no extreme.
    assert_eq!(extreme(1, false), s["min"].as_f64().unwrap());
    assert_eq!(extreme(2, true), s["max"].as_f64().unwrap());
}

/// Captures beside the curve: growth per hour, and what share of it the sites explain.
#[test]
fn captures_explain_a_share_of_the_growth() {
    let place = "profiles/web-app/tracemalloc/full";
    let d = document(&[
        "profiles/web-app/faulty",
        "--captures",
        place,
        "--runs",
        "1,2,4,8",
    ]);
    valid(&d);
    let c = &d["captures"];
    assert_eq!(c["counted_by"], "coinciding-requests", "{c}");
    let share = c["share_of_growth"].as_f64().unwrap();
    assert!((0.6..1.6).contains(&share), "{c}");
    let site = &c["sites"][0];
    assert!(site["name"].as_str().unwrap().contains("app.py"), "{site}");
    assert!(
        site["per_run"].as_f64().unwrap() > 1e6 && site["mb_per_hour"].as_f64().unwrap() > 10.0,
        "{site}"
    );
    let text = fine(&[
        "timeline",
        "profiles/web-app/faulty",
        "--captures",
        place,
        "--runs",
        "1,2,4,8",
    ]);
    assert!(text.contains("the sites of the captures explain"), "{text}");
    let (status, _, err) = run(&[
        "timeline",
        "profiles/web-app/faulty",
        "--captures",
        "profiles/web-app/tracemalloc/full/exports-08.snapshot.gz",
    ]);
    assert_eq!(status, 2);
    assert!(err.contains("one capture alone"), "{err}");
}

/// The application end to end: severities, the guilty family, the innocent, the cure.
#[test]
fn the_web_application() {
    let d = document(&["profiles/web-app/faulty"]);
    valid(&d);
    let services: Vec<&str> = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["primary"] == true)
        .filter_map(|s| s["service"].as_str())
        .collect();
    assert_eq!(services, ["backend", "reports"]);
    let truth: Value = serde_json::from_str(
        &std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/profiles/web-app/truth.json"
        ))
        .unwrap(),
    )
    .unwrap();
    // Each planted rate is that of a straight piece. The backend's steps are a seventh as large
    // beside the noise of its requests; its last two pieces are one.
    let reports = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["primary"] == true && s["service"] == "reports")
        .unwrap();
    for planted in truth["faulty"]["services"]["reports"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
    {
        let rate = planted["mb_per_hour"].as_f64().unwrap();
        let near = reports["windows"]
            .as_array()
            .unwrap()
            .iter()
            .any(|w| (w["rate_mb_per_hour"].as_f64().unwrap() / rate - 1.0).abs() < 0.1);
        assert!(near, "{planted} among {}", reports["windows"]);
    }
    let text = fine(&["timeline", "profiles/web-app/faulty", "-v"]);
    for word in ["(warning)", "(critical)", "(emergency)", "reports restarts"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let reported: Vec<&str> = d["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["reported"] == true)
        .filter_map(|r| r["endpoint"].as_str())
        .collect();
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(
        reported
            .iter()
            .all(|r| r.starts_with("GET /publisher/{id}/export")),
        "{reported:?}"
    );
    assert!(rules(&d).contains(&"HD063"));
    let cured = document(&["profiles/web-app/cured"]);
    for s in cured["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["primary"] == true)
    {
        let rate = s["rate_mb_per_hour"]["overall"].as_f64().unwrap();
        assert!(rate < 50.0, "{rate}");
    }
    assert!(
        cured["requests"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r["reported"] == false)
    );
    let exports = cured["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["family"] == "/publisher/{id}/export");
    for e in exports {
        assert!(
            e["errors"].as_f64().unwrap() < 0.05 * e["count"].as_f64().unwrap()
                && e["p50_s"].as_f64().unwrap() < 10.0
                && e["p99_s"].as_f64().unwrap() < 11.0,
            "{e}"
        );
    }
}
