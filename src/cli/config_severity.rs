//! `[severity]`: from which numbers on growth is how bad.

use super::config::Reader;
use super::config_tables::Amount;
use crate::error::{Error, Result};
use crate::verdict::Steps;
use serde::Deserialize;
use toml::Spanned;

/// The table as it is written: growth an hour, and the tables below it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSeverity {
    warning: Option<Spanned<Amount>>,
    critical: Option<Spanned<Amount>>,
    emergency: Option<Spanned<Amount>>,
    factor: Option<Spanned<RawFactors>>,
    limit: Option<Spanned<RawTimes>>,
}

/// Growth of the whole program by this factor a day.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFactors {
    warning: Option<f64>,
    critical: Option<f64>,
    emergency: Option<f64>,
}

/// Time to the memory limit.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTimes {
    warning: Option<Amount>,
    critical: Option<Amount>,
    emergency: Option<Amount>,
}

/// `steps` with those numbers that are written.
fn over<T>(
    steps: &mut Steps,
    [warning, critical, emergency]: [&Option<T>; 3],
    number: impl Fn(&T) -> Result<f64>,
) -> Result<()> {
    for (written, slot) in [
        (warning, &mut steps.warning),
        (critical, &mut steps.critical),
        (emergency, &mut steps.emergency),
    ] {
        if let Some(written) = written {
            *slot = number(written)?;
        }
    }
    Ok(())
}

impl Reader<'_> {
    /// Takes the thresholds that are written.
    ///
    /// Errors: one that is no number of its kind, three that are not in order.
    pub(super) fn severity(&mut self, raw: &RawSeverity) -> Result<()> {
        self.rates(raw)?;
        self.factors(raw)?;
        self.times(raw)
    }

    /// 10^6 bytes an hour.
    fn rates(&mut self, raw: &RawSeverity) -> Result<()> {
        let mut rates = self.config.thresholds.rates;
        let written = [&raw.warning, &raw.critical, &raw.emergency];
        over(&mut rates, written, |amount| {
            let bytes = amount.get_ref().number().ok_or_else(|| {
                let what = "a severity is no rate".to_owned();
                let help = "write the growth an hour, \"50MB\"";
                self.wrong(amount.span().start, what, help)
            })?;
            Ok(bytes / 1e6)
        })?;
        if !(rates.warning <= rates.critical && rates.critical <= rates.emergency) {
            return Err(Error::usage(format!(
                "warning {}, critical {} and emergency {} MB an hour do not rise",
                rates.warning, rates.critical, rates.emergency
            ))
            .help("give the three in rising order"));
        }
        self.config.thresholds.rates = rates;
        Ok(())
    }

    /// What memory is multiplied by in a day.
    fn factors(&mut self, raw: &RawSeverity) -> Result<()> {
        let Some(own) = &raw.factor else {
            return Ok(());
        };
        let mut factors = self.config.thresholds.factors;
        let raw = own.get_ref();
        let written = [&raw.warning, &raw.critical, &raw.emergency];
        over(&mut factors, written, |number| Ok(*number))?;
        let rise = factors.warning > 1.0
            && factors.warning <= factors.critical
            && factors.critical <= factors.emergency;
        if !rise {
            return Err(self.wrong(
                own.span().start,
                format!(
                    "factors of {} (warning), {} (critical) and {} (emergency) do not rise from above 1",
                    factors.warning, factors.critical, factors.emergency
                ),
                "write what memory is multiplied by in a day, in rising order: warning = 1.5, critical = 4",
            ));
        }
        self.config.thresholds.factors = factors;
        Ok(())
    }

    /// Hours to the memory limit.
    fn times(&mut self, raw: &RawSeverity) -> Result<()> {
        let Some(own) = &raw.limit else {
            return Ok(());
        };
        let mut hours = self.config.thresholds.hours;
        let raw = own.get_ref();
        let written = [&raw.warning, &raw.critical, &raw.emergency];
        over(&mut hours, written, |amount| {
            let seconds = amount.seconds().ok_or_else(|| {
                let what = "the time to a limit is none".to_owned();
                self.wrong(own.span().start, what, "write \"72h\" or \"3d\"")
            })?;
            Ok(seconds / 3600.0)
        })?;
        if !(hours.emergency <= hours.critical && hours.critical <= hours.warning) {
            return Err(self.wrong(
                own.span().start,
                format!(
                    "warning {} h, critical {} h and emergency {} h before the limit do not fall",
                    hours.warning, hours.critical, hours.emergency
                ),
                "give the three in falling order: warning = \"72h\", critical = \"24h\"",
            ));
        }
        self.config.thresholds.hours = hours;
        Ok(())
    }
}
