//! The frames of one side in the spellings that tiers compare, each text one number.

use crate::model::{Frame, FrameId, Strings, Symbols};
use crate::normalize::{Context, FrameClass, Language, PathMap, RawFrame, normalize_frame};
use rustc_hash::FxHashMap;

/// What a frame is, besides its names.
pub(super) mod flag {
    /// The allocator or the profiler.
    pub const ALLOCATOR: u16 = 1;
    /// The program's or a library's: part of a site's identity.
    pub const USER: u16 = 2;
    /// Without a name to match by.
    pub const HOLE: u16 = 4;
    /// A stack that starts here is complete.
    pub const ROOT: u16 = 8;
    /// Newer versions of the language have no such frame.
    pub const ELIDED: u16 = 16;
    /// A part of a function that the compiler put elsewhere.
    pub const PART: u16 = 32;
    /// C or C++.
    pub const CPP: u16 = 64;
    /// The format names no functions; the file stands for the name.
    pub const UNNAMED: u16 = 128;
    /// A name of several components: a path of modules.
    pub const QUALIFIED: u16 = 256;
    /// Compiled to native code, whose tools keep so many frames of a stack.
    pub const NATIVE: u16 = 1024;
    /// The frame is in a stack of this side.
    pub const SEEN: u16 = 512;
}

/// One frame of one side. Equal numbers are equal texts on both sides.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Form {
    /// The name without ordinals.
    pub deord: u32,
    /// The qualified name without arguments.
    pub sym: u32,
    /// `deord` for C++, where arguments tell overloads apart; `sym` elsewhere.
    pub strict: u32,
    /// The last component.
    pub base: u32,
    /// The file as captured.
    pub raw_file: u32,
    /// The file without machine and version.
    pub path: u32,
    /// The file's name, with as many directories as tell it apart from others on either side.
    pub file: u32,
    /// Line and column; 0 where unknown.
    pub position: u64,
    /// The function in the line map.
    pub group: u32,
    /// See [`flag`].
    pub flags: u16,
}

impl Form {
    pub fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub fn line(&self) -> u32 {
        (self.position >> 32) as u32
    }
}

pub(super) const NONE: u32 = u32::MAX;

/// The forms of both sides, base side first, indexed by frame.
#[derive(Debug)]
pub(super) struct Forms {
    pub of: [Vec<Form>; 2],
    pub texts: Strings,
    /// Whether a side's scripts are minified: their names.
    pub minified: [Vec<String>; 2],
    /// For each side and text: whether it is a `sym` or a `file` of a user frame there.
    pub known: [Vec<u8>; 2],
}

/// The bits of [`Forms::known`].
pub(super) const KNOWN_SYM: u8 = 1;
pub(super) const KNOWN_FILE: u8 = 2;

fn raw<'a>(symbols: &'a Symbols, frame: &Frame) -> RawFrame<'a> {
    RawFrame {
        function: symbols.strings.get(frame.function),
        file: symbols.strings.get(frame.file),
        line: frame.line,
        module: symbols.strings.get(frame.module),
    }
}

impl Forms {
    /// Normalises the frames that `seen` marks, those of each side in a context of their own.
    /// Cost: each frame once a side, linear in its text.
    pub fn new(
        symbols: &Symbols,
        seen: &[Vec<bool>; 2],
        language: Language,
        paths: &PathMap,
    ) -> Forms {
        let mut forms = Forms {
            of: [Vec::new(), Vec::new()],
            texts: Strings::default(),
            minified: [Vec::new(), Vec::new()],
            known: [Vec::new(), Vec::new()],
        };
        for side in 0..2 {
            forms.read_side(symbols, &seen[side], side, language, paths);
        }
        forms.drop_columns_of_one_side();
        forms.fill_holes();
        forms.name_files();
        forms.note_known();
        forms
    }

    fn read_side(
        &mut self,
        symbols: &Symbols,
        seen: &[bool],
        side: usize,
        language: Language,
        paths: &PathMap,
    ) {
        let rows = symbols.frames.rows();
        let frames = rows
            .iter()
            .zip(seen)
            .filter(|(_, seen)| **seen)
            .map(|(f, _)| raw(symbols, f));
        let context = Context::observe(frames, language, paths.clone());
        self.minified[side] = context.minified_scripts();
        let nameless = context.language() == Language::Python
            && rows
                .iter()
                .zip(seen)
                .all(|(f, seen)| !seen || f.function.is_empty());
        let texts = &mut self.texts;
        let mut out = vec![Form::default(); rows.len()];
        for (id, (frame, _)) in rows.iter().zip(seen).enumerate().filter(|(_, (_, s))| **s) {
            let raw = raw(symbols, frame);
            let normal = normalize_frame(&raw, &context);
            let mut id_of = |text: &str| texts.intern(text).index() as u32;
            let raw_file = id_of(raw.file);
            let path = id_of(&normal.path);
            let mut form = Form {
                raw_file,
                path,
                file: id_of(&normal.file),
                position: (frame.line as u64) << 32 | frame.column as u64,
                group: NONE,
                flags: flag::SEEN,
                ..Form::default()
            };
            let mut mark = |on: bool, bit: u16| form.flags |= if on { bit } else { 0 };
            let cpp = normal.language == Language::Cpp;
            let native = matches!(
                normal.language,
                Language::Rust | Language::Cpp | Language::Go
            );
            mark(native, flag::NATIVE);
            mark(normal.class == FrameClass::Allocator, flag::ALLOCATOR);
            mark(normal.class.is_identity(), flag::USER);
            mark(normal.root_function, flag::ROOT);
            mark(normal.elided, flag::ELIDED);
            mark(cpp, flag::CPP);
            mark(
                cpp && is_part_of_another(symbols.strings.get(frame.function)),
                flag::PART,
            );
            mark(
                normal.sym.contains("::") || normal.sym.contains('.'),
                flag::QUALIFIED,
            );
            if nameless && !raw.file.is_empty() {
                mark(true, flag::UNNAMED);
                mark(true, flag::USER);
            } else if normal.hole {
                // A name that no other frame has: two unknown functions are never equal.
                mark(true, flag::HOLE);
                let own = id_of(&format!("\u{1}{side} {id}"));
                (form.deord, form.sym, form.strict, form.base) = (own, own, own, own);
            } else {
                form.deord = id_of(&normal.deord);
                form.sym = id_of(&normal.sym);
                form.base = id_of(&normal.base);
                form.strict = if cpp { form.deord } else { form.sym };
            }
            out[id] = form;
        }
        self.of[side] = out;
    }

