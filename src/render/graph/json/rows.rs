//! The rows of the document: types, loaders, cycles, holders, what stayed and what keeps it.

use crate::graph::growth::Trend;
use crate::graph::heaviest::Heavy;
use crate::graph::outcome::{
    CutRow, CycleRow, HolderRow, LoaderCount, LoaderRow, PathStep, SurvivorRow, TypeCount, TypeRow,
};
use crate::report::graph::GraphReport;
use crate::verdict::graph::level;
use serde::{Serialize, Serializer};

/// A real number; whole ones without a fraction, what is no number as null.
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            n if !n.is_finite() => out.serialize_none(),
            n if n == n.trunc() && n.abs() < 9e15 => out.serialize_i64(n as i64),
            n => out.serialize_f64(n),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Type<'r> {
    #[serde(rename = "type")]
    name: &'r str,
    before: Count,
    after: Count,
    delta: Delta,
    series: Vec<u64>,
    growth: Option<&'static str>,
    per_run: Option<Number>,
}

/// Objects by the loader of their class.
#[derive(Serialize)]
pub(super) struct Loader<'r> {
    loader: &'r str,
    before: Loaded,
    after: Loaded,
    delta: LoadedDelta,
    /// Loaders in each capture.
    series: Vec<u64>,
}

#[derive(Serialize)]
struct Loaded {
    loaders: u64,
    classes: u64,
    objects: u64,
    shallow_bytes: u64,
}

#[derive(Serialize)]
struct LoadedDelta {
    loaders: i128,
    classes: i128,
    objects: i128,
    shallow_bytes: i128,
}

impl<'r> Loader<'r> {
    pub(super) fn of(row: &'r LoaderRow) -> Loader<'r> {
        let first = row.counts.first().copied().unwrap_or_default();
        let last = row.counts.last().copied().unwrap_or_default();
        let minus = |a: u64, b: u64| i128::from(a) - i128::from(b);
        let amounts = |c: LoaderCount| Loaded {
            loaders: c.loaders,
            classes: c.classes,
            objects: c.objects,
            shallow_bytes: c.bytes,
        };
        Loader {
            loader: &row.name,
            before: amounts(first),
            after: amounts(last),
            delta: LoadedDelta {
                loaders: minus(last.loaders, first.loaders),
                classes: minus(last.classes, first.classes),
                objects: minus(last.objects, first.objects),
                shallow_bytes: minus(last.bytes, first.bytes),
            },
            series: row.counts.iter().map(|c| c.loaders).collect(),
        }
    }
}

#[derive(Serialize)]
struct Count {
    count: u64,
    shallow_bytes: u64,
    retained_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Delta {
    count: i128,
    shallow_bytes: i128,
    retained_bytes: Option<i128>,
}

#[derive(Serialize)]
pub(super) struct Cycle<'r> {
    id: String,
    signature: &'r str,
    occurrences: &'r [u32],
    objects: u32,
    shallow_bytes: u64,
    retained_bytes: u64,
    retained_series: &'r [u64],
    per_run: Option<Number>,
    per_run_bytes: Option<Number>,
    per_item: Option<Number>,
    growth: Option<&'static str>,
    exact: bool,
    reachable: bool,
    unreachable_occurrences: u32,
    benign: Option<&'static str>,
    explained: bool,
    path: Vec<Step<'r>>,
    root_path: Option<Vec<Step<'r>>>,
    cut: Cut<'r>,
}

#[derive(Serialize)]
struct Step<'r> {
    #[serde(rename = "type")]
    type_name: &'r str,
    edge: &'r str,
    name: &'r str,
    address: Option<String>,
    state: &'static str,
}

impl<'r> Step<'r> {
    fn of(step: &'r PathStep) -> Step<'r> {
        Step {
            type_name: &step.type_name,
            edge: &step.edge,
            name: crate::graph::types::short(&step.type_name),
            address: step.id.map(|id| format!("0x{id:x}")),
            state: step.state.as_str(),
        }
    }
}

#[derive(Serialize)]
struct Cut<'r> {
    kind: &'static str,
    references: Vec<Reference<'r>>,
    count: u32,
    frees_bytes: u64,
}

#[derive(Serialize)]
struct Reference<'r> {
    from: &'r str,
    edge: &'r str,
    to: &'r str,
}

impl<'r> Cut<'r> {
    fn of(cut: &'r CutRow) -> Cut<'r> {
        let reference = |r: &'r crate::graph::cut::Reference| Reference {
            from: &r.from,
            edge: &r.edge,
            to: &r.to,
        };
        Cut {
            kind: cut.kind.as_str(),
            references: cut.references.iter().map(reference).collect(),
            count: cut.count,
            frees_bytes: cut.frees,
        }
    }
}

/// The site that allocated most objects of a holder.
#[derive(Serialize)]
struct AllocatedAt {
    site: String,
    objects: u64,
    of: u64,
}

#[derive(Serialize)]
pub(super) struct Holder<'r> {
    id: String,
    side: &'static str,
    path: Vec<Hop<'r>>,
    series: &'r [u64],
    per_run: Option<Number>,
    per_item: Option<Number>,
    growth: Option<&'static str>,
    leak_share_bytes: u64,
    exclusive_bytes: u64,
    retained_bytes: u64,
    grown_bytes: u64,
    inside: Option<Held<'r>>,
    cut: Cut<'r>,
    evidence: &'static str,
    also: Vec<&'r str>,
    beside: Vec<Vec<Hop<'r>>>,
    benign: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocated_at: Option<AllocatedAt>,
}

