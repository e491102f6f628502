//! Whether the ends of a series are of one build of a program.

use super::SiteTable;
use crate::model::{FrameId, StrId, Symbols};
use rustc_hash::FxHashMap;

/// From this share of what is held in stacks that both ends have, or could have by their lines,
/// captures are of one build.
const SAME_BUILD: f64 = 0.5;
/// Up to this share in stacks that speak against one build, they still are.
const AGAINST: f64 = 0.1;

/// A function with its file.
type Place = (StrId, StrId);

/// What both ends know of the program's functions.
#[derive(Default)]
struct Known<'a> {
    /// The lines at which each end has a function.
    lines: FxHashMap<Place, [Vec<u32>; 2]>,
    /// Whether each end has a function of this name in a file of this base name.
    names: FxHashMap<(StrId, &'a str), [bool; 2]>,
}

/// What the stack of a row says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Its lines are those of the other end.
    OneBuild,
    /// A function of it stands at the other end with other lines only, or in another folder.
    TwoBuilds,
    /// Neither.
    Nothing,
}

/// Whether both ends of a series are of one build. A program that allocates elsewhere in every
/// capture, or a sample of one, has few stacks in common and is one build all the same: then the
/// functions that both ends know are called at the same lines, while those of another build have
/// moved. Without lines, or without `symbols`, the stacks alone decide.
///
/// Cost: linear in the rows, and in their frames where fewer than half of the bytes are of stacks
/// in common.
pub fn is_one_build(table: &SiteTable, symbols: Option<&Symbols>) -> bool {
    if table.shared_share() >= SAME_BUILD {
        return true;
    }
    let Some(symbols) = symbols else {
        return false;
    };
    let mut known = Known::default();
    for row in 0..table.len() {
        let ends = ends(table, row);
        for id in symbols.stacks.frames(table.stacks[row]) {
            let (place, line) = place(symbols, id);
            let name = (place.0, base_name(symbols.strings.get(place.1)));
            for end in (0..2).filter(|&e| ends[e] != 0 && line != 0) {
                known.lines.entry(place).or_default()[end].push(line);
                known.names.entry(name).or_default()[end] = true;
            }
        }
    }
    for of_end in known.lines.values_mut().flatten() {
        of_end.sort_unstable();
        of_end.dedup();
    }
    let mut sums = [[0u128; 3]; 2];
    for row in 0..table.len() {
        let ends = ends(table, row);
        for end in (0..2).filter(|&e| ends[e] != 0) {
            let says = match ends[1 - end] {
                0 => says(table, symbols, &known, row, end),
                _ => Says::OneBuild,
            };
            sums[end][says as usize] += ends[end].unsigned_abs() as u128;
        }
    }
    sums.iter().all(|sum| {
        let all = sum.iter().sum::<u128>().max(1) as f64;
        let share = |says: Says| sum[says as usize] as f64 / all;
        share(Says::OneBuild) >= SAME_BUILD && share(Says::TwoBuilds) <= AGAINST
    })
}

/// What a row that only one end has says by its lines.
fn says(table: &SiteTable, symbols: &Symbols, known: &Known<'_>, row: usize, end: usize) -> Says {
    let (mut lined, mut agree) = (0usize, 0usize);
    for id in symbols.stacks.frames(table.stacks[row]) {
        let (place, line) = place(symbols, id);
        if line == 0 {
            continue;
        }
        lined += 1;
        let Some(both) = known.lines.get(&place) else {
            continue;
        };
        let (here, there) = (&both[end], &both[1 - end]);
        if there.binary_search(&line).is_ok() {
            agree += 1;
        } else if !there.is_empty() && here.iter().all(|l| there.binary_search(l).is_err()) {
            return Says::TwoBuilds;
        } else if there.is_empty() {
            // The same file of another version or place.
            let name = (place.0, base_name(symbols.strings.get(place.1)));
            if known.names.get(&name).is_some_and(|ends| ends[1 - end]) {
                return Says::TwoBuilds;
            }
        }
    }
    match lined > 0 && agree * 2 >= lined {
        true => Says::OneBuild,
        false => Says::Nothing,
    }
}

fn base_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or("")
}

fn ends(table: &SiteTable, row: usize) -> [i64; 2] {
    let at = |columns: &[crate::model::Column]| columns[table.chosen].get(row);
    [at(table.values.before()), at(table.values.after())]
}

fn place(symbols: &Symbols, id: FrameId) -> (Place, u32) {
    let frame = symbols.frames.get(id);
    ((frame.function, frame.file), frame.line)
}
