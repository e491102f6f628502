//! What happened when, and what coincides with growth: requests, lines of logs, marks.

use super::super::escape::Text;
use super::parts::{Cell, Column, listed, table};
use super::series::rate;
use super::value::{list, moment, real, text, whole};
use crate::units;
use serde_json::Value;
use std::fmt::Write as _;

/// The dated list of what happened.
pub fn incident(out: &mut String, document: &Value) {
    let all = list(document, "incident");
    if all.is_empty() {
        return;
    }
    out.push_str("<h3>What happened when</h3>\n<ol class=\"incident\">\n");
    for e in all {
        let time = text(e, "time");
        let _ = writeln!(
            out,
            "<li><time datetime=\"{}\">{}</time> {}</li>",
            Text(time),
            Text(&moment(time)),
            Text(text(e, "what"))
        );
    }
    out.push_str("</ol>\n");
}

/// Requests, those that coincide with growth first.
pub fn requests(out: &mut String, document: &Value) {
    let mut all: Vec<&Value> = list(document, "requests").iter().collect();
    if all.is_empty() {
        return;
    }
    let reported = |r: &Value| r["reported"].as_bool().unwrap_or(false);
    let bytes_of = |r: &Value| real(&r["bytes_per_request"], "value").unwrap_or(0.0);
    all.sort_by(|a, b| {
        let by_word = reported(b).cmp(&reported(a));
        by_word.then(bytes_of(b).total_cmp(&bytes_of(a)))
    });
    let columns = [
        ("request", Column::Name),
        ("growth", Column::Words),
        ("a request", Column::Number),
        ("while it runs, MB/h", Column::Number),
        ("idle, MB/h", Column::Number),
        ("q", Column::Number),
        ("count", Column::Number),
        ("errors", Column::Number),
        ("timeouts", Column::Number),
        ("p50", Column::Number),
        ("p99", Column::Number),
    ];
    let seconds = |r: &Value, key: &str| -> Cell {
        real(r, key)
            .map_or(String::new(), |s| match s {
                s if s < 1.0 => format!("{} ms", units::plain((s * 1e3 * 10.0).round() / 10.0)),
                s => format!("{} s", units::plain((s * 10.0).round() / 10.0)),
            })
            .into()
    };
    let rows = all.iter().map(|r| {
        let count =
            |key: &str| -> Cell { whole(r, key).map_or(String::new(), units::grouped).into() };
        let per = &r["bytes_per_request"];
        let part = |key: &str| real(per, key).map(|n| units::bytes(n.round() as i128));
        let cost = match (part("value"), part("lo"), part("hi")) {
            (Some(value), Some(lo), Some(hi)) => format!("{value} ({lo} to {hi})"),
            _ => String::new(),
        };
        let per_hour = |key: &str| real(r, key).map_or(String::new(), rate);
        vec![
            text(r, "endpoint").into(),
            match reported(r) {
                true => Cell::classed("coincides", "bad"),
                false => "".into(),
            },
            cost.into(),
            per_hour("rate_while_running_mb_per_hour").into(),
            per_hour("rate_while_idle_mb_per_hour").into(),
            real(r, "q_value").map_or(String::new(), probability).into(),
            count("count"),
            count("errors"),
            count("timeouts"),
            seconds(r, "p50_s"),
            seconds(r, "p99_s"),
        ]
    });
    out.push_str("<h3>Requests</h3>\n");
    out.push_str(&table(&columns, rows));
    if all.iter().any(|r| reported(r)) {
        out.push_str(
            "<p class=\"faint\">Correlation only: refuted if growth goes on while the request is idle.</p>\n",
        );
    }
    let together: Vec<String> = all
        .iter()
        .filter(|r| reported(r))
        .filter_map(|r| {
            let with: Vec<&str> = list(r, "not_separable_from")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            (!with.is_empty()).then(|| format!("{}: {}", text(r, "endpoint"), with.join(", ")))
        })
        .collect();
    out.push_str(&listed("Cannot be told from", &together));
}

/// A probability with two digits that count.
pub fn probability(p: f64) -> String {
    match p {
        p if p >= 0.001 => format!("{p:.3}"),
        p => format!("{p:.1e}"),
    }
}

/// Lines of logs by their pattern.
pub fn events(out: &mut String, document: &Value) {
    let all = list(document, "events");
    if all.is_empty() {
        return;
    }
    let columns = [
        ("lines of the logs", Column::Name),
        ("count", Column::Number),
        ("normal, an hour", Column::Number),
        ("most, an hour", Column::Number),
        ("when", Column::Words),
    ];
    let number =
        |e: &Value, key: &str| -> Cell { real(e, key).map_or(String::new(), units::plain).into() };
    let rows = all.iter().map(|e| {
        vec![
            text(e, "pattern").into(),
            number(e, "count"),
            number(e, "normal_per_hour"),
            number(e, "peak_per_hour"),
            moment(text(e, "peak_at")).into(),
        ]
    });
    out.push_str("<h3>Events</h3>\n");
    out.push_str(&table(&columns, rows));
}

/// Before and after what the user marked.
pub fn marks(out: &mut String, document: &Value) {
    let all = list(document, "marks");
    if all.is_empty() {
        return;
    }
    let columns = [
        ("mark", Column::Words),
        ("time", Column::Words),
        ("series", Column::Name),
        ("before, MB/h", Column::Number),
        ("after, MB/h", Column::Number),
        ("change", Column::Words),
    ];
    let side = |m: &Value, key: &str| -> Cell {
        let v = &m[key];
        match (real(v, "value"), real(v, "lo"), real(v, "hi")) {
            (Some(value), Some(lo), Some(hi)) => {
                format!("{} ({} to {})", rate(value), rate(lo), rate(hi)).into()
            }
            _ => "".into(),
        }
    };
    let rows = all.iter().map(|m| {
        vec![
            text(m, "label").into(),
            moment(text(m, "time")).into(),
            text(m, "series").into(),
            side(m, "before_mb_per_hour"),
            side(m, "after_mb_per_hour"),
            text(m, "change").into(),
        ]
    });
    out.push_str("<h3>Marks</h3>\n");
    out.push_str(&table(&columns, rows));
}

/// What a heap profile over the same hours says of the growth, site by site.
pub fn captured(out: &mut String, document: &Value) {
    let captures = &document["captures"];
    let sites = list(captures, "sites");
    if sites.is_empty() {
        return;
    }
    let columns = [
        ("site", Column::Name),
        ("growth", Column::Number),
        ("per run", Column::Number),
        ("MB/h", Column::Number),
    ];
    let bytes = |n: f64| units::signed(units::bytes(n.round() as i128), n > 0.0);
    let rows = sites.iter().map(|s| {
        vec![
            text(s, "name").into(),
            real(s, "delta").map_or(String::new(), bytes).into(),
            real(s, "per_run").map_or(String::new(), bytes).into(),
            real(s, "mb_per_hour").map_or(String::new(), rate).into(),
        ]
    });
    out.push_str("<h3>What the heap profiles say</h3>\n");
    out.push_str(&table(&columns, rows));
    if let Some(share) = real(captures, "share_of_growth") {
        let _ = writeln!(
            out,
            "<p>They explain {:.0} % of the growth.</p>",
            100.0 * share
        );
    }
}
