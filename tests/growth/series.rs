//! Three and more captures, each site a series.

use super::{Files, captures, document, exact, refs, row, text};
use serde_json::{Value, json};

/// A series of one site that counts every allocation, with its document and text.
fn series(values: &[(f64, u64, u64)]) -> (Value, String) {
    let files = Files::new();
    let paths = captures(&files, "run", values);
    let paths = refs(&paths);
    (document(&paths), text(&paths))
}

fn evenly(values: impl IntoIterator<Item = f64>) -> Vec<(f64, u64, u64)> {
    let each = |(i, v): (usize, f64)| (10.0 * (i + 1) as f64, v.round() as u64, 100);
    values.into_iter().enumerate().map(each).collect()
}

fn is_leak(row: &Value) -> bool {
    row["growth"] == "steady-growth" || row["growth"] == "accelerating"
}

#[test]
fn a_cache_that_fills_and_stops_is_a_warm_up() {
    let fills = (0..12).map(|i| 1e6 + 2e5 * f64::from(i.min(5)));
    let (d, text) = series(&evenly(fills));
    assert_eq!(row(&d, "keep")["growth"], "warm-up");
    assert_eq!(
        row(&d, "keep")["warm_up"],
        50,
        "its length: from 10 to 60 runs"
    );
    assert_ne!(d["verdict"], "leak");
    assert!(text.contains("warmed up for about 50 runs"), "{text}");
    let long = (0..12).map(|i| 1e6 * (3.0 - 2.0 * (-f64::from(i) / 1.4).exp()));
    let (d, _) = series(&evenly(long));
    assert_eq!(row(&d, "keep")["growth"], "warm-up");
    assert_eq!(d["findings"], json!([]));
}

#[test]
fn forty_per_cent_in_a_day_are_a_leak() {
    let day = (0..24).map(|h| 27.5e6 + 11e6 * f64::from(h) / 23.0);
    let (d, text) = series(&evenly(day));
    assert_eq!(row(&d, "keep")["growth"], "steady-growth");
    assert!(text.starts_with("LEAK"), "{text}");
}

#[test]
fn a_sawtooth_that_starts_at_its_lowest_is_no_leak() {
    let teeth = (0..12).map(|i| 1e6 + 1e5 * f64::from(i % 4));
    let (d, _) = series(&evenly(teeth));
    assert_eq!(row(&d, "keep")["growth"], "sawtooth");
    let delta = row(&d, "keep")["delta"]["live_bytes"].as_i64().unwrap();
    assert!(delta > 0, "the ends alone say growth");
    assert_ne!(d["verdict"], "leak");
}

#[test]
fn a_buffer_that_doubles_is_growth_in_bytes_of_a_constant_count() {
    for n in [3, 4, 6, 8] {
        let doubles: Vec<_> = (0..n).map(|i| (f64::from(i + 1), 64 << i, 1)).collect();
        let (d, text) = series(&doubles);
        let keep = row(&d, "keep");
        assert!(is_leak(keep), "{n}: {keep:#}");
        assert_eq!(keep["delta"]["live_blocks"], 0);
        let finding = &d["findings"][0];
        let reason = finding["evidence"]["reason"].as_str().unwrap();
        assert!(reason.contains("count constant"), "{reason}");
        assert!(text.contains("count constant"), "{text}");
        assert!(!text.contains("exact: the same"), "{text}");
    }
}

/// A container that doubled and stopped is neither called a leak nor hidden.
#[test]
fn a_container_that_stopped_is_a_step() {
    let (d, text) = series(&[
        (1.0, 1 << 20, 1),
        (2.0, 2 << 20, 1),
        (4.0, 2 << 20, 1),
        (8.0, 2 << 20, 1),
    ]);
    assert_eq!(row(&d, "keep")["growth"], "step");
    assert!(
        text.contains("step") && text.contains("+1.00 MiB"),
        "{text}"
    );
}

#[test]
fn a_site_that_appears_in_the_third_capture_needs_three_more() {
    let all = [
        (10.0, 0, 0),
        (20.0, 0, 0),
        (45.0, 500, 5),
        (80.0, 1200, 12),
        (130.0, 2200, 22),
    ];
    let (early, text) = series(&all[..4]);
    let keep = row(&early, "keep");
    assert_eq!(keep["growth"], "undetermined");
    assert!(text.contains("appeared too late in the window"), "{text}");
    assert!(text.contains("capture at least three times more"), "{text}");
    let (late, _) = series(&all);
    let keep = row(&late, "keep");
    assert_eq!(keep["growth"], "steady-growth", "{keep:#}");
    assert_eq!(late["verdict"], "leak");
}

/// Evenly spaced captures of a periodic program draw a ramp: the words and the advice say so.
#[test]
fn uneven_intervals_are_advised_where_nothing_can_be_told() {
    let (_, text) = series(&evenly([1e6, 1.3e6, 0.9e6, 1.4e6]));
    assert!(
        text.starts_with("CANNOT TELL") || text.starts_with("GREW"),
        "{text}"
    );
    assert!(text.contains("uneven intervals"), "{text}");
    let (_, leak) = series(&evenly([1e6, 1.1e6, 1.2e6, 1.3e6]));
    assert!(leak.starts_with("LEAK"), "{leak}");
    assert!(leak.contains("can make a ramp of a sawtooth"), "{leak}");
    let (_, uneven) = series(&[(10.0, 1000, 10), (20.0, 2000, 20), (45.0, 4500, 45)]);
    assert!(
        uneven.starts_with("LEAK") && !uneven.contains("sawtooth"),
        "{uneven}"
    );
}

