//! What only a whole capture can tell about its frames.

use std::collections::{HashMap, HashSet};

use super::class::{CrateEvidence, crate_evidence};
use super::language::Votes;
use super::{Language, PathMap, RawFrame, demangle, frame_language, names, path, rust};

/// What a capture as a whole says about its frames: its language, which Rust crates are
/// libraries, which packages are the Go program's own, which scripts are minified, and which
/// paths would fall together. Build it once per capture with [`Context::observe`].
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub(super) language: Language,
    pub(super) paths: PathMap,
    pub(super) crates: HashMap<String, CrateEvidence>,
    pub(super) go_modules: Vec<String>,
    pub(super) minified: HashSet<String>,
    /// Some script of the program is named, not only those of the run time.
    pub(super) names_scripts: bool,
    pub(super) kept_paths: HashSet<String>,
    pub(super) user_prefixes: Vec<String>,
    pub(super) third_party_prefixes: Vec<String>,
}

impl Context {
    /// A context that knows the language and nothing else.
    pub fn new(language: Language) -> Context {
        Context {
            language,
            ..Context::default()
        }
    }

    /// Gathers what the frames of one capture say together. `language` is what the format fixes;
    /// [`Language::Unknown`] leaves it to the frames. Two passes over the frames, linear in their
    /// text; give each distinct frame once where that is known, repetitions change votes only.
    pub fn observe<'a, I>(frames: I, language: Language, paths: PathMap) -> Context
    where
        I: Iterator<Item = RawFrame<'a>> + Clone,
    {
        let mut context = Context {
            language,
            paths,
            ..Context::default()
        };
        if language == Language::Unknown {
            let mut votes = Votes::default();
            frames.clone().for_each(|frame| votes.add(&frame));
            context.language = votes.winner();
        }
        let mut portable: HashMap<String, String> = HashMap::new();
        let mut scripts: HashMap<String, HashSet<&'a str>> = HashMap::new();
        for frame in frames {
            let frame = frame.located();
            let plain = path::plain(frame.file, &context.paths);
            match frame_language(&frame, context.language) {
                Language::Rust => context.see_crate(&frame, &plain),
                Language::JavaScript if !plain.is_empty() => {
                    context.names_scripts |=
                        !plain.starts_with("node:") && !plain.contains("node_modules/");
                    scripts
                        .entry(plain.clone())
                        .or_default()
                        .insert(frame.function);
                }
                _ => {}
            }
            if !plain.is_empty() {
                context.see_path(plain, &mut portable);
            }
        }
        for (script, functions) in scripts {
            if is_minified(&functions) {
                context.minified.insert(script);
            }
        }
        context
    }

    /// The language of the capture.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The scripts whose names are assigned anew by every build, in order.
    pub fn minified_scripts(&self) -> Vec<String> {
        let mut scripts: Vec<String> = self.minified.iter().cloned().collect();
        scripts.sort();
        scripts
    }

    /// Names a module of the Go program; its packages are the user's also where a profile holds
    /// no file.
    pub fn with_go_module(mut self, module: impl Into<String>) -> Context {
        self.go_modules.push(module.into());
        self
    }

    /// Frames whose `sym` or file starts with this are the user's, whatever else is known.
    pub fn with_user_prefix(mut self, prefix: impl Into<String>) -> Context {
        self.user_prefixes.push(prefix.into());
        self
    }

    /// Frames whose `sym` or file starts with this are a library's.
    pub fn with_third_party_prefix(mut self, prefix: impl Into<String>) -> Context {
        self.third_party_prefixes.push(prefix.into());
        self
    }

    /// A path whose base name alone keeps `file` short may stand for two files of one capture
    /// once versions and hashes are gone: then both keep their full spelling.
    fn see_path(&mut self, plain: String, portable: &mut HashMap<String, String>) {
        let short = path::portable(&plain);
        match portable.get(&short) {
            None => {
                portable.insert(short, plain);
            }
            Some(first) if *first != plain => {
                self.kept_paths.insert(first.clone());
                self.kept_paths.insert(plain);
            }
            Some(_) => {}
        }
    }

    fn see_crate(&mut self, frame: &RawFrame<'_>, plain: &str) {
        let stripped = names::strip_decoration(frame.function);
        let demangled = demangle::demangle(stripped);
        let function = demangled.as_deref().unwrap_or(stripped);
        let home = rust::home(function);
        if let Some((name, evidence)) = crate_evidence(home, plain) {
            let entry = self.crates.entry(name.to_owned()).or_default();
            entry.library |= evidence.library;
            entry.program |= evidence.program;
            entry.main |= evidence.main;
        }
    }
}

/// A script whose names are mostly one or two letters long.
fn is_minified(functions: &HashSet<&str>) -> bool {
    let named: Vec<&&str> = functions
        .iter()
        .filter(|name| !name.is_empty() && !name.starts_with('('))
        .collect();
    let short = named
        .iter()
        .filter(|name| name.chars().count() <= 2)
        .count();
    named.len() > 5 && short * 2 >= named.len()
}
