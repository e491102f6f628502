//! Text of bcc's `memleak`: outstanding allocations of a running process, again and again.
//!
//! Written from iovisor/bcc `tools/memleak.py` and `libbpf-tools/memleak.c`.

use super::lines::{Lines, decimal, find, hexadecimal, lossy};
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::{Select, Source};
use crate::model::{
    Exactness, Frame, FrameId, Meta, Metric, Moment, Profile, ProfileBuilder, Salvage, StackId,
    StrId, Symbols,
};

/// bcc memleak reports.
pub static FORMAT: Format = Format {
    name: "memleak",
    title: "bcc memleak report",
    recipe: "memleak-bpfcc -p PID 10 > memleak.txt",
    sniff,
    read,
};

const HEAD: &[u8] = b" stacks with outstanding allocations:";

fn sniff(head: &[u8]) -> Match {
    if head.split(|&b| b == b'\n').any(|l| interval(l).is_some()) {
        Match::Yes
    } else {
        Match::No
    }
}

/// Stacks that were outstanding at one time.
struct Interval {
    /// Seconds of the day.
    clock: u64,
    top: u64,
    rows: Vec<(StackId, i64, i64)>,
}

/// `[11:16:34] Top 2 stacks with outstanding allocations:`
fn interval(line: &[u8]) -> Option<Interval> {
    let (_, top) = {
        let at = find(line, HEAD)?;
        let word = memchr::memmem::rfind(&line[..at], b"Top ")?;
        let (top, rest) = decimal(&line[word + 4..at])?;
        rest.is_empty().then_some((word, top))?
    };
    let open = memchr::memchr(b'[', line)?;
    let (hours, rest) = decimal(&line[open + 1..])?;
    let (minutes, rest) = decimal(rest.strip_prefix(b":")?)?;
    let (seconds, _) = decimal(rest.strip_prefix(b":")?)?;
    (hours < 24 && minutes < 60 && seconds < 61).then_some(Interval {
        clock: hours * 3600 + minutes * 60 + seconds,
        top,
        rows: Vec::new(),
    })
}

/// `160 bytes in 10 allocations from stack`
fn head_of_stack(text: &[u8]) -> Option<(i64, i64)> {
    let (bytes, rest) = decimal(text)?;
    let (blocks, rest) = decimal(rest.strip_prefix(b" bytes in ")?)?;
    rest.starts_with(b" allocations from")
        .then(|| Some((i64::try_from(bytes).ok()?, i64::try_from(blocks).ok()?)))?
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let mut intervals: Vec<Interval> = Vec::new();
    let mut open: Option<(i64, i64)> = None;
    let mut frames: Vec<FrameId> = Vec::new();
    let mut pid = None;
    let mut kept = 0;
    let mut cut = false;
    let mut released = 0;
    for line in Lines::new(&bytes) {
        bytes.release(&mut released, line.start);
        if !line.ended {
            cut = true;
            break;
        }
        if let Some(next) = interval(line.text) {
            close(&mut intervals, &mut open, &mut frames, cx.symbols);
            kept = line.start;
            intervals.push(next);
            continue;
        }
        let text = line.text.trim_ascii();
        if intervals.is_empty() {
            if let Some(rest) = text.strip_prefix(b"Attaching to pid ") {
                pid = decimal(rest).map(|(n, _)| n);
            }
            continue;
        }
        if let Some(sizes) = head_of_stack(text) {
            close(&mut intervals, &mut open, &mut frames, cx.symbols);
            kept = line.start;
            open = Some(sizes);
        } else if text.is_empty() {
            close(&mut intervals, &mut open, &mut frames, cx.symbols);
        } else if text.starts_with(b"addr = ") {
            // Single blocks, listed with -a.
        } else if text[0].is_ascii_digit() && find(text, b" bytes in ").is_some() {
            let error = Error::damaged(line.start as u64, "a size that cannot be read");
            return Err(error.at(Place::Line(line.number)));
        } else if open.is_some() {
            frames.push(frame(text, cx.symbols));
        }
    }
    if !cut {
        close(&mut intervals, &mut open, &mut frames, cx.symbols);
        kept = bytes.len();
    }
    if intervals.is_empty() {
        return Err(Error::new(Code::Unrecognised, "no memleak report"));
    }
    let mut meta = Meta {
        producer: Some("bcc memleak".into()),
        pid,
        exactness: Exactness::Exact,
        ..Meta::default()
    };
    if cut {
        if cx.strict {
            return Err(Error::truncated(
                bytes.len() as u64,
                "the report is cut short",
            ));
        }
        // The report that is cut lacks its largest stacks, which come last.
        if intervals.len() > 1 {
            intervals.pop();
        }
        meta.salvaged = Some(Salvage {
            read_bytes: kept as u64,
            of_bytes: bytes.len() as u64,
            reason: "the last report breaks off".into(),
        });
    }
    let times = times(&intervals);
    choose(&times, cx)?
        .into_iter()
        .map(|i| profile(&intervals[i], i, intervals.len(), times[i], meta.clone()))
        .map(|p| p.map(Capture::Profile))
        .collect()
}

