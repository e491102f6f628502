//! Tables in columns of spaces that repeat: `pidstat -r`, `ps`, `kubectl top pod`, `docker stats`.
//! Each block is a moment. Processes of one name are one service: their memory is added up, and
//! they are counted.

use super::columns::{self, Column};
use super::outside::{Clock, leading, service_named};
use super::table::series_name;
use super::time::{Zone, clock_of_day, date_of};
use super::{Kind, Options, Outcome, each_line};
use crate::error::Result;
use crate::input::Source;
use crate::model::Measure;
use crate::model::SeriesName;
use crate::model::SeriesUnit;
use crate::model::Sink;
use crate::model::Time;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Most services of one block; further ones are left out.
const MOST_SERVICES: usize = 4096;
/// Words of a header that say which column is the service, the best first.
const WHOSE: [&str; 7] = ["NAME", "POD", "Command", "COMMAND", "CMD", "COMM", "ARGS"];
/// Columns of memory in kilobytes of 1,024.
const KILOBYTES: [&str; 6] = ["RSS", "RSZ", "RES", "VSZ", "SZ_KB", "PSS"];

/// How a row is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// At spaces; the last column takes the rest.
    Spaces,
    /// At two spaces or more: cells hold spaces.
    Wide,
}

/// A header and what its columns are.
#[derive(Debug, Clone)]
struct Header {
    text: Vec<u8>,
    cut: Cut,
    whose: usize,
    /// In front of the service: the namespace or the pod.
    prefix: Option<usize>,
    /// The process.
    pid: Option<usize>,
    /// A clock that each row begins with.
    clocked: bool,
    columns: Vec<Option<Column>>,
}

/// The cells of a row.
fn cells(text: &str, cut: Cut, most: usize) -> Vec<&str> {
    match cut {
        Cut::Wide => text
            .split("  ")
            .flat_map(|part| part.split('\t'))
            .map(str::trim)
            .filter(|c| !c.is_empty())
            .collect(),
        Cut::Spaces => {
            let mut out = Vec::new();
            let mut rest = text.trim_start();
            while out.len() + 1 < most && !rest.is_empty() {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                out.push(&rest[..end]);
                rest = rest[end..].trim_start();
            }
            if !rest.is_empty() {
                out.push(rest.trim_end());
            }
            out
        }
    }
}

impl Header {
    /// A line that is a header of one of these tables.
    fn of(line: &[u8]) -> Option<Header> {
        let text = std::str::from_utf8(line).ok()?;
        let plain = text.trim_start_matches(['#', ' ']);
        let wide = plain.contains("MEM USAGE") || plain.contains("CPU %  ");
        let cut = if wide { Cut::Wide } else { Cut::Spaces };
        let mut names = cells(plain, cut, usize::MAX);
        // pidstat begins a header with the time: `16:24:44`, `04:24:44 PM`, `Time`.
        let clocked = names
            .first()
            .is_some_and(|n| *n == "Time" || clock_of_day(n.as_bytes()).is_some());
        if clocked {
            names.remove(0);
            if names.first().is_some_and(|n| matches!(*n, "AM" | "PM")) {
                names.remove(0);
            }
        }
        let at = |name: &str| names.iter().position(|n| *n == name);
        // `kubectl top pod --containers` names the pod and then the container.
        let whose = WHOSE
            .iter()
            .find_map(|n| at(n))
            .or_else(|| at("CONTAINER"))?;
        let prefix = at("POD")
            .filter(|&p| p != whose)
            .or_else(|| at("NAMESPACE"));
        let memory = names.iter().any(|n| {
            matches!(*n, "RSS" | "RSZ" | "RES" | "MEM" | "MEM USAGE / LIMIT")
                || n.starts_with("MEMORY")
        });
        if !memory {
            return None;
        }
        let columns = names
            .iter()
            .enumerate()
            .map(|(i, n)| of_column(n, i == whose))
            .collect();
        Some(Header {
            text: plain.as_bytes().to_vec(),
            cut,
            whose,
            prefix,
            pid: at("PID"),
            clocked,
            columns,
        })
    }

