//! Object graphs as JSON: `heapdiff.compare/1` with the kind `object-graph`, and as JSON lines.

use super::super::gate::Judged;
use super::super::json::{Rows, WireGate};
use crate::error::{Code, Error, Result};
use crate::graph::growth::{Growth, Trend};
use crate::graph::heaviest::Heavy;
use crate::graph::series::{
    CaptureFacts, CutRow, CycleRow, HolderRow, LoaderCount, LoaderRow, PathStep, SurvivorRow,
    TypeCount, TypeRow,
};
use crate::report::graph::GraphReport;
use crate::verdict::graph::level;
use crate::verdict::{Conclusion, Fact};
use serde::{Serialize, Serializer};
use std::io::Write;

/// A real number; whole ones without a fraction, what is no number as null.
struct Number(f64);

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
struct Document<'r> {
    schema: &'static str,
    kind: &'static str,
    verdict: &'static str,
    metric: &'static str,
    group_by: &'static str,
    captures: Vec<Capture<'r>>,
    totals: Totals,
    matching: Option<()>,
    resolution: Option<()>,
    #[serde(flatten)]
    allocated: Allocated<'r>,
    types: Vec<Type<'r>>,
    loaders: Vec<Loader<'r>>,
    cycles: Vec<Cycle<'r>>,
    holders: Vec<Holder<'r>>,
    survivors: Vec<Survivor<'r>>,
    dominators: Vec<Dominator<'r>>,
    findings: Vec<Finding<'r>>,
    gate: Option<WireGate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<serde_json::Value>,
}

/// Allocation sites, in bytes and objects that are live.
#[derive(Serialize)]
#[serde(untagged)]
enum Allocated<'r> {
    Known(Rows<'r>),
    Unknown {
        sites: [(); 0],
        omitted: Omitted,
        filtered: Omitted,
    },
}

#[derive(Serialize)]
struct Omitted {
    sites: u64,
    before: Empty,
    after: Empty,
    delta: Empty,
}

#[derive(Serialize)]
struct Empty {}

const NOTHING: Omitted = Omitted {
    sites: 0,
    before: Empty {},
    after: Empty {},
    delta: Empty {},
};

#[derive(Serialize, Clone, Copy)]
struct Amounts {
    /// None where captures were read for their types.
    #[serde(skip_serializing_if = "Option::is_none")]
    retained_bytes: Option<i128>,
    shallow_bytes: i128,
    objects: i128,
}

impl Amounts {
    /// `retained_bytes` of a whole capture is what roots keep alive.
    fn of(c: &CaptureFacts, types_only: bool) -> Amounts {
        Amounts {
            retained_bytes: (!types_only).then_some(i128::from(c.reachable)),
            shallow_bytes: i128::from(c.shallow),
            objects: i128::from(c.objects),
        }
    }

    fn minus(self, other: Amounts) -> Amounts {
        Amounts {
            retained_bytes: self
                .retained_bytes
                .zip(other.retained_bytes)
                .map(|(a, b)| a - b),
            shallow_bytes: self.shallow_bytes - other.shallow_bytes,
            objects: self.objects - other.objects,
        }
    }
}

#[derive(Serialize)]
struct Totals {
    before: Amounts,
    after: Amounts,
    delta: Amounts,
    per_run: Option<PerRun>,
    series: Vec<u64>,
    growth: Option<&'static str>,
    slope: Option<()>,
    significance: Option<()>,
}

#[derive(Serialize)]
struct PerRun {
    #[serde(skip_serializing_if = "Option::is_none")]
    retained_bytes: Option<Number>,
    shallow_bytes: Number,
    objects: Number,
}

#[derive(Serialize)]
struct Capture<'r> {
    path: &'r str,
    side: &'static str,
    format: &'static str,
    producer: Option<&'r str>,
    command: Option<&'r str>,
    runs: Option<Number>,
    drivers: std::collections::BTreeMap<&'r str, Number>,
    sampling: Option<()>,
    salvaged: Option<Salvaged<'r>>,
    objects: u64,
    edges: u64,
    roots: u64,
    runtime: &'r str,
    runtime_version: &'r str,
    gc: &'static str,
    gc_enabled: Option<bool>,
    settled: Option<bool>,
    unreachable_objects: u64,
    unreachable_bytes: u64,
    dangling: u64,
    weak: u64,
    duplicates: u64,
    totals: Amounts,
}

#[derive(Serialize)]
struct Salvaged<'r> {
    read_bytes: u64,
    of_bytes: u64,
    reason: &'r str,
}

