//! What monitoring proves: how bad each service is and by which rule, and the findings.

use super::conclusion::{Conclusion, Fact};
use super::findings::{Severity, SeverityBy, SubjectKind};
use super::rules::{self, Rule};
use super::severity::Thresholds;
use crate::model::Measure;
use crate::model::SeriesUnit;
use crate::timeline::Chain;
use crate::timeline::Change;
use crate::timeline::Curve;
use crate::timeline::Rhythm;
use crate::timeline::Timeline;
use crate::units;
use std::borrow::Cow;

/// Services leak together if their episodes overlap by this share of the shorter one.
const TOGETHER: f64 = 0.5;
/// Hours of one process below which a wave of a day may look like growth.
const WHOLE_DAY_H: f64 = 23.5;
/// Hours below which a straight rise may be a warm-up: it is a note and no more.
const WARM_UP_H: f64 = 1.0;
/// Names of stuck work that a title holds; there are services with one queue a disk.
const NAMED: usize = 3;

/// What severities are drawn from besides the curves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Bytes that a service may use.
    pub memory: Option<f64>,
    /// From which numbers on growth is how bad.
    pub thresholds: Thresholds,
}

/// What a severity rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// The rate over the whole span.
    Overall,
    /// A rise, by its position among the chains.
    Episode(usize),
}

/// How bad a service is.
#[derive(Debug, Clone, PartialEq)]
pub struct Rated {
    /// Its curve.
    pub curve: usize,
    /// How bad.
    pub severity: Severity,
    /// By which rule.
    pub by: SeverityBy,
    /// What that rests on.
    pub basis: Basis,
    /// Units an hour: the highest rate that counts.
    pub rate: f64,
    /// Factor a day, where the whole span grows.
    pub factor: Option<f64>,
    /// Hours until the limit: at the rate now, and from the interval.
    pub to_limit: Option<(f64, f64, f64)>,
    /// Whether growth goes on at the end of the data.
    pub going_on: bool,
    /// Less than a day of one process was seen: a daily wave cannot be ruled out.
    pub less_than_a_day: bool,
}

impl Limits {
    /// The severity of a rate in 10^6 bytes an hour.
    fn by_rate(&self, mb_per_hour: f64) -> Severity {
        self.thresholds.rates.from(mb_per_hour)
    }
}

/// The severity of a straight piece of a curve, by what it keeps; `None` if it is none that counts.
pub fn segment_severity(curve: &Curve, segment: usize, limits: &Limits) -> Option<Severity> {
    curve.kept_rate(segment).map(|r| limits.by_rate(r / 1e6))
}

/// Rates every service that grows, most severe first.
pub fn rate_services(timeline: &Timeline, limits: Limits) -> Vec<Rated> {
    let mut out: Vec<Rated> = timeline
        .primary
        .iter()
        .filter_map(|&at| rate_service(&timeline.curves[at], at, limits))
        .collect();
    out.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.rate.total_cmp(&a.rate))
            .then(a.curve.cmp(&b.curve))
    });
    out
}

