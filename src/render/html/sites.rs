//! The page of a comparison of allocation sites.

use super::escape::Text;
use super::frame::{self, Page, Section};
use super::sites_summary::summary;
use super::view::{self, FindingView};
use super::{Origin, STYLE, pages};
use crate::error::Result;
use crate::render::homes::without_homes;
use crate::render::shown;
use crate::render::{figures, finding, head, json, matching, unwritable, words};
use crate::report::Report;
use crate::units;
use crate::verdict::{Finding, SubjectKind};
use std::fmt::Write as _;
use std::io::Write;

/// Bytes that the listed rows may take where the user asks for no number.
const ROOM: usize = 2_500_000;
/// Rows that stand in the page without scripts.
const STATIC: usize = 50;
/// Callers of the owner that a suppression names.
const CALLERS: usize = 2;
/// Characters of a site's name.
pub(super) const NAME: usize = 110;

/// Writes the report as one page. `limit`: number of sites, all for 0; none is as many as keep the
/// file small. The others are in the sums.
///
/// Errors: `out` cannot be written to.
pub fn write(
    report: &Report<'_>,
    limit: Option<usize>,
    origin: &Origin,
    out: &mut dyn Write,
) -> Result<()> {
    let each = 170 + 12 * report.values.series.len() + 16 * report.metrics.len();
    let limit = limit.unwrap_or((ROOM / each).max(STATIC));
    let count = shown(report, Some(limit));
    let mut document = Vec::new();
    json::write(report, Some(limit), &mut document)?;
    let document = String::from_utf8_lossy(&document);
    let findings = report
        .findings
        .iter()
        .map(|f| accepted(report, f))
        .collect();
    let view = serde_json::to_string(&view::view(report, count, findings))
        .map_err(|e| unwritable(e.into()))?;
    let top = head(report, &STYLE);
    let mut lines = top.lines().map(|l| l.trim().to_owned());
    let first = lines.next().unwrap_or_default();
    let word = report.verdict.headline();
    let mut sections = vec![
        Section {
            name: "summary",
            title: "Summary",
            body: summary(report, &STYLE),
        },
        Section {
            name: "growth",
            title: "Growth",
            body: growth(report),
        },
    ];
    if let Some(ledger) = &report.matching {
        sections.push(Section {
            name: "matching",
            title: "Matching",
            body: recognised(report, ledger),
        });
    }
    let gate = json::gate(report);
    if let Some(body) = pages::budgets::page(&gate, &|id| {
        // Ids of sites have a rank.
        id.contains('#')
            .then(|| format!("site={}", id.replace('#', "%23")))
    }) {
        sections.push(Section {
            name: "gate",
            title: "Gate",
            body,
        });
    }
    sections.push(Section {
        name: "inputs",
        title: "Inputs",
        body: inputs(report, origin),
    });
    for section in &mut sections {
        section.body = without_homes(&section.body).into_owned();
    }
    let compared = first.strip_prefix(word).unwrap_or(&first).trim();
    let lines = lines.map(|l| without_homes(&l).into_owned());
    // Where the gate judged its verdict stands above the comparison's.
    let (verdict, word, headline, lines) = match &report.gate {
        None => (
            report.verdict.as_str(),
            word,
            compared.to_owned(),
            lines.collect(),
        ),
        Some(judged) => {
            let said = std::iter::once(format!("{word}: {compared}"));
            let verdict = judged.verdict;
            let why = pages::budgets::headline(&gate);
            (
                verdict.as_str(),
                verdict.headline(),
                why,
                said.chain(lines).collect(),
            )
        }
    };
    let page = Page {
        verdict: verdict.to_owned(),
        word: word.to_owned(),
        headline: without_homes(&headline).into_owned(),
        lines,
        sections,
        view: without_homes(&view).into_owned(),
        document: without_homes(&document).into_owned().into_bytes(),
    };
    out.write_all(frame::file(&page).as_bytes())
        .map_err(unwritable)
}

