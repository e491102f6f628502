//! What object graphs say, as budgets see it.

use crate::graph::outcome::CycleRow;
use crate::graph::outcome::HolderRow;
use crate::graph::outcome::Outcome as Graphs;
use crate::verdict::budget_test::{Sample, SideValues};
use crate::verdict::findings::{Severity, SubjectKind};
use crate::verdict::graph::{GraphVerdict, Keeps, keeps, path_words};

/// A cycle of an object graph.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleFact {
    /// Its id in the document.
    pub id: String,
    /// Its signature.
    pub signature: String,
    /// Occurrences in the last dump.
    pub occurrences: f64,
    /// Bytes that all of them keep there.
    pub bytes: f64,
    /// Nothing but the cycle itself keeps most of them.
    pub alone: bool,
    /// It counts as a retention cycle without being named: no root reaches it or its number grows,
    /// and it is no structure such as a list whose items know their list.
    pub retains: bool,
}

/// A cycle or holder that grows from dump to dump.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowingFact {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Its id in the document.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The rule that its finding follows.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// It grows with every run.
    pub leaks: bool,
    /// Its bytes are not another one's as well.
    pub counts: bool,
    /// Bytes for each run, less those of the base side; none where runs are not known.
    pub per_run: Option<f64>,
    /// Bytes that it keeps in each dump of the new side.
    pub bytes: Vec<f64>,
}

/// A type's own bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeFact {
    /// Its full name.
    pub name: String,
    /// Bytes in each dump of the base side.
    pub base: Vec<f64>,
    /// Bytes in each dump of the new side.
    pub new: Vec<f64>,
}

impl TypeFact {
    /// Growth from the last dump of the base side, else from the first one of the new side.
    pub(super) fn grown(&self) -> f64 {
        let before = self.base.last().or(self.new.first());
        self.new.last().copied().unwrap_or(0.0) - before.copied().unwrap_or(0.0)
    }
}

/// What is known of object graphs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphFacts {
    /// The cycles of the last dump.
    pub cycles: Vec<CycleFact>,
    /// What grows, most bytes for each run first.
    pub growing: Vec<GrowingFact>,
    /// Dumps of the base side, and of the new one.
    pub dumps: (usize, usize),
    /// Whether runs are known of all dumps.
    pub runs: bool,
    /// Types, by name.
    pub types: Vec<TypeFact>,
    /// `shallow_bytes`, `retained_bytes`, `objects` of whole dumps.
    pub totals: Vec<(&'static str, Sample)>,
}

impl GraphFacts {
    /// The facts of an analysis.
    pub fn of(graphs: &Graphs, verdict: &GraphVerdict) -> GraphFacts {
        let side = |base: bool| graphs.captures.iter().filter(move |c| c.base == base);
        let dumps = (side(true).count(), side(false).count());
        let runs = graphs.captures.iter().all(|c| c.meta.runs().is_some());
        let total = |of: &dyn Fn(&crate::graph::outcome::CaptureFacts) -> u64| {
            let values = |base: bool| SideValues {
                values: side(base).map(|c| of(c) as f64).collect(),
                variances: Vec::new(),
                runs: match runs {
                    true => side(base).filter_map(|c| c.meta.runs()).collect(),
                    false => Vec::new(),
                },
            };
            Sample {
                base: values(true),
                new: values(false),
            }
        };
        let mut growing: Vec<GrowingFact> = Vec::new();
        for row in graphs.holders.iter().filter(|h| !h.base) {
            growing.extend(holder(row, graphs, verdict));
        }
        for row in &graphs.cycles {
            growing.extend(growing_cycle(row, graphs, verdict, dumps.0));
        }
        let amount = |g: &GrowingFact| g.per_run.or(g.bytes.last().copied()).unwrap_or(0.0);
        growing.sort_by(|a, b| amount(b).total_cmp(&amount(a)).then(a.id.cmp(&b.id)));
        GraphFacts {
            cycles: graphs
                .cycles
                .iter()
                .filter_map(|c| cycle(c, graphs))
                .collect(),
            growing,
            types: graphs
                .types
                .iter()
                .map(|t| {
                    let of = |base: bool| {
                        let both = graphs.captures.iter().zip(&t.counts);
                        let own = both.filter(|(c, _)| c.base == base);
                        own.map(|(_, n)| n.shallow as f64).collect()
                    };
                    TypeFact {
                        name: t.name.clone(),
                        base: of(true),
                        new: of(false),
                    }
                })
                .collect(),
            dumps,
            runs,
            totals: vec![
                ("shallow_bytes", total(&|c| c.shallow)),
                ("retained_bytes", total(&|c| c.reachable)),
                ("objects", total(&|c| c.objects)),
            ],
        }
    }
}