/// The stack that was being read is complete.
fn close(
    intervals: &mut [Interval],
    open: &mut Option<(i64, i64)>,
    frames: &mut Vec<FrameId>,
    symbols: &mut Symbols,
) {
    if let (Some((bytes, blocks)), Some(interval)) = (open.take(), intervals.last_mut()) {
        let stack = symbols.stacks.intern_leaf_first(frames);
        interval.rows.push((stack, bytes, blocks));
    }
    frames.clear();
}

/// Seconds since the first report; the clock may pass midnight.
fn times(intervals: &[Interval]) -> Vec<f64> {
    let mut days = 0;
    let mut before = 0;
    let mut out: Vec<f64> = Vec::with_capacity(intervals.len());
    for (i, interval) in intervals.iter().enumerate() {
        if i > 0 && interval.clock < before {
            days += 1;
        }
        before = interval.clock;
        out.push((interval.clock + days * 86_400) as f64);
    }
    let first = out.first().copied().unwrap_or(0.0);
    out.iter().map(|t| t - first).collect()
}

/// The positions of the reports that are asked for; there is at least one report.
fn choose(times: &[f64], cx: &Context<'_>) -> Result<Vec<usize>> {
    let last = times.len() - 1;
    let holds = || format!("the file holds {} reports over {} s", last + 1, times[last]);
    match cx.select {
        None | Some(Select::Last) => Ok(vec![last]),
        Some(Select::Number(n)) => {
            match usize::try_from(n) {
                Ok(n) if (1..=last + 1).contains(&n) => Ok(vec![n - 1]),
                _ => Err(Error::usage(format!("no report {n}"))
                    .help(format!("{}, counted from 1", holds()))),
            }
        }
        Some(Select::Ends) if last > 0 => Ok(vec![0, last]),
        Some(Select::Time(at)) => match times.iter().rposition(|&t| t <= at) {
            Some(i) if at <= times[last] => Ok(vec![i]),
            _ => Err(Error::usage(format!("no moment {at} s")).help(holds())),
        },
        Some(Select::EverySeconds(step)) if last > 0 => {
            let mut chosen = vec![0];
            for (i, time) in times.iter().enumerate() {
                if *time >= chosen.last().map_or(0.0, |&c| times[c]) + step {
                    chosen.push(i);
                }
            }
            if chosen.len() < 2 {
                return Err(Error::usage("the step is longer than the recording").help(holds()));
            }
            Ok(chosen)
        }
        Some(Select::Ends) => Err(super::alone()),
        Some(_) => Err(Error::usage("a memleak report has no such moment")
            .help("choose #N, #last, #t=60s or #every=10m")),
    }
}

fn profile(
    interval: &Interval,
    i: usize,
    of: usize,
    seconds: f64,
    mut meta: Meta,
) -> Result<Profile> {
    let metrics = ["live_bytes", "live_blocks"].map(Metric::known).to_vec();
    let mut builder = ProfileBuilder::new(metrics);
    for &(stack, bytes, blocks) in &interval.rows {
        builder.add(stack, &[bytes, blocks])?;
    }
    meta.moment = Some(Moment {
        label: format!("report {} of {of}", i + 1),
        seconds: Some(seconds),
    });
    if interval.rows.len() as u64 >= interval.top {
        meta.notes.push(format!(
            "lists the largest {} stacks only: one that is absent may be small, not 0 (raise with -T)",
            interval.top
        ));
    }
    meta.notes
        .push("counts blocks allocated since memleak was attached, and older than 0.5 s unless it ran with -o".into());
    Ok(builder.finish(meta))
}

