//! `heapdiff timeline` as it is typed: screens, documents, bad input.

use super::generator::{Random, START, sin};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

pub fn run(args: &[&str]) -> (i32, String, String) {
    let out = assert_cmd::Command::cargo_bin("heapdiff")
        .unwrap()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (
        out.status.code().unwrap_or(-1),
        text(out.stdout),
        text(out.stderr),
    )
}

pub fn fine(args: &[&str]) -> String {
    let (status, out, err) = run(args);
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    out
}

/// A file of `docker stats` as the monitoring script writes it.
pub fn csv(path: &Path, hours: f64, seed: u64, level: impl Fn(f64) -> f64) -> String {
    let mut r = Random::new(seed);
    let mut text =
        String::from("timestamp,cpu_percent,mem_usage_mb,mem_limit_mb,mem_percent,pids\n");
    for i in 0..(hours * 720.0) as i64 {
        let mb = level(i as f64 / 720.0) * (1.0 + 0.002 * r.normal());
        let at = jiff::Timestamp::from_second(START + 5 * i).unwrap();
        match mb.is_nan() {
            true => writeln!(text, "{at},--,--,--,--,--").unwrap(),
            false => writeln!(
                text,
                "{at},{:.1},{mb:.2},2048,{:.2},12",
                5.0 * r.uniform(),
                mb / 20.48
            )
            .unwrap(),
        }
    }
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The leak that looks flat, with three healthy services beside it.
fn forwarder(dir: &Path) -> Vec<String> {
    let at = |name: &str| dir.join(format!("{name}_docker_stats.csv"));
    vec![
        csv(&at("forwarder"), 24.0, 1, |t| {
            120.0 + 20.4 * t + 66.0 * (t / 0.55).fract()
        }),
        csv(&at("relay"), 24.0, 2, |t| {
            300.0 + 170.0 * (1.0 - (-t / 0.5).exp())
        }),
        csv(&at("gateway"), 24.0, 3, |t| 500.0 + 100.0 * sin(t, 0.1)),
        csv(&at("store"), 24.0, 4, |t| {
            if t.fract() < 0.001 { f64::NAN } else { 800.0 }
        }),
    ]
}

#[test]
fn the_leak_that_looks_flat() {
    let dir = tempfile::tempdir().unwrap();
    let files = forwarder(dir.path());
    let mut args = vec!["timeline", "--memory-limit", "1GB"];
    args.extend(files.iter().map(String::as_str));
    let text = fine(&args);
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("LEAK  forwarder  +21.4 MB/h over 24 h (21"),
        "{text}"
    );
    assert!(first.contains("steady since 00:00; 1 GB in"), "{text}");
    assert!(text.contains("flat to the eye: 1 h windows read"), "{text}");
    assert!(text.contains("saw-tooth of"), "{text}");
    assert!(text.contains("relay: warmed up by"), "{text}");
    assert!(text.contains("gateway: what rises is given back"), "{text}");
    assert!(text.lines().count() <= 24, "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 100), "{text}");
    assert_eq!(text, fine(&args), "the same bytes each time");
    // The directory says the same as its files, and the order of files does not matter.
    let from_directory = fine(&[
        "timeline",
        "--memory-limit",
        "1GB",
        dir.path().to_str().unwrap(),
    ]);
    assert_eq!(text, from_directory);
}

pub fn document(args: &[&str]) -> Value {
    let mut all = vec!["timeline", "--format", "json"];
    all.extend(args);
    serde_json::from_str(&fine(&all)).unwrap()
}

pub fn valid(document: &Value) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/heapdiff.timeline.1.schema.json"
    );
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn documents_follow_the_schema() {
    let dir = tempfile::tempdir().unwrap();
    let files = forwarder(dir.path());
    let d = document(&[
        &files[0],
        "--memory-limit",
        "1GB",
        "--mark",
        "2026-03-02T12:00Z=deploy",
    ]);
    valid(&d);
    let s = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["metric"] == "mem_usage")
        .unwrap();
    let rate = &s["rate_mb_per_hour"];
    assert!(
        rate["max_1h"].is_null() && rate["max_15m"].is_null(),
        "{rate}"
    );
    // 20.4 MiB of the file are 21.4 MB.
    assert!(
        (rate["overall"].as_f64().unwrap() - 21.39).abs() < 0.2,
        "{rate}"
    );
    assert!(
        (rate["max_24h"].as_f64().unwrap() - 21.39).abs() < 0.2,
        "{rate}"
    );
    let rules: Vec<&str> = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["rule"].as_str())
        .collect();
    assert!(rules.contains(&"HD061"), "{rules:?}");
    assert_eq!(d["findings"][0]["severity_by"], "factor");
    let limit = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["metric"] == "mem_limit")
        .unwrap();
    assert!(limit["rate_mb_per_hour"].is_null(), "a limit is no usage");
}

