//! A million sites of two builds.

use heapdiff::diff::{Filters, MatchSetup, MatchedBy, Side, TableBuilder, View, match_sites};
use heapdiff::model::{Frame, FrameId, Meta, Metric, Profile, ProfileBuilder, Symbols};
use heapdiff::normalize::{Language, PathMap};
use std::time::Instant;

const FUNCTIONS: u32 = 40_000;
const DEPTH: u64 = 25;

fn frame(symbols: &mut Symbols, function: u32, line: u32) -> FrameId {
    let name = format!("app::module{}::function{function}", function % 500);
    let file = format!("src/module{}.rs", function % 500);
    let function = symbols.strings.intern(&name);
    let file = symbols.strings.intern(&file);
    symbols.frames.intern(Frame {
        file,
        line,
        column: 5,
        ..Frame::named(function)
    })
}

/// Sites of random calls; every `changed`-th site of the second build is compiled differently.
fn profile(symbols: &mut Symbols, sites: u64, changed: u64, second: bool) -> Profile {
    let mut builder = ProfileBuilder::new(vec![Metric::known("live_bytes")]);
    let glue: Vec<FrameId> = [
        "alloc::vec::Vec::with_capacity",
        "alloc::raw_vec::finish_grow",
    ]
    .iter()
    .map(|name| {
        let function = symbols.strings.intern(name);
        symbols.frames.intern(Frame::named(function))
    })
    .collect();
    for site in 0..sites {
        let mut state = site.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut frames: Vec<FrameId> = (0..DEPTH)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let function = (state % u64::from(FUNCTIONS)) as u32;
                let line = 10 * (function / 500) + (state >> 40) as u32 % 3;
                frame(symbols, function, line + 1)
            })
            .collect();
        frames.push(glue[0]);
        if !(second && site % changed == 0) {
            frames.push(glue[1]);
        }
        let stack = symbols.stacks.intern_root_first(&frames);
        builder.add(stack, &[1_000 + (site % 7) as i64]).unwrap();
    }
    builder.finish(Meta::default())
}

/// Prints the time; run it in release: `HEAPDIFF_LONG=1 cargo test --release million -- --nocapture`.
#[test]
fn a_million_sites() {
    if std::env::var_os("HEAPDIFF_LONG").is_none() {
        return;
    }
    for (sites, changed) in [
        (250_000, 20),
        (500_000, 20),
        (1_000_000, 20),
        (1_000_000, 1),
    ] {
        let mut symbols = Symbols::default();
        let mut builder = TableBuilder::new("live_bytes", None);
        let mut view = View::new(Filters::default());
        for (side, second) in [(Side::Base, false), (Side::New, true)] {
            let p = profile(&mut symbols, sites, changed, second);
            builder
                .add(side, true, true, p, &mut view, &mut symbols)
                .unwrap();
        }
        let mut table = builder.finish();
        let setup = MatchSetup {
            sides: vec![Side::Base, Side::New],
            language: Language::Rust,
            paths: PathMap::default(),
            upto: MatchedBy::Moved,
            collapse: true,
        };
        let start = Instant::now();
        let m = match_sites(&mut table, &symbols, &setup).unwrap();
        let left = m.ledger.tier(MatchedBy::OnlyBefore).sites;
        println!(
            "{sites} sites, one in {changed} compiled differently: {:.2} s, {left} left",
            start.elapsed().as_secs_f64()
        );
        assert_eq!(left, 0);
    }
}
