//! Records front to back: what a pass over the file hands to whoever looks at it.

use crate::error::{Code, Error, Result};
use crate::format::feed::Feed;
use crate::input::{Packing, Source};

/// Longer names are no names.
const LONGEST_NAME: u32 = 1 << 20;

/// The head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// `1.0.1`, `1.0.2`, `1.0.3`.
    pub(super) version: String,
    /// Bytes of an id: 4 or 8.
    pub(super) id_size: usize,
    /// When it was written, in milliseconds since 1970.
    pub(super) millis: u64,
}

/// A class as its dump describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClassDump {
    pub(super) id: u64,
    pub(super) parent: u64,
    pub(super) loader: u64,
    pub(super) signers: u64,
    pub(super) domain: u64,
    /// Name, type, value of static fields.
    pub(super) statics: Vec<(u64, u8, u64)>,
    /// Name, type of instance fields.
    pub(super) fields: Vec<(u64, u8)>,
}

/// A root as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RootRecord {
    pub(super) tag: u8,
    pub(super) object: u64,
    /// Serial of the thread, where the kind has one.
    pub(super) thread: u32,
    /// Number of the frame, or for a thread the serial of its stack trace.
    pub(super) frame: u32,
}

/// A place in the program as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlaceRecord {
    /// Id of the method's name.
    pub(super) method: u64,
    /// Id of the source file's name; 0 where it is unknown.
    pub(super) source: u64,
    /// Serial of the class.
    pub(super) class: u32,
    /// From 1; 0 is unknown.
    pub(super) line: u32,
}

/// Who looks at the records. An object's record is announced, its content follows in pieces.
pub(super) trait Pass {
    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool {
        false
    }
    /// A name.
    fn text(&mut self, _id: u64, _text: &[u8]) {}
    /// A class got a name.
    fn load_class(&mut self, _serial: u32, _class: u64, _name: u64) {}
    /// A place in the program, by its id.
    fn frame(&mut self, _id: u64, _place: PlaceRecord) {}
    /// A stack, top first.
    fn trace(&mut self, _serial: u32, _frames: &[u64]) {}
    /// The stack that allocated the object announced last, by its serial.
    fn allocated(&mut self, _trace: u32) {}
    /// A root.
    fn root(&mut self, _root: RootRecord) {}
    /// The following objects are of this heap (Android).
    fn heap(&mut self, _kind: u32) {}
    /// A class.
    fn class(&mut self, class: ClassDump) -> Result<()>;
    /// An instance with so many bytes of fields; how many of them are wanted.
    fn instance(&mut self, object: u64, class: u64, bytes: u32) -> Result<usize>;
    /// The fields of the instance: as many bytes as were wanted and are there.
    fn fields(&mut self, _bytes: &[u8]) -> Result<()> {
        Ok(())
    }
    /// An array of objects; whether its elements are wanted.
    fn array(&mut self, object: u64, class: u64, length: u32) -> Result<bool>;
    /// Elements of the array, some ids.
    fn elements(&mut self, _ids: &[u8]) -> Result<()> {
        Ok(())
    }
    /// An array of numbers; the element's type.
    fn numbers(&mut self, object: u64, length: u32, of: u8) -> Result<()>;
    /// The object announced last is complete.
    fn complete(&mut self) {}
}

/// How a walk ended.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Where and why it stopped before the end.
    pub(super) cut: Option<Error>,
    /// Segments that were given up: where, and the tag that nobody knows.
    pub(super) given_up: Vec<(u64, u8)>,
    /// Bytes read.
    pub(super) read: u64,
    /// Dumps after the first, which are passed over.
    pub(super) more_dumps: u64,
    /// Whether a heap dump was there at all.
    pub(super) dumped: bool,
}

/// Bytes of a value of this type; none for a type that nobody knows.
pub(super) fn width_of(of: u8, id_size: usize) -> Option<usize> {
    Some(match of {
        1 | 2 => id_size,
        4 | 8 => 1,
        5 | 9 => 2,
        6 | 10 => 4,
        7 | 11 => 8,
        _ => return None,
    })
}

/// A big-endian number of up to 8 bytes.
#[inline]
pub(super) fn number(bytes: &[u8]) -> u64 {
    match bytes.len() {
        8 => u64::from_be_bytes(bytes.try_into().unwrap_or_default()),
        4 => u64::from(u32::from_be_bytes(bytes.try_into().unwrap_or_default())),
        _ => bytes.iter().fold(0, |n, &b| n << 8 | u64::from(b)),
    }
}

struct Walker<'a> {
    feed: Feed<'a>,
    id_size: usize,
    walked: Walked,
}

