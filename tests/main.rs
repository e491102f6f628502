//! Behaviour at the surface: the library's and the program's.

mod captures;
mod formats_managed;
mod formats_native;
mod gate;
mod golden;
mod graphs;
mod graphs_readers;
mod growth;
mod layers;
mod matching;
mod patterns;
mod planted;
mod program;
mod render;
mod reports;
mod rules_engine;
mod symbols;
mod telemetry;
mod timeline;
mod tools;
mod trend;
mod writers;
