//! Object graphs as text: what grows, what holds it, which reference to cut.

use super::super::text::Style;
use super::super::words;
use crate::graph::cut::CutKind;
use crate::graph::growth::Trend;
use crate::graph::holders::ENGINE;
use crate::graph::outcome::{CaptureFacts, CutRow, CycleRow, HolderRow};
use crate::graph::types::short;
use crate::model::Collector;
use crate::render::figures::counted;
use crate::report::Report;
use crate::report::graph::{GraphReport, Histogram};
use crate::units;
use crate::verdict::graph::{
    Headline, Keeps, keeps, kept_words, level, path_words, reference_words, told, told_path,
};
use crate::verdict::{Conclusion, SeverityBy, Verdict};

/// Other findings that are listed.
const MOST_OTHERS: usize = 4;
/// Paths that are excused for one reason and named.
const MOST_EXCUSED: usize = 2;
/// Other paths to the same objects that are named.
const MOST_BESIDE: usize = 3;
/// Cycles that a single capture lists.
const MOST_CYCLES: usize = 5;

/// The whole text.
pub fn text(report: &GraphReport, style: &Style) -> String {
    let mut out = Out {
        text: String::new(),
        width: style.width.max(40),
        exact: style.exact,
    };
    if let Some(ways) = &report.outcome.ways {
        super::ways::write(ways, &mut out.text, style);
        return out.text;
    }
    head(report, &mut out);
    if let Some(by) = report.histogram {
        out.text.push('\n');
        match by {
            Histogram::Type => super::histogram::write(report, &mut out.text, style),
            Histogram::Loader => super::loaders::write(report, &mut out.text, style),
        }
    }
    if let Some(sites) = &report.sites {
        allocated(sites, &mut out, style);
    }
    if !style.quiet {
        tail(report, &mut out, style);
    }
    out.text
}

/// Rows of allocation sites where the user asks for no number.
const MOST_SITES: usize = 5;

/// Where what is live was allocated: a table below its line.
fn allocated(sites: &Report<'_>, out: &mut Out, style: &Style) {
    const INDENT: &str = "  ";
    let style = Style {
        limit: style.limit.or(Some(MOST_SITES)),
        width: style.width.saturating_sub(INDENT.len()),
        ..style.clone()
    };
    let table = match sites.captures.len() {
        1 => {
            let mut table = String::new();
            super::super::inspect::table(&mut table, sites, &style);
            table
        }
        _ => super::super::text::table(sites, &style),
    };
    out.text.push('\n');
    out.line("sites", "where what is live was allocated");
    for line in table.lines() {
        out.text.push_str(INDENT);
        out.text.push_str(line);
        out.text.push('\n');
    }
    out.text.push('\n');
}

struct Out {
    text: String,
    width: usize,
    exact: bool,
}

impl Out {
    /// A line with its word in front; continued below the word where it is too long.
    fn line(&mut self, word: &str, rest: &str) {
        let rest = super::clean(rest);
        let mut column = 0;
        let mut first = true;
        // Two blanks after a word that fills its column.
        let room = if word.len() < 5 { 6 } else { word.len() + 2 };
        self.text.push_str(&format!("{word:<room$}"));
        column += room;
        for part in rest.split(' ') {
            let long = part.chars().count();
            if !first && column + 1 + long > self.width {
                self.text.push_str("\n        ");
                column = 8;
                first = true;
            }
            if !first {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(part);
            column += long;
            first = false;
        }
        self.text.push('\n');
    }

    fn bytes(&self, n: u64) -> String {
        if self.exact {
            format!("{} B", units::grouped(i128::from(n)))
        } else {
            units::bytes(i128::from(n))
        }
    }
}

fn head(report: &GraphReport, out: &mut Out) {
    let word = report.verdict.verdict.headline();
    let outcome = &report.outcome;
    match report.verdict.verdict {
        Verdict::Cured | Verdict::Reduced | Verdict::Worse => {
            sides(report, out);
            if report.verdict.verdict == Verdict::Cured {
                return;
            }
        }
        _ => {}
    }
    let word = if matches!(report.verdict.verdict, Verdict::Reduced | Verdict::Worse) {
        "now"
    } else {
        word
    };
    if outcome.types_only {
        return types_only(report, out);
    }
    match report.verdict.headline {
        Headline::Cycle(i) => cycle(report, &outcome.cycles[i], word, out),
        Headline::Holder(i) => holder(report, &outcome.holders[i], word, out),
        Headline::Type(i) => {
            let row = &outcome.types[i];
            let series: Vec<u64> = row.counts.iter().map(|c| c.count).collect();
            let (rate, after) = (rate(&row.trends[1]), per_run(&row.trends[1]));
            out.line(
                word,
                &format!("{rate}{}{after} ({})", short(&row.name), arrows(&series)),
            );
            out.line(
                "",
                "no single path grows: they are held from different places",
            );
        }
        Headline::Nothing => nothing(report, word, out),
    }
}

/// `1.00 ` or nothing, and the words after the noun.
fn rate(trend: &Trend) -> String {
    match trend.per_run {
        Some(n) => format!("{} ", units::decimal(n)),
        None => String::new(),
    }
}

fn per_run(trend: &Trend) -> &'static str {
    match trend.per_run {
        Some(_) => " per run",
        None => " more with every capture",
    }
}

