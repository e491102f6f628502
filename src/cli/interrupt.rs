//! Ctrl-C: half-written files are removed, and the exit status says so.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once};

/// Interrupted, as shells have it: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// Files that are being written beside their targets.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static LISTEN: Once = Once::new();

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED
        .lock()
        .unwrap_or_else(|broken| broken.into_inner())
}

/// Has `file` removed when the program is interrupted before [`finished`] is called for it.
pub(super) fn unless_finished(file: &Path) {
    unfinished().push(file.to_owned());
    LISTEN.call_once(|| {
        // Where no handler can be set, the file is left behind: no reason to refuse the work.
        let _ = ctrlc::set_handler(|| {
            for file in unfinished().drain(..) {
                let _ = std::fs::remove_file(file);
            }
            std::process::exit(INTERRUPTED);
        });
    });
}

/// The file stands where it belongs, or is gone.
pub(super) fn finished(file: &Path) {
    unfinished().retain(|f| f != file);
}