/// The pattern of a finding with several call paths, as `heapdiff suppress` writes one: the frame
/// that owns the sites, with the callers that all paths have; none for a single site.
fn common_stack(report: &Report<'_>, finding: &Finding) -> Option<String> {
    let ids = finding.rows.iter().map(|&r| report.id(r as usize).hash);
    let ids: std::collections::BTreeSet<u64> = ids.collect();
    if ids.len() < 2 {
        return None;
    }
    let ends = |row: u32| -> Option<Vec<&str>> {
        let row = row as usize;
        let names = report.frames(row).into_iter();
        let names = names.map(|f| report.symbols.strings.get(f.function));
        let names: Vec<&str> = names.take(report.owner(row)? + 1).collect();
        Some(names.into_iter().rev().take(1 + CALLERS).collect())
    };
    let mut rows = finding.rows.iter();
    let mut common = ends(*rows.next()?)?;
    for &row in rows {
        let other = ends(row)?;
        let same = common.iter().zip(&other).take_while(|(a, b)| a == b);
        common.truncate(same.count());
    }
    if common.is_empty() || common.iter().any(|name| name.is_empty()) {
        return None;
    }
    let names = common.iter().rev().map(|name| frame::toml(name));
    let names: Vec<String> = names.collect();
    Some(format!("[\"**\", {}, \"**\"]", names.join(", ")))
}

/// A finding with what its suppression says of it: the rule and the site.
fn accepted(report: &Report<'_>, finding: &Finding) -> FindingView {
    let mut lines = vec![("rule", frame::toml(finding.rule.id))];
    let site = (finding.subject.kind == SubjectKind::Site).then_some(finding.subject.index);
    let pattern = common_stack(report, finding);
    if let Some(pattern) = pattern {
        lines.push(("stack", pattern));
    } else if let Some(row) = site {
        let id = report.id(row as usize);
        lines.push(("site", format!("\"{:016x}\"", id.hash)));
    }
    FindingView {
        id: format!("{:016x}", report.finding_id(finding)),
        title: finding::title(report, finding),
        site: site.map(|row| report.id(row as usize).to_string()),
        lines,
    }
}