fn arrows<N: Copy + Into<u64>>(series: &[N]) -> String {
    let texts: Vec<String> = series
        .iter()
        .map(|&n| units::grouped(i128::from(n.into())))
        .collect();
    texts.join(" -> ")
}

fn sides(report: &GraphReport, out: &mut Out) {
    let [base, new] = report.verdict.bytes_per_run.map(|b| b.unwrap_or(0.0));
    let amount = |n: f64| out.bytes(n.round().max(0.0) as u64);
    let rest = format!("{} per run -> {} per run", amount(base), amount(new),);
    let verdict = report.verdict.verdict;
    out.line(verdict.headline(), &rest);
    let leaks = |row: &CycleRow, side: usize| row.trends[side].growth.is_leak();
    let gone = |row: &&CycleRow| row.benign.is_none() && leaks(row, 0) && !leaks(row, 1);
    for row in report.outcome.cycles.iter().filter(gone).take(MOST_OTHERS) {
        let (before, after): (Vec<_>, Vec<_>) = row
            .occurrences
            .iter()
            .zip(&report.outcome.captures)
            .partition(|(_, c)| c.base);
        let only = |list: Vec<(&u32, &CaptureFacts)>| {
            arrows(&list.iter().map(|(n, _)| **n).collect::<Vec<u32>>())
        };
        let text = format!(
            "cycles {}: base {}, new {}",
            row.signature,
            only(before),
            only(after)
        );
        out.line("gone", &text);
    }
    let gone = |row: &&HolderRow| {
        row.base
            && row.benign.is_none()
            && row.trend.growth.is_leak()
            && !report
                .outcome
                .holders
                .iter()
                .any(|h| !h.base && h.id == row.id)
    };
    for row in report.outcome.holders.iter().filter(gone).take(MOST_OTHERS) {
        let text = format!(
            "{} no longer grows (base {})",
            path_words(&row.path),
            arrows(&row.series)
        );
        out.line("gone", &text);
    }
}

fn cycle(report: &GraphReport, row: &CycleRow, word: &str, out: &mut Out) {
    let capture = last_of(report, false);
    let trend = &row.trends[1];
    let here = row.occurrences.last().copied().unwrap_or(0);
    let bytes = row.retained.last().copied().unwrap_or(0);
    let each = bytes / u64::from(here.max(1));
    let anchor = row.signature.split(['.', '[', '<']).next().unwrap_or("");
    let new: Vec<u32> = of_side(report, &row.occurrences, false);
    out.line(
        word,
        &format!(
            "{}{anchor} {}{} ({}), {} kept by each",
            rate(trend),
            if here == 1 { "cycle" } else { "cycles" }.replace(
                "cycles",
                if trend.per_run.is_some() {
                    "cycle"
                } else {
                    "cycles"
                }
            ),
            per_run(trend),
            arrows(&new),
            out.bytes(each)
        ),
    );
    out.line("", &row.signature);
    let how = keeps(row, capture);
    match how {
        Keeps::Held => {
            let path = row.root_path.as_deref().map(path_words);
            let path = path.unwrap_or_else(|| kept_words(how).to_owned());
            out.line("held", &format!("by {path}"));
            if capture.meta.collector() == Collector::Tracing {
                out.line(
                    "",
                    "the cycle itself is no leak: the collector frees it once nothing holds it",
                );
            }
        }
        how => out.line("held", kept_words(how)),
    }
    cut(&row.cut, bytes, out);
}

