//! `heapdiff.toml`: found, read, every key checked, turned into budgets and suppressions.

use super::config_errors::{line_of, reason, toml_error};
use super::config_severity::RawSeverity;
pub use super::config_tables::site_id;
use super::config_tables::{Amount, RawBudget, RawSuppress, budgets, suppression};
use super::gate_args::SettingArgs;
use crate::error::{Code, Error, Place, Result};
use crate::verdict::{Budget, Steps, Suppression, Thresholds};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The name of the file.
pub const FILE: &str = "heapdiff.toml";

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    gate: RawGate,
    #[serde(default)]
    severity: RawSeverity,
    #[serde(default)]
    budget: Vec<Spanned<RawBudget>>,
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppress>>,
    #[serde(default)]
    profile: BTreeMap<String, RawProfile>,
}

/// An environment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    #[serde(default)]
    gate: RawGate,
    #[serde(default)]
    severity: RawSeverity,
    #[serde(default)]
    budget: Vec<Spanned<RawBudget>>,
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppress>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    baseline: Option<String>,
    driver: Option<String>,
    inconclusive: Option<Spanned<String>>,
    memory_limit: Option<Spanned<Amount>>,
    metric: Option<String>,
    noise: Option<Spanned<String>>,
    path_map: Option<Vec<String>>,
    runs_per_hour: Option<Spanned<f64>>,
    suppressions: Option<Vec<String>>,
    trim_path: Option<Vec<String>>,
}

/// What becomes of "cannot tell".
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Inconclusive {
    /// Exit status 3
    Report,
    /// Exit status 0
    Pass,
    /// Exit status 1
    Fail,
}

/// A budget and where it is written.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The budget.
    pub budget: Budget,
    /// `heapdiff.toml line 3`, `--max-per-run`, `default`.
    pub place: String,
}

/// A value and where it comes from.
#[derive(Debug, Clone)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// The file, or `default`.
    pub place: String,
}

/// The configuration, settled.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file; none where there is none.
    pub path: Option<PathBuf>,
    /// The environment that was chosen.
    pub profile: Option<String>,
    /// The baseline that captures are held against.
    pub baseline: Option<Set<String>>,
    /// The metric.
    pub metric: Option<Set<String>>,
    /// The driver that growth is counted by.
    pub driver: Option<Set<String>>,
    /// Runs in an hour.
    pub runs_per_hour: Option<Set<f64>>,
    /// Bytes that the program may use.
    pub memory_limit: Option<Set<u64>>,
    /// What becomes of "cannot tell".
    pub inconclusive: Option<Set<Inconclusive>>,
    /// Captures of unknown noise are taken for counted.
    pub exact: Option<Set<bool>>,
    /// Pairs of path prefixes, A=B.
    pub path_map: Vec<String>,
    /// Prefixes that are cut off.
    pub trim_path: Vec<String>,
    /// Suppression files of other tools, relative to the current directory.
    pub suppressions: Vec<PathBuf>,
    /// What severities are drawn from.
    pub thresholds: Thresholds,
    /// The budgets.
    pub budgets: Vec<Placed>,
    /// The suppressions.
    pub suppress: Vec<Suppression>,
}

/// The root of the repository that a directory lies in: the nearest one upward with `.git`.
pub fn repository(from: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(from).ok()?;
    let mut dirs = absolute.ancestors();
    dirs.find(|d| d.join(".git").exists()).map(Path::to_owned)
}

/// The configuration file of the current directory: the nearest one upward to the root of the
/// repository; outside of one only the directory's own.
pub fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let root = repository(&here).unwrap_or_else(|| here.clone());
    let mut up = PathBuf::new();
    for dir in here.ancestors() {
        if dir.join(FILE).is_file() {
            return Some(up.join(FILE));
        }
        if dir == root {
            return None;
        }
        up.push("..");
    }
    None
}

