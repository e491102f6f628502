//! A series as cells of a minute: constant memory whatever its length.

use super::series::{SeriesName, Time};

/// Width of a cell at first, in seconds.
pub const CELL_S: i64 = 60;
/// Most cells of a series; beyond, neighbours are joined and the width doubles.
const MOST_CELLS: usize = 65_536;
/// Samples that wait before they become cells: a week of a sample every five seconds.
const MOST_WAITING: usize = 131_072;
/// Samples whose median is taken.
const MOST_OF_A_MEDIAN: usize = 64;
/// Most gaps that are kept.
const MOST_GAPS: usize = 1024;
/// Steps between samples from which on two are missing.
const GAP_STEPS: f64 = 2.5;
/// Samples this near to the start of a cell give its edge, in milliseconds.
const NEAR_EDGE_MS: i64 = 10_000;

/// The samples of one span of `width` seconds on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Its number: seconds since 1970 divided by the width.
    pub at: i64,
    /// Number of samples.
    pub n: u32,
    /// Median of (at most 64 of) them.
    pub median: f64,
    /// The first.
    pub first: f64,
    /// The last.
    pub last: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The level at the start of the cell: the median within 10 s of it, else the nearest sample
    /// within one cell.
    pub edge: f64,
    /// The sum of its rises, the one from the sample before it included.
    pub rise: f64,
    /// Whether a value fell below the one before it.
    pub fell: bool,
}

/// Time that went backwards while the values went on: the later part was moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockStep {
    /// Where, on the clock before the step.
    pub at: Time,
    /// By how many seconds the later part was moved.
    pub moved_s: f64,
}

/// A span without samples where two or more were due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// The last sample before it.
    pub from: Time,
    /// The first one after it.
    pub to: Time,
}

/// One column of numbers along the clock.
#[derive(Debug, Clone)]
pub struct Series {
    /// Whose, of what.
    pub name: SeriesName,
    /// Samples that count.
    pub points: u64,
    /// Samples that had the time of another one; the last of them counts.
    pub duplicates: u64,
    /// Samples that came too late to be put in their place.
    pub late: u64,
    /// Time of the first sample.
    pub start: Time,
    /// Time of the last one.
    pub end: Time,
    /// The first value.
    pub first: f64,
    /// The last.
    pub last: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The usual time between samples, in seconds; 0 for a single one.
    pub step_s: f64,
    /// Width of a cell, in seconds.
    pub width_s: i64,
    /// Cells that hold samples, by time.
    pub cells: Vec<Cell>,
    /// Steps of the clock that were taken out.
    pub clock: Vec<ClockStep>,
    /// Spans without samples, the first thousand of them.
    pub gaps: Vec<Gap>,
}

/// Gathers the samples of one series.
#[derive(Debug, Clone)]
pub struct SeriesBuilder {
    series: Series,
    waiting: Vec<(i64, f64)>,
    /// The last sample that became part of a finished cell.
    before: Option<(i64, f64)>,
    folded: bool,
}

impl SeriesBuilder {
    /// A series without samples.
    pub fn new(name: SeriesName) -> SeriesBuilder {
        SeriesBuilder {
            series: Series {
                name,
                points: 0,
                duplicates: 0,
                late: 0,
                start: Time(0),
                end: Time(0),
                first: f64::NAN,
                last: f64::NAN,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                step_s: 0.0,
                width_s: CELL_S,
                cells: Vec::new(),
                clock: Vec::new(),
                gaps: Vec::new(),
            },
            waiting: Vec::new(),
            before: None,
            folded: false,
        }
    }

    /// Adds a sample; NaN and infinite values are missing ones. Amortised constant time.
    pub fn push(&mut self, at: Time, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.waiting.push((at.0, value));
        if self.waiting.len() >= MOST_WAITING {
            self.fold(false);
        }
    }