fn rate_service(curve: &Curve, at: usize, limits: Limits) -> Option<Rated> {
    let mut rated: Option<Rated> = None;
    let longest = curve
        .processes
        .iter()
        .map(|p| curve.bins.bins[p.to - 1].t - curve.bins.bins[p.from].t)
        .fold(0.0, f64::max);
    let less = longest < WHOLE_DAY_H;
    let mut worse = |new: Rated| match &mut rated {
        Some(old) if (old.severity, old.rate) >= (new.severity, new.rate) => {
            old.going_on |= new.going_on;
            old.factor = old.factor.or(new.factor);
            old.to_limit = old.to_limit.or(new.to_limit);
        }
        Some(old) => {
            let before = std::mem::replace(old, new);
            old.going_on |= before.going_on;
            old.factor = old.factor.or(before.factor);
            old.to_limit = old.to_limit.or(before.to_limit);
        }
        none => *none = Some(new),
    };
    let left = limits
        .memory
        .map(|limit| (limit - curve.level_now()).max(0.0));
    for (i, chain) in curve.chains.iter().enumerate() {
        if chain.kind != crate::timeline::Rise::Episode {
            continue;
        }
        let last = chain.process + 1 == curve.processes.len();
        let going_on = chain.open && last;
        // A fall by half at once behind it, and nothing that tells a restart from a release.
        let doubtful = curve
            .processes
            .get(chain.process + 1)
            .is_some_and(|p| p.doubtful);
        let now = &curve.segments[chain.segments.end - 1];
        let to_limit = left.filter(|_| going_on).map(|left| {
            let reach = 2.6 * now.se;
            (
                left / now.rate,
                left / (now.rate + reach),
                left / (now.rate - reach).max(1e-9),
            )
        });
        let mut severity = limits.by_rate(chain.peak / 1e6);
        let mut by = SeverityBy::Rate;
        if let Some((hours, ..)) = to_limit {
            let by_hours = limits.thresholds.hours.under(hours);
            consider(&mut severity, &mut by, by_hours, SeverityBy::Limit);
        }
        if doubtful {
            severity = severity.min(Severity::Note);
        }
        worse(Rated {
            curve: at,
            severity,
            by,
            basis: Basis::Episode(i),
            rate: chain.peak,
            factor: None,
            to_limit,
            going_on,
            less_than_a_day: less,
        });
    }
    if let Some(rate) = curve.rate.filter(|_| curve.grows) {
        let level = curve.level_start();
        let factor = (level > 0.0).then(|| (level + 24.0 * rate.value) / level);
        let to_limit = left
            .filter(|_| rate.lo > 0.0 && !rate.of_age)
            .map(|left| (left / rate.value, left / rate.hi, left / rate.lo));
        let mut severity = limits.by_rate(rate.value / 1e6);
        let mut by = SeverityBy::Rate;
        if let Some(f) = factor {
            let by_factor = limits.thresholds.factors.from(f);
            consider(&mut severity, &mut by, by_factor, SeverityBy::Factor);
        }
        if let Some((hours, ..)) = to_limit {
            let by_hours = limits.thresholds.hours.under(hours);
            consider(&mut severity, &mut by, by_hours, SeverityBy::Limit);
        }
        if curve.span_h() < WARM_UP_H && severity > Severity::Note {
            (severity, by) = (Severity::Note, SeverityBy::Default);
        }
        worse(Rated {
            curve: at,
            severity,
            by,
            basis: Basis::Overall,
            rate: rate.value,
            factor,
            to_limit,
            going_on: !rate.of_age,
            less_than_a_day: less || rate.rhythm == Rhythm::None,
        });
    }
    rated
}

fn consider(severity: &mut Severity, by: &mut SeverityBy, new: Severity, new_by: SeverityBy) {
    if new > *severity {
        (*severity, *by) = (new, new_by);
    }
}

/// The findings, most severe first, then in the order of the rules.
pub fn monitoring_findings(
    timeline: &Timeline,
    rated: &[Rated],
    limits: &Limits,
) -> Vec<Conclusion> {
    let mut out = Vec::new();
    for r in rated {
        out.extend(growth(timeline, r, limits));
    }
    out.extend(several(timeline, rated));
    handles(timeline, &mut out);
    endpoints(timeline, rated, &mut out);
    stuck(timeline, &mut out);
    bursts(timeline, &mut out);
    marks(timeline, limits, &mut out);
    out.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.rule.id.cmp(b.rule.id)));
    out
}

/// The id of a series in the document.
fn series_id(curve: &Curve) -> String {
    format!("{}/{}", curve.series.name.service, curve.series.name.metric)
}

fn mb(units: f64) -> String {
    units::decimal(units / 1e6)
}

