//! Flamegraphs.

use super::text;

const PAIR: [&str; 2] = [
    "profiles/go-ingest/rate-4096/faulty/run-050.pb.gz",
    "profiles/go-ingest/rate-4096/faulty/run-200.pb.gz",
];

/// Reads the whole document, so that it is well-formed; returns its titles.
fn titles(svg: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(svg);
    let (mut titles, mut inside) = (Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(e) if e.name().as_ref() == b"title" => {
                inside = true;
                titles.push(String::new());
            }
            quick_xml::events::Event::End(e) if e.name().as_ref() == b"title" => inside = false,
            quick_xml::events::Event::Text(t) if inside => {
                titles.last_mut().unwrap().push_str(&t.decode().unwrap());
            }
            quick_xml::events::Event::Eof => return titles,
            _ => {}
        }
    }
}

#[test]
fn callers_are_as_wide_as_what_grew_below_them() {
    let svg = text("svg", &[PAIR[0], PAIR[1], "--flame", "growth"]);
    let titles = titles(&svg);
    let has = |title: &str| assert!(titles.iter().any(|t| t == title), "{title}: {titles:?}");
    has("all (1,143,419 bytes, 100%)");
    has("main.(*Service).serve (1,143,419 bytes, 100.00%)");
    has("main.(*Buffer).readdFailed (578,664 bytes, 50.61%)");
    has("main.(*Encoder).encode (564,755 bytes, 49.39%)");
    assert!(svg.contains("Growth of live_bytes by site"));
    for reference in [
        "href=\"http",
        "src=\"http",
        "@import",
        "url(http",
        "@font-face",
    ] {
        assert!(!svg.contains(reference), "{reference}");
    }
}

#[test]
fn nothing_grew_is_a_picture_too() {
    let svg = text("svg", &[PAIR[0], PAIR[0], "--flame", "growth"]);
    assert!(svg.contains("no site grew"));
    titles(&svg);
}

/// A name that begins another one stays one box.
#[test]
fn callers_are_not_split() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.folded");
    let stacks = "main 5\nmain;x 4\nmain::{{closure}} 3\nmain b;y 2\nmain 12 7\n";
    std::fs::write(&path, stacks).unwrap();
    let empty = dir.path().join("b.folded");
    std::fs::write(&empty, "main 0\n").unwrap();
    let pair = [empty.to_str().unwrap(), path.to_str().unwrap()];
    let svg = text(
        "svg",
        &[
            &pair[..],
            &["--input-format", "folded", "--flame", "growth"],
        ]
        .concat(),
    );
    let titles = titles(&svg);
    let of = |name: &str| titles.iter().filter(|t| t.starts_with(name)).count();
    assert_eq!(of("main ("), 1, "{titles:?}");
    assert!(
        titles.iter().any(|t| t == "all (21 bytes, 100%)"),
        "{titles:?}"
    );
}

#[test]
fn one_capture_is_drawn_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.svg");
    let ran = crate::program::run(&["inspect", PAIR[1], "-o", path.to_str().unwrap()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let titles = titles(&std::fs::read_to_string(&path).unwrap());
    let all = "all (13,022,680 bytes, 100%)";
    assert!(titles.iter().any(|t| t == all), "{titles:?}");
}
