//! A comparison of allocation captures: what was compared, what was found, and access to each
//! row's names and numbers.

use super::timeline::TimelineReport;
pub use crate::diff::MatchedBy;
use crate::diff::{
    Group, GroupBy, Growth, Judge, Judged, Ledger, Match, PerRun, Side, SideChange, SideGrowth,
    Significance, SiteTable, Values,
};
use crate::model::{Frame, Metric, Nature, Salvage, Sampling, StackId, Symbols};
use crate::normalize::{Language, Naming, SiteId};
use crate::trend::{Change, Judgement, Slope};
use crate::verdict::{
    Finding, Gate, Path, PathSeries, SubjectKind, Summary, Verdict, finding_id, path,
};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;

/// One capture of the comparison.
#[derive(Debug, Clone)]
pub struct CaptureInfo {
    /// As the user named it; several files joined with `+`.
    pub path: String,
    /// The side it stands on.
    pub side: Side,
    /// Name of the format.
    pub format: &'static str,
    /// The tool that wrote it.
    pub producer: Option<String>,
    /// The command line of the profiled program.
    pub command: Option<String>,
    /// `runs` and other drivers.
    pub drivers: Vec<(String, f64)>,
    /// How it was sampled, if it was.
    pub sampling: Option<Sampling>,
    /// Set when it was cut short.
    pub salvaged: Option<Salvage>,
    /// Totals of every additive metric that it has, before filters.
    pub totals: Vec<(Metric, i128)>,
    /// The instant that it is of, for formats that hold several.
    pub moment: Option<String>,
    /// What its reader had to say.
    pub notes: Vec<String>,
}

impl CaptureInfo {
    /// Completed runs, if known.
    pub fn runs(&self) -> Option<f64> {
        self.drivers
            .iter()
            .find(|(name, _)| name == "runs")
            .map(|&(_, n)| n)
    }
}

/// What the rows are: call stacks or groups of them.
#[derive(Debug, Clone)]
pub enum Keys<'a> {
    /// One stack per row.
    Stacks(&'a [StackId]),
    /// One group per row.
    Groups(Vec<Group>),
}

/// The ids of rows.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    /// Of each row.
    pub rows: Vec<SiteId>,
    /// What moved rows were called in the base, by row.
    pub moved: Vec<(u32, SiteId)>,
}

/// A comparison of allocation captures.
#[derive(Debug)]
pub struct Report<'a> {
    /// The names behind all handles.
    pub symbols: &'a Symbols,
    /// Names as people read them, owners and site ids.
    pub names: &'a Naming<'a>,
    /// The verdict in a word.
    pub verdict: Verdict,
    /// The facts behind the first lines of text.
    pub summary: Summary,
    /// The metrics that all captures share.
    pub metrics: Vec<Metric>,
    /// Position of the chosen one.
    pub chosen: usize,
    /// What a row is.
    pub group_by: GroupBy,
    /// The captures, base side first.
    pub captures: Vec<CaptureInfo>,
    /// What each row is called by.
    pub keys: Keys<'a>,
    /// How each row was recognised; empty where nothing but equal frames was asked for.
    pub matches: &'a [Match],
    /// What was recognised by what; `None` for a series of one program.
    pub matching: Option<Ledger>,
    /// The sites behind the rows, however the rows are grouped.
    pub sites: &'a SiteTable,
    /// What each row holds.
    pub values: Values,
    /// For groups: what each row and everything that it calls holds.
    pub cumulative: Option<Values>,
    /// The sum over everything, filtered rows included; one row.
    pub totals: Values,
    /// What filters left out; one row.
    pub filtered: Values,
    /// Number of samples left out by filters.
    pub filtered_samples: u64,
    /// How differences become differences per run.
    pub per_run: PerRun,
    /// The driver that runs are counted by: `runs`, or what the user named.
    pub driver: String,
    /// Runs of the captures of the new side, or their positions.
    pub runs: Vec<f64>,
    /// Runs in an hour, if the user said.
    pub runs_per_hour: Option<f64>,
    /// Bytes that the program may use, if the user said.
    pub memory_limit: Option<u64>,
    /// Slopes, tests and classes on demand.
    pub judge: Judge,
    /// What became of each row.
    pub judged: Judged,
    /// What became of each row's cumulative values, for groups.
    pub cumulative_judged: Option<Judged>,
    /// What became of the total.
    pub total_judged: Judged,
    /// The smallest growth of one site that these captures show.
    pub resolution: Option<Resolution>,
    /// The rows in display order; rows below `--min-delta` are not in it.
    pub order: Vec<u32>,
    /// Conclusions, most severe first.
    pub findings: Vec<Finding>,
    /// What the user should know about the comparison itself.
    pub notes: Vec<String>,
    /// Site ids, made when first asked for.
    pub ids: OnceCell<Ids>,
    /// Whether any stack starts at an entry of the program, worked out when first asked for.
    pub has_roots: OnceCell<bool>,
    /// What the gate says; none where nothing was held against budgets.
    pub gate: Option<Gate>,
    /// Monitoring of the same program, where the gate was given some.
    pub monitored: Option<TimelineReport>,
}

