//! Frames of native code: names of unsymbolised addresses, and frames as Valgrind prints them.

use super::lines::{base_name, hexadecimal};
use crate::model::{CodePlace, Frame, FrameId, StackId, StrId, Symbols};

/// A frame of which the module and the offset in it are known: `libfoo.so+0x1a2b`. Its place is
/// noted, so that it can be looked up.
pub(crate) fn at_offset(symbols: &mut Symbols, place: CodePlace) -> Frame {
    let CodePlace { module, offset, .. } = place;
    let base = base_name(symbols.strings.get(module));
    let name = format!("{base}+0x{offset:x}");
    let frame = Frame {
        module,
        ..Frame::named(symbols.strings.intern(&name))
    };
    if !module.is_empty() {
        let id = symbols.frames.intern(frame);
        symbols.nameless.note(id, place);
    }
    frame
}

/// A frame of which nothing but the address is known.
pub(crate) fn at_address(symbols: &mut Symbols, address: u64) -> Frame {
    Frame::named(symbols.strings.intern(&format!("0x{address:x}")))
}

/// A frame of which the module and the absolute address are known, but not where the module was
/// loaded: `libfoo.so+0x*a2b`. Modules start at pages, so that the low twelve bits of an address
/// stay the same from run to run; they tell most code of one module apart.
pub(crate) fn in_page(symbols: &mut Symbols, module: StrId, address: u64) -> Frame {
    let page = address & 0xfff;
    let name = match base_name(symbols.strings.get(module)) {
        "" => format!("0x*{page:03x}"),
        base => format!("{base}+0x*{page:03x}"),
    };
    Frame {
        module,
        ..Frame::named(symbols.strings.intern(&name))
    }
}

/// A frame as Valgrind prints it, without its address: `main (a.c:13)`, `f() (in /usr/lib/x.so)`,
/// `??? (in /usr/lib/x.so)`, `???`.
pub(crate) fn valgrind(symbols: &mut Symbols, address: u64, text: &[u8]) -> Frame {
    let split = text
        .strip_suffix(b")")
        .and_then(|t| Some((t, memchr::memmem::rfind(t, b" (")?)));
    let (function, place) = match split {
        Some((t, n)) => (&t[..n], &t[n + 2..]),
        None => (text, &b""[..]),
    };
    let mut frame = Frame::named(StrId::EMPTY);
    let mut name = function;
    if let Some(object) = place.strip_prefix(b"in ") {
        frame.module = symbols.strings.intern_bytes(object);
    } else if let Some((file, line)) = file_and_line(place) {
        frame.file = symbols.strings.intern_bytes(file);
        frame.line = line;
    } else {
        // Parentheses of a name without a place: `operator() (int)`.
        name = text;
    }
    if name == b"???" && !frame.module.is_empty() {
        frame = in_page(symbols, frame.module, address);
    } else {
        frame.function = symbols.strings.intern_bytes(name);
    }
    frame
}

/// Whether `frame` was expanded into its caller: both stand for one address. Recursion repeats
/// an address as well, with the same function.
pub(crate) fn is_inlined(frame: (u64, &Frame), caller: (u64, &Frame)) -> bool {
    frame.0 != 0 && frame.0 == caller.0 && frame.1.function != caller.1.function
}

/// The stack of frames with their addresses, innermost first; leaves `frames` empty.
pub(crate) fn stack(
    symbols: &mut Symbols,
    frames: &mut Vec<(u64, Frame)>,
    scratch: &mut Vec<FrameId>,
) -> StackId {
    scratch.clear();
    for (i, (address, frame)) in frames.iter().enumerate() {
        let caller = frames.get(i + 1);
        let inlined = caller.is_some_and(|c| is_inlined((*address, frame), (c.0, &c.1)));
        scratch.push(symbols.frames.intern(Frame { inlined, ..*frame }));
    }
    frames.clear();
    symbols.stacks.intern_leaf_first(scratch)
}

/// `a.c:13` taken apart.
fn file_and_line(place: &[u8]) -> Option<(&[u8], u32)> {
    let colon = memchr::memrchr(b':', place)?;
    let digits = std::str::from_utf8(&place[colon + 1..]).ok()?;
    Some((&place[..colon], digits.parse().ok()?))
}

/// `0xADDRESS: REST` taken apart.
pub(crate) fn address_and_rest(text: &[u8]) -> Option<(u64, &[u8])> {
    if !text.starts_with(b"0x") {
        return None;
    }
    let (address, rest) = hexadecimal(text)?;
    Some((address, rest.strip_prefix(b": ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_as_valgrind_prints_them() {
        let mut s = Symbols::default();
        let mut show = |text: &[u8]| {
            let f = valgrind(&mut s, 0x48417b4, text);
            let t = |id| s.strings.get(id);
            format!("{}|{}|{}|{}", t(f.function), t(f.file), f.line, t(f.module))
        };
        assert_eq!(show(b"main (a.c:13)"), "main|a.c|13|");
        assert_eq!(show(b"f(int, g()) (x y.c:1)"), "f(int, g())|x y.c|1|");
        assert_eq!(
            show(b"??? (in /usr/lib/x.so)"),
            "x.so+0x*7b4||0|/usr/lib/x.so"
        );
        assert_eq!(
            show(b"malloc (in /usr/lib/x.so)"),
            "malloc||0|/usr/lib/x.so"
        );
        assert_eq!(show(b"???"), "???||0|");
        assert_eq!(show(b"std::f() (.part.0)"), "std::f() (.part.0)||0|");
    }
}
