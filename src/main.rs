//! Parse, run, turn the outcome into an exit status.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: heapdiff::input::Memory = heapdiff::input::Memory;

fn main() -> ExitCode {
    ExitCode::from(heapdiff::cli::run(std::env::args_os()))
}
