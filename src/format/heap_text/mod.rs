//! Text heap profiles: gperftools and tcmalloc, Go with `debug=1`, jemalloc.
//!
//! Written from google/pprof `profile/legacy_profile.go`, gperftools `heap-profile-table.cc`, Go
//! `runtime/pprof/pprof.go`, jemalloc `src/prof_data.c`, `bin/jeprof.in`.

mod classic;
mod jemalloc;
mod mappings;
mod names;
mod scale;

use super::lines::{Lines, find};
use super::{Format, Match};

/// gperftools (`HEAPPROFILE`) and sampled tcmalloc profiles.
pub static GPERFTOOLS: Format = Format {
    name: "gperftools",
    title: "gperftools or tcmalloc heap profile",
    recipe: "LD_PRELOAD=libtcmalloc.so.4 HEAPPROFILE=./heap ./program",
    sniff: sniff_gperftools,
    read: classic::read,
};

/// Go's text form of a heap profile.
pub static GO: Format = Format {
    name: "go-heap-text",
    title: "Go heap profile as text (debug=1)",
    recipe: "curl -so heap.txt 'http://localhost:6060/debug/pprof/heap?gc=1&debug=1'",
    sniff: sniff_go,
    read: classic::read_go,
};

/// jemalloc heap dumps.
pub static JEMALLOC: Format = Format {
    name: "jemalloc",
    title: "jemalloc heap profile",
    recipe: "MALLOC_CONF=prof:true,prof_final:true,prof_prefix:heap LD_PRELOAD=libjemalloc.so.2 ./program",
    sniff: sniff_jemalloc,
    read: jemalloc::read,
};

/// What the first lines announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    Classic,
    Go,
    Jemalloc,
    /// A section of symbols that is longer than what a sniffer sees.
    Symbols,
}

fn announced(head: &[u8]) -> Option<Announced> {
    let mut symbols = false;
    for line in Lines::new(head) {
        let text = line.text.trim_ascii();
        if text.starts_with(b"heap profile:") {
            let go = find(text, b"@ heap/").is_some() && !symbols;
            return Some(if go {
                Announced::Go
            } else {
                Announced::Classic
            });
        }
        if jemalloc::header(text).is_some() {
            return Some(Announced::Jemalloc);
        }
        if section(text) == Some(b"symbol") {
            symbols = true;
        } else if !symbols && !text.is_empty() && text[0] != b'#' && section(text).is_none() {
            return None;
        }
    }
    symbols.then_some(Announced::Symbols)
}

/// The name of a section's first line: `--- symbol`, `--- heap`, `--- growth`; `---` ends one.
fn section(text: &[u8]) -> Option<&[u8]> {
    let name = text.strip_prefix(b"---")?.trim_ascii();
    matches!(name, b"symbol" | b"heap" | b"growth" | b"").then_some(name)
}

fn verdict(head: &[u8], wanted: Announced) -> Match {
    match announced(head) {
        Some(found) if found == wanted => Match::Yes,
        Some(Announced::Symbols) => Match::Maybe,
        _ => Match::No,
    }
}

fn sniff_gperftools(head: &[u8]) -> Match {
    verdict(head, Announced::Classic)
}

fn sniff_go(head: &[u8]) -> Match {
    // Go writes no section of symbols.
    match announced(head) {
        Some(Announced::Go) => Match::Yes,
        _ => Match::No,
    }
}

fn sniff_jemalloc(head: &[u8]) -> Match {
    verdict(head, Announced::Jemalloc)
}

#[cfg(test)]
mod tests;
