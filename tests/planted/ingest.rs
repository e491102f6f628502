//! The ingestion service in Rust, C and Go: four faults, each with its cure.

use super::{Document, LEAKS, first_word, truth};
use serde_json::Value;

/// A folder of captures of one service.
struct Service {
    folder: &'static str,
    truth: Value,
}

/// A fault that grows.
struct Growing<'a> {
    function: &'a str,
    file: &'a str,
    bytes: i64,
    blocks: i64,
}

const BATCHES: [i64; 3] = [50, 200, 800];

impl Service {
    fn all() -> [Service; 3] {
        ["ingest", "c-ingest", "go-ingest"].map(|folder| Service {
            folder,
            truth: truth(folder),
        })
    }

    fn is_go(&self) -> bool {
        self.folder == "go-ingest"
    }

    /// The captures of one state of the switches.
    fn state(&self, name: &str) -> String {
        let within = if self.is_go() { "exact/" } else { "" };
        format!("profiles/{}/{within}{name}", self.folder)
    }

    /// The capture after `batches`, with its number of runs.
    fn capture(&self, state: &str, batches: i64) -> String {
        let ending = if self.is_go() { "pb.gz" } else { "json" };
        format!("{}/run-{batches:03}.{ending}@{batches}", self.state(state))
    }

    fn series(&self, state: &str) -> Document {
        Document::of(&format!("--runs 50,200,800 {}", self.state(state)))
    }

    fn faults(&self) -> impl Iterator<Item = &Value> {
        self.truth["faults"].as_array().unwrap().iter()
    }

    /// What grows, largest first; only what `switches` turns on.
    fn growing(&self, switches: &[&str]) -> Vec<Growing<'_>> {
        let on = |f: &&Value| switches.contains(&f["fault"].as_str().unwrap());
        let mut growing: Vec<_> = self
            .faults()
            .filter(|f| f["kind"] == "growth")
            .filter(on)
            .map(|f| Growing {
                function: f["function"].as_str().unwrap(),
                file: f["file"].as_str().unwrap().rsplit('/').next().unwrap(),
                bytes: f["bytes_per_batch"].as_i64().unwrap(),
                blocks: f["blocks_per_batch"]
                    .as_i64()
                    .or(f["objects_per_batch"].as_i64())
                    .unwrap(),
            })
            .collect();
        growing.sort_by_key(|g| -g.bytes);
        growing
    }

    /// What has a size and does not grow, by the name of its switch.
    fn sizes(&self, fault: &str) -> Vec<&Value> {
        self.faults()
            .filter(|f| f["kind"] == "size" && f["fault"] == fault)
            .collect()
    }
}

const ALL: [&str; 4] = ["double-buffer", "retries", "keep-alive", "encoder"];

