//! What is said of one service or endpoint, sentence by sentence.

use super::{clean, clock, rate};
use crate::report::{Counted, Joined, TimelineReport, Word};
use crate::timeline::{Coincidence, Curve, Makeup, Moment, Place};
use crate::units;
use crate::verdict::{Basis, Rated, SeverityBy, reservation};

pub(super) fn quiet_sentence(report: &TimelineReport) -> String {
    let t = &report.timeline;
    if t.primary.is_empty() {
        return match t.requests {
            Some(_) => "requests alone: name a monitoring series of memory beside them".into(),
            None => "no series of memory in these files".into(),
        };
    }
    let span = t
        .primary
        .iter()
        .map(|&p| t.curves[p].span_h())
        .fold(0.0, f64::max);
    if report.word() == Word::CannotTell {
        return format!(
            "{} of samples are too few: an hour at least, a day is better",
            units::hours(span)
        );
    }
    format!(
        "nothing grows: {} in {}",
        match t.primary.len() {
            1 => "1 service".to_owned(),
            n => format!("{n} services"),
        },
        units::hours(span)
    )
}

pub(super) fn service_sentence(report: &TimelineReport, r: &Rated) -> String {
    let curve = report.curve(r);
    let service = clean(&curve.series.name.service);
    let days = curve.span_h() > 24.5;
    let mut out = match (r.basis, curve.rate) {
        (Basis::Overall, Some(x)) => {
            let mut out = format!(
                "{service}  {} MB/h over {} ({} to {})",
                rate(x.value),
                long(curve.span_h()),
                rate(x.lo).trim_start_matches('+'),
                rate(x.hi).trim_start_matches('+')
            );
            match x.of_age {
                true => {
                    let n = curve.releasing_restarts().count();
                    let times = if n == 1 {
                        "a restart hides it".to_owned()
                    } else {
                        format!("{n} restarts hide it")
                    };
                    out.push_str(&format!(" in each process; {times}"));
                }
                false => out.push_str(&format!(
                    ", steady since {}",
                    clock(curve.series.start, days)
                )),
            }
            out
        }
        (Basis::Episode(i), _) => {
            let chain = &curve.chains[i];
            let top = chain
                .segments
                .clone()
                .filter_map(|s| Some((s, curve.kept_rate(s)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let at = top.map_or(chain.start, |(s, _)| curve.segments[s].start);
            let mut out = format!(
                "{service}  {} MB/h at {}",
                rate(chain.peak),
                clock(curve.moment(at), days)
            );
            let steps: Vec<String> = chain
                .segments
                .clone()
                .filter_map(|s| curve.kept_rate(s))
                .map(|v| rate(v).trim_start_matches('+').to_owned())
                .collect();
            if let Some((factor, hours)) = curve.escalates(chain) {
                if (2..=5).contains(&steps.len()) {
                    out.push_str(&format!("; {} MB/h", steps.join(" -> ")));
                }
                out.push_str(&format!(
                    ", x{} in {}",
                    units::decimal(factor),
                    units::hours(hours)
                ));
            } else if !chain.open {
                out.push_str(&format!(
                    " for {}, {} gained and kept",
                    units::hours(chain.end - chain.start),
                    units::bytes(chain.gain as i128)
                ));
            }
            out
        }
        _ => format!("{service}  {} MB/h", rate(r.rate)),
    };
    if let (Some((h, ..)), Some(limit)) = (r.to_limit, report.limits.memory) {
        out.push_str(&format!("; {} in {}", limit_name(limit), units::hours(h)));
    }
    out
}

/// A span in words: whole hours where there are many.
fn long(hours: f64) -> String {
    units::hours(if hours >= 3.0 { hours.round() } else { hours })
}

/// A limit as it is usually typed: `1 GB`, `750 MB`, else in binary units.
fn limit_name(limit: f64) -> String {
    let bytes = limit as i128;
    match (bytes % 1_000_000_000, bytes % 1_000_000) {
        (0, _) => format!("{} GB", bytes / 1_000_000_000),
        (_, 0) => format!("{} MB", bytes / 1_000_000),
        _ => units::bytes(bytes),
    }
}

/// Why it is that bad, and what an eye would see.
pub(super) fn reasons(report: &TimelineReport, r: &Rated, curve: &Curve) -> Vec<String> {
    let mut out = Vec::new();
    let why = match r.by {
        SeverityBy::Factor => {
            let f = r.factor.unwrap_or(1.0);
            format!("by its factor: x{} a day", units::decimal(f))
        }
        by => by.words().to_owned(),
    };
    let mut line = format!("{} {why}", r.severity.as_str());
    if let (Basis::Episode(_), Some(x), true) = (r.basis, curve.rate, curve.grows) {
        line.push_str(&format!(
            "; {} MB/h over all ({} to {})",
            rate(x.value),
            rate(x.lo),
            rate(x.hi)
        ));
    }
    if let Some(why) = reservation(curve, r) {
        line.push_str(&format!("; {}", why.replace(" of one process", "")));
        if let (Basis::Overall, Some(w)) = (r.basis, curve.rate.and_then(|x| x.with_wave)) {
            line.push_str(&format!(" ({} MB/h if one fills the span)", rate(w)));
        }
    }
    out.push(line);
    if let (Some((lo, hi)), true) = (curve.hourly, matches!(r.basis, Basis::Overall)) {
        let under = curve.bins.teeth.map_or(String::new(), |t| {
            format!(
                " under a {} saw-tooth of {}",
                units::hours(t.period_s / 3600.0),
                units::bytes(t.size as i128)
            )
        });
        if lo < 0.0 || !under.is_empty() {
            out.push(format!(
                "flat to the eye: 1 h windows read {} to {} MB/h{under}",
                rate(lo),
                rate(hi)
            ));
        }
    }
    if let (Some(t), Some(x), Basis::Overall) = (curve.bins.teeth, curve.rate, r.basis) {
        let kept = x.value * t.period_s / 3600.0;
        out.push(format!(
            "of each {} that is gathered, {} is never given back ({} times)",
            units::bytes((t.size + kept) as i128),
            units::bytes(kept as i128),
            t.releases
        ));
    }
    if let Some((_, m)) = report.timeline.makeup.iter().find(|m| m.0 == r.curve) {
        out.extend(made_of(m));
    }
    if curve.has_doubtful_cut() {
        out.push(
            "the level fell by more than half at once: release or restart, cannot tell".into(),
        );
    }
    if let Some((_, f)) = report.timeline.follows.iter().find(|f| f.0 == r.curve) {
        let named = |pass: bool| -> Vec<String> {
            f.iter()
                .filter(|x| x.1.passes == pass)
                .map(|x| clean(&x.0.metric))
                .collect()
        };
        let (yes, no) = (named(true), named(false));
        if !yes.is_empty() {
            let not = if no.is_empty() {
                String::new()
            } else {
                format!(", not {}", no[..no.len().min(3)].join(", "))
            };
            out.push(format!("follows {}{not}", yes.join(", ")));
        }
    }
    if let Some(joined) = report
        .captures
        .as_ref()
        .filter(|_| report.rated.first() == Some(r))
    {
        for site in joined.sites.iter().take(3) {
            let per = site.per_run.map_or(String::new(), |p| {
                format!("{} per run  ", units::signed(units::bytes(p as i128), true))
            });
            let hour = site
                .per_hour
                .map_or(String::new(), |v| format!("{} MB/h  ", rate(v)));
            out.push(format!("site  {per}{hour}{}", clean(&site.name)));
        }
        out.extend(explained(joined));
    }
    out
}

/// What growth is made of, in lines.
fn made_of(m: &Makeup) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(s) = m.split {
        let sized = |v: f64| units::signed(units::bytes(v as i128), v > 0.0);
        out.push(format!(
            "{} -> {} processes: {} are more of them, {} bigger ones",
            units::plain(s.processes.0),
            units::plain(s.processes.1),
            sized(s.more),
            sized(s.bigger)
        ));
    }
    let moved = |words: &[&str]| -> String {
        let all = m
            .parts
            .iter()
            .filter(|p| words.iter().any(|w| p.metric.contains(w)));
        let named: Vec<String> = all
            .take(2)
            .map(|p| {
                let text = units::bytes(p.moved as i128);
                format!(
                    "{} {}",
                    clean(&p.metric),
                    units::signed(text, p.moved > 0.0)
                )
            })
            .collect();
        named.join(", ")
    };
    let total = units::bytes(m.growth as i128);
    out.extend(m.place.map(|place| match place {
        Place::Heap => format!("inside the managed heap: {} of {total}", moved(&["heap"])),
        Place::Reserved => format!(
            "reserved by the heap and not used (fragmentation, or not given back): {} of {total}",
            moved(&["heap"])
        ),
        Place::Buffers => format!(
            "in buffers beside the heap: {} of {total}",
            moved(&["external", "buffer", "direct", "heap"])
        ),
        Place::PageCache => format!(
            "page cache, which the kernel takes back: {} of {total}",
            moved(&["file", "cache"])
        ),
        Place::Native => format!(
            "outside of the managed heap, native or fragmented: {} of {total}",
            moved(&["heap"])
        ),
    }));
    out
}

/// What the sites of captures explain.
fn explained(joined: &Joined) -> Option<String> {
    let share = joined.share?;
    let by = match joined.runs {
        Some((n, Counted::Coinciding)) => {
            format!(
                "{} requests of these endpoints",
                units::grouped(n.round() as i128)
            )
        }
        _ => "the time between the captures".to_owned(),
    };
    Some(format!(
        "the sites of the captures explain {:.0} % of the growth over {by}",
        share * 100.0
    ))
}

pub(super) fn per_request(c: &Coincidence, moment: Moment) -> String {
    let when = match moment {
        Moment::AtEnd => "when it ends",
        Moment::WhileRunning => "while it runs",
    };
    format!(
        "{} per request ({} to {}), {when}",
        units::signed(units::bytes(c.per_request as i128), true),
        units::bytes(c.lo as i128),
        units::bytes(c.hi as i128)
    )
}

pub(super) fn running(c: &Coincidence) -> String {
    let with = c
        .rate_running
        .map(|r| format!("{} MB/h in minutes with it", rate(r)));
    let without = c.rate_idle.map(|(idle, half)| {
        format!(
            "{} (+-{}) without",
            rate(idle),
            rate(half).trim_start_matches('+')
        )
    });
    match (with, without) {
        (Some(with), Some(without)) => format!("{with}, {without}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "it runs all the time".to_owned(),
    }
}
