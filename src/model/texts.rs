//! Stacks by the text that they were read from, so that equal text of a later capture need not
//! be taken apart again.

use super::stacks::StackId;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A fingerprint of a text: 96 bits under a secret of this process, so that no input can be made
/// to collide; that any two of a billion texts do so by chance has odds of one to 10^11.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    place: u64,
    check: u32,
}

/// Stacks by the fingerprint of their text. Memory: about 22 bytes a stack.
#[derive(Debug)]
pub struct StackTexts {
    secret: [u64; 4],
    rows: Vec<Row>,
    table: HashTable<u32>,
}

#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
struct Row {
    place: u64,
    check: u32,
    stack: StackId,
}

impl Default for StackTexts {
    fn default() -> Self {
        let random = RandomState::new();
        let secret = [1u8, 2, 3, 4].map(|n| {
            let mut hasher = random.build_hasher();
            hasher.write_u8(n);
            hasher.finish() | 1
        });
        StackTexts {
            secret,
            rows: Vec::new(),
            table: HashTable::new(),
        }
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let wide = a as u128 * b as u128;
    wide as u64 ^ (wide >> 64) as u64
}

fn words(chunk: &[u8; 16]) -> (u64, u64) {
    let wide = u128::from_le_bytes(*chunk);
    (wide as u64, (wide >> 64) as u64)
}

impl StackTexts {
    /// The fingerprint of `text`. Cost: some bytes a cycle.
    pub fn fingerprint(&self, text: &[u8]) -> Fingerprint {
        let [s0, s1, s2, s3] = self.secret;
        let (mut x, mut y) = (s0 ^ text.len() as u64, s1);
        let (chunks, rest) = text.as_chunks::<16>();
        for chunk in chunks {
            let (a, b) = words(chunk);
            x = fold(a ^ s2, b ^ x);
            y = fold(b ^ s3, a ^ y);
        }
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        let (a, b) = words(&last);
        x = fold(a ^ s2, b ^ x);
        y = fold(b ^ s3, a ^ y);
        Fingerprint {
            place: fold(x ^ s1, y ^ s3),
            check: fold(y ^ s0, x.rotate_left(32) ^ s2) as u32,
        }
    }

    /// The stack whose text had this fingerprint.
    pub fn find(&self, text: Fingerprint) -> Option<StackId> {
        let same = |&i: &u32| {
            let row = self.rows[i as usize];
            (row.place, row.check) == (text.place, text.check)
        };
        let found = self.table.find(text.place, same)?;
        Some(self.rows[*found as usize].stack)
    }

    /// Remembers the stack of a text, unless the text is known.
    pub fn add(&mut self, text: Fingerprint, stack: StackId) {
        if self.find(text).is_some() {
            return;
        }
        let row = self.rows.len() as u32;
        self.rows.push(Row {
            place: text.place,
            check: text.check,
            stack,
        });
        let rows = &self.rows;
        self.table
            .insert_unique(text.place, row, |&i| rows[i as usize].place);
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        let texts = StackTexts::default();
        let base: Vec<u8> = (0..70).collect();
        let mut seen = Vec::new();
        for n in 0..base.len() {
            seen.push(texts.fingerprint(&base[..n]));
            for bit in [1, 128] {
                let mut other = base.clone();
                other[n] ^= bit;
                seen.push(texts.fingerprint(&other));
            }
        }
        for (i, a) in seen.iter().enumerate() {
            assert!(!seen[..i].contains(a));
        }
    }

    #[test]
    fn texts_find_their_stacks() {
        let mut texts = StackTexts::default();
        let name = |n: u32| format!("main;f{n}").into_bytes();
        for n in 0..5000 {
            let print = texts.fingerprint(&name(n));
            assert_eq!(texts.find(print), None);
            texts.add(print, StackId(n));
        }
        for n in 0..5000 {
            assert_eq!(texts.find(texts.fingerprint(&name(n))), Some(StackId(n)));
        }
    }
}
