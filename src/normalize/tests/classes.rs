use super::super::FrameClass::{self, *};
use super::super::Language::{self, *};
use super::frame;
use crate::normalize::{
    Context, PathMap, RawFrame, class_lists_are_sorted, detect_language, normalize_frame, owner,
};

fn class(language: Language, function: &str, file: &str) -> FrameClass {
    normalize_frame(&frame(function, file), &Context::new(language)).class
}

/// `(class, function, file)`.
fn check(language: Language, rows: &[(FrameClass, &str, &str)]) {
    for (expected, function, file) in rows {
        assert_eq!(
            class(language, function, file),
            *expected,
            "{function} ({file})"
        );
    }
}

#[test]
fn lists_that_are_searched_are_sorted() {
    assert!(class_lists_are_sorted());
}

#[test]
fn rust_allocator_and_glue() {
    check(
        Rust,
        &[
            (
                Allocator,
                "<alloc::alloc::Global as core::alloc::Allocator>::allocate",
                "alloc/src/alloc.rs",
            ),
            (
                Allocator,
                "<dhat::Alloc as core::alloc::global::GlobalAlloc>::alloc",
                "dhat-0.3.3/src/lib.rs",
            ),
            (
                Allocator,
                "<app::Counting as core::alloc::global::GlobalAlloc>::alloc",
                "app/src/main.rs",
            ),
            (Allocator, "__rustc::__rust_alloc", "app/src/main.rs"),
            (Allocator, "__rust_realloc", ""),
            (
                Allocator,
                "alloc::alloc::alloc_zeroed",
                "alloc/src/alloc.rs",
            ),
            (
                Allocator,
                "dhat::new_backtrace_inner",
                "dhat-0.3.3/src/lib.rs",
            ),
            (
                Allocator,
                "backtrace::backtrace::libunwind::trace",
                "src/backtrace/libunwind.rs",
            ),
            (Allocator, "_rjem_je_prof_backtrace", ""),
            (Glue, "alloc::vec::Vec<T,A>::push", "src/vec/mod.rs"),
            (
                Glue,
                "<alloc::vec::Vec<app::Foo>>::with_capacity",
                "src/vec/mod.rs",
            ),
            (
                Glue,
                "alloc::slice::<impl [T]>::to_vec",
                "alloc/src/slice.rs",
            ),
            (Glue, "<[app::Foo]>::to_vec", "alloc/src/slice.rs"),
            (Glue, "<str>::to_lowercase", "alloc/src/str.rs"),
            (
                Glue,
                "<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem",
                "src/vec/spec_from_elem.rs",
            ),
            (
                Glue,
                "<T as core::convert::Into<U>>::into",
                "src/convert/mod.rs",
            ),
            (
                Glue,
                "<T as alloc::slice::<impl [T]>::to_vec_in::ConvertVec>::to_vec",
                "alloc/src/slice.rs",
            ),
            (
                Glue,
                "<app::Foo as <[_]>::to_vec_in::ConvertVec>::to_vec::<alloc::alloc::Global>",
                "alloc/src/slice.rs",
            ),
            (
                Glue,
                "<fn() as core::ops::function::FnOnce<()>>::call_once",
                "src/ops/function.rs",
            ),
            (
                Glue,
                "<app::main::{closure#3} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
                "",
            ),
            (
                Glue,
                "core::ops::function::FnOnce::call_once{{vtable.shim}}",
                "src/ops/function.rs",
            ),
            (
                Glue,
                "hashbrown::raw::RawTable<T,A>::reserve",
                "hashbrown-0.17.1/src/raw.rs",
            ),
            (
                Glue,
                "std::thread::lifecycle::spawn_unchecked::<app::main::{closure#1}, ()>",
                "src/thread/lifecycle.rs",
            ),
            (
                Glue,
                "std::sys::backtrace::__rust_begin_short_backtrace::<app::main::{closure#1}, ()>",
                "",
            ),
            (
                Glue,
                "std::rt::lang_start::<()>::{closure#0}",
                "std/src/rt.rs",
            ),
            (
                Glue,
                "<std::sys::thread::unix::Thread>::new::thread_start",
                "sys/thread/unix.rs",
            ),
            (
                Glue,
                "std::io::impls::<impl std::io::Write for alloc::vec::Vec<u8,A>>::write",
                "src/io/impls.rs",
            ),
            (Glue, "main", ""),
            (Glue, "_start", ""),
            (
                Glue,
                "__libc_start_call_main",
                "sysdeps/nptl/libc_start_call_main.h",
            ),
            (Glue, "start_thread", "./nptl/pthread_create.c"),
            (Glue, "clone3", "linux/x86_64/clone3.S"),
            // Default methods and blanket impls of the user's types are the library's code.
            (
                Glue,
                "<app::Countdown as core::iter::traits::iterator::Iterator>::collect::<Vec<u8>>",
                "iter/traits/iterator.rs",
            ),
            (
                Glue,
                "<app::Countdown as core::iter::traits::iterator::Iterator>::fold",
                "",
            ),
            (
                Glue,
                "<app::Foo as alloc::string::ToString>::to_string",
                "alloc/src/string.rs",
            ),
            (
                Glue,
                "<app::Conn as std::io::Write>::write_all",
                "src/io/mod.rs",
            ),
            // Short names of reduced debug info.
            (Glue, "with_capacity<u8>", "src/vec/mod.rs"),
            (Glue, "to_vec<u8>", "alloc/src/slice.rs"),
            (
                Glue,
                "push<u8>",
                "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/alloc/src/vec/mod.rs",
            ),
        ],
    );
}

