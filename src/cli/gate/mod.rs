//! `heapdiff gate`: what was measured, budgets and suppressions together, and the verdict as exit
//! status.

mod places;
mod settle;
mod sites;

use super::analysis;
use super::args::GateArgs;
use super::config::{self, Inconclusive, Placed};
use super::load::{self, Item, Reading};
use super::output::{Rendering, Target};
use super::run::{Terminal, facts, known_driver, style, targets};
use super::{cycles, timeline};
use crate::diff::GroupBy;
use crate::error::{Error, Result};
use crate::format::baseline::FORMAT as BASELINE;
use crate::normalize::Naming;
use crate::render;
use crate::render::gate::Judged;
use crate::render::gate::View;
use crate::report::{CaptureInfo, Report, TimelineReport};
use crate::verdict::graph::Load;
use crate::verdict::{
    Budget, FAMILY, Gate, GateVerdict, GraphFacts, Limits, Measured, Monitored, Question,
    default_of_monitoring, defaults_of_graphs, evaluate,
};
use config::Config;
use jiff::civil::Date;
use sites::Base;
use std::collections::BTreeMap;

/// The gate found a regression.
const REGRESSION: u8 = 1;
/// The gate cannot tell.
const CANNOT_TELL: u8 = 3;

/// Runs the gate.
///
/// Errors: as `compare`, `cycles` and `timeline`; a baseline that is missing; a configuration that
/// is none.
pub(super) fn gate(args: &GateArgs, terminal: &Terminal) -> Result<u8> {
    let mut config = settle::settle(args, config::of(&args.settings)?)?;
    let today = settle::today(args.as_of.as_deref())?;
    settle::suppressions(args, &mut config)?;
    if GroupBy::parse(&args.rows.group_by)? != GroupBy::Stack {
        return Err(Error::usage("the gate judges sites, not groups of them")
            .help("write a budget with function, file or label, or each = \"function\""));
    }
    if args.captures.is_empty() && args.timeline.is_empty() {
        return Err(Error::usage("no captures are named")
            .help("name captures: heapdiff gate A.json@50 B.json@200, or --timeline PATH"));
    }
    let job = Job {
        args,
        terminal,
        config,
        today,
    };
    if args.captures.is_empty() {
        return job.monitoring();
    }
    let items = load::items(&args.captures, &args.base, args.input.merge_by)?;
    match cycles::is_graph(&items, &args.input) {
        true => job.graphs(&items),
        false => job.sites(),
    }
}

struct Job<'a> {
    args: &'a GateArgs,
    terminal: &'a Terminal,
    config: Config,
    today: Date,
}

/// The outputs of a gate, opened before the work.
struct Outputs {
    targets: Vec<(Rendering, Target)>,
    /// With `--format github` the job's summary, where the host names its file.
    summary: Option<Target>,
}

impl Outputs {
    fn open(args: &GateArgs, offered: &[Rendering]) -> Result<Outputs> {
        let targets = targets(&args.out.output, args.out.format.as_deref(), offered)?;
        let github = targets.iter().any(|(r, _)| *r == Rendering::Github);
        let summary = match std::env::var("GITHUB_STEP_SUMMARY") {
            Ok(path) if github && !path.is_empty() => Some(Target::append(&path)?),
            _ => None,
        };
        Ok(Outputs { targets, summary })
    }

    fn keep_off(&self, inputs: &[String]) -> Result<()> {
        self.targets
            .iter()
            .try_for_each(|(_, t)| t.keep_off(inputs))
    }
}

