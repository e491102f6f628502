//! Dominators and retained sizes.
//!
//! Lengauer and Tarjan's algorithm with path compression ("A fast algorithm for finding dominators
//! in a flowgraph", 1979), without recursion, in the space of depth-first numbers: O(M log N) at
//! worst on every shape, where the iterative scheme of Cooper, Harvey and Kennedy is quadratic on
//! deep graphs.
//!
//! Two roots: the virtual root holds what the capture's roots hold; a second one, the garbage
//! root, holds one object of each source component of what no root reaches, so that sizes of
//! garbage do not hide in the root's. References from garbage to what is alive count for nothing.

use super::components::components;
use super::rows::{Marks, Rows};
use crate::model::push;

/// Depth-first number of the virtual root. Numbers start at 1; 0 is none.
pub const ROOT: u32 = 1;

/// The dominator tree, by depth-first number. 24 bytes an object.
#[derive(Debug, Default)]
pub struct Dominators {
    /// Object of each number; meaningless at 0, [`ROOT`] and the garbage root.
    pub vertex: Vec<u32>,
    /// Number of each object.
    pub number: Vec<u32>,
    /// Number of the immediate dominator of each number, always smaller.
    pub dom: Vec<u32>,
    /// Bytes that each number's object keeps alive, its own included.
    pub retained: Vec<u64>,
    /// Number of the garbage root; all larger numbers are unreachable.
    pub garbage: u32,
    /// Where each number's subtree lies in a walk of the tree, parents first.
    places: Vec<Interval>,
}

/// Places in a walk of the tree: of an object, and the end of its subtree. Together, since a
/// question looks at both and goes anywhere in memory.
#[derive(Debug, Clone, Copy)]
struct Interval {
    at: u32,
    end: u32,
}

/// Computes the tree. `holds`: objects that roots hold, in the order to walk them. `preferred`
/// ranks objects of a garbage component: the lowest is the one that the garbage root holds.
///
/// Cost: O(M log N); 36 bytes an object besides the rows, 28 afterwards.
pub fn dominators(
    rows: Rows<'_>,
    backward: Rows<'_>,
    holds: &[u32],
    size: impl Fn(u32) -> u64,
    preferred: impl Fn(u32) -> u32,
) -> Dominators {
    let n = rows.len();
    let mut search = Search::new(n);
    search.root();
    let mut held = Marks::new(n);
    for &v in holds {
        held.add(v);
        search.walk(rows, v, ROOT);
    }
    let garbage = search.root();
    if (search.next as usize) < n + 3 {
        for v in garbage_sources(rows, &search.number, &preferred) {
            held.add(v);
            search.walk(rows, v, garbage);
        }
    }
    let Search {
        vertex,
        number,
        parent,
        mut semi,
        ..
    } = search;
    let count = vertex.len() as u32;
    for i in 0..count {
        semi[i as usize] = i;
    }
    let mut forest = Forest::new(parent);
    let mut dom = vec![0u32; count as usize];
    // A bucket is a list: its first entry by the semidominator, the next ones through `dom`, which
    // an entry needs only after it has left its bucket.
    let mut bucket = vec![0u32; count as usize];
    for i in (2..count).rev() {
        let v = vertex[i as usize];
        let low = if i == garbage {
            ROOT
        } else if held.has(v) {
            if i > garbage { garbage } else { ROOT }
        } else {
            let mut low = semi[i as usize];
            for &p in backward.of_node(v) {
                let j = number[p as usize];
                if j > garbage && i < garbage {
                    continue;
                }
                low = low.min(forest.best(j, i + 1).low);
            }
            low
        };
        semi[i as usize] = low;
        let link = &mut forest.links[i as usize];
        link.low = low;
        let p = link.ancestor;
        dom[i as usize] = bucket[low as usize];
        bucket[low as usize] = i;
        let mut x = std::mem::take(&mut bucket[p as usize]);
        while x != 0 {
            let next = dom[x as usize];
            let best = forest.best(x, i);
            dom[x as usize] = if best.low < semi[x as usize] {
                best.label
            } else {
                p
            };
            x = next;
        }
    }
    for i in 2..count {
        if dom[i as usize] != semi[i as usize] {
            dom[i as usize] = dom[dom[i as usize] as usize];
        }
    }
    drop((forest, bucket, semi, held));
    let mut tree = Dominators {
        vertex,
        number,
        dom,
        garbage,
        ..Dominators::default()
    };
    tree.lay_out(size);
    tree
}

