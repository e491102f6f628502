//! What the path of a Rust source file says about the crate that it belongs to.

use super::rust::{Origin, origin};
use crate::normalize::path::package_of;

/// What the files of a capture say about one crate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::normalize) struct CrateEvidence {
    /// A file in a directory `name-1.2.3` of the crate's own name, or in a registry.
    pub library: bool,
    /// A file in an unversioned package directory.
    pub program: bool,
    /// The crate holds the program's `main`, whatever its directory is called.
    pub main: bool,
}

/// The crate of a Rust frame and what its file shows about it. Linear in the frame's text.
pub(in crate::normalize) fn crate_evidence<'a>(
    sym: &'a str,
    file: &str,
) -> Option<(&'a str, CrateEvidence)> {
    if !file.ends_with(".rs") || sym.starts_with('<') || !sym.contains("::") {
        return None;
    }
    let Origin::Crate(name) = origin(sym) else {
        return None;
    };
    let main = sym.strip_prefix(name) == Some("::main");
    let evidence = match place(file) {
        Place::Library(Some(package)) => CrateEvidence {
            library: same_crate(package, name),
            ..CrateEvidence::default()
        },
        Place::Library(None) => CrateEvidence {
            library: true,
            ..CrateEvidence::default()
        },
        Place::Program => CrateEvidence {
            program: true,
            ..CrateEvidence::default()
        },
        Place::Std | Place::Unknown => CrateEvidence::default(),
    };
    Some((name, CrateEvidence { main, ..evidence }))
}

pub(super) fn same_crate(package: &str, name: &str) -> bool {
    package.len() == name.len()
        && package
            .bytes()
            .zip(name.bytes())
            .all(|(a, b)| a == b || a == b'-' && b == b'_')
}

/// What a path alone says.
pub(super) enum Place<'a> {
    Std,
    /// A registry, a checkout or a vendored directory, with the package if it is known.
    Library(Option<&'a str>),
    Program,
    Unknown,
}

pub(super) fn place(file: &str) -> Place<'_> {
    if file.is_empty() {
        return Place::Unknown;
    }
    if file.contains("/rustc/") || file.contains("/rustlib/src/") || file.starts_with("library/") {
        return Place::Std;
    }
    if let Some(at) = file.find("registry/src/") {
        let package = file[at + 13..].split('/').nth(1).and_then(package_of);
        return Place::Library(package);
    }
    if [
        "/git/checkouts/",
        "/vendor/",
        "/third_party/",
        "/third-party/",
    ]
    .iter()
    .any(|part| file.contains(part))
        || file.starts_with("vendor/")
    {
        return Place::Library(None);
    }
    let Some((head, rest)) = file.split_once('/') else {
        return Place::Unknown;
    };
    if matches!(head, "core" | "alloc" | "std") && rest.starts_with("src/") {
        return Place::Std;
    }
    if let Some(package) = package_of(head) {
        return Place::Library(Some(package));
    }
    if let Some(package) = file.split('/').find_map(package_of)
        && file.starts_with('/')
    {
        return Place::Library(Some(package));
    }
    let in_sources = ["src/", "examples/", "benches/", "tests/"]
        .iter()
        .any(|part| rest.starts_with(part));
    if !in_sources {
        return if file.starts_with('/') {
            Place::Program
        } else {
            Place::Unknown
        };
    }
    if head == "src" {
        return Place::Unknown;
    }
    // A git checkout cut to three components starts with an abbreviated commit.
    let commit = head.len() == 7
        && head.bytes().all(|byte| byte.is_ascii_hexdigit())
        && head.bytes().any(|byte| byte.is_ascii_digit());
    if commit {
        Place::Library(None)
    } else {
        Place::Program
    }
}

/// Directories directly below `src` of the standard library's crates, and those below them that
/// a path of three components can start with.
#[rustfmt::skip]
pub(super) const STD_DIRECTORIES: [&str; 62] = [
    "adapters", "alloc", "array", "ascii", "async_iter", "backtrace", "borrow", "boxed", "btree",
    "buffered", "cell", "char", "clone", "cmp", "collections", "convert", "error", "ffi", "fmt",
    "fs", "future", "hash", "io", "iter", "linked_list", "local", "marker", "mem", "mpmc", "net",
    "num", "once", "ops", "option", "os", "pal", "panic", "panicking", "path", "pin", "process",
    "ptr", "range", "raw_vec", "rc", "result", "rt", "shared", "slice", "sort", "sources",
    "stable", "str", "string", "sync", "sys", "task", "thread", "thread_local", "time", "traits",
    "vec",
];

/// Whether a path is the standard library's. `src/io/mod.rs` may be the user's as well, so this
/// decides only where a name says nothing.
pub(super) fn is_std_file(file: &str) -> bool {
    if matches!(place(file), Place::Std) {
        return true;
    }
    if file.starts_with('/') {
        return false;
    }
    let mut parts = file.split('/');
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
        return false;
    };
    let known = |part: &str| STD_DIRECTORIES.binary_search(&part).is_ok();
    match parts.next() {
        Some(_) => {
            (first == "src" && known(second))
                || (known(first) && (known(second) || is_std_leaf(second)))
        }
        None => false,
    }
}

/// Directories that hold the third component of a long path of the standard library.
fn is_std_leaf(directory: &str) -> bool {
    matches!(
        directory,
        "unix"
            | "native"
            | "futex"
            | "map"
            | "set"
            | "vec_deque"
            | "binary_heap"
            | "hash"
            | "impls"
            | "stack_overflow"
    )
}
