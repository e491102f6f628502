//! The text format of Prometheus: a page a file, or pages in a row with a time in front of each.

use super::columns::{self, Column};
use super::outside::{Clock, leading, service_named};
use super::prometheus::SERVICE;
use super::{Kind, Options, Outcome, each_line};
use crate::error::Result;
use crate::input::Source;
use crate::model::Measure;
use crate::model::SeriesId;
use crate::model::SeriesName;
use crate::model::SeriesUnit;
use crate::model::Sink;
use crate::model::Time;
use rustc_hash::FxHashMap;

/// Most series of one file.
const MOST: usize = 16_384;

/// What `# TYPE` says of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
    /// Histograms and summaries: their sums and counts are counters.
    Spread,
}

/// A sample: its name, its labels as they stand, its value and its own time.
struct Sample<'l> {
    name: &'l str,
    labels: &'l str,
    value: f64,
    at: Option<Time>,
}

fn name_length(text: &str) -> usize {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
    let n = text.bytes().take_while(|b| word(*b)).count();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        0
    } else {
        n
    }
}

fn parse(line: &[u8]) -> Option<Sample<'_>> {
    let text = std::str::from_utf8(line).ok()?;
    let n = name_length(text);
    if n == 0 {
        return None;
    }
    let (name, mut rest) = text.split_at(n);
    let mut labels = "";
    if let Some(inside) = rest.strip_prefix('{') {
        let end = labels_end(inside)?;
        labels = &inside[..end];
        rest = &inside[end + 1..];
    }
    let mut words = rest.split_ascii_whitespace();
    let value: f64 = match words.next()? {
        "+Inf" | "-Inf" | "Inf" | "NaN" | "Nan" => f64::NAN,
        number => number.parse().ok()?,
    };
    let at = match words.next() {
        // Exemplars of OpenMetrics.
        None | Some("#") => None,
        Some(word) => {
            let v: f64 = word.parse().ok()?;
            // Milliseconds, or seconds in OpenMetrics.
            Time::from_seconds(if v >= 1e11 { v / 1e3 } else { v })
        }
    };
    Some(Sample {
        name,
        labels,
        value,
        at,
    })
}

/// Where the labels end: the brace outside of quotes.
fn labels_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

/// Each label and its value, escapes left as they are.
fn each_label(labels: &str, mut each: impl FnMut(&str, &str)) {
    let mut rest = labels;
    while let Some((key, after)) = rest.split_once("=\"") {
        let bytes = after.as_bytes();
        let mut end = 0;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(after.len());
        let Some(value) = after.get(..end) else {
            return;
        };
        each(key.trim_matches([',', ' ']), value);
        rest = after.get(end + 1..).unwrap_or("");
    }
}

/// Whether most of the lines are samples or comments of such a page, and one is a sample.
pub(super) fn recognise(lines: &[&[u8]], options: &Options) -> bool {
    let (mut samples, mut typed, mut comments, mut times) = (0, 0, 0, 0);
    for line in lines {
        if line.starts_with(b"# TYPE ") {
            typed += 1;
        } else if line.starts_with(b"# HELP ") || *line == b"# EOF" {
            comments += 1;
        } else if leading(line, &options.zone).is_some() {
            times += 1;
        } else if parse(line).is_some_and(|s| typed > 0 || !s.labels.is_empty()) {
            samples += 1;
        }
    }
    samples > 0 && (samples + typed + comments + times) * 10 >= lines.len() * 9
}

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::Exposition);
    let mut clock = Clock::of(source, options);
    let own = service_named(source, options).unwrap_or_else(|| "service".to_owned());
    let mut types: FxHashMap<String, Type> = FxHashMap::default();
    let mut ids: FxHashMap<String, Option<(SeriesId, f64)>> = FxHashMap::default();
    let mut used_file_time = false;
    each_line(source, |number, line| {
        if let Some(rest) = line.strip_prefix(b"# TYPE ") {
            let text = String::from_utf8_lossy(rest);
            if let Some((name, kind)) = text.split_once(' ')
                && types.len() < MOST
            {
                let kind = match kind.trim() {
                    "counter" => Type::Counter,
                    "histogram" | "summary" | "gaugehistogram" => Type::Spread,
                    _ => Type::Gauge,
                };
                types.insert(name.to_owned(), kind);
            }
            return;
        }
        if line.starts_with(b"# HELP ") || line.starts_with(b"# UNIT ") || line == b"# EOF" {
            return;
        }
        let Some(line) = clock.take(line) else { return };
        if line.starts_with(b"#") {
            return;
        }
        outcome.lines += 1;
        let Some(sample) = parse(line) else {
            return outcome.bad(number, line);
        };
        let Some(at) = sample.at.or(clock.now()) else {
            return outcome.bad(number, line);
        };
        used_file_time |= sample.at.is_none();
        let length = sample.name.len()
            + if sample.labels.is_empty() {
                0
            } else {
                sample.labels.len() + 2
            };
        let key = std::str::from_utf8(&line[..length]).unwrap_or(sample.name);
        let found = match ids.get(key) {
            Some(found) => *found,
            None if ids.len() >= MOST => return,
            None => {
                let made = series_of(&sample, &types, &own)
                    .map(|(name, factor)| (sink.series(&name), factor));
                ids.insert(key.to_owned(), made);
                made
            }
        };
        if let Some((id, factor)) = found {
            sink.sample(id, at, sample.value * factor);
        }
    })?;
    if used_file_time {
        clock.note(&mut outcome);
    }
    Ok(outcome)
}

