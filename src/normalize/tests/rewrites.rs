use super::super::Language::{self, *};
use super::{frame, named};
use crate::normalize::{Context, RawFrame, normalize_frame};

fn sym(language: Language, function: &str) -> String {
    named(language, function).sym
}

/// `(input, sym)`, and the sym is a fixed point.
fn check_syms(language: Language, rows: &[(&str, &str)]) {
    for (input, expected) in rows {
        let got = sym(language, input);
        assert_eq!(&got, expected, "sym of {input}");
        assert_eq!(sym(language, &got), got, "sym of sym of {input}");
    }
}

fn check_bases(language: Language, rows: &[(&str, &str)]) {
    for (input, expected) in rows {
        assert_eq!(&named(language, input).base, expected, "base of {input}");
    }
}

/// The two names must not fall together.
fn check_apart(language: Language, rows: &[(&str, &str)]) {
    for (one, other) in rows {
        assert_ne!(sym(language, one), sym(language, other), "{one} / {other}");
    }
}

#[test]
fn rust_symbols() {
    check_syms(
        Rust,
        &[
            (
                "app::parse::header::h0123456789abcdef",
                "app::parse::header",
            ),
            (
                "app::parse::header::h00123456789abcdef",
                "app::parse::header",
            ),
            ("app::cache_h0123::get", "app::cache_h0123::get"),
            (
                "core::ptr::drop_in_place<alloc::vec::Vec<u8>>::h00c0ffee00c0ffee",
                "core::ptr::drop_in_place",
            ),
            (
                "app::parse::header.llvm.1234567890123",
                "app::parse::header",
            ),
            (
                "app::parse::header::h0123456789abcdef.llvm.1234567890123",
                "app::parse::header",
            ),
            ("app[4b1f9c2a7d3e5f60]::parse::header", "app::parse::header"),
            (
                "alloc::vec::Vec<T,A>::with_capacity_in",
                "alloc::vec::Vec::with_capacity_in",
            ),
            (
                "<alloc::vec::Vec<u8>>::with_capacity_in",
                "alloc::vec::Vec::with_capacity_in",
            ),
            ("app::store::<app::Alpha>", "app::store"),
            ("<T as app::Enc>::enc", "<T as app::Enc>::enc"),
            ("<u8 as app::Enc>::enc", "<u8 as app::Enc>::enc"),
            ("alloc::slice::<impl [T]>::to_vec", "[]::to_vec"),
            ("<[u8]>::to_vec", "[]::to_vec"),
            (
                "alloc::boxed::convert::<impl core::convert::From<&[T]> for alloc::boxed::Box<[T]>>::from",
                "<alloc::boxed::Box as core::convert::From>::from",
            ),
            (
                "<alloc::boxed::Box<[u8]> as core::convert::From<&[u8]>>::from",
                "<alloc::boxed::Box as core::convert::From>::from",
            ),
            ("app::t::{{closure}}", "app::t::{closure}"),
            ("app::t::{closure#3}", "app::t::{closure}"),
            ("app::t::{closure_env#3}", "app::t::{closure}"),
            (
                "app::n::{closure#0}::{closure#0}",
                "app::n::{closure}::{closure}",
            ),
            ("app::fetch::{async_fn#0}", "app::fetch::{closure}"),
            (
                "app::d::{async_fn#0}::{async_block#1}",
                "app::d::{closure}::{closure}",
            ),
            ("app::W::{impl#2}::draw", "app::W::{impl}::draw"),
            ("app::W::{{impl}}::draw", "app::W::{impl}::draw"),
            (
                "<core::iter::Map<I,F> as core::iter::Iterator>::next",
                "<core::iter::Map as core::iter::Iterator>::next",
            ),
            (
                "<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem::<alloc::alloc::Global>",
                "<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem",
            ),
            (
                "<fn() as core::ops::function::FnOnce<()>>::call_once",
                "<fn() as core::ops::function::FnOnce>::call_once",
            ),
            ("with_capacity<u8>", "with_capacity"),
            // Shims are the function, called through a table.
            (
                "core::ops::function::FnOnce::call_once{{vtable.shim}}",
                "core::ops::function::FnOnce::call_once",
            ),
            (
                "<app::main::{closure#1} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
                "<app::main::{closure} as core::ops::function::FnOnce>::call_once",
            ),
            // An arrow is not a bracket.
            (
                "<fn(u8) -> alloc::vec::Vec<u8> as app::Tr<u8>>::go",
                "<fn(u8) -> alloc::vec::Vec as app::Tr>::go",
            ),
            // The two manglings of a type inside a method of an impl.
            (
                "<serde_json::value::de::<impl serde_core::de::Deserialize for serde_json::value::Value>::deserialize::V as serde_core::de::Visitor>::visit_str",
                "<<serde_json::value::Value as serde_core::de::Deserialize>::deserialize::V as serde_core::de::Visitor>::visit_str",
            ),
            (
                "<<serde_json::value::Value as serde_core::de::Deserialize>::deserialize::V as serde_core::de::Visitor>::visit_str::<E>",
                "<<serde_json::value::Value as serde_core::de::Deserialize>::deserialize::V as serde_core::de::Visitor>::visit_str",
            ),
            ("alloc::str::<impl str>::to_lowercase", "str::to_lowercase"),
            ("<str>::to_lowercase", "str::to_lowercase"),
            (
                "std::sync::mpmc::context::Context::with::CONTEXT::{{constant}}::{{closure}}",
                "std::sync::mpmc::context::Context::with::CONTEXT::{constant}::{closure}",
            ),
            (
                "<std::sync::mpmc::context::Context>::with::CONTEXT::{K#0}::{closure#0}",
                "std::sync::mpmc::context::Context::with::CONTEXT::{constant}::{closure}",
            ),
        ],
    );
    check_bases(
        Rust,
        &[
            ("app::t::{{closure}}", "t::{closure}"),
            ("app::t::{closure#3}", "t::{closure}"),
            ("{closure#0}", "{closure}"),
            ("<u8 as app::Enc>::enc", "enc"),
            ("with_capacity<u8>", "with_capacity"),
            (
                "<app::A as app::B>::f::{closure#0}::{closure#1}",
                "f::{closure}::{closure}",
            ),
        ],
    );
    check_apart(
        Rust,
        &[
            (
                "<app::FileSink as app::Sink>::emit",
                "<app::NetSink as app::Sink>::emit",
            ),
            ("<T as app::Enc>::enc", "<u8 as app::Enc>::enc"),
            ("app::n::{closure#0}", "app::n::{closure#0}::{closure#0}"),
            ("app::parse::header", "app::query::header"),
        ],
    );
    assert_eq!(
        named(Rust, "app::parse::header").base,
        named(Rust, "app::query::header").base
    );
    assert_eq!(
        named(Rust, "<app::FileSink as app::Sink>::emit").base,
        "emit"
    );
    assert!(
        named(Rust, "app::store::<app::Alpha>")
            .deord
            .contains("Alpha")
    );
    assert_eq!(
        named(Rust, "app::t::{closure#3}").deord,
        "app::t::{closure}"
    );
    assert_eq!(
        named(Rust, "app::t::{{closure}}").deord,
        "app::t::{closure}"
    );
}

