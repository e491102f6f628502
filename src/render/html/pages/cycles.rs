//! The page of retention cycles: what leads around, what holds it, what to cut, how many there were.

use super::super::escape::Text;
use super::parts::{badge, facts, steps};
use super::value::{integer, list, real, text, whole};
use crate::units;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Cycles that the page shows; the document has all.
const MOST: usize = 100;

/// The page; nothing where the document has no cycle.
pub fn page(document: &Value) -> Option<String> {
    let all = list(document, "cycles");
    if all.is_empty() {
        return None;
    }
    let captures = list(document, "captures");
    let mut out = String::new();
    for (k, cycle) in all.iter().take(MOST).enumerate() {
        article(&mut out, cycle, k, captures);
    }
    if all.len() > MOST {
        let kept: i128 = all[MOST..]
            .iter()
            .filter_map(|c| whole(c, "retained_bytes"))
            .sum();
        let _ = writeln!(
            out,
            "<p>{} more kinds of cycles, which keep {}, are in the JSON document.</p>",
            units::grouped((all.len() - MOST) as i128),
            units::bytes(kept)
        );
    }
    Some(out)
}

/// What the script draws: the closed paths and how many there were.
pub fn view(document: &Value) -> Value {
    let drawn = list(document, "cycles").iter().take(MOST).map(|c| {
        let path: Vec<Value> = list(c, "path")
            .iter()
            .map(|s| json!({"type": s["type"], "edge": s["edge"], "name": s["name"]}))
            .collect();
        json!({
            "id": c["id"], "path": path, "cut": c["cut"]["references"],
            "occurrences": c["occurrences"],
        })
    });
    drawn.collect()
}

/// How captures are called: by their runs, or by their place.
pub fn label(capture: &Value, at: usize, sides: bool) -> String {
    let side = if sides { text(capture, "side") } else { "" };
    let name = match real(capture, "runs") {
        Some(runs) => format!("@{}", units::plain(runs)),
        None => format!("capture {}", at + 1),
    };
    format!("{side} {name}").trim().to_owned()
}

fn occurrences(cycle: &Value, captures: &[Value]) -> String {
    let sides = captures.iter().any(|c| text(c, "side") == "base");
    let each = list(cycle, "occurrences").iter().enumerate().map(|(i, n)| {
        let n = units::grouped(integer(n).unwrap_or(0));
        match captures.get(i) {
            Some(c) if captures.len() > 1 => format!("{n} {}", label(c, i, sides)),
            _ => n,
        }
    });
    each.collect::<Vec<_>>().join(" -> ")
}

fn article(out: &mut String, cycle: &Value, k: usize, captures: &[Value]) {
    let reachable = cycle["reachable"].as_bool();
    let held = match (reachable, &cycle["root_path"]) {
        (Some(false), _) => "by nothing else: only a cyclic collector can free it".to_owned(),
        (_, Value::Array(path)) => {
            let first = path.first().map_or("", |s| text(s, "type"));
            format!("from {first}, {} references away", path.len())
        }
        _ => String::new(),
    };
    let _ = write!(
        out,
        "<article class=\"cycle\" id=\"cycle-{}\"><h3>{}</h3>\n<p>{}{}{}</p>\n\
         <div class=\"picture\" data-cycle=\"{k}\"></div>\n",
        Text(text(cycle, "id")),
        Text(text(cycle, "signature")),
        badge(text(cycle, "growth")),
        badge(match reachable {
            Some(false) => "unreachable",
            Some(true) => "held",
            None => "",
        }),
        badge(if cycle["benign"].is_null() {
            ""
        } else {
            "benign"
        }),
    );
    let bytes = |key: &str| whole(cycle, key).map_or(String::new(), units::bytes);
    let per_run = real(cycle, "per_run").map_or(String::new(), |n| {
        let each = real(cycle, "per_run_bytes").map_or(String::new(), |b| {
            format!(", {}", units::bytes(b.round() as i128))
        });
        format!("{} cycles{each}", units::plain(n))
    });
    let cut = &cycle["cut"];
    let references: Vec<String> = list(cut, "references").iter().map(reference).collect();
    let frees = match (references.is_empty(), whole(cut, "frees_bytes")) {
        (false, Some(frees)) => units::bytes(frees),
        _ => String::new(),
    };
    out.push_str(&facts(&[
        ("how many", occurrences(cycle, captures)),
        (
            "objects in one",
            whole(cycle, "objects").map_or(String::new(), units::grouped),
        ),
        ("all of them keep", bytes("retained_bytes")),
        ("per run", per_run),
        ("held", held),
        ("why it is no leak", text(cycle, "benign").to_owned()),
        ("reference to cut", references.join("; ")),
        ("the cut frees", frees),
    ]));
    let around: Vec<_> = list(cycle, "path").iter().map(step).collect();
    if !around.is_empty() {
        out.push_str("<details><summary>the path around, step by step</summary>\n");
        out.push_str(&steps(&around, false));
        out.push_str("</details>\n");
    }
    out.push_str(&from_root(list(cycle, "root_path")));
    out.push_str("</article>\n");
}

/// A step of a path: the object's type, and the reference that leads on.
pub fn step(step: &Value) -> (String, String) {
    let address = text(step, "address");
    let edge = text(step, "edge");
    let tail = match (edge, address) {
        ("", "") => String::new(),
        (edge, "") => edge.to_owned(),
        ("", address) => address.to_owned(),
        (edge, address) => format!("{edge}  ({address})"),
    };
    (text(step, "type").to_owned(), tail)
}

/// The way from a root, each reference before what it leads to.
pub fn from_root(path: &[Value]) -> String {
    if path.is_empty() {
        return String::new();
    }
    let way = path.iter().map(|s| {
        let (name, edge) = (text(s, "type"), text(s, "edge"));
        // A root is called by the reference that makes it one.
        let edge = if edge == name { "" } else { edge };
        (name.to_owned(), edge.to_owned())
    });
    let way: Vec<_> = way.collect();
    format!(
        "<details open><summary>the path from a root</summary>\n{}</details>\n",
        steps(&way, true)
    )
}

/// `Missing.__traceback__ -> traceback`.
pub fn reference(cut: &Value) -> String {
    format!(
        "{}{} -> {}",
        text(cut, "from"),
        text(cut, "edge"),
        text(cut, "to")
    )
}
