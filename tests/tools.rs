//! Programs that some tests run beside heapdiff.

use std::process::Command;

/// Whether a program is here. A test that needs one ends where it is not, and says so;
/// HEAPDIFF_ALL_TOOLS=1, as in CI, makes that a failure.
pub fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output();
    let found = found.is_ok_and(|o| o.status.success());
    let needed = std::env::var_os("HEAPDIFF_ALL_TOOLS").is_some();
    assert!(found || !needed, "{tool} is not here");
    if !found {
        println!("not run: {tool} is not here");
    }
    found
}