fn id_of(id: u64) -> String {
    format!("{id:016x}")
}

fn cycle(row: &CycleRow, graphs: &Graphs) -> Option<CycleFact> {
    let last = graphs.captures.last()?;
    let occurrences = *row.occurrences.last()?;
    if occurrences == 0 {
        return None;
    }
    let how = keeps(row, last);
    let alone = !matches!(how, Keeps::Held | Keeps::Garbage);
    Some(CycleFact {
        id: id_of(row.id),
        signature: row.signature.clone(),
        occurrences: f64::from(occurrences),
        bytes: row.retained.last().copied().unwrap_or(0) as f64,
        alone,
        // Where references are counted, structure that nothing holds is kept by its cycle, too.
        retains: alone || row.benign.is_none() && row.trends[1].growth.is_more(),
    })
}

/// How bad the finding about a subject is, if there is one.
fn found(verdict: &GraphVerdict, kind: SubjectKind, id: &str) -> Option<(&'static str, Severity)> {
    let mut all = verdict.conclusions.iter();
    let about = all.find(|c| c.subject == kind && c.subject_id == id)?;
    Some((about.rule.id, about.severity))
}

fn growing_cycle(
    row: &CycleRow,
    graphs: &Graphs,
    verdict: &GraphVerdict,
    base: usize,
) -> Option<GrowingFact> {
    let last = graphs.captures.last()?;
    let trend = &row.trends[1];
    let id = id_of(row.id);
    let (rule, severity) = found(verdict, SubjectKind::Cycle, &id)?;
    if !trend.growth.is_more() {
        return None;
    }
    let each = |at: usize, per_run: f64| {
        let count = f64::from(row.occurrences.get(at).copied().unwrap_or(0));
        per_run * row.retained.get(at).copied().unwrap_or(0) as f64 / count.max(1.0)
    };
    let before = row.trends[0].per_run.filter(|_| base > 1);
    let before = before.map_or(0.0, |n| each(base - 1, n));
    let here = row.occurrences.len().saturating_sub(1);
    let series = row.retained.get(base..).unwrap_or_default();
    Some(GrowingFact {
        kind: SubjectKind::Cycle,
        id,
        name: row.signature.clone(),
        rule,
        severity,
        leaks: trend.growth.is_leak() && rule == "HD040",
        // What a holder holds is counted with the holder.
        counts: keeps(row, last) != Keeps::Held,
        per_run: trend.per_run.map(|n| each(here, n) - before),
        bytes: series.iter().map(|&b| b as f64).collect(),
    })
}

fn holder(row: &HolderRow, graphs: &Graphs, verdict: &GraphVerdict) -> Option<GrowingFact> {
    let id = id_of(row.id);
    let (rule, severity) = found(verdict, SubjectKind::Holder, &id)?;
    let rate = |row: &HolderRow| {
        let count = row.series.last().copied().unwrap_or(0) as f64;
        let each = row.share.share as f64 / count.max(1.0);
        (row.trend.per_run.map(|n| n * each), each)
    };
    let (per_run, each) = rate(row);
    let mut all = graphs.holders.iter();
    let before = all.find(|h| h.base && h.id == row.id);
    let before = before.and_then(|h| rate(h).0).unwrap_or(0.0);
    Some(GrowingFact {
        kind: SubjectKind::Holder,
        id,
        name: path_words(&row.path),
        rule,
        severity,
        leaks: row.trend.growth.is_leak(),
        counts: true,
        per_run: per_run.map(|n| n - before),
        bytes: row.series.iter().map(|&n| n as f64 * each).collect(),
    })
}
