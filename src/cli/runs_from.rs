//! `--runs-from`: the requests of a log between captures are their runs.

use super::load::Item;
use crate::error::{Error, Result};
use crate::format::monitor;
use crate::input::Source;
use crate::model::Limits;
use crate::model::Request;
use crate::model::SeriesId;
use crate::model::SeriesName;
use crate::model::Sink;
use crate::model::Time;
use std::path::Path;

/// Counts requests that ended by each of some moments.
struct Counter {
    /// Moments in order of time, with the requests between the one before and it.
    moments: Vec<(Time, u64)>,
    first: Option<Time>,
}

impl Sink for Counter {
    fn series(&mut self, _: &SeriesName) -> SeriesId {
        SeriesId(0)
    }
    fn sample(&mut self, _: SeriesId, _: Time, _: f64) {}
    fn request(&mut self, request: &Request<'_>) {
        self.first = Some(self.first.map_or(request.end, |f| f.min(request.end)));
        let place = self.moments.partition_point(|m| m.0 < request.end);
        if let Some(m) = self.moments.get_mut(place) {
            m.1 += 1;
        }
    }
    fn event(&mut self, _: Time, _: &[u8]) {}
    fn logged(&mut self, _: Time, _: usize) {}
}

/// Gives every capture the number of requests that the log counts until it was taken. When that
/// was is in its file's name (`heap-20260302T091500Z.json`), else it is the time of modification.
///
/// Errors: a capture whose runs are given as well, one whose time is not known, a log without
/// requests, or one that begins after the first capture.
pub(super) fn count(items: &mut [Item], log: &str) -> Result<()> {
    let mut times = Vec::with_capacity(items.len());
    for item in items.iter() {
        let path = item.group.paths.first().map_or("", String::as_str);
        if !item.group.spec.drivers.is_empty() {
            return Err(
                Error::usage("runs are given and counted from a log as well")
                    .in_file(path)
                    .help("leave out @N or --runs-from"),
            );
        }
        times.push(taken(path)?);
    }
    let mut moments: Vec<(Time, u64)> = times.iter().map(|&t| (t, 0)).collect();
    moments.sort();
    moments.dedup();
    let mut counter = Counter {
        moments,
        first: None,
    };
    let source = Source::open(Path::new(log), Limits::default())?;
    monitor::read(&source, &monitor::Options::default(), &mut counter)?;
    let first = counter.first.ok_or_else(|| {
        Error::usage("no request in this log")
            .in_file(log)
            .help("name an access log")
    })?;
    let earliest = counter.moments.first().map_or(first, |m| m.0);
    if earliest < first {
        return Err(Error::usage("the log begins after the first capture was taken")
            .in_file(log)
            .help("name the log that covers the captures, or rename captures to hold their time: heap-20260302T091500Z.json"));
    }
    let mut sum = 0;
    for m in &mut counter.moments {
        sum += m.1;
        m.1 = sum;
    }
    for (item, time) in items.iter_mut().zip(times) {
        let at = counter.moments.partition_point(|m| m.0 < time);
        let requests = counter.moments.get(at).map_or(sum, |m| m.1);
        item.group.spec.drivers = vec![("runs".to_owned(), requests as f64)];
    }
    Ok(())
}

/// When a capture was taken.
pub(super) fn taken(path: &str) -> Result<Time> {
    let name = Path::new(path)
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    if let Some(time) = monitor::in_name(&name, &monitor::Zone::default()) {
        return Ok(time);
    }
    let modified = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let since = modified.and_then(|m| m.duration_since(std::time::UNIX_EPOCH).ok());
    since
        .and_then(|d| Time::from_seconds(d.as_secs_f64()))
        .ok_or_else(|| {
            Error::usage("when this capture was taken is not known")
                .in_file(path)
                .help("write its time into its name: heap-20260302T091500Z.json")
        })
}
