//! The first page: what was found and by what evidence, the totals, what was ruled out and why,
//! what could not be told, and what to do next.

use super::super::escape::{Text, spaced};
use super::cycles::label;
use super::happened::probability;
use super::parts::{Cell, Column, badge, facts, listed, table};
use super::series::{is_primary, level, overall, rate};
use super::told::Told;
use super::value::{integer, list, real, text, whole};
use crate::render::figures;
use crate::units;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Rows of a kind that are named.
const NAMED: usize = 8;
/// Findings that stand open; those after them are folded.
pub const OPEN: usize = 6;
/// Findings that a page holds, the most severe first.
pub const MOST_FINDINGS: usize = 200;
/// Labels of the text that have a place of their own.
const PLACED: [&str; 3] = ["next", "ruled out", "when"];

/// The page.
pub fn page(document: &Value, told: &Told<'_>, whole_text: &str) -> String {
    let mut out = String::new();
    findings(&mut out, document);
    let is_placed = |label: &str| PLACED.contains(&label) || label.starts_with("exit");
    let why = told.remarks.iter().filter(|(label, _)| !is_placed(label));
    out.push_str(&said("Why, and what else", why));
    totals(&mut out, document);
    out.push_str(&listed("Ruled out", &ruled_out(document)));
    out.push_str(&listed("What could not be told", &untold(document)));
    let next: Vec<String> = told
        .remarks
        .iter()
        .filter(|(label, _)| *label == "next" || label.starts_with("exit"))
        .flat_map(|(_, lines)| lines.iter().flat_map(|l| l.split("   ")))
        .map(|l| l.trim().to_owned())
        .filter(|l| !l.is_empty())
        .collect();
    out.push_str(&listed("What to do next", &next));
    let _ = writeln!(
        out,
        "<details><summary>As text</summary><pre tabindex=\"0\">{}</pre></details>",
        Text(whole_text)
    );
    out
}

/// Lines with their word in front.
fn said<'r, 't: 'r>(
    heading: &str,
    remarks: impl Iterator<Item = &'r (&'t str, Vec<&'t str>)>,
) -> String {
    let mut out = String::new();
    for (label, lines) in remarks {
        let _ = write!(out, "<dt>{}</dt>", Text(label));
        for line in lines {
            let _ = write!(out, "<dd>{}</dd>", Text(&spaced(line)));
        }
    }
    match out.is_empty() {
        true => out,
        false => format!("<h3>{heading}</h3>\n<dl class=\"said\">{out}</dl>\n"),
    }
}

/// Where a finding's subject is shown, as it stands behind `#`.
pub fn place(finding: &Value) -> Option<String> {
    let subject = &finding["subject"];
    let id = text(subject, "id");
    let page = match text(subject, "kind") {
        _ if id.is_empty() => return None,
        "cycle" => format!("page=cycles&at=cycle-{id}"),
        "holder" => format!("page=types&at=holder-{id}"),
        "type" => "page=types".to_owned(),
        "series" => format!("page=timeline&at=series-{id}"),
        "endpoint" => "page=timeline".to_owned(),
        _ => return None,
    };
    Some(page)
}

fn findings(out: &mut String, document: &Value) {
    let all = list(document, "findings");
    if all.is_empty() {
        out.push_str("<p>No findings.</p>\n");
    }
    for (i, f) in all.iter().take(MOST_FINDINGS).enumerate() {
        if i == OPEN {
            let _ = writeln!(
                out,
                "<details class=\"more\"><summary>{} more findings</summary>",
                all.len() - OPEN
            );
        }
        let severity = text(f, "severity");
        let _ = write!(
            out,
            "<article class=\"finding {0}\" id=\"finding-{1}\"><h3>{2}</h3>\
             <p>{3}{4}<span class=\"faint\">severity by {5}</span></p>",
            Text(severity),
            Text(text(f, "id")),
            Text(text(f, "title")),
            badge(severity),
            badge(&format!("{} {}", text(f, "rule"), text(f, "name"))),
            Text(text(f, "severity_by")),
        );
        let mut pairs = evidence(f["evidence"].as_object());
        pairs.push(("refuted by".to_owned(), text(f, "refuted_by").to_owned()));
        pairs.push(("advice".to_owned(), text(f, "advice").to_owned()));
        let pairs: Vec<(&str, String)> =
            pairs.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        out.push_str(&facts(&pairs));
        out.push_str("<p class=\"actions\"></p></article>\n");
    }
    close_findings(out, all.len());
}

/// Ends the list of `all` findings: those behind the first ones can be opened, and what is beyond
/// the most is counted.
pub fn close_findings(out: &mut String, all: usize) {
    if all > MOST_FINDINGS {
        let more = all - MOST_FINDINGS;
        let _ = writeln!(out, "<p>{more} more: see the JSON document.</p>");
    }
    if all > OPEN {
        out.push_str("</details>\n");
    }
}

