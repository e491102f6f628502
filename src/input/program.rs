//! Program files: what symbols are looked up in.

use std::fs::File;
use std::path::Path;

/// A program, library or debug file, mapped.
#[derive(Debug)]
pub struct ProgramFile {
    map: memmap2::Mmap,
}

impl ProgramFile {
    /// Opens a regular file that begins like an ELF file; anything else is not there. The path
    /// may come from a capture, so that devices and pipes are not opened.
    pub fn open(path: &Path) -> Option<ProgramFile> {
        if !std::fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let file = File::open(path).ok()?;
        if file.metadata().ok()?.len() < 64 {
            return None;
        }
        let map = super::source::map(&file).ok()?;
        map.starts_with(b"\x7fELF").then_some(ProgramFile { map })
    }
}

impl std::ops::Deref for ProgramFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
