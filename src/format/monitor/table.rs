//! Tables: a header, a time column, columns of numbers. `docker stats` in CSV among them.

use super::columns::{self, Column};
use super::time::{Zone, whole_stamp};
use super::{Kind, Options, Outcome, service_of};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::Measure;
use crate::model::SeriesId;
use crate::model::SeriesName;
use crate::model::SeriesUnit;
use crate::model::Sink;
use crate::model::Time;
use rustc_hash::FxHashMap;

/// Most columns of a table.
const MOST_COLUMNS: usize = 4096;
/// Most services of a table.
const MOST_SERVICES: usize = 4096;
/// Bare numbers of memory that stay below this are taken for megabytes: no process holds so few bytes.
const TOO_SMALL_FOR_BYTES: f64 = 1e5;

fn delimiter(line: &[u8]) -> u8 {
    let count = |d: u8| line.iter().filter(|&&b| b == d).count();
    [b',', b'\t', b';']
        .into_iter()
        .max_by_key(|&d| (count(d), d == b','))
        .unwrap_or(b',')
}

/// Which columns hold the time.
#[derive(Debug, Clone, Copy)]
enum When {
    One(usize),
    DateAndTime(usize, usize),
}

fn when(header: &[String], row: &[&[u8]], zone: &Zone) -> Option<When> {
    let named = |name: &str| {
        header
            .iter()
            .position(|h| h.trim().eq_ignore_ascii_case(name))
    };
    if let (Some(d), Some(t)) = (named("date"), named("time")) {
        return Some(When::DateAndTime(d, t));
    }
    let parses = |i: &usize| row.get(*i).is_some_and(|v| whole_stamp(v, zone).is_some());
    let by_name = (0..header.len())
        .filter(|&i| columns::is_time(&header[i]))
        .find(parses);
    by_name
        .or_else(|| (0..header.len()).find(parses))
        .map(When::One)
}

fn split(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    line.split(|&b| b == delimiter)
        .map(|f| f.trim_ascii())
        .map(|f| {
            f.strip_prefix(b"\"")
                .and_then(|f| f.strip_suffix(b"\""))
                .unwrap_or(f)
        })
        .collect()
}

/// Whether the lines are a header and rows with a time.
pub(super) fn recognise(lines: &[&[u8]], zone: &Zone) -> bool {
    let rows: Vec<&&[u8]> = lines.iter().filter(|l| !l.starts_with(b"#")).collect();
    let [header, rest @ ..] = rows.as_slice() else {
        return false;
    };
    let d = delimiter(header);
    let names: Vec<String> = split(header, d)
        .iter()
        .map(|f| String::from_utf8_lossy(f).into_owned())
        .collect();
    let plain =
        |n: &String| whole_stamp(n.as_bytes(), zone).is_none() && columns::number(n).is_none();
    let Some(row) = rest
        .iter()
        .map(|r| split(r, d))
        .find(|r| r.len() == names.len())
    else {
        // A header alone is a table without rows.
        return rest.is_empty() && names.len() > 1 && names.iter().any(|n| columns::is_time(n));
    };
    names.len() > 1 && names.iter().all(plain) && when(&names, &row, zone).is_some()
}

/// Where the values of a column go.
#[derive(Debug, Clone)]
enum Goes {
    /// Time, service and text.
    Aside,
    Numbers {
        column: Column,
        seen: bool,
    },
}

