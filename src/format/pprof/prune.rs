//! `drop_frames` and `keep_frames`: what a profile asks its readers to leave out.

use super::columns::text;
use super::tables::Tables;
use crate::error::Result;
use regex::Regex;
use rustc_hash::FxHashMap;

/// The two patterns of a profile, with the names already decided.
#[derive(Debug)]
pub(super) struct Prune {
    drop: Regex,
    keep: Option<Regex>,
    decided: FxHashMap<i64, bool>,
}

/// What to remove of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing.
    Nothing,
    /// The location and all that is nearer to the leaf.
    Whole,
    /// Its inner lines, already removed, and all locations nearer to the leaf.
    Beneath,
}

/// Memory that one pattern may compile to: patterns come from the file.
const PATTERN_SIZE: usize = 1 << 20;

impl Prune {
    /// The patterns of a profile; none without `drop_frames`. A pattern that cannot be used
    /// is told in `notes` and leaves all frames in.
    ///
    /// Errors: a string index outside of the table.
    pub fn new(tables: &Tables, notes: &mut Vec<String>) -> Result<Option<Prune>> {
        let drop = text(tables, tables.drop_frames, 0)?;
        let keep = text(tables, tables.keep_frames, 0)?;
        if drop.is_empty() {
            return Ok(None);
        }
        let mut compile = |name: &str, pattern: &str| {
            let whole = format!("^(?:{pattern})$");
            let regex = regex::RegexBuilder::new(&whole)
                .size_limit(PATTERN_SIZE)
                .build();
            if regex.is_err() {
                notes.push(format!(
                    "the profile's {name} pattern is not supported, so no frame was dropped"
                ));
            }
            regex.ok()
        };
        let Some(drop) = compile("drop_frames", &drop) else {
            return Ok(None);
        };
        let keep = match keep.as_str() {
            "" => None,
            pattern => match compile("keep_frames", pattern) {
                Some(keep) => Some(keep),
                None => return Ok(None),
            },
        };
        Ok(Some(Prune {
            drop,
            keep,
            decided: FxHashMap::default(),
        }))
    }

    /// Whether a function with this name is to be dropped. Cost: once per name, linear.
    pub fn drops(&mut self, name: i64, text: &[u8]) -> bool {
        let Prune {
            drop,
            keep,
            decided,
        } = self;
        *decided.entry(name).or_insert_with(|| {
            let text = String::from_utf8_lossy(text);
            let plain = without_arguments(&text);
            !plain.is_empty()
                && drop.is_match(plain)
                && !keep.as_ref().is_some_and(|keep| keep.is_match(plain))
        })
    }
}

/// A function's name as the patterns mean it: without a leading dot (PowerPC entry points) and
/// without its arguments. The parentheses of `operator()` and of an anonymous namespace belong
/// to the name.
fn without_arguments(name: &str) -> &str {
    const OF_THE_NAME: [&str; 2] = ["(anonymous namespace)", "()"];
    let name = name.strip_prefix('.').unwrap_or(name);
    let mut from = 0;
    while let Some(found) = name.get(from..).and_then(|rest| rest.find('(')) {
        let at = from + found;
        let rest = &name[at..];
        if rest.starts_with(OF_THE_NAME[0]) {
            from = at + OF_THE_NAME[0].len();
        } else if rest.starts_with(OF_THE_NAME[1]) && name[from..at].ends_with("operator") {
            from = at + OF_THE_NAME[1].len();
        } else {
            return &name[..at];
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_do_not_count() {
        for (name, plain) in [
            ("malloc", "malloc"),
            (".malloc", "malloc"),
            ("a::f(int, char)", "a::f"),
            ("a::operator()(int)", "a::operator()"),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("f()", "f"),
        ] {
            assert_eq!(without_arguments(name), plain);
        }
    }
}
