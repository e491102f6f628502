//! memcheck's XML. A scanner for exactly this vocabulary: nothing is looked up or expanded, and
//! bytes that strict parsers choke on (control characters, invalid UTF-8) pass.

use super::super::lines::{decimal, find, hexadecimal, lossy};
use super::super::{Context, leaks, native};
use super::Capture;
use super::loss::{self, Series};
use crate::error::{Code, Error, Result};
use crate::input::Source;
use crate::model::{Frame, FrameId, Meta, Salvage, StrId, Symbols};
use std::borrow::Cow;

pub(super) fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let Some(start) = find(&bytes, b"<valgrindoutput>") else {
        return Err(Error::new(Code::Unrecognised, "no document of Valgrind's"));
    };
    let mut reader = Reader::default();
    let rest = reader.document(&bytes, start, cx)?;
    if let Some(reason) = rest {
        if cx.strict {
            return Err(Error::truncated(bytes.len() as u64, reason));
        }
        reader.meta.salvaged = Some(Salvage {
            read_bytes: reader.read_to as u64,
            of_bytes: bytes.len() as u64,
            reason: reason.to_owned(),
        });
    }
    let mut meta = reader.meta;
    if reader.pending.complete_reports == 0 && reader.series.checks.is_empty() {
        meta.notes.push(
            "holds no leaks: none were found, or memcheck ran without --leak-check=full".into(),
        );
    }
    let profiles = leaks::choose(&reader.series.checks, &meta, cx)?;
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

/// The `<error>` that is being read.
#[derive(Default)]
struct Pending {
    is_leak: bool,
    loss: Option<loss::Loss>,
    leaked_blocks: Option<u64>,
    stacks: u32,
    frames: Vec<(u64, Frame)>,
    complete_reports: u64,
}

#[derive(Default)]
struct Reader {
    series: Series,
    meta: Meta,
    pid: Option<u64>,
    pending: Pending,
    address: u64,
    frame: Parts,
    command: Vec<String>,
    scratch: Vec<FrameId>,
    /// Offset behind the last complete error.
    read_to: usize,
}

/// The parts of the `<frame>` that is being read.
#[derive(Default)]
struct Parts {
    object: Option<StrId>,
    function: Option<StrId>,
    directory: String,
    file: String,
    line: u32,
}

/// The longest name of an element that counts; Valgrind's are shorter.
const NAME: usize = 64;

