//! What the text of a report says, taken apart: the verdict, the first facts, and the lines with a
//! word in front.

/// The parts of a report's text.
pub struct Told<'t> {
    /// The verdict as it is printed: `LEAK`, `CANNOT TELL`.
    pub word: &'t str,
    /// What follows it.
    pub headline: &'t str,
    /// The lines below the headline, without the plots.
    pub lines: Vec<&'t str>,
    /// Lines with a word in front, and those that go on below it.
    pub remarks: Vec<(&'t str, Vec<&'t str>)>,
}

/// Takes a text apart. What begins at the margin is a word and, behind two spaces, what it says;
/// what is indented goes on.
pub fn told(text: &str) -> Told<'_> {
    let mut lines = text.lines();
    let (word, headline) = split(lines.next().unwrap_or_default());
    let mut out = Told {
        word,
        headline,
        lines: Vec::new(),
        remarks: Vec::new(),
    };
    let mut is_head = true;
    for line in lines {
        let inner = line.trim();
        if inner.is_empty() {
            is_head = false;
        } else if !line.starts_with(' ') {
            is_head = false;
            let (label, said) = split(line);
            out.remarks.push((label, vec![said]));
        } else if let Some((_, more)) = out.remarks.last_mut() {
            more.push(inner);
        } else if is_plot(inner) {
            // The plots stand for series that the page draws; what follows belongs to them.
            is_head = false;
        } else if is_head {
            out.lines.push(inner);
        }
    }
    // The page has a table of its own.
    out.remarks.retain(|(label, _)| *label != "sites");
    out
}

/// The word before two spaces and what follows them.
fn split(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once("  ").unwrap_or((line, ""));
    (word.trim(), rest.trim())
}

fn is_plot(line: &str) -> bool {
    line.starts_with('|') || line.contains(" |") || line.starts_with("+--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        let text = "CANNOT TELL  one capture\n             of two\n\n   a  b\nruled out  x: y\n           z: w\nnext  do it\n";
        let t = told(text);
        assert_eq!((t.word, t.headline), ("CANNOT TELL", "one capture"));
        assert_eq!(t.lines, ["of two"]);
        let expected = [("ruled out", vec!["x: y", "z: w"]), ("next", vec!["do it"])];
        assert_eq!(t.remarks, expected);
    }

    #[test]
    fn plots_are_no_facts() {
        let t =
            told("LEAK  a +2 MB/h\n      by its rate\n   3 |  *\n     +---\n      b +1\nnext  x\n");
        assert_eq!(t.lines, ["by its rate"]);
        assert_eq!(t.remarks.len(), 1);
    }
}
