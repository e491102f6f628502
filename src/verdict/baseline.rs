//! Baselines from captures: sites under names that survive a rebuild, in an order that a review
//! can read.

use crate::diff::default_metric;
use crate::format::baseline::{
    Columns, File, FrameOf, RestOf, SCHEMA, SiteOf, Taken, profiles, stacks,
};
use crate::model::{Exactness, FrameId, Metric, Profile, StackId, Symbols};
use crate::normalize::{Naming, PathMap, SiteId};
use crate::trend::Estimate;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Captures that one baseline keeps: replicates beyond these add nothing to what is known of the
/// noise.
pub const MOST_CAPTURES: usize = 32;
/// Up to so many sites all are listed.
const LISTED: usize = 1000;
/// Beyond, sites that never hold as much are summed up, bytes.
const SMALL: i64 = 4096;

/// A capture on its way into a baseline.
pub struct Saved {
    /// What is said of it.
    pub taken: Taken,
    /// What it holds.
    pub profile: Profile,
}

impl Saved {
    /// A capture of the file `path`; of its path the name alone is kept.
    pub fn new(path: &str, profile: Profile) -> Saved {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let sampling = profile.meta.sampling;
        let taken = Taken {
            name: name.to_owned(),
            format: profile.meta.format.to_owned(),
            producer: profile.meta.producer.clone(),
            drivers: profile.meta.drivers.iter().cloned().collect(),
            mean_bytes: sampling.and_then(|s| s.mean_bytes.or(s.estimated_mean_bytes)),
        };
        Saved { taken, profile }
    }
}

/// The captures of a file, or those of its origin.
///
/// Errors: a file whose values do not fit.
pub fn saved(file: &File, origin: bool, symbols: &mut Symbols) -> crate::Result<Vec<Saved>> {
    let origin = origin && !file.origin.is_empty();
    let taken = if origin { &file.origin } else { &file.captures };
    let profiles = profiles(file, origin, symbols)?;
    let pair = |(taken, profile): (&Taken, Profile)| Saved {
        taken: taken.clone(),
        profile,
    };
    Ok(taken.iter().zip(profiles).map(pair).collect())
}

/// The file of these captures; `origin` are those of the first save, where they are others.
///
/// File names stand in it without machine and version, unless a site would lose its id by that.
/// Sums that exceed 64 bits stay at the bound.
pub fn build(captures: &[Saved], origin: &[Saved], symbols: &Symbols, naming: &Naming<'_>) -> File {
    let file = build_as(captures, origin, symbols, naming, true);
    let wanted = ids_of(captures, naming);
    let found: Vec<u64> = {
        let mut hashes: Vec<u64> = file
            .sites
            .iter()
            .filter(|s| s.values.values().any(|v| v.iter().any(|&n| n != 0)))
            .filter_map(|s| u64::from_str_radix(s.id.split('#').next()?, 16).ok())
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    };
    // What the rest sums up has no id here.
    let lost = found.iter().any(|h| wanted.binary_search(h).is_err());
    match lost {
        true => build_as(captures, origin, symbols, naming, false),
        false => file,
    }
}