fn cut(cut: &CutRow, of: u64, out: &mut Out) {
    let little = cut.frees < of / 10;
    if cut.kind == CutKind::None || cut.references.is_empty() || little {
        return;
    }
    let references: Vec<String> = cut.references.iter().map(reference_words).collect();
    let hint = cut
        .references
        .iter()
        .any(|r| r.edge.ends_with("__traceback__"));
    let hint = if hint {
        " (clear it when the exception is stored: error.with_traceback(None))"
    } else {
        ""
    };
    let share = match of {
        0 => String::new(),
        of if cut.frees > of.saturating_add(of / 4) => ", more than these alone keep".to_owned(),
        of => format!(
            ", {:.0} % of what they keep",
            (cut.frees as f64 * 100.0 / of as f64).min(100.0)
        ),
    };
    let all = if cut.references.len() > 1 {
        "together "
    } else {
        ""
    };
    out.line(
        "cut",
        &format!(
            "{}{hint}: {all}frees {}{share}",
            references.join(" and "),
            out.bytes(cut.frees)
        ),
    );
}

fn holder(report: &GraphReport, row: &HolderRow, word: &str, out: &mut Out) {
    let (held, series, trend) = told(row);
    let count = series.last().copied().unwrap_or(0).max(1);
    out.line(
        word,
        &format!(
            "{}{}{} ({}), {} kept by each",
            rate(trend),
            short(held),
            per_run(trend),
            arrows(series),
            out.bytes(row.retained / count)
        ),
    );
    out.line("held", &format!("by {}", path_words(&told_path(row))));
    for path in row.beside.iter().take(MOST_BESIDE) {
        out.line("", &format!("and by {}", path_words(path)));
    }
    if row.path.len() == 1
        && ["frame ", "thread "]
            .iter()
            .any(|k| row.path[0].edge.starts_with(k))
    {
        out.line("", "these threads do not end");
    }
    if !row.also.is_empty() {
        let names: Vec<&str> = row.also.iter().take(4).map(|(n, _)| short(n)).collect();
        out.line(
            "",
            &format!("which also holds ever more {}", names.join(", ")),
        );
    }
    cut(&row.cut, row.retained, out);
    if let Some(text) = made(report, row) {
        out.line("made", &text);
    }
    let mut stayed = report.outcome.survivors.iter();
    if let Some(s) = stayed.find(|s| s.id == row.id && !s.base) {
        let text = format!(
            "the same objects: {} of those that came up after the first capture were there before \
the last and still are",
            units::grouped(i128::from(s.objects))
        );
        out.line("stay", &text);
    }
    let tied = report.outcome.cycles.iter().find(|c| {
        c.benign.is_none() && c.trends[1].growth.is_more() && c.signature.starts_with(short(held))
    });
    if let Some(row) = tied {
        out.line("in", &format!("a cycle each: {}", row.signature));
        out.line(
            "",
            "the cycle itself is no leak: the collector frees it once nothing holds it",
        );
    }
    let sure = format!(
        "{}; leak share {}, {} of it held by this alone",
        level(row),
        out.bytes(row.share.share),
        out.bytes(row.share.exclusive)
    );
    out.line("sure", &sure);
}

/// Where most objects of a holder were allocated, in words.
fn made(report: &GraphReport, row: &HolderRow) -> Option<String> {
    let made = report.made(row)?;
    let sites = report.sites.as_ref()?;
    let name = words::sites(sites, &[made.row]).pop()?.fit(80);
    let of = match made.objects == made.of {
        true => "all".to_owned(),
        false => {
            let [objects, of] = [made.objects, made.of].map(|n| units::grouped(i128::from(n)));
            format!("{objects} of {of}")
        }
    };
    Some(format!("at {name}, {of} of them"))
}

fn last_of<'r>(report: &'r GraphReport<'_>, base: bool) -> &'r CaptureFacts {
    let captures = &report.outcome.captures;
    let found = captures.iter().rfind(|c| c.base == base);
    found.unwrap_or(&captures[captures.len() - 1])
}

fn of_side<N: Copy>(report: &GraphReport, all: &[N], base: bool) -> Vec<N> {
    let captures = &report.outcome.captures;
    all.iter()
        .zip(captures)
        .filter(|(_, c)| c.base == base)
        .map(|(n, _)| *n)
        .collect()
}