/// Evidence in words: a value and its interval on one line, bytes and rates with their units.
fn evidence(evidence: Option<&Map<String, Value>>) -> Vec<(String, String)> {
    let Some(evidence) = evidence else {
        return Vec::new();
    };
    let end = |key: &str, of: &str| {
        let key = format!("{key}{of}");
        evidence.get(&key).filter(|v| !v.is_null())
    };
    let is_end = |key: &str| {
        let base = key.strip_suffix("_lo").or_else(|| key.strip_suffix("_hi"));
        base.is_some_and(|b| evidence.contains_key(b))
    };
    evidence
        .iter()
        .filter(|(key, value)| !value.is_null() && !is_end(key))
        .map(|(key, value)| {
            let mut said = fact(key, value);
            if let (Some(lo), Some(hi)) = (end(key, "_lo"), end(key, "_hi")) {
                said.push_str(&format!(" ({} to {})", fact(key, lo), fact(key, hi)));
            }
            (name(key), said)
        })
        .collect()
}

/// A key in words.
fn name(key: &str) -> String {
    let key = match key {
        "mb_per_hour" => return "MB an hour".to_owned(),
        "peak_mb_per_hour" => return "MB an hour, at the most".to_owned(),
        "p_value" => return "p".to_owned(),
        "q_value" => return "q, corrected".to_owned(),
        key => key.strip_suffix("_bytes").unwrap_or(key),
    };
    let words = key.replace('_', " ");
    match words.strip_prefix("mb per hour ") {
        Some(when) => format!("MB an hour {when}"),
        None => words,
    }
}

/// A value in words.
fn fact(key: &str, value: &Value) -> String {
    let bytes = key.ends_with("_bytes") || key == "bytes" || key.contains("bytes_per");
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(all) => {
            let each = all.iter().map(|v| fact(key, v));
            each.collect::<Vec<_>>().join(" -> ")
        }
        Value::Number(n) => {
            let n = n.as_f64().unwrap_or(0.0);
            match key {
                _ if bytes => units::bytes(n.round() as i128),
                "p_value" | "q_value" => probability(n),
                key if key.contains("mb_per_hour") => rate(n),
                key if key.contains("share") => figures::share(n),
                key if key.contains("hours") => units::hours(n),
                _ => integer(value)
                    .filter(|i| *i as f64 == n)
                    .map_or_else(|| units::plain(n), units::grouped),
            }
        }
        _ => String::new(),
    }
}

fn totals(out: &mut String, document: &Value) {
    let captures = list(document, "captures");
    let primary: Vec<&Value> = list(document, "series")
        .iter()
        .filter(|s| is_primary(s))
        .collect();
    if !captures.is_empty() {
        out.push_str("<h3>Totals</h3>\n");
        out.push_str(&of_captures(document, captures));
    } else if !primary.is_empty() {
        out.push_str("<h3>Totals</h3>\n");
        out.push_str(&of_services(&primary));
    }
}

/// Every metric of an object graph, along the captures.
fn of_captures(document: &Value, captures: &[Value]) -> String {
    let sides = captures.iter().any(|c| text(c, "side") == "base");
    let labels: Vec<String> = captures
        .iter()
        .enumerate()
        .map(|(i, c)| label(c, i, sides))
        .collect();
    let mut columns = vec![("", Column::Words)];
    // More than these make a table that no screen holds.
    let shown: Vec<usize> = match captures.len() {
        n if n > NAMED => vec![0, n - 1],
        n => (0..n).collect(),
    };
    columns.extend(shown.iter().map(|&i| (labels[i].as_str(), Column::Number)));
    if captures.len() > 1 {
        columns.push(("growth", Column::Number));
        columns.push(("per run", Column::Number));
    }
    type Read = fn(&Value) -> Option<i128>;
    let metrics: [(&str, &str, bool, Read); 5] = [
        ("kept by roots", "retained_bytes", true, |c| {
            whole(&c["totals"], "retained_bytes")
        }),
        ("all objects", "shallow_bytes", true, |c| {
            whole(&c["totals"], "shallow_bytes")
        }),
        ("reached by no root", "", true, |c| {
            whole(c, "unreachable_bytes")
        }),
        ("objects", "objects", false, |c| {
            whole(&c["totals"], "objects")
        }),
        ("references", "", false, |c| whole(c, "edges")),
    ];
    let rows = metrics.iter().map(|(title, key, bytes, read)| {
        let amount = |n: i128| match bytes {
            true => units::bytes(n),
            false => units::grouped(n),
        };
        let mut row: Vec<Cell> = vec![(*title).into()];
        for &i in &shown {
            row.push(read(&captures[i]).map_or(String::new(), amount).into());
        }
        if captures.len() > 1 {
            let ends = read(&captures[0]).zip(captures.last().and_then(read));
            let delta = ends.map_or(String::new(), |(a, b)| units::signed(amount(b - a), b > a));
            row.push(delta.into());
            let per_run = real(&document["totals"]["per_run"], key);
            let per_run = per_run.map_or(String::new(), |n| match bytes {
                true => units::signed(units::bytes(n.round() as i128), n > 0.0),
                false => units::signed(units::plain(n), n > 0.0),
            });
            row.push(per_run.into());
        }
        row
    });
    table(&columns, rows)
}