/// Depth-first search that numbers objects in preorder; the cursors stand where the
/// semidominators will.
struct Search {
    vertex: Vec<u32>,
    number: Vec<u32>,
    parent: Vec<u32>,
    semi: Vec<u32>,
    next: u32,
}

impl Search {
    fn new(n: usize) -> Search {
        let with_roots = || {
            let mut v = Vec::with_capacity(n + 3);
            v.push(0u32);
            v
        };
        Search {
            vertex: with_roots(),
            number: vec![0; n],
            parent: with_roots(),
            semi: with_roots(),
            next: 1,
        }
    }

    fn push(&mut self, vertex: u32, parent: u32, cursor: u32) -> u32 {
        self.vertex.push(vertex);
        self.parent.push(parent);
        self.semi.push(cursor);
        self.next += 1;
        self.next - 1
    }

    /// A virtual root; the second one hangs below the first.
    fn root(&mut self) -> u32 {
        let parent = self.next.min(2) - 1;
        self.push(u32::MAX, parent, 0)
    }

    fn walk(&mut self, rows: Rows<'_>, start: u32, root: u32) {
        if self.number[start as usize] != 0 {
            return;
        }
        let mut i = self.push(start, root, rows.offsets[start as usize]);
        self.number[start as usize] = i;
        loop {
            let v = self.vertex[i as usize] as usize;
            let end = rows.offsets[v + 1];
            let mut at = self.semi[i as usize];
            let mut child = None;
            while at < end {
                let w = rows.targets[at as usize];
                at += 1;
                if self.number[w as usize] == 0 {
                    child = Some(w);
                    break;
                }
            }
            self.semi[i as usize] = at;
            match child {
                Some(w) => {
                    let j = self.push(w, i, rows.offsets[w as usize]);
                    self.number[w as usize] = j;
                    i = j;
                }
                None => {
                    i = self.parent[i as usize];
                    if i == root {
                        return;
                    }
                }
            }
        }
    }
}

/// One object of each source component of what has no number yet, ascending.
fn garbage_sources(rows: Rows<'_>, number: &[u32], preferred: &impl Fn(u32) -> u32) -> Vec<u32> {
    let lost = |v: u32| number[v as usize] == 0;
    let found = components(rows, lost, |_, _| true);
    let mut entered = Marks::new(found.count as usize);
    for v in 0..rows.len() as u32 {
        if lost(v) {
            let c = found.of[v as usize];
            for &w in rows.of_node(v) {
                if lost(w) && found.of[w as usize] != c {
                    entered.add(found.of[w as usize] - found.first);
                }
            }
        }
    }
    let mut best: rustc_hash::FxHashMap<u32, (u32, u32)> = rustc_hash::FxHashMap::default();
    for v in 0..rows.len() as u32 {
        if lost(v) && !entered.has(found.of[v as usize] - found.first) {
            let entry = best.entry(found.of[v as usize]).or_insert((u32::MAX, v));
            *entry = (*entry).min((preferred(v), v));
        }
    }
    let mut sources: Vec<u32> = best.into_values().map(|(_, v)| v).collect();
    sources.sort_unstable();
    sources
}

/// The forest of Lengauer and Tarjan. Numbers are linked in falling order, so that those from a
/// bound on are linked and the others are roots: the link to the parent stands from the start.
struct Forest {
    links: Vec<Link>,
    path: Vec<u32>,
}

/// What is known of the way from a number up to its root, the root left out. Together, since all
/// of it is needed at each step and the steps go anywhere in memory.
#[derive(Clone, Copy)]
struct Link {
    ancestor: u32,
    /// The number of smallest semidominator on the way.
    label: u32,
    /// That semidominator.
    low: u32,
}

