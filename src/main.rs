//! Parse, run, turn the outcome into an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(heapdiff::cli::run(std::env::args_os()))
}
