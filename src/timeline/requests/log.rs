//! What a request log comes to, endpoint by endpoint, in constant memory.

use super::fold::{Folder, first};
use crate::model::Request;
use crate::model::Time;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

/// Width of a window at first, in seconds.
const WINDOW_S: i64 = 60;
/// Most entries of all windows; beyond, neighbours are joined and the width doubles.
const MOST_ENTRIES: usize = 4 << 20;
/// Most endpoints; beyond, those that are seen first then are `other`.
const MOST_ENDPOINTS: usize = 2_048;
/// Fewer requests than this are `other`.
const LEAST_REQUESTS: u64 = 10;
/// Requests that give a query parameter its own endpoint.
const LEAST_OF_A_QUERY: u64 = 100;
/// Entries of the cache from raw targets to endpoints.
const CACHE: usize = 1 << 16;
/// Cells of a histogram of durations, each 4 % wide.
const CELLS: usize = 512;
const SHORTEST_S: f64 = 1e-4;
const OTHER: &str = "other";

/// The load of one window, and what became of the requests that ended in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Its number: seconds since 1970 divided by the width.
    pub at: i64,
    /// Requests that ended in it.
    pub ended: f32,
    /// Requests that ran in it, each spread over its span.
    pub ran: f32,
    /// Seconds that the ended ones took, where the log says.
    pub seconds: f32,
    /// The longest of them.
    pub longest: f32,
    /// Those that failed.
    pub errors: u32,
    /// Those that timed out.
    pub timeouts: u32,
}

impl Load {
    /// Joins what happened in another window of the same number.
    fn absorb(&mut self, other: &Load) {
        self.ended += other.ended;
        self.ran += other.ran;
        self.seconds += other.seconds;
        self.longest = self.longest.max(other.longest);
        self.errors = self.errors.saturating_add(other.errors);
        self.timeouts = self.timeouts.saturating_add(other.timeouts);
    }
}

/// One endpoint.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub name: String,
    pub count: u64,
    pub errors: u64,
    pub timeouts: u64,
    pub timed: u64,
    pub seconds: f64,
    pub longest: f64,
    cells: Vec<u32>,
    pub loads: Vec<Load>,
}

impl Endpoint {
    fn new(name: String) -> Endpoint {
        Endpoint {
            name,
            count: 0,
            errors: 0,
            timeouts: 0,
            timed: 0,
            seconds: 0.0,
            longest: 0.0,
            cells: Vec::new(),
            loads: Vec::new(),
        }
    }

    /// A quantile of the durations, within 2 %; `None` where the log has none.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let wanted = (q * self.timed as f64).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (i, &n) in self.cells.iter().enumerate() {
            sum += u64::from(n);
            if sum >= wanted {
                let middle = SHORTEST_S * 1.04_f64.powf(i as f64 + 0.5);
                return Some(middle.min(self.longest));
            }
        }
        None
    }

    fn take(&mut self, duration: f64) {
        if self.cells.is_empty() {
            self.cells = vec![0; CELLS];
        }
        let place = (duration / SHORTEST_S).max(1.0).ln() / 1.04_f64.ln();
        let cell = &mut self.cells[(place as usize).min(CELLS - 1)];
        *cell = cell.saturating_add(1);
        self.timed += 1;
        self.seconds += duration;
        self.longest = self.longest.max(duration);
    }

    /// Adds to a window; logs come in order, so it is the last or near to it. Returns new entries.
    fn add(&mut self, new: Load) -> usize {
        let at = new.at;
        let place = match self.loads.last() {
            Some(last) if last.at == at => self.loads.len() - 1,
            Some(last) if last.at < at => self.loads.len(),
            None => 0,
            _ => self.loads.partition_point(|l| l.at < at),
        };
        match self.loads.get_mut(place) {
            Some(load) if load.at == at => {
                load.absorb(&new);
                0
            }
            _ => {
                self.loads.insert(place, new);
                1
            }
        }
    }

    fn absorb(&mut self, other: Endpoint) {
        self.count += other.count;
        self.errors += other.errors;
        self.timeouts += other.timeouts;
        self.timed += other.timed;
        self.seconds += other.seconds;
        self.longest = self.longest.max(other.longest);
        if self.cells.is_empty() {
            self.cells = other.cells;
        } else {
            for (a, b) in self.cells.iter_mut().zip(other.cells) {
                *a = a.saturating_add(b);
            }
        }
        let mut all = std::mem::take(&mut self.loads);
        all.extend(other.loads);
        all.sort_by_key(|l| l.at);
        self.loads = joined(&all, 1);
    }
}

fn joined(loads: &[Load], by: i64) -> Vec<Load> {
    let mut out: Vec<Load> = Vec::with_capacity(loads.len());
    for l in loads {
        let at = l.at.div_euclid(by);
        match out.last_mut() {
            Some(last) if last.at == at => last.absorb(l),
            _ => out.push(Load { at, ..*l }),
        }
    }
    out
}

/// Gathers requests.
#[derive(Debug, Clone)]
pub(crate) struct RequestLog {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) window_s: i64,
    pub(super) span: Option<(Time, Time)>,
    pub(crate) total: u64,
    ids: FxHashMap<String, u32>,
    cache: Vec<(u64, u32)>,
    folder: Folder,
    entries: usize,
}

