//! Arguments: what the user typed, without effects.

use super::examples;
pub use super::gate_args::{
    BaselineAction, BaselineArgs, ConfigArgs, GateArgs, NoiseArg, SettingArgs, SuppressArgs,
};
use crate::diff::MatchedBy;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "heapdiff",
    version,
    about = "Which allocation sites grow, by how much per run, and what keeps them",
    long_about = "heapdiff compares heap profiles taken before and after a number of runs of a program and \
tells which allocation sites grow, and by how much per run. It reads what the program's own tools \
write, works offline, and changes nothing.",
    after_help = examples::EXIT_STATUS,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// When to colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Say only what was found: no hints, no notes
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more: what readers noted, how sites were matched
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Threads to work with [default: one for each processor]; results are the same for any number
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare captures: two are a difference, more are growth along the runs
    #[command(after_help = examples::COMPARE, arg_required_else_help = true)]
    Compare(Box<CompareArgs>),
    /// Object graphs: retention cycles and holders that grow, and the reference to cut
    #[command(after_help = examples::CYCLES, arg_required_else_help = true)]
    Cycles(Box<CyclesArgs>),
    /// Growth rates from monitoring series, and the requests that coincide with them
    #[command(after_help = examples::TIMELINE, arg_required_else_help = true)]
    Timeline(Box<TimelineArgs>),
    /// Say what a file is, what it holds, its totals and its top sites
    #[command(after_help = examples::INSPECT, arg_required_else_help = true)]
    Inspect(Box<InspectArgs>),
    /// Write a capture in another format: pprof, folded, dhat, speedscope
    #[command(after_help = examples::CONVERT, arg_required_else_help = true)]
    Convert(Box<ConvertArgs>),
    /// Print the script that captures the object graph of a program: python
    #[command(after_help = examples::CAPTURE, arg_required_else_help = true)]
    Capture(CaptureArgs),
    /// Hold captures against budgets; the exit status is the verdict
    #[command(after_help = examples::GATE, arg_required_else_help = true)]
    Gate(Box<GateArgs>),
    /// Save, show, update or merge what later captures are held against
    #[command(after_help = examples::BASELINE, arg_required_else_help = true)]
    Baseline {
        /// What to do
        #[command(subcommand)]
        action: BaselineAction,
    },
    /// Write the block that accepts a finding, for heapdiff.toml
    #[command(after_help = examples::SUPPRESS, arg_required_else_help = true)]
    Suppress(Box<SuppressArgs>),
    /// Print the settings in force and where each comes from
    #[command(after_help = examples::CONFIG)]
    Config(Box<ConfigArgs>),
    /// Explain a rule, by its id or name
    #[command(after_help = examples::EXPLAIN, arg_required_else_help = true)]
    Explain {
        /// The rule: HD001 or steady-growth
        rule: String,
    },
    /// List the formats that are read, each with a command that makes such a file
    #[command(after_help = examples::FORMATS)]
    Formats,
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS, arg_required_else_help = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man,
}

/// How captures are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Force a format instead of recognising it (see `heapdiff formats`)
    #[arg(long, value_name = "NAME")]
    pub input_format: Option<String>,
    /// What folded stacks count
    #[arg(long, value_enum, value_name = "UNIT")]
    pub unit: Option<Unit>,
    /// Refuse captures that are cut short instead of reading them as far as they go
    #[arg(long)]
    pub strict: bool,
    /// Runs of the captures, in order, instead of @N behind each; with two sides for each side
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    pub runs: Vec<f64>,
    /// Look up names of native code in program files of this machine, or below DIR alone
    ///
    /// Captures that know code by module and offset get functions, inlined ones included, files
    /// and lines. DIR is like the root of the machine that was profiled, holds the programs side
    /// by side, or is a program itself. A file of another build is refused. Nothing is fetched.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "/", action = clap::ArgAction::Append)]
    pub symbolize: Vec<std::path::PathBuf>,
    /// Add up the files of a directory that differ only in a process id
    #[arg(long, value_enum, value_name = "WHAT")]
    pub merge_by: Option<MergeBy>,
}

/// What folded stacks count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Bytes of memory
    Bytes,
    /// Blocks, objects or calls
    Blocks,
}

/// What makes files one capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MergeBy {
    /// The process id in the file's name
    Pid,
}

