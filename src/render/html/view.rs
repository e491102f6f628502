//! What the script draws: the rows as columns, their stacks as a tree, and the flamegraph.

use crate::diff::{Growth, MatchedBy};
use crate::model::{Frame, Metric, StrId, Unit};
use crate::render::flame::{self, FlameTree};
use crate::render::words;
use crate::report::{Keys, Report};
use rustc_hash::FxHashMap;
use serde::Serialize;

/// Frames of the flamegraph in the page.
const FRAMES: usize = 8_000;

/// A finding as the page needs it: where it is, and what accepts it.
#[derive(Serialize)]
pub(super) struct FindingView {
    pub id: String,
    pub title: String,
    pub site: Option<String>,
    /// Keys and values of its suppression, values as TOML.
    pub lines: Vec<(&'static str, String)>,
}

/// The data of a page about allocation sites.
#[derive(Serialize)]
pub(super) struct View<'r> {
    metric: &'r str,
    unit: &'static str,
    per: &'r str,
    knows_runs: bool,
    has_sides: bool,
    /// Captures of the base side.
    base: usize,
    labels: Vec<String>,
    runs: Vec<Option<f64>>,
    classes: Vec<&'static str>,
    /// The class of a row as text names it: `error path`, `cured`.
    words: Vec<String>,
    tiers: Vec<&'static str>,
    /// Rows that are not listed.
    omitted: usize,
    findings: Vec<FindingView>,
    strings: Vec<&'r str>,
    frames: Frames,
    stacks: Stacks,
    sites: Sites<'r>,
    flame: Flame,
}

/// Distinct frames: positions of strings.
#[derive(Serialize, Default)]
struct Frames {
    function: Vec<u32>,
    file: Vec<u32>,
    line: Vec<u32>,
    module: Vec<u32>,
    inlined: Vec<u8>,
}

/// A prefix tree of stacks; node 0 is the empty stack.
#[derive(Serialize)]
struct Stacks {
    parent: Vec<u32>,
    frame: Vec<u32>,
}

#[derive(Serialize)]
struct Ends {
    before: Vec<i64>,
    after: Vec<i64>,
}

/// The rows in the order of the document, as columns.
#[derive(Serialize)]
struct Sites<'r> {
    id: Vec<String>,
    name: Vec<String>,
    place: Vec<String>,
    stack: Vec<u32>,
    owner: Vec<Option<usize>>,
    before: Vec<i64>,
    after: Vec<i64>,
    per_run: Vec<Option<f64>>,
    growth: Vec<u8>,
    /// Positions of `words`.
    word: Vec<usize>,
    slope: Vec<Option<[f64; 3]>>,
    q: Vec<Option<f64>>,
    matched: Vec<u8>,
    follows: Vec<Option<&'r str>>,
    series: Vec<Vec<i64>>,
    metrics: indexmap::IndexMap<&'r str, Ends>,
}

/// The flamegraph's tree.
#[derive(Serialize)]
struct Flame {
    names: Vec<String>,
    places: Vec<String>,
    parent: Vec<i64>,
    name: Vec<u32>,
    /// What each frame holds by itself in each capture; empty for nothing.
    own: Vec<Vec<i64>>,
    growth: Vec<u8>,
    loud: Vec<u8>,
    row: Vec<i64>,
    site_node: Vec<u32>,
    chips: indexmap::IndexMap<u32, String>,
    rest: Vec<Rest>,
    ends: (usize, usize),
    captures: usize,
    labels: Vec<String>,
    pruned: usize,
}

#[derive(Serialize)]
struct Rest {
    node: u32,
    up: Vec<i64>,
    down: Vec<i64>,
}

fn narrow(n: i128) -> i64 {
    n.clamp(i64::MIN as i128, i64::MAX as i128) as i64
}

/// How a capture is called on an axis: its runs, or its place.
fn labels(report: &Report<'_>) -> Vec<String> {
    let two = report.has_two_sides();
    report
        .captures
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let side = if two { c.side.as_str() } else { "" };
            let at = match c.runs() {
                Some(runs) => format!("@{}", crate::units::plain(runs)),
                None => format!("capture {}", i + 1),
            };
            format!("{side} {at}").trim().to_owned()
        })
        .collect()
}

/// Whether a metric counts bytes, for the page.
fn unit(metric: &Metric) -> &'static str {
    match metric.unit {
        Unit::Bytes => "bytes",
        _ => "count",
    }
}

