//! Writes large synthetic captures, and reads captures with a clock.
//!
//! ```text
//! cargo bench --bench generate -- pprof 1000000 1 a.pb.gz
//! cargo bench --bench generate -- folded 1000000 1 a.folded
//! cargo bench --bench generate -- dhat 1000000 1 a.json
//! cargo bench --bench generate -- read a.pb.gz b.pb.gz
//! cargo bench --bench generate -- inferno a.folded b.folded
//! ```
//!
//! The second number is the side: sides share most stacks, and one stack in twenty differs.

mod dhat;
mod folded;
mod pprof;
mod stacks;

use heapdiff::format::{self, Context};
use heapdiff::input::Source;
use heapdiff::model::{Limits, Symbols};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["read", ref files @ ..] => read(files),
        ["inferno", before, after] => {
            let out = BufWriter::new(std::io::sink());
            let options = inferno::differential::Options::default();
            Ok(inferno::differential::from_files(
                options, before, after, out,
            )?)
        }
        [kind @ ("dhat" | "pprof" | "folded"), count, side, path] => {
            let (count, side) = (count.parse()?, side.parse()?);
            let mut out = BufWriter::new(std::fs::File::create(path)?);
            if kind == "dhat" {
                dhat::write(dhat::Shape::of(count), side, &mut out)?;
            } else if kind == "folded" {
                folded::write(count, side, &mut out)?;
            } else if path.ends_with(".gz") {
                let level = flate2::Compression::new(6);
                let mut gzip = flate2::write::GzEncoder::new(&mut out, level);
                pprof::write(count, side, &mut gzip)?;
                gzip.finish()?;
            } else {
                pprof::write(count, side, &mut out)?;
            }
            Ok(out.flush()?)
        }
        _ => {
            println!("dhat|pprof|folded COUNT SIDE FILE, read FILE..., or inferno FILE FILE");
            Ok(())
        }
    }
}

/// Reads files one after the other into one table of names, as a comparison does.
fn read(files: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    let mut symbols = Symbols::default();
    let mut kept = Vec::new();
    for file in files {
        let start = Instant::now();
        let source = Source::open(Path::new(file), Limits::default())?;
        for capture in format::read(&source, None, &mut Context::new(&mut symbols))? {
            let Some(profile) = capture.into_profile() else {
                continue;
            };
            let sums: Vec<i128> = profile.columns.iter().map(|c| c.sum()).collect();
            let took = start.elapsed().as_secs_f64();
            println!("{file}: {} rows, sums {sums:?}, {took:.3} s", profile.len());
            kept.push(profile);
        }
    }
    let (stacks, frames) = (symbols.stacks.len(), symbols.frames.len());
    println!("{stacks} stacks of {frames} frames");
    Ok(())
}