/// Which rows are shown, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rows")]
pub struct RowArgs {
    /// What to look at: live_bytes, peak_bytes, total_bytes, live_blocks, ... or a format's own name
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// What a row is: stack, function, file, module, leaf, line, label:KEY
    #[arg(long, value_name = "WHAT", default_value = "stack")]
    pub group_by: String,
    /// Order of the rows
    #[arg(long, value_enum, value_name = "BY", default_value_t = Sort::Growth)]
    pub sort: Sort,
    /// Number of rows; 0 is all [default: 20 in text and Markdown, else all]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Leave out rows whose difference is smaller (64KiB); they are summed up
    #[arg(long, value_name = "SIZE")]
    pub min_delta: Option<String>,
    /// Keep only stacks with a frame that matches
    #[arg(long, value_name = "REGEX")]
    pub focus: Option<String>,
    /// Leave out stacks with a frame that matches
    #[arg(long, value_name = "REGEX")]
    pub ignore: Option<String>,
    /// Remove frames that match
    #[arg(long, value_name = "REGEX")]
    pub hide: Option<String>,
    /// Keep only frames that match
    #[arg(long, value_name = "REGEX")]
    pub show: Option<String>,
    /// Remove the frames above the first that matches
    #[arg(long, value_name = "REGEX")]
    pub show_from: Option<String>,
    /// Keep only samples with a label that matches: REGEX, KEY=REGEX, KEY=MIN:MAX
    #[arg(long, value_name = "TAG")]
    pub tagfocus: Option<String>,
    /// Leave out samples with a label that matches
    #[arg(long, value_name = "TAG")]
    pub tagignore: Option<String>,
    /// Cut this prefix off file names (repeatable)
    #[arg(long, value_name = "PREFIX")]
    pub trim_path: Vec<String>,
    /// Read paths that begin with A as if they began with B (repeatable)
    #[arg(long, value_name = "A=B")]
    pub path_map: Vec<String>,
}

/// Orders of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Leaks first, then by the size of the difference
    Growth,
    /// By the difference, largest growth first
    Delta,
    /// By the value after
    After,
    /// By the value before
    Before,
    /// By the size of the cumulative difference, for groups
    Cumulative,
    /// By name
    Name,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write to FILE as its ending says (repeatable); `-` is standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Vec<String>,
    /// Format of standard output: text, json, jsonl, md, csv, folded, pprof, svg
    #[arg(long, value_name = "NAME")]
    pub format: Option<String>,
    /// Width of text [default: the terminal's, 100 in a pipe]
    #[arg(long, value_name = "N")]
    pub width: Option<usize>,
    /// Print exact numbers instead of units
    #[arg(long)]
    pub exact: bool,
}

/// What a program does in an hour, and what it may use.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Runs in an hour: gives rates and severities
    #[arg(long, value_name = "N")]
    pub runs_per_hour: Option<f64>,
    /// Memory that the program may use (750MB): gives the time until then
    #[arg(long, value_name = "SIZE")]
    pub memory_limit: Option<String>,
}

/// `heapdiff compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Captures in order of runs: PATH[#SELECT][@N], directories, quoted globs, A+B; `-` is standard input
    #[arg(value_name = "CAPTURE", value_hint = ValueHint::AnyPath)]
    pub captures: Vec<String>,
    /// Captures from before the change (repeatable)
    #[arg(long, value_name = "CAPTURE", value_hint = ValueHint::AnyPath)]
    pub base: Vec<String>,
    /// Show callers and callees of the functions that match
    #[arg(long, value_name = "REGEX", conflicts_with = "tree")]
    pub peek: Option<String>,
    /// Show the call tree, root first
    #[arg(long)]
    pub tree: bool,
    /// Recognise sites up to this tier: exact, line, symbol, path, inline, source, moved
    #[arg(long = "match", value_enum, value_name = "TIER", default_value_t = MatchTier::Moved)]
    pub match_tier: MatchTier,
    /// The driver that growth is counted by
    #[arg(long, value_name = "NAME", default_value = "runs")]
    pub driver: String,
    /// Count runs: requests of this log until each capture was taken, by the time in its file's name
    #[arg(long, value_name = "LOG", value_hint = ValueHint::FilePath, conflicts_with = "runs")]
    pub runs_from: Option<String>,
    #[command(flatten)]
    /// What severities are drawn from.
    pub load: LoadArgs,
    /// What makes a frame of the flamegraph wide; growth is drawn as a plain flamegraph
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Flame::Churn)]
    pub flame: Flame,
    #[command(flatten)]
    /// How captures are read.
    pub input: InputArgs,
    #[command(flatten)]
    /// Which rows are shown.
    pub rows: RowArgs,
    #[command(flatten)]
    /// Where settings come from.
    pub settings: SettingArgs,
    #[command(flatten)]
    /// Where results go.
    pub out: OutputArgs,
}

/// `heapdiff cycles`.
#[derive(Debug, Args)]
pub struct CyclesArgs {
    /// Object graphs in order of runs: PATH[@N], directories, quoted globs; `-` is standard input
    #[arg(value_name = "DUMP", value_hint = ValueHint::AnyPath)]
    pub captures: Vec<String>,
    /// Object graphs from before the change (repeatable)
    #[arg(long, value_name = "DUMP", value_hint = ValueHint::AnyPath)]
    pub base: Vec<String>,
    /// List types with their numbers and bytes
    #[arg(long)]
    pub histogram: bool,
    /// What --histogram counts objects by
    #[arg(long, value_enum, value_name = "WHAT", requires = "histogram", default_value_t = By::Type)]
    pub by: By,
    /// Compare types alone, by number and own bytes: references are not followed, which takes
    /// little time and memory
    #[arg(long, conflicts_with = "path_to")]
    pub types_only: bool,
    /// Show the ways from roots to objects of a type, or to the object with an id
    #[arg(long, value_name = "TYPE|ID")]
    pub path_to: Option<String>,
    /// Print short values of objects, where the capture holds some: they may be secrets
    #[arg(long)]
    pub values: bool,
    /// Number of rows; 0 is all
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    #[command(flatten)]
    /// What severities are drawn from.
    pub load: LoadArgs,
    #[command(flatten)]
    /// How captures are read.
    pub input: InputArgs,
    #[command(flatten)]
    /// Where settings come from.
    pub settings: SettingArgs,
    #[command(flatten)]
    /// Where results go.
    pub out: OutputArgs,
}

