//! The telemetry ingester: what its captures hold is what was planted, and what the cure saves.

use heapdiff::format::{self, Capture, Context};
use heapdiff::input::Source;
use heapdiff::model::{Limits, Profile, Symbols};
use std::path::Path;

fn read(name: &str, symbols: &mut Symbols) -> Profile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/telemetry-ingester");
    let source = Source::open(&folder.join(name), Limits::default()).unwrap();
    let mut captures = format::read(&source, None, &mut Context::new(symbols)).unwrap();
    match captures.remove(0) {
        Capture::Profile(profile) => profile,
        _ => panic!("{name} is no profile"),
    }
}

/// The sum of a metric over stacks whose innermost frame is `function`.
fn at(p: &Profile, symbols: &Symbols, metric: &str, function: &str) -> i64 {
    let column = &p.columns[p.metric(metric).unwrap()];
    let leaf = |i: usize| {
        let frame = symbols.stacks.frames(p.stacks[i]).next_back()?;
        Some(symbols.strings.get(symbols.frames.get(frame).function))
    };
    let rows = (0..p.len()).filter(|&i| leaf(i) == Some(function));
    rows.map(|i| column.get(i)).sum()
}

fn total(p: &Profile, metric: &str) -> i64 {
    i64::try_from(p.columns[p.metric(metric).unwrap()].sum()).unwrap()
}

fn truth() -> serde_json::Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/telemetry-ingester");
    serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap()
}

fn near(value: i64, truth: i64, share: f64) -> bool {
    (value as f64 / truth as f64 - 1.0).abs() <= share
}

#[test]
fn the_payload_is_held_twice_and_then_once() {
    let payload = truth()["payload_bytes"].as_i64().unwrap();
    let mut symbols = Symbols::default();
    for (name, requests) in [("payload", 1), ("ten", 10)] {
        let fault = read(&format!("{name}-fault.bin"), &mut symbols);
        let cure = read(&format!("{name}-cure.bin"), &mut symbols);
        let before = at(&fault, &symbols, "peak_bytes", "unpack_joined");
        let after = at(&cure, &symbols, "peak_bytes", "unpack_in_place");
        assert!(
            near(before, 2 * payload * requests, 0.01),
            "{name}: {before}"
        );
        assert!(near(after, payload * requests, 0.01), "{name}: {after}");
        let less = 1.0 - after as f64 / before as f64;
        assert!((0.48..=0.52).contains(&less), "{name}: {less}");
    }
}

#[test]
fn end_to_end_the_peak_falls_by_50_to_70_percent() {
    let mut symbols = Symbols::default();
    let before = total(&read("payload-fault.bin", &mut symbols), "peak_bytes");
    let after = total(&read("payload-cure.bin", &mut symbols), "peak_bytes");
    let less = 1.0 - after as f64 / before as f64;
    assert!((0.5..=0.7).contains(&less), "{less}");
}

#[test]
fn the_level_rises_with_failed_flushes_to_the_cap() {
    let mut symbols = Symbols::default();
    let truth = &truth()["faults"][1];
    let number = |key: &str| truth[key].as_i64().unwrap();
    for requests in truth["requests"].as_array().unwrap() {
        let requests = requests.as_i64().unwrap();
        let flushes = requests / number("requests_per_flush");
        let held = (flushes * number("bytes_per_failed_flush")).min(number("cap_bytes"));
        let fault = read(&format!("retries-fault-{requests}.bin"), &mut symbols);
        let live = |p: &Profile, metric| at(p, &symbols, metric, "encode");
        assert_eq!(live(&fault, "live_bytes"), held, "{requests}");
        assert_eq!(
            live(&fault, "live_blocks") * number("bytes_per_record"),
            held
        );
        let mut symbols = Symbols::default();
        let cure = read(&format!("retries-cure-{requests}.bin"), &mut symbols);
        let kept = truth["cured_records"][requests.to_string()]
            .as_i64()
            .unwrap();
        let live = at(&cure, &symbols, "live_bytes", "encode");
        assert_eq!(live, kept * number("bytes_per_record"), "{requests}");
    }
}

/// tracemalloc has no function names: the line is the one that memray gives for `encode`.
#[test]
fn tracemalloc_sees_the_same_lines() {
    let truth = &truth()["faults"][1];
    let number = |key: &str| truth[key].as_i64().unwrap();
    let mut symbols = Symbols::default();
    for (requests, flushes) in [(40, 4), (80, 8), (160, 10)] {
        let largest = |p: &Profile| {
            let rows = 0..p.len();
            rows.map(|i| p.columns[0].get(i)).max().unwrap_or(0)
        };
        let fault = read(&format!("retries-fault-{requests}.pickle"), &mut symbols);
        assert_eq!(largest(&fault), flushes * number("bytes_per_failed_flush"));
        let cure = read(&format!("retries-cure-{requests}.pickle"), &mut symbols);
        assert!(total(&cure, "live_bytes") < 20_000);
    }
}

#[test]
fn a_large_batch_is_released_late_and_then_at_once() {
    let truth = &truth()["faults"][2];
    let held = truth["bytes"].as_i64().unwrap();
    let mut symbols = Symbols::default();
    let fault = read("payload-fault.bin", &mut symbols);
    let cure = read("payload-cure.bin", &mut symbols);
    let (before, after) = (
        at(&fault, &symbols, "live_bytes", "unpack"),
        at(&cure, &symbols, "live_bytes", "unpack"),
    );
    // Arenas of small objects, 1 MiB each, may have been taken by this function as well.
    assert!((before - held) % (1 << 20) == 0, "{before}");
    assert!(after % (1 << 20) == 0, "{after}");
    let late = read("late-fault.pickle", &mut symbols);
    let early = read("late-cure.pickle", &mut symbols);
    let saved = total(&late, "live_bytes") - total(&early, "live_bytes");
    assert!(saved >= held, "{saved}");
}

#[test]
fn the_statistics_tell_the_same_level() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/telemetry-ingester");
    for (state, levels) in [
        ("fault", [1000, 2000, 3000, 4000, 5000]),
        ("cure", [1000, 2000, 3000, 0, 1000]),
    ] {
        let text =
            std::fs::read_to_string(folder.join(format!("statistics-{state}.jsonl"))).unwrap();
        for (line, level) in text.lines().zip(levels) {
            let poll: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(poll["total_records_buffered"], level);
            let sizes = poll["current_buffer_sizes"].as_object().unwrap();
            assert_eq!(sizes.len(), 100);
            assert!(sizes.values().all(|n| n.as_i64() == Some(level / 100)));
        }
    }
}
