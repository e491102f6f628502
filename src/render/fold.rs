//! Long lines on narrow screens.

/// The parts of a line that fit into `width` characters, the first with `first` characters before
/// it, the others with `indent`. Breaks at blanks, and inside of words only where one alone is
/// longer than the line. Blanks inside a part stay as they are.
pub(super) fn fold(line: &str, width: usize, first: usize, indent: usize) -> Vec<&str> {
    /// On fewer characters nothing can be read.
    const LEAST: usize = 20;
    let mut out = Vec::new();
    let mut rest = line;
    let mut room = width.saturating_sub(first).max(LEAST);
    loop {
        let Some((end, _)) = rest.char_indices().nth(room) else {
            out.push(rest);
            return out;
        };
        // A blank right behind the room is a place to break, too.
        let behind = rest[end..].chars().next().map_or(0, char::len_utf8);
        let at = rest[..end + behind].rfind(' ').filter(|&at| at > 0);
        let cut = at.unwrap_or(end);
        out.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
        if rest.is_empty() {
            return out;
        }
        room = width.saturating_sub(indent).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn lines_break_at_blanks() {
        let line = "one two   three four five six seven";
        assert_eq!(fold(line, 100, 6, 6), [line]);
        assert_eq!(
            fold(line, 26, 6, 6),
            ["one two   three four", "five six seven"]
        );
        assert_eq!(
            fold("a-word-of-more-than-twenty-characters x", 20, 0, 0),
            ["a-word-of-more-than-", "twenty-characters x"]
        );
        assert_eq!(fold("", 20, 0, 0), [""]);
    }
}
