//! The documentation shows what the program prints, and its commands can be typed.
//!
//! In blocks of code the lines after `$ heapdiff ...` are the command's output, byte for byte;
//! `HEAPDIFF_BLESS=1` writes them anew. Commands without `$` in indented blocks and in those that
//! are marked as `sh` are run and have to succeed. A block after a line `<!-- not run -->` is left
//! alone.

use crate::program::run;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files of a folder and the folders in it.
fn pages(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, out);
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
}

fn all_pages() -> Vec<PathBuf> {
    let mut out = Vec::new();
    for file in ["README.md", "CONTRIBUTING.md"] {
        out.extend(Some(root().join(file)).filter(|p| p.exists()));
    }
    for folder in ["docs", "profiles"] {
        pages(&root().join(folder), &mut out);
    }
    out.sort();
    out
}

/// Blocks of code: where each begins and ends in the lines, and its kind.
fn blocks(lines: &[&str]) -> Vec<(usize, usize, String)> {
    let mut out = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if let Some(kind) = line.strip_prefix("```") {
            match open.take() {
                Some((from, kind)) => out.push((from, at, kind)),
                None => open = Some((at + 1, kind.to_owned())),
            }
        } else if open.is_none() && line.starts_with("    ") {
            let from = at;
            while at + 1 < lines.len() && lines[at + 1].starts_with("    ") {
                at += 1;
            }
            out.push((from, at + 1, "sh".to_owned()));
        }
        at += 1;
    }
    let marked = |from: usize| {
        let mut before = lines[..from].iter().rev();
        before
            .find(|l| !(l.starts_with("```") || l.is_empty()))
            .is_some_and(|l| l.trim() == "<!-- not run -->")
    };
    out.retain(|(from, ..)| !marked(*from));
    out
}

/// The command that starts at `lines[0]`, joined, and how many lines it takes.
fn command(lines: &[&str]) -> (String, usize) {
    let mut joined = String::new();
    let mut taken = 0;
    for line in lines {
        taken += 1;
        let line = line.trim();
        match line.strip_suffix('\\') {
            Some(more) => joined.push_str(more),
            None => {
                joined.push_str(line);
                break;
            }
        }
    }
    (joined, taken)
}

/// The words of a command of plain words and single quotes, with `$p` put in.
fn words(command: &str, variables: &[(String, String)]) -> Vec<String> {
    let mut text = command.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${name}"), value);
    }
    let quoted = text.split('\'').enumerate();
    let mut out: Vec<String> = Vec::new();
    for (i, part) in quoted {
        if i % 2 == 1 {
            out.push(part.to_owned());
        } else {
            out.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    out
}

/// The arguments of heapdiff in this line, if it calls it.
fn of_heapdiff(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("$ ");
    line.strip_prefix("heapdiff ")
        .or(line.strip_prefix("cargo run --release -- "))
}

#[test]
fn transcripts_are_what_the_program_prints() {
    let bless = std::env::var_os("HEAPDIFF_BLESS").is_some();
    let mut wrong = Vec::new();
    for page in all_pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        let mut new: Vec<String> = Vec::new();
        let mut copied = 0;
        for (from, to, _) in blocks(&lines) {
            let mut at = from;
            while at < to {
                if !lines[at].starts_with("$ heapdiff ") {
                    at += 1;
                    continue;
                }
                let (text, taken) = command(&lines[at..to]);
                let args = words(of_heapdiff(&text).unwrap(), &[]);
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let ran = run(&args);
                let first = at + taken;
                let next = lines[first..to].iter().position(|l| l.starts_with("$ "));
                let end = next.map_or(to, |n| first + n);
                let shown: Vec<&str> = lines[first..end].to_vec();
                let found: Vec<&str> = ran.out.trim_end().split('\n').collect();
                if shown != found {
                    let differs = shown.iter().zip(&found).find(|(a, b)| a != b);
                    wrong.push(format!("{}: {text}\n  {differs:?}", page.display()));
                }
                new.extend(lines[copied..first].iter().map(|l| (*l).to_owned()));
                new.extend(found.iter().map(|l| (*l).to_owned()));
                copied = end;
                at = end;
            }
        }
        if bless && copied > 0 {
            new.extend(lines[copied..].iter().map(|l| (*l).to_owned()));
            std::fs::write(&page, new.join("\n")).unwrap();
        }
    }
    let advice = "if they should differ: HEAPDIFF_BLESS=1 cargo test golden";
    assert!(bless || wrong.is_empty(), "{advice}\n{}", wrong.join("\n"));
}

#[test]
fn commands_can_be_typed() {
    let mut ran = 0;
    for page in all_pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        for (from, to, kind) in blocks(&lines) {
            let mut variables = Vec::new();
            let mut at = from;
            while at < to && kind == "sh" {
                let (line, taken) = command(&lines[at..to]);
                at += taken;
                if let Some((name, value)) = line.split_once('=')
                    && name.chars().all(|c| c.is_ascii_lowercase())
                {
                    variables.push((name.to_owned(), value.to_owned()));
                }
                let Some(call) = of_heapdiff(&line).filter(|_| !line.starts_with('$')) else {
                    continue;
                };
                let args = words(call, &variables);
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let done = run(&args);
                assert_eq!(done.status, 0, "{}: {line}\n{}", page.display(), done.err);
                ran += 1;
            }
        }
    }
    assert!(ran > 3);
}

/// What stands at the head of the README is what `.ci/run` runs.
#[test]
fn the_readmes_commands_are_run_by_ci() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let lines: Vec<&str> = readme.split('\n').collect();
    let blocks = blocks(&lines);
    let (from, to, kind) = blocks.first().unwrap();
    assert_eq!((kind.as_str(), to - from), ("sh", 2), "two commands");
    assert!(lines[*from].contains("compare profiles/ingest/a.json profiles/ingest/b.json"));
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    for n in 1..=to - from {
        assert!(ci.contains(&format!("$(readme {n})")), "command {n}");
    }
}