#[test]
fn rust_mangled() {
    check_syms(
        Rust,
        &[
            (
                "_ZN3app5parse6header17h0123456789abcdefE",
                "app::parse::header",
            ),
            (
                "_ZN3app5parse6header17h0123456789abcdefE.llvm.123456",
                "app::parse::header",
            ),
            ("_RNvNtCs1234_3app5parse6header", "app::parse::header"),
            ("_RNCNvCs1234_3app4main0B3_", "app::main::{closure}"),
        ],
    );
    assert_eq!(
        named(Unknown, "_ZN3app5parse6header17h0123456789abcdefE").language,
        Rust
    );
    // What only looks mangled is kept.
    assert_eq!(sym(Rust, "_RNvNt"), "_RNvNt");
}

#[test]
fn cpp_symbols() {
    check_syms(
        Cpp,
        &[
            (
                "lookup_table(int, int) [clone .constprop.0]",
                "lookup_table",
            ),
            ("early(int) [clone .part.0] [clone .cold]", "early"),
            ("_ZL5earlyi.part.0.cold", "early"),
            ("early.isra.0.constprop.1.lto_priv.3", "early"),
            ("void store<char, 5752>()", "store"),
            ("query::field(int)", "query::field"),
            (
                "lambdas()::{lambda(int)#1}::operator()(int) const",
                "lambdas::{lambda}::operator()",
            ),
            (
                "lambdas()::$_0::operator()(int) const",
                "lambdas::{lambda}::operator()",
            ),
            (
                "lambdas()::'lambda'(int)::operator()(int) const",
                "lambdas::{lambda}::operator()",
            ),
            (
                "lambdas()::'lambda12'(int)::operator()(int) const",
                "lambdas::{lambda}::operator()",
            ),
            (
                "Foo::bar(int) const::{lambda()#1}::operator()() const",
                "Foo::bar::{lambda}::operator()",
            ),
            ("(anonymous namespace)::scan(int, int)", "{anon}::scan"),
            ("`anonymous namespace'::scan", "{anon}::scan"),
            ("{anonymous}::scan(int)", "{anon}::scan"),
            (
                "std::vector<void*, std::allocator<void*> >::push_back(void* const&)",
                "std::vector::push_back",
            ),
            (
                "std::__cxx11::basic_string<char, std::char_traits<char> >::reserve(unsigned long)",
                "std::basic_string::reserve",
            ),
            (
                "std::__1::vector<int>::reserve(unsigned long)",
                "std::vector::reserve",
            ),
            ("std::string foo[abi:cxx11](int)", "foo"),
            ("operator<<(std::ostream&, Rec const&)", "operator<<"),
            (
                "bool operator< <int>(A<int> const&, A<int> const&)",
                "operator<",
            ),
            (
                "std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char const*)",
                "std::operator<<",
            ),
            ("Foo::operator->() const", "Foo::operator->"),
            ("A::operator<=>(A const&) const", "A::operator<=>"),
            (
                "std::function<void ()>::operator()() const",
                "std::function::operator()",
            ),
            ("operator new(unsigned long)", "operator new"),
            ("operator new[](unsigned long)", "operator new[]"),
            ("Rec::operator new(unsigned long)", "Rec::operator new"),
            (
                "Rec::operator std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >() const",
                "Rec::operator std::basic_string",
            ),
            ("Foo::Foo(int)", "Foo::Foo"),
            ("Foo::~Foo()", "Foo::~Foo"),
            ("memcpy@@GLIBC_2.14", "memcpy"),
            ("fopen@GLIBC_2.2.5", "fopen"),
            ("non-virtual thunk to A::f()", "A::f"),
            ("(below main)", "(below main)"),
            (
                "__invoke_impl<void, lambdas()::<lambda()>&>",
                "__invoke_impl",
            ),
            (
                "std::map<int, std::string> parse::table<int>(int)",
                "parse::table",
            ),
            ("decltype(auto) f<int>(int)", "f"),
            ("malloc+0x1f", "malloc"),
            ("0x1091B9: mk", "mk"),
            ("operatorial(int)", "operatorial"),
            ("my_operator()", "my_operator"),
        ],
    );
    check_bases(
        Cpp,
        &[
            (
                "lambdas()::{lambda(int)#1}::operator()(int) const",
                "operator()",
            ),
            ("std::vector<void*>::push_back(void* const&)", "push_back"),
            ("Rec::operator std::string() const", "operator std::string"),
            ("Rec::operator new(unsigned long)", "operator new"),
            ("Foo::~Foo()", "~Foo"),
            (
                "A::operator()(int)::{lambda()#1}::operator()() const",
                "operator()",
            ),
        ],
    );
    check_apart(Cpp, &[("Foo::Foo(int)", "Foo::~Foo()")]);
    for (one, other) in [
        ("store<char, 5752>()", "store<int, 1452>()"),
        ("query::field(int)", "query::field(char const*)"),
    ] {
        let (one, other) = (named(Cpp, one), named(Cpp, other));
        assert_ne!(one.deord, other.deord);
        assert_eq!(one.sym, other.sym);
    }
    assert!(
        named(Cpp, "void store<char, 5752>()")
            .deord
            .contains("5752")
    );
    let (a, b) = (
        frame("(anonymous namespace)::scan()", "a.cpp"),
        frame("(anonymous namespace)::scan()", "b.cpp"),
    );
    let context = Context::new(Cpp);
    assert_ne!(
        normalize_frame(&a, &context).file,
        normalize_frame(&b, &context).file
    );
}

