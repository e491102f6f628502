//! The page of a report that is known by its JSON document and its text alone: object graphs, the
//! timeline, and what the gate says of them.
//!
//! Nothing here depends on the types of a report: each page is made from the keys that the document
//! has, and only the pages that have something are there.

pub mod budgets;
mod cycles;
mod happened;
mod holders;
mod inputs;
mod made;
mod parts;
mod series;
pub mod summary;
mod told;
mod value;

use super::Origin;
use super::frame::{self, Page, Section};
use crate::error::{Code, Error, Result};
use crate::render::homes::without_homes;
use crate::render::unwritable;
use serde_json::{Value, json};
use std::io::Write;
use value::{list, real, text};

/// Writes the page of a report: `document` is its JSON, `said` its text. Memory: some times the
/// document.
///
/// Errors: `document` is no JSON; `out` cannot be written to.
pub fn write(document: &[u8], said: &str, origin: &Origin, out: &mut dyn Write) -> Result<()> {
    let value: Value = serde_json::from_slice(document)
        .map_err(|e| Error::new(Code::Unwritable, format!("the document is no JSON ({e})")))?;
    let told = told::told(said);
    let mut sections = vec![Section {
        name: "summary",
        title: "Summary",
        body: summary::page(&value, &told, said),
    }];
    let pages = [
        ("cycles", "Cycles", cycles::page(&value)),
        ("types", "Types and holders", holders::page(&value)),
        ("timeline", "Timeline", series::page(&value)),
        (
            "gate",
            "Gate",
            budgets::page(&value["gate"], &|id| place(&value, id)),
        ),
        ("inputs", "Inputs", Some(inputs::page(&value, origin))),
    ];
    for (name, title, body) in pages {
        if let Some(body) = body {
            sections.push(Section { name, title, body });
        }
    }
    for section in &mut sections {
        section.body = without_homes(&section.body).into_owned();
    }
    let verdict = match text(&value["gate"], "verdict") {
        "" => text(&value, "verdict"),
        gate => gate,
    };
    let page = Page {
        verdict: verdict.to_owned(),
        word: told.word.to_owned(),
        headline: without_homes(told.headline).into_owned(),
        lines: told
            .lines
            .iter()
            .map(|l| without_homes(l).into_owned())
            .collect(),
        sections,
        view: without_homes(&view(&value).to_string()).into_owned(),
        document: without_homes(&String::from_utf8_lossy(document))
            .into_owned()
            .into_bytes(),
    };
    out.write_all(frame::file(&page).as_bytes())
        .map_err(unwritable)
}

/// Where a cycle, holder or series of this id is shown.
fn place(document: &Value, id: &str) -> Option<String> {
    let lists = [
        ("cycles", "cycles", "cycle"),
        ("holders", "types", "holder"),
        ("series", "timeline", "series"),
    ];
    let has = |key: &str| list(document, key).iter().any(|v| text(v, "id") == id);
    let (_, page, kind) = lists.into_iter().find(|(key, ..)| has(key))?;
    Some(format!("page={page}&at={kind}-{id}"))
}

/// What the script draws.
fn view(document: &Value) -> Value {
    let captures = list(document, "captures");
    let sides = captures.iter().any(|c| text(c, "side") == "base");
    let labels: Vec<String> = captures
        .iter()
        .enumerate()
        .map(|(i, c)| cycles::label(c, i, sides))
        .collect();
    let (dominators, types) = holders::view(document);
    let findings: Vec<Value> = list(document, "findings").iter().map(accepted).collect();
    json!({
        "per": "run",
        "labels": labels,
        "runs": captures.iter().map(|c| real(c, "runs")).collect::<Vec<_>>(),
        "base": captures.iter().filter(|c| text(c, "side") == "base").count(),
        "findings": findings,
        "cycles": cycles::view(document),
        "dominators": dominators,
        "types": types,
        "series": series::view(document),
    })
}

/// A finding with what its suppression says of it: the rule and the subject.
fn accepted(finding: &Value) -> Value {
    let subject = text(&finding["subject"], "id");
    let mut lines = vec![json!(["rule", frame::toml(text(finding, "rule"))])];
    if !subject.is_empty() {
        lines.push(json!(["subject", frame::toml(subject)]));
    }
    json!({
        "id": finding["id"], "title": finding["title"], "place": summary::place(finding),
        "lines": lines,
    })
}
