//! Sites recognised across builds: real pairs of builds, small rows, symmetry.

mod builds;
mod large;
mod rows;
mod symmetry;

use heapdiff::diff::{
    Filters, MatchSetup, MatchedBy, Matching, Side, SiteTable, TableBuilder, View, default_metric,
    match_sites,
};
use heapdiff::format::{self, Capture, Context};
use heapdiff::input::Source;
use heapdiff::model::{Limits, Profile, Symbols};
use heapdiff::normalize::{Language, PathMap};

/// Reads a capture into `symbols`.
pub fn read(source: &Source, symbols: &mut Symbols) -> Profile {
    let mut cx = Context::new(symbols);
    let folded = source.name().ends_with(".folded");
    let forced = folded.then(|| format::by_name("folded").unwrap());
    let captures = format::read(source, forced, &mut cx).unwrap();
    let first = captures.into_iter().next();
    first.and_then(Capture::into_profile).expect("a profile")
}

/// A file of the repository.
pub fn open(path: &str) -> Source {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Source::open(&path, Limits::default()).unwrap()
}

/// Two captures as base and new side, matched.
pub struct Matched {
    pub symbols: Symbols,
    pub table: SiteTable,
    pub matching: Matching,
}

/// Compares two sources up to a tier.
pub fn compare(base: &Source, new: &Source, upto: MatchedBy, collapse: bool) -> Matched {
    let mut symbols = Symbols::default();
    let profiles = [read(base, &mut symbols), read(new, &mut symbols)];
    let language = profiles[0].meta.language;
    let chosen = default_metric(&profiles[0]);
    let mut builder = TableBuilder::new(&chosen, None);
    let mut view = View::new(Filters::default());
    let sides = [Side::Base, Side::New];
    for (profile, side) in profiles.into_iter().zip(sides) {
        builder
            .add(side, true, true, profile, &mut view, &mut symbols)
            .unwrap();
    }
    let mut table = builder.finish();
    let setup = MatchSetup {
        sides: sides.to_vec(),
        language: Language::of_format(language),
        paths: PathMap::default(),
        upto,
        collapse,
    };
    let matching = match_sites(&mut table, &symbols, &setup).unwrap();
    Matched {
        symbols,
        table,
        matching,
    }
}

/// Two folded texts as base and new side.
pub fn folded(base: &str, new: &str) -> Matched {
    let source = |text: &str| {
        Source::from_bytes("x.folded", text.as_bytes().to_vec(), Limits::default()).unwrap()
    };
    compare(&source(base), &source(new), MatchedBy::Moved, true)
}

impl Matched {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Before and after of a row.
    pub fn ends(&self, row: usize) -> (i64, i64) {
        let of = |columns: &[heapdiff::model::Column]| columns[self.table.chosen].get(row);
        (
            of(self.table.values.before()),
            of(self.table.values.after()),
        )
    }

    /// The names of a row's frames, joined.
    pub fn name(&self, row: usize) -> String {
        let frames = self.symbols.stacks.frames(self.table.stacks[row]);
        let names = frames.map(|f| {
            self.symbols
                .strings
                .get(self.symbols.frames.get(f).function)
        });
        names.collect::<Vec<_>>().join(";")
    }

    /// Every row in words, sorted.
    pub fn words(&self) -> Vec<String> {
        let mut rows: Vec<String> = (0..self.len())
            .map(|row| {
                let (before, after) = self.ends(row);
                let by = self.matching.rows[row].by.as_str();
                format!("{} {before} {after} {by}", self.name(row))
            })
            .collect();
        rows.sort();
        rows
    }
}
