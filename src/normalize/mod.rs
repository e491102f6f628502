//! Names that survive a rebuild.
//!
//! Two builds of one program spell the same function differently: other hashes, other mangling,
//! other numbers of closures, other versions in paths. [`normalize_frame`] turns one frame into
//! the spellings that later stages compare, from strict to lax ([`NormalFrame::deord`],
//! [`NormalFrame::sym`], [`NormalFrame::base`]), and says whose code it is
//! ([`NormalFrame::class`]). [`owner`] finds the frame that a stack is named by.
//!
//! Everything here is a pure function over strings: no state, no files, nothing of the rest of
//! the crate. What only the whole capture can tell (its language, which crates are libraries,
//! which scripts are minified) is gathered once in a [`Context`].
//!
//! Names are input and may be hostile: nothing recurses over them, every step is linear in their
//! length (up to a logarithm for nested brackets), demanglers see short names only and write into
//! a bounded buffer. A name that cannot be read is kept as it is.

mod brackets;
mod class;
mod context;
mod cpp;
mod demangle;
mod go;
mod language;
mod managed;
mod names;
mod naming;
mod path;
mod rust;
#[cfg(test)]
mod tests;

pub use context::Context;
pub(crate) use demangle::demangle;
pub use language::{detect_language, frame_language};
pub use naming::{Naming, SiteId};
pub use path::PathMap;

#[cfg(test)]
use class::lists_are_sorted as class_lists_are_sorted;

use names::Names;

/// The language a function is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Language {
    /// Rust, in legacy or v0 mangling.
    Rust,
    /// C and C++, which share stacks, objects and tools.
    Cpp,
    /// Go.
    Go,
    /// Python.
    Python,
    /// JavaScript and what compiles to it.
    JavaScript,
    /// Java and other languages of the Java virtual machine.
    Java,
    /// Ruby.
    Ruby,
    /// Nothing is known: names are compared as they are.
    #[default]
    Unknown,
}

/// A frame as a capture holds it; an empty text or a zero where a part is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawFrame<'a> {
    /// The function, mangled or not.
    pub function: &'a str,
    /// The source file: a path, a base name or a URL.
    pub file: &'a str,
    /// The line, from 1.
    pub line: u32,
    /// The executable or shared object.
    pub module: &'a str,
}

impl<'a> RawFrame<'a> {
    /// The frame with its file taken out of the name, if that is where the producer wrote it:
    /// `serve (ingest.c)` of folded stacks. A frame with a file is returned as it is.
    pub fn located(&self) -> RawFrame<'a> {
        if path::is_unknown(self.file)
            && let Some((function, file)) = names::split_location(self.function)
        {
            return RawFrame {
                function,
                file,
                ..*self
            };
        }
        *self
    }
}

/// Whose code a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameClass {
    /// The allocator or the profiler itself.
    Allocator,
    /// The language's run time and standard library.
    Glue,
    /// A library that the program uses.
    ThirdParty,
    /// The program.
    User,
}

impl FrameClass {
    /// Whether the frame takes part in a site's identity: allocator and glue frames are what a
    /// build changes, and are left out.
    pub fn is_identity(self) -> bool {
        matches!(self, FrameClass::ThirdParty | FrameClass::User)
    }
}

/// A frame in the spellings that survive a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalFrame {
    /// What a person reads: demangled, without hashes, long type lists shortened.
    pub display: String,
    /// The demangled name without hashes and ordinals; type and call arguments stay.
    pub deord: String,
    /// The qualified name without arguments.
    pub sym: String,
    /// The last component of `sym`.
    pub base: String,
    /// The base name of `path`, empty if unknown.
    pub file: String,
    /// The path without machine, registry and version, empty if unknown.
    pub path: String,
    /// Whose code it is.
    pub class: FrameClass,
    /// The function is unknown: two holes are never equal by name.
    pub hole: bool,
    /// The language the frame was read in.
    pub language: Language,
    /// The entry of the program or of a thread: a stack that starts here is not cut.
    pub root_function: bool,
    /// Newer versions of the language have no such frame (comprehensions of Python before 3.12):
    /// leave it out of the stack before equal stacks are added up.
    pub elided: bool,
}

/// Normalises one frame of a capture. Linear in the length of its texts.
pub fn normalize_frame(frame: &RawFrame<'_>, context: &Context) -> NormalFrame {
    let frame = &frame.located();
    let language = frame_language(frame, context.language);
    let plain = path::plain(frame.file, &context.paths);
    let place = names::is_place(frame.function, frame.module);
    let stripped = match place {
        true => frame.function,
        false => names::strip_decoration(frame.function),
    };
    let demangled = demangle::demangle(stripped);
    let function: &str = demangled.as_deref().unwrap_or(stripped);
    let anonymous_script = language == Language::JavaScript && !plain.is_empty();
    let hole = names::is_hole(function) && !(anonymous_script && function.is_empty());
    let mut names = if hole || place {
        Names::verbatim(function)
    } else {
        spell(function, language)
    };
    let path = if context.kept_paths.contains(&plain) {
        plain.clone()
    } else {
        path::portable(&plain)
    };
    let mut file = path::base_name(&path).to_owned();
    if language == Language::JavaScript && context.minified.contains(&plain) {
        // The names of a minified script mean something in that very script only.
        names.sym = format!("{} @ {plain}", names.sym);
        names.base = format!("{} @ {plain}", names.base);
        file = path::base_name(&plain).to_owned();
    }
    let module = path::slashes(frame.module);
    let facts = class::Facts {
        function,
        names: &names,
        file: &plain,
        module: &module,
        language,
        hole,
    };
    let class = if frame.function.ends_with("_[k]") && language != Language::Java {
        FrameClass::Glue
    } else {
        class::classify(&facts, context)
    };
    let root_function = !hole && class::is_root(&facts);
    let elided = language == Language::Python && managed::python_elided(function);
    let Names {
        display,
        deord,
        sym,
        base,
    } = names;
    NormalFrame {
        display,
        deord,
        sym,
        base,
        file,
        path,
        class,
        hole,
        language,
        root_function,
        elided,
    }
}

/// The spellings of a demangled function.
fn spell(function: &str, language: Language) -> Names {
    let names = match language {
        Language::Rust => rust::names(function),
        Language::Cpp => cpp::names(function),
        Language::Go => go::names(function),
        Language::Python => managed::python(function),
        Language::JavaScript => managed::javascript(function),
        Language::Java => managed::java(function),
        Language::Ruby => managed::ruby(function),
        Language::Unknown => Names::verbatim(function),
    };
    // Nothing but noise: then the noise is the name.
    let empty = names.sym.is_empty() || names.base.is_empty() || names.deord.is_empty();
    if empty {
        Names::verbatim(function)
    } else {
        names
    }
}

/// The index of the frame that a stack is named by, given its classes root first: of the
/// program's frames the one nearest the allocation, without any of them the library's, and `None`
/// if the stack holds nothing but the allocator and the run time. Linear, stops at the answer.
pub fn owner<I>(classes: I) -> Option<usize>
where
    I: IntoIterator<Item = FrameClass>,
    I::IntoIter: DoubleEndedIterator + ExactSizeIterator,
{
    let mut library = None;
    for (index, class) in classes.into_iter().enumerate().rev() {
        match class {
            FrameClass::User => return Some(index),
            FrameClass::ThirdParty => library = library.or(Some(index)),
            FrameClass::Allocator | FrameClass::Glue => {}
        }
    }
    library
}
