//! Statistics of series, over generated series with known labels.

#[path = "trend/mod.rs"]
mod trend;
