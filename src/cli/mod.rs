//! Arguments to a plan, the plan to a run: the only layer that reads the command line, the
//! environment and the terminal.

mod analysis;
mod args;
mod convert;
mod examples;
mod inspect;
mod interrupt;
mod load;
mod output;
mod prepare;
mod run;
mod runs_from;
mod spelling;
mod timeline;

pub use run::run;
