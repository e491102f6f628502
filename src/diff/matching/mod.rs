//! Sites recognised across builds.
//!
//! Rows with equal frames are one site already. What only one of the two sides has is paired here,
//! tier by tier from strict to lax, one to one: a paired site takes no part in later tiers, and no
//! tier joins two sites of one side. Sites that cannot be told apart are not paired by guess: as
//! "n sites became m" they are one row with their sum.
//!
//! Lines are trusted where a file has not moved: see [`linemap`]. Nothing depends on the order of
//! a hash, and swapping the sides gives the same pairs.

mod callers;
mod forms;
mod ledger;
mod linemap;
mod merge;
mod moved;
mod reasons;
mod resolve;
mod sites;
mod source;
mod subsequence;
mod tiers;

pub use ledger::{Ledger, Share};

use super::table::{Side, SiteTable};
use crate::model::{StackId, Symbols};
use crate::normalize::{Language, PathMap};
use forms::{Forms, flag};
use linemap::LineMap;
use sites::{Half, Key, World};

/// How a row was recognised in the captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchedBy {
    /// Equal frames on both sides.
    Exact,
    /// Equal frames but for lines.
    Line,
    /// Equal names once a build's noise is gone from them.
    Symbol,
    /// Equal names in files of another place or version.
    Path,
    /// Equal frames of the program itself, inlining and library frames aside.
    Inline,
    /// The same place in the source.
    Source,
    /// The same owner or called function under mostly the same callers.
    Moved,
    /// Sites that could not be told apart, as one row.
    Ambiguous,
    /// Rows of one group.
    Group,
    /// Only before.
    OnlyBefore,
    /// Only after.
    OnlyAfter,
}

impl MatchedBy {
    /// The tiers in order, strongest first.
    pub const TIERS: [MatchedBy; 7] = [
        MatchedBy::Exact,
        MatchedBy::Line,
        MatchedBy::Symbol,
        MatchedBy::Path,
        MatchedBy::Inline,
        MatchedBy::Source,
        MatchedBy::Moved,
    ];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchedBy::Exact => "exact",
            MatchedBy::Line => "line",
            MatchedBy::Symbol => "symbol",
            MatchedBy::Path => "path",
            MatchedBy::Inline => "inline",
            MatchedBy::Source => "source",
            MatchedBy::Moved => "moved",
            MatchedBy::Ambiguous => "group",
            MatchedBy::Group => "group",
            MatchedBy::OnlyBefore => "only-before",
            MatchedBy::OnlyAfter => "only-after",
        }
    }
}

/// What is known about the captures, and how far to go.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The side of each capture, in the order of the table's columns.
    pub sides: Vec<Side>,
    /// The language that the format fixes.
    pub language: Language,
    /// The user's mapping of paths.
    pub paths: PathMap,
    /// The last tier, one of [`MatchedBy::TIERS`].
    pub upto: MatchedBy,
    /// Whether sites that cannot be told apart become one row.
    pub collapse: bool,
}

/// How one row of the table was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// By which tier.
    pub by: MatchedBy,
    /// The stack before, where it differs from the row's.
    pub base_stack: Option<StackId>,
    /// For [`MatchedBy::Ambiguous`]: how many sites before became how many after.
    pub became: Option<(u32, u32)>,
}

/// The outcome: one entry per row of the table, and the sums.
#[derive(Debug, Clone, Default)]
pub struct Matching {
    /// Row by row.
    pub rows: Vec<Match>,
    /// What was recognised by what.
    pub ledger: Ledger,
}

/// The pairs made so far, and the groups that could not be told apart.
#[derive(Debug)]
struct Pairs {
    tier: MatchedBy,
    upto: MatchedBy,
    made: Vec<(u32, u32, MatchedBy)>,
    left: Vec<[Vec<u32>; 2]>,
}

