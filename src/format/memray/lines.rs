//! Line numbers: from the offset of an instruction to the line that it is of.
//!
//! CPython keeps the lines of a function as a byte string in one of three encodings: pairs of
//! (bytes, lines) until 3.9, the same with "no line" in 3.10, and location entries since 3.11.
//! A table is taken apart once, into ranges; asking is a binary search.

/// Where the lines of one function change.
#[derive(Debug, Default)]
pub struct LineTable {
    /// First byte offset of each range and its line; 0 is no line.
    ranges: Vec<(u32, u32)>,
    first: u32,
}

impl LineTable {
    /// Takes a table apart. `python` is `sys.hexversion`, `first` the function's first line.
    pub fn new(table: &[u8], python: u32, first: u32) -> LineTable {
        let ranges = match python >> 16 {
            minor if minor >= 0x030b => locations(table, first),
            0x030a => pairs(table, first, true),
            _ => pairs(table, first, false),
        };
        LineTable { ranges, first }
    }

    /// The line of the instruction at a byte offset (an index of instructions in 3.10); the
    /// function's first line where the table does not say, 0 where there is none.
    pub fn line(&self, offset: i64, python: u32) -> u32 {
        let offset = match python >> 16 {
            0x030a => offset.saturating_mul(2),
            _ => offset,
        };
        let Ok(offset) = u32::try_from(offset) else {
            return self.first;
        };
        let next = self.ranges.partition_point(|&(start, _)| start <= offset);
        match next.checked_sub(1).and_then(|i| self.ranges.get(i)) {
            Some(&(_, line)) => line,
            None => self.first,
        }
    }
}

/// Pairs of (bytes, lines as a signed byte). With `ranges` (3.10) a pair describes the bytes
/// that it spans and -128 means none; without, it describes those behind them.
fn pairs(table: &[u8], first: u32, spans: bool) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = Vec::new();
    let mut line = first as i64;
    let mut at = 0u32;
    if !spans {
        out.push((0, first));
    }
    for pair in table.chunks_exact(2) {
        let (bytes, delta) = (pair[0] as u32, pair[1] as i8);
        if spans {
            let start = at;
            at = at.saturating_add(bytes);
            if delta == -128 {
                out.push((start, 0));
                continue;
            }
            line += delta as i64;
            if bytes > 0 {
                out.push((start, line.clamp(0, u32::MAX as i64) as u32));
            }
        } else {
            at = at.saturating_add(bytes);
            line += delta as i64;
            let line = line.clamp(0, u32::MAX as i64) as u32;
            match out.last_mut() {
                Some(last) if last.0 == at => last.1 = line,
                _ => out.push((at, line)),
            }
        }
    }
    out
}

/// The location entries of 3.11 and later.
fn locations(table: &[u8], first: u32) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    let mut line = first as i64;
    let mut unit = 0u32;
    let mut rest = table;
    let varint = |rest: &mut &[u8]| -> u64 {
        let (mut value, mut shift) = (0u64, 0);
        while let Some((&byte, after)) = rest.split_first() {
            *rest = after;
            if shift < 60 {
                value |= ((byte & 0x3f) as u64) << shift;
            }
            shift += 6;
            if byte & 0x40 == 0 {
                break;
            }
        }
        value
    };
    while let Some((&entry, after)) = rest.split_first() {
        rest = after;
        if entry & 0x80 == 0 {
            break;
        }
        let kind = entry >> 3 & 15;
        let known = match kind {
            15 => false,
            13 | 14 => {
                let signed = varint(&mut rest);
                let by = (signed >> 1) as i64;
                line = line.saturating_add(if signed & 1 == 1 { -by } else { by });
                if kind == 14 {
                    for _ in 0..3 {
                        varint(&mut rest);
                    }
                }
                true
            }
            10..=12 => {
                line = line.saturating_add(kind as i64 - 10);
                rest = rest.get(2..).unwrap_or(&[]);
                true
            }
            _ => {
                rest = rest.get(1..).unwrap_or(&[]);
                true
            }
        };
        let shown = if known {
            line.clamp(0, u32::MAX as i64) as u32
        } else {
            0
        };
        out.push((unit.saturating_mul(2), shown));
        unit = unit.saturating_add((entry & 7) as u32 + 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_entries() {
        // One unit on the first line, two units a line later, one without a line, then +2.
        let table = [
            0x80,
            0,
            0x80 | 11 << 3 | 1,
            0,
            0,
            0x80 | 15 << 3,
            0x80 | 13 << 3,
            4,
        ];
        let t = LineTable::new(&table, 0x030b_02f0, 10);
        let at = |offset| t.line(offset, 0x030b_02f0);
        assert_eq!([at(0), at(2), at(4), at(6), at(8)], [10, 11, 11, 0, 13]);
        assert_eq!(at(-1), 10);
        let backwards = [0x80 | 14 << 3, 0x41, 0x02, 0, 0, 0];
        assert_eq!(
            LineTable::new(&backwards, 0x030c_0000, 100).line(0, 0x030c_0000),
            36
        );
    }

    #[test]
    fn pairs_of_older_pythons() {
        let t = LineTable::new(&[4, 1, 2, 0x80, 6, 2], 0x030a_0000, 5);
        let at = |index| t.line(index, 0x030a_0000);
        assert_eq!([at(0), at(1), at(2), at(3)], [6, 6, 0, 8]);
        let t = LineTable::new(&[4, 1, 6, 255], 0x0309_0000, 5);
        let at = |offset| t.line(offset, 0x0309_0000);
        assert_eq!([at(0), at(3), at(4), at(9), at(10)], [5, 5, 6, 6, 5]);
        assert_eq!(LineTable::new(&[], 0x0309_0000, 5).line(7, 0x0309_0000), 5);
    }

    #[test]
    fn cut_tables_end() {
        for len in 0..6 {
            LineTable::new(&[0xf7, 0xff, 0xff, 0xff, 0xff, 0xff][..len], 0x030d_0000, 1);
        }
    }
}