/// How sites are recognised in another build, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MatchTier {
    /// Equal frames
    Exact,
    /// Equal frames but for lines
    Line,
    /// Names without a build's noise
    Symbol,
    /// Files of another place or version
    Path,
    /// The program's own frames
    Inline,
    /// The place in the source
    Source,
    /// Code that moved
    Moved,
}

impl From<MatchTier> for MatchedBy {
    fn from(tier: MatchTier) -> MatchedBy {
        match tier {
            MatchTier::Exact => MatchedBy::Exact,
            MatchTier::Line => MatchedBy::Line,
            MatchTier::Symbol => MatchedBy::Symbol,
            MatchTier::Path => MatchedBy::Path,
            MatchTier::Inline => MatchedBy::Inline,
            MatchTier::Source => MatchedBy::Source,
            MatchTier::Moved => MatchedBy::Moved,
        }
    }
}

/// How monitoring is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Monitoring")]
pub struct MonitorArgs {
    /// The zone of time stamps that name none: Europe/Berlin, +02:00 [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// The layout of request lines, as a pattern with groups time, method, path, status, duration
    #[arg(long, value_name = "REGEX")]
    pub log_pattern: Option<String>,
    /// The service of files that name none [default: the file's name]
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}

/// `heapdiff timeline`.
#[derive(Debug, Args)]
pub struct TimelineArgs {
    /// Monitoring series, request logs, error logs: files, directories, quoted globs; `-` is standard input
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<String>,
    /// Compare the rates before and after a moment: 2026-03-02T09:15Z=deploy (repeatable)
    #[arg(long, value_name = "TIME=LABEL")]
    pub mark: Vec<String>,
    /// Memory that a service may use (1GB): gives the time until then
    #[arg(long, value_name = "SIZE")]
    pub memory_limit: Option<String>,
    /// Heap profiles of the service that grows: puts growth per hour beside growth per run of the sites
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub captures: Option<String>,
    /// Runs of these captures, in order
    #[arg(
        long,
        value_name = "N,N,...",
        value_delimiter = ',',
        requires = "captures"
    )]
    pub runs: Vec<f64>,
    /// Lines of the incident; 0 is all
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    #[command(flatten)]
    /// How monitoring is read.
    pub monitor: MonitorArgs,
    #[command(flatten)]
    /// Where settings come from.
    pub settings: SettingArgs,
    #[command(flatten)]
    /// Where results go.
    pub out: OutputArgs,
}

/// `heapdiff inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Files, directories or quoted globs
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<String>,
    #[command(flatten)]
    /// How captures are read.
    pub input: InputArgs,
    #[command(flatten)]
    /// Which rows are shown.
    pub rows: RowArgs,
    #[command(flatten)]
    /// Where results go.
    pub out: OutputArgs,
}

/// `heapdiff convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// One capture, or several joined with +
    #[arg(value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub capture: String,
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: ConvertTo,
    /// The file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: String,
    /// The metric, for formats that hold one
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    #[command(flatten)]
    /// How captures are read.
    pub input: InputArgs,
}

/// What objects are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Their type
    Type,
    /// The class loader of their class, in a Java heap dump
    Loader,
}

/// What makes a frame of the flamegraph wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Flame {
    /// Increases and decreases added up
    Churn,
    /// What is held after
    After,
    /// What was held before
    Before,
    /// Increases alone
    Growth,
}

/// What `convert` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConvertTo {
    /// pprof, gzip-compressed
    Pprof,
    /// Folded stacks of one metric
    Folded,
    /// DHAT JSON, version 2
    Dhat,
    /// speedscope JSON
    Speedscope,
}

/// `heapdiff capture`.
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// What the program runs on
    #[arg(value_enum, value_name = "LANGUAGE")]
    pub language: Language,
    /// The file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "-")]
    pub output: String,
}

/// What `capture` has a script for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// CPython 3.8 or later: `import heapdiff_capture; heapdiff_capture.dump("run-03.hdg.gz", run=3)`
    Python,
    /// Node 12 or later: `require('./heapdiff-capture.cjs').dump('run-03.heapsnapshot', { run: 3 })`
    Node,
    /// Ruby 2.7 or later: `require_relative 'heapdiff_capture'; HeapdiffCapture.dump('run-03.rbheap', run: 3)`
    Ruby,
    /// Any program, from outside: samples memory every 5 s for `heapdiff timeline`
    Monitor,
}
