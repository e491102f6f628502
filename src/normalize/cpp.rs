//! C and C++ names: what a demangler, DWARF or an ELF table call a function, brought to one
//! spelling.

use std::borrow::Cow;

use super::brackets::{Dialect, MAX_STRUCTURED, Pairs, is_word, operator_end};
use super::names::{Names, replaced, shorten};

/// The spellings of one demangled C or C++ name. Linear in its length.
pub(super) fn names(raw: &str) -> Names {
    let clean = strip_version(strip_clones(raw));
    if clean.len() > MAX_STRUCTURED || clean.starts_with("-[") || clean.starts_with("+[") {
        return Names::verbatim(clean);
    }
    let display = plain_std(clean);
    let deord = drop_ordinals(&display);
    let (sym, _) = symbol(&deord);
    let base = base(&sym).to_owned();
    // A person reads the name, not what it returns.
    let (_, start) = symbol(&display);
    let display = shorten(display.get(start..).unwrap_or(&display), Dialect::Cpp);
    Names {
        display,
        deord,
        sym,
        base,
    }
}

/// Suffixes that optimisers append to the name of a copy of a function; numbers may follow.
#[rustfmt::skip]
const CLONES: [&str; 13] = [
    ".isra", ".constprop", ".part", ".cold", ".llvm", ".lto_priv", ".localalias", ".warm", ".hot",
    ".unlikely", ".clone", ".ifunc", ".resolver",
];

/// Drops ` [clone .cold]`, `.constprop.0` and their like from the end, also several of them.
pub(super) fn strip_clones(raw: &str) -> &str {
    let mut name = raw.trim_end();
    loop {
        if name.ends_with(']')
            && let Some(at) = name.rfind(" [clone ")
        {
            name = name[..at].trim_end();
            continue;
        }
        let stem = match name.rsplit_once('.') {
            Some((stem, number))
                if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                stem
            }
            _ => name,
        };
        match CLONES.iter().find_map(|suffix| stem.strip_suffix(suffix)) {
            Some(shorter) if !shorter.is_empty() => name = shorter,
            _ => return name,
        }
    }
}

/// Drops a symbol version or an import mark (`memcpy@@GLIBC_2.14`, `puts@plt`).
fn strip_version(name: &str) -> &str {
    let Some(at) = name.find('@') else {
        return name;
    };
    let version = name[at..].trim_start_matches('@');
    let is_version = version
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    if at > 0 && is_version {
        &name[..at]
    } else {
        name
    }
}

