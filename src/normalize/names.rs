//! The spellings of one function name, and what is done to names of every language alike.

use std::borrow::Cow;

use super::brackets::{Dialect, MAX_STRUCTURED, Pairs, is_word};

/// How one function is called, from the most to the least telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub display: String,
    pub deord: String,
    pub sym: String,
    pub base: String,
}

impl Names {
    /// A name that no rewrite applies to.
    pub(super) fn verbatim(name: &str) -> Names {
        Names {
            display: name.to_owned(),
            deord: name.to_owned(),
            sym: name.to_owned(),
            base: name.to_owned(),
        }
    }
}

/// Drops what a tool put around the name: the address before it, the offset behind it, and the
/// kernel, inlined or compiled mark of folded stacks (`_[k]`).
pub(super) fn strip_decoration(raw: &str) -> &str {
    let mut name = raw.trim();
    if let Some(rest) = name.strip_prefix("0x")
        && let Some((address, function)) = rest.split_once(": ")
        && !address.is_empty()
        && address.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        name = function.trim_start();
    }
    if let Some(rest) = name.strip_suffix(']')
        && let Some(rest) = rest.get(..rest.len().saturating_sub(1))
        && let Some(rest) = rest.strip_suffix("_[")
        && !rest.is_empty()
    {
        name = rest;
    }
    if let Some((function, offset)) = name.rsplit_once('+')
        && !function.is_empty()
        && !function.ends_with("operator")
    {
        let digits = offset.strip_prefix("0x").unwrap_or(offset);
        let hex = offset.len() > digits.len();
        if !digits.is_empty()
            && digits.bytes().all(|b| {
                if hex {
                    b.is_ascii_hexdigit()
                } else {
                    b.is_ascii_digit()
                }
            })
        {
            name = function;
        }
    }
    name
}

/// Whether the name is that of a place in a module, `libfoo.so+0x1a2b`: the offset is the name.
pub(super) fn is_place(name: &str, module: &str) -> bool {
    let base = module.rsplit(['/', '\\']).next().unwrap_or("");
    let offset = name.strip_prefix(base).and_then(|n| n.strip_prefix("+0x"));
    !base.is_empty()
        && offset.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether a producer wrote this where it knew no function: such a frame has no name to match by.
pub(super) fn is_hole(name: &str) -> bool {
    matches!(
        name,
        "" | "?"
            | "??"
            | "???"
            | "[unknown]"
            | "<unknown>"
            | "(unknown)"
            | "unknown"
            | "UnknownInlinedFun"
            | "<unresolved function>"
            | "[inline]"
            | "nil"
            | "_unknown_"
    ) || name
        .strip_prefix("0x")
        .map(|address| address.strip_prefix('*').unwrap_or(address))
        .is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A text in which `from` became `to`, borrowed if there was none.
pub(super) fn replaced<'a>(text: Cow<'a, str>, from: &str, to: &str) -> Cow<'a, str> {
    if text.contains(from) {
        Cow::Owned(text.replace(from, to))
    } else {
        text
    }
}

/// Longest list of type or call arguments that a person is shown.
const MAX_ARGUMENTS: usize = 40;

/// The name with long argument lists replaced by `<..>` and `(..)`; short ones and what is part of
/// the name (`<T as Trait>`) stay. Linear.
pub(super) fn shorten(name: &str, dialect: Dialect) -> String {
    if name.len() <= MAX_ARGUMENTS || name.len() > MAX_STRUCTURED {
        return name.to_owned();
    }
    let bytes = name.as_bytes();
    let pairs = Pairs::of(name, dialect);
    let mut out = String::with_capacity(name.len());
    let (mut kept, mut at) = (0, 1);
    while at < bytes.len() {
        let opens = match bytes[at] {
            b'<' => true,
            b'(' => dialect == Dialect::Cpp,
            _ => false,
        };
        // Arguments follow a name; a bracket that starts a path is part of it.
        let follows = is_word(bytes[at - 1])
            || matches!(bytes[at - 1], b'>' | b')' | b']')
            || bytes[at - 1] == b':' && !name[at..].starts_with("<impl ");
        if opens
            && follows
            && let Some(pair) = pairs.at(at)
            && pair.close - at > MAX_ARGUMENTS
        {
            out.push_str(&name[kept..=at]);
            out.push_str("..");
            kept = pair.close;
            at = pair.close;
        }
        at += 1;
    }
    out.push_str(&name[kept..]);
    out
}

/// Splits `function (file.c:12:3)` as folded stacks write it, where nothing else knows the file.
/// Only a name with the extension of a source file counts: `f(int)` and `(below main)` stay.
pub(super) fn split_location(function: &str) -> Option<(&str, &str)> {
    let inner = function.trim_end().strip_suffix(')')?;
    let at = inner.rfind(" (").filter(|&at| at > 0)?;
    let mut file = &inner[at + 2..];
    for _ in 0..2 {
        if let Some((name, number)) = file.rsplit_once(':')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            file = name;
        }
    }
    let source = !file.contains(['(', ')', '<', ',']) && super::language::is_source(file);
    source.then_some((&function[..at], file))
}
