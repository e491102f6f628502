//! What is wrong in a configuration, in words of its own: the line, and the nearest key.

use crate::error::{Error, Place};

/// The line of a place of the text, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> u64 {
    let at = at.min(text.len());
    text.as_bytes()[..at]
        .iter()
        .filter(|&&b| b == b'\n')
        .count() as u64
        + 1
}

/// What is wrong in a line of its own, with the nearest key where one is misspelt.
pub(super) fn reason(e: &toml::de::Error) -> String {
    let message = e.message().lines().next().unwrap_or_default();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (Some(rest), Some(own)) = (message.strip_prefix("unknown field"), quoted.next()) else {
        return message
            .replace(
                "data did not match any variant of untagged enum Amount",
                "neither a number nor a size such as \"64KiB\"",
            )
            .replace("expected struct RawGate", "expected a table [gate]")
            .replace("expected struct RawSeverity", "expected a table [severity]")
            .replace(
                "expected struct RawProfile",
                "expected a table [profile.NAME]",
            )
            .replace(
                "expected struct RawFactors",
                "expected a table [severity.factor]",
            )
            .replace(
                "expected struct RawTimes",
                "expected a table [severity.limit]",
            )
            .replace("expected struct RawBudget", "expected a table [[budget]]")
            .replace(
                "expected struct RawSuppress",
                "expected a table [[suppress]]",
            )
            .replace(
                "data did not match any variant of untagged enum Frames",
                "neither a list of frames nor a text",
            );
    };
    let _ = rest;
    let known: Vec<&str> = quoted.collect();
    let near = known.iter().min_by_key(|k| distance(own, k)).copied();
    match near.filter(|k| distance(own, k) <= 2 + own.len() / 4) {
        Some(near) => format!("there is no key `{own}`, the nearest is `{near}`"),
        None => format!("there is no key `{own}`, there are {}", known.join(", ")),
    }
}

/// The error of a text that is no configuration.
pub(super) fn toml_error(e: &toml::de::Error, text: &str) -> Error {
    let at = e.span().map_or(0, |s| s.start);
    Error::usage(reason(e))
        .at(Place::Line(line_of(text, at)))
        .help("see docs/configuration.md")
}

/// Edits from one word to another (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}
