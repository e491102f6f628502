//! Frames that are too small to draw become one, which carries their sum.

use super::layout::Width;
use super::tree::{FlameNode, FlameTree};
use crate::diff::Growth;

/// A frame is drawn from this share of the picture on, in any of its widths.
const SHARE: i128 = 1000;

/// The tree without frames below a thousandth of every width; where more than `most` are left, the
/// bound rises until they are not. Cost: one pass for each doubling of the bound.
pub(super) fn prune(tree: &FlameTree, most: usize) -> FlameTree {
    let Some(root) = tree.nodes.first() else {
        return tree.clone();
    };
    let totals = Width::ALL.map(|w| w.of(&root.total));
    let keeps = |node: &FlameNode, per: i128| {
        let mut modes = Width::ALL.iter().zip(totals);
        modes.any(|(w, total)| total > 0 && w.of(&node.total).saturating_mul(per) >= total)
    };
    let mut per = SHARE;
    while per > 1 && tree.nodes.iter().filter(|n| keeps(n, per)).count() > most {
        per = per * 3 / 4;
    }
    rebuild(tree, |node| keeps(node, per))
}

/// Keeps the nodes that `keep` wants; a node is kept only if its parent is.
fn rebuild(tree: &FlameTree, keep: impl Fn(&FlameNode) -> bool) -> FlameTree {
    const GONE: u32 = u32::MAX;
    let captures = tree.captures;
    let mut kept = vec![GONE; tree.nodes.len()];
    // The kept ancestor under which each frame that is left out is summed up.
    let mut under = vec![GONE; tree.nodes.len()];
    for (i, node) in tree.nodes.iter().enumerate() {
        let parent = node.parent as usize;
        if i == 0 || (kept[parent] != GONE && keep(node)) {
            kept[i] = 0;
        } else {
            under[i] = if kept[parent] != GONE {
                parent as u32
            } else {
                under[parent]
            };
        }
    }
    let mut rest: indexmap::IndexMap<u32, Rest> = indexmap::IndexMap::new();
    for (i, node) in tree.nodes.iter().enumerate() {
        if kept[i] == GONE {
            let rest = rest.entry(under[i]).or_insert_with(|| Rest::new(captures));
            rest.add(node, tree.own_series(i), tree.ends.0);
        }
    }
    let ends = tree.ends_of_subtrees();
    let mut out = FlameTree {
        names: tree.names.clone(),
        places: tree.places.clone(),
        captures,
        ends: tree.ends,
        ..FlameTree::default()
    };
    // Sums stand behind the children of the frame that they belong to.
    let mut waiting: Vec<u32> = Vec::new();
    for i in 0..=tree.nodes.len() {
        while let Some(&owner) = waiting.last() {
            if i < ends[owner as usize] as usize {
                break;
            }
            waiting.pop();
            if let Some(rest) = rest.swap_remove(&owner) {
                rest.push(&mut out, kept[owner as usize]);
            }
        }
        let Some(node) = tree.nodes.get(i).filter(|_| kept[i] != GONE) else {
            continue;
        };
        kept[i] = out.nodes.len() as u32;
        let mut node = node.clone();
        node.parent = kept[node.parent as usize];
        out.nodes.push(node);
        out.series.extend_from_slice(tree.own_series(i));
        if rest.contains_key(&(i as u32)) {
            waiting.push(i as u32);
        }
    }
    let place = |&node: &u32| match kept[node as usize] {
        GONE => kept[under[node as usize] as usize],
        at => at,
    };
    out.row_nodes = tree.row_nodes.iter().map(place).collect();
    out
}

/// What several frames hold together.
struct Rest {
    node: FlameNode,
    series: Vec<i128>,
    moved: Vec<(i128, i128)>,
}

impl Rest {
    fn new(captures: usize) -> Rest {
        Rest {
            node: FlameNode {
                parent: 0,
                name: 0,
                own: Default::default(),
                total: Default::default(),
                growth: Growth::Unchanged,
                loud: false,
                allocator: 0,
                recursion: 1,
                smaller: 0,
                row: None,
            },
            series: vec![0; captures],
            moved: vec![(0, 0); captures],
        }
    }

    fn add(&mut self, node: &FlameNode, own: &[i128], before: usize) {
        self.node.own.add(node.own);
        self.node.loud |= node.loud;
        self.node.smaller += 1;
        let base = own.get(before).copied().unwrap_or_default();
        for (c, &value) in own.iter().enumerate() {
            self.series[c] += value;
            self.moved[c].0 += (value - base).max(0);
            self.moved[c].1 += (base - value).max(0);
        }
    }

    fn push(mut self, out: &mut FlameTree, parent: u32) {
        let own = self.node.own;
        self.node.growth = Growth::between(
            own.before.clamp(i64::MIN as i128, i64::MAX as i128) as i64,
            own.after.clamp(i64::MIN as i128, i64::MAX as i128) as i64,
        );
        self.node.total = own;
        self.node.parent = parent;
        out.pruned += self.node.smaller as usize;
        out.moved.push((out.nodes.len() as u32, self.moved));
        out.nodes.push(self.node);
        out.series.extend(self.series);
    }
}
