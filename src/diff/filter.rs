//! Which stacks are looked at, and which of their frames: pprof's focus, ignore, hide, show,
//! show-from and the two tag filters, with the meanings that `go tool pprof` gives them.

use crate::error::{Error, Result};
use crate::model::{FrameId, LabelValue, LabelsId, StackId, Symbols};
use regex::Regex;

/// The filters as the user gave them; all off by default.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Keep only stacks with a matching frame.
    pub focus: Option<Regex>,
    /// Leave out stacks with a matching frame.
    pub ignore: Option<Regex>,
    /// Remove matching frames; a stack without frames left is left out.
    pub hide: Option<Regex>,
    /// Keep only matching frames.
    pub show: Option<Regex>,
    /// Remove the frames above (towards the root of) the first matching one; leave out stacks
    /// without a matching frame.
    pub show_from: Option<Regex>,
    /// Keep only samples with a matching label.
    pub tag_focus: Option<TagFilter>,
    /// Leave out samples with a matching label.
    pub tag_ignore: Option<TagFilter>,
}

impl Filters {
    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.tag_focus.is_none() && self.tag_ignore.is_none() && !self.looks_at_frames()
    }

    fn looks_at_frames(&self) -> bool {
        [
            &self.focus,
            &self.ignore,
            &self.hide,
            &self.show,
            &self.show_from,
        ]
        .iter()
        .any(|r| r.is_some())
    }
}

/// `KEY=REGEX`, `REGEX` over `key:value`, `KEY=MIN:MAX` or `MIN:MAX` over numbers.
#[derive(Debug, Clone)]
pub struct TagFilter {
    key: Option<String>,
    range: Option<(i64, i64)>,
    regex: Option<Regex>,
}

impl TagFilter {
    /// Reads a tag filter. Numbers may carry a unit of bytes (`64KiB`), and either end of a range
    /// may be left out.
    ///
    /// Errors: an expression that is neither a range nor a regular expression.
    pub fn parse(text: &str) -> Result<TagFilter> {
        let (key, rest) = match text.split_once('=') {
            Some((key, rest)) if !key.is_empty() => (Some(key.to_owned()), rest),
            _ => (None, text),
        };
        if let Some(range) = parse_range(rest) {
            return Ok(TagFilter {
                key,
                range: Some(range),
                regex: None,
            });
        }
        let regex = Regex::new(rest).map_err(|e| {
            Error::usage(format!(
                "{rest:?} is no regular expression ({})",
                last_line(&e)
            ))
        })?;
        Ok(TagFilter {
            key,
            range: None,
            regex: Some(regex),
        })
    }

    fn matches(&self, labels: LabelsId, symbols: &Symbols) -> bool {
        let strings = &symbols.strings;
        symbols.labels.get(labels).iter().any(|label| {
            let key = strings.get(label.key);
            if self.key.as_deref().is_some_and(|k| k != key) {
                return false;
            }
            match (label.value, &self.range, &self.regex) {
                (LabelValue::Number(n, _), Some((low, high)), _) => (*low..=*high).contains(&n),
                (LabelValue::Text(text), _, Some(regex)) => {
                    let text = strings.get(text);
                    if self.key.is_some() {
                        regex.is_match(text)
                    } else {
                        regex.is_match(&format!("{key}:{text}"))
                    }
                }
                (LabelValue::Number(n, _), None, Some(regex)) => {
                    self.key.is_some() && regex.is_match(&n.to_string())
                }
                _ => false,
            }
        })
    }
}

