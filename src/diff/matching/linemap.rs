//! Which place of a function on one side is which on the other.
//!
//! Lines are evidence inside one function only. Whether a file was edited is read off its
//! functions: below an insertion every one of them has moved as a whole. Where nothing has moved,
//! a place is itself; where something has, places are mapped by count, or between calls that occur
//! once on both sides. Never by a constant shift: with one allocation per line every shift fits.

use super::forms::{Form, Forms, NONE, flag};
use crate::model::{StackId, Symbols};
use rustc_hash::FxHashMap;

/// The places of one function.
#[derive(Debug, Default)]
struct Function {
    file: u32,
    name: u32,
    /// Line and column, ascending, per side.
    places: [Vec<u64>; 2],
    /// For each place of a side the index of its place on the other; [`NONE`] is unknown.
    to: [Vec<u32>; 2],
    /// The file moved here: lines are no evidence by themselves.
    edited: bool,
    /// The whole file of a format without names.
    unnamed: bool,
}

impl Function {
    fn is_shared(&self) -> bool {
        self.places.iter().all(|p| !p.is_empty())
    }

    fn is_equal(&self) -> bool {
        self.places[0] == self.places[1]
    }

    /// The lines by which all places moved, if all moved by the same.
    fn shift(&self) -> Option<i64> {
        let [a, b] = &self.places;
        if a.len() != b.len() || a.is_empty() || a == b {
            return None;
        }
        let line = |p: u64| (p >> 32) as i64;
        let by = line(b[0]) - line(a[0]);
        let all = a
            .iter()
            .zip(b)
            .all(|(&a, &b)| line(b) - line(a) == by && a as u32 == b as u32);
        (by != 0 && all).then_some(by)
    }

    fn common(&self) -> usize {
        let [a, b] = &self.places;
        a.iter().filter(|p| b.binary_search(p).is_ok()).count()
    }

    fn find(&self, side: usize, place: u64) -> Option<usize> {
        self.places[side].binary_search(&place).ok()
    }
}

/// The map of places; see the module.
#[derive(Debug)]
pub(super) struct LineMap {
    functions: Vec<Function>,
    /// The mapped lines of each file with the lines by which they moved, per side.
    moves: [FxHashMap<u32, Vec<(i64, i64)>>; 2],
    /// Whether any file was edited.
    pub edited: bool,
}

impl LineMap {
    /// Gathers the functions and their places; gives every user frame its function.
    pub fn new(forms: &mut Forms) -> LineMap {
        let mut functions: Vec<Function> = Vec::new();
        let mut ids: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for side in 0..2 {
            for form in &mut forms.of[side] {
                if !form.is(flag::USER) || form.is(flag::HOLE) || form.line() == 0 {
                    continue;
                }
                let next = functions.len() as u32;
                let id = *ids.entry((form.file, form.base)).or_insert(next);
                if id == next {
                    functions.push(Function {
                        file: form.file,
                        name: form.base,
                        unnamed: form.is(flag::UNNAMED),
                        ..Function::default()
                    });
                }
                form.group = id;
                functions[id as usize].places[side].push(form.position);
            }
        }
        for function in &mut functions {
            for places in &mut function.places {
                places.sort_unstable();
                places.dedup();
            }
        }
        let mut of_file: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (i, f) in functions.iter().enumerate() {
            if f.is_shared() {
                of_file.entry(f.file).or_default().push(i as u32);
            }
        }
        for list in of_file.values_mut() {
            // The same order seen from either side.
            list.sort_by_cached_key(|&i| {
                let f = &functions[i as usize];
                let first = f.places.each_ref().map(|p| p[0]);
                (
                    first[0] as u128 + first[1] as u128,
                    first[0].min(first[1]),
                    forms.text(f.name).to_owned(),
                )
            });
            mark_edits(list, &mut functions);
            for &i in list.iter() {
                let f = &mut functions[i as usize];
                f.edited |= f.unnamed && is_shifted(&f.places);
            }
        }
        let edited = functions.iter().any(|f| f.edited);
        LineMap {
            functions,
            moves: Default::default(),
            edited,
        }
    }

    /// Maps the places; `stacks` are all stacks of each side. Cost: one pass over the stacks, and
    /// only if an edited function has other places than before.
    pub fn map(&mut self, forms: &Forms, symbols: &Symbols, stacks: [&[StackId]; 2]) {
        let unclear =
            |f: &Function| f.edited && f.is_shared() && f.places[0].len() != f.places[1].len();
        let mut tokens: FxHashMap<u32, [Vec<Vec<u32>>; 2]> = FxHashMap::default();
        for (i, f) in self.functions.iter().enumerate() {
            if unclear(f) {
                let empty = |side: usize| vec![Vec::new(); f.places[side].len()];
                tokens.insert(i as u32, [empty(0), empty(1)]);
            }
        }
        if !tokens.is_empty() {
            for side in 0..2 {
                for &stack in stacks[side] {
                    self.note_calls(forms, symbols, side, stack, &mut tokens);
                }
            }
        }
        for (i, f) in self.functions.iter_mut().enumerate() {
            f.to = [vec![NONE; f.places[0].len()], vec![NONE; f.places[1].len()]];
            if !f.is_shared() {
                continue;
            }
            if !f.edited {
                for (k, place) in f.places[0].iter().enumerate() {
                    if let Ok(other) = f.places[1].binary_search(place) {
                        f.to[0][k] = other as u32;
                        f.to[1][other] = k as u32;
                    }
                }
            } else if let Some(tokens) = tokens.remove(&(i as u32)) {
                align(f, tokens);
            } else {
                for side in &mut f.to {
                    side.iter_mut().enumerate().for_each(|(k, t)| *t = k as u32);
                }
            }
        }
        self.note_moves();
    }