/// Drops inline namespaces of the standard library and `[abi:...]` tags.
fn plain_std(name: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(name);
    for namespace in [
        "std::__cxx11::",
        "std::__1::",
        "std::__ndk1::",
        "std::__2::",
    ] {
        text = replaced(text, namespace, "std::");
    }
    if !text.contains("[abi:") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for (at, _) in text.match_indices("[abi:") {
        let tag = text[at + 5..]
            .bytes()
            .take_while(|&byte| is_word(byte))
            .count();
        let end = at + 5 + tag;
        if at >= kept && text.as_bytes().get(end) == Some(&b']') {
            out.push_str(&text[kept..at]);
            kept = end + 1;
        }
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// Names lambdas, unnamed types and anonymous namespaces without their number. Lambdas of GCC
/// (`{lambda(int)#1}`), of Clang (`$_0`, `'lambda'(int)`) and of DWARF (`<lambda(int)>`) all
/// become `{lambda}`.
fn drop_ordinals(name: &str) -> String {
    let bytes = name.as_bytes();
    if !bytes
        .iter()
        .any(|byte| matches!(byte, b'{' | b'$' | b'\'' | b'`'))
        && !name.contains("(anonymous ")
        && !name.contains("<lambda")
    {
        return name.to_owned();
    }
    let pairs = Pairs::of(name, Dialect::Cpp);
    let close = |open: usize| pairs.at(open).map(|pair| pair.close);
    let mut out: Vec<u8> = Vec::with_capacity(name.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &name.as_bytes()[at..];
        let hit: Option<(&str, usize)> = match rest[0] {
            b'{' if rest.starts_with(b"{lambda") => close(at).map(|end| ("{lambda}", end + 1)),
            b'{' if rest.starts_with(b"{anonymous}") => Some(("{anon}", at + 11)),
            b'{' if rest.starts_with(b"{unnamed") => close(at).map(|end| ("{unnamed}", end + 1)),
            b'{' if rest.starts_with(b"{default arg#") => {
                close(at).map(|end| ("{default arg}", end + 1))
            }
            b'<' if rest.starts_with(b"<lambda(") => close(at + 7)
                .filter(|&end| bytes.get(end + 1) == Some(&b'>'))
                .map(|end| ("{lambda}", end + 2)),
            b'<' if rest.starts_with(b"<lambda>") => Some(("{lambda}", at + 8)),
            b'(' if rest.starts_with(b"(anonymous namespace)") => Some(("{anon}", at + 21)),
            b'(' if rest.starts_with(b"(anonymous class)") => Some(("{lambda}", at + 17)),
            b'`' if rest.starts_with(b"`anonymous namespace'") => Some(("{anon}", at + 21)),
            b'`' if rest.starts_with(b"`anonymous-namespace'") => Some(("{anon}", at + 21)),
            b'\'' if rest.starts_with(b"'lambda") => {
                let quote = at + 7 + digits(&rest[7..]);
                (bytes.get(quote) == Some(&b'\'')).then(|| {
                    let end = match bytes.get(quote + 1) {
                        Some(b'(') => close(quote + 1).map_or(quote + 1, |end| end + 1),
                        _ => quote + 1,
                    };
                    ("{lambda}", end)
                })
            }
            b'$' if rest.starts_with(b"$_") && digits(&rest[2..]) > 0 => {
                Some(("{lambda}", at + 2 + digits(&rest[2..])))
            }
            _ => None,
        };
        match hit {
            Some((text, end)) => {
                out.extend_from_slice(text.as_bytes());
                at = end;
            }
            None => {
                out.push(rest[0]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| name.to_owned())
}

fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// The qualified name alone: no arguments, no template arguments, no return type, no qualifiers;
/// and where in `name` it starts, behind the return type.
fn symbol(name: &str) -> (String, usize) {
    let bytes = name.as_bytes();
    let pairs = Pairs::of(name, Dialect::Cpp);
    if pairs
        .at(0)
        .is_some_and(|pair| pair.close + 1 == bytes.len())
    {
        // `(below main)`: all of it is the name.
        return (name.to_owned(), 0);
    }
    let mut out: Vec<u8> = Vec::with_capacity(name.len());
    // Where the qualified name starts in `out`: behind the return type.
    let (mut start, mut start_in) = (0, 0);
    let mut in_operator = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'o'
            && let Some(end) = operator_end(name, at)
        {
            out.extend_from_slice(&bytes[at..end]);
            in_operator = true;
            at = end;
            continue;
        }
        match byte {
            b'(' => match pairs.at(at) {
                Some(pair) => {
                    at = skip_qualifiers(name, pair.close + 1);
                }
                None => {
                    out.push(byte);
                    at += 1;
                }
            },
            b'<' => match pairs.at(at) {
                // A name may be nothing but `<...>`; template arguments follow something.
                Some(pair) if !out.is_empty() => {
                    if in_operator && out.ends_with(b" ") {
                        out.pop();
                    }
                    at = pair.close + 1;
                }
                _ => {
                    out.push(byte);
                    at += 1;
                }
            },
            b'{' => {
                // `{lambda(int)#1}`, `{default arg}`: one word.
                let end = pairs.at(at).map_or(at, |pair| pair.close) + 1;
                out.extend_from_slice(&bytes[at..end]);
                at = end;
            }
            b' ' => {
                out.push(byte);
                at += 1;
                if !in_operator && at < bytes.len() {
                    (start, start_in) = (out.len(), at);
                }
            }
            b':' if in_operator && out.last() != Some(&b':') && ends_in_sign(&out) => {
                // `operator()::...`: something is nested in the operator, such as a lambda.
                in_operator = false;
                out.push(byte);
                at += 1;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    let sym = String::from_utf8(out).unwrap_or_default();
    let sym = sym
        .get(start..)
        .unwrap_or_default()
        .trim_matches([' ', '*', '&']);
    if sym.is_empty() {
        (name.to_owned(), 0)
    } else {
        (sym.to_owned(), start_in)
    }
}

fn ends_in_sign(out: &[u8]) -> bool {
    out.last().is_some_and(|&byte| !is_word(byte))
}

/// Skips `const`, `&&` and their like behind an argument list, if they end the name or a scope.
fn skip_qualifiers(name: &str, from: usize) -> usize {
    let mut rest = &name[from..];
    loop {
        let shorter = rest.trim_start_matches(' ');
        let next = ["const", "volatile", "noexcept", "&&", "&"]
            .iter()
            .find_map(|word| {
                let tail = shorter.strip_prefix(word)?;
                let whole = word.starts_with('&') || !tail.bytes().next().is_some_and(is_word);
                whole.then_some(tail)
            });
        match next {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    if rest.is_empty() || rest.starts_with("::") {
        name.len() - rest.len()
    } else {
        from
    }
}

/// The last component; a conversion operator keeps the type it converts to.
fn base(sym: &str) -> &str {
    // What is nested in an operator, such as a lambda, comes behind it.
    let nested = sym.rfind("}::").unwrap_or(0);
    let operator = sym
        .match_indices("operator")
        .map(|(at, _)| at)
        .find(|&at| operator_end(sym, at).is_some_and(|end| end >= nested && is_tail(sym, end)));
    let from = operator.unwrap_or_else(|| sym.rfind("::").map_or(0, |at| at + 2));
    if from < sym.len() { &sym[from..] } else { sym }
}

/// Whether an operator that ends at `end` is the last component: a sign ends the name, a word
/// (`operator new`, `operator std::string`) takes the rest of it.
fn is_tail(sym: &str, end: usize) -> bool {
    sym.len() == end || sym[end..].starts_with(' ') || sym[end..].starts_with('[')
}
