//! Behaviour at the surface: the library's and the program's.

mod formats_managed;
mod layers;
mod program;
mod trend;
mod writers;
