//! The comparison as text: the verdict, how sure, the few sites that explain it, why, what next.

mod footer;
mod sides;

use super::figures::{amount, change, measured, noun, percent_cell, plural, rate, spark};
use super::fold::fold;
use super::words;
use crate::diff::{Growth, Side};
use crate::model::Unit;
use crate::report::{Report, change_words};
use crate::units;
use crate::verdict::{Certainty, Verdict};
use anstyle::{AnsiColor, Style as Ansi};
use std::borrow::Cow;
use std::fmt::Write;

/// How text is laid out.
#[derive(Debug, Clone)]
pub struct Style {
    /// Whether to colour.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Exact numbers instead of units.
    pub exact: bool,
    /// Rows; `None` is as many as explain the difference, at most twenty, and 0 is all.
    pub limit: Option<usize>,
    /// No hints and notes.
    pub quiet: bool,
    /// Notes of readers, too.
    pub verbose: bool,
}

/// Rows that are shown where the user asks for no number.
pub const MOST_ROWS: usize = 20;
const FEWEST_ROWS: usize = 8;
/// Rows are shown until they explain this share of all changes.
const EXPLAINED: f64 = 0.995;

pub(super) const BOLD: Ansi = Ansi::new().bold();
pub(super) const GREW: Ansi = Ansi::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
pub(super) const SHRANK: Ansi = Ansi::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Blue)));
pub(super) const FAINT: Ansi = Ansi::new().dimmed();

