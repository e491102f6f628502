//! What growth is held against to say how bad it is: options over the configuration.

use super::args::LoadArgs;
use super::config;
use super::gate_args::SettingArgs;
use super::run::{counts, size};
use crate::error::Result;
use crate::verdict::graph::Load;

/// The load, the limit and the thresholds in force.
///
/// Errors: a configuration that is none, a number that is none.
pub(super) fn scale(settings: &SettingArgs, given: &LoadArgs) -> Result<Load> {
    let runs = counts("runs-per-hour", given.runs_per_hour.as_slice())?;
    let limit = size("memory-limit", &given.memory_limit)?;
    let config = config::of(settings)?;
    Ok(Load {
        runs_per_hour: runs
            .first()
            .copied()
            .or(config.runs_per_hour.map(|s| s.value)),
        memory_limit: limit.or(config.memory_limit.map(|s| s.value)),
        thresholds: config.thresholds,
    })
}
