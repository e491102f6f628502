use super::super::Language::{self, *};
use super::frame;
use crate::normalize::{Context, PathMap, normalize_frame};

fn of(language: Language, file: &str) -> (String, String) {
    let normal = normalize_frame(&frame("f", file), &Context::new(language));
    (normal.path, normal.file)
}

#[test]
fn portable_paths() {
    for (language, file, expected) in [
        (
            Rust,
            "/home/me/.cargo/registry/src/index-1949cf8c6b5b557f/serde_json-1.0.117/src/de.rs",
            "serde_json/src/de.rs",
        ),
        (Rust, "dhat-0.3.3/src/lib.rs", "dhat/src/lib.rs"),
        (
            Rust,
            "foo-bar-1.0.0-beta.2/src/lib.rs",
            "foo-bar/src/lib.rs",
        ),
        (
            Rust,
            "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/option.rs",
            "core/src/option.rs",
        ),
        (
            Rust,
            "/home/me/.cargo/git/checkouts/dep-0123456789abcdef/1a2b3c4/src/lib.rs",
            "dep/src/lib.rs",
        ),
        (Rust, "./src/main.rs", "src/main.rs"),
        (Rust, "src\\main.rs", "src/main.rs"),
        (
            Python,
            "/venv/lib/python3.11/site-packages/requests/api.py",
            "site-packages/requests/api.py",
        ),
        (
            Python,
            "/usr/lib/python3/dist-packages/x.py",
            "dist-packages/x.py",
        ),
        (
            Python,
            "/usr/lib/python3.11/json/decoder.py",
            "python/json/decoder.py",
        ),
        (
            Python,
            "C:\\Python311\\Lib\\json\\decoder.py",
            "python/json/decoder.py",
        ),
        (Python, "/home/me/lib/app.py", "/home/me/lib/app.py"),
        (
            Go,
            "/home/me/go/pkg/mod/github.com/x/y@v1.2.3/z.go",
            "github.com/x/y/z.go",
        ),
        (Go, "github.com/x/y@v1.2.3/z.go", "github.com/x/y/z.go"),
        (
            Go,
            "/usr/lib/go-1.19/src/bytes/buffer.go",
            "bytes/buffer.go",
        ),
        (
            Ruby,
            "/usr/lib/ruby/gems/3.1.0/gems/rack-2.2.4/lib/rack.rb",
            "rack/lib/rack.rb",
        ),
        (Cpp, "???", ""),
    ] {
        assert_eq!(of(language, file).0, expected, "{file}");
    }
}

#[test]
fn script_names() {
    for (file, expected) in [
        ("main-JGEAGWON.mjs", "main.mjs"),
        ("main-2QS5RK7S.mjs", "main.mjs"),
        ("vendor.4f2a9c1e.chunk.js", "vendor.chunk.js"),
        ("index-D4-xY_3a.js", "index.js"),
        ("app-settings.js", "app-settings.js"),
        ("my-datatype.js", "my-datatype.js"),
        ("v1-20240101.js", "v1.js"),
        (
            "file:///srv/dist/app.0123456789abcdef0123.min.js?v=3",
            "app.min.js",
        ),
        ("script.py", "script.py"),
    ] {
        assert_eq!(of(JavaScript, file).1, expected, "{file}");
    }
}

#[test]
fn paths_that_fall_together_keep_their_names() {
    let files = ["v1-20240101.js", "v1-20240202.js", "main-JGEAGWON.js"];
    let context = Context::observe(
        files.iter().map(|file| frame("f", file)),
        JavaScript,
        PathMap::default(),
    );
    let name = |file| normalize_frame(&frame("f", file), &context).file;
    assert_eq!(name("v1-20240101.js"), "v1-20240101.js");
    assert_eq!(name("v1-20240202.js"), "v1-20240202.js");
    assert_eq!(name("main-JGEAGWON.js"), "main.js");
}

#[test]
fn path_map() {
    let map = PathMap::new([
        ("/build", "/src"),
        ("/build/deep/", "/other"),
        ("", "x"),
        ("C:\\w", "/w"),
    ]);
    let context = Context::observe(std::iter::empty(), Cpp, map);
    let path = |file| normalize_frame(&frame("f", file), &context).path;
    assert_eq!(path("/build/a.c"), "/src/a.c");
    assert_eq!(path("/build/deep/a.c"), "/other/a.c");
    assert_eq!(path("/builder/a.c"), "/builder/a.c");
    assert_eq!(path("C:\\w\\a.c"), "/w/a.c");
    assert_eq!(PathMap::parse_pair("a=b=c"), Some(("a", "b=c")));
    assert_eq!(PathMap::parse_pair("=c"), None);
    assert_eq!(PathMap::parse_pair("c"), None);
}
