//! Where results go: every target is opened before the work, written beside and renamed.

use super::interrupt;
use crate::error::{Code, Error, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A rendering, by the ending of a file or by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// Text for people.
    Text,
    /// The JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Markdown.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// Folded stacks.
    Folded,
    /// A pprof profile.
    Pprof,
    /// A flamegraph.
    Svg,
    /// Cycles for Graphviz.
    Dot,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// GitLab's code quality report.
    CodeQuality,
    /// Annotations of GitHub, and the summary of the job.
    Github,
    /// One self-contained page.
    Html,
}

/// Names after `--format`, endings of files, renderings.
const RENDERINGS: &[(&str, &str, Rendering)] = &[
    ("text", ".txt", Rendering::Text),
    ("json", ".json", Rendering::Json),
    ("jsonl", ".jsonl", Rendering::Jsonl),
    ("md", ".md", Rendering::Markdown),
    ("csv", ".csv", Rendering::Csv),
    ("folded", ".folded", Rendering::Folded),
    ("pprof", ".pb.gz", Rendering::Pprof),
    ("svg", ".svg", Rendering::Svg),
    ("dot", ".dot", Rendering::Dot),
    ("sarif", ".sarif", Rendering::Sarif),
    ("junit", ".junit.xml", Rendering::Junit),
    ("codequality", ".codequality.json", Rendering::CodeQuality),
    ("github", ".annotations", Rendering::Github),
    ("html", ".html", Rendering::Html),
];

impl Rendering {
    /// What `heapdiff compare` renders.
    pub const OF_COMPARE: &'static [Rendering] = &[
        Rendering::Text,
        Rendering::Json,
        Rendering::Jsonl,
        Rendering::Markdown,
        Rendering::Csv,
        Rendering::Folded,
        Rendering::Pprof,
        Rendering::Svg,
        Rendering::Html,
    ];

    /// What `heapdiff cycles` renders.
    pub const OF_GRAPHS: &'static [Rendering] = &[
        Rendering::Text,
        Rendering::Json,
        Rendering::Jsonl,
        Rendering::Markdown,
        Rendering::Csv,
        Rendering::Dot,
        Rendering::Html,
        Rendering::Folded,
        Rendering::Pprof,
        Rendering::Svg,
    ];

    /// What `heapdiff gate` renders.
    pub const OF_GATE: &'static [Rendering] = &[
        Rendering::Text,
        Rendering::Json,
        Rendering::Jsonl,
        Rendering::Markdown,
        Rendering::Csv,
        Rendering::Folded,
        Rendering::Pprof,
        Rendering::Svg,
        Rendering::Html,
        Rendering::Sarif,
        Rendering::Junit,
        Rendering::CodeQuality,
        Rendering::Github,
    ];

    /// What `heapdiff gate` renders of object graphs.
    pub const OF_GATE_OF_GRAPHS: &'static [Rendering] = &[
        Rendering::Text,
        Rendering::Json,
        Rendering::Jsonl,
        Rendering::Markdown,
        Rendering::Sarif,
        Rendering::Junit,
        Rendering::CodeQuality,
        Rendering::Github,
        Rendering::Html,
    ];

    /// What `heapdiff gate` renders of monitoring.
    pub const OF_GATE_OF_MONITORING: &'static [Rendering] = &[
        Rendering::Text,
        Rendering::Json,
        Rendering::Markdown,
        Rendering::Sarif,
        Rendering::Junit,
        Rendering::CodeQuality,
        Rendering::Github,
        Rendering::Html,
    ];

    /// What `heapdiff timeline` renders.
    pub const OF_TIMELINE: &'static [Rendering] = &[
        Rendering::Text,
        Rendering::Json,
        Rendering::Markdown,
        Rendering::Html,
    ];

    /// The rendering called `name`, of those that a command offers.
    pub fn by_name(name: &str, offered: &[Rendering]) -> Result<Rendering> {
        let table = || RENDERINGS.iter().filter(|(_, _, r)| offered.contains(r));
        let known =
            |(n, e, _): &&(&str, &str, Rendering)| *n == name || e.trim_start_matches('.') == name;
        table().find(known).map(|&(_, _, r)| r).ok_or_else(|| {
            let names: Vec<_> = table().map(|(n, ..)| *n).collect();
            Error::usage(format!("this command has no rendering {name:?}"))
                .help(format!("it has {}", names.join(", ")))
        })
    }

    /// The rendering that a file's ending asks for, of those that a command offers.
    pub fn of_file(path: &str, offered: &[Rendering]) -> Result<Rendering> {
        let table = || RENDERINGS.iter().filter(|(_, _, r)| offered.contains(r));
        // Longer endings of other commands' renderings are not these.
        let other = path.ends_with(".codequality.json");
        let ends = |(_, ending, r): &&(&str, &str, Rendering)| {
            path.ends_with(ending) && (!other || *r == Rendering::CodeQuality)
        };
        table().find(ends).map(|&(_, _, r)| r).ok_or_else(|| {
            let endings: Vec<_> = table().map(|(_, e, _)| *e).collect();
            Error::usage("its ending names no rendering that this command has")
                .in_file(path)
                .help(format!("it has {}", endings.join(", ")))
        })
    }
}