/// The smallest growth of one site that captures show with 80 % probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution {
    /// Of a site as large as the median one by bytes.
    pub total: f64,
    /// The same per run, where runs are known.
    pub per_run: Option<f64>,
    /// Of a site that was not there before.
    pub of_new_site: f64,
}

/// Stacks that the tool ended before an entry of the program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutStacks {
    /// Whether they are the base's, or the first capture's.
    pub before: bool,
    /// The depth at which most were cut.
    pub depth: usize,
    /// What they hold of the chosen metric.
    pub held: i64,
    /// The share of it.
    pub share: f64,
}

impl CutStacks {
    /// Stacks that all end at a depth below this may be a program's own.
    const ODD_DEPTH: usize = 8;

    /// Of stacks with their depth, whether they start at an entry of the program, and what they
    /// hold.
    fn of(rows: &[(usize, bool, i64)], before: bool) -> Option<CutStacks> {
        let deepest = rows.iter().map(|r| r.0).max()?;
        let has_roots = rows.iter().any(|r| r.1);
        let is_cut = |r: &&(usize, bool, i64)| match has_roots {
            true => !r.1 && r.0 > 2,
            false => r.0 == deepest && deepest >= CutStacks::ODD_DEPTH,
        };
        let mut depths: Vec<usize> = rows.iter().filter(is_cut).map(|r| r.0).collect();
        depths.sort_unstable();
        let runs = depths.chunk_by(|x, y| x == y);
        let usual = runs.max_by_key(|c| (c.len(), c[0]))?;
        if !has_roots && usual.len() * 2 < rows.len() {
            return None;
        }
        let sum = |rows: &mut dyn Iterator<Item = i64>| rows.fold(0i64, i64::saturating_add);
        let held = sum(&mut rows.iter().filter(is_cut).map(|r| r.2));
        let all = sum(&mut rows.iter().map(|r| r.2));
        Some(CutStacks {
            before,
            depth: usual[0],
            held,
            share: held.unsigned_abs() as f64 / all.unsigned_abs().max(1) as f64,
        })
    }
}

/// What tells a hot path from an error path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hot {
    /// Blocks kept per run.
    pub blocks_per_run: Option<f64>,
    /// Of what the site allocated between the ends, the share that it kept.
    pub kept_share: Option<f64>,
    /// In how many intervals it grew.
    pub grew_in: usize,
    /// Number of intervals.
    pub of: usize,
}

/// What a change did, in words. `growth`: the class of the row, quiet where the difference lies
/// inside the noise.
pub fn change_words(change: &SideChange, growth: Growth) -> Cow<'static, str> {
    match (change.change, change.level) {
        (Change::Reduced { percent, .. }, _) => format!("reduced by {percent:.0} %").into(),
        (Change::Unchanged | Change::CannotTell, Ordering::Less) => "lower level".into(),
        (Change::Unchanged | Change::CannotTell, Ordering::Greater) => "higher level".into(),
        (Change::CannotTell, _) if growth.is_quiet() => "within noise".into(),
        (Change::CannotTell, _) => "cannot tell".into(),
        (other, _) => other.as_str().into(),
    }
}

