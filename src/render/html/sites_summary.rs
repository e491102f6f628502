//! The first page of a comparison of allocation sites: what was found, and what it is not.

use super::escape::Text;
use super::pages::summary::{MOST_FINDINGS, OPEN, close_findings};
use super::sites::NAME;
use crate::diff::Growth;
use crate::model::Unit;
use crate::render::{Style, figures, finding, remarks, text, words};
use crate::report::Report;
use crate::units;
use std::fmt::Write as _;

/// Rows that are named among what was ruled out or cannot be told.
const NAMED: usize = 8;

/// The findings, why, totals, what was ruled out and what cannot be told.
pub(super) fn summary(report: &Report<'_>, style: &Style) -> String {
    let mut out = String::new();
    findings(&mut out, report);
    let said = remarks(report, style);
    let is_next = |label: &str| label == "next";
    said_list(
        &mut out,
        "Why, and what else",
        said.iter().filter(|(l, _)| !is_next(l)),
    );
    totals(&mut out, report);
    ruled_out(&mut out, report);
    untold(&mut out, report);
    said_list(
        &mut out,
        "What to do next",
        said.iter().filter(|(l, _)| is_next(l)),
    );
    let _ = writeln!(
        out,
        "<details><summary>As text</summary><pre tabindex=\"0\">{}</pre></details>",
        Text(&text(report, style))
    );
    out
}

/// Lines of the text under a heading.
fn said_list<'l>(
    out: &mut String,
    heading: &str,
    lines: impl Iterator<Item = &'l (&'static str, String)>,
) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = write!(out, "<h3>{heading}</h3>\n<ul>\n");
    for (_, line) in lines {
        for part in line.split("   ").map(str::trim).filter(|p| !p.is_empty()) {
            let _ = writeln!(out, "<li>{}</li>", Text(part));
        }
    }
    out.push_str("</ul>\n");
}

fn findings(out: &mut String, report: &Report<'_>) {
    if report.findings.is_empty() {
        out.push_str("<p>No findings.</p>\n");
    }
    for (i, f) in report.findings.iter().take(MOST_FINDINGS).enumerate() {
        if i == OPEN {
            let more = report.findings.len() - OPEN;
            let _ = writeln!(
                out,
                "<details class=\"more\"><summary>{more} more findings</summary>"
            );
        }
        let e = &f.evidence;
        let metric = report.metric();
        let amount = |n: i128| figures::amount(&metric.unit, n, false);
        let _ = write!(
            out,
            "<article class=\"finding {}\" id=\"finding-{:016x}\"><h3>{}</h3>\
             <p><span class=\"badge\">{}</span><span class=\"badge\">{} {}</span>\
             <span class=\"faint\">severity by {}</span></p><dl>",
            f.severity.as_str(),
            report.finding_id(f),
            Text(&finding::title(report, f)),
            f.severity.as_str(),
            f.rule.id,
            f.rule.name,
            f.severity_by.as_str(),
        );
        let mut fact = |name: &str, value: String| {
            let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", Text(&value));
        };
        let (before, after) = (e.before as i128, e.after as i128);
        fact(
            &metric.name,
            format!("{} -> {}", amount(before), amount(after)),
        );
        if let Some(rate) = e.per_run {
            fact("per run", figures::rate(&metric.unit, rate));
        }
        if let Some(blocks) = e.blocks_per_run.filter(|_| metric.unit == Unit::Bytes) {
            fact("blocks per run", units::plain(blocks));
        }
        if e.share > 0.0 {
            fact("share of the growth", figures::share(e.share));
        }
        if let Some(rate) = e.mb_per_hour {
            fact("per hour", format!("{} MB", units::decimal(rate)));
        }
        if let Some(hours) = e.hours_to_limit {
            fact("time to the limit", units::hours(hours));
        }
        if let (Some(p), Some(q)) = (e.p_value, e.q_value) {
            fact("p, corrected", format!("{p:.2e}, {q:.2e}"));
        }
        if f.rows.len() > 1 {
            fact("call paths", f.rows.len().to_string());
        }
        fact("refuted by", f.refuted_by.to_owned());
        fact("advice", f.advice.to_owned());
        out.push_str("</dl><p class=\"actions\"></p></article>\n");
    }
    close_findings(out, report.findings.len());
}

