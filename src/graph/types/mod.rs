//! Which types are the program's own, by the conventions of each runtime.

mod python;

/// Packages of the Java platform, of the languages upon it and of libraries that serve any program.
const JAVA: &[&str] = &[
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "kotlin.",
    "scala.",
    "groovy.",
    "dalvik.",
    "android.",
    "androidx.",
    "libcore.",
    "ch.qos.logback.",
    "com.fasterxml.",
    "com.github.benmanes.caffeine.",
    "com.google.common.",
    "com.google.gson.",
    "com.google.inject.",
    "com.google.protobuf.",
    "com.zaxxer.",
    "io.netty.",
    "io.reactivex.",
    "net.bytebuddy.",
    "okhttp3.",
    "okio.",
    "org.apache.commons.",
    "org.apache.logging.",
    "org.codehaus.groovy.",
    "org.hibernate.",
    "org.objectweb.",
    "org.slf4j.",
    "reactor.",
];

/// Classes of JavaScript and of Node that say nothing about a program.
#[rustfmt::skip]
const JAVASCRIPT: &[&str] = &[
    "Object", "Array", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "Promise", "Function",
    "RegExp", "Date", "Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError",
    "EvalError", "URIError", "AggregateError", "String", "Number", "Boolean", "Symbol", "BigInt",
    "ArrayBuffer", "SharedArrayBuffer", "DataView", "Uint8Array", "Int8Array", "Uint16Array",
    "Int16Array", "Uint32Array", "Int32Array", "Float32Array", "Float64Array", "BigInt64Array",
    "BigUint64Array", "Uint8ClampedArray", "Buffer", "FastBuffer", "Generator", "AsyncGenerator",
    "AsyncFunction", "Iterator", "Proxy", "Window", "Global", "global", "Module", "ModuleWrap",
    "NativeModule", "BuiltinModule", "Timeout", "Immediate", "TimersList", "ImmediateList",
    "PriorityQueue", "EventEmitter", "EventTarget", "AbortSignal", "AbortController", "Readable",
    "Writable", "Duplex", "Transform", "PassThrough", "ReadableState", "WritableState", "Socket",
    "Server", "TCP", "Pipe", "TTY", "WriteStream", "ReadStream", "SafeMap", "SafeSet",
    "SafeWeakMap", "SafeWeakSet", "AsyncResource", "AsyncHook", "AsyncLocalStorage", "Console",
    "process", "Context", "Script", "URL", "URLSearchParams", "TextDecoder", "TextEncoder",
    "IncomingMessage", "ServerResponse", "HTTPParser", "Agent", "ClientRequest", "BufferList",
    "FixedQueue", "FixedCircularBuffer", "Performance", "WebAssembly", "Intl", "synthetic",
];

/// Classes of Ruby's core and standard library.
#[rustfmt::skip]
const RUBY: &[&str] = &[
    "Array", "Hash", "String", "Symbol", "Integer", "Float", "Rational", "Complex", "Object",
    "BasicObject", "Class", "Module", "Proc", "Method", "UnboundMethod", "Regexp", "MatchData",
    "Range", "Struct", "Set", "IO", "File", "Dir", "Time", "Thread", "Mutex", "Queue", "Fiber",
    "Enumerator", "Exception", "StandardError", "RuntimeError", "ArgumentError", "TypeError",
    "NameError", "NoMethodError", "Binding", "Random", "Encoding", "Data", "Ractor", "Monitor",
    "ObjectSpace", "Process", "Comparable", "Kernel", "Enumerable", "NilClass", "TrueClass",
    "FalseClass",
];

/// What `ObjectSpace.dump_all` calls the interpreter's own objects, which have no class; of others
/// the name has a `/`, as `IMEMO/env`.
#[rustfmt::skip]
const RUBY_INNER: &[&str] = &[
    "ARRAY", "BIGNUM", "CLASS", "DATA", "FILE", "FLOAT", "HASH", "ICLASS", "MATCH", "MODULE", "NODE",
    "OBJECT", "REGEXP", "STRING", "STRUCT", "SYMBOL", "ZOMBIE",
];

/// Whether the type called `name` is the program's or a package's, not the runtime's.
pub fn is_own(runtime: &str, name: &str) -> bool {
    match runtime {
        "cpython" | "python" | "pypy" => match name.split_once('.') {
            Some((module, _)) => python::MODULES.binary_search(&module).is_err(),
            None => false,
        },
        "jvm" | "art" | "java" | "android" | "hprof" => {
            name.contains('.') && !name.ends_with("[]") && !JAVA.iter().any(|p| name.starts_with(p))
                || !name.contains('.')
                    && name.starts_with(|c: char| c.is_uppercase())
                    && !name.ends_with("[]")
        }
        "v8" | "node" | "chrome" | "javascript" => {
            let odd = |c: char| matches!(c, '(' | ')' | '/' | ' ' | '{' | '<' | ',');
            !name.is_empty() && !name.contains(odd) && !JAVASCRIPT.contains(&name)
        }
        "ruby" => {
            let top = name.split("::").next().unwrap_or(name);
            !name.contains('/')
                && !RUBY_INNER.contains(&name)
                && top.starts_with(|c: char| c.is_uppercase())
                && !RUBY.contains(&top)
                && ![
                    "RubyVM",
                    "Gem",
                    "Bundler",
                    "Psych",
                    "JSON",
                    "ERB",
                    "DidYouMean",
                    "ErrorHighlight",
                ]
                .contains(&top)
                && !name.starts_with("T_")
        }
        _ => true,
    }
}

/// The last part of a qualified name: `Broker` of `app.broker.Broker`, `Registry$Entry` of
/// `com.app.Registry$Entry`. Names of modules, frames and functions stay whole.
pub fn short(name: &str) -> &str {
    if name.contains(' ') || name.contains('(') {
        return name;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let last = last.rsplit("::").next().unwrap_or(last);
    if last.is_empty() { name } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_types_are_told_from_the_runtimes() {
        assert!(python::MODULES.is_sorted());
        for (runtime, own, not) in [
            ("cpython", "app.broker.Broker", "collections.OrderedDict"),
            ("cpython", "__main__.Broker", "ValueError"),
            ("jvm", "com.shop.Cart", "java.util.HashMap$Node"),
            ("jvm", "Cart", "byte[]"),
            (
                "jvm",
                "org.apache.shop.Cart",
                "com.google.common.cache.LocalCache$Segment",
            ),
            ("v8", "Listener", "system / Context"),
            ("ruby", "Shop::Cart", "Hash"),
            ("ruby", "API", "IMEMO/callcache"),
            ("ruby", "CSV::Row", "ARRAY"),
        ] {
            assert!(is_own(runtime, own) && !is_own(runtime, not), "{own} {not}");
        }
        assert_eq!(short("app.broker.Broker"), "Broker");
        assert_eq!(short("Shop::Cart"), "Cart");
        assert_eq!(short("module app.registry"), "module app.registry");
    }
}