impl Report<'_> {
    /// Number of rows, those below `--min-delta` included.
    pub fn len(&self) -> usize {
        match &self.keys {
            Keys::Stacks(stacks) => stacks.len(),
            Keys::Groups(groups) => groups.len(),
        }
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chosen metric.
    pub fn metric(&self) -> &Metric {
        &self.metrics[self.chosen]
    }

    /// Whether the comparison has a base side.
    pub fn has_two_sides(&self) -> bool {
        self.values.base.is_some()
    }

    /// Whether growth per run is known.
    pub fn knows_runs(&self) -> bool {
        self.per_run.is_known(&self.values)
    }

    /// Metric `i` of `row` before and after.
    pub fn ends(&self, values: &Values, i: usize, row: usize) -> (i64, i64) {
        (values.before()[i].get(row), values.after()[i].get(row))
    }

    /// The chosen metric of `row` before and after.
    pub fn chosen_ends(&self, row: usize) -> (i64, i64) {
        self.ends(&self.values, self.chosen, row)
    }

    /// The difference of the chosen metric in `row`.
    pub fn delta(&self, row: usize) -> i128 {
        let (before, after) = self.chosen_ends(row);
        after as i128 - before as i128
    }

    /// The growth per run of the chosen metric in `row`.
    pub fn row_per_run(&self, row: usize) -> Option<f64> {
        self.per_run
            .of(&self.values, &self.metrics, self.chosen, row)
    }

    /// The chosen metric of `row`, one value per capture.
    pub fn series<'v>(&self, values: &'v Values, row: usize) -> impl Iterator<Item = i64> + 'v {
        values.series.iter().map(move |c| c.get(row))
    }

    /// The frames of a row, root first; of a group the one that it is called by.
    pub fn frames(&self, row: usize) -> Vec<Frame> {
        match &self.keys {
            Keys::Stacks(stacks) => self
                .symbols
                .stacks
                .frames(stacks[row])
                .map(|f| self.symbols.frames.get(f))
                .collect(),
            Keys::Groups(groups) => vec![groups[row].frame],
        }
    }

    /// Index of the frame that a row is named by, root first.
    pub fn owner(&self, row: usize) -> Option<usize> {
        match &self.keys {
            Keys::Stacks(stacks) => self.names.owner(stacks[row]),
            Keys::Groups(_) => Some(0),
        }
    }

    /// The class of a row.
    pub fn growth(&self, row: usize) -> Growth {
        self.judged
            .growth
            .get(row)
            .copied()
            .unwrap_or(Growth::Unchanged)
    }

    /// The class of the total.
    pub fn total_growth(&self) -> Growth {
        self.total_judged
            .growth
            .first()
            .copied()
            .unwrap_or(Growth::Unchanged)
    }

    /// What the statistics say of a row's series; none for fewer than three captures.
    pub fn judgement(&self, row: usize) -> Option<&Judgement> {
        self.judged.judgements.get(row)
    }

    /// The robust slope of a row, per run (per capture where runs are unknown).
    pub fn slope(&self, row: usize) -> Option<Slope> {
        self.judge.slope(&self.values, &self.judged, row)
    }

    /// The test of a row's difference, where captures are samples of a known rate.
    pub fn significance(&self, row: usize) -> Option<Significance> {
        self.judge.significance(&self.values, &self.judged, row)
    }

    /// The driver that a row's growth follows, where several are given: its name, and the growth
    /// for each unit of it.
    pub fn follows(&self, row: usize) -> Option<(&str, f64)> {
        let follow = (*self.judged.follows.get(row)?)?;
        Some((self.judge.driver_name(follow), follow.per_unit))
    }

    /// How long a row warmed up, in runs from the first capture that has it (captures where runs
    /// are unknown); `None` where it did not, or had not settled at the last capture.
    pub fn warm_up(&self, row: usize) -> Option<f64> {
        let warm = self.judgement(row)?.warm_up > 0;
        warm.then(|| self.judge.detail(&self.values, &self.judged, row))??
            .warm_up
    }

    /// What a change did to a row, where two sides can be compared per run.
    pub fn change(&self, row: usize) -> Option<&SideChange> {
        self.judged.changes.get(row)
    }

    /// The growth per run of both sides of a row, and its difference with an interval.
    pub fn side_growth(&self, row: usize) -> Option<SideGrowth> {
        self.judge.side_growth(&self.values, row)
    }

    /// What became of a row in a word or three: its class, and of two series what the change did.
    pub fn class_words(&self, row: usize) -> Cow<'static, str> {
        match self.change(row) {
            Some(c) if self.summary.series => change_words(c, self.growth(row)),
            _ if self.path(row) == Some(Path::Error) => "error path".into(),
            _ => self.growth(row).as_str().into(),
        }
    }

    /// Whether a row's difference, if there is any, lies inside the noise.
    pub fn is_quiet(&self, row: usize) -> bool {
        self.growth(row).is_quiet() && (self.delta(row) == 0 || self.knows_noise())
    }

    /// Whether differences were held against the noise of the captures.
    pub fn knows_noise(&self) -> bool {
        let j = &self.judged;
        !(j.tests.is_empty() && j.judgements.is_empty() && j.changes.is_empty())
    }

    /// The id of a row; all ids are made when the first is asked for.
    ///
    /// A site that was recognised in another build keeps the id that it has in the base, so that
    /// baselines and suppressions hold. Code that moved is a site of its own: its id is the new
    /// one, and [`Report::moved_from`] is the old.
    pub fn id(&self, row: usize) -> SiteId {
        self.ids().rows[row]
    }

    /// The depth at which the stack of a row was cut, if it was: it starts at no entry of the
    /// program or of a thread, and other stacks do. Told of native code only: what an interpreter
    /// starts a program with goes by many names. Cost: one look at the stacks the first time.
    pub fn cut_at(&self, row: usize) -> Option<usize> {
        let Keys::Stacks(stacks) = &self.keys else {
            return None;
        };
        let is_root = |stack: StackId| {
            let first = self.symbols.stacks.frames(stack).next();
            first.is_some_and(|f| self.names.frame(f).root_function)
        };
        let has_roots = || stacks.iter().any(|&s| is_root(s));
        let stack = *stacks.get(row)?;
        let depth = self.symbols.stacks.frames(stack).count();
        let mut frames = self.symbols.stacks.frames(stack);
        let native = frames.next().is_some_and(|f| {
            let language = self.names.frame(f).language;
            matches!(language, Language::Rust | Language::Cpp | Language::Go)
        });
        (native && depth > 1 && !is_root(stack) && *self.has_roots.get_or_init(has_roots))
            .then_some(depth)
    }

    /// The side whose cut stacks hold the most of the chosen metric; `None` where no stack was cut.
    /// Stacks are cut that start at no entry of the program while others do; where none is known,
    /// when most end at one depth that is the deepest. Told of native code only. Cost: one pass
    /// over the stacks of both sides.
    pub fn cut_stacks(&self) -> Option<CutStacks> {
        let Keys::Stacks(stacks) = &self.keys else {
            return None;
        };
        let of_side = |before: bool| {
            let mut rows: Vec<(usize, bool, i64)> = Vec::new();
            for (row, &stack) in stacks.iter().enumerate() {
                let ends = self.chosen_ends(row);
                let held = if before { ends.0 } else { ends.1 };
                let base = self.matches.get(row).and_then(|m| m.base_stack);
                let stack = if before { base.unwrap_or(stack) } else { stack };
                let mut frames = self.symbols.stacks.frames(stack);
                let Some(first) = frames.next().filter(|_| held != 0) else {
                    continue;
                };
                let first = self.names.frame(first);
                let languages = [Language::Rust, Language::Cpp, Language::Go];
                if languages.contains(&first.language) {
                    rows.push((1 + frames.count(), first.root_function, held));
                }
            }
            CutStacks::of(&rows, before)
        };
        let sides = [true, false].map(of_side);
        sides
            .into_iter()
            .flatten()
            .max_by(|a, b| a.share.total_cmp(&b.share))
    }

    /// The id that a moved site had in the base.
    pub fn moved_from(&self, row: usize) -> Option<SiteId> {
        let m = self.matches.get(row)?;
        if m.by != MatchedBy::Moved {
            return None;
        }
        let moved = &self.ids().moved;
        let at = moved
            .binary_search_by_key(&(row as u32), |&(r, _)| r)
            .ok()?;
        Some(moved[at].1)
    }

    /// How many sites before became how many after, for rows that are several sites which could
    /// not be told apart.
    pub fn became(&self, row: usize) -> Option<(u32, u32)> {
        self.matches.get(row)?.became
    }

    fn ids(&self) -> &Ids {
        self.ids.get_or_init(|| self.make_ids())
    }

    fn make_ids(&self) -> Ids {
        match &self.keys {
            Keys::Stacks(stacks) => {
                let mut known = stacks.to_vec();
                for (stack, m) in known.iter_mut().zip(self.matches) {
                    if m.by != MatchedBy::Moved {
                        *stack = m.base_stack.unwrap_or(*stack);
                    }
                }
                let mut moved = Vec::new();
                for (row, m) in self.matches.iter().enumerate() {
                    if let (MatchedBy::Moved, Some(stack)) = (m.by, m.base_stack) {
                        moved.push(row as u32);
                        known.push(stack);
                    }
                }
                let mut rows = self.names.ids(&known);
                let old = rows.split_off(stacks.len());
                Ids {
                    rows,
                    moved: moved.into_iter().zip(old).collect(),
                }
            }
            Keys::Groups(groups) => {
                let by = self.group_by.name();
                let id = |g: &Group| self.names.group_id(&by, g.frame);
                Ids {
                    rows: groups.iter().map(id).collect(),
                    moved: Vec::new(),
                }
            }
        }
    }

    /// The identity of a finding: the head of SHA-256 over its rule and its subject. Of a site
    /// the hash takes part, not the rank: sites that differ in lines alone share a finding's id,
    /// and it outlives edits above them.
    pub fn finding_id(&self, finding: &Finding) -> u64 {
        let subject = match finding.subject.kind {
            SubjectKind::Site => format!("{:016x}", self.id(finding.subject.index as usize).hash),
            _ => finding.subject.index.to_string(),
        };
        finding_id(finding.rule, finding.subject.kind, &subject)
    }

    /// How a row was recognised.
    pub fn matched_by(&self, row: usize) -> MatchedBy {
        if let (Keys::Stacks(_), Some(m)) = (&self.keys, self.matches.get(row)) {
            return m.by;
        }
        let has = |columns: &[crate::model::Column]| columns.iter().any(|c| c.get(row) != 0);
        match &self.keys {
            Keys::Groups(_) => MatchedBy::Group,
            Keys::Stacks(_) => match (has(self.values.before()), has(self.values.after())) {
                (true, false) => MatchedBy::OnlyBefore,
                (false, true) => MatchedBy::OnlyAfter,
                _ => MatchedBy::Exact,
            },
        }
    }

    /// What tells a hot path from an error path; `None` for metrics that are not live.
    pub fn hot(&self, row: usize) -> Option<Hot> {
        if self.metric().nature != Nature::Live || self.has_two_sides() {
            return None;
        }
        let find = |name: &str| self.metrics.iter().position(|m| m.name == name);
        let delta = |name: &str| {
            let (before, after) = self.ends(&self.values, find(name)?, row);
            Some(after as f64 - before as f64)
        };
        let series: Vec<i64> = self.series(&self.values, row).collect();
        let kept = match (delta("live_bytes"), delta("total_bytes")) {
            (Some(live), Some(total)) if total > 0.0 => Some((live / total).clamp(0.0, 1.0)),
            _ => None,
        };
        // Of captures of equal runs that differ in another driver none is later.
        let later = |i: &usize| self.runs.get(*i..i + 2).is_none_or(|r| r[0] < r[1]);
        let intervals: Vec<usize> = (0..series.len().saturating_sub(1)).filter(later).collect();
        Some(Hot {
            blocks_per_run: find("live_blocks")
                .and_then(|i| self.per_run.of(&self.values, &self.metrics, i, row)),
            kept_share: kept,
            grew_in: intervals
                .iter()
                .filter(|&&i| series[i + 1] > series[i])
                .count(),
            of: intervals.len(),
        })
    }

    /// Whether a growing row is on the path of every run or on one of few; `None` where that cannot
    /// be told.
    pub fn path(&self, row: usize) -> Option<Path> {
        if self.metric().nature != Nature::Live {
            return None;
        }
        let series = PathSeries {
            values: &self.values,
            metrics: &self.metrics,
            chosen: self.chosen,
            per_run: &self.per_run,
            runs: &self.runs,
        };
        path(&series, self.growth(row), self.judgement(row), row)
    }

    /// The sums of the rows at these positions of `order` and of the rows that are not in it:
    /// what a table that shows the others has to state.
    pub fn rest(&self, shown: usize) -> Rest {
        let shown = &self.order[..shown.min(self.order.len())];
        let rest = |column: &crate::model::Column| -> i128 {
            let shown = shown.iter().map(|&r| column.get(r as usize) as i128);
            column.sum() - shown.sum::<i128>()
        };
        Rest {
            rows: self.len() - shown.len(),
            before: self.values.before().iter().map(rest).collect(),
            after: self.values.after().iter().map(rest).collect(),
        }
    }

    /// What the captures of one series do not show because it was freed before they were taken;
    /// `None` where that is nothing much. Cost: the number of captures.
    pub fn freed_at_end(&self) -> Option<FreedAtEnd> {
        if self.has_two_sides() || self.metric().name != "live_bytes" {
            return None;
        }
        freed_at_end(&self.captures)
    }

    /// The total of metric `i` before and after, filtered rows included.
    pub fn total(&self, i: usize) -> (i128, i128) {
        let of = |columns: &[crate::model::Column]| -> i128 {
            columns
                .get(i)
                .map_or(0, |c| if c.is_empty() { 0 } else { c.get(0) as i128 })
        };
        (of(self.totals.before()), of(self.totals.after()))
    }
}

