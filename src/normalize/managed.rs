//! Names of languages with a runtime: Java, JavaScript, Python and Ruby.

use super::brackets::is_word;
use super::names::Names;

/// Java: lambdas, proxies and hidden classes without the number and the address of one process;
/// `/` and `.` are one separator. Linear in the name's length.
pub(super) fn java(raw: &str) -> Names {
    let bytes = raw.as_bytes();
    let mut sym: Vec<u8> = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest[0] {
            b'$' if rest.starts_with(b"$$Lambda") => {
                sym.extend_from_slice(b"$$Lambda");
                at += 8;
                at += numbered(&bytes[at..]);
            }
            b'$' if rest.starts_with(b"$Proxy") && digits(&rest[6..]) > 0 => {
                // `jdk.proxy2.$Proxy14`: the package is numbered too.
                let package = sym.strip_suffix(b".").map_or(0, |head| {
                    let number = head
                        .iter()
                        .rev()
                        .take_while(|byte| byte.is_ascii_digit())
                        .count();
                    let stem = &head[..head.len() - number];
                    if number > 0 && (stem.ends_with(b".proxy") || stem == b"proxy") {
                        number
                    } else {
                        0
                    }
                });
                if package > 0 {
                    sym.truncate(sym.len() - package - 1);
                    sym.push(b'.');
                }
                sym.extend_from_slice(b"$Proxy");
                at += 6 + digits(&rest[6..]);
            }
            b'l' if rest.starts_with(b"lambda$") && (at == 0 || !is_word(bytes[at - 1])) => {
                // The method behind a lambda: `lambda$name$3`.
                let word = rest.iter().take_while(|&&byte| is_word(byte)).count();
                let number = rest[..word]
                    .iter()
                    .rev()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let stem = &rest[..word - number];
                match stem.strip_suffix(b"$") {
                    Some(stem) if number > 0 && stem.len() > 6 => sym.extend_from_slice(stem),
                    _ => sym.extend_from_slice(&rest[..word]),
                }
                at += word;
            }
            b'+' | b'/' | b'.' if address(&rest[1..]) > 0 => at += 1 + address(&rest[1..]),
            b'/' => {
                sym.push(b'.');
                at += 1;
            }
            byte => {
                if let Some(length) = accessor(&sym, rest) {
                    at += length;
                } else {
                    sym.push(byte);
                    at += 1;
                }
            }
        }
    }
    let sym = String::from_utf8(sym).unwrap_or_else(|_| raw.to_owned());
    let base = sym
        .rfind('.')
        .map(|at| &sym[at + 1..])
        .filter(|base| !base.is_empty())
        .unwrap_or(&sym)
        .to_owned();
    Names {
        display: raw.to_owned(),
        deord: sym.clone(),
        sym,
        base,
    }
}

/// Length of `$4` and an address behind `$$Lambda`.
fn numbered(rest: &[u8]) -> usize {
    let mut length = 0;
    if rest.first() == Some(&b'$') && digits(&rest[1..]) > 0 {
        length = 1 + digits(&rest[1..]);
    }
    if rest
        .get(length)
        .is_some_and(|byte| matches!(byte, b'+' | b'/' | b'.'))
    {
        let address = address(&rest[length + 1..]);
        if address > 0 {
            length += 1 + address;
        }
    }
    length
}

/// Length of `0x` and hexadecimal digits at the start.
fn address(rest: &[u8]) -> usize {
    match rest.strip_prefix(b"0x") {
        Some(hex) => match hex
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count()
        {
            0 => 0,
            length => length + 2,
        },
        None => 0,
    }
}

/// Length of the number of a generated reflection class, if `rest` starts with it.
fn accessor(before: &[u8], rest: &[u8]) -> Option<usize> {
    let count = digits(rest);
    let generated = [
        "GeneratedMethodAccessor",
        "GeneratedConstructorAccessor",
        "GeneratedSerializationConstructorAccessor",
    ];
    (count > 0
        && generated
            .iter()
            .any(|name| before.ends_with(name.as_bytes())))
    .then_some(count)
}

fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// JavaScript: an object id behind the name (`Foo @123`) goes, `get x` and `set x` stay.
/// An unnamed function is `(anonymous)`.
pub(super) fn javascript(raw: &str) -> Names {
    let mut name = raw;
    if let Some((function, id)) = name.rsplit_once('@')
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_digit())
        && !function.trim_end().is_empty()
    {
        name = function.trim_end();
    }
    if matches!(
        name,
        "" | "(anonymous)" | "<anonymous>" | "anonymous" | "(anonymous function)"
    ) {
        name = "(anonymous)";
    }
    // The class of a method is known at some call sites only; `get x` is one word.
    let base = match name.rsplit_once('.') {
        Some((_, base)) if !base.is_empty() && !name.starts_with('(') => base,
        _ => name,
    };
    Names {
        base: base.to_owned(),
        ..Names::verbatim(name)
    }
}

/// Python: the name as it is; the base is the last part of a qualified name.
pub(super) fn python(raw: &str) -> Names {
    let base = match raw.rsplit_once('.') {
        Some((_, base)) if !base.is_empty() => base,
        _ => raw,
    };
    Names {
        base: base.to_owned(),
        ..Names::verbatim(raw)
    }
}

/// Whether newer Pythons no longer have this frame: comprehensions are inlined since 3.12.
pub(super) fn python_elided(function: &str) -> bool {
    let base = function.rsplit('.').next().unwrap_or(function);
    matches!(base, "<listcomp>" | "<setcomp>" | "<dictcomp>")
}

/// Ruby: `Foo#bar`, `block in Foo#bar`; the base is the method.
pub(super) fn ruby(raw: &str) -> Names {
    let head = raw.rfind(" in ").map_or(0, |at| at + 4);
    let base = raw[head..]
        .rfind(['#', '.', ':'])
        .map(|at| &raw[head + at + 1..])
        .filter(|base| !base.is_empty())
        .unwrap_or(&raw[head..]);
    Names {
        base: base.to_owned(),
        ..Names::verbatim(raw)
    }
}
