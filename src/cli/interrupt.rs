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

/// Makes a file that is removed when the program is interrupted before [`finished`] is called for
/// it. An interruption meanwhile waits until the file is known.
pub(super) fn making<T: AsRef<Path>, E>(make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    listen();
    let mut all = unfinished();
    let file = make()?;
    all.push(file.as_ref().to_owned());
    Ok(file)
}

fn listen() {
    LISTEN.call_once(|| {
        // Where no handler can be set, the file is left behind: no reason to refuse the work.
        let _ = ctrlc::set_handler(|| {
            let mut all = unfinished();
            for file in all.drain(..) {
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
