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

/// A budget that is broken as a whole, or that could not be judged.
pub static BUDGET: Rule = Rule {
    id: "HD090",
    name: "budget",
    text: "A budget of heapdiff.toml or of the command line is broken by no single site, or these \
captures cannot tell whether it holds. What was not measured is never a pass: the message says \
what to capture, or how coarse a budget these captures can judge.

heapdiff config prints every budget in force and where it is written.",
};
