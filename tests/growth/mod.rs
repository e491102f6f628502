//! What tools are known to get wrong, through the program.

mod noise;
mod rows;
mod series;
mod sides;
mod words;

use crate::program::run;
use serde_json::Value;

/// Captures in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A site of a DHAT capture: functions, root first, the bytes and the blocks that it holds.
type Held<'a> = (&'a [&'a str], u64, u64);

/// A capture that counts every allocation.
fn exact(sites: &[Held<'_>]) -> String {
    let mut table = vec!["[root]".to_owned()];
    let points: Vec<Value> = sites
        .iter()
        .map(|(functions, bytes, blocks)| {
            let frames: Vec<usize> = functions
                .iter()
                .rev()
                .map(|f| {
                    let frame = format!("0x{:x}: {f}", 0x1000 + table.len());
                    table.push(frame);
                    table.len() - 1
                })
                .collect();
            serde_json::json!({"tb": bytes, "tbk": blocks, "tl": 1, "mb": bytes, "mbk": blocks,
                "gb": bytes, "gbk": blocks, "eb": bytes, "ebk": blocks, "fs": frames})
        })
        .collect();
    serde_json::json!({"dhatFileVersion": 2, "mode": "heap", "verb": "Allocated", "bklt": true,
        "bkacc": false, "tu": "instrs", "Mtu": "Minstr", "cmd": "app", "pid": 1, "tg": 1, "te": 2,
        "pps": points, "ftbl": table})
    .to_string()
}

/// The document of a comparison.
fn document(args: &[&str]) -> Value {
    let ran = run(&[&["compare", "--format", "json"], args].concat());
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{args:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The text of a comparison, its lines joined by single blanks.
fn text(args: &[&str]) -> String {
    let ran = run(&[&["compare"], args].concat());
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{args:?}");
    ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The row whose last frame, or whose only one, is this function.
fn row<'d>(document: &'d Value, function: &str) -> &'d Value {
    let rows = document["sites"].as_array().unwrap();
    let named = |row: &&Value| {
        let frames = row["frames"].as_array().unwrap();
        frames.last().unwrap()["function"] == function
    };
    rows.iter()
        .find(named)
        .unwrap_or_else(|| panic!("no row {function}: {document:#}"))
}

/// Captures of one site at these runs, with values and blocks.
fn captures(files: &Files, name: &str, values: &[(f64, u64, u64)]) -> Vec<String> {
    let each = |(i, &(runs, bytes, blocks)): (usize, &(f64, u64, u64))| {
        let stack: &[&str] = &["main (a.c:1)", "work (a.c:2)", "keep (a.c:3)"];
        let held = [(stack, bytes, blocks), (&["main (a.c:1)"][..], 1000, 1)];
        let path = files.write(&format!("{name}-{i}.json"), &exact(&held));
        format!("{path}@{runs}")
    };
    values.iter().enumerate().map(each).collect()
}

fn refs(paths: &[String]) -> Vec<&str> {
    paths.iter().map(String::as_str).collect()
}
