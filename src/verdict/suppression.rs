//! Suppressions: growth that is accepted, by whom, why, and until when. What they hide is counted.

use super::pattern::{Glob, StackPattern};
use crate::model::{FrameId, StackId, Symbols};
use crate::normalize::{FrameClass, Naming, SiteId};
use jiff::civil::Date;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

/// What a suppression is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Sites whose stack is so.
    Stack(StackPattern),
    /// Sites of this hash, or one of them by its rank; and how many shared the hash when it was
    /// written.
    Site(u64, Option<u32>, Option<u32>),
    /// Sites with a function, file or module so in their stack (LeakSanitizer).
    Anywhere(Glob),
    /// Sites whose innermost frames are so (Valgrind).
    Innermost(Vec<FramePattern>),
    /// A cycle, series or endpoint by its name.
    Subject(Glob),
}

/// One line of a Valgrind suppression.
#[derive(Debug, Clone, PartialEq)]
pub enum FramePattern {
    /// `fun:`
    Function(Glob),
    /// `obj:`
    Object(Glob),
    /// `src:`, the file alone.
    Source(Glob),
    /// `...`
    Any,
}

/// An accepted growth.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// The rule whose findings it accepts; none is every rule.
    pub rule: Option<&'static super::rules::Rule>,
    /// What it is about.
    pub target: Target,
    /// Beyond so many bytes it accepts nothing.
    pub max: Option<u64>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds; none for other tools' files.
    pub expires: Option<Date>,
    /// Where it is written: `heapdiff.toml line 12`.
    pub place: String,
}

/// Days before the end in which a suppression warns.
pub const WARN_DAYS: i32 = 14;

/// What a suppression is worth on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Holds,
    /// It holds for so many more days.
    Ends(i32),
    /// It does not hold any more.
    Expired,
}

impl Suppression {
    /// What it is worth on `today`.
    pub fn standing(&self, today: Date) -> Standing {
        let Some(expires) = self.expires else {
            return Standing::Holds;
        };
        let days = today.until(expires).map_or(0, |span| span.get_days());
        match days {
            _ if expires < today => Standing::Expired,
            days if days < WARN_DAYS => Standing::Ends(days),
            _ => Standing::Holds,
        }
    }

    /// Whether it accepts findings of `rule`. Growth that is steady, growth between two captures
    /// and growth on the hot path are one thing seen by other captures; growth that gets faster
    /// is another.
    pub fn accepts(&self, rule: &str) -> bool {
        const GROWTH: [&str; 5] = ["HD001", "HD003", "HD004", "HD006", "HD007"];
        match self.rule {
            None => true,
            Some(own) => own.id == rule || (GROWTH.contains(&own.id) && GROWTH.contains(&rule)),
        }
    }

    /// ` (max 2 MiB, @ingest)`, or nothing.
    pub fn terms(&self) -> String {
        let max = self
            .max
            .map(|m| format!("max {}", crate::units::bytes(m.into())));
        let parts: Vec<String> = max.into_iter().chain(self.owner.clone()).collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!(" ({})", parts.join(", ")),
        }
    }
}

/// Which text of a frame a pattern is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Function,
    File,
    Module,
    /// Function, file or module.
    Any,
}

/// Names of frames held against patterns; each pair is looked at once.
pub(super) struct Names<'a> {
    pub symbols: &'a Symbols,
    pub naming: &'a Naming<'a>,
    known: RefCell<FxHashMap<(usize, Part, FrameId), bool>>,
}

