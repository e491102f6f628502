//! Every capture of the repository: what lies in `profiles/` and is neither a program, nor its
//! source, nor what another tool printed.

use std::path::{Path, PathBuf};

/// Endings of programs, scripts and texts.
const OTHER_ENDINGS: &[&str] = &[
    "c", "cpp", "h", "go", "mod", "js", "py", "rs", "rb", "java", "sh", "md", "so", "debug", "toml",
];
/// Parts of paths that hold no captures: programs, and what other tools say of captures.
const OTHER_PARTS: &[&str] = &[
    "/oracle/",
    "/monitoring/",
    "/services/",
    "/web-app/faulty/",
    "/web-app/cured/",
    "/web-app/measured/",
    "/symbols/bin/",
    "/symbols/other/",
    "/truth.json",
    ".oracle.json",
    "/tracemalloc/compare-10-110.json",
    "/v8-heapprofile/sums.json",
];

/// The repository's captures, in order.
pub fn captures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    assert!(found.len() > 200, "{} captures", found.len());
    found
}

/// Where they lie.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles")
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
            continue;
        }
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let shown = path.to_str().unwrap().replace('\\', "/");
        let other =
            OTHER_ENDINGS.contains(&ending) || OTHER_PARTS.iter().any(|p| shown.contains(p));
        if !other {
            found.push(path);
        }
    }
}