#[derive(Serialize)]
struct Type<'r> {
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
struct Loader<'r> {
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
    fn of(row: &'r LoaderRow) -> Loader<'r> {
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
struct Cycle<'r> {
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
struct Holder<'r> {
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
struct Survivor<'r> {
    id: String,
    side: &'static str,
    path: Vec<Hop<'r>>,
    objects: u64,
    retained_bytes: u64,
}

#[derive(Serialize)]
struct Dominator<'r> {
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
    fn of(entry: &'r Heavy) -> Dominator<'r> {
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

#[derive(Serialize)]
struct Finding<'r> {
    id: String,
    rule: &'static str,
    name: &'static str,
    severity: &'static str,
    severity_by: &'static str,
    title: &'r str,
    subject: Subject<'r>,
    site: Option<()>,
    evidence: serde_json::Map<String, serde_json::Value>,
    refuted_by: &'r str,
    advice: &'r str,
    captures: &'r [u32],
}

#[derive(Serialize)]
struct Subject<'r> {
    kind: &'static str,
    id: &'r str,
}

fn value(fact: &Fact) -> serde_json::Value {
    match fact {
        Fact::Whole(n) => i64::try_from(*n).map_or(serde_json::Value::Null, Into::into),
        Fact::Number(n) if n.is_finite() => serde_json::json!(n),
        Fact::Number(_) | Fact::Unknown => serde_json::Value::Null,
        Fact::Series(all) => all
            .iter()
            .map(|&n| i64::try_from(n).map_or(serde_json::Value::Null, Into::into))
            .collect(),
        Fact::Text(text) => text.clone().into(),
    }
}

impl<'r> Finding<'r> {
    fn of(c: &'r Conclusion) -> Finding<'r> {
        Finding {
            id: format!("{:016x}", c.id()),
            rule: c.rule.id,
            name: c.rule.name,
            severity: c.severity.as_str(),
            severity_by: c.severity_by.as_str(),
            title: &c.title,
            subject: Subject {
                kind: c.subject.as_str(),
                id: &c.subject_id,
            },
            site: None,
            evidence: c
                .evidence
                .iter()
                .map(|(name, fact)| ((*name).to_owned(), value(fact)))
                .collect(),
            refuted_by: &c.refuted_by,
            advice: &c.advice,
            captures: &c.captures,
        }
    }
}

fn growth(trend: &Trend) -> Option<&'static str> {
    trend.growth.as_str()
}

fn capture<'r>(path: &'r str, c: &'r CaptureFacts, types_only: bool) -> Capture<'r> {
    let meta = &c.meta;
    let drivers = meta.drivers.iter();
    Capture {
        path,
        side: if c.base { "base" } else { "new" },
        format: meta.format,
        producer: meta.producer.as_deref(),
        command: meta.command.as_deref(),
        runs: meta.runs().map(Number),
        drivers: drivers.map(|(n, v)| (n.as_str(), Number(*v))).collect(),
        sampling: None,
        salvaged: meta.salvaged.as_ref().map(|s| Salvaged {
            read_bytes: s.read_bytes,
            of_bytes: s.of_bytes,
            reason: &s.reason,
        }),
        objects: c.objects,
        edges: c.edges,
        roots: c.roots,
        runtime: &meta.runtime,
        runtime_version: &meta.runtime_version,
        gc: meta.gc.as_str(),
        gc_enabled: meta.gc_enabled,
        settled: meta.settled,
        unreachable_objects: c.unreachable.1,
        unreachable_bytes: c.unreachable.0,
        dangling: meta.counts.dangling,
        weak: meta.counts.weak,
        duplicates: meta.counts.duplicates,
        totals: Amounts::of(c, types_only),
    }
}

fn type_of(row: &TypeRow, types_only: bool) -> Type<'_> {
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

fn cycle(row: &CycleRow) -> Cycle<'_> {
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

fn survivor(row: &SurvivorRow) -> Survivor<'_> {
    Survivor {
        id: format!("{:016x}", row.id),
        side: if row.base { "base" } else { "new" },
        path: row.path.iter().map(hop).collect(),
        objects: row.objects,
        retained_bytes: row.retained,
    }
}

fn holder<'r>(report: &'r GraphReport<'_>, row: &'r HolderRow) -> Holder<'r> {
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

