//! Every rule: its id, its name, and what `heapdiff explain` says of it.

mod growth;
mod monitoring;
mod patterns;
mod quality;

pub use growth::*;
pub use monitoring::*;
pub use patterns::*;
pub use quality::*;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// `HD001` and up; never reused.
    pub id: &'static str,
    /// The rule in a word or three.
    pub name: &'static str,
    /// What it means, what it rests on and what to do; paragraphs.
    pub text: &'static str,
}

/// Every rule, by id.
pub static RULES: &[&Rule] = &[
    &STEADY_GROWTH,
    &ACCELERATING,
    &GREW,
    &GROWS_MORE,
    &HOT_PATH,
    &ERROR_PATH,
    &DOUBLE_BUFFER,
    &RISES_WITH_FAILURES,
    &LATE_RELEASE,
    &CHURN,
    &CAPPED,
    &MEMORY_GROWTH,
    &HIDDEN_GROWTH,
    &HIDDEN_BY_RESTARTS,
    &SEVERAL_SERVICES,
    &HANDLES_RISE,
    &REQUESTS_COINCIDE,
    &STUCK_WORK,
    &EVENT_BURST,
    &MARK,
    &CUT_STACKS,
];

/// The rule with this id or name, in any case.
pub fn by_name(name: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|r| r.id.eq_ignore_ascii_case(name) || r.name.eq_ignore_ascii_case(name))
        .copied()
}
