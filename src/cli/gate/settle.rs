//! What a gate is asked for: options over the configuration, the day, suppressions of other tools.

use crate::cli::args::{GateArgs, NoiseArg};
use crate::cli::config::{self, Config, Placed, Set};
use crate::cli::run::{counts, size};
use crate::error::{Code, Error, Place, Result};
use crate::verdict::read_foreign;

/// The options of the command line over the configuration.
pub(super) fn settle(args: &GateArgs, mut config: Config) -> Result<Config> {
    let flag = |name: &str| format!("--{name}");
    let set = |value: &Option<String>, name: &str| {
        value.clone().map(|value| Set {
            value,
            place: flag(name),
        })
    };
    if let Some(metric) = set(&args.rows.metric, "metric") {
        config.metric = Some(metric);
    }
    if let Some(driver) = set(&args.driver, "driver") {
        config.driver = Some(driver);
    }
    if let Some(baseline) = set(&args.baseline, "baseline") {
        config.baseline = Some(baseline);
    }
    if !args.base.is_empty() {
        config.baseline = None;
    }
    if let Some(value) = args.inconclusive {
        config.inconclusive = Some(Set {
            value,
            place: flag("inconclusive"),
        });
    }
    if let Some(kind) = args.noise {
        config.exact = Some(Set {
            value: kind == NoiseArg::Exact,
            place: flag("noise"),
        });
    }
    let runs = counts("runs-per-hour", args.load.runs_per_hour.as_slice())?;
    if let Some(&value) = runs.first() {
        config.runs_per_hour = Some(Set {
            value,
            place: flag("runs-per-hour"),
        });
    }
    if let Some(value) = size("memory-limit", &args.load.memory_limit)? {
        config.memory_limit = Some(Set {
            value,
            place: flag("memory-limit"),
        });
    }
    for placed in budget_flags(args, &config)? {
        let same = |b: &Placed| b.budget.name != placed.budget.name;
        config.budgets.retain(same);
        config.budgets.push(placed);
    }
    Ok(config)
}

/// The budgets of the command line.
fn budget_flags(args: &GateArgs, config: &Config) -> Result<Vec<Placed>> {
    let b = &args.budgets;
    let quoted = |key: &str, text: &str| format!("{key} = {text:?}");
    let sizes = [
        ("max-per-run", "per_run", &b.max_per_run),
        ("max-per-hour", "per_hour", &b.max_per_hour),
        ("max-live", "live", &b.max_live),
        ("max-peak", "peak", &b.max_peak),
        ("max-plateau", "plateau", &b.max_plateau),
        ("no-leaks", "leaks", &b.no_leaks),
        (
            "max-retained-by-cycles",
            "retained_by_cycles",
            &b.max_retained_by_cycles,
        ),
    ];
    let mut texts: Vec<(String, String)> = Vec::new();
    for (flag, key, text) in sizes {
        if let Some(text) = text {
            texts.push((format!("--{flag}"), quoted(key, text)));
        }
    }
    let growth: Vec<String> = b
        .max_growth
        .iter()
        .map(|text| quoted("growth", text))
        .chain(
            b.max_growth_percent
                .map(|p| format!("growth_percent = {p:?}")),
        )
        .collect();
    if !growth.is_empty() {
        texts.push(("--max-growth".to_owned(), growth.join(", ")));
    }
    for (flag, key, n) in [
        ("max-new-sites", "new_sites", b.max_new_sites),
        ("max-temporary", "temporary", b.max_temporary),
        ("max-cycles", "cycles", b.max_cycles),
    ] {
        if let Some(n) = n {
            texts.push((format!("--{flag}"), format!("{key} = {n}.0")));
        }
    }
    texts.extend(b.budget.iter().map(|t| ("--budget".to_owned(), t.clone())));
    let mut out = Vec::new();
    for (flag, text) in texts {
        out.extend(config::budgets_of_flag(
            &flag,
            &text,
            config.thresholds.rates,
        )?);
    }
    Ok(out)
}

/// The day on which suppressions are judged.
pub(super) fn today(as_of: Option<&str>) -> Result<jiff::civil::Date> {
    if let Some(text) = as_of {
        return text.parse().map_err(|_| {
            Error::usage(format!("--as-of {text:?} is no date")).help("write 2027-03-01")
        });
    }
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok();
    let fixed = fixed.and_then(|s| jiff::Timestamp::from_second(s.parse().ok()?).ok());
    let now = fixed.unwrap_or_else(jiff::Timestamp::now);
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Adds the suppressions of other tools' files.
pub(super) fn suppressions(args: &GateArgs, config: &mut Config) -> Result<()> {
    let configured = config.suppressions.iter().map(|p| p.display().to_string());
    let files: Vec<String> = configured
        .chain(args.suppressions.iter().cloned())
        .collect();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::io(Code::Unreadable, &path, &e).help("name a file of LeakSanitizer or Valgrind")
        })?;
        let found = read_foreign(&text, &path).map_err(|(line, what)| {
            Error::usage(what)
                .in_file(&path)
                .at(Place::Line(line))
                .help("LeakSanitizer's lines are leak:NAME, Valgrind's blocks stand in braces")
        })?;
        config.suppress.extend(found);
    }
    Ok(())
}
