//! Behaviour at the surface: the library's and the program's.

mod formats_managed;
mod formats_native;
mod golden;
mod layers;
mod matching;
mod planted;
mod program;
mod render;
mod telemetry;
mod timeline;
mod trend;
mod writers;