fn totals(report: &GraphReport) -> Totals {
    let captures = &report.outcome.captures;
    let types_only = report.outcome.types_only;
    let amounts = |c: &CaptureFacts| Amounts::of(c, types_only);
    let zero = Amounts {
        retained_bytes: Some(0),
        shallow_bytes: 0,
        objects: 0,
    };
    let before = captures.first().map_or(zero, amounts);
    let after = captures.last().map_or(zero, amounts);
    let delta = after.minus(before);
    let one_side = captures.iter().all(|c| !c.base);
    let runs = |c: Option<&CaptureFacts>| c.and_then(|c| c.meta.runs());
    let span = runs(captures.last())
        .zip(runs(captures.first()))
        .map(|(b, a)| b - a)
        .filter(|s| *s > 0.0 && one_side);
    Totals {
        before,
        after,
        delta,
        per_run: span.map(|s| PerRun {
            retained_bytes: delta.retained_bytes.map(|n| Number(n as f64 / s)),
            shallow_bytes: Number(delta.shallow_bytes as f64 / s),
            objects: Number(delta.objects as f64 / s),
        }),
        series: captures
            .iter()
            .map(|c| if types_only { c.shallow } else { c.reachable })
            .collect(),
        growth: (captures.len() > 1)
            .then(|| {
                match delta.shallow_bytes {
                    0 => Growth::Unchanged,
                    n if n > 0 => Growth::Grew,
                    _ => Growth::Shrank,
                }
                .as_str()
            })
            .flatten(),
        slope: None,
        significance: None,
    }
}

fn document<'r>(report: &'r GraphReport<'_>) -> Document<'r> {
    let outcome = &report.outcome;
    let captures = report.paths.iter().zip(&outcome.captures);
    Document {
        schema: "heapdiff.compare/1",
        kind: "object-graph",
        verdict: report.verdict.verdict.as_str(),
        metric: match outcome.types_only {
            true => "shallow_bytes",
            false => "retained_bytes",
        },
        group_by: "type",
        captures: captures
            .map(|(p, c)| capture(p, c, outcome.types_only))
            .collect(),
        totals: totals(report),
        matching: None,
        resolution: None,
        allocated: match &report.sites {
            Some(sites) => Allocated::Known(Rows::new(sites, sites.order.len())),
            None => Allocated::Unknown {
                sites: [],
                omitted: NOTHING,
                filtered: NOTHING,
            },
        },
        types: {
            let types = outcome.types.iter();
            types.map(|t| type_of(t, outcome.types_only)).collect()
        },
        loaders: outcome.loaders.iter().map(Loader::of).collect(),
        cycles: outcome.cycles.iter().map(cycle).collect(),
        holders: outcome.holders.iter().map(|h| holder(report, h)).collect(),
        survivors: outcome.survivors.iter().map(survivor).collect(),
        dominators: outcome.heaviest.iter().map(Dominator::of).collect(),
        findings: report.verdict.conclusions.iter().map(Finding::of).collect(),
        gate: report
            .gate
            .as_ref()
            .map(|g| WireGate::new(Judged::Graphs(report), g)),
        timeline: report
            .monitored
            .as_ref()
            .map(super::super::timeline::json::document),
    }
}

fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::new(Code::Unwritable, error.to_string())
}

/// Writes the document. Errors: `out` cannot be written to.
pub fn write(report: &GraphReport, out: &mut dyn Write) -> Result<()> {
    let mut out = std::io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &document(report)).map_err(unwritable)?;
    out.write_all(b"\n").map_err(unwritable)?;
    out.flush().map_err(unwritable)
}

/// Writes one object a line, each with what it is: `capture`, `site`, `type`, `loader`, `cycle`, `holder`,
/// `finding`. Errors: `out` cannot be written to.
pub fn write_lines(report: &GraphReport, out: &mut dyn Write) -> Result<()> {
    let document = document(report);
    let mut out = std::io::BufWriter::new(out);
    lines(&mut out, "capture", &document.captures)?;
    if let Allocated::Known(rows) = &document.allocated {
        for value in rows.each() {
            line(&mut out, "site", &value)?;
        }
    }
    lines(&mut out, "type", &document.types)?;
    lines(&mut out, "loader", &document.loaders)?;
    lines(&mut out, "cycle", &document.cycles)?;
    lines(&mut out, "holder", &document.holders)?;
    lines(&mut out, "finding", &document.findings)?;
    out.flush().map_err(unwritable)
}

#[derive(Serialize)]
struct Line<'a, T> {
    row: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

fn line<T: Serialize>(out: &mut dyn Write, row: &'static str, value: &T) -> Result<()> {
    serde_json::to_writer(&mut *out, &Line { row, value }).map_err(unwritable)?;
    out.write_all(b"\n").map_err(unwritable)
}

fn lines<T: Serialize>(out: &mut dyn Write, row: &'static str, all: &[T]) -> Result<()> {
    all.iter().try_for_each(|value| line(out, row, value))
}
