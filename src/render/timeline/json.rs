//! The timeline as a JSON document.

use super::super::gate::Judged;
use super::super::json::WireGate;
use super::super::unwritable;
use super::draw;
use super::stamp;
use crate::error::Result;
use crate::model::Series;
use crate::model::SeriesUnit;
use crate::report::{Counted, TimelineReport, Word};
use crate::timeline::{Change, Coincidence, Curve, Makeup};
use crate::verdict::{Conclusion, Fact, Severity, segment_severity};
use serde_json::{Map, Value, json};
use std::io::Write;

/// The name and version of the document.
pub const SCHEMA: &str = "heapdiff.timeline/1";

/// Writes the document.
///
/// Errors: `out` cannot be written to.
pub fn write(report: &TimelineReport, out: &mut dyn Write) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    serde_json::to_writer_pretty(&mut out, &document(report)).map_err(|e| unwritable(e.into()))?;
    out.write_all(b"\n").map_err(unwritable)?;
    out.flush().map_err(unwritable)
}

/// A number with six digits that count; what is not finite is unknown.
pub(super) fn number(v: f64) -> Value {
    if !v.is_finite() {
        return Value::Null;
    }
    if v == 0.0 {
        return json!(0);
    }
    let digits = 5 - v.abs().log10().floor() as i32;
    let text = match digits {
        d if d > 0 => format!("{v:.*}", d.clamp(0, 300) as usize),
        _ => format!("{v:.0}"),
    };
    let rounded: f64 = text.parse().unwrap_or(v);
    match rounded == rounded.trunc() && rounded.abs() < 9e15 {
        true => json!(rounded as i64),
        false => json!(rounded),
    }
}

fn maybe(v: Option<f64>) -> Value {
    v.map_or(Value::Null, number)
}

/// Rates of bytes are in MB, others in units.
fn scale(unit: SeriesUnit) -> f64 {
    if unit == SeriesUnit::Bytes { 1e-6 } else { 1.0 }
}

fn verdict(word: Word) -> &'static str {
    match word {
        Word::Emergency | Word::Leak => "leak",
        Word::Grew => "grew",
        Word::Same => "same",
        Word::CannotTell => "cannot-tell",
        Word::Mark(Change::Cured) => "cured",
        Word::Mark(Change::Reduced) => "reduced",
        Word::Mark(Change::Worse) => "worse",
        Word::Mark(Change::CannotTell) => "cannot-tell",
    }
}

