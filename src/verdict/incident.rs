//! The incident as one dated list, and what was ruled out and why.

use super::monitoring::{Limits, Rated, segment_severity};
use crate::model::Time;
use crate::timeline::Attribution;
use crate::timeline::Class;
use crate::timeline::Curve;
use crate::timeline::Evidence;
use crate::timeline::Requests;
use crate::timeline::Rise;
use crate::timeline::Timeline;
use crate::timeline::Untested;
use crate::units;

/// Most entries of the list.
const MOST_DATED: usize = 200;
/// Restarts of one service that are listed one by one.
const MOST_RESTARTS: usize = 12;
/// Endpoints that are ruled out by name.
const MOST_ENDPOINTS: usize = 8;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Dated {
    /// When.
    pub time: Time,
    /// What.
    pub what: String,
}

/// Something that looked guilty and is not.
#[derive(Debug, Clone, PartialEq)]
pub struct RuledOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

fn mb(rate: f64) -> String {
    units::plain((rate / 1e5).round() / 10.0)
}

/// Onset, thresholds, peak, restarts, recovery, marks and bursts of logs, by time.
pub fn incident(timeline: &Timeline, rated: &[Rated], limits: &Limits) -> Vec<Dated> {
    let mut out = Vec::new();
    for r in rated {
        rises(&timeline.curves[r.curve], limits, &mut out);
    }
    for &at in &timeline.primary {
        let curve = &timeline.curves[at];
        let service = &curve.series.name.service;
        let releasing: Vec<_> = curve.releasing_restarts().collect();
        for restart in releasing.iter().take(MOST_RESTARTS) {
            let by = match &restart.evidence {
                Evidence::Counter(name) => format!("{name} began again"),
                Evidence::Gap => "samples are missing and the level is lower".to_owned(),
                Evidence::Drop => "or a release: no counter tells".to_owned(),
            };
            let back = units::bytes((restart.before - restart.after) as i128);
            out.push(Dated {
                time: restart.at,
                what: format!("{service} restarts, {back} given back ({by})"),
            });
        }
        if releasing.len() > MOST_RESTARTS {
            out.push(Dated {
                time: releasing[MOST_RESTARTS].at,
                what: format!(
                    "{service} restarts {} times more",
                    releasing.len() - MOST_RESTARTS
                ),
            });
        }
    }
    for (time, label) in &timeline.labels {
        out.push(Dated {
            time: *time,
            what: label.clone(),
        });
    }
    for e in &timeline.events {
        for (start, _, times) in e.bursts.iter().take(3) {
            out.push(Dated {
                time: *start,
                what: format!("{}: {} times its normal", e.pattern, units::decimal(*times)),
            });
        }
    }
    for s in timeline.stuck.iter().take(MOST_RESTARTS) {
        let name = &timeline.plain[s.series].name;
        out.push(Dated {
            time: s.since,
            what: format!(
                "{} of {} no longer returns to zero",
                name.metric, name.service
            ),
        });
    }
    out.sort_by(|a, b| a.time.cmp(&b.time).then(a.what.cmp(&b.what)));
    out.truncate(MOST_DATED);
    out
}

/// Onset, each threshold, the peak and the end of every rise that counts.
fn rises(curve: &Curve, limits: &Limits, out: &mut Vec<Dated>) {
    let service = &curve.series.name.service;
    for chain in curve.episodes() {
        let mut worst = None;
        for i in chain.segments.clone() {
            let (Some(rate), severity) = (curve.kept_rate(i), segment_severity(curve, i, limits))
            else {
                continue;
            };
            let first = i == chain.segments.start;
            if !first && severity <= worst {
                continue;
            }
            let word = severity.map_or("note", |s| s.as_str());
            let what = match first {
                true => format!("{service} begins to grow, {} MB/h ({word})", mb(rate)),
                false => format!("{service} grows by {} MB/h ({word})", mb(rate)),
            };
            worst = worst.max(severity);
            out.push(Dated {
                time: curve.moment(curve.segments[i].start),
                what,
            });
        }
        let gain = units::bytes(chain.gain as i128);
        if !chain.open {
            out.push(Dated {
                time: curve.moment(chain.end),
                what: format!("{service} stops growing, {gain} gained and kept"),
            });
        }
    }
}