impl<'a> Names<'a> {
    pub fn new(symbols: &'a Symbols, naming: &'a Naming<'a>) -> Names<'a> {
        Names {
            symbols,
            naming,
            known: RefCell::default(),
        }
    }

    /// Whether a frame is called so. `glob` has to stay where it is as long as `self` is used.
    pub fn is(&self, frame: FrameId, part: Part, glob: &Glob) -> bool {
        let key = (std::ptr::from_ref(glob) as usize, part, frame);
        if let Some(&known) = self.known.borrow().get(&key) {
            return known;
        }
        let is = self.look(frame, part, glob);
        self.known.borrow_mut().insert(key, is);
        is
    }

    fn look(&self, id: FrameId, part: Part, glob: &Glob) -> bool {
        let frame = self.symbols.frames.get(id);
        let text = |id| self.symbols.strings.get(id);
        let function = || {
            let normal = self.naming.frame(id);
            let raw = text(frame.function);
            [raw, &normal.sym, &normal.display, &normal.deord]
                .iter()
                .any(|name| !name.is_empty() && glob.matches(name))
        };
        let path = |path: &str| !path.is_empty() && glob.matches_path(path);
        let file = || path(text(frame.file)) || path(&self.naming.file(text(frame.file)));
        let module = || path(text(frame.module));
        match part {
            Part::Function => function(),
            Part::File => file(),
            Part::Module => module(),
            Part::Any => function() || file() || module(),
        }
    }

    /// Whether any frame of a stack is called so.
    pub fn any(&self, stack: StackId, part: Part, glob: &Glob) -> bool {
        let mut frames = self.symbols.stacks.frames(stack);
        frames.any(|f| self.is(f, part, glob))
    }

    /// Whether a stack is as a pattern says.
    pub fn stack(&self, stack: StackId, pattern: &StackPattern) -> bool {
        let frames: Vec<FrameId> = self.symbols.stacks.frames(stack).collect();
        pattern.matches(frames.len(), |i, glob| {
            self.is(frames[i], Part::Function, glob)
        })
    }

    /// Whether a suppression is about the site of this stack and id.
    pub fn suppresses(&self, target: &Target, stack: StackId, id: impl Fn() -> SiteId) -> bool {
        match target {
            Target::Stack(pattern) => self.stack(stack, pattern),
            Target::Site(hash, rank, _) => {
                let id = id();
                id.hash == *hash && rank.is_none_or(|r| r == id.rank)
            }
            Target::Anywhere(glob) => self.any(stack, Part::Any, glob),
            Target::Innermost(patterns) => self.innermost(stack, patterns),
            Target::Subject(_) => false,
        }
    }

    fn innermost(&self, stack: StackId, patterns: &[FramePattern]) -> bool {
        let frames: Vec<FrameId> = self.symbols.stacks.frames(stack).rev().collect();
        let allocator = |f: &FrameId| self.naming.frame(*f).class == FrameClass::Allocator;
        // A tool that leaves the allocator's own frames out has none to match.
        let own = frames.first().is_some_and(allocator);
        let patterns = match (patterns.first(), own) {
            (Some(FramePattern::Function(glob)), false) if is_allocator(glob.as_str()) => {
                &patterns[1..]
            }
            _ => patterns,
        };
        let is = |i: usize, pattern: &FramePattern| match pattern {
            FramePattern::Function(glob) => self.is(frames[i], Part::Function, glob),
            FramePattern::Object(glob) => self.is(frames[i], Part::Module, glob),
            FramePattern::Source(glob) => self.is(frames[i], Part::File, glob),
            FramePattern::Any => true,
        };
        // The pattern is of the innermost frames: what is outside of it is free.
        let (mut p, mut f) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        while p < patterns.len() {
            if patterns[p] == FramePattern::Any {
                back = Some((p, f));
                p += 1;
            } else if f < frames.len() && is(f, &patterns[p]) {
                p += 1;
                f += 1;
            } else if let Some((any, taken)) = back.filter(|&(_, taken)| taken < frames.len()) {
                back = Some((any, taken + 1));
                p = any + 1;
                f = taken + 1;
            } else {
                return false;
            }
        }
        true
    }
}

fn is_allocator(pattern: &str) -> bool {
    const NAMES: [&str; 6] = [
        "malloc",
        "calloc",
        "realloc",
        "memalign",
        "posix_memalign",
        "strdup",
    ];
    NAMES.contains(&pattern) || pattern.starts_with("_Zn") || pattern.starts_with("operator new")
}

/// Reads a file of suppressions of LeakSanitizer (`leak:NAME` a line) or of Valgrind (blocks in
/// braces), told apart by their look. `place` names the file.
///
/// Errors: the line that is of neither, in words.
pub fn read_foreign(text: &str, place: &str) -> Result<Vec<Suppression>, (u64, String)> {
    let first = text
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty() && !l.starts_with('#'));
    match first {
        Some(line) if line.starts_with('{') => read_valgrind(text, place),
        _ => read_lsan(text, place),
    }
}

