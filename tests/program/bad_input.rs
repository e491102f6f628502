//! Damaged and hostile files: status 2, one line, the file, the place, the remedy.

use super::run;
use std::path::PathBuf;

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn refused(path: &str, says: &str) {
    let ran = run(&["compare", path, "profiles/ingest/a.json"]);
    assert_eq!(ran.status, 2, "{path}: {}{}", ran.out, ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.contains(path), "{}", ran.err);
    assert!(ran.err.contains(says), "{says:?} is not in {}", ran.err);
    assert!(ran.out.is_empty());
}

fn capture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/profiles/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn an_empty_file() {
    refused(&Dir::new().file("a.json", b""), "byte 0: the file is empty");
}

#[test]
fn a_truncated_file() {
    let dir = Dir::new();
    let whole = capture("ingest/a.json");
    for n in [1, 2, 3] {
        let path = dir.file("a.json", &whole[..whole.len() * n / 4]);
        refused(&path, "byte ");
    }
    let whole = capture("go-ingest/exact/faulty/run-200.pb.gz");
    refused(&dir.file("a.pb.gz", &whole[..whole.len() / 2]), "byte ");
}

#[test]
fn json_that_is_no_profile() {
    let dir = Dir::new();
    refused(
        &dir.file("a.json", br#"{"name":"x","version":1}"#),
        "no format that heapdiff knows",
    );
    refused(
        &dir.file("b.json", br#"{"dhatFileVersion":2,"pps":3,"ftbl":[]}"#),
        "byte ",
    );
    refused(
        &dir.file("c.json", br#"{"dhatFileVersion":2,"ftbl":[]}"#),
        "no program points",
    );
}

#[test]
fn an_index_out_of_range() {
    let text = br#"{"dhatFileVersion":2,"mode":"heap","verb":"Allocated","bklt":false,"bkacc":false,"tu":"i","cmd":"x","pid":1,"te":1,"pps":[{"tb":1,"tbk":1,"fs":[99]}],"ftbl":["[root]"]}"#;
    refused(
        &Dir::new().file("a.json", text),
        "frame 99 is out of range, the table has 1",
    );
}

#[test]
fn nesting_without_end() {
    let mut text = br#"{"dhatFileVersion":2,"x":"#.to_vec();
    text.extend(vec![b'['; 100_000]);
    text.extend(br#","pps":[],"ftbl":[]}"#);
    refused(&Dir::new().file("a.json", &text), "nested deeper than");
}

#[test]
fn an_inflating_bomb() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(br#"{"dhatFileVersion":2,"pps":[],"x":""#)
        .unwrap();
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&spaces).unwrap();
    }
    let path = Dir::new();
    refused(
        &path.file("a.json.gz", &encoder.finish().unwrap()),
        "inflates to more than",
    );
}

#[test]
fn a_directory_without_captures() {
    let dir = Dir::new();
    dir.file("notes.txt", b"nothing to see here\n");
    let path = dir.0.path().to_str().unwrap().to_owned();
    refused(&path, "holds no captures");
    let empty = tempfile::tempdir().unwrap();
    refused(empty.path().to_str().unwrap(), "holds no files");
}

#[test]
fn captures_without_a_common_metric() {
    let ran = run(&[
        "compare",
        "profiles/ingest/a.json",
        "profiles/c-ingest/copy-050.json",
    ]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("copied_bytes") && ran.err.contains("live_bytes"),
        "{}",
        ran.err
    );
}

#[test]
fn bytes_that_are_no_text_are_kept_with_replacement_characters() {
    let mut text = br#"{"dhatFileVersion":2,"mode":"heap","verb":"Allocated","bklt":false,"bkacc":false,"tu":"i","cmd":"x","pid":1,"te":1,"pps":[{"tb":1,"tbk":1,"fs":[1]}],"ftbl":["[root]","0x1: na"#.to_vec();
    text.extend([0xff, 0xfe]);
    text.extend(br#"me (a.c:1)"]}"#);
    let path = Dir::new();
    let file = path.file("a.json", &text);
    let ran = run(&["inspect", &file]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("na\u{fffd}\u{fffd}me"), "{}", ran.out);
}