#[test]
fn holes() {
    for name in [
        "UnknownInlinedFun",
        "???",
        "",
        "[unknown]",
        "0x7f00c0ffee00",
        "0x1091B9: ???",
    ] {
        assert!(named(Cpp, name).hole, "{name}");
        assert!(named(Rust, name).hole, "{name}");
    }
    assert!(!named(Cpp, "unknown_thing").hole);
    // An unnamed function of a script is one function, not an unknown one.
    let context = Context::new(JavaScript);
    let anonymous = normalize_frame(&frame("", "file:///app/a.js"), &context);
    assert!(!anonymous.hole);
    assert_eq!(anonymous.sym, "(anonymous)");
}

#[test]
fn go_symbols() {
    check_syms(
        Go,
        &[
            ("main.closures.func1", "main.closures.func"),
            ("main.closures.func2", "main.closures.func"),
            ("main.nested.func1", "main.nested.func"),
            ("main.nested.func1.1", "main.nested.func.func"),
            ("main.nested.func1.func2", "main.nested.func.func"),
            ("main.Store[...]", "main.Store[]"),
            ("main.Store[go.shape.int_0]", "main.Store[]"),
            ("main.(*Set[...]).Add", "main.(*Set[]).Add"),
            (
                "main.(*Set[go.shape.struct { x/y.F int }]).Add",
                "main.(*Set[]).Add",
            ),
            ("main.(*Net).M-fm", "main.(*Net).M"),
            ("main.init.0", "main.init.N"),
            ("main.init.1", "main.init.N"),
            ("main.init.0.func1", "main.init.N.func"),
            ("main.glob..func1", "main.init.func"),
            ("main.init.func1", "main.init.func"),
            ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3.Unmarshal"),
            ("main.f.gowrap1", "main.f.gowrap"),
            ("main.f.func1-range2", "main.f.func"),
            ("main.f-range1", "main.f"),
            // A user's own function may be called so.
            ("main.func1", "main.func1"),
            (
                "github.com/me/app/store.(*Set[int]).Add.func1",
                "github.com/me/app/store.(*Set[]).Add.func",
            ),
            ("runtime.mallocgc", "runtime.mallocgc"),
        ],
    );
    check_bases(
        Go,
        &[
            ("gopkg.in/yaml%2ev3.Unmarshal", "yaml.v3.Unmarshal"),
            ("main.(*Set[x/y.T]).Add", "main.(*Set[]).Add"),
        ],
    );
    check_apart(
        Go,
        &[
            ("main.nested.func1", "main.nested.func1.1"),
            ("main.(*File).Emit", "main.File.Emit"),
            ("x/v2.Run", "x/v3.Run"),
        ],
    );
    assert_eq!(named(Go, "main.closures.func2").deord, "main.closures.func");
    assert_eq!(
        named(Go, "main.Store[go.shape.int_0].func2").deord,
        "main.Store[go.shape.int_0].func"
    );
}

