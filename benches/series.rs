//! `heapdiff compare` of twelve captures of one program: time and memory against the number of
//! sites, and against the number of captures.
//!
//! ```text
//! cargo bench --bench series                        10,000 and 40,000 sites
//! HEAPDIFF_BENCH=large cargo bench --bench series   250,000 and 1,000,000: 0.6 GB of files
//! ```
//!
//! Every run is a program of its own, from start to exit: the time of the processor and the memory
//! at its peak, as `/usr/bin/time` has them. Time a site at the larger size may be at most 1.3 times that of the
//! smaller one, and so may memory: both are linear. Memory for each further capture has to stay
//! below what that capture's file takes alone: one capture is resident at a time.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Failure = Box<dyn std::error::Error>;

const CAPTURES: u64 = 12;
/// One site in so many leaks.
const LEAKS: u64 = 1000;
/// Rounds; the median time and the largest memory count.
const ROUNDS: usize = 3;
/// What linear may cost, measured.
const LINEAR: f64 = 1.3;

fn main() -> Result<(), Failure> {
    let large = std::env::var("HEAPDIFF_BENCH").is_ok_and(|v| v == "large");
    let sizes: [u64; 2] = match large {
        true => [250_000, 1_000_000],
        false => [10_000, 40_000],
    };
    let dir = tempfile::tempdir()?;
    let mut found = Vec::new();
    for sites in sizes {
        let files: Vec<PathBuf> = (0..CAPTURES)
            .map(|at| write(dir.path(), sites, at))
            .collect::<Result<_, _>>()?;
        let all = measure(sites, &files)?;
        let few = measure(sites, &files[..3])?;
        for (captures, m) in [(CAPTURES, &all), (3, &few)] {
            println!(
                "{sites:9} sites, {captures:2} captures: {:7.2} s, {:5.2} us a site and capture, peak \
                 {:7.1} MB, {:6.1} B a site",
                m.seconds,
                m.seconds * 1e6 / (sites * captures) as f64,
                m.peak / 1e6,
                m.peak / sites as f64
            );
        }
        let each = (all.peak - few.peak) / (CAPTURES - 3) as f64;
        let file = std::fs::metadata(&files[0])?.len() as f64;
        println!(
            "                 each further capture: {:.1} MB, {:.1} B a site; its file has {:.1} MB",
            each / 1e6,
            each / sites as f64,
            file / 1e6
        );
        if each > file {
            return Err("more than one capture is resident".into());
        }
        found.push((sites as f64, all));
        for file in files {
            std::fs::remove_file(file)?;
        }
    }
    let [(a, small), (b, big)] = &found[..] else {
        return Ok(());
    };
    let time = (big.seconds / b) / (small.seconds / a);
    let memory = (big.peak / b) / (small.peak / a);
    println!(
        "{} times the sites: {time:.2} times the time a site, {memory:.2} times the memory",
        b / a
    );
    // Small sizes measure the start of the program as well.
    if large && (time > LINEAR || memory > LINEAR) {
        return Err("neither time nor memory may grow faster than the sites".into());
    }
    Ok(())
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The capture number `at`: stacks of six frames; most sites are level with noise of 1 %, some
/// leak a tenth of their first value between two captures.
fn write(dir: &Path, sites: u64, at: u64) -> Result<PathBuf, Failure> {
    let path = dir.join(format!("{sites}-{at:02}.folded"));
    let mut out = BufWriter::new(std::fs::File::create(&path)?);
    for site in 0..sites {
        let random = mix(site + 1);
        let level = 4096 + random % 1_000_000;
        let noise = mix(site << 8 | at) % (level / 50 + 1);
        let leaked = u64::from(site % LEAKS == 0) * at * level / 10;
        writeln!(
            out,
            "main;serve_{};handle_{};decode_{};buffer_{};site_{site} {}",
            random % 7,
            random % 97,
            random % 4099,
            random % 65_537,
            level + noise + leaked
        )?;
    }
    out.flush()?;
    Ok(path)
}

struct Measured {
    seconds: f64,
    peak: f64,
}

/// Compares the captures; the leaks have to be those that were planted.
fn measure(sites: u64, files: &[PathBuf]) -> Result<Measured, Failure> {
    let mut times = Vec::new();
    let mut peak: f64 = 0.0;
    for _ in 0..ROUNDS {
        let mut command = Command::new("/usr/bin/time");
        command.args(["-f", "%U %S %M", env!("CARGO_BIN_EXE_heapdiff"), "compare"]);
        command.args(["--format", "json", "--limit", "5"]);
        let runs: Vec<String> = (0..files.len())
            .map(|i| (10 * i + 10).to_string())
            .collect();
        command.args(["--runs", &runs.join(",")]);
        command
            .args(files)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(said.into_owned().into());
        }
        let last = said.lines().last().unwrap_or_default();
        let numbers: Vec<f64> = last
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [user, system, kib] = numbers[..] else {
            return Err(format!("/usr/bin/time says {last:?}").into());
        };
        times.push(user + system);
        peak = peak.max(kib * 1024.0);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let findings = report["findings"].as_array().map_or(0, Vec::len) as u64;
        let planted = sites.div_ceil(LEAKS);
        if files.len() as u64 == CAPTURES && findings.abs_diff(planted) > planted / 20 + 1 {
            return Err(format!("{findings} findings, {planted} sites leak").into());
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(Measured {
        seconds: times[times.len() / 2],
        peak,
    })
}