/// The recorded application: a mebibyte that each export keeps, real samples.
#[test]
fn a_recorded_leak_is_found_with_its_endpoint_and_its_size() {
    let files = [
        "profiles/monitoring/webapp.csv.gz",
        "profiles/monitoring/access.log.gz",
    ];
    let d = document(&files);
    valid(&d);
    assert_eq!(d["verdict"], "leak");
    let planted = 1_048_576.0;
    let reported: Vec<&Value> = d["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["reported"] == true)
        .collect();
    assert_eq!(reported.len(), 1, "{reported:#?}");
    assert_eq!(reported[0]["endpoint"], "GET /publisher/{id}/export/");
    let per = &reported[0]["bytes_per_request"];
    assert!(
        (per["value"].as_f64().unwrap() / planted - 1.0).abs() < 0.03,
        "{per}"
    );
    assert!(per["lo"].as_f64().unwrap() <= planted * 1.01, "{per}");
    assert!(per["hi"].as_f64().unwrap() >= planted, "{per}");
    // 259 exports in the day: the rate is what they keep.
    let s = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["metric"] == "anon")
        .unwrap();
    let rate = s["rate_mb_per_hour"]["overall"].as_f64().unwrap();
    assert!(
        (rate / (259.0 * planted / 24.0 / 1e6) - 1.0).abs() < 0.15,
        "{rate}"
    );
    let text = fine(&["timeline", files[0], files[1]]);
    assert!(
        text.contains("coincides  GET /publisher/{id}/export/  (259 requests"),
        "{text}"
    );
    assert!(
        text.contains("correlation only: refuted if growth goes on while it is idle"),
        "{text}"
    );
    let page = fine(&["timeline", files[0], files[1], "--format", "md"]);
    assert!(page.starts_with("### LEAK: webapp"), "{page}");
}

#[test]
fn severities_escalate_and_end_with_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let level = |t: f64| {
        let level = 500.0
            + 12.0 * t.min(4.0)
            + 90.0 * (t - 4.0).clamp(0.0, 7.0)
            + 800.0 * (t - 11.0).clamp(0.0, 2.0)
            + 320.0 * (t - 13.0).clamp(0.0, 5.0);
        match t {
            t if t < 18.0 => level,
            t if t < 18.02 => f64::NAN,
            _ => 500.0,
        }
    };
    let file = csv(&dir.path().join("reports.csv"), 24.0, 7, level);
    let text = fine(&["timeline", &file, "-v"]);
    assert!(text.starts_with("EMERGENCY  reports  +8"), "{text}");
    let hours: Vec<&str> = text
        .lines()
        .filter(|l| l.contains("MB/h (") && !l.contains("series"))
        .collect();
    for (hour, word) in [("04:0", "warning"), ("11:0", "emergency")] {
        assert!(
            hours.iter().any(|l| l.contains(hour) && l.contains(word)),
            "{hour} {word}: {text}"
        );
    }
    assert!(
        text.contains("18:01  reports restarts") || text.contains("18:00  reports restarts"),
        "{text}"
    );
    let d = document(&[&file]);
    let s = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["metric"] == "mem_usage")
        .unwrap();
    assert_eq!(s["restarts"].as_array().unwrap().len(), 1);
    let severities: Vec<&str> = s["windows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|w| w["severity"].as_str())
        .collect();
    assert!(
        severities.contains(&"critical") && severities.contains(&"emergency"),
        "{severities:?}"
    );
}

#[test]
fn a_mark_says_what_a_deploy_changed() {
    let dir = tempfile::tempdir().unwrap();
    for (after, hours, want) in [
        (0.0, 24.0, "CURED"),
        (40.0, 24.0, "REDUCED"),
        (100.0, 24.0, "CANNOT TELL"),
        (250.0, 24.0, "WORSE"),
    ] {
        let file = csv(&dir.path().join("app.csv"), 24.0 + hours, 11, |t| {
            500.0 + 100.0 * t.min(24.0) + after * (t - 24.0).max(0.0) + 50.0 * sin(t, 0.2)
        });
        let text = fine(&["timeline", &file, "--mark", "2026-03-03T00:00Z=deploy"]);
        assert!(text.starts_with(want), "{after}: {text}");
    }
    // Three hours on either side of a daily wave prove nothing.
    let file = csv(&dir.path().join("short.csv"), 6.0, 12, |t| {
        500.0 + 100.0 * sin(t, 0.0)
    });
    let text = fine(&["timeline", &file, "--mark", "2026-03-02T03:00Z=deploy"]);
    assert!(text.starts_with("CANNOT TELL"), "{text}");
}