/// A peak that rises along the runs while next to nothing is held in the captures. All in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreedAtEnd {
    /// The peak of the first capture.
    pub first_peak: i128,
    /// The peak of the last capture.
    pub last_peak: i128,
    /// What the last capture holds.
    pub held: i128,
}

/// Captures of this share of the peak or less were taken after the program had cleaned up.
const CLEANED_UP: i128 = 10;

/// Programs that free everything before they end have captures that hold nothing, whatever piled
/// up while they ran. Their peak tells: it rises in every interval, by a quarter at least.
fn freed_at_end(captures: &[CaptureInfo]) -> Option<FreedAtEnd> {
    let of = |c: &CaptureInfo, name: &str| {
        let total = c.totals.iter().find(|(m, _)| m.name == name);
        total.map(|&(_, n)| n)
    };
    let peaks: Vec<i128> = captures
        .iter()
        .map(|c| of(c, "peak_bytes"))
        .collect::<Option<_>>()?;
    let (&first_peak, &last_peak) = (peaks.first()?, peaks.last()?);
    let held = of(captures.last()?, "live_bytes")?;
    let rises = peaks.len() > 1 && peaks.windows(2).all(|w| w[0] < w[1]);
    let much = (last_peak - first_peak) * 4 >= first_peak;
    (rises && much && held * CLEANED_UP <= last_peak).then_some(FreedAtEnd {
        first_peak,
        last_peak,
        held,
    })
}

/// Rows that a table does not show, added up; one value per metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Rest {
    /// Number of rows.
    pub rows: usize,
    /// Before.
    pub before: Vec<i128>,
    /// After.
    pub after: Vec<i128>,
}
