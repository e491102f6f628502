//! Second implementations, slow and plain, and petgraph's: ours must agree with them.

use super::components::components;
use super::dominators::{ROOT, dominators};
use super::rows::{OwnRows, Rows};
use petgraph::algo::{dominators::simple_fast, kosaraju_scc};
use proptest::prelude::*;

/// Rows of a list of references.
pub fn rows_of(n: u32, edges: &[(u32, u32)]) -> OwnRows {
    let mut offsets = vec![0];
    let mut targets = Vec::new();
    for v in 0..n {
        targets.extend(edges.iter().filter(|e| e.0 == v).map(|e| e.1));
        offsets.push(targets.len() as u32);
    }
    OwnRows { offsets, targets }
}

/// What can be reached from `from` without `without`.
fn reached(rows: Rows<'_>, from: &[u32], without: Option<u32>) -> Vec<bool> {
    let mut seen = vec![false; rows.len()];
    let mut todo: Vec<u32> = from.to_vec();
    while let Some(v) = todo.pop() {
        if Some(v) == without || std::mem::replace(&mut seen[v as usize], true) {
            continue;
        }
        todo.extend(rows.of_node(v));
    }
    seen
}

fn graphs(most: u32) -> impl Strategy<Value = (u32, Vec<(u32, u32)>, Vec<u32>)> {
    (1..=most).prop_flat_map(move |n| {
        let edges = proptest::collection::vec((0..n, 0..n), 0..(3 * n as usize));
        let roots = proptest::collection::vec(0..n, 0..3);
        (Just(n), edges, roots)
    })
}

fn check(n: u32, edges: &[(u32, u32)], roots: &[u32]) {
    let own = rows_of(n, edges);
    let (rows, back) = (own.rows(), own.rows().reversed());
    let sizes: Vec<u64> = (0..n).map(|v| 1 << (v % 40)).collect();
    let tree = dominators(rows, back.rows(), roots, |v| sizes[v as usize], |v| v);
    let alive = reached(rows, roots, None);
    let mut all = 0;
    for v in 0..n {
        assert_eq!(
            tree.is_reachable(v),
            alive[v as usize],
            "{edges:?} {roots:?}"
        );
        if !alive[v as usize] {
            continue;
        }
        let without = reached(rows, roots, Some(v));
        let lost = |w: &u32| alive[*w as usize] && !without[*w as usize];
        let freed: u64 = (0..n).filter(lost).map(|w| sizes[w as usize]).sum();
        assert_eq!(tree.retained_by(v), freed, "{v} of {edges:?} {roots:?}");
        for w in 0..n {
            let (i, j) = (tree.number[v as usize], tree.number[w as usize]);
            if alive[w as usize] {
                assert_eq!(tree.dominates(i, j), lost(&w));
            }
        }
        all += sizes[v as usize];
    }
    assert_eq!(tree.retained[ROOT as usize], all);
    let dead: u64 = (0..n)
        .filter(|v| !alive[*v as usize])
        .map(|v| sizes[v as usize])
        .sum();
    assert_eq!(tree.unreachable().0, dead);
    assert_eq!(
        tree.unreachable().1 as usize,
        alive.iter().filter(|a| !**a).count()
    );
}

fn check_petgraph(n: u32, edges: &[(u32, u32)], roots: &[u32]) {
    // petgraph wants one root: object n.
    let mut with_root = edges.to_vec();
    with_root.extend(roots.iter().map(|&r| (n, r)));
    let own = rows_of(n + 1, &with_root);
    let theirs = simple_fast(own.rows(), n);
    let plain = rows_of(n, edges);
    let back = plain.rows().reversed();
    let tree = dominators(plain.rows(), back.rows(), roots, |_| 1, |v| v);
    for v in 0..n {
        let ours = tree.is_reachable(v).then(|| tree.holder(v).unwrap_or(n));
        assert_eq!(ours, theirs.immediate_dominator(v));
    }
    let mut graph = petgraph::graph::DiGraph::<(), ()>::new();
    let nodes: Vec<_> = (0..n).map(|_| graph.add_node(())).collect();
    for &(a, b) in edges {
        graph.add_edge(nodes[a as usize], nodes[b as usize], ());
    }
    let found = components(plain.rows(), |_| true, |_, _| true);
    let mut theirs: Vec<Vec<u32>> = kosaraju_scc(&graph)
        .into_iter()
        .map(|c| {
            let mut c: Vec<u32> = c.into_iter().map(|i| i.index() as u32).collect();
            c.sort_unstable();
            c
        })
        .collect();
    theirs.sort();
    assert_eq!(found.count as usize, theirs.len());
    theirs.retain(|c| c.len() > 1 || edges.contains(&(c[0], c[0])));
    let cyclic = found.cyclic(plain.rows(), |_, _| true);
    let mut ours: Vec<Vec<u32>> = (0..cyclic.len()).map(|i| cyclic.get(i).to_vec()).collect();
    ours.sort();
    assert_eq!(ours, theirs);
    for &(a, b) in edges {
        assert!(found.of[a as usize] <= found.of[b as usize], "order");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn dominators_and_components_agree_with_the_oracles((n, edges, roots) in graphs(12)) {
        check(n, &edges, &roots);
        check_petgraph(n, &edges, &roots);
    }

    #[test]
    fn and_on_larger_graphs((n, edges, roots) in graphs(60)) {
        check(n, &edges, &roots);
        check_petgraph(n, &edges, &roots);
    }
}

#[test]
fn every_shape_is_walked_without_recursion() {
    let n: u32 = 300_000;
    let list: Vec<_> = (0..n - 1).map(|v| (v, v + 1)).collect();
    let double: Vec<_> = list.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
    let ring: Vec<_> = (0..n).map(|v| (v, (v + 1) % n)).collect();
    let star: Vec<_> = (1..n).map(|v| (0, v)).collect();
    // Two chains whose rungs cross back: quadratic for the iterative scheme.
    let half = n / 2;
    let ladder: Vec<_> = (0..half - 1)
        .flat_map(|v| {
            [
                (v, v + 1),
                (half + v, half + v + 1),
                (v + 1, half + v),
                (half + v + 1, v),
            ]
        })
        .collect();
    for (edges, cycles) in [(list, 0), (double, 1), (ring, 1), (star, 0), (ladder, 1)] {
        let mut offsets = vec![0u32; n as usize + 1];
        for e in &edges {
            offsets[e.0 as usize + 1] += 1;
        }
        for v in 0..n as usize {
            offsets[v + 1] += offsets[v];
        }
        let mut at = offsets.clone();
        let mut targets = vec![0; edges.len()];
        for &(a, b) in &edges {
            targets[at[a as usize] as usize] = b;
            at[a as usize] += 1;
        }
        let own = OwnRows { offsets, targets };
        let back = own.rows().reversed();
        let tree = dominators(own.rows(), back.rows(), &[0], |_| 1, |v| v);
        assert_eq!(tree.retained_by(0) + tree.unreachable().0, n as u64);
        let found = components(own.rows(), |_| true, |_, _| true);
        assert_eq!(found.cyclic(own.rows(), |_, _| true).len().min(1), cycles);
    }
}
