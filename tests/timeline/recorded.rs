//! Three real services under load (`profiles/services`): what was planted is found, by every tool
//! that watched them.

use super::program::{document, fine, valid};
use serde_json::Value;

const AT: &str = "profiles/services";

fn truth() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/services/truth.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The planted rate of a service, in 10^6 bytes an hour: resident where that was measured.
fn planted(service: &str) -> f64 {
    let t = &truth()["services"][service];
    let resident = t["resident_mb_per_hour"].as_f64();
    resident.unwrap_or_else(|| t["asked_mb_per_hour"].as_f64().unwrap())
}

fn rate_of(d: &Value, service: &str) -> f64 {
    let all = d["series"].as_array().unwrap();
    let s = all
        .iter()
        .find(|s| s["service"] == service && s["primary"] == true)
        .unwrap_or_else(|| panic!("no memory of {service}"));
    s["rate_mb_per_hour"]["overall"].as_f64().unwrap()
}

/// Each tool names the services in its own way; all of them see the same growth.
#[test]
fn every_tool_sees_the_planted_rates() {
    let known = [
        ("rules", "rules"),
        ("shop", "shop"),
        ("forwarder", "forwarder"),
    ];
    let by_command = [
        ("rules", "python"),
        ("shop", "node"),
        ("forwarder", "forwarder"),
    ];
    let by_script = [
        ("rules", "rules.py"),
        ("shop", "shop.js"),
        ("forwarder", "forwarder"),
    ];
    for (file, services) in [
        ("monitor", &known[..]),
        ("pidstat.txt.gz", &by_command),
        ("pidstat-h.txt.gz", &by_command),
        ("ps.txt.gz", &by_command),
        ("ps-aux.txt.gz", &by_script),
        ("rules_metrics.txt.gz", &known[..1]),
        ("rules_status.txt.gz", &known[..1]),
        ("shop_metrics", &known[1..2]),
        ("forwarder_smaps_rollup.txt.gz", &known[2..]),
    ] {
        let d = document(&[&format!("{AT}/{file}")]);
        valid(&d);
        for input in d["inputs"].as_array().unwrap() {
            assert_eq!(input["bad_lines"], 0, "{input}");
        }
        for (service, named) in services {
            let (found, truth) = (rate_of(&d, named), planted(service));
            let off = found / truth - 1.0;
            assert!(
                off.abs() < 0.08,
                "{file}: {named} {found} instead of {truth}"
            );
        }
    }
}

/// The guilty request and what it keeps, where three quarters of an hour can show it; elsewhere
/// nobody is blamed, and the size that would have shown is larger than what is kept.
#[test]
fn the_guilty_requests_are_named_or_nobody() {
    for service in ["rules", "shop", "forwarder"] {
        let samples = format!("{AT}/monitor/{service}_proc_stats.csv.gz");
        let log = format!("{AT}/{service}_access.log.gz");
        let d = document(&[&samples, &log]);
        let t = &truth()["services"][service];
        let requests = d["requests"].as_array().unwrap();
        let guilty = requests
            .iter()
            .find(|r| r["endpoint"] == t["guilty"])
            .unwrap();
        assert_eq!(guilty["count"], t["requests"], "{service}");
        let mut others = requests.iter().filter(|r| *r != guilty);
        assert!(others.all(|r| r["reported"] == false), "{service}");
        if guilty["reported"] == true {
            let keeps = t["bytes_resident"].as_f64().unwrap();
            let per = &guilty["bytes_per_request"];
            let (lo, hi) = (per["lo"].as_f64().unwrap(), per["hi"].as_f64().unwrap());
            assert!((lo..=hi).contains(&keeps), "{per} instead of {keeps}");
        } else {
            assert_ne!(service, "rules", "{guilty}");
            let visible = guilty["visible_bytes_per_request"].as_f64().unwrap();
            assert!(visible > t["bytes_asked"].as_f64().unwrap(), "{guilty}");
        }
    }
}

/// Growth inside the managed heap is told from growth beside it by the runtime's own counters.
#[test]
fn the_place_of_growth_is_told_by_counters() {
    let d = document(&[&format!("{AT}/shop_metrics")]);
    let all = d["series"].as_array().unwrap();
    let s = all.iter().find(|s| s["primary"] == true).unwrap();
    assert_eq!(s["makeup"]["place"], "heap", "{}", s["makeup"]);
    let text = fine(&["timeline", &format!("{AT}/shop_metrics")]);
    assert!(text.contains("inside the managed heap"), "{text}");
    assert!(text.contains("less than an hour seen"), "{text}");
}
