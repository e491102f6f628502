//! `reports/` holds the finished pages and pictures of the investigations; they are made again here
//! and are the same bytes. `HEAPDIFF_BLESS=1` writes them anew.

use crate::program::run;
use std::path::{Path, PathBuf};

/// What each file is called, its endings, and the command that makes it.
const REPORTS: &[(&str, &[&str], &str)] = &[
    (
        "telemetry-ingester",
        &["html", "svg"],
        "compare profiles/telemetry-ingester/retries-fault-20.bin@runs=20,failures=2 \
         profiles/telemetry-ingester/retries-fault-40.bin@runs=40,failures=4 \
         profiles/telemetry-ingester/retries-fault-80.bin@runs=80,failures=8",
    ),
    (
        "telemetry-ingester-peak",
        &["html", "svg"],
        "compare profiles/telemetry-ingester/payload-cure.bin \
         profiles/telemetry-ingester/payload-fault.bin --metric peak_bytes",
    ),
    (
        "log-forwarder",
        &["html", "svg"],
        "compare profiles/log-forwarder/dhat/faulty/runs-050-conns-20.json@50 \
         profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@200 \
         profiles/log-forwarder/dhat/faulty/runs-800-conns-20.json@800",
    ),
    (
        "web-application",
        &["html"],
        "timeline profiles/web-app/faulty",
    ),
    (
        "web-application-sites",
        &["html", "svg"],
        "compare --runs 10,20,40,80 profiles/web-app/tracemalloc/faulty",
    ),
    (
        "rules-engine",
        &["html"],
        "cycles profiles/rules-engine/off-10.hdg.zst profiles/rules-engine/off-20.hdg.zst \
         profiles/rules-engine/off-40.hdg.zst",
    ),
    (
        "rules-engine-sites",
        &["html", "svg"],
        "compare --runs 0,10,20,40 profiles/rules-engine/off-0.pickle \
         profiles/rules-engine/off-10.pickle profiles/rules-engine/off-20.pickle \
         profiles/rules-engine/off-40.pickle",
    ),
];

/// More does not travel by e-mail.
const MOST: usize = 500_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

#[test]
fn reports_are_made_again_byte_for_byte() {
    let bless = std::env::var_os("HEAPDIFF_BLESS").is_some();
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut expected = vec!["README.md".to_owned()];
    for (name, endings, command) in REPORTS {
        let files: Vec<String> = endings.iter().map(|e| format!("{name}.{e}")).collect();
        let paths: Vec<String> = files
            .iter()
            .map(|f| dir.path().join(f).display().to_string())
            .collect();
        let mut args: Vec<&str> = command.split_whitespace().collect();
        for path in &paths {
            args.extend(["-o", path]);
        }
        let ran = run(&args);
        assert_eq!(ran.status, 0, "{name}: {}", ran.err);
        for (file, path) in files.into_iter().zip(&paths) {
            let made = std::fs::read(path).unwrap();
            assert!(made.len() <= MOST, "{file} has {} bytes", made.len());
            if bless {
                std::fs::write(folder().join(&file), &made).unwrap();
            } else if std::fs::read(folder().join(&file)).ok().as_ref() != Some(&made) {
                wrong.push(file.clone());
            }
            expected.push(file);
        }
    }
    assert!(
        wrong.is_empty(),
        "not what the program makes: {wrong:?}; look at them, then HEAPDIFF_BLESS=1"
    );
    let mut there: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    expected.sort();
    assert_eq!(there, expected);
}

#[test]
fn a_report_names_no_machine() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["/root/", "/home/", "http://localhost", "/tmp/", "/work/"] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}