/// Healthy services with a curve that alarms, endpoints that coincide with nothing, volume of logs.
pub fn ruled_out(timeline: &Timeline, rated: &[Rated]) -> Vec<RuledOut> {
    let mut out = Vec::new();
    for &at in &timeline.primary {
        if rated.iter().any(|r| r.curve == at) {
            continue;
        }
        let curve = &timeline.curves[at];
        out.push(RuledOut {
            what: curve.series.name.service.clone(),
            why: healthy(curve),
        });
    }
    if let Some(requests) = &timeline.requests {
        // The service that is named first is the one that a person looks for.
        let first = rated.first().map(|r| r.curve);
        for (at, attribution) in requests.attributions.iter().filter(|a| Some(a.0) == first) {
            let service = &timeline.curves[*at].series.name.service;
            endpoints(requests, attribution, service, &mut out);
        }
    }
    let growing = !rated.is_empty();
    for (pattern, name) in [
        ("log volume", "log volume"),
        ("connections opened", "connection churn"),
        ("requests that timed out", "timeouts"),
    ] {
        let calm = timeline
            .events
            .iter()
            .any(|e| e.pattern.starts_with(pattern) && e.bursts.is_empty());
        if growing && calm {
            out.push(RuledOut {
                what: name.into(),
                why: "follows its own normal".into(),
            });
        }
    }
    out
}

/// Why a service that moves is healthy.
pub(super) fn healthy(curve: &Curve) -> String {
    let resolution = match curve.rate {
        Some(r) => format!("rate {} MB/h ({} to {})", mb(r.value), mb(r.lo), mb(r.hi)),
        None => "too short for a rate".to_owned(),
    };
    if let Some(warm) = curve.warm_up() {
        let gain = units::bytes(warm.gain as i128);
        let long = units::hours(warm.end - warm.start);
        return format!("warmed up by {gain} in {long} and is flat since; {resolution}");
    }
    let back = curve
        .chains
        .iter()
        .filter(|c| c.kind == Rise::GivenBack)
        .count();
    match (curve.class, &curve.bins.teeth) {
        (Class::Undetermined, _) => "too few samples".to_owned(),
        (Class::Step, _) => format!("rose once and holds; {resolution}"),
        (Class::Shrinking, _) => format!("shrinks; {resolution}"),
        (_, Some(t)) => format!(
            "saw-tooth of {} each {}; {resolution}",
            units::bytes(t.size as i128),
            units::hours(t.period_s / 3600.0)
        ),
        _ if back > 0 => format!("what rises is given back, as in a wave; {resolution}"),
        _ => format!("flat; {resolution}"),
    }
}

fn endpoints(requests: &Requests, a: &Attribution, service: &str, out: &mut Vec<RuledOut>) {
    let named = a.endpoints.iter().any(|c| c.reported);
    if !named {
        out.push(RuledOut {
            what: "the requests of this log".into(),
            why: format!("nothing in it explains the growth of {service}"),
        });
    }
    // Those that a person would suspect: slow, failing or frequent.
    let mut others: Vec<_> = a.endpoints.iter().filter(|c| !c.reported).collect();
    let suspicious = |c: &&crate::timeline::Coincidence| {
        let e = &requests.endpoints[c.endpoint];
        (e.timeouts + e.errors) as f64 * 10.0 + e.p99_s.unwrap_or(0.0) * e.count as f64
    };
    others.sort_by(|x, y| {
        suspicious(y)
            .total_cmp(&suspicious(x))
            .then(x.endpoint.cmp(&y.endpoint))
    });
    for c in others.into_iter().take(MOST_ENDPOINTS) {
        let e = &requests.endpoints[c.endpoint];
        let why = if c.follows_growth {
            "its load follows the growth, so it is not its cause".to_owned()
        } else if let Some(Untested::NoVariation | Untested::Rare) = c.untested {
            "cannot be tested: its load does not vary by itself".to_owned()
        } else {
            let most = units::bytes(c.visible.max(c.hi).round().max(0.0) as i128);
            match e.timeouts > 0 {
                true => {
                    format!("times out; would show from {most} a request on")
                }
                false => format!("no growth goes with it; would show from {most} a request on"),
            }
        };
        out.push(RuledOut {
            what: e.name.clone(),
            why,
        });
    }
}
