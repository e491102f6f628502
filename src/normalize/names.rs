//! The spellings of one function name, and what is done to names of every language alike.

use std::borrow::Cow;

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
