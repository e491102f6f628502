//! Object graphs to bytes: text, JSON, JSON lines, Markdown, CSV, DOT.

mod columns;
pub mod dot;
mod histogram;
pub mod json;
mod loaders;
pub mod table;
mod text;
mod ways;

pub use text::text;

/// A name without characters that would drive a terminal or turn its text.
fn clean(name: &str) -> String {
    let odd = |c: char| c.is_control() || super::turns_text(c);
    name.chars()
        .map(|c| if odd(c) { '\u{fffd}' } else { c })
        .collect()
}