impl Job<'_> {
    /// Captures of allocation sites.
    fn sites(self) -> Result<u8> {
        let (args, today) = (self.args, self.today);
        let shape = sites::shape(args, &self.config)?;
        let reading = Reading::new(&args.input)?;
        let outputs = Outputs::open(args, Rendering::OF_GATE)?;
        let base = Base::of(args, &self.config)?;
        let items = load::items(&args.captures, &base.paths, args.input.merge_by)?;
        outputs.keep_off(&load::files(&items))?;
        let timeline = self.timeline()?;
        let monitored = facts_of(timeline.as_ref());
        let paths = sites::paths(args, &self.config)?;
        let comparisons = sites::comparisons(args, &self.config, &items, &reading, &paths, &base)?;
        known_driver(&shape.driver, &comparisons[0].prepared.captures)?;
        let namings: Vec<Naming<'_>> = comparisons
            .iter()
            .map(|c| Naming::new(&c.prepared.symbols, c.prepared.language, paths.clone()))
            .collect();
        let mut reports: Vec<Report<'_>> = comparisons
            .iter()
            .zip(&namings)
            .map(|(c, naming)| analysis::report(&c.prepared, naming, &shape))
            .collect();
        let command = self.command(&base.paths);
        let inconclusive = self.inconclusive();
        let mut gate = sites::judge(
            &comparisons,
            &reports,
            self.config,
            &shape,
            today,
            monitored,
        );
        gate.base = base.name(&comparisons[0].prepared.captures);
        mixed(&comparisons[0].prepared.captures)
            .into_iter()
            .for_each(|text| gate.warn(text));
        let status = status(&gate, inconclusive);
        let mut report = reports.swap_remove(0);
        report.monitored = timeline;
        let files = places::files(&report, &gate);
        report.gate = Some(gate.clone());
        let limit = args.rows.limit;
        let is_page = outputs.targets.iter().any(|(r, _)| *r == Rendering::Html);
        let origin = render::html::Origin {
            command: self.terminal.command.clone(),
            files: if is_page { facts(&items)? } else { Vec::new() },
        };
        let view = View::new(Judged::Sites(&report), &gate, &files, &command, status);
        write(
            args,
            self.terminal,
            &view,
            outputs,
            |rendering, out| match rendering {
                Rendering::Json => render::json::write(&report, limit, out),
                Rendering::Jsonl => render::json::write_lines(&report, limit, out),
                Rendering::Csv => render::csv::write(&report, limit, out),
                Rendering::Folded => render::difference::folded(&report, out),
                Rendering::Pprof => render::difference::pprof(&report, out),
                Rendering::Svg => render::svg::growth(&report, out),
                _ => render::html::write(&report, limit, &origin, out),
            },
        )?;
        Ok(status)
    }

    /// Object graphs.
    fn graphs(self, items: &[Item]) -> Result<u8> {
        let (args, terminal) = (self.args, self.terminal);
        if let (Some(name), true) = (&args.baseline, args.base.is_empty()) {
            return Err(Error::usage(format!(
                "baseline {name:?} holds allocation sites, and the captures are object graphs"
            ))
            .help("name dumps from before the change with --base PATH"));
        }
        let load = Load {
            runs_per_hour: self.config.runs_per_hour.as_ref().map(|s| s.value),
            memory_limit: self.config.memory_limit.as_ref().map(|s| s.value),
            thresholds: self.config.thresholds,
        };
        let reading = Reading::new(&args.input)?;
        let outputs = Outputs::open(args, Rendering::OF_GATE_OF_GRAPHS)?;
        outputs.keep_off(&load::files(items))?;
        let mut report = cycles::of_gate(args, load, &reading, items)?;
        report.monitored = self.timeline()?;
        let of_graphs = GraphFacts::of(&report.outcome, &report.verdict);
        let monitored = facts_of(report.monitored.as_ref());
        let command = self.command(&args.base);
        let inconclusive = self.inconclusive();
        let ignored = self.config.baseline.clone();
        let mut gate = self.judge(Some(of_graphs), monitored, load.runs_per_hour);
        gate.base = (!args.base.is_empty()).then(|| args.base.join(" "));
        if let Some(baseline) = ignored {
            gate.warn(format!(
                "baseline {:?} ({}) holds allocation sites: object graphs are not held against it",
                baseline.value, baseline.place
            ));
        }
        report.gate = Some(gate.clone());
        let status = status(&gate, inconclusive);
        let is_page = outputs.targets.iter().any(|(r, _)| *r == Rendering::Html);
        let origin = render::html::Origin {
            command: terminal.command.clone(),
            files: if is_page { facts(items)? } else { Vec::new() },
        };
        let files = BTreeMap::new();
        let view = View::new(Judged::Graphs(&report), &gate, &files, &command, status);
        write(
            args,
            terminal,
            &view,
            outputs,
            |rendering, out| match rendering {
                Rendering::Jsonl => render::graph::json::write_lines(&report, out),
                other => document(&view, &origin, other, out, |out| {
                    render::graph::json::write(&report, out)
                }),
            },
        )?;
        Ok(status)
    }

    /// Monitoring alone.
    fn monitoring(self) -> Result<u8> {
        let (args, terminal) = (self.args, self.terminal);
        let named = args.baseline.as_deref().map(|_| "--baseline");
        let named = named.or(args.base.first().map(|_| "--base"));
        if let Some(flag) = named {
            return Err(Error::usage(format!(
                "{flag} is for captures, and none are named beside --timeline"
            ))
            .help("name captures before --timeline, or leave it out"));
        }
        let outputs = Outputs::open(args, Rendering::OF_GATE_OF_MONITORING)?;
        let Some(mut report) = self.timeline()? else {
            return Err(Error::usage("no monitoring is named").help("name it: --timeline PATH"));
        };
        let files: Vec<String> = report.inputs.iter().map(|i| i.path.clone()).collect();
        outputs.keep_off(&files)?;
        let monitored = facts_of(Some(&report));
        let command = shell(&args.timeline);
        let inconclusive = self.inconclusive();
        let gate = self.judge(None, monitored, None);
        report.gate = Some(gate.clone());
        let status = status(&gate, inconclusive);
        let is_page = outputs.targets.iter().any(|(r, _)| *r == Rendering::Html);
        let origin = timeline::origin(&report, terminal, is_page)?;
        let files = BTreeMap::new();
        let view = View::new(Judged::Monitoring(&report), &gate, &files, &command, status);
        write(args, terminal, &view, outputs, |rendering, out| {
            document(&view, &origin, rendering, out, |out| {
                render::timeline::json::write(&report, out)
            })
        })?;
        Ok(status)
    }

    /// Judges what has no sites.
    fn judge(
        self,
        graph: Option<GraphFacts>,
        monitored: Option<Monitored>,
        runs_per_hour: Option<f64>,
    ) -> Gate {
        let budgets = budgets(
            self.config.budgets,
            monitored.is_some(),
            |budgets| match &graph {
                Some(facts) if !budgets.iter().any(Budget::fits_graphs) => {
                    defaults_of_graphs(facts.runs, facts.dumps.0 == 0)
                }
                _ => Vec::new(),
            },
        );
        let question = |budget| Question {
            budget,
            of: None,
            lacking: None,
        };
        let questions = budgets.into_iter().map(question).collect();
        let mut measured = Measured {
            graph,
            monitored,
            runs_per_hour,
            ..Measured::default()
        };
        evaluate(questions, &mut measured, self.config.suppress, self.today)
    }

    /// The analysis of monitoring, if any is named.
    fn timeline(&self) -> Result<Option<TimelineReport>> {
        let args = self.args;
        if args.timeline.is_empty() {
            return Ok(None);
        }
        let limits = Limits {
            memory: self.config.memory_limit.as_ref().map(|s| s.value as f64),
            thresholds: self.config.thresholds,
        };
        // Half of the error is the analysis' own, half that of the budgets.
        let alpha = Some(FAMILY / 2.0);
        let report = timeline::report(&args.timeline, &args.monitor, &[], limits, alpha);
        // `--timeline` takes every path behind it.
        let swallowed = args.captures.is_empty() && args.timeline.len() > 1;
        report.map(Some).map_err(|e| match swallowed {
            true => e.help("captures stand before --timeline: heapdiff gate A B --timeline PATH"),
            false => e,
        })
    }

    fn inconclusive(&self) -> Inconclusive {
        let set = self.config.inconclusive.as_ref().map(|s| s.value);
        set.unwrap_or(Inconclusive::Report)
    }

    /// What was named, for commands to type.
    fn command(&self, base: &[String]) -> String {
        let base = base.iter().flat_map(|b| ["--base".to_owned(), b.clone()]);
        shell(
            &base
                .chain(self.args.captures.iter().cloned())
                .collect::<Vec<_>>(),
        )
    }
}