    /// The series; `None` if it has no sample.
    pub fn finish(mut self) -> Option<Series> {
        self.fold(true);
        (self.series.points > 0).then_some(self.series)
    }

    /// Turns what waits into cells; all but the last few minutes unless this is the end.
    fn fold(&mut self, all: bool) {
        self.set_clock_right();
        self.waiting.sort_by_key(|&(t, _)| t);
        self.keep_last_of_equal_times();
        if let Some((last, _)) = self.before {
            let from = self.waiting.partition_point(|&(t, _)| t <= last);
            self.series.late += from as u64;
            self.waiting.drain(..from);
        }
        if self.waiting.is_empty() {
            return;
        }
        if !self.folded {
            self.series.step_s = usual_step(&self.waiting);
            self.folded = true;
        }
        let width = self.series.width_s * 1000;
        let last_cell = self.waiting[self.waiting.len() - 1].0.div_euclid(width);
        let cut = match all {
            true => self.waiting.len(),
            false => self
                .waiting
                .partition_point(|&(t, _)| t.div_euclid(width) < last_cell - 5),
        };
        // Samples of one minute that fill the buffer by themselves still have to leave it.
        let cut = if cut == 0 { self.waiting.len() } else { cut };
        self.note_gaps(cut);
        let mut from = 0;
        while from < cut {
            let cell = self.waiting[from].0.div_euclid(width);
            let length = self.waiting[from..cut]
                .iter()
                .take_while(|(t, _)| t.div_euclid(width) == cell)
                .count();
            self.add_cell(cell, from, from + length, width);
            from += length;
        }
        self.waiting.drain(..cut);
        while self.series.cells.len() > MOST_CELLS {
            join_pairs(&mut self.series);
        }
    }

    fn note_gaps(&mut self, cut: usize) {
        let least = (self.series.step_s * GAP_STEPS * 1e3) as i64;
        let mut last = self.before.map(|(t, _)| t);
        for &(t, _) in &self.waiting[..cut] {
            if let Some(from) = last
                && least > 0
                && t - from > least
                && self.series.gaps.len() < MOST_GAPS
            {
                self.series.gaps.push(Gap {
                    from: Time(from),
                    to: Time(t),
                });
            }
            last = Some(t);
        }
    }

    fn add_cell(&mut self, at: i64, from: usize, to: usize, width: i64) {
        let samples = &self.waiting[from..to];
        let (mut min, mut max, mut rise, mut fell) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, false);
        let mut before = self.before.map(|(_, v)| v);
        for &(_, v) in samples {
            min = min.min(v);
            max = max.max(v);
            if let Some(b) = before {
                rise += (v - b).max(0.0);
                fell |= v < b;
            }
            before = Some(v);
        }
        let edge_at = at * width;
        let edge = edge_level(&self.waiting, from, edge_at, width, self.before);
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        let s = &mut self.series;
        if s.points == 0 {
            s.first = first.1;
            s.start = Time(first.0);
        }
        s.points += samples.len() as u64;
        s.last = last.1;
        s.end = Time(last.0);
        s.min = s.min.min(min);
        s.max = s.max.max(max);
        let cell = Cell {
            at,
            n: samples.len() as u32,
            median: median_of(samples),
            first: first.1,
            last: last.1,
            min,
            max,
            edge,
            rise,
            fell,
        };
        match s.cells.last_mut() {
            Some(c) if c.at == at => *c = joined(c, &cell, at),
            _ => s.cells.push(cell),
        }
        self.before = Some(last);
    }

    /// Where time goes back and the values go on, the later part is moved behind the earlier one.
    fn set_clock_right(&mut self) {
        let w = &mut self.waiting;
        let falls: Vec<usize> = (1..w.len()).filter(|&i| w[i].0 < w[i - 1].0).collect();
        // Many falls are an order of no meaning (newest first, several writers): sorted instead.
        if falls.is_empty() || falls.len() > 8 {
            return;
        }
        let step = (usual_step(w) * 1e3) as i64;
        let mut changes: Vec<f64> = w.windows(2).map(|p| (p[1].1 - p[0].1).abs()).collect();
        let usual_change = middle(&mut changes);
        let mut earlier = 0;
        for (k, &i) in falls.iter().enumerate() {
            let end = falls.get(k + 1).copied().unwrap_or(w.len());
            let (back, repeated) = (w[i - 1].0 - w[i].0, w[i].0 >= w[earlier].0);
            let goes_on =
                (w[i].1 - w[i - 1].1).abs() <= (3.0 * usual_change).max(1e-9 * w[i].1.abs());
            if back > 2 * step && repeated && goes_on && w[end - 1].0 > w[i - 1].0 - back {
                let by = back + step;
                for sample in &mut w[i..] {
                    sample.0 += by;
                }
                self.series.clock.push(ClockStep {
                    at: Time(w[i - 1].0),
                    moved_s: by as f64 / 1e3,
                });
            } else {
                earlier = i;
            }
        }
    }

    fn keep_last_of_equal_times(&mut self) {
        let length = self.waiting.len();
        let mut kept = 0;
        for i in 0..length {
            if i + 1 < length && self.waiting[i + 1].0 == self.waiting[i].0 {
                continue;
            }
            self.waiting[kept] = self.waiting[i];
            kept += 1;
        }
        self.series.duplicates += (length - kept) as u64;
        self.waiting.truncate(kept);
    }
}