#[test]
fn two_services_that_leak_at_once_are_named_together() {
    let dir = tempfile::tempdir().unwrap();
    let a = csv(&dir.path().join("backend.csv"), 24.0, 1, |t| {
        500.0 + 70.0 * t
    });
    let b = csv(&dir.path().join("reports.csv"), 24.0, 2, |t| {
        500.0 + 90.0 * t
    });
    let c = csv(&dir.path().join("cache.csv"), 24.0, 3, |_| 900.0);
    let text = fine(&["timeline", &a, &b, &c]);
    assert!(
        text.lines()
            .next()
            .unwrap()
            .contains("backend leaks with it"),
        "{text}"
    );
    assert!(text.contains("cache: flat"), "{text}");
    let d = document(&[&a, &b, &c]);
    assert!(
        d["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["rule"] == "HD063"),
        "{d}"
    );
}

#[test]
fn restarts_that_hide_a_climb_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = csv(&dir.path().join("night.csv"), 72.0, 5, |t| {
        let age = (t - 3.0).rem_euclid(24.0);
        if age < 0.02 {
            f64::NAN
        } else {
            600.0 + 30.0 * age
        }
    });
    let text = fine(&["timeline", &file, "-v"]);
    assert!(
        text.contains("hide it") || text.contains("restarts"),
        "{text}"
    );
    let d = document(&[&file]);
    let rules: Vec<&str> = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["rule"].as_str())
        .collect();
    assert!(rules.contains(&"HD062"), "{rules:?}");
    // A nightly restart of a flat process is none of it.
    let flat = csv(&dir.path().join("flat.csv"), 72.0, 6, |t| {
        if (t - 3.0).rem_euclid(24.0) < 0.02 {
            f64::NAN
        } else {
            600.0
        }
    });
    let text = fine(&["timeline", &flat]);
    assert!(text.starts_with("SAME"), "{text}");
}

#[test]
fn descriptors_that_only_rise_are_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.csv");
    let mut text = String::from("time,rss_bytes,open_fds,threads\n");
    for i in 0..24 * 60 {
        let t = START + 60 * i;
        writeln!(
            text,
            "{t},{},{},{}",
            500_000_000 + (i * 7919) % 1_000_000,
            40 + i / 10,
            12 + i % 3
        )
        .unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let d = document(&[path.to_str().unwrap()]);
    let found: Vec<&str> = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["title"].as_str())
        .collect();
    assert!(
        found.len() == 1 && found[0].starts_with("open descriptors of app only rise: 40 to 183"),
        "{found:?}"
    );
}

#[test]
fn bad_lines_are_counted_and_too_many_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.txt");
    let line = |i: i64| {
        let at = jiff::Timestamp::from_second(START + i).unwrap();
        format!(
            "{at} 10.0.0.1 \"GET /a HTTP/1.1\" 200 0.02{} seconds\n",
            i % 10
        )
    };
    let mut text: String = (0..100).map(line).collect();
    text.push_str("what is this\n");
    std::fs::write(&path, &text).unwrap();
    let out = fine(&["timeline", path.to_str().unwrap()]);
    assert!(
        out.contains("1 of 101 lines do not parse, the first is line 101: what is this"),
        "{out}"
    );
    text.push_str(&"and this\n".repeat(9));
    std::fs::write(&path, &text).unwrap();
    let (status, _, err) = run(&["timeline", path.to_str().unwrap()]);
    assert_eq!(status, 2);
    assert!(
        err.contains("line 101: 10 of 110 lines of this request log do not parse"),
        "{err}"
    );
    for (name, bytes, want) in [
        ("empty.csv", &b""[..], "HDE006"),
        (
            "noise.bin",
            &[0u8, 1, 2, 3, 255, 254, 10, 7, 10][..],
            "HDE004",
        ),
        ("untimed.csv", b"a,b\n1,2\n3,4\n", "HDE004"),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let (status, _, err) = run(&["timeline", path.to_str().unwrap()]);
        assert_eq!(status, 2, "{name}");
        assert!(
            err.contains(want) && err.contains(name) && err.lines().count() == 1,
            "{name}: {err}"
        );
    }
}

