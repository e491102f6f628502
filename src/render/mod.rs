//! Results to bytes. Knows the model, never a file: a writer gets something to write into.
//!
//! Profiles, for other tools: [`pprof`], [`folded`], [`dhat`], [`speedscope`].

pub mod dhat;
pub mod folded;
mod locations;
pub mod pprof;
mod proto;
pub mod speedscope;

use crate::error::{Code, Error};

/// An output that cannot be written to; the caller adds its name.
fn unwritable(error: std::io::Error) -> Error {
    Error::new(Code::Unwritable, error.to_string())
}
