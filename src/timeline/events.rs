//! Lines of error logs by their pattern, and bursts against their own normal. They date an
//! incident; they never accuse: sparse patterns burst by chance.

use super::fit::median_of;
use crate::model::Series;
use crate::model::Time;
use crate::trend::count_upper;
use rustc_hash::FxHashMap;

/// Width of a window at first, in seconds.
const WINDOW_S: i64 = 900;
/// Most patterns; the rest is `other`.
const MOST_PATTERNS: usize = 512;
/// Most windows of all patterns; beyond, neighbours are joined and the width doubles.
const MOST_ENTRIES: usize = 1 << 20;
/// Longest text of a pattern.
const LONGEST: usize = 120;
/// Windows that are looked at: 15 minutes, an hour, three hours.
const LENGTHS: [usize; 3] = [1, 4, 12];
/// Windows of 15 minutes around that give the normal: six hours on either side.
const AROUND: usize = 24;
/// A burst is at least so many times its normal and so many events.
const TIMES: f64 = 2.0;
const LEAST: f64 = 10.0;
const OTHER: &str = "other";
/// The pattern under which connections that are opened are counted, wherever they go.
const CHURN: &str = "connections opened";

/// A pattern of events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventFacts {
    /// The text with numbers, addresses and quoted text as `#`.
    pub pattern: String,
    /// Lines.
    pub count: u64,
    /// Lines an hour at the median.
    pub normal_per_hour: f64,
    /// Lines an hour where they are most.
    pub peak_per_hour: f64,
    /// When that is.
    pub peak_at: Time,
    /// Bursts: start, end, times the normal.
    pub bursts: Vec<(Time, Time, f64)>,
}

/// What was logged along the clock, over all logs.
#[derive(Debug, Clone, PartialEq)]
pub struct LogVolume {
    /// Width of a window, in seconds.
    pub window_s: i64,
    /// The first line and the last.
    pub span: (Time, Time),
    /// Windows that hold any, by time: their number (seconds since 1970 divided by the width),
    /// lines, bytes.
    pub windows: Vec<(i64, f64, f64)>,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    total: u64,
    windows: Vec<(i64, f64)>,
}

impl Counts {
    fn add(&mut self, at: i64, n: f64) -> usize {
        self.total += 1;
        let place = match self.windows.last() {
            Some(last) if last.0 == at => self.windows.len() - 1,
            Some(last) if last.0 > at => self.windows.partition_point(|w| w.0 < at),
            _ => self.windows.len(),
        };
        match self.windows.get_mut(place) {
            Some(w) if w.0 == at => {
                w.1 += n;
                0
            }
            _ => {
                self.windows.insert(place, (at, n));
                1
            }
        }
    }
}

/// Gathers events and the volume of logs.
#[derive(Debug, Clone)]
pub(crate) struct EventLog {
    patterns: Vec<(String, Counts)>,
    ids: FxHashMap<String, usize>,
    volume: Counts,
    lines: Counts,
    window_s: i64,
    entries: usize,
    span: Option<(Time, Time)>,
}

impl Default for EventLog {
    fn default() -> Self {
        EventLog {
            patterns: Vec::new(),
            ids: FxHashMap::default(),
            volume: Counts::default(),
            lines: Counts::default(),
            window_s: WINDOW_S,
            entries: 0,
            span: None,
        }
    }
}

impl EventLog {
    /// Counts a line of a log of `bytes` bytes.
    pub fn logged(&mut self, at: Time, bytes: usize) {
        let window = at.0.div_euclid(self.window_s * 1000);
        self.entries += self.volume.add(window, bytes as f64 / 1e3);
        self.entries += self.lines.add(window, 1.0);
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
    }

    /// Counts an event by its pattern, and what opens a connection also as churn.
    pub fn push(&mut self, at: Time, text: &[u8]) {
        let name = pattern(text);
        if opens(&name) {
            self.tally(CHURN, at);
        }
        self.count(name, at);
    }

    /// Counts an event under a name of its own.
    pub fn tally(&mut self, name: &str, at: Time) {
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        self.count(name.to_owned(), at);
    }

