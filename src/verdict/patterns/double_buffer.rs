//! HD020: many pieces and one block of their size, held at once at the peak.

use super::{Fact, Finding, Pattern, PatternGround, State};
use crate::model::{ARENA, Column, FrameId, StrId};
use crate::normalize::FrameClass;
use crate::verdict::rules;

/// Smaller blocks are not worth a word.
const LEAST_BLOCK: i64 = 64 << 10;
/// Pieces and block together are at least this share of the peak.
const LEAST_SHARE: f64 = 0.05;
/// At least so many pieces for every block.
const LEAST_PIECES: i64 = 8;
/// Pieces are at least this large on average: records and nodes are smaller, chunks are not.
const LEAST_PIECE: i64 = 1 << 10;
/// What is joined is no smaller than the join, but for the join's own header.
const LEAST_RATIO: f64 = 0.999;
/// Each piece may have a header, and the last may be half empty.
const MOST_RATIO: f64 = 1.04;
/// Rows below this share of the peak take no part.
const LOOKED_AT: f64 = 0.005;

/// The same bytes twice at the peak.
#[derive(Debug, Clone, PartialEq)]
pub struct DoubleBuffer {
    /// In the last capture, or before only.
    pub state: State,
    /// The frame of the function that holds both: its own, or what it calls holds them.
    pub owner: FrameId,
    /// Bytes in pieces.
    pub pieces_bytes: i64,
    /// Number of pieces.
    pub pieces: i64,
    /// Bytes in blocks as large as the pieces together: the payload.
    pub block_bytes: i64,
    /// Number of these blocks; a small one that the join needs for itself may be among them.
    pub blocks: i64,
    /// The program's peak where the pattern is.
    pub peak_bytes: i128,
    /// Requests under way at the peak: what the capture's driver says, or one where there is one
    /// block; else not known.
    pub under_way: Option<f64>,
    /// For [`State::Gone`]: what holds the payload since.
    pub since: Option<Since>,
}

/// What holds the payload after the cure.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// The function.
    pub function: FrameId,
    /// Bytes at the peak in it.
    pub bytes: i64,
    /// The program's peak.
    pub peak_bytes: i128,
}

impl DoubleBuffer {
    /// Both together.
    pub fn held(&self) -> i64 {
        self.pieces_bytes.saturating_add(self.block_bytes)
    }

    /// How many times the payload is held.
    pub fn times(&self) -> f64 {
        self.held() as f64 / self.block_bytes as f64
    }

    /// The payload of one request; all of it where it is not known how many were under way.
    pub fn payload(&self) -> i64 {
        (self.block_bytes as f64 / self.under_way.unwrap_or(1.0)).round() as i64
    }

    pub(super) fn facts(&self) -> Vec<(&'static str, Fact)> {
        let whole = |n: i64| Fact::Whole(n as i128);
        let mut facts = vec![
            ("state", Fact::Text(self.state.as_str().to_owned())),
            ("payload_bytes", whole(self.block_bytes)),
            ("times", Fact::Number(self.times())),
            ("pieces", whole(self.pieces)),
            ("pieces_bytes", whole(self.pieces_bytes)),
            ("blocks", whole(self.blocks)),
            (
                "under_way",
                self.under_way.map_or(Fact::Unknown, Fact::Number),
            ),
            ("peak_bytes", Fact::Whole(self.peak_bytes)),
            ("a_stream_saves", whole(self.block_bytes)),
            (
                "a_stream_saves_per_request",
                self.under_way
                    .map_or(Fact::Unknown, |_| whole(self.payload())),
            ),
        ];
        if let Some(since) = &self.since {
            facts.push(("since_bytes", whole(since.bytes)));
            facts.push(("since_peak_bytes", Fact::Whole(since.peak_bytes)));
        }
        facts
    }
}

/// The names of drivers that count what is under way at once.
const CONCURRENT: [&str; 3] = ["concurrent", "concurrency", "parallel"];

pub(super) fn find(ground: &PatternGround<'_>) -> Vec<Finding> {
    let (Some(bytes), Some(blocks)) = (ground.metric("peak_bytes"), ground.metric("peak_blocks"))
    else {
        return Vec::new();
    };
    let end = |columns: &'_ [Column]| -> Option<End> {
        let pick = |i: usize| columns.get(i).cloned();
        Some(End {
            bytes: pick(bytes)?,
            blocks: pick(blocks)?,
        })
    };
    let ends = [end(ground.values.before()), end(ground.values.after())];
    let [Some(before), Some(after)] = ends else {
        return Vec::new();
    };
    let now = pairs(ground, &after, &before);
    let mut found = merge(ground, &after, now, State::Present);
    let was = merge(ground, &before, pairs(ground, &before, &after), State::Gone);
    for mut old in was {
        if found.iter().any(|f| f.1.owner_name == old.1.owner_name) {
            continue;
        }
        old.0.since = since(ground, &old.1, [&before, &after]);
        found.push(old);
    }
    let refuted = "a payload of another size for which the pieces and the block do not grow alike";
    let cured = "a later capture whose peak holds both again";
    let advice = "write the pieces into one buffer of the final size, or read them as a stream";
    let done = "keep the capture as a baseline: heapdiff compare --base";
    let each = found.into_iter().map(|(pattern, place)| {
        let words = match pattern.state {
            State::Present => [refuted, advice],
            State::Gone => [cured, done],
        };
        let pattern = Pattern::DoubleBuffer(pattern);
        ground.finding(&rules::DOUBLE_BUFFER, place.rows, pattern, words)
    });
    each.collect()
}