fn conclusion(
    rule: &'static Rule,
    (severity, severity_by): (Severity, SeverityBy),
    (subject, subject_id): (SubjectKind, String),
    title: String,
    evidence: Vec<(&'static str, Fact)>,
    refuted_by: &'static str,
    advice: impl Into<Cow<'static, str>>,
) -> Conclusion {
    Conclusion {
        rule,
        severity,
        severity_by,
        title,
        subject,
        subject_id,
        evidence,
        refuted_by: Cow::Borrowed(refuted_by),
        advice: advice.into(),
        captures: Vec::new(),
    }
}

fn growth(timeline: &Timeline, r: &Rated, limits: &Limits) -> Vec<Conclusion> {
    let curve = &timeline.curves[r.curve];
    let service = &curve.series.name.service;
    let hours = units::hours(curve.span_h());
    let number = |v: f64| Fact::Number((v / 1e3).round() / 1e3);
    let mut evidence = vec![("peak_mb_per_hour", number(r.rate))];
    if let Some(rate) = curve.rate {
        evidence.push(("mb_per_hour", number(rate.value)));
        evidence.push(("mb_per_hour_lo", number(rate.lo)));
        evidence.push(("mb_per_hour_hi", number(rate.hi)));
        evidence.push(("p_value", Fact::Number(rate.p)));
    }
    if let Some(f) = r.factor {
        evidence.push(("factor_per_day", Fact::Number((f * 100.0).round() / 100.0)));
    }
    if let Some((h, ..)) = r.to_limit {
        evidence.push(("hours_to_limit", Fact::Number((h * 10.0).round() / 10.0)));
    }
    if let Basis::Episode(i) = r.basis {
        let chain = &curve.chains[i];
        evidence.push(("gained_bytes", Fact::Whole(chain.gain as i128)));
        evidence.push(("kept_share", Fact::Number((chain.kept * 1e3).round() / 1e3)));
        if let Some((factor, hours)) = curve.escalates(chain) {
            evidence.push(("escalates_by", Fact::Number((factor * 10.0).round() / 10.0)));
            evidence.push(("within_hours", Fact::Number((hours * 10.0).round() / 10.0)));
        }
    }
    if let Some(t) = curve.bins.teeth {
        evidence.push(("tooth_bytes", Fact::Whole(t.size as i128)));
        evidence.push(("tooth_seconds", Fact::Whole(t.period_s as i128)));
        if let Some(rate) = curve.rate {
            let never = rate.value * t.period_s / 3600.0;
            evidence.push((
                "never_given_back_bytes_per_tooth",
                Fact::Whole(never as i128),
            ));
        }
    }
    if let Some(why) = reservation(curve, r) {
        evidence.push(("reservation", Fact::Text(why.into())));
    }
    if let Some((_, m)) = timeline.makeup.iter().find(|m| m.0 == r.curve) {
        if let Some(s) = m.split {
            evidence.push(("processes_before", Fact::Number(s.processes.0)));
            evidence.push(("processes_after", Fact::Number(s.processes.1)));
            evidence.push(("more_processes_bytes", Fact::Whole(s.more.round() as i128)));
            evidence.push((
                "bigger_processes_bytes",
                Fact::Whole(s.bigger.round() as i128),
            ));
        }
        if let Some(place) = m.place {
            evidence.push(("place", Fact::Text(place.as_str().into())));
        }
    }
    if curve.has_doubtful_cut() {
        let why = "the level fell by more than half at once: release or restart, cannot tell";
        evidence.push(("doubt", Fact::Text(why.into())));
    }
    let refuted = "a later day in which the level returns to where it was";
    let advice =
        "capture a heap profile now and after some work, then: heapdiff compare A@0 B@1000";
    let hidden = hidden(curve);
    let (rule, title) = match (r.basis, curve.rate) {
        (Basis::Overall, Some(rate)) if rate.of_age => (
            &rules::HIDDEN_BY_RESTARTS,
            format!(
                "restarts of {service} hide +{} MB/h: each process climbs, {} given back by each",
                mb(rate.value),
                units::bytes(given_back(curve) as i128)
            ),
        ),
        (Basis::Overall, Some(rate)) if hidden => (
            &rules::HIDDEN_GROWTH,
            format!(
                "{service} looks flat over an hour and grows by {} MB/h over {hours}",
                mb(rate.value)
            ),
        ),
        (Basis::Overall, rate) => (
            &rules::MEMORY_GROWTH,
            format!(
                "{service} grows by {} MB/h over {hours}",
                mb(rate.map_or(r.rate, |x| x.value))
            ),
        ),
        (Basis::Episode(i), _) => {
            let chain = &curve.chains[i];
            (
                &rules::MEMORY_GROWTH,
                format!(
                    "{service} grew by {} in {}, at {} MB/h at the most, and kept it",
                    units::bytes(chain.gain as i128),
                    units::hours(chain.end - chain.start),
                    mb(chain.peak)
                ),
            )
        }
    };
    let subject = || (SubjectKind::Series, series_id(curve));
    let severity = (r.severity, r.by);
    let mut out = vec![conclusion(
        rule,
        severity,
        subject(),
        title,
        evidence,
        refuted,
        advice,
    )];
    // Restarts may hide the climb even where an episode gave the severity.
    if let (Basis::Episode(_), Some(rate), true) = (r.basis, curve.rate, curve.grows)
        && rate.of_age
    {
        let title = format!(
            "restarts of {service} hide +{} MB/h: each process climbs",
            mb(rate.value)
        );
        let facts = vec![("mb_per_hour", number(rate.value))];
        let refuted = "a process that is left to run and levels off";
        let rule = &rules::HIDDEN_BY_RESTARTS;
        out.push(conclusion(
            rule,
            (limits.by_rate(rate.value / 1e6), SeverityBy::Rate),
            subject(),
            title,
            facts,
            refuted,
            advice,
        ));
    }
    out
}

/// What these data cannot rule out, in words.
pub fn reservation(curve: &Curve, r: &Rated) -> Option<&'static str> {
    if curve.span_h() < WARM_UP_H {
        Some("less than an hour seen: a warm-up cannot be ruled out")
    } else if r.less_than_a_day {
        Some("less than a day of one process seen: a daily wave cannot be ruled out")
    } else {
        None
    }
}

