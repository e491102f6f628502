//! Data goes one way: a layer uses only the layers before it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The layers in order, those that stand side by side in one row. `error` and `units` are free.
const LAYERS: &[&[&str]] = &[
    &["error", "units"],
    &["model"],
    &["input"],
    &["format"],
    &["normalize"],
    &["symbolize"],
    &["trend"],
    &["diff", "graph", "timeline"],
    &["verdict"],
    &["report"],
    &["render"],
    &["cli"],
];

/// Crates that one layer alone may use.
const OWNED: &[(&str, &str)] = &[
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("anstream", "cli"),
    ("terminal_size", "cli"),
    ("memmap2", "input"),
    ("glob", "input"),
    ("addr2line", "symbolize"),
    ("object", "symbolize"),
    ("inferno", "render"),
    ("statrs", "trend"),
    ("petgraph", "graph"),
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The layer that a source file belongs to.
fn layer_of(path: &Path) -> String {
    let inside = path
        .strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
        .unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The names that follow `crate::` in code; comments and strings of documentation do not count.
fn used(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .map(|l| format!("{l}\n"))
        .collect();
    let mut names = BTreeSet::new();
    for (i, _) in code.match_indices("crate::") {
        let rest = &code[i + "crate::".len()..];
        if rest.starts_with('{') {
            panic!("write one `use crate::layer` a line, so that this test can read it");
        }
        names.insert(
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
                .to_owned(),
        );
    }
    names
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&layer))
}

fn all() -> Vec<(PathBuf, String, String)> {
    let mut files = Vec::new();
    sources(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut files,
    );
    files.sort();
    files
        .into_iter()
        .map(|p| {
            let text = std::fs::read_to_string(&p).unwrap();
            let layer = layer_of(&p);
            (p, layer, text)
        })
        .filter(|(_, layer, _)| layer != "main" && layer != "lib")
        .collect()
}

#[test]
fn a_layer_uses_only_the_layers_before_it() {
    let mut wrong = Vec::new();
    for (path, layer, text) in all() {
        let own = rank(&layer).unwrap_or_else(|| panic!("{layer} is in no row of LAYERS"));
        for name in used(&text) {
            match rank(&name) {
                Some(other) if other < own || name == layer => {}
                Some(_) => wrong.push(format!("{} uses {name}", path.display())),
                // Names that lib.rs exports again.
                None if ["Error", "Result", "Code", "Place"].contains(&name.as_str()) => {}
                None => wrong.push(format!("{} uses the unknown {name}", path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_stay_in_their_layer() {
    let mut wrong = Vec::new();
    for (path, layer, text) in all() {
        for (name, owner) in OWNED {
            let uses = text.lines().any(|l| {
                let code = l.trim_start();
                !code.starts_with("//")
                    && (code.contains(&format!("{name}::"))
                        || code.contains(&format!("use {name};")))
            });
            if uses && layer != *owner {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_is_in_input_alone() {
    for (path, layer, text) in all() {
        let has = text
            .lines()
            .any(|l| !l.trim_start().starts_with("//") && l.contains("unsafe {"));
        assert!(!has || layer == "input", "{}", path.display());
    }
}

#[test]
fn no_room_is_too_large() {
    for (path, _, text) in all() {
        let lines = text.lines().count();
        assert!(lines <= 800, "{} has {lines} lines", path.display());
        assert!(!path.ends_with("utils.rs"));
    }
}