/// Reads the configuration: `explicit`, else the file that is found, else the defaults.
///
/// Errors: a file that cannot be read, a key that is none, a value that makes no sense, each with
/// its line.
pub fn load(explicit: Option<&str>, none: bool, profile: Option<&str>) -> Result<Config> {
    if none {
        return known_profile(Config::default(), profile);
    }
    let Some(path) = explicit.map(PathBuf::from).or_else(find) else {
        return known_profile(Config::default(), profile);
    };
    let shown = path.display().to_string();
    let bytes = std::fs::read(&path)
        .map_err(|e| Error::io(Code::Unreadable, &shown, &e).help("name another with --config"))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to() as u64;
        Error::usage("is no UTF-8 text")
            .in_file(&shown)
            .at(Place::Byte(at))
            .help("save it as UTF-8 (the > of PowerShell writes UTF-16)")
    })?;
    read(&text, &path, profile).map_err(|e| e.in_file(&shown))
}

/// The same, as the options of a command say.
pub(super) fn of(settings: &SettingArgs) -> Result<Config> {
    load(
        settings.config.as_deref(),
        settings.no_config,
        settings.profile.as_deref(),
    )
}

fn known_profile(config: Config, profile: Option<&str>) -> Result<Config> {
    match profile {
        None => Ok(config),
        Some(name) => Err(Error::usage(format!(
            "there is no profile {name:?}: no {FILE} was found"
        ))
        .help(format!("write [profile.{name}] into {FILE}"))),
    }
}

/// Reads the text of a file at `path`.
pub fn read(text: &str, path: &Path, profile: Option<&str>) -> Result<Config> {
    let raw: Raw = toml::from_str(text).map_err(|e| toml_error(&e, text))?;
    let mut reader = Reader {
        text,
        name: path.display().to_string(),
        config: Config {
            path: Some(path.to_owned()),
            ..Config::default()
        },
    };
    reader.gate(&raw.gate, path)?;
    reader.severity(&raw.severity)?;
    let mut chosen = None;
    // Environments that are not chosen are checked all the same.
    for (name, own) in &raw.profile {
        let mut other = Reader {
            text,
            name: reader.name.clone(),
            config: Config::default(),
        };
        other.gate(&own.gate, path)?;
        other.severity(&own.severity)?;
        other.budgets(&own.budget)?;
        other.suppress(&own.suppress)?;
        if Some(name.as_str()) == profile {
            chosen = Some(own);
        }
    }
    if let (Some(name), None) = (profile, chosen) {
        let names: Vec<&str> = raw.profile.keys().map(String::as_str).collect();
        let have = match names.is_empty() {
            true => "there is none".to_owned(),
            false => format!("there is {}", names.join(", ")),
        };
        return Err(Error::usage(format!("there is no profile {name:?}")).help(have));
    }
    if let Some(own) = chosen {
        reader.gate(&own.gate, path)?;
        reader.severity(&own.severity)?;
    }
    reader.budgets(&raw.budget)?;
    reader.suppress(&raw.suppress)?;
    if let Some(own) = chosen {
        reader.budgets(&own.budget)?;
        reader.suppress(&own.suppress)?;
    }
    reader.config.profile = profile.map(str::to_owned);
    Ok(reader.config)
}

/// One budget of the command line, written like a table of the file: `peak = "300MiB"`.
///
/// Errors: as in the file.
pub fn budgets_of_flag(flag: &str, text: &str, rates: Steps) -> Result<Vec<Placed>> {
    #[derive(Deserialize)]
    struct One {
        budget: Spanned<RawBudget>,
    }
    let table = format!("budget = {{ {text} }}");
    let wrong = |what: String| {
        let error = Error::usage(format!("{flag} {text:?}: {what}"));
        match flag {
            "--budget" => error
                .help("write for example --budget 'function = \"decode*\", per_run = \"1KiB\"'"),
            _ => error.help("write a size such as 64KiB, or the word that --help names"),
        }
    };
    let one: One = toml::from_str(&table).map_err(|e| wrong(reason(&e)))?;
    let budgets = budgets(one.budget.get_ref(), rates).map_err(wrong)?;
    let placed = |budget| Placed {
        budget,
        place: flag.to_owned(),
    };
    Ok(budgets.into_iter().map(placed).collect())
}

