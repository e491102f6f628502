//! Before and after a change.

use super::{Files, captures, document, exact, refs, row, text};
use serde_json::{Value, json};

const RUNS: [f64; 3] = [50.0, 200.0, 800.0];

/// Compares two series of one site.
fn sides(base: &[(f64, u64, u64)], new: &[(f64, u64, u64)]) -> (Value, String) {
    let files = Files::new();
    let (base, new) = (captures(&files, "base", base), captures(&files, "new", new));
    let mut args: Vec<&str> = base.iter().flat_map(|b| ["--base", b]).collect();
    args.extend(refs(&new));
    (document(&args), text(&args))
}

/// A site that starts at `level` and keeps `rate` bytes in one block on every run.
fn line(level: u64, rate: u64) -> Vec<(f64, u64, u64)> {
    let at = |runs: f64| (runs, level + rate * runs as u64, 1 + runs as u64);
    RUNS.map(at).to_vec()
}

#[test]
fn cured_reduced_worse_and_the_same() {
    for (new, verdict, change) in [
        (line(4096, 0), "cured", "cured"),
        (line(4096, 500), "reduced", "reduced"),
        (line(4096, 1500), "worse", "worse"),
        (line(4096, 1000), "same", "unchanged"),
        (line(90_000_000, 1000), "worse", "unchanged"),
    ] {
        let (d, text) = sides(&line(4096, 1000), &new);
        assert_eq!(d["verdict"], verdict, "{text}");
        let total = &d["totals"]["slope_difference"];
        assert_eq!(total["change"], change, "{total:#}");
        let keep = &row(&d, "keep")["slope_difference"];
        assert_eq!(keep["change"], change);
        assert_eq!(keep["before"], 1000);
        assert_eq!(keep["interval"], json!([keep["value"], keep["value"]]));
        assert_eq!(row(&d, "keep")["base_slope"]["value"], 1000);
        assert_eq!(row(&d, "keep")["slope"]["value"], keep["after"]);
        assert!(text.to_lowercase().starts_with(verdict), "{text}");
        assert!(text.contains("exact"), "{text}");
    }
    let (d, text) = sides(&line(4096, 1000), &line(4096, 500));
    assert_eq!(d["totals"]["slope_difference"]["reduced_percent"], 50);
    assert!(
        text.starts_with("REDUCED by 50 %: 1,000 B per run -> 500 B per run"),
        "{text}"
    );
}

/// Growth is the same, and what is held is not: it is not "unchanged" without a word.
#[test]
fn a_level_that_fell_is_said() {
    let (d, text) = sides(&line(90_000_000, 0), &line(4096, 0));
    assert_eq!(d["verdict"], "reduced");
    let keep = row(&d, "keep");
    assert_eq!(
        (&keep["growth"], &keep["slope_difference"]["level"]),
        (&json!("shrank"), &json!("lower"))
    );
    assert!(
        text.starts_with("REDUCED holds 85.8 MiB less; grows as before"),
        "{text}"
    );
    assert!(text.contains("lower level"), "{text}");
}

/// One leak cured and another made: the total is the same, and the text says where it is worse.
#[test]
fn a_leak_that_changed_its_place() {
    let files = Files::new();
    let capture = |name: &str, function: &str, runs: u64| {
        let stack = ["main (a.c:1)", function];
        let held = [
            (&stack[..], 64 * runs, runs),
            (&["main (a.c:1)"][..], 9000, 1),
        ];
        let path = files.write(&format!("{name}-{runs}.json"), &exact(&held));
        format!("{path}@{runs}")
    };
    let base = [50, 200, 800].map(|r| capture("base", "old (old.c:2)", r));
    let new = [50, 200, 800].map(|r| capture("new", "other (other.c:2)", r));
    let mut args: Vec<&str> = base.iter().flat_map(|b| ["--base", b]).collect();
    args.extend(refs(&new));
    args.extend(["--match", "exact"]);
    let d = document(&args);
    assert_eq!(row(&d, "old")["slope_difference"]["change"], "cured");
    assert_eq!(row(&d, "other")["slope_difference"]["change"], "worse");
    assert_eq!(d["findings"][0]["rule"], "HD004");
    let text = text(&args);
    assert!(text.starts_with("SAME"), "{text}");
    assert!(
        text.contains("also worse at 1 site, the most at main > other other.c:2: +64 B per run"),
        "{text}"
    );
}

