//! Bytes to model: a registry of formats, recognised by content.
//!
//! A new format is one file with a `pub static FORMAT: Format` and one line in [`FORMATS`].

pub mod baseline;
pub mod dhat;
pub mod feed;
pub mod flamebearer;
pub mod folded;
pub mod graph_json;
pub mod heap_text;
pub mod heapprofile;
pub mod heapsnapshot;
pub mod heaptrack;
pub mod hprof;
pub mod json;
pub mod leaks;
pub mod lines;
pub mod massif;
pub mod memcheck;
pub mod memleak;
pub mod memray;
pub mod memray_stats;
pub mod monitor;
pub mod native;
pub mod pprof;
pub mod ruby_objspace;
pub mod sanitizer;
mod script_facts;
pub mod speedscope;
#[cfg(test)]
mod testing;
pub mod tracemalloc;
mod tree;

use crate::error::{Code, Error, Result};
use crate::input::{Select, Source};
use crate::model::{HeapGraph, Limits, Profile, Symbols};

/// What a sniffer thinks of the first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Certainly not.
    No,
    /// Possible; only reading it all tells.
    Maybe,
    /// Certainly.
    Yes,
}

/// What a reader gets besides the bytes.
#[derive(Debug)]
pub struct Context<'a> {
    /// The names of the comparison; readers add to them.
    pub symbols: &'a mut Symbols,
    /// Bounds to respect.
    pub limits: Limits,
    /// The moment chosen, for formats that hold several.
    pub select: Option<Select>,
    /// What a number counts where the format does not say: `bytes` or `blocks`.
    pub unit: Option<String>,
    /// A file cut short is an error instead of being read as far as it goes.
    pub strict: bool,
    /// Short values of objects are read, where the format holds some.
    pub values: bool,
    /// Of objects only types, numbers and bytes are wanted. A reader may leave out all else, see
    /// [`HeapGraph::tally`], or not.
    pub types_only: bool,
}

impl<'a> Context<'a> {
    /// A context with the default limits and nothing chosen.
    pub fn new(symbols: &'a mut Symbols) -> Self {
        Context {
            symbols,
            limits: Limits::default(),
            select: None,
            unit: None,
            strict: false,
            values: false,
            types_only: false,
        }
    }

    /// Fails when another moment than the last was chosen; for formats that hold exactly one.
    pub fn single_moment(&self, format: &str) -> Result<()> {
        match self.select {
            None | Some(Select::Last) => Ok(()),
            Some(Select::Ends) => Err(alone()),
            Some(_) => Err(
                Error::usage(format!("a {format} capture holds one moment only"))
                    .help("leave out the part after #"),
            ),
        }
    }
}

/// One file was to be compared with itself, and it holds one moment.
pub(crate) fn alone() -> Error {
    Error::usage("one capture alone cannot be compared")
        .help("name another one, or look at this one with `heapdiff inspect`")
}

/// One moment of a file: a capture of one kind.
#[derive(Debug)]
pub enum Capture {
    /// Allocation sites.
    Profile(Profile),
    /// Objects and references.
    Graph(HeapGraph),
}

impl Capture {
    /// The allocation sites; none for an object graph.
    pub fn into_profile(self) -> Option<Profile> {
        match self {
            Capture::Profile(profile) => Some(profile),
            Capture::Graph(_) => None,
        }
    }

    /// The allocation sites: of an object graph those that its allocation traces tell, if it has
    /// any.
    ///
    /// Errors: as [`HeapGraph::allocations`].
    pub fn into_allocations(self) -> Result<Option<Profile>> {
        match self {
            Capture::Profile(profile) => Ok(Some(profile)),
            Capture::Graph(graph) => graph.allocations(),
        }
    }

    /// The object graph; none for allocation sites.
    pub fn into_graph(self) -> Option<HeapGraph> {
        match self {
            Capture::Profile(_) => None,
            Capture::Graph(graph) => Some(graph),
        }
    }
}

