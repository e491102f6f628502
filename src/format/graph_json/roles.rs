//! The role of a type whose writer named none, from the names of its runtime.

use crate::model::{Role, Symbols, TypeId};

/// Python's own types, by name without `builtins.`.
const PYTHON: &[(&str, Role)] = &[
    ("dict", Role::Map),
    ("OrderedDict", Role::Map),
    ("defaultdict", Role::Map),
    ("mappingproxy", Role::Map),
    ("list", Role::List),
    ("tuple", Role::List),
    ("deque", Role::List),
    ("set", Role::Set),
    ("frozenset", Role::Set),
    ("str", Role::String),
    ("bytes", Role::Bytes),
    ("bytearray", Role::Bytes),
    ("memoryview", Role::Bytes),
    ("int", Role::Number),
    ("float", Role::Number),
    ("complex", Role::Number),
    ("bool", Role::Number),
    ("NoneType", Role::Number),
    ("module", Role::Module),
    ("type", Role::Type),
    ("ABCMeta", Role::Type),
    ("function", Role::Function),
    ("builtin_function_or_method", Role::Function),
    ("code", Role::Function),
    ("method", Role::Closure),
    ("cell", Role::Closure),
    ("frame", Role::Frame),
    ("traceback", Role::Traceback),
    ("generator", Role::Generator),
    ("coroutine", Role::Generator),
    ("async_generator", Role::Generator),
    ("weakref", Role::Weakref),
    ("ReferenceType", Role::Weakref),
    ("getset_descriptor", Role::Native),
    ("member_descriptor", Role::Native),
    ("method_descriptor", Role::Native),
    ("wrapper_descriptor", Role::Native),
    ("classmethod_descriptor", Role::Native),
];

/// The role of `name` in `runtime`; [`Role::Other`] where the name says nothing.
pub fn guess(runtime: &str, name: &str) -> Role {
    if !matches!(runtime, "cpython" | "python" | "pypy") {
        return Role::Other;
    }
    let name = name.strip_prefix("builtins.").unwrap_or(name);
    let known = PYTHON.iter().find(|(n, _)| *n == name);
    match known {
        Some(&(_, role)) => role,
        None if name.ends_with("Error") || name.ends_with("Exception") => Role::Exception,
        None => Role::Instance,
    }
}

/// The type of an object of the program's code that its writer labels: every frame, function,
/// module and class is told apart by its name, `frame run()`, `module app.registry`. Labels of
/// other objects might hold values and are passed over.
pub fn named(symbols: &mut Symbols, type_of: TypeId, label: &str) -> TypeId {
    let info = symbols.graph.type_info(type_of);
    let name = symbols.strings.get(info.name);
    let name = match info.role {
        Role::Frame => format!("{name} {label}()"),
        Role::Module | Role::Type | Role::Function => format!("{name} {label}"),
        _ => return type_of,
    };
    symbols
        .graph
        .type_id(&mut symbols.strings, &name, info.role)
}
