//! Arguments to a plan, the plan to a run: the only layer that reads the command line, the
//! environment and the terminal.

mod analysis;
mod args;
mod baselines;
mod capture;
mod config;
mod config_errors;
mod config_severity;
mod config_tables;
mod convert;
mod cycles;
mod examples;
mod gate;
mod gate_args;
mod inspect;
mod interrupt;
mod joined;
mod load;
mod output;
mod prepare;
mod run;
mod runs_from;
mod scale;
mod settings;
mod spelling;
mod suppress;
mod timeline;

pub use run::run;
