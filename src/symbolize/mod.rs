//! Names for code that a capture knows by its place in a file alone.
//!
//! `libfoo.so+0x1a2b` becomes the functions that were inlined there and the one that holds them,
//! with file and line, from program files of this machine or below a folder. Nothing is fetched.
//!
//! A file has to be the one that ran. Where the capture has a build id, the file must have the
//! same. Where it has none, the file is taken on trust of its path, which is said, and every
//! address has to stand behind a call there: in another build hardly one does.

mod calls;
mod elf;
mod find;
mod notes;

use crate::error::{Code, Error, Result};
use crate::input::ProgramFile;
use crate::model::{
    CodePlace, Counted, Frame, FrameId, Profile, ProfileBuilder, StackId, StrId, Symbols,
};
use elf::{Elf, Named, Sources};
use notes::{Notes, Trust};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

/// Of the addresses that the capture has in a file without a build id, so many in a hundred have
/// to stand behind a call. Trampolines of signals and hand-written code are the rest.
const BEHIND_CALLS: usize = 75;

/// What is known about one place.
#[derive(Debug, Clone, Default)]
struct Answer {
    frames: Vec<FrameId>,
    /// In which ways it lies in a call; none if the file does not show its code.
    calls: Option<u8>,
}

/// What became of a module.
#[derive(Debug)]
enum Outcome {
    /// A file holds it; the file's own build id.
    Found { path: String, build: String },
    /// There is a file, and it has another build id.
    OtherBuild { path: String, build: String },
    /// There is no such file.
    Missing,
}

#[derive(Debug)]
struct Module {
    outcome: Outcome,
    answers: FxHashMap<(Counted, u64), Answer>,
}

/// Looks up nameless frames; keeps what it found for the next capture of a comparison.
#[derive(Debug)]
pub struct Symbolizer {
    roots: Vec<PathBuf>,
    modules: FxHashMap<(StrId, StrId), Module>,
}

impl Symbolizer {
    /// Looks below `roots`, in order, each like the root of the machine that was profiled; a root
    /// may also be a program file itself.
    ///
    /// Errors: a root that does not exist.
    pub fn new(roots: &[PathBuf]) -> Result<Symbolizer> {
        for root in roots {
            if let Err(e) = std::fs::metadata(root) {
                let name = root.display().to_string();
                return Err(Error::io(Code::Unreadable, &name, &e)
                    .help("--symbolize=DIR names a folder that is like the root of the machine that was profiled"));
            }
        }
        Ok(Symbolizer {
            roots: roots.to_vec(),
            modules: FxHashMap::default(),
        })
    }

    /// The capture with names in place of the addresses that could be looked up, and notes that
    /// say what was found, what was refused, and why. To be called after each capture is read.
    ///
    /// Cost: the debug information of the units that hold the addresses, once for each module.
    /// Errors: sums that exceed 64 bits, when stacks become equal.
    pub fn apply(&mut self, mut profile: Profile, symbols: &mut Symbols) -> Result<Profile> {
        let wanted = wanted(&profile, symbols);
        if wanted.is_empty() {
            return Ok(profile);
        }
        let mut named: FxHashMap<FrameId, Vec<FrameId>> = FxHashMap::default();
        let mut notes = Notes::default();
        for (module, build, frames) in wanted {
            self.look_up(module, build, &frames, symbols);
            self.use_answers(module, build, &frames, symbols, &mut named, &mut notes);
        }
        profile.meta.notes.extend(notes.into_lines());
        if named.is_empty() {
            return Ok(profile);
        }
        rename(&profile, &named, symbols)
    }

    /// Finds the file of a module and looks up what is not known of it yet.
    fn look_up(
        &mut self,
        module: StrId,
        build: StrId,
        frames: &[(FrameId, CodePlace)],
        symbols: &mut Symbols,
    ) {
        let key = (module, build);
        let known = self.modules.get(&key);
        let mut unknown: Vec<(Counted, u64)> = frames
            .iter()
            .map(|(_, p)| (p.counted, p.offset))
            .filter(|p| !known.is_some_and(|m| m.answers.contains_key(p)))
            .collect();
        if unknown.is_empty() {
            return;
        }
        unknown.sort_unstable();
        unknown.dedup();
        let path = symbols.strings.get(module).to_owned();
        let build = symbols.strings.get(build).to_ascii_lowercase();
        let (outcome, answers) = self.open(&path, &build, &unknown, module, symbols);
        let entry = self.modules.entry(key).or_insert(Module {
            outcome: Outcome::Missing,
            answers: FxHashMap::default(),
        });
        entry.outcome = outcome;
        for (place, answer) in unknown.into_iter().zip(answers) {
            entry.answers.insert(place, answer);
        }
    }

