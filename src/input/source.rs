//! One file or stream: mapped when large, inflated when compressed, bounded always.

use crate::error::{Code, Error, Place, Result};
use crate::model::Limits;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// How a file is packed, recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not compressed.
    Plain,
    /// gzip; several members are one stream.
    Gzip,
    /// Zstandard; several frames are one stream.
    Zstd,
    /// LZ4 frames.
    Lz4,
}

impl Packing {
    /// The packing that these first bytes announce.
    pub fn of(head: &[u8]) -> Packing {
        if head.starts_with(&[0x1f, 0x8b]) {
            Packing::Gzip
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
            || (head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18])
        {
            Packing::Zstd
        } else if head.starts_with(&[0x04, 0x22, 0x4d, 0x18]) {
            Packing::Lz4
        } else {
            Packing::Plain
        }
    }

    /// The packing's name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Lz4 => "lz4",
        }
    }
}

/// Smaller files are read, larger ones are mapped.
const MAP_FROM: u64 = 1 << 20;
/// What a sniffer may look at.
const HEAD: usize = 64 << 10;
/// Mapped pages are handed back in steps of this size.
const RELEASE_STEP: usize = 4 << 20;

#[derive(Debug)]
enum Data {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

/// The bytes of one input, with its name for messages.
#[derive(Debug)]
pub struct Source {
    name: String,
    data: Data,
    packing: Packing,
    head: Vec<u8>,
    limits: Limits,
    modified: Option<f64>,
}

impl Source {
    /// Opens a file; large regular files are mapped.
    ///
    /// Errors: unreadable, empty, or packed bytes that do not begin to unpack.
    pub fn open(path: &Path, limits: Limits) -> Result<Source> {
        let name = path.display().to_string();
        let unreadable = |e: std::io::Error| Error::io(Code::Unreadable, &name, &e);
        let mut file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_dir() {
            return Err(Error::new(Code::Unreadable, "is a directory").in_file(&name));
        }
        let data = if meta.is_file() && meta.len() >= MAP_FROM {
            Data::Mapped(map(&file).map_err(unreadable)?)
        } else {
            Data::Owned(read_bounded(&mut file, &limits, &name)?)
        };
        let mut source = Source::new(name, data, limits)?;
        let since = |t: std::time::SystemTime| t.duration_since(std::time::UNIX_EPOCH).ok();
        source.modified = meta
            .modified()
            .ok()
            .and_then(since)
            .map(|d| d.as_secs_f64());
        Ok(source)
    }

    /// Reads standard input to its end.
    pub fn stdin(limits: Limits) -> Result<Source> {
        let name = super::STDIN.to_owned();
        let bytes = read_bounded(&mut std::io::stdin().lock(), &limits, &name)?;
        Source::new(name, Data::Owned(bytes), limits)
    }

    /// A source of bytes in memory; `name` stands in messages.
    pub fn from_bytes(name: &str, bytes: Vec<u8>, limits: Limits) -> Result<Source> {
        Source::new(name.to_owned(), Data::Owned(bytes), limits)
    }

    fn new(name: String, data: Data, limits: Limits) -> Result<Source> {
        let mut source = Source {
            name,
            packing: Packing::Plain,
            head: Vec::new(),
            data,
            limits,
            modified: None,
        };
        if source.stored().is_empty() {
            return Err(Error::new(Code::Truncated, "the file is empty")
                .in_file(&source.name)
                .at(Place::Byte(0))
                .help("was the program stopped before it wrote its profile? capture it again"));
        }
        source.packing = Packing::of(source.stored());
        let mut head = Vec::new();
        let read = match source.packing {
            Packing::Plain => {
                head.extend_from_slice(&source.stored()[..source.stored().len().min(HEAD)]);
                Ok(0)
            }
            _ => source.reader().take(HEAD as u64).read_to_end(&mut head),
        };
        if let (Err(e), true) = (read, head.is_empty()) {
            return Err(source.inflate_error(&e, 0));
        }
        source.head = head;
        Ok(source)
    }

    /// The name for messages: the path as given, or `<stdin>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the file was modified, in seconds since 1970; `None` for what is no file.
    pub fn modified(&self) -> Option<f64> {
        self.modified
    }

    /// How the bytes are packed.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Number of bytes as stored.
    pub fn stored_bytes(&self) -> u64 {
        self.stored().len() as u64
    }

    /// The first 64 KiB, unpacked: what a sniffer looks at.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether [`Source::head`] is the whole content.
    pub fn head_is_all(&self) -> bool {
        match self.packing {
            Packing::Plain => self.stored().len() <= HEAD,
            _ => self.head.len() < HEAD,
        }
    }

    fn stored(&self) -> &[u8] {
        match &self.data {
            Data::Mapped(map) => map,
            Data::Owned(bytes) => bytes,
        }
    }

