//! Where objects of a graph were allocated, in dumps that say so.

use super::parts::{Cell, Column, table};
use super::value::{list, real, text, whole};
use crate::units;
use serde_json::Value;

/// Sites that the page lists.
const MOST: usize = 50;

/// The site's function and place: its first frame in the program, else the innermost one.
fn name(site: &Value) -> String {
    let frames = list(site, "frames");
    let owner = whole(site, "owner").and_then(|n| frames.get(usize::try_from(n).ok()?));
    let Some(frame) = owner.or(frames.last()) else {
        return "(no allocation trace)".to_owned();
    };
    let file = text(frame, "file");
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let line = whole(frame, "line").map_or(String::new(), |n| format!(":{n}"));
    match (text(frame, "function"), file) {
        (function, "") => function.to_owned(),
        (function, file) => format!("{function}  {file}{line}"),
    }
}

/// Where most objects of a holder were allocated; empty where the dumps do not tell.
pub fn of_holder(document: &Value, holder: &Value) -> String {
    let made = &holder["allocated_at"];
    let id = text(made, "site");
    let site = list(document, "sites").iter().find(|s| text(s, "id") == id);
    let Some(site) = site.filter(|_| !id.is_empty()) else {
        return String::new();
    };
    let count = |key: &str| units::grouped(whole(made, key).unwrap_or(0));
    format!("{}, {} of {}", name(site), count("objects"), count("of"))
}

/// The sites that grow most; nothing where the dumps have no allocation traces.
pub fn section(document: &Value) -> Option<String> {
    let sites = list(document, "sites");
    if sites.is_empty() {
        return None;
    }
    let columns = [
        ("allocated in", Column::Name),
        ("per run", Column::Number),
        ("growth", Column::Number),
        ("live bytes", Column::Number),
        ("objects", Column::Number),
        ("class", Column::Words),
    ];
    let rows = sites.iter().take(MOST).map(|site| -> Vec<Cell> {
        let amount = |of: &str, key: &str| whole(&site[of], key).unwrap_or(0);
        let grew = amount("delta", "live_bytes");
        let per_run = real(&site["per_run"], "live_bytes");
        let per_run = per_run.map_or(String::new(), |n| {
            let bytes = n.round() as i128;
            units::signed(units::bytes(bytes), bytes > 0)
        });
        vec![
            name(site).into(),
            per_run.into(),
            units::signed(units::bytes(grew), grew > 0).into(),
            units::bytes(amount("after", "live_bytes")).into(),
            units::grouped(amount("after", "live_blocks")).into(),
            text(site, "growth").into(),
        ]
    });
    let mut out = String::from("<h3>Where it was allocated</h3>\n");
    out.push_str(&table(&columns, rows));
    if sites.len() > MOST {
        let rest = units::grouped((sites.len() - MOST) as i128);
        out.push_str(&format!(
            "<p>{rest} other sites are in the JSON document.</p>\n"
        ));
    }
    Some(out)
}
