//! `--captures`: heap profiles beside monitoring, site by site.

use super::analysis::{self, Shape};
use super::args::{InputArgs, Sort};
use super::load::{self, Reading};
use super::prepare::{self, Look};
use super::runs_from;
use crate::diff::{Filters, GroupBy};
use crate::error::{Error, Result};
use crate::normalize::{Naming, PathMap};
use crate::render;
use crate::report::{JoinedSite, TimelineReport};
use crate::verdict::Thresholds;

/// Sites that are named.
const MOST_SITES: usize = 20;
/// Characters of a name.
const NAME: usize = 70;

/// Reads the captures and puts their growth beside that of the service that is named first.
///
/// Errors: as of `compare`; fewer than two captures; captures of object graphs.
pub(super) fn join(report: &mut TimelineReport, place: &str, runs: &[f64]) -> Result<()> {
    let input = InputArgs {
        input_format: None,
        unit: None,
        strict: false,
        runs: runs.to_vec(),
        symbolize: Vec::new(),
        merge_by: None,
    };
    let captures = [place.to_owned()];
    let items = load::items(&captures, &[], None)?;
    let look = Look {
        metric: Some("live_bytes".to_owned()),
        filters: Filters::default(),
        label: None,
        runs: runs.to_vec(),
        ends_of_one: true,
        only: None,
    };
    let prepared = prepare::prepare(&items, &Reading::new(&input)?, &look)?;
    if prepared.captures.len() < 2 {
        return Err(Error::usage("one capture alone has no growth")
            .in_file(place)
            .help("name a folder with two captures or more"));
    }
    let shape = Shape {
        group_by: GroupBy::Stack,
        sort: Sort::Delta,
        min_delta: 0,
        driver: "runs".to_owned(),
        runs_per_hour: None,
        memory_limit: None,
        thresholds: Thresholds::default(),
        shown: MOST_SITES,
    };
    let naming = Naming::new(&prepared.symbols, prepared.language, PathMap::default());
    let grown = analysis::report(&prepared, &naming, &shape);
    let rows: Vec<u32> = grown
        .order
        .iter()
        .copied()
        .filter(|&row| grown.delta(row as usize) > 0)
        .take(MOST_SITES)
        .collect();
    let names = render::words::sites(&grown, &rows);
    let small = |v: i128| i64::try_from(v).unwrap_or(i64::MAX);
    let sites = rows
        .iter()
        .zip(names)
        .map(|(&row, name)| JoinedSite {
            name: name.fit(NAME),
            id: grown.id(row as usize).to_string(),
            per_run: grown.row_per_run(row as usize),
            per_hour: None,
            delta: small(grown.delta(row as usize)),
        })
        .collect();
    let (before, after) = grown.total(grown.chosen);
    let total = after - before;
    let runs = match (grown.captures.first(), grown.captures.last()) {
        (Some(a), Some(b)) => a.runs().zip(b.runs()).map(|(a, b)| b - a),
        _ => None,
    };
    let per_run = runs.filter(|r| *r > 0.0).map(|r| total as f64 / r);
    let time = |path: Option<&String>| path.and_then(|p| runs_from::taken(p).ok());
    let paths = |i: usize| items.get(i).and_then(|item| item.group.paths.first());
    let times = time(paths(0)).zip(time(paths(items.len().saturating_sub(1))));
    report.join(sites, (small(total), per_run), times);
    Ok(())
}
