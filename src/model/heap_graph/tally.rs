//! A capture by type alone: numbers and bytes, no objects and no references.

use super::{HeapGraph, TypeId};

/// The objects of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeTally {
    /// The type.
    pub type_of: TypeId,
    /// Number of objects.
    pub objects: u64,
    /// Their own bytes.
    pub bytes: u64,
}

impl HeapGraph {
    /// Numbers and bytes by type, in a capture that was read for them alone: it has no objects.
    pub fn tally(&self) -> Option<&[TypeTally]> {
        self.tally.as_deref()
    }

    /// Sets numbers and bytes by type: adds up what is of one type, and orders them by it.
    pub fn set_tally(&mut self, mut rows: Vec<TypeTally>) {
        rows.sort_by_key(|r| r.type_of.0);
        rows.dedup_by(|b, a| {
            let same = a.type_of == b.type_of;
            if same {
                a.objects = a.objects.saturating_add(b.objects);
                a.bytes = a.bytes.saturating_add(b.bytes);
            }
            same
        });
        rows.retain(|r| r.objects > 0);
        self.tally = Some(rows.into());
    }

    /// Reduces a capture to numbers and bytes by type; objects and references are let go. Linear.
    pub fn into_tally(mut self) -> HeapGraph {
        if self.tally.is_some() {
            return self;
        }
        let types = self.types.iter().max().map_or(0, |&t| t as usize + 1);
        let mut rows: Vec<TypeTally> = (0..types as u32)
            .map(|t| TypeTally {
                type_of: TypeId(t),
                objects: 0,
                bytes: 0,
            })
            .collect();
        for v in 0..self.len() as u32 {
            let row = &mut rows[self.type_of(v).0 as usize];
            row.objects += 1;
            row.bytes = row.bytes.saturating_add(self.size(v));
        }
        let mut out = HeapGraph {
            meta: std::mem::take(&mut self.meta),
            offsets: vec![0],
            loaders: std::mem::take(&mut self.loaders),
            ..HeapGraph::default()
        };
        out.set_tally(rows);
        out
    }
}
