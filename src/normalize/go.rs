//! Go names: import path, receiver, function, closures and instantiations.

use super::brackets::{Dialect, MAX_STRUCTURED, Pairs};
use super::names::Names;

/// The spellings of one Go name. Linear in its length.
pub(super) fn names(raw: &str) -> Names {
    if raw.len() > MAX_STRUCTURED {
        return Names::verbatim(raw);
    }
    let pairs = Pairs::of(raw, Dialect::Go);
    let deord = rewrite(raw, &pairs, true);
    let sym = rewrite(raw, &pairs, false);
    let base = sym
        .rfind('/')
        .map_or(sym.as_str(), |at| &sym[at + 1..])
        .to_owned();
    Names {
        display: decode(raw),
        deord,
        sym,
        base,
    }
}

/// The import path of the package a function belongs to, as the linker writes it (a dot in the
/// last element is `%2e`); empty if the name has none.
pub(super) fn package(raw: &str) -> &str {
    let outside = &raw[..raw.find('[').unwrap_or(raw.len())];
    let element = outside.rfind('/').map_or(0, |at| at + 1);
    match outside[element..].find('.') {
        Some(dot) => &raw[..element + dot],
        None => "",
    }
}

/// Import paths escape dots in their last element and signs everywhere.
fn decode(text: &str) -> String {
    if text.contains("%2e") {
        text.replace("%2e", ".")
    } else {
        text.to_owned()
    }
}

/// Names closures and wrappers without their number, and drops the type list unless `types`.
fn rewrite(raw: &str, pairs: &Pairs, types: bool) -> String {
    let raw_end = raw.strip_suffix("-fm").map_or(raw.len(), str::len);
    let package = package(raw);
    let mut out = decode(package);
    out.reserve(raw_end.saturating_sub(package.len()));
    let bytes = raw.as_bytes();
    // Components behind the package, split at dots outside brackets.
    let mut at = package.len();
    let mut position = 0;
    let mut inside_closure = false;
    let mut previous = "";
    while at < raw_end {
        if bytes[at] == b'.' {
            at += 1;
        }
        let from = at;
        while at < raw_end && bytes[at] != b'.' {
            at = match bytes[at] {
                b'(' | b'[' | b'{' => match pairs.at(at) {
                    Some(pair) if pair.close < raw_end => pair.close + 1,
                    _ => at + 1,
                },
                _ => at + 1,
            };
        }
        let part = &raw[from..at];
        let first = position == 0;
        position += 1;
        if part == "glob" && first && raw[at..raw_end].starts_with("..") {
            // Closures of package-level variables: `glob..func1`, newer `init.func1`.
            push_dotted(&mut out, "init");
            at += 1;
            previous = "init";
            continue;
        }
        if !package.is_empty() && !first {
            if let Some(kind) = closure_kind(part, inside_closure) {
                push_dotted(&mut out, kind);
                inside_closure = true;
                continue;
            }
            if previous == "init" && is_number(part) {
                push_dotted(&mut out, "N");
                previous = "";
                continue;
            }
        }
        if !out.is_empty() || !package.is_empty() {
            out.push('.');
        }
        push_part(&mut out, strip_range(part), from, pairs, types);
        previous = part;
    }
    out
}

fn push_dotted(out: &mut String, part: &str) {
    if !out.is_empty() {
        out.push('.');
    }
    out.push_str(part);
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `func1`, `gowrap2`, `deferwrap1`, and, inside a closure, a bare number.
fn closure_kind(part: &str, inside_closure: bool) -> Option<&'static str> {
    let part = strip_range(part);
    for kind in ["func", "gowrap", "deferwrap"] {
        if part.strip_prefix(kind).is_some_and(is_number) {
            return Some(kind);
        }
    }
    (inside_closure && is_number(part)).then_some("func")
}

/// `-range1` marks the body of a loop over a function.
fn strip_range(part: &str) -> &str {
    match part.rfind("-range") {
        Some(at) if is_number(&part[at + 6..]) => &part[..at],
        _ => part,
    }
}

/// Copies one component; type lists become `[]` unless they are wanted.
fn push_part(out: &mut String, part: &str, offset: usize, pairs: &Pairs, types: bool) {
    if types {
        out.push_str(part);
        return;
    }
    let mut kept = 0;
    for (at, _) in part.match_indices('[') {
        if at < kept {
            continue;
        }
        if let Some(pair) = pairs.at(offset + at)
            && pair.close < offset + part.len()
        {
            out.push_str(&part[kept..at]);
            out.push_str("[]");
            kept = pair.close + 1 - offset;
        }
    }
    out.push_str(&part[kept..]);
}
