//! Strongly connected components: objects that can all reach each other.
//!
//! Pearce's space-saving form of Tarjan's algorithm (D. J. Pearce, "A space-efficient algorithm
//! for finding strongly connected components", 2016), without recursion. Linear; 4 bytes an
//! object, and at most 9 more on a long chain.

use super::rows::{Marks, Rows};
use crate::model::push;

/// The component of each object that was looked at; `u32::MAX` for the others. Numbers ascend in
/// topological order: a component refers only to components of larger number and to itself.
#[derive(Debug)]
pub struct Components {
    /// Component of each object.
    pub of: Vec<u32>,
    /// The number of the first component; the last is `first + count - 1`.
    pub first: u32,
    /// Number of components.
    pub count: u32,
}

/// Not visited; not part of the search.
const NONE: u32 = u32::MAX;

/// The components of the subgraph of objects and references that are kept. `edge` is asked with
/// the source and the place of the reference in the columns.
pub fn components(
    rows: Rows<'_>,
    node: impl Fn(u32) -> bool,
    edge: impl Fn(u32, usize) -> bool,
) -> Components {
    let n = rows.len() as u32;
    // Index 0 is "not visited"; indices ascend from 1, component numbers descend from NONE - 1,
    // so that a finished object never looks like one that is still open.
    let mut rindex = vec![0u32; n as usize];
    let mut index = 1u32;
    let mut component = NONE - 1;
    // Objects that wait for their component, and the path of the search: an object and the place
    // of its next reference. Those that reach a lower index than their own are no roots.
    let mut waiting: Vec<u32> = Vec::new();
    let mut path: Vec<(u32, u32)> = Vec::new();
    let mut lowered = Marks::new(rows.len());
    for start in 0..n {
        if rindex[start as usize] != 0 || !node(start) {
            continue;
        }
        push(&mut path, (start, rows.offsets[start as usize]));
        rindex[start as usize] = index;
        index += 1;
        while let Some(&mut (v, ref mut at)) = path.last_mut() {
            let end = rows.offsets[v as usize + 1];
            let mut low = rindex[v as usize];
            let before = low;
            let mut child = None;
            while *at < end {
                let e = *at as usize;
                *at += 1;
                let w = rows.targets[e];
                if w == v || !node(w) || !edge(v, e) {
                    continue;
                }
                match rindex[w as usize] {
                    0 => {
                        child = Some(w);
                        break;
                    }
                    found => low = low.min(found),
                }
            }
            if low < before {
                rindex[v as usize] = low;
                lowered.add(v);
            }
            if let Some(w) = child {
                push(&mut path, (w, rows.offsets[w as usize]));
                rindex[w as usize] = index;
                index += 1;
                continue;
            }
            path.pop();
            let mut reached = low;
            if lowered.has(v) {
                push(&mut waiting, v);
            } else {
                index -= 1;
                while let Some(&w) = waiting.last()
                    && rindex[w as usize] >= low
                {
                    waiting.pop();
                    rindex[w as usize] = component;
                    index -= 1;
                }
                rindex[v as usize] = component;
                reached = component;
                component -= 1;
            }
            if let Some(&(parent, _)) = path.last()
                && reached < rindex[parent as usize]
            {
                rindex[parent as usize] = reached;
                lowered.add(parent);
            }
        }
    }
    for r in &mut rindex {
        if *r == 0 {
            *r = NONE;
        }
    }
    Components {
        of: rindex,
        first: component + 1,
        count: NONE - 1 - component,
    }
}

/// The components that hold a cycle, as lists of objects: more than one object, or one that refers
/// to itself by a kept reference. Ordered by their smallest object; objects ascend.
#[derive(Debug, Default)]
pub struct Cyclic {
    /// Where each list begins in `members`; one more entry than lists.
    pub starts: Vec<u32>,
    /// The objects of one list after the other.
    pub members: Vec<u32>,
}

impl Cyclic {
    /// Number of lists.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The objects of a list.
    pub fn get(&self, i: usize) -> &[u32] {
        &self.members[self.starts[i] as usize..self.starts[i + 1] as usize]
    }
}

impl Components {
    /// The lists of components with a cycle. Linear; 4 bytes a component and a member.
    pub fn cyclic(&self, rows: Rows<'_>, edge: impl Fn(u32, usize) -> bool) -> Cyclic {
        let mut sizes = vec![0u32; self.count as usize];
        for &c in &self.of {
            if c != NONE {
                sizes[(c - self.first) as usize] += 1;
            }
        }
        let loops = |v: u32| {
            let row = rows.offsets[v as usize] as usize..rows.offsets[v as usize + 1] as usize;
            row.clone().any(|e| rows.targets[e] == v && edge(v, e))
        };
        // First sight gives a component its list; the sizes become places.
        let mut starts = vec![0u32];
        let mut members = Vec::new();
        let mut place = sizes.clone();
        place.fill(NONE);
        for v in 0..self.of.len() as u32 {
            let c = self.of[v as usize];
            if c == NONE {
                continue;
            }
            let c = (c - self.first) as usize;
            if sizes[c] < 2 && !loops(v) {
                continue;
            }
            if place[c] == NONE {
                place[c] = members.len() as u32;
                members.resize(members.len() + sizes[c] as usize, 0);
                starts.push(members.len() as u32);
            }
            members[place[c] as usize] = v;
            place[c] += 1;
        }
        Cyclic { starts, members }
    }
}
