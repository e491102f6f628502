//! Outputs as they are, byte for byte.
//!
//! Every `.txt` file in the folders here begins with a command (`$ heapdiff ...`) and holds
//! what it prints after it: standard output, then standard error behind `! `, then its status
//! where that is not 0 (`? 2`). Its name is made from the command. To add one, write its first
//! line into [`COMMANDS`]; `HEAPDIFF_BLESS=1 cargo test golden` then writes all files anew, and the
//! difference that `git` shows is what changed for users.

mod commands;
mod docs;

use crate::program::run;
use commands::COMMANDS;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

/// The file of a command: a folder for the captures, a name of its words. A folder of captures is
/// named once; what is longer than a file's name should be ends in a sum of the command.
fn name(command: &str) -> String {
    let captures = command
        .split_once("profiles/")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("program", |(folder, _)| folder);
    let mut name = String::new();
    let mut last = "";
    for word in command.split_whitespace() {
        let (folder, file) = word.rsplit_once('/').unwrap_or(("", word));
        let within = folder
            .trim_start_matches("profiles/")
            .trim_start_matches(captures)
            .trim_start_matches('/');
        name.push('-');
        if within != last {
            name.push_str(within);
            name.push('-');
        }
        name.push_str(file);
        last = within;
    }
    let mut plain = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | ',' | '=' | '@' => plain.push(c),
            _ if plain.ends_with('-') || plain.is_empty() => {}
            _ => plain.push('-'),
        }
    }
    if plain.len() > 90 {
        let sum = command
            .bytes()
            .fold(0u32, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into()));
        plain = format!("{}-{:04x}", plain.split_at(80).0, sum & 0xffff);
    }
    format!("{captures}/{}.txt", plain.trim_end_matches(['-', '.']))
}

/// What a command prints, as its file holds it.
fn transcript(command: &str) -> String {
    let args: Vec<&str> = command.split_whitespace().collect();
    let ran = run(&args);
    let mut out = format!("$ heapdiff {command}\n{}", ran.out);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    for line in ran.err.lines() {
        out.push_str(format!("! {line}").trim_end());
        out.push('\n');
    }
    if ran.status != 0 {
        out.push_str(&format!("? {}\n", ran.status));
    }
    out
}

/// The files that are there, as [`name`] writes them.
fn files() -> Vec<String> {
    let mut files = Vec::new();
    let subfolders = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap());
    for subfolder in subfolders.filter(|e| e.path().is_dir()) {
        for file in std::fs::read_dir(subfolder.path()).unwrap() {
            let names = [subfolder.file_name(), file.unwrap().file_name()];
            let [subfolder, file] = names.map(|n| n.into_string().unwrap());
            files.push(format!("{subfolder}/{file}"));
        }
    }
    files
}

/// The first line that differs, with its number.
fn first_difference(expected: &str, found: &str) -> String {
    let mut lines = 0;
    let (mut e, mut f) = (expected.lines(), found.lines());
    loop {
        lines += 1;
        match (e.next(), f.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => {
                let show = |l: Option<&str>| l.unwrap_or("(end)").to_owned();
                return format!("line {lines}\n  - {}\n  + {}", show(a), show(b));
            }
        }
    }
}

#[test]
fn outputs_are_as_they_were() {
    let bless = std::env::var_os("HEAPDIFF_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for command in COMMANDS.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let name = name(command);
        assert!(
            names.insert(name.clone()),
            "two commands have the name {name}"
        );
        let path = folder().join(&name);
        let found = transcript(command);
        is_clean(command, &found);
        if bless {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            let place = first_difference(&expected, &found);
            wrong.push(format!("heapdiff {command}\n  {name}, {place}"));
        }
    }
    for file in files() {
        if !names.contains(&file) {
            if bless {
                std::fs::remove_file(folder().join(&file)).unwrap();
            } else {
                wrong.push(format!("{file} is of no command"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} outputs differ; if they should: HEAPDIFF_BLESS=1 cargo test golden\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Every folder of captures has outputs.
#[test]
fn every_folder_of_captures_has_outputs() {
    let profiles = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
    for entry in std::fs::read_dir(profiles).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let of = |verb: &str| {
                let path = format!("profiles/{name}/");
                COMMANDS
                    .lines()
                    .any(|l| l.trim_start().starts_with(verb) && l.contains(&path))
            };
            if of("timeline") {
                continue;
            }
            assert!(of("compare"), "no comparison of profiles/{name}");
            assert!(of("inspect"), "no inspection of profiles/{name}");
        }
    }
}

/// No output says where the repository lies, and none has a number that is none.
fn is_clean(command: &str, text: &str) {
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "{command}");
    let odd = |word: &str| ["nan", "inf", "infinity"].contains(&word.to_lowercase().as_str());
    let mut words = text.split(|c: char| c.is_whitespace() || ":,[](){}%+-".contains(c));
    assert!(!words.any(odd), "{command}: a number that is none");
    assert!(!text.contains('\u{1b}'), "{command}: colour");
    // In Markdown two blanks at the end break a line.
    let markdown = command.contains("--format md");
    let help = command.contains("--help");
    for line in text.lines().filter(|_| !markdown && !help) {
        assert_eq!(line, line.trim_end(), "{command}: blanks at the end");
    }
}

#[test]
fn documents_that_are_kept_are_valid() {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/heapdiff.compare.1.schema.json"
    );
    let schema = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut documents = 0;
    for file in files() {
        let text = std::fs::read_to_string(folder().join(&file)).unwrap();
        let (command, rest) = text.split_once('\n').unwrap();
        if command.contains("compare") && command.contains("--format json ") {
            let document = serde_json::from_str(rest).unwrap_or_else(|e| panic!("{file}: {e}"));
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{file}: {errors:#?}");
            documents += 1;
        }
    }
    assert!(documents > 3);
}
