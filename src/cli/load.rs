//! From arguments to captures: expand, order, read, add up.

use super::args::{InputArgs, MergeBy, Unit};
use crate::diff::Side;
use crate::error::{Code, Error, Result};
use crate::format::{self, Context, Format};
use crate::input::{Group, Select, Source, Spec, expand, natural_order};
use crate::model::{Label, LabelValue, Limits, Meta, Nature, Profile, ProfileBuilder, Symbols};
use crate::symbolize::Symbolizer;
use std::sync::{Mutex, PoisonError};

/// One capture to read: a group of files on one side.
#[derive(Debug, Clone)]
pub struct Item {
    /// The side it stands on.
    pub side: Side,
    /// The files, and the argument that named them.
    pub group: Group,
}

/// How files are read, settled.
#[derive(Debug)]
pub struct Reading {
    forced: Option<&'static Format>,
    unit: Option<String>,
    strict: bool,
    symbolize: Vec<std::path::PathBuf>,
    /// Standard input, where it was looked at before it is read.
    stdin: Mutex<Option<Source>>,
}

impl Reading {
    /// Settles the options.
    pub fn new(args: &InputArgs) -> Result<Reading> {
        Ok(Reading {
            forced: args
                .input_format
                .as_deref()
                .map(format::by_name)
                .transpose()?,
            unit: args.unit.map(|u| match u {
                Unit::Bytes => "bytes".to_owned(),
                Unit::Blocks => "blocks".to_owned(),
            }),
            strict: args.strict,
            symbolize: args.symbolize.clone(),
            stdin: Mutex::default(),
        })
    }
}

impl Reading {
    /// The format that is forced.
    pub fn forced(&self) -> Option<&'static Format> {
        self.forced
    }

    /// Opens a path; `-` is standard input, which can be opened once.
    pub fn open(&self, path: &str) -> Result<Source> {
        let limits = Limits::default();
        match path {
            "-" => {
                let mut seen = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
                seen.take().map_or_else(|| Source::stdin(limits), Ok)
            }
            _ => Source::open(std::path::Path::new(path), limits),
        }
    }

    /// Whether what comes on standard input is an object graph; it can still be opened.
    ///
    /// Errors: standard input that cannot be read.
    pub fn stdin_is_graph(&self) -> Result<bool> {
        if let Some(forced) = self.forced {
            return Ok(forced.is_graph());
        }
        let source = self.open("-")?;
        let formats = format::recognise(&source);
        *self.stdin.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        Ok(formats.is_ok_and(|f| f.iter().any(|f| f.is_graph())))
    }

    /// Whether captures that are cut short are refused.
    pub fn strict(&self) -> bool {
        self.strict
    }

    /// What looks up names of native code, if that is wanted; for one table of names.
    ///
    /// Errors: a place to look in that does not exist.
    pub fn symbolizer(&self) -> Result<Option<Symbolizer>> {
        let wanted = !self.symbolize.is_empty();
        wanted.then(|| Symbolizer::new(&self.symbolize)).transpose()
    }
}

/// A capture that was read, with what the command line says of it.
#[derive(Debug)]
pub struct Loaded {
    /// The path as shown.
    pub path: String,
    /// The capture, its drivers those of the command line where given.
    pub profile: Profile,
}

/// The captures that arguments stand for, in order: the base side's, then the new side's. Two
/// directories or globs alone are base and new.
///
/// Errors: nothing there, standard input twice.
pub fn items(captures: &[String], base: &[String], merge: Option<MergeBy>) -> Result<Vec<Item>> {
    let mut new_groups = Vec::new();
    for text in captures {
        new_groups.push(merged(expand(&Spec::parse(text)?)?, merge));
    }
    let mut items = Vec::new();
    let push = |side: Side, groups: Vec<Group>, items: &mut Vec<Item>| {
        items.extend(groups.into_iter().map(|group| Item { side, group }));
    };
    for text in base {
        push(
            Side::Base,
            merged(expand(&Spec::parse(text)?)?, merge),
            &mut items,
        );
    }
    let two_places = new_groups.len() == 2
        && base.is_empty()
        && new_groups
            .iter()
            .all(|groups| groups.iter().all(|g| g.found));
    for (i, groups) in new_groups.into_iter().enumerate() {
        let side = if two_places && i == 0 {
            Side::Base
        } else {
            Side::New
        };
        push(side, groups, &mut items);
    }
    let stdin = items
        .iter()
        .flat_map(|i| &i.group.paths)
        .filter(|p| *p == "-")
        .count();
    if stdin > 1 {
        return Err(
            Error::usage("standard input is named twice").help("write one of them to a file")
        );
    }
    Ok(items)
}