impl Pairs {
    /// Makes a pair, unless its tier is beyond the last one.
    fn take(&mut self, world: &mut World<'_>, a: u32, b: u32) {
        let tier = match self.tier {
            MatchedBy::Line => spelled(world, a, b),
            tier => tier,
        };
        if tier > self.upto {
            return;
        }
        world.halves[0].sites[a as usize].done = true;
        world.halves[1].sites[b as usize].done = true;
        self.made.push((a, b, tier));
    }

    /// Members that could not be told apart.
    fn leave(&mut self, world: &mut World<'_>, left: [Vec<u32>; 2]) {
        if left.iter().all(|list| !list.is_empty()) {
            self.blur(world, &left[0], &left[1]);
            self.left.push(left);
        }
    }

    /// Keeps sites out of the moved tier: a stronger tier could not tell them apart.
    fn blur(&mut self, world: &mut World<'_>, a: &[u32], b: &[u32]) {
        for (side, list) in [a, b].into_iter().enumerate() {
            for &i in list {
                world.halves[side].sites[i as usize].ambiguous = true;
            }
        }
    }
}

/// Equal names without ordinals: are they the same site, the same but for lines, or but for the
/// noise in their names?
fn spelled(world: &World<'_>, a: u32, b: u32) -> MatchedBy {
    let (x, y) = (world.site(0, a).stack, world.site(1, b).stack);
    if x == y {
        return MatchedBy::Exact;
    }
    let symbols = world.symbols;
    let names = |stack| {
        let frames = symbols.stacks.frames(stack);
        frames.map(|f| symbols.frames.get(f).function)
    };
    match names(x).eq(names(y)) {
        true => MatchedBy::Line,
        false => MatchedBy::Symbol,
    }
}

/// Rows of which side, and which of them are on both.
fn presence(table: &SiteTable, sides: &[Side]) -> Option<[Vec<bool>; 2]> {
    let two_sides = sides.contains(&Side::Base);
    if sides.len() < 2 || (!two_sides && sides.len() != 2) || !table.tags.is_empty() {
        return None;
    }
    let [before, after] = match two_sides {
        true => [
            SiteTable::IN_BASE,
            SiteTable::IN_FIRST | SiteTable::IN_LATER,
        ],
        false => [SiteTable::IN_FIRST, SiteTable::IN_LATER],
    };
    Some([before, after].map(|bits| table.presence.iter().map(|p| p & bits != 0).collect()))
}

/// Pairs the rows of `table` that only one side has, and joins them in the table: the columns of
/// the base side (of the first of two captures) with those of the new one. `None` where there is
/// nothing to pair: a series of one program, rows told apart by a label.
///
/// Cost: one pass over all stacks; per tier one pass over the frames of what is left, each frame
/// normalised once a side; the last tiers are bounded per bucket.
pub fn match_sites(table: &mut SiteTable, symbols: &Symbols, setup: &Setup) -> Option<Matching> {
    let present = presence(table, &setup.sides)?;
    if table.is_empty() {
        return None;
    }
    let mut world = look_at(table, symbols, setup, &present);
    let mut exact: u64 = 0;
    let doubtful = doubtful_rows(&world, table, &present);
    for (row, &stack) in table.stacks.iter().enumerate() {
        let on = [present[0][row], present[1][row]];
        if on[0] && on[1] && !doubtful[row] {
            exact += 1;
            continue;
        }
        for side in (0..2).filter(|&s| on[s]) {
            let columns = [table.values.before(), table.values.after()][side];
            let bytes = columns.get(table.chosen).map_or(0, |c| c.get(row));
            world.add(side, row as u32, stack, bytes);
        }
    }
    let smaller = world.halves.iter().map(|h| h.sites.len()).min();
    world.same_code = exact >= smaller.unwrap_or(0) as u64 && exact > 0;
    let mut pairs = Pairs {
        tier: MatchedBy::Line,
        upto: setup.upto,
        made: Vec::new(),
        left: Vec::new(),
    };
    let skipped = run_tiers(&mut world, &mut pairs, exact);
    let mut matching = merge::apply(table, &world, &pairs, setup, &present, &doubtful);
    matching.ledger.reasons = reasons::reasons(&world, table, &matching, skipped);
    Some(matching)
}

