//! Second implementations, slow and plain, and petgraph's: ours must agree with them.

use super::components::components;
use super::cut::{CutKind, Cutter, MOST_REFERENCES, cuttability, entries};
use super::dominators::{Dominators, ROOT, dominators};
use super::freed::{self, Removed};
use super::holders::shares;
use super::rows::{OwnRows, Rows};
use super::series::Series;
use super::signature::{Benign, Signatures};
use super::words::Words;
use crate::model::{EdgeKind, GraphBuilder, HeapGraph, Role, RootKind, Symbols};
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

/// A graph of one application type with equal labels, sizes distinct powers.
fn heap(n: u32, edges: &[(u32, u32)], roots: &[u32], kinds: &[EdgeKind]) -> (HeapGraph, Symbols) {
    let mut symbols = Symbols::default();
    let Symbols { strings, graph, .. } = &mut symbols;
    let labels: Vec<_> = kinds
        .iter()
        .map(|&k| graph.label_id(strings, k.as_str(), k))
        .collect();
    let types: Vec<_> = (0..n)
        .map(|v| graph.type_id(strings, &format!("app.T{}", v % 3), Role::Instance))
        .collect();
    let name = strings.intern("main");
    let mut b = GraphBuilder::by_ordinal();
    b.meta().runtime = "cpython".into();
    for v in 0..n {
        b.node(types[v as usize], 1 << (v % 40), None).unwrap();
        for (i, e) in edges.iter().enumerate().filter(|(_, e)| e.0 == v) {
            b.edge(e.1, labels[i % labels.len()]).unwrap();
        }
        b.end_row();
    }
    for &r in roots {
        b.root(r, RootKind::Module, name, false);
    }
    (b.finish(), symbols)
}

/// Bytes that roots reach without one reference, by its place.
fn alive_without(graph: &HeapGraph, cut: &[u32]) -> Vec<bool> {
    let mut seen = vec![false; graph.len()];
    let mut todo: Vec<u32> = graph.roots.iter().map(|r| r.node).collect();
    while let Some(v) = todo.pop() {
        if std::mem::replace(&mut seen[v as usize], true) {
            continue;
        }
        for e in graph.row(v) {
            if !cut.contains(&(e as u32)) {
                todo.push(graph.targets()[e]);
            }
        }
    }
    seen
}

fn bytes(graph: &HeapGraph, seen: &[bool]) -> u64 {
    let kept = |v: &u32| seen[*v as usize];
    (0..graph.len() as u32)
        .filter(kept)
        .map(|v| graph.size(v))
        .sum()
}

/// What each of several cuts frees, counted together.
fn freed_by(graph: &HeapGraph, dom: &Dominators, cuts: &[Vec<u32>]) -> Vec<u64> {
    let mut frees = Vec::new();
    for some in cuts.chunks(freed::TOGETHER) {
        let mut removed = Removed::default();
        for (k, cut) in some.iter().enumerate() {
            cut.iter().for_each(|&e| removed.add(e, k));
        }
        removed.settle();
        let starts = graph.roots.iter().map(|r| (r.node, freed::all(some.len())));
        let bits = freed::survivors(graph, starts, &removed, some.len());
        frees.extend(freed::lacking(graph, &bits, some.len(), |v| {
            dom.is_reachable(v)
        }));
    }
    frees
}

/// Shares of three sets that overlap, each set searched by itself.
fn check_shares(graph: &HeapGraph, n: u32) {
    let sets: Vec<Vec<u32>> = (2..5)
        .map(|k| (0..n).filter(|v| v % k == 1).collect())
        .collect();
    let into: Vec<u32> = (0..graph.edge_count() as u32)
        .filter(|&e| {
            sets.iter()
                .any(|s| s.contains(&graph.targets()[e as usize]))
        })
        .collect();
    let mut rooted = alive_without(graph, &into);
    sets.iter()
        .flatten()
        .for_each(|&v| rooted[v as usize] = false);
    let held: Vec<Vec<bool>> = sets
        .iter()
        .map(|set| {
            let mut seen = vec![false; graph.len()];
            let mut todo = set.clone();
            while let Some(v) = todo.pop() {
                if !std::mem::replace(&mut seen[v as usize], true) {
                    let row = graph.row(v).map(|e| graph.targets()[e]);
                    todo.extend(row.filter(|&w| !rooted[w as usize]));
                }
            }
            seen
        })
        .collect();
    let slices: Vec<(&[u32], bool)> = sets.iter().map(|s| (s.as_slice(), false)).collect();
    for (own, share) in held.iter().zip(shares(graph, &slices).0) {
        let objects = (0..n as usize).filter(|&v| own[v]);
        let parts = objects.map(|v| (held.iter().filter(|h| h[v]).count(), graph.size(v as u32)));
        let (mut even, mut alone) = (0.0, 0);
        for (holders, size) in parts {
            even += size as f64 / holders as f64;
            alone += if holders == 1 { size } else { 0 };
        }
        assert_eq!(share.exclusive, alone);
        assert!((share.share as f64 - even).abs() <= 0.51);
    }
}