/// The view of the first `shown` rows. Cost: linear in what is shown and in the frames of all
/// sites.
pub(super) fn view<'r>(
    report: &'r Report<'_>,
    shown: usize,
    findings: Vec<FindingView>,
) -> View<'r> {
    let rows: Vec<usize> = report.order[..shown].iter().map(|&r| r as usize).collect();
    let mut tables = Tables::default();
    let stack: Vec<u32> = rows.iter().map(|&row| tables.stack(report, row)).collect();
    let metrics = |i: usize| Ends {
        before: rows
            .iter()
            .map(|&r| report.values.before()[i].get(r))
            .collect(),
        after: rows
            .iter()
            .map(|&r| report.values.after()[i].get(r))
            .collect(),
    };
    let is_listed = |i: usize| {
        report.metrics[i].is_additive()
            || i == report.chosen
            || matches!(report.keys, Keys::Stacks(_))
    };
    let names: Vec<words::SiteName> = rows.iter().map(|&r| words::site(report, r)).collect();
    let numbers = |f: &dyn Fn(usize) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter()
            .map(|&r| f(r).filter(|n| n.is_finite()))
            .collect()
    };
    let driver = report.driver.as_str();
    let mut distinct = indexmap::IndexSet::new();
    let word = rows
        .iter()
        .map(|&r| distinct.insert_full(report.class_words(r).into_owned()).0)
        .collect();
    View {
        metric: &report.metric().name,
        unit: unit(report.metric()),
        per: driver.strip_suffix('s').unwrap_or(driver),
        knows_runs: report.knows_runs(),
        has_sides: report.has_two_sides(),
        base: report
            .captures
            .iter()
            .filter(|c| c.side == crate::diff::Side::Base)
            .count(),
        labels: labels(report),
        runs: report.captures.iter().map(|c| c.runs()).collect(),
        words: distinct.into_iter().collect(),
        classes: CLASSES
            .iter()
            .map(|g| g.as_str())
            .chain([ERROR_PATH])
            .collect(),
        tiers: TIERS.iter().map(|m| m.as_str()).collect(),
        omitted: report.len() - shown,
        findings,
        sites: Sites {
            id: rows.iter().map(|&r| report.id(r).to_string()).collect(),
            name: names
                .iter()
                .map(|n| {
                    let mut plain = n.clone();
                    plain.place.clear();
                    plain.fit(160)
                })
                .collect(),
            place: names.iter().map(|n| n.place.clone()).collect(),
            stack,
            owner: rows.iter().map(|&r| report.owner(r)).collect(),
            before: rows.iter().map(|&r| report.chosen_ends(r).0).collect(),
            after: rows.iter().map(|&r| report.chosen_ends(r).1).collect(),
            per_run: numbers(&|r| report.row_per_run(r)),
            growth: rows.iter().map(|&r| class_of(report, r)).collect(),
            word,
            slope: rows
                .iter()
                .map(|&r| {
                    let s = report.slope(r)?;
                    let all = [s.value, s.lo, s.hi];
                    all.iter().all(|n| n.is_finite()).then_some(all)
                })
                .collect(),
            q: numbers(&|r| Some(report.significance(r)?.q_value)),
            matched: rows.iter().map(|&r| tier(report.matched_by(r))).collect(),
            follows: rows
                .iter()
                .map(|&r| report.follows(r).map(|(name, _)| name))
                .collect(),
            series: rows
                .iter()
                .map(|&r| report.series(&report.values, r).collect())
                .collect(),
            metrics: (0..report.metrics.len())
                .filter(|&i| is_listed(i))
                .map(|i| (report.metrics[i].name.as_str(), metrics(i)))
                .collect(),
        },
        flame: flame_view(report, &rows),
        strings: tables.texts(report),
        frames: tables.frames,
        stacks: Stacks {
            parent: tables.parent,
            frame: tables.frame,
        },
    }
}

/// Strings, frames and stacks of the listed rows.
struct Tables {
    strings: indexmap::IndexSet<StrId>,
    known: FxHashMap<(StrId, StrId, u32, StrId, bool), u32>,
    frames: Frames,
    nodes: FxHashMap<(u32, u32), u32>,
    parent: Vec<u32>,
    frame: Vec<u32>,
}

impl Default for Tables {
    fn default() -> Tables {
        Tables {
            strings: indexmap::IndexSet::from([StrId::EMPTY]),
            known: FxHashMap::default(),
            frames: Frames::default(),
            nodes: FxHashMap::default(),
            parent: vec![0],
            frame: vec![0],
        }
    }
}

impl Tables {
    fn stack(&mut self, report: &Report<'_>, row: usize) -> u32 {
        let mut at = 0;
        for frame in report.frames(row) {
            let f = self.frame(frame);
            let next = self.parent.len() as u32;
            let node = *self.nodes.entry((at, f)).or_insert(next);
            if node == next {
                self.parent.push(at);
                self.frame.push(f);
            }
            at = node;
        }
        at
    }

