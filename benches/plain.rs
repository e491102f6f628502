//! The yardstick: what a careful person writes in an afternoon. Types for the file, `serde_json`,
//! a hash map from stacks to numbers, and a pass over both maps.

use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct File<'a> {
    pps: Vec<Point>,
    #[serde(borrow)]
    ftbl: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Point {
    tb: u64,
    tbk: u64,
    tl: u64,
    mb: u64,
    mbk: u64,
    gb: u64,
    gbk: u64,
    eb: u64,
    ebk: u64,
    fs: Vec<u32>,
}

/// Numbers of every metric.
pub type Values = [u64; 9];

/// Frames by their text without the address, across files.
#[derive(Default)]
pub struct Names {
    known: HashMap<String, u32>,
}

/// The points of a file by their stack, leaf first.
pub type Side = HashMap<Vec<u32>, Values>;

impl Names {
    /// Loads a file.
    pub fn load(&mut self, path: &Path) -> Result<Side, Failure> {
        let bytes = std::fs::read(path)?;
        let file: File<'_> = serde_json::from_slice(&bytes)?;
        let mut frames = Vec::with_capacity(file.ftbl.len());
        for text in &file.ftbl {
            let name = text.split_once(": ").map_or(&**text, |(_, name)| name);
            let next = self.known.len() as u32;
            frames.push(match self.known.get(name) {
                Some(&known) => known,
                None => *self.known.entry(name.to_owned()).or_insert(next),
            });
        }
        let mut side = Side::with_capacity(file.pps.len());
        for mut point in file.pps {
            for frame in &mut point.fs {
                *frame = *frames.get(*frame as usize).ok_or("no such frame")?;
            }
            let p = &point;
            let values = [p.tb, p.tbk, p.tl, p.mb, p.mbk, p.gb, p.gbk, p.eb, p.ebk];
            let sums = side.entry(point.fs).or_default();
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        }
        Ok(side)
    }
}

/// What a comparison says: the sum of live bytes before and after, the stacks that differ in
/// them, and the greatest growth first of twenty.
pub fn compare(before: &Path, after: &Path) -> Result<(u64, u64, usize, Vec<i64>), Failure> {
    const LIVE: usize = 7;
    let mut names = Names::default();
    let before = names.load(before)?;
    let after = names.load(after)?;
    let sum = |side: &Side| side.values().map(|v| v[LIVE]).sum();
    let live = |side: &Side, stack: &Vec<u32>| side.get(stack).map_or(0, |v| v[LIVE] as i64);
    let mut growth: Vec<i64> = after
        .iter()
        .map(|(stack, values)| values[LIVE] as i64 - live(&before, stack))
        .chain(
            before
                .iter()
                .filter(|(stack, _)| !after.contains_key(*stack))
                .map(|(_, values)| -(values[LIVE] as i64)),
        )
        .filter(|&g| g != 0)
        .collect();
    growth.sort_by_key(|g| std::cmp::Reverse(g.abs()));
    let differing = growth.len();
    growth.truncate(20);
    Ok((sum(&before), sum(&after), differing, growth))
}
