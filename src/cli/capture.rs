//! `heapdiff capture`: the scripts that make captures where a runtime has no tool for it.

use super::args::{CaptureArgs, Language};
use super::output::Target;
use crate::error::Result;

/// The exporter of CPython's object graph, one file without dependencies.
const PYTHON: &str = include_str!("../../capture/heapdiff_capture.py");

/// Writes the script of a language, to standard output unless a file is named.
///
/// # Errors
/// The output cannot be written.
pub(super) fn capture(args: &CaptureArgs) -> Result<u8> {
    let script = match args.language {
        Language::Python => PYTHON,
    };
    Target::open(&args.output)?.write(script.as_bytes())?;
    Ok(super::run::DONE)
}