/// `sym+0x6d [module]`, `0 [<ffffffff81>] sym+0xf0 [module]`, `[unknown] [module]`.
fn frame(text: &[u8], symbols: &mut Symbols) -> FrameId {
    let mut text = text;
    // Number and address before the name, in the newer writer.
    if let Some((_, rest)) = decimal(text)
        && let Some(rest) = rest.strip_prefix(b" [<")
        && let Some(close) = find(rest, b">]")
    {
        text = rest[close + 2..].trim_ascii_start();
    } else if text.starts_with(b"0x")
        && let Some((_, rest)) = hexadecimal(text)
        && let Some(rest) = rest.strip_prefix(b" ")
    {
        text = rest.trim_ascii_start();
    }
    let mut frame = Frame::named(StrId::EMPTY);
    if let Some(inner) = text.strip_suffix(b"]")
        && let Some(n) = memchr::memmem::rfind(inner, b" [")
    {
        frame.module = symbols.strings.intern_bytes(&inner[n + 2..]);
        text = &text[..n];
    }
    let name = match memchr::memmem::rfind(text, b"+0x") {
        Some(n) if matches!(hexadecimal(&text[n + 1..]), Some((_, b""))) => &text[..n],
        _ => text,
    };
    frame.function = symbols.strings.intern(&lossy(name));
    symbols.frames.intern(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing;
    use crate::model::Limits;

    const SMALL: &str = "Attaching to pid 5193, Ctrl+C to quit.\n\
[23:59:55] Top 2 stacks with outstanding allocations:\n\t80 bytes in 5 allocations from stack\n\t\tmain+0x6d [demo]\n\
[00:00:05] Top 2 stacks with outstanding allocations:\n\taddr = 7f00 size = 16\n\t16 bytes in 1 allocations from stack\n\t\t[unknown] [libc-2.31.so]\n\
\t160 bytes in 10 allocations from stack\n\t\t0 [<ffffffff81>] f(int)+0x6d [demo]\n\t\tmain+0x6d [demo]\n\t\t__libc_start_main+0xf0 [libc-2.31.so]\n";

    fn live(text: &str, select: Option<Select>) -> Result<Vec<i128>> {
        let mut symbols = Symbols::default();
        let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default())?;
        let mut cx = Context::new(&mut symbols);
        cx.select = select;
        let captures = read(&source, &mut cx)?;
        Ok(captures
            .into_iter()
            .filter_map(Capture::into_profile)
            .map(|p| p.columns[0].sum())
            .collect())
    }

    #[test]
    fn the_last_report_counts() {
        assert_eq!(sniff(SMALL.as_bytes()), Match::Yes);
        let (symbols, profiles) = testing::read(&FORMAT, SMALL.as_bytes()).unwrap();
        let p = &profiles[0];
        assert_eq!((p.columns[0].sum(), p.columns[1].sum()), (176, 11));
        assert_eq!(
            testing::stacks(p, &symbols),
            ["[unknown]", "__libc_start_main;main;f(int)"]
        );
        assert_eq!(p.meta.pid, Some(5193));
        assert_eq!(p.meta.moment.as_ref().and_then(|m| m.seconds), Some(10.0));
    }

    #[test]
    fn reports_are_chosen() {
        assert_eq!(live(SMALL, Some(Select::Number(1))).unwrap(), [80]);
        assert_eq!(live(SMALL, Some(Select::Ends)).unwrap(), [80, 176]);
        assert_eq!(live(SMALL, Some(Select::Time(9.0))).unwrap(), [80]);
        assert_eq!(
            live(SMALL, Some(Select::EverySeconds(10.0))).unwrap(),
            [80, 176]
        );
        for wrong in [
            Select::Number(3),
            Select::Time(11.0),
            Select::Peak,
            Select::EverySeconds(11.0),
        ] {
            assert_eq!(live(SMALL, Some(wrong)).unwrap_err().code(), Code::Usage);
        }
        assert_eq!(live(&SMALL[..SMALL.len() - 5], None).unwrap(), [80]);
        let broken = SMALL.replace("160 bytes in 10", "160 bytes in x");
        assert_eq!(live(&broken, None).unwrap_err().code(), Code::Damaged);
    }

    #[test]
    fn cut_and_flipped() {
        testing::cut_and_flip(&FORMAT, SMALL.as_bytes());
    }
}