/// The document.
pub(in super::super) fn document(report: &TimelineReport) -> Value {
    let t = &report.timeline;
    let mut series: Vec<Value> = t
        .curves
        .iter()
        .enumerate()
        .map(|(i, c)| curve(report, i, c))
        .collect();
    series.extend(t.plain.iter().enumerate().map(|(i, s)| plain(i, s)));
    let inputs: Vec<Value> = report
        .inputs
        .iter()
        .map(|i| {
            json!({
                "path": i.path, "kind": i.kind, "lines": i.lines, "bad_lines": i.bad,
                "first_bad": i.first_bad.as_ref().map(|(line, text)| json!({"line": line, "text": text})),
                "notes": i.notes,
            })
        })
        .collect();
    let events: Vec<Value> = t
        .events
        .iter()
        .map(|e| {
            let bursts: Vec<Value> = e
                .bursts
                .iter()
                .map(|(a, b, x)| json!({"start": stamp(*a), "end": stamp(*b), "times_normal": number(*x)}))
                .collect();
            json!({
                "pattern": e.pattern, "count": e.count,
                "normal_per_hour": number(e.normal_per_hour), "peak_per_hour": number(e.peak_per_hour),
                "peak_at": stamp(e.peak_at), "bursts": bursts,
            })
        })
        .collect();
    let incident: Vec<Value> = report
        .incident
        .iter()
        .map(|d| json!({"time": stamp(d.time), "what": d.what}))
        .collect();
    let ruled_out: Vec<Value> = report
        .ruled_out
        .iter()
        .map(|r| json!({"what": r.what, "why": r.why}))
        .collect();
    let marks: Vec<Value> = t
        .marks
        .iter()
        .map(|(at, mark, f)| {
            let side = |v: (f64, f64, f64)| {
                json!({"value": number(v.0 / 1e6), "lo": number(v.1 / 1e6), "hi": number(v.2 / 1e6)})
            };
            json!({
                "series": id(&t.curves[*at].series), "time": stamp(f.at), "label": t.labels[*mark].1,
                "change": f.change.as_str(), "before_mb_per_hour": side(f.before),
                "after_mb_per_hour": side(f.after), "hours_needed": maybe(f.hours_needed),
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "verdict": verdict(report.word()),
        "thresholds": draw::thresholds(report.limits),
        "inputs": inputs,
        "series": series,
        "requests": requests(report),
        "events": events,
        "incident": incident,
        "ruled_out": ruled_out,
        "marks": marks,
        "captures": captures(report),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "gate": gate(report),
    })
}

fn gate(report: &TimelineReport) -> Value {
    let wire = report
        .gate
        .as_ref()
        .map(|g| WireGate::new(Judged::Monitoring(report), g));
    serde_json::to_value(wire).unwrap_or(Value::Null)
}

fn id(s: &Series) -> String {
    format!("{}/{}", s.name.service, s.name.metric)
}

/// The keys that every series has.
fn common(s: &Series) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("id", json!(id(s)));
    put("service", json!(s.name.service));
    put("metric", json!(s.name.metric));
    put("role", json!(s.name.role.as_str()));
    put("unit", json!(s.name.unit.as_str()));
    put("start", json!(stamp(s.start)));
    put("end", json!(stamp(s.end)));
    put("points", json!(s.points));
    put("duplicates", json!(s.duplicates));
    put("late", json!(s.late));
    let steps = s
        .clock
        .iter()
        .map(|c| json!({"time": stamp(c.at), "moved_s": number(c.moved_s)}));
    put("clock_steps", Value::Array(steps.collect()));
    for (key, v) in [
        ("first", s.first),
        ("last", s.last),
        ("min", s.min),
        ("max", s.max),
    ] {
        put(key, number(v));
    }
    out
}

fn gaps(s: &Series) -> Value {
    let gap = |g: &crate::model::Gap| json!({"start": stamp(g.from), "end": stamp(g.to)});
    Value::Array(s.gaps.iter().map(gap).collect())
}

fn plain(at: usize, s: &Series) -> Value {
    let mut out = common(s);
    out.insert("primary".into(), json!(false));
    if at < draw::MOST_PLAIN {
        out.insert("samples".into(), draw::samples(s, draw::FEW_COLUMNS));
    }
    out.insert("rate_mb_per_hour".into(), Value::Null);
    out.insert("growth".into(), Value::Null);
    out.insert("p_value".into(), Value::Null);
    for key in ["windows", "episodes", "restarts", "follows"] {
        out.insert(key.into(), json!([]));
    }
    out.insert("gaps".into(), gaps(s));
    out.insert("time_to_limit_s".into(), Value::Null);
    Value::Object(out)
}

fn word(severity: Option<Severity>) -> Value {
    severity.map_or(Value::Null, |s| json!(s.as_str()))
}

fn curve(report: &TimelineReport, at: usize, c: &Curve) -> Value {
    let k = scale(c.series.name.unit);
    let bytes = c.series.name.unit == SeriesUnit::Bytes;
    let mut out = common(&c.series);
    let primary = report.timeline.primary.contains(&at);
    out.insert("primary".into(), json!(primary));
    out.insert("samples".into(), draw::samples(&c.series, draw::COLUMNS));
    let rate_key = if bytes {
        "rate_mb_per_hour"
    } else {
        "rate_per_hour"
    };
    if !bytes {
        out.insert("rate_mb_per_hour".into(), Value::Null);
    }
    let scaled = |v: Option<f64>| maybe(v.map(|v| v * k));
    out.insert(
        rate_key.into(),
        json!({
            "overall": scaled(c.rate.map(|r| r.value)),
            "lo": scaled(c.rate.map(|r| r.lo)),
            "hi": scaled(c.rate.map(|r| r.hi)),
            "max_15m": scaled(c.fastest(0.25)), "max_1h": scaled(c.fastest(1.0)),
            "max_6h": scaled(c.fastest(6.0)), "max_24h": scaled(c.fastest(24.0)),
            "max_30d": scaled(c.fastest(720.0)),
            "of_process_age": c.rate.is_some_and(|r| r.of_age),
            "rhythm": c.rate.map(|r| r.rhythm.as_str()),
            "if_one_wave": scaled(c.rate.and_then(|r| r.with_wave)),
        }),
    );
    out.insert("growth".into(), json!(c.class.as_str()));
    out.insert("p_value".into(), maybe(c.rate.map(|r| r.p)));
    let windows: Vec<Value> = c
        .segments
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let rate_key = if bytes {
                "rate_mb_per_hour"
            } else {
                "rate_per_hour"
            };
            json!({
                "start": stamp(c.moment(s.start)), "end": stamp(c.moment(s.end)),
                rate_key: number(s.rate * k),
                "severity": word(segment_severity(c, i, &report.limits).filter(|_| bytes)),
            })
        })
        .collect();
    out.insert("windows".into(), Value::Array(windows));
    let episodes: Vec<Value> = c
        .episodes()
        .map(|e| {
            let worst = e
                .segments
                .clone()
                .filter_map(|i| segment_severity(c, i, &report.limits))
                .max();
            let escalation = c
                .escalates(e)
                .map(|(x, hours)| json!({"factor": number(x), "within_h": number(hours)}));
            let peak_key = if bytes {
                "peak_rate_mb_per_hour"
            } else {
                "peak_rate_per_hour"
            };
            json!({
                "start": stamp(c.moment(e.start)), "end": stamp(c.moment(e.end)),
                peak_key: number(e.peak * k), "severity": word(worst.filter(|_| bytes)),
                "gained": number(e.gain), "kept_share": number(e.kept), "ongoing": e.open,
                "escalation": escalation,
            })
        })
        .collect();
    out.insert("episodes".into(), Value::Array(episodes));
    let restarts = c.releasing_restarts().map(|r| json!(stamp(r.at)));
    out.insert("restarts".into(), Value::Array(restarts.collect()));
    out.insert("gaps".into(), gaps(&c.series));
    let follows: Vec<Value> = report
        .timeline
        .follows
        .iter()
        .filter(|f| f.0 == at)
        .flat_map(|f| &f.1)
        .filter(|(_, f)| f.passes)
        .map(|(n, f)| {
            json!({
                "series": format!("{}/{}", n.service, n.metric), "share": number(f.share),
                "per_unit": number(f.per_unit), "p_value": number(f.p),
            })
        })
        .collect();
    out.insert("follows".into(), Value::Array(follows));
    let makeup = report.timeline.makeup.iter().find(|m| m.0 == at);
    out.insert(
        "makeup".into(),
        makeup.map_or(Value::Null, |m| parts(c, &m.1)),
    );
    let left = report
        .rated
        .iter()
        .find(|r| r.curve == at)
        .and_then(|r| r.to_limit);
    out.insert("time_to_limit_s".into(), maybe(left.map(|l| l.0 * 3600.0)));
    out.insert(
        "teeth".into(),
        c.bins.teeth.map_or(Value::Null, |t| {
            json!({"period_s": number(t.period_s), "size": number(t.size), "releases": t.releases})
        }),
    );
    Value::Object(out)
}