    /// A column is compared only where both sides know columns.
    fn drop_columns_of_one_side(&mut self) {
        let has = |forms: &[Form]| forms.iter().any(|f| f.position as u32 != 0);
        if has(&self.of[0]) != has(&self.of[1]) {
            for form in self.of.iter_mut().flatten() {
                form.position &= !0xffff_ffff;
            }
        }
    }

    /// An unknown function of C or C++ with file and line takes the name that is known for that
    /// place, on either side, if there is only one.
    fn fill_holes(&mut self) {
        let needs =
            |f: &Form| f.is(flag::HOLE) && f.is(flag::CPP) && f.line() != 0 && f.raw_file != 0;
        if !self.of.iter().flatten().any(needs) {
            return;
        }
        let mut names: FxHashMap<(u32, u32), Option<Form>> = FxHashMap::default();
        for form in self.of.iter().flatten() {
            if form.is(flag::SEEN) && !form.is(flag::HOLE) && form.line() != 0 {
                let slot = names
                    .entry((form.raw_file, form.line()))
                    .or_insert(Some(*form));
                if slot.is_some_and(|known| known.deord != form.deord) {
                    *slot = None;
                }
            }
        }
        for form in self.of.iter_mut().flatten().filter(|f| needs(f)) {
            if let Some(Some(named)) = names.get(&(form.raw_file, form.line())) {
                (form.deord, form.sym, form.strict, form.base) =
                    (named.deord, named.sym, named.strict, named.base);
                form.flags &= !(flag::HOLE | flag::USER | flag::ALLOCATOR);
                form.flags |= named.flags & (flag::USER | flag::ALLOCATOR);
            }
        }
    }

    /// Gives files that share a base name on one side as many directories, on both sides, as tell
    /// them apart.
    fn name_files(&mut self) {
        // Base name to the paths that end in it, per side.
        let mut paths: FxHashMap<u32, [Vec<u32>; 2]> = FxHashMap::default();
        for (side, forms) in self.of.iter().enumerate() {
            for form in forms.iter().filter(|f| f.file != 0) {
                paths.entry(form.file).or_default()[side].push(form.path);
            }
        }
        let mut renamed: FxHashMap<u32, u32> = FxHashMap::default();
        for (_, mut sides) in paths {
            for list in &mut sides {
                list.sort_unstable();
                list.dedup();
            }
            if sides.iter().all(|list| list.len() < 2) {
                continue;
            }
            let text = |id: &u32| self.texts.at(*id);
            let depth = (1..=MAX_DIRECTORIES).find(|&n| {
                sides.iter().all(|list| {
                    let mut tails: Vec<&str> = list.iter().map(|p| tail(text(p), n)).collect();
                    tails.sort_unstable();
                    tails.windows(2).all(|w| w[0] != w[1])
                })
            });
            let depth = depth.unwrap_or(MAX_DIRECTORIES);
            for path in sides.iter().flatten() {
                let name = tail(self.texts.at(*path), depth).to_owned();
                renamed.insert(*path, self.texts.intern(&name).index() as u32);
            }
        }
        for form in self.of.iter_mut().flatten() {
            if let Some(&name) = renamed.get(&form.path) {
                form.file = name;
            }
        }
    }

    fn note_known(&mut self) {
        for side in 0..2 {
            let mut known = vec![0u8; self.texts.len()];
            for form in self.of[side].iter().filter(|f| f.is(flag::USER)) {
                known[form.sym as usize] |= KNOWN_SYM;
                known[form.file as usize] |= KNOWN_FILE;
            }
            self.known[side] = known;
        }
    }

    /// Whether user frames of both sides have this text as `bit` says.
    pub fn on_both(&self, text: u32, bit: u8) -> bool {
        self.known
            .iter()
            .all(|k| k.get(text as usize).is_some_and(|b| b & bit != 0))
    }

    pub fn get(&self, side: usize, frame: FrameId) -> &Form {
        &self.of[side][frame.index()]
    }

    pub fn text(&self, id: u32) -> &str {
        self.texts.at(id)
    }
}

/// Directories that tell files of one name apart, at most.
const MAX_DIRECTORIES: usize = 16;

/// The last `n + 1` components of a path.
fn tail(path: &str, n: usize) -> &str {
    match path.rmatch_indices('/').nth(n) {
        Some((at, _)) => &path[at + 1..],
        None => path,
    }
}

/// A part that GCC split off and placed elsewhere (`.part.0`, `.cold`), in a raw or demangled name.
fn is_part_of_another(function: &str) -> bool {
    function.contains(".part.") || function.contains(".cold")
}
