//! Which language a frame is written in.

use super::path::{base_name, is_unknown};
use super::{Language, RawFrame};

/// The language of one frame: its file's, else what only one language spells so, else that of
/// the capture. Linear in the lengths of name and file.
pub fn frame_language(frame: &RawFrame<'_>, capture_language: Language) -> Language {
    let frame = frame.located();
    by_file(frame.file, capture_language)
        .or_else(|| by_mangling(frame.function))
        .unwrap_or(capture_language)
}

/// The language of most frames; [`Language::Unknown`] if none shows one. Frames that are in every
/// native process (the C start-up code, the allocator) weigh less than others: a Rust capture has
/// C frames at both ends of its stacks. Linear in the text of the frames.
pub fn detect_language<'a>(frames: impl IntoIterator<Item = RawFrame<'a>>) -> Language {
    let mut votes = Votes::default();
    for frame in frames {
        votes.add(&frame);
    }
    votes.winner()
}

const ALL: [Language; 7] = [
    Language::Rust,
    Language::Cpp,
    Language::Go,
    Language::Python,
    Language::JavaScript,
    Language::Java,
    Language::Ruby,
];

/// Votes of frames for the language of their capture.
#[derive(Debug, Clone, Default)]
pub(super) struct Votes {
    counts: [u64; 7],
    go_runtime: bool,
}

impl Votes {
    pub(super) fn add(&mut self, frame: &RawFrame<'_>) {
        let frame = frame.located();
        self.go_runtime |= frame.function.starts_with("runtime.");
        let assumed = if self.go_runtime {
            Language::Go
        } else {
            Language::Cpp
        };
        let by_file = by_file(frame.file, assumed);
        let Some(language) = by_file.or_else(|| by_name(frame.function)) else {
            return;
        };
        let weight = if by_file.is_some() { 4 } else { 3 };
        if let Some(index) = ALL.iter().position(|&one| one == language) {
            self.counts[index] += weight;
        }
    }

    pub(super) fn winner(&self) -> Language {
        // The first of equals; a runtime written in C must not outvote what runs on it.
        let mut counts = self.counts;
        if self
            .counts
            .iter()
            .enumerate()
            .any(|(index, &count)| index != 1 && count > 0)
        {
            counts[1] = counts[1].div_ceil(3);
        }
        let mut best = (0, Language::Unknown);
        for (&count, &language) in counts.iter().zip(&ALL) {
            if count > best.0 {
                best = (count, language);
            }
        }
        best.1
    }
}

/// The language of a file by its extension; assembly belongs to the language around it.
fn by_file(file: &str, around: Language) -> Option<Language> {
    if is_unknown(file) {
        return None;
    }
    let file = &file[..file.find('?').unwrap_or(file.len())];
    if file.starts_with("node:") {
        return Some(Language::JavaScript);
    }
    if file.starts_with("<frozen ") {
        return Some(Language::Python);
    }
    if file.starts_with("<internal:") {
        return Some(Language::Ruby);
    }
    let name = base_name(file);
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "rs" => Language::Rust,
        "c" | "cc" | "cpp" | "cxx" | "c++" | "C" | "h" | "hh" | "hpp" | "hxx" | "tcc" | "ipp"
        | "inl" | "cu" | "m" | "mm" | "cppm" | "ixx" => Language::Cpp,
        "go" => Language::Go,
        "s" | "S" | "asm" => match around {
            Language::Go => Language::Go,
            _ => Language::Cpp,
        },
        "py" | "pyx" | "pxd" | "pxi" | "pyc" | "ipynb" => Language::Python,
        "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" | "vue" | "svelte" => {
            Language::JavaScript
        }
        "java" | "kt" | "kts" | "scala" | "groovy" | "clj" => Language::Java,
        "rb" | "erb" | "rake" => Language::Ruby,
        _ => return None,
    })
}

/// Whether a file name has the extension of a source file.
pub(super) fn is_source(file: &str) -> bool {
    by_file(file, Language::Unknown).is_some()
}

