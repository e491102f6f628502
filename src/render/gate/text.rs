//! The gate's answer for a person who reads the log of a failed job.

use super::super::text::{BOLD, FAINT, GREW, SHRANK, Style, paint};
use super::{Judged, View, limit, value};
use crate::units;
use crate::verdict::{GateVerdict, Held, Offender, Outcome};
use std::fmt::Write;

/// Lines of broken budgets and of sites that are shown where the user asks for no number.
const MOST: usize = 8;

/// The whole text; ends with a line feed.
pub fn text(view: &View<'_>, style: &Style) -> String {
    let mut out = String::new();
    let gate = view.gate;
    let color = match gate.verdict {
        GateVerdict::Fail => GREW.bold(),
        GateVerdict::Pass => SHRANK.bold(),
        GateVerdict::Inconclusive => BOLD,
    };
    let indent = " ".repeat(view.headline().len() + 2);
    let width = style.width.saturating_sub(indent.len()).max(40);
    let word = paint(style.color, color, view.headline());
    let most = match style.limit {
        None => MOST,
        Some(0) => usize::MAX,
        Some(n) => n,
    };
    let mut lines: Vec<String> = Vec::new();
    match gate.verdict {
        GateVerdict::Fail => {
            let broken: Vec<&Outcome> = gate.broken().collect();
            let first = broken.first().map(|o| view.broken(o, width - 22));
            let first = first.unwrap_or_default();
            lines.push(format!("{}: {first}", view.summary()));
            let mut told: Vec<&str> = Vec::new();
            for (i, outcome) in broken.iter().enumerate().take(most.saturating_add(1)) {
                if i > 0 {
                    let line = view.broken(outcome, width);
                    lines.push(format!("{}: {line}", outcome.budget.name));
                }
                let line = lines.last().cloned().unwrap_or_default();
                lines.extend(in_full(outcome, &line, width, &mut told));
                if i == 0 {
                    others(view, &broken, width, most, &mut lines);
                }
            }
            if broken.len() > most.saturating_add(1) {
                lines.push(format!("{} more broken", broken.len() - 1 - most));
            }
            for outcome in gate.open().take(most) {
                if let Some((why, _)) = view.lacking(outcome) {
                    lines.push(format!("{}: cannot tell: {why}", outcome.budget.name));
                }
            }
        }
        GateVerdict::Inconclusive => {
            let mut open = gate.open();
            match open.next().and_then(|o| Some((o, view.lacking(o)?))) {
                Some((first, (why, next))) => {
                    lines.push(match gate.outcomes.len() {
                        1 => why,
                        _ => format!("{}: {why}", first.budget.name),
                    });
                    lines.push(next);
                }
                None => lines.push(
                    "nothing was measured: name captures, and budgets in heapdiff.toml".into(),
                ),
            }
            for outcome in open.take(most) {
                if let Some((why, _)) = view.lacking(outcome) {
                    lines.push(format!("{}: {why}", outcome.budget.name));
                }
            }
        }
        GateVerdict::Pass => {
            lines.push(format!("{}{}", view.summary(), against(view)));
            for outcome in gate.outcomes.iter().take(most) {
                lines.push(held(outcome));
            }
            if gate.outcomes.len() > most {
                lines.push(format!("{} more", gate.outcomes.len() - most));
            }
        }
    }
    for hidden in &gate.hidden {
        let s = &gate.suppressions[hidden.suppression];
        let until = s
            .expires
            .map_or("accepted".to_owned(), |d| format!("accepted until {d}"));
        let bytes = units::bytes(hidden.bytes);
        lines.push(format!("{until}: {}, {bytes}{}", s.reason, s.terms()));
    }
    if !style.quiet {
        for warning in gate.warnings.iter().take(most) {
            lines.push(format!("warning: {}", warning.text));
        }
        if gate.warnings.len() > most {
            lines.push(format!("{} more warnings", gate.warnings.len() - most));
        }
    }
    for (i, line) in lines.iter().enumerate() {
        let line = super::clean(line);
        let _ = match i {
            0 => writeln!(out, "{word}  {line}"),
            _ => writeln!(out, "{indent}{line}"),
        };
    }
    let status = format!("exit {}", view.status);
    let next = match style.quiet {
        true => String::new(),
        false => view.next(),
    };
    let pad = indent.len().saturating_sub(status.len()).max(2);
    let last = format!("{status}{}{next}", " ".repeat(pad));
    let last = last.trim_end();
    let _ = writeln!(out, "{}", paint(style.color, FAINT, last));
    out
}

