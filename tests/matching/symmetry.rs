//! Swapping the sides gives the same pairs, and pairs are one to one.

use heapdiff::diff::{
    Filters, MatchSetup, MatchedBy, Side, SiteTable, TableBuilder, View, match_sites,
};
use heapdiff::model::{Frame, Meta, Metric, Profile, ProfileBuilder, StackId, Symbols};
use heapdiff::normalize::{Language, PathMap};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Function, line, column of each frame, root first; and bytes.
type Site = (Vec<(u8, u8, u8)>, u8);

fn sites() -> impl Strategy<Value = Vec<Site>> {
    let frame = (0u8..8, 1u8..30, 0u8..2);
    prop::collection::vec((prop::collection::vec(frame, 1..6), 1u8..5), 1..14)
}

/// The next build: lines behind `from` move, a function gets another name, some sites go, some
/// frames are not shown.
fn rebuilt(base: &[Site], from: u8, by: u8, renamed: u8, gone: &[bool], hidden: u8) -> Vec<Site> {
    let mut out = Vec::new();
    for (i, (frames, bytes)) in base.iter().enumerate() {
        if gone.get(i).copied().unwrap_or(false) {
            continue;
        }
        let moved = |&(f, line, column): &(u8, u8, u8)| {
            let f = if f == renamed { f + 20 } else { f };
            (f, if line >= from { line + by } else { line }, column)
        };
        let shown = frames.iter().filter(|f| frames.len() < 2 || f.0 != hidden);
        let mut list: Vec<_> = shown.map(moved).collect();
        if list.is_empty() {
            list = frames.iter().map(moved).collect();
        }
        out.push((list, *bytes));
    }
    out
}

fn profile(sites: &[Site], symbols: &mut Symbols) -> Profile {
    let mut builder = ProfileBuilder::new(vec![Metric::known("live_bytes")]);
    for (frames, bytes) in sites {
        let ids: Vec<_> = frames
            .iter()
            .map(|&(f, line, column)| {
                let names = [
                    "main",
                    "app::run",
                    "app::f",
                    "alloc::vec::Vec::push",
                    "malloc",
                ];
                let name = names
                    .get(usize::from(f))
                    .map_or(format!("app::g{f}"), |n| (*n).to_owned());
                let function = symbols.strings.intern(&name);
                let file = symbols.strings.intern(&format!("src/m{}.rs", f % 2));
                symbols.frames.intern(Frame {
                    file,
                    line: line.into(),
                    column: column.into(),
                    ..Frame::named(function)
                })
            })
            .collect();
        let stack = symbols.stacks.intern_root_first(&ids);
        builder.add(stack, &[i64::from(*bytes) * 100]).unwrap();
    }
    builder.finish(Meta::default())
}

fn text(symbols: &Symbols, stack: StackId) -> String {
    let frames = symbols.stacks.frames(stack).map(|id| {
        let f = symbols.frames.get(id);
        format!(
            "{}:{}:{}",
            symbols.strings.get(f.function),
            f.line,
            f.column
        )
    });
    frames.collect::<Vec<_>>().join(";")
}

/// Every row as (before's stack, after's stack, tier, became).
type Found = BTreeSet<(String, String, &'static str, (u32, u32), (i64, i64))>;

fn pairs(base: &[Site], new: &[Site], swapped: bool) -> Found {
    let mut symbols = Symbols::default();
    let mut builder = TableBuilder::new("live_bytes", None);
    let mut view = View::new(Filters::default());
    for (list, side) in [(base, Side::Base), (new, Side::New)] {
        let p = profile(list, &mut symbols);
        builder
            .add(side, true, true, p, &mut view, &mut symbols)
            .unwrap();
    }
    let mut table: SiteTable = builder.finish();
    let sums = |t: &SiteTable| [t.values.before()[0].sum(), t.values.after()[0].sum()];
    let before = sums(&table);
    let setup = MatchSetup {
        sides: vec![Side::Base, Side::New],
        language: Language::Rust,
        paths: PathMap::default(),
        upto: MatchedBy::Moved,
        collapse: true,
    };
    let m = match_sites(&mut table, &symbols, &setup).unwrap();
    assert_eq!(sums(&table), before, "no byte is lost");
    assert_eq!(m.rows.len(), table.len());
    let mut out = Found::new();
    for (row, found) in m.rows.iter().enumerate() {
        let new = text(&symbols, table.stacks[row]);
        let old = text(&symbols, found.base_stack.unwrap_or(table.stacks[row]));
        let ends = (
            table.values.before()[0].get(row),
            table.values.after()[0].get(row),
        );
        let became = found.became.unwrap_or_default();
        let is_sum = found.by == MatchedBy::Ambiguous;
        // A sum is shown by its first members, whose order the sides need not share.
        let (old, new) = if is_sum {
            (String::new(), String::new())
        } else {
            (old, new)
        };
        out.insert(match (swapped, found.by) {
            (false, by) => (old, new, by.as_str(), became, ends),
            (true, MatchedBy::OnlyBefore) => (new, old, "only-after", became, (ends.1, ends.0)),
            (true, MatchedBy::OnlyAfter) => (new, old, "only-before", became, (ends.1, ends.0)),
            (true, by) => (
                new,
                old,
                by.as_str(),
                (became.1, became.0),
                (ends.1, ends.0),
            ),
        });
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn sides_are_equal(
        base in sites(),
        more in sites(),
        from in 1u8..40,
        by in 0u8..5,
        renamed in 0u8..12,
        gone in prop::collection::vec(any::<bool>(), 14),
        hidden in 0u8..12,
        keep in 0usize..4,
    ) {
        let mut new = rebuilt(&base, from, by, renamed, &gone, hidden);
        new.extend(more.into_iter().take(keep));
        if !new.is_empty() {
            prop_assert_eq!(pairs(&base, &new, false), pairs(&new, &base, true));
        }
    }
}
