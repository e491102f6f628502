//! Tests of normalising: the table of rewrites, the classes, hostile names.

mod classes;
mod hostile;
mod paths;
mod rewrites;

use super::{Context, Language, NormalFrame, RawFrame, normalize_frame};

/// A frame with a function and a file.
fn frame<'a>(function: &'a str, file: &'a str) -> RawFrame<'a> {
    RawFrame {
        function,
        file,
        line: 0,
        module: "",
    }
}

/// Normalises a function whose capture is in `language`.
fn named(language: Language, function: &str) -> NormalFrame {
    normalize_frame(&frame(function, ""), &Context::new(language))
}