    /// Whether a line is this header again, whatever its clock.
    fn repeats(&self, line: &[u8]) -> bool {
        line == self.text || Header::of(line).is_some()
    }
}

/// A column of numbers that says something along time.
fn of_column(name: &str, whose: bool) -> Option<Column> {
    let aside = [
        "USER",
        "UID",
        "PID",
        "PPID",
        "PGID",
        "SID",
        "TTY",
        "STAT",
        "S",
        "START",
        "STARTED",
        "TIME",
        "ELAPSED",
        "NI",
        "PRI",
        "C",
        "CONTAINER ID",
        "NAMESPACE",
        "POD",
        "CONTAINER",
        "AGE",
        "STATUS",
        "READY",
        "SZ",
    ];
    if whose || aside.contains(&name) || name.ends_with("/s") {
        return None;
    }
    let mut column = match name {
        "MEM USAGE / LIMIT" => columns::column("mem_usage"),
        "CPU(cores)" => columns::column("cpu_percent"),
        _ => columns::column(name.split('(').next().unwrap_or(name)),
    };
    if KILOBYTES.contains(&name) {
        column.factor = 1024.0;
    }
    Some(column)
}

/// A row of `kubectl top pod --no-headers`: a name, cores and bytes.
fn headless(text: &str) -> bool {
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    let [.., cpu, memory] = parts.as_slice() else {
        return false;
    };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    (3..=4).contains(&parts.len())
        && cpu.strip_suffix('m').is_some_and(digits)
        && ["Ki", "Mi", "Gi"]
            .iter()
            .any(|u| memory.strip_suffix(u).is_some_and(digits))
}

const HEADLESS: [&[u8]; 2] = [
    b"NAME CPU(cores) MEMORY(bytes)",
    b"NAMESPACE NAME CPU(cores) MEMORY(bytes)",
];

/// A line without the codes that clear a screen.
fn uncoloured(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut i = 0;
    while i < line.len() {
        if line[i] == 0x1b && line.get(i + 1) == Some(&b'[') {
            i += 2;
            while i < line.len() && !line[i].is_ascii_alphabetic() {
                i += 1;
            }
            i += 1;
        } else {
            out.push(line[i]);
            i += 1;
        }
    }
    out
}

/// Whether the lines are such a table: a header and a row of it, or rows of `kubectl top`.
pub(super) fn recognise(lines: &[&[u8]], options: &Options) -> bool {
    let mut header = None;
    for line in lines {
        let line = uncoloured(line);
        let rest = leading(&line, &options.zone).map_or(&line[..], |(_, rest)| rest);
        let text = String::from_utf8_lossy(rest);
        if headless(&text) {
            return true;
        }
        match &header {
            None => header = Header::of(rest),
            Some(h) => {
                let n = cells(&text, h.cut, h.columns.len() + usize::from(h.clocked)).len();
                if n >= h.columns.len() {
                    return true;
                }
            }
        }
    }
    false
}

/// What one service held at one moment.
#[derive(Default)]
struct Held {
    processes: u32,
    pid: f64,
    values: BTreeMap<usize, (f64, Option<SeriesUnit>)>,
}