fn ids_of(captures: &[Saved], naming: &Naming<'_>) -> Vec<u64> {
    let mut stacks: Vec<StackId> = captures
        .iter()
        .flat_map(|c| c.profile.stacks.iter().copied())
        .collect();
    stacks.sort_unstable_by_key(|s| s.index());
    stacks.dedup();
    let mut hashes: Vec<u64> = naming.ids(&stacks).into_iter().map(|id| id.hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn build_as(
    captures: &[Saved],
    origin: &[Saved],
    symbols: &Symbols,
    naming: &Naming<'_>,
    portable: bool,
) -> File {
    let metrics = common_metrics(captures.iter().chain(origin));
    let mut frames: BTreeMap<String, FrameOf> = BTreeMap::new();
    let mut keys: BTreeMap<FrameId, String> = BTreeMap::new();
    let mut sites: BTreeMap<Vec<String>, SiteOf> = BTreeMap::new();
    let mut rest = RestOf::default();
    for (list, of_origin) in [(captures, false), (origin, true)] {
        for (at, one) in list.iter().enumerate() {
            let profile = &one.profile;
            let columns: Vec<(usize, &str)> = metrics
                .iter()
                .filter_map(|m| Some((profile.metric(&m.name)?, m.name.as_str())))
                .collect();
            let variances = variances(profile);
            for (row, &stack) in profile.stacks.iter().enumerate() {
                let path: Vec<String> = symbols
                    .stacks
                    .frames(stack)
                    .map(|f| key(f, symbols, naming, portable, &mut keys, &mut frames))
                    .collect();
                let values = columns
                    .iter()
                    .map(|&(i, name)| (name, profile.columns[i].get(row)));
                if path.is_empty() {
                    let into = match of_origin {
                        true => &mut rest.origin,
                        false => &mut rest.values,
                    };
                    add(into, values, at, list.len());
                    continue;
                }
                let site = sites.entry(path).or_default();
                let into = match of_origin {
                    true => &mut site.origin,
                    false => &mut site.values,
                };
                add(into, values, at, list.len());
                if let (Some(variances), false) = (&variances, of_origin) {
                    site.variance.resize(list.len(), 0.0);
                    site.variance[at] += variances[row].round();
                }
            }
        }
    }
    for (path, site) in &mut sites {
        site.stack = path.clone();
    }
    let mut list: Vec<SiteOf> = sites.into_values().collect();
    sum_up_small(&mut list, &metrics, &mut rest);
    let first = captures.first().map(|c| &c.profile.meta);
    let exactness = captures.iter().map(|c| c.profile.meta.exactness);
    let exactness = match () {
        () if exactness.clone().all(|e| e == Exactness::Exact) => "exact",
        () if exactness.clone().any(|e| e == Exactness::Sampled) => "sampled",
        () => "unknown",
    };
    let mut file = File {
        schema: SCHEMA.to_owned(),
        heapdiff: env!("CARGO_PKG_VERSION").to_owned(),
        language: first.and_then(|m| m.language).map(str::to_owned),
        exactness: exactness.to_owned(),
        metrics: metrics
            .iter()
            .map(|m| (m.name.clone(), m.unit.as_str().to_owned()))
            .collect(),
        default_metric: captures.first().map(|c| default_metric(&c.profile)),
        captures: captures.iter().map(|c| c.taken.clone()).collect(),
        origin: origin.iter().map(|c| c.taken.clone()).collect(),
        frames: BTreeMap::new(),
        sites: list,
        rest: (!rest.values.is_empty() || !rest.origin.is_empty()).then_some(rest),
    };
    for site in &file.sites {
        for key in &site.stack {
            if let Some(frame) = frames.get(key) {
                file.frames.insert(key.clone(), frame.clone());
            }
        }
    }
    name_sites(&mut file);
    file
}

/// Metrics that every capture has in the same unit.
fn common_metrics<'c>(captures: impl Iterator<Item = &'c Saved> + Clone) -> Vec<Metric> {
    let Some(first) = captures.clone().next() else {
        return Vec::new();
    };
    let everywhere = |m: &&Metric| captures.clone().all(|c| c.profile.metrics.contains(m));
    first
        .profile
        .metrics
        .iter()
        .filter(everywhere)
        .cloned()
        .collect()
}

fn add<'n>(
    into: &mut Columns,
    values: impl Iterator<Item = (&'n str, i64)>,
    at: usize,
    captures: usize,
) {
    for (name, value) in values.filter(|(_, v)| *v != 0) {
        let column = into
            .entry(name.to_owned())
            .or_insert_with(|| vec![0; captures]);
        column[at] = column[at].saturating_add(value);
    }
}

/// The key of a frame: twelve hex digits of what it holds, more where two would share them.
fn key(
    id: FrameId,
    symbols: &Symbols,
    naming: &Naming<'_>,
    portable: bool,
    keys: &mut BTreeMap<FrameId, String>,
    frames: &mut BTreeMap<String, FrameOf>,
) -> String {
    if let Some(known) = keys.get(&id) {
        return known.clone();
    }
    let frame = symbols.frames.get(id);
    let text = |id| symbols.strings.get(id);
    let file = match (portable, text(frame.file)) {
        (_, "") => String::new(),
        (true, _) => naming.frame(id).path.clone(),
        (false, raw) => naming.file(raw).into_owned(),
    };
    let module = text(frame.module);
    let module = match portable {
        true => module.rsplit(['/', '\\']).next().unwrap_or(module),
        false => module,
    };
    let own = FrameOf(
        without_hash(text(frame.function)).to_owned(),
        file,
        frame.line,
        frame.column,
        module.to_owned(),
        frame.inlined,
    );
    let mut hash = Sha256::new();
    for part in [&own.0, &own.1, &own.4] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(own.2.to_le_bytes());
    hash.update(own.3.to_le_bytes());
    hash.update([u8::from(own.5)]);
    let digits: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let mut length = 12;
    while frames.get(&digits[..length]).is_some_and(|f| *f != own) && length < digits.len() {
        length += 4;
    }
    let key = digits[..length].to_owned();
    frames.insert(key.clone(), own);
    keys.insert(id, key.clone());
    key
}

/// A function without the hash that Rust's older mangling appends: it changes with every build.
fn without_hash(function: &str) -> &str {
    match function.rfind("::h") {
        Some(at)
            if function.len() - at == 19
                && function.as_bytes()[at + 3..]
                    .iter()
                    .all(u8::is_ascii_hexdigit) =>
        {
            &function[..at]
        }
        _ => function,
    }
}

fn variances(profile: &Profile) -> Option<Vec<f64>> {
    let sampling = profile.meta.sampling?;
    let mean = sampling.mean_bytes.or(sampling.estimated_mean_bytes)?;
    let metric = default_metric(profile);
    let bytes = &profile.columns[profile.metric(&metric)?];
    let stem = metric.strip_suffix("_bytes")?;
    let blocks = profile
        .metric(&format!("{stem}_blocks"))
        .map(|b| &profile.columns[b]);
    let of = |row| {
        let value = bytes.get(row) as f64;
        match blocks.map(|b| b.get(row)) {
            Some(n) if n > 0 => Estimate::of_scaled(value, n as f64, mean).variance,
            _ => Estimate::of_bytes(value, mean).variance,
        }
    };
    Some((0..profile.len()).map(of).collect())
}

/// Of many sites those that never hold enough to matter become one row.
fn sum_up_small(sites: &mut Vec<SiteOf>, metrics: &[Metric], rest: &mut RestOf) {
    if sites.len() <= LISTED {
        return;
    }
    let held = |name: &str| {
        let metric = metrics.iter().find(|m| m.name == name);
        metric.is_some_and(|m| {
            use crate::model::{Nature, Unit};
            m.unit == Unit::Bytes && matches!(m.nature, Nature::Live | Nature::Peak | Nature::Plain)
        })
    };
    if !metrics.iter().any(|m| held(&m.name)) {
        return;
    }
    let large = |columns: &Columns| {
        columns
            .iter()
            .any(|(name, values)| held(name) && values.iter().any(|v| v.abs() >= SMALL))
    };
    let (keep, small): (Vec<SiteOf>, Vec<SiteOf>) = std::mem::take(sites)
        .into_iter()
        .partition(|s| large(&s.values) || large(&s.origin));
    *sites = keep;
    rest.sites = small.len() as u64;
    let sum = |into: &mut Columns, from: &Columns| {
        for (name, values) in from {
            let column = into
                .entry(name.clone())
                .or_insert_with(|| vec![0; values.len()]);
            for (sum, value) in column.iter_mut().zip(values) {
                *sum = sum.saturating_add(*value);
            }
        }
    };
    for site in &small {
        sum(&mut rest.values, &site.values);
        sum(&mut rest.origin, &site.origin);
    }
}

/// Gives every site the id that it has when the file is read, and sorts by it.
fn name_sites(file: &mut File) {
    let mut symbols = Symbols::default();
    let stacks = stacks(file, &mut symbols);
    let language = file.language.as_deref();
    let naming = Naming::new(&symbols, language, PathMap::default());
    let ids: Vec<SiteId> = naming.ids(&stacks);
    for (site, id) in file.sites.iter_mut().zip(ids) {
        site.id = id.to_string();
    }
    file.sites
        .sort_by(|a, b| (&a.id, &a.stack).cmp(&(&b.id, &b.stack)));
}

/// The bytes of a file: a line for each frame and each site.
pub fn write(file: &File) -> String {
    let frames = file.frames.iter();
    let frames: Vec<String> = frames
        .map(|(key, frame)| format!("\"{key}\": {}", json(frame)))
        .collect();
    let frames = match frames.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{\n  {}\n }}", frames.join(",\n  ")),
    };
    let lines = [
        ("schema", json(&file.schema)),
        ("heapdiff", json(&file.heapdiff)),
        ("language", json(&file.language)),
        ("exactness", json(&file.exactness)),
        ("metrics", json(&file.metrics)),
        ("default_metric", json(&file.default_metric)),
        ("captures", list(file.captures.iter().map(json))),
        ("origin", list(file.origin.iter().map(json))),
        ("frames", frames),
        ("sites", list(file.sites.iter().map(json))),
        ("rest", json(&file.rest)),
    ];
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(key, value)| format!(" \"{key}\": {value}"))
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn list(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    match lines.is_empty() {
        true => "[]".to_owned(),
        false => format!("[\n  {}\n ]", lines.join(",\n  ")),
    }
}

/// One line of JSON.
fn json<T: serde::Serialize>(value: &T) -> String {
    // Plain data: there is nothing in it that JSON could not hold.
    serde_json::to_string(value).unwrap_or_default()
}
