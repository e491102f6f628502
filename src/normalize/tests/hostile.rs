use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::{Context, Language, PathMap, RawFrame, normalize_frame, owner};
use super::named;
use crate::normalize::FrameClass;

const LANGUAGES: [Language; 8] = [
    Language::Rust,
    Language::Cpp,
    Language::Go,
    Language::Python,
    Language::JavaScript,
    Language::Java,
    Language::Ruby,
    Language::Unknown,
];

/// Everything that can be done to one text.
fn exercise(text: &str) {
    for language in LANGUAGES {
        let frame = RawFrame {
            function: text,
            file: text,
            line: 1,
            module: text,
        };
        let context = Context::observe([frame].into_iter(), language, PathMap::default());
        let normal = normalize_frame(&frame, &context);
        assert!(
            normal.hole || text.trim().is_empty() || !normal.sym.is_empty(),
            "{language:?} {text}"
        );
    }
}

#[test]
fn nested_and_unbalanced_names() {
    let start = Instant::now();
    for unit in [
        "<",
        ">",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "<<",
        "a<",
        "<a as ",
        "a::<impl ",
        "<impl b for ",
        "operator",
        "operator<",
        "operator()",
        "::",
        "::{closure#0}",
        "{lambda(",
        "<lambda(",
        "'lambda'(",
        "[abi:",
        "(anonymous namespace)::",
        ".func1",
        ".0",
        "[go.shape.",
        "$$Lambda$1",
        "/0x1",
        "@",
        "-1.2",
        ".part.0",
        " [clone ",
        "const ",
        " as ",
        "&",
        "é",
        "lib/",
        "lib/python3",
        "/src/",
        "/gems/",
        "@v1",
        "$Proxy1",
        ".$Proxy1",
        "registry/src/",
        "%2e",
        "+0x1",
        "_[k]",
        "{a#",
        "a[",
        "std::__1::",
        "site-packages/",
        "for<",
        "dyn for<'a> ",
        "lambda$a$1",
        "->",
        "a-",
        "Lib/",
        ".chunk",
        " in ",
        "_Z",
        "_R",
        "_ZN1a",
    ] {
        for count in [1, 2, 3, 1_000, 100_000] {
            exercise(&unit.repeat(count));
        }
        let balanced = format!("{}x{}", unit.repeat(20_000), ">".repeat(20_000));
        exercise(&balanced);
    }
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn huge_names() {
    let start = Instant::now();
    for unit in [
        "a",
        "<a",
        "a::<b>::",
        "f(int, ",
        "{closure#0}::",
        "/x-1.2.3",
    ] {
        exercise(&unit.repeat(10_000_000 / unit.len()));
    }
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn mangled_bombs() {
    let start = Instant::now();
    // Substitutions that double the text, and nesting that would exhaust the stack.
    let doubling = format!(
        "_Z1fI{}E",
        (0..60)
            .map(|n| format!("1AIS{n}_S{n}_E"))
            .collect::<String>()
    );
    let tuples = format!("_Z1f{}", "St5tupleIJ".repeat(3_000));
    let pointers = format!("_Z1f{}i", "P".repeat(16_000));
    let nested = format!("_ZN{}1fEv", "1a".repeat(8_000));
    let v0 = format!("_R{}", "NvNtC1a1b".repeat(1_500));
    let back = format!("_RINvC1a1f{}E", "TB5_B5_".repeat(2_000));
    for name in [doubling, tuples, pointers, nested, v0, back] {
        exercise(&name);
        exercise(&name[..name.len() / 2]);
    }
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn owner_of_long_stacks() {
    assert_eq!(owner(vec![FrameClass::Glue; 1_000_000]), None);
    assert_eq!(owner(Vec::new()), None);
}

/// Names that look like those of a compiler.
fn rust_name() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("app::Foo".to_owned()),
        Just("u8".to_owned()),
        Just("[T]".to_owned()),
        Just("&str".to_owned()),
        Just("alloc::vec::Vec<T,A>".to_owned()),
        Just("{closure#3}".to_owned()),
        Just("fn(u8) -> u8".to_owned()),
    ];
    let types = leaf.prop_recursive(4, 32, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("<{a} as app::Tr<{b}>>::Out")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("app::S<{a}, {b}>")),
            inner.clone().prop_map(|a| format!("[{a}]")),
            inner.clone().prop_map(|a| format!("&mut {a}")),
            (inner.clone(), inner)
                .prop_map(|(a, b)| format!("app::m::<impl app::Tr<{a}> for {b}>::f")),
        ]
    });
    (types, "[a-z]{1,6}").prop_map(|(a, name)| format!("<{a}>::{name}::<{a}>"))
}

proptest! {
    #[test]
    fn any_text(text in "\\PC{0,200}") {
        exercise(&text);
    }

    #[test]
    fn any_signs(text in "[a-c<>(){}\\[\\]:&*'$#@.+/_%0x \\-]{0,60}") {
        exercise(&text);
    }

    #[test]
    fn operators(text in "(operator|[a-c<>():=,\\[\\] ~-]|::|const|lambda|\\{lambda\\(){0,20}") {
        exercise(&text);
    }

    #[test]
    fn rust_symbols_are_fixed_points(name in rust_name()) {
        let once = named(Language::Rust, &name);
        let twice = named(Language::Rust, &once.sym);
        prop_assert_eq!(&once.sym, &twice.sym);
        prop_assert_eq!(&named(Language::Rust, &once.deord).deord, &once.deord);
    }

    #[test]
    fn paths_are_fixed_points(path in "(/|[a-z]{1,6}/|[a-z]{1,4}-[0-9]\\.[0-9]\\.[0-9]/|site-packages/|pkg/mod/|src/){0,6}[a-z]{1,6}\\.(rs|go|py|c)") {
        let context = Context::new(Language::Unknown);
        let of = |path: &str| normalize_frame(&RawFrame { file: path, ..RawFrame::default() }, &context).path;
        let once = of(&path);
        let mut settled = once.clone();
        for _ in 0..8 {
            settled = of(&settled);
        }
        prop_assert_eq!(of(&settled), settled);
    }

    #[test]
    fn the_owner_is_the_programs_nearest_frame(classes in proptest::collection::vec(0u8..4, 0..12)) {
        let classes: Vec<FrameClass> = classes
            .into_iter()
            .map(|class| match class {
                0 => FrameClass::Allocator,
                1 => FrameClass::Glue,
                2 => FrameClass::ThirdParty,
                _ => FrameClass::User,
            })
            .collect();
        let expected = classes
            .iter()
            .rposition(|&class| class == FrameClass::User)
            .or_else(|| classes.iter().rposition(|&class| class == FrameClass::ThirdParty));
        prop_assert_eq!(owner(classes), expected);
    }
}
