//! Rust names: legacy and v0 mangling, and the short names of reduced debug info, brought to one
//! spelling.

use super::brackets::{Dialect, MAX_STRUCTURED, Pairs, is_word, last_component};
use super::names::{Names, shorten};

/// The spellings of one demangled Rust name. Linear in its length.
pub(super) fn names(raw: &str) -> Names {
    let clean = strip_hash(raw);
    let plain = strip_disambiguators(clean);
    let deord = drop_ordinals(&plain);
    let sym = if deord.len() > MAX_STRUCTURED {
        deord.clone()
    } else {
        symbol(&deord)
    };
    let base = base(&sym).to_owned();
    Names {
        display: shorten(&plain, Dialect::Rust),
        deord,
        sym,
        base,
    }
}

/// Drops the crate hash of legacy mangling and the suffix of thin LTO at the end of a name.
fn strip_hash(raw: &str) -> &str {
    let mut name = raw;
    if let Some(at) = name.rfind(".llvm.")
        && name[at + 6..].bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        name = &name[..at];
    }
    if let Some(at) = name.rfind("::h") {
        let hash = &name[at + 3..];
        if (16..=17).contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            name = &name[..at];
        }
    }
    name
}

/// Drops `[4b1f9c2a7d3e5f60]` behind a crate name.
fn strip_disambiguators(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = String::with_capacity(name.len());
    let mut kept = 0;
    for (at, _) in name.match_indices('[') {
        if at < kept || at == 0 || !is_word(bytes[at - 1]) {
            continue;
        }
        let digits = bytes[at + 1..]
            .iter()
            .take(17)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let end = at + 1 + digits;
        if (1..=16).contains(&digits) && bytes.get(end) == Some(&b']') {
            out.push_str(&name[kept..at]);
            kept = end + 1;
        }
    }
    out.push_str(&name[kept..]);
    out
}

/// Brings `{closure#3}`, `{{closure}}`, `{async_fn#0}` and their like to a name without a number:
/// the number is the position among its siblings and names another closure in the next build.
fn drop_ordinals(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = String::with_capacity(name.len());
    let mut kept = 0;
    for (at, _) in name.match_indices('{') {
        if at < kept {
            continue;
        }
        let doubled = bytes.get(at + 1) == Some(&b'{');
        let start = at + 1 + usize::from(doubled);
        let length = bytes[start..]
            .iter()
            .take(64)
            .take_while(|&&byte| is_word(byte) || matches!(byte, b'#' | b':' | b'.' | b'-' | b' '))
            .count();
        let end = start + length;
        let closed =
            bytes.get(end) == Some(&b'}') && (!doubled || bytes.get(end + 1) == Some(&b'}'));
        let Some(inner) = name
            .get(start..end)
            .filter(|inner| closed && !inner.is_empty())
        else {
            continue;
        };
        let (word, _) = inner.split_once('#').unwrap_or((inner, ""));
        out.push_str(&name[kept..at]);
        kept = end + 1 + usize::from(doubled);
        let word = match word {
            "closure" | "closure_env" | "async_fn" | "async_fn_env" | "async_block"
            | "async_block_env" | "async_closure" | "async_closure_env" | "coroutine"
            | "coroutine_env" | "gen_block" | "async_gen_block" => "closure",
            "K" | "constant" | "const" => "constant",
            "shim:vtable" | "vtable.shim" | "shim:fn_ptr" | "shim:reify" | "reify.shim" => {
                // The shim is the function itself, called through a pointer.
                let kept_length = out.trim_end_matches("::").len();
                out.truncate(kept_length);
                continue;
            }
            other => other,
        };
        out.push('{');
        out.push_str(word);
        out.push('}');
    }
    out.push_str(&name[kept..]);
    out
}