/// Text between a style's codes, or plain.
pub(super) fn paint(on: bool, style: Ansi, text: &str) -> String {
    if on {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// The whole text; ends with a line feed.
pub fn text(report: &Report<'_>, style: &Style) -> String {
    let mut out = String::new();
    let w = Writer { report, style };
    w.headline(&mut out);
    w.patterns(&mut out);
    if !report.is_empty() || report.filtered_samples > 0 {
        out.push('\n');
        w.table(&mut out);
    }
    if !style.quiet {
        w.footer(&mut out);
    }
    out
}

/// The table alone, as many rows as the style says.
pub fn table(report: &Report<'_>, style: &Style) -> String {
    let mut out = String::new();
    Writer { report, style }.table(&mut out);
    out
}

/// What stands below the table, each line with its label: why, also, sites, note, noise, next.
pub fn remarks(report: &Report<'_>, style: &Style) -> Vec<(&'static str, String)> {
    Writer { report, style }.remarks()
}

/// The verdict and how sure it is, without the table; ends with a line feed.
pub fn head(report: &Report<'_>, style: &Style) -> String {
    let mut out = String::new();
    Writer { report, style }.headline(&mut out);
    out
}

struct Writer<'r> {
    report: &'r Report<'r>,
    style: &'r Style,
}

impl Writer<'_> {
    fn amount(&self, n: i128) -> String {
        amount(&self.report.metric().unit, n, self.style.exact)
    }

    fn signed(&self, n: i128) -> String {
        units::signed(self.amount(n), n > 0)
    }

    fn rate(&self, n: f64) -> String {
        rate(&self.report.metric().unit, n)
    }

    fn headline(&self, out: &mut String) {
        let r = self.report;
        let color = match r.verdict {
            Verdict::Leak | Verdict::Grew | Verdict::Worse => GREW.bold(),
            Verdict::Shrank | Verdict::Cured | Verdict::Reduced => SHRANK.bold(),
            Verdict::Same | Verdict::CannotTell => BOLD,
        };
        let word = r.verdict.headline();
        let mut fact = self.first_fact();
        let mut peak = self.peak();
        let length = |text: &str| text.chars().count();
        if let Some(text) = &peak
            && length(word) + 2 + length(&fact) + 2 + length(text) <= self.style.width
        {
            let _ = write!(fact, "; {text}");
            peak = None;
        }
        let mut lines = vec![(length(word) + 2, fact)];
        lines.extend(self.levels().into_iter().map(|l| (6, l)));
        lines.extend(peak.into_iter().chain(self.shares()).map(|l| (6, l)));
        for (i, (indent, line)) in lines.into_iter().enumerate() {
            let parts = fold(&line, self.style.width, indent, 6);
            for (j, part) in parts.into_iter().enumerate() {
                let _ = match (i, j) {
                    (0, 0) => writeln!(out, "{}  {part}", paint(self.style.color, color, word)),
                    _ => writeln!(out, "      {part}"),
                };
            }
        }
    }

    /// What else the captures show, under the verdict.
    fn patterns(&self, out: &mut String) {
        if self.style.quiet {
            return;
        }
        for (label, line) in super::patterns::lines(self.report, self.style.width) {
            let head = paint(self.style.color, BOLD, &format!("{label:<6}"));
            let _ = writeln!(out, "{head}{line}");
        }
    }

    /// What changed, per run where that is known, and how sure it is.
    fn first_fact(&self) -> String {
        let r = self.report;
        let s = &r.summary;
        let (before, after) = r.total(r.chosen);
        let delta = after - before;
        let metric = &r.metric().name;
        if !r.metric().is_additive() {
            return self.largest();
        }
        if r.has_two_sides() {
            return self.two_sides_fact(delta, before);
        }
        let level = |row: usize| {
            let mut series = r.values.series.iter().map(|c| c.get(row));
            let first = series.next();
            series.all(|n| Some(n) == first)
        };
        if r.verdict == Verdict::Same && (0..r.len()).all(level) {
            return format!(
                "{metric} {}: the captures are identical in all {} sites",
                self.amount(after),
                r.len()
            );
        }
        let mut fact = match s.per_run {
            Some(per_run) if r.knows_runs() => {
                let mut text = self.rate(per_run);
                if let (Some(blocks), false) = (s.blocks_per_run, s.per_run == s.blocks_per_run) {
                    let _ = write!(text, " and {}", measured(blocks, "block"));
                }
                format!("{text} {}{}", self.per(), self.hours(per_run))
            }
            _ => format!("{metric} {}{}", self.signed(delta), change(delta, before)),
        };
        let intervals = || {
            let runs: Vec<String> = r
                .captures
                .iter()
                .map(|c| c.runs().map_or("?".into(), units::plain))
                .collect();
            runs.windows(2)
                .map(|w| format!("{}->{}", w[0], w[1]))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        match s.certainty {
            Certainty::Exact if r.knows_runs() && r.captures.len() <= 4 => {
                let _ = write!(fact, "   exact: the same in {}", intervals());
            }
            Certainty::Exact => fact.push_str("   exact"),
            Certainty::Tested => fact.push_str("   tested"),
            Certainty::Counted if r.captures.len() == 2 => {
                fact.push_str("   exact; two captures are a difference, not a trend");
            }
            Certainty::Counted => {}
            Certainty::Untested if !r.judged.tests.is_empty() => {
                fact.push_str(match r.total_growth().is_quiet() {
                    true => "   within the noise of these samples",
                    false => "   beyond the noise; too few captures for a trend",
                });
            }
            Certainty::Untested if r.captures.len() == 2 => {
                fact.push_str("   two captures are a difference, not a trend");
            }
            Certainty::Untested => {}
        }
        fact
    }

    /// Of a metric that does not add up: the row that differs most.
    fn largest(&self) -> String {
        let r = self.report;
        let metric = &r.metric().name;
        let rows = r.order.iter().map(|&row| row as usize);
        let most = rows.max_by_key(|&row| (r.delta(row).unsigned_abs(), std::cmp::Reverse(row)));
        match most.filter(|&row| r.delta(row) != 0) {
            Some(row) => format!(
                "{metric} {}, the most of one {}, at {}",
                self.signed(r.delta(row)),
                noun(&r.group_by),
                words::site(r, row).fit(60)
            ),
            None => format!("{metric} is the same at every {}", noun(&r.group_by)),
        }
    }

    /// `per run`, or per what the growth is counted by.
    fn per(&self) -> String {
        let driver = &self.report.driver;
        format!("per {}", driver.strip_suffix('s').unwrap_or(driver))
    }

    /// The growth per hour and the time to the limit, where the user said how many runs an hour
    /// has.
    fn hours(&self, per_run: f64) -> String {
        let r = self.report;
        let (Some(runs), Unit::Bytes) = (r.runs_per_hour, &r.metric().unit) else {
            return String::new();
        };
        let rate = runs * per_run;
        let mut text = format!(
            " = {} MB/h at {} an hour",
            units::decimal(rate / 1e6),
            units::plain(runs)
        );
        if let (Some(limit), true) = (r.memory_limit, rate > 0.0) {
            let left = limit as f64 - r.total(r.chosen).1 as f64;
            let hours = (left / rate).max(0.0);
            let _ = write!(
                text,
                "; {} in {}",
                self.amount(limit as i128),
                units::hours(hours)
            );
        }
        text
    }

    fn rate_plain(&self, n: f64) -> String {
        self.rate(n).trim_start_matches('+').to_owned()
    }

    /// The chosen metric in every capture, the middle ones left out when there are many.
    fn levels(&self) -> Vec<String> {
        let r = self.report;
        if !r.metric().is_additive() {
            return vec!["each site's own maximum, at a time of its own: there is no total".into()];
        }
        let (mut base, mut new) = (Vec::new(), Vec::new());
        for (i, capture) in r.captures.iter().enumerate() {
            let value = r.totals.series.get(i).map_or(0, |c| c.get(0));
            let mut text = self.amount(value as i128);
            if let Some(runs) = capture.runs() {
                let _ = write!(text, " @{}", units::plain(runs));
            }
            if capture.side == Side::Base {
                base.push(text)
            } else {
                new.push(text)
            }
        }
        let join = |mut list: Vec<String>| {
            if list.len() > 5 {
                let left_out = list.len() - 4;
                list.splice(2..list.len() - 2, [format!("... {left_out} more ...")]);
            }
            list.join(" -> ")
        };
        let metric = &r.metric().name;
        if !r.has_two_sides() {
            return vec![format!("{metric} {}", join(new))];
        }
        let (base, new) = (join(base), join(new));
        let line = format!("{metric}  base {base}   new {new}");
        if line.chars().count() + 6 <= self.style.width {
            return vec![line];
        }
        let blank = " ".repeat(metric.chars().count());
        vec![
            format!("{metric}  base {base}"),
            format!("{blank}  new  {new}"),
        ]
    }

    fn shares(&self) -> Vec<String> {
        let r = self.report;
        let s = &r.summary;
        let c = &s.counts;
        let mut lines = Vec::new();
        let noun = noun(&r.group_by);
        if s.increases > 0 && r.metric().is_additive() {
            let mut sum = 0i128;
            let mut top = 0;
            for &row in &r.order {
                let delta = r.delta(row as usize);
                if delta > 0 && !r.is_quiet(row as usize) {
                    sum += delta;
                    top += 1;
                }
                if sum as f64 >= 0.9 * s.increases as f64 {
                    break;
                }
            }
            let share = sum as f64 * 100.0 / s.increases as f64;
            let verb = if top == 1 { "is" } else { "are" };
            lines.push(format!(
                "{top} {} {verb} {share:.1} % of the growth of {}",
                plural(top, noun),
                self.amount(s.increases)
            ));
        }
        let list: Vec<String> = [
            (c.grew, "grew"),
            (c.new, "new"),
            (c.shrank, "shrank"),
            (c.gone, "gone"),
            (c.unchanged, "unchanged"),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
        if s.increases > 0 && !list.is_empty() {
            let list = format!("{}: {}", plural(2, noun), list.join(", "));
            match lines.last_mut() {
                Some(last) => {
                    let _ = write!(last, "; {list}");
                }
                None => lines.push(list),
            }
        } else if s.decreases < 0 {
            lines.push(format!("{}: {}", plural(2, noun), list.join(", ")));
        }
        lines
    }

    /// Number of rows to show.
    fn shown(&self) -> usize {
        let r = self.report;
        let loud = r
            .order
            .iter()
            .take_while(|&&row| !self.is_summed_up(row))
            .count();
        match self.style.limit {
            Some(0) => r.order.len(),
            Some(n) => n.min(r.order.len()),
            None => {
                let churn = (r.summary.increases - r.summary.decreases) as f64;
                let mut sum = 0f64;
                let mut n = 0;
                for &row in r.order.iter().take(loud) {
                    if n >= MOST_ROWS || (n >= FEWEST_ROWS && sum >= EXPLAINED * churn) {
                        break;
                    }
                    sum += r.delta(row as usize).unsigned_abs() as f64;
                    n += 1;
                }
                n
            }
        }
    }

    /// Rows without a difference are summed up as one, unless asked for.
    fn is_summed_up(&self, row: u32) -> bool {
        let r = self.report;
        r.is_quiet(row as usize)
    }

    fn table(&self, out: &mut String) {
        let r = self.report;
        let shown = self.shown();
        let runs = r.knows_runs() && r.metric().has_per_run();
        let series = r.captures.len() > 2;
        let cumulative = r.cumulative.is_some();
        let per = self.per();
        let mut header: Vec<&str> = Vec::new();
        if runs {
            header.push(&per);
        }
        header.push(if cumulative { "flat growth" } else { "growth" });
        if cumulative {
            header.push("cum growth");
        }
        if !series {
            header.push("change");
            header.push("before");
        }
        header.push("after");
        let numbers = header.len();
        if series {
            header.push("series");
        }
        if series {
            header.push("class");
        }
        header.push(noun(&r.group_by));
        let mut rows: Vec<(Vec<String>, Growth, i128)> = Vec::new();
        for &row in r.order.iter().take(shown) {
            rows.push(self.row(row as usize, runs, series));
        }
        let rest = r.rest(shown);
        if rest.rows > 0 {
            rows.push(self.rest_row(&rest, runs, series));
        }
        if r.filtered_samples > 0 {
            let of = |columns: &[crate::model::Column]| {
                columns.get(r.chosen).map_or(0, |c| c.get(0)) as i128
            };
            let (before, after) = (of(r.filtered.before()), of(r.filtered.after()));
            rows.push(self.sum_row(
                before,
                after,
                "left out by filters",
                "filtered",
                runs,
                series,
            ));
        }
        if r.metric().is_additive() && (rows.len() > 1 || r.filtered_samples > 0) {
            let (before, after) = r.total(r.chosen);
            rows.push(self.sum_row(before, after, "total", &self.class_of_total(), runs, series));
        }
        let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
        for (cells, ..) in &rows {
            for (w, cell) in widths.iter_mut().zip(cells) {
                *w = (*w).max(cell.chars().count());
            }
        }
        let last = header.len() - 1;
        let used: usize = widths[..last].iter().map(|w| w + 2).sum();
        let room = self.style.width.saturating_sub(used).max(16);
        let line = |cells: &[String], site: &str| {
            let mut text = String::new();
            for (i, cell) in cells[..last].iter().enumerate() {
                let pad = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
                if i < numbers {
                    let _ = write!(text, "{pad}{cell}  ");
                } else {
                    let _ = write!(text, "{cell}{pad}  ");
                }
            }
            text.push_str(site);
            text.truncate(text.trim_end().len());
            text
        };
        let head: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
        let _ = writeln!(
            out,
            "{}",
            paint(self.style.color, FAINT, &line(&head, header[last]))
        );
        let names = words::sites(r, &r.order[..shown]);
        for (i, (cells, growth, delta)) in rows.iter().enumerate() {
            let site = names
                .get(i)
                .map_or_else(|| cells[last].clone(), |name| name.fit(room));
            let text = line(cells, &site);
            let color = match () {
                _ if i >= shown || growth.is_quiet() || *delta == 0 => None,
                _ if *delta > 0 => Some(GREW),
                _ => Some(SHRANK),
            };
            let _ = match color {
                Some(c) => writeln!(out, "{}", paint(self.style.color, c, &text)),
                None => writeln!(out, "{text}"),
            };
        }
    }

    fn row(&self, row: usize, runs: bool, series: bool) -> (Vec<String>, Growth, i128) {
        let r = self.report;
        let (before, after) = r.chosen_ends(row);
        let growth = r.growth(row);
        let mut cells = Vec::new();
        if runs {
            let other = r.follows(row).is_some_and(|(name, _)| name != r.driver);
            cells.push(
                r.row_per_run(row)
                    .filter(|_| !other)
                    .map_or("-".into(), |n| self.rate(n)),
            );
        }
        let delta = after as i128 - before as i128;
        cells.push(self.signed(delta));
        if let Some(cumulative) = &r.cumulative {
            let (b, a) = r.ends(cumulative, r.chosen, row);
            cells.push(self.signed(a as i128 - b as i128));
        }
        if !series {
            cells.push(percent_cell(before as i128, after as i128));
            cells.push(self.amount(before as i128));
        }
        cells.push(self.amount(after as i128));
        if series {
            cells.push(spark(&r.series(&r.values, row).collect::<Vec<_>>()));
        }
        if series {
            cells.push(match r.follows(row) {
                Some((name, _)) if name != r.driver => format!("follows {name}"),
                _ => r.class_words(row).into_owned(),
            });
        }
        cells.push(String::new());
        (cells, growth, delta)
    }

    fn class_of_total(&self) -> Cow<'static, str> {
        let r = self.report;
        match &r.summary.change {
            Some(c) if r.summary.series => change_words(c, r.total_growth()),
            _ => r.total_growth().as_str().into(),
        }
    }

    fn rest_row(
        &self,
        rest: &crate::report::Rest,
        runs: bool,
        series: bool,
    ) -> (Vec<String>, Growth, i128) {
        let r = self.report;
        let (before, after) = (rest.before[r.chosen], rest.after[r.chosen]);
        let noun = noun(&r.group_by);
        let quiet = r
            .order
            .iter()
            .rev()
            .take_while(|&&row| self.is_summed_up(row))
            .count();
        let name = if quiet == rest.rows {
            format!("{} other {}", rest.rows, plural(rest.rows, noun))
        } else {
            format!(
                "{} other {} (--limit 0 shows all)",
                rest.rows,
                plural(rest.rows, noun)
            )
        };
        let class = match (quiet == rest.rows, series) {
            (true, true) if !r.has_two_sides() => "stable",
            (true, _) => "unchanged",
            _ => "",
        };
        self.sum_row(before, after, &name, class, runs, series)
    }

    fn sum_row(
        &self,
        before: i128,
        after: i128,
        name: &str,
        class: &str,
        runs: bool,
        series: bool,
    ) -> (Vec<String>, Growth, i128) {
        let r = self.report;
        let delta = after - before;
        let mut cells = Vec::new();
        if !r.metric().is_additive() {
            // Nothing to add up.
            let cumulative = usize::from(r.cumulative.is_some());
            let numbers = usize::from(runs) + cumulative + 4;
            cells.resize(numbers, String::new());
            cells.push(name.to_owned());
            return (cells, Growth::Unchanged, delta);
        }
        if runs {
            // Sums of rows per run are only exact inside one series.
            let span = r.per_run.new.span().filter(|_| !r.has_two_sides());
            let per_run = match (name == "total", span) {
                (true, _) => r.per_run.of(&r.totals, &r.metrics, r.chosen, 0),
                (false, Some(span)) => Some(delta as f64 / span),
                (false, None) => None,
            };
            cells.push(per_run.map_or(String::new(), |n| self.rate(n)));
        }
        cells.push(self.signed(delta));
        if r.cumulative.is_some() {
            cells.push(String::new());
        }
        if !series {
            cells.push(percent_cell(before, after));
            cells.push(self.amount(before));
        }
        cells.push(self.amount(after));
        if series {
            cells.push(if name == "total" {
                spark(&r.series(&r.totals, 0).collect::<Vec<_>>())
            } else {
                String::new()
            });
        }
        if series {
            cells.push(class.to_owned());
        }
        cells.push(name.to_owned());
        (cells, Growth::Unchanged, delta)
    }
}
