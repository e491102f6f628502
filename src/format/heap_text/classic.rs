//! `heap profile:` files, one line a stack: gperftools, tcmalloc, Go.

use super::super::lines::{Lines, decimal, hexadecimal, lossy};
use super::super::{Capture, Context};
use super::names::{Names, addresses};
use super::scale::{unbias, whole};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{
    Exactness, Frame, FrameId, Meta, Metric, ProfileBuilder, Salvage, Sampling, StackId, StrId,
    Symbols,
};

/// Blocks and bytes, held and allocated in all, as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub live: (i64, i64),
    pub total: (i64, i64),
}

/// One stack with its numbers.
pub(super) struct Row {
    pub stack: StackId,
    pub counts: Counts,
}

/// `3: 3072 [10: 40960]` and what follows it.
pub(super) fn counts(text: &[u8]) -> Option<(Counts, &[u8])> {
    let (blocks, rest) = signed(text)?;
    let (bytes, rest) = signed(rest.trim_ascii_start().strip_prefix(b":")?)?;
    let inner = rest.trim_ascii_start().strip_prefix(b"[")?;
    let (all_blocks, rest) = signed(inner)?;
    let (all_bytes, rest) = signed(rest.trim_ascii_start().strip_prefix(b":")?)?;
    let rest = rest.trim_ascii_start().strip_prefix(b"]")?;
    let counts = Counts {
        live: (blocks, bytes),
        total: (all_blocks, all_bytes),
    };
    Some((counts, rest))
}

/// A number that may be negative: profiles that are differences hold such.
fn signed(text: &[u8]) -> Option<(i64, &[u8])> {
    let text = text.trim_ascii_start();
    let negative = text.strip_prefix(b"-");
    let (value, rest) = decimal(negative.unwrap_or(text))?;
    let value = i64::try_from(value).ok()?;
    Some((if negative.is_some() { -value } else { value }, rest))
}

/// Rows to a profile: numbers of samples are scaled stack by stack, then added up.
pub(super) fn finish(
    rows: &[Row],
    mean: Option<f64>,
    with_totals: bool,
    meta: Meta,
) -> Result<Capture> {
    let mut names = vec!["live_bytes", "live_blocks"];
    if with_totals {
        names.extend(["total_bytes", "total_blocks"]);
    }
    let mut builder = ProfileBuilder::new(names.into_iter().map(Metric::known).collect());
    for row in rows {
        let scaled = |(blocks, bytes): (i64, i64)| match mean {
            None => (blocks, bytes),
            Some(_) => {
                let (blocks, bytes) = unbias(blocks as f64, bytes as f64, mean);
                (whole(blocks), whole(bytes))
            }
        };
        let (live, total) = (scaled(row.counts.live), scaled(row.counts.total));
        builder.add(row.stack, &[live.1, live.0, total.1, total.0])?;
    }
    Ok(Capture::Profile(builder.finish(meta)))
}

/// The type behind the header's `@`.
struct Kind {
    name: String,
    period: Option<u64>,
}

fn kind(rest: &[u8]) -> Option<Kind> {
    let text = rest.trim_ascii_start().strip_prefix(b"@")?.trim_ascii();
    let word = text.split(|b| b.is_ascii_whitespace()).next()?;
    let (name, period) = match memchr::memchr(b'/', word) {
        Some(n) => (&word[..n], decimal(&word[n + 1..]).map(|(p, _)| p)),
        None => (word, None),
    };
    Some(Kind {
        name: lossy(name),
        period,
    })
}

pub(super) fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("gperftools")?;
    profile(source, cx)
}

pub(super) fn read_go(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("Go heap")?;
    profile(source, cx)
}

/// The sample that is being read: Go names its frames in the lines after it.
#[derive(Default)]
struct Reader {
    rows: Vec<Row>,
    pending: Option<Counts>,
    addresses: Vec<u64>,
    frames: Vec<FrameId>,
    named_rows: u64,
}

fn profile(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let mut names = Names::read(&bytes, cx.symbols);
    let mut reader = Reader::default();
    let mut header: Option<Kind> = None;
    let mut memory_statistics = false;
    let mut kept = 0;
    let samples = names.samples.clone();
    let mut released = 0;
    for line in Lines::new(&bytes[samples.clone()]) {
        let at = samples.start + line.start;
        bytes.release(&mut released, at);
        let text = line.text.trim_ascii();
        let wrong = |what: &str| Error::damaged(at as u64, what).at(Place::Byte(at as u64));
        let Some(_) = &header else {
            if let Some(rest) = text.strip_prefix(b"heap profile:") {
                let (_, rest) =
                    counts(rest).ok_or_else(|| wrong("a header that cannot be read"))?;
                let kind = kind(rest).ok_or_else(|| wrong("a header without a type"))?;
                header = Some(kind);
            } else if !text.is_empty() && text[0] != b'#' && super::section(text).is_none() {
                return Err(Error::new(Code::Unrecognised, "no heap profile header"));
            }
            continue;
        };
        // A cut line may hold half an address, which reads as another one.
        if !line.ended && samples.end == bytes.len() {
            break;
        }
        if let Some(comment) = text.strip_prefix(b"#") {
            memory_statistics |= comment == b" runtime.MemStats";
            if !memory_statistics {
                reader.comment(comment, cx.symbols);
            }
            continue;
        }
        reader.end(&mut names, cx.symbols);
        kept = at + line.text.len();
        if text.is_empty() {
            continue;
        }
        let (counts, rest) = counts(text).ok_or_else(|| wrong("a sample that cannot be read"))?;
        let rest = rest.trim_ascii_start().strip_prefix(b"@");
        let list = rest.ok_or_else(|| wrong("a sample without a stack"))?;
        if !addresses(list, &mut reader.addresses) {
            return Err(wrong("a stack that is no list of addresses"));
        }
        reader.pending = Some(counts);
    }
    reader.end(&mut names, cx.symbols);
    let Some(kind) = header else {
        return Err(Error::new(Code::Unrecognised, "no heap profile header"));
    };
    let is_go = kind.name == "heap" && (reader.named_rows > 0 || memory_statistics);
    let mut meta = describe(&kind, is_go, &reader.rows);
    meta.command = names.binary.take();
    let cut = names.cut || (is_go && !memory_statistics);
    if cut {
        if cx.strict {
            return Err(Error::truncated(
                bytes.len() as u64,
                "the profile is cut short",
            ));
        }
        meta.salvaged = Some(Salvage {
            read_bytes: kept as u64,
            of_bytes: bytes.len() as u64,
            reason: "the profile breaks off".into(),
        });
    }
    if names.unresolved > 0 {
        meta.notes.push(format!(
            "{} addresses lie in no file that the profile lists: they mean nothing in another run",
            names.unresolved
        ));
    }
    let mean = meta.sampling.and_then(|s| s.mean_bytes);
    let cumulative = has_totals(
        &reader.rows,
        matches!(kind.name.as_str(), "heapprofile" | "heap"),
    );
    Ok(vec![finish(&reader.rows, mean, cumulative, meta)?])
}

