//! Behaviour at the surface: the library's and the program's.

mod captures;
mod formats_managed;
mod formats_native;
mod golden;
mod graphs;
mod growth;
mod graphs_readers;
mod layers;
mod matching;
mod patterns;
mod planted;
mod program;
mod render;
mod symbols;
mod rules_engine;
mod telemetry;
mod trend;
mod writers;