/// Says that captures of several formats were compared: each tool leaves other frames out.
fn mixed(captures: &[CaptureInfo]) -> Option<String> {
    let mut own = captures.iter().filter(|c| c.format != BASELINE.name);
    let first = own.next()?;
    let other = own.find(|c| c.format != first.format)?;
    Some(format!(
        "{} is {} and {} is {}: sites of different tools are seldom the same",
        first.path, first.format, other.path, other.format
    ))
}

/// Words as a shell reads them.
fn shell(words: &[String]) -> String {
    let quoted = |word: &String| match word.contains([' ', '\'', '"', '*', '?', '$', '#', ';', '&'])
    {
        true => format!("'{}'", word.replace('\'', "'\\''")),
        false => word.clone(),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn facts_of(timeline: Option<&TimelineReport>) -> Option<Monitored> {
    timeline.map(|t| Monitored::of(&t.timeline, &t.rated, &t.limits))
}

/// The budgets in force: those that are written, and defaults for what none of them is about.
fn budgets(
    placed: Vec<Placed>,
    monitored: bool,
    defaults: impl FnOnce(&[Budget]) -> Vec<Budget>,
) -> Vec<Budget> {
    let mut budgets: Vec<Budget> = placed.into_iter().map(|p| p.budget).collect();
    let own = defaults(&budgets);
    let watched = budgets.iter().any(|b| b.limit.of_monitoring());
    budgets.extend(own);
    if monitored && !watched {
        budgets.push(default_of_monitoring());
    }
    budgets
}

/// Writes every output: what all gates have in common here, the rest by `own`.
fn write(
    args: &GateArgs,
    terminal: &Terminal,
    view: &View<'_>,
    outputs: Outputs,
    own: impl Fn(Rendering, &mut dyn std::io::Write) -> Result<()>,
) -> Result<()> {
    for (rendering, target) in outputs.targets {
        let style = style(&args.rows, &args.out, terminal, target.is_stdout());
        target.write_with(|out| match rendering {
            Rendering::Text => render::plain(&render::gate::text(view, &style), out),
            Rendering::Markdown => render::gate::markdown::write(view, out),
            Rendering::Sarif => render::gate::sarif::write(view, out),
            Rendering::Junit => render::gate::junit::write(view, out),
            Rendering::CodeQuality => render::gate::codequality::write(view, out),
            Rendering::Github => render::gate::github::write(view, out),
            other => own(other, out),
        })?;
    }
    if let Some(summary) = outputs.summary {
        summary.write_with(|out| render::gate::markdown::write_summary(view, out))?;
    }
    Ok(())
}

/// The document of what has no sites, or its page: the document, and the gate's text.
fn document(
    view: &View<'_>,
    origin: &render::html::Origin,
    rendering: Rendering,
    out: &mut dyn std::io::Write,
    write: impl FnOnce(&mut dyn std::io::Write) -> Result<()>,
) -> Result<()> {
    if rendering != Rendering::Html {
        return write(out);
    }
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    let said = render::gate::text(view, &render::html::STYLE);
    render::html::write_document(&bytes, &said, origin, out)
}

fn status(gate: &Gate, inconclusive: Inconclusive) -> u8 {
    match (gate.verdict, inconclusive) {
        (GateVerdict::Pass, _) | (GateVerdict::Inconclusive, Inconclusive::Pass) => 0,
        (GateVerdict::Fail, _) | (GateVerdict::Inconclusive, Inconclusive::Fail) => REGRESSION,
        (GateVerdict::Inconclusive, Inconclusive::Report) => CANNOT_TELL,
    }
}