/// The name of the first offender in lines of its own, where it is too long for `line` and was not
/// told yet.
fn in_full<'o>(
    outcome: &'o Outcome,
    line: &str,
    width: usize,
    told: &mut Vec<&'o str>,
) -> Vec<String> {
    let Some(Offender::Named(named)) = outcome.offenders.first() else {
        return Vec::new();
    };
    let name = super::words::shorten(&super::clean(&named.name), 3 * width);
    if line.contains(&name) || told.contains(&named.name.as_str()) {
        return Vec::new();
    }
    told.push(&named.name);
    let text = super::super::wrap(&name, width - 4);
    let indent = |(i, l): (usize, &str)| format!("{}{l}", if i == 0 { "at  " } else { "    " });
    text.lines().enumerate().map(indent).collect()
}

/// The sites that explain the first broken budget after the one that the headline names.
fn others(
    view: &View<'_>,
    broken: &[&Outcome],
    width: usize,
    most: usize,
    lines: &mut Vec<String>,
) {
    let Some(first) = broken.first() else {
        return;
    };
    for offender in first.offenders.iter().skip(1).take(most) {
        let amount = view.amount(first, offender);
        let room = width.saturating_sub(amount.chars().count() + 8).max(30);
        lines.push(format!(
            "also {amount} at {}{}",
            view.offender(offender, room),
            super::since(offender)
        ));
    }
    if first.offenders.len() > most.saturating_add(1) {
        lines.push(format!("{} more", first.offenders.len() - 1 - most));
    }
}

fn against(view: &View<'_>) -> String {
    match &view.gate.base {
        Some(base) => format!(", held against {base}"),
        None => String::new(),
    }
}

/// A budget that holds.
fn held(outcome: &Outcome) -> String {
    let settled = match outcome.settled {
        true => " since it settled",
        false => "",
    };
    let by_default = match outcome.budget.by_default {
        true => ", by default",
        false => "",
    };
    let name = &outcome.budget.name;
    match (outcome.value, &outcome.held) {
        (None, Held::Yes) => format!("{name}: nothing is near its limit of {}", limit(outcome)),
        _ => format!(
            "{name}: {}{settled}  (limit {}{by_default})",
            value(outcome),
            limit(outcome)
        ),
    }
}

impl View<'_> {
    /// What to type next.
    pub fn next(&self) -> String {
        let gate = self.gate;
        match gate.verdict {
            GateVerdict::Pass => String::new(),
            GateVerdict::Inconclusive => {
                format!("{}   shows what these captures tell", self.look())
            }
            GateVerdict::Fail => {
                let site = gate.broken().flat_map(|o| &o.offenders).next();
                match site {
                    Some(offender) => format!(
                        "heapdiff suppress {} --reason ... --expires ...",
                        shell(&self.finding_of(offender))
                    ),
                    None => self.look(),
                }
            }
        }
    }

    /// The command that shows the analysis behind the verdict.
    fn look(&self) -> String {
        let command = match self.subject {
            Judged::Sites(_) => "compare",
            Judged::Graphs(_) => "cycles",
            Judged::Monitoring(_) => "timeline",
        };
        format!("heapdiff {command} {}", self.command)
    }
}

/// A word as a shell reads it.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:@%+=,".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
