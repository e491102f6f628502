//! Rows by something other than the whole stack: function, file, module, leaf, line, label.

use super::table::{Ends, SiteTable, Values};
use crate::error::{Error, Result};
use crate::model::{Column, Frame, FrameId, StrId, Symbols};
use rustc_hash::FxHashMap;

/// What a row stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// A whole call stack.
    Stack,
    /// A function, by name, as `go tool pprof -top` groups.
    Function,
    /// A source file.
    File,
    /// An object file, script or library.
    Module,
    /// The innermost frame alone.
    Leaf,
    /// A function at a line of a file.
    Line,
    /// The value of a label.
    Label(String),
}

impl GroupBy {
    /// Reads `stack`, `function`, `file`, `module`, `leaf`, `line` or `label:KEY`.
    pub fn parse(text: &str) -> Result<GroupBy> {
        Ok(match text {
            "stack" => GroupBy::Stack,
            "function" => GroupBy::Function,
            "file" => GroupBy::File,
            "module" => GroupBy::Module,
            "leaf" => GroupBy::Leaf,
            "line" => GroupBy::Line,
            _ => match text.strip_prefix("label:").filter(|k| !k.is_empty()) {
                Some(key) => GroupBy::Label(key.to_owned()),
                None => {
                    return Err(Error::usage(format!("cannot group by {text:?}"))
                        .help("one of stack, function, file, module, leaf, line, label:KEY"));
                }
            },
        })
    }

    /// The word as it is given on the command line and in JSON.
    pub fn name(&self) -> String {
        match self {
            GroupBy::Stack => "stack".into(),
            GroupBy::Function => "function".into(),
            GroupBy::File => "file".into(),
            GroupBy::Module => "module".into(),
            GroupBy::Leaf => "leaf".into(),
            GroupBy::Line => "line".into(),
            GroupBy::Label(key) => format!("label:{key}"),
        }
    }

    /// Whether callers count towards a row's cumulative values.
    fn is_cumulative(&self) -> bool {
        !matches!(self, GroupBy::Stack | GroupBy::Leaf | GroupBy::Label(_))
    }

    /// The part of a frame that makes the group.
    fn key(&self, frame: Frame) -> Frame {
        let mut key = Frame::named(StrId::EMPTY);
        match self {
            GroupBy::Function => key.function = frame.function,
            GroupBy::File => key.file = frame.file,
            GroupBy::Module => key.module = frame.module,
            GroupBy::Line | GroupBy::Leaf | GroupBy::Stack | GroupBy::Label(_) => {
                key = Frame {
                    column: 0,
                    inlined: false,
                    ..frame
                };
            }
        }
        key
    }
}

/// One group: the part of a frame that its members share. Text that they do not share is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What the members share; for a label its value stands in `function`.
    pub frame: Frame,
    /// Number of sites whose allocating frame is in the group.
    pub sites: u32,
}

/// Rows by group. `flat` counts what the group itself allocates and adds up to the totals;
/// `cumulative` also what it calls, each stack once.
#[derive(Debug, Clone, Default)]
pub struct GroupTable {
    /// The groups, in order of first appearance.
    pub groups: Vec<Group>,
    /// What each group allocates itself.
    pub flat: Values,
    /// What each group and everything below it allocates; absent where it has no meaning.
    pub cumulative: Option<Values>,
}

