//! From captures to a table: one capture after the other, the metric settled on the way.

use super::load::{self, Item, Loaded, Reading};
use crate::diff::{
    Filters, MatchSetup, MatchedBy, Matching, Side, SiteTable, TableBuilder, View, default_metric,
    is_one_build, match_sites,
};
use crate::error::{Code, Error, Result};
use crate::format;
use crate::model::{Exactness, Metric, Nature, Symbols, canonical_name};
use crate::normalize::{Language, PathMap};
use crate::report::CaptureInfo;
use crate::units;

/// What the user wants to look at.
#[derive(Debug, Default)]
pub struct Look {
    /// The metric; none is the default of the captures.
    pub metric: Option<String>,
    /// Which stacks and frames.
    pub filters: Filters,
    /// The label that tells rows apart.
    pub label: Option<String>,
    /// Runs of the captures in order, instead of those behind each.
    pub runs: Vec<f64>,
    /// One file alone stands for its first and its last moment.
    pub ends_of_one: bool,
    /// Of a file that holds several captures only this one, from 0.
    pub only: Option<usize>,
}

/// Captures lined up.
#[derive(Debug)]
pub struct Prepared {
    /// The names of all captures.
    pub symbols: Symbols,
    /// The rows.
    pub table: SiteTable,
    /// What is known of each capture, base side first.
    pub captures: Vec<CaptureInfo>,
    /// Language that the formats fix.
    pub language: Option<&'static str>,
    /// How rows were recognised in another build; none until [`Prepared::match_sites`].
    pub matching: Option<Matching>,
    /// The rows after that: sites of two builds that are one are one row.
    pub matched: Option<SiteTable>,
    /// Whether every capture counts every allocation.
    pub exactness: Exactness,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Prepared {
    /// Recognises the sites of the base side in the new one, up to a tier.
    ///
    /// A plain series is of one program. Only when most of its bytes are of stacks that one end
    /// alone has are its ends taken for two builds.
    pub fn match_sites(&mut self, upto: MatchedBy, paths: &PathMap) {
        if !self.table.has_one_sided_rows() {
            return;
        }
        let two_sides = self.table.values.base.is_some();
        // Captures of two tools have other frames around the same program.
        let one_tool = self.captures.windows(2).all(|c| c[0].format == c[1].format);
        if !two_sides && is_one_build(&self.table, one_tool.then_some(&self.symbols)) {
            return;
        }
        if !two_sides {
            self.notes.push(
                "most stacks differ: the captures are taken for two builds of one program".into(),
            );
        }
        let setup = MatchSetup {
            sides: self.captures.iter().map(|c| c.side).collect(),
            language: Language::of_format(self.language),
            paths: paths.clone(),
            upto,
            collapse: true,
        };
        let mut table = self.table.clone();
        self.matching = match_sites(&mut table, &self.symbols, &setup);
        self.matched = self.matching.is_some().then_some(table);
        if let Some(matching) = &self.matching {
            let reasons = matching.ledger.reasons.iter().cloned();
            self.notes.extend(reasons);
        }
    }
}

/// Reads all captures and lines them up. When a capture lacks the metric that was chosen by
/// default, the reading starts again with one that all have.
///
/// Errors: everything that reading can fail with; no captures; no common metric; some captures of
/// a side with runs and some without.
pub fn prepare(items: &[Item], reading: &Reading, look: &Look) -> Result<Prepared> {
    let mut chosen = look.metric.as_deref().map(canonical_name);
    // Each round rules out at least one metric.
    for _ in 0..64 {
        match attempt(items, reading, look, chosen.as_deref())? {
            Attempt::Done(prepared) => return Ok(*prepared),
            Attempt::Instead(metric) => chosen = Some(metric),
        }
    }
    Err(no_common(&[]))
}

/// A directory or pattern whose files are all no captures.
fn no_captures(item: &Item) -> Error {
    Error::new(Code::Unrecognised, "holds no captures")
        .in_file(item.group.spec.paths.first().map_or("", String::as_str))
        .help("see `heapdiff formats` for what is read")
}

/// Lines up captures that were read already, all with the same metrics.
///
/// Errors: as [`prepare`].
pub fn line_up(symbols: Symbols, loaded: Vec<(Side, Loaded)>, look: &Look) -> Result<Prepared> {
    let mut run = Run::new(look, None, symbols);
    let mut loaded = loaded.into_iter().peekable();
    while let Some((side, capture)) = loaded.next() {
        let last = loaded.peek().is_none_or(|next| next.0 != side);
        if run.add(side, capture, last)?.is_some() {
            return Err(no_common(&run.metrics));
        }
    }
    run.finish()
}

enum Attempt {
    Done(Box<Prepared>),
    Instead(String),
}

struct Run<'a> {
    look: &'a Look,
    forced: Option<&'a str>,
    symbols: Symbols,
    view: View,
    builder: Option<TableBuilder>,
    captures: Vec<CaptureInfo>,
    metrics: Vec<(String, Vec<Metric>)>,
    language: Option<&'static str>,
    exactness: Vec<Exactness>,
    notes: Vec<String>,
    of_side: [usize; 2],
}

