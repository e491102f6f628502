//! Behaviour at the surface: the library's and the program's.

mod formats_managed;
mod formats_native;
mod layers;
mod matching;
mod program;
mod telemetry;
mod trend;
mod writers;