/// What stops a segment.
enum Stop {
    /// A tag that nobody knows: nothing after it can be told apart.
    Unknown(u8),
    /// The file ends, or an object goes beyond its segment.
    Cut(Error),
    /// A real failure.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(e: Error) -> Stop {
        if e.code() == Code::Truncated {
            Stop::Cut(e)
        } else {
            Stop::Failed(e)
        }
    }
}

type Step<T> = std::result::Result<T, Stop>;

/// Reads the head.
///
/// Errors: not of this format, or an id size that no virtual machine has.
pub(super) fn head(source: &Source) -> Result<(Head, u64)> {
    let bytes = source.head();
    let name = b"JAVA PROFILE ";
    let rest = bytes.strip_prefix(name);
    let version = rest.and_then(|r| r.iter().take(16).position(|&b| b == 0));
    let (Some(rest), Some(length)) = (rest, version) else {
        return Err(Error::new(Code::Unrecognised, "is no HPROF heap dump"));
    };
    let Some(numbers) = rest.get(length + 1..length + 13) else {
        return Err(Error::truncated(
            bytes.len() as u64,
            "the file ends within its head",
        ));
    };
    let id_size = number(&numbers[..4]) as usize;
    if id_size != 4 && id_size != 8 {
        return Err(Error::damaged(
            (name.len() + length + 1) as u64,
            format!("ids of {id_size} bytes, where 4 or 8 are expected"),
        ));
    }
    let head = Head {
        version: String::from_utf8_lossy(&rest[..length]).into_owned(),
        id_size,
        millis: number(&numbers[4..]),
    };
    Ok((head, (name.len() + length + 13) as u64))
}

/// Walks over all records of the first dump.
///
/// Errors: what `pass` says; unpacking that fails otherwise than by an early end.
pub(super) fn walk(
    source: &Source,
    head: &Head,
    start: u64,
    pass: &mut impl Pass,
) -> Result<Walked> {
    let mut walker = Walker {
        feed: Feed::new(source),
        id_size: head.id_size,
        walked: Walked::default(),
    };
    let total = (source.packing() == Packing::Plain).then(|| source.stored_bytes());
    let result = walker
        .feed
        .skip(start)
        .map_err(Stop::from)
        .and_then(|_| walker.records(total, pass));
    match result {
        Ok(()) | Err(Stop::Unknown(_)) => {}
        Err(Stop::Cut(e)) => walker.walked.cut = Some(e),
        Err(Stop::Failed(e)) => return Err(e),
    }
    walker.walked.read = walker.feed.offset();
    Ok(walker.walked)
}