struct Table<'a> {
    sink: &'a mut dyn Sink,
    places: Vec<Goes>,
    service: String,
    service_at: Option<usize>,
    long: Option<(usize, usize)>,
    ids: FxHashMap<(String, usize, u8), SeriesId>,
}

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::Table);
    let head_line = source
        .head()
        .split(|&b| b == b'\n')
        .find(|l| !l.trim_ascii().is_empty() && !l.starts_with(b"#"))
        .unwrap_or_default();
    let head_line = head_line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head_line);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(head_line))
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(source.reader());
    let damaged = |e: csv::Error| {
        let line = e.position().map_or(1, |p| p.line());
        Error::new(Code::Damaged, format!("the table cannot be read ({e})"))
            .at(Place::Line(line))
            .in_file(source.name())
    };
    let header: Vec<String> = reader
        .byte_headers()
        .map_err(damaged)?
        .iter()
        .map(|h| {
            String::from_utf8_lossy(h)
                .trim_start_matches('\u{feff}')
                .to_owned()
        })
        .collect();
    if header.len() > MOST_COLUMNS {
        let what = format!("the table has more than {MOST_COLUMNS} columns");
        return Err(Error::new(Code::LimitExceeded, what)
            .at(Place::Line(1))
            .in_file(source.name()));
    }
    let mut row = csv::ByteRecord::new();
    let (mut time_at, mut table): (Option<When>, Option<Table<'_>>) = (None, None);
    let mut sink = Some(sink);
    while reader.read_byte_record(&mut row).map_err(damaged)? {
        let line = row.position().map_or(0, |p| p.line());
        if row.iter().all(<[u8]>::is_empty) {
            continue;
        }
        outcome.lines += 1;
        if time_at.is_none() {
            let fields: Vec<&[u8]> = row.iter().collect();
            time_at = when(&header, &fields, &options.zone);
        }
        let time = time_at.and_then(|w| time_of(&row, w, &options.zone));
        let (Some(time), true) = (time, row.len() == header.len()) else {
            // A header that is repeated (files that were joined) is no damage.
            let repeated = row.iter().zip(&header).all(|(f, h)| f == h.as_bytes());
            match repeated {
                true => outcome.lines -= 1,
                false => outcome.bad(line, row.as_slice()),
            }
            continue;
        };
        let table = match &mut table {
            Some(table) => table,
            None => {
                let Some(sink) = sink.take() else { break };
                let assumed = assumed_units(source.head(), &header, delimiter(head_line));
                let when = time_at.unwrap_or(When::One(0));
                table.insert(Table::new(
                    sink,
                    &header,
                    when,
                    assumed,
                    service_of(source, options),
                    &mut outcome,
                ))
            }
        };
        if !table.row(&row, time) {
            outcome.bad(line, row.as_slice());
        }
    }
    Ok(outcome)
}

fn time_of(row: &csv::ByteRecord, when: When, zone: &Zone) -> Option<Time> {
    match when {
        When::One(at) => whole_stamp(row.get(at)?, zone),
        When::DateAndTime(d, t) => {
            let both = [row.get(d)?, row.get(t)?].join(&b' ');
            whole_stamp(&both, zone)
        }
    }
}

/// For each column, whether bare numbers of memory are too small to be bytes.
fn assumed_units(head: &[u8], header: &[String], delimiter: u8) -> Vec<bool> {
    let mut largest = vec![f64::NAN; header.len()];
    for line in head.split(|&b| b == b'\n').skip(1) {
        for (i, field) in split(line, delimiter).iter().enumerate().take(header.len()) {
            let Ok(text) = std::str::from_utf8(field) else {
                continue;
            };
            match columns::number(text) {
                Some((v, None)) => largest[i] = largest[i].max(v),
                // One with a unit: the column says itself.
                Some((_, Some(_))) => largest[i] = f64::INFINITY,
                None => {}
            }
        }
    }
    largest
        .iter()
        .map(|&v| v > 0.0 && v < TOO_SMALL_FOR_BYTES)
        .collect()
}