    /// Notes for each place of the wanted functions what is called there.
    fn note_calls(
        &self,
        forms: &Forms,
        symbols: &Symbols,
        side: usize,
        stack: StackId,
        tokens: &mut FxHashMap<u32, [Vec<Vec<u32>>; 2]>,
    ) {
        let mut caller: Option<&Form> = None;
        let mut note = |caller: &Form, callee: u32| {
            let Some(lists) = tokens.get_mut(&caller.group) else {
                return;
            };
            let place = self.functions[caller.group as usize].find(side, caller.position);
            if let Some(list) = place.and_then(|p| lists[side].get_mut(p))
                && !list.contains(&callee)
                && list.len() < MOST_CALLEES
            {
                list.push(callee);
            }
        };
        for frame in symbols.stacks.frames(stack) {
            let form = forms.get(side, frame);
            if !form.is(flag::USER) {
                continue;
            }
            if let Some(caller) = caller.filter(|c| c.group != NONE) {
                note(caller, form.base);
            }
            caller = Some(form);
        }
        if let Some(owner) = caller.filter(|c| c.group != NONE) {
            note(owner, NONE);
        }
    }

    /// Whether a place of this function is itself on both sides: the function is on both sides and
    /// its file did not move here.
    pub fn is_fixed(&self, function: u32) -> bool {
        self.functions
            .get(function as usize)
            .is_some_and(|f| f.is_shared() && !f.edited)
    }

    /// Whether a stack with this frame on both sides may still be two sites: the file moved here
    /// and the function's places changed.
    pub fn is_doubtful(&self, function: u32) -> bool {
        self.functions
            .get(function as usize)
            .is_some_and(|f| f.edited && !f.is_equal())
    }

    /// The place on the other side, if known.
    pub fn image(&self, side: usize, function: u32, place: u64) -> Option<u64> {
        let f = self.functions.get(function as usize)?;
        let at = f.find(side, place)?;
        let to = *f.to[side].get(at)?;
        f.places[1 - side].get(to as usize).copied()
    }

    /// Whether the map says that `a` of the base side and `b` of the new side are two places: `a`
    /// is elsewhere and something else is at `b`, or nothing moved here and both are on both sides.
    pub fn contradicts(&self, function: u32, a: u64, b: u64) -> bool {
        let elsewhere = self.image(0, function, a).is_some_and(|p| p != b);
        let taken = self.image(1, function, b).is_some_and(|p| p != a);
        elsewhere && taken
    }

    /// The place in another function of the same file: moved as the mapped places above and below
    /// were, if they agree. Cost: one search among the mapped places of the file.
    pub fn image_in_file(&self, side: usize, file: u32, place: u64) -> Option<u64> {
        let moves = self.moves[side].get(&file)?;
        let line = (place >> 32) as i64;
        let after = moves.partition_point(|&(from, _)| from < line);
        let below = moves.get(after)?;
        let above = match below.0 == line {
            true => below,
            false => moves.get(after.checked_sub(1)?)?,
        };
        let moved = u32::try_from(line + below.1).ok()?;
        (above.1 == below.1).then_some((moved as u64) << 32 | (place & 0xffff_ffff))
    }

    /// By how many lines each mapped line of each file moved, in order, seen from either side.
    fn note_moves(&mut self) {
        for f in &self.functions {
            for (k, &to) in f.to[0].iter().enumerate() {
                let Some(&b) = f.places[1].get(to as usize) else {
                    continue;
                };
                let (a, b) = ((f.places[0][k] >> 32) as i64, (b >> 32) as i64);
                self.moves[0].entry(f.file).or_default().push((a, b - a));
                self.moves[1].entry(f.file).or_default().push((b, a - b));
            }
        }
        for list in self.moves.iter_mut().flat_map(|m| m.values_mut()) {
            list.sort_unstable();
            list.dedup();
        }
    }
}

/// Callees that are noted of one place, at most.
const MOST_CALLEES: usize = 64;

/// Places that must have moved together before a stretch inside a file counts as edited; at the
/// end of a file one is enough.
const INNER_EVIDENCE: i64 = 3;

