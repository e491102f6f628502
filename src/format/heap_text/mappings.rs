//! The section that says which file lies at which address.

use super::super::lines::{Line, Lines, find, hexadecimal, lossy};
use crate::model::{CodePlace, Counted, StrId, Symbols};

/// One mapped part of a file.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    start: u64,
    end: u64,
    offset: u64,
    path: StrId,
    /// The build id, in the brief form of a list.
    build: StrId,
}

/// Mapped files, sorted by address.
#[derive(Debug, Default)]
pub(super) struct Mappings {
    sorted: Vec<Mapping>,
    /// Whether the section's last line lacks its end.
    pub cut: bool,
}

const SENTINELS: [&[u8]; 2] = [b"MAPPED_LIBRARIES:", b"--- Memory map: ---"];

/// Where the section begins: the offset of the line that announces it.
pub(super) fn begin(bytes: &[u8]) -> Option<usize> {
    let starts = SENTINELS.iter().filter_map(|s| find(bytes, s));
    let at = starts.min()?;
    Some(memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |n| n + 1))
}

impl Mappings {
    /// Reads the section that begins at `from`. Lines of other kinds are passed over.
    pub fn read(bytes: &[u8], from: usize, symbols: &mut Symbols) -> Mappings {
        let mut mappings = Mappings::default();
        let mut variables: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for line in Lines::new(&bytes[from..]).skip(1) {
            if !line.ended {
                mappings.cut = true;
                break;
            }
            mappings.line(&line, &mut variables, symbols);
        }
        mappings.sorted.sort_by_key(|m| m.start);
        mappings
    }

    fn line(
        &mut self,
        line: &Line<'_>,
        variables: &mut Vec<(Vec<u8>, Vec<u8>)>,
        symbols: &mut Symbols,
    ) {
        let text = without_log_prefix(line.text).trim_ascii();
        if let Some((start, end, offset, path, build)) = parse(text) {
            let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
            if path.is_empty() || end <= start {
                return;
            }
            let path = symbols.strings.intern(&substitute(path, variables));
            let build = symbols.strings.intern_bytes(build);
            // Parts of one file in a row are one.
            if let Some(last) = self.sorted.last_mut()
                && (last.path, last.end) == (path, start)
                && last.offset.wrapping_add(last.end - last.start) == offset
            {
                last.end = end;
                return;
            }
            self.sorted.push(Mapping {
                start,
                end,
                offset,
                path,
                build,
            });
        } else if let Some(equals) = memchr::memchr(b'=', text)
            && variables.len() < 16
            && !text[..equals].is_empty()
            && text[..equals]
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
            variables.push((text[..equals].to_vec(), text[equals + 1..].to_vec()));
        }
    }

    /// The place in a file that `address` stands for. Cost: a bisection.
    pub fn find(&self, address: u64) -> Option<CodePlace> {
        let place = |m: &Mapping, offset| CodePlace {
            module: m.path,
            build: m.build,
            counted: Counted::File,
            offset,
        };
        let after = self.sorted.partition_point(|m| m.start <= address);
        if let Some(m) = after.checked_sub(1).and_then(|i| self.sorted.get(i))
            && address < m.end
        {
            return Some(place(m, (address - m.start).wrapping_add(m.offset)));
        }
        // The part that held the address may have been left out of the list.
        let next = self.sorted.get(after)?;
        let base = next.start.checked_sub(next.offset)?;
        (base <= address).then(|| place(next, address - base))
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

/// Log lines begin like `I0101 12:00:00 x.cc:1] `.
fn without_log_prefix(text: &[u8]) -> &[u8] {
    let logged = matches!(text.first(), Some(b'I' | b'W' | b'E' | b'F'))
        && text.get(1).is_some_and(u8::is_ascii_digit);
    match find(text, b"] ") {
        Some(n) if logged => &text[n + 2..],
        _ => text,
    }
}

type Fields<'a> = (u64, u64, u64, &'a [u8], &'a [u8]);

/// `start-end perms offset dev inode path`, `start-end: path`, `start end path (@offset) id`.
fn parse(text: &[u8]) -> Option<Fields<'_>> {
    let (start, rest) = hexadecimal(text)?;
    let dashed = rest.first() == Some(&b'-');
    let (end, rest) = hexadecimal(rest.get(1..)?)?;
    if dashed && let Some(path) = rest.strip_prefix(b":") {
        return Some((start, end, 0, path.trim_ascii(), b""));
    }
    let rest = rest.strip_prefix(b" ")?;
    if dashed {
        let (_perms, rest) = word(rest);
        let (offset, rest) = word(rest);
        let (_device, rest) = word(rest);
        let (_inode, path) = word(rest);
        let (offset, left) = hexadecimal(offset)?;
        return left
            .is_empty()
            .then_some((start, end, offset, path.trim_ascii(), &b""[..]));
    }
    let at = find(rest, b" (@");
    let path = &rest[..at.unwrap_or(rest.len())];
    let (offset, rest) = at
        .and_then(|n| hexadecimal(&rest[n + 3..]))
        .unwrap_or((0, b""));
    let build = rest.strip_prefix(b")").unwrap_or(b"").trim_ascii();
    Some((start, end, offset, path.trim_ascii(), build))
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let n = memchr::memchr(b' ', text).unwrap_or(text.len());
    text.split_at(n)
}

fn substitute(path: &[u8], variables: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut path = lossy(path);
    for (name, value) in variables {
        if path.len() < 4096 && value.len() < 4096 && path.contains('$') {
            path = path.replacen(&format!("${}", lossy(name)), &lossy(value), 1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_mapping() {
        let text = b"MAPPED_LIBRARIES:\nbuild=/opt/b\n00400000-00402000 r-xp 00001000 fe:00 123   /opt/app/my demo (deleted)\n\
402000-403000 r--p 00003000 fe:00 123 /opt/app/my demo\n\
500000-501000: $build/lib.so\nI0101 12:00:00 x.cc:1] 600000 601000 /lib/c.so (@2000) abcd\n\
800000-801000 rw-p 00000000 00:00 0\n900000-901000 r-xp 00004000 fe:00 5 /lib/d.so\nzz\n70000";
        let mut s = Symbols::default();
        let m = Mappings::read(text, 0, &mut s);
        let at = |a| m.find(a).map(|p| (s.strings.get(p.module), p.offset));
        assert_eq!(
            m.find(0x600010).map(|p| s.strings.get(p.build)),
            Some("abcd")
        );
        assert_eq!(at(0x400010), Some(("/opt/app/my demo", 0x1010)));
        assert_eq!(at(0x402010), Some(("/opt/app/my demo", 0x3010)));
        assert_eq!(at(0x500010), Some(("/opt/b/lib.so", 0x10)));
        assert_eq!(at(0x600010), Some(("/lib/c.so", 0x2010)));
        assert_eq!(at(0x8fe000), Some(("/lib/d.so", 0x2000)));
        assert_eq!((at(0x800000), at(0x10), m.cut), (None, None, true));
        assert_eq!(m.sorted.len(), 4);
    }
}
