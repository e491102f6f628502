//! Mangled names to readable ones, within bounds.

use std::fmt::{self, Write};

use super::cpp::strip_clones;

/// Longest mangled name that a demangler gets to see.
const MAX_MANGLED: usize = 16 << 10;
/// Longest demangled name; back-references can blow a short name up.
const MAX_DEMANGLED: usize = 64 << 10;
/// How deep a C++ name may nest.
const MAX_DEPTH: u32 = 96;

/// The readable form of a mangled name; `None` if it is not mangled or cannot be read. Suffixes
/// of optimisers are dropped first. Bounded time and memory whatever the name.
pub(crate) fn demangle(name: &str) -> Option<String> {
    if name.len() > MAX_MANGLED || !name.starts_with('_') {
        return None;
    }
    let inner = name.trim_start_matches('_');
    if inner.starts_with('R') || inner.starts_with("ZN") {
        if let Ok(symbol) = rustc_demangle::try_demangle(name) {
            return bounded(|out| write!(out, "{symbol:#}"));
        }
        if let Ok(symbol) = rustc_demangle::try_demangle(strip_clones(name)) {
            return bounded(|out| write!(out, "{symbol:#}"));
        }
    }
    if !inner.starts_with('Z') {
        return None;
    }
    let plain = strip_clones(name);
    // Versions stay outside of the mangled part, an extra underscore is Apple's.
    let plain = &plain[..plain.find('@').unwrap_or(plain.len())];
    let plain = plain
        .strip_prefix('_')
        .filter(|rest| rest.starts_with("_Z"))
        .unwrap_or(plain);
    let parse = cpp_demangle::ParseOptions::default().recursion_limit(MAX_DEPTH);
    let print = cpp_demangle::DemangleOptions::default().recursion_limit(MAX_DEPTH * 2);
    let symbol = cpp_demangle::Symbol::new_with_options(plain.as_bytes(), &parse).ok()?;
    let mut out = Bounded::default();
    symbol.structured_demangle(&mut out, &print).ok()?;
    Some(out.0).filter(|text| !text.is_empty())
}

fn bounded(write: impl FnOnce(&mut Bounded) -> fmt::Result) -> Option<String> {
    let mut out = Bounded::default();
    write(&mut out).ok()?;
    Some(out.0).filter(|text| !text.is_empty())
}

/// A text that refuses to grow without end.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_DEMANGLED {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}
