//! Interned text: every distinct string once, named by a 32-bit handle.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Handle of a string in [`Strings`]. `StrId::EMPTY` is the empty string everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StrId(u32);

impl StrId {
    /// The empty string; stands for "unknown".
    pub const EMPTY: StrId = StrId(0);

    /// Position in the table, from 0, in order of first appearance.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Whether this is the empty string.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A table of distinct strings: one buffer of text, one column of ends.
///
/// Interning costs one hash and, for a new string, one copy; there is no allocation per string.
/// A table holds at most 2^32 - 1 strings: more would take over 12 GB of input text.
#[derive(Debug)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
    table: HashTable<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        let mut strings = Strings {
            text: String::new(),
            ends: Vec::new(),
            table: HashTable::new(),
        };
        strings.intern("");
        strings
    }
}

fn hash(text: &str) -> u64 {
    let mut h = FxHasher::default();
    h.write(text.as_bytes());
    h.finish()
}

impl Strings {
    /// The handle of `text`, added if it is new.
    pub fn intern(&mut self, text: &str) -> StrId {
        let Strings {
            text: all,
            ends,
            table,
        } = self;
        let at = |i: u32| slice(all, ends, i);
        let h = hash(text);
        if let Some(&found) = table.find(h, |&i| at(i) == text) {
            return StrId(found);
        }
        let id = ends.len() as u32;
        table.insert_unique(h, id, |&i| hash(slice(all, ends, i)));
        all.push_str(text);
        ends.push(all.len());
        StrId(id)
    }

    /// The handle of `bytes`; what is no UTF-8 becomes U+FFFD.
    pub fn intern_bytes(&mut self, bytes: &[u8]) -> StrId {
        self.intern(&String::from_utf8_lossy(bytes))
    }

    /// The handle of `text` if it is in the table.
    pub fn find(&self, text: &str) -> Option<StrId> {
        self.table
            .find(hash(text), |&i| slice(&self.text, &self.ends, i) == text)
            .map(|&i| StrId(i))
    }

    /// The text of `id`; empty for a handle of another table.
    pub fn get(&self, id: StrId) -> &str {
        if id.index() < self.ends.len() {
            slice(&self.text, &self.ends, id.0)
        } else {
            ""
        }
    }

    /// The text at a position of the table; empty beyond its end.
    pub fn at(&self, index: u32) -> &str {
        self.get(StrId(index))
    }

    /// Number of distinct strings, the empty one included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never true: the empty string is always there.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], id: u32) -> &'a str {
    let i = id as usize;
    let start = if i == 0 { 0 } else { ends[i - 1] };
    &text[start..ends[i]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_text_has_one_handle() {
        let mut s = Strings::default();
        let a = s.intern("main");
        let b = s.intern("main.rs");
        assert_eq!(s.intern("main"), a);
        assert_ne!(a, b);
        assert_eq!(
            (s.get(a), s.get(b), s.get(StrId::EMPTY)),
            ("main", "main.rs", "")
        );
        assert_eq!(s.len(), 3);
        assert_eq!(s.find("main.rs"), Some(b));
        assert_eq!(s.find("x"), None);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        let mut s = Strings::default();
        let id = s.intern_bytes(b"a\xffb");
        assert_eq!(s.get(id), "a\u{fffd}b");
    }
}