    /// The first file that may be the module, and what it says of the places.
    fn open(
        &self,
        path: &str,
        build: &str,
        places: &[(Counted, u64)],
        module: StrId,
        symbols: &mut Symbols,
    ) -> (Outcome, Vec<Answer>) {
        let none = vec![Answer::default(); places.len()];
        let mut outcome = Outcome::Missing;
        for root in &self.roots {
            for candidate in find::programs(root, path, build) {
                let Some(file) = ProgramFile::open(&candidate) else {
                    continue;
                };
                let Some(program) = Elf::parse(&file) else {
                    continue;
                };
                let own = program.build();
                if is_build_id(build) && own != build {
                    if matches!(outcome, Outcome::Missing) {
                        outcome = Outcome::OtherBuild {
                            path: candidate.display().to_string(),
                            build: own,
                        };
                    }
                    continue;
                }
                let answers = self.ask(root, &candidate, program, places, module, symbols);
                let path = candidate.display().to_string();
                return (Outcome::Found { path, build: own }, answers);
            }
        }
        (outcome, none)
    }

    /// What a program, and the debug information that belongs to it, says of the places.
    fn ask(
        &self,
        root: &Path,
        path: &Path,
        program: Elf<'_>,
        places: &[(Counted, u64)],
        module: StrId,
        symbols: &mut Symbols,
    ) -> Vec<Answer> {
        let debug = match program.has_lines() {
            true => None,
            false => self.debug_file(root, path, &program),
        };
        let debug_elf = debug.as_ref().and_then(|(_, file)| Elf::parse(file));
        let holder = debug_elf.as_ref().unwrap_or(&program);
        let holder_path = debug.as_ref().map_or(path, |(p, _)| p.as_path());
        let shared = holder.alternative_link().and_then(|(link, id)| {
            find::by_alternative(root, holder_path, &link, &id)
                .iter()
                .filter_map(|p| ProgramFile::open(p))
                .find(|f| Elf::parse(f).is_some_and(|e| e.build() == id))
        });
        let shared_elf = shared.as_ref().and_then(Elf::parse);
        let addresses: Vec<Option<u64>> = places
            .iter()
            .map(|&(counted, offset)| program.address(counted, offset))
            .collect();
        let calls: Vec<Option<u8>> = addresses
            .iter()
            .map(|a| a.and_then(|a| program.calls(a)))
            .collect();
        let sources = Sources {
            program,
            debug: debug_elf,
            shared: shared_elf,
        };
        let known: Vec<u64> = addresses.iter().flatten().copied().collect();
        let mut names = sources.names(&known).into_iter();
        addresses
            .iter()
            .zip(calls)
            .map(|(address, calls)| {
                let named = address.and_then(|_| names.next()).unwrap_or_default();
                let frames = named.iter().map(|n| intern(n, module, symbols));
                Answer {
                    frames: frames.collect(),
                    calls,
                }
            })
            .collect()
    }

    /// The separate debug file of a program: by its build id, else by its debug link.
    fn debug_file(
        &self,
        root: &Path,
        path: &Path,
        program: &Elf<'_>,
    ) -> Option<(PathBuf, ProgramFile)> {
        let build = program.build();
        let mut candidates: Vec<(PathBuf, Option<u32>)> = Vec::new();
        for root in &self.roots {
            candidates.extend(find::by_build(root, &build).into_iter().map(|p| (p, None)));
        }
        if let Some(link) = program.debug_link() {
            let linked = find::by_link(root, path, &link.name);
            candidates.extend(linked.into_iter().map(|p| (p, Some(link.sum))));
        }
        candidates.into_iter().find_map(|(path, sum)| {
            let file = ProgramFile::open(&path)?;
            let elf = Elf::parse(&file)?;
            let own = elf.build();
            let fits = match sum {
                _ if !build.is_empty() && !own.is_empty() => own == build,
                Some(sum) => checksum(&file) == sum,
                None => false,
            };
            (fits && elf.has_lines()).then_some((path, file))
        })
    }

