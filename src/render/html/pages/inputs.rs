//! The page of inputs: what was read, to the byte, and how.

use super::super::Origin;
use super::super::sites::files;
use super::parts::{Cell, Column, table};
use super::value::{list, real, text, whole};
use crate::units;
use serde_json::Value;
use std::fmt::Write as _;

/// The page.
pub fn page(document: &Value, origin: &Origin) -> String {
    let mut out = String::new();
    let captures = list(document, "captures");
    if !captures.is_empty() {
        out.push_str(&of_captures(captures));
    }
    let inputs = list(document, "inputs");
    if !inputs.is_empty() {
        out.push_str(&of_inputs(inputs));
    }
    files(&mut out, origin);
    let metric = match (text(document, "metric"), text(document, "group_by")) {
        ("", _) => String::new(),
        (metric, by) => format!("metric {metric}, grouped by {by}; "),
    };
    let _ = writeln!(
        out,
        "<p>{}schema {}</p>",
        super::super::escape::Text(&metric),
        super::super::escape::Text(text(document, "schema"))
    );
    out
}

fn of_captures(captures: &[Value]) -> String {
    let columns = [
        ("capture", Column::Name),
        ("side", Column::Words),
        ("format", Column::Words),
        ("runtime", Column::Words),
        ("drivers", Column::Words),
        ("collected first", Column::Words),
        ("objects", Column::Number),
        ("references", Column::Number),
        ("roots", Column::Number),
    ];
    let rows = captures.iter().map(|c| {
        let drivers: Vec<String> = c["drivers"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, n)| Some(format!("{name}={}", units::plain(n.as_f64()?))))
            .collect();
        let runtime = [
            text(c, "runtime"),
            text(c, "runtime_version"),
            text(c, "producer"),
        ];
        let runtime: Vec<&str> = runtime.into_iter().filter(|t| !t.is_empty()).collect();
        let count =
            |key: &str| -> Cell { whole(c, key).map_or(String::new(), units::grouped).into() };
        vec![
            text(c, "path").into(),
            text(c, "side").into(),
            text(c, "format").into(),
            runtime.join(" ").into(),
            drivers.join(", ").into(),
            text(c, "gc").into(),
            count("objects"),
            count("edges"),
            count("roots"),
        ]
    });
    table(&columns, rows)
}

fn of_inputs(inputs: &[Value]) -> String {
    let columns = [
        ("input", Column::Name),
        ("kind", Column::Words),
        ("lines", Column::Number),
        ("not read", Column::Number),
        ("notes", Column::Words),
    ];
    let rows = inputs.iter().map(|i| {
        let notes: Vec<&str> = list(i, "notes").iter().filter_map(Value::as_str).collect();
        let first_bad = &i["first_bad"];
        let bad = real(first_bad, "line").map_or(String::new(), |line| {
            format!("line {}: {}", units::plain(line), text(first_bad, "text"))
        });
        let notes: Vec<&str> = notes
            .into_iter()
            .chain(Some(bad.as_str()))
            .filter(|t| !t.is_empty())
            .collect();
        let count =
            |key: &str| -> Cell { whole(i, key).map_or(String::new(), units::grouped).into() };
        vec![
            text(i, "path").into(),
            text(i, "kind").into(),
            count("lines"),
            count("bad_lines"),
            notes.join("; ").into(),
        ]
    });
    table(&columns, rows)
}
