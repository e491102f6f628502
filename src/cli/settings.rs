//! `heapdiff config`: the settings in force and where each comes from; alert rules from them.

use super::args::ConfigArgs;
use super::config::{self, Config, Inconclusive, Placed};
use super::output::to_stdout;
use super::run::Terminal;
use crate::error::Result;
use crate::units;
use crate::verdict::{
    Comparison, DEFAULT_GROWTH, DEFAULT_PER_RUN, DEFAULT_PERCENT, Limit, Severity, Target, Watch,
};
use std::fmt::Write;

/// Prints the settings.
///
/// Errors: a configuration that is none.
pub(super) fn config(args: &ConfigArgs, terminal: &Terminal) -> Result<u8> {
    let config = config::of(&args.settings)?;
    let text = match args.prometheus {
        true => prometheus(&config),
        false => effective(&config, terminal.quiet),
    };
    to_stdout(text.as_bytes()).map(|()| 0)
}

fn effective(config: &Config, quiet: bool) -> String {
    let mut out = String::new();
    let file = config.path.as_ref().map(|p| p.display().to_string());
    let _ = writeln!(
        out,
        "file             {}",
        file.as_deref()
            .unwrap_or("none: heapdiff.toml was not found up to the repository's root")
    );
    if let Some(profile) = &config.profile {
        let _ = writeln!(out, "profile          {profile}");
    }
    let mut row = |key: &str, value: Option<(String, &str)>, default: &str| {
        let (value, place) = value.unwrap_or((default.to_owned(), "default"));
        let _ = writeln!(out, "{key:16} {value:24} {place}");
    };
    let text = |set: &Option<config::Set<String>>| {
        set.as_ref().map(|s| (s.value.clone(), s.place.clone()))
    };
    let metric = text(&config.metric);
    let driver = text(&config.driver);
    let baseline = text(&config.baseline);
    fn borrowed(pair: &Option<(String, String)>) -> Option<(String, &str)> {
        pair.as_ref().map(|(v, p)| (v.clone(), p.as_str()))
    }
    row("metric", borrowed(&metric), "the captures' own");
    row("driver", borrowed(&driver), "runs");
    row("baseline", borrowed(&baseline), "none");
    row(
        "runs_per_hour",
        config
            .runs_per_hour
            .as_ref()
            .map(|s| (units::plain(s.value), s.place.as_str())),
        "not known",
    );
    row(
        "memory_limit",
        config
            .memory_limit
            .as_ref()
            .map(|s| (units::bytes(s.value.into()), s.place.as_str())),
        "not known",
    );
    row(
        "inconclusive",
        config.inconclusive.as_ref().map(|s| {
            let word = match s.value {
                Inconclusive::Report => "report",
                Inconclusive::Pass => "pass",
                Inconclusive::Fail => "fail",
            };
            (word.to_owned(), s.place.as_str())
        }),
        "report (exit status 3)",
    );
    row(
        "noise",
        config.exact.as_ref().map(|s| {
            let word = if s.value { "exact" } else { "auto" };
            (word.to_owned(), s.place.as_str())
        }),
        "auto",
    );
    let t = config.thresholds;
    let steps = |s: crate::verdict::Steps| {
        let word = |n: f64| match n.is_finite() && n > 0.0 {
            true => units::plain(n),
            false => "never".to_owned(),
        };
        [s.warning, s.critical, s.emergency].map(word)
    };
    for (key, of, unit) in [
        ("severity", t.rates, " MB/h"),
        ("by factor", t.factors, " times a day"),
        ("by limit", t.hours, " h before memory_limit"),
    ] {
        let [warning, critical, emergency] = steps(of);
        let _ = writeln!(
            out,
            "{key:16} warning {warning}, critical {critical}, emergency {emergency}{unit}"
        );
    }
    out.push_str("\nbudgets\n");
    for placed in &config.budgets {
        let _ = writeln!(
            out,
            "  {:32} {:24} {}",
            placed.budget.name,
            limit(placed),
            placed.place
        );
    }
    if config.budgets.is_empty() {
        let _ = writeln!(
            out,
            "  growth per run                   {:24} default, where runs are known",
            units::bytes(DEFAULT_PER_RUN as i128)
        );
        let _ = writeln!(
            out,
            "  growth                           {:24} default, else",
            format!(
                "{} and {DEFAULT_PERCENT} %",
                units::bytes(DEFAULT_GROWTH as i128)
            )
        );
        let _ = writeln!(
            out,
            "  leaks                            {:24} default, of three captures and more",
            "no warning or above"
        );
    }
    if !config.suppress.is_empty() || !config.suppressions.is_empty() {
        out.push_str("\nsuppressions\n");
    }
    for s in &config.suppress {
        let until = s.expires.map_or(String::new(), |d| d.to_string());
        let target = match &s.target {
            Target::Stack(pattern) => pattern.text(),
            Target::Site(hash, ..) => format!("site {hash:016x}"),
            Target::Anywhere(glob) | Target::Subject(glob) => glob.as_str().to_owned(),
            Target::Innermost(_) => "innermost frames".to_owned(),
        };
        let _ = writeln!(
            out,
            "  {:32} until {until}{}  {}\n    {target}",
            s.reason,
            s.terms(),
            s.place
        );
    }
    for path in &config.suppressions {
        let _ = writeln!(out, "  {}", path.display());
    }
    if !quiet {
        out.push_str(
            "\noptions of the command line stand over these; every key: docs/configuration.md\n",
        );
    }
    out
}