/// What growth is made of.
fn parts(c: &Curve, m: &Makeup) -> Value {
    let split = m.split.map(|s| {
        json!({
            "processes_before": number(s.processes.0), "processes_after": number(s.processes.1),
            "more_processes_bytes": number(s.more), "bigger_processes_bytes": number(s.bigger),
        })
    });
    let parts: Vec<Value> = m
        .parts
        .iter()
        .map(|p| json!({"metric": p.metric, "moved": number(p.moved)}))
        .collect();
    json!({
        "start": stamp(c.moment(m.span.0)), "end": stamp(c.moment(m.span.1)),
        "growth": number(m.growth), "split": split,
        "place": m.place.map(|p| p.as_str()), "parts": parts,
    })
}

/// Captures beside the growth.
fn captures(report: &TimelineReport) -> Value {
    let Some(j) = &report.captures else {
        return Value::Null;
    };
    let sites: Vec<Value> = j
        .sites
        .iter()
        .map(|s| {
            json!({
                "id": s.id, "name": s.name, "delta": s.delta, "per_run": maybe(s.per_run),
                "mb_per_hour": maybe(s.per_hour.map(|v| v / 1e6)),
            })
        })
        .collect();
    let runs = j.runs.filter(|r| r.1 == Counted::Coinciding).map(|r| r.0);
    json!({
        "sites": sites, "delta": j.total, "per_run": maybe(j.per_run), "runs": maybe(runs),
        "hours": maybe(j.hours), "counted_by": j.runs.map(|r| r.1.as_str()),
        "share_of_growth": maybe(j.share),
    })
}