/// Whether an hour does not show the growth: teeth are longer than a third of it, or slopes of one
/// hour go both ways.
fn hidden(curve: &Curve) -> bool {
    let teeth = curve.bins.teeth.is_some_and(|t| t.period_s > 1200.0);
    teeth || curve.hourly.is_some_and(|(lo, hi)| lo < 0.0 && hi > 0.0)
}

/// What a restart gave back at the median.
fn given_back(curve: &Curve) -> f64 {
    let mut drops: Vec<f64> = curve
        .releasing_restarts()
        .map(|r| r.before - r.after)
        .collect();
    drops.sort_by(f64::total_cmp);
    drops.get(drops.len() / 2).copied().unwrap_or(0.0)
}

fn several(timeline: &Timeline, rated: &[Rated]) -> Option<Conclusion> {
    let mut names = Vec::new();
    for (i, a) in rated.iter().enumerate() {
        let with = rated
            .iter()
            .enumerate()
            .any(|(j, b)| i != j && overlap(span(timeline, a), span(timeline, b)) >= TOGETHER);
        if with {
            names.push(timeline.curves[a.curve].series.name.service.clone());
        }
    }
    if names.len() < 2 {
        return None;
    }
    names.sort();
    let severity = rated
        .iter()
        .map(|r| r.severity)
        .min()
        .unwrap_or(Severity::Note);
    Some(conclusion(
        &rules::SEVERAL_SERVICES,
        (severity, SeverityBy::Default),
        (SubjectKind::Series, names.join("+")),
        format!(
            "{} services gather memory at once: {}",
            names.len(),
            names.join(", ")
        ),
        vec![("services", Fact::Text(names.join(", ")))],
        "loads of these services that have nothing in common",
        "look for what they share: a library, a message, a dependency that stalls",
    ))
}

/// When a service grows, as seconds since 1970.
fn span(timeline: &Timeline, r: &Rated) -> (f64, f64) {
    let curve = &timeline.curves[r.curve];
    match r.basis {
        Basis::Overall => (curve.series.start.seconds(), curve.series.end.seconds()),
        Basis::Episode(i) => {
            let c: &Chain = &curve.chains[i];
            (
                curve.moment(c.start).seconds(),
                curve.moment(c.end).seconds(),
            )
        }
    }
}

fn overlap(a: (f64, f64), b: (f64, f64)) -> f64 {
    let shared = a.1.min(b.1) - a.0.max(b.0);
    let shorter = (a.1 - a.0).min(b.1 - b.0);
    if shorter > 0.0 { shared / shorter } else { 0.0 }
}

