//! The page of types and holders: who keeps the memory, and what it is made of.

use super::super::escape::Text;
use super::cycles::{from_root, reference};
use super::made;
use super::parts::{Cell, Column, badge, facts, table};
use super::value::{integer, list, real, text, whole};
use crate::units;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Holders that the page shows.
const MOST_HOLDERS: usize = 50;
/// Types that stand in the page without scripts.
const STATIC: usize = 50;
/// Types that the script can list.
const MOST_TYPES: usize = 10_000;

/// The page; nothing where the document has neither.
pub fn page(document: &Value) -> Option<String> {
    let holders = list(document, "holders");
    let types = ordered(document);
    if holders.is_empty() && types.is_empty() {
        return None;
    }
    let mut out = String::new();
    if !list(document, "dominators").is_empty() {
        out.push_str(
            "<h3>What keeps the memory</h3>\n<p class=\"faint\">Each box is as large as what would be \
             free without it, in the last capture. Objects of one type below one holder are one box.</p>\n\
             <div id=\"treemap\"></div>\n",
        );
        out.push_str(&kept(document));
    }
    if !holders.is_empty() {
        out.push_str("<h3>Holders that grow</h3>\n");
    }
    for holder in holders.iter().take(MOST_HOLDERS) {
        article(&mut out, document, holder);
    }
    if holders.len() > MOST_HOLDERS {
        let _ = writeln!(
            out,
            "<p>{} more holders are in the JSON document.</p>",
            holders.len() - MOST_HOLDERS
        );
    }
    out.extend(made::section(document));
    if !types.is_empty() {
        out.push_str("<h3>Types</h3>\n<div id=\"types-live\"></div>\n<div id=\"types-static\">\n");
        out.push_str(&first_types(&types));
        out.push_str("</div>\n");
    }
    Some(out)
}

/// What the script draws.
pub fn view(document: &Value) -> (Value, Value) {
    let entries = list(document, "dominators");
    let column = |key: &str| -> Value { entries.iter().map(|e| e[key].clone()).collect() };
    let dominators = match entries.is_empty() {
        true => Value::Null,
        false => json!({
            "parent": column("parent"), "label": column("label"), "edge": column("edge"),
            "objects": column("objects"), "shallow": column("shallow_bytes"),
            "retained": column("retained_bytes"), "rest": column("rest_bytes"),
        }),
    };
    let types = ordered(document);
    let shown = &types[..types.len().min(MOST_TYPES)];
    let number =
        |side: &str, key: &str| -> Value { shown.iter().map(|t| t[side][key].clone()).collect() };
    let plain = |key: &str| -> Value { shown.iter().map(|t| t[key].clone()).collect() };
    let ends = |side: &str| {
        json!({
            "count": number(side, "count"), "shallow": number(side, "shallow_bytes"),
            "retained": number(side, "retained_bytes"),
        })
    };
    let types = json!({
        "name": plain("type"), "before": ends("before"), "after": ends("after"),
        "series": plain("series"), "growth": plain("growth"),
        "omitted": types.len() - shown.len(),
    });
    (dominators, types)
}

/// The largest entries below the roots, for those who read without scripts.
fn kept(document: &Value) -> String {
    let entries = list(document, "dominators");
    let mut rows: Vec<&Value> = entries
        .iter()
        .filter(|e| {
            let parent = e["parent"].as_u64().and_then(|p| entries.get(p as usize));
            parent.is_some_and(|p| p["parent"].is_null())
        })
        .collect();
    rows.sort_by_key(|e| std::cmp::Reverse(whole(e, "retained_bytes")));
    let bytes = |e: &Value, key: &str| units::bytes(whole(e, key).unwrap_or(0));
    let cells = rows.iter().take(STATIC / 2).map(|e| {
        vec![
            text(e, "label").into(),
            units::grouped(whole(e, "objects").unwrap_or(0)).into(),
            bytes(e, "shallow_bytes").into(),
            bytes(e, "retained_bytes").into(),
        ]
    });
    let columns = [
        ("kept directly by roots", Column::Name),
        ("objects", Column::Number),
        ("own bytes", Column::Number),
        ("keeps", Column::Number),
    ];
    format!(
        "<details><summary>as a table</summary>\n{}</details>\n",
        table(&columns, cells)
    )
}