/// The block that is being read.
struct Block<'a> {
    sink: &'a mut dyn Sink,
    header: Option<Header>,
    at: Option<Time>,
    held: BTreeMap<String, Held>,
    /// Services whose rows are processes: more than one of a name is a number to watch.
    counted: FxHashMap<String, bool>,
}

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::Rows);
    let mut clock = Clock::of(source, options);
    let mut day = Day {
        zone: &options.zone,
        midnight: None,
        last: 0,
        assumed: false,
    };
    // Rows name their service themselves; a name that was given wins where there is one row.
    let given = options
        .service
        .is_some()
        .then(|| service_named(source, options))
        .flatten();
    let mut block = Block {
        sink,
        header: None,
        at: None,
        held: BTreeMap::new(),
        counted: FxHashMap::default(),
    };
    let mut untimed = false;
    each_line(source, |number, raw| {
        let line = uncoloured(raw);
        let Some(line) = clock.take(&line) else {
            return block.put();
        };
        if line.starts_with(b"Linux ") {
            day.banner(line);
            return block.put();
        }
        if line.starts_with(b"Average:") || line.is_empty() {
            return;
        }
        if block.header.as_ref().is_some_and(|h| h.repeats(line)) || block.header.is_none() {
            if let Some(header) = Header::of(line) {
                block.put();
                block.header = Some(header);
                return;
            }
        }
        outcome.lines += 1;
        let text = String::from_utf8_lossy(line);
        if block.header.is_none() && headless(&text) {
            let four = text.split_ascii_whitespace().count() == 4;
            block.header = Header::of(HEADLESS[usize::from(four)]);
        }
        let Some(header) = &block.header else {
            return outcome.bad(number, line);
        };
        let (time, text) = match header.clocked {
            false => (clock.now(), &text[..]),
            true => match day.of(&text) {
                Some((time, rest)) => (time.or(clock.now()), rest),
                None => return outcome.bad(number, line),
            },
        };
        let row = cells(text, header.cut, header.columns.len());
        let Some(time) = time else {
            untimed = true;
            return outcome.bad(number, line);
        };
        if row.len() < header.columns.len() {
            return outcome.bad(number, line);
        }
        if block.at != Some(time) {
            block.put();
            block.at = Some(time);
        }
        if !block.row(&row, given.as_deref()) {
            outcome.bad(number, line);
        }
    })?;
    block.put();
    if untimed {
        outcome
            .notes
            .push("rows without a time: write one in front of each block".to_owned());
    }
    if day.assumed {
        outcome
            .notes
            .push("the date of the banner is taken for month/day/year".to_owned());
    }
    clock.note(&mut outcome);
    Ok(outcome)
}

impl Block<'_> {
    /// Takes a row; false if it holds no number where one has to be.
    fn row(&mut self, row: &[&str], given: Option<&str>) -> bool {
        let Some(header) = &self.header else {
            return false;
        };
        let process = header.pid.is_some();
        let mut name = match given {
            Some(name) => name.to_owned(),
            None if process => program(row[header.whose]),
            None => row[header.whose].to_owned(),
        };
        if let (Some(p), None) = (header.prefix, given) {
            name = format!("{}/{name}", row[p]);
        }
        let mut values = Vec::with_capacity(header.columns.len());
        let mut fine = false;
        for (i, column) in header.columns.iter().enumerate() {
            let Some(column) = column else { continue };
            let text = row[i].split('/').next().unwrap_or(row[i]);
            let Some((value, unit)) = columns::number(text) else {
                fine |= column.role == Measure::Memory && matches!(text.trim(), "--" | "-");
                continue;
            };
            fine |= column.role == Measure::Memory;
            let factor = if unit.is_some() { 1.0 } else { column.factor };
            // Threads of the kernel hold nothing.
            if process && column.role == Measure::Memory && value == 0.0 {
                return true;
            }
            values.push((i, value * factor, unit));
        }
        if values.is_empty() || self.held.len() >= MOST_SERVICES && !self.held.contains_key(&name) {
            return fine;
        }
        let pid = header.pid.and_then(|p| row[p].parse::<f64>().ok());
        let held = self.held.entry(name).or_default();
        held.processes += 1;
        held.pid = pid.unwrap_or(0.0);
        for (i, value, unit) in values {
            let sum = held.values.entry(i).or_insert((0.0, unit));
            sum.0 += value;
        }
        fine
    }

    /// Hands the block on.
    fn put(&mut self) {
        let (Some(at), Some(header)) = (self.at.take(), &self.header) else {
            self.held.clear();
            return;
        };
        for (service, held) in std::mem::take(&mut self.held) {
            for (i, (value, unit)) in &held.values {
                let Some(column) = &header.columns[*i] else {
                    continue;
                };
                let id = self
                    .sink
                    .series(&series_name(service.clone(), column, *unit));
                self.sink.sample(id, at, *value);
            }
            if header.pid.is_none() {
                continue;
            }
            let many = self.counted.entry(service.clone()).or_insert(false);
            *many |= held.processes > 1;
            let mut whole = |metric: &str, role, value: f64| {
                let id = self.sink.series(&SeriesName {
                    service: service.clone(),
                    metric: metric.to_owned(),
                    role,
                    unit: SeriesUnit::Count,
                });
                self.sink.sample(id, at, value);
            };
            whole("processes", Measure::Processes, f64::from(held.processes));
            // The id of one process among several says nothing of a restart.
            if !*many {
                whole("pid", Measure::Identity, held.pid);
            }
        }
    }
}