fn handles(timeline: &Timeline, out: &mut Vec<Conclusion>) {
    for curve in &timeline.curves {
        let what = match curve.series.name.role {
            Measure::Descriptors => "open descriptors",
            Measure::Sockets => "sockets",
            Measure::Threads => "threads",
            Measure::Processes => "processes",
            _ => continue,
        };
        let episode = curve.episodes().map(|c| c.gain).fold(0.0, f64::max);
        let gained = curve.level_now() - curve.level_start();
        if !(curve.grows && gained >= 5.0 || episode >= 5.0 && gained >= 0.5 * episode) {
            continue;
        }
        let service = &curve.series.name.service;
        out.push(conclusion(
            &rules::HANDLES_RISE,
            (Severity::Warning, SeverityBy::Default),
            (SubjectKind::Series, series_id(curve)),
            format!(
                "{what} of {service} only rise: {} to {} in {}",
                units::plain(curve.level_start().round()),
                units::plain(curve.level_now().round()),
                units::hours(curve.span_h())
            ),
            vec![
                ("first", Fact::Whole(curve.level_start().round() as i128)),
                ("last", Fact::Whole(curve.level_now().round() as i128)),
                (
                    "per_hour",
                    curve.rate.map_or(Fact::Unknown, |r| Fact::Number(r.value)),
                ),
            ],
            "a later day in which the number returns",
            "count them by kind: ls -l /proc/PID/fd, ss -p, ps -L",
        ));
    }
}

fn endpoints(timeline: &Timeline, rated: &[Rated], out: &mut Vec<Conclusion>) {
    let Some(requests) = &timeline.requests else {
        return;
    };
    // One finding an endpoint, however many services grow with it: the worst of them is its evidence.
    let mut found: Vec<Conclusion> = Vec::new();
    for service in rated {
        let of_curve = |a: &&(usize, _)| a.0 == service.curve;
        let Some((at, attribution)) = requests.attributions.iter().find(of_curve) else {
            continue;
        };
        let curve = &timeline.curves[*at];
        for c in attribution.endpoints.iter().filter(|c| c.reported) {
            let facts = &requests.endpoints[c.endpoint];
            let mut names = vec![facts.name.clone()];
            names.extend(
                c.together
                    .iter()
                    .map(|&e| requests.endpoints[e].name.clone()),
            );
            let whole = |v: f64| Fact::Whole(v.round() as i128);
            let mut evidence = vec![
                ("requests", Fact::Whole(i128::from(facts.count))),
                ("bytes_per_request", whole(c.per_request)),
                ("bytes_per_request_lo", whole(c.lo)),
                ("bytes_per_request_hi", whole(c.hi)),
                ("q_value", Fact::Number(c.q)),
                (
                    "share_of_growth",
                    Fact::Number(
                        ((c.per_request * c.requests / attribution.growth.max(1.0)) * 1e3).round()
                            / 1e3,
                    ),
                ),
            ];
            if let Some(rate) = c.rate_running {
                evidence.push((
                    "mb_per_hour_while_it_runs",
                    Fact::Number((rate / 1e4).round() / 100.0),
                ));
            }
            if let Some((rate, _)) = c.rate_idle {
                evidence.push((
                    "mb_per_hour_while_it_is_idle",
                    Fact::Number((rate / 1e4).round() / 100.0),
                ));
            }
            let subject = names.join(" + ");
            let grows = &curve.series.name.service;
            let each = units::bytes(c.per_request.round() as i128);
            if let Some(before) = found.iter_mut().find(|f| f.subject_id == subject) {
                let [lo, hi] = [c.lo, c.hi].map(|n| units::bytes(n.round() as i128));
                let said = format!("{grows}: +{each} per request ({lo} to {hi}), q {:.1e}", c.q);
                before
                    .title
                    .push_str(&format!("; so does {grows}, +{each}"));
                match before.evidence.iter_mut().find(|(key, _)| *key == "also") {
                    Some((_, Fact::Text(text))) => *text = format!("{text}; {said}"),
                    _ => before.evidence.push(("also", Fact::Text(said))),
                }
                continue;
            }
            // The severity is the service's: the endpoint is where to look.
            let severity = service.severity.min(Severity::Warning);
            found.push(conclusion(
                &rules::REQUESTS_COINCIDE,
                (severity, SeverityBy::Default),
                (SubjectKind::Endpoint, subject),
                format!(
                    "growth of {grows} coincides with {}: +{each} per request",
                    names.join(" and "),
                ),
                evidence,
                "growth that goes on while it is idle",
                "capture before and after some of these requests: heapdiff compare A@0 B@10",
            ));
        }
    }
    out.append(&mut found);
}