/// Types by how much they grew, then by what they keep.
fn ordered(document: &Value) -> Vec<&Value> {
    let mut types: Vec<&Value> = list(document, "types").iter().collect();
    let of = |t: &Value, side: &str, key: &str| whole(&t[side], key).unwrap_or(0);
    types.sort_by(|a, b| {
        let grew = |t: &Value| of(t, "delta", "shallow_bytes").abs();
        let keeps = |t: &Value| of(t, "after", "retained_bytes");
        (grew(b), keeps(b))
            .cmp(&(grew(a), keeps(a)))
            .then_with(|| text(a, "type").cmp(text(b, "type")))
    });
    types
}

fn first_types(types: &[&Value]) -> String {
    let columns = [
        ("type", Column::Name),
        ("objects", Column::Number),
        ("growth", Column::Number),
        ("own bytes", Column::Number),
        ("growth", Column::Number),
        ("keeps", Column::Number),
        ("growth", Column::Number),
        ("class", Column::Words),
    ];
    let rows = types.iter().take(STATIC).map(|t| {
        let of = |side: &str, key: &str| whole(&t[side], key).unwrap_or(0);
        let bytes = |key: &str| -> [Cell; 2] {
            let delta = of("delta", key);
            [
                units::bytes(of("after", key)).into(),
                units::signed(units::bytes(delta), delta > 0).into(),
            ]
        };
        let count = of("delta", "count");
        let mut row: Vec<Cell> = vec![
            text(t, "type").into(),
            units::grouped(of("after", "count")).into(),
            units::signed(units::grouped(count), count > 0).into(),
        ];
        row.extend(bytes("shallow_bytes"));
        row.extend(bytes("retained_bytes"));
        row.push(text(t, "growth").into());
        row
    });
    let mut out = table(&columns, rows);
    if types.len() > STATIC {
        let rest = &types[STATIC..];
        let sum: i128 = rest
            .iter()
            .filter_map(|t| whole(&t["after"], "shallow_bytes"))
            .sum();
        let _ = writeln!(
            out,
            "<p>{} other types, {}</p>",
            units::grouped(rest.len() as i128),
            units::bytes(sum)
        );
    }
    out
}

fn article(out: &mut String, document: &Value, holder: &Value) {
    let path = list(holder, "path");
    let last = path.last().map_or("", |s| text(s, "type"));
    let _ = write!(
        out,
        "<article class=\"cycle\" id=\"holder-{}\"><h3>{}</h3>\n<p>{}{}{}</p>\n",
        Text(text(holder, "id")),
        Text(last),
        badge(text(holder, "growth")),
        badge(text(holder, "evidence")),
        badge(match text(holder, "side") {
            "base" => "base side",
            _ => "",
        }),
    );
    let series: Vec<String> = list(holder, "series")
        .iter()
        .filter_map(integer)
        .map(units::grouped)
        .collect();
    let bytes = |key: &str| whole(holder, key).map_or(String::new(), units::bytes);
    let number = |key: &str| real(holder, key).map_or(String::new(), units::plain);
    let cut = &holder["cut"];
    let references: Vec<String> = list(cut, "references").iter().map(reference).collect();
    let frees = whole(cut, "frees_bytes").filter(|_| !references.is_empty());
    let also: Vec<&str> = list(holder, "also")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    out.push_str(&facts(&[
        ("in each capture", series.join(" -> ")),
        ("per run", number("per_run")),
        ("per item", number("per_item")),
        ("allocated in", made::of_holder(document, holder)),
        ("its share of the leak", bytes("leak_share_bytes")),
        ("held by it alone", bytes("exclusive_bytes")),
        ("keeps", bytes("retained_bytes")),
        ("also held through", also.join(", ")),
        ("why it is no leak", text(holder, "benign").to_owned()),
        ("reference to cut", references.join("; ")),
        ("the cut frees", frees.map_or(String::new(), units::bytes)),
    ]));
    out.push_str(&from_root(path));
    out.push_str("</article>\n");
}
