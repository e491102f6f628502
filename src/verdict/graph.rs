//! Conclusions about object graphs: which cycles and holders grow, and whether that is a leak.

use super::conclusion::{Conclusion, Fact};
use super::findings::{Severity, SeverityBy, SubjectKind};
use super::rules::{self, Rule};
use super::severity::Thresholds;
use super::summary::Verdict;
use crate::graph::cut::{CutKind, Reference};
use crate::graph::growth::{Growth, Trend};
use crate::graph::series::{
    CaptureFacts, CycleRow, HolderRow, Outcome, PathStep, State, TypeCount, TypeRow, is_namespace,
};
use crate::graph::signature::Benign;
use crate::graph::types::{is_own, short};
use crate::graph::words::CONTEXT;
use crate::model::{Collector, GcMode};
use crate::units;

/// Fewer cycles more than at first are no growth: one may come up once.
const LEAST_MORE: u32 = 2;
/// Growing types that no path explains and that are told.
const MOST_TYPES: usize = 3;

/// What the user said of the program.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    /// Runs in an hour.
    pub runs_per_hour: Option<f64>,
    /// Bytes that the program may use.
    pub memory_limit: Option<u64>,
    /// What severities are drawn from.
    pub thresholds: Thresholds,
}

/// The conclusions of an outcome, and the verdict.
#[derive(Debug)]
pub struct GraphVerdict {
    /// The word.
    pub verdict: Verdict,
    /// Most severe first.
    pub conclusions: Vec<Conclusion>,
    /// What the first lines speak of.
    pub headline: Headline,
    /// Growth of bytes of everything that leaks, for each run: base side, new side.
    pub bytes_per_run: [Option<f64>; 2],
}

/// What the first lines speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headline {
    /// A cycle, by its row.
    Cycle(usize),
    /// A holder, by its row.
    Holder(usize),
    /// A type, by its row.
    Type(usize),
    /// Nothing grows.
    Nothing,
}

/// How a cycle that no root reaches is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// A root reaches it.
    Held,
    /// The collector is off: for ever.
    CollectorOff,
    /// It waits for the collector.
    Waits,
    /// A full collection left it: something holds it that the capture does not show.
    Hidden,
    /// A tracing collector frees it next time.
    Garbage,
}

/// How the cycles of a row are kept in the last capture of a side.
pub fn keeps(row: &CycleRow, capture: &CaptureFacts) -> Keeps {
    let occurrences = row.occurrences.iter().rev().find(|&&n| n > 0);
    let total = occurrences.copied().unwrap_or(0);
    if row.unreachable * 2 < total.max(1) {
        return Keeps::Held;
    }
    let meta = &capture.meta;
    match (meta.collector(), meta.gc, meta.gc_enabled) {
        (_, GcMode::Full, _) => Keeps::Hidden,
        (Collector::Tracing, ..) => Keeps::Garbage,
        (_, _, Some(false)) => Keeps::CollectorOff,
        _ => Keeps::Waits,
    }
}