    fn frame(&mut self, frame: Frame) -> u32 {
        let key = (
            frame.function,
            frame.file,
            frame.line,
            frame.module,
            frame.inlined,
        );
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let mut text = |id: StrId| self.strings.insert_full(id).0 as u32;
        self.frames.function.push(text(frame.function));
        self.frames.file.push(text(frame.file));
        self.frames.line.push(frame.line);
        self.frames.module.push(text(frame.module));
        self.frames.inlined.push(u8::from(frame.inlined));
        let at = self.frames.function.len() as u32 - 1;
        self.known.insert(key, at);
        at
    }

    fn texts<'r>(&self, report: &'r Report<'_>) -> Vec<&'r str> {
        let text = |&id: &StrId| report.symbols.strings.get(id);
        self.strings.iter().map(text).collect()
    }
}

fn flame_view(report: &Report<'_>, rows: &[usize]) -> Flame {
    let tree: FlameTree = flame::tree_of(report, FRAMES);
    let mut listed = FxHashMap::default();
    if matches!(report.keys, Keys::Stacks(_)) {
        listed.extend(rows.iter().enumerate().map(|(i, &r)| (r as u32, i as i64)));
    }
    let mut chips = indexmap::IndexMap::new();
    let mut names = tree.names.clone();
    let mut places = tree.places.clone();
    let mut name = Vec::with_capacity(tree.nodes.len());
    for (i, node) in tree.nodes.iter().enumerate() {
        let chip = flame::svg::chips(node);
        if !chip.is_empty() {
            chips.insert(i as u32, chip);
        }
        if node.smaller == 0 {
            name.push(node.name);
        } else {
            name.push(names.len() as u32);
            names.push(tree.name(i).into_owned());
            places.push(String::new());
        }
    }
    let nodes = tree.nodes.iter();
    Flame {
        parent: nodes
            .clone()
            .enumerate()
            .map(|(i, n)| if i == 0 { -1 } else { n.parent as i64 })
            .collect(),
        name,
        own: (0..tree.nodes.len())
            .map(|i| match tree.own_series(i) {
                own if own.iter().all(|&n| n == 0) => Vec::new(),
                own => own.iter().map(|&n| narrow(n)).collect(),
            })
            .collect(),
        growth: nodes.clone().map(|n| class(n.growth)).collect(),
        loud: nodes.clone().map(|n| u8::from(n.loud)).collect(),
        row: nodes
            .map(|n| n.row.and_then(|r| listed.get(&r).copied()).unwrap_or(-1))
            .collect(),
        site_node: match &report.keys {
            Keys::Stacks(_) => rows.iter().map(|&r| tree.row_nodes[r]).collect(),
            Keys::Groups(_) => Vec::new(),
        },
        chips,
        rest: tree
            .moved
            .iter()
            .map(|(node, moved)| Rest {
                node: *node,
                up: moved.iter().map(|m| narrow(m.0)).collect(),
                down: moved.iter().map(|m| narrow(m.1)).collect(),
            })
            .collect(),
        ends: tree.ends,
        captures: tree.captures,
        labels: labels(report),
        pruned: tree.pruned,
        names,
        places,
    }
}

/// Classes by their number in the view.
const CLASSES: [Growth; 14] = [
    Growth::New,
    Growth::Gone,
    Growth::Grew,
    Growth::Shrank,
    Growth::Unchanged,
    Growth::SteadyGrowth,
    Growth::Accelerating,
    Growth::Step,
    Growth::WarmUp,
    Growth::Sawtooth,
    Growth::Stable,
    Growth::Shrinking,
    Growth::Irregular,
    Growth::Undetermined,
];

/// What the table calls a site that few runs allocate at, as text does; behind the classes.
const ERROR_PATH: &str = "error path";

fn class_of(report: &Report<'_>, row: usize) -> u8 {
    match report.class_words(row) == ERROR_PATH {
        true => CLASSES.len() as u8,
        false => class(report.growth(row)),
    }
}

fn class(growth: Growth) -> u8 {
    CLASSES.iter().position(|&g| g == growth).unwrap_or(4) as u8
}

/// Ways of recognising a site by their number in the view.
const TIERS: [MatchedBy; 11] = [
    MatchedBy::Exact,
    MatchedBy::Line,
    MatchedBy::Symbol,
    MatchedBy::Path,
    MatchedBy::Inline,
    MatchedBy::Source,
    MatchedBy::Moved,
    MatchedBy::Ambiguous,
    MatchedBy::Group,
    MatchedBy::OnlyBefore,
    MatchedBy::OnlyAfter,
];

fn tier(by: MatchedBy) -> u8 {
    TIERS.iter().position(|&t| t == by).unwrap_or(0) as u8
}