impl Forest {
    fn new(parent: Vec<u32>) -> Forest {
        let link = |(ancestor, i)| Link {
            ancestor,
            label: i,
            low: i,
        };
        Forest {
            links: parent.into_iter().zip(0..).map(link).collect(),
            path: Vec::new(),
        }
    }

    /// The best on the way from `v` to its root, the root left out; `v` itself where it is not
    /// linked. Numbers from `bound` on are linked.
    #[inline]
    fn best(&mut self, v: u32, bound: u32) -> Link {
        let own = self.links[v as usize];
        if v < bound || own.ancestor < bound {
            return own;
        }
        self.compress(v, bound);
        self.links[v as usize]
    }

    fn compress(&mut self, v: u32, bound: u32) {
        let mut x = v;
        loop {
            let ancestor = self.links[x as usize].ancestor;
            if ancestor < bound {
                break;
            }
            push(&mut self.path, x);
            x = ancestor;
        }
        let mut above = self.links[x as usize];
        while let Some(y) = self.path.pop() {
            let link = &mut self.links[y as usize];
            if above.low < link.low {
                (link.label, link.low) = (above.label, above.low);
            }
            link.ancestor = above.ancestor;
            above = *link;
        }
    }
}

impl Dominators {
    /// Sizes and intervals, bottom up and top down, in three passes.
    fn lay_out(&mut self, size: impl Fn(u32) -> u64) {
        let count = self.vertex.len();
        self.retained = vec![0; count];
        // The ends are numbers of objects until the places are known.
        self.places = vec![Interval { at: 0, end: 1 }; count];
        for i in (2..count).rev() {
            if i as u32 != self.garbage {
                let own = size(self.vertex[i]);
                self.retained[i] = self.retained[i].saturating_add(own);
            }
            let d = self.dom[i] as usize;
            self.places[d].end += self.places[i].end;
            // What is garbage is not the root's.
            if i as u32 != self.garbage {
                self.retained[d] = self.retained[d].saturating_add(self.retained[i]);
            }
        }
        let mut next = vec![0u32; count];
        if count > 1 {
            next[1] = 1;
        }
        for i in 2..count {
            let place = &mut self.places[i];
            let next_below = &mut next[self.dom[i] as usize];
            place.at = *next_below;
            *next_below += place.end;
            place.end = *next_below;
            next[i] = place.at + 1;
        }
    }

    /// Whether every way from a root to number `b` goes through number `a`.
    #[inline]
    pub fn dominates(&self, a: u32, b: u32) -> bool {
        let Interval { at, end } = self.places[a as usize];
        (at..end).contains(&self.places[b as usize].at)
    }

    /// Whether an object is held by a root.
    #[inline]
    pub fn is_reachable(&self, v: u32) -> bool {
        self.number[v as usize] < self.garbage
    }

    /// Bytes that an object keeps alive, its own included.
    pub fn retained_by(&self, v: u32) -> u64 {
        self.retained[self.number[v as usize] as usize]
    }

    /// The object that immediately dominates `v`; none where a root does.
    pub fn holder(&self, v: u32) -> Option<u32> {
        let d = self.dom[self.number[v as usize] as usize];
        (d != ROOT && d != self.garbage).then(|| self.vertex[d as usize])
    }

    /// Numbers in the order of the tree, parents first; both roots included.
    pub fn in_order(&self) -> Vec<u32> {
        let mut order = vec![0; self.vertex.len().saturating_sub(1)];
        for i in 1..self.vertex.len() {
            order[self.places[i].at as usize] = i as u32;
        }
        order
    }

    /// End of the subtree of a number in [`Dominators::in_order`], and its place.
    pub fn interval(&self, i: u32) -> (u32, u32) {
        let Interval { at, end } = self.places[i as usize];
        (at, end)
    }

    /// Bytes and objects that no root reaches.
    pub fn unreachable(&self) -> (u64, u64) {
        let objects = self.vertex.len() as u64 - 1 - u64::from(self.garbage);
        (self.retained[self.garbage as usize], objects)
    }
}
