//! What types and labels mean to the analyses: which types are the program's own, which names
//! stand for a container's content, which references are worth cutting.

use super::types;
use crate::model::{EdgeKind, HeapGraph, LabelId, Role, Symbols, TypeId};

/// The label between a module or class and the dictionary of its names.
pub const NAMESPACE: &str = "__dict__";

/// What V8 calls the variables of a function.
pub const CONTEXT: &str = "system / Context";

/// The label of everything that a container holds.
pub const STAR: u32 = u32::MAX;

/// How near a type is to the program's own code; the lowest names a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// A class of the program.
    Application,
    /// A class of a library or of the runtime.
    Library,
    /// An exception of the runtime.
    Exception,
    /// A closure, a generator.
    Code,
    /// A list, a map, a set.
    Container,
    /// A frame, a traceback.
    Frame,
    /// All else.
    Other,
}

/// An object with as many properties that no other has is a map.
const MANY_KEYS: usize = 64;
/// An object with as many that lead to objects of one class of the program is a map as well.
const FEW_KEYS: usize = 4;

/// What is known of one type.
#[derive(Debug, Clone, Copy)]
pub struct TypeWords {
    /// What its objects are.
    pub role: Role,
    /// How near to the program.
    pub near: Nearness,
    /// Whether objects of this type that refer to each other are a list or a tree of links: not
    /// so where a type says nothing, as `Object` of JavaScript.
    pub links: bool,
    /// Whether a name is missing that would tell one from another: `Object` of JavaScript.
    pub plain: bool,
    /// Whether they are the variables of a JavaScript function.
    pub context: bool,
    /// Whether they are of the JavaScript engine: shapes of objects, code, cells of finalizers.
    pub engine: bool,
}

/// What is known of one label.
#[derive(Debug, Clone, Copy)]
pub struct LabelWords {
    /// How it holds.
    pub kind: EdgeKind,
    /// The label it is counted under: itself, or [`STAR`].
    pub plain: u32,
    /// Whether it is followed only when no other way is left.
    pub low: bool,
    /// Whether it may be a user's data, and is not to be printed.
    pub private: bool,
}

/// Traits of every type and label of a comparison. Built once a capture; 4 and 8 bytes an entry.
#[derive(Debug, Default)]
pub struct Words {
    types: Vec<TypeWords>,
    labels: Vec<LabelWords>,
}

impl Words {
    /// The words of all names read so far, in a `runtime`.
    pub fn new(symbols: &Symbols, runtime: &str) -> Words {
        let mut words = Words::default();
        words.extend(symbols, runtime);
        words
    }

    /// Adds those of names that have come since.
    pub fn extend(&mut self, symbols: &Symbols, runtime: &str) {
        for info in &symbols.graph.types()[self.types.len()..] {
            let name = symbols.strings.get(info.name);
            self.types.push(TypeWords {
                role: info.role,
                near: nearness(runtime, name, info.role),
                links: links(runtime, name, info.role),
                plain: name == "Object",
                context: name == CONTEXT,
                engine: is_engine(runtime, name, info.role),
            });
        }
        for (i, info) in symbols.graph.labels().iter().enumerate() {
            if i < self.labels.len() {
                continue;
            }
            let name = symbols.strings.get(info.name);
            let bounded = is_bounded(info.kind, name);
            let kind = info.kind;
            let bookkeeping = matches!(
                kind,
                EdgeKind::Struct | EdgeKind::Soft | EdgeKind::Final | EdgeKind::Frame
            );
            self.labels.push(LabelWords {
                kind: info.kind,
                plain: if bounded { i as u32 } else { STAR },
                // A module reaches its globals through its dictionary.
                low: bookkeeping && name != NAMESPACE,
                private: false,
            });
        }
    }

