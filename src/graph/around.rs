//! The references right around a set of objects: what a program lets go of when it lets go of each
//! of them, wherever they are kept.

use super::cut::{Alike, CutKind, Cutter, MOST_REFERENCES, Plan, Shape, readiness};
use super::paths::source;
use super::rows::Marks;
use rustc_hash::FxHashMap;

/// So far above the set its own closures, promises and the like are looked for.
const FAR: usize = 6;
/// Objects above the set for each of its own.
const ABOVE: usize = 8;
/// A reference that a program writes: see [`readiness`].
const READY: u8 = 3;

impl Cutter<'_> {
    /// All references into a set from outside of it and of what it holds. Where code holds an
    /// object, as a closure does or the variables of a function, what holds that is taken instead.
    /// None where they are of more than four shapes, or where a root is on the way.
    ///
    /// Linear in the references into the set and what is right above; a bit an object.
    pub(super) fn around<'s>(&self, tops: &'s [u32]) -> Option<Plan<'s>> {
        let rooted = self.rooted();
        let backward = self.backward().rows();
        let mut held: Vec<(u32, u32)> = tops
            .iter()
            .map(|&v| self.tree.interval(self.tree.number[v as usize]))
            .collect();
        held.sort_unstable();
        let is_held = |p: u32| {
            let (at, _) = self.tree.interval(self.tree.number[p as usize]);
            let i = held.partition_point(|&(from, _)| from <= at);
            i > 0 && at < held[i - 1].1
        };
        let mut own = Marks::new(self.graph.len());
        for &v in tops {
            own.add(v);
        }
        let holds = |p: u32| self.tree.is_reachable(p) && !is_held(p);
        let ready = |p, e| readiness(self.graph, self.words, self.symbols, p, e);
        let most = tops.len().saturating_mul(ABOVE).saturating_add(64);
        let mut all = tops.to_vec();
        let mut from = 0;
        for _ in 0..FAR {
            let end = all.len();
            for i in from..end {
                let v = all[i];
                if rooted.contains(&v) || all.len() > most {
                    return None;
                }
                for &e in backward.of_node(v) {
                    let p = source(self.graph, e);
                    if !own.has(p) && holds(p) && ready(p, e) < READY {
                        own.add(p);
                        all.push(p);
                    }
                }
            }
            from = end;
        }
        if from < all.len() {
            return None;
        }
        let mut shapes: FxHashMap<Shape, Alike> = FxHashMap::default();
        let mut each = 0usize;
        for (i, &v) in all.iter().enumerate() {
            for &e in backward.of_node(v) {
                let p = source(self.graph, e);
                if !own.has(p) && holds(p) {
                    each += 1;
                    let alike = shapes.entry(self.shape_from(p, e)).or_default();
                    alike.add(p, e, i < tops.len());
                }
            }
        }
        let kind = match each {
            0 => return None,
            n if n <= tops.len() => CutKind::Bridge,
            _ => CutKind::MinCut,
        };
        let plan = Plan::new(kind, shapes, tops);
        plan.is_whole(each, MOST_REFERENCES).then_some(plan)
    }
}