    fn count(&mut self, name: String, at: Time) {
        let name = match self.ids.contains_key(&name) || self.patterns.len() < MOST_PATTERNS {
            true => name,
            false => OTHER.to_owned(),
        };
        let id = match self.ids.get(&name) {
            Some(&id) => id,
            None => {
                self.patterns.push((name.clone(), Counts::default()));
                self.ids.insert(name, self.patterns.len() - 1);
                self.patterns.len() - 1
            }
        };
        let window = at.0.div_euclid(self.window_s * 1000);
        self.entries += self.patterns[id].1.add(window, 1.0);
        if self.entries > MOST_ENTRIES {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.window_s *= 2;
        let all = self
            .patterns
            .iter_mut()
            .map(|p| &mut p.1)
            .chain([&mut self.volume, &mut self.lines]);
        self.entries = 0;
        for counts in all {
            let mut out: Vec<(i64, f64)> = Vec::new();
            for &(at, n) in &counts.windows {
                let at = at.div_euclid(2);
                match out.last_mut() {
                    Some(last) if last.0 == at => last.1 += n,
                    _ => out.push((at, n)),
                }
            }
            self.entries += out.len();
            counts.windows = out;
        }
    }

    /// What was logged when; none where nothing was.
    pub fn volume(&self) -> Option<LogVolume> {
        let both = self.lines.windows.iter().zip(&self.volume.windows);
        let windows = both.map(|(lines, kb)| (lines.0, lines.1, (kb.1 * 1e3).round()));
        (self.lines.total > 0).then(|| LogVolume {
            window_s: self.window_s,
            span: self.span.unwrap_or_default(),
            windows: windows.collect(),
        })
    }

    /// The patterns, most frequent first; the volume of all logs, in kB, is the last.
    pub fn finish(self, alpha: f64) -> Vec<EventFacts> {
        let Some((first, last)) = self.span else {
            return Vec::new();
        };
        let width = self.window_s * 1000;
        let (from, to) = (first.0.div_euclid(width), last.0.div_euclid(width));
        // Spans of years have too many windows for a normal; the counts stay.
        let summed = |name: &str, counts: &Counts| {
            let n = (to - from + 1) as usize;
            let mut dense = vec![0.0; n.min(1 << 17)];
            for &(at, count) in &counts.windows {
                if let Some(slot) = usize::try_from(at - from)
                    .ok()
                    .and_then(|i| dense.get_mut(i))
                {
                    *slot += count;
                }
            }
            facts(
                name.to_owned(),
                counts.total,
                &dense,
                (from, self.window_s),
                alpha,
            )
        };
        let mut out: Vec<EventFacts> = self.patterns.iter().map(|(n, c)| summed(n, c)).collect();
        out.sort_by(|a, b| b.count.cmp(&a.count).then(a.pattern.cmp(&b.pattern)));
        if self.volume.total > 0 {
            out.push(summed("log volume, kB", &self.volume));
        }
        out
    }
}

/// Whether a pattern says that a connection is opened.
fn opens(pattern: &str) -> bool {
    let p = pattern.to_ascii_lowercase();
    let said = [
        "new connection",
        "connection accepted",
        "accepted connection",
        "connection opened",
        "connected to",
    ];
    said.iter().any(|w| p.contains(w))
}

/// The rises of a counter as events; `None` for one of no whole window.
pub(super) fn of_counter(series: &Series, alpha: f64) -> Option<EventFacts> {
    let width = WINDOW_S.max(series.width_s);
    let (first, last) = (series.cells.first()?, series.cells.last()?);
    let window = |at: i64| (at * series.width_s).div_euclid(width);
    let (from, to) = (window(first.at), window(last.at));
    let mut dense = vec![0.0; ((to - from + 1) as usize).min(1 << 17)];
    for cell in &series.cells {
        if let Some(slot) = dense.get_mut((window(cell.at) - from) as usize) {
            *slot += cell.rise;
        }
    }
    let name = format!("{} of {}", series.name.metric, series.name.service);
    let total: f64 = dense.iter().sum();
    Some(facts(name, total as u64, &dense, (from, width), alpha))
}

/// What counts along windows come to; the first window has the number `from`.
fn facts(
    pattern: String,
    count: u64,
    dense: &[f64],
    (from, width_s): (i64, i64),
    alpha: f64,
) -> EventFacts {
    let per_hour = 3600.0 / width_s as f64;
    let at = |i: usize| Time((from + i as i64) * width_s * 1000);
    let (peak, most) =
        dense.iter().enumerate().fold(
            (0, 0.0),
            |best, (i, &v)| if v > best.1 { (i, v) } else { best },
        );
    EventFacts {
        pattern,
        count,
        normal_per_hour: median_of(dense) * per_hour,
        peak_per_hour: most * per_hour,
        peak_at: at(peak),
        bursts: bursts(dense, alpha)
            .into_iter()
            .map(|(a, b, x)| (at(a), at(b), x))
            .collect(),
    }
}

/// Runs of windows with far more events than around them: first, behind the last, times the normal.
fn bursts(counts: &[f64], alpha: f64) -> Vec<(usize, usize, f64)> {
    let n = counts.len();
    let mut hits: Vec<(usize, usize, f64)> = Vec::new();
    for length in LENGTHS {
        if n < 4 * length || n < 8 {
            continue;
        }
        let sums: Vec<f64> = (0..=n - length)
            .map(|i| counts[i..i + length].iter().sum())
            .collect();
        let mut normals = Vec::with_capacity(sums.len());
        for i in 0..sums.len() {
            let (lo, hi) = (
                i.saturating_sub(AROUND.max(length)),
                (i + AROUND.max(length)).min(sums.len() - 1),
            );
            let around: Vec<f64> = (lo..=hi)
                .filter(|j| j.abs_diff(i) >= length)
                .map(|j| sums[j])
                .collect();
            normals.push(median_of(&around).max(0.5));
        }
        let below: Vec<f64> = sums
            .iter()
            .zip(&normals)
            .filter(|(c, m)| c <= m)
            .map(|(c, m)| (c - m) * (c - m) / m)
            .collect();
        let mut phi = (median_of(&below) / 0.455).max(1.0);
        if phi > 1.3 {
            phi *= 1.6;
        }
        let level = alpha / (sums.len() as f64 * LENGTHS.len() as f64);
        let shorter = hits.len();
        for (i, (&c, &m)) in sums.iter().zip(&normals).enumerate() {
            // What shorter windows show is dated by them.
            let known = || hits[..shorter].iter().any(|h| h.0 < i + length && i < h.1);
            if c >= TIMES * m && c >= LEAST && count_upper(c as u64, m, phi) < level && !known() {
                hits.push((i, i + length, c / m));
            }
        }
    }
    hits.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut merged: Vec<(usize, usize, f64)> = Vec::new();
    for (a, b, x) in hits {
        match merged.last_mut() {
            Some(last) if a <= last.1 => {
                last.1 = last.1.max(b);
                last.2 = last.2.max(x);
            }
            _ => merged.push((a, b, x)),
        }
    }
    merged
}

/// A line without what differs from one to the next: numbers, addresses, quoted text are `#`.
fn pattern(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(512)]);
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if out.len() >= LONGEST {
            break;
        }
        match c {
            '"' | '\'' if c == '"' || !out.ends_with(char::is_alphanumeric) => {
                for q in rest.by_ref() {
                    if q == c {
                        break;
                    }
                }
                out.push(c);
                out.push('#');
                out.push(c);
            }
            c if c.is_alphanumeric() => {
                let mut word = String::from(c);
                while let Some(&n) = rest.peek() {
                    if !(n.is_alphanumeric()
                        || (n == '.' && word.ends_with(|c: char| c.is_ascii_digit())))
                    {
                        break;
                    }
                    word.push(n);
                    rest.next();
                }
                match word.contains(|c: char| c.is_ascii_digit()) {
                    true if out.ends_with('#') => {}
                    true => out.push('#'),
                    false => out.push_str(&word),
                }
            }
            c if c.is_control() => out.push(' '),
            // 10.0.0.1:80, #7#7, 0x12-34 are one thing.
            ':' | '-' | '*' if out.ends_with('#') => {}
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (line, want) in [
            (
                "[error] 7#7: *12 upstream timed out (110: Operation timed out) while reading, client: 10.0.0.7",
                "[error] # *# upstream timed out (# Operation timed out) while reading, client: #",
            ),
            ("New connection for \"pc-17\"", "New connection for \"#\""),
            (
                "shrunk buffer from 1024 to 512",
                "shrunk buffer from # to #",
            ),
        ] {
            let got = pattern(line.as_bytes()).replace("##", "#");
            assert_eq!(got, want, "{line}");
        }
    }

    #[test]
    fn a_burst_stands_out_and_a_rhythm_does_not() {
        let wave = |i: usize| 40.0 + 20.0 * (i as f64 / 96.0 * std::f64::consts::TAU).sin();
        let calm: Vec<f64> = (0..96).map(|i| wave(i).round()).collect();
        assert!(bursts(&calm, 1e-4).is_empty());
        let mut busy = calm.clone();
        for v in &mut busy[40..44] {
            *v *= 3.0;
        }
        let found = bursts(&busy, 1e-4);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 <= 40 && found[0].1 >= 44 && found[0].2 > 2.0);
    }
}
