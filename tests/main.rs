//! Behaviour at the surface: the library's and the program's.

mod captures;
mod formats_managed;
mod formats_native;
mod golden;
mod growth;
mod layers;
mod matching;
mod patterns;
mod planted;
mod program;
mod render;
mod symbols;
mod telemetry;
mod timeline;
mod trend;
mod writers;