/// The place for the picture and the table, and the first rows for those who read without scripts.
fn growth(report: &Report<'_>) -> String {
    let metric = report.metric();
    let amount = |n: i128| figures::amount(&metric.unit, n, false);
    let mut out = String::from(
        "<div id=\"growth-live\"></div>\n<div id=\"growth-static\" class=\"wide\"><table class=\"sites\"><thead><tr>",
    );
    if report.knows_runs() {
        out.push_str("<th scope=\"col\" class=\"n\">per run</th>");
    }
    out.push_str(
        "<th scope=\"col\" class=\"n\">growth</th><th scope=\"col\" class=\"n\">before</th>\
         <th scope=\"col\" class=\"n\">after</th><th scope=\"col\">class</th><th scope=\"col\">site</th></tr></thead><tbody>\n",
    );
    let count = report.order.len().min(STATIC);
    for &row in &report.order[..count] {
        let row = row as usize;
        let (before, after) = report.chosen_ends(row);
        let delta = report.delta(row);
        out.push_str("<tr>");
        if report.knows_runs() {
            let rate = report.row_per_run(row);
            let _ = write!(
                out,
                "<td class=\"n\">{}</td>",
                rate.map_or(String::new(), |r| figures::rate(&metric.unit, r))
            );
        }
        let _ = writeln!(
            out,
            "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"site\">{}</td></tr>",
            units::signed(amount(delta), delta > 0),
            amount(before as i128),
            amount(after as i128),
            Text(&report.class_words(row)),
            Text(&words::site(report, row).fit(NAME)),
        );
    }
    let rest = report.rest(count);
    if rest.rows > 0 {
        let (before, after) = (rest.before[report.chosen], rest.after[report.chosen]);
        let _ = writeln!(
            out,
            "<tr>{}<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td></td><td>{} other {}</td></tr>",
            if report.knows_runs() { "<td></td>" } else { "" },
            units::signed(amount(after - before), after > before),
            amount(before),
            amount(after),
            units::grouped(rest.rows as i128),
            figures::plural(rest.rows, figures::noun(&report.group_by)),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn recognised(report: &Report<'_>, ledger: &crate::diff::Ledger) -> String {
    let metric = report.metric();
    let amount = |n: i128| figures::amount(&metric.unit, n, false);
    let mut out = format!(
        "<p>{}</p>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">recognised by</th>\
         <th scope=\"col\" class=\"n\">sites</th><th scope=\"col\" class=\"n\">before</th>\
         <th scope=\"col\" class=\"n\">after</th></tr></thead><tbody>\n",
        Text(&matching::matched(ledger))
    );
    let mut row = |name: &str, share: crate::diff::Share| {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            units::grouped(share.sites as i128),
            amount(share.before),
            amount(share.after),
        );
    };
    for &(by, share) in &ledger.tiers {
        row(by.as_str(), share);
    }
    row("could not be told apart", ledger.ambiguous);
    out.push_str("</tbody></table></div>\n");
    if !ledger.reasons.is_empty() {
        out.push_str("<h3>Why not all</h3>\n<ul>\n");
        for reason in &ledger.reasons {
            let _ = writeln!(out, "<li>{}</li>", Text(reason));
        }
        out.push_str("</ul>\n");
    }
    out
}

/// The files behind the captures, to the byte, and the command that made the page.
pub(super) fn files(out: &mut String, origin: &Origin) {
    if !origin.files.is_empty() {
        out.push_str(
            "<h3>Files</h3>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">file</th>\
             <th scope=\"col\" class=\"n\">bytes</th><th scope=\"col\">SHA-256</th></tr></thead><tbody>\n",
        );
        for f in &origin.files {
            let _ = writeln!(
                out,
                "<tr><td class=\"site mono\">{}</td><td class=\"n\">{}</td><td class=\"mono\">{}</td></tr>",
                Text(&f.path),
                units::grouped(f.bytes as i128),
                f.sha256
            );
        }
        out.push_str("</tbody></table></div>\n");
    }
    let _ = writeln!(
        out,
        "<h3>Command</h3>\n<pre tabindex=\"0\">{}</pre>\n<p>heapdiff {}</p>",
        Text(&origin.command),
        env!("CARGO_PKG_VERSION")
    );
}

fn inputs(report: &Report<'_>, origin: &Origin) -> String {
    let mut out = String::from(
        "<div class=\"wide\"><table><thead><tr><th scope=\"col\">capture</th><th scope=\"col\">side</th>\
         <th scope=\"col\">format</th><th scope=\"col\">producer</th><th scope=\"col\">drivers</th>\
         <th scope=\"col\">sampling</th><th scope=\"col\">totals</th></tr></thead><tbody>\n",
    );
    for c in &report.captures {
        let drivers: Vec<String> = c
            .drivers
            .iter()
            .map(|(name, n)| format!("{name}={}", units::plain(*n)))
            .collect();
        let sampling = match c.sampling {
            None => "every allocation".to_owned(),
            Some(s) => match (s.mean_bytes, s.estimated_mean_bytes) {
                (Some(mean), _) => format!("1 in {}", units::bytes(mean as i128)),
                (None, Some(mean)) => format!("about 1 in {}", units::bytes(mean as i128)),
                (None, None) => "sampled, rate unknown".to_owned(),
            },
        };
        let totals: Vec<String> = c
            .totals
            .iter()
            .map(|(m, n)| format!("{} {}", m.name, figures::amount(&m.unit, *n, false)))
            .collect();
        let command = c.command.as_deref().map_or(String::new(), |c| {
            format!("<br><span class=\"faint\">{}</span>", Text(c))
        });
        let _ = writeln!(
            out,
            "<tr><td class=\"site mono\">{}{command}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Text(&c.path),
            c.side.as_str(),
            c.format,
            Text(c.producer.as_deref().unwrap_or("")),
            Text(&drivers.join(", ")),
            Text(&sampling),
            Text(&totals.join(", ")),
        );
    }
    out.push_str("</tbody></table></div>\n");
    files(&mut out, origin);
    let _ = writeln!(
        out,
        "<p>metric {}, grouped by {}; schema {}</p>",
        Text(&report.metric().name),
        Text(&report.group_by.name()),
        json::SCHEMA
    );
    out
}
