//! Sites that have no partner yet, and what each tier compares of them.

use super::forms::{Form, Forms, KNOWN_FILE, KNOWN_SYM, NONE, flag};
use super::linemap::LineMap;
use crate::model::{FrameId, StackId, Symbols};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// One site of one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    /// Its row in the table.
    pub row: u32,
    pub stack: StackId,
    /// Where its user frames start and end in [`Half::frames`].
    user: (u32, u32),
    /// The name just below the owner towards the leaf: what the program called.
    pub api: u32,
    /// The outermost frame is no entry of the program or of a thread.
    pub cut: bool,
    /// No frame is the program's: its stack was cut before it.
    pub bare: bool,
    /// The chosen metric.
    pub bytes: i64,
    /// It has its partner.
    pub done: bool,
    /// A tier found several partners and could not tell which.
    pub ambiguous: bool,
}

/// The sites of one side.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub sites: Vec<Site>,
    frames: Vec<FrameId>,
}

/// What tiers one to six compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// All frames, names without ordinals.
    Line,
    /// All frames but the allocator's, qualified names.
    Symbol,
    /// The same with portable paths.
    Path,
    /// The same with files' names.
    File,
    /// User frames, qualified names and files.
    User,
    /// User frames, last components and files.
    Short,
    /// User frames, last components; files only where both sides have them.
    Base,
}

/// One frame's part of a key.
type Item = (u32, u32, u64);

/// Everything that tiers look at.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub symbols: &'a Symbols,
    pub forms: Forms,
    pub map: LineMap,
    pub halves: [Half; 2],
    /// Most stacks are the same on both sides: where nothing moved, lines must agree.
    pub same_code: bool,
    /// Frames that one side no longer has are left out, per side.
    pub elide: [bool; 2],
}

impl World<'_> {
    /// Adds a site. Cost: linear in its depth.
    pub fn add(&mut self, side: usize, row: u32, stack: StackId, bytes: i64) {
        let half = &mut self.halves[side];
        let start = half.frames.len();
        let mut api = NONE;
        let mut first: Option<&Form> = None;
        let mut last: Option<&Form> = None;
        for id in self.symbols.stacks.frames(stack) {
            let form = self.forms.get(side, id);
            if self.elide[side] && form.is(flag::ELIDED) {
                continue;
            }
            first = first.or(Some(form));
            let nameless = form.is(flag::HOLE) && form.raw_file == 0;
            if form.is(flag::USER) && !nameless {
                // A function that the compiler split is one function.
                let split = form.is(flag::PART)
                    && last.is_some_and(|l| l.base == form.base && l.file == form.file);
                if split {
                    half.frames.pop();
                }
                half.frames.push(id);
                api = NONE;
                last = Some(form);
            } else if api == NONE && last.is_some() {
                api = form.base;
            }
        }
        let bare = half.frames.len() == start;
        if bare {
            half.frames.extend(self.symbols.stacks.frames(stack));
        }
        half.sites.push(Site {
            row,
            stack,
            user: (start as u32, half.frames.len() as u32),
            api,
            cut: bare || first.is_none_or(|f| !f.is(flag::ROOT)),
            bare,
            bytes,
            done: false,
            ambiguous: false,
        });
    }

    pub fn site(&self, side: usize, i: u32) -> &Site {
        &self.halves[side].sites[i as usize]
    }

    /// The user frames of a site, root first.
    pub fn user(&self, side: usize, i: u32) -> &[FrameId] {
        let half = &self.halves[side];
        let (from, to) = half.sites[i as usize].user;
        &half.frames[from as usize..to as usize]
    }

    /// The forms of the user frames of a site, root first.
    pub fn user_forms(&self, side: usize, i: u32) -> impl DoubleEndedIterator<Item = &Form> {
        self.user(side, i)
            .iter()
            .map(move |&f| self.forms.get(side, f))
    }

    /// The frame that allocated, of the program's.
    pub fn owner(&self, side: usize, i: u32) -> Option<&Form> {
        self.user(side, i).last().map(|&f| self.forms.get(side, f))
    }

    /// The sites of a side that have no partner yet.
    pub fn open(&self, side: usize) -> impl Iterator<Item = u32> {
        let sites = &self.halves[side].sites;
        (0..sites.len() as u32).filter(move |&i| !sites[i as usize].done)
    }

    /// The key of a site into `out`; `false` if the tier does not look at it.
    pub fn items(&self, side: usize, i: u32, key: Key, out: &mut Vec<Item>) -> bool {
        out.clear();
        let site = self.site(side, i);
        let all = matches!(key, Key::Line | Key::Symbol | Key::Path | Key::File);
        if all {
            for id in self.symbols.stacks.frames(site.stack) {
                let form = self.forms.get(side, id);
                if self.elide[side] && form.is(flag::ELIDED) {
                    continue;
                }
                out.push(self.item(form, key));
            }
            if key != Key::Line {
                let forms = self.symbols.stacks.frames(site.stack).rev();
                let leaf = forms
                    .map(|id| self.forms.get(side, id))
                    .filter(|f| !(self.elide[side] && f.is(flag::ELIDED)))
                    .take_while(|f| f.is(flag::ALLOCATOR))
                    .count();
                out.truncate(out.len() - leaf);
            }
        } else if !site.bare {
            out.extend(self.user_forms(side, i).map(|f| self.item(f, key)));
        }
        !out.is_empty()
    }

    fn item(&self, form: &Form, key: Key) -> Item {
        // Between equal stacks and a file that did not move, another line is another site.
        let place = match self.same_code && self.map.is_fixed(form.group) {
            true => form.position,
            false => 0,
        };
        let known = !form.is(flag::CPP) && self.forms.on_both(form.sym, KNOWN_SYM);
        let short = if known { form.sym } else { form.base };
        match key {
            Key::Line => (form.deord, form.raw_file, place),
            Key::Symbol => (form.strict, form.raw_file, place),
            Key::Path => (form.strict, form.path, place),
            Key::File => (form.strict, form.file, place),
            Key::User => (form.sym, form.file, place),
            Key::Short => (short, form.file, place),
            Key::Base => {
                let kept = self.forms.on_both(form.file, KNOWN_FILE);
                (short, if kept { form.file } else { 0 }, place)
            }
        }
    }

    /// Whether the line map says that two sites are different ones, by any user frame that both
    /// have at the same depth in the same function.
    pub fn contradicts(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.user(0, a), self.user(1, b));
        let differ = |f: &Form, g: &Form| {
            f.group != NONE
                && f.group == g.group
                && if self.same_code && self.map.is_fixed(f.group) {
                    f.position != g.position
                } else {
                    self.map.contradicts(f.group, f.position, g.position)
                }
        };
        if x.len() == y.len() {
            self.user_forms(0, a)
                .zip(self.user_forms(1, b))
                .any(|(f, g)| differ(f, g))
        } else {
            match (self.owner(0, a), self.owner(1, b)) {
                (Some(f), Some(g)) => differ(f, g),
                _ => false,
            }
        }
    }
}

/// A hash of a key; keys are compared on a hit.
pub(super) fn hash(items: &[Item]) -> u64 {
    let mut h = FxHasher::default();
    for &(name, file, place) in items {
        h.write_u64((name as u64) << 32 | file as u64);
        h.write_u64(place);
    }
    h.finish()
}
