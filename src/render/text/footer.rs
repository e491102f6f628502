//! The lines below the table.

use super::{BOLD, FEWEST_ROWS, Writer, paint};
use crate::diff::Growth;
use crate::model::{Nature, Unit};
use crate::render::figures::{amount, counted, measured, noun, plural, rate, share};
use crate::render::fold::fold;
use crate::render::{matching, title, words};
use crate::trend::{Change, Class};
use crate::units;
use crate::verdict::rules::{CUT_STACKS, HOT_PATH};
use crate::verdict::{Certainty, Finding, Path, SeverityBy, SubjectKind, Verdict};
use std::fmt::Write;

/// Caches of libraries hold a hundred entries, 128, 256: fewer runs cannot fill them.
const FEWEST_TO_FILL: f64 = 256.0;

impl Writer<'_> {
    /// Why, what else, what samples can show, and what to type next.
    pub(super) fn footer(&self, out: &mut String) {
        let lines = self.remarks();
        if lines.is_empty() {
            return;
        }
        out.push('\n');
        let mut before = "";
        for (label, text) in lines {
            let shown = if label == before { "" } else { label };
            before = label;
            let head = paint(self.style.color, BOLD, &format!("{shown:<6}"));
            for (i, part) in fold(&text, self.style.width, 6, 6).into_iter().enumerate() {
                let _ = match i {
                    0 => writeln!(out, "{head}{part}"),
                    _ => writeln!(out, "      {part}"),
                };
            }
        }
    }

    /// The lines with their labels: why, also, sites, note, noise, next.
    pub(super) fn remarks(&self) -> Vec<(&'static str, String)> {
        let r = self.report;
        let mut lines: Vec<(&'static str, String)> = Vec::new();
        if let Some(row) = self.spoken_of() {
            lines.extend(self.why(row as usize).map(|w| ("why", w)));
        }
        lines.extend(self.how_bad().map(|w| ("why", w)));
        lines.extend(self.filling().map(|a| ("also", a)));
        lines.extend(self.rare().map(|a| ("also", a)));
        lines.extend(self.warm().map(|a| ("also", a)));
        lines.extend(self.open().map(|a| ("also", a)));
        lines.extend(self.worse().map(|a| ("also", a)));
        lines.extend(self.others().map(|a| ("also", a)));
        lines.extend(self.freed().or_else(|| self.also()).map(|a| ("also", a)));
        if let Some((row, depth)) = self
            .spoken_of()
            .and_then(|row| Some((row, r.cut_at(row as usize)?)))
        {
            let name = words::site(r, row as usize).fit(60);
            lines.push((
                "note",
                format!("the stack of {name} is cut at depth {depth}: it may be several sites"),
            ));
        }
        if let Some(ledger) = &r.matching {
            lines.push(("sites", matching::matched(ledger)));
        }
        let cut = r.findings.iter().find(|f| f.rule.id == CUT_STACKS.id);
        if let Some(cut) = cut.filter(|_| r.notes.iter().all(|n| !n.contains("are cut at depth"))) {
            let title = title(r, cut);
            lines.push(("note", format!("{title}; {}", cut.advice)));
        }
        for note in &r.notes {
            lines.push(("note", note.clone()));
        }
        if self.style.verbose {
            for capture in &r.captures {
                for note in &capture.notes {
                    let line = ("note", format!("{}: {note}", capture.path));
                    if !lines.contains(&line) {
                        lines.push(line);
                    }
                }
            }
        }
        for capture in &r.captures {
            if let Some(s) = &capture.salvaged {
                lines.push((
                    "note",
                    format!(
                        "{}: {}; read {} of {} bytes",
                        capture.path,
                        s.reason,
                        units::grouped(s.read_bytes as i128),
                        units::grouped(s.of_bytes as i128)
                    ),
                ));
            }
        }
        lines.extend(self.even().map(|n| ("note", n)));
        lines.extend(self.noise().map(|n| ("noise", n)));
        lines.extend(self.next().into_iter().map(|n| ("next", n)));
        lines
    }

    /// The leaking row that the verdict speaks of: the largest on a hot path, else the largest.
    fn spoken_of(&self) -> Option<u32> {
        let s = &self.report.summary;
        s.hot.first().or(s.leaking.first()).copied()
    }

    fn why(&self, row: usize) -> Option<String> {
        let r = self.report;
        let hot = r.hot(row)?;
        let words = r
            .judgement(row)
            .filter(|j| j.class.is_leak() && !j.is_certain())
            .map_or("", |j| j.reason.words());
        // A finding may speak of several call paths of one function.
        let of_row = |f: &&Finding| {
            f.subject.kind == SubjectKind::Site && f.rows.first() == Some(&(row as u32))
        };
        let mut of_rule = r.findings.iter().filter(of_row);
        let finding = of_rule
            .clone()
            .find(|f| f.rule.id == HOT_PATH.id)
            .or(of_rule.next());
        let paths = finding.map_or(1, |f| f.rows.len());
        let of_finding = finding.and_then(|f| f.evidence.blocks_per_run);
        let mut text = match (hot.blocks_per_run, r.path(row)) {
            (Some(blocks), Some(Path::Hot)) => {
                let blocks = measured(of_finding.unwrap_or(blocks), "block");
                let by = match paths {
                    1 => String::new(),
                    n => format!(" by {n} call paths"),
                };
                format!("hot path: it keeps {blocks} on every run{by}")
            }
            (Some(blocks), path) => format!(
                "{}: {} per run; it grew in {} of {}",
                match path {
                    Some(Path::Error) => "error path, or another that few runs take",
                    _ => "not every run",
                },
                measured(blocks, "block"),
                hot.grew_in,
                counted(hot.of, "interval"),
            ),
            (None, _) => format!(
                "it grew in {} of {}",
                hot.grew_in,
                counted(hot.of, "interval")
            ),
        };
        if let Some(share) = hot.kept_share {
            let _ = write!(
                text,
                "; {:.0} % of what it allocates is kept",
                share * 100.0
            );
        }
        if !words.is_empty() {
            let _ = write!(text, "; {words}");
        }
        Some(text)
    }

    /// How bad the worst finding is, where hours are known, and by which rule.
    fn how_bad(&self) -> Option<String> {
        let first = self.report.findings.first()?;
        let known = self.report.runs_per_hour.is_some();
        (known && first.severity_by != SeverityBy::Default)
            .then(|| format!("{} {}", first.severity.as_str(), first.severity_by.words()))
    }

    /// After few runs a cache of an entry a run grows as a leak does, to the byte.
    fn filling(&self) -> Option<String> {
        let r = self.report;
        let certain = r.summary.certainty == Certainty::Exact;
        let runs = r.captures.last()?.runs().filter(|&n| n < FEWEST_TO_FILL)?;
        (certain && r.driver == "runs" && !r.has_two_sides()).then(|| {
            format!(
                "after {} runs a cache that fills looks the same: one capture more, after {} runs, \
                 tells them apart",
                units::plain(runs),
                units::plain(10.0 * runs)
            )
        })
    }

    /// What error paths and other rare branches keep, beside a hot path.
    fn rare(&self) -> Option<String> {
        let r = self.report;
        let s = &r.summary;
        let (first, n) = (*s.rare.first()?, s.rare.len());
        if self.spoken_of() == Some(first) {
            return None;
        }
        let rate = s.rare.iter().map(|&row| r.row_per_run(row as usize));
        let rate = rate.sum::<Option<f64>>()?;
        let sum: i128 = s.rare.iter().map(|&row| r.delta(row as usize)).sum();
        let share = share(sum as f64 / s.increases.max(1) as f64);
        Some(format!(
            "{} on error paths {} something on fewer than one run in four: {} {}, {share} of the \
             growth",
            counted(n, noun(&r.group_by)),
            if n == 1 { "keeps" } else { "keep" },
            self.rate(rate),
            self.per()
        ))
    }

    /// Whether a row's difference is a twentieth of all differences or more: worth a line.
    fn is_large(&self, row: u32) -> bool {
        let s = &self.report.summary;
        let all = s.increases.unsigned_abs() + s.decreases.unsigned_abs();
        self.report.delta(row as usize).unsigned_abs() * 20 >= all
    }

    /// The largest row that warmed up: no leak, and until when it rose.
    fn warm(&self) -> Option<String> {
        let r = self.report;
        let rose =
            |&&row: &&u32| r.growth(row as usize) == Growth::WarmUp && r.delta(row as usize) > 0;
        let row = *r.order.iter().find(rose)?;
        if !self.is_large(row) {
            return None;
        }
        let (name, n) = (
            words::site(r, row as usize).fit(50),
            r.order.iter().filter(rose).count(),
        );
        let others = match n {
            1 => String::new(),
            n => format!(", as {} did", counted(n - 1, "other")),
        };
        Some(match r.warm_up(row as usize) {
            Some(length) => format!(
                "{name} warmed up for about {} and is level since{others}: no leak",
                match r.knows_runs() {
                    true => measured(length, r.driver.strip_suffix('s').unwrap_or(&r.driver)),
                    false => measured(length, "capture"),
                }
            ),
            None => format!(
                "{name} still warms up, more and more slowly{others}: capture again after twice as many runs"
            ),
        })
    }

    /// The largest row of which these captures cannot tell what it does, and what to capture.
    fn open(&self) -> Option<String> {
        let r = self.report;
        let (row, reason) = r.order.iter().take(FEWEST_ROWS).find_map(|&row| {
            let j = r.judgement(row as usize)?;
            let class = j.class == Class::Undetermined && self.is_large(row);
            let open = class && r.path(row as usize).is_none();
            let follows = r.follows(row as usize).is_some();
            (open && !follows && r.growth(row as usize) == Growth::Undetermined)
                .then_some((row, j.reason))
        })?;
        let name = words::site(r, row as usize).fit(50);
        let next = match reason.next_capture() {
            "" => String::new(),
            next => format!("; {next}"),
        };
        Some(format!(
            "{name} cannot be told yet: {}{next}",
            reason.words()
        ))
    }

    /// Evenly spaced captures meet a periodic program at ever the same place of its period.
    fn even(&self) -> Option<String> {
        let r = self.report;
        let few = (3..=4).contains(&r.captures.len()) && !r.has_two_sides();
        (few && r.judge.is_even() && !r.summary.leaking.is_empty()).then(|| {
            "evenly spaced captures can make a ramp of a sawtooth: uneven intervals (10, 20, 45, \
             80 runs) rule that out"
                .to_owned()
        })
    }

    /// The row that grows more than before where the total does not say so.
    fn worse(&self) -> Option<String> {
        let r = self.report;
        if r.verdict == Verdict::Worse || !r.summary.series {
            return None;
        }
        let worse = |&&row: &&u32| {
            let change = r.change(row as usize);
            change.is_some_and(|c| c.change == Change::Worse)
        };
        let count = r.order.iter().filter(worse).count();
        let rate = |row: u32| r.row_per_run(row as usize).unwrap_or(0.0);
        let row = *r
            .order
            .iter()
            .filter(worse)
            .max_by(|&&a, &&b| rate(a).total_cmp(&rate(b)))?;
        let name = words::site(r, row as usize).fit(50);
        Some(format!(
            "worse at {count} {}, the most at {name}: {} {} more than before",
            plural(count, noun(&r.group_by)),
            self.rate(rate(row)),
            self.per()
        ))
    }

    /// The largest row that follows another driver than the one that growth is counted by.
    fn others(&self) -> Option<String> {
        let r = self.report;
        let follows = |row: u32| {
            r.follows(row as usize)
                .filter(|(name, _)| *name != r.driver)
        };
        let row = r
            .order
            .iter()
            .copied()
            .find(|&row| follows(row).is_some())?;
        let (name, per_unit) = follows(row)?;
        let unit = name.strip_suffix('s').unwrap_or(name);
        let owner = words::site(r, row as usize).owner;
        Some(format!(
            "{} per {unit} in {owner} follows the {name}, not the {}: see --driver {name}",
            self.amount(per_unit.round() as i128),
            r.driver
        ))
    }

    /// Growth that was over when the captures were taken: a program that frees everything as it
    /// ends holds nothing then, whatever it kept while it ran.
    fn freed(&self) -> Option<String> {
        let freed = self.report.freed_at_end()?;
        let amount = |n: i128| self.amount(n);
        Some(format!(
            "peak_bytes rose from {} to {} along the runs, of which {} is held in the last capture: \
             what a program keeps while it runs and frees as it ends shows with --metric peak_bytes, \
             or in captures taken before its end",
            amount(freed.first_peak),
            amount(freed.last_peak),
            amount(freed.held)
        ))
    }

    /// What looks like a leak and is none.
    fn also(&self) -> Option<String> {
        let r = self.report;
        if r.has_two_sides() || r.metric().nature != Nature::Live {
            return None;
        }
        let i = r.metrics.iter().position(|m| m.name == "total_bytes")?;
        let per_run = r.per_run.of(&r.totals, &r.metrics, i, 0)?;
        let live = r.per_run.of(&r.totals, &r.metrics, r.chosen, 0)?;
        let bytes = amount(&Unit::Bytes, per_run as i128, self.style.exact);
        (per_run > 2.0 * live.abs() && per_run >= 1.0).then(|| {
            format!(
                "total_bytes grew by {bytes} {}: freed again, no leak by itself",
                self.per()
            )
        })
    }

    /// What samples can show.
    fn noise(&self) -> Option<String> {
        let r = self.report;
        let sampling = r.captures.iter().find_map(|c| c.sampling)?;
        let Some(mean) = sampling.mean_bytes.or(sampling.estimated_mean_bytes) else {
            return Some(
                "sampled at an unknown rate: how much of this is noise cannot be told".into(),
            );
        };
        let mut text = format!(
            "sampled, 1 in {}; values are estimates",
            units::bytes(mean as i128)
        );
        if let Some(resolution) = &r.resolution {
            let (per_run, whole) = (resolution.per_run, resolution.total);
            let size = match per_run {
                Some(n) => format!("{} {}", rate(&r.metric().unit, n), self.per()),
                None => units::signed(self.amount(whole as i128), true),
            };
            let _ = write!(
                text,
                "; growth below {size} of a site like the median one stays unseen"
            );
        }
        Some(text)
    }

    fn next(&self) -> Vec<String> {
        let r = self.report;
        let rule = r.findings.first().map(|f| f.rule.id);
        let mut lines = Vec::new();
        let given = r
            .captures
            .iter()
            .any(|c| c.drivers.iter().any(|(name, _)| *name == r.driver));
        let differs = r.verdict != Verdict::Same && (0..r.len()).any(|row| r.delta(row) != 0);
        if !r.knows_runs() && !given && r.metric().has_per_run() && differs {
            lines.push(match r.has_two_sides() {
                false => "say how many runs each capture has seen, for growth per run: \
                          PATH@50 PATH@200"
                    .to_owned(),
                true => "capture each side twice, for growth per run: \
                         --base A@50 --base A@200 B@50 B@200"
                    .to_owned(),
            });
        }
        if r.has_two_sides() {
            lines.extend(self.next_of_two());
            return lines;
        }
        match r.verdict {
            Verdict::Leak => {
                let save = "heapdiff compare ... -o report.html";
                lines.push(rule.map_or(save.to_owned(), |id| {
                    format!("{save}        heapdiff explain {id}")
                }));
            }
            Verdict::Grew if r.captures.len() == 2 => {
                // Three captures are a trend only where every allocation is counted.
                lines.push(match r.summary.certainty {
                    Certainty::Untested => {
                        "capture five times or more, after uneven numbers of runs, then compare \
                         all: A@10 B@20 C@45 D@80 E@160"
                            .to_owned()
                    }
                    _ => "capture once more after more runs, then compare all three: \
                          A@50 B@200 C@800"
                        .to_owned(),
                });
            }
            Verdict::CannotTell if r.freed_at_end().is_some() => {
                lines.push("heapdiff compare --metric peak_bytes ...".to_owned());
            }
            Verdict::CannotTell if r.total_growth().is_quiet() => {
                lines.push(
                    "capture at a finer sampling interval, or after more runs, then compare again"
                        .to_owned(),
                );
            }
            Verdict::CannotTell => {
                lines.push("capture more often and at uneven intervals (10, 20, 45, 80 runs), then compare again".to_owned());
            }
            _ => {}
        }
        lines
    }

    /// What to capture where two sides do not tell what the change did.
    fn next_of_two(&self) -> Option<String> {
        let r = self.report;
        if r.verdict != Verdict::CannotTell || !r.metric().has_per_run() {
            return None;
        }
        let sampled = r.captures.iter().any(|c| c.sampling.is_some());
        Some(match (r.summary.series, sampled) {
            (true, true) => "put more runs between the first and the last capture of each side, \
                             or sample more finely"
                .to_owned(),
            (true, false) => "capture each side at least five times, at uneven intervals \
                              (10, 20, 45, 80, 150 runs)"
                .to_owned(),
            (false, true) => "capture at a finer sampling interval, or after more runs".to_owned(),
            (false, false) if r.knows_runs() => "capture both sides after the same numbers of \
                                                 runs: --base A@50 --base A@200 B@50 B@200"
                .to_owned(),
            (false, false) => return None,
        })
    }
}