/// Names that only one language's compiler writes.
fn by_mangling(name: &str) -> Option<Language> {
    if name.starts_with("_R") && name.len() > 4 && name.as_bytes()[2].is_ascii_uppercase() {
        return Some(Language::Rust);
    }
    if name.starts_with("_ZN") && has_hash(name, "17h", "E") {
        return Some(Language::Rust);
    }
    if name.starts_with("_Z") || name.starts_with("__Z") {
        return Some(Language::Cpp);
    }
    if name.contains("{{closure}}") || name.contains("{closure#") || has_hash(name, "::h", "") {
        return Some(Language::Rust);
    }
    None
}

/// Whether 16 hexadecimal digits stand at the end behind `mark`, before `tail`.
fn has_hash(name: &str, mark: &str, tail: &str) -> bool {
    let name = name.find(".llvm.").map_or(name, |at| &name[..at]);
    let Some(name) = name.strip_suffix(tail) else {
        return false;
    };
    name.len()
        .checked_sub(16 + mark.len())
        .and_then(|at| name.get(at..))
        .and_then(|end| end.strip_prefix(mark))
        .is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What the spelling of a name says about its language.
pub(super) fn by_name(name: &str) -> Option<Language> {
    if let Some(language) = by_mangling(name) {
        return Some(language);
    }
    if name.contains("$$Lambda") || name.contains("LambdaForm$") {
        return Some(Language::Java);
    }
    if name.contains("operator")
        || name.contains(" [clone ")
        || name.contains("(anonymous namespace)")
        || name.contains("{lambda(")
        || name.contains("<lambda(")
        || name.starts_with("std::__")
        || name.contains("std::allocator<")
    {
        return Some(Language::Cpp);
    }
    if name.contains("::") {
        let rust = name.contains(" as ") && name.contains(">::")
            || name.contains("::<")
            || [
                "core::",
                "alloc::",
                "std::rt::",
                "std::io::",
                "std::panicking::",
                "__rustc::",
            ]
            .iter()
            .any(|head| name.starts_with(head) || name.starts_with(&format!("<{head}")));
        if rust {
            return Some(Language::Rust);
        }
        return name.ends_with([')', 't']).then_some(name).and_then(|name| {
            (name.ends_with(')') || name.ends_with(") const")).then_some(Language::Cpp)
        });
    }
    if matches!(
        name,
        "<module>" | "<genexpr>" | "<listcomp>" | "<lambda>" | "<dictcomp>"
    ) {
        return Some(Language::Python);
    }
    if matches!(
        name,
        "(root)" | "(program)" | "(garbage collector)" | "(V8 API)"
    ) {
        return Some(Language::JavaScript);
    }
    if go_shape(name) {
        return Some(Language::Go);
    }
    if name.starts_with("java.")
        || name.starts_with("java/")
        || name.contains('$') && name.contains(['.', '/']) && !name.contains([' ', '('])
    {
        return Some(Language::Java);
    }
    if name.ends_with(')') && !name.starts_with('(') && name.contains('(') {
        return Some(Language::Cpp);
    }
    None
}

/// `pkg.(*T).M`, `pkg.F.func1`, `host/path.F`, `runtime.mallocgc`, `main.main`.
fn go_shape(name: &str) -> bool {
    if name.contains([' ', ':', '$', '<']) && !name.contains('[') {
        return false;
    }
    if name.contains(".(*") || name.starts_with("runtime.") || name.starts_with("main.") {
        return true;
    }
    if let Some((_, last)) = name.rsplit_once('.')
        && let Some(number) = last.strip_prefix("func")
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return true;
    }
    let Some(slash) = name.rfind('/') else {
        return false;
    };
    // `a/b.F` with a lower-case last element; Java writes `a/b/C.m`.
    name[slash + 1..].contains('.')
        && name[slash + 1..]
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase())
        && !name.starts_with('/')
}
