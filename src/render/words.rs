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

/// A frame's function in a chain of several: type and method, without the path to them.
pub fn short_function(report: &Report<'_>, id: FrameId) -> String {
    let normal = report.names.frame(id);
    if normal.hole || normal.sym.is_empty() {
        return function(report, id);
    }
    short_name(&normal.sym).into_owned()
}

/// The last two components of a path of `::`, of a Go name what follows the last `/`. Separators
/// inside brackets do not count; `<a::T as b::Tr>::m` is `T::m`.
fn short_name(name: &str) -> std::borrow::Cow<'_, str> {
    if let Some((inside, method)) = name.strip_prefix('<').and_then(|n| n.rsplit_once(">::"))
        && let Some((own, _)) = inside.split_once(" as ")
        && !own.contains(['<', '('])
    {
        let own = own.rsplit("::").next().unwrap_or(own);
        return format!("{own}::{method}").into();
    }
    let mut depth = 0i32;
    let mut found = 0;
    let bytes = name.as_bytes();
    for i in (1..bytes.len()).rev() {
        match bytes[i] {
            b'>' | b')' | b']' | b'}' if bytes[i - 1] != b'-' => depth += 1,
            b'<' | b'(' | b'[' | b'{' => depth -= 1,
            b':' if depth <= 0 && bytes[i - 1] == b':' => {
                found += 1;
                if found == 2 {
                    return name[i + 1..].into();
                }
            }
            b'/' if depth <= 0 => return name[i + 1..].into(),
            _ => {}
        }
    }
    name.into()
}

