//! Patterns of names and of stacks, as budgets and suppressions are written.

/// A name with `*` for any characters and `?` for one; everything else stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// A pattern; every text is one.
    pub fn new(text: impl Into<String>) -> Glob {
        Glob(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` is as the pattern says. Cost: the product of both lengths at
    /// worst, their sum as a rule.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let star = |p: usize| pattern.get(p) == Some(&b'*');
        let fits = |p: usize, t: usize| {
            let byte = text.get(t);
            byte.is_some() && (pattern.get(p) == Some(&b'?') || pattern.get(p) == byte)
        };
        walk(pattern.len(), text.len(), star, fits)
    }

    /// Whether `path` is as the pattern says, or ends so after a `/`.
    pub fn matches_path(&self, path: &str) -> bool {
        let mut rest = path;
        loop {
            if self.matches(rest) {
                return true;
            }
            match rest.find(['/', '\\']) {
                Some(at) => rest = &rest[at + 1..],
                None => return false,
            }
        }
    }
}

/// A stack with `**` for any frames, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPattern(Vec<Option<Glob>>);

impl StackPattern {
    /// Frames outermost first; `**` stands for any number of them.
    pub fn new<'a>(frames: impl IntoIterator<Item = &'a str>) -> StackPattern {
        let frame = |text: &str| (text != "**").then(|| Glob::new(text));
        StackPattern(frames.into_iter().map(|t| frame(t.trim())).collect())
    }

    /// The frames as they were written, joined.
    pub fn text(&self) -> String {
        let frame = |f: &Option<Glob>| f.as_ref().map_or("**", |g| g.as_str()).to_owned();
        let frames: Vec<String> = self.0.iter().map(frame).collect();
        frames.join(" > ")
    }

    /// Whether a stack of `frames` frames is as the pattern says; `is` tells whether a frame, by
    /// its place from the outside, is called so.
    pub fn matches(&self, frames: usize, mut is: impl FnMut(usize, &Glob) -> bool) -> bool {
        let star = |p: usize| matches!(self.0.get(p), Some(None));
        let fits = |p: usize, t: usize| {
            t < frames && matches!(self.0.get(p), Some(Some(glob)) if is(t, glob))
        };
        walk(self.0.len(), frames, star, fits)
    }
}

/// Walks a pattern with wildcards along a text: on a mismatch the last wildcard takes one more.
/// No recursion; at worst the product of the lengths.
fn walk(
    pattern: usize,
    text: usize,
    star: impl Fn(usize) -> bool,
    mut fits: impl FnMut(usize, usize) -> bool,
) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text {
        if star(p) {
            back = Some((p, t));
            p += 1;
        } else if fits(p, t) {
            p += 1;
            t += 1;
        } else if let Some((star, taken)) = back {
            back = Some((star, taken + 1));
            p = star + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    while star(p) {
        p += 1;
    }
    p == pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("Batch::push", "Batch::push", true),
            ("Batch::push", "Batch::pushed", false),
            ("regex_automata::*", "regex_automata::dfa::Cache", true),
            ("*Cache*", "LruCache<T>", true),
            ("a*b*c", "axxbxxbxc", true),
            ("a*b*c", "axxbxxbx", false),
            ("?", "x", true),
            ("?", "", false),
            ("a[b]", "a[b]", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), is, "{pattern} {text}");
        }
        assert!(Glob::new("decode/*.rs").matches_path("/src/app/decode/a.rs"));
        assert!(!Glob::new("code/*.rs").matches_path("/src/app/decode/a.rs"));
    }

    #[test]
    fn stacks() {
        let stack = ["main", "run", "regex::new", "LruCache::get", "malloc"];
        let is = |pattern: &[&str]| {
            StackPattern::new(pattern.iter().copied())
                .matches(stack.len(), |i, g| g.matches(stack[i]))
        };
        assert!(is(&["**", "regex::*", "*Cache*", "**"]));
        assert!(!is(&["**", "regex::*", "*Cache*"]), "malloc is left");
        assert!(is(&["main", "**", "malloc"]));
        assert!(!is(&["run", "**"]));
        assert!(is(&["**"]));
        assert!(!is(&[]));
    }

    #[test]
    fn the_worst_pattern_ends() {
        let text = "a".repeat(20_000);
        assert!(!Glob::new("*a*a*a*a*b").matches(&text));
    }
}
