//! The screens: the verdict, how sure, what coincides, what is ruled out, what to do next.

use super::super::text::Style;
use super::{clean, clock, plot, rate};
use crate::report::{TimelineReport, Word};
use crate::timeline::{Change, Coincidence, Curve, Moment};
use crate::units;
use crate::verdict::{Basis, Rated, SeverityBy};

/// Column at which sentences begin.
const INDENT: usize = 6;
/// Lines of a screen.
const LINES: usize = 24;
/// Services that grow and are shown with their own lines.
const SERVICES: usize = 3;

/// The whole screen: at most 24 lines unless asked for more.
pub fn text(report: &TimelineReport, style: &Style) -> String {
    let mut out: Vec<String> = Vec::new();
    verdict(report, style, &mut out);
    coincides(report, &mut out);
    let mut tail = Vec::new();
    healthy(report, &mut tail);
    if !style.quiet {
        next(report, &mut tail);
        bad_lines(report, style, &mut tail);
    }
    let all = style.limit == Some(0) || style.verbose;
    if !report.incident.is_empty() {
        let room = LINES.saturating_sub(out.len() + tail.len() + 1);
        dated(report, if all { usize::MAX } else { room.max(3) }, &mut out);
    }
    if style.verbose {
        verbose(report, &mut out);
    }
    out.extend(tail);
    let mut text = String::new();
    for line in out {
        text.push_str(fit(&line, style, all).trim_end());
        text.push('\n');
    }
    text
}

/// A line no longer than the screen, unless everything was asked for.
fn fit(line: &str, style: &Style, all: bool) -> String {
    if all || line.chars().count() <= style.width.max(40) {
        return line.to_owned();
    }
    let kept: String = line.chars().take(style.width.max(40) - 3).collect();
    format!("{kept}...")
}

fn labelled(label: &str, sentence: &str) -> String {
    match label.len() < INDENT {
        true => format!("{label:INDENT$}{sentence}"),
        false => format!("{label}  {sentence}"),
    }
}

fn word(report: &TimelineReport) -> &'static str {
    match report.word() {
        Word::Emergency => "EMERGENCY",
        Word::Leak => "LEAK",
        Word::Grew => "GREW",
        Word::Same => "SAME",
        Word::CannotTell => "CANNOT TELL",
        Word::Mark(Change::Cured) => "CURED",
        Word::Mark(Change::Reduced) => "REDUCED",
        Word::Mark(Change::Worse) => "WORSE",
        Word::Mark(Change::CannotTell) => "CANNOT TELL",
    }
}

/// The first lines of the verdict, without the word.
pub(super) fn headline(report: &TimelineReport) -> (String, String) {
    let word = word(report);
    if let Word::Mark(_) = report.word() {
        let first = report.rated.first().map(|r| r.curve);
        let wanted = first.or(report.timeline.primary.first().copied());
        if let Some((at, mark, facts)) = report.timeline.marks.iter().find(|m| Some(m.0) == wanted)
        {
            let curve = &report.timeline.curves[*at];
            let side =
                |v: (f64, f64, f64)| format!("{} ({} to {})", rate(v.0), rate(v.1), rate(v.2));
            let more = facts.hours_needed.map_or(String::new(), |h| {
                format!(
                    "; {} after it, {:.0} h would tell",
                    units::hours(facts.hours_after),
                    h.ceil()
                )
            });
            let sentence = format!(
                "{} at {}: {} MB/h before, {} after{more}",
                clean(&curve.series.name.service),
                clean(&report.timeline.labels[*mark].1),
                side(facts.before),
                side(facts.after)
            );
            return (word.to_owned(), sentence);
        }
    }
    let Some(first) = report.rated.first() else {
        return (word.to_owned(), quiet_sentence(report));
    };
    let mut sentence = service_sentence(report, first);
    let others: Vec<String> = report.rated[1..]
        .iter()
        .map(|r| clean(&report.curve(r).series.name.service))
        .collect();
    if !others.is_empty() {
        let names = others[..others.len().min(3)].join(", ");
        let verb = if others.len() == 1 { "leaks" } else { "leak" };
        sentence.push_str(&format!("; {names} {verb} with it"));
    }
    (word.to_owned(), sentence)
}