/// Draws the conclusions.
pub fn conclude(outcome: &Outcome, load: Load) -> GraphVerdict {
    let last = outcome.captures.last().filter(|_| !outcome.types_only);
    let Some(last) = last else {
        return GraphVerdict {
            verdict: Verdict::CannotTell,
            conclusions: Vec::new(),
            headline: Headline::Nothing,
            bytes_per_run: [None, None],
        };
    };
    let of_side = |base: bool| outcome.captures.iter().filter(|c| c.base == base).count();
    let two_sides = of_side(true) > 0;
    let ground = Ground {
        outcome,
        last,
        load,
        two_sides,
        captures: of_side(false),
    };
    let mut conclusions = Vec::new();
    let mut headline = Headline::Nothing;
    for (i, row) in outcome.cycles.iter().enumerate() {
        if let Some(c) = ground.cycle(row) {
            if headline == Headline::Nothing && c.rule.id == rules::GROWING_CYCLE.id {
                headline = Headline::Cycle(i);
            }
            conclusions.push(c);
        }
    }
    for (i, row) in outcome.holders.iter().enumerate().filter(|(_, h)| !h.base) {
        if let Some(c) = ground.holder(row) {
            let tracing = last.meta.collector() == Collector::Tracing;
            let cycle = matches!(headline, Headline::Cycle(_));
            if headline == Headline::Nothing || tracing && cycle {
                headline = Headline::Holder(i);
            }
            conclusions.push(c);
        }
    }
    if let Some(c) = ground.uncollectable() {
        conclusions.push(c);
    }
    for i in ground.unexplained() {
        if headline == Headline::Nothing && conclusions.is_empty() {
            headline = Headline::Type(i);
        }
        conclusions.push(ground.growing_type(i));
    }
    for c in &mut conclusions {
        c.title = c.title.replace(char::is_control, "\u{fffd}");
    }
    conclusions.sort_by_key(|c| std::cmp::Reverse(c.severity));
    if headline == Headline::Nothing {
        let waits = |c: &&Conclusion| c.rule.id == rules::CYCLE_WAITS.id;
        if let Some(c) = conclusions.iter().find(waits) {
            let at = |row: &CycleRow| format!("{:016x}", row.id) == c.subject_id;
            headline = outcome
                .cycles
                .iter()
                .position(at)
                .map_or(headline, Headline::Cycle);
        }
    }
    let bytes_per_run = [ground.leaking_bytes(0), ground.leaking_bytes(1)];
    GraphVerdict {
        verdict: ground.verdict(&conclusions, bytes_per_run),
        conclusions,
        headline,
        bytes_per_run,
    }
}

struct Ground<'a> {
    outcome: &'a Outcome,
    last: &'a CaptureFacts,
    load: Load,
    two_sides: bool,
    captures: usize,
}

/// Bytes of the growing part for each run: what the last capture keeps, by occurrence.
fn per_run_bytes(bytes: u64, count: f64, trend: &Trend) -> Option<f64> {
    let each = bytes as f64 / count.max(1.0);
    trend.per_run.map(|n| n * each)
}

