//! Annotations of GitHub: one line a problem on standard output, within what a step may show.

use super::{Level, Problem, View, problems};
use crate::error::Result;
use std::io::Write;

/// Annotations of one kind that a step shows; the last of them says how many there are more.
pub const MOST_ANNOTATIONS: usize = 10;

/// Writes the annotations: at most ten errors, ten warnings and ten notices.
///
/// Errors: `out` cannot be written to.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> Result<()> {
    let mut text = String::new();
    let all = problems(view);
    for (level, word) in [
        (Level::Error, "error"),
        (Level::Warning, "warning"),
        (Level::Note, "notice"),
    ] {
        let own: Vec<&Problem> = all.iter().filter(|p| p.level == level).collect();
        let shown = match own.len() > MOST_ANNOTATIONS {
            true => MOST_ANNOTATIONS - 1,
            false => own.len(),
        };
        for problem in &own[..shown] {
            text.push_str(&annotation(word, problem));
        }
        if shown < own.len() {
            let more = own.len() - shown;
            text.push_str(&format!(
                "::{word} title=heapdiff::{more} more of these: see the summary of the job\n"
            ));
        }
    }
    super::super::plain(&text, out)
}

fn annotation(word: &str, problem: &Problem) -> String {
    let mut properties = Vec::new();
    if let Some(place) = problem.place.as_ref().filter(|p| p.known) {
        properties.push(format!("file={}", property(&place.file)));
        properties.push(format!("line={}", place.line));
    }
    let title = format!("heapdiff {}: {}", problem.rule, problem.title);
    properties.push(format!("title={}", property(&title)));
    let mut message = problem.message.clone();
    if !problem.finding.is_empty() && problem.suppressed.is_none() {
        message.push_str(&format!(
            "\naccept it: heapdiff suppress {} --reason ... --expires ...",
            problem.finding
        ));
    }
    format!("::{word} {}::{}\n", properties.join(","), data(&message))
}

/// Text of a message: what ends a line is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Text of a property: also what ends a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