    /// Tells names that may be data: those of a plain JavaScript object that is used as a map, with
    /// many properties that no other object of the capture has, or with some that lead to objects
    /// of one class of the program.
    ///
    /// One pass over references; 4 bytes a label.
    pub fn hide_keys(&mut self, graph: &HeapGraph, symbols: &Symbols) {
        let plain = |t: u32| {
            let info = symbols.graph.types().get(t as usize);
            info.is_some_and(|i| symbols.strings.get(i.name) == "Object")
        };
        let maps: Vec<bool> = (0..self.types.len() as u32).map(plain).collect();
        if !maps.contains(&true) {
            return;
        }
        let mut uses = vec![0u32; self.labels.len()];
        for &l in graph.labels() {
            uses[l as usize] = uses[l as usize].saturating_add(1);
        }
        for v in 0..graph.len() as u32 {
            let row = graph.row(v);
            if !maps[graph.type_of(v).0 as usize] || row.len() < FEW_KEYS {
                continue;
            }
            let key =
                |l: u32| self.labels[l as usize].kind == EdgeKind::Attr && uses[l as usize] == 1;
            let label = |e: usize| graph.labels()[e];
            let mut keys: Vec<(u32, u32)> = row
                .filter(|&e| key(label(e)))
                .map(|e| (graph.type_of(graph.targets()[e]).0, label(e)))
                .collect();
            let many = keys.len() >= MANY_KEYS;
            keys.sort_unstable();
            for same in keys.chunk_by(|a, b| a.0 == b.0) {
                let near = self.types[same[0].0 as usize].near;
                if many || same.len() >= FEW_KEYS && near == Nearness::Application {
                    for &(_, l) in same {
                        self.labels[l as usize].private = true;
                    }
                }
            }
        }
    }

    /// What is known of a type.
    #[inline]
    pub fn of_type(&self, t: TypeId) -> TypeWords {
        self.types[t.0 as usize]
    }

    /// What is known of a label.
    #[inline]
    pub fn of_label(&self, l: LabelId) -> LabelWords {
        self.labels[l.0 as usize]
    }

    /// Whether a reference takes part in cycles worth naming.
    #[inline]
    pub fn ties(&self, label: u32) -> bool {
        !matches!(
            self.labels[label as usize].kind,
            EdgeKind::Struct | EdgeKind::Soft | EdgeKind::Final
        )
    }

    /// Whether a reference is followed only when no other way is left.
    #[inline]
    pub fn is_low(&self, label: u32) -> bool {
        self.labels[label as usize].low
    }

    /// Whether objects of a type take part in cycles worth naming.
    #[inline]
    pub fn may_cycle(&self, t: TypeId) -> bool {
        !matches!(
            self.of_type(t).role,
            Role::Module | Role::Type | Role::Namespace | Role::Native
        )
    }
}

fn nearness(runtime: &str, name: &str, role: Role) -> Nearness {
    match role {
        Role::Map | Role::List | Role::Set => match types::is_own(runtime, name) {
            // A subclass of a container is as much the program's as any other class.
            true => Nearness::Application,
            false => Nearness::Container,
        },
        Role::Instance | Role::Exception | Role::Other if types::is_own(runtime, name) => {
            Nearness::Application
        }
        Role::Exception => Nearness::Exception,
        Role::Instance | Role::Library | Role::Weakref => Nearness::Library,
        Role::Closure | Role::Function | Role::Generator => Nearness::Code,
        Role::Frame | Role::Traceback => Nearness::Frame,
        _ => Nearness::Other,
    }
}

/// Whether a type is the JavaScript engine's own.
fn is_engine(runtime: &str, name: &str, role: Role) -> bool {
    let of_v8 = matches!(runtime, "v8" | "node" | "chrome" | "javascript");
    of_v8 && (role == Role::Native || matches!(name, "(array)" | "system / WeakCell"))
}

/// Whether objects of a type that refer to each other are links. Containers are content, but for
/// the entries of Java's maps.
fn links(runtime: &str, name: &str, role: Role) -> bool {
    let entry = matches!(runtime, "jvm" | "art") && !name.ends_with("[]");
    name != "Object" && !role.is_code() && (!role.is_container() || entry)
}

/// Whether a label is one of few: content of containers is not, and neither is a name that
/// carries a number or is no identifier, as of an object that is used as a map.
fn is_bounded(kind: EdgeKind, name: &str) -> bool {
    if matches!(kind, EdgeKind::Item | EdgeKind::Key | EdgeKind::Elem) {
        return false;
    }
    if kind != EdgeKind::Attr {
        return true;
    }
    let name = name.strip_prefix('.').unwrap_or(name);
    let word =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '#' | '<' | '>' | ' ');
    let digits = name.chars().filter(char::is_ascii_digit).count();
    !name.is_empty() && name.len() <= 64 && name.chars().all(word) && digits < 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_bound_are_one() {
        assert!(is_bounded(EdgeKind::Attr, ".last_error2"));
        assert!(!is_bounded(EdgeKind::Attr, ".user-17"));
        assert!(!is_bounded(EdgeKind::Attr, "20240105"));
        assert!(!is_bounded(EdgeKind::Item, "[config]"));
        assert!(is_bounded(EdgeKind::Local, "local:self"));
    }
}
