//! What monitoring left behind: levels and counters along the clock, requests, and lines of error
//! logs. Readers hand each record to a [`Sink`] as they meet it; nothing here holds a whole log.

/// A moment: milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// The moment `seconds` after 1970; `None` outside of the years 1970 to 9999.
    pub fn from_seconds(seconds: f64) -> Option<Time> {
        let ms = (seconds * 1e3).round();
        (0.0..=253_402_300_799_000.0)
            .contains(&ms)
            .then_some(Time(ms as i64))
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// This moment moved by `seconds`.
    pub fn plus(self, seconds: f64) -> Time {
        Time(self.0.saturating_add((seconds * 1e3).round() as i64))
    }

    /// Hours from `earlier` to this moment.
    pub fn hours_since(self, earlier: Time) -> f64 {
        (self.0.saturating_sub(earlier.0)) as f64 / 3.6e6
    }
}

/// What a column of numbers measures, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Memory that a service holds: what growth is judged by.
    Memory,
    /// A part of that memory: a managed heap, a cache, anonymous pages, a stack.
    Part,
    /// Page cache and other memory that the kernel takes back when it is needed.
    Cache,
    /// Memory of the whole machine, whatever the file is called.
    Host,
    /// Address space: reserved, not held.
    Address,
    /// A limit or a total: never a usage.
    Limit,
    /// A share: never a usage.
    Percent,
    /// A number that only rises while a process lives: requests, bytes, collections, CPU seconds.
    Counter,
    /// A counter of failures.
    Errors,
    /// Processes or workers.
    Processes,
    /// Open descriptors.
    Descriptors,
    /// Sockets or connections that are open.
    Sockets,
    /// Threads.
    Threads,
    /// Work that waits or is being tried again: comes back to zero in a healthy service.
    Pending,
    /// Names a process: its id or when it started. A change is a restart.
    Identity,
    /// Any other level.
    Level,
}

impl Measure {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Memory => "memory",
            Measure::Part => "part",
            Measure::Cache => "cache",
            Measure::Host => "host",
            Measure::Address => "address",
            Measure::Limit => "limit",
            Measure::Percent => "percent",
            Measure::Counter => "counter",
            Measure::Errors => "errors",
            Measure::Processes => "processes",
            Measure::Descriptors => "descriptors",
            Measure::Sockets => "sockets",
            Measure::Threads => "threads",
            Measure::Pending => "pending",
            Measure::Identity => "identity",
            Measure::Level => "level",
        }
    }

    /// Whether the values only rise while a process lives.
    pub fn is_cumulative(self) -> bool {
        matches!(self, Measure::Counter | Measure::Errors)
    }

    /// Whether growth of the values is memory that a service gathers.
    pub fn is_memory(self) -> bool {
        matches!(self, Measure::Memory | Measure::Part)
    }
}

/// What the values of a series count, after conversion to its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeriesUnit {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Hundredths.
    Percent,
}

impl SeriesUnit {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            SeriesUnit::Bytes => "bytes",
            SeriesUnit::Count => "count",
            SeriesUnit::Seconds => "seconds",
            SeriesUnit::Percent => "percent",
        }
    }
}

/// What a series is: whose, of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesName {
    /// The container, process or host.
    pub service: String,
    /// The column in snake_case, without its unit: `mem_usage`, `rss`, `retry_counts.disk`.
    pub metric: String,
    /// What it measures.
    pub role: Measure,
    /// What the values count.
    pub unit: SeriesUnit,
}

/// A series inside a [`Sink`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

/// One request of a log, borrowed from its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request<'a> {
    /// When it was logged, which is when it ended.
    pub end: Time,
    /// How long it took, in seconds, where the log says.
    pub duration: Option<f64>,
    /// `GET`, `POST`, ...
    pub method: &'a [u8],
    /// Path and query as they were asked for; a scheme and host in front are allowed.
    pub target: &'a [u8],
    /// Status; 0 where the log has none.
    pub status: u16,
    /// Bytes of the answer, where the log says.
    pub bytes: Option<u64>,
    /// Whether the answer timed out upstream (504, or a word of the log).
    pub timed_out: bool,
}

/// What a reader hands its records to.
pub trait Sink {
    /// The series of that name; the same name gives the same id, whichever file it stands in.
    fn series(&mut self, name: &SeriesName) -> SeriesId;
    /// A value of a series, in base units (bytes, seconds, things). Samples may come in any order;
    /// NaN and infinite values are missing ones.
    fn sample(&mut self, series: SeriesId, at: Time, value: f64);
    /// A request, in the order of the log.
    fn request(&mut self, request: &Request<'_>);
    /// A line of an error log, without its time.
    fn event(&mut self, at: Time, text: &[u8]);
    /// A line of a log of `bytes` bytes, whether it is a request or an event.
    fn logged(&mut self, at: Time, bytes: usize);
}
