//! Why much was not recognised, in words that say what to capture instead.

use super::forms::{Form, flag};
use super::sites::World;
use super::{MatchedBy, Matching};
use crate::diff::table::SiteTable;

/// What each side is called.
const SIDES: [&str; 2] = ["before", "after"];

/// The reasons that apply, the most telling first; none where little was not recognised.
pub(super) fn reasons(
    world: &World<'_>,
    table: &SiteTable,
    matching: &Matching,
    skipped: usize,
) -> Vec<String> {
    let mut out = Vec::new();
    if matching.ledger.is_doubtful() {
        no_lines(world, &mut out);
        short_names(world, &mut out);
        unnamed(world, &mut out);
        minified(world, &mut out);
        cut(world, &mut out);
        became(world, table, matching, &mut out);
    }
    if skipped > 0 {
        out.push(format!(
            "{skipped} sets of sites were too large to compare one by one and are not matched"
        ));
    }
    out
}

fn open_forms<'w>(world: &'w World<'_>, side: usize) -> impl Iterator<Item = &'w Form> {
    world
        .open(side)
        .flat_map(move |i| world.user_forms(side, i))
}

/// The share of the user frames of what is left of which something is true.
fn share(world: &World<'_>, side: usize, is: impl Fn(&Form) -> bool) -> Option<f64> {
    let (mut all, mut of) = (0u64, 0u64);
    for form in open_forms(world, side) {
        all += 1;
        of += u64::from(is(form));
    }
    (all > 0).then(|| of as f64 / all as f64)
}

fn no_lines(world: &World<'_>, out: &mut Vec<String>) {
    let lines = [0, 1].map(|s| share(world, s, |f| f.line() != 0));
    let ([Some(a), Some(b)], [before, after]) = (lines, SIDES) else {
        return;
    };
    for (lacks, side, other, n) in [
        (a < 0.5 && b >= 0.5, before, after, world.open(1).count()),
        (b < 0.5 && a >= 0.5, after, before, world.open(0).count()),
    ] {
        if lacks {
            out.push(format!(
                "no line information {side}: {} fall together there. Build both with debug \
                 information (Rust: debug = 1 or 2)",
                sites_of(n as u64, other)
            ));
        }
    }
}

fn sites_of(n: u64, side: &str) -> String {
    match n {
        1 => format!("1 site of the capture {side}"),
        n => format!("{n} sites of the capture {side}"),
    }
}

fn short_names(world: &World<'_>, out: &mut Vec<String>) {
    let full = [0, 1].map(|s| share(world, s, |f| f.is(flag::QUALIFIED)));
    if let [Some(a), Some(b)] = full
        && (a - b).abs() > 0.5
    {
        let side = SIDES[usize::from(b < a)];
        out.push(format!(
            "short function names {side}: build both with the same debug setting"
        ));
    }
}

fn unnamed(world: &World<'_>, out: &mut Vec<String>) {
    if world
        .forms
        .of
        .iter()
        .all(|f| f.iter().any(|f| f.is(flag::UNNAMED)))
    {
        out.push(
            "these captures record lines only, and the files were edited: use memray, or compare \
             with --group-by file"
                .into(),
        );
    }
}

fn minified(world: &World<'_>, out: &mut Vec<String>) {
    let script = world.forms.minified.iter().flatten().next();
    if let Some(script) = script {
        out.push(format!(
            "{script} is minified: capture the unminified bundle; keeping names does not help"
        ));
    }
}

/// Stacks that end before an entry of the program, at the depth at which most do.
fn cut(world: &World<'_>, out: &mut Vec<String>) {
    for side in 0..2 {
        let (mut all, mut cut) = (0usize, Vec::new());
        for i in world.open(side) {
            all += 1;
            let site = world.site(side, i);
            if site.cut {
                cut.push(world.symbols.stacks.frames(site.stack).count());
            }
        }
        cut.sort_unstable();
        let usual = cut.chunk_by(|x, y| x == y).max_by_key(|c| (c.len(), c[0]));
        let Some(usual) = usual.filter(|c| c.len() * 2 >= cut.len() && c[0] > 2) else {
            continue;
        };
        let percent = (cut.len() * 100).div_ceil(all.max(1));
        if percent >= 10 {
            out.push(format!(
                "{percent} % of the unmatched stacks {} are cut at depth {}: capture deeper ones \
                 (dhat: trim_backtraces(None), Valgrind: --num-callers=40)",
                SIDES[side], usual[0]
            ));
        }
    }
}

/// The largest of the rows that are several sites.
fn became(world: &World<'_>, table: &SiteTable, matching: &Matching, out: &mut Vec<String>) {
    let bytes = |row: usize| {
        [table.values.before(), table.values.after()]
            .iter()
            .filter_map(|c| c.get(table.chosen))
            .map(|c| c.get(row).unsigned_abs())
            .max()
    };
    let rows = matching.rows.iter().enumerate();
    let largest = rows
        .filter(|(_, m)| m.by == MatchedBy::Ambiguous)
        .max_by_key(|(row, _)| (bytes(*row), std::cmp::Reverse(*row)));
    let Some((row, m)) = largest else { return };
    let (Some((n, became)), Some(&stack)) = (m.became, table.stacks.get(row)) else {
        return;
    };
    let frames = world.symbols.stacks.frames(stack).rev();
    let owner = frames
        .map(|f| world.forms.get(1, f))
        .find(|f| f.is(flag::USER));
    let name = owner.map_or("one function", |f| world.forms.text(f.sym));
    let s = if n == 1 { "" } else { "s" };
    out.push(format!(
        "{n} site{s} became {became} in {name}, and which is which cannot be told: their sum is \
         compared"
    ));
}
