//! What is shared by all series of the same captures: the runs, their order,
//! and the shapes to compare with.

use super::template::Templates;

/// Above this many captures neighbours are averaged before they are judged.
pub const MOST_CAPTURES: usize = 128;

/// What the grids that are kept may take together, in bytes.
const CACHE_BYTES: usize = 64 << 20;

/// A run count that is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// Index of the capture.
    pub capture: usize,
}

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the runs of capture {} are not a number", self.capture)
    }
}

impl std::error::Error for NotFinite {}

/// The captures of one side: their runs. Built once, judges any number of
/// series.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Ascending, averaged where there are more than [`MOST_CAPTURES`].
    x: Vec<f64>,
    /// Index of the given capture at each place.
    order: Vec<u32>,
    /// Captures per place.
    bin: usize,
    /// Whether x are runs or times; else they are numbers in sequence.
    measured: bool,
}

impl Plan {
    /// `x`: the runs of each capture (or hours, or a number in sequence), in
    /// any order and spacing. The series are judged in ascending order of x;
    /// captures of equal x keep the order given.
    pub fn new(x: &[f64]) -> Result<Plan, NotFinite> {
        if let Some(capture) = x.iter().position(|v| !v.is_finite()) {
            return Err(NotFinite { capture });
        }
        let mut order: Vec<u32> = (0..x.len()).map_while(|i| u32::try_from(i).ok()).collect();
        order.sort_by(|&a, &b| x[a as usize].total_cmp(&x[b as usize]));
        let mut plan = Plan {
            x: Vec::new(),
            bin: order.len().div_ceil(MOST_CAPTURES).max(1),
            order,
            measured: true,
        };
        let mut sorted = Vec::new();
        plan.arrange(x, &mut sorted);
        plan.x = sorted;
        Ok(plan)
    }

    /// The same, where x are only the positions of captures: nothing is said to fit the runs.
    pub fn of_positions(mut self) -> Plan {
        self.measured = false;
        self
    }

    /// Whether x are runs or times.
    pub fn is_measured(&self) -> bool {
        self.measured
    }

    /// The number of captures given.
    pub fn captures(&self) -> usize {
        self.order.len()
    }

    /// The runs that are judged: ascending, averaged where there are too many.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// From the first to the last capture, in units of x.
    pub fn span(&self) -> f64 {
        match (self.x.first(), self.x.last()) {
            (Some(a), Some(b)) => b - a,
            _ => 0.0,
        }
    }

    /// Whether all captures are equally far apart, within 1 %. Three or four
    /// such captures of a periodic program may show a ramp that is not there:
    /// advise uneven intervals (10, 20, 45, 80 runs).
    pub fn is_even(&self) -> bool {
        let mean = self.span() / (self.x.len().max(2) - 1) as f64;
        self.x
            .windows(2)
            .all(|x| (x[1] - x[0] - mean).abs() <= 0.01 * mean)
    }

    /// The index given to [`Plan::new`] of the capture at a place of [`Plan::x`]
    /// (the first of those averaged there).
    pub fn given(&self, place: usize) -> usize {
        self.order
            .get(place * self.bin)
            .map_or(place, |&i| i as usize)
    }

    /// How many captures each place averages.
    pub(super) fn bin(&self) -> usize {
        self.bin
    }

    /// One value a capture, put in order and averaged.
    pub(super) fn arrange(&self, given: &[f64], out: &mut Vec<f64>) {
        out.clear();
        for group in self.order.chunks(self.bin) {
            let sum: f64 = group
                .iter()
                .map(|&i| given.get(i as usize).copied().unwrap_or(f64::NAN))
                .sum();
            out.push(sum / group.len() as f64);
        }
    }
}

/// The grids over the captures from some place on, with or without one left
/// out. Built when first needed.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: Vec<(usize, Option<usize>, Templates)>,
    bytes: usize,
    spare: Option<(usize, Option<usize>, Templates)>,
}

impl Cache {
    /// The grid over `x[start..]` without the place `omit` (counted in x).
    pub fn get(&mut self, x: &[f64], start: usize, omit: Option<usize>) -> &Templates {
        let kept = self
            .kept
            .iter()
            .position(|(s, o, _)| (*s, *o) == (start, omit));
        if let Some(at) = kept {
            return &self.kept[at].2;
        }
        let build = || {
            let rest: Vec<f64> = (start..x.len())
                .filter(|&i| Some(i) != omit)
                .map(|i| x[i])
                .collect();
            Templates::new(&rest)
        };
        let spare_fits = self
            .spare
            .as_ref()
            .is_some_and(|(s, o, _)| (*s, *o) == (start, omit));
        if !spare_fits {
            let built = build();
            if self.bytes + built.bytes() <= CACHE_BYTES {
                self.bytes += built.bytes();
                self.kept.push((start, omit, built));
                let last = self.kept.len() - 1;
                return &self.kept[last].2;
            }
            self.spare = Some((start, omit, built));
        }
        &self.spare.get_or_insert_with(|| (start, omit, build())).2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_averages() {
        let plan = Plan::new(&[30.0, 10.0, 20.0]).unwrap();
        assert_eq!(plan.x(), [10.0, 20.0, 30.0]);
        assert_eq!(plan.given(0), 1);
        assert!(plan.is_even() && !Plan::new(&[10.0, 20.0, 45.0]).unwrap().is_even());
        let many: Vec<f64> = (0..300).map(f64::from).collect();
        let plan = Plan::new(&many).unwrap();
        assert_eq!(plan.captures(), 300);
        assert_eq!(plan.x().len(), 100);
        assert_eq!(plan.x()[0], 1.0);
        assert_eq!(Plan::new(&[1.0, f64::NAN]).unwrap_err().capture, 1);
        assert_eq!(Plan::new(&[]).unwrap().span(), 0.0);
    }
}