#[test]
fn two_captures_are_never_a_trend() {
    let (d, text) = series(&[(10.0, 1000, 10), (1000.0, 100_000, 1000)]);
    assert_eq!(d["verdict"], "grew");
    assert!(!is_leak(row(&d, "keep")));
    assert!(text.contains("not a trend"), "{text}");
}

#[test]
fn few_blocks_on_few_runs_are_an_error_path() {
    let files = Files::new();
    let at = |runs: u64, errors: u64| {
        let hot: &[&str] = &["main (a.c:1)", "handle (a.c:2)", "encode (a.c:3)"];
        let rare: &[&str] = &["main (a.c:1)", "handle (a.c:2)", "refuse (a.c:9)"];
        let held = [(hot, 512 * runs, 2 * runs), (rare, 96 * errors, errors)];
        let path = files.write(&format!("{runs}.json"), &exact(&held));
        format!("{path}@{runs}")
    };
    let paths = [at(50, 3), at(200, 10), at(800, 41)];
    let d = document(&refs(&paths));
    assert_eq!(row(&d, "encode")["hot"]["path"], "hot");
    assert_eq!(row(&d, "refuse")["hot"]["path"], "error");
    let rules: Vec<_> = d["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules[0], "HD001");
    assert!(
        rules.contains(&"HD006") && rules.contains(&"HD007"),
        "{rules:?}"
    );
    let text = text(&refs(&paths));
    assert!(
        text.starts_with("LEAK +512 B and 2 blocks per run exact"),
        "{text}"
    );
    assert!(
        text.contains("error path") && text.contains("1 site on error paths keeps"),
        "{text}"
    );
}

/// A capture after fewer runs than the one before: said, and nothing per run is made up.
#[test]
fn runs_that_go_back_are_said() {
    let (d, text) = series(&[(200.0, 2000, 20), (50.0, 500, 5)]);
    assert_eq!(row(&d, "keep")["per_run"], Value::Null);
    assert!(text.contains("the runs go back from 200 to 50"), "{text}");
}

#[test]
fn maxima_of_sites_have_no_total() {
    let files = Files::new();
    let paths = captures(&files, "run", &[(1.0, 100, 1), (2.0, 300, 3)]);
    let args = [&["--metric", "max_bytes"], &refs(&paths)[..]].concat();
    let d = document(&args);
    assert_eq!(d["totals"]["series"], json!([]));
    assert_eq!(d["totals"]["before"]["max_bytes"], Value::Null);
    let text = text(&args);
    assert!(
        text.contains("there is no total") && !text.contains(" total +"),
        "{text}"
    );
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let args = [
        "--runs",
        "50,200,800",
        "profiles/ingest/faulty",
        "--format",
        "json",
    ];
    let with =
        |n: &str| crate::program::run(&[&["compare", "--threads", n], &args[..]].concat()).out;
    assert_eq!(with("1"), with("2"));
    assert_eq!(with("1"), with("7"));
}

#[test]
fn a_healthy_application_that_warms_up_is_not_accused() {
    for runs in [
        "20,40,80,160",
        "80,160,640",
        "40,80,160,640",
        "20,40,80,160,640",
    ] {
        let paths: Vec<String> = runs
            .split(',')
            .map(|n| format!("profiles/healthy/run-{n:0>3}.pickle.gz"))
            .collect();
        let args: Vec<&str> = ["--runs", runs]
            .into_iter()
            .chain(paths.iter().map(String::as_str))
            .collect();
        let d = document(&args);
        assert_ne!(d["verdict"], "leak", "{runs}");
        assert_eq!(d["findings"], json!([]), "{runs}");
        for site in d["sites"].as_array().unwrap() {
            assert!(!is_leak(site), "{runs}: {site}");
        }
    }
}

#[test]
fn a_sum_that_fits_by_the_chance_of_a_few_blocks_is_no_leak() {
    // Two blocks move, a third comes: 5,000 and 10,000 more bytes, one block and two.
    let files = Files::new();
    let held = |sites: &[(&str, u64, u64)]| {
        let stacks: Vec<[&str; 2]> = sites.iter().map(|s| ["main (a.c:1)", s.0]).collect();
        let rows = stacks.iter().zip(sites).map(|(s, v)| (&s[..], v.1, v.2));
        exact(&rows.collect::<Vec<_>>())
    };
    let each = [
        held(&[("a (a.c:2)", 90_000, 5), ("b (a.c:3)", 70_000, 5)]),
        held(&[("c (a.c:4)", 95_000, 6), ("b (a.c:3)", 70_000, 5)]),
        held(&[("d (a.c:5)", 80_000, 6), ("c (a.c:4)", 95_000, 7)]),
    ];
    let paths: Vec<String> = each
        .iter()
        .zip([20, 40, 80])
        .map(|(text, n)| format!("{}@{n}", files.write(&format!("{n}.json"), text)))
        .collect();
    let d = document(&refs(&paths));
    assert_eq!(d["totals"]["series"], json!([160_000, 165_000, 175_000]));
    assert_eq!(d["verdict"], "cannot-tell");
    assert_eq!(d["findings"], json!([]));
}