#[test]
fn java_symbols() {
    check_syms(
        Java,
        &[
            ("A$$Lambda$4+0x00007f5e48001240", "A$$Lambda"),
            ("A$$Lambda$4/0x00007f5e48001240.run", "A$$Lambda.run"),
            ("A$$Lambda/0x00007f5e48001240.run", "A$$Lambda.run"),
            (
                "java/lang/invoke/LambdaForm$MH+0x00007f5e48000400",
                "java.lang.invoke.LambdaForm$MH",
            ),
            ("$Proxy0", "$Proxy"),
            ("$Proxy3", "$Proxy"),
            ("jdk.proxy2.$Proxy14.call", "jdk.proxy.$Proxy.call"),
            ("com.app.Main.lambda$run$3", "com.app.Main.lambda$run"),
            (
                "jdk.internal.reflect.GeneratedMethodAccessor17.invoke",
                "jdk.internal.reflect.GeneratedMethodAccessor.invoke",
            ),
            ("com/app/Main.main", "com.app.Main.main"),
            ("java.lang.String_[i]", "java.lang.String"),
        ],
    );
    check_apart(
        Java,
        &[
            ("A$1", "A$2"),
            ("A$E$1", "A$E$2"),
            ("LambdaForm$MH+0x00001", "LambdaForm$DMH+0x00001"),
        ],
    );
}

