//! From the rows of a report to a tree.

use super::tree::{FlameNode, FlameTree, Flow};
use crate::diff::{Growth, Side, Values};
use crate::model::{FrameId, StackId};
use crate::normalize::FrameClass;
use crate::render::words;
use crate::report::{Keys, Report};
use rustc_hash::FxHashMap;

/// Characters of a name that are kept.
const NAME: usize = 300;

/// The tree of a report's sites, pruned: frames below a thousandth of every width are one frame
/// that carries their sum, and so many more that at most `most` frames are left.
///
/// Stacks are merged by the names that people read. Of sites that were recognised in another build
/// the stack is that of the new one. Cost: every frame of every row once, and the sorting of the
/// names.
pub fn tree_of(report: &Report<'_>, most: usize) -> FlameTree {
    let (stacks, values, by_row) = match &report.keys {
        Keys::Stacks(stacks) => (&stacks[..], &report.values, true),
        Keys::Groups(_) => (&report.sites.stacks[..], &report.sites.values, false),
    };
    let mut builder = Builder::new(report, values);
    for (row, &stack) in stacks.iter().enumerate() {
        builder.add(row, stack, by_row);
    }
    super::prune::prune(&builder.finish(), most)
}

/// A node under construction.
struct Draft {
    parent: u32,
    name: u32,
    own: Flow,
    allocator: u16,
    recursion: u16,
    loud: bool,
    /// The row of the largest change, and how large that is.
    row: Option<(u32, i128)>,
    growth: (i128, Growth),
}

struct Builder<'r> {
    report: &'r Report<'r>,
    values: &'r Values,
    names: indexmap::IndexMap<String, String>,
    /// The name of each frame, and whether it is the allocator's.
    frames: FxHashMap<FrameId, (u32, bool)>,
    drafts: Vec<Draft>,
    series: Vec<i128>,
    known: FxHashMap<(u32, u32), u32>,
    /// The draft at which each row ends.
    rows: Vec<u32>,
    path: Vec<(u32, bool)>,
}

impl<'r> Builder<'r> {
    fn new(report: &'r Report<'r>, values: &'r Values) -> Self {
        let mut names = indexmap::IndexMap::new();
        names.insert("all".to_owned(), String::new());
        let mut builder = Builder {
            report,
            values,
            names,
            frames: FxHashMap::default(),
            drafts: Vec::new(),
            series: Vec::new(),
            known: FxHashMap::default(),
            rows: Vec::new(),
            path: Vec::new(),
        };
        builder.draft(0, 0);
        builder
    }

    fn draft(&mut self, parent: u32, name: u32) -> u32 {
        self.drafts.push(Draft {
            parent,
            name,
            own: Flow::default(),
            allocator: 0,
            recursion: 1,
            loud: false,
            row: None,
            growth: (-1, Growth::Unchanged),
        });
        let captures = self.values.series.len();
        self.series.resize(self.series.len() + captures, 0);
        self.drafts.len() as u32 - 1
    }

    fn frame(&mut self, id: FrameId) -> (u32, bool) {
        if let Some(&known) = self.frames.get(&id) {
            return known;
        }
        let report = self.report;
        let name = words::shorten(&words::function(report, id), NAME);
        let name: String = name
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        let frame = report.symbols.frames.get(id);
        let file = report.symbols.strings.get(frame.file);
        let place = match file {
            "" => report.symbols.strings.get(frame.module).to_owned(),
            file => report.names.file(file).into_owned(),
        };
        let entry = self.names.entry(name);
        let at = entry.index() as u32;
        entry.or_insert(place);
        let allocator = report.names.frame(id).class == FrameClass::Allocator;
        self.frames.insert(id, (at, allocator));
        (at, allocator)
    }

    /// The frames of a stack as they are drawn, and how many of the allocator are not.
    fn lay_path(&mut self, stack: StackId) -> u16 {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        let symbols = self.report.symbols;
        for id in symbols.stacks.frames(stack) {
            let frame = self.frame(id);
            path.push(frame);
        }
        let tail = path.iter().rev().take_while(|(_, a)| *a).count();
        // A stack of the allocator alone keeps its frames: nobody else is there to be named.
        let hidden = if tail < path.len() { tail } else { 0 };
        path.truncate(path.len() - hidden);
        self.path = path;
        hidden.min(u16::MAX as usize) as u16
    }

