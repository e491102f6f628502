//! Names of sites: owner, the words a person reads, and the id that survives a rebuild.

use super::{Context, Language, NormalFrame, PathMap, RawFrame, normalize_frame, owner};
use crate::model::{Frame, FrameId, StackId, StrId, Symbols};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::rc::Rc;

/// Identity of a site: the head of SHA-256 over its normalised user frames, and its rank among
/// the sites that share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId {
    /// The first eight bytes of the hash.
    pub hash: u64,
    /// Rank by line among equals, from 1.
    pub rank: u32,
}

impl std::fmt::Display for SiteId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}#{}", self.hash, self.rank)
    }
}

/// Normalised names over a table of symbols; each frame is normalised when first asked for.
#[derive(Debug)]
pub struct Naming<'a> {
    symbols: &'a Symbols,
    context: Context,
    cache: RefCell<Vec<Option<Rc<NormalFrame>>>>,
}

impl Language {
    /// The language that a format fixes, by the word that captures carry for it.
    pub fn of_format(word: Option<&str>) -> Language {
        match word {
            Some("rust") => Language::Rust,
            Some("python") => Language::Python,
            Some("js") => Language::JavaScript,
            Some("java") => Language::Java,
            Some("go") => Language::Go,
            _ => Language::Unknown,
        }
    }
}

fn raw<'a>(symbols: &'a Symbols, frame: &Frame) -> RawFrame<'a> {
    RawFrame {
        function: symbols.strings.get(frame.function),
        file: symbols.strings.get(frame.file),
        line: frame.line,
        module: symbols.strings.get(frame.module),
    }
}

impl<'a> Naming<'a> {
    /// Names for `symbols`; `language` is what the format fixes (`rust`, `python`, `js`, `java`).
    /// Cost: one look at every frame.
    pub fn new(symbols: &'a Symbols, language: Option<&str>, paths: PathMap) -> Naming<'a> {
        let language = Language::of_format(language);
        let frames = symbols.frames.rows().iter().map(|f| raw(symbols, f));
        let context = Context::observe(frames, language, paths);
        Naming {
            symbols,
            context,
            cache: RefCell::new(vec![None; symbols.frames.len()]),
        }
    }

    /// The normalised form of a frame.
    pub fn frame(&self, id: FrameId) -> Rc<NormalFrame> {
        if let Some(Some(known)) = self.cache.borrow().get(id.index()) {
            return Rc::clone(known);
        }
        let normal = Rc::new(self.normalize(&self.symbols.frames.get(id)));
        if let Some(slot) = self.cache.borrow_mut().get_mut(id.index()) {
            *slot = Some(Rc::clone(&normal));
        }
        normal
    }

    /// The normalised form of a frame that is in no table, such as a group's.
    pub fn normalize(&self, frame: &Frame) -> NormalFrame {
        normalize_frame(&raw(self.symbols, frame), &self.context)
    }

    /// A file's name as it is shown: as captured, with the user's map of prefixes applied.
    pub fn file<'p>(&self, path: &'p str) -> std::borrow::Cow<'p, str> {
        self.context.paths.shown(path)
    }

    /// Index, root first, of the frame that a stack is named by.
    pub fn owner(&self, stack: StackId) -> Option<usize> {
        let frames: Vec<FrameId> = self.symbols.stacks.frames(stack).collect();
        owner(frames.iter().map(|&f| self.frame(f).class))
    }

    /// A number for the function and file that a stack is named by: equal for its call paths.
    pub fn owner_key(&self, stack: StackId) -> u64 {
        let frames: Vec<FrameId> = self.symbols.stacks.frames(stack).collect();
        let owner = self.owner(stack).or(frames.len().checked_sub(1));
        let Some(&id) = owner.and_then(|i| frames.get(i)) else {
            return u64::MAX;
        };
        let frame = self.symbols.frames.get(id);
        (frame.function.index() as u64) << 32 | frame.file.index() as u64
    }

    /// The ids of sites, in order. Sites that share a hash are ranked by the lines of their
    /// frames, then by position.
    ///
    /// Cost: one hash of the names of the user frames of every site.
    pub fn ids(&self, stacks: &[StackId]) -> Vec<SiteId> {
        let mut keys = FrameKeys::default();
        let hashes: Vec<u64> = stacks
            .iter()
            .map(|&s| self.stack_hash(s, &mut keys))
            .collect();
        let mut order: Vec<u32> = (0..stacks.len() as u32).collect();
        order.sort_by_key(|&i| (hashes[i as usize], i));
        let mut ids = vec![SiteId { hash: 0, rank: 1 }; stacks.len()];
        for group in order.chunk_by(|&a, &b| hashes[a as usize] == hashes[b as usize]) {
            let mut ranked: Vec<u32> = group.to_vec();
            if ranked.len() > 1 {
                ranked.sort_by_cached_key(|&i| (self.lines(stacks[i as usize]), i));
            }
            for (rank, &i) in ranked.iter().enumerate() {
                ids[i as usize] = SiteId {
                    hash: hashes[i as usize],
                    rank: rank as u32 + 1,
                };
            }
        }
        ids
    }

    /// The id of a group: its kind and the part of a frame that its members share, without line.
    pub fn group_id(&self, by: &str, frame: Frame) -> SiteId {
        let mut hash = Sha256::new();
        let text = |id: StrId| self.symbols.strings.get(id).as_bytes();
        let line = if by == "line" {
            frame.line.to_string()
        } else {
            String::new()
        };
        let normal = self.normalize(&frame);
        let function: &[u8] = if by.starts_with("label:") {
            text(frame.function)
        } else {
            normal.sym.as_bytes()
        };
        for part in [
            by.as_bytes(),
            function,
            normal.path.as_bytes(),
            text(frame.module),
            line.as_bytes(),
        ] {
            hash.update(part);
            hash.update([0]);
        }
        SiteId {
            hash: head(&hash.finalize()),
            rank: 1,
        }
    }

    fn lines(&self, stack: StackId) -> Vec<(u32, u32)> {
        let position = |f: FrameId| {
            let frame = self.symbols.frames.get(f);
            (frame.line, frame.column)
        };
        self.symbols.stacks.frames(stack).map(position).collect()
    }

    /// The head of SHA-256 over function and base name of the file of each user frame, root
    /// first; over all frames where none is the user's.
    fn stack_hash(&self, stack: StackId, keys: &mut FrameKeys) -> u64 {
        let mut hash = Sha256::new();
        let mut any = false;
        for id in self.symbols.stacks.frames(stack) {
            let (identity, bytes) = keys.of(id, self);
            if identity {
                any = true;
                hash.update(bytes);
            }
        }
        if !any {
            for id in self.symbols.stacks.frames(stack) {
                hash.update(keys.of(id, self).1);
            }
        }
        head(&hash.finalize())
    }
}

/// The bytes that a frame adds to a hash, made once per frame.
#[derive(Default)]
struct FrameKeys {
    known: FxHashMap<FrameId, (bool, Box<[u8]>)>,
}

impl FrameKeys {
    fn of(&mut self, id: FrameId, names: &Naming<'_>) -> (bool, &[u8]) {
        let (identity, bytes) = self.known.entry(id).or_insert_with(|| {
            let normal = names.frame(id);
            let mut bytes = Vec::with_capacity(normal.sym.len() + normal.file.len() + 2);
            bytes.extend_from_slice(normal.sym.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(normal.file.as_bytes());
            bytes.push(1);
            (normal.class.is_identity(), bytes.into_boxed_slice())
        });
        (*identity, bytes)
    }
}

fn head(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |n, &b| n << 8 | b as u64)
}