/// The files of all items.
pub fn files(items: &[Item]) -> Vec<String> {
    let paths = items.iter().flat_map(|i| &i.group.paths);
    paths.filter(|p| *p != "-").cloned().collect()
}

/// Joins the files of a directory whose names differ in one number alone, the process id: the
/// last number of the name.
fn merged(groups: Vec<Group>, merge: Option<MergeBy>) -> Vec<Group> {
    if merge.is_none() {
        return groups;
    }
    let mut out: Vec<(String, Group)> = Vec::new();
    for group in groups {
        let key = group
            .paths
            .first()
            .map(|p| without_pid(p))
            .unwrap_or_default();
        match out
            .iter_mut()
            .find(|(k, g)| *k == key && g.spec == group.spec)
        {
            Some((_, joined)) => joined.paths.extend(group.paths),
            None => out.push((key, group)),
        }
    }
    out.sort_by(|a, b| natural_order(&a.0, &b.0));
    out.into_iter().map(|(_, g)| g).collect()
}

/// A path with the last number of its file name cut out.
fn without_pid(path: &str) -> String {
    let name_at = path.rfind('/').map_or(0, |i| i + 1);
    let name = &path[name_at..];
    let Some(last) = name.rfind(|c: char| c.is_ascii_digit()) else {
        return path.to_owned();
    };
    let start = name[..=last]
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .len();
    format!(
        "{}{}{}",
        &path[..name_at],
        &name[..start],
        &name[last + 1..]
    )
}

/// Reads one item: usually one capture, several for a recording with a series chosen. Files that
/// were found in a directory and are no captures are named in `skipped`.
///
/// Errors: as [`format::read`]; files of one moment that do not fit together.
pub fn read(
    item: &Item,
    reading: &Reading,
    select_ends: bool,
    symbols: &mut Symbols,
    symbolizer: &mut Option<Symbolizer>,
    skipped: &mut Vec<String>,
) -> Result<Vec<Loaded>> {
    let mut moments: Vec<Vec<Profile>> = Vec::new();
    let mut files = 0;
    for path in &item.group.paths {
        let profiles = match read_file(path, &item.group, reading, select_ends, symbols) {
            Ok(profiles) => with_names(profiles, symbolizer, symbols)?,
            Err(e) if item.group.found && e.code() == Code::Unrecognised => {
                skipped.push(path.clone());
                continue;
            }
            Err(e) => return Err(e),
        };
        files += 1;
        for (i, profile) in profiles.into_iter().enumerate() {
            if moments.len() <= i {
                moments.push(Vec::new());
            }
            moments[i].push(profile);
        }
    }
    let name = item.group.paths.join("+");
    let mut loaded = Vec::new();
    for profiles in moments {
        if profiles.len() != files {
            return Err(Error::new(
                Code::Incomparable,
                "the files hold different numbers of captures",
            )
            .in_file(&name)
            .help("choose one moment of each with #last"));
        }
        let mut profile = add_up(profiles).map_err(|e| e.in_file(&name))?;
        for (driver, value) in item.group.spec.drivers.iter().rev() {
            profile.meta.drivers.retain(|(n, _)| n != driver);
            profile.meta.drivers.insert(0, (driver.clone(), *value));
        }
        loaded.push(Loaded {
            path: name.clone(),
            profile,
        });
    }
    Ok(loaded)
}

fn read_file(
    path: &str,
    group: &Group,
    reading: &Reading,
    select_ends: bool,
    symbols: &mut Symbols,
) -> Result<Vec<Profile>> {
    let source = reading.open(path)?;
    let select = match &group.spec.select {
        None if select_ends => Some(Select::Ends),
        chosen => chosen.clone(),
    };
    let mut cx = Context {
        select,
        unit: reading.unit.clone(),
        strict: reading.strict,
        ..Context::new(symbols)
    };
    cx.symbols.nameless.clear();
    let captures = format::read(&source, reading.forced, &mut cx)?;
    let mut profiles = Vec::new();
    for capture in captures {
        profiles.extend(capture.into_allocations()?);
    }
    if profiles.is_empty() {
        return Err(Error::new(
            Code::Incomparable,
            "is an object graph without allocation traces: it has no allocation sites",
        )
        .in_file(source.name())
        .help("look at it with `heapdiff cycles`"));
    }
    Ok(profiles)
}