fn attempt(
    items: &[Item],
    reading: &Reading,
    look: &Look,
    forced: Option<&str>,
) -> Result<Attempt> {
    let mut run = Run::new(look, forced, Symbols::default());
    let ends = look.ends_of_one && items.len() == 1;
    let mut skipped = Vec::new();
    let mut symbolizer = reading.symbolizer()?;
    let mut pending: Option<(Side, Loaded)> = None;
    let mut barren: Option<&Item> = None;
    let mut found_in: Option<&Item> = None;
    for item in items {
        let same = |other: &&Item| other.group.spec == item.group.spec && other.side == item.side;
        if item.group.found
            && barren.as_ref().is_none_or(|b| !same(b))
            && found_in.as_ref().is_none_or(|f| !same(f))
        {
            if let Some(empty) = barren {
                return Err(no_captures(empty));
            }
            barren = Some(item);
        }
        let mut loaded = load::read(
            item,
            reading,
            ends,
            &mut run.symbols,
            &mut symbolizer,
            &mut skipped,
        )?;
        if let Some(only) = look.only {
            loaded = loaded.drain(..).skip(only).take(1).collect();
        }
        for (side, loaded) in apart(item.side, loaded, items.len() == 1, &mut run)? {
            if let Some((of, before)) = pending.take()
                && let Some(instead) = run.add(of, before, of != side)?
            {
                return Ok(Attempt::Instead(instead));
            }
            pending = Some((side, loaded));
            if barren.as_ref().is_some_and(same) {
                barren = None;
            }
            found_in = Some(item);
        }
    }
    if let Some(empty) = barren {
        return Err(no_captures(empty));
    }
    let Some((side, last)) = pending else {
        return Err(items
            .first()
            .map_or_else(|| Error::usage("no captures are named"), no_captures));
    };
    if let Some(instead) = run.add(side, last, true)? {
        return Ok(Attempt::Instead(instead));
    }
    if !skipped.is_empty() {
        run.notes.push(format!(
            "{} no captures and left out: {}",
            if skipped.len() == 1 { "is" } else { "are" },
            skipped.join(", ")
        ));
    }
    run.finish().map(|p| Attempt::Done(Box::new(p)))
}

/// The captures of one item with their sides. A saved difference of pprof, given alone, is both:
/// samples with the label `pprof::base` are its base side, with their signs turned.
fn apart(
    side: Side,
    mut loaded: Vec<Loaded>,
    alone: bool,
    run: &mut Run<'_>,
) -> Result<Vec<(Side, Loaded)>> {
    if let ([one], true) = (loaded.as_mut_slice(), alone && run.look.ends_of_one)
        && let Some(base) = load::base_of_difference(&mut one.profile, &mut run.symbols)?
    {
        let path = one.path.clone();
        run.notes.push(format!(
            "{path} is a saved difference: its samples with the label pprof::base are the base side"
        ));
        let base = Loaded {
            path,
            profile: base,
        };
        loaded.insert(0, base);
        let sides = [Side::Base, Side::New].into_iter();
        return Ok(sides.zip(loaded).collect());
    }
    Ok(loaded.into_iter().map(|l| (side, l)).collect())
}