fn totals(out: &mut String, report: &Report<'_>) {
    out.push_str(
        "<h3>Totals</h3>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">metric</th>\
         <th scope=\"col\" class=\"n\">before</th><th scope=\"col\" class=\"n\">after</th>\
         <th scope=\"col\" class=\"n\">growth</th><th scope=\"col\" class=\"n\">per run</th></tr></thead><tbody>\n",
    );
    for (i, metric) in report.metrics.iter().enumerate() {
        if !metric.is_additive() && i != report.chosen {
            continue;
        }
        let (before, after) = report.total(i);
        let amount = |n: i128| figures::amount(&metric.unit, n, false);
        let rate = report.per_run.of(&report.totals, &report.metrics, i, 0);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            Text(&metric.name),
            amount(before),
            amount(after),
            units::signed(amount(after - before), after > before),
            rate.map_or(String::new(), |r| figures::rate(&metric.unit, r)),
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// What looks like a leak and is none, so that nobody chases it.
fn ruled_out(out: &mut String, report: &Report<'_>) {
    let why = |growth: Growth| match growth {
        Growth::WarmUp => "it rises to a level and stays there",
        Growth::Step => "one change of level, not growth of every run",
        Growth::Sawtooth => "it rises and falls again and again",
        Growth::Shrinking => "it falls along the runs",
        _ => "",
    };
    let mut rows: Vec<usize> = (0..report.len())
        .filter(|&r| !why(report.growth(r)).is_empty() && report.delta(r) > 0)
        .collect();
    rows.sort_by_key(|&r| (std::cmp::Reverse(report.delta(r)), r));
    let quiet = (0..report.len()).filter(|&r| report.is_quiet(r)).count();
    if rows.is_empty() && quiet == 0 {
        return;
    }
    out.push_str("<h3>Ruled out</h3>\n<ul>\n");
    let metric = report.metric();
    for &row in rows.iter().take(NAMED) {
        let delta = report.delta(row);
        let _ = writeln!(
            out,
            "<li>{} ({}): {}, {}</li>",
            Text(&words::site(report, row).fit(NAME)),
            units::signed(figures::amount(&metric.unit, delta, false), delta > 0),
            report.growth(row).as_str(),
            why(report.growth(row)),
        );
    }
    if rows.len() > NAMED {
        let _ = writeln!(out, "<li>{} more of these kinds</li>", rows.len() - NAMED);
    }
    if quiet > 0 {
        let noise = match report.knows_noise() {
            true => "level, or inside the noise",
            false => "unchanged",
        };
        let _ = writeln!(
            out,
            "<li>{quiet} {}: {noise}</li>",
            figures::plural(quiet, figures::noun(&report.group_by))
        );
    }
    out.push_str("</ul>\n");
}

/// What these captures cannot tell, and what to capture next.
fn untold(out: &mut String, report: &Report<'_>) {
    let mut rows: Vec<usize> = (0..report.len())
        .filter(|&r| report.growth(r) == Growth::Undetermined)
        .collect();
    rows.sort_by_key(|&r| (std::cmp::Reverse(report.delta(r).abs()), r));
    let mut items = Vec::new();
    for &row in rows.iter().take(NAMED) {
        let words = report.judgement(row).map_or("", |j| j.reason.words());
        items.push(format!("{}: {words}", words::site(report, row).fit(NAME)));
    }
    if rows.len() > NAMED {
        items.push(format!("{} more sites", rows.len() - NAMED));
    }
    if items.is_empty() {
        return;
    }
    out.push_str("<h3>What could not be told</h3>\n<ul>\n");
    for item in items {
        let _ = writeln!(out, "<li>{}</li>", Text(&item));
    }
    out.push_str("</ul>\n");
}
