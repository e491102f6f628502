//! The page around its sections: one file that needs nothing else, and allows nothing else.

use super::bundle;
use super::escape::{Text, json, spaced};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A part of the page, shown as a tab where scripts run.
pub(super) struct Section {
    /// The word in links.
    pub name: &'static str,
    /// What the tab says.
    pub title: &'static str,
    /// Escaped markup.
    pub body: String,
}

/// What a page is made of.
pub(super) struct Page {
    /// The verdict in a word, as in JSON.
    pub verdict: String,
    /// The same as text shows it.
    pub word: String,
    /// The first fact behind it.
    pub headline: String,
    /// Further lines of the head.
    pub lines: Vec<String>,
    /// The parts that have something.
    pub sections: Vec<Section>,
    /// What the script draws, as JSON.
    pub view: String,
    /// The JSON document.
    pub document: Vec<u8>,
}

/// A basic string of TOML.
pub(super) fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The hash that lets a policy allow one script or style.
fn digest(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// gzip, the same bytes each time.
fn packed(bytes: &[u8]) -> String {
    let mut out = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    let done = std::io::Write::write_all(&mut out, bytes).and_then(|()| out.finish());
    // Writing into memory does not fail.
    STANDARD.encode(done.unwrap_or_default())
}

/// The whole file.
pub(super) fn file(page: &Page) -> String {
    let script = bundle::script();
    let headline = spaced(&page.headline);
    let mut out = String::with_capacity(page.view.len() + page.document.len() / 4 + 100_000);
    let _ = write!(
        out,
        concat!(
            "<!doctype html>\n<html lang=\"en\" data-theme=\"auto\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; ",
            "style-src {}; base-uri 'none'; form-action 'none'\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"referrer\" content=\"no-referrer\">\n",
            "<title>{} {} - heapdiff</title>\n<style>{}</style>\n</head>\n<body>\n",
            "<a class=\"skip\" href=\"#main\">to the content</a>\n",
            "<header>\n<h1><span class=\"verdict {}\">{}</span> {}</h1>\n"
        ),
        digest(&script),
        digest(bundle::STYLE),
        Text(&page.word),
        Text(&headline),
        bundle::STYLE,
        page.verdict,
        Text(&page.word),
        Text(&headline),
    );
    for line in &page.lines {
        let _ = writeln!(out, "<p>{}</p>", Text(&spaced(line)));
    }
    out.push_str("<div class=\"bar\"><nav id=\"tabs\" aria-label=\"Pages\">");
    for s in &page.sections {
        let _ = write!(out, "<a href=\"#page-{}\">{}</a>", s.name, s.title);
    }
    out.push_str("</nav><div id=\"tools\"></div></div>\n</header>\n<main id=\"main\">\n");
    for s in &page.sections {
        let _ = write!(
            out,
            "<section id=\"page-{0}\" data-page=\"{0}\">\n<h2>{1}</h2>\n{2}</section>\n",
            s.name, s.title, s.body
        );
    }
    out.push_str("</main>\n<div id=\"live\" class=\"offscreen\" aria-live=\"polite\"></div>\n");
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"view\">{}</script>",
        json(&page.view)
    );
    let _ = writeln!(
        out,
        "<script type=\"text/plain\" id=\"document\">{}</script>",
        packed(&page.document)
    );
    let _ = write!(out, "<script>{script}</script>\n</body>\n</html>\n");
    out
}