/// A limit in words.
fn limit(placed: &Placed) -> String {
    let size = |n: f64| units::bytes(n as i128);
    match &placed.budget.limit {
        Limit::PerRun(n) => format!("{} per run", size(*n)),
        Limit::Growth { absolute, percent } => {
            let parts = absolute
                .map(size)
                .into_iter()
                .chain(percent.map(|p| format!("{p} %")));
            parts.collect::<Vec<_>>().join(" and ")
        }
        Limit::PerHour(mb) => format!("{mb} MB/h"),
        Limit::Level(n) | Limit::Plateau(n) | Limit::RetainedByCycles(n) => size(*n),
        Limit::NewSites { most, least } => {
            format!("{} of {} or more", units::plain(*most), size(*least))
        }
        Limit::Temporary(n) => units::plain(*n),
        Limit::Leaks(severity) => format!("no {} or above", severity.as_str()),
        Limit::Cycles { most, .. } => units::plain(*most),
        Limit::Monitor(m) => match &m.watch {
            Watch::Condition(c) => format!("not {}", c.text()),
            Watch::Severity(s) => format!("no {} or above", s.as_str()),
            watch => {
                let (n, unit) = watch.limit();
                format!("{} {unit}", units::plain(n))
            }
        },
    }
}

/// Alert rules with the same thresholds. Memory is what process exporters call it; the window is
/// long enough for a saw-tooth of half an hour to even out.
fn prometheus(config: &Config) -> String {
    let mut out = String::from(
        "# Written by `heapdiff config --prometheus`: the thresholds of heapdiff as alert rules.\n\
         groups:\n- name: heapdiff\n  rules:\n",
    );
    for severity in [Severity::Warning, Severity::Critical, Severity::Emergency] {
        let per_second = config.thresholds.rates.of(severity) * 1e6 / 3600.0;
        let window = match severity {
            Severity::Emergency => "1h",
            _ => "6h",
        };
        rule(
            &mut out,
            &format!("HeapGrowth{}", capital(severity.as_str())),
            &format!(
                "deriv(process_resident_memory_bytes[{window}]) > {}",
                number(per_second)
            ),
            "30m",
            severity.as_str(),
            &format!(
                "memory grows by {} MB an hour or more",
                units::plain(config.thresholds.rates.of(severity))
            ),
        );
    }
    if let Some(limit) = &config.memory_limit {
        for severity in [Severity::Warning, Severity::Critical, Severity::Emergency] {
            let hours = config.thresholds.hours.of(severity);
            if hours <= 0.0 {
                continue;
            }
            let severity = severity.as_str();
            rule(
                &mut out,
                &format!("HeapLimitIn{}Hours", units::plain(hours).replace('.', "_")),
                &format!(
                    "predict_linear(process_resident_memory_bytes[6h], {}) > {}",
                    number(hours * 3600.0),
                    limit.value
                ),
                "30m",
                severity,
                &format!(
                    "memory reaches its limit within {} hours",
                    units::plain(hours)
                ),
            );
        }
    }
    for placed in &config.budgets {
        let name = format!("Heapdiff{}", capital(&placed.budget.name));
        let (expr, lasts) = match &placed.budget.limit {
            Limit::PerHour(mb) => (
                format!(
                    "deriv(process_resident_memory_bytes[6h]) > {}",
                    number(mb * 1e6 / 3600.0)
                ),
                "30m".to_owned(),
            ),
            Limit::Level(n) | Limit::Plateau(n)
                if placed.budget.scope == crate::verdict::Scope::Total =>
            {
                (
                    format!("process_resident_memory_bytes > {}", number(*n)),
                    "10m".to_owned(),
                )
            }
            Limit::Monitor(m) => {
                let series = m.subject.as_ref().map_or("", |g| g.as_str());
                let plain = !series.is_empty()
                    && series
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
                let series = match plain {
                    true => series.to_owned(),
                    false if series.is_empty() => "process_resident_memory_bytes".to_owned(),
                    false => {
                        let pattern = regex::escape(series).replace("\\*", ".*");
                        format!("{{__name__=~{pattern:?}}}")
                    }
                };
                match &m.watch {
                    Watch::Condition(c) => {
                        let sign = match c.comparison {
                            Comparison::Above => ">",
                            Comparison::AtLeast => ">=",
                            Comparison::Below => "<",
                            Comparison::AtMost => "<=",
                        };
                        (
                            format!("{series} {sign} {}", number(c.limit)),
                            format!("{}s", number(c.seconds)),
                        )
                    }
                    Watch::Rate(mb) => (
                        format!("deriv({series}[6h]) > {}", number(mb * 1e6 / 3600.0)),
                        "30m".to_owned(),
                    ),
                    Watch::Level(n) | Watch::Processes(n) => {
                        (format!("{series} > {}", number(*n)), "0s".to_owned())
                    }
                    _ => continue,
                }
            }
            _ => continue,
        };
        rule(
            &mut out,
            &name,
            &expr,
            &lasts,
            "warning",
            &placed.budget.name,
        );
    }
    out
}

fn rule(out: &mut String, name: &str, expr: &str, lasts: &str, severity: &str, summary: &str) {
    // Single quotes hold anything but themselves, which are doubled.
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''").replace(['\n', '\r'], " "));
    let _ = write!(
        out,
        "  - alert: {name}\n    expr: {}\n    for: {lasts}\n    labels:\n      severity: {severity}\n    \
         annotations:\n      summary: {}\n",
        quoted(expr),
        quoted(summary)
    );
}

/// A number without an exponent.
fn number(n: f64) -> String {
    match n == n.trunc() && n.abs() < 1e15 {
        true => format!("{n:.0}"),
        false => format!("{n:.3}"),
    }
}

/// `growth per run` as `GrowthPerRun`.
fn capital(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let word = |w: &str| {
        let mut chars = w.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    words.map(word).collect()
}
