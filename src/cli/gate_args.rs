//! Arguments of the gate, its baselines, suppressions and configuration.

use super::args::{InputArgs, LoadArgs, MonitorArgs, OutputArgs, RowArgs};
use super::config::Inconclusive;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

/// Where settings come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingArgs {
    /// The configuration file [default: the nearest heapdiff.toml up to the repository's root]
    #[arg(long, value_name = "FILE", env = "HEAPDIFF_CONFIG", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<String>,
    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// The environment of the configuration file: [profile.NAME]
    #[arg(
        long,
        value_name = "NAME",
        env = "HEAPDIFF_PROFILE",
        hide_env_values = true
    )]
    pub profile: Option<String>,
}

/// Budgets of the command line; any of them takes the place of those of the configuration that
/// have its name, and of the defaults.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Budgets")]
pub struct BudgetArgs {
    /// Growth per run (1KiB)
    #[arg(long, value_name = "SIZE")]
    pub max_per_run: Option<String>,
    /// Growth between first and last capture or between the sides (64KiB)
    #[arg(long, value_name = "SIZE")]
    pub max_growth: Option<String>,
    /// The same in per cent; with --max-growth it breaks only beyond both
    #[arg(long, value_name = "PERCENT")]
    pub max_growth_percent: Option<f64>,
    /// Growth an hour: warning, critical, emergency, or a size (needs --runs-per-hour)
    #[arg(long, value_name = "SEVERITY|SIZE")]
    pub max_per_hour: Option<String>,
    /// Bytes held in the last capture (200MiB)
    #[arg(long, value_name = "SIZE")]
    pub max_live: Option<String>,
    /// Bytes held at the program's peak
    #[arg(long, value_name = "SIZE")]
    pub max_peak: Option<String>,
    /// The level at which it settles (200MB)
    #[arg(long, value_name = "SIZE")]
    pub max_plateau: Option<String>,
    /// Number of sites that were not there before
    #[arg(long, value_name = "N")]
    pub max_new_sites: Option<u64>,
    /// Number of temporary allocations
    #[arg(long, value_name = "N")]
    pub max_temporary: Option<u64>,
    /// No leak of this severity or above: note, warning, critical, emergency
    #[arg(long, value_name = "SEVERITY")]
    pub no_leaks: Option<String>,
    /// Bytes that only retention cycles hold
    #[arg(long, value_name = "SIZE")]
    pub max_retained_by_cycles: Option<String>,
    /// Number of retention cycles
    #[arg(long, value_name = "N")]
    pub max_cycles: Option<u64>,
    /// Any other budget, as in the configuration: 'function = "decode*", per_run = "1KiB"'
    #[arg(long, value_name = "KEYS")]
    pub budget: Vec<String>,
}

/// What is known of the noise of captures whose format does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NoiseArg {
    /// As the format says
    Auto,
    /// Every allocation is counted
    Exact,
}

/// `heapdiff gate`.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Captures in order of runs: PATH[#SELECT][@N], directories, quoted globs, A+B; `-` is standard input
    #[arg(value_name = "CAPTURE", value_hint = ValueHint::AnyPath)]
    pub captures: Vec<String>,
    /// Hold them against a saved baseline: its name, or its path
    #[arg(
        long,
        value_name = "NAME",
        env = "HEAPDIFF_BASELINE",
        hide_env_values = true,
        conflicts_with = "base"
    )]
    pub baseline: Option<String>,
    /// Hold them against captures from before the change (repeatable)
    #[arg(long, value_name = "CAPTURE", value_hint = ValueHint::AnyPath)]
    pub base: Vec<String>,
    /// Monitoring series and logs: files, directories, quoted globs; alone or behind the captures
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = ValueHint::AnyPath)]
    pub timeline: Vec<String>,
    /// What becomes of "cannot tell" [default: report, exit status 3]
    #[arg(long, value_enum, value_name = "AS")]
    pub inconclusive: Option<Inconclusive>,
    /// Take captures of unknown noise for exact ones
    #[arg(long, value_enum, value_name = "KIND")]
    pub noise: Option<NoiseArg>,
    /// Suppressions of LeakSanitizer or Valgrind (repeatable)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub suppressions: Vec<String>,
    /// The day on which suppressions are judged [default: today]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// The driver that growth is counted by [default: runs]
    #[arg(long, value_name = "NAME")]
    pub driver: Option<String>,
    #[command(flatten)]
    /// What severities are drawn from.
    pub load: LoadArgs,
    #[command(flatten)]
    /// What may grow by how much.
    pub budgets: BudgetArgs,
    #[command(flatten)]
    /// How monitoring is read.
    pub monitor: MonitorArgs,
    #[command(flatten)]
    /// Where settings come from.
    pub settings: SettingArgs,
    #[command(flatten)]
    /// How captures are read.
    pub input: InputArgs,
    #[command(flatten)]
    /// Which rows are looked at.
    pub rows: RowArgs,
    #[command(flatten)]
    /// Where results go.
    pub out: OutputArgs,
}

/// What `heapdiff baseline` does.
#[derive(Debug, Subcommand)]
pub enum BaselineAction {
    /// Save captures under a name
    #[command(arg_required_else_help = true)]
    Save(Box<BaselineArgs>),
    /// Show what a baseline holds
    #[command(arg_required_else_help = true)]
    Show {
        /// The baseline: its name, or its path
        name: String,
        /// Number of sites; 0 is all
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Take new captures for the old ones, and show what that accepts
    #[command(arg_required_else_help = true)]
    Update(Box<BaselineArgs>),
    /// Add captures of the same build: they show the noise
    #[command(arg_required_else_help = true)]
    Merge(Box<BaselineArgs>),
}

/// A baseline and captures for it.
#[derive(Debug, Args)]
pub struct BaselineArgs {
    /// The baseline: its name, or its path
    pub name: String,
    /// The captures
    #[arg(value_name = "CAPTURE", required = true, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<String>,
    /// Write it although CI is set: CI judges, and does not change what it judges by
    #[arg(long)]
    pub allow_ci: bool,
    /// Forget where the baseline came from: creep is counted from here on
    #[arg(long)]
    pub reset_origin: bool,
    #[command(flatten)]
    /// How captures are read.
    pub input: InputArgs,
}

/// `heapdiff suppress`.
#[derive(Debug, Args)]
pub struct SuppressArgs {
    /// The finding as the gate names it: HD001:9f2c61d0a4e7b318, or a site's id
    pub finding: String,
    /// Why it is accepted
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The last day on which it is: 2027-03-01
    #[arg(long, value_name = "DATE")]
    pub expires: String,
    /// Beyond so much growth it is not (2MiB)
    #[arg(long, value_name = "SIZE")]
    pub max: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// The gate's or the comparison's JSON: gives the stack of the site in place of its id
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub from: Option<String>,
    /// Write it at the end of the configuration file instead of printing it
    #[arg(long)]
    pub append: bool,
    #[command(flatten)]
    /// Where settings come from.
    pub settings: SettingArgs,
}

/// `heapdiff config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print alert rules for Prometheus with the same thresholds
    #[arg(long)]
    pub prometheus: bool,
    #[command(flatten)]
    /// Where settings come from.
    pub settings: SettingArgs,
}