/// The captures of one file with names looked up, or with the advice to do so.
fn with_names(
    profiles: Vec<Profile>,
    symbolizer: &mut Option<Symbolizer>,
    symbols: &mut Symbols,
) -> Result<Vec<Profile>> {
    if symbols.nameless.is_empty() {
        return Ok(profiles);
    }
    let name = |mut profile: Profile| match symbolizer {
        Some(symbolizer) => symbolizer.apply(profile, symbols),
        None => {
            profile.meta.notes.push(ADVICE.to_owned());
            Ok(profile)
        }
    };
    profiles.into_iter().map(name).collect()
}

/// Said of captures that know code by its place in a file alone.
const ADVICE: &str = "code without names stands as module and offset: --symbolize looks it up in the program's files";

/// Takes the base side out of a saved difference: its samples carry the label `pprof::base`, and
/// their signs are turned. `None` where no sample has it.
///
/// Errors: values that do not fit into 64 bits.
pub fn base_of_difference(profile: &mut Profile, symbols: &mut Symbols) -> Result<Option<Profile>> {
    let Some(key) = symbols.strings.find("pprof::base") else {
        return Ok(None);
    };
    let truth = symbols.strings.find("true").map(LabelValue::Text);
    let is_base = |symbols: &Symbols, labels| {
        let set = symbols.labels.get(labels);
        set.iter().any(|l| l.key == key && Some(l.value) == truth)
    };
    if !profile.labels.iter().any(|&l| is_base(symbols, l)) {
        return Ok(None);
    }
    let mut sides = [0, 1].map(|_| ProfileBuilder::new(profile.metrics.clone()));
    let mut values = vec![0; profile.metrics.len()];
    for row in 0..profile.len() {
        let labels = profile.labels_of(row);
        let base = is_base(symbols, labels);
        for (value, column) in values.iter_mut().zip(&profile.columns) {
            let n = column.get(row);
            *value = if base { n.saturating_neg() } else { n };
        }
        let rest: Vec<Label> = symbols.labels.get(labels).to_vec();
        let rest: Vec<Label> = rest.into_iter().filter(|l| l.key != key).collect();
        let labels = symbols.labels.intern(&rest);
        sides[usize::from(!base)].add_labelled(profile.stacks[row], labels, &values)?;
    }
    let mut meta = profile.meta.clone();
    meta.notes.retain(|n| !n.starts_with("a saved difference"));
    let [base, new] = sides.map(|b| b.finish(meta.clone()));
    *profile = new;
    Ok(Some(base))
}

/// The sum of captures of one moment, such as the workers of one service.
///
/// Errors: captures without a common metric.
fn add_up(mut profiles: Vec<Profile>) -> Result<Profile> {
    if profiles.len() == 1 {
        return Ok(profiles.remove(0));
    }
    let Some(first) = profiles.first() else {
        return Err(Error::new(
            Code::Unrecognised,
            "none of the files is a capture",
        ));
    };
    let common: Vec<_> = first
        .metrics
        .iter()
        .filter(|m| m.is_additive() && profiles.iter().all(|p| p.metrics.contains(m)))
        .cloned()
        .collect();
    if common.is_empty() {
        return Err(
            Error::new(Code::Incomparable, "the files have no metric in common")
                .help("add up captures of one tool"),
        );
    }
    let mut meta = Meta {
        pid: None,
        ..first.meta.clone()
    };
    meta.notes = profiles
        .iter()
        .flat_map(|p| p.meta.notes.iter().cloned())
        .collect();
    meta.notes.dedup();
    if common.iter().any(|m| m.nature == Nature::Peak) {
        meta.notes.push(
            "peaks of several processes lie at different times; their sum is an upper bound".into(),
        );
    }
    let mut builder = ProfileBuilder::new(common.clone());
    let mut values = vec![0i64; common.len()];
    for profile in profiles {
        let positions: Vec<_> = common
            .iter()
            .filter_map(|m| profile.metric(&m.name))
            .collect();
        for row in 0..profile.len() {
            for (value, &i) in values.iter_mut().zip(&positions) {
                *value = profile.columns[i].get(row);
            }
            builder.add_labelled(profile.stacks[row], profile.labels_of(row), &values)?;
        }
    }
    Ok(builder.finish(meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_the_last_number_of_a_name() {
        assert_eq!(without_pid("d/dhat.out.123"), "d/dhat.out.");
        assert_eq!(without_pid("d2/run-050.123.json"), "d2/run-050..json");
        assert_eq!(without_pid("d1/plain"), "d1/plain");
        assert_eq!(without_pid("d1/9"), "d1/");
    }
}