/// Whether the numbers in brackets are what was allocated in all. Some writers repeat the held
/// numbers there, or write 0.
pub(super) fn has_totals(rows: &[Row], always_counted: bool) -> bool {
    rows.iter().any(|r| {
        let total = r.counts.total;
        total != (0, 0) && (always_counted || total != r.counts.live)
    })
}

/// What the type says about the numbers.
fn describe(kind: &Kind, is_go: bool, rows: &[Row]) -> Meta {
    let mut meta = Meta {
        exactness: Exactness::Exact,
        producer: Some(
            if is_go {
                "Go runtime/pprof"
            } else {
                "gperftools"
            }
            .to_owned(),
        ),
        language: is_go.then_some("go"),
        ..Meta::default()
    };
    let mean = match kind.name.as_str() {
        "heapprofile" => return meta,
        "growth" | "growthz" => {
            meta.notes
                .push("counts growth of the address space, not blocks that are held".into());
            return meta;
        }
        "fragmentation" | "fragmentationz" => {
            meta.notes
                .push("counts fragmentation, not blocks that are held".into());
            return meta;
        }
        // Go writes twice the mean distance of its samples.
        "heap" => kind.period.map(|p| p as f64 / 2.0),
        "heap_v2" | "heapz_v2" => kind.period.map(|p| p as f64),
        other => {
            meta.exactness = Exactness::Unknown;
            meta.notes
                .push(format!("a profile of the unknown type {other:?}"));
            return meta;
        }
    };
    if mean.is_some_and(|m| m <= 1.0) {
        return meta;
    }
    sampled(&mut meta, mean, rows);
    meta
}

/// Marks a profile as sampled, and says on how many samples it rests.
pub(super) fn sampled(meta: &mut Meta, mean: Option<f64>, rows: &[Row]) {
    meta.exactness = Exactness::Sampled;
    meta.sampling = Some(Sampling {
        mean_bytes: mean,
        estimated_mean_bytes: None,
        unbiased: mean.is_some(),
    });
    let samples: i128 = rows.iter().map(|r| i128::from(r.counts.live.0)).sum();
    meta.notes.push(match mean {
        Some(mean) => format!(
            "live values are estimated from {samples} samples, one every {mean} bytes on average"
        ),
        None => "the distance of the samples is not recorded: values are not scaled up".to_owned(),
    });
}

impl Reader {
    /// `#\t0xADDR\tFUNC+0xOFF\tFILE:LINE` of the sample before.
    fn comment(&mut self, text: &[u8], symbols: &mut Symbols) {
        if self.pending.is_none() {
            return;
        }
        let mut fields = text
            .split(|&b| b == b'\t')
            .filter(|f| !f.trim_ascii().is_empty());
        let address = fields.next().map(<[u8]>::trim_ascii);
        if !address.is_some_and(|a| a.starts_with(b"0x") && hexadecimal(a).is_some()) {
            return;
        }
        let (Some(function), place) = (fields.next(), fields.next()) else {
            return;
        };
        let function = function.trim_ascii();
        let plus = memchr::memmem::rfind(function, b"+0x").unwrap_or(function.len());
        let mut frame = Frame::named(symbols.strings.intern_bytes(&function[..plus]));
        if let Some(place) = place.map(<[u8]>::trim_ascii) {
            let colon = memchr::memrchr(b':', place);
            let line = colon.and_then(|n| decimal(&place[n + 1..]));
            let file = colon.filter(|_| line.is_some()).unwrap_or(place.len());
            frame.file = symbols.strings.intern_bytes(&place[..file]);
            frame.line = line.map_or(0, |(n, _)| u32::try_from(n).unwrap_or(0));
        }
        if frame.function == StrId::EMPTY {
            return;
        }
        self.frames.push(symbols.frames.intern(frame));
    }

    /// The sample that is being read has all its frames. The names win over the addresses: Go
    /// leaves out its own frames and adds inlined ones, so that the two do not pair up.
    fn end(&mut self, names: &mut Names, symbols: &mut Symbols) {
        if let Some(counts) = self.pending.take() {
            if self.frames.is_empty() {
                for &address in &self.addresses {
                    names.push(address, symbols, &mut self.frames);
                }
            } else {
                self.named_rows += 1;
            }
            let stack = symbols.stacks.intern_leaf_first(&self.frames);
            self.rows.push(Row { stack, counts });
        }
        self.frames.clear();
    }
}
