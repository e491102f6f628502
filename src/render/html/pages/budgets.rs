//! The page of the gate: what it was held against, who broke it, what is accepted.

use super::super::escape::Text;
use super::parts::{Cell, Column, badge, listed, table};
use super::value::{list, moment, text, whole};
use crate::units;
use serde_json::Value;
use std::fmt::Write as _;

/// Offenders that are named.
const NAMED: usize = 50;

/// The page; nothing where no gate judged. `place_of` knows where an offender
/// is shown, as it stands behind `#`.
pub fn page(gate: &Value, place_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
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
    budgets(&mut out, gate, place_of);
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

fn budgets(out: &mut String, gate: &Value, place_of: &dyn Fn(&str) -> Option<String>) {
    let budgets = list(gate, "budgets");
    if budgets.is_empty() {
        out.push_str("<p>No budget was held against these captures.</p>\n");
        return;
    }
    let columns = [
        ("budget", Column::Words),
        ("of", Column::Words),
        ("limit", Column::Words),
        ("measured", Column::Number),
        ("state", Column::Words),
        ("why", Column::Words),
    ];
    let rows = budgets.iter().map(|b| {
        let state = match b["held"].as_bool() {
            Some(true) => Cell::classed("holds", "good"),
            Some(false) => Cell::classed("broken", "bad"),
            None => Cell::classed("cannot tell", "faint"),
        };
        let limit = match b["by_default"].as_bool() {
            Some(true) => format!("{}, by default", text(b, "allowed")),
            _ => text(b, "allowed").to_owned(),
        };
        let why = [text(b, "why"), text(b, "next")];
        let why: Vec<&str> = why.into_iter().filter(|t| !t.is_empty()).collect();
        vec![
            text(b, "name").into(),
            text(b, "subject").into(),
            limit.into(),
            text(b, "measured").into(),
            state,
            why.join("; ").into(),
        ]
    });
    out.push_str("<h3>Budgets</h3>\n");
    out.push_str(&table(&columns, rows));
    let broken: Vec<(&Value, &Value)> = budgets
        .iter()
        .flat_map(|b| list(b, "broken_by").iter().map(move |o| (b, o)))
        .collect();
    if broken.is_empty() {
        return;
    }
    let columns = [
        ("broken by", Column::Name),
        ("budget", Column::Words),
        ("by how much", Column::Number),
        ("since", Column::Words),
        ("finding", Column::Name),
    ];
    let rows = broken.iter().take(NAMED).map(|(budget, o)| {
        let (name, id) = (text(o, "name"), text(o, "id"));
        let name = if name.is_empty() { id } else { name };
        let first = match place_of(id) {
            Some(place) => Cell::link(name, place),
            None => name.into(),
        };
        vec![
            first,
            text(budget, "name").into(),
            text(o, "amount").into(),
            moment(text(o, "since")).into(),
            text(o, "finding").into(),
        ]
    });
    out.push_str("<h3>Who broke them</h3>\n");
    out.push_str(&table(&columns, rows));
    if broken.len() > NAMED {
        let _ = writeln!(
            out,
            "<p>{} more are in the JSON document.</p>",
            units::grouped((broken.len() - NAMED) as i128)
        );
    }
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