/// The memory of every service.
fn of_services(primary: &[&Value]) -> String {
    let columns = [
        ("service", Column::Name),
        ("first", Column::Number),
        ("last", Column::Number),
        ("highest", Column::Number),
        ("growth", Column::Number),
        ("class", Column::Words),
    ];
    let rows = primary.iter().map(|s| {
        vec![
            format!("{} {}", text(s, "service"), text(s, "metric")).into(),
            level(s, "first").into(),
            level(s, "last").into(),
            level(s, "max").into(),
            overall(s).into(),
            text(s, "growth").into(),
        ]
    });
    table(&columns, rows)
}

/// What looks like a leak and is none, so that nobody chases it.
fn ruled_out(document: &Value) -> Vec<String> {
    let mut out: Vec<String> = list(document, "ruled_out")
        .iter()
        .map(|r| format!("{}: {}", text(r, "what"), text(r, "why")))
        .collect();
    let mut steady = 0;
    for c in list(document, "cycles") {
        let benign = text(c, "benign");
        if !benign.is_empty() {
            out.push(format!("{}: {benign}", text(c, "signature")));
        } else if is_calm(text(c, "growth")) {
            steady += 1;
        }
    }
    if steady > 0 {
        out.push(format!("{steady} kinds of cycles that do not grow"));
    }
    let mut excused: Vec<(String, usize)> = Vec::new();
    for h in list(document, "holders") {
        let benign = text(h, "benign");
        if benign.is_empty() {
            continue;
        }
        let last = list(h, "path").last().map_or("", |s| text(s, "type"));
        let said = format!("{last}: {benign}");
        match excused.iter_mut().find(|e| e.0 == said) {
            Some(e) => e.1 += 1,
            None => excused.push((said, 1)),
        }
    }
    out.extend(excused.into_iter().map(|(said, n)| match n {
        1 => said,
        n => format!("{said} ({n} paths)"),
    }));
    let calm = |s: &&Value| is_calm(text(s, "growth"));
    let flat: Vec<&Value> = list(document, "series").iter().filter(calm).collect();
    for s in flat.iter().filter(|s| is_primary(s)) {
        out.push(format!("{}: {}", text(s, "service"), text(s, "growth")));
    }
    let types = list(document, "types").iter().filter(calm).count();
    if types > 0 {
        let total = list(document, "types").len();
        out.push(format!("{types} of {total} types do not grow"));
    }
    out
}

fn is_calm(growth: &str) -> bool {
    matches!(
        growth,
        "stable" | "unchanged" | "warm-up" | "sawtooth" | "shrinking" | "shrank" | "gone"
    )
}

/// What these captures cannot tell.
fn untold(document: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let undetermined = |v: &&Value| text(v, "growth") == "undetermined";
    for s in list(document, "series").iter().filter(undetermined) {
        out.push(format!(
            "{}: too short or too uneven to tell",
            text(s, "id")
        ));
    }
    let cycles: Vec<&Value> = list(document, "cycles")
        .iter()
        .filter(undetermined)
        .collect();
    let named = cycles.iter().take(NAMED);
    out.extend(named.map(|c| format!("{}: capture more runs", text(c, "signature"))));
    if cycles.len() > NAMED {
        out.push(format!("{} more kinds of cycles", cycles.len() - NAMED));
    }
    let captures = list(document, "captures");
    if captures.len() == 1 && !list(document, "cycles").is_empty() {
        out.push(
            "one capture shows what is there, not what grows: capture again after more runs"
                .to_owned(),
        );
    }
    if captures.len() > 1 && captures.iter().all(|c| c["runs"].is_null()) {
        out.push(
            "growth per run: the runs of these captures are unknown, name them as PATH@N"
                .to_owned(),
        );
    }
    for c in captures {
        let salvaged = &c["salvaged"];
        if let (Some(read), Some(of)) = (whole(salvaged, "read_bytes"), whole(salvaged, "of_bytes"))
        {
            out.push(format!(
                "{}: {} of {} could be read ({})",
                text(c, "path"),
                units::bytes(read),
                units::bytes(of),
                text(salvaged, "reason")
            ));
        }
        if let Some(dangling) = whole(c, "dangling").filter(|n| *n > 0) {
            out.push(format!(
                "{}: {} references lead to objects that the dump does not hold",
                text(c, "path"),
                units::grouped(dangling)
            ));
        }
    }
    for i in list(document, "inputs") {
        if let Some(bad) = whole(i, "bad_lines").filter(|n| *n > 0) {
            out.push(format!(
                "{}: {} lines could not be read",
                text(i, "path"),
                units::grouped(bad)
            ));
        }
    }
    for b in list(&document["gate"], "budgets") {
        let lacking = text(b, "lacking");
        if !lacking.is_empty() {
            out.push(format!(
                "budget {}: needs {}",
                text(b, "name"),
                lacking.replace('-', " ")
            ));
        }
    }
    out
}