impl<'a> Table<'a> {
    fn new(
        sink: &'a mut dyn Sink,
        header: &[String],
        when: When,
        assumed: Vec<bool>,
        service: String,
        outcome: &mut Outcome,
    ) -> Table<'a> {
        let is_when = |i: usize| match when {
            When::One(at) => i == at,
            When::DateAndTime(d, t) => i == d || i == t,
        };
        let service_at = header.iter().position(|h| columns::is_service(h));
        let find = |name: &str| {
            header
                .iter()
                .position(|h| h.trim().eq_ignore_ascii_case(name))
        };
        let long = find("metric").or(find("__name__")).zip(find("value"));
        let places = header
            .iter()
            .enumerate()
            .map(|(i, name)| {
                if is_when(i) || Some(i) == service_at || columns::is_time(name) {
                    return Goes::Aside;
                }
                let mut column = columns::column(name);
                let bare = column.unit == SeriesUnit::Bytes && column.factor == 1.0;
                let named = name.to_ascii_lowercase().contains("byte");
                if bare && !named && assumed[i] {
                    column.factor = 1e6;
                    outcome
                        .notes
                        .push(format!("{name}: numbers this small are taken for MB"));
                }
                Goes::Numbers {
                    column,
                    seen: false,
                }
            })
            .collect();
        Table {
            sink,
            places,
            service,
            service_at,
            long,
            ids: FxHashMap::default(),
        }
    }

    /// Hands on the numbers of a row; false if a column of numbers holds none and no sign of a
    /// missing one.
    fn row(&mut self, row: &csv::ByteRecord, time: Time) -> bool {
        let service = match self.service_at.and_then(|i| row.get(i)) {
            Some(name) => String::from_utf8_lossy(name).into_owned(),
            None => self.service.clone(),
        };
        if let Some((metric, value)) = self.long {
            return self.long_row(row, time, service, metric, value);
        }
        let mut fine = true;
        for i in 0..self.places.len() {
            let Goes::Numbers { column, seen } = &mut self.places[i] else {
                continue;
            };
            let Some(Ok(text)) = row.get(i).map(std::str::from_utf8) else {
                fine = false;
                continue;
            };
            let (left, right) = match text.split_once('/') {
                Some((l, r)) => (l, Some(r)),
                None => (text, None),
            };
            let Some((value, unit)) = columns::number(left) else {
                fine &= !*seen || is_missing(text);
                continue;
            };
            *seen = true;
            let column = column.clone();
            self.put(&service, i, 0, &column, time, value, unit);
            if let Some((other, unit)) = right.and_then(columns::number) {
                let second = second_of(&column);
                self.put(&service, i, 1, &second, time, other, unit);
            }
        }
        fine
    }

    fn long_row(
        &mut self,
        row: &csv::ByteRecord,
        time: Time,
        service: String,
        metric: usize,
        value: usize,
    ) -> bool {
        let text = |i: usize| row.get(i).and_then(|f| std::str::from_utf8(f).ok());
        let (Some(metric), Some(value)) = (text(metric), text(value)) else {
            return false;
        };
        match columns::number(value) {
            Some((v, unit)) => {
                let column = columns::column(metric);
                let name = series_name(service, &column, unit);
                let id = self.sink.series(&name);
                let factor = if unit.is_some() { 1.0 } else { column.factor };
                self.sink.sample(id, time, v * factor);
                true
            }
            None => is_missing(value),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn put(
        &mut self,
        service: &str,
        at: usize,
        side: u8,
        column: &Column,
        time: Time,
        value: f64,
        unit: Option<SeriesUnit>,
    ) {
        let key = (service.to_owned(), at, side);
        let id = match self.ids.get(&key) {
            Some(&id) => id,
            None if self.ids.len() >= MOST_SERVICES * 16 => return,
            None => {
                let id = self
                    .sink
                    .series(&series_name(service.to_owned(), column, unit));
                self.ids.insert(key, id);
                id
            }
        };
        let factor = if unit.is_some() { 1.0 } else { column.factor };
        self.sink.sample(id, time, value * factor);
    }
}

/// The second number of `1.2GiB / 7.6GiB`: a limit, or what went out.
fn second_of(column: &Column) -> Column {
    let mut second = column.clone();
    if column.role.is_memory() {
        second.metric = "mem_limit".into();
        second.role = Measure::Limit;
    } else {
        second.metric = format!("{}_out", column.metric);
    }
    second
}

pub(super) fn series_name(
    service: String,
    column: &Column,
    unit: Option<SeriesUnit>,
) -> SeriesName {
    let unit = unit.unwrap_or(column.unit);
    let role = match (unit, column.role) {
        (SeriesUnit::Percent, _) => Measure::Percent,
        (_, role) => role,
    };
    SeriesName {
        service,
        metric: column.metric.clone(),
        role,
        unit,
    }
}

fn is_missing(text: &str) -> bool {
    let t = text.trim();
    t.is_empty()
        || t.split('/').all(|p| {
            let p = p.trim();
            ["--", "-", "n/a", "na", "nan", "null", "none", "nil"]
                .iter()
                .any(|m| p.eq_ignore_ascii_case(m))
        })
        || t.eq_ignore_ascii_case("n/a")
}
