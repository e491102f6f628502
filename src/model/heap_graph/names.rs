//! The names of an object graph: types with their roles, and labels of references. One table for
//! all captures of a comparison, so that equal types and labels are equal integers.

use crate::model::strings::{StrId, Strings};
use rustc_hash::FxHashMap;

/// Handle of a type in [`GraphNames`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TypeId(pub u32);

/// Handle of a label, a name with a kind, in [`GraphNames`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LabelId(pub u32);

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The word in files.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The variant of a word; none for a word that is not known.
            pub fn of(word: &[u8]) -> Option<Self> {
                $(if word == $word.as_bytes() { return Some($name::$variant); })*
                None
            }
        }
    };
}
pub(super) use words;

words! {
    /// What an object is to its program.
    Role {
        /// Not said.
        #[default]
        Other = "other",
        /// An object of a class of the program, or of a library where that is not known.
        Instance = "instance",
        /// An object of a class of a library, told by where its source lies.
        Library = "library",
        /// A module or package.
        Module = "module",
        /// A class or type.
        Type = "type",
        /// A function or method.
        Function = "function",
        /// A function with captured variables, a cell, a context, a bound method.
        Closure = "closure",
        /// A call frame.
        Frame = "frame",
        /// A traceback entry.
        Traceback = "traceback",
        /// An exception.
        Exception = "exception",
        /// A generator, coroutine or promise.
        Generator = "generator",
        /// A dictionary of names: of a module, a class, globals.
        Namespace = "namespace",
        /// A map.
        Map = "map",
        /// A list, array, tuple or queue.
        List = "list",
        /// A set.
        Set = "set",
        /// Text.
        String = "string",
        /// A number, a truth value, nothing.
        Number = "number",
        /// Raw bytes.
        Bytes = "bytes",
        /// A weak reference.
        Weakref = "weakref",
        /// Of the runtime itself.
        Native = "native",
    }
}

impl Role {
    /// Whether objects of this role only hold what others put in.
    pub fn is_container(self) -> bool {
        matches!(self, Role::Map | Role::List | Role::Set)
    }

    /// Whether objects of this role belong to the program's code, not to its data.
    pub fn is_code(self) -> bool {
        matches!(
            self,
            Role::Module | Role::Type | Role::Function | Role::Namespace | Role::Native
        )
    }

    /// Whether objects of this role refer to nothing of interest.
    pub fn is_leaf(self) -> bool {
        matches!(
            self,
            Role::String | Role::Number | Role::Bytes | Role::Weakref
        )
    }
}

words! {
    /// How a reference holds its target. Weak references are counted and never stored.
    EdgeKind {
        /// Explained by nothing.
        #[default]
        Other = "other",
        /// An attribute, field or property.
        Attr = "attr",
        /// A value in a container.
        Item = "item",
        /// A key of a map.
        Key = "key",
        /// An element of a set.
        Elem = "elem",
        /// A local variable of a frame.
        Local = "local",
        /// A captured variable, or what a bound method is bound to.
        Closure = "closure",
        /// Between frames, tracebacks and generators.
        Frame = "frame",
        /// Of the runtime's own bookkeeping that a program may still cut: a V8 `internal` edge.
        Internal = "internal",
        /// Needed for reachability and left out of the search for cycles: object to its type,
        /// function to its globals.
        Struct = "struct",
        /// Softly reachable: freed when memory is short.
        Soft = "soft",
        /// The value of an ephemeron, alive while its key is.
        Ephemeron = "ephemeron",
        /// The queue of a finaliser.
        Final = "final",
        /// Never keeps its target; counted only.
        Weak = "weak",
    }
}

/// A type of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeInfo {
    /// Its full name.
    pub name: StrId,
    /// What its objects are.
    pub role: Role,
}

/// A label of references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LabelInfo {
    /// The name as written: `.last`, `[key]`, `local:self`, `[]`.
    pub name: StrId,
    /// How it holds.
    pub kind: EdgeKind,
}

/// Types and labels of all captures of a comparison.
///
/// A type is its name: a name keeps the first role other than [`Role::Other`] that it was given.
/// A label is its name and kind. Cost: one hash each, 8 bytes an entry.
#[derive(Debug, Default)]
pub struct GraphNames {
    types: Vec<TypeInfo>,
    labels: Vec<LabelInfo>,
    type_of: FxHashMap<StrId, TypeId>,
    label_of: FxHashMap<LabelInfo, LabelId>,
}

impl GraphNames {
    /// The handle of the type called `name`.
    pub fn type_id(&mut self, strings: &mut Strings, name: &str, role: Role) -> TypeId {
        let name = strings.intern(name);
        let next = TypeId(self.types.len() as u32);
        let id = *self.type_of.entry(name).or_insert(next);
        if id == next {
            self.types.push(TypeInfo { name, role });
        } else if let Some(info) = self.types.get_mut(id.0 as usize)
            && info.role == Role::Other
        {
            info.role = role;
        }
        id
    }

    /// The handle of a label.
    pub fn label_id(&mut self, strings: &mut Strings, name: &str, kind: EdgeKind) -> LabelId {
        self.label(strings.intern(name), kind)
    }

    /// The handle of a label whose name is interned already.
    pub fn label(&mut self, name: StrId, kind: EdgeKind) -> LabelId {
        let info = LabelInfo { name, kind };
        let next = LabelId(self.labels.len() as u32);
        let id = *self.label_of.entry(info).or_insert(next);
        if id == next {
            self.labels.push(info);
        }
        id
    }

    /// The type of a handle; an unnamed one for a handle of another table.
    pub fn type_info(&self, id: TypeId) -> TypeInfo {
        let unnamed = TypeInfo {
            name: StrId::EMPTY,
            role: Role::Other,
        };
        self.types.get(id.0 as usize).copied().unwrap_or(unnamed)
    }

    /// The label of a handle; an unnamed one for a handle of another table.
    pub fn label_info(&self, id: LabelId) -> LabelInfo {
        let unnamed = LabelInfo {
            name: StrId::EMPTY,
            kind: EdgeKind::Other,
        };
        self.labels.get(id.0 as usize).copied().unwrap_or(unnamed)
    }

    /// Every type, by handle.
    pub fn types(&self) -> &[TypeInfo] {
        &self.types
    }

    /// Every label, by handle.
    pub fn labels(&self) -> &[LabelInfo] {
        &self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_keeps_the_first_role_that_says_something() {
        let mut strings = Strings::default();
        let mut names = GraphNames::default();
        let a = names.type_id(&mut strings, "app.Broker", Role::Other);
        assert_eq!(
            a,
            names.type_id(&mut strings, "app.Broker", Role::Exception)
        );
        assert_eq!(a, names.type_id(&mut strings, "app.Broker", Role::Instance));
        assert_eq!(names.type_info(a).role, Role::Exception);
        let x = names.label_id(&mut strings, ".last", EdgeKind::Attr);
        assert_ne!(x, names.label_id(&mut strings, ".last", EdgeKind::Struct));
        assert_eq!(x, names.label_id(&mut strings, ".last", EdgeKind::Attr));
        assert_eq!(EdgeKind::of(b"struct"), Some(EdgeKind::Struct));
        assert_eq!(EdgeKind::of(b"nothing"), None);
    }
}
