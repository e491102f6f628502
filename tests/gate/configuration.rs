//! `heapdiff.toml`: found, checked to the key, chosen by environment.

use super::{Gated, root, run_in};

const CURED: &str = "--runs 50,200,800 profiles/ingest/cured";

fn with(text: &str, line: &str) -> crate::program::Ran {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heapdiff.toml");
    std::fs::write(&path, text).unwrap();
    let mut args = vec![
        "gate",
        "--as-of",
        super::TODAY,
        "--config",
        path.to_str().unwrap(),
    ];
    let words = super::words(line);
    args.extend(words.iter().map(String::as_str));
    run_in(root(), &args)
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, says) in [
        (
            "[[budget]]\nper_runs = 1\n",
            "line 2: there is no key `per_runs`, the nearest is `per_run`",
        ),
        ("[gates]\n", "line 1"),
        (
            "[[budget]]\nlive = 1\n[[budget]]\nper_run = \"many\"\n",
            "line 3: per_run is no size",
        ),
        ("[[budget]]\nname = \"x\"\n", "without a limit"),
        (
            "[[budget]]\nfunction = \"a\"\nfile = \"b\"\nper_run = 1\n",
            "choose one",
        ),
        (
            "[[budget]]\nper_run = 1\n[[budget]]\nper_run = 2\n",
            "two budgets have the name",
        ),
        ("[gate]\ninconclusive = \"maybe\"\n", "line 2"),
        ("[severity]\nwarning = \"9GB\"\n", "do not rise"),
        (
            "[[suppress]]\nrule = \"*\"\nstack = [\"**\"]\nreason = \"x\"\n",
            "expires",
        ),
        (
            "[[suppress]]\nrule = \"*\"\nstack = [\"**\"]\nexpires = 2027-01-01\n",
            "reason",
        ),
        (
            "[[suppress]]\nrule = \"*\"\nstack = [\"**\"]\nreason = \" \"\nexpires = 2027-01-01\n",
            "needs a reason",
        ),
        (
            "[[suppress]]\nrule = \"HD999\"\nstack = [\"**\"]\nreason = \"x\"\nexpires = 2027-01-01\n",
            "no rule is called",
        ),
        (
            "[[suppress]]\nrule = \"*\"\nreason = \"x\"\nexpires = 2027-01-01\n",
            "needs a stack",
        ),
        ("[profile.ci.gate]\nbaseline = 5\n", "line 2"),
        (
            "[[budget]]\nseries = \"rss\"\ncondition = \"often\"\n",
            "condition",
        ),
        ("x = ", "line 1"),
    ] {
        let ran = with(text, CURED);
        assert_eq!(ran.status, 2, "{text}");
        assert!(ran.err.contains(says), "{text}: {}", ran.err);
        assert!(ran.err.contains("heapdiff.toml"), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
}

#[test]
fn every_key_of_the_documentation_is_read() {
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let mut blocks = 0;
    for block in page.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("heapdiff.toml");
        std::fs::write(&path, text).unwrap();
        let ran = run_in(root(), &["config", "--config", path.to_str().unwrap()]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{text}");
        blocks += 1;
    }
    assert!(blocks >= 4, "{blocks}");
    // And every key that is read is in the documentation.
    let source = std::fs::read_to_string(root().join("src/cli/config.rs")).unwrap();
    let tables =
        std::fs::read_to_string(root().join("src/cli/config_tables.rs")).unwrap_or_default();
    let all = source + &tables;
    let mut keys = 0;
    for part in all.split("#[serde(deny_unknown_fields)]").skip(1) {
        let body = part.split("\n}").next().unwrap();
        for line in body
            .lines()
            .filter(|l| l.starts_with("    ") && l.contains(": "))
        {
            let key = line
                .trim()
                .trim_start_matches("pub ")
                .split(':')
                .next()
                .unwrap();
            if key.starts_with("//") || key.starts_with('#') {
                continue;
            }
            assert!(page.contains(key), "docs/configuration.md lacks {key}");
            keys += 1;
        }
    }
    assert!(keys > 45, "{keys}");
}

#[test]
fn an_environment_takes_the_place_of_what_it_names() {
    let text = "[[budget]]\nname = \"growth\"\nper_run = \"1KiB\"\n\n[profile.nightly]\n\
                [[profile.nightly.budget]]\nname = \"growth\"\nper_run = \"16KiB\"\n\
                [[profile.nightly.budget]]\nlive = \"1GiB\"\n";
    let line = "--runs 50,200,800 profiles/ingest/retries";
    assert_eq!(with(text, line).status, 1);
    let nightly = with(text, &format!("--profile nightly {line}"));
    assert_eq!(nightly.status, 0, "{}", nightly.out);
    assert!(nightly.out.contains("both budgets hold"), "{}", nightly.out);
    let none = with(text, &format!("--profile weekly {line}"));
    assert_eq!(none.status, 2);
    assert!(none.err.contains("there is nightly"), "{}", none.err);
}

#[test]
fn the_nearest_file_up_to_the_repository_counts() {
    let dir = tempfile::tempdir().unwrap();
    let capture = root().join("profiles/ingest/cured/run-200.json");
    let line = capture.to_str().unwrap().to_owned();
    let inside = dir.path().join("repo/sub/deep");
    std::fs::create_dir_all(&inside).unwrap();
    std::fs::create_dir_all(dir.path().join("repo/.git")).unwrap();
    let strict = "[[budget]]\nlive = \"1KiB\"\n";
    let wide = "[[budget]]\nlive = \"1GiB\"\n";
    // Outside of the repository: not ours.
    std::fs::write(dir.path().join("heapdiff.toml"), strict).unwrap();
    Gated::within(&inside, &line).is("inconclusive", 3);
    std::fs::write(dir.path().join("repo/heapdiff.toml"), wide).unwrap();
    Gated::within(&inside, &line).is("pass", 0);
    std::fs::write(dir.path().join("repo/sub/heapdiff.toml"), strict).unwrap();
    Gated::within(&inside, &line).is("fail", 1);
    Gated::within(&inside, &format!("--no-config --max-live 1GiB {line}")).is("pass", 0);
    // A flag takes the place of the budget of its name.
    Gated::within(&inside, &format!("--max-live 1GiB {line}")).is("pass", 0);
    let shown = run_in(&inside, &["config"]);
    assert!(
        shown.out.contains("1.00 KiB") && shown.out.contains("../heapdiff.toml line 1"),
        "{}",
        shown.out
    );
}

#[test]
fn thresholds_become_alert_rules() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heapdiff.toml");
    std::fs::write(
        &path,
        "[gate]\nmemory_limit = \"750MB\"\n[severity]\nwarning = \"36MB\"\n[[budget]]\nname = \"swap\"\nseries = \"node_swap_bytes\"\ncondition = \"> 0 for 10m\"\n",
    )
    .unwrap();
    let ran = run_in(
        root(),
        &["config", "--prometheus", "--config", path.to_str().unwrap()],
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    for part in [
        "- alert: HeapGrowthWarning",
        "deriv(process_resident_memory_bytes[6h]) > 10000",
        "predict_linear(process_resident_memory_bytes[6h], 259200) > 750000000",
        "- alert: HeapdiffSwap\n    expr: 'node_swap_bytes > 0'\n    for: 600s",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[test]
fn flags_are_checked_like_keys() {
    for (flag, says) in [
        ("--max-per-run many", "no size"),
        ("--budget per_run", "--budget"),
        ("--budget 'per_runs = 1'", "the nearest is `per_run`"),
        ("--no-leaks loud", "no severity"),
        ("--as-of soon", "no date"),
        ("--group-by function", "judges sites"),
        ("--format html5", "no rendering"),
    ] {
        let line = format!("gate {flag} {CURED}");
        let words = super::words(&line);
        let args: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = run_in(root(), &args);
        assert_eq!(ran.status, 2, "{flag}");
        assert!(ran.err.contains(says), "{flag}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
}
