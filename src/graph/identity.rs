//! Objects that came up during a run and never went: by identity, where ids are stable.
//!
//! A path says that there are more objects; identity says which: those that were not there in the
//! first capture, were there in the one before the last, and are still there in the last. So memlab
//! reads three snapshots. An id is taken for the same object only where its type is the same too,
//! since the id of a dead object may be inherited.

use super::rows::Marks;
use super::words::Words;
use crate::model::{HeapGraph, IdKind, Role, TypeId};

/// What is kept of the captures of one side: 8 bytes an object of the first, 12 for each that came
/// up since.
#[derive(Debug, Default)]
pub(super) struct Identity {
    first: Vec<u64>,
    before: Vec<(u64, u32)>,
    captures: usize,
    moving: bool,
}

/// The ids of a capture that are stable. V8 gives embedders' objects even ids, which are not.
fn stable(graph: &HeapGraph) -> impl Iterator<Item = (u32, u64)> + '_ {
    let odd = graph.meta.runtime == "v8";
    (0..graph.len() as u32)
        .filter_map(|v| Some((v, graph.ids().get(v)?)))
        .filter(move |(_, id)| !odd || id % 2 == 1)
}

impl Identity {
    /// Takes a capture; of the last of three or more the objects that came up and stayed. None
    /// where ids are not stable. Texts, numbers and the runtime's own objects are left out.
    ///
    /// A sort and a search an object.
    pub(super) fn add(&mut self, graph: &HeapGraph, words: &Words, last: bool) -> Option<Marks> {
        self.moving |= graph.meta.id_kind != IdKind::Stable;
        if self.moving {
            (self.first, self.before) = (Vec::new(), Vec::new());
            return None;
        }
        self.captures += 1;
        if self.captures == 1 {
            if !last {
                self.first = stable(graph).map(|(_, id)| id).collect();
                self.first.sort_unstable();
            }
            return None;
        }
        let told = |v: u32| {
            let role = words.of_type(TypeId(graph.types()[v as usize])).role;
            !role.is_leaf() && role != Role::Native
        };
        let new =
            stable(graph).filter(|&(v, id)| told(v) && self.first.binary_search(&id).is_err());
        if !last {
            let mut new: Vec<(u64, u32)> =
                new.map(|(v, id)| (id, graph.types()[v as usize])).collect();
            new.sort_unstable();
            self.before = new;
            return None;
        }
        if self.captures < 3 {
            return None;
        }
        let mut marks = Marks::new(graph.len());
        for (v, id) in new {
            let same = (id, graph.types()[v as usize]);
            if self.before.binary_search(&same).is_ok() {
                marks.add(v);
            }
        }
        (self.first, self.before) = (Vec::new(), Vec::new());
        Some(marks)
    }
}