/// A piece of work of [`symbol`]: the stack that stands in for recursion.
enum Work {
    Text(&'static str),
    Span {
        from: usize,
        to: usize,
        path: Option<usize>,
    },
}

/// The path without generic arguments: `<T>::m` and `path::<impl T>::m` become `T::m`, the trait
/// of `<T as Trait>::m` and the self type stay, and slices and arrays become `[]`.
fn symbol(name: &str) -> String {
    let bytes = name.as_bytes();
    let pairs = Pairs::of(name, Dialect::Rust);
    let mut out: Vec<u8> = Vec::with_capacity(name.len());
    let mut work = vec![Work::Span {
        from: 0,
        to: name.len(),
        path: None,
    }];
    while let Some(next) = work.pop() {
        let (mut at, to, path) = match next {
            Work::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                continue;
            }
            Work::Span { from, to, path } => (from, to, path),
        };
        // Where the path under construction starts in `out`.
        let mut start = path.unwrap_or(out.len());
        while at < to {
            let byte = bytes[at];
            match byte {
                b'<' => {
                    let Some(pair) = pairs.at(at).filter(|pair| pair.close < to) else {
                        out.push(byte);
                        at += 1;
                        continue;
                    };
                    let (inner, close) = (pair.open + 1, pair.close);
                    let is_impl = bytes[inner..close].starts_with(b"impl ");
                    let at_start = out.len() <= start;
                    if is_impl && (at_start || out.ends_with(b"::")) {
                        out.truncate(start);
                        work.push(Work::Span {
                            from: close + 1,
                            to,
                            path: Some(start),
                        });
                        let subject = inner + 5;
                        match pair.for_at.filter(|&at| at >= subject) {
                            Some(for_at) => {
                                out.push(b'<');
                                work.push(Work::Text(">"));
                                work.push(Work::Span {
                                    from: subject,
                                    to: for_at,
                                    path: None,
                                });
                                work.push(Work::Text(" as "));
                                work.push(Work::Span {
                                    from: for_at + 5,
                                    to: close,
                                    path: None,
                                });
                            }
                            None => work.push(Work::Span {
                                from: subject,
                                to: close,
                                path: None,
                            }),
                        }
                        break;
                    }
                    if !at_start {
                        // Generic arguments, with or without the `::` of a turbofish.
                        if out.ends_with(b"::") {
                            out.truncate(out.len() - 2);
                        }
                        at = close + 1;
                        continue;
                    }
                    work.push(Work::Span {
                        from: close + 1,
                        to,
                        path: Some(start),
                    });
                    match pair.as_at.filter(|&at| at >= inner) {
                        Some(as_at) => {
                            out.push(b'<');
                            work.push(Work::Text(">"));
                            work.push(Work::Span {
                                from: as_at + 4,
                                to: close,
                                path: None,
                            });
                            work.push(Work::Text(" as "));
                            work.push(Work::Span {
                                from: inner,
                                to: as_at,
                                path: None,
                            });
                        }
                        None => work.push(Work::Span {
                            from: inner,
                            to: close,
                            path: None,
                        }),
                    }
                    break;
                }
                b'[' => match pairs.at(at).filter(|pair| pair.close < to) {
                    Some(pair) => {
                        out.extend_from_slice(b"[]");
                        at = pair.close + 1;
                    }
                    None => {
                        out.push(byte);
                        at += 1;
                    }
                },
                b'-' if bytes.get(at + 1) == Some(&b'>') && at + 1 < to => {
                    out.extend_from_slice(b"->");
                    at += 2;
                    start = out.len();
                }
                b' ' | b',' | b'&' | b'(' | b'*' | b';' | b'+' | b'=' => {
                    out.push(byte);
                    at += 1;
                    start = out.len();
                }
                _ => {
                    out.push(byte);
                    at += 1;
                }
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| name.to_owned())
}

/// The last component; closures are named by the function around them.
fn base(sym: &str) -> &str {
    let mut end = sym.len();
    while sym[..end].ends_with('}')
        && let Some(open) = sym[..end].rfind('{')
        && sym[..open].ends_with("::")
    {
        end = open - 2;
    }
    let from = last_component(&sym[..end]);
    &sym[from..]
}

/// A name cut before its first generic argument or impl, which is enough to see its crate.
pub(super) fn home(function: &str) -> &str {
    if function.starts_with('<') {
        return function;
    }
    &function[..function.find('<').unwrap_or(function.len())]
}