#[derive(Serialize)]
struct Hop<'r> {
    edge: &'r str,
    #[serde(rename = "type")]
    type_name: &'r str,
    state: &'static str,
}

/// The program's own objects among what a growing holder holds.
#[derive(Serialize)]
struct Held<'r> {
    path: Vec<Hop<'r>>,
    series: &'r [u64],
    per_run: Option<Number>,
    growth: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Survivor<'r> {
    id: String,
    side: &'static str,
    path: Vec<Hop<'r>>,
    objects: u64,
    retained_bytes: u64,
}

#[derive(Serialize)]
pub(super) struct Dominator<'r> {
    parent: Option<u32>,
    label: String,
    #[serde(rename = "type")]
    type_name: &'r str,
    edge: &'r str,
    objects: u64,
    shallow_bytes: u64,
    retained_bytes: u64,
    rest_bytes: u64,
}

impl<'r> Dominator<'r> {
    pub(super) fn of(entry: &'r Heavy) -> Dominator<'r> {
        let name = crate::graph::types::short(&entry.type_name);
        Dominator {
            parent: entry.parent,
            label: match entry.objects {
                0 | 1 => name.to_owned(),
                n => format!("{name} x {}", crate::units::grouped(i128::from(n))),
            },
            type_name: &entry.type_name,
            edge: &entry.edge,
            objects: entry.objects,
            shallow_bytes: entry.shallow,
            retained_bytes: entry.retained,
            rest_bytes: entry.rest,
        }
    }
}

pub(super) fn growth(trend: &Trend) -> Option<&'static str> {
    trend.growth.as_str()
}

pub(super) fn type_of(row: &TypeRow, types_only: bool) -> Type<'_> {
    let count = |c: TypeCount| Count {
        count: c.count,
        shallow_bytes: c.shallow,
        retained_bytes: (!types_only).then_some(c.retained),
    };
    let first = row.counts.first().copied().unwrap_or_default();
    let last = row.counts.last().copied().unwrap_or_default();
    let minus = |a: u64, b: u64| i128::from(a) - i128::from(b);
    Type {
        name: &row.name,
        before: count(first),
        after: count(last),
        delta: Delta {
            count: minus(last.count, first.count),
            shallow_bytes: minus(last.shallow, first.shallow),
            retained_bytes: (!types_only).then_some(minus(last.retained, first.retained)),
        },
        series: row.counts.iter().map(|c| c.count).collect(),
        growth: growth(&row.trends[1]),
        per_run: row.trends[1].per_run.map(Number),
    }
}

pub(super) fn cycle(row: &CycleRow) -> Cycle<'_> {
    let trend = &row.trends[1];
    let occurrences = row.occurrences.iter().rev().find(|&&n| n > 0);
    let here = occurrences.copied().unwrap_or(0).max(1);
    let bytes = row.retained.last().copied().unwrap_or(0);
    let each = bytes as f64 / f64::from(here);
    Cycle {
        id: format!("{:016x}", row.id),
        signature: &row.signature,
        occurrences: &row.occurrences,
        objects: row.objects,
        shallow_bytes: row.shallow,
        retained_bytes: bytes,
        retained_series: &row.retained,
        per_run: trend.per_run.map(Number),
        per_run_bytes: trend.per_run.map(|n| Number(n * each)),
        per_item: trend.per_item.map(Number),
        growth: growth(trend),
        exact: trend.exact,
        reachable: row.unreachable * 2 < here,
        unreachable_occurrences: row.unreachable,
        benign: row.benign.map(|b| b.reason()),
        explained: row.explained,
        path: row.path.iter().map(Step::of).collect(),
        root_path: row
            .root_path
            .as_ref()
            .map(|p| p.iter().map(Step::of).collect()),
        cut: Cut::of(&row.cut),
    }
}

fn hop(step: &PathStep) -> Hop<'_> {
    Hop {
        edge: &step.edge,
        type_name: &step.type_name,
        state: step.state.as_str(),
    }
}

pub(super) fn survivor(row: &SurvivorRow) -> Survivor<'_> {
    Survivor {
        id: format!("{:016x}", row.id),
        side: if row.base { "base" } else { "new" },
        path: row.path.iter().map(hop).collect(),
        objects: row.objects,
        retained_bytes: row.retained,
    }
}

pub(super) fn holder<'r>(report: &'r GraphReport<'_>, row: &'r HolderRow) -> Holder<'r> {
    Holder {
        id: format!("{:016x}", row.id),
        side: if row.base { "base" } else { "new" },
        path: row.path.iter().map(hop).collect(),
        series: &row.series,
        per_run: row.trend.per_run.map(Number),
        per_item: row.trend.per_item.map(Number),
        growth: growth(&row.trend),
        leak_share_bytes: row.share.share,
        exclusive_bytes: row.share.exclusive,
        retained_bytes: row.retained,
        grown_bytes: row.grown_bytes(),
        inside: row.inside.as_ref().map(|i| Held {
            path: i.path.iter().map(hop).collect(),
            series: &i.series,
            per_run: i.trend.per_run.map(Number),
            growth: growth(&i.trend),
        }),
        cut: Cut::of(&row.cut),
        evidence: level(row),
        also: row.also.iter().map(|(name, _)| name.as_str()).collect(),
        beside: row
            .beside
            .iter()
            .map(|p| p.iter().map(hop).collect())
            .collect(),
        benign: row.benign,
        allocated_at: report
            .made(row)
            .zip(report.sites.as_ref())
            .map(|(made, sites)| AllocatedAt {
                site: sites.id(made.row as usize).to_string(),
                objects: made.objects,
                of: made.of,
            }),
    }
}