/// The planted leaks stand first, with their true numbers, and nothing else is one.
fn shows_exactly(document: &Document, growing: &[Growing<'_>], service: &Service) {
    let line = &document.line;
    let functions: Vec<&str> = growing.iter().map(|g| g.function).collect();
    assert_eq!(document.leaks(), functions, "{line}");
    for (at, planted) in growing.iter().enumerate() {
        let site = document.site(at);
        assert_eq!(site.owner(), planted.function, "{line}");
        assert!(site.owner_file().ends_with(planted.file), "{line}");
        assert_eq!(site.growth(), "steady-growth", "{line}");
        assert_eq!(
            site.per_run("live_bytes"),
            Some(planted.bytes as f64),
            "{line}"
        );
        assert_eq!(
            site.per_run("live_blocks"),
            Some(planted.blocks as f64),
            "{line}"
        );
        assert_eq!(site.series(), BATCHES.map(|n| n * planted.bytes), "{line}");
        assert_eq!(
            site.json["slope"]["value"].as_f64(),
            Some(planted.bytes as f64)
        );
    }
    for site in document.sites().skip(growing.len()) {
        // Go's own runtime drops a few bytes of its start.
        let most = if service.is_go() { 100 } else { 0 };
        let delta = site.number("delta", "live_bytes");
        assert!(delta.abs() <= most, "{line}: {} {delta}", site.owner());
    }
}

#[test]
fn leaks_come_first_with_their_bytes_and_blocks_per_batch() {
    for service in Service::all() {
        let growing = service.growing(&ALL);
        assert_eq!(growing.len(), 2);
        let document = service.series("faulty");
        assert_eq!(document.verdict(), "leak");
        shows_exactly(&document, &growing, &service);
        let bytes: i64 = growing.iter().map(|g| g.bytes).sum();
        let blocks: i64 = growing.iter().map(|g| g.blocks).sum();
        assert_eq!(document.total("per_run", "live_bytes"), bytes as f64);
        assert_eq!(document.total("per_run", "live_blocks"), blocks as f64);
        document.adds_up();
    }
}

#[test]
fn each_switch_alone_shows_its_own_fault_and_no_other() {
    for service in Service::all().into_iter().filter(|s| !s.is_go()) {
        for (state, switches) in service.truth["folders"].as_object().unwrap() {
            let on: Vec<&str> = switches
                .as_array()
                .unwrap()
                .iter()
                .map(|s| s.as_str().unwrap())
                .collect();
            let growing = service.growing(&on);
            let document = service.series(state);
            let verdict = if growing.is_empty() { "same" } else { "leak" };
            assert_eq!(document.verdict(), verdict, "{}", document.line);
            shows_exactly(&document, &growing, &service);
        }
    }
}

#[test]
fn the_cured_twin_shows_no_fault() {
    for service in Service::all() {
        let document = service.series("cured");
        assert_eq!(document.verdict(), "same");
        assert_eq!(document.json["findings"].as_array().map(Vec::len), Some(0));
        shows_exactly(&document, &[], &service);
        for fault in service.faults() {
            let sites = document.sites_of(fault["function"].as_str().unwrap());
            assert!(sites.iter().all(|s| s.number("delta", "live_bytes") == 0));
        }
    }
}

#[test]
fn buffers_do_not_grow_with_the_batches() {
    for service in Service::all() {
        for fault in ["double-buffer", "keep-alive"] {
            for size in service.sizes(fault) {
                let metric = size["metric"].as_str().unwrap();
                if metric == "alloc_space" {
                    continue; // what was ever allocated grows with every batch
                }
                let document = Document::of(&format!(
                    "--runs 50,200,800 --metric {metric} {}",
                    service.state("faulty")
                ));
                let site = document.largest(size["function"].as_str().unwrap());
                let bytes = size["bytes"].as_i64().unwrap();
                assert_eq!(site.series(), [bytes; 3], "{}", document.line);
                assert!(!LEAKS.contains(&site.growth()), "{}", document.line);
                assert_eq!(site.number("delta", metric), 0);
            }
        }
    }
}

#[test]
fn against_the_cure_the_connection_buffer_is_first_in_live_bytes() {
    for service in Service::all() {
        for (state, batches) in [
            ("faulty", 50),
            ("faulty", 200),
            ("faulty", 800),
            ("keep-alive", 200),
        ] {
            let line = format!(
                "--base {} {}",
                service.capture("cured", batches),
                service.capture(state, batches)
            );
            let document = Document::of(&line);
            let size = service.sizes("keep-alive")[0];
            let (before, after) = (
                size["cured_bytes"].as_i64().unwrap(),
                size["bytes"].as_i64().unwrap(),
            );
            let site = document.site(0);
            assert_eq!(site.owner(), size["function"].as_str().unwrap(), "{line}");
            let found = ["before", "after", "delta"].map(|w| site.number(w, "live_bytes"));
            assert_eq!(found, [before, after, after - before], "{line}");
            assert_eq!(document.verdict(), "worse", "{line}");
            document.adds_up();
        }
    }
}

#[test]
fn against_the_cure_the_double_buffer_is_first_at_the_peak() {
    for service in Service::all().into_iter().filter(|s| !s.is_go()) {
        for batches in BATCHES {
            let line = format!(
                "--metric peak_bytes --base {} {}",
                service.capture("cured", batches),
                service.capture("double-buffer", batches)
            );
            let document = Document::of(&line);
            for (at, size) in service.sizes("double-buffer").into_iter().enumerate() {
                let site = document.site(at);
                assert_eq!(site.owner(), size["function"].as_str().unwrap(), "{line}");
                assert_eq!(site.growth(), "new", "{line}");
                assert_eq!(site.number("before", "peak_bytes"), 0);
                assert_eq!(
                    site.number("after", "peak_bytes"),
                    size["bytes"].as_i64().unwrap()
                );
                assert_eq!(
                    site.number("after", "peak_blocks"),
                    size["blocks"].as_i64().unwrap()
                );
                assert_eq!(
                    site.json["per_run"]["peak_bytes"],
                    Value::Null,
                    "a peak has no growth per run"
                );
            }
            for cured in service.truth["cured_sites"].as_array().unwrap() {
                let site = document.largest(cured["function"].as_str().unwrap());
                assert_eq!(site.growth(), "gone", "{line}");
                assert_eq!(
                    site.number("before", "peak_bytes"),
                    cured["bytes"].as_i64().unwrap()
                );
            }
            document.adds_up();
        }
    }
}

/// With every switch on, too: only the connection's buffer is larger.
#[test]
fn among_other_faults_the_double_buffer_has_its_size_at_the_peak() {
    for service in Service::all().into_iter().filter(|s| !s.is_go()) {
        let line = format!(
            "--metric peak_bytes --base {} {}",
            service.capture("cured", 200),
            service.capture("faulty", 200)
        );
        let document = Document::of(&line);
        let first: Vec<&str> = (0..3).map(|at| document.site(at).owner()).collect();
        for size in service.sizes("double-buffer") {
            let function = size["function"].as_str().unwrap();
            assert!(first.contains(&function), "{line}: {first:?}");
            let site = document.largest(function);
            assert_eq!(
                site.number("delta", "peak_bytes"),
                size["bytes"].as_i64().unwrap()
            );
        }
    }
}

/// A Go profile has no peak; the double buffer shows as allocation that comes twice.
#[test]
fn in_go_the_double_buffer_allocates_twice() {
    let [_, _, service] = Service::all();
    let line = format!(
        "--metric alloc_space --base {} {}",
        service.capture("cured", 200),
        service.capture("double-buffer", 200)
    );
    let document = Document::of(&line);
    let size = service.sizes("double-buffer")[0];
    let joined = document.largest(size["function"].as_str().unwrap());
    assert_eq!(joined.number("before", "total_bytes"), 0);
    assert_eq!(
        joined.number("after", "total_bytes"),
        size["bytes_at_200"].as_i64().unwrap()
    );
    assert!(
        (0..2).any(|at| document.site(at).owner() == joined.owner()),
        "{line}"
    );
    for cured in service.truth["cured_sites"].as_array().unwrap() {
        if cured["fault"] == "double-buffer" {
            let site = document.largest(cured["function"].as_str().unwrap());
            assert_eq!(
                site.number("before", "total_bytes"),
                cured["bytes_at_200"].as_i64().unwrap()
            );
            assert_eq!(site.number("after", "total_bytes"), 0);
        }
    }
}

#[test]
fn two_captures_grew_and_are_never_called_a_leak() {
    for service in Service::all() {
        let per_batch: i64 = service.growing(&ALL).iter().map(|g| g.bytes).sum();
        for (first, last) in [(50, 200), (200, 800), (50, 800)] {
            let line = format!(
                "{} {}",
                service.capture("faulty", first),
                service.capture("faulty", last)
            );
            let document = Document::of(&line);
            assert_eq!(document.verdict(), "grew", "{line}");
            assert_eq!(document.leaks(), Vec::<&str>::new(), "{line}");
            assert_eq!(
                document.total("per_run", "live_bytes"),
                per_batch as f64,
                "{line}"
            );
            assert_eq!(first_word(&line), "GREW");
            for (at, planted) in service.growing(&ALL).iter().enumerate() {
                let site = document.site(at);
                assert_eq!(
                    (site.owner(), site.growth()),
                    (planted.function, "grew"),
                    "{line}"
                );
                assert_eq!(site.per_run("live_bytes"), Some(planted.bytes as f64));
            }
            document.adds_up();
        }
    }
}

#[test]
fn faulty_to_cured_is_cured_and_back_is_worse() {
    for service in Service::all() {
        let per_batch: i64 = service.growing(&ALL).iter().map(|g| g.bytes).sum();
        let (faulty, cured) = (service.state("faulty"), service.state("cured"));
        let there = format!("--runs 50,200,800 --base {faulty} {cured}");
        let document = Document::of(&there);
        assert_eq!(document.verdict(), "cured", "{there}");
        assert_eq!(first_word(&there), "CURED");
        assert_eq!(
            document.total("per_run", "live_bytes").round(),
            -per_batch as f64
        );
        for planted in service.growing(&ALL) {
            let site = document.largest(planted.function);
            assert_eq!(
                site.per_run("live_bytes"),
                Some(-planted.bytes as f64),
                "{there}"
            );
        }
        document.adds_up();
        let back = Document::of(&format!("--runs 50,200,800 --base {cured} {faulty}"));
        assert_eq!(back.verdict(), "worse", "{}", back.line);
        assert_eq!(
            back.total("per_run", "live_bytes").round(),
            per_batch as f64
        );
    }
}

#[test]
fn the_pair_of_the_readme() {
    let [service, ..] = Service::all();
    let line = "profiles/ingest/a.json profiles/ingest/b.json";
    let document = Document::of(line);
    assert_eq!(document.verdict(), "grew");
    assert_eq!(first_word(line), "GREW");
    assert!(
        document.json["totals"]["per_run"].is_null(),
        "its runs are not said"
    );
    let growing = service.growing(&ALL);
    for (at, planted) in growing.iter().enumerate() {
        let site = document.site(at);
        assert_eq!(site.owner(), planted.function);
        assert_eq!(site.number("delta", "live_bytes"), 150 * planted.bytes);
        assert_eq!(site.number("delta", "live_blocks"), 150 * planted.blocks);
        assert!(site.json["per_run"].is_null());
    }
    for site in document.sites().skip(growing.len()) {
        assert_eq!(site.growth(), "unchanged");
    }
    document.adds_up();
}
