//! One growth is as bad for every command: thresholds, load and limit of the configuration.

use super::{Ran, run};

const SITES: &str = "profiles/ingest/faulty";
const GRAPHS: [&str; 3] = [
    "profiles/rules-engine/off-10.hdg.zst@10",
    "profiles/rules-engine/off-20.hdg.zst@20",
    "profiles/rules-engine/off-40.hdg.zst@40",
];
/// 7.9 KB a run are 0.8 MB an hour, 20.7 KiB are 2.1.
const LOADED: &str = "[gate]\nruns_per_hour = 100\n";

fn with(config: &str, args: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heapdiff.toml");
    std::fs::write(&path, config).unwrap();
    let mut all = args.to_vec();
    all.extend(["--config", path.to_str().unwrap()]);
    let ran = run(&all);
    assert!([0, 1].contains(&ran.status), "{}{}", ran.out, ran.err);
    ran
}

/// The severity of the first finding, and the rule that gave it.
fn first(config: &str, args: &[&str]) -> (String, String) {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    let d: serde_json::Value = serde_json::from_str(&with(config, &all).out).unwrap();
    let word = |key: &str| d["findings"][0][key].as_str().unwrap().to_owned();
    (word("severity"), word("severity_by"))
}

fn pair(severity: &str, by: &str) -> (String, String) {
    (severity.to_owned(), by.to_owned())
}

#[test]
fn the_configuration_says_how_bad_growth_is() {
    let rates = |critical: &str| {
        format!(
            "{LOADED}[severity]\nwarning = \"500KB\"\ncritical = \"{critical}\"\n\
             [severity.factor]\nwarning = 1000\ncritical = 1000\n"
        )
    };
    let sites = ["--runs", "50,200,800", SITES];
    for command in ["compare", "gate"] {
        let args = [&[command][..], &sites].concat();
        assert_eq!(first(&rates("100MB"), &args), pair("warning", "rate"));
        assert_eq!(first("", &args), pair("warning", "default"));
    }
    for command in ["cycles", "compare", "gate"] {
        let args = [&[command][..], &GRAPHS].concat();
        assert_eq!(first(&rates("2MB"), &args), pair("critical", "rate"));
        assert_eq!(first("", &args), pair("warning", "default"));
    }
    let series = ["timeline", "profiles/web-app/faulty"];
    assert_eq!(first("", &series), pair("emergency", "rate"));
    let never = "[severity]\nwarning = \"2GB\"\ncritical = \"3GB\"\nemergency = \"4GB\"\n";
    let all = [&series[..], &["--format", "json"]].concat();
    let d: serde_json::Value = serde_json::from_str(&with(never, &all).out).unwrap();
    let by_rate = d["findings"].as_array().unwrap().iter();
    let by_rate = by_rate.filter(|f| f["severity_by"] == "rate");
    assert!(by_rate.clone().count() > 1);
    by_rate.for_each(|f| assert_eq!(f["severity"], "note", "{f}"));
}

#[test]
fn a_limit_of_the_configuration_gives_the_time_until_then() {
    let config = "[gate]\nruns_per_hour = 100\nmemory_limit = \"107MB\"\n\
                  [severity.limit]\nemergency = \"1h\"\ncritical = \"2h\"\n";
    let args = ["compare", "--runs", "50,200,800", SITES];
    assert_eq!(first(config, &args).1, "limit");
    // An option stands over it.
    let args = [&args[..], &["--memory-limit", "100GB"]].concat();
    assert_ne!(first(config, &args).1, "limit");
}

/// Every output that names a severity names the rule that gave it.
#[test]
fn the_rule_that_gave_the_severity_is_named() {
    let sites = ["--runs", "50,200,800", SITES, "--runs-per-hour", "1000000"];
    let says = "emergency by its rate";
    for format in ["text", "md", "html"] {
        let args = [&["compare"][..], &sites, &["--format", format]].concat();
        let out = with("", &args).out;
        let says = if format == "html" { "by rate" } else { says };
        assert!(out.contains(says), "{format}: {out}");
    }
    for format in ["text", "md"] {
        let load = ["--runs-per-hour", "1000000", "--format", format];
        let out = with("", &[&["cycles"][..], &GRAPHS, &load].concat()).out;
        assert!(out.contains(says), "{format}: {out}");
        let args = ["timeline", "profiles/web-app/faulty", "--format", format];
        let out = with("", &args).out;
        assert!(out.contains(says), "{format}: {out}");
    }
}
