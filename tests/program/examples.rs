//! Every example of the help can be typed as it stands.

use super::run;

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).out;
    let list = help.split("Commands:").nth(1).unwrap();
    let list = list.split("\n\n").next().unwrap();
    let first = |l: &str| l.split_whitespace().next().map(str::to_owned);
    list.lines().filter_map(first).collect()
}

/// The examples of a command's help, and what stands between the heading and the next gap.
fn examples(command: &str) -> Vec<String> {
    let help = run(&[command, "--help"]).out;
    let Some(rest) = help.split("Examples:\n").nth(1) else {
        return Vec::new();
    };
    let lines = rest.lines().take_while(|l| !l.is_empty());
    lines.map(|l| l.trim().to_owned()).collect()
}

/// The words of an example; `'...'` is one.
fn words(call: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (i, part) in call.split('\'').enumerate() {
        match i % 2 {
            1 => out.push(part.to_owned()),
            _ => out.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    out
}

#[test]
fn every_example_runs() {
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in &commands {
        let examples = examples(command);
        assert!(examples.len() >= 3, "{command} has too few examples");
        // Baselines are made by one example and used by the next; not in the repository.
        let baselines = tempfile::tempdir().unwrap();
        for example in examples {
            let call = example.strip_prefix("heapdiff ");
            let call = call.unwrap_or_else(|| panic!("an example breaks its line: {example}"));
            assert!(call.starts_with(command.as_str()), "{example}");
            let dir = tempfile::tempdir().unwrap();
            let mut args = words(call);
            for at in 1..args.len().min(3) {
                if command == "baseline" && args[at] == "main" {
                    let file = baselines.path().join("main.json");
                    args[at] = file.to_str().unwrap().to_owned();
                }
            }
            let mut written = Vec::new();
            for at in 1..args.len() {
                if args[at - 1] == "-o" {
                    let file = dir.path().join(&args[at]);
                    args[at] = file.to_str().unwrap().to_owned();
                    written.push(file);
                }
            }
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let ran = run(&args);
            assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{example}");
            assert!(written.is_empty() != ran.out.is_empty(), "{example}");
            for file in written {
                assert!(file.metadata().unwrap().len() > 0, "{example}");
            }
        }
    }
}

/// Each option that an example shows is one of its command; each command has a short help, too.
#[test]
fn short_and_long_help_agree() {
    for command in commands() {
        let [short, long] = ["-h", "--help"].map(|h| run(&[&command, h]).out);
        for option in short.split_whitespace().filter(|w| w.starts_with("--")) {
            let option = option.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            assert!(long.contains(option), "{command}: {option}");
        }
    }
}

#[test]
fn nothing_to_do_shows_the_help_and_is_a_mistake() {
    for args in [
        &[][..],
        &["compare"],
        &["inspect"],
        &["convert"],
        &["explain"],
        &["gate"],
        &["suppress"],
    ] {
        let ran = run(args);
        assert_eq!(ran.status, 2, "{args:?}");
        assert!(ran.err.contains("Usage: heapdiff"), "{args:?}: {}", ran.err);
        assert!(args.is_empty() || ran.err.contains("Examples:"), "{args:?}");
        assert!(ran.out.is_empty(), "{args:?}");
    }
}

#[test]
fn options_in_pprofs_spelling_name_the_right_one() {
    let pair = ["profiles/ingest/a.json", "profiles/ingest/b.json"];
    for (option, right) in [
        ("-focus=flush", "--focus"),
        ("-show_from=main", "--show-from"),
        ("-sample_index=inuse_space", "--metric"),
        ("-base=x", "--base"),
        ("-nodecount=5", "--limit"),
    ] {
        let ran = run(&["compare", option, pair[0], pair[1]]);
        assert_eq!(ran.status, 2, "{option}");
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.contains(right), "{option}: {}", ran.err);
    }
}