/// A file on its way to the settings.
pub(super) struct Reader<'t> {
    text: &'t str,
    name: String,
    pub(super) config: Config,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> u64 {
        line_of(self.text, at)
    }

    /// An error at a place of the text.
    pub(super) fn wrong(&self, at: usize, what: String, help: &str) -> Error {
        Error::usage(what).at(Place::Line(self.line(at))).help(help)
    }

    fn set<T>(&self, value: T) -> Option<Set<T>> {
        Some(Set {
            value,
            place: self.name.clone(),
        })
    }

    fn gate(&mut self, raw: &RawGate, path: &Path) -> Result<()> {
        if let Some(name) = &raw.baseline {
            self.config.baseline = self.set(name.clone());
        }
        if let Some(name) = &raw.metric {
            self.config.metric = self.set(name.clone());
        }
        if let Some(name) = &raw.driver {
            self.config.driver = self.set(name.clone());
        }
        if let Some(runs) = &raw.runs_per_hour {
            let value = *runs.get_ref();
            if !(value > 0.0 && value.is_finite()) {
                let what = format!("runs_per_hour {value} is no number of runs");
                return Err(self.wrong(runs.span().start, what, "write a number above 0"));
            }
            self.config.runs_per_hour = self.set(value);
        }
        if let Some(limit) = &raw.memory_limit {
            let bytes = limit.get_ref().number().ok_or_else(|| {
                self.wrong(
                    limit.span().start,
                    "memory_limit is no size".into(),
                    "write \"750MB\"",
                )
            })?;
            self.config.memory_limit = self.set(bytes as u64);
        }
        if let Some(word) = &raw.inconclusive {
            let value = match word.get_ref().as_str() {
                "report" => Inconclusive::Report,
                "pass" => Inconclusive::Pass,
                "fail" => Inconclusive::Fail,
                other => {
                    let what = format!("inconclusive is {other:?}");
                    return Err(self.wrong(word.span().start, what, "one of report, pass, fail"));
                }
            };
            self.config.inconclusive = self.set(value);
        }
        if let Some(word) = &raw.noise {
            let value = match word.get_ref().as_str() {
                "auto" => false,
                "exact" => true,
                other => {
                    let what = format!("noise is {other:?}");
                    return Err(self.wrong(word.span().start, what, "one of auto, exact"));
                }
            };
            self.config.exact = self.set(value);
        }
        if let Some(pairs) = &raw.path_map {
            self.config.path_map = pairs.clone();
        }
        if let Some(prefixes) = &raw.trim_path {
            self.config.trim_path = prefixes.clone();
        }
        if let Some(files) = &raw.suppressions {
            let dir = path.parent().unwrap_or(Path::new(""));
            self.config.suppressions = files.iter().map(|f| dir.join(f)).collect();
        }
        Ok(())
    }

    fn budgets(&mut self, list: &[Spanned<RawBudget>]) -> Result<()> {
        let mut fresh: Vec<String> = Vec::new();
        for raw in list {
            let at = raw.span().start;
            let found = budgets(raw.get_ref(), self.config.thresholds.rates)
                .map_err(|what| self.wrong(at, what, "see docs/configuration.md"))?;
            for budget in found {
                if fresh.contains(&budget.name) {
                    let what = format!("two budgets have the name {:?}", budget.name);
                    return Err(self.wrong(at, what, "give one of them another name"));
                }
                fresh.push(budget.name.clone());
                // An environment's own budget takes the place of the one of that name.
                self.config.budgets.retain(|b| b.budget.name != budget.name);
                let place = format!("{} line {}", self.name, self.line(at));
                self.config.budgets.push(Placed { budget, place });
            }
        }
        Ok(())
    }

    fn suppress(&mut self, list: &[Spanned<RawSuppress>]) -> Result<()> {
        for raw in list {
            let at = raw.span().start;
            let place = format!("{} line {}", self.name, self.line(at));
            let one = suppression(raw.get_ref(), place)
                .map_err(|what| self.wrong(at, what, "see docs/configuration.md"))?;
            self.config.suppress.push(one);
        }
        Ok(())
    }
}