/// An output that is opened and waits for its bytes.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Stdout,
    /// A device, a pipe: written as it is.
    Direct(std::fs::File),
    /// A regular file: written beside it and renamed.
    Beside(tempfile::NamedTempFile),
}

impl Target {
    /// Opens a target; `-` is standard output.
    ///
    /// Errors: a directory that does not exist or cannot be written.
    pub fn open(path: &str) -> Result<Target> {
        let unwritable = |e: std::io::Error| {
            Error::io(Code::Unwritable, path, &e).help("choose a place that can be written")
        };
        if path == "-" {
            return Ok(Target {
                path: PathBuf::from(path),
                kind: Kind::Stdout,
            });
        }
        let target = Path::new(path);
        let special = std::fs::metadata(target)
            .map(|m| !m.is_file())
            .unwrap_or(false);
        let kind = if special {
            Kind::Direct(
                std::fs::OpenOptions::new()
                    .write(true)
                    .open(target)
                    .map_err(unwritable)?,
            )
        } else {
            let parent = target
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            let mut builder = tempfile::Builder::new();
            builder.prefix(".heapdiff-");
            let file = interrupt::making(|| builder.tempfile_in(parent)).map_err(unwritable)?;
            Kind::Beside(file)
        };
        Ok(Target {
            path: target.to_owned(),
            kind,
        })
    }

    /// Opens a file that is written on from its end, as the host of a job wants its summary.
    ///
    /// Errors: a file that cannot be written.
    pub fn append(path: &str) -> Result<Target> {
        let file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|e| Error::io(Code::Unwritable, path, &e))?;
        Ok(Target {
            path: PathBuf::from(path),
            kind: Kind::Direct(file),
        })
    }

    /// Refuses a target that is one of the inputs: it would be gone.
    pub fn keep_off(&self, inputs: &[String]) -> Result<()> {
        if self.is_stdout() {
            return Ok(());
        }
        let same = |path: &str| same_file(&self.path, Path::new(path));
        match inputs.iter().find(|path| same(path)) {
            None => Ok(()),
            Some(_) => Err(
                Error::usage("is one of the captures, writing would destroy it")
                    .in_file(&self.path.display().to_string())
                    .help("choose another file for -o"),
            ),
        }
    }

    /// Whether this is standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self.kind, Kind::Stdout)
    }

    /// Writes all bytes; see [`Target::write_with`].
    pub fn write(self, bytes: &[u8]) -> Result<()> {
        self.write_with(|out| {
            out.write_all(bytes)
                .map_err(|e| Error::io(Code::Unwritable, "", &e))
        })
    }

    /// Lets `render` write to the target; a regular file appears only when it is complete. A
    /// closed standard output is no error.
    ///
    /// Errors: those of `render`, with the target's name.
    pub fn write_with(self, render: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let path = match self.kind {
            Kind::Stdout => "<stdout>".to_owned(),
            _ => self.path.display().to_string(),
        };
        let unwritable = |e: std::io::Error| Error::io(Code::Unwritable, &path, &e);
        match self.kind {
            Kind::Stdout => {
                let mut out = Pipe {
                    out: std::io::stdout().lock(),
                    closed: false,
                };
                render(&mut out)
                    .and_then(|()| out.flush().map_err(unwritable))
                    .map_err(|e| e.in_file(&path))
            }
            Kind::Direct(mut file) => render(&mut file).map_err(|e| e.in_file(&path)),
            Kind::Beside(mut file) => {
                render(file.as_file_mut()).map_err(|e| e.in_file(&path))?;
                share(&file, &self.path).map_err(unwritable)?;
                let beside = file.path().to_owned();
                file.persist(&self.path).map_err(|e| unwritable(e.error))?;
                interrupt::finished(&beside);
                Ok(())
            }
        }
    }
}

/// Whether two paths lead to one file that is there.
fn same_file(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Standard output whose reader may go away: then the rest goes nowhere.
struct Pipe<W> {
    out: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    fn unless_closed<T>(&mut self, result: std::io::Result<T>, then: T) -> std::io::Result<T> {
        match result {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(then)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.unless_closed(flushed, ())
    }
}

/// A temporary file is private; the finished one has the rights of the file that it replaces, or
/// those that a new file would have.
#[cfg(unix)]
fn share(file: &tempfile::NamedTempFile, target: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match std::fs::metadata(target) {
        Ok(old) => old.permissions().mode() & 0o777,
        Err(_) => 0o644,
    };
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn share(_: &tempfile::NamedTempFile, _: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes to standard output; a reader that has gone away is no error.
pub fn to_stdout(bytes: &[u8]) -> Result<()> {
    Target::open("-")?.write(bytes)
}
