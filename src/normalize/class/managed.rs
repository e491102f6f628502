//! Go, Python, JavaScript, Java and Ruby.

use super::{Facts, native};
use crate::normalize::go::package;
use crate::normalize::path::python_library;
use crate::normalize::{Context, FrameClass, Language};

/// Top-level directories of Go's standard library.
#[rustfmt::skip]
pub(super) const GO_STD: [&str; 46] = [
    "archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto",
    "database", "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash",
    "html", "image", "index", "internal", "io", "iter", "log", "maps", "math", "mime", "net",
    "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv",
    "strings", "structs", "sync", "syscall", "testing", "text", "time",
];

/// Functions of Go's runtime that allocate for the code that was compiled to call them.
#[rustfmt::skip]
const GO_ALLOCATORS: [&str; 20] = [
    "malloc", "newobject", "newarray", "makeslice", "growslice", "makemap", "mapassign",
    "makechan", "concatstring", "rawstring", "rawbyteslice", "rawruneslice", "slicebytetostring",
    "stringtoslicebyte", "stringtoslicerune", "slicerunetostring", "convT", "unsafe_New",
    "profilealloc", "persistentalloc",
];

/// Go: `main` and packages of the main module are the user's.
pub(super) fn go(facts: &Facts<'_>, context: &Context) -> FrameClass {
    let function = facts.function;
    let package = package(function);
    if package.is_empty() {
        return match function {
            name if name.starts_with("_cgo")
                || name.starts_with("x_cgo")
                || name.starts_with("type:.") =>
            {
                FrameClass::Glue
            }
            _ => native::classify(facts, context.language),
        };
    }
    if package == "runtime" {
        let name = function.get(8..).unwrap_or_default();
        let allocates = GO_ALLOCATORS.iter().any(|prefix| name.starts_with(prefix));
        return if allocates {
            FrameClass::Allocator
        } else {
            FrameClass::Glue
        };
    }
    if package == "main" || package.ends_with("_test") && !package.contains('/') {
        return FrameClass::User;
    }
    let inside = |module: &String| {
        package
            .strip_prefix(module.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if context.go_modules.iter().any(inside) {
        return FrameClass::User;
    }
    let first = package.split('/').next().unwrap_or(package);
    let file = facts.file;
    let fetched = file.contains("/pkg/mod/")
        || file.contains("/vendor/")
        || file.contains("@v")
        || package.contains("/vendor/");
    if fetched || package.starts_with("vendor/") {
        return FrameClass::ThirdParty;
    }
    if matches!(first, "type" | "go.shape")
        || GO_STD.binary_search(&first).is_ok() && !own_package(package, file)
    {
        return FrameClass::Glue;
    }
    if first.contains('.') && !file.ends_with(".go") {
        return FrameClass::ThirdParty;
    }
    FrameClass::User
}

/// A module of the user that is called like a package of the standard library: its file lies
/// outside of a Go installation.
fn own_package(package: &str, file: &str) -> bool {
    file.starts_with('/')
        && !file.contains("/src/")
        && !file.contains(&format!("/{package}/"))
        && !file.contains("/go")
}

/// Python: by the directory that the module was imported from.
pub(super) fn python(facts: &Facts<'_>) -> FrameClass {
    let file = facts.file;
    if !facts.has_file() {
        // A frame of the interpreter or of an extension module.
        return native::classify(facts, Language::Python);
    }
    let packages = ["site-packages/", "dist-packages/", "__pypackages__/"]
        .iter()
        .find_map(|part| file.rfind(part).map(|at| &file[at + part.len()..]));
    if let Some(package) = packages {
        return match package.starts_with("memray/") {
            true => FrameClass::Allocator,
            false => FrameClass::ThirdParty,
        };
    }
    if file.contains(".egg/") || file.contains("/.tox/") || file.contains("/dist-packages") {
        return FrameClass::ThirdParty;
    }
    if let Some(module) = python_library(file) {
        return if module == "tracemalloc.py" {
            FrameClass::Allocator
        } else {
            FrameClass::Glue
        };
    }
    if file.starts_with('<') {
        // Code typed in or executed from a string is the user's; frozen modules are Python's.
        let typed = file.starts_with("<stdin>")
            || file.starts_with("<ipython")
            || file.starts_with("<string>")
            || file.starts_with("<console>");
        return if typed {
            FrameClass::User
        } else {
            FrameClass::Glue
        };
    }
    FrameClass::User
}

/// Functions that are built into JavaScript and take a program's function or keep its values.
#[rustfmt::skip]
pub(super) const JS_BUILTINS: [&str; 45] = [
    "Array", "ArrayBuffer", "BigInt", "Date", "Error", "Map", "Object", "Promise", "Proxy", "RegExp",
    "Set", "String", "Symbol", "WeakMap", "all", "apply", "assign", "bind", "call", "concat",
    "construct", "create", "defineProperty", "entries", "exec", "fill", "filter", "flat", "flatMap",
    "forEach", "from", "fromEntries", "join", "keys", "map", "match", "parse", "push", "reduce",
    "replace", "slice", "sort", "splice", "split", "stringify",
];

/// JavaScript: by the address of the script.
pub(super) fn javascript(facts: &Facts<'_>, context: &Context) -> FrameClass {
    let file = facts.file;
    if file.is_empty() {
        // Built-in functions and the pseudo functions of V8 have no script. Some captures of V8
        // and all folded ones name no script of the program either: then its functions are known
        // by not being built in.
        let name = facts.names.sym.as_str();
        let built_in = facts.hole
            || name.starts_with('(')
            || context.names_scripts
            || JS_BUILTINS
                .binary_search(&facts.names.base.as_str())
                .is_ok();
        return if built_in {
            FrameClass::Glue
        } else {
            FrameClass::User
        };
    }
    if file.starts_with("node:")
        || file.starts_with("internal/")
        || file.starts_with("native ")
        || file.starts_with("v8/")
    {
        return FrameClass::Glue;
    }
    if file.contains("webpack/runtime")
        || file.contains("webpack/bootstrap")
        || file.contains("(webpack)")
    {
        return FrameClass::Glue;
    }
    let fetched = ["node_modules/", "bower_components/", "/.yarn/", "/.pnpm/"]
        .iter()
        .any(|part| file.contains(part));
    if fetched
        || file.starts_with("chrome-extension:")
        || file.starts_with("moz-extension:")
        || file.starts_with("extensions::")
    {
        return FrameClass::ThirdParty;
    }
    FrameClass::User
}

#[rustfmt::skip]
const JAVA_RUNTIME: [&str; 18] = [
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.",
    "groovy.lang.", "org.codehaus.groovy.", "clojure.lang.", "clojure.core", "org.graalvm.",
    "dalvik.", "android.", "libcore.", "java_", "LambdaForm$",
];

#[rustfmt::skip]
const JAVA_LIBRARIES: [&str; 40] = [
    "org.springframework.", "org.apache.", "io.netty.", "com.google.common.", "com.google.gson.",
    "com.google.protobuf.", "com.google.inject.", "com.fasterxml.", "org.hibernate.",
    "ch.qos.logback.", "org.slf4j.", "org.eclipse.jetty.", "io.grpc.", "reactor.",
    "io.micrometer.", "okhttp3.", "okio.", "org.jboss.", "io.undertow.", "com.zaxxer.",
    "org.postgresql.", "com.mysql.", "net.bytebuddy.", "org.junit.", "org.mockito.", "io.vertx.",
    "io.quarkus.", "io.reactivex.", "rx.", "akka.", "com.github.benmanes.", "org.yaml.snakeyaml.",
    "org.elasticsearch.", "redis.clients.", "io.lettuce.", "org.mongodb.", "com.mongodb.",
    "software.amazon.", "com.amazonaws.", "io.opentelemetry.",
];

/// Java: by the package. Arrays and classes of the runtime, which end stacks of allocation
/// profiles, are the runtime's.
pub(super) fn java(facts: &Facts<'_>) -> FrameClass {
    let sym = facts.names.sym.as_str();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| sym.starts_with(prefix));
    let array = sym
        .strip_suffix("[]")
        .is_some_and(|element| !element.contains('.'));
    if begins(&JAVA_RUNTIME)
        || array
        || sym.starts_with("$Proxy")
        || sym.contains("LambdaForm$")
        || facts.hole
    {
        return FrameClass::Glue;
    }
    // Frames of the virtual machine itself.
    if sym.contains("::") || native::is_allocator(sym) {
        return if native::is_allocator(sym) {
            FrameClass::Allocator
        } else {
            FrameClass::Glue
        };
    }
    if begins(&JAVA_LIBRARIES) {
        FrameClass::ThirdParty
    } else {
        FrameClass::User
    }
}

/// Ruby: by the directory.
pub(super) fn ruby(facts: &Facts<'_>) -> FrameClass {
    let file = facts.file;
    if file.contains("/gems/") || file.contains("/bundler/") || file.starts_with("gems/") {
        return FrameClass::ThirdParty;
    }
    if file.starts_with("<internal:")
        || file.contains("/lib/ruby/")
        || facts.base() == "objspace.rb"
    {
        return FrameClass::Glue;
    }
    if facts.hole && file.is_empty() {
        FrameClass::Glue
    } else {
        FrameClass::User
    }
}
