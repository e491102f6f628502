//! Report to bytes. Nothing here reads or writes files, or knows how a capture is stored.
//!
//! Profiles are written for other tools by [`pprof`], [`folded`], [`dhat`] and [`speedscope`].

pub mod csv;
pub mod dhat;
pub mod difference;
mod figures;
mod finding;
pub mod flame;
mod fold;
pub mod folded;
pub mod gate;
pub mod graph;
mod homes;
pub mod html;
pub mod inspect;
pub mod json;
mod locations;
pub mod markdown;
pub mod matching;
mod merged;
mod patterns;
pub mod pprof;
mod proto;
pub mod speedscope;
pub mod svg;
mod text;
pub mod timeline;
pub mod tree;
pub mod words;

pub use finding::title;
pub use text::{MOST_ROWS, Style, head, remarks, text};

use crate::error::{Code, Error, Result};
use crate::report::Report;

/// An output that cannot be written to; the caller adds its name.
fn unwritable(error: std::io::Error) -> Error {
    Error::new(Code::Unwritable, error.to_string())
}

/// Writes text as it is. Errors: `out` cannot be written to.
pub fn plain(text: &str, out: &mut dyn std::io::Write) -> Result<()> {
    out.write_all(text.as_bytes()).map_err(unwritable)
}

/// Number of rows that a machine's rendering lists: all, unless `limit` says fewer.
fn shown(report: &Report<'_>, limit: Option<usize>) -> usize {
    let all = report.order.len();
    limit.filter(|&n| n > 0).map_or(all, |n| n.min(all))
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

/// Whether a character turns the direction of writing: a name that holds one can make the text
/// around it read otherwise than it is.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