/// A format that heapdiff reads.
#[derive(Debug)]
pub struct Format {
    /// Name for `--input-format` and JSON: lower case, no spaces.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// One command line that makes such a file.
    pub recipe: &'static str,
    /// Looks at the first 64 KiB, unpacked. Must not fail on any bytes.
    pub sniff: fn(&[u8]) -> Match,
    /// Reads one file. Errors with [`Code::Unrecognised`] mean "not mine after all".
    /// Most files hold one capture; a recording with [`Context::select`] may give several.
    pub read: fn(&Source, &mut Context<'_>) -> Result<Vec<Capture>>,
}

/// Every format, in the order in which `heapdiff formats` lists them.
pub static FORMATS: &[&Format] = &[
    &dhat::FORMAT,
    &pprof::FORMAT,
    &folded::FORMAT,
    &memray::FORMAT,
    &memray_stats::FORMAT,
    &tracemalloc::FORMAT,
    &heapprofile::FORMAT,
    &heapsnapshot::FORMAT,
    &hprof::FORMAT,
    &speedscope::FORMAT,
    &flamebearer::FORMAT,
    &heaptrack::FORMAT,
    &massif::FORMAT,
    &memcheck::XML,
    &memcheck::TEXT,
    &sanitizer::FORMAT,
    &heap_text::JEMALLOC,
    &heap_text::GPERFTOOLS,
    &heap_text::GO,
    &memleak::FORMAT,
    &ruby_objspace::FORMAT,
    &graph_json::FORMAT,
    &baseline::FORMAT,
];

/// Those of [`FORMATS`] whose captures are object graphs.
pub static GRAPH_FORMATS: &[&Format] = &[
    &graph_json::FORMAT,
    &heapsnapshot::FORMAT,
    &hprof::FORMAT,
    &ruby_objspace::FORMAT,
];

impl Format {
    /// Whether its captures are object graphs.
    pub fn is_graph(&self) -> bool {
        GRAPH_FORMATS.iter().any(|f| f.name == self.name)
    }
}

/// The format called `name`.
///
/// Errors: no such format; the message lists all names.
pub fn by_name(name: &str) -> Result<&'static Format> {
    FORMATS
        .iter()
        .find(|f| f.name == name)
        .copied()
        .ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|f| f.name).collect();
            Error::usage(format!("no input format is called {name:?}"))
                .help(format!("one of {}", names.join(", ")))
        })
}

/// Reads a file whose format is recognised by its content, or is `forced`.
///
/// Errors: bytes of no known format, of several, or damaged ones; the file is named.
pub fn read(
    source: &Source,
    forced: Option<&'static Format>,
    cx: &mut Context<'_>,
) -> Result<Vec<Capture>> {
    let candidates = match forced {
        Some(format) => vec![format],
        None => recognise(source)?,
    };
    let mut found: Option<(&'static Format, Vec<Capture>)> = None;
    let mut refused = None;
    for &format in &candidates {
        match (format.read)(source, cx).map_err(|e| e.in_file(source.name())) {
            Ok(captures) => {
                if let Some((first, _)) = &found {
                    return Err(Error::new(
                        Code::Unrecognised,
                        format!("may be {} or {}", first.title, format.title),
                    )
                    .in_file(source.name())
                    .help(format!(
                        "say which: --input-format {} or {}",
                        first.name, format.name
                    )));
                }
                found = Some((format, captures));
            }
            Err(e) if e.code() == Code::Unrecognised && forced.is_none() => {}
            Err(e) if candidates.len() == 1 => return Err(e),
            Err(e) => refused = Some(e),
        }
    }
    let Some((format, mut captures)) = found else {
        return Err(refused.unwrap_or_else(|| unrecognised(source)));
    };
    for capture in &mut captures {
        match capture {
            Capture::Profile(profile) => {
                profile.meta.format = format.name;
                profile.check_valid(cx.symbols)
            }
            Capture::Graph(graph) => {
                graph.meta.format = format.name;
                graph.check_valid(cx.symbols)
            }
        }
        .map_err(|e| e.in_file(source.name()))?;
    }
    Ok(captures)
}

/// The formats that a file may be of: the one that says yes, or all that say maybe.
///
/// Errors: none does, or two say yes.
pub fn recognise(source: &Source) -> Result<Vec<&'static Format>> {
    let verdicts: Vec<_> = FORMATS
        .iter()
        .map(|&f| (f, (f.sniff)(source.head())))
        .collect();
    let with = |m| {
        verdicts
            .iter()
            .filter(move |(_, v)| *v == m)
            .map(|&(f, _)| f)
            .collect::<Vec<_>>()
    };
    let sure = with(Match::Yes);
    if sure.len() > 1 {
        let names: Vec<_> = sure.iter().map(|f| f.name).collect();
        return Err(Error::new(
            Code::Unrecognised,
            format!("may be any of {}", names.join(", ")),
        )
        .in_file(source.name())
        .help("say which with --input-format"));
    }
    let candidates = if sure.is_empty() {
        with(Match::Maybe)
    } else {
        sure
    };
    if candidates.is_empty() {
        Err(unrecognised(source))
    } else {
        Ok(candidates)
    }
}

fn unrecognised(source: &Source) -> Error {
    let head = source.head();
    let what = foreign(head).unwrap_or("is of no format that heapdiff knows");
    Error::new(Code::Unrecognised, what)
        .at(crate::error::Place::Byte(0))
        .in_file(source.name())
        .help("see `heapdiff formats`, or force one with --input-format")
}

/// Things that people hand over by mistake, and what to do with them.
fn foreign(head: &[u8]) -> Option<&'static str> {
    let starts: &[(&[u8], &'static str)] = &[
        (
            b"PERFILE2",
            "is perf data; fold it with `perf script | inferno-collapse-perf`",
        ),
        (
            b"FLR\0",
            "is a JFR recording; convert it to pprof or folded stacks first",
        ),
        (b"\x7fELF", "is a program or a core file, no profile"),
        (b"PK\x03\x04", "is a zip archive; unpack it first"),
        (b"<!DOCTYPE html", "is a web page, no profile"),
        (b"<html", "is a web page, no profile"),
    ];
    starts
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|&(_, what)| what)
}
