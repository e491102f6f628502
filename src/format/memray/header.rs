//! The header: what ran, and how the records are written.

use super::stream::Stream;
use crate::error::{Code, Error, Result};

/// More entries than any module search path has.
const MOST_PATHS: usize = 4096;

/// What the header tells.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// Version of the layout, 10 to 13.
    pub version: u32,
    /// Version of CPython, as in `sys.hexversion`; 0 before layout 12.
    pub python: u32,
    /// Whether allocations name native stacks.
    pub native: bool,
    /// Whether the file holds sums instead of events.
    pub aggregated: bool,
    /// Allocations and frees, as counted by the writer; 0 when it was killed or aggregated.
    pub records: u64,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// The command line.
    pub command: String,
    /// Process id.
    pub pid: u32,
    /// Id of the main thread.
    pub main_thread: u64,
    /// Outermost frames of the main thread that are memray's own.
    pub skipped: u64,
    /// Python's allocator: 1 pymalloc, 3 malloc, 5 mimalloc; even numbers are debug forms.
    pub allocator: u8,
    /// Whether requests to Python's allocator are recorded in place of what it requests.
    pub python_requests: bool,
}

impl Header {
    /// Whether small Python objects lie in arenas, which are recorded in their place.
    pub fn has_arenas(&self) -> bool {
        matches!(self.allocator, 1 | 2) && !self.python_requests
    }

    /// Reads the header.
    ///
    /// Errors: another file, another version, another word size.
    pub fn read(s: &mut Stream<'_>) -> Result<Header> {
        if s.array::<7>()? != *b"memray\0" {
            return Err(Error::new(Code::Unrecognised, "is no memray capture"));
        }
        let version = s.u32()?;
        if !(10..=13).contains(&version) {
            return Err(Error::new(
                Code::Unsupported,
                format!("a memray capture of version {version}; versions 10 to 13 can be read"),
            )
            .help("capture it with memray 1.7 or later"));
        }
        let mut h = Header {
            version,
            ..Header::default()
        };
        if version >= 12 {
            h.python = s.u32()?;
        }
        h.native = flag(s, "native traces")?;
        h.aggregated = flag(s, "file format")?;
        h.records = s.u64()?;
        s.u64()?;
        h.start_ms = s.u64()? as i64;
        s.u64()?;
        h.command = String::from_utf8_lossy(s.text()?).into_owned();
        h.pid = s.u32()?;
        h.main_thread = s.u64()?;
        h.skipped = s.u64()?;
        h.allocator = s.byte()?;
        if h.skipped > 1 << 16 || h.allocator > 32 {
            return Err(Error::damaged(
                s.offset(),
                "a header of another word size, or damaged",
            ));
        }
        if version >= 11 {
            h.python_requests = flag(s, "Python's requests")?;
        }
        if version >= 12 {
            flag(s, "object lifetimes")?;
        }
        if version >= 13 {
            s.text()?;
            for _ in 0..2 {
                let mut paths = 0;
                while !s.text()?.is_empty() {
                    paths += 1;
                    if paths > MOST_PATHS {
                        return Err(Error::damaged(s.offset(), "a module path without an end"));
                    }
                }
            }
        }
        Ok(h)
    }
}

fn flag(s: &mut Stream<'_>, what: &str) -> Result<bool> {
    match s.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        n => Err(Error::damaged(
            s.offset() - 1,
            format!("{n} where the header says yes or no ({what})"),
        )),
    }
}