    /// The whole content, unpacked. Plain files are borrowed from the map; packed ones are
    /// inflated into memory within the limits.
    pub fn bytes(&self) -> Result<Bytes<'_>> {
        if self.packing == Packing::Plain {
            return Ok(Bytes {
                bytes: Cow::Borrowed(self.stored()),
                source: self,
            });
        }
        let mut out = Vec::new();
        let limits = &self.limits;
        let mut reader = self.unpacked(limits.inflation_ratio, limits.inflated_bytes);
        loop {
            let chunk = match reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) => return Err(self.inflate_error(&e, out.len() as u64)),
            };
            if chunk.is_empty() {
                break;
            }
            out.extend_from_slice(chunk);
            let n = chunk.len();
            reader.consume(n);
        }
        drop(reader);
        self.release_packed();
        Ok(Bytes {
            bytes: Cow::Owned(out),
            source: self,
        })
    }

    /// Hands back the mapped pages of a packed file, which is not read again as a rule.
    #[allow(unsafe_code)]
    fn release_packed(&self) {
        #[cfg(unix)]
        if let Data::Mapped(map) = &self.data {
            // SAFETY: the map is a read-only view of a file; dropped pages are read again.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }

    /// The content as a stream, unpacked as it is read. Read errors carry an [`Error`] for
    /// [`Source::inflate_error`].
    pub fn reader(&self) -> Box<dyn BufRead + '_> {
        self.unpacked(self.limits.streamed_ratio, self.limits.streamed_bytes)
    }

    /// The content, at most `ratio` times as long as stored and at most `most` bytes.
    fn unpacked(&self, ratio: u64, most: u64) -> Box<dyn BufRead + '_> {
        let by_ratio = self.stored_bytes().saturating_mul(ratio);
        let most = most.min(by_ratio.max(self.limits.ratio_free_bytes));
        let stored = self.stored();
        match self.packing {
            Packing::Plain => match self.data {
                Data::Owned(_) => Box::new(stored),
                Data::Mapped(_) => self.bounded_by(Plain { rest: stored }, u64::MAX),
            },
            Packing::Gzip => {
                let inner = GzipMembers {
                    decoder: flate2::bufread::MultiGzDecoder::new(stored),
                };
                self.bounded_by(inner, most)
            }
            Packing::Zstd => match unzstd(stored) {
                Ok(inner) => self.bounded_by(inner, most),
                Err(error) => Box::new(BufReader::new(Failed(Some(error)))),
            },
            Packing::Lz4 => self.bounded_by(lz4_flex::frame::FrameDecoder::new(stored), most),
        }
    }

    /// At most so many bytes of `inner`, with the mapped pages dropped behind it.
    fn bounded_by<'a>(&'a self, inner: impl Read + Rest + 'a, most: u64) -> Box<dyn BufRead + 'a> {
        Box::new(BufReader::with_capacity(
            256 << 10,
            Bounded {
                source: self,
                released: 0,
                inner,
                left: most,
                most,
            },
        ))
    }

    /// Hands back the mapped pages before `offset` of the bytes as stored.
    #[allow(unsafe_code)]
    fn release(&self, released: &mut usize, offset: usize) {
        #[cfg(unix)]
        if let Data::Mapped(map) = &self.data
            && offset >= *released + RELEASE_STEP
        {
            let from = *released / RELEASE_STEP * RELEASE_STEP;
            let to = offset / RELEASE_STEP * RELEASE_STEP;
            // SAFETY: the map is a read-only view of a file; dropped pages are read again.
            let _ = unsafe {
                map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, from, to - from)
            };
            *released = to;
        }
        #[cfg(not(unix))]
        let _ = (released, offset, RELEASE_STEP);
    }

    /// What a failed read of [`Source::reader`] means, after `offset` unpacked bytes.
    pub fn inflate_error(&self, error: &std::io::Error, offset: u64) -> Error {
        let kind = self.packing.as_str();
        let error = match error.kind() {
            std::io::ErrorKind::FileTooLarge => Error::new(
                Code::LimitExceeded,
                format!(
                    "the {kind} data inflates to more than {} bytes from {}",
                    error,
                    self.stored_bytes()
                ),
            )
            .at(Place::Byte(offset))
            .help("if it is a real profile, unpack it first"),
            std::io::ErrorKind::UnexpectedEof => {
                Error::truncated(offset, format!("the {kind} data ends too early"))
            }
            _ => Error::damaged(
                offset,
                format!("the {kind} data cannot be unpacked ({error})"),
            ),
        };
        error.in_file(&self.name)
    }
}

/// Unsafe, since a file that another process truncates while it is mapped ends this
/// process with SIGBUS, which no reader of mapped files can prevent. Captures are written once.
#[allow(unsafe_code)]
pub(super) fn map(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the map is private and read-only, and lives as long as the `Source`.
    let map = unsafe { memmap2::Mmap::map(file)? };
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Sequential);
    Ok(map)
}

