//! Behaviour at the surface: the library's and the program's.

mod layers;
mod program;
mod trend;
