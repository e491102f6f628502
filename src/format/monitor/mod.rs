//! Readers of what monitoring leaves behind: series, request logs, error logs. Each streams its
//! file once and hands every record to a [`Sink`]; none holds more than a line.

mod access;
mod columns;
mod errors;
mod exposition;
mod json_lines;
mod keyed;
mod outside;
mod prometheus;
mod rows;
mod table;
mod time;

pub use columns::{Column, column, number};
pub use time::{Zone, in_name, stamp, whole_stamp};

use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::Sink;
use std::io::BufRead;

/// A line longer than this does not parse.
const LONGEST_LINE: usize = 1 << 20;
/// More lines than one in twenty that do not parse are an error.
const MOST_BAD: u64 = 20;
/// Lines that decide what a file is.
const LINES_OF_A_LOOK: usize = 40;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Rows and columns with a header.
    Table,
    /// JSON objects, one a line, of numbers or of requests.
    JsonLines,
    /// An answer of Prometheus.
    Prometheus,
    /// A log of requests.
    AccessLog,
    /// Lines with a time.
    ErrorLog,
    /// A table in columns of spaces, block by block.
    Rows,
    /// Names and numbers of one moment.
    Snapshot,
    /// Pages of Prometheus' text format.
    Exposition,
}

impl Kind {
    /// The kind's name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::JsonLines => "JSON lines",
            Kind::Prometheus => "answer of Prometheus",
            Kind::AccessLog => "request log",
            Kind::ErrorLog => "event log",
            Kind::Rows => "process table",
            Kind::Snapshot => "snapshot",
            Kind::Exposition => "page of Prometheus",
        }
    }
}

/// How files are read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The zone of stamps that name none.
    pub zone: Zone,
    /// A pattern of request lines with named groups: `time`, `method`, `path` or `request`,
    /// `status`, `duration` or `duration_ms`, `bytes`.
    pub log_pattern: Option<regex::bytes::Regex>,
    /// The service of files that name none, instead of the file's name.
    pub service: Option<String>,
}

/// What reading a file came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What it was.
    pub kind: Kind,
    /// Lines or rows that hold something.
    pub lines: u64,
    /// Those that did not parse.
    pub bad: u64,
    /// The first that did not: its number and its beginning.
    pub first_bad: Option<(u64, String)>,
    /// What the reader had to assume, in words.
    pub notes: Vec<String>,
}

impl Outcome {
    fn new(kind: Kind) -> Outcome {
        Outcome {
            kind,
            lines: 0,
            bad: 0,
            first_bad: None,
            notes: Vec::new(),
        }
    }

    /// Counts a line that did not parse.
    fn bad(&mut self, number: u64, line: &[u8]) {
        self.bad += 1;
        if self.first_bad.is_none() {
            let head = String::from_utf8_lossy(&line[..line.len().min(80)]);
            self.first_bad = Some((number, head.trim_end().to_owned()));
        }
    }

    /// Fails when more than one line in twenty did not parse, or nothing did.
    fn judged(self, name: &str) -> Result<Outcome> {
        let (Some((number, text)), true) = (&self.first_bad, self.bad * MOST_BAD > self.lines)
        else {
            return Ok(self);
        };
        Err(Error::new(
            Code::Damaged,
            format!(
                "{} of {} lines of this {} do not parse, the first is {text:?}",
                self.bad,
                self.lines,
                self.kind.as_str()
            ),
        )
        .at(Place::Line(*number))
        .in_file(name)
        .help("name the layout with --log-pattern, or leave the file out"))
    }
}

/// Reads a file, whatever it is, into `sink`.
///
/// Errors: bytes of no layout that is known, more than 5 % of lines that do not parse.
pub fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let kind = recognise(source.head(), options).ok_or_else(|| {
        Error::new(Code::Unrecognised, "no monitoring series and no log that is known")
            .in_file(source.name())
            .help("a table needs a header and a time column, a log a time on each line; name its layout with --log-pattern")
    })?;
    let outcome = match kind {
        Kind::Table => table::read(source, options, sink),
        Kind::JsonLines => json_lines::read(source, options, sink),
        Kind::Prometheus => prometheus::read(source, options, sink),
        Kind::AccessLog => access::read(source, options, sink),
        Kind::ErrorLog => errors::read(source, options, sink),
        Kind::Rows => rows::read(source, options, sink),
        Kind::Snapshot => keyed::read(source, options, sink),
        Kind::Exposition => exposition::read(source, options, sink),
    };
    outcome.and_then(|o| o.judged(source.name()))
}