fn quiet_sentence(report: &TimelineReport) -> String {
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

fn service_sentence(report: &TimelineReport, r: &Rated) -> String {
    let curve = report.curve(r);
    let service = clean(&curve.series.name.service);
    let days = curve.span_h() > 24.5;
    let mut out = match (r.basis, curve.rate) {
        (Basis::Overall, Some(x)) => {
            let mut out = format!(
                "{service}  {} MB/h over {} ({} to {})",
                rate(x.value),
                units::hours(curve.span_h().round()),
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

/// A limit as it is usually typed: `1 GB`, `750 MB`, else in binary units.
fn limit_name(limit: f64) -> String {
    let bytes = limit as i128;
    match (bytes % 1_000_000_000, bytes % 1_000_000) {
        (0, _) => format!("{} GB", bytes / 1_000_000_000),
        (_, 0) => format!("{} MB", bytes / 1_000_000),
        _ => units::bytes(bytes),
    }
}

fn verdict(report: &TimelineReport, style: &Style, out: &mut Vec<String>) {
    let (word, sentence) = headline(report);
    out.push(labelled(&word, &sentence));
    let indent = " ".repeat(INDENT);
    for (i, r) in report.rated.iter().take(SERVICES).enumerate() {
        let curve = report.curve(r);
        if i > 0 {
            out.push(format!("{indent}{}", service_sentence(report, r)));
        }
        for line in reasons(report, r, curve) {
            out.push(format!("{indent}{line}"));
        }
        if i == 0 && !style.quiet {
            for line in plot(curve, style.width.min(90) - INDENT) {
                out.push(format!("{indent}{line}"));
            }
        }
    }
    if report.rated.is_empty()
        && let [only] = report.timeline.primary.as_slice()
        && !style.quiet
    {
        for line in plot(&report.timeline.curves[*only], style.width.min(90) - INDENT) {
            out.push(format!("{indent}{line}"));
        }
    }
}

/// Why it is that bad, and what an eye would see.
fn reasons(report: &TimelineReport, r: &Rated, curve: &Curve) -> Vec<String> {
    let mut out = Vec::new();
    let why = match r.by {
        SeverityBy::Rate => "by its rate".to_owned(),
        SeverityBy::Factor => {
            let f = r.factor.unwrap_or(1.0);
            format!("by its factor: x{} a day", units::decimal(f))
        }
        SeverityBy::Limit => "by the time to the limit".to_owned(),
        SeverityBy::Default => "by default".to_owned(),
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
    if r.less_than_a_day {
        line.push_str("; less than a day seen: a daily wave cannot be ruled out");
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
                format!(", {} per run", units::bytes(p as i128))
            });
            out.push(format!(
                "site  {} {}{per}",
                units::signed(units::bytes(i128::from(site.delta)), site.delta > 0),
                clean(&site.name)
            ));
        }
    }
    out
}

fn coincides(report: &TimelineReport, out: &mut Vec<String>) {
    let Some(requests) = &report.timeline.requests else {
        return;
    };
    for (at, a) in &requests.attributions {
        if report.rated.first().map(|r| r.curve) != Some(*at) {
            continue;
        }
        for (i, c) in a
            .endpoints
            .iter()
            .filter(|c| c.reported)
            .take(3)
            .enumerate()
        {
            let label = if i == 0 { "coincides" } else { "" };
            let e = &requests.endpoints[c.endpoint];
            let mut name = clean(&e.name);
            for other in &c.together {
                name.push_str(&format!(
                    " with {}",
                    clean(&requests.endpoints[*other].name)
                ));
            }
            let p99 = e.p99_s.map_or(String::new(), |s| {
                format!(", p99 {} s", units::plain((s * 10.0).round() / 10.0))
            });
            out.push(format!(
                "{label:11}{name}  ({} requests{p99})",
                units::grouped(i128::from(e.count))
            ));
            out.push(format!("{:11}{}", "", per_request(c, a.moment)));
            out.push(format!("{:11}{}", "", running(c)));
        }
        if a.endpoints.iter().any(|c| c.reported) {
            let share = (a.explained * 100.0).round();
            let part = if a.explained < 0.5 {
                format!("explains {share:.0} % of the growth only; ")
            } else {
                String::new()
            };
            out.push(format!(
                "{:11}{part}correlation only: refuted if growth goes on while it is idle",
                ""
            ));
        }
    }
}

fn per_request(c: &Coincidence, moment: Moment) -> String {
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

fn running(c: &Coincidence) -> String {
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

fn dated(report: &TimelineReport, room: usize, out: &mut Vec<String>) {
    let (first, last) = match (report.incident.first(), report.incident.last()) {
        (Some(a), Some(b)) => (a.time, b.time),
        _ => return,
    };
    let days = last.hours_since(first) > 20.0;
    let shown = report.incident.len().min(room);
    for (i, d) in report.incident.iter().take(shown).enumerate() {
        let label = if i == 0 { "when" } else { "" };
        out.push(labelled(
            label,
            &format!("{}  {}", clock(d.time, days), clean(&d.what)),
        ));
    }
    if report.incident.len() > shown {
        let more = report.incident.len() - shown;
        out.push(labelled("", &format!("... {more} more: -v")));
    }
}

fn healthy(report: &TimelineReport, out: &mut Vec<String>) {
    let services = &report.timeline.primary;
    let is_service = |name: &str| {
        services
            .iter()
            .any(|&p| report.timeline.curves[p].series.name.service == name)
    };
    let fine: Vec<String> = report
        .ruled_out
        .iter()
        .filter(|r| is_service(&r.what))
        .map(|r| format!("{}: {}", clean(&r.what), r.why))
        .collect();
    for (i, line) in fine.iter().take(4).enumerate() {
        out.push(labelled(if i == 0 { "ok" } else { "" }, line));
    }
    if fine.len() > 4 {
        out.push(labelled(
            "",
            &format!("... {} services more", fine.len() - 4),
        ));
    }
    let rest: Vec<String> = report
        .ruled_out
        .iter()
        .filter(|r| !is_service(&r.what))
        .map(|r| format!("{}: {}", clean(&r.what), r.why))
        .collect();
    for (i, line) in rest.iter().take(4).enumerate() {
        out.push(format!(
            "{:11}{line}",
            if i == 0 { "ruled out" } else { "" }
        ));
    }
    if rest.len() > 4 {
        out.push(format!(
            "{:11}... {} more: -o timeline.json",
            "",
            rest.len() - 4
        ));
    }
}

fn next(report: &TimelineReport, out: &mut Vec<String>) {
    let reported = report
        .timeline
        .requests
        .iter()
        .flat_map(|r| &r.attributions)
        .any(|(_, a)| a.endpoints.iter().any(|c| c.reported));
    let sentence = match (report.rated.is_empty(), reported) {
        (true, _) => return,
        (false, true) => {
            "capture before and after ten of these requests, then: heapdiff compare A@0 B@10"
        }
        (false, false) => {
            "capture a heap profile now and after 1,000 requests, then: heapdiff compare A@0 B@1000"
        }
    };
    out.push(labelled("next", sentence));
}

fn bad_lines(report: &TimelineReport, style: &Style, out: &mut Vec<String>) {
    for input in &report.inputs {
        if let Some((number, text)) = &input.first_bad {
            out.push(labelled(
                "",
                &format!(
                    "{}: {} of {} lines do not parse, the first is line {number}: {}",
                    clean(&input.path),
                    input.bad,
                    input.lines,
                    clean(text)
                ),
            ));
        }
        for note in input.notes.iter().filter(|_| style.verbose) {
            out.push(labelled("", &format!("{}: {note}", clean(&input.path))));
        }
    }
}

/// Every judged series in a line, every endpoint, every pattern.
fn verbose(report: &TimelineReport, out: &mut Vec<String>) {
    let t = &report.timeline;
    out.push(String::new());
    for curve in &t.curves {
        let n = &curve.series.name;
        let r = curve.rate.map_or("no rate".to_owned(), |r| match n.unit {
            crate::model::SeriesUnit::Bytes => {
                format!("{} MB/h ({} to {})", rate(r.value), rate(r.lo), rate(r.hi))
            }
            _ => format!(
                "{} an hour ({} to {})",
                units::decimal(r.value),
                units::decimal(r.lo),
                units::decimal(r.hi)
            ),
        });
        out.push(format!(
            "series  {}/{}  {}  {r}, noise {}, {} restarts",
            clean(&n.service),
            clean(&n.metric),
            curve.class.as_str(),
            units::plain(curve.noise.round()),
            curve.restarts.len()
        ));
    }
    if let Some(requests) = &t.requests {
        for e in requests.endpoints.iter().take(30) {
            out.push(format!(
                "requests  {}  {} requests, {} failed, {} timed out, p99 {}",
                clean(&e.name),
                units::grouped(i128::from(e.count)),
                e.errors,
                e.timeouts,
                e.p99_s
                    .map_or("unknown".to_owned(), |s| format!("{s:.2} s"))
            ));
        }
    }
    for e in t.events.iter().take(20) {
        out.push(format!(
            "events  {}  {} lines, {} an hour at most",
            clean(&e.pattern),
            units::grouped(i128::from(e.count)),
            units::plain(e.peak_per_hour.round())
        ));
    }
    out.push(String::new());
}