/// Bytes and blocks at the peak, at one end of the comparison.
struct End {
    bytes: Column,
    blocks: Column,
}

/// A row that is large enough to look at.
struct Row {
    row: u32,
    frames: Vec<FrameId>,
    /// Index of the frame that the row is named by.
    owner: usize,
    /// Index of the user's frame before it.
    caller: Option<usize>,
}

/// Where a pair was found.
struct Place {
    rows: Vec<u32>,
    owner_name: StrId,
    /// The functions of the frames before the owner, root first.
    path: Vec<StrId>,
}

struct Pair {
    owner: FrameId,
    pieces: Vec<u32>,
    block: u32,
    path: Vec<StrId>,
}

/// Rows that hold much at the peak, with the frames by which they are known.
fn large(ground: &PatternGround<'_>, end: &End) -> Vec<Row> {
    let Some(stacks) = ground.stacks else {
        return Vec::new();
    };
    let least = LEAST_BLOCK.max((end.bytes.sum() as f64 * LOOKED_AT) as i64);
    let rows = (0..end.bytes.len()).filter(|&r| end.bytes.get(r) >= least);
    let is_arena = |&frame: &FrameId| {
        let function = ground.symbols.frames.get(frame).function;
        ground.symbols.strings.get(function) == ARENA
    };
    let named = rows.filter_map(|row| {
        let stack = *stacks.get(row)?;
        let frames: Vec<FrameId> = ground.symbols.stacks.frames(stack).collect();
        // Small objects of anybody are no payload.
        if frames.last().is_some_and(is_arena) {
            return None;
        }
        let owner = ground.names.owner(stack)?;
        let is_user = |&i: &usize| ground.names.frame(frames[i]).class == FrameClass::User;
        let caller = (0..owner).rev().find(is_user);
        Some(Row {
            row: row as u32,
            frames,
            owner,
            caller,
        })
    });
    named.collect()
}

/// Pairs of pieces and a block. `other` is the other end: where it holds both as well, they have
/// to be alike there, too.
fn pairs(ground: &PatternGround<'_>, end: &End, other: &End) -> Vec<Pair> {
    let rows = large(ground, end);
    let peak = end.bytes.sum() as f64;
    let function = |id: FrameId| ground.symbols.frames.get(id).function;
    let mut found = Vec::new();
    for block in &rows {
        let count = end.blocks.get(block.row as usize);
        let size = end.bytes.get(block.row as usize);
        if count < 1 || size / count < LEAST_BLOCK || 2.0 * (size as f64) < LEAST_SHARE * peak {
            continue;
        }
        // The function itself first, then its caller.
        for at in [Some(block.owner), block.caller].into_iter().flatten() {
            // Without a name, two places of one module would pass for one function.
            if function(block.frames[at]).is_empty() {
                continue;
            }
            let own = at == block.owner;
            // A sibling, not another call of the same function.
            let is_sibling = |piece: &Row, at: usize| {
                piece.caller == Some(at)
                    && function(piece.frames[piece.owner]) != function(block.frames[block.owner])
            };
            let mut groups: Vec<(FrameId, Vec<u32>)> = Vec::new();
            for piece in &rows {
                let under = piece.row != block.row
                    && piece.frames.len() > at
                    && piece.frames[..at] == block.frames[..at]
                    && function(piece.frames[at]) == function(block.frames[at])
                    && (own || is_sibling(piece, at));
                if !under {
                    continue;
                }
                // Several rows make up the pieces when one line of code, or one sibling, made them.
                let line = piece.frames[if own { at } else { piece.owner }];
                let alone = own && line == block.frames[at];
                match groups.iter_mut().find(|(key, _)| *key == line && !alone) {
                    Some((_, rows)) => rows.push(piece.row),
                    None => groups.push((line, vec![piece.row])),
                }
            }
            let alike = groups.into_iter().find(|(_, pieces)| {
                let is = |end: &End| is_pair(end, pieces, block.row);
                let held = |end: &End| end.bytes.get(block.row as usize) >= LEAST_BLOCK;
                is(end) && (is(other) || !held(other) || sum(&other.bytes, pieces) < LEAST_BLOCK)
            });
            if let Some((_, pieces)) = alike {
                found.push(Pair {
                    owner: block.frames[at],
                    pieces,
                    block: block.row,
                    path: block.frames[..at].iter().map(|&f| function(f)).collect(),
                });
                break;
            }
        }
    }
    found
}