    /// Takes over what was found for one module of the capture, and says so.
    fn use_answers(
        &self,
        module: StrId,
        build: StrId,
        frames: &[(FrameId, CodePlace)],
        symbols: &Symbols,
        named: &mut FxHashMap<FrameId, Vec<FrameId>>,
        notes: &mut Notes,
    ) {
        let path = symbols.strings.get(module);
        let Some(known) = self.modules.get(&(module, build)) else {
            return;
        };
        notes.asked(frames.len());
        let (file, own) = match &known.outcome {
            Outcome::Missing => return notes.missing(path),
            Outcome::OtherBuild { path, build: own } => {
                return notes.other_build(path, own, symbols.strings.get(build));
            }
            Outcome::Found { path, build } => (path, build),
        };
        let sure = is_build_id(symbols.strings.get(build));
        let answer = |p: &CodePlace| known.answers.get(&(p.counted, p.offset));
        let seen: Vec<u8> = frames
            .iter()
            .filter_map(|(_, p)| answer(p)?.calls)
            .collect();
        // Of one capture all addresses lie in the same way.
        let of_kind = |kind: u8| seen.iter().filter(|&&c| c & kind != 0).count();
        let kind = calls::KINDS
            .into_iter()
            .rev()
            .max_by_key(|&kind| of_kind(kind))
            .unwrap_or(0);
        let behind = of_kind(kind);
        if !sure && behind * 100 < BEHIND_CALLS * seen.len() {
            return notes.no_calls(file, seen.len() - behind, seen.len());
        }
        let mut count = 0;
        for (frame, place) in frames {
            let Some(answer) = answer(place) else {
                continue;
            };
            let doubtful = !sure && answer.calls.is_some_and(|c| c & kind == 0);
            if !doubtful && !answer.frames.is_empty() {
                named.insert(*frame, answer.frames.clone());
                count += 1;
            }
        }
        let trust = match (sure, behind) {
            (true, _) => Trust::Build,
            (false, 0) => Trust::Path,
            (false, _) => Trust::Calls,
        };
        notes.found(path, own, trust, count);
    }
}

/// Whether the text is an id that a file can be held against. Go has ids of its own, which are
/// no hexadecimal numbers.
fn is_build_id(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The sum of a whole file that a debug link holds.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

type ByModule = Vec<(StrId, StrId, Vec<(FrameId, CodePlace)>)>;

/// The nameless frames of a capture, by module and build, in order of first appearance.
fn wanted(profile: &Profile, symbols: &Symbols) -> ByModule {
    let mut out: ByModule = Vec::new();
    if symbols.nameless.is_empty() {
        return out;
    }
    let mut position: FxHashMap<(StrId, StrId), usize> = FxHashMap::default();
    let mut seen = vec![false; symbols.frames.len()];
    for frame in profile
        .stacks
        .iter()
        .flat_map(|&s| symbols.stacks.frames(s))
    {
        if std::mem::replace(&mut seen[frame.index()], true) {
            continue;
        }
        let Some(place) = symbols.nameless.place(frame) else {
            continue;
        };
        // What the kernel maps into a process is no file.
        if symbols.strings.get(place.module).starts_with('[') {
            continue;
        }
        let at = *position
            .entry((place.module, place.build))
            .or_insert_with(|| {
                out.push((place.module, place.build, Vec::new()));
                out.len() - 1
            });
        out[at].2.push((frame, place));
    }
    out
}

fn intern(named: &Named, module: StrId, symbols: &mut Symbols) -> FrameId {
    let frame = Frame {
        function: symbols.strings.intern(&named.function),
        file: symbols.strings.intern(&named.file),
        module,
        line: named.line,
        column: 0,
        inlined: named.inlined,
    };
    symbols.frames.intern(frame)
}

/// The capture with frames replaced; rows whose stacks become equal are added up.
fn rename(
    profile: &Profile,
    named: &FxHashMap<FrameId, Vec<FrameId>>,
    symbols: &mut Symbols,
) -> Result<Profile> {
    let mut builder = ProfileBuilder::new(profile.metrics.clone());
    let mut values = vec![0i64; profile.columns.len()];
    let mut renamed: FxHashMap<StackId, StackId> = FxHashMap::default();
    let mut scratch: Vec<FrameId> = Vec::new();
    for row in 0..profile.len() {
        let old = profile.stacks[row];
        let stack = match renamed.get(&old) {
            Some(&stack) => stack,
            None => {
                scratch.clear();
                for frame in symbols.stacks.frames(old).rev() {
                    match named.get(&frame) {
                        Some(frames) => scratch.extend_from_slice(frames),
                        None => scratch.push(frame),
                    }
                }
                let stack = symbols.stacks.intern_leaf_first(&scratch);
                renamed.insert(old, stack);
                stack
            }
        };
        for (value, column) in values.iter_mut().zip(&profile.columns) {
            *value = column.get(row);
        }
        builder.add_labelled(stack, profile.labels_of(row), &values)?;
    }
    Ok(builder.finish(profile.meta.clone()))
}