impl Ground<'_> {
    fn counting(&self) -> bool {
        self.last.meta.collector() == Collector::Counting
    }

    fn all_captures(&self) -> Vec<u32> {
        (0..self.outcome.captures.len() as u32).collect()
    }

    fn severity(&self, leak: bool, per_run: Option<f64>) -> (Severity, SeverityBy) {
        if !leak {
            return (Severity::Note, SeverityBy::Default);
        }
        let rate = self.load.runs_per_hour.zip(per_run).map(|(h, b)| h * b);
        let held = self.last.shallow as f64;
        self.load
            .thresholds
            .of_leak_below(rate, self.load.memory_limit, held)
    }

    fn cycle(&self, row: &CycleRow) -> Option<Conclusion> {
        let trend = &row.trends[1];
        let how = keeps(row, self.last);
        let counted_waste = self.counting() && matches!(how, Keeps::CollectorOff | Keeps::Waits);
        let structure = matches!(
            row.benign,
            Some(Benign::Links | Benign::Parent | Benign::Types)
        );
        let here = row.occurrences.last().copied().unwrap_or(0);
        if structure && !counted_waste || here == 0 {
            return None;
        }
        let single = trend.growth == Growth::Single;
        if single && row.benign.is_some() || !single && !trend.growth.is_more() {
            return None;
        }
        let mut sides = row.occurrences.iter().zip(&self.outcome.captures);
        let before = sides.find(|(_, c)| !c.base).map_or(0, |(&n, _)| n);
        if !single && here < before.saturating_add(LEAST_MORE) {
            return None;
        }
        if single && (self.two_sides || how == Keeps::Garbage) {
            return None;
        }
        if !single && how == Keeps::Held && row.explained && !self.is_held_itself(row) {
            return None;
        }
        let rule: &'static Rule = match how {
            _ if single => &rules::CYCLES_PRESENT,
            Keeps::Waits => &rules::CYCLE_WAITS,
            Keeps::Garbage => return None,
            _ => &rules::GROWING_CYCLE,
        };
        let leak = trend.growth.is_leak() && rule.id == rules::GROWING_CYCLE.id;
        let bytes = row.retained.last().copied().unwrap_or(0);
        let per_run = per_run_bytes(bytes, f64::from(here), trend);
        let (severity, severity_by) = self.severity(leak, per_run);
        let series = row.occurrences.iter().map(|&n| i128::from(n)).collect();
        let mut evidence = vec![
            ("occurrences", Fact::Series(series)),
            ("per_run", trend.per_run.map_or(Fact::Unknown, Fact::Number)),
            (
                "per_item",
                trend.per_item.map_or(Fact::Unknown, Fact::Number),
            ),
            ("objects", Fact::Whole(i128::from(row.objects))),
            ("retained_bytes", Fact::Whole(i128::from(bytes))),
            ("kept", Fact::Text(kept_words(how).to_owned())),
            ("signature", Fact::Text(row.signature.clone())),
        ];
        if row.cut.kind != CutKind::None {
            evidence.push(("frees_bytes", Fact::Whole(i128::from(row.cut.frees))));
        }
        let advice = match row.cut.references.first() {
            Some(r) => format!("cut {}", reference_words(r)),
            None => "see what refers to these objects with --path-to".to_owned(),
        };
        Some(Conclusion {
            rule,
            severity,
            severity_by,
            title: format!(
                "{} {}",
                count_per_run(trend, here),
                format_args!("cycles {}", row.signature)
            ),
            subject: SubjectKind::Cycle,
            subject_id: format!("{:016x}", row.id),
            evidence,
            refuted_by: "a later capture with no more of these cycles".into(),
            advice: advice.into(),
            captures: self.all_captures(),
        })
    }

    /// Whether what a growing holder holds are these cycles, where references are counted:
    /// then the cycle is what a person looks for. Other cycles among what it holds are not.
    fn is_held_itself(&self, row: &CycleRow) -> bool {
        let held = |h: &HolderRow| {
            let (name, ..) = told(h);
            let direct = h.path.last().map_or("", |s| s.type_name.as_str());
            let anchor = |name: &str| row.signature.starts_with(short(name));
            !h.base && h.benign.is_none() && (anchor(name) || anchor(direct))
        };
        self.counting() && self.outcome.holders.iter().any(held)
    }

    fn holder(&self, row: &HolderRow) -> Option<Conclusion> {
        if !row.trend.growth.is_more() || row.benign.is_some() {
            return None;
        }
        let leak = row.trend.growth.is_leak();
        let count = row.series.last().copied().unwrap_or(0);
        let per_run = per_run_bytes(row.retained, count as f64, &row.trend);
        let rule: &'static Rule = &rules::GROWING_HOLDER;
        let (severity, severity_by) = self.severity(leak, per_run);
        let series = row.series.iter().map(|&n| i128::from(n)).collect();
        let trend = &row.trend;
        let (held, told_series, told_trend) = told(row);
        let count = told_series.last().copied().unwrap_or(count);
        let evidence = vec![
            ("series", Fact::Series(series)),
            ("per_run", trend.per_run.map_or(Fact::Unknown, Fact::Number)),
            (
                "per_item",
                trend.per_item.map_or(Fact::Unknown, Fact::Number),
            ),
            ("leak_share_bytes", Fact::Whole(i128::from(row.share.share))),
            (
                "exclusive_bytes",
                Fact::Whole(i128::from(row.share.exclusive)),
            ),
            ("level", Fact::Text(level(row).to_owned())),
        ];
        let advice = match row.cut.references.first() {
            Some(r) => format!("let go of {}", reference_words(r)),
            None => "look for what is added at this path on every run and never removed".to_owned(),
        };
        Some(Conclusion {
            rule,
            severity,
            severity_by,
            title: format!(
                "{} {} held by {}",
                count_per_run(told_trend, count as u32),
                short(held),
                path_words(&told_path(row))
            ),
            subject: SubjectKind::Holder,
            subject_id: format!("{:016x}", row.id),
            evidence,
            refuted_by:
                "a later capture in which as many objects are held: a cache that fills looks \
                         the same until it is full"
                    .into(),
            advice: advice.into(),
            captures: self.all_captures(),
        })
    }

    fn uncollectable(&self) -> Option<Conclusion> {
        let n = self.last.uncollectable;
        (n > 0).then(|| Conclusion {
            rule: &rules::UNCOLLECTABLE,
            severity: Severity::Warning,
            severity_by: SeverityBy::Default,
            title: format!("{n} objects that the collector cannot free"),
            subject: SubjectKind::Capture,
            subject_id: (self.outcome.captures.len() - 1).to_string(),
            evidence: vec![("objects", Fact::Whole(i128::from(n)))],
            refuted_by: "an empty list of uncollectable objects".into(),
            advice: "empty gc.garbage, and break what ties these objects".into(),
            captures: vec![self.outcome.captures.len() as u32 - 1],
        })
    }

    /// Types of the program that grow although no path that grows holds what came up, the largest
    /// first.
    fn unexplained(&self) -> Vec<usize> {
        let in_cycle = |row: &TypeRow| {
            let cycles = self.outcome.cycles.iter();
            let mut growing = cycles.filter(|c| c.trends[1].growth.is_more() && !c.explained);
            growing.any(|c| c.path.iter().any(|s| s.type_name == row.name))
        };
        let grown = |row: &TypeRow, what: fn(&TypeCount) -> u64| {
            let mut here = row.counts.iter().zip(&self.outcome.captures);
            let first = here.find(|(_, c)| !c.base).map_or(0, |(n, _)| what(n));
            row.counts.last().map_or(0, what).saturating_sub(first)
        };
        let mut found: Vec<(u64, usize)> = Vec::new();
        for (i, row) in self.outcome.types.iter().enumerate() {
            let count = grown(row, |n| n.count);
            if row.trends[1].growth.is_leak()
                && is_own(&self.last.meta.runtime, &row.name)
                && row.explained[1] < count.div_ceil(2)
                && !in_cycle(row)
            {
                found.push((grown(row, |n| n.shallow), i));
            }
        }
        found.sort_by_key(|&(bytes, i)| (std::cmp::Reverse(bytes), i));
        found.truncate(MOST_TYPES);
        found.into_iter().map(|(_, i)| i).collect()
    }

    fn growing_type(&self, i: usize) -> Conclusion {
        let row = &self.outcome.types[i];
        let trend = &row.trends[1];
        let series = row.counts.iter().map(|c| i128::from(c.count)).collect();
        let count = row.counts.last().map_or(0, |c| c.count);
        Conclusion {
            rule: &rules::GROWING_TYPE,
            severity: Severity::Note,
            severity_by: SeverityBy::Default,
            title: format!(
                "{} {}",
                count_per_run(trend, count as u32),
                short(&row.name)
            ),
            subject: SubjectKind::Type,
            subject_id: row.name.clone(),
            evidence: vec![("series", Fact::Series(series))],
            refuted_by: "a later capture with no more objects of this type".into(),
            advice: "see where they are held with --path-to".into(),
            captures: self.all_captures(),
        }
    }

    /// Bytes for each run of all that leaks on a side. Cycles that a growing holder holds are not
    /// counted twice.
    fn leaking_bytes(&self, side: usize) -> Option<f64> {
        let base = side == 0;
        let place = self.outcome.captures.iter().rposition(|c| c.base == base)?;
        let capture = &self.outcome.captures[place];
        let mut sum = None;
        let mut add = |n: Option<f64>| {
            if let Some(n) = n {
                *sum.get_or_insert(0.0) += n;
            }
        };
        for h in self.outcome.holders.iter().filter(|h| h.base == base) {
            if h.trend.growth.is_leak() && h.benign.is_none() {
                let count = h.series.last().copied().unwrap_or(0) as f64;
                add(per_run_bytes(h.share.share, count, &h.trend));
            }
        }
        for c in &self.outcome.cycles {
            let trend = &c.trends[side];
            if trend.growth.is_leak() && keeps(c, capture) != Keeps::Held {
                let count = f64::from(c.occurrences[place]);
                add(per_run_bytes(c.retained[place], count, trend));
            }
        }
        sum
    }

    /// Whether anything leaks on a side.
    fn leaks(&self, side: usize) -> bool {
        let base = side == 0;
        let Some(capture) = self.outcome.captures.iter().rfind(|c| c.base == base) else {
            return false;
        };
        let holder =
            |h: &HolderRow| h.base == base && h.trend.growth.is_leak() && h.benign.is_none();
        let cycle = |c: &CycleRow| {
            let how = keeps(c, capture);
            let structure = c.benign.is_some() && how == Keeps::Held;
            c.trends[side].growth.is_leak()
                && !structure
                && !matches!(how, Keeps::Waits | Keeps::Garbage)
        };
        self.outcome.holders.iter().any(holder) || self.outcome.cycles.iter().any(cycle)
    }

    fn verdict(&self, conclusions: &[Conclusion], bytes: [Option<f64>; 2]) -> Verdict {
        let total = |base: bool, last: bool| {
            let mut side = self.outcome.captures.iter().filter(|c| c.base == base);
            let capture = if last { side.next_back() } else { side.next() };
            capture.map_or(0, |c| c.shallow)
        };
        if self.two_sides {
            let [base, new] = [self.leaks(0), self.leaks(1)];
            let [before, after] = bytes.map(|b| b.unwrap_or(0.0));
            return match (base, new) {
                (true, false) => Verdict::Cured,
                (false, true) => Verdict::Worse,
                (true, true) if after < before * 0.99 => Verdict::Reduced,
                (true, true) if after > before * 1.01 => Verdict::Worse,
                (true, true) => Verdict::Leak,
                (false, false) => by_total(total(true, true), total(false, true)),
            };
        }
        if self.captures < 2 {
            return Verdict::CannotTell;
        }
        if self.leaks(1) {
            return Verdict::Leak;
        }
        let grew = |c: &Conclusion| c.rule.id != rules::UNCOLLECTABLE.id;
        if conclusions.iter().any(grew) {
            return Verdict::Grew;
        }
        by_total(total(false, false), total(false, true))
    }
}