impl Reader {
    /// Reads documents up to the end of the bytes. Returns why the last is not whole, if so.
    fn document(
        &mut self,
        bytes: &[u8],
        start: usize,
        cx: &mut Context<'_>,
    ) -> Result<Option<&'static str>> {
        let mut open: Vec<&[u8]> = Vec::new();
        let mut at = start;
        let mut text = start;
        while let Some(n) = memchr::memchr(b'<', &bytes[at..]) {
            let tag = at + n;
            let rest = &bytes[tag..];
            if rest.starts_with(b"<!--") {
                let Some(end) = find(rest, b"-->") else { break };
                at = tag + end + 3;
                continue;
            }
            let Some(end) = memchr::memchr(b'>', rest) else {
                break;
            };
            let inner = &rest[1..end];
            at = tag + end + 1;
            match inner.first() {
                // Another process writes its document into the same file.
                Some(b'?') => {
                    if !open.is_empty() {
                        open.clear();
                        self.begin();
                        self.meta
                            .notes
                            .push("a document breaks off before the next one begins".into());
                    }
                }
                // Declarations of entities are passed over: none is ever expanded.
                Some(b'!') => {}
                Some(b'/') => {
                    let name = inner[1..].trim_ascii();
                    if open.pop() != Some(name) {
                        let what =
                            format!("</{}> closes nothing", lossy(&name[..name.len().min(NAME)]));
                        return Err(Error::damaged(tag as u64, what));
                    }
                    self.close(name, open.last().copied(), &bytes[text..tag], cx, tag)?;
                    if name == b"error" {
                        self.read_to = at;
                    }
                    if open.is_empty() {
                        self.series.end_if_any();
                        self.pending.complete_reports += 1;
                        self.read_to = at;
                    }
                }
                _ => {
                    let name = inner.split(|b| b.is_ascii_whitespace()).next();
                    let name = name.unwrap_or_default();
                    if !inner.ends_with(b"/") {
                        if open.len() >= cx.limits.nesting {
                            return Err(Error::new(
                                Code::LimitExceeded,
                                "elements nested too deep",
                            )
                            .at(crate::error::Place::Byte(tag as u64))
                            .help("the file is damaged: capture it again"));
                        }
                        open.push(name);
                        self.enter(name, open.len());
                    }
                }
            }
            text = at;
        }
        Ok((!open.is_empty()).then_some("the document breaks off: the program was stopped"))
    }

    /// A document begins.
    fn begin(&mut self) {
        self.series.end_if_any();
        self.pid = None;
        self.command.clear();
        self.pending = Pending {
            complete_reports: self.pending.complete_reports,
            ..Pending::default()
        };
    }

    fn enter(&mut self, name: &[u8], depth: usize) {
        match name {
            b"valgrindoutput" if depth == 1 => self.begin(),
            b"error" => {
                self.pending = Pending {
                    complete_reports: self.pending.complete_reports,
                    ..Pending::default()
                };
            }
            b"stack" => self.pending.stacks += 1,
            b"frame" => {
                self.frame = Parts::default();
                self.address = 0;
            }
            _ => {}
        }
    }

    fn close(
        &mut self,
        name: &[u8],
        parent: Option<&[u8]>,
        text: &[u8],
        cx: &mut Context<'_>,
        place: usize,
    ) -> Result<()> {
        let symbols = &mut *cx.symbols;
        let number = |what: &str| {
            decimal(text)
                .map(|(n, _)| n)
                .ok_or_else(|| Error::damaged(place as u64, format!("{what} is no number")))
        };
        match (parent.unwrap_or_default(), name) {
            (b"valgrindoutput", b"pid") => {
                self.pid = Some(number("<pid>")?);
                self.meta.pid = self.pid;
            }
            (b"valgrindoutput", b"protocoltool") if text != b"memcheck" => {
                return Err(Error::new(
                    Code::Unsupported,
                    format!(
                        "Valgrind's {} reports no leaks",
                        lossy(&text[..text.len().min(NAME)])
                    ),
                )
                .help("run memcheck, Valgrind's default tool"));
            }
            (b"preamble", b"line") => {
                if let Some(n) = find(text, b"Valgrind-") {
                    let version = text[n + 9..].split(|b| b.is_ascii_whitespace()).next();
                    let version = lossy(version.unwrap_or_default());
                    self.meta.producer = Some(format!("Valgrind {version} memcheck"));
                }
            }
            (b"argv", b"exe" | b"arg") => self.command.push(lossy(&unescape(text))),
            (b"args", b"argv") => self.meta.command = Some(self.command.join(" ")),
            (b"error", b"kind") => self.pending.is_leak = text.starts_with(b"Leak_"),
            (b"xwhat", b"text") if self.pending.is_leak => {
                self.pending.loss = loss::parse(&unescape(text));
            }
            (b"xwhat", b"leakedblocks") => {
                self.pending.leaked_blocks = Some(number("<leakedblocks>")?);
            }
            (b"frame", b"ip") => self.address = hexadecimal(text).map_or(0, |(n, _)| n),
            (b"frame", b"obj") => {
                self.frame.object = Some(symbols.strings.intern_bytes(&unescape(text)));
            }
            (b"frame", b"fn") => {
                self.frame.function = Some(symbols.strings.intern_bytes(&unescape(text)));
            }
            (b"frame", b"dir") => self.frame.directory = lossy(&unescape(text)),
            (b"frame", b"file") => self.frame.file = lossy(&unescape(text)),
            (b"frame", b"line") => {
                self.frame.line = decimal(text).map_or(0, |(n, _)| u32::try_from(n).unwrap_or(0));
            }
            (b"stack", b"frame") if self.pending.stacks == 1 && self.pending.is_leak => {
                let frame = self.frame.frame(self.address, symbols);
                self.pending.frames.push((self.address, frame));
            }
            (_, b"error") if self.pending.is_leak => self.error(symbols, place)?,
            _ => {}
        }
        Ok(())
    }

    fn error(&mut self, symbols: &mut Symbols, place: usize) -> Result<()> {
        let Some(mut loss) = self.pending.loss else {
            return Err(Error::damaged(
                place as u64,
                "a leak that says neither bytes nor blocks",
            ));
        };
        // Bytes come from the sentence: <leakedbytes> of a definite loss counts what the blocks
        // hold as well, which is listed again as an indirect loss.
        if let Some(blocks) = self.pending.leaked_blocks {
            loss.blocks = blocks;
        }
        let stack = native::stack(symbols, &mut self.pending.frames, &mut self.scratch);
        let kind = leaks::kind(symbols, loss.kind);
        self.series.add(self.pid, loss, kind, stack);
        Ok(())
    }
}

impl Parts {
    fn frame(&self, address: u64, symbols: &mut Symbols) -> Frame {
        let module = self.object.unwrap_or(StrId::EMPTY);
        let Some(function) = self.function else {
            return native::in_page(symbols, module, address);
        };
        let file = match (self.directory.as_str(), self.file.as_str()) {
            (_, "") => StrId::EMPTY,
            ("", file) => symbols.strings.intern(file),
            (directory, file) => symbols.strings.intern(&format!("{directory}/{file}")),
        };
        Frame {
            function,
            file,
            module,
            line: self.line,
            column: 0,
            inlined: false,
        }
    }
}

/// Text with the escapes that Valgrind writes undone; any other `&` stays as it is.
fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', text).is_none() {
        return Cow::Borrowed(text);
    }
    let escapes: [(&[u8], u8); 5] = [
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&amp;", b'&'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
    ];
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let escape = escapes.iter().find(|(name, _)| rest.starts_with(name));
        let (byte, n) = escape.map_or((byte, 1), |&(name, byte)| (byte, name.len()));
        out.push(byte);
        rest = &rest[n..];
    }
    Cow::Owned(out)
}