fn sum(column: &Column, rows: &[u32]) -> i64 {
    let each = rows.iter().map(|&r| column.get(r as usize));
    each.fold(0, i64::saturating_add)
}

/// Whether `pieces` are many, and as large together as the block.
fn is_pair(end: &End, pieces: &[u32], block: u32) -> bool {
    let (bytes, count) = (sum(&end.bytes, pieces), sum(&end.blocks, pieces));
    let one = (
        end.bytes.get(block as usize),
        end.blocks.get(block as usize),
    );
    let ratio = bytes as f64 / one.0 as f64;
    one.0 >= LEAST_BLOCK
        && one.1 >= 1
        && count / one.1 >= LEAST_PIECES
        && bytes / count >= LEAST_PIECE
        && (LEAST_RATIO..=MOST_RATIO).contains(&ratio)
}

/// Pairs of one function, from whichever call path, are one finding.
fn merge(
    ground: &PatternGround<'_>,
    end: &End,
    pairs: Vec<Pair>,
    state: State,
) -> Vec<(DoubleBuffer, Place)> {
    let mut out: Vec<(DoubleBuffer, Place)> = Vec::new();
    let drivers = match state {
        State::Present => ground.drivers.last(),
        State::Gone => ground.drivers.first(),
    };
    let concurrent = drivers.and_then(|drivers| {
        let named = |(name, _): &&(String, f64)| CONCURRENT.contains(&name.as_str());
        drivers.iter().find(named).map(|&(_, n)| n)
    });
    let concurrent = concurrent.filter(|&n| n >= 1.0);
    for pair in pairs {
        let name = ground.symbols.frames.get(pair.owner).function;
        let known = out.iter().position(|(_, place)| place.owner_name == name);
        let at = known.unwrap_or_else(|| {
            let pattern = DoubleBuffer {
                state,
                owner: pair.owner,
                pieces_bytes: 0,
                pieces: 0,
                block_bytes: 0,
                blocks: 0,
                peak_bytes: end.bytes.sum(),
                under_way: concurrent,
                since: None,
            };
            let place = Place {
                rows: Vec::new(),
                owner_name: name,
                path: pair.path.clone(),
            };
            out.push((pattern, place));
            out.len() - 1
        });
        let (pattern, place) = &mut out[at];
        if pair.pieces.iter().any(|row| place.rows.contains(row)) {
            continue;
        }
        pattern.pieces_bytes += sum(&end.bytes, &pair.pieces);
        pattern.pieces += sum(&end.blocks, &pair.pieces);
        pattern.block_bytes += end.bytes.get(pair.block as usize);
        pattern.blocks += end.blocks.get(pair.block as usize);
        place.rows.extend(pair.pieces);
        place.rows.push(pair.block);
    }
    for (pattern, _) in &mut out {
        let one = (pattern.blocks == 1).then_some(1.0);
        pattern.under_way = pattern.under_way.or(one);
    }
    out
}

/// What the owner, or what its caller calls instead of it, holds at the peak after the cure.
fn since(ground: &PatternGround<'_>, place: &Place, [before, after]: [&End; 2]) -> Option<Since> {
    let stacks = ground.stacks?;
    let depth = place.path.len();
    // What each function at the owner's place holds before and after, the largest row with it.
    let mut called: Vec<(StrId, i64, i64, FrameId, i64)> = Vec::new();
    for (row, &stack) in stacks.iter().enumerate() {
        let ends = [before, after].map(|e| e.bytes.get(row));
        if ends == [0, 0] {
            continue;
        }
        let mut frames = ground.symbols.stacks.frames(stack);
        let function = |f: FrameId| ground.symbols.frames.get(f).function;
        let same = |&name: &StrId| frames.next().is_some_and(|f| function(f) == name);
        if !place.path.iter().all(same) {
            continue;
        }
        let Some(frame) = frames.next().filter(|_| depth > 0) else {
            continue;
        };
        match called.iter_mut().find(|c| c.0 == function(frame)) {
            Some(c) => {
                c.1 += ends[0];
                c.2 += ends[1];
                if ends[1] > c.4 {
                    (c.3, c.4) = (frame, ends[1]);
                }
            }
            None => called.push((function(frame), ends[0], ends[1], frame, ends[1])),
        }
    }
    let own = called.iter().find(|c| c.0 == place.owner_name && c.2 > 0);
    let instead = || {
        let new = called.iter().filter(|c| c.1 == 0 && c.2 > 0);
        new.max_by_key(|c| c.2)
    };
    own.or_else(instead).map(|c| Since {
        function: c.3,
        bytes: c.2,
        peak_bytes: after.bytes.sum(),
    })
}
