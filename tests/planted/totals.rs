//! The totals of every capture are those that the tool itself printed.

use super::{Document, truth};

/// Every metric that a folder's truth has for a capture. A capture against itself is `same`.
fn agree(folder: &str) {
    let truth = truth(folder);
    let totals = truth["totals"].as_object().unwrap();
    assert!(totals.len() > 3);
    for (name, metrics) in totals {
        if name.ends_with(".massif") {
            continue; // a massif file has its own two totals, of moments
        }
        let path = format!("profiles/{folder}/{name}");
        let document = Document::of(&format!("{path} {path}"));
        assert_eq!(document.verdict(), "same", "{path}");
        document.adds_up();
        let found = &document.json["captures"][0]["totals"];
        let Some(metrics) = metrics.as_object() else {
            assert_eq!(&found["bytes"], metrics, "{path}");
            continue;
        };
        for (metric, total) in metrics {
            // What was copied, and events, are called what they are.
            let metric = match (document.json["metric"].as_str().unwrap(), metric.as_str()) {
                ("total_units", "total_bytes") => "total_units",
                ("total_units", "total_blocks") => "total_events",
                ("copied_bytes", "total_bytes") => "copied_bytes",
                ("copied_bytes", "total_blocks") => "copied_blocks",
                (_, metric) => metric,
            };
            assert_eq!(&found[metric], total, "{path}: {metric}");
        }
    }
}

#[test]
fn of_the_service_in_rust() {
    agree("ingest");
}

#[test]
fn of_the_service_in_c() {
    agree("c-ingest");
}

#[test]
fn of_the_forwarder() {
    agree("log-forwarder");
}
