//! Rust: by the crate that the code was written in, not by the crate that it was instantiated in.
//!
//! A name holds up to three crates: of the self type, of the trait and of the type arguments.
//! `<app::Foo as core::iter::Iterator>::next` is the user's code, but `::collect` of the same impl
//! is the standard library's, and only the file says so. Arguments never decide.

use super::place::{CrateEvidence, Place, is_std_file, place, same_crate};
use super::{Facts, native};
use crate::normalize::brackets::{Dialect, Pairs, is_word};
use crate::normalize::{Context, FrameClass, Language};

/// Crates of the toolchain; hashbrown is the standard library's hash table.
#[rustfmt::skip]
const STD: [&str; 16] = [
    "core", "alloc", "std", "hashbrown", "__rustc", "proc_macro", "test", "panic_unwind",
    "panic_abort", "std_detect", "compiler_builtins", "gimli", "addr2line", "object",
    "rustc_demangle", "backtrace_rs",
];

/// Crates that allocate or record allocations.
#[rustfmt::skip]
const ALLOCATORS: [&str; 12] = [
    "dhat", "backtrace", "allocator_api2", "jemallocator", "tikv_jemallocator",
    "tikv_jemalloc_sys", "jemalloc_sys", "jemalloc_pprof", "mimalloc", "libmimalloc_sys",
    "snmalloc_rs", "stats_alloc",
];

/// Libraries for which a capture may hold no versioned path, because their files lie deep and
/// dhat-rs keeps the last three components of a path only.
#[rustfmt::skip]
pub(super) const LIBRARIES: [&str; 76] = [
    "actix_http", "actix_rt", "actix_web", "ahash", "anyhow", "arrow", "async_std", "axum",
    "axum_core", "bincode", "bitvec", "bstr", "bumpalo", "bytes", "chrono", "clap",
    "clap_builder", "crossbeam_channel", "crossbeam_deque", "crossbeam_epoch", "crossbeam_utils",
    "csv", "csv_core", "dashmap", "diesel", "env_logger", "erased_serde", "flate2",
    "futures_channel", "futures_core", "futures_executor", "futures_util", "h2", "http",
    "http_body", "hyper", "hyper_util", "indexmap", "itertools", "libc", "log", "lru", "mio",
    "moka", "ndarray", "nom", "num_bigint", "once_cell", "parking_lot", "parking_lot_core",
    "petgraph", "polars", "prost", "quick_xml", "rand", "rayon", "rayon_core", "regex",
    "regex_automata", "regex_syntax", "reqwest", "rustls", "serde", "serde_core", "serde_json",
    "serde_yaml", "smallvec", "sqlx", "tokio", "tokio_util", "toml", "tonic", "tower", "tracing",
    "tracing_core", "tracing_subscriber",
];

/// Methods without a default body in traits of the standard library: a frame of such a method is
/// never the trait's own code, whatever its file is called.
#[rustfmt::skip]
const REQUIRED: [&str; 46] = [
    "add", "add_assign", "as_mut", "as_ref", "borrow", "borrow_mut", "clone", "cmp", "consume",
    "default", "deref", "deref_mut", "div", "drop", "eq", "extend", "fill_buf", "finish", "flush",
    "fmt", "from", "from_iter", "from_str", "hash", "index", "index_mut", "into_iter", "mul",
    "neg", "next", "next_back", "not", "partial_cmp", "poll", "product", "read", "rem", "seek",
    "sub", "sum", "try_from", "wake", "write", "write_str", "report", "emit",
];

/// Whose crate a path or type belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    Std,
    Crate(&'a str),
    /// A type parameter, a primitive, a tuple: nobody's.
    Nobody,
}

/// The class of a Rust frame.
pub(super) fn classify(facts: &Facts<'_>, context: &Context) -> FrameClass {
    let sym = facts.names.sym.as_str();
    let first = first_crate(sym);
    if is_allocator(sym, first) {
        return FrameClass::Allocator;
    }
    if facts.hole || !sym.contains("::") {
        return classify_bare(facts);
    }
    if let Some(qualified) = Qualified::of(sym) {
        return classify_qualified(&qualified, facts, context);
    }
    by_origin(origin(sym), facts, context)
}

fn is_allocator(sym: &str, first: &str) -> bool {
    if ALLOCATORS.contains(&first) {
        return true;
    }
    let function = sym.strip_prefix("__rustc::").unwrap_or(sym);
    [
        "__rust_alloc",
        "__rust_realloc",
        "__rust_dealloc",
        "__rg_",
        "__rdl_",
        "__rust_no_alloc",
    ]
    .iter()
    .any(|prefix| function.starts_with(prefix))
        || sym.starts_with("alloc::alloc::")
        || sym.starts_with("<alloc::alloc::Global as ")
        || sym.starts_with("core::alloc::")
        || sym.contains(" as core::alloc::global::GlobalAlloc>::")
        || sym.contains(" as core::alloc::Allocator>::")
}