/// Sums the rows of `table` by group. Cost: every frame of every stack once, times the metrics.
///
/// `is_allocator` tells frames of the allocator itself (`malloc`, `operator new`): what they
/// allocate belongs to their caller.
pub fn group(
    table: &SiteTable,
    by: &GroupBy,
    symbols: &Symbols,
    is_allocator: &dyn Fn(FrameId) -> bool,
) -> GroupTable {
    let skipped: Vec<bool> = symbols.frames.ids().map(is_allocator).collect();
    let kept = |frame: &FrameId| !skipped[frame.index()];
    let keys: Vec<Frame> = symbols.frames.rows().iter().map(|&f| by.key(f)).collect();
    let mut groups = Groups::default();
    let mut group_of_frame: Vec<u32> = vec![NONE; keys.len()];
    let mut of = |frame: FrameId, groups: &mut Groups| {
        let slot = &mut group_of_frame[frame.index()];
        if *slot == NONE {
            *slot = groups.id(keys[frame.index()]);
        }
        *slot
    };
    let mut leaf_of_row = Vec::with_capacity(table.len());
    let mut members: Vec<u32> = Vec::new();
    let mut member_ends = Vec::with_capacity(table.len());
    let mut last_row: Vec<u32> = Vec::new();
    for (row, &stack) in table.stacks.iter().enumerate() {
        let leaf = match by {
            GroupBy::Label(_) => groups.id(Frame::named(
                table.tags.get(row).copied().unwrap_or(StrId::EMPTY),
            )),
            _ => {
                let mut frames = symbols.stacks.frames(stack).rev();
                // A stack of the allocator alone keeps its innermost frame.
                let innermost = symbols.stacks.frames(stack).next_back();
                match frames.find(kept).or(innermost) {
                    Some(frame) => of(frame, &mut groups),
                    None => groups.id(Frame::named(StrId::EMPTY)),
                }
            }
        };
        groups.rows[leaf as usize].sites += 1;
        leaf_of_row.push(leaf);
        if by.is_cumulative() {
            let start = members.len();
            for frame in symbols.stacks.frames(stack).filter(kept) {
                let id = of(frame, &mut groups);
                last_row.resize(last_row.len().max(groups.rows.len()), NONE);
                if last_row[id as usize] != row as u32 {
                    last_row[id as usize] = row as u32;
                    members.push(id);
                }
            }
            if members.len() == start {
                members.push(leaf);
            }
        }
        member_ends.push(members.len());
    }
    let len = groups.rows.len();
    let flat = sum_values(&table.values, len, &|row| {
        std::slice::from_ref(&leaf_of_row[row])
    });
    let cumulative = by.is_cumulative().then(|| {
        sum_values(&table.values, len, &|row| {
            &members[if row == 0 { 0 } else { member_ends[row - 1] }..member_ends[row]]
        })
    });
    GroupTable {
        groups: groups.rows,
        flat,
        cumulative,
    }
}

const NONE: u32 = u32::MAX;

#[derive(Default)]
struct Groups {
    rows: Vec<Group>,
    ids: FxHashMap<(StrId, StrId, StrId, u32), u32>,
}

impl Groups {
    fn id(&mut self, frame: Frame) -> u32 {
        // A module tells frames apart only where the file is unknown, as in the model.
        let module = if frame.file.is_empty() {
            frame.module
        } else {
            StrId::EMPTY
        };
        let next = self.rows.len() as u32;
        let id = *self
            .ids
            .entry((frame.function, frame.file, module, frame.line))
            .or_insert(next);
        if id == next {
            self.rows.push(Group { frame, sites: 0 });
        }
        id
    }
}

fn sum_values<'a>(values: &Values, len: usize, groups_of: &dyn Fn(usize) -> &'a [u32]) -> Values {
    let sum = |column: &Column| sum_column(column, len, groups_of);
    let ends = |ends: &Ends| Ends {
        first: ends.first.iter().map(sum).collect(),
        last: ends.last.iter().map(sum).collect(),
    };
    let spread = |variances: &Vec<f64>| {
        let mut sums = vec![0.0; len];
        for (row, variance) in variances.iter().enumerate() {
            for &group in groups_of(row) {
                sums[group as usize] += variance;
            }
        }
        sums
    };
    Values {
        variances: values.variances.iter().map(spread).collect(),
        base: values.base.as_ref().map(ends),
        new: ends(&values.new),
        series: values.series.iter().map(sum).collect(),
        blocks: values.blocks.iter().map(sum).collect(),
    }
}

fn sum_column<'a>(column: &Column, len: usize, groups_of: &dyn Fn(usize) -> &'a [u32]) -> Column {
    let mut sums = vec![0i64; len];
    for row in 0..column.len() {
        let value = column.get(row);
        if value != 0 {
            for &group in groups_of(row) {
                let slot = &mut sums[group as usize];
                *slot = slot.saturating_add(value);
            }
        }
    }
    let mut out = Column::default();
    sums.into_iter().for_each(|v| out.push(v));
    out
}
