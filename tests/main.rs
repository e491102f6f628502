//! Behaviour at the surface: the library's and the program's.

mod formats_managed;
mod formats_native;
mod golden;
mod layers;
mod matching;
mod planted;
mod program;
mod render;
mod rules_engine;
mod telemetry;
mod trend;
mod writers;