/// What a frame without a function is called: by its place.
fn fallback(report: &Report<'_>, frame: &Frame) -> String {
    let strings = &report.symbols.strings;
    match (strings.get(frame.file), strings.get(frame.module)) {
        ("", "") => "???".into(),
        ("", module) => base_name(module).to_owned(),
        _ => place(report, frame),
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
    /// The functions that call the owner, outermost first.
    pub callers: Vec<String>,
    /// The function that the row is named by.
    pub owner: String,
    /// The library function that the owner called to allocate; empty for none.
    pub api: String,
    /// Where in the source the owner is.
    pub place: String,
    /// A caller that tells the row from others of the same name; empty where none is needed.
    pub via: String,
}

impl SiteName {
    /// A name of one part.
    pub fn plain(name: String, place: String) -> SiteName {
        SiteName {
            callers: Vec::new(),
            owner: name,
            api: String::new(),
            place,
            via: String::new(),
        }
    }

    /// The name in at most `width` characters: callers are dropped first, then what the owner
    /// called, and only then is the owner shortened, in the middle; the place stays.
    pub fn fit(&self, width: usize) -> String {
        let mut place = if self.place.is_empty() {
            String::new()
        } else {
            format!("  {}", self.place)
        };
        let taken = self.owner.chars().count() + place.chars().count() + "  via ".len();
        if !self.via.is_empty() && taken + 8 <= width {
            place.push_str(&format!("  via {}", shorten(&self.via, width - taken)));
        }
        let room = width.saturating_sub(place.chars().count()).max(12);
        let mut chain: Vec<&str> = self.callers.iter().map(String::as_str).collect();
        chain.push(&self.owner);
        if !self.api.is_empty() {
            chain.push(&self.api);
        }
        let length = |c: &[&str]| c.iter().map(|n| n.chars().count() + 3).sum::<usize>() - 3;
        let mut callers = self.callers.len();
        while callers > 0 && length(&chain) > room {
            chain.remove(0);
            callers -= 1;
        }
        if length(&chain) > room {
            chain.truncate(1);
        }
        let names = if length(&chain) > room {
            shorten(chain[0], room)
        } else {
            chain.join(" > ")
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
const CALLERS: usize = 2;

/// Text in which control characters are U+FFFD.
pub fn clean(text: String) -> String {
    let seen = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(seen).collect()
}

/// What `row` is called. Control characters become U+FFFD.
pub fn site(report: &Report<'_>, row: usize) -> SiteName {
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
            SiteName::plain(clean(name), clean(place))
        }
        Keys::Stacks(stacks) => {
            let ids: Vec<FrameId> = report.symbols.stacks.frames(stacks[row]).collect();
            if ids.is_empty() {
                return SiteName::plain("[no stack]".into(), String::new());
            }
            let class = |i: usize| report.names.frame(ids[i]).class;
            let name = |i: usize| clean(short_function(report, ids[i]));
            let owner = report.owner(row).unwrap_or(ids.len() - 1);
            let mut callers: Vec<String> = (0..owner)
                .rev()
                .filter(|&i| class(i) == FrameClass::User)
                .take(CALLERS)
                .map(name)
                .collect();
            callers.reverse();
            let api = (owner + 1..ids.len()).find(|&i| class(i) != FrameClass::Allocator);
            let frame = report.symbols.frames.get(ids[owner]);
            let (owner, place) = (name(owner), clean(place(report, &frame)));
            SiteName {
                callers,
                // A frame without a function is called by its place already.
                place: if owner == place { String::new() } else { place },
                owner,
                api: api.map(name).unwrap_or_default(),
                via: String::new(),
            }
        }
    }
}

/// What `rows` are called; rows that would have the same name are told apart by the nearest
/// caller in which they differ.
pub fn sites(report: &Report<'_>, rows: &[u32]) -> Vec<SiteName> {
    let mut names: Vec<SiteName> = rows.iter().map(|&r| site(report, r as usize)).collect();
    let Keys::Stacks(stacks) = &report.keys else {
        return names;
    };
    let mut of_name: indexmap::IndexMap<(String, String), Vec<usize>> = indexmap::IndexMap::new();
    for (i, name) in names.iter().enumerate() {
        of_name
            .entry((name.owner.clone(), name.place.clone()))
            .or_default()
            .push(i);
    }
    for (_, same) in of_name.into_iter().filter(|(_, same)| same.len() > 1) {
        let frames: Vec<Vec<FrameId>> = same
            .iter()
            .map(|&i| {
                report
                    .symbols
                    .stacks
                    .frames(stacks[rows[i] as usize])
                    .rev()
                    .collect()
            })
            .collect();
        let shortest = frames.iter().map(Vec::len).min().unwrap_or(0);
        let differ = (0..shortest).find(|&d| frames.iter().any(|f| f[d] != frames[0][d]));
        let Some(depth) = differ else { continue };
        for (&i, frames) in same.iter().zip(&frames) {
            let id = frames[depth];
            let frame = report.symbols.frames.get(id);
            let function = short_function(report, id);
            let others_same = function == names[i].owner || function == names[i].api;
            let text = match (others_same, place(report, &frame)) {
                (true, place) if !place.is_empty() => place,
                (_, place) if frames.len() == 1 => place,
                _ => function,
            };
            names[i].via = text
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect();
        }
    }
    names
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
        let mut name = SiteName {
            callers: vec!["a".repeat(40)],
            owner: "owner".into(),
            api: "api".into(),
            place: "x.rs:1".into(),
            via: String::new(),
        };
        assert_eq!(name.fit(40), "owner > api  x.rs:1");
        name.api = "p".repeat(60);
        assert_eq!(name.fit(60), "owner  x.rs:1");
        name.owner = "o".repeat(60);
        assert_eq!(name.fit(60).chars().count(), 60);
    }

    #[test]
    fn paths_of_functions_are_cut() {
        let cases = [
            ("ingest::Buffer::readd_failed", "Buffer::readd_failed"),
            ("alloc::vec::Vec::with_capacity", "Vec::with_capacity"),
            ("<ingest::Store as ingest::Sink>::write", "Store::write"),
            ("github.com/a/b.(*T).Add", "b.(*T).Add"),
            ("main.(*Service).flush", "main.(*Service).flush"),
            ("operator new", "operator new"),
            ("a::b::{closure}::{closure}", "{closure}::{closure}"),
            ("readd_failed", "readd_failed"),
        ];
        for (name, short) in cases {
            assert_eq!(short_name(name), short);
        }
    }

    #[test]
    fn prefixes_are_cut_off_paths() {
        assert_eq!(trim("/home/me/src/a.rs", &["/home/me".into()]), "src/a.rs");
        assert_eq!(trim("/x/a.rs", &["/home/me".into()]), "/x/a.rs");
    }
}
