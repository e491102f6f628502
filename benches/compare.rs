//! `heapdiff compare` of DHAT pairs beside the plain way to do it, on the same files, in turns.
//!
//! ```text
//! cargo bench --bench compare                        10,000 points a side
//! HEAPDIFF_BENCH=large cargo bench --bench compare   also 200,000 and 1,000,000: 800 MB of files
//! ```
//!
//! Both run as programs of their own: whole runs from start to exit, with the memory at the peak.
//! Before anything is timed, the answers must agree.

#[path = "generate/dhat.rs"]
mod dhat;
mod plain;

use criterion::Criterion;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

/// Rounds of the table; the median counts.
const ROUNDS: usize = 5;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["plain", before, after] => {
            let (before, after) = (Path::new(before), Path::new(after));
            println!("{}", words(plain::compare(before, after)?));
            return Ok(());
        }
        ["plain", one] => {
            println!("{}", plain::Names::default().load(Path::new(one))?.len());
            return Ok(());
        }
        _ => {}
    }
    let large = std::env::var("HEAPDIFF_BENCH").is_ok_and(|v| v == "large");
    let sizes: &[u64] = if large {
        &[10_000, 200_000, 1_000_000]
    } else {
        &[10_000]
    };
    let dir = tempfile::tempdir()?;
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    for &points in sizes {
        let pair = pair(dir.path(), points)?;
        agree(&pair)?;
        table(points, &pair)?;
        let mut group = criterion.benchmark_group(format!("dhat/{points}"));
        for (name, job) in jobs(&pair) {
            group.bench_function(name, |b| {
                b.iter_custom(|n| {
                    (0..n)
                        .map(|_| time(&job).map_or(Duration::MAX, |r| r.0))
                        .sum()
                });
            });
        }
        group.finish();
        for file in &pair {
            std::fs::remove_file(file)?;
        }
    }
    criterion.final_summary();
    Ok(())
}

/// A pair of files with this many points each.
fn pair(dir: &Path, points: u64) -> Result<[PathBuf; 2], Failure> {
    let files = [0, 1].map(|side| dir.join(format!("{points}-{side}.json")));
    for (side, file) in files.iter().enumerate() {
        let mut out = BufWriter::new(std::fs::File::create(file)?);
        dhat::write(dhat::Shape::of(points), side as u64, &mut out)?;
        std::io::Write::flush(&mut out)?;
    }
    Ok(files)
}

/// A program and its arguments.
type Job = Vec<PathBuf>;

fn jobs([before, after]: &[PathBuf; 2]) -> [(&'static str, Job); 3] {
    let heapdiff = PathBuf::from(env!("CARGO_BIN_EXE_heapdiff"));
    let this = std::env::current_exe().unwrap_or_default();
    let (before, after) = (before.clone(), after.clone());
    [
        (
            "heapdiff",
            vec![heapdiff, "compare".into(), before.clone(), after.clone()],
        ),
        (
            "plain, both sides",
            vec![this.clone(), "plain".into(), before, after.clone()],
        ),
        ("plain, one side loaded", vec![this, "plain".into(), after]),
    ]
}

/// Runs a job: how long it took, and what `/usr/bin/time` says of its memory in KiB.
fn time(job: &Job) -> Result<(Duration, Option<u64>), Failure> {
    let clock = Path::new("/usr/bin/time");
    let measured = clock.exists();
    let mut command = if measured {
        let mut command = Command::new(clock);
        command.args(["-f", "%M"]).args(job);
        command
    } else {
        let mut command = Command::new(&job[0]);
        command.args(&job[1..]);
        command
    };
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command.output()?;
    let took = start.elapsed();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let peak = String::from_utf8_lossy(&output.stderr)
        .lines()
        .last()
        .and_then(|l| l.trim().parse().ok())
        .filter(|_| measured);
    Ok((took, peak))
}

/// Prints medians of jobs that ran in turns, so that a busy machine is busy for all of them.
fn table(points: u64, pair: &[PathBuf; 2]) -> Result<(), Failure> {
    let jobs = jobs(pair);
    let mut times = [const { Vec::new() }; 3];
    let mut peaks = [None; 3];
    for _ in 0..ROUNDS {
        for (i, (_, job)) in jobs.iter().enumerate() {
            let (took, peak) = time(job)?;
            times[i].push(took);
            peaks[i] = peaks[i].max(peak);
        }
    }
    let bytes = pair
        .iter()
        .map(|f| std::fs::metadata(f).map(|m| m.len()))
        .sum::<std::io::Result<u64>>()?;
    println!(
        "DHAT, {points} points a side, {:.1} MB together",
        bytes as f64 / 1e6
    );
    let medians = times.map(|mut t| {
        t.sort();
        t[t.len() / 2].as_secs_f64()
    });
    for (((name, _), median), peak) in jobs.iter().zip(medians).zip(peaks) {
        print!(
            "  {name:24} {:9.1} ms  {:5.2} times",
            median * 1e3,
            median / medians[0]
        );
        match peak {
            Some(kib) => {
                let share = kib as f64 * 1024.0 / bytes as f64;
                println!(
                    "  peak {:7.1} MB, {share:.2} of the pair",
                    kib as f64 * 1.024e-3
                );
            }
            None => println!(),
        }
    }
    Ok(())
}

fn words(answer: (u64, u64, usize, Vec<i64>)) -> String {
    let (before, after, differing, growth) = answer;
    format!("{before} {after} {differing} {growth:?}")
}

/// Holds heapdiff's answer against the plain one.
fn agree([before, after]: &[PathBuf; 2]) -> Result<(), Failure> {
    let plain = plain::compare(before, after)?;
    let output = Command::new(env!("CARGO_BIN_EXE_heapdiff"))
        .args(["compare", "--format", "json", "--limit", "20"])
        .args([before, after])
        .output()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let live = |side: &str| report["totals"][side]["live_bytes"].as_u64();
    let mut growth = Vec::new();
    for site in report["sites"].as_array().ok_or("no sites")? {
        let of = |side: &str| site[side]["live_bytes"].as_i64().ok_or("no live bytes");
        growth.push(of("after")? - of("before")?);
    }
    if (live("before"), live("after")) != (Some(plain.0), Some(plain.1)) || growth != plain.3 {
        return Err(format!(
            "answers differ: {:?} {:?} {growth:?}, and {}",
            live("before"),
            live("after"),
            words(plain)
        )
        .into());
    }
    Ok(())
}
