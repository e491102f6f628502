//! The program as a user runs it.

mod bad_input;
mod examples;
mod exit;
mod inputs;
mod laws;
mod severity;

use assert_cmd::Command;

/// The program, in the repository's root, without colour.
pub fn heapdiff(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("heapdiff").unwrap();
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .args(args);
    // What a host of jobs sets, and what a user may have set.
    for name in [
        "CI",
        "GITHUB_STEP_SUMMARY",
        "HEAPDIFF_BASELINE",
        "HEAPDIFF_CONFIG",
        "HEAPDIFF_PROFILE",
    ] {
        command.env_remove(name);
    }
    command
}

/// What a run printed and how it ended.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program with `stdin`.
pub fn run_with(args: &[&str], stdin: &[u8]) -> Ran {
    let output = heapdiff(args).write_stdin(stdin.to_vec()).output().unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs the program without input.
pub fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}
