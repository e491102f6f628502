//! The screens: the verdict, how sure, what coincides, what is ruled out, what to do next.

use super::super::text::Style;
use super::sentences::{per_request, quiet_sentence, reasons, running, service_sentence};
use super::{clean, clock, plot, rate};
use crate::report::{TimelineReport, Word};
use crate::timeline::{Change, Coincidence};
use crate::units;

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
        for part in fit(&line, style, all) {
            text.push_str(part.trim_end());
            text.push('\n');
        }
    }
    text
}

/// A line in parts no longer than the screen, broken at blanks; names longer than a line are cut.
fn fit(line: &str, style: &Style, all: bool) -> Vec<String> {
    let width = style.width.max(40);
    if all || line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    // What goes on stands below what it belongs to: behind the label, or behind the blanks.
    let blanks = line.chars().take_while(|c| *c == ' ').count();
    let first = line.find("  ").map_or(0, |at| {
        at + line[at..].chars().take_while(|c| *c == ' ').count()
    });
    let indent = if blanks > 0 { blanks } else { first }.clamp(INDENT, 11);
    let mut out: Vec<String> = Vec::new();
    let mut rest = line;
    loop {
        let room = if out.is_empty() {
            width
        } else {
            width - indent
        };
        let lead = if out.is_empty() {
            String::new()
        } else {
            " ".repeat(indent)
        };
        if rest.chars().count() <= room {
            out.push(format!("{lead}{rest}"));
            return out;
        }
        let end = rest
            .char_indices()
            .nth(room)
            .map_or(rest.len(), |(at, _)| at);
        match rest[..end].rfind(' ').filter(|at| *at > room / 2) {
            Some(at) => {
                out.push(format!("{lead}{}", &rest[..at]));
                rest = rest[at..].trim_start();
            }
            None => {
                let kept: String = rest.chars().take(room - 3).collect();
                out.push(format!("{lead}{kept}..."));
                return out;
            }
        }
    }
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
        let verb = match (report.word(), others.len()) {
            (Word::Grew, 1) => "grows",
            (Word::Grew, _) => "grow",
            (_, 1) => "leaks",
            _ => "leak",
        };
        sentence.push_str(&format!("; {names} {verb} with it"));
    }
    (word.to_owned(), sentence)
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

fn coincides(report: &TimelineReport, out: &mut Vec<String>) {
    let Some(requests) = &report.timeline.requests else {
        return;
    };
    for (at, a) in &requests.attributions {
        if report.rated.first().map(|r| r.curve) != Some(*at) {
            continue;
        }
        let reported: Vec<&Coincidence> = a.endpoints.iter().filter(|c| c.reported).collect();
        let family = |c: &Coincidence| requests.endpoints[c.endpoint].family.as_str();
        for (i, c) in reported.iter().take(3).enumerate() {
            let label = if i == 0 { "coincides" } else { "" };
            let e = &requests.endpoints[c.endpoint];
            let mut name = clean(&e.name);
            for other in &c.together {
                name.push_str(&format!(
                    " with {}, not separable",
                    clean(&requests.endpoints[*other].name)
                ));
            }
            let p99 = e.p99_s.map_or(String::new(), |s| match s < 0.1 {
                true => format!(", p99 {:.0} ms", s * 1e3),
                false => format!(", p99 {} s", units::plain((s * 10.0).round() / 10.0)),
            });
            out.push(format!(
                "{label:11}{name}  ({} requests{p99})",
                units::grouped(i128::from(e.count))
            ));
            let same = reported[..i].iter().any(|o| family(o) == family(c));
            let kin = if same { "; of the same family" } else { "" };
            out.push(format!("{:11}{}{kin}", "", per_request(c, a.moment)));
            if !same {
                out.push(format!("{:11}{}", "", running(c)));
            }
        }
        if reported.len() > 3 {
            out.push(format!(
                "{:11}... {} more: -o report.html",
                "",
                reported.len() - 3
            ));
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

fn dated(report: &TimelineReport, room: usize, out: &mut Vec<String>) {
    let (first, last) = match (report.incident.first(), report.incident.last()) {
        (Some(a), Some(b)) => (a.time, b.time),
        _ => return,
    };
    let days = last.hours_since(first) > 20.0;
    // Where not all fits, bursts of logs go first: they only date what happens.
    let all = report.incident.len() <= room;
    let counts = |what: &str| all || !what.ends_with("times its normal");
    let list = report.incident.iter().filter(|d| counts(&d.what));
    let mut shown = 0;
    for d in list.take(room) {
        let label = if shown == 0 { "when" } else { "" };
        shown += 1;
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
            "{:11}... {} more: -o report.html",
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
    }
    if style.verbose {
        notes(report, out);
    }
    // What was put right is said: who knows of it may know better.
    let moved = report.timeline.curves.iter().map(|c| &c.series);
    for s in moved.filter(|s| !s.clock.is_empty()).take(3) {
        let step = &s.clock[0];
        out.push(labelled(
            "",
            &format!(
                "{}: the clock went back at {}, what follows is moved by {}",
                clean(&s.name.service),
                super::stamp(step.at),
                units::hours(step.moved_s / 3600.0)
            ),
        ));
    }
}

/// What readers assumed, each once: a folder of snapshots is many files.
fn notes(report: &TimelineReport, out: &mut Vec<String>) {
    let mut seen: Vec<(&str, &str, usize)> = Vec::new();
    for input in &report.inputs {
        for note in &input.notes {
            match seen.iter_mut().find(|s| s.0 == note) {
                Some(s) => s.2 += 1,
                None => seen.push((note, &input.path, 1)),
            }
        }
    }
    for (note, path, times) in seen {
        let more = match times {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        out.push(labelled("", &format!("{}{more}: {note}", clean(path))));
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
