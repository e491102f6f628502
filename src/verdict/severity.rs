//! How bad growth is: by its rate, by its factor a day, by the time to a limit.

use super::findings::{FACTORS, HOURS, RATES, Severity, SeverityBy};

/// Numbers at which growth becomes a warning, critical, an emergency. One that is infinite is
/// never reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// A warning.
    pub warning: f64,
    /// Critical.
    pub critical: f64,
    /// An emergency.
    pub emergency: f64,
}

impl Steps {
    fn of_table(table: &[(f64, Severity)], never: f64) -> Steps {
        let of = |severity| {
            let found = table.iter().find(|(_, s)| *s == severity);
            found.map_or(never, |(n, _)| *n)
        };
        Steps {
            warning: of(Severity::Warning),
            critical: of(Severity::Critical),
            emergency: of(Severity::Emergency),
        }
    }

    /// The number of a severity; 0 for a note.
    pub fn of(&self, severity: Severity) -> f64 {
        match severity {
            Severity::Note => 0.0,
            Severity::Warning => self.warning,
            Severity::Critical => self.critical,
            Severity::Emergency => self.emergency,
        }
    }

    fn worst(&self, is: impl Fn(f64) -> bool) -> Severity {
        let steps = [Severity::Emergency, Severity::Critical, Severity::Warning];
        let hit = steps.into_iter().find(|s| is(self.of(*s)));
        hit.unwrap_or(Severity::Note)
    }

    /// The severity of what is bad from these numbers on upwards.
    pub fn from(&self, value: f64) -> Severity {
        self.worst(|step| value >= step)
    }

    /// The severity of what is bad below these numbers.
    pub fn under(&self, value: f64) -> Severity {
        self.worst(|step| value < step)
    }
}

/// What severities are drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Growth, 10^6 bytes an hour.
    pub rates: Steps,
    /// Growth of the whole program by this factor a day.
    pub factors: Steps,
    /// Hours to the memory limit under which it is so bad.
    pub hours: Steps,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            rates: Steps::of_table(&RATES, f64::INFINITY),
            factors: Steps::of_table(&FACTORS, f64::INFINITY),
            hours: Steps::of_table(&HOURS, 0.0),
        }
    }
}

impl Thresholds {
    /// The severity of a leak of so many bytes an hour, where hours are known, and which rule gave
    /// it; `hours_to_limit` where the limit is known, `held` bytes in all. A leak whose hours are
    /// not known is a warning.
    pub(super) fn of_leak(
        &self,
        rate: Option<f64>,
        hours_to_limit: Option<f64>,
        held: f64,
    ) -> (Severity, SeverityBy) {
        let Some(rate) = rate else {
            return (Severity::Warning, SeverityBy::Default);
        };
        let mut worst = (self.rates.from(rate / 1e6), SeverityBy::Rate);
        let mut consider = |severity: Severity, by| {
            if severity > worst.0 {
                worst = (severity, by);
            }
        };
        if held > 0.0 {
            let factor = 1.0 + 24.0 * rate / held;
            consider(self.factors.from(factor), SeverityBy::Factor);
        }
        if let Some(hours) = hours_to_limit {
            consider(self.hours.under(hours), SeverityBy::Limit);
        }
        worst
    }

    /// The same, with the hours drawn from a limit.
    pub(super) fn of_leak_below(
        &self,
        rate: Option<f64>,
        memory_limit: Option<u64>,
        held: f64,
    ) -> (Severity, SeverityBy) {
        let hours = match (memory_limit, rate) {
            (Some(limit), Some(rate)) if rate > 0.0 => {
                Some(((limit as f64 - held) / rate).max(0.0))
            }
            _ => None,
        };
        self.of_leak(rate, hours, held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_rate_factor_and_limit_counts() {
        let t = Thresholds::default();
        let of = |mb: f64, hours, held| t.of_leak(Some(mb * 1e6), hours, held);
        assert_eq!(of(49.0, None, 1e12), (Severity::Note, SeverityBy::Rate));
        assert_eq!(of(50.0, None, 1e12), (Severity::Warning, SeverityBy::Rate));
        assert_eq!(of(500.0, None, 1e12).0, Severity::Emergency);
        assert_eq!(of(1.0, None, 8e6), (Severity::Critical, SeverityBy::Factor));
        let soon = of(1.0, Some(1.9), 1e12);
        assert_eq!(soon, (Severity::Emergency, SeverityBy::Limit));
        assert_eq!(of(1.0, Some(72.0), 1e12).0, Severity::Note);
        let unknown = (Severity::Warning, SeverityBy::Default);
        assert_eq!(t.of_leak(None, None, 0.0), unknown);
    }

    #[test]
    fn thresholds_are_what_they_are_set_to() {
        let mut t = Thresholds::default();
        t.rates.warning = 1.0;
        t.factors.critical = f64::INFINITY;
        let leak = t.of_leak(Some(2e6), None, 1e12);
        assert_eq!(leak, (Severity::Warning, SeverityBy::Rate));
        assert_eq!(t.of_leak(Some(2e6), None, 1e6).0, Severity::Warning);
    }
}