/// The series of a sample and what its values have to be multiplied with; `None` for those that say
/// nothing along time: buckets, quantiles, the moments at which counters were made.
fn series_of(
    sample: &Sample<'_>,
    types: &FxHashMap<String, Type>,
    own: &str,
) -> Option<(SeriesName, f64)> {
    let kind = types.get(sample.name).copied();
    let stem = ["_bucket", "_sum", "_count", "_created", "_total"]
        .iter()
        .find_map(|e| Some((sample.name.strip_suffix(e)?, *e)));
    let family = stem.and_then(|(s, _)| types.get(s).copied());
    let mut service = None;
    let mut labels = Vec::new();
    let mut quantile = false;
    each_label(sample.labels, |key, value| {
        if let Some(rank) = SERVICE.iter().position(|s| *s == key) {
            if service.as_ref().is_none_or(|(r, _)| rank < *r) {
                service = Some((rank, value.to_owned()));
            }
        } else {
            quantile |= key == "quantile" || key == "le";
            labels.push(format!("{key}={value}"));
        }
    });
    let ending = stem.map_or("", |(_, e)| e);
    if quantile || ending == "_bucket" || ending == "_created" {
        return None;
    }
    let counter = kind == Some(Type::Counter)
        || family == Some(Type::Counter)
        || family == Some(Type::Spread) && matches!(ending, "_sum" | "_count");
    let Column {
        mut metric,
        mut role,
        unit,
        factor,
    } = columns::column(sample.name);
    if counter && role != Measure::Errors {
        role = Measure::Counter;
    } else if kind == Some(Type::Gauge) && role == Measure::Counter {
        // `requests_in_flight` as a gauge goes up and down.
        role = Measure::Level;
    }
    if counter && unit == SeriesUnit::Bytes && role.is_memory() {
        role = Measure::Counter;
    }
    if !labels.is_empty() {
        metric = format!("{metric}{{{}}}", labels.join(","));
    }
    let service = service.map_or_else(|| own.to_owned(), |(_, s)| s);
    Some((
        SeriesName {
            service,
            metric,
            role,
            unit,
        },
        factor,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_the_format() {
        let s =
            parse(b"http_requests_total{path=\"/a}b\",code=\"200\"} 1027 1395066363000").unwrap();
        assert_eq!((s.name, s.value), ("http_requests_total", 1027.0));
        assert_eq!(s.at, Some(Time(1_395_066_363_000)));
        let mut all = Vec::new();
        each_label(s.labels, |k, v| all.push((k.to_owned(), v.to_owned())));
        let want = [("path", "/a}b"), ("code", "200")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(all, want);
        assert!(parse(b"process_open_fds 8").unwrap().at.is_none());
        assert!(parse(b"x{le=\"+Inf\"} +Inf").unwrap().value.is_nan());
        for no in ["", "1 2", "a", "a b", "{x=\"1\"} 2", "a{x=\"1\" 2"] {
            assert!(parse(no.as_bytes()).is_none(), "{no}");
        }
    }
}