impl Default for RequestLog {
    fn default() -> Self {
        RequestLog {
            endpoints: Vec::new(),
            window_s: WINDOW_S,
            span: None,
            total: 0,
            ids: FxHashMap::default(),
            cache: Vec::new(),
            folder: Folder::default(),
            entries: 0,
        }
    }
}

impl RequestLog {
    /// Adds a request. Amortised constant time; nothing is allocated for a target seen lately.
    pub fn push(&mut self, r: &Request<'_>) {
        let id = self.endpoint(r.method, r.target);
        self.total += 1;
        let (first, last) = self.span.unwrap_or((r.end, r.end));
        self.span = Some((first.min(r.end), last.max(r.end)));
        let width = self.window_s * 1000;
        let e = &mut self.endpoints[id];
        e.count += 1;
        e.errors += u64::from(r.status >= 500);
        e.timeouts += u64::from(r.timed_out);
        let end = r.end.0.div_euclid(width);
        let ended = Load {
            at: end,
            ended: 1.0,
            ran: 1.0,
            seconds: r.duration.unwrap_or(0.0) as f32,
            longest: r.duration.unwrap_or(0.0) as f32,
            errors: u32::from(r.status >= 500),
            timeouts: u32::from(r.timed_out),
        };
        let mut new = 0;
        match r.duration {
            Some(d) => {
                e.take(d);
                // A request of a day would touch a thousand windows: cut at two hours.
                let start = r.end.0 - (d.min(7_200.0) * 1e3) as i64;
                let begin = start.div_euclid(width);
                if begin == end {
                    new += e.add(ended);
                } else {
                    let whole = (r.end.0 - start) as f32;
                    for at in begin..=end {
                        let inside = ((at + 1) * width).min(r.end.0) - (at * width).max(start);
                        let ran = inside.max(0) as f32 / whole;
                        new += e.add(match at == end {
                            true => Load { ran, ..ended },
                            false => Load {
                                at,
                                ran,
                                ..Load::default()
                            },
                        });
                    }
                }
            }
            None => new += e.add(ended),
        }
        self.entries += new;
        if self.entries > MOST_ENTRIES {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.window_s *= 2;
        self.entries = 0;
        for e in &mut self.endpoints {
            e.loads = joined(&e.loads, 2);
            self.entries += e.loads.len();
        }
    }

    fn endpoint(&mut self, method: &[u8], target: &[u8]) -> usize {
        let mut hasher = FxHasher::default();
        hasher.write(method);
        hasher.write_u8(0);
        hasher.write(target);
        let hash = hasher.finish();
        if self.cache.is_empty() {
            self.cache = vec![(0, u32::MAX); CACHE];
        }
        let slot = (hash >> 40) as usize % CACHE;
        if self.cache[slot].1 != u32::MAX && self.cache[slot].0 == hash {
            return self.cache[slot].1 as usize;
        }
        let name = first(method, target);
        self.folder.watch(&name);
        let id = match self.ids.get(&name) {
            Some(&id) => id,
            None => {
                if self.endpoints.len() >= MOST_ENDPOINTS {
                    self.fold_again();
                }
                let name = self.folder.last(&name, false);
                self.id_of(name)
            }
        };
        self.cache[slot] = (hash, id);
        id as usize
    }

    fn id_of(&mut self, name: String) -> u32 {
        let full = self.endpoints.len() >= MOST_ENDPOINTS;
        let name = if full && !self.ids.contains_key(&name) {
            OTHER.to_owned()
        } else {
            name
        };
        if let Some(&id) = self.ids.get(&name) {
            return id;
        }
        let id = self.endpoints.len() as u32;
        self.endpoints.push(Endpoint::new(name.clone()));
        self.ids.insert(name, id);
        id
    }

    /// Joins endpoints whose names turned out to hold identifiers.
    fn fold_again(&mut self) {
        let old = std::mem::take(&mut self.endpoints);
        self.ids.clear();
        self.cache.clear();
        self.cache.resize(CACHE, (0, u32::MAX));
        for e in old {
            let rare = e.count < LEAST_OF_A_QUERY;
            let name = if e.name == OTHER {
                e.name.clone()
            } else {
                self.folder.last(&e.name, rare)
            };
            let id = self.id_of(name.clone()) as usize;
            let name = self.endpoints[id].name.clone();
            self.endpoints[id].absorb(e);
            self.endpoints[id].name = name;
        }
        self.entries = self.endpoints.iter().map(|e| e.loads.len()).sum();
    }

    /// Folds for the last time; endpoints by count, then by name, the rare ones as `other`.
    pub fn finish(&mut self) {
        self.fold_again();
        let mut other = Endpoint::new(OTHER.to_owned());
        for e in std::mem::take(&mut self.endpoints) {
            match e.count < LEAST_REQUESTS || e.name == OTHER {
                true => other.absorb(e),
                false => self.endpoints.push(e),
            }
        }
        self.endpoints
            .sort_by(|a, b| b.count.cmp(&a.count).then(a.name.cmp(&b.name)));
        if other.count > 0 {
            self.endpoints.push(other);
        }
    }
}