fn check_cuts(n: u32, edges: &[(u32, u32)], roots: &[u32]) {
    let kinds = [
        EdgeKind::Attr,
        EdgeKind::Struct,
        EdgeKind::Attr,
        EdgeKind::Closure,
    ];
    let (graph, symbols) = heap(n, edges, roots, &kinds);
    let words = Words::new(&symbols, "cpython");
    let back = Rows::of(&graph).reversed();
    let dom = dominators(
        Rows::of(&graph),
        back.rows(),
        roots,
        |v| graph.size(v),
        |v| v,
    );
    let entries = entries(&graph, &dom);
    let all = bytes(&graph, &alive_without(&graph, &[]));
    let order = super::paths::ordered_roots(&graph, &symbols);
    let paths = super::paths::shortest(&graph, &words, &order, |_| false);
    let places = Rows::of(&graph).places_backward();
    let backward = std::cell::OnceCell::new();
    let cutter = Cutter {
        graph: &graph,
        words: &words,
        symbols: &symbols,
        tree: &dom,
        entries: &entries,
        paths: &paths,
        backward: &backward,
    };
    let ready = |e: u32| cuttability(&graph, &words, &symbols, e);
    let (mut named, mut expected) = (Vec::new(), Vec::new());
    for v in (0..n).filter(|&v| dom.is_reachable(v)) {
        let keeps = dom.retained_by(v);
        // Every single reference whose loss frees v, and what it frees.
        let singles: Vec<(u32, u64)> = (0..graph.edge_count() as u32)
            .filter_map(|e| {
                let left = alive_without(&graph, &[e]);
                (!left[v as usize]).then(|| (e, all - bytes(&graph, &left)))
            })
            .filter(|&(e, frees)| ready(e) > 0 && frees <= keeps + keeps / 5)
            .collect();
        let best = cutter.best_bridge(v);
        assert_eq!(
            best.is_some(),
            !singles.is_empty(),
            "{v} of {edges:?} {roots:?}"
        );
        if let Some(edge) = best {
            let frees = singles.iter().find(|s| s.0 == edge).map(|s| s.1);
            let frees = frees.expect("the named reference frees the suspect");
            named.push(vec![edge]);
            expected.push(frees);
            // What is further from the suspect frees more; of the most ready the nearest is named,
            // and none as near frees more.
            let better = singles
                .iter()
                .any(|s| ready(s.0) > ready(edge) || ready(s.0) == ready(edge) && s.1 < frees);
            assert!(
                !better,
                "another reference is nearer or more ready: {v} of {edges:?} {roots:?}"
            );
        }
        if let Some(cut) = cutter.min_cut(v, &places) {
            assert!(cut.len() <= MOST_REFERENCES);
            named.push(cut.clone());
            expected.push(all - bytes(&graph, &alive_without(&graph, &cut)));
            assert!(
                !alive_without(&graph, &cut)[v as usize],
                "{v} of {edges:?} {roots:?}"
            );
            let single = (0..graph.edge_count() as u32)
                .any(|e| ready(e) > 0 && !alive_without(&graph, &[e])[v as usize]);
            assert_eq!(cut.len() == 1, single, "{v} of {edges:?} {roots:?}");
        }
    }
    // All of them in one search free what each frees by itself.
    assert_eq!(
        freed_by(&graph, &dom, &named),
        expected,
        "{edges:?} {roots:?}"
    );
    let mut signatures = Signatures::default();
    let found = super::cycles::find(&graph, &words, &symbols, &dom, &mut signatures);
    let ties = |e: &(usize, &(u32, u32))| kinds[e.0 % kinds.len()] != EdgeKind::Struct;
    let tied: Vec<(u32, u32)> = edges
        .iter()
        .enumerate()
        .filter(ties)
        .map(|e| *e.1)
        .collect();
    let plain = rows_of(n, &tied);
    let components = components(plain.rows(), |_| true, |_, _| true);
    let cyclic = components.cyclic(plain.rows(), |_, _| true).len() as u32;
    let counted: u32 = found.found.values().map(|f| f.occurrences).sum();
    assert!(counted >= cyclic, "a component without a cycle: {edges:?}");
    assert_eq!(counted == 0, cyclic == 0);
    let tree = super::tree::path_tree(&graph, &symbols, &words, &order);
    let grouped: u32 = tree.groups.iter().map(|g| g.count).sum();
    let reached = (0..n).filter(|&v| dom.is_reachable(v)).count();
    assert_eq!(grouped as usize, reached, "each object is in one group");
    for v in 0..n {
        assert_eq!(paths.reaches(v), dom.is_reachable(v));
        assert_eq!(paths.to(&graph, v).is_some(), dom.is_reachable(v));
    }
    // Cuts that overlap: every third reference, every fifth, ...
    let overlapping: Vec<Vec<u32>> = (1..=freed::TOGETHER)
        .map(|k| {
            (0..graph.edge_count() as u32)
                .filter(move |e| ((e * 7 + 3) as usize).is_multiple_of(k + 1))
        })
        .map(Iterator::collect)
        .collect();
    let expected: Vec<u64> = overlapping
        .iter()
        .map(|cut| all - bytes(&graph, &alive_without(&graph, cut)))
        .collect();
    assert_eq!(
        freed_by(&graph, &dom, &overlapping),
        expected,
        "{edges:?} {roots:?}"
    );
    check_shares(&graph, n);
    let one: Vec<u32> = (0..n).filter(|&v| dom.is_reachable(v)).take(2).collect();
    for share in shares(&graph, &[(&one, false)]).0 {
        assert_eq!(share.share, share.exclusive);
    }
    // Where what grows are objects that roots hold, these roots go with them.
    let others: Vec<u32> = roots.iter().copied().filter(|r| !one.contains(r)).collect();
    let (without, _) = heap(n, edges, &others, &kinds);
    let into = (0..graph.edge_count() as u32).filter(|&e| {
        let to = graph.targets()[e as usize];
        one.contains(&to)
    });
    let left = alive_without(&without, &into.collect::<Vec<u32>>());
    for share in shares(&graph, &[(&one, true)]).0 {
        assert_eq!(share.exclusive, all - bytes(&graph, &left));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_a_cut_frees_is_what_removal_frees((n, edges, roots) in graphs(12)) {
        check_cuts(n, &edges, &roots);
    }
}

#[test]
fn a_ring_that_nothing_holds_is_broken_where_it_frees_all() {
    // 0 -> 1 -> 2 -> 0 and 2 -> 3: counted references keep all four.
    let edges = [(0, 1), (1, 2), (2, 0), (2, 3)];
    let (graph, symbols) = heap(4, &edges, &[], &[EdgeKind::Attr]);
    let words = Words::new(&symbols, "cpython");
    let back = Rows::of(&graph).reversed();
    let dom = dominators(Rows::of(&graph), back.rows(), &[], |v| graph.size(v), |v| v);
    let entries = entries(&graph, &dom);
    let mut signatures = Signatures::default();
    let found = super::cycles::find(&graph, &words, &symbols, &dom, &mut signatures);
    let paths = super::paths::shortest(&graph, &words, &[], |_| false);
    let backward = std::cell::OnceCell::new();
    let cycle = &found.found[&0];
    assert_eq!(
        (cycle.occurrences, cycle.unreachable, cycle.retained),
        (1, 1, 15)
    );
    assert_eq!(
        signatures.all()[0].text,
        "T0.attr -> T1.attr -> T2.attr -> T0"
    );
    let cutter = Cutter {
        graph: &graph,
        words: &words,
        symbols: &symbols,
        tree: &dom,
        entries: &entries,
        paths: &paths,
        backward: &backward,
    };
    let cut = cutter.of_unreachable(&[0, 1, 2], &found.components.of, 15);
    assert_eq!((cut.kind, cut.frees), (CutKind::BreakCycle, 15));
}

#[test]
fn a_long_list_is_one_group_and_its_pairs_are_links() {
    let n = 50_000;
    let mut symbols = Symbols::default();
    let Symbols { strings, graph, .. } = &mut symbols;
    let next = graph.label_id(strings, "next", EdgeKind::Attr);
    let prev = graph.label_id(strings, "prev", EdgeKind::Attr);
    let t = graph.type_id(strings, "app.Link", Role::Instance);
    let name = strings.intern("main");
    let mut b = GraphBuilder::by_ordinal();
    b.meta().runtime = "cpython".into();
    for v in 0..n {
        b.node(t, 8, None).unwrap();
        let mut row: Vec<_> = Vec::new();
        if v + 1 < n {
            row.push((v + 1, next));
        }
        if v > 0 {
            row.push((v - 1, prev));
        }
        for (w, l) in row {
            b.edge(w, l).unwrap();
        }
        b.end_row();
    }
    b.root(0, RootKind::Module, name, false);
    let graph = b.finish();
    let words = Words::new(&symbols, "cpython");
    let order = super::paths::ordered_roots(&graph, &symbols);
    let tree = super::tree::path_tree(&graph, &symbols, &words, &order);
    assert_eq!(
        tree.groups.len(),
        1,
        "the root holds a link, and the links are one group"
    );
    let mut series = Series::default();
    series.add(graph, &symbols, false, true);
    let outcome = series.finish(&symbols);
    assert_eq!(outcome.cycles.len(), 1);
    assert_eq!(outcome.cycles[0].benign, Some(Benign::Links));
}
