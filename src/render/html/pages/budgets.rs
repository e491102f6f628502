//! The page of the gate: what it was held against, who broke it, what is accepted.

use super::super::escape::Text;
use super::parts::{Cell, Column, badge, listed, table};
use super::value::{list, moment, real, text, whole};
use crate::units;
use serde_json::Value;
use std::fmt::Write as _;

/// Offenders that are named for each budget.
const NAMED: usize = 3;

/// The page; nothing where no gate judged. `name_of` knows what an offender is called.
pub fn page(gate: &Value, name_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let verdict = gate["verdict"].as_str()?;
    let word = match verdict {
        "fail" => "REGRESSION",
        "pass" => "PASS",
        _ => "CANNOT TELL",
    };
    let mut out = String::new();
    let against = match text(gate, "against") {
        "" => String::new(),
        base => format!(" <span class=\"faint\">held against {}</span>", Text(base)),
    };
    let _ = writeln!(
        out,
        "<p><span class=\"verdict {}\">{word}</span>{against}</p>",
        Text(verdict)
    );
    let strings = |key: &str| -> Vec<String> {
        let all = list(gate, key).iter().filter_map(Value::as_str);
        all.map(str::to_owned).collect()
    };
    out.push_str(&listed("Why", &strings("reasons")));
    budgets(&mut out, gate, name_of);
    suppressed(&mut out, gate);
    out.push_str(&listed("Warnings", &strings("warnings")));
    Some(out)
}

/// The first reason of the verdict, or how many budgets hold.
pub fn headline(gate: &Value) -> String {
    let reasons = list(gate, "reasons");
    let budgets = list(gate, "budgets").len();
    match (reasons, budgets) {
        ([first, more @ ..], _) => {
            let first = first.as_str().unwrap_or_default();
            match more.len() {
                0 => first.to_owned(),
                n => format!("{first}, and {n} more"),
            }
        }
        ([], 1) => "the budget holds".to_owned(),
        ([], n) => format!("all {n} budgets hold"),
    }
}

/// A value in the unit of its budget.
fn amount(n: Option<f64>, unit: &str) -> String {
    let Some(n) = n else {
        return String::new();
    };
    match unit.strip_prefix("bytes") {
        Some(rest) if n.fract() == 0.0 || n.abs() >= 1024.0 => {
            format!("{}{rest}", units::bytes(n.round() as i128))
        }
        Some(rest) => format!("{} B{rest}", units::plain(n)),
        None => format!("{} {unit}", units::plain(n)).trim().to_owned(),
    }
}

fn budgets(out: &mut String, gate: &Value, name_of: &dyn Fn(&str) -> Option<String>) {
    let budgets = list(gate, "budgets");
    if budgets.is_empty() {
        out.push_str("<p>No budget was held against these captures.</p>\n");
        return;
    }
    let columns = [
        ("budget", Column::Words),
        ("of", Column::Words),
        ("limit", Column::Number),
        ("measured", Column::Number),
        ("noise", Column::Number),
        ("state", Column::Words),
        ("who broke it", Column::Name),
    ];
    let mut more = Vec::new();
    let rows: Vec<Vec<Cell>> = budgets
        .iter()
        .map(|b| {
            let unit = text(b, "unit");
            let state = match b["held"].as_bool() {
                Some(true) => Cell::classed("holds", "good"),
                Some(false) => Cell::classed("broken", "bad"),
                None => Cell::classed(
                    match text(b, "lacking") {
                        "" => "cannot tell".to_owned(),
                        lacking => format!("cannot tell: {}", lacking.replace('-', " ")),
                    },
                    "faint",
                ),
            };
            let offenders = list(b, "offenders");
            let names: Vec<&str> = offenders.iter().filter_map(Value::as_str).collect();
            if names.len() > NAMED {
                more.push(format!("{}: {} more", text(b, "name"), names.len() - NAMED));
            }
            let called = |id: &&str| name_of(id).unwrap_or_else(|| (*id).to_owned());
            let first: Vec<String> = names.iter().take(NAMED).map(called).collect();
            let shown = first.join("; ");
            let at = match text(b, "broke_at") {
                "" => String::new(),
                time => format!("at {} ", moment(time)),
            };
            let by = match names.first() {
                // Ids of sites have sixteen digits and a rank.
                Some(id) if id.contains('#') && names.len() == 1 => Cell::link(
                    format!("{at}{shown}"),
                    format!("site={}", id.replace('#', "%23")),
                ),
                _ => format!("{at}{shown}").trim().into(),
            };
            let limit = match b["by_default"].as_bool() {
                Some(true) => format!("{}, by default", amount(real(b, "limit"), unit)),
                _ => amount(real(b, "limit"), unit),
            };
            vec![
                text(b, "name").into(),
                text(b, "subject").into(),
                limit.into(),
                amount(real(b, "value"), unit).into(),
                amount(real(b, "noise"), unit).into(),
                state,
                by,
            ]
        })
        .collect();
    out.push_str("<h3>Budgets</h3>\n");
    out.push_str(&table(&columns, rows));
    out.push_str(&listed("More that broke them", &more));
}

fn suppressed(out: &mut String, gate: &Value) {
    let hidden = list(gate, "suppressed");
    if hidden.is_empty() {
        out.push_str("<p class=\"faint\">Nothing is suppressed.</p>\n");
        return;
    }
    let columns = [
        ("finding", Column::Name),
        ("accepted because", Column::Words),
        ("hides", Column::Number),
        ("at most", Column::Number),
        ("until", Column::Words),
        ("owner", Column::Words),
    ];
    let rows = hidden.iter().map(|s| {
        let bytes = |key: &str| whole(s, key).map_or(String::new(), units::bytes);
        vec![
            text(s, "finding").into(),
            text(s, "suppression").into(),
            bytes("bytes").into(),
            bytes("max").into(),
            match text(s, "expires") {
                "" => "no day is set".into(),
                day => day.into(),
            },
            text(s, "owner").into(),
        ]
    });
    let _ = writeln!(
        out,
        "<h3>Accepted {}</h3>\n{}",
        badge(&hidden.len().to_string()),
        table(&columns, rows)
    );
}