#[test]
fn order_duplicates_and_units_of_samples_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<(i64, f64)> = (0..1440)
        .map(|i| (START + 60 * i, 500.0 + i as f64 / 10.0))
        .collect();
    let write = |name: &str, rows: &mut dyn Iterator<Item = String>| {
        let path = dir.path().join(name);
        let text: String = rows.collect();
        std::fs::write(&path, format!("time,mem_usage\n{text}")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = write(
        "app.csv",
        &mut rows.iter().map(|(t, m)| format!("{t},{m}MB\n")),
    );
    let rate = |path: &str| document(&[path])["series"][0]["rate_mb_per_hour"].clone();
    let want = rate(&plain);
    assert!(
        (want["overall"].as_f64().unwrap() - 6.0).abs() < 0.01,
        "{want}"
    );
    let backwards = write(
        "app.csv",
        &mut rows.iter().rev().map(|(t, m)| format!("{t},{m}MB\n")),
    );
    assert_eq!(rate(&backwards), want);
    let twice = write(
        "app.csv",
        &mut rows
            .iter()
            .flat_map(|(t, m)| [format!("{t},1MB\n"), format!("{t},{m}MB\n")]),
    );
    assert_eq!(rate(&twice), want);
    let mixed = write(
        "app.csv",
        &mut rows.iter().enumerate().map(|(i, (t, m))| match i % 3 {
            0 => format!("{t},{m}MB\n"),
            1 => format!("{},{}kB\n", t * 1000, m * 1e3),
            _ => format!("{},{}\n", t * 1_000_000, m * 1e6),
        }),
    );
    assert_eq!(rate(&mixed), want);
}

/// Growth per request without anyone counting: the log counts between the captures.
#[test]
fn runs_are_counted_from_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let log: String = (0..1000)
        .map(|i| {
            let at = jiff::Timestamp::from_second(START + i).unwrap();
            format!("{at} 10.0.0.1 \"GET /a/{i} HTTP/1.1\" 200 0.02 seconds\n")
        })
        .collect();
    let log_path = dir.path().join("access.log");
    std::fs::write(&log_path, log).unwrap();
    // 1772409600 is 2026-03-02T00:00:00Z; a request a second.
    let mut files = Vec::new();
    for (stamp, n) in [
        ("20260302T000049Z", 50),
        ("20260302T000319Z", 200),
        ("20260302T001319Z", 800),
    ] {
        let to = dir.path().join(format!("heap-{stamp}.json"));
        let from = format!(
            "{}/profiles/ingest/faulty/run-{n:03}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::copy(from, &to).unwrap();
        files.push(to.to_str().unwrap().to_owned());
    }
    let mut args = vec![
        "compare",
        "--format",
        "json",
        "--runs-from",
        log_path.to_str().unwrap(),
    ];
    args.extend(files.iter().map(String::as_str));
    let d: Value = serde_json::from_str(&fine(&args)).unwrap();
    let runs: Vec<f64> = d["captures"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|c| c["runs"].as_f64())
        .collect();
    assert_eq!(runs, [50.0, 200.0, 800.0]);
    let counted: Value = serde_json::from_str(&fine(&[
        "compare",
        "--format",
        "json",
        "--runs",
        "50,200,800",
        "profiles/ingest/faulty",
    ]))
    .unwrap();
    assert_eq!(d["totals"]["per_run"], counted["totals"]["per_run"]);
    let (status, _, err) = run(&[
        "compare",
        "--runs-from",
        log_path.to_str().unwrap(),
        "profiles/ingest/a.json",
        "profiles/no-such.json",
    ]);
    assert_eq!(status, 2, "{err}");
}

/// The same day in three more layouts: Prometheus, `docker stats` behind a date, nested JSON.
#[test]
fn layouts_of_one_day_say_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let level = |i: i64| 500e6 + 1e6 * i as f64 / 6.0;
    let rows = || (0..288i64).map(|i| (START + 300 * i, level(i)));
    let values: Vec<String> = rows().map(|(t, v)| format!("[{t},\"{v}\"]")).collect();
    let prometheus = format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{\"__name__\":\"process_resident_memory_bytes\",\"job\":\"app\"}},\"values\":[{}]}}]}}}}",
        values.join(",")
    );
    let docker: String = rows()
        .map(|(t, v)| {
            let at = jiff::Timestamp::from_second(t).unwrap();
            format!("{at} {{\"Name\":\"app\",\"CPUPerc\":\"1.5%\",\"MemUsage\":\"{}kB / 7.6GiB\",\"PIDs\":\"4\"}}\n", v / 1e3)
        })
        .collect();
    let nested: String = rows()
        .map(|(t, v)| {
            format!("{{\"ts\":{t},\"memory\":{{\"rss\":{v}}},\"retry_counts\":{{\"disk\":0}}}}\n")
        })
        .collect();
    for (name, text) in [
        ("p.json", prometheus),
        ("d.jsonl", docker),
        ("n.jsonl", nested),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let d = document(&[path.to_str().unwrap()]);
        let all = d["series"].as_array().unwrap();
        let s = all
            .iter()
            .find(|s| s["rate_mb_per_hour"].is_object())
            .unwrap_or_else(|| panic!("{name}: {d}"));
        let rate = s["rate_mb_per_hour"]["overall"].as_f64().unwrap();
        assert!((rate - 2.0).abs() < 0.02, "{name}: {rate}");
        assert_eq!(s["points"], 288, "{name}");
    }
}