#[test]
fn script_symbols() {
    check_syms(
        JavaScript,
        &[
            ("get val", "get val"),
            ("Foo @123", "Foo"),
            ("A.emit", "A.emit"),
        ],
    );
    check_apart(JavaScript, &[("get val", "val")]);
    check_bases(
        JavaScript,
        &[("A.emit", "emit"), ("(anonymous)", "(anonymous)")],
    );
    check_syms(
        Python,
        &[
            ("outer.<locals>.inner", "outer.<locals>.inner"),
            ("<genexpr>", "<genexpr>"),
        ],
    );
    check_bases(
        Python,
        &[("A.emit", "emit"), ("outer.<locals>.inner", "inner")],
    );
    for (function, elided) in [
        ("<listcomp>", true),
        ("f.<locals>.<setcomp>", true),
        ("<dictcomp>", true),
        ("<genexpr>", false),
        ("<lambda>", false),
        ("f", false),
    ] {
        assert_eq!(named(Python, function).elided, elided, "{function}");
    }
    check_bases(
        Ruby,
        &[
            ("block in Foo#bar", "bar"),
            ("Foo.baz", "baz"),
            ("go", "go"),
        ],
    );
}

#[test]
fn unknown_language_is_left_alone() {
    for name in ["a<b>", "x::{closure}", "f(int) const", "_Rnot"] {
        assert_eq!(sym(Unknown, name), name);
    }
}

#[test]
fn minified_names_are_bound_to_their_script() {
    let names = ["a", "b", "c", "d", "e", "f", "handle"];
    let frames = names.iter().map(|name| frame(name, "file:///srv/out-1.js"));
    let context = Context::observe(frames, Unknown, Default::default());
    assert_eq!(context.language(), JavaScript);
    let here = normalize_frame(&frame("a", "file:///srv/out-1.js"), &context);
    let there = normalize_frame(&frame("a", "file:///srv/other.js"), &context);
    assert_ne!(here.sym, there.sym);
    assert_ne!(here.base, there.base);
}

#[test]
fn files_inside_of_names() {
    let context = Context::new(Unknown);
    for (input, sym, file, language) in [
        ("serve (ingest.c)", "serve", "ingest.c", Cpp),
        ("f(int) (a.cpp:12)", "f", "a.cpp", Cpp),
        ("run (pkg/ingest.py:12:3)", "run", "ingest.py", Python),
        ("f (int)", "f (int)", "", Unknown),
        ("(below main)", "(below main)", "", Unknown),
    ] {
        let normal = normalize_frame(&frame(input, ""), &context);
        assert_eq!(
            (normal.sym.as_str(), normal.file.as_str(), normal.language),
            (sym, file, language)
        );
    }
}

#[test]
fn a_place_in_a_module_is_named_by_its_offset() {
    let context = Context::new(Unknown);
    let names = |function: &'static str, module: &'static str| {
        let raw = RawFrame {
            function,
            module,
            ..RawFrame::default()
        };
        let normal = normalize_frame(&raw, &context);
        (normal.display, normal.sym, normal.hole)
    };
    let place = "srv-2.1+0x1a2b".to_owned();
    assert_eq!(
        names("srv-2.1+0x1a2b", "/opt/srv-2.1"),
        (place.clone(), place, false)
    );
    // An offset in a function says nothing.
    let plain = "malloc".to_owned();
    assert_eq!(
        names("malloc+0x1f", "/lib/libc.so.6"),
        (plain.clone(), plain, false)
    );
}