fn middle(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let at = values.len() / 2;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

/// The median time between samples, in seconds.
fn usual_step(samples: &[(i64, f64)]) -> f64 {
    let mut steps: Vec<f64> = samples
        .windows(2)
        .take(4096)
        .map(|p| (p[1].0 - p[0].0) as f64 / 1e3)
        .filter(|&s| s > 0.0)
        .collect();
    middle(&mut steps)
}

/// The median of at most 64 samples, evenly chosen; the mean of the middle two for an even number.
fn median_of(samples: &[(i64, f64)]) -> f64 {
    let mut buffer = [0.0; MOST_OF_A_MEDIAN];
    let n = samples.len().min(MOST_OF_A_MEDIAN);
    for (i, slot) in buffer[..n].iter_mut().enumerate() {
        *slot = samples[i * samples.len() / n].1;
    }
    let chosen = &mut buffer[..n];
    chosen.sort_unstable_by(f64::total_cmp);
    if n % 2 == 1 {
        chosen[n / 2]
    } else {
        0.5 * (chosen[n / 2 - 1] + chosen[n / 2])
    }
}

/// The level at time `edge`: `from` is the first sample at or after it.
fn edge_level(
    samples: &[(i64, f64)],
    from: usize,
    edge: i64,
    width: i64,
    before: Option<(i64, f64)>,
) -> f64 {
    let mut near = [(0, 0.0); MOST_OF_A_MEDIAN];
    let mut n = 0;
    let earlier = samples[..from].iter().rev();
    let later = samples[from..].iter();
    for &s in earlier
        .take_while(|(t, _)| edge - t <= NEAR_EDGE_MS)
        .take(32)
    {
        near[n] = s;
        n += 1;
    }
    if from == 0
        && let Some(b) = before.filter(|(t, _)| edge - t <= NEAR_EDGE_MS)
    {
        near[n] = b;
        n += 1;
    }
    for &s in later.take_while(|(t, _)| t - edge <= NEAR_EDGE_MS).take(31) {
        near[n] = s;
        n += 1;
    }
    if n > 0 {
        return median_of(&near[..n]);
    }
    let previous = match from {
        0 => before,
        _ => Some(samples[from - 1]),
    };
    let next = samples[from];
    match previous.filter(|(t, _)| edge - t <= width) {
        Some(p) if edge - p.0 <= next.0 - edge => p.1,
        _ => next.1,
    }
}

fn joined(a: &Cell, b: &Cell, at: i64) -> Cell {
    let (m, n) = (f64::from(a.n), f64::from(b.n));
    Cell {
        at,
        n: a.n.saturating_add(b.n),
        median: (a.median * m + b.median * n) / (m + n),
        first: a.first,
        last: b.last,
        min: a.min.min(b.min),
        max: a.max.max(b.max),
        edge: a.edge,
        rise: a.rise + b.rise,
        fell: a.fell || b.fell,
    }
}

/// Doubles the width of the cells.
fn join_pairs(series: &mut Series) {
    let mut out: Vec<Cell> = Vec::with_capacity(series.cells.len() / 2 + 1);
    for cell in &series.cells {
        let at = cell.at.div_euclid(2);
        match out.last_mut() {
            Some(last) if last.at == at => *last = joined(last, cell, at),
            _ => out.push(Cell { at, ..*cell }),
        }
    }
    series.cells = out;
    series.width_s *= 2;
}

#[cfg(test)]
mod tests {
    use super::super::series::{Measure, SeriesUnit};
    use super::*;

    fn builder() -> SeriesBuilder {
        SeriesBuilder::new(SeriesName {
            service: "s".into(),
            metric: "rss".into(),
            role: Measure::Memory,
            unit: SeriesUnit::Bytes,
        })
    }

    fn series(samples: impl IntoIterator<Item = (i64, f64)>) -> Series {
        let mut b = builder();
        for (s, v) in samples {
            b.push(Time(s * 1000), v);
        }
        b.finish().unwrap()
    }

    #[test]
    fn a_cell_is_a_minute_of_the_clock() {
        let s = series((0..36).map(|i| (i * 5, i as f64)));
        assert_eq!((s.cells.len(), s.points, s.step_s), (3, 36, 5.0));
        let c = s.cells[1];
        assert_eq!((c.n, c.median, c.first, c.last), (12, 17.5, 12.0, 23.0));
        assert_eq!(
            (c.min, c.max, c.edge, c.rise, c.fell),
            (12.0, 23.0, 12.0, 12.0, false)
        );
    }

    #[test]
    fn order_and_equal_times_do_not_matter() {
        let up = series((0..100).map(|i| (i * 5, i as f64)));
        let down = series((0..100).rev().map(|i| (i * 5, i as f64)));
        assert_eq!(up.cells, down.cells);
        let twice = series((0..100).flat_map(|i| [(i * 5, -1.0), (i * 5, i as f64)]));
        assert_eq!((up.cells, twice.duplicates), (twice.cells, 100));
    }

    #[test]
    fn a_clock_that_goes_back_is_set_right() {
        let stepped =
            (0..400i64).map(|i| (if i < 200 { i * 5 } else { i * 5 - 600 }, 100.0 + i as f64));
        let s = series(stepped);
        assert_eq!((s.clock.len(), s.points), (1, 400));
        assert_eq!(s.clock[0].moved_s, 600.0);
        assert_eq!(s.end, Time(399 * 5000));
    }

    #[test]
    fn any_length_takes_constant_memory() {
        let s = series((0..200_000).map(|i| (i * 60, i as f64)));
        assert!(s.cells.len() <= MOST_CELLS);
        assert_eq!((s.width_s, s.points, s.late), (240, 200_000, 0));
        assert_eq!(s.cells.iter().map(|c| u64::from(c.n)).sum::<u64>(), 200_000);
        assert_eq!(s.cells.iter().map(|c| c.rise).sum::<f64>(), 199_999.0);
    }

    #[test]
    fn odd_values_and_times_are_no_samples() {
        assert!(builder().finish().is_none());
        let s = series([
            (0, f64::NAN),
            (253_402_300_799, 1.0),
            (0, 2.0),
            (1, f64::INFINITY),
        ]);
        assert_eq!((s.points, s.cells.len()), (2, 2));
        assert_eq!(Time::from_seconds(-1.0), None);
        assert_eq!(Time::from_seconds(1e18), None);
    }
}