#[test]
fn rust_user_and_libraries() {
    check(
        Rust,
        &[
            (User, "app::main", "app/src/main.rs"),
            (User, "app::main::{{closure}}", "app/src/main.rs"),
            (User, "app::parse::generic::<alloc::string::String>", ""),
            (
                User,
                "<app::Foo as core::iter::traits::iterator::Iterator>::next",
                "app/src/foo.rs",
            ),
            (
                User,
                "<app::Foo as core::iter::traits::iterator::Iterator>::size_hint",
                "app/src/foo.rs",
            ),
            (User, "<app::Conn as std::io::Read>::read", "src/io/mod.rs"),
            (
                User,
                "<app::Foo as core::clone::Clone>::clone",
                "app/src/foo.rs",
            ),
            (User, "<T as app::parse::Enc>::enc", "app/src/parse.rs"),
            (User, "<u8 as app::parse::Enc>::enc", "app/src/parse.rs"),
            (
                User,
                "<alloc::string::String as core::convert::From<app::Foo>>::from",
                "app/src/foo.rs",
            ),
            (
                User,
                "app::foo::<impl core::convert::From<app::Foo> for alloc::string::String>::from",
                "",
            ),
            (
                User,
                "app::_::<impl serde::de::Deserialize for app::Foo>::deserialize",
                "app/src/foo.rs",
            ),
            (
                User,
                "<app::Foo as serde_core::de::Deserialize>::deserialize",
                "app/src/foo.rs",
            ),
            (User, "header", "app/src/parse.rs"),
            (User, "main", "src/main.rs"),
            (User, "app::io::task::run", "src/io/task.rs"),
            (
                ThirdParty,
                "serde_json::de::from_str",
                "serde_json-1.0.154/src/de.rs",
            ),
            (
                ThirdParty,
                "serde_json::de::from_str",
                "/r/registry/src/index-1/serde_json-1.0.154/src/de.rs",
            ),
            (
                ThirdParty,
                "<&mut serde_json::de::Deserializer<R> as serde_core::de::Deserializer>::deserialize_any",
                "",
            ),
            (
                ThirdParty,
                "<core::marker::PhantomData<T> as serde_core::de::DeserializeSeed>::deserialize",
                "src/de/mod.rs",
            ),
            (ThirdParty, "somelib::go", "1a2b3c4/src/lib.rs"),
            (ThirdParty, "somelib::go", "/w/vendor/somelib/src/lib.rs"),
            (ThirdParty, "from_str<u8>", "serde_json-1.0.154/src/de.rs"),
        ],
    );
}

#[test]
fn crates_are_known_by_their_other_frames() {
    let frames = [
        frame("deep::a::b::run", "a/b/run.rs"),
        frame("deep::go", "deep-2.0.1/src/lib.rs"),
        frame("app::main", "app-1.0.0/src/main.rs"),
        frame("app::x::y", "log-0.4.2/src/macros.rs"),
        frame("mine::a::b", "src/a/b.rs"),
        frame("mine::go", "mine/src/lib.rs"),
    ];
    let context = Context::observe(frames.into_iter(), Rust, PathMap::default());
    let class = |index: usize| normalize_frame(&frames[index], &context).class;
    assert_eq!(class(0), ThirdParty);
    assert_eq!(class(1), ThirdParty);
    assert_eq!(
        class(2),
        User,
        "the crate with `main`, unpacked from an archive"
    );
    assert_eq!(class(3), User, "a macro of a library, used by the program");
    assert_eq!(class(4), User);
    assert_eq!(class(5), User);
}

