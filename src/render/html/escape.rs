//! Text made safe for the place where it stands. Names come from profiles and may hold anything.

use crate::render::turns_text;
use std::fmt;

/// Text between tags and in quoted attributes. Characters that turn the direction of writing or
/// that are not printed become U+FFFD.
pub(super) struct Text<'t>(pub &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => write!(f, "{c}")?,
                c if c.is_control() || turns_text(c) => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// Columns of a text that stand two spaces apart, with a dot between them: markup has no columns.
pub(super) fn spaced(text: &str) -> String {
    let parts = text.split("  ").map(str::trim).filter(|p| !p.is_empty());
    parts.collect::<Vec<_>>().join(" \u{b7} ")
}

/// JSON inside a script element: no `<` can end it. Characters that turn the direction of writing
/// become U+FFFD.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '\u{2028}' | '\u{2029}' => out.push(' '),
            c if turns_text(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_tags_and_attributes() {
        let shown = Text("</script><b a='\"&\u{202e}\u{0}").to_string();
        assert_eq!(
            shown,
            "&lt;/script&gt;&lt;b a=&#39;&quot;&amp;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn json_cannot_end_its_element() {
        assert_eq!(json(r#"{"a":"</script>"}"#), r#"{"a":"\u003c/script>"}"#);
    }
}
