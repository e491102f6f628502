//! How rows are called: names of sites, shortened to fit, paths trimmed.

use crate::model::{Frame, FrameId};
use crate::normalize::FrameClass;
use crate::report::{Keys, Report};

/// A frame's function as people read it.
pub fn function(report: &Report<'_>, id: FrameId) -> String {
    let frame = report.symbols.frames.get(id);
    let name = report.names.frame(id).display.clone();
    if name.is_empty() {
        fallback(report, &frame)
    } else {
        name
    }
}

/// What a frame without a function is called.
fn fallback(report: &Report<'_>, frame: &Frame) -> String {
    let strings = &report.symbols.strings;
    match (strings.get(frame.file), strings.get(frame.module)) {
        ("", "") => "???".into(),
        ("", module) => base_name(module).to_owned(),
        (file, _) => base_name(file).to_owned(),
    }
}

/// The last component of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A path without the first of the prefixes that it begins with.
pub fn trim<'p>(path: &'p str, prefixes: &[String]) -> &'p str {
    for prefix in prefixes {
        if let Some(rest) = path.strip_prefix(prefix.as_str()) {
            let rest = rest.trim_start_matches('/');
            if !rest.is_empty() {
                return rest;
            }
        }
    }
    path
}

/// `file.rs:12` of a frame, the file by its base name; empty where the file is unknown.
pub fn place(report: &Report<'_>, frame: &Frame) -> String {
    let file = report.symbols.strings.get(frame.file);
    match (file, frame.line) {
        ("", _) => String::new(),
        (file, 0) => base_name(file).to_owned(),
        (file, line) => format!("{}:{line}", base_name(file)),
    }
}

/// What a row is called: callers of the owner, the owner, and what it called, then its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteName {
    /// The chain of functions, outermost first.
    pub chain: Vec<String>,
    /// Where in the source the owner is.
    pub place: String,
}

impl SiteName {
    /// The name in at most `width` characters: callers are dropped first, then names shortened in
    /// the middle, never the place.
    pub fn fit(&self, width: usize) -> String {
        let place = if self.place.is_empty() {
            String::new()
        } else {
            format!("  {}", self.place)
        };
        let room = width.saturating_sub(place.chars().count()).max(12);
        let mut chain: &[String] = &self.chain;
        let length = |c: &[String]| {
            c.iter()
                .map(|n| n.chars().count() + 3)
                .sum::<usize>()
                .saturating_sub(3)
        };
        while chain.len() > 2 && length(chain) > room {
            chain = &chain[1..];
        }
        let names = if length(chain) <= room || chain.is_empty() {
            chain.join(" > ")
        } else {
            let each = (room.saturating_sub(3 * (chain.len() - 1)) / chain.len()).max(8);
            let mut spare = room.saturating_sub(3 * (chain.len() - 1));
            let mut left = chain.len();
            let mut parts = Vec::new();
            for name in chain {
                let share = (spare / left.max(1)).max(each);
                let part = shorten(name, share);
                spare = spare.saturating_sub(part.chars().count());
                left -= 1;
                parts.push(part);
            }
            parts.join(" > ")
        };
        format!("{names}{place}")
    }
}

/// `name` in at most `width` characters, shortened in the middle: both the crate and the function
/// tell sites apart.
pub fn shorten(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width || width < 5 {
        return name.to_owned();
    }
    let keep = width - 3;
    let head = keep / 3;
    let tail = keep - head;
    let front: String = name.chars().take(head).collect();
    let back: String = name.chars().skip(length - tail).collect();
    format!("{front}...{back}")
}

/// Number of callers shown before the owner.
const CALLERS: usize = 1;

/// What `row` is called. Control characters become U+FFFD.
pub fn site(report: &Report<'_>, row: usize) -> SiteName {
    let clean = |text: String| -> String {
        text.chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect()
    };
    match &report.keys {
        Keys::Groups(groups) => {
            let frame = groups[row].frame;
            let strings = &report.symbols.strings;
            let (name, place) = match strings.get(frame.function) {
                "" if frame.file.is_empty() && frame.module.is_empty() => {
                    (unknown_group(report).to_owned(), String::new())
                }
                "" if !frame.file.is_empty() => (strings.get(frame.file).to_owned(), String::new()),
                "" => (strings.get(frame.module).to_owned(), String::new()),
                function => (function.to_owned(), place(report, &frame)),
            };
            SiteName {
                chain: vec![clean(name)],
                place: clean(place),
            }
        }
        Keys::Stacks(stacks) => {
            let ids: Vec<FrameId> = report.symbols.stacks.frames(stacks[row]).collect();
            if ids.is_empty() {
                return SiteName {
                    chain: vec!["[no stack]".into()],
                    place: String::new(),
                };
            }
            let class = |i: usize| report.names.frame(ids[i]).class;
            let owner = report.owner(row).unwrap_or(ids.len() - 1);
            let mut chain = Vec::new();
            let callers: Vec<usize> = (0..owner)
                .rev()
                .filter(|&i| class(i) == FrameClass::User)
                .take(CALLERS)
                .collect();
            for i in callers.into_iter().rev() {
                chain.push(clean(function(report, ids[i])));
            }
            chain.push(clean(function(report, ids[owner])));
            let api = (owner + 1..ids.len()).find(|&i| class(i) != FrameClass::Allocator);
            if let Some(i) = api {
                chain.push(clean(function(report, ids[i])));
            }
            chain.dedup();
            let frame = report.symbols.frames.get(ids[owner]);
            SiteName {
                chain,
                place: clean(place(report, &frame)),
            }
        }
    }
}

fn unknown_group(report: &Report<'_>) -> &'static str {
    match report.group_by {
        crate::diff::GroupBy::Label(_) => "[no label]",
        crate::diff::GroupBy::File => "[unknown file]",
        crate::diff::GroupBy::Module => "[unknown module]",
        _ => "[no stack]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_in_the_middle() {
        assert_eq!(shorten("abcdefghijklmnop", 10), "ab...lmnop");
        assert_eq!(shorten("short", 10), "short");
        let name = SiteName {
            chain: vec!["a".repeat(40), "owner".into(), "api".into()],
            place: "x.rs:1".into(),
        };
        assert_eq!(name.fit(40), "owner > api  x.rs:1");
        let long = SiteName {
            chain: vec!["o".repeat(60), "p".repeat(60)],
            place: "x.rs:1".into(),
        };
        assert!(long.fit(60).chars().count() <= 60, "{}", long.fit(60));
    }

    #[test]
    fn prefixes_are_cut_off_paths() {
        assert_eq!(trim("/home/me/src/a.rs", &["/home/me".into()]), "src/a.rs");
        assert_eq!(trim("/x/a.rs", &["/home/me".into()]), "/x/a.rs");
    }
}
