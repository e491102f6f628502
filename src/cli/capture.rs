//! `heapdiff capture`: the scripts that make captures where a runtime has no tool for it.

use super::args::{CaptureArgs, Language};
use super::output::Target;
use crate::error::Result;

/// The exporter of CPython's object graph, one file without dependencies.
const PYTHON: &str = include_str!("../../capture/heapdiff_capture.py");

/// A writer of V8's heap snapshots that know their runs.
const NODE: &str = include_str!("../../capture/heapdiff-capture.cjs");

/// A writer of Ruby's heap dumps that know their runs.
const RUBY: &str = include_str!("../../capture/heapdiff_capture.rb");

/// A sampler of containers and processes, for `heapdiff timeline`.
const MONITOR: &str = include_str!("../../capture/heapdiff_monitor.sh");

/// Writes the script of a language, to standard output unless a file is named.
///
/// # Errors
/// The output cannot be written.
pub(super) fn capture(args: &CaptureArgs) -> Result<u8> {
    let script = match args.language {
        Language::Python => PYTHON,
        Language::Node => NODE,
        Language::Ruby => RUBY,
        Language::Monitor => MONITOR,
    };
    Target::open(&args.output)?.write(script.as_bytes())?;
    Ok(super::run::DONE)
}