/// Two totals within a hundredth of each other are the same.
fn by_total(before: u64, after: u64) -> Verdict {
    let slack = before / 100;
    if after > before.saturating_add(slack) {
        Verdict::Grew
    } else if after.saturating_add(slack) < before {
        Verdict::Shrank
    } else {
        Verdict::Same
    }
}

/// How sure a growing holder is: `certain`, `likely` or `possible`.
pub fn level(row: &HolderRow) -> &'static str {
    let whole = row
        .trend
        .per_run
        .is_some_and(|n| n >= 0.99 && (n - n.round()).abs() < 0.005);
    let leak = row.trend.growth.is_leak();
    let single = row.cut.kind == CutKind::Bridge || row.cut.references.len() == 1;
    match () {
        _ if leak && whole && row.series.len() >= 4 && single => "certain",
        _ if leak => "likely",
        _ => "possible",
    }
}

/// `1.00 ... per run`, or the number where runs are unknown.
pub fn count_per_run(trend: &Trend, count: u32) -> String {
    match (trend.growth, trend.per_run) {
        (Growth::Single, _) | (_, None) => units::grouped(i128::from(count)),
        (_, Some(n)) => format!("{} per run", units::decimal(n)),
    }
}

/// How a cycle is kept, in words.
pub fn kept_words(how: Keeps) -> &'static str {
    match how {
        Keeps::Held => "held from a root",
        Keeps::CollectorOff => {
            "by nothing else: only the cyclic collector can free it, and gc is disabled in this process"
        }
        Keeps::Waits => "by nothing else: it waits for the cyclic collector",
        Keeps::Hidden => {
            "by something that the capture does not show: it survived a full collection"
        }
        Keeps::Garbage => "by nothing: the next collection frees it",
    }
}

