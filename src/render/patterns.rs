//! Patterns of allocation in words: one line for a title, two for the text under the verdict.

use super::figures::{plural, rate};
use super::{words, wrap};
use crate::model::{FrameId, Nature, Unit};
use crate::report::Report;
use crate::units;
use crate::verdict::{Churn, DoubleBuffer, Finding, Late, Level, Pattern, State};

/// Requests at once that a saving is told for, where the captures do not say.
const CONCURRENT: f64 = 10.0;
/// Columns of the word before a line.
const LABEL: usize = 6;
/// Characters of a site's name.
const NAME: usize = 60;

/// The least width that lines are broken to.
const LEAST_WIDTH: usize = 40;

/// Lines under the verdict of at most `width` characters, each with the word before it; empty for
/// nothing. The word is printed once for the lines that belong to it.
pub fn lines(report: &Report<'_>, width: usize) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    let mut before = "";
    let looks_at_peaks = report.metric().nature == Nature::Peak;
    for finding in &report.findings {
        let Some(pattern) = &finding.pattern else {
            continue;
        };
        let label = match pattern {
            Pattern::DoubleBuffer(_) => "peak",
            Pattern::Level(_) => "level",
            Pattern::Late(_) => "late",
            Pattern::Churn(_) => "churn",
        };
        let room = width.saturating_sub(LABEL).max(LEAST_WIDTH);
        // Who looks at something else is told in one line.
        let beside = matches!(pattern, Pattern::DoubleBuffer(_)) && !looks_at_peaks;
        let most = if beside { 1 } else { usize::MAX };
        for said in sentences(report, finding, pattern).into_iter().take(most) {
            for line in wrap(&said, room).lines() {
                let shown = if label == before { "" } else { label };
                before = label;
                lines.push((shown, line.to_owned()));
            }
        }
    }
    lines
}

/// The pattern in one line.
pub fn title(report: &Report<'_>, finding: &Finding, pattern: &Pattern) -> String {
    sentences(report, finding, pattern).join("; ")
}

fn sentences(report: &Report<'_>, finding: &Finding, pattern: &Pattern) -> Vec<String> {
    let row = finding.subject.index as usize;
    match pattern {
        Pattern::DoubleBuffer(p) => double_buffer(report, p),
        Pattern::Level(p) => level(report, row, p),
        Pattern::Late(p) => late(report, row, p),
        Pattern::Churn(p) => churn(report, row, p),
    }
}

fn bytes(n: i64) -> String {
    units::bytes(n as i128)
}

fn function(report: &Report<'_>, frame: FrameId) -> String {
    let name = words::short_function(report, frame);
    words::shorten(&words::clean(name), NAME)
}

/// How much less, in percent.
fn less(before: i128, after: i128) -> String {
    let share = 1.0 - after as f64 / before.max(1) as f64;
    format!("{:.0} % less", share * 100.0)
}

fn double_buffer(report: &Report<'_>, p: &DoubleBuffer) -> Vec<String> {
    let owner = function(report, p.owner);
    let held = bytes(p.held());
    let payload = bytes(p.block_bytes);
    let times = format!("{:.2}x", p.times());
    if p.state == State::Gone {
        let was =
            format!("{owner} held {held} for a payload of {payload}, chunks and join ({times})");
        return match &p.since {
            Some(since) => {
                let now = function(report, since.function);
                vec![
                    format!("cured: {was}"),
                    format!(
                        "now {now} holds {}, {}; the whole peak is {}",
                        bytes(since.bytes),
                        less(p.held() as i128, since.bytes as i128),
                        less(p.peak_bytes, since.peak_bytes)
                    ),
                ]
            }
            None => vec![format!("cured: {was}, and nothing of it since")],
        };
    }
    let first = format!(
        "{held} for a payload of {payload}: {owner} holds chunks and join at once ({times})"
    );
    let each = bytes(p.payload());
    let many = |n: f64| units::bytes((p.payload() as f64 * n) as i128);
    let second = match p.under_way {
        Some(n) if n > 1.0 => format!(
            "a streaming buffer would save {payload}: {each} for each of {} concurrent requests",
            units::plain(n)
        ),
        Some(_) => format!(
            "a streaming buffer would save {each} per request, {} at {CONCURRENT} concurrent requests",
            many(CONCURRENT)
        ),
        None => format!(
            "a streaming buffer would save {each}; if that is one request, {} at {CONCURRENT} \
             concurrent requests",
            many(CONCURRENT)
        ),
    };
    vec![first, second]
}

fn level(report: &Report<'_>, row: usize, p: &Level) -> Vec<String> {
    let unit = p
        .driver
        .strip_suffix('s')
        .unwrap_or(&p.driver)
        .replace('_', " ");
    let name = words::site(report, row).fit(NAME);
    let amount = |n: f64| rate(&Unit::Bytes, n);
    let mut text = format!("{} per {unit} at {name}", amount(p.each.1));
    if p.rows > 1 {
        let others = p.rows - 1;
        text.push_str(&format!(
            " and {others} {}, {} in sum",
            plural(others, "other"),
            amount(p.per_unit)
        ));
    }
    let seen = format!("{} {}", units::plain(p.seen_to), p.driver.replace('_', " "));
    let end = match (p.cap, p.runs_alike) {
        (Some(cap), _) => {
            let blocks = cap.blocks.map_or(String::new(), |n| {
                format!(
                    " in {} {}",
                    units::grouped(n as i128),
                    plural(n as usize, "block")
                )
            });
            format!(
                "stays at a cap of {}{blocks} from about {} {} on, seen to {seen}",
                bytes(p.level),
                units::plain(cap.met_at.round()),
                p.driver.replace('_', " "),
            )
        }
        (None, true) => format!("no cap seen up to {seen}; runs rise at the same rate"),
        (None, false) => format!("no cap seen up to {seen}"),
    };
    let verb = if p.failures {
        "rises with each failure"
    } else {
        "rises evenly"
    };
    vec![format!("{verb}: {text}"), end]
}

fn late(report: &Report<'_>, row: usize, p: &Late) -> Vec<String> {
    let name = words::site(report, row).fit(NAME);
    let held = format!(
        "{} in {} blocks",
        bytes(p.bytes),
        units::grouped(p.blocks as i128)
    );
    let span = format!("through {} of {} moments", p.moments, p.of);
    if p.state == State::Gone {
        return vec![format!(
            "cured: {name} held {held} {span} until it filled again; no more"
        )];
    }
    let end = match p.at_end {
        0 => String::new(),
        n => format!("; {} of the last batch are held at the end", bytes(n)),
    };
    vec![
        format!("released late: {held} at {name}"),
        format!("held unchanged {span}, let go of only to be filled again{end}"),
    ]
}

fn churn(report: &Report<'_>, row: usize, p: &Churn) -> Vec<String> {
    let name = words::site(report, row).fit(NAME);
    let of = |n: i128| 100.0 * p.temporary as f64 / n.max(1) as f64;
    vec![format!(
        "{} of {} blocks of {name} are freed at once ({:.0} %), {:.0} % of all blocks",
        units::grouped(p.temporary as i128),
        units::grouped(p.blocks as i128),
        of(p.blocks as i128),
        of(p.of_all)
    )]
}
