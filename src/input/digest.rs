//! What a file is, to the byte: its size and its digest, so that a report can be held against its
//! inputs.

use crate::error::{Code, Error, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// As the user named it.
    pub path: String,
    /// Its size as it lies on disk, compressed or not.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hex.
    pub sha256: String,
}

/// Reads a file once for its size and digest. Memory: a buffer.
///
/// Errors: the file cannot be read.
pub fn digest(path: &str) -> Result<FileFacts> {
    let unreadable = |e: std::io::Error| Error::io(Code::Unreadable, path, &e);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(unreadable(e)),
        };
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
    let sha256 = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(FileFacts {
        path: path.to_owned(),
        bytes,
        sha256,
    })
}