/// What a file is, by its first lines.
pub fn recognise(head: &[u8], options: &Options) -> Option<Kind> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let lines = first_lines(head);
    let first = *lines.first()?;
    // The last line of the look may be cut.
    let whole = if lines.len() > 1 && lines.len() < LINES_OF_A_LOOK {
        lines.len() - 1
    } else {
        lines.len()
    };
    let most = |test: &dyn Fn(&[u8]) -> bool| {
        let hits = lines[..whole].iter().filter(|l| test(l)).count();
        hits * 2 > whole
    };
    if prometheus::recognise(text.trim_ascii_start()) {
        return Some(Kind::Prometheus);
    }
    // A time may stand in front of the object: `$(date -Is) $(docker stats --format json)`.
    if first.starts_with(b"{")
        || errors::stamped(first, &options.zone).is_some_and(|(_, t)| t.starts_with(b"{\""))
    {
        return Some(Kind::JsonLines);
    }
    if options.log_pattern.is_some() || most(&|l| access::parse(l, &options.zone).is_some()) {
        return Some(Kind::AccessLog);
    }
    if keyed::recognise(&lines).is_some() {
        return Some(Kind::Snapshot);
    }
    if exposition::recognise(&lines[..whole], options) {
        return Some(Kind::Exposition);
    }
    if rows::recognise(&lines, options) {
        return Some(Kind::Rows);
    }
    if table::recognise(&lines[..whole], &options.zone) {
        return Some(Kind::Table);
    }
    most(&|l| errors::stamped(l, &options.zone).is_some()).then_some(Kind::ErrorLog)
}

/// The first lines that hold something.
fn first_lines(head: &[u8]) -> Vec<&[u8]> {
    head.strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .split(|&b| b == b'\n')
        .map(|l| l.trim_ascii())
        .filter(|l| !l.is_empty())
        .take(LINES_OF_A_LOOK)
        .collect()
}

/// Calls `each` with every line that holds something and its number, without its ending.
fn each_line(source: &Source, mut each: impl FnMut(u64, &[u8])) -> Result<()> {
    let mut reader = source.reader();
    let mut line = Vec::new();
    let (mut number, mut offset) = (0, 0u64);
    loop {
        line.clear();
        let read =
            std::io::Read::take(&mut reader, LONGEST_LINE as u64).read_until(b'\n', &mut line);
        let read = read.map_err(|e| source.inflate_error(&e, offset))?;
        if read == 0 {
            return Ok(());
        }
        offset += read as u64;
        number += 1;
        if read == LONGEST_LINE && line.last() != Some(&b'\n') {
            offset += skip_line(&mut *reader).map_err(|e| source.inflate_error(&e, offset))?;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            each(number, text);
        }
    }
}

/// Reads to the end of the line without keeping it.
fn skip_line(reader: &mut dyn BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let chunk = reader.fill_buf()?;
        let (length, found) = match memchr::memchr(b'\n', chunk) {
            Some(at) => (at + 1, true),
            None => (chunk.len(), false),
        };
        reader.consume(length);
        skipped += length as u64;
        if found || length == 0 {
            return Ok(skipped);
        }
    }
}

/// The service that a file speaks of: its name without its ending and the words of the layout.
fn service_of(source: &Source, options: &Options) -> String {
    if let Some(service) = &options.service {
        return service.clone();
    }
    let path = std::path::Path::new(source.name());
    let name = path
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let stem = name.split('.').next().unwrap_or(&name);
    let known = [
        "_docker_stats",
        "_gc_stats",
        "_proc_meminfo",
        "_proc_stats",
        "_stats",
        "_monitoring",
        "_metrics",
        "_sockets",
        "_threads",
        "_fds",
    ];
    let cut = known
        .iter()
        .find_map(|k| stem.strip_suffix(k))
        .unwrap_or(stem);
    if cut.is_empty() {
        "service".to_owned()
    } else {
        cut.to_owned()
    }
}
