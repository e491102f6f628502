//! What growth is made of: more processes or bigger ones, and the managed heap, what it reserves,
//! buffers beside it, page cache, or native memory.

use super::curve::Curve;
use super::fit::slope;
use crate::model::Measure;
use crate::model::Series;

/// Fewest cells that a movement is measured on.
const LEAST_CELLS: usize = 12;
/// A part holds the growth if it moved by this share of it.
const MOST: f64 = 0.5;
/// Below this share of the level, growth is too small to be taken apart.
const WORTH: f64 = 0.02;

/// Growth of a service by the number and the size of its processes. Exact: with the number N and
/// the mean size m at both ends, `dM = mean(m) dN + mean(N) dm`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Processes before and after.
    pub processes: (f64, f64),
    /// Growth that is more processes, in the unit of the series.
    pub more: f64,
    /// Growth that is bigger processes.
    pub bigger: f64,
}

/// Splits growth from a level and a number of processes to others. `None` if there is no process at
/// one of the ends.
pub fn split(level: (f64, f64), processes: (f64, f64)) -> Option<Split> {
    if !(processes.0 > 0.0 && processes.1 > 0.0) {
        return None;
    }
    let mean = (level.0 / processes.0, level.1 / processes.1);
    Some(Split {
        processes,
        more: (mean.0 + mean.1) / 2.0 * (processes.1 - processes.0),
        bigger: (processes.0 + processes.1) / 2.0 * (mean.1 - mean.0),
    })
}

/// Where in a process growth is, as far as its counters tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In objects of the managed heap.
    Heap,
    /// In what the heap has reserved and does not use.
    Reserved,
    /// In buffers that the runtime counts beside its heap.
    Buffers,
    /// In pages of files, which the kernel takes back.
    PageCache,
    /// In none of the parts that are counted: native allocations, or their fragmentation.
    Native,
}

impl Place {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Heap => "heap",
            Place::Reserved => "reserved",
            Place::Buffers => "buffers",
            Place::PageCache => "page-cache",
            Place::Native => "native",
        }
    }
}

/// A part of a service's memory and what it moved by while the service grew.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The series' metric.
    pub metric: String,
    /// Its movement, in the unit of the series.
    pub moved: f64,
}

/// What growth is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Makeup {
    /// From when to when, in hours from the start of the series.
    pub span: (f64, f64),
    /// Growth over that span.
    pub growth: f64,
    /// By number and size of processes, where the number changed.
    pub split: Option<Split>,
    /// Where it is.
    pub place: Option<Place>,
    /// The parts that were looked at, as named by their counters.
    pub parts: Vec<Part>,
}