/// Captures that were read for their types.
fn types_only(report: &GraphReport, out: &mut Out) {
    let captures = &report.outcome.captures;
    let objects: Vec<u64> = captures.iter().map(|c| c.objects).collect();
    let bytes: Vec<String> = captures.iter().map(|c| out.bytes(c.shallow)).collect();
    let text = format!(
        "{} objects, {}; what keeps them was not read",
        arrows(&objects),
        bytes.join(" -> ")
    );
    out.line("TYPES", &text);
}

fn nothing(report: &GraphReport, word: &str, out: &mut Out) {
    let last = last_of(report, false);
    let size = format!(
        "{}, {}, {}",
        counted(last.objects as usize, "object"),
        counted(last.edges as usize, "reference"),
        out.bytes(last.shallow)
    );
    let captures = report.outcome.captures.iter().filter(|c| !c.base).count();
    let rest = match report.verdict.verdict {
        Verdict::CannotTell => format!("one capture shows what is there, not what grows: {size}"),
        Verdict::Same => format!("no cycle and no path grows in {captures} captures: {size}"),
        _ => {
            let of: Vec<u64> = of_side(
                report,
                &report
                    .outcome
                    .captures
                    .iter()
                    .map(|c| c.shallow)
                    .collect::<Vec<_>>(),
                false,
            );
            let texts: Vec<String> = of.iter().map(|&n| out.bytes(n)).collect();
            format!(
                "no cycle and no path grows with every run: {}; {size}",
                texts.join(" -> ")
            )
        }
    };
    out.line(word, &rest);
    let (bytes, objects) = last.unreachable;
    if objects > 0 {
        let verb = if objects == 1 { "is" } else { "are" };
        let text = format!(
            "{} ({}) {verb} reached from no root of the capture",
            counted(objects as usize, "object"),
            out.bytes(bytes)
        );
        out.line("", &text);
    }
    if report.verdict.verdict != Verdict::CannotTell {
        return;
    }
    let here = |c: &&CycleRow| c.benign.is_none() && c.occurrences.last().is_some_and(|&n| n > 0);
    for row in report.outcome.cycles.iter().filter(here).take(MOST_CYCLES) {
        let n = row.occurrences.last().copied().unwrap_or(0);
        let bytes = row.retained.last().copied().unwrap_or(0);
        out.line(
            "ring",
            &format!("{n} x {} ({})", row.signature, out.bytes(bytes)),
        );
    }
}

fn tail(report: &GraphReport, out: &mut Out, style: &Style) {
    let subject = match report.verdict.headline {
        Headline::Cycle(i) => format!("{:016x}", report.outcome.cycles[i].id),
        Headline::Holder(i) => format!("{:016x}", report.outcome.holders[i].id),
        Headline::Type(i) => report.outcome.types[i].name.clone(),
        Headline::Nothing => String::new(),
    };
    let conclusions = report.verdict.conclusions.iter();
    let worst = conclusions.clone().max_by_key(|c| c.severity);
    // Without the hours that its rate needs every leak is a warning: no news.
    if let Some(c) = worst.filter(|c| c.severity_by != SeverityBy::Default) {
        let how_bad = format!("{} {}", c.severity.as_str(), c.severity_by.words());
        out.line("why", &how_bad);
    }
    let others = conclusions
        .filter(|c| c.subject_id != subject && report.verdict.headline != Headline::Nothing);
    // The holder of the cycles that the headline names is named there.
    let of_headline = |c: &&Conclusion| match report.verdict.headline {
        Headline::Cycle(i) => report.outcome.holders.iter().any(|h| {
            let (name, ..) = told(h);
            let anchored = report.outcome.cycles[i].signature.starts_with(short(name));
            format!("{:016x}", h.id) == c.subject_id && !h.base && anchored
        }),
        _ => false,
    };
    let others = others.filter(|c| !of_headline(c));
    let count = others.clone().count();
    for c in others.take(MOST_OTHERS) {
        out.line("also", &c.title);
    }
    if count > MOST_OTHERS {
        let more = format!("{} more findings: -o report.html", count - MOST_OTHERS);
        out.line("also", &more);
    }
    benign(report, out);
    for note in notes(report) {
        out.line("note", &note);
    }
    if style.verbose {
        for c in &report.outcome.captures {
            for note in &c.meta.notes {
                out.line("note", note);
            }
        }
    }
    let rule = report.verdict.conclusions.first().map(|c| c.rule.id);
    let next = match (report.verdict.verdict, rule) {
        _ if report.outcome.types_only => {
            "heapdiff cycles ... without --types-only says what keeps them".to_owned()
        }
        (Verdict::CannotTell, _) => {
            "capture again after more runs, then: heapdiff cycles A@10 B@20 C@40".to_owned()
        }
        (_, Some(rule)) => {
            format!("heapdiff cycles ... -o report.html        heapdiff explain {rule}")
        }
        (_, None) => "heapdiff cycles ... --histogram".to_owned(),
    };
    out.line("next", &next);
}

