//! Leak records of Valgrind's memcheck: XML (protocols 4 and 5) and the text log.
//!
//! Written from Valgrind's `memcheck/mc_errors.c`, `memcheck/mc_leakcheck.c` (writers) and
//! `docs/internals/xml-output-protocol4.txt`, `xml-output-protocol5.txt`.

mod loss;
mod text;
mod xml;

use super::lines::find;
use super::{Capture, Format, Match};

/// memcheck's XML output.
pub static XML: Format = Format {
    name: "memcheck-xml",
    title: "memcheck leaks (XML)",
    recipe: "valgrind --leak-check=full --show-leak-kinds=all --xml=yes --xml-file=leaks.xml ./program",
    sniff: sniff_xml,
    read: xml::read,
};

/// memcheck's text log.
pub static TEXT: Format = Format {
    name: "memcheck-text",
    title: "memcheck leaks (text log)",
    recipe: "valgrind --leak-check=full --show-leak-kinds=all --log-file=leaks.log ./program",
    sniff: sniff_text,
    read: text::read,
};

fn sniff_xml(head: &[u8]) -> Match {
    // Lines of a log may come before the document.
    match find(head, b"<valgrindoutput>") {
        Some(_) => Match::Yes,
        None => Match::No,
    }
}

fn sniff_text(head: &[u8]) -> Match {
    if find(head, b"<valgrindoutput>").is_some() {
        return Match::No;
    }
    let marks: [&[u8]; 3] = [b"Memcheck", b"HEAP SUMMARY", b"LEAK SUMMARY"];
    let ours = |line: &[u8]| {
        text::prefix(line).is_some_and(|(_, rest)| marks.iter().any(|m| rest.starts_with(m)))
    };
    if head.split(|&b| b == b'\n').any(ours) {
        Match::Yes
    } else {
        Match::No
    }
}

#[cfg(test)]
mod tests;
