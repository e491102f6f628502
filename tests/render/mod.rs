//! What `compare` writes for machines and pages.

mod flame;
mod go;
mod hostile;
mod outputs;
mod picture;
mod properties;
mod schema;
mod tables;

use crate::program::heapdiff;
use serde_json::Value;

/// What a comparison prints in one format. Fails unless it succeeds.
fn rendered(format: &str, args: &[&str]) -> Vec<u8> {
    let mut all = vec!["compare", "--format", format];
    all.extend(args);
    let output = heapdiff(&all).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    output.stdout
}

fn text(format: &str, args: &[&str]) -> String {
    String::from_utf8(rendered(format, args)).unwrap()
}

fn json(args: &[&str]) -> Value {
    serde_json::from_slice(&rendered("json", args)).unwrap()
}

/// A file under profiles/.
fn profile(name: &str) -> String {
    let path = format!("{}/profiles/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}
