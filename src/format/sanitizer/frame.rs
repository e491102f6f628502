//! Frames as the sanitizers print them.

use super::super::lines::{find, hexadecimal};
use super::super::native;
use crate::model::{CodePlace, Counted, Frame, StrId, Symbols};

/// `#N 0xADDR in FUNC FILE[:LINE[:COL]]`, `#N 0xADDR in FUNC (MODULE+0xOFF) [(BuildId: hex)]` or
/// `#N 0xADDR  (MODULE+0xOFF) [(BuildId: hex)]`, with any text of a runner before it.
pub(super) fn parse(text: &[u8], symbols: &mut Symbols) -> Option<(u64, Frame)> {
    let hash = find(text, b"#")?;
    let digits = text[hash + 1..].iter().take_while(|b| b.is_ascii_digit());
    let digits = digits.count();
    if digits == 0 {
        return None;
    }
    let rest = text[hash + 1 + digits..].strip_prefix(b" 0x")?;
    let (address, rest) = hexadecimal(rest)?;
    let (rest, module) = module_and_offset(rest.trim_ascii_end());
    let rest = rest.trim_ascii();
    let named = rest.strip_prefix(b"in ").unwrap_or(rest);
    let mut frame = Frame::named(StrId::EMPTY);
    let name = match module {
        Some(module) => {
            frame.module = symbols.strings.intern_bytes(module.path);
            if matches!(named, b"" | b"<null>" | b"??") {
                let place = CodePlace {
                    module: frame.module,
                    build: symbols.strings.intern_bytes(module.build),
                    counted: Counted::Image,
                    offset: module.offset,
                };
                return Some((address, native::at_offset(symbols, place)));
            }
            named
        }
        None => {
            let (name, place) = name_and_place(named);
            if let Some(place) = place {
                frame.file = symbols.strings.intern_bytes(place.file);
                (frame.line, frame.column) = (place.line, place.column);
            }
            name
        }
    };
    // Of generated code, or what unwinding without frame pointers took for a return address.
    if matches!(name, b"" | b"<null>" | b"(<unknown module>)") {
        return Some((address, native::in_page(symbols, frame.module, address)));
    }
    frame.function = symbols.strings.intern_bytes(name);
    Some((address, frame))
}

/// `(MODULE+0xOFF) (BuildId: hex)`.
struct ModulePlace<'a> {
    path: &'a [u8],
    build: &'a [u8],
    offset: u64,
}

/// `... (MODULE+0xOFF) (BuildId: hex)` taken apart.
fn module_and_offset(text: &[u8]) -> (&[u8], Option<ModulePlace<'_>>) {
    const BUILD: &[u8] = b"(BuildId: ";
    let (mut rest, mut build) = (text, &b""[..]);
    if let Some(inner) = rest.strip_suffix(b")")
        && let Some(n) = memchr::memmem::rfind(inner, BUILD)
    {
        build = &inner[n + BUILD.len()..];
        rest = rest[..n].trim_ascii_end();
    }
    let inside = rest
        .strip_suffix(b")")
        .and_then(|t| Some((t, memchr::memmem::rfind(t, b"+0x")?)));
    let Some((inner, plus)) = inside else {
        return (text, None);
    };
    let offset = match hexadecimal(&inner[plus + 1..]) {
        Some((offset, b"")) => offset,
        _ => return (text, None),
    };
    // The path may hold parentheses: the one after a blank opens the pair.
    let Some(open) =
        find(&inner[..plus], b" (/").or_else(|| memchr::memmem::rfind(&inner[..plus], b" ("))
    else {
        return (text, None);
    };
    let place = ModulePlace {
        path: &inner[open + 2..plus],
        build,
        offset,
    };
    (&rest[..open], Some(place))
}

struct FilePlace<'a> {
    file: &'a [u8],
    line: u32,
    column: u32,
}

/// `FUNC FILE:LINE:COL` taken apart. Both may hold blanks: a place begins at the first ` /` if it
/// ends in a line number, else at the last blank.
fn name_and_place(text: &[u8]) -> (&[u8], Option<FilePlace<'_>>) {
    let (file_end, first) = number_at_end(text);
    let (file_end, line, column) = match (first, number_at_end(&text[..file_end])) {
        (Some(column), (end, Some(line))) => (end, line, column),
        (Some(line), _) => (file_end, line, 0),
        (None, _) => (text.len(), 0, 0),
    };
    let head = &text[..file_end];
    let absolute = find(head, b" /").filter(|_| line > 0);
    let Some(blank) = absolute.or_else(|| memchr::memrchr(b' ', head)) else {
        return (text, None);
    };
    let file = &head[blank + 1..];
    let is_file = line > 0 || file.contains(&b'/') || file.contains(&b'\\');
    if !is_file || file.is_empty() {
        return (text, None);
    }
    let place = FilePlace { file, line, column };
    (&text[..blank], Some(place))
}

/// The number after the last `:` and where that colon is.
fn number_at_end(text: &[u8]) -> (usize, Option<u32>) {
    let number = memchr::memrchr(b':', text).and_then(|n| {
        let digits = std::str::from_utf8(&text[n + 1..]).ok()?;
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(|v| (n, v))).flatten()
    });
    number.map_or((text.len(), None), |(n, v)| (n, Some(v)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_frame() {
        let mut s = Symbols::default();
        let mut show = |text: &str| {
            let (_, f) = parse(text.as_bytes(), &mut s)?;
            let t = |id| s.strings.get(id);
            Some(format!(
                "{}|{}|{}:{}|{}",
                t(f.function),
                t(f.file),
                f.line,
                f.column,
                t(f.module)
            ))
        };
        for (text, expected) in [
            (
                "    #0 0x7fb4 in operator new(unsigned long) ../../src/asan_new.cpp:95",
                "operator new(unsigned long)|../../src/asan_new.cpp|95:0|",
            ),
            (
                "#1 0x55 in mkn(int) /src/my leak.cpp:5:12",
                "mkn(int)|/src/my leak.cpp|5:12|",
            ),
            ("12:00 | #2 0x55 in main leak.c:7", "main|leak.c|7:0|"),
            (
                "#0 0x7f  (/lib/x86/libasan.so.8+0xb94c8)",
                "libasan.so.8+0xb94c8||0:0|/lib/x86/libasan.so.8",
            ),
            (
                "#0 0x7f in malloc (/lib/libasan.so.8+0xb94c8) (BuildId: abcd)",
                "malloc||0:0|/lib/libasan.so.8",
            ),
            (
                "#3 0x7f in f<a (b)>() (a.out+0x12)",
                "f<a (b)>()||0:0|a.out",
            ),
            (
                "#4 0x7f in __libc_start_main ../csu/libc-start.c",
                "__libc_start_main|../csu/libc-start.c|0:0|",
            ),
            ("#5 0x7f in _start", "_start||0:0|"),
            ("#5 0x7abc in <null>", "0x*abc||0:0|"),
            ("#2 0x7274733bffffffff  (<unknown module>)", "0x*fff||0:0|"),
        ] {
            assert_eq!(show(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(show("# 0x7f in x"), None);
        assert_eq!(show("issue #5 is open"), None);
    }
}