fn requests(report: &TimelineReport) -> Vec<Value> {
    let Some(requests) = &report.timeline.requests else {
        return Vec::new();
    };
    let first = report.rated.first().map(|r| r.curve);
    let attribution = requests
        .attributions
        .iter()
        .find(|a| Some(a.0) == first)
        .or(requests.attributions.first())
        .map(|a| &a.1);
    let of = |e: usize| -> Option<&Coincidence> {
        attribution?
            .endpoints
            .iter()
            .find(|c| c.endpoint == e || c.together.contains(&e))
    };
    let name = |e: &usize| requests.endpoints[*e].name.clone();
    requests
        .endpoints
        .iter()
        .enumerate()
        .map(|(i, e)| {
            let c = of(i).filter(|c| c.untested.is_none());
            let value = c.map(|c| {
                json!({"value": number(c.per_request), "lo": number(c.lo), "hi": number(c.hi)})
            });
            let together: Vec<String> = of(i).map_or_else(Vec::new, |c| {
                let all = std::iter::once(&c.endpoint).chain(&c.together);
                all.filter(|m| **m != i).map(name).collect()
            });
            json!({
                "endpoint": e.name, "family": e.family, "count": e.count, "errors": e.errors,
                "timeouts": e.timeouts, "p50_s": maybe(e.p50_s), "p99_s": maybe(e.p99_s),
                "max_s": maybe(e.max_s), "bytes_per_request": value,
                "correlation": maybe(c.map(|c| c.correlation)), "lag_s": maybe(c.map(|c| c.lag_s)),
                "p_value": maybe(c.map(|c| c.p)), "q_value": maybe(c.map(|c| c.q)),
                "in_growth_share": maybe(c.map(|c| c.in_growth_share)),
                "not_separable_from": together,
                "reported": c.is_some_and(|c| c.reported),
                "activity": match of(i).is_some_and(|c| c.reported) {
                    true => draw::activity(&e.windows, requests.window_s, draw::COLUMNS / 2),
                    false => Value::Null,
                },
                "follows_growth": c.is_some_and(|c| c.follows_growth),
                "visible_bytes_per_request": maybe(c.map(|c| c.visible)),
                "rate_while_running_mb_per_hour": maybe(c.and_then(|c| c.rate_running).map(|r| r / 1e6)),
                "rate_while_idle_mb_per_hour": maybe(c.and_then(|c| c.rate_idle).map(|r| r.0 / 1e6)),
            })
        })
        .collect()
}

/// A conclusion as it stands under `findings`.
fn finding(c: &Conclusion) -> Value {
    let mut evidence = Map::new();
    for (key, fact) in &c.evidence {
        let value = match fact {
            Fact::Whole(n) => i64::try_from(*n).map_or(Value::Null, |n| json!(n)),
            Fact::Number(v) => number(*v),
            Fact::Series(all) => {
                json!(
                    all.iter()
                        .map(|n| i64::try_from(*n).ok())
                        .collect::<Vec<_>>()
                )
            }
            Fact::Text(text) => json!(text),
            Fact::Unknown => Value::Null,
        };
        evidence.insert((*key).to_owned(), value);
    }
    json!({
        "id": format!("{:016x}", c.id()), "rule": c.rule.id, "name": c.rule.name,
        "severity": c.severity.as_str(), "severity_by": c.severity_by.as_str(), "title": c.title,
        "subject": {"kind": c.subject.as_str(), "id": c.subject_id}, "site": Value::Null,
        "evidence": evidence, "refuted_by": c.refuted_by, "advice": c.advice,
        "captures": c.captures,
    })
}
