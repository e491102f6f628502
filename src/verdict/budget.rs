//! Budgets: what may grow by how much, as configuration and flags say it.

use super::budget_monitor::{MonitorBudget, Watch};
use super::findings::Severity;
use super::pattern::{Glob, StackPattern};

/// Whose memory a budget is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Scope {
    /// The whole program.
    Total,
    /// Sites of this id: the hash, and the rank if one was given.
    Site(u64, Option<u32>),
    /// Sites whose stack is so.
    Stack(StackPattern),
    /// Sites with such a function among their frames.
    Function(Glob),
    /// Sites with a frame in such a file.
    File(Glob),
    /// Sites with a frame in such a module.
    Module(Glob),
    /// Samples with such a label: its name, and what it is.
    Label(String, String),
}

impl Scope {
    /// The scope in a word and its pattern, as messages name it.
    pub fn text(&self) -> String {
        match self {
            Scope::Total => "total".into(),
            Scope::Site(hash, None) => format!("site {hash:016x}"),
            Scope::Site(hash, Some(rank)) => format!("site {hash:016x}#{rank}"),
            Scope::Stack(pattern) => format!("stack {}", pattern.text()),
            Scope::Function(glob) => format!("function {}", glob.as_str()),
            Scope::File(glob) => format!("file {}", glob.as_str()),
            Scope::Module(glob) => format!("module {}", glob.as_str()),
            Scope::Label(key, value) => format!("label {key}={value}"),
        }
    }
}

/// Whether the sum of a scope is held to the limit, or each part of it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// The sum.
    Sum,
    /// Every site.
    Site,
    /// Every function that sites are named by.
    Function,
    /// Every file that those functions stand in.
    File,
}

impl Each {
    /// ` of each site`, or nothing for the sum.
    pub fn words(self) -> &'static str {
        match self {
            Each::Sum => "",
            Each::Site => " of each site",
            Each::Function => " of each function",
            Each::File => " of each file",
        }
    }
}

/// What is limited. Amounts are in the unit of the metric: bytes, or blocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// Growth per run.
    PerRun(f64),
    /// Growth between the first and the last capture, or between the sides. Where both are given
    /// it breaks only beyond both.
    Growth {
        /// In units of the metric.
        absolute: Option<f64>,
        /// In per cent of what was there before.
        percent: Option<f64>,
    },
    /// Growth per hour, in 10^6 bytes.
    PerHour(f64),
    /// The metric in the last capture.
    Level(f64),
    /// The level at which the metric settles.
    Plateau(f64),
    /// Number of sites that were not there before, of those with at least so much.
    NewSites {
        /// As many may come.
        most: f64,
        /// Smaller ones do not count.
        least: f64,
    },
    /// Temporary allocations in the last capture.
    Temporary(f64),
    /// Leaks from this severity on.
    Leaks(Severity),
    /// Bytes that only retention cycles hold.
    RetainedByCycles(f64),
    /// Number of retention cycles of such a signature.
    Cycles {
        /// As many may be there.
        most: f64,
        /// All where none is given.
        signature: Option<Glob>,
    },
    /// Something in a monitoring series.
    Monitor(MonitorBudget),
}

impl Limit {
    /// The word for it in names, as it is written in the configuration.
    pub fn key(&self) -> &'static str {
        match self {
            Limit::PerRun(_) => "per_run",
            Limit::Growth { .. } => "growth",
            Limit::PerHour(_) => "per_hour",
            Limit::Level(_) => "level",
            Limit::Plateau(_) => "plateau",
            Limit::NewSites { .. } => "new_sites",
            Limit::Temporary(_) => "temporary",
            Limit::Leaks(_) => "leaks",
            Limit::RetainedByCycles(_) => "retained_by_cycles",
            Limit::Cycles { .. } => "cycles",
            Limit::Monitor(m) => m.key(),
        }
    }

    /// Whether it is about object graphs.
    pub fn of_graphs(&self) -> bool {
        matches!(self, Limit::RetainedByCycles(_) | Limit::Cycles { .. })
    }

    /// Whether it is about monitoring.
    pub fn of_monitoring(&self) -> bool {
        matches!(self, Limit::Monitor(_))
    }
}