fn stuck(timeline: &Timeline, out: &mut Vec<Conclusion>) {
    // Counters of one family (`retry_counts.disk`, `retry_counts.net`) are one finding.
    let family = |at: usize| {
        let name = &timeline.plain[at].name;
        let stem = name.metric.split(['.', '{']).next().unwrap_or(&name.metric);
        (name.service.clone(), stem.to_owned())
    };
    let mut done: Vec<(String, String)> = Vec::new();
    for s in &timeline.stuck {
        let this = family(s.series);
        if done.contains(&this) {
            continue;
        }
        let all: Vec<_> = timeline
            .stuck
            .iter()
            .filter(|o| family(o.series) == this)
            .collect();
        let names: Vec<&str> = all
            .iter()
            .take(NAMED)
            .map(|o| timeline.plain[o.series].name.metric.as_str())
            .collect();
        let mut named = names.join(", ");
        if all.len() > NAMED {
            named.push_str(&format!(" and {} more", all.len() - NAMED));
        }
        let sum =
            |of: &dyn Fn(&crate::timeline::Stuck) -> f64| all.iter().map(|o| of(o)).sum::<f64>();
        let verb = if all.len() == 1 { "returns" } else { "return" };
        let id = match all.len() {
            1 => timeline.plain[s.series].name.metric.clone(),
            _ => this.1.clone(),
        };
        out.push(conclusion(
            &rules::STUCK_WORK,
            (Severity::Warning, SeverityBy::Default),
            (SubjectKind::Series, format!("{}/{id}", this.0)),
            format!(
                "{named} of {} no longer {verb} to zero: {} at the end",
                this.0,
                units::plain(sum(&|o| o.last))
            ),
            vec![
                ("series", Fact::Whole(all.len() as i128)),
                ("least", Fact::Number(sum(&|o| o.least))),
                ("last", Fact::Number(sum(&|o| o.last))),
            ],
            "a return to zero without a restart",
            "look at what is tried again or waits, and at what it holds",
        ));
        done.push(this);
    }
}

fn bursts(timeline: &Timeline, out: &mut Vec<Conclusion>) {
    for e in &timeline.events {
        let Some(most) = e.bursts.iter().max_by(|a, b| a.2.total_cmp(&b.2)) else {
            continue;
        };
        out.push(conclusion(
            &rules::EVENT_BURST,
            (Severity::Note, SeverityBy::Default),
            (SubjectKind::Series, e.pattern.clone()),
            format!("{}: {} times its normal", e.pattern, units::decimal(most.2)),
            vec![
                ("count", Fact::Whole(i128::from(e.count))),
                ("normal_per_hour", Fact::Number(e.normal_per_hour)),
                ("peak_per_hour", Fact::Number(e.peak_per_hour)),
            ],
            "the same burst at the same hour of other days",
            "hold its time against the incident",
        ));
    }
}

fn marks(timeline: &Timeline, limits: &Limits, out: &mut Vec<Conclusion>) {
    for (at, mark, facts) in &timeline.marks {
        let curve = &timeline.curves[*at];
        if curve.series.name.unit != SeriesUnit::Bytes {
            continue;
        }
        let label = &timeline.labels[*mark].1;
        let severity = match facts.change {
            Change::Worse => limits.by_rate(facts.after.0 / 1e6).max(Severity::Warning),
            _ => Severity::Note,
        };
        let rate = |v: (f64, f64, f64)| format!("{} ({} to {})", mb(v.0), mb(v.1), mb(v.2));
        out.push(conclusion(
            &rules::MARK,
            (severity, SeverityBy::Rate),
            (SubjectKind::Series, format!("{}@{label}", series_id(curve))),
            format!(
                "{} at {label}: {}, {} MB/h before, {} after",
                curve.series.name.service,
                facts.change.as_str(),
                rate(facts.before),
                rate(facts.after)
            ),
            vec![
                ("change", Fact::Text(facts.change.as_str().into())),
                ("before_mb_per_hour", Fact::Number(facts.before.0 / 1e6)),
                ("after_mb_per_hour", Fact::Number(facts.after.0 / 1e6)),
                (
                    "hours_needed",
                    facts
                        .hours_needed
                        .map_or(Fact::Unknown, |h| Fact::Number(h.ceil())),
                ),
            ],
            "later hours at the same load with another rate",
            match facts.hours_needed {
                Some(h) => format!("look again when {:.0} hours have passed", h.ceil()),
                None => "keep watching for a whole day".to_owned(),
            },
        ));
    }
}