fn last_line(e: &regex::Error) -> String {
    e.to_string()
        .lines()
        .last()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

fn parse_range(text: &str) -> Option<(i64, i64)> {
    let number = |t: &str| crate::units::parse_bytes(t).and_then(|n| i64::try_from(n).ok());
    match text.split_once(':') {
        Some(("", "")) => None,
        Some((low, "")) => Some((number(low)?, i64::MAX)),
        Some(("", high)) => Some((i64::MIN, number(high)?)),
        Some((low, high)) => Some((number(low)?, number(high)?)),
        None => number(text).map(|n| (n, n)),
    }
}

const FOCUS: u8 = 1;
const IGNORE: u8 = 2;
const HIDE: u8 = 4;
const SHOW: u8 = 8;
const FROM: u8 = 16;

/// Applies [`Filters`]; every frame and every stack is looked at once.
#[derive(Debug)]
pub struct View {
    filters: Filters,
    frame_bits: Vec<u8>,
    stacks: Vec<Option<Option<StackId>>>,
    frames: Vec<FrameId>,
}

impl View {
    /// A view through `filters`.
    pub fn new(filters: Filters) -> View {
        View {
            filters,
            frame_bits: Vec::new(),
            stacks: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Whether everything passes unchanged.
    pub fn is_plain(&self) -> bool {
        self.filters.is_empty()
    }

    /// The stack as it is looked at, or `None` when the sample is left out.
    pub fn apply(
        &mut self,
        stack: StackId,
        labels: LabelsId,
        symbols: &mut Symbols,
    ) -> Option<StackId> {
        if let Some(filter) = &self.filters.tag_focus
            && !filter.matches(labels, symbols)
        {
            return None;
        }
        if let Some(filter) = &self.filters.tag_ignore
            && filter.matches(labels, symbols)
        {
            return None;
        }
        if !self.filters.looks_at_frames() {
            return Some(stack);
        }
        if let Some(&Some(known)) = self.stacks.get(stack.index()) {
            return known;
        }
        let seen = self.look(stack, symbols);
        if self.stacks.len() <= stack.index() {
            self.stacks.resize(stack.index() + 1, None);
        }
        self.stacks[stack.index()] = Some(seen);
        seen
    }

    fn look(&mut self, stack: StackId, symbols: &mut Symbols) -> Option<StackId> {
        self.mark_frames(symbols);
        let bits = |f: FrameId| self.frame_bits[f.index()];
        let f = &self.filters;
        let any = |bit| {
            symbols
                .stacks
                .frames(stack)
                .any(|frame| bits(frame) & bit != 0)
        };
        if (f.ignore.is_some() && any(IGNORE)) || (f.focus.is_some() && !any(FOCUS)) {
            return None;
        }
        if f.hide.is_none() && f.show.is_none() && f.show_from.is_none() {
            return Some(stack);
        }
        self.frames.clear();
        let mut started = f.show_from.is_none();
        for frame in symbols.stacks.frames(stack) {
            started |= bits(frame) & FROM != 0;
            let shown = f.show.is_none() || bits(frame) & SHOW != 0;
            if started && shown && bits(frame) & HIDE == 0 {
                self.frames.push(frame);
            }
        }
        if self.frames.is_empty() {
            return None;
        }
        Some(symbols.stacks.intern_root_first(&self.frames))
    }

    fn mark_frames(&mut self, symbols: &Symbols) {
        let f = &self.filters;
        let tests = [
            (&f.focus, FOCUS),
            (&f.ignore, IGNORE),
            (&f.hide, HIDE),
            (&f.show, SHOW),
            (&f.show_from, FROM),
        ];
        for frame in &symbols.frames.rows()[self.frame_bits.len()..] {
            let texts =
                [frame.function, frame.file, frame.module].map(|id| symbols.strings.get(id));
            let matched = |r: &Regex| texts.iter().any(|t| !t.is_empty() && r.is_match(t));
            let bits = tests
                .iter()
                .filter(|(regex, _)| regex.as_ref().is_some_and(matched))
                .fold(0, |bits, (_, bit)| bits | bit);
            self.frame_bits.push(bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Frame;

    fn stack(symbols: &mut Symbols, names: &[&str]) -> StackId {
        let frames: Vec<_> = names
            .iter()
            .map(|n| {
                let function = symbols.strings.intern(n);
                symbols.frames.intern(Frame::named(function))
            })
            .collect();
        symbols.stacks.intern_root_first(&frames)
    }

    fn regex(text: &str) -> Option<Regex> {
        Some(Regex::new(text).unwrap())
    }

    #[test]
    fn frames_are_hidden_and_stacks_left_out() {
        let mut symbols = Symbols::default();
        let abc = stack(&mut symbols, &["a", "b", "c"]);
        let bc = stack(&mut symbols, &["b", "c"]);
        let ac = stack(&mut symbols, &["a", "c"]);
        let mut look = |filters| View::new(filters).apply(abc, LabelsId::NONE, &mut symbols);
        assert_eq!(
            look(Filters {
                focus: regex("b"),
                ..Filters::default()
            }),
            Some(abc)
        );
        assert_eq!(
            look(Filters {
                focus: regex("x"),
                ..Filters::default()
            }),
            None
        );
        assert_eq!(
            look(Filters {
                ignore: regex("b"),
                ..Filters::default()
            }),
            None
        );
        assert_eq!(
            look(Filters {
                hide: regex("b"),
                ..Filters::default()
            }),
            Some(ac)
        );
        assert_eq!(
            look(Filters {
                show: regex("a|c"),
                ..Filters::default()
            }),
            Some(ac)
        );
        assert_eq!(
            look(Filters {
                show_from: regex("b"),
                ..Filters::default()
            }),
            Some(bc)
        );
        assert_eq!(
            look(Filters {
                show_from: regex("x"),
                ..Filters::default()
            }),
            None
        );
        assert_eq!(
            look(Filters {
                hide: regex("."),
                ..Filters::default()
            }),
            None
        );
    }

    #[test]
    fn tags_match_by_range_and_by_text() {
        let mut symbols = Symbols::default();
        let key = symbols.strings.intern("bytes");
        let kind = symbols.strings.intern("kind");
        let lost = symbols.strings.intern("definitely lost");
        let set = symbols.labels.intern(&[
            crate::model::Label {
                key,
                value: LabelValue::Number(4096, key),
            },
            crate::model::Label {
                key: kind,
                value: LabelValue::Text(lost),
            },
        ]);
        let hit = |text: &str| TagFilter::parse(text).unwrap().matches(set, &symbols);
        assert!(hit("bytes=4KiB") && hit("1024:8192") && hit(":4096") && hit("bytes=4000:"));
        assert!(!hit("bytes=5000:") && !hit("size=4096"));
        assert!(hit("kind=definitely") && hit("kind:def") && !hit("kind=^lost"));
        assert!(TagFilter::parse("kind=(").is_err());
    }
}
