//! How much of two lists of callers is common.

use super::forms::flag;
use super::sites::World;
use super::subsequence::MOST_FRAMES;

/// Steps that the comparison of callers may take in all; beyond it nothing more is compared.
const MOST_STEPS: u64 = 2_000_000_000;

/// Compares callers, with a bound on the work of all comparisons together.
#[derive(Debug, Default)]
pub(super) struct Callers {
    steps: u64,
    row: Vec<u16>,
}

/// Common callers of two sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Common {
    /// In order on both sides.
    pub common: usize,
    pub shorter: usize,
    pub longer: usize,
}

impl Common {
    /// At least half of the longer list, and there is a caller at all.
    pub fn is_half(self) -> bool {
        self.shorter > 0 && self.common * 2 >= self.longer
    }

    /// The share as an integer that compares.
    pub fn share(self) -> u32 {
        (((self.common as u64) << 20) / self.longer.max(1) as u64) as u32
    }
}

impl Callers {
    /// Whether the bound was reached.
    pub fn is_exhausted(&self) -> bool {
        self.steps > MOST_STEPS
    }

    /// The longest common subsequence of the callers of two sites, by the last components of
    /// their names. Cost: the product of the depths, at most 256 each.
    pub fn compare(&mut self, world: &World<'_>, x: u32, y: u32) -> Option<Common> {
        if self.is_exhausted() {
            return None;
        }
        let names = |side: usize, i: u32| -> Vec<u32> {
            let callers = world.user_forms(side, i).rev().skip(1);
            let named = callers.filter(|f| !f.is(flag::HOLE));
            named.take(MOST_FRAMES).map(|f| f.base).collect()
        };
        let (a, b) = (names(0, x), names(1, y));
        self.steps += (a.len() as u64 + 1) * (b.len() as u64 + 1);
        self.row.clear();
        self.row.resize(b.len() + 1, 0);
        for p in &a {
            let mut diagonal = 0;
            for (j, q) in b.iter().enumerate() {
                let above = self.row[j + 1];
                self.row[j + 1] = if p == q {
                    diagonal + 1
                } else {
                    above.max(self.row[j])
                };
                diagonal = above;
            }
        }
        Some(Common {
            common: usize::from(self.row[b.len()]),
            shorter: a.len().min(b.len()),
            longer: a.len().max(b.len()),
        })
    }
}
