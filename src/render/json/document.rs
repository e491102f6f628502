//! The document around the rows.

use super::super::finding::title;
use super::super::gate::Judged;
use super::gate::WireGate;
use super::site::{Significance, Site, Slope, SlopeDifference};
use super::wire::{Amounts, Map, Metrics, Number, Shown, metrics, rates, summed};
use crate::model::Column;
use crate::normalize::SiteId;
use crate::report::{CaptureInfo, Report};
use crate::verdict::{Fact, Finding, SubjectKind};
use serde::{Serialize, Serializer};

/// The smallest growth of one site that the captures show.
#[derive(Serialize)]
struct Resolution {
    per_run: Option<Number>,
    total: Number,
    of_new_site: Number,
}

/// What one tier of matching recognised.
#[derive(Serialize)]
struct Tier {
    tier: &'static str,
    #[serde(flatten)]
    share: Share,
}

/// Rows and the chosen metric in them.
#[derive(Serialize)]
struct Share {
    sites: u64,
    before: i128,
    after: i128,
}

impl From<crate::diff::Share> for Share {
    fn from(share: crate::diff::Share) -> Share {
        Share {
            sites: share.sites,
            before: share.before,
            after: share.after,
        }
    }
}

/// The ledger: what was recognised by what, what was not, and why.
#[derive(Serialize)]
struct Matching {
    tiers: Vec<Tier>,
    ambiguous: Share,
    reasons: Vec<String>,
}

impl Matching {
    fn new(ledger: &crate::diff::Ledger) -> Matching {
        let tier = |&(by, share): &(crate::diff::MatchedBy, crate::diff::Share)| Tier {
            tier: by.as_str(),
            share: share.into(),
        };
        Matching {
            tiers: ledger.tiers.iter().map(tier).collect(),
            ambiguous: ledger.ambiguous.into(),
            reasons: ledger.reasons.clone(),
        }
    }
}

/// The whole.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    schema: &'static str,
    kind: &'static str,
    verdict: &'static str,
    metric: &'r str,
    group_by: String,
    captures: Vec<Capture<'r>>,
    totals: Totals<'r>,
    matching: Option<Matching>,
    resolution: Option<Resolution>,
    #[serde(flatten)]
    rows: Rows<'r>,
    types: [(); 0],
    cycles: [(); 0],
    holders: [(); 0],
    findings: Vec<WireFinding<'r>>,
    gate: Option<WireGate>,
    /// Monitoring beside it, as `heapdiff.timeline/1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<serde_json::Value>,
}

impl<'r> Document<'r> {
    /// The document with the first `shown` rows.
    pub fn new(report: &'r Report<'_>, shown: usize) -> Self {
        let summed = summed(report);
        Document {
            schema: super::SCHEMA,
            kind: "allocations",
            verdict: report.verdict.as_str(),
            metric: &report.metric().name,
            group_by: report.group_by.name(),
            captures: report.captures.iter().map(Capture::new).collect(),
            totals: Totals::new(report, &summed),
            matching: report.matching.as_ref().map(Matching::new),
            resolution: report.resolution.map(|r| Resolution {
                per_run: r.per_run.map(Number),
                total: Number(r.total),
                of_new_site: Number(r.of_new_site),
            }),
            rows: Rows::new(report, shown),
            types: [],
            cycles: [],
            holders: [],
            findings: report
                .findings
                .iter()
                .map(|f| WireFinding::new(report, f))
                .collect(),
            gate: report
                .gate
                .as_ref()
                .map(|g| WireGate::new(Judged::Sites(report), g)),
            timeline: report
                .monitored
                .as_ref()
                .map(super::super::timeline::json::document),
        }
    }
}

fn first(column: &Column) -> i64 {
    if column.is_empty() { 0 } else { column.get(0) }
}

#[derive(Serialize)]
struct Capture<'r> {
    path: &'r str,
    side: &'static str,
    format: &'static str,
    producer: Option<&'r str>,
    command: Option<&'r str>,
    runs: Option<Number>,
    drivers: Map<'r, Number>,
    sampling: Option<Sampling>,
    salvaged: Option<Salvaged<'r>>,
    totals: Map<'r, i128>,
}

#[derive(Serialize)]
struct Sampling {
    mean_bytes: Option<Number>,
    estimated_mean_bytes: Option<Number>,
    unbiased: bool,
}

