//! From the text of a frame to an interned frame, once for each distinct text.

use crate::model::{Frame, FrameId, StrId, Symbols};
use hashbrown::HashTable;

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
const SEMICOLONS: u64 = 0x3b3b_3b3b_3b3b_3b3b;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Frames by their text as it stands in the file, numbered in order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: Vec<u8>,
    rows: Vec<Row>,
    table: HashTable<u32>,
    before: Position,
    /// The frame of the last root plus one.
    root: u32,
    /// Rises with guesses that hold and falls with those that do not.
    luck: i32,
    calls: u32,
}

/// Below this luck guesses are made now and then only: where any function calls any other, each
/// costs two looks into cold memory.
const UNLUCKY: i32 = -64;
const LUCKY: i32 = 64;
/// How often luck is tried while there is none.
const TRY_EVERY: u32 = 32;

/// A place in a stack, for [`Names::continue_at`]: the frame before it plus one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position(u32);

#[derive(Debug, Clone, Copy)]
struct Row {
    hash: u64,
    start: usize,
    len: u32,
    /// The frame that followed this one the last time, plus one.
    next: u32,
}

/// The length of the frame at the start of `stack`, up to a semicolon or the end, and its hash,
/// found in one pass of eight bytes a step.
#[inline]
fn measure(stack: &[u8]) -> (usize, u64) {
    let mut hash = 0u64;
    let mut at = 0;
    while let Some(eight) = stack.get(at..at + 8) {
        let word = eight.iter().rev().fold(0, |w, &b| w << 8 | b as u64);
        let x = word ^ SEMICOLONS;
        let found = x.wrapping_sub(ONES) & !x & HIGHS;
        if found != 0 {
            let n = found.trailing_zeros() / 8;
            let kept = word & ((1u64 << (8 * n)) - 1);
            return (at + n as usize, mix(hash, kept, n));
        }
        hash = (hash.rotate_left(23) ^ word).wrapping_mul(MIX);
        at += 8;
    }
    let rest = stack.get(at..).unwrap_or(&[]);
    let n = rest.iter().position(|&b| b == b';').unwrap_or(rest.len());
    let kept = rest[..n].iter().rev().fold(0, |w, &b| w << 8 | b as u64);
    (at + n, mix(hash, kept, n as u32))
}

/// Whether two names are equal; they are short, and mostly equal, since their hashes are.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    a.iter().zip(b).all(|(x, y)| x == y) && rest_a.iter().zip(rest_b).all(|(x, y)| x == y)
}

#[inline]
fn mix(hash: u64, rest: u64, len: u32) -> u64 {
    let h = (hash.rotate_left(23) ^ rest ^ (len as u64) << 59).wrapping_mul(MIX);
    (h ^ h >> 29).wrapping_mul(MIX)
}

impl Names {
    /// The next call continues a stack after the frame that a [`Position`] stands for.
    pub fn continue_at(&mut self, position: Position) {
        self.before = position;
    }