fn foreign(target: Target, reason: String, place: String) -> Suppression {
    Suppression {
        rule: None,
        target,
        max: None,
        reason,
        owner: None,
        expires: None,
        place,
    }
}

fn read_lsan(text: &str, place: &str) -> Result<Vec<Suppression>, (u64, String)> {
    let mut out = Vec::new();
    for (number, line) in (1u64..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((kind, pattern)) = line.split_once(':') else {
            return Err((number, format!("{line:?} is no suppression (leak:NAME)")));
        };
        // Files are shared by all sanitizers: other kinds are for the others.
        if kind != "leak" {
            continue;
        }
        let (start, pattern) = match pattern.strip_prefix('^') {
            Some(rest) => ("", rest),
            None => ("*", pattern),
        };
        let (end, pattern) = match pattern.strip_suffix('$') {
            Some(rest) => ("", rest),
            None => ("*", pattern),
        };
        let glob = Glob::new(format!("{start}{pattern}{end}"));
        let at = format!("{place} line {number}");
        out.push(foreign(Target::Anywhere(glob), line.to_owned(), at));
    }
    Ok(out)
}

fn read_valgrind(text: &str, place: &str) -> Result<Vec<Suppression>, (u64, String)> {
    let mut out = Vec::new();
    let mut block: Option<(u64, Vec<&str>)> = None;
    let mut last = 0;
    for (number, line) in (1u64..).zip(text.lines()) {
        last = number;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match (line, &mut block) {
            ("{", None) => block = Some((number, Vec::new())),
            ("}", Some((from, lines))) => {
                let at = format!("{place} line {from}");
                out.extend(valgrind_block(lines, at).map_err(|e| (*from, e))?);
                block = None;
            }
            (line, Some((_, lines))) if line != "{" => lines.push(line),
            (line, _) => return Err((number, format!("{line:?} stands outside of a block"))),
        }
    }
    match block {
        Some((from, _)) => Err((from.max(1).min(last), "a block does not end".into())),
        None => Ok(out),
    }
}

fn valgrind_block(lines: &[&str], place: String) -> Result<Option<Suppression>, String> {
    let [name, kind, rest @ ..] = lines else {
        return Err("a block needs a name and a kind".into());
    };
    // Other tools' and other kinds' blocks share the file.
    let leak = kind
        .split_once(':')
        .is_some_and(|(tools, kind)| tools.split(',').any(|t| t == "Memcheck") && kind == "Leak");
    if !leak {
        return Ok(None);
    }
    let mut frames = Vec::new();
    for line in rest {
        let demangled = |name: &str| {
            let plain = !name.contains(['*', '?']);
            let read = plain.then(|| crate::normalize::demangled(name)).flatten();
            Glob::new(read.unwrap_or_else(|| name.to_owned()))
        };
        match line.split_once(':') {
            _ if *line == "..." => frames.push(FramePattern::Any),
            Some(("fun", name)) => frames.push(FramePattern::Function(demangled(name))),
            Some(("obj", name)) => frames.push(FramePattern::Object(Glob::new(name))),
            Some(("src", name)) => {
                let file = name.split(':').next().unwrap_or(name);
                frames.push(FramePattern::Source(Glob::new(file)));
            }
            Some(("match-leak-kinds", _)) => {}
            _ => return Err(format!("{line:?} is no frame (fun:, obj:, src:, ...)")),
        }
    }
    if frames.is_empty() {
        return Err("a block needs a frame".into());
    }
    let reason = (*name).to_owned();
    Ok(Some(foreign(Target::Innermost(frames), reason, place)))
}

#[cfg(test)]
#[path = "suppression_tests.rs"]
mod tests;