/// What looks like a fault and is none, in one line.
fn benign(report: &GraphReport, out: &mut Out) {
    let mut reasons: Vec<(&'static str, u64, u64)> = Vec::new();
    for row in &report.outcome.cycles {
        let n = u64::from(row.occurrences.last().copied().unwrap_or(0));
        let Some(benign) = row.benign.filter(|_| n > 0) else {
            continue;
        };
        let bytes = row.retained.last().copied().unwrap_or(0);
        match reasons.iter_mut().find(|r| r.0 == benign.reason()) {
            Some(r) => {
                r.1 += n;
                r.2 = r.2.saturating_add(bytes);
            }
            None => reasons.push((benign.reason(), n, bytes)),
        }
    }
    let mut excused: Vec<(&str, Vec<String>)> = Vec::new();
    for row in report.outcome.holders.iter().filter(|h| !h.base) {
        if let Some(why) = row.benign.filter(|_| row.trend.growth.is_more()) {
            let path = path_words(&row.path);
            match excused.iter_mut().find(|e| e.0 == why) {
                Some(e) => e.1.push(path),
                None => excused.push((why, vec![path])),
            }
        }
    }
    for (why, paths) in excused {
        // Nobody can let go of these: how many there are is enough.
        if why == ENGINE {
            let paths = match paths.len() {
                1 => "1 path that grows holds".to_owned(),
                n => format!("{} paths that grow hold", units::grouped(n as i128)),
            };
            out.line("fine", &format!("{paths} {ENGINE}"));
            continue;
        }
        for path in paths.iter().take(MOST_EXCUSED) {
            out.line("fine", &format!("{path}: {why}"));
        }
        let more = paths.len().saturating_sub(MOST_EXCUSED);
        if more > 0 {
            out.line("fine", &format!("{more} more: {why}"));
        }
    }
    if reasons.is_empty() {
        return;
    }
    reasons.sort_by_key(|r| (std::cmp::Reverse(r.1), r.0));
    let texts: Vec<String> = reasons
        .iter()
        .map(|(why, n, _)| format!("{} {why}", units::grouped(i128::from(*n))))
        .collect();
    out.line(
        "fine",
        &format!("cycles that are structure: {}", texts.join(", ")),
    );
}

/// What the captures have to be said for, each thing once.
fn notes(report: &GraphReport) -> Vec<String> {
    let mut notes = report.notes.clone();
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for (path, c) in report.paths.iter().zip(&report.outcome.captures) {
        let name = path.rsplit('/').next().unwrap_or(path);
        for text in of_capture(c) {
            match said.iter_mut().find(|s| s.0 == text) {
                Some(same) => same.1.push(name),
                None => said.push((text, vec![name])),
            }
        }
    }
    let captures = report.outcome.captures.len();
    for (text, names) in said {
        notes.push(match names[..] {
            [_, _, ..] if names.len() == captures => format!("in every capture: {text}"),
            [first, _, ..] => format!("{first} and {} more: {text}", names.len() - 1),
            _ => format!("{}: {text}", names[0]),
        });
    }
    let captures = &report.outcome.captures;
    if captures.iter().any(|c| c.meta.runs().is_none()) && captures.len() > 1 {
        notes.push("runs are unknown: say them with PATH@N or --runs".to_owned());
    }
    notes
}

fn of_capture(c: &CaptureFacts) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(s) = &c.meta.salvaged {
        notes.push(s.reason.clone());
    }
    if c.meta.settled == Some(false) {
        notes.push("the program was not at rest when it was captured".to_owned());
    }
    if c.roots == 0 && c.unreachable.1 > 0 {
        notes.push("no roots: nothing is known to be held".to_owned());
    }
    if c.meta.frozen.is_some_and(|n| n > 0) {
        notes.push("frozen objects are found through roots only".to_owned());
    }
    if c.meta.counts.dangling > 0 {
        notes.push(format!(
            "{} references to objects that the capture lacks",
            units::grouped(i128::from(c.meta.counts.dangling))
        ));
    }
    notes
}