#[derive(Serialize)]
struct Salvaged<'r> {
    read_bytes: u64,
    of_bytes: u64,
    reason: &'r str,
}

impl<'r> Capture<'r> {
    fn new(capture: &'r CaptureInfo) -> Self {
        let drivers = capture.drivers.iter();
        let drivers = drivers.map(|(name, n)| (name.as_str(), Number(*n)));
        let totals = capture.totals.iter();
        Capture {
            path: &capture.path,
            side: capture.side.as_str(),
            format: capture.format,
            producer: capture.producer.as_deref(),
            command: capture.command.as_deref(),
            runs: capture.runs().map(Number),
            drivers: Map(drivers.collect()),
            sampling: capture.sampling.map(|s| Sampling {
                mean_bytes: s.mean_bytes.map(Number),
                estimated_mean_bytes: s.estimated_mean_bytes.map(Number),
                unbiased: s.unbiased,
            }),
            salvaged: capture.salvaged.as_ref().map(|s| Salvaged {
                read_bytes: s.read_bytes,
                of_bytes: s.of_bytes,
                reason: &s.reason,
            }),
            totals: Map(totals.map(|(m, n)| (m.name.as_str(), *n)).collect()),
        }
    }
}

#[derive(Serialize)]
struct Totals<'r> {
    #[serde(flatten)]
    amounts: Amounts<'r>,
    per_run: Option<Map<'r, Number>>,
    series: Vec<i64>,
    growth: &'static str,
    slope: Option<Slope>,
    /// Of the base side; `slope` is the new side's then.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_slope: Option<Slope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slope_difference: Option<SlopeDifference>,
    significance: Option<Significance>,
}

impl<'r> Totals<'r> {
    fn new(report: &'r Report<'_>, summed: &Metrics<'r>) -> Self {
        let rate = |i| report.per_run.of(&report.totals, &report.metrics, i, 0);
        let judgement = report.total_judged.judgements.first();
        Totals {
            amounts: Amounts::new(summed, |i| report.total(i)),
            per_run: rates(summed, rate),
            // Maxima of sites lie at different times: there is no sum to give.
            series: match report.metric().is_additive() {
                true => report.totals.series.iter().map(first).collect(),
                false => Vec::new(),
            },
            growth: report.total_growth().as_str(),
            slope: Slope::of(report.judge.slope(&report.totals, &report.total_judged, 0)),
            base_slope: Slope::of(report.judge.side_slope(&report.totals, 0, 0)),
            slope_difference: SlopeDifference::of(
                report.summary.sides,
                report.summary.change.as_ref(),
            ),
            significance: Significance::of(
                report
                    .judge
                    .significance(&report.totals, &report.total_judged, 0),
                judgement,
            ),
        }
    }
}

/// The rows of a report and those that it leaves out, for a document about more than them.
#[derive(Serialize)]
pub(in crate::render) struct Rows<'r> {
    pub sites: Sites<'r>,
    pub omitted: Left<'r>,
    pub filtered: Left<'r>,
}

impl<'r> Rows<'r> {
    /// The first `shown` rows.
    pub fn new(report: &'r Report<'_>, shown: usize) -> Self {
        let summed = summed(report);
        let rest = report.rest(shown);
        let filtered = |i| {
            let of = |columns: &[Column]| columns.get(i).map_or(0, |c| first(c) as i128);
            (of(report.filtered.before()), of(report.filtered.after()))
        };
        Rows {
            omitted: Left {
                sites: rest.rows as u64,
                amounts: Amounts::new(&summed, |i| (rest.before[i], rest.after[i])),
            },
            filtered: Left {
                sites: report.filtered_samples,
                amounts: Amounts::new(&summed, filtered),
            },
            sites: Sites {
                report,
                metrics: metrics(report),
                shown,
            },
        }
    }
}

impl<'r> Rows<'r> {
    /// The rows, each made when it is asked for.
    pub fn each(&self) -> impl Iterator<Item = Site<'r>> {
        self.sites.each()
    }
}

/// Rows that are not listed, added up.
#[derive(Serialize)]
pub(in crate::render) struct Left<'r> {
    sites: u64,
    #[serde(flatten)]
    amounts: Amounts<'r>,
}