/// Objects of a path that are named, and of a longer one those at its end.
const MOST_NAMED: (usize, usize) = (8, 5);

/// The slots of JavaScript's maps and sets are their entries.
fn entries(words: String) -> String {
    words.replace("<table><slot>", "[*]")
}

/// Where a path begins that a person reads: at the last class or module on it, since that lives as
/// long as the program; and where it comes by a variable of a function, as those of a JavaScript
/// module are, at the last function above what grows.
fn beginning(path: &[PathStep]) -> usize {
    let inner = &path[..path.len().saturating_sub(1)];
    let leaks = |s: &PathStep| s.state == State::Leaking;
    let above = inner.iter().position(leaks).unwrap_or(inner.len());
    let class = inner.iter().rposition(is_class).unwrap_or(0);
    let variable =
        |i: &usize| inner[*i].edge.starts_with("local:") || inner[*i].edge.starts_with(".local:");
    let of_context = |i: &usize| inner[*i - 1].type_name == CONTEXT && variable(i);
    let variable = (2..above).rev().find(of_context);
    // Contexts within contexts belong to the same function.
    let function = variable.and_then(|i| inner[..i].iter().rposition(|s| s.type_name != CONTEXT));
    class.max(function.unwrap_or(0))
}

fn is_class(step: &PathStep) -> bool {
    step.type_name.starts_with("class ") || step.type_name.starts_with("module ")
}