fn read_bounded(file: &mut dyn Read, limits: &Limits, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.take(limits.inflated_bytes + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::io(Code::Unreadable, name, &e))?;
    if bytes.len() as u64 > limits.inflated_bytes {
        return Err(
            Error::new(Code::LimitExceeded, "more bytes than a stream may hold")
                .in_file(name)
                .help("write it to a file first"),
        );
    }
    Ok(bytes)
}

/// The unpacked content of a [`Source`].
#[derive(Debug)]
pub struct Bytes<'a> {
    bytes: Cow<'a, [u8]>,
    source: &'a Source,
}

impl Bytes<'_> {
    /// Hands back the mapped pages before `offset`, rounded down, so that a single pass over a
    /// large file does not count as memory. Reading them again is allowed and reads the file.
    pub fn release(&self, released: &mut usize, offset: usize) {
        if let Cow::Borrowed(_) = &self.bytes {
            self.source.release(released, offset);
        }
    }
}

impl std::ops::Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Fails with `FileTooLarge`, whose text is the bound, once more than `most` bytes came out.
struct Bounded<'a, R> {
    source: &'a Source,
    released: usize,
    inner: R,
    left: u64,
    most: u64,
}

/// Bytes that are not packed.
struct Plain<'a> {
    rest: &'a [u8],
}

impl Read for Plain<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.rest.read(out)
    }
}

impl Rest for Plain<'_> {
    fn rest(&self) -> &[u8] {
        self.rest
    }
}

/// What of the stored bytes is not read yet.
trait Rest {
    fn rest(&self) -> &[u8];
}

impl Rest for GzipMembers<'_> {
    fn rest(&self) -> &[u8] {
        self.decoder.get_ref()
    }
}

impl Rest for lz4_flex::frame::FrameDecoder<&[u8]> {
    fn rest(&self) -> &[u8] {
        self.get_ref()
    }
}

impl Rest for Unzstd<'_> {
    fn rest(&self) -> &[u8] {
        self.get_ref()
    }
}

impl<R: Read + Rest> Read for Bounded<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(out)?;
        let done = self.source.stored().len() - self.inner.rest().len();
        self.source.release(&mut self.released, done);
        match self.left.checked_sub(n as u64) {
            Some(left) => self.left = left,
            None => {
                let most = self.most.to_string();
                return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, most));
            }
        }
        Ok(n)
    }
}

/// Zstandard frames in a row, what to skip between them included.
type Unzstd<'a> = zstd::stream::read::Decoder<'static, &'a [u8]>;

/// The largest window that a frame may ask for, as a power of two: what `zstd --long` makes. Room
/// for it is reserved before anything is unpacked, and used as the content grows.
const LARGEST_WINDOW: u32 = 27;

fn unzstd(stored: &[u8]) -> std::io::Result<Unzstd<'_>> {
    let mut decoder = Unzstd::with_buffer(stored)?;
    decoder.window_log_max(LARGEST_WINDOW)?;
    Ok(decoder)
}

/// Reading that failed before it began.
struct Failed(Option<std::io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// gzip members in a row; zero bytes after the last member are padding.
struct GzipMembers<'a> {
    decoder: flate2::bufread::MultiGzDecoder<&'a [u8]>,
}

impl Read for GzipMembers<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.decoder.read(out) {
            Err(e) if self.decoder.get_ref().iter().all(|&b| b == 0) && padding(&e) => Ok(0),
            other => other,
        }
    }
}

fn padding(e: &std::io::Error) -> bool {
    e.kind() == std::io::ErrorKind::InvalidInput && e.to_string().contains("header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    fn content(bytes: Vec<u8>) -> Result<Vec<u8>> {
        let source = Source::from_bytes("x", bytes, Limits::default())?;
        source.bytes().map(|b| b.to_vec())
    }

    #[test]
    fn members_and_padding_are_one_stream() {
        let mut two = gzip(b"one ");
        two.extend(gzip(b"two"));
        assert_eq!(content(two.clone()).unwrap(), b"one two");
        two.extend([0; 512]);
        assert_eq!(content(two).unwrap(), b"one two");
    }

    #[test]
    fn zstd_frames_are_one_stream() {
        let frame = |b: &[u8]| zstd::encode_all(b, 1).unwrap();
        let mut all = frame(b"one ");
        all.extend([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);
        all.extend(frame(b"two"));
        assert_eq!(content(all).unwrap(), b"one two");
    }

    #[test]
    fn cut_and_damaged_streams_are_told_apart() {
        let data: Vec<u8> = (0..200_000u32)
            .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let whole = gzip(&data);
        let cut = content(whole[..whole.len() / 2].to_vec())
            .map(|b| b.len())
            .unwrap_err();
        assert_eq!(cut.code(), Code::Truncated, "{cut}");
        assert_eq!(content(Vec::new()).unwrap_err().code(), Code::Truncated);
    }

    #[test]
    fn a_bomb_is_refused_early() {
        let bomb = gzip(&vec![0u8; 100 << 20]);
        let error = content(bomb).map(|b| b.len()).unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded, "{error}");
    }
}