/// The name of a program by its command line: the script of an interpreter, else the first word.
fn program(command: &str) -> String {
    let base = |word: &str| {
        let word = word.trim_matches(['[', ']']);
        word.rsplit('/')
            .next()
            .unwrap_or(word)
            .trim_end_matches(':')
            .to_owned()
    };
    let mut words = command.split_ascii_whitespace();
    let first = base(words.next().unwrap_or(command));
    let interpreters = [
        "python", "node", "nodejs", "ruby", "perl", "php", "java", "bash", "sh",
    ];
    let interpreted = interpreters.iter().any(|i| {
        first
            .strip_prefix(i)
            .is_some_and(|v| v.chars().all(|c| c.is_ascii_digit() || c == '.'))
    });
    if !interpreted {
        return first;
    }
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if word == "-m" || word == "-jar" {
            return words.next().map_or(first, base);
        }
        if !word.starts_with('-') {
            return base(word);
        }
    }
    first
}

/// The day of clocks that name none.
struct Day<'a> {
    zone: &'a Zone,
    /// Seconds of its midnight, as if it were UTC.
    midnight: Option<i64>,
    last: i64,
    assumed: bool,
}

impl Day<'_> {
    /// Takes the date of `Linux 6.1 (host)  2026-03-02  _x86_64_  (2 CPU)`.
    fn banner(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        // The second word is the kernel's version, which may look like a date.
        for word in text.split_ascii_whitespace().skip(3) {
            if let Some((days, assumed)) = date_of(word) {
                self.midnight = Some(days * 86_400);
                self.assumed |= assumed;
                self.last = 0;
                return;
            }
        }
    }

    /// The time of a row that begins with a clock or with seconds since 1970, and the rest of it. The
    /// time is `None` where no date is known.
    fn of<'t>(&mut self, text: &'t str) -> Option<(Option<Time>, &'t str)> {
        let text = text.trim_start();
        let end = text.find(char::is_whitespace)?;
        let (word, mut rest) = (&text[..end], text[end..].trim_start());
        if word.len() >= 10
            && let Ok(seconds) = word.parse::<f64>()
        {
            return Some((Time::from_seconds(seconds), rest));
        }
        let mut seconds = clock_of_day(word.as_bytes())?;
        for (half, add) in [("AM", 0), ("PM", 43_200)] {
            if let Some(after) = rest.strip_prefix(half) {
                seconds = seconds % 43_200 + add;
                rest = after.trim_start();
            }
        }
        let midnight = self.midnight.as_mut()?;
        // The clock went back by hours: another day has begun.
        if seconds + 43_200 < self.last {
            *midnight += 86_400;
        }
        self.last = seconds;
        Some((Some(self.zone.at(*midnight + seconds)), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_by_their_command_lines() {
        for (command, want) in [
            ("/usr/bin/python3 -u /srv/app/rules.py 8721", "rules.py"),
            ("python3 -m gunicorn app:app", "gunicorn"),
            ("node shop.js 8722", "shop.js"),
            ("java -Xmx2g -jar /opt/app.jar", "app.jar"),
            ("nginx: worker process", "nginx"),
            ("/srv/services/forwarder 10000000", "forwarder"),
            ("[kworker/0:1]", "0:1"),
            ("python", "python"),
        ] {
            assert_eq!(program(command), want, "{command}");
        }
    }

    #[test]
    fn cells_of_both_kinds() {
        let docker = "b95a83497c91   web       0.28%     5.629MiB / 1.944GiB   0.28%     916B / 0B       147kB / 0B  9";
        assert_eq!(cells(docker, Cut::Wide, 8).len(), 8);
        assert_eq!(cells("  1 2 a b c", Cut::Spaces, 3), ["1", "2", "a b c"]);
    }
}