    fn add(&mut self, row: usize, stack: StackId, by_row: bool) {
        let captures = self.values.series.len();
        let chosen = match by_row {
            true => self.report.chosen,
            false => self.report.sites.chosen,
        };
        let before = self.values.before()[chosen].get(row) as i128;
        let after = self.values.after()[chosen].get(row) as i128;
        let allocator = self.lay_path(stack);
        let mut at = 0u32;
        let mut times = 1u16;
        for i in 0..self.path.len() {
            let (name, _) = self.path[i];
            if at != 0 && self.drafts[at as usize].name == name {
                times = times.saturating_add(1);
                let draft = &mut self.drafts[at as usize];
                draft.recursion = draft.recursion.max(times);
                continue;
            }
            times = 1;
            at = match self.known.get(&(at, name)) {
                Some(&child) => child,
                None => {
                    let child = self.draft(at, name);
                    self.known.insert((at, name), child);
                    child
                }
            };
        }
        for c in 0..captures {
            self.series[at as usize * captures + c] += self.values.series[c].get(row) as i128;
        }
        self.rows.push(at);
        let change = (after - before).abs();
        let loud = change > 0 && !(by_row && self.report.is_quiet(row));
        let draft = &mut self.drafts[at as usize];
        draft.allocator = draft.allocator.max(allocator);
        draft.own.before += before;
        draft.own.after += after;
        draft.loud |= loud;
        if by_row && draft.row.is_none_or(|(_, most)| change > most) {
            draft.row = Some((row as u32, change));
        }
        if change > draft.growth.0 {
            let growth = match by_row {
                true => self.report.growth(row),
                false => Growth::between(
                    before.clamp(i64::MIN as i128, i64::MAX as i128) as i64,
                    after.clamp(i64::MIN as i128, i64::MAX as i128) as i64,
                ),
            };
            draft.growth = (change, growth);
        }
    }

    /// Nodes in order of depth first, children by name, with the sums of subtrees.
    fn finish(mut self) -> FlameTree {
        let captures = self.values.series.len();
        let count = self.drafts.len();
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); count];
        for (i, draft) in self.drafts.iter().enumerate().skip(1) {
            children[draft.parent as usize].push(i as u32);
        }
        let names: Vec<&String> = self.names.keys().collect();
        for list in &mut children {
            list.sort_by_key(|&i| names[self.drafts[i as usize].name as usize]);
        }
        let mut order: Vec<(u32, u32)> = Vec::with_capacity(count);
        let mut stack = vec![(0u32, 0u32)];
        while let Some((draft, parent)) = stack.pop() {
            let at = order.len() as u32;
            order.push((draft, parent));
            stack.extend(children[draft as usize].iter().rev().map(|&c| (c, at)));
        }
        let mut position = vec![0; count];
        for (i, &(draft, _)) in order.iter().enumerate() {
            position[draft as usize] = i as u32;
        }
        let row_nodes = self.rows.iter().map(|&d| position[d as usize]).collect();
        let mut series = Vec::with_capacity(self.series.len());
        let mut nodes = Vec::with_capacity(count);
        let mut largest = Vec::with_capacity(count);
        for &(at, parent) in &order {
            let draft = &mut self.drafts[at as usize];
            draft.own = Flow::of(draft.own.before, draft.own.after);
            let from = at as usize * captures;
            series.extend_from_slice(&self.series[from..from + captures]);
            largest.push(draft.growth);
            nodes.push(FlameNode {
                parent,
                name: draft.name,
                own: draft.own,
                total: draft.own,
                growth: draft.growth.1,
                loud: draft.loud,
                allocator: draft.allocator,
                recursion: draft.recursion,
                smaller: 0,
                row: draft.row.map(|(row, _)| row),
            });
        }
        for i in (1..nodes.len()).rev() {
            let parent = nodes[i].parent as usize;
            let (total, loud) = (nodes[i].total, nodes[i].loud);
            nodes[parent].total.add(total);
            nodes[parent].loud |= loud;
            if largest[i].0 > largest[parent].0 {
                largest[parent] = largest[i];
                nodes[parent].growth = largest[i].1;
            }
        }
        let base = self.report.captures.iter();
        let base = base.filter(|c| c.side == Side::Base).count();
        let (names, places) = self.names.into_iter().unzip();
        FlameTree {
            names,
            places,
            nodes,
            captures,
            series,
            ends: (base.saturating_sub(1), captures.saturating_sub(1)),
            moved: Vec::new(),
            pruned: 0,
            row_nodes,
        }
    }
}
