//! The report on object graphs: what every rendering of them receives.

use super::timeline::TimelineReport;
use super::{Keys, Report};
use crate::graph::outcome::{HolderRow, Outcome};
use crate::verdict::Gate;
use crate::verdict::graph::GraphVerdict;
use rustc_hash::FxHashMap;

/// What objects are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Histogram {
    /// Their type.
    Type,
    /// The loader of their class.
    Loader,
}

/// The report.
#[derive(Debug)]
pub struct GraphReport<'a> {
    /// Paths of the captures, base side first.
    pub paths: Vec<String>,
    /// What was found.
    pub outcome: Outcome,
    /// What to make of it.
    pub verdict: GraphVerdict,
    /// What the user should know: damage, guesses.
    pub notes: Vec<String>,
    /// What is listed besides.
    pub histogram: Option<Histogram>,
    /// Where what is live was allocated; none where not every capture has allocation traces.
    pub sites: Option<Report<'a>>,
    /// Monitoring of the same program, where the gate was given some.
    pub monitored: Option<TimelineReport>,
    /// What the gate says; none where nothing was held against budgets.
    pub gate: Option<Gate>,
}

/// Where the objects of a holder were allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// The row of the allocation site with most of them.
    pub row: u32,
    /// Objects whose stacks lead to the same function of the program.
    pub objects: u64,
    /// Objects that the holder holds.
    pub of: u64,
}

impl GraphReport<'_> {
    /// Where most objects of a holder were allocated; none where sites are not told. Stacks are
    /// one place where their innermost frame in the program is the same: a function that waits is
    /// resumed without its callers.
    pub fn made(&self, holder: &HolderRow) -> Option<Made> {
        let sites = self.sites.as_ref()?;
        let Keys::Stacks(stacks) = &sites.keys else {
            return None;
        };
        let mut row_of: FxHashMap<usize, usize> = FxHashMap::default();
        row_of.extend(holder.made.iter().map(|m| (m.0 as usize, usize::MAX)));
        for (row, stack) in stacks.iter().enumerate() {
            if let Some(known) = row_of.get_mut(&stack.index()) {
                *known = row;
            }
        }
        let mut places: Vec<(u64, u32, u64)> = Vec::new();
        for &(stack, objects) in &holder.made {
            let row = *row_of
                .get(&(stack as usize))
                .filter(|&&r| r != usize::MAX)?;
            let owner = sites.names.owner_key(stacks[row]);
            match places.iter_mut().find(|p| p.0 == owner) {
                Some(place) => place.2 += objects,
                None => places.push((owner, row as u32, objects)),
            }
        }
        places.sort_by_key(|p| std::cmp::Reverse(p.2));
        let &(_, row, objects) = places.first()?;
        Some(Made {
            row,
            objects,
            of: holder.series.last().copied().unwrap_or(0).max(objects),
        })
    }
}