#[test]
fn swapping_the_sides_negates_the_difference() {
    let (a, b) = (line(4096, 1000), line(500_000, 700));
    let ((d, _), (e, _)) = (sides(&a, &b), sides(&b, &a));
    let value = |d: &Value| {
        row(d, "keep")["slope_difference"]["value"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(value(&d), -value(&e));
    assert_eq!(
        (&d["verdict"], &e["verdict"]),
        (&json!("reduced"), &json!("worse"))
    );
}

/// Folded stacks do not say how noisy they are: the spread about the line does.
#[test]
fn noisy_captures_have_an_interval() {
    let base = [1000, 1098, 1210, 1287, 1405, 1492, 1611, 1698];
    let flat = [1003, 998, 1011, 995, 1002, 1007, 996, 1004];
    let half = [1000, 1052, 1094, 1158, 1197, 1246, 1308, 1349];
    let compare = |new: &[u64]| {
        let files = Files::new();
        let write = |side: &str, values: &[u64]| -> Vec<String> {
            let each = |(i, v): (usize, &u64)| {
                let path = files.write(&format!("{side}-{i}"), &format!("main;keep {v}\n"));
                format!("{path}@{i}")
            };
            values.iter().enumerate().map(each).collect()
        };
        let (base, new) = (write("base", &base), write("new", new));
        let mut args: Vec<&str> = base.iter().flat_map(|b| ["--base", b]).collect();
        args.extend(refs(&new));
        (document(&args), text(&args))
    };
    let near = |v: &Value, x: f64| (v.as_f64().unwrap() - x).abs() < 0.01;
    let (d, text) = compare(&flat);
    let cured = &d["totals"]["slope_difference"];
    assert_eq!(
        (&d["verdict"], &cured["change"]),
        (&json!("cured"), &json!("cured"))
    );
    assert!(
        near(&cured["interval"][0], -103.96) && near(&cured["interval"][1], -96.59),
        "{cured:#}"
    );
    assert!(text.contains("-104 B to -96.59 B"), "{text}");
    let (d, text) = compare(&half);
    let reduced = &d["totals"]["slope_difference"];
    assert_eq!(d["verdict"], "reduced");
    assert!((reduced["reduced_percent"].as_f64().unwrap() - 49.9).abs() < 0.05);
    assert!(text.starts_with("REDUCED by 50 % (46 to 54 %)"), "{text}");
    // Few and noisy: neither a change nor sameness.
    let (d, text) = compare(&[900, 1500, 1100]);
    assert_eq!(d["verdict"], "cannot-tell", "{text}");
    assert!(
        text.contains("neither a change nor sameness is shown"),
        "{text}"
    );
    assert!(text.contains("uneven intervals"), "{text}");
}

/// Captures of one side after equal runs: their spread is the noise.
#[test]
fn replicates_give_the_noise() {
    let compare = |base: &[u64], new: &[u64]| {
        let files = Files::new();
        let write = |side: &str, values: &[u64]| -> Vec<String> {
            let each = |(i, v): (usize, &u64)| {
                let path = files.write(&format!("{side}-{i}"), &format!("main;keep {v}\n"));
                format!("{path}@100")
            };
            values.iter().enumerate().map(each).collect()
        };
        let (base, new) = (write("base", base), write("new", new));
        let mut args: Vec<&str> = base.iter().flat_map(|b| ["--base", b]).collect();
        args.extend(refs(&new));
        document(&args)
    };
    let before = [10_000, 10_100, 9_900, 10_050];
    assert_eq!(
        compare(&before, &[15_000, 15_200, 14_900, 15_100])["verdict"],
        "worse"
    );
    assert_eq!(
        compare(&before, &[5_000, 5_100, 4_900, 5_050])["verdict"],
        "reduced"
    );
    assert_eq!(
        compare(&before, &[10_020, 10_080, 9_950, 10_000])["verdict"],
        "same"
    );
    let open = compare(&[10_000, 14_000, 7_000], &[12_000, 16_000, 8_000]);
    assert_eq!(open["verdict"], "cannot-tell");
    let d = compare(&before, &[5_000]);
    assert_eq!(
        d["verdict"], "reduced",
        "one capture has the spread of the others"
    );
    assert!(d["totals"]["slope_difference"]["p_value"].as_f64().unwrap() < 0.01);
}

#[test]
fn single_captures_of_two_builds() {
    let one = |bytes: u64, runs: f64| vec![(runs, bytes, 10)];
    let (d, text) = sides(&one(50_000, 200.0), &one(90_000, 200.0));
    assert_eq!(d["verdict"], "worse");
    assert_eq!(row(&d, "keep")["slope_difference"]["before"], 250);
    assert!(
        text.contains("one capture a side shows levels, not growth"),
        "{text}"
    );
    // More is held, after more runs: less for each of them. Nothing follows.
    let (d, text) = sides(&one(50_000, 200.0), &one(60_000, 400.0));
    assert_eq!(d["verdict"], "cannot-tell");
    assert!(text.contains("after the same numbers of runs"), "{text}");
    let (d, _) = sides(&one(50_000, 200.0), &one(200_000, 400.0));
    assert_eq!(d["verdict"], "worse");
}

/// The forwarder's captures by Go's sampler: unequal runs on the two sides.
#[test]
fn sampled_sides_with_unequal_runs() {
    let of = |state: &str, runs: u32| {
        format!("profiles/go-ingest/rate-4096/{state}/run-{runs:03}.pb.gz@{runs}")
    };
    let base = [of("faulty", 50), of("faulty", 800)];
    let new = [of("cured", 50), of("cured", 200)];
    let args = ["--base", &base[0], "--base", &base[1], &new[0], &new[1]];
    let d = document(&args);
    let total = &d["totals"]["slope_difference"];
    let ends = |i: usize| total["interval"][i].as_f64().unwrap();
    assert!(
        ends(0) < total["value"].as_f64().unwrap() && total["value"].as_f64().unwrap() < ends(1)
    );
    // The truth is 7,168 B per run, all of it cured.
    assert!(ends(0) <= -7168.0 && -7168.0 <= ends(1), "{total:#}");
    assert!(
        ["cured", "reduced"].contains(&d["verdict"].as_str().unwrap()),
        "{total:#}"
    );
}
