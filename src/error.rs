//! The one error type: what is wrong, where, and what to do about it.

use std::fmt;

/// A stable code that scripts and documentation may rely on. Codes are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The command line asks for something that does not exist or does not fit together.
    Usage,
    /// A file or directory could not be opened or read.
    Unreadable,
    /// An output could not be written.
    Unwritable,
    /// The bytes are of no format that is known, or of several.
    Unrecognised,
    /// The bytes are of a known format and are damaged.
    Damaged,
    /// The bytes are of a known format and end too early.
    Truncated,
    /// A bound on memory, inflation or nesting would be exceeded.
    LimitExceeded,
    /// Captures that cannot be compared: other kinds, metrics or units.
    Incomparable,
    /// A part of a known format that is not supported.
    Unsupported,
}

impl Code {
    /// The code as it is printed, `HDE001` and up.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Usage => "HDE001",
            Code::Unreadable => "HDE002",
            Code::Unwritable => "HDE003",
            Code::Unrecognised => "HDE004",
            Code::Damaged => "HDE005",
            Code::Truncated => "HDE006",
            Code::LimitExceeded => "HDE007",
            Code::Incomparable => "HDE008",
            Code::Unsupported => "HDE009",
        }
    }
}

/// Where in a file an error was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Offset in bytes from the start, after decompression.
    Byte(u64),
    /// Line number, from 1.
    Line(u64),
}

/// What went wrong, in one line: the file, the place in it, the reason and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    code: Code,
    path: Option<String>,
    place: Option<Place>,
    what: String,
    help: Option<String>,
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of kind `code`; `what` is lower case, without a full stop.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Error {
            code,
            path: None,
            place: None,
            what: what.into(),
            help: None,
        }
    }

    /// A damaged file, at byte `offset`.
    pub fn damaged(offset: u64, what: impl Into<String>) -> Self {
        Self::new(Code::Damaged, what)
            .at(Place::Byte(offset))
            .help("the file is damaged: capture it again")
    }

    /// A file that ends at byte `offset` though more was promised.
    pub fn truncated(offset: u64, what: impl Into<String>) -> Self {
        Self::new(Code::Truncated, what)
            .at(Place::Byte(offset))
            .help("the file is cut short: let the program end normally, then capture it again")
    }

    /// A command line that cannot be carried out.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Code::Usage, what)
    }

    /// An input or output error on `path`.
    pub fn io(code: Code, path: &str, error: &std::io::Error) -> Self {
        Self::new(code, io_reason(error)).in_file(path)
    }

    /// Names the file. The first name given stays.
    pub fn in_file(mut self, path: &str) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// Names the place. The first place given stays.
    pub fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// Replaces the place: a reader of parts of a file knows where the part stands.
    pub fn placed(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says what to do; replaces an earlier advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The kind of error.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The place in the file, if one is known.
    pub fn place(&self) -> Option<Place> {
        self.place
    }
}

fn io_reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::NotFound => "no such file or directory".into(),
        K::PermissionDenied => "permission denied".into(),
        K::IsADirectory => "is a directory".into(),
        _ => error.to_string(),
    }
}

/// Control characters would break the promise of one line, or drive a terminal.
fn one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for c in text.chars() {
        if c.is_control() {
            f.write_str("\u{fffd}")?;
        } else {
            write!(f, "{c}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: ", self.code.as_str())?;
        if let Some(path) = &self.path {
            one_line(f, path)?;
            f.write_str(": ")?;
        }
        match self.place {
            Some(Place::Byte(n)) => write!(f, "byte {n}: ")?,
            Some(Place::Line(n)) => write!(f, "line {n}: ")?,
            None => {}
        }
        one_line(f, &self.what)?;
        if let Some(help) = &self.help {
            f.write_str(": ")?;
            one_line(f, help)?;
        }
        Ok(())
    }
}