    /// Where the last call ended.
    pub fn position(&self) -> Position {
        self.before
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The text of a frame.
    pub fn text(&self, row: usize) -> &[u8] {
        let text = self
            .rows
            .get(row)
            .and_then(|r| self.text.get(r.start..r.start + r.len as usize));
        text.unwrap_or(&[])
    }

    /// The frame that most likely comes next, if the text bears it out: most functions call the
    /// same function as the last time, and comparing is cheaper than hashing.
    #[inline]
    fn guess(&self, stack: &[u8]) -> Option<u32> {
        let next = match self.before.0.checked_sub(1) {
            Some(row) => self.rows.get(row as usize)?.next,
            None => self.root,
        };
        let row = next.checked_sub(1)?;
        let rest = stack.strip_prefix(self.text(row as usize))?;
        matches!(rest.first(), None | Some(b';')).then_some(row)
    }

    /// The frame at the start of `stack` and the length of its text; none for an empty frame,
    /// which no frame is made of.
    #[inline]
    pub fn first(&mut self, stack: &[u8]) -> (usize, Option<u32>) {
        self.calls = self.calls.wrapping_add(1);
        if self.luck > UNLUCKY || self.calls.is_multiple_of(TRY_EVERY) {
            if let Some(row) = self.guess(stack) {
                self.luck = (self.luck + 2).min(LUCKY);
                self.before = Position(row + 1);
                return (self.rows[row as usize].len as usize, Some(row));
            }
            self.luck = (self.luck - 1).max(UNLUCKY);
        }
        let (len, hash) = measure(stack);
        let name = &stack[..len];
        if name.trim_ascii().is_empty() {
            return (len, None);
        }
        let known = self.table.find(hash ^ hash >> 32, |&i| {
            self.rows[i as usize].hash == hash && same(self.text(i as usize), name)
        });
        let row = match known {
            Some(&row) => row,
            None => self.add(name, hash),
        };
        match self.before.0.checked_sub(1) {
            Some(before) => self.rows[before as usize].next = row + 1,
            None => self.root = row + 1,
        }
        self.before = Position(row + 1);
        (len, Some(row))
    }

    #[cold]
    fn add(&mut self, name: &[u8], hash: u64) -> u32 {
        let row = self.rows.len() as u32;
        self.rows.push(Row {
            hash,
            start: self.text.len(),
            len: name.len() as u32,
            next: 0,
        });
        self.text.extend_from_slice(name);
        let rows = &self.rows;
        self.table.insert_unique(hash ^ hash >> 32, row, |&i| {
            let hash = rows[i as usize].hash;
            hash ^ hash >> 32
        });
        row
    }
}

/// The frame that the text of a frame stands for; what is no UTF-8 is replaced.
pub(super) fn intern(text: &[u8], symbols: &mut Symbols) -> FrameId {
    let frame = frame(&String::from_utf8_lossy(text.trim_ascii()), symbols);
    symbols.frames.intern(frame)
}

/// `name` without the mark that profilers put behind it: `_[k]` kernel, `_[j]` compiled,
/// `_[i]` inlined, `_[0]` interpreted and so on.
fn without_mark(name: &str) -> &str {
    let bytes = name.as_bytes();
    match bytes {
        [head @ .., b'_', b'[', mark, b']'] if mark.is_ascii_alphanumeric() && !head.is_empty() => {
            &name[..head.len()]
        }
        _ => name,
    }
}

fn is_address(name: &str) -> bool {
    name.strip_prefix("0x")
        .is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Endings of source files that are surely meant as such in parentheses behind a name.
const SOURCES: &[&str] = &[
    "c", "cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "m", "mm", "rs", "go", "py", "pyx",
    "js", "mjs", "cjs", "ts", "tsx", "jsx", "java", "kt", "scala", "rb", "cs", "swift", "d", "zig",
    "S", "s", "php", "pl", "lua",
];

/// `load (x.c)`, `load (dir/x.py:12)`, `load (libc.so.6)`, `load (in /lib/libc.so.6)`: name, file, line, and whether the file
/// is an object file. Names keep their parentheses where it is not certain.
fn place(name: &str) -> Option<(&str, &str, u32, bool)> {
    let (function, inner) = name.strip_suffix(')')?.rsplit_once(" (")?;
    if function.is_empty() || inner.contains(['(', ')', '<', '>', ',', '*', '&', '"']) {
        return None;
    }
    let inner = inner.strip_prefix("in ").unwrap_or(inner);
    let (file, line) = match inner.rsplit_once(':') {
        Some((file, line)) => (file, line.parse().ok().filter(|&l| l > 0)?),
        None => (inner, 0),
    };
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let (stem, ending) = base.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    if SOURCES.contains(&ending) {
        Some((function, file, line, false))
    } else if line == 0 && (ending == "so" || base.contains(".so.")) {
        Some((function, file, 0, true))
    } else {
        None
    }
}

/// What stands for every address.
const ADDRESS: &str = "0x...";

/// The frame that a text stands for. An address without a name is `0x...`: it changes with every
/// start of the program.
fn frame(text: &str, symbols: &mut Symbols) -> Frame {
    let name = without_mark(text);
    if is_address(name) {
        return Frame::named(symbols.strings.intern(ADDRESS));
    }
    let Some((function, file, line, object)) = place(name) else {
        return Frame::named(symbols.strings.intern(name));
    };
    let function = if is_address(function) {
        ADDRESS
    } else {
        function
    };
    let function = symbols.strings.intern(function);
    let file = symbols.strings.intern(file);
    let (file, module) = if object {
        (StrId::EMPTY, file)
    } else {
        (file, StrId::EMPTY)
    };
    Frame {
        file,
        module,
        line,
        ..Frame::named(function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_end_at_semicolons_wherever_they_stand() {
        for n in 0..40 {
            let mut stack = vec![b'a'; n];
            assert_eq!(measure(&stack).0, n);
            let alone = measure(&stack);
            stack.push(b';');
            for m in 0..20 {
                assert_eq!(measure(&stack), alone, "{n} {m}");
                stack.push(if m % 3 == 0 { b';' } else { b'x' });
            }
        }
        assert_ne!(measure(b"a"), measure(b"a\0"));
        assert_eq!(measure(b"\xba\xbb\x3a\x3c\xbb\xbb\xbb\xbb\xbb;").0, 9);
    }

    #[test]
    fn marks_files_and_addresses() {
        let read = |text: &str| {
            let mut s = Symbols::default();
            let f = frame(text, &mut s);
            let name = |id| s.strings.get(id).to_owned();
            (name(f.function), name(f.file), name(f.module), f.line)
        };
        let plain = |text: &str| (text.to_owned(), String::new(), String::new(), 0);
        assert_eq!(read("do_brk_[k]"), plain("do_brk"));
        assert_eq!(read("byte[]_[i]"), plain("byte[]"));
        assert_eq!(read("byte[]"), plain("byte[]"));
        assert_eq!(read("_[k]"), plain("_[k]"));
        assert_eq!(read("0x7f12ab"), plain("0x..."));
        assert_eq!(read("0xyz"), plain("0xyz"));
        assert_eq!(
            read("load (x.c)"),
            ("load".into(), "x.c".into(), "".into(), 0)
        );
        assert_eq!(
            read("0x7f12ab (rtld.c)"),
            ("0x...".into(), "rtld.c".into(), "".into(), 0)
        );
        assert_eq!(
            read("<module> (app/main.py:12)"),
            ("<module>".into(), "app/main.py".into(), "".into(), 12)
        );
        assert_eq!(
            read("malloc (libc.so.6)"),
            ("malloc".into(), "".into(), "libc.so.6".into(), 0)
        );
        for whole in [
            "f (int)",
            "operator() (a.b)",
            "f(x.c)",
            "std::function<void (int)>",
            "g (x.c:0)",
            "(x.c)",
            "app.py:load:12",
        ] {
            assert_eq!(read(whole), plain(whole));
        }
    }
}
