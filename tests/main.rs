//! Behaviour at the surface: the library's and the program's.

mod formats_managed;
mod formats_native;
mod gate;
mod golden;
mod layers;
mod matching;
mod planted;
mod program;
mod render;
mod telemetry;
mod trend;
mod writers;