/// The rows, each made when it is written.
pub(in crate::render) struct Sites<'r> {
    report: &'r Report<'r>,
    metrics: Metrics<'r>,
    shown: usize,
}

impl<'r> Sites<'r> {
    fn each(&self) -> impl Iterator<Item = Site<'r>> {
        let rows = self.report.order.iter().take(self.shown);
        rows.map(|&row| Site::new(self.report, &self.metrics, row as usize))
    }
}

impl Serialize for Sites<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.each())
    }
}

#[derive(Serialize)]
struct WireFinding<'r> {
    id: String,
    rule: &'static str,
    name: &'static str,
    severity: &'static str,
    severity_by: &'static str,
    title: String,
    subject: Subject<'r>,
    site: Option<Shown<SiteId>>,
    evidence: Evidence<'r>,
    refuted_by: &'static str,
    advice: &'static str,
    captures: Vec<usize>,
}

#[derive(Serialize)]
struct Subject<'r> {
    kind: &'static str,
    id: SubjectId<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum SubjectId<'r> {
    Site(Shown<SiteId>),
    Capture(&'r str),
}

#[derive(Serialize)]
struct Evidence<'r> {
    metric: &'r str,
    before: i64,
    after: i64,
    delta: i128,
    per_run: Option<Number>,
    blocks_per_run: Option<Number>,
    share: Number,
    reason: Option<&'static str>,
    p_value: Option<Number>,
    q_value: Option<Number>,
    mb_per_hour: Option<Number>,
    hours_to_limit: Option<Number>,
    /// Frames after which the site's stack was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_cut_at: Option<usize>,
    /// What a pattern of allocation adds.
    #[serde(flatten)]
    facts: Map<'static, WireFact>,
}

/// A fact as JSON; unknown is null.
#[derive(Serialize)]
#[serde(untagged)]
enum WireFact {
    Whole(i128),
    Number(Number),
    Series(Vec<i128>),
    Text(String),
    Unknown,
}

impl From<Fact> for WireFact {
    fn from(fact: Fact) -> WireFact {
        match fact {
            Fact::Whole(n) => WireFact::Whole(n),
            Fact::Number(n) => WireFact::Number(Number(n)),
            Fact::Series(list) => WireFact::Series(list),
            Fact::Text(text) => WireFact::Text(text),
            Fact::Unknown => WireFact::Unknown,
        }
    }
}

impl<'r> WireFinding<'r> {
    fn new(report: &'r Report<'_>, finding: &Finding) -> Self {
        let index = finding.subject.index as usize;
        let (subject, site, captures) = match finding.subject.kind {
            SubjectKind::Site => {
                let id = report.id(index);
                let all = (0..report.captures.len()).collect();
                (SubjectId::Site(Shown(id)), Some(Shown(id)), all)
            }
            _ => {
                let path = report.captures.get(index).map_or("", |c| c.path.as_str());
                (SubjectId::Capture(path), None, vec![index])
            }
        };
        let e = &finding.evidence;
        let facts = finding.pattern.iter().flat_map(|p| p.facts());
        WireFinding {
            id: format!("{:016x}", report.finding_id(finding)),
            rule: finding.rule.id,
            name: finding.rule.name,
            severity: finding.severity.as_str(),
            severity_by: finding.severity_by.as_str(),
            title: title(report, finding),
            subject: Subject {
                kind: finding.subject.kind.as_str(),
                id: subject,
            },
            site,
            evidence: Evidence {
                metric: &report.metric().name,
                before: e.before,
                after: e.after,
                delta: e.after as i128 - e.before as i128,
                per_run: e.per_run.map(Number),
                blocks_per_run: e.blocks_per_run.map(Number),
                share: Number(e.share),
                reason: Some(e.words).filter(|w| !w.is_empty()),
                p_value: e.p_value.map(Number),
                q_value: e.q_value.map(Number),
                mb_per_hour: e.mb_per_hour.map(Number),
                hours_to_limit: e.hours_to_limit.map(Number),
                stack_cut_at: match finding.subject.kind {
                    SubjectKind::Site => report.cut_at(index),
                    _ => report.cut_stacks().map(|cut| cut.depth),
                },
                facts: Map(facts.map(|(name, fact)| (name, fact.into())).collect()),
            },
            refuted_by: finding.refuted_by,
            advice: finding.advice,
            captures,
        }
    }
}