#[test]
fn c_and_cpp() {
    check(
        Cpp,
        &[
            (Allocator, "malloc", ""),
            (Allocator, "operator new(unsigned long)", ""),
            (
                Allocator,
                "operator new[](unsigned long, std::nothrow_t const&)",
                "",
            ),
            (Allocator, "strdup", "strdup.c"),
            (Allocator, "xmalloc", "util.c"),
            (Allocator, "je_malloc", ""),
            (User, "Rec::operator new(unsigned long)", "a.cpp"),
            (User, "main", "a.cpp"),
            (User, "parse::header(int)", "a.cpp"),
            (
                User,
                "std::vector<char, std::allocator<char> > parse::header<int>(int)",
                "a.cpp",
            ),
            (
                User,
                "std::hash<Key>::operator()(Key const&) const",
                "key.cpp",
            ),
            (User, "operator<<(std::ostream&, Rec const&)", "a.cpp"),
            (User, "main::{lambda()#1}::operator()() const", "a.cpp"),
            (User, "operator()", "a.cpp"),
            (User, "(anonymous namespace)::scan(int)", "a.cpp"),
            (User, "process", "time/process.c"),
            (User, "clone", "tree.c"),
            (User, "start", "app.c"),
            (User, "Foo::clone() const", "foo.cpp"),
            (Glue, "std::vector<int>::push_back(int&&)", "stl_vector.h"),
            (
                Glue,
                "void std::__invoke_impl<void, main::{lambda()#2}>(std::__invoke_other, main::{lambda()#2}&&)",
                "invoke.h",
            ),
            (Glue, "push_back", "stl_vector.h"),
            (Glue, "operator()", "std_function.h"),
            (Glue, "make_shared<int>", "shared_ptr.h"),
            (Glue, "async<f>", "future"),
            (Glue, "allocate", "/usr/include/c++/12/bits/new_allocator.h"),
            (
                Glue,
                "__gnu_cxx::new_allocator<int>::allocate(unsigned long, void const*)",
                "",
            ),
            (Glue, "_IO_file_doallocate", "filedoalloc.c"),
            (Glue, "(below main)", "libc_start_call_main.h"),
            (Glue, "__libc_start_main@@GLIBC_2.34", "libc-start.c"),
            (Glue, "start_thread", "pthread_create.c"),
            (Glue, "clone", "clone.S"),
            (Glue, "call_init", "dl-init.c"),
            (
                ThirdParty,
                "boost::asio::io_context::run()",
                "io_context.ipp",
            ),
            (ThirdParty, "json_parse", "/w/third_party/json/parse.c"),
            (ThirdParty, "inflate", "/usr/include/zlib.h"),
        ],
    );
    for (expected, function, module) in [
        (
            Allocator,
            "malloc",
            "/usr/libexec/valgrind/vgpreload_dhat-amd64-linux.so",
        ),
        (
            Allocator,
            "???",
            "/usr/libexec/valgrind/vgpreload_dhat-amd64-linux.so",
        ),
        (Glue, "???", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30"),
        (Glue, "fdopen", "/lib/x86_64-linux-gnu/libc.so.6"),
        (
            ThirdParty,
            "deflateInit2_",
            "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
        ),
        (ThirdParty, "deflateInit2_", "libz.so.1"),
        (User, "plugin_run", "/home/me/app/build/libplugin.so"),
        (User, "run", "/home/me/app/build/app"),
    ] {
        let raw = RawFrame {
            function,
            file: "",
            line: 0,
            module,
        };
        assert_eq!(
            normalize_frame(&raw, &Context::new(Cpp)).class,
            expected,
            "{function} ({module})"
        );
    }
}

#[test]
fn go_python_and_scripts() {
    check(
        Go,
        &[
            (
                Allocator,
                "runtime.mallocgc",
                "/usr/local/go/src/runtime/malloc.go",
            ),
            (Allocator, "runtime.growslice", ""),
            (Glue, "runtime.main", ""),
            (
                Glue,
                "strings.(*Builder).grow",
                "/usr/local/go/src/strings/builder.go",
            ),
            (Glue, "encoding/json.Unmarshal", "encoding/json/decode.go"),
            (Glue, "internal/poll.(*FD).Read", ""),
            (User, "main.main", "/w/main.go"),
            (User, "main.(*Set[...]).Add", ""),
            (
                User,
                "example.org/me/app/store.New[...]",
                "/w/store/store.go",
            ),
            (
                User,
                "example.org/me/app/store.New",
                "example.org/me/app/store/store.go",
            ),
            (User, "myapp/internal/x.Run", ""),
            (
                ThirdParty,
                "github.com/x/y.Run",
                "/home/me/go/pkg/mod/github.com/x/y@v1.2.3/z.go",
            ),
            (
                ThirdParty,
                "github.com/x/y.Run",
                "github.com/x/y@v1.2.3/z.go",
            ),
            (
                ThirdParty,
                "github.com/x/y.Run",
                "/w/vendor/github.com/x/y/z.go",
            ),
            (ThirdParty, "github.com/x/y.Run", ""),
            (ThirdParty, "gopkg.in/yaml%2ev3.Unmarshal", ""),
        ],
    );
    let context = Context::new(Go).with_go_module("example.org/me/app");
    assert_eq!(
        normalize_frame(&frame("example.org/me/app/store.New", ""), &context).class,
        User
    );
    assert_eq!(
        normalize_frame(&frame("example.org/me/apple.New", ""), &context).class,
        ThirdParty
    );
    check(
        Python,
        &[
            (User, "run", "/w/ingest.py"),
            (User, "run", "/venv/app/ingest.py"),
            (User, "run", "<stdin>"),
            (Glue, "loads", "/usr/lib/python3.11/json/__init__.py"),
            (Glue, "_find_and_load", "<frozen importlib._bootstrap>"),
            (Glue, "loads", "C:\\Python311\\Lib\\json\\__init__.py"),
            (
                ThirdParty,
                "get",
                "/venv/lib/python3.11/site-packages/requests/api.py",
            ),
            (
                ThirdParty,
                "get",
                "/usr/lib/python3/dist-packages/requests/api.py",
            ),
            (
                Allocator,
                "main",
                "/venv/lib/python3.11/site-packages/memray/__main__.py",
            ),
            (Allocator, "start", "/usr/lib/python3.11/tracemalloc.py"),
            (Glue, "_PyEval_EvalFrameDefault", "Python/ceval.c"),
            (Allocator, "malloc", ""),
        ],
    );
    check(
        JavaScript,
        &[
            (User, "leak", "file:///app/t.js"),
            (User, "", "file:///app/t.js"),
            (Glue, "(root)", ""),
            (Glue, "push", ""),
            (Glue, "emit", "node:events"),
            (
                ThirdParty,
                "next",
                "file:///app/node_modules/express/lib/router.js",
            ),
        ],
    );
    check(JavaScript, &[(User, "table", ""), (Glue, "", "")]);
    let context = Context::observe(
        [frame("f", "file:///app/t.js")].into_iter(),
        JavaScript,
        PathMap::default(),
    );
    assert_eq!(normalize_frame(&frame("table", ""), &context).class, Glue);
    check(
        Java,
        &[
            (User, "com.app.Main.run", "Main.java"),
            (User, "com/app/Main$$Lambda$4+0x00001.run", ""),
            (Glue, "java.util.HashMap.resize", "HashMap.java"),
            (Glue, "java/util/ArrayList.add", ""),
            (Glue, "byte[]", ""),
            (ThirdParty, "org.springframework.web.X.y", ""),
        ],
    );
    check(
        Ruby,
        &[
            (User, "block in Foo#bar", "/w/app.rb"),
            (Glue, "parse", "/usr/lib/ruby/3.1.0/json/common.rb"),
            (
                ThirdParty,
                "call",
                "/usr/lib/ruby/gems/3.1.0/gems/rack-2.2.4/lib/rack.rb",
            ),
        ],
    );
    check(
        Unknown,
        &[
            (User, "alloc_buf", ""),
            (Allocator, "malloc", ""),
            (Glue, "do_syscall_64_[k]", ""),
        ],
    );
}

#[test]
fn prefixes_overrule() {
    let context = Context::new(Java)
        .with_user_prefix("org.apache.mine.")
        .with_third_party_prefix("com.vendor.");
    let class = |function| normalize_frame(&frame(function, ""), &context).class;
    assert_eq!(class("org.apache.mine.A.f"), User);
    assert_eq!(class("org.apache.other.A.f"), ThirdParty);
    assert_eq!(class("com.vendor.A.f"), ThirdParty);
}

#[test]
fn owners() {
    assert_eq!(owner([Glue, User, ThirdParty, Glue, Allocator]), Some(1));
    assert_eq!(owner([User, User, Glue]), Some(1));
    assert_eq!(owner([Glue, ThirdParty, ThirdParty, Glue]), Some(2));
    assert_eq!(owner([Glue, Allocator]), None);
}

#[test]
fn roots() {
    let root = |language, function, file| {
        normalize_frame(&frame(function, file), &Context::new(language)).root_function
    };
    for (language, function, file) in [
        (Rust, "_start", ""),
        (Rust, "app::main", "app/src/main.rs"),
        (Rust, "std::rt::lang_start::<()>", ""),
        (Rust, "clone3", "linux/x86_64/clone3.S"),
        (Cpp, "main", "a.c"),
        (Cpp, "(below main)", ""),
        (Cpp, "start_thread", "pthread_create.c"),
        (Go, "main.main", ""),
        (Go, "runtime.goexit", ""),
        (Python, "<module>", "a.py"),
        (JavaScript, "(root)", ""),
        (Java, "com.app.Main.main", ""),
    ] {
        assert!(root(language, function, file), "{function}");
    }
    for (language, function) in [
        (Rust, "app::parse::main"),
        (Rust, "app::run"),
        (Cpp, "run"),
        (Go, "main.run"),
        (Python, "main"),
    ] {
        assert!(!root(language, function, ""), "{function}");
    }
}

#[test]
fn languages() {
    for (expected, function, file) in [
        (Rust, "app::parse::header::h0123456789abcdef", ""),
        (Rust, "app::t::{{closure}}", ""),
        (Rust, "<app::A as app::B>::c", ""),
        (Rust, "x", "src/main.rs"),
        (Cpp, "_ZL5earlyi", ""),
        (Cpp, "query::field(int)", ""),
        (Cpp, "operator new", ""),
        (Cpp, "main", "a.c"),
        (Go, "main.(*T).M", ""),
        (Go, "github.com/x/y.Run", ""),
        (Go, "main.f.func1", ""),
        (Python, "f", "a.py"),
        (JavaScript, "f", "file:///a.js?v=1"),
        (JavaScript, "f", "node:fs"),
        (Java, "A$$Lambda$4+0x00001", ""),
        (Java, "java/lang/String", ""),
        (Ruby, "f", "a.rb"),
        (Unknown, "load", ""),
    ] {
        assert_eq!(
            detect_language([frame(function, file)]),
            expected,
            "{function} ({file})"
        );
    }
    // The C frames around a Rust program do not make it C.
    let rust = [
        frame("app::run", "src/a.rs"),
        frame("start_thread", "pthread_create.c"),
        frame("clone3", "clone3.S"),
    ];
    assert_eq!(detect_language(rust), Rust);
    assert_eq!(detect_language([]), Unknown);
}

#[test]
fn display() {
    for (language, function, expected) in [
        (Rust, "app::t::{closure#3}", "app::t::{closure#3}"),
        (
            Rust,
            "app[4b1f9c2a7d3e5f60]::f::<u8>::h0123456789abcdef",
            "app::f::<u8>",
        ),
        (
            Rust,
            "core::iter::adapters::map::map_fold::<i32, (alloc::string::String, alloc::string::String), ()>",
            "core::iter::adapters::map::map_fold::<..>",
        ),
        (
            Cpp,
            "std::map<int, std::__cxx11::basic_string<char, std::char_traits<char> > > parse::table<int>(int)",
            "parse::table<int>(int)",
        ),
        (
            Cpp,
            "main::{lambda(int, char)#1}::operator()(int, char) const",
            "main::{lambda(int, char)#1}::operator()(int, char) const",
        ),
        (
            Cpp,
            "std::vector<std::basic_string<char, std::char_traits<char> > >::push_back(int&&)",
            "std::vector<..>::push_back(int&&)",
        ),
        (
            Go,
            "gopkg.in/yaml%2ev3.Unmarshal",
            "gopkg.in/yaml.v3.Unmarshal",
        ),
    ] {
        let normal = normalize_frame(&frame(function, ""), &Context::new(language));
        assert_eq!(normal.display, expected);
    }
}
