//! Whose code a frame is: the allocator's, the language's, a library's or the user's.

mod managed;
mod native;
mod place;
mod rust;

use super::names::Names;
use super::{Context, FrameClass, Language};
use crate::model::ARENA;

/// What the rules look at: one frame, already normalised.
pub(super) struct Facts<'a> {
    /// The function as the producer wrote it, demangled and without decoration.
    pub function: &'a str,
    pub names: &'a Names,
    /// Slashes unified and mapped, but with registries, versions and machines still in it.
    pub file: &'a str,
    pub module: &'a str,
    pub language: Language,
    pub hole: bool,
}

impl Facts<'_> {
    /// The file's last component.
    fn base(&self) -> &str {
        super::path::base_name(self.file)
    }

    fn has_file(&self) -> bool {
        !self.file.is_empty()
    }

    /// The module's last component.
    fn object(&self) -> &str {
        super::path::base_name(self.module)
    }
}

/// The class of a frame. Linear in its text.
pub(super) fn classify(facts: &Facts<'_>, context: &Context) -> FrameClass {
    let named = |prefixes: &[String]| {
        prefixes.iter().any(|prefix| {
            facts.names.sym.starts_with(prefix.as_str()) || facts.file.starts_with(prefix.as_str())
        })
    };
    if named(&context.user_prefixes) {
        return FrameClass::User;
    }
    if named(&context.third_party_prefixes) {
        return FrameClass::ThirdParty;
    }
    if facts.function == ARENA {
        return FrameClass::Allocator;
    }
    match facts.language {
        Language::Rust => rust::classify(facts, context),
        Language::Cpp | Language::Unknown => native::classify(facts, context.language),
        Language::Go => managed::go(facts, context),
        Language::Python => managed::python(facts),
        Language::JavaScript => managed::javascript(facts, context),
        Language::Java => managed::java(facts),
        Language::Ruby => managed::ruby(facts),
    }
}

/// Whether a stack that starts with this frame is complete: the program's or a thread's entry.
pub(super) fn is_root(facts: &Facts<'_>) -> bool {
    let sym = facts.names.sym.as_str();
    let native = !matches!(
        facts.language,
        Language::Python | Language::JavaScript | Language::Ruby
    );
    if native && (native::is_entry(sym) || native::is_process_start(sym, facts.base())) {
        return true;
    }
    match facts.language {
        Language::Rust => rust::is_root(sym),
        Language::Go => matches!(
            sym,
            "main.main"
                | "runtime.main"
                | "runtime.goexit"
                | "runtime.mstart"
                | "runtime.mstart1"
                | "runtime.mcall"
                | "runtime.rt0_go"
                | "runtime.systemstack"
                | "runtime.morestack"
        ),
        Language::Python => matches!(
            facts.names.base.as_str(),
            "<module>" | "_bootstrap" | "_bootstrap_inner" | "_run_module_as_main" | "_run_code"
        ),
        Language::JavaScript => matches!(sym, "(root)" | "(program)"),
        Language::Java => {
            facts.names.base == "main" || matches!(sym, "java.lang.Thread.run" | "run")
        }
        Language::Ruby => sym == "<main>" || sym == "<top (required)>",
        Language::Cpp | Language::Unknown => false,
    }
}

pub(super) use place::{CrateEvidence, crate_evidence};

/// Whether the lists that are searched by halves are in order.
#[cfg(test)]
pub(super) fn lists_are_sorted() -> bool {
    rust::LIBRARIES.is_sorted()
        && place::STD_DIRECTORIES.is_sorted()
        && managed::GO_STD.is_sorted()
        && managed::JS_BUILTINS.is_sorted()
}