/// A path in words: `module app.registry.KEEP[*] -> Broker`.
///
/// It starts where the program's own names do; of a long path the middle is left out.
pub fn path_words(path: &[PathStep]) -> String {
    let start = beginning(path);
    let by_name = |s: &PathStep| is_class(s) || s.type_name.ends_with("()");
    let mut parts: Vec<String> = Vec::new();
    for (i, step) in path.iter().enumerate().skip(start) {
        let namespace = is_namespace(step);
        let last = i + 1 == path.len();
        if i == start {
            let class = by_name(step) && i > 0;
            parts.push(if class { &step.type_name } else { &step.edge }.clone());
            let told = class
                || step.folds
                || step.edge.ends_with(&step.type_name)
                || step.type_name.starts_with("module ");
            if !told {
                parts.push(short(&step.type_name).to_owned());
            }
            continue;
        }
        if let Some(part) = parts.last_mut().filter(|_| !namespace) {
            part.push_str(&step.edge);
        }
        if !step.folds && !namespace || last {
            parts.push(short(&step.type_name).to_owned());
        }
    }
    if parts.len() > MOST_NAMED.0 {
        let left_out = parts.len() - 1 - MOST_NAMED.1;
        parts.splice(1..=left_out, [format!("... {left_out} more ...")]);
    }
    entries(parts.join(" -> "))
}

/// A reference in words: `Registry.brokers[*] -> Broker`.
pub fn reference_words(r: &Reference) -> String {
    let edge = r.edge.strip_prefix(".__dict__").unwrap_or(&r.edge);
    let from = match short(&r.from) {
        // A variable of a function that no path leads to.
        CONTEXT => "function",
        from => from,
    };
    entries(format!("{from}{edge} -> {}", short(&r.to)))
}

/// The path to what a growing holder is spoken of for: down to the program's own objects.
pub fn told_path(row: &HolderRow) -> Vec<PathStep> {
    let inside = row.inside.as_ref().map_or(&[][..], |i| &i.path);
    row.path.iter().chain(inside).cloned().collect()
}

/// What a growing holder holds ever more of: type, numbers along the runs, what these do.
pub fn told(row: &HolderRow) -> (&str, &[u64], &Trend) {
    let of = |path: &'_ [PathStep]| path.len().saturating_sub(1);
    match &row.inside {
        Some(i) => (
            i.path.get(of(&i.path)).map_or("", |s| s.type_name.as_str()),
            &i.series,
            &i.trend,
        ),
        None => (
            row.path
                .get(of(&row.path))
                .map_or("", |s| s.type_name.as_str()),
            &row.series,
            &row.trend,
        ),
    }
}
