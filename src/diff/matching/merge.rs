//! Joins paired rows in the table.

use super::ledger::Ledger;
use super::sites::World;
use super::{Match, MatchedBy, Matching, Pairs, Setup};
use crate::diff::table::{Ends, Side, SiteTable, Values};
use crate::model::{Column, StackId};

/// What becomes of a row: its place before and its place after, which differ when a stack is on
/// both sides but not the same site.
struct Places {
    before: Vec<u32>,
    after: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// Joins the pairs and the groups that could not be told apart; rows keep the order of their first
/// appearance. Cost: linear in the rows times the columns, and nothing if no row changes.
pub(super) fn apply(
    table: &mut SiteTable,
    world: &World<'_>,
    pairs: &Pairs,
    setup: &Setup,
    present: &[Vec<bool>; 2],
    doubtful: &[bool],
) -> Matching {
    let len = table.len();
    // Each side of a row starts as itself; the base side's part then joins the new side's.
    let mut partner: [Vec<u32>; 2] = [vec![NONE; len], vec![NONE; len]];
    let mut by: Vec<MatchedBy> = vec![MatchedBy::Exact; len];
    for &(a, b, tier) in &pairs.made {
        let (x, y) = (world.site(0, a).row, world.site(1, b).row);
        partner[0][x as usize] = y;
        partner[1][y as usize] = x;
        by[y as usize] = tier;
    }
    let mut group_of: [Vec<u32>; 2] = [vec![NONE; len], vec![NONE; len]];
    let mut groups: Vec<(u32, u32)> = Vec::new();
    if setup.collapse {
        for left in &pairs.left {
            let free = [0, 1].map(|side: usize| -> Vec<u32> {
                let rows = left[side].iter().map(|&i| world.site(side, i));
                let rows = rows.filter(|s| !s.done).map(|s| s.row);
                rows.filter(|&r| group_of[side][r as usize] == NONE)
                    .collect()
            });
            if free.iter().any(Vec::is_empty) {
                continue;
            }
            for (side, rows) in free.iter().enumerate() {
                for &row in rows {
                    group_of[side][row as usize] = groups.len() as u32;
                }
            }
            groups.push((free[0].len() as u32, free[1].len() as u32));
        }
    }
    let mut rows: Vec<Match> = Vec::new();
    let mut stacks: Vec<StackId> = Vec::new();
    let mut group_row = vec![NONE; groups.len()];
    let mut places = Places {
        before: vec![NONE; len],
        after: vec![NONE; len],
    };
    let mut add = |by: MatchedBy, stack, base_stack: Option<StackId>, became| -> u32 {
        rows.push(Match {
            by,
            base_stack: base_stack.filter(|&s| s != stack),
            became,
        });
        stacks.push(stack);
        rows.len() as u32 - 1
    };
    for row in 0..len {
        let stack = table.stacks[row];
        for side in 0..2 {
            if !present[side][row] {
                continue;
            }
            let place = [&places.before, &places.after][side][row];
            if place != NONE {
                continue;
            }
            let other = partner[side][row];
            let group = group_of[side][row];
            let whole = present[0][row] && present[1][row] && !doubtful[row];
            if whole {
                let new = add(MatchedBy::Exact, stack, None, None);
                (places.before[row], places.after[row]) = (new, new);
            } else if other != NONE {
                let (x, y) = match side {
                    0 => (row, other as usize),
                    _ => (other as usize, row),
                };
                let new = add(by[y], table.stacks[y], Some(table.stacks[x]), None);
                (places.before[x], places.after[y]) = (new, new);
            } else {
                let new = match group_row.get(group as usize) {
                    Some(&known) if known != NONE => known,
                    Some(_) => add(
                        MatchedBy::Ambiguous,
                        stack,
                        None,
                        groups.get(group as usize).copied(),
                    ),
                    None => {
                        let only = [MatchedBy::OnlyBefore, MatchedBy::OnlyAfter][side];
                        add(only, stack, None, None)
                    }
                };
                if let Some(slot) = group_row.get_mut(group as usize) {
                    *slot = new;
                }
                [&mut places.before, &mut places.after][side][row] = new;
            }
        }
        // A stack that no capture of either end has, or that filters left empty.
        if places.before[row] == NONE && places.after[row] == NONE {
            let new = add(MatchedBy::Exact, stack, None, None);
            (places.before[row], places.after[row]) = (new, new);
        }
    }
    // A group is shown by the largest stack of the new side, and identified by that of the base.
    let largest = [0, 1].map(|side| largest(table, world, &group_of[side], groups.len(), side));
    for (group, &row) in group_row.iter().enumerate() {
        let [before, after] = [0, 1].map(|side: usize| largest[side][group]);
        if let (Some(m), Some(before), Some(after)) = (rows.get_mut(row as usize), before, after) {
            let [before, after] = [before, after].map(|r| table.stacks[r as usize]);
            stacks[row as usize] = after;
            m.base_stack = Some(before).filter(|&s| s != after);
        }
    }
    if stacks != table.stacks || !pairs.made.is_empty() {
        join(table, &places, stacks, &setup.sides);
    }
    let numbers =
        |columns: &[Column], row: usize| columns.get(table.chosen).map_or(0, |c| c.get(row));
    let counted = rows.iter().enumerate().map(|(row, m)| {
        let before = numbers(table.values.before(), row);
        (m.by, before, numbers(table.values.after(), row))
    });
    let ledger = Ledger::of(counted);
    Matching { rows, ledger }
}

/// The row with the largest value of each group on one side; of equal ones that whose frames come
/// first in the order of text, so that the order of samples does not show.
fn largest(
    table: &SiteTable,
    world: &World<'_>,
    group_of: &[u32],
    groups: usize,
    side: usize,
) -> Vec<Option<u32>> {
    let values = [table.values.before(), table.values.after()][side];
    let size = |row: u32| values.get(table.chosen).map_or(0, |c| c.get(row as usize));
    let frames = |row: u32| {
        let stack = table.stacks[row as usize];
        world.symbols.stacks.frames(stack).map(|id| {
            let frame = world.symbols.frames.get(id);
            let text = |id| world.symbols.strings.get(id);
            (
                text(frame.function),
                text(frame.file),
                frame.line,
                frame.column,
            )
        })
    };
    let mut out: Vec<Option<u32>> = vec![None; groups];
    for (row, &group) in group_of.iter().enumerate() {
        let Some(best) = out.get_mut(group as usize) else {
            continue;
        };
        let row = row as u32;
        let better = best.is_none_or(|other| {
            let by_size = size(row).cmp(&size(other));
            by_size.then_with(|| frames(other).cmp(frames(row))).is_gt()
        });
        if better {
            *best = Some(row);
        }
    }
    out
}

/// Adds the columns up by their rows' new places: those of the base side (of the first capture,
/// where there is one side) by the places before.
fn join(table: &mut SiteTable, places: &Places, stacks: Vec<StackId>, sides: &[Side]) {
    let len = stacks.len();
    let before = |columns: &mut Vec<Column>| add_up(columns, &places.before, len);
    let after = |columns: &mut Vec<Column>| add_up(columns, &places.after, len);
    let Values {
        base,
        new: Ends { first, last },
        series,
        blocks,
        variances,
    } = &mut table.values;
    match base {
        Some(base) => {
            before(&mut base.first);
            before(&mut base.last);
            after(first);
        }
        None => before(first),
    }
    after(last);
    let two_sides = sides.contains(&Side::Base);
    if blocks.len() != sides.len() {
        // Without one for each capture there is no telling whose they are.
        blocks.clear();
    }
    let map = |i: usize| match two_sides {
        true if sides.get(i) == Some(&Side::Base) => &places.before,
        false if i == 0 => &places.before,
        _ => &places.after,
    };
    for columns in [series, blocks] {
        for (i, column) in columns.iter_mut().enumerate() {
            add_up(std::slice::from_mut(column), map(i), len);
        }
    }
    for (i, column) in variances.iter_mut().enumerate() {
        let mut sums = vec![0.0; len];
        for (value, &place) in column.iter().zip(map(i)) {
            if let Some(slot) = sums.get_mut(place as usize) {
                *slot += value;
            }
        }
        *column = sums;
    }
    let mut presence = vec![0; len];
    for (row, &bits) in table.presence.iter().enumerate() {
        for place in [places.before[row], places.after[row]] {
            if let Some(slot) = presence.get_mut(place as usize) {
                *slot |= bits;
            }
        }
    }
    table.presence = presence;
    table.stacks = stacks;
}

fn add_up(columns: &mut [Column], places: &[u32], len: usize) {
    for column in columns {
        let mut sums = Column::zeros(len);
        for (row, &place) in places.iter().enumerate().take(column.len()) {
            let (value, place) = (column.get(row), place as usize);
            if value != 0 && place < len {
                let old = sums.get(place);
                sums.set(place, old.saturating_add(value));
            }
        }
        *column = sums;
    }
}