/// A name without `::`: a C function, the C `main` around Rust's, or the short name of reduced
/// debug info, which only its file can place.
fn classify_bare(facts: &Facts<'_>) -> FrameClass {
    let sym = facts.names.sym.as_str();
    if facts.file.ends_with(".rs") {
        if is_std_file(facts.file) {
            return FrameClass::Glue;
        }
        return match place(facts.file) {
            Place::Std => FrameClass::Glue,
            Place::Library(Some(package)) if ALLOCATORS.contains(&package) => FrameClass::Allocator,
            Place::Library(Some("hashbrown")) => FrameClass::Glue,
            Place::Library(_) => FrameClass::ThirdParty,
            Place::Program | Place::Unknown => FrameClass::User,
        };
    }
    if matches!(
        sym,
        "main" | "rust_begin_unwind" | "rust_panic" | "rust_eh_personality" | "__rust_try"
    ) || sym.starts_with("__rust_")
    {
        return FrameClass::Glue;
    }
    native::classify(facts, Language::Rust)
}

/// `<Self as Trait>::method`.
struct Qualified<'a> {
    subject: &'a str,
    interface: &'a str,
    method: &'a str,
}

impl<'a> Qualified<'a> {
    fn of(sym: &'a str) -> Option<Qualified<'a>> {
        if !sym.starts_with('<') {
            return None;
        }
        let pair = Pairs::of(sym, Dialect::Rust).at(0)?;
        let as_at = pair.as_at?;
        let tail = sym[pair.close + 1..].trim_start_matches("::");
        Some(Qualified {
            subject: &sym[1..as_at],
            interface: &sym[as_at + 4..pair.close],
            method: &tail[..tail.find("::").unwrap_or(tail.len())],
        })
    }
}

fn classify_qualified(name: &Qualified<'_>, facts: &Facts<'_>, context: &Context) -> FrameClass {
    // The older mangling says in which module the impl stands.
    if !facts.names.deord.starts_with('<') && facts.names.deord.contains("::<impl ") {
        let home = origin(&facts.names.deord);
        if home != Origin::Nobody {
            return by_origin(home, facts, context);
        }
    }
    if name.interface.starts_with("core::ops::function::Fn")
        || name.interface.starts_with("core::ops::async_function::")
    {
        return FrameClass::Glue;
    }
    let (subject, interface) = (origin(name.subject), origin(name.interface));
    let own_code = REQUIRED.contains(&name.method);
    match (subject, interface) {
        (Origin::Crate(_), Origin::Std) => {
            if !own_code
                && (is_trait_file(name.interface, facts.file)
                    || !facts.has_file() && is_provided(name))
            {
                return FrameClass::Glue;
            }
            if name.method.starts_with("spec_") || name.interface.contains("::Spec") {
                return FrameClass::Glue;
            }
            by_origin(subject, facts, context)
        }
        (Origin::Crate(one), Origin::Crate(other)) => {
            if one != other && is_trait_file(name.interface, facts.file) {
                return by_origin(interface, facts, context);
            }
            // A library cannot know the program's types and traits, the program knows both.
            match by_origin(subject, facts, context) {
                FrameClass::User => FrameClass::User,
                _ => by_origin(interface, facts, context),
            }
        }
        (_, Origin::Crate(_)) => by_origin(interface, facts, context),
        (_, Origin::Std) => {
            // `impl From<app::E> for String` is the program's, and only its file shows it.
            let foreign = facts.file.ends_with(".rs")
                && !is_std_file(facts.file)
                && matches!(place(facts.file), Place::Program);
            if foreign {
                FrameClass::User
            } else {
                FrameClass::Glue
            }
        }
        (_, Origin::Nobody) => {
            if is_std_file(facts.file) || name.interface.starts_with('[') {
                FrameClass::Glue
            } else {
                by_place(facts)
            }
        }
    }
}

/// Provided methods that are worth knowing where a frame has no file.
fn is_provided(name: &Qualified<'_>) -> bool {
    name.interface.ends_with("::Iterator")
        || matches!(
            name.method,
            "to_string"
                | "into"
                | "try_into"
                | "to_owned"
                | "write_all"
                | "write_fmt"
                | "read_to_end"
                | "read_to_string"
                | "read_line"
                | "lines"
                | "bytes"
                | "type_id"
        )
}

/// Whether `file` is where a trait is declared: its module path as a file, compared from the end
/// as far as `file` goes. Default methods and blanket impls live there.
fn is_trait_file(interface: &str, file: &str) -> bool {
    let Some(stem) = file.strip_suffix(".rs") else {
        return false;
    };
    let stem = stem
        .strip_suffix("/mod")
        .or_else(|| stem.strip_suffix("/lib"))
        .unwrap_or(stem);
    let mut modules: Vec<&str> = interface.split("::").collect();
    modules.pop();
    let mut parts = stem.rsplit('/');
    let mut same = 0;
    while let Some(module) = modules.pop() {
        let Some(part) = parts.next() else { break };
        if modules.is_empty() {
            // The crate's directory lies above `src`.
            return same > 0 && part == "src"
                || same == 0 && (part == "src" || same_crate(part, module));
        }
        if part != module {
            return false;
        }
        same += 1;
    }
    same > 0
}

fn by_origin(origin: Origin<'_>, facts: &Facts<'_>, context: &Context) -> FrameClass {
    let name = match origin {
        Origin::Std => return FrameClass::Glue,
        Origin::Nobody => return FrameClass::Glue,
        Origin::Crate(name) => name,
    };
    if ALLOCATORS.contains(&name) {
        return FrameClass::Allocator;
    }
    match context.crates.get(name) {
        Some(CrateEvidence { main: true, .. }) => return FrameClass::User,
        Some(CrateEvidence { library: true, .. }) => return FrameClass::ThirdParty,
        Some(CrateEvidence { program: true, .. }) => return FrameClass::User,
        _ => {}
    }
    match place(facts.file) {
        Place::Library(Some(package)) if same_crate(package, name) => FrameClass::ThirdParty,
        Place::Program => FrameClass::User,
        _ if LIBRARIES.binary_search(&name).is_ok() => FrameClass::ThirdParty,
        Place::Library(_) => FrameClass::ThirdParty,
        Place::Std | Place::Unknown => FrameClass::User,
    }
}

fn by_place(facts: &Facts<'_>) -> FrameClass {
    match place(facts.file) {
        Place::Std => FrameClass::Glue,
        Place::Library(_) => FrameClass::ThirdParty,
        Place::Program => FrameClass::User,
        Place::Unknown => FrameClass::Glue,
    }
}

/// The first crate name in a symbol, behind any brackets and references.
fn first_crate(sym: &str) -> &str {
    match origin(sym) {
        Origin::Crate(name) => name,
        _ => "",
    }
}

/// Whose a path or type is: the first path in it, behind references, pointers and brackets.
pub(super) fn origin(text: &str) -> Origin<'_> {
    let mut rest = text;
    loop {
        let before = rest.len();
        rest = rest.trim_start_matches(['<', '&', '(', ' ', ',']);
        for word in [
            "mut ", "*const ", "*mut ", "dyn ", "impl ", "unsafe ", "for",
        ] {
            if word == "for" {
                // `dyn for<'a> Fn(..)`: step over the binder.
                if let Some(tail) = rest.strip_prefix("for<") {
                    rest = tail.split_once('>').map_or("", |(_, tail)| tail);
                }
            } else if let Some(tail) = rest.strip_prefix(word) {
                rest = tail;
            }
        }
        if let Some(tail) = rest.strip_prefix('\'') {
            rest = tail.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        }
        if rest.len() == before {
            break;
        }
    }
    let word = rest.bytes().take_while(|&byte| is_word(byte)).count();
    let name = &rest[..word];
    if !rest[word..].starts_with("::") || name.is_empty() {
        return Origin::Nobody;
    }
    if STD.contains(&name) {
        return Origin::Std;
    }
    if is_primitive(name) {
        Origin::Nobody
    } else {
        Origin::Crate(name)
    }
}

fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "str"
            | "bool"
            | "char"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f16"
            | "f32"
            | "f64"
            | "f128"
            | "T"
            | "U"
            | "I"
            | "F"
    )
}

/// What stands at the root of a complete Rust stack.
pub(super) fn is_root(sym: &str) -> bool {
    sym.starts_with("std::rt::lang_start")
        || sym.starts_with("std::sys::backtrace::__rust_begin_short_backtrace")
        || sym.starts_with("std::sys_common::backtrace::__rust_begin_short_backtrace")
        || sym.contains("::thread_start")
        || sym
            .strip_suffix("::main")
            .is_some_and(|name| !name.is_empty() && name.bytes().all(is_word))
}
