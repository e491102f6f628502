//! Object graphs as JSON: `heapdiff.compare/1` with the kind `object-graph`, and as JSON lines.

mod rows;

use crate::error::{Code, Error, Result};
use crate::graph::growth::Growth;
use crate::graph::outcome::CaptureFacts;
use crate::render::gate::Judged;
use crate::render::json::{Rows, WireGate};
use crate::report::graph::GraphReport;
use crate::verdict::{Conclusion, Fact};
use rows::{
    Cycle, Dominator, Holder, Loader, Number, Survivor, Type, cycle, holder, survivor, type_of,
};
use serde::Serialize;
use std::io::Write;

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
            .map(crate::render::timeline::json::document),
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
