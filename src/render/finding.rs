//! Findings in words.

use super::figures::{amount, plural, rate};
use super::words;
use crate::model::Unit;
use crate::report::Report;
use crate::units;
use crate::verdict::{Finding, SubjectKind};

/// Characters of a site's name in a title.
const NAME: usize = 100;

/// A finding in one line: how much, where, and what kind of growth.
pub fn title(report: &Report<'_>, finding: &Finding) -> String {
    if let Some(pattern) = &finding.pattern {
        return super::patterns::title(report, finding, pattern);
    }
    let (rule, e) = (finding.rule, &finding.evidence);
    let metric = report.metric();
    let subject = match finding.subject.kind {
        SubjectKind::Site => words::site(report, finding.subject.index as usize).fit(NAME),
        _ => report
            .captures
            .get(finding.subject.index as usize)
            .map_or(String::new(), |c| words::shorten(&c.path, NAME)),
    };
    let delta = e.after as i128 - e.before as i128;
    let growth = match e.per_run {
        Some(per_run) => {
            let mut text = rate(&metric.unit, per_run);
            if let (Some(blocks), Unit::Bytes) = (e.blocks_per_run, &metric.unit) {
                let noun = plural(if blocks == 1.0 { 1 } else { 2 }, "block");
                text.push_str(&format!(" and {} {noun}", units::plain(blocks)));
            }
            format!("{text} per run")
        }
        None => units::signed(amount(&metric.unit, delta, false), delta > 0),
    };
    let reason = match e.words {
        "" => String::new(),
        words => format!(", {words}"),
    };
    let cut = match finding.subject.kind {
        SubjectKind::Site => report.cut_at(finding.subject.index as usize),
        _ => None,
    };
    let cut = cut.map_or(String::new(), |n| {
        format!(" (its stack is cut at depth {n}: it may be several sites)")
    });
    format!("{growth} at {subject}: {}{reason}{cut}", rule.name)
}