impl<'a> Run<'a> {
    fn new(look: &'a Look, forced: Option<&'a str>, symbols: Symbols) -> Run<'a> {
        Run {
            look,
            forced,
            symbols,
            view: View::new(look.filters.clone()),
            builder: None,
            captures: Vec::new(),
            metrics: Vec::new(),
            language: None,
            exactness: Vec::new(),
            notes: Vec::new(),
            of_side: [0, 0],
        }
    }

    /// Adds a capture, or says which metric to choose instead.
    fn add(&mut self, side: Side, loaded: Loaded, last: bool) -> Result<Option<String>> {
        let Loaded { path, mut profile } = loaded;
        let position = &mut self.of_side[usize::from(side == Side::New)];
        let first = *position == 0;
        // A saved baseline knows its own runs.
        let saved = profile.meta.format == format::baseline::FORMAT.name;
        if let Some(&runs) = self.look.runs.get(*position).filter(|_| !saved) {
            profile.meta.drivers.retain(|(n, _)| n != "runs");
            profile.meta.drivers.insert(0, ("runs".to_owned(), runs));
        }
        *position += 1;
        self.metrics.push((path.clone(), profile.metrics.clone()));
        self.language = self.language.or(profile.meta.language);
        self.exactness.push(profile.meta.exactness);
        let info = CaptureInfo {
            path: path.clone(),
            side,
            format: profile.meta.format,
            producer: profile.meta.producer.clone(),
            command: profile.meta.command.clone(),
            drivers: profile.meta.drivers.clone(),
            sampling: profile.meta.sampling,
            salvaged: profile.meta.salvaged.clone(),
            totals: Vec::new(),
            moment: profile.meta.moment.as_ref().map(|m| m.label.clone()),
            notes: profile.meta.notes.clone(),
        };
        self.captures.push(info);
        let builder = match &mut self.builder {
            Some(builder) => builder,
            None => {
                let chosen = self
                    .forced
                    .map_or_else(|| default_metric(&profile), str::to_owned);
                let tag = self
                    .look
                    .label
                    .as_deref()
                    .map(|k| self.symbols.strings.intern(k));
                self.builder.insert(TableBuilder::new(&chosen, tag))
            }
        };
        match builder.add(
            side,
            first,
            last,
            profile,
            &mut self.view,
            &mut self.symbols,
        ) {
            Ok(()) => Ok(None),
            Err(e) if e.code() == Code::Incomparable && self.look.metric.is_none() => self
                .common_metric()
                .map(Some)
                .ok_or_else(|| no_common(&self.metrics)),
            Err(e) => Err(e.in_file(&path)),
        }
    }

    /// The metric that all captures so far have, in the order of the defaults.
    fn common_metric(&self) -> Option<String> {
        let plain =
            |m: &Metric| m.nature == Nature::Plain && (m.name == "bytes" || m.name == "blocks");
        let named: Vec<_> = self
            .metrics
            .iter()
            .filter(|(_, ms)| !(ms.len() == 1 && plain(&ms[0])))
            .collect();
        let candidates = &named.first()?.1;
        let shared = |m: &&Metric| {
            self.metrics.iter().all(|(_, ms)| {
                ms.iter().any(|o| o.name == m.name && o.unit == m.unit)
                    || (ms.len() == 1 && plain(&ms[0]) && ms[0].unit == m.unit)
            })
        };
        let mut shared: Vec<&Metric> = candidates.iter().filter(shared).collect();
        let rank = |m: &&Metric| match m.name.as_str() {
            "live_bytes" => 0,
            "total_bytes" => 1,
            _ => 2,
        };
        shared.sort_by_key(rank);
        shared
            .first()
            .map(|m| m.name.clone())
            .filter(|m| Some(m.as_str()) != self.forced)
    }

    /// Says where the captures of a side do not stand in order of runs.
    fn warn_of_runs(&mut self) {
        for side in [Side::Base, Side::New] {
            let mut runs = self
                .captures
                .iter()
                .filter(|c| c.side == side)
                .map(|c| c.runs());
            let (Some(Some(first)), Some(Some(last))) = (runs.next(), runs.next_back()) else {
                continue;
            };
            if last < first {
                let [first, last] = [first, last].map(units::plain);
                self.notes.push(format!(
                    "the runs go back from {first} to {last}, so there is no growth per run: name \
                     the captures in order of runs"
                ));
            }
        }
    }

    /// Says where captures were sampled otherwise than others.
    fn warn_of_sampling(&mut self) {
        let sampled = |c: &&CaptureInfo| c.sampling.is_some();
        let count = self.captures.iter().filter(sampled).count();
        if count == 0 {
            return;
        }
        if count < self.captures.len() {
            self.notes.push(
                "some captures are samples and others count every allocation: how much of the \
                 difference is noise cannot be told"
                    .into(),
            );
            return;
        }
        let mean = |c: &CaptureInfo| {
            let s = c.sampling?;
            s.mean_bytes.or(s.estimated_mean_bytes)
        };
        let means: Option<Vec<f64>> = self.captures.iter().map(mean).collect();
        let Some(mut means) = means else { return };
        means.sort_by(f64::total_cmp);
        if let (Some(&least), Some(&most)) = (means.first(), means.last())
            && most > 1.05 * least
        {
            let [least, most] = [least, most].map(|m| units::bytes(m as i128));
            self.notes.push(format!(
                "the captures were sampled at different rates, from 1 in {least} to 1 in {most}: \
                 the coarsest decides what can be seen"
            ));
        }
    }

    fn finish(mut self) -> Result<Prepared> {
        let Some(builder) = self.builder.take() else {
            return Err(no_common(&[]));
        };
        self.notes.extend(builder.notes().iter().cloned());
        let table = builder.finish();
        for (info, totals) in self.captures.iter_mut().zip(&table.totals) {
            info.totals = totals.clone();
        }
        for side in [Side::Base, Side::New] {
            let of_side = || self.captures.iter().filter(|c| c.side == side);
            let (given, found) = (self.look.runs.len(), of_side().count());
            let saved = of_side().all(|c| c.format == format::baseline::FORMAT.name);
            if given > 0 && found > 0 && given != found && !saved {
                return Err(Error::usage(format!(
                    "--runs has {given} numbers for {found} captures"
                ))
                .in_file(of_side().next().map_or("", |c| &c.path))
                .help("give one for each capture of a side, in order"));
            }
            let (with, without): (Vec<_>, Vec<_>) = of_side().partition(|c| c.runs().is_some());
            if let (false, Some(lacking)) = (with.is_empty(), without.first()) {
                return Err(Error::new(
                    Code::Incomparable,
                    "has no number of runs, other captures of the series have one",
                )
                .in_file(&lacking.path)
                .help("write PATH@N behind each capture, or behind none"));
            }
        }
        self.warn_of_runs();
        self.warn_of_sampling();
        let mut formats: Vec<&str> = self.captures.iter().map(|c| c.format).collect();
        formats.retain(|f| *f != format::baseline::FORMAT.name);
        formats.sort_unstable();
        formats.dedup();
        if formats.len() > 1 {
            self.notes.push(format!(
                "the captures are of different tools ({}), which count and name differently",
                formats.join(", ")
            ));
        }
        let exactness = if self.exactness.iter().all(|&e| e == Exactness::Exact) {
            Exactness::Exact
        } else if self.exactness.contains(&Exactness::Sampled) {
            Exactness::Sampled
        } else {
            Exactness::Unknown
        };
        Ok(Prepared {
            symbols: self.symbols,
            table,
            captures: self.captures,
            language: self.language,
            matching: None,
            matched: None,
            exactness,
            notes: self.notes,
        })
    }
}

fn no_common(metrics: &[(String, Vec<Metric>)]) -> Error {
    let each: Vec<String> = metrics
        .iter()
        .map(|(path, ms)| {
            let names: Vec<_> = ms
                .iter()
                .map(|m| format!("{} in {}", m.name, m.unit.as_str()))
                .collect();
            format!("{path} has {}", names.join(", "))
        })
        .collect();
    Error::new(
        Code::Incomparable,
        format!("the captures have no metric in common: {}", each.join("; ")),
    )
    .help("compare captures of one kind")
}
