//! HD080 to HD099: quality of the captures.

use super::Rule;

/// Stacks that end before the user's code.
pub static CUT_STACKS: Rule = Rule {
    id: "HD081",
    name: "cut-stacks",
    text: "Part of the bytes belongs to stacks that end before any frame of the program's own \
code, so the sites behind them cannot be told apart. Capture with deeper stacks: \
dhat::Profiler::builder().trim_backtraces(None) for dhat-rs, --num-callers=40 for Valgrind.",
};