/// One budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// What messages call it.
    pub name: String,
    /// Whose memory.
    pub scope: Scope,
    /// Its sum, or each part of it.
    pub each: Each,
    /// The metric; none is the comparison's own, or the one that the limit is about.
    pub metric: Option<String>,
    /// What may be.
    pub limit: Limit,
    /// Held against what the baseline was when it was first saved.
    pub against_origin: bool,
    /// Nobody asked for it.
    pub by_default: bool,
}

impl Budget {
    /// Whether dumps of object graphs can be held against it.
    pub fn fits_graphs(&self) -> bool {
        let whole = self.scope == Scope::Total && self.each == Each::Sum;
        match self.limit {
            Limit::RetainedByCycles(_) | Limit::Cycles { .. } => true,
            Limit::Monitor(_) | Limit::NewSites { .. } | Limit::Temporary(_) => false,
            _ => whole,
        }
    }

    /// A budget on the whole program.
    pub fn total(name: &str, limit: Limit) -> Budget {
        Budget {
            name: name.to_owned(),
            scope: Scope::Total,
            each: Each::Sum,
            metric: None,
            limit,
            against_origin: false,
            by_default: false,
        }
    }
}

/// Growth per run that nobody allowed and nobody will notice, bytes.
pub const DEFAULT_PER_RUN: f64 = 1024.0;
/// Growth between two captures below which nobody looks, bytes.
pub const DEFAULT_GROWTH: f64 = 65536.0;
/// The same in per cent of before.
pub const DEFAULT_PERCENT: f64 = 5.0;

/// The budgets of who configured none: 1 KiB per run where runs are known, else 64 KiB and 5 %;
/// and, of a series of one program, no leak of severity warning or above.
///
/// `bytes`: whether the metric counts bytes; blocks are held to none per run, and to 5 %.
pub fn defaults(runs_known: bool, series: bool, bytes: bool) -> Vec<Budget> {
    let growth = match (runs_known, bytes) {
        (true, true) => Budget::total("growth per run", Limit::PerRun(DEFAULT_PER_RUN)),
        (true, false) => Budget::total("growth per run", Limit::PerRun(0.5)),
        (false, bytes) => Budget::total(
            "growth",
            Limit::Growth {
                absolute: Some(if bytes { DEFAULT_GROWTH } else { 0.5 }),
                percent: Some(DEFAULT_PERCENT),
            },
        ),
    };
    let mut budgets = vec![growth];
    if series {
        budgets.push(Budget::total("leaks", Limit::Leaks(Severity::Warning)));
    }
    for budget in &mut budgets {
        budget.by_default = true;
    }
    budgets
}

/// The same of object graphs: what leaks may keep 1 KiB per run where runs are known, and nothing
/// may leak. `series`: the dumps are of one program.
pub fn defaults_of_graphs(runs_known: bool, series: bool) -> Vec<Budget> {
    let growth = Budget::total("growth per run", Limit::PerRun(DEFAULT_PER_RUN));
    let leaks = Budget::total("leaks", Limit::Leaks(Severity::Warning));
    let both = [(growth, runs_known || !series), (leaks, series)];
    let wanted = both.into_iter().filter(|(_, wanted)| *wanted);
    wanted
        .map(|(budget, _)| Budget {
            by_default: true,
            ..budget
        })
        .collect()
}

/// The budget on monitoring of who configured none: no service grows as a warning or above.
pub fn default_of_monitoring() -> Budget {
    let watch = MonitorBudget {
        subject: None,
        watch: Watch::Severity(Severity::Warning),
    };
    Budget {
        by_default: true,
        ..Budget::total("growth of services", Limit::Monitor(watch))
    }
}