/// Marks the functions of one file, in order of lines, that an edit moved.
fn mark_edits(list: &[u32], functions: &mut [Function]) {
    let score: Vec<i64> = list
        .iter()
        .map(|&i| {
            let f = &functions[i as usize];
            match f.shift().filter(|_| !f.unnamed) {
                Some(_) => f.places[0].len() as i64,
                None => -(f.common() as i64),
            }
        })
        .collect();
    let mut edited = vec![false; list.len()];
    // From where on, to the end, does more move than stay?
    let (mut sum, mut best, mut from) = (0i64, 0i64, None);
    for (i, s) in score.iter().enumerate().rev() {
        sum += s;
        if sum > best {
            best = sum;
            from = Some(i);
        }
    }
    if let Some(from) = from {
        edited[from..].fill(true);
    }
    // Stretches in between: what follows the edit may have moved back.
    let (mut sum, mut start) = (0i64, 0usize);
    for (i, s) in score.iter().enumerate() {
        if sum + s <= 0 {
            sum = 0;
            start = i + 1;
            continue;
        }
        sum += s;
        if sum >= INNER_EVIDENCE {
            edited[start..=i].fill(true);
        }
    }
    // The edit itself is in the function above the first that moved as a whole.
    for i in (0..list.len()).rev() {
        let f = &functions[list[i] as usize];
        if !edited[i] && edited.get(i + 1) == Some(&true) && !f.is_equal() {
            edited[i] = true;
        }
    }
    for (&i, edited) in list.iter().zip(edited) {
        functions[i as usize].edited = edited;
    }
}

/// Whether a file without functions looks edited: from the first difference on, more lines agree
/// when they are shifted by one and the same number than as they are.
fn is_shifted(places: &[Vec<u64>; 2]) -> bool {
    let lines = places.each_ref().map(|list| {
        let mut lines: Vec<i64> = list.iter().map(|p| (p >> 32) as i64).collect();
        lines.dedup();
        lines
    });
    let same = lines[0].iter().zip(&lines[1]).take_while(|(a, b)| a == b);
    let from = same.count();
    let (a, b) = (&lines[0][from..], &lines[1][from..]);
    let agree = |by: i64| {
        a.iter()
            .filter(|&&l| b.binary_search(&(l + by)).is_ok())
            .count()
    };
    let unmoved = agree(0);
    // The first lines behind the edit are among the first on the other side.
    let mut shifts: Vec<i64> = Vec::new();
    for x in a.iter().take(FIRST_LINES) {
        shifts.extend(b.iter().take(FIRST_LINES).map(|y| y - x));
    }
    shifts.sort_unstable();
    shifts.dedup();
    let moved = shifts
        .iter()
        .filter(|&&by| by != 0)
        .map(|&by| agree(by))
        .max();
    moved.is_some_and(|n| n as i64 >= INNER_EVIDENCE && n > unmoved)
}

/// Lines behind a difference whose distances are tried as shifts.
const FIRST_LINES: usize = 8;

/// Maps the places of a function by what is called there: calls that occur once on both sides are
/// fixed points if no other crosses them, and a stretch between two of them maps one to one if
/// its calls are the same.
fn align(f: &mut Function, mut tokens: [Vec<Vec<u32>>; 2]) {
    tokens.iter_mut().flatten().for_each(|t| t.sort_unstable());
    let [a, b] = &tokens;
    let mut seen: FxHashMap<&[u32], [(u32, u32); 2]> = FxHashMap::default();
    for (side, list) in [a, b].into_iter().enumerate() {
        for (i, token) in list.iter().enumerate() {
            let slot = &mut seen.entry(token).or_default()[side];
            *slot = (slot.0 + 1, i as u32);
        }
    }
    let mut anchors: Vec<(u32, u32)> = seen
        .values()
        .filter(|[a, b]| a.0 == 1 && b.0 == 1)
        .map(|[a, b]| (a.1, b.1))
        .collect();
    anchors.sort_unstable();
    let mut least_after = vec![u32::MAX; anchors.len() + 1];
    for (i, &(_, b)) in anchors.iter().enumerate().rev() {
        least_after[i] = least_after[i + 1].min(b);
    }
    let mut most_before: Option<u32> = None;
    let mut fixed: Vec<(usize, usize)> = Vec::new();
    for (i, &(x, y)) in anchors.iter().enumerate() {
        if most_before.is_none_or(|m| m < y) && y < least_after[i + 1] {
            fixed.push((x as usize, y as usize));
        }
        most_before = most_before.max(Some(y));
    }
    fixed.push((a.len(), b.len()));
    let (mut i, mut j) = (0, 0);
    for (x, y) in fixed {
        if a[i..x] == b[j..y] {
            for k in 0..x - i {
                f.to[0][i + k] = (j + k) as u32;
                f.to[1][j + k] = (i + k) as u32;
            }
        }
        if x < a.len() {
            f.to[0][x] = y as u32;
            f.to[1][y] = x as u32;
        }
        (i, j) = (x + 1, y + 1);
    }
}