/// Normalises the frames of both sides and maps their lines.
fn look_at<'a>(
    table: &SiteTable,
    symbols: &'a Symbols,
    setup: &Setup,
    present: &[Vec<bool>; 2],
) -> World<'a> {
    let mut seen = [0, 1].map(|_| vec![false; symbols.frames.len()]);
    for (row, &stack) in table.stacks.iter().enumerate() {
        for frame in symbols.stacks.frames(stack) {
            for side in 0..2 {
                seen[side][frame.index()] |= present[side][row];
            }
        }
    }
    let mut forms = Forms::new(symbols, &seen, setup.language, &setup.paths);
    let mut map = LineMap::new(&mut forms);
    let stacks = [0, 1].map(|side| -> Vec<StackId> {
        let rows = table.stacks.iter().zip(&present[side]);
        rows.filter(|(_, on)| **on).map(|(&s, _)| s).collect()
    });
    map.map(&forms, symbols, [&stacks[0], &stacks[1]]);
    let has_elided = [0, 1].map(|s: usize| forms.of[s].iter().any(|f| f.is(flag::ELIDED)));
    World {
        symbols,
        forms,
        map,
        halves: [Half::default(), Half::default()],
        same_code: false,
        elide: [
            has_elided[0] && !has_elided[1],
            has_elided[1] && !has_elided[0],
        ],
    }
}

/// Rows on both sides whose equal lines are no evidence: the file moved there, and another site
/// may have come to stand at the line.
fn doubtful_rows(world: &World<'_>, table: &SiteTable, present: &[Vec<bool>; 2]) -> Vec<bool> {
    if !world.map.edited {
        return vec![false; table.len()];
    }
    let doubtful = |(row, &stack): (usize, &StackId)| {
        let both = present[0][row] && present[1][row];
        both && world
            .symbols
            .stacks
            .frames(stack)
            .any(|f| world.map.is_doubtful(world.forms.get(0, f).group))
    };
    table.stacks.iter().enumerate().map(doubtful).collect()
}

/// Runs the tiers as far as wanted; returns the number of buckets that were too large.
fn run_tiers(world: &mut World<'_>, pairs: &mut Pairs, exact: u64) -> usize {
    const KEYS: [(MatchedBy, Key); 7] = [
        (MatchedBy::Line, Key::Line),
        (MatchedBy::Symbol, Key::Symbol),
        (MatchedBy::Path, Key::Path),
        (MatchedBy::Path, Key::File),
        (MatchedBy::Inline, Key::User),
        (MatchedBy::Inline, Key::Short),
        (MatchedBy::Inline, Key::Base),
    ];
    for (tier, key) in KEYS {
        if tier <= pairs.upto || (key == Key::Line && world.map.edited) {
            pairs.tier = tier;
            tiers::by_key(world, key, pairs);
        }
    }
    // Nothing says that the builds differ: then a stack that only one side has is just that.
    let recognised = pairs.made.iter().filter(|p| p.2 > MatchedBy::Exact).count() as u64;
    let differ = !world.same_code || world.map.edited || recognised * 50 > exact;
    let has_lines = world
        .forms
        .of
        .iter()
        .flatten()
        .any(|f| f.is(flag::USER) && f.line() != 0);
    let mut callers = callers::Callers::default();
    let mut skipped = 0;
    if differ && pairs.upto >= MatchedBy::Inline {
        pairs.tier = MatchedBy::Inline;
        skipped += subsequence::pair(world, pairs);
    }
    if differ && pairs.upto >= MatchedBy::Source {
        pairs.tier = MatchedBy::Source;
        source::pair(world, &mut callers, pairs);
    }
    if (differ || !has_lines) && pairs.upto >= MatchedBy::Moved {
        pairs.tier = MatchedBy::Moved;
        skipped += moved::pair(world, &mut callers, pairs);
    }
    skipped
}
