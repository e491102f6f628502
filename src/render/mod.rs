//! Report to bytes. Nothing here reads or writes files, or knows how a capture is stored.
//!
//! Profiles are written for other tools by [`pprof`], [`folded`], [`dhat`] and [`speedscope`].

pub mod dhat;
pub mod folded;
pub mod inspect;
mod locations;
pub mod pprof;
mod proto;
pub mod speedscope;
pub mod svg;
mod text;
pub mod words;

pub use text::{Style, text};

use crate::error::{Code, Error};

/// An output that cannot be written to; the caller adds its name.
fn unwritable(error: std::io::Error) -> Error {
    Error::new(Code::Unwritable, error.to_string())
}

/// Paragraphs wrapped at `width` characters.
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (i, paragraph) in text.split("\n\n").enumerate() {
        if i > 0 {
            out.push_str("\n\n");
        }
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out
}
