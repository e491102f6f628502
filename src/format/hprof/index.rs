//! From an address to an object's ordinal, by the place that the address has among all.

/// Sorted addresses, cut into buckets of equal span so that a search starts near its end.
///
/// Memory: 8 bytes an object, 4 more where the file is not in order of addresses, and 4 for every
/// two objects.
#[derive(Debug, Default)]
pub(super) struct Index {
    ids: Vec<u64>,
    /// Ordinal of each; empty when the file has them in order.
    ordinals: Vec<u32>,
    /// First place in `ids` of each bucket, and one more.
    buckets: Vec<u32>,
    shift: u32,
    /// Objects whose address occurred before.
    pub(super) duplicates: u64,
}

impl Index {
    /// An index of addresses in the order of ordinals, fewer than 2^32. Cost: a sort, unless they
    /// are sorted.
    pub(super) fn new(ids: Vec<u64>) -> Index {
        let mut index = Index {
            ids,
            ..Index::default()
        };
        if !index.ids.is_sorted() {
            let ids = std::mem::take(&mut index.ids);
            let mut pairs: Vec<(u64, u32)> = ids.into_iter().zip(0..).collect();
            // Stable among equals, so that the first of two objects at one address counts. A sort
            // that finds the runs of a file that several threads have written.
            pairs.sort_by_key(|p| p.0);
            index.ids = pairs.iter().map(|p| p.0).collect();
            index.ordinals = pairs.into_iter().map(|p| p.1).collect();
        }
        index.duplicates = index.ids.windows(2).filter(|w| w[0] == w[1]).count() as u64;
        let (Some(&first), Some(&last)) = (index.ids.first(), index.ids.last()) else {
            return index;
        };
        let wanted = (index.ids.len() as u64 / 2).max(1);
        let span = last - first;
        while span >> index.shift >= wanted {
            index.shift += 1;
        }
        let count = (span >> index.shift) as usize + 1;
        index.buckets = Vec::with_capacity(count + 1);
        for (i, &id) in index.ids.iter().enumerate() {
            let bucket = ((id - first) >> index.shift) as usize;
            while index.buckets.len() <= bucket {
                index.buckets.push(i as u32);
            }
        }
        index.buckets.push(index.ids.len() as u32);
        index
    }

    /// The ordinal of an address, if an object stands there.
    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        let place = self.place(id)?;
        Some(match self.ordinals.get(place) {
            Some(&ordinal) => ordinal,
            None => place as u32,
        })
    }

    #[inline]
    fn place(&self, id: u64) -> Option<usize> {
        let offset = id.checked_sub(*self.ids.first()?)?;
        let bucket = usize::try_from(offset >> self.shift).ok()?;
        let from = *self.buckets.get(bucket)? as usize;
        let to = *self.buckets.get(bucket + 1)? as usize;
        let row = &self.ids[from..to];
        let at = if row.len() <= 8 {
            row.iter().position(|&i| i >= id)?
        } else {
            row.partition_point(|&i| i < id)
        };
        (row.get(at) == Some(&id)).then_some(from + at)
    }

    /// Bytes from an object to its neighbour behind it.
    pub(super) fn gap(&self, id: u64) -> Option<u64> {
        let place = self.place(id)?;
        Some(self.ids.get(place + 1)? - id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_found_and_no_other() {
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            seed >> 40
        };
        let mut ids: Vec<u64> = (0..5000).map(|_| 0x7000_0000 + next() * 8).collect();
        ids.push(3);
        ids.push(u64::MAX);
        let distinct: std::collections::BTreeSet<u64> = ids.iter().copied().collect();
        let index = Index::new(ids.clone());
        assert_eq!(index.duplicates as usize, ids.len() - distinct.len());
        for &id in &ids {
            let first = ids.iter().position(|&i| i == id).unwrap();
            assert_eq!(index.find(id), Some(first as u32));
            if !distinct.contains(&(id ^ 4)) {
                assert_eq!(index.find(id ^ 4), None);
            }
        }
        let sorted = Index::new(distinct.iter().copied().collect());
        for (n, &id) in distinct.iter().enumerate() {
            assert_eq!(sorted.find(id), Some(n as u32));
            let behind = distinct.range(id + u64::from(id < u64::MAX)..).next();
            assert_eq!(sorted.gap(id).is_some(), behind.is_some_and(|&b| b > id));
        }
        assert_eq!(Index::new(Vec::new()).find(0), None);
    }
}
