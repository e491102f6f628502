//! Findings in words.

use super::figures::{amount, measured, rate};
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
    if finding.subject.kind == SubjectKind::Capture {
        let depth = report.cut_stacks().map_or(0, |cut| cut.depth);
        let index = finding.subject.index as usize;
        let path = report.captures.get(index).map_or("", |c| c.path.as_str());
        let name = words::shorten(words::base_name(path), NAME / 2);
        let share = 100.0 * e.share;
        return format!(
            "{share:.1} % of {} in {name} is of stacks cut at depth {depth}: what they hold may be \
             of several sites",
            metric.name
        );
    }
    let subject = match finding.subject.kind {
        SubjectKind::Site => words::site(report, finding.subject.index as usize).fit(NAME),
        // A capture by its name.
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
                text.push_str(&format!(" and {}", measured(blocks, "block")));
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
