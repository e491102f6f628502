//! Pieces of markup that several pages have. All text that goes in is escaped here.

use super::super::escape::Text;
use std::fmt::Write as _;

/// A cell of a table.
pub struct Cell {
    text: String,
    /// Where it leads, as it stands behind `#`.
    link: Option<String>,
    class: &'static str,
}

impl Cell {
    /// Text that leads to another part of the page.
    pub fn link(text: impl Into<String>, to: String) -> Cell {
        Cell {
            text: text.into(),
            link: Some(to),
            class: "",
        }
    }

    /// Text in a class of the style sheet.
    pub fn classed(text: impl Into<String>, class: &'static str) -> Cell {
        Cell {
            text: text.into(),
            link: None,
            class,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::classed(text, "")
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::classed(text, "")
    }
}

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Words.
    Words,
    /// Numbers, to the right.
    Number,
    /// Names from captures, which may be long.
    Name,
}

/// A table; the first column names its rows.
pub fn table(columns: &[(&str, Column)], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let mut out = String::from("<div class=\"wide\"><table><thead><tr>");
    let class = |c: Column| match c {
        Column::Words => "",
        Column::Number => "n",
        Column::Name => "site",
    };
    for (title, kind) in columns {
        let class = if *kind == Column::Number {
            " class=\"n\""
        } else {
            ""
        };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", Text(title));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (i, (cell, (_, kind))) in row.iter().zip(columns).enumerate() {
            let classes = [class(*kind), cell.class];
            let classes: Vec<&str> = classes.into_iter().filter(|c| !c.is_empty()).collect();
            let classes = match classes.is_empty() {
                true => String::new(),
                false => format!(" class=\"{}\"", classes.join(" ")),
            };
            let (tag, scope) = match i {
                0 => ("th", " scope=\"row\""),
                _ => ("td", ""),
            };
            let text = Text(&cell.text);
            let _ = match &cell.link {
                Some(to) => write!(
                    out,
                    "<{tag}{scope}{classes}><a href=\"#{}\">{text}</a></{tag}>",
                    Text(to)
                ),
                None => write!(out, "<{tag}{scope}{classes}>{text}</{tag}>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Facts as names and values; those without a value are left out.
pub fn facts(pairs: &[(&str, String)]) -> String {
    let known: Vec<_> = pairs.iter().filter(|(_, v)| !v.is_empty()).collect();
    if known.is_empty() {
        return String::new();
    }
    let mut out = String::from("<dl>");
    for (name, value) in known {
        let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", Text(name), Text(value));
    }
    out.push_str("</dl>\n");
    out
}

/// Items of a list; a page with thousands of them is read by nobody.
const MOST_ITEMS: usize = 40;

/// A list under a heading, what is left out counted; nothing where there is nothing to list.
pub fn listed(heading: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut out = format!("<h3>{}</h3>\n<ul>\n", Text(heading));
    for item in items.iter().take(MOST_ITEMS) {
        let _ = writeln!(out, "<li>{}</li>", Text(item));
    }
    if items.len() > MOST_ITEMS {
        let more = items.len() - MOST_ITEMS;
        let _ = writeln!(out, "<li>{more} more: see the JSON document</li>");
    }
    out.push_str("</ul>\n");
    out
}

/// A word in a frame.
pub fn badge(text: &str) -> String {
    match text {
        "" => String::new(),
        _ => format!("<span class=\"badge\">{}</span>", Text(text)),
    }
}

/// Steps one below another: a name and what stands behind it, or before it.
pub fn steps(steps: &[(String, String)], is_before: bool) -> String {
    let mut out = String::from("<ol class=\"stack\">");
    for (name, edge) in steps {
        let (name, edge) = (Text(name), Text(edge));
        let edge = format!("<span class=\"place\">{edge}</span>");
        let _ = match is_before {
            true => write!(out, "<li>{edge} {name}</li>"),
            false => write!(out, "<li>{name} {edge}</li>"),
        };
    }
    out.push_str("</ol>\n");
    out
}