impl Walker<'_> {
    fn cut(&self, what: &str) -> Stop {
        let at = self.feed.offset() + self.feed.rest().len() as u64;
        Stop::Cut(Error::truncated(at, format!("the file ends within {what}")))
    }

    fn need(&mut self, n: usize, what: &str) -> Step<()> {
        if self.feed.need(n)? {
            Ok(())
        } else {
            Err(self.cut(what))
        }
    }

    fn skip(&mut self, n: u64, what: &str) -> Step<()> {
        if self.feed.skip(n)? == n {
            Ok(())
        } else {
            Err(self.cut(what))
        }
    }

    fn take(&mut self, n: usize, what: &str) -> Step<u64> {
        self.need(n, what)?;
        let value = number(&self.feed.rest()[..n]);
        self.feed.consume(n);
        Ok(value)
    }

    fn id(&mut self, what: &str) -> Step<u64> {
        self.take(self.id_size, what)
    }

    fn records(&mut self, total: Option<u64>, pass: &mut impl Pass) -> Step<()> {
        let mut ended = false;
        while !pass.is_done() && self.feed.byte()?.is_some() {
            let record = self.feed.offset();
            self.need(9, "the head of a record")?;
            let tag = self.feed.rest()[0];
            let length = number(&self.feed.rest()[5..9]);
            self.feed.consume(9);
            match tag {
                0x0c | 0x1c if ended => {
                    self.walked.more_dumps += u64::from(tag == 0x0c);
                    self.skip(length, "a second dump")?;
                }
                0x0c | 0x1c => {
                    self.walked.dumped = true;
                    let end = self.end_of_segment(tag, length, total)?;
                    match self.segment(end, tag == 0x0c && total.is_none(), pass) {
                        Err(Stop::Unknown(tag)) => {
                            self.walked.given_up.push((self.feed.offset(), tag));
                            if end == u64::MAX {
                                return Err(self.cut("the last segment"));
                            }
                            let left = end.saturating_sub(self.feed.offset());
                            self.skip(left, "a segment")?;
                        }
                        other => other?,
                    }
                    ended = tag == 0x0c;
                }
                0x2c => {
                    ended = true;
                    self.skip(length, "the last record")?;
                }
                _ => self.record(tag, length, record, pass)?,
            }
        }
        Ok(())
    }

    /// Where a segment ends. Lengths of 4 GiB and more have lost their upper bits; a length of 0
    /// was never filled in, since its writer died.
    fn end_of_segment(&mut self, tag: u8, length: u64, total: Option<u64>) -> Step<u64> {
        let start = self.feed.offset();
        if length == 0 {
            return Ok(match self.feed.byte()? {
                None | Some(0x1c | 0x2c) => start,
                Some(_) => u64::MAX,
            });
        }
        if tag == 0x0c
            && let Some(left) = total.map(|t| t.saturating_sub(start))
            && left > u64::from(u32::MAX)
            && left.checked_sub(length).is_some_and(|l| l % (1 << 32) == 0)
        {
            return Ok(start + left);
        }
        Ok(start + length)
    }

    fn record(&mut self, tag: u8, length: u64, record: u64, pass: &mut impl Pass) -> Step<()> {
        let ids = self.id_size as u64;
        let end = self.feed.offset() + length;
        match tag {
            0x01 if length >= ids && length < u64::from(LONGEST_NAME) => {
                self.need(length as usize, "a name")?;
                let bytes = &self.feed.rest()[..length as usize];
                pass.text(number(&bytes[..self.id_size]), &bytes[self.id_size..]);
            }
            0x02 if length >= 8 + 2 * ids => {
                let serial = self.take(4, "a class")? as u32;
                let class = self.id("a class")?;
                self.skip(4, "a class")?;
                let name = self.id("a class")?;
                pass.load_class(serial, class, name);
            }
            0x04 if length >= 8 + 4 * ids => {
                let id = self.id("a frame")?;
                let method = self.id("a frame")?;
                self.skip(ids, "a frame")?;
                let source = self.id("a frame")?;
                let class = self.take(4, "a frame")? as u32;
                let line = (self.take(4, "a frame")? as i32).max(0) as u32;
                let place = PlaceRecord {
                    method,
                    source,
                    class,
                    line,
                };
                pass.frame(id, place);
            }
            0x05 if length >= 12 => {
                let serial = self.take(4, "a stack")? as u32;
                self.skip(4, "a stack")?;
                let count = self.take(4, "a stack")?;
                if count * ids > length - 12 {
                    let what = "a stack has more frames than its record holds";
                    return Err(Stop::Failed(Error::damaged(record, what)));
                }
                let mut frames = Vec::new();
                for _ in 0..count {
                    frames.push(self.id("a stack")?);
                }
                pass.trace(serial, &frames);
            }
            _ => {}
        }
        let left = end.saturating_sub(self.feed.offset());
        self.skip(left, "a record")
    }

    /// The sub-records up to `end`. `wraps`: the length may have lost its upper bits.
    fn segment(&mut self, mut end: u64, wraps: bool, pass: &mut impl Pass) -> Step<()> {
        let ids = self.id_size;
        while !pass.is_done() && self.feed.offset() < end {
            let Some(tag) = self.feed.byte()? else {
                return if end == u64::MAX {
                    Err(self.cut("a segment whose length was never written"))
                } else {
                    Err(self.cut("a segment"))
                };
            };
            let from = self.feed.offset();
            match tag {
                0x20 => {
                    self.feed.consume(1);
                    let class = self.class()?;
                    pass.class(class)?;
                }
                0x21 => {
                    let head = 1 + 2 * ids + 8;
                    self.need(head, "an object")?;
                    let rest = self.feed.rest();
                    let object = number(&rest[1..1 + ids]);
                    let trace = number(&rest[1 + ids..5 + ids]) as u32;
                    let class = number(&rest[5 + ids..5 + 2 * ids]);
                    let bytes = number(&rest[5 + 2 * ids..head]);
                    self.inside(from, head as u64 + bytes, &mut end, wraps)?;
                    self.feed.consume(head);
                    let wanted = pass.instance(object, class, bytes as u32)?;
                    pass.allocated(trace);
                    let wanted = wanted.min(bytes as usize);
                    if wanted > 0 {
                        self.need(wanted, "an object")?;
                        pass.fields(&self.feed.rest()[..wanted])?;
                    }
                    self.skip(bytes, "an object")?;
                    pass.complete();
                }
                0x22 => {
                    let head = 1 + 2 * ids + 8;
                    self.need(head, "an array")?;
                    let rest = self.feed.rest();
                    let object = number(&rest[1..1 + ids]);
                    let trace = number(&rest[1 + ids..5 + ids]) as u32;
                    let length = number(&rest[5 + ids..9 + ids]);
                    let class = number(&rest[9 + ids..head]);
                    let bytes = length * ids as u64;
                    self.inside(from, head as u64 + bytes, &mut end, wraps)?;
                    self.feed.consume(head);
                    let wanted = pass.array(object, class, length as u32)?;
                    pass.allocated(trace);
                    if wanted {
                        let mut left = bytes;
                        while left > 0 {
                            self.need(ids, "an array")?;
                            let here = (self.feed.rest().len() as u64).min(left) as usize;
                            let here = here - here % ids;
                            pass.elements(&self.feed.rest()[..here])?;
                            self.feed.consume(here);
                            left -= here as u64;
                        }
                    } else {
                        self.skip(bytes, "an array")?;
                    }
                    pass.complete();
                }
                0x23 | 0xc3 => {
                    let head = 1 + ids + 9;
                    self.need(head, "an array")?;
                    let rest = self.feed.rest();
                    let object = number(&rest[1..1 + ids]);
                    let trace = number(&rest[1 + ids..5 + ids]) as u32;
                    let length = number(&rest[5 + ids..9 + ids]);
                    let of = rest[9 + ids];
                    let Some(width) = width_of(of, ids) else {
                        let what = format!("an array of the unknown type {of}");
                        return Err(Stop::Failed(Error::damaged(from, what)));
                    };
                    let bytes = if tag == 0xc3 {
                        0
                    } else {
                        length * width as u64
                    };
                    self.inside(from, head as u64 + bytes, &mut end, wraps)?;
                    self.feed.consume(head);
                    pass.numbers(object, length as u32, of)?;
                    pass.allocated(trace);
                    self.skip(bytes, "an array")?;
                    pass.complete();
                }
                0xfe => {
                    self.feed.consume(1);
                    let kind = self.take(4, "a heap's name")? as u32;
                    self.id("a heap's name")?;
                    pass.heap(kind);
                }
                _ => self.root(tag, pass)?,
            }
        }
        Ok(())
    }

    /// Holds that an object ends within its segment, unless the segment's length has wrapped.
    fn inside(&self, from: u64, length: u64, end: &mut u64, wraps: bool) -> Step<()> {
        while from.saturating_add(length) > *end {
            if !wraps || *end > u64::MAX / 2 {
                return Err(Stop::Cut(Error::truncated(
                    from,
                    "an object is longer than the segment that it stands in",
                )));
            }
            *end += 1 << 32;
        }
        Ok(())
    }

    fn root(&mut self, tag: u8, pass: &mut impl Pass) -> Step<()> {
        // Bytes of: second id, thread, frame or trace.
        let (second, thread, frame) = match tag {
            0xff | 0x05 | 0x07 | 0x89 | 0x8a | 0x8b | 0x8c | 0x8d | 0x90 => (0, 0, 0),
            0x01 => (self.id_size, 0, 0),
            0x02 | 0x03 | 0x08 | 0x8e => (0, 4, 4),
            0x04 | 0x06 => (0, 4, 0),
            _ => return Err(Stop::Unknown(tag)),
        };
        self.need(1 + self.id_size + second + thread + frame, "a root")?;
        self.feed.consume(1);
        let object = self.id("a root")?;
        self.feed.consume(second);
        let thread = self.take(thread, "a root")? as u32;
        let frame = self.take(frame, "a root")? as u32;
        pass.root(RootRecord {
            tag,
            object,
            thread,
            frame,
        });
        Ok(())
    }

    fn class(&mut self) -> Step<ClassDump> {
        let what = "a class";
        let id = self.id(what)?;
        self.skip(4, what)?;
        let parent = self.id(what)?;
        let loader = self.id(what)?;
        let signers = self.id(what)?;
        let domain = self.id(what)?;
        self.skip(2 * self.id_size as u64 + 4, what)?;
        for _ in 0..self.take(2, what)? {
            self.skip(2, what)?;
            self.value()?;
        }
        let mut class = ClassDump {
            id,
            parent,
            loader,
            signers,
            domain,
            ..ClassDump::default()
        };
        for _ in 0..self.take(2, what)? {
            let name = self.id(what)?;
            let (of, value) = self.value()?;
            class.statics.push((name, of, value));
        }
        for _ in 0..self.take(2, what)? {
            let name = self.id(what)?;
            let of = self.take(1, what)? as u8;
            self.width(of)?;
            class.fields.push((name, of));
        }
        Ok(class)
    }

    fn width(&self, of: u8) -> Step<usize> {
        width_of(of, self.id_size).ok_or_else(|| {
            let what = format!("a class has a field of the unknown type {of}");
            Stop::Failed(Error::damaged(self.feed.offset(), what))
        })
    }

    fn value(&mut self) -> Step<(u8, u64)> {
        let of = self.take(1, "a class")? as u8;
        let width = self.width(of)?;
        Ok((of, self.take(width, "a class")?))
    }
}
