//! Original ids of objects: 32 bits wide where all fit, else 64.

use super::tight::push;

/// Original ids by ordinal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// All ids fit 32 bits.
    Narrow(Vec<u32>),
    /// Some do not.
    Wide(Vec<u64>),
}

impl Default for Ids {
    fn default() -> Self {
        Ids::Narrow(Vec::new())
    }
}

impl Ids {
    /// Number of ids: that of objects, or 0 for a format without ids.
    pub fn len(&self) -> usize {
        match self {
            Ids::Narrow(ids) => ids.len(),
            Ids::Wide(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of an object.
    #[inline]
    pub fn get(&self, node: u32) -> Option<u64> {
        match self {
            Ids::Narrow(ids) => ids.get(node as usize).map(|&i| u64::from(i)),
            Ids::Wide(ids) => ids.get(node as usize).copied(),
        }
    }

    /// Appends an id, widening all on the first that needs it.
    pub(super) fn push(&mut self, id: u64) {
        match self {
            Ids::Wide(ids) => push(ids, id),
            Ids::Narrow(ids) => match u32::try_from(id) {
                Ok(narrow) => push(ids, narrow),
                Err(_) => {
                    let mut wide: Vec<u64> = ids.iter().map(|&i| u64::from(i)).collect();
                    push(&mut wide, id);
                    *self = Ids::Wide(wide);
                }
            },
        }
    }

    /// Hands back what was reserved and not used.
    pub(super) fn shrink(&mut self) {
        match self {
            Ids::Narrow(ids) => ids.shrink_to_fit(),
            Ids::Wide(ids) => ids.shrink_to_fit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_widen_when_one_needs_it() {
        let mut ids = Ids::default();
        ids.push(7);
        ids.push(u64::from(u32::MAX));
        assert!(matches!(ids, Ids::Narrow(_)));
        ids.push(1 << 40);
        let all: Vec<_> = (0..4).map(|v| ids.get(v)).collect();
        assert_eq!(
            all,
            [Some(7), Some(u64::from(u32::MAX)), Some(1 << 40), None]
        );
    }
}