/// What a part is called by its counter.
fn place_of(series: &Series) -> Option<Place> {
    let metric = series.name.metric.as_str();
    let has = |words: &[&str]| words.iter().any(|w| metric.contains(w));
    // One space or generation of a heap is not the heap.
    if metric.contains('{') && !metric.contains("area=")
        || has(&["object", "gc_", "idle", "released"])
    {
        return None;
    }
    match series.name.role {
        Measure::Cache => has(&["file", "cache"]).then_some(Place::PageCache),
        Measure::Memory | Measure::Part | Measure::Limit | Measure::Level => {
            if has(&[
                "nonheap",
                "off_heap",
                "offheap",
                "external",
                "array_buffers",
                "direct",
            ]) {
                return Some(Place::Buffers);
            }
            if !metric.contains("heap") {
                return None;
            }
            if has(&["used", "inuse", "alloc", "live"]) || metric == "heap" {
                Some(Place::Heap)
            } else if has(&["total", "sys", "committed", "size", "reserved"]) {
                Some(Place::Reserved)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// What the values moved by between two moments in milliseconds: a straight line through the cells.
fn movement(series: &Series, from: i64, to: i64) -> Option<f64> {
    let ms = series.width_s * 1000;
    let inside = series
        .cells
        .iter()
        .filter(|c| c.at * ms >= from && c.at * ms <= to);
    let (t, y): (Vec<f64>, Vec<f64>) = inside
        .map(|c| ((c.at * ms - from) as f64 / 3.6e6, c.median))
        .unzip();
    if t.len() < LEAST_CELLS {
        return None;
    }
    Some(slope(&t, &y)? * (t[t.len() - 1] - t[0]))
}

/// The level of a number near a moment: the median of the cells within a tenth of the span.
fn level(series: &Series, from: i64, to: i64) -> Option<f64> {
    let ms = series.width_s * 1000;
    let inside = series
        .cells
        .iter()
        .filter(|c| c.at * ms >= from && c.at * ms <= to);
    let mut values: Vec<f64> = inside.map(|c| c.median).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Takes the growth of a curve apart by the other series of its service. `None` if it did not grow
/// by more than a little.
pub(super) fn makeup(curve: &Curve, others: &[&Series]) -> Option<Makeup> {
    let episodes = curve.episodes();
    let longest = episodes.max_by(|a, b| a.gain.total_cmp(&b.gain));
    let (start, end) = match longest {
        Some(e) => (e.start, e.end),
        // Across restarts there is no growth to take apart.
        None if curve.releasing_restarts().next().is_some() => {
            let last = curve.processes.last()?;
            let bins = &curve.bins.bins[last.from..last.to];
            (bins.first()?.t, bins.last()?.t)
        }
        None => (0.0, curve.span_h()),
    };
    let (from, to) = (curve.moment(start).0, curve.moment(end).0);
    let growth = movement(&curve.series, from, to)?;
    if growth < WORTH * curve.series.max {
        return None;
    }
    let near = (to - from) / 10;
    let ends = |s: &Series| Some((level(s, from, from + near)?, level(s, to - near, to)?));
    // `pids` of a container counts threads as well.
    let counted = others
        .iter()
        .filter(|s| s.name.role == Measure::Processes && s.name.metric != "pids");
    let split = counted
        .filter_map(|s| split(ends(&curve.series)?, ends(s)?))
        .find(|s| s.processes.0 != s.processes.1);
    let mut parts: Vec<(Place, Part)> = Vec::new();
    for s in others
        .iter()
        .filter(|s| s.name.unit == curve.series.name.unit)
    {
        let Some(place) = place_of(s) else { continue };
        let Some(moved) = movement(s, from, to) else {
            continue;
        };
        let metric = s.name.metric.clone();
        parts.push((place, Part { metric, moved }));
    }
    let of = |place: Place| -> Option<f64> {
        let all = parts.iter().filter(|p| p.0 == place).map(|p| p.1.moved);
        all.max_by(f64::total_cmp)
    };
    let anonymous = curve.series.name.metric.contains("anon");
    let cache = of(Place::PageCache).filter(|_| !anonymous).unwrap_or(0.0);
    let place = match (of(Place::Heap), of(Place::Reserved), of(Place::Buffers)) {
        _ if cache > MOST * growth => Some(Place::PageCache),
        (Some(heap), ..) if heap > MOST * growth => Some(Place::Heap),
        (_, _, Some(buffers)) if buffers > MOST * growth => Some(Place::Buffers),
        (Some(heap), Some(reserved), _) if reserved - heap > MOST * growth => Some(Place::Reserved),
        // A heap that is counted and does not grow with the process.
        (Some(heap), reserved, _) if heap.max(reserved.unwrap_or(heap)) < 0.2 * growth => {
            Some(Place::Native)
        }
        _ => None,
    };
    let parts: Vec<Part> = parts.into_iter().map(|p| p.1).collect();
    (split.is_some() || place.is_some()).then_some(Makeup {
        span: (start, end),
        growth,
        split,
        place,
        parts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_processes_and_bigger_ones_add_up() {
        let s = split((400.0, 720.0), (4.0, 6.0)).unwrap();
        assert_eq!((s.more, s.bigger), (220.0, 100.0));
        assert!(split((1.0, 2.0), (0.0, 3.0)).is_none());
    }
}
