//! memray captures of Python programs, versions 10 to 13 (memray 1.7 and later): full recordings
//! and files of sums (`--aggregate`), packed or plain, whole or broken off.
//!
//! Written from bloomberg/memray `src/memray/_memray/` (`records.h`, `record_writer.cpp`,
//! `record_reader.cpp`, `snapshot.cpp`).

mod aggregated;
mod events;
mod header;
mod lines;
mod natives;
mod replay;
mod stream;

use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::{Packing, Select, Source};
use crate::model::{ARENA, Exactness, Frame, FrameId, Meta, Moment, Profile, Salvage, Symbols};
use events::{Names, Record};
use header::Header;
use replay::{Replay, Stop};
use stream::Stream;

/// The format of `memray run -o`.
pub static FORMAT: Format = Format {
    name: "memray",
    title: "memray capture",
    recipe: "python3 -m memray run -o capture.bin program.py",
    sniff,
    read,
};

/// The most captures that one recording is cut into.
const MOST_CAPTURES: usize = 1000;

fn sniff(head: &[u8]) -> Match {
    if head.starts_with(b"memray\0") {
        Match::Yes
    } else {
        Match::No
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let mut s = Stream::new(source);
    let header = Header::read(&mut s)?;
    let select = cx.select.clone();
    let profiles = match select {
        _ if header.aggregated => vec![sums(source, s, &header, cx)?],
        None | Some(Select::Last) => vec![moment(source, &header, cx, Stop::End, "the end")?],
        Some(Select::Time(seconds)) => {
            let stop = Stop::Time(millis(seconds));
            let mut profile = moment(source, &header, cx, stop, "the time chosen")?;
            if let Some(moment) = &mut profile.meta.moment {
                moment.seconds = Some(seconds);
            }
            vec![profile]
        }
        Some(Select::Peak) => {
            // The moment of the peak is known at the end only: the second pass stops there.
            let mut first = Recording::new(source, Stop::End)?;
            first.run(cx, &mut |_, _| Ok(()))?;
            let stop = Stop::Event(first.replay.peak_event());
            vec![moment(source, &header, cx, stop, "the peak")?]
        }
        Some(Select::EverySeconds(step)) => {
            series(source, cx, Stop::EveryMillis(millis(step).max(1)))?
        }
        Some(Select::EveryBytes(step)) => series(source, cx, Stop::EveryBytes(step.max(1)))?,
        Some(Select::Number(_)) => {
            return Err(Error::usage("a memray recording has no numbered snapshots")
                .help("choose #peak, #last, #t=60s or #every=10m"));
        }
        Some(Select::Ends) => {
            return Err(Error::usage(
                "a memray recording starts empty: it has no two ends to compare",
            )
            .help("choose #every=10m or #every=100MB, or give two recordings"));
        }
    };
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

/// The frame of arenas.
fn arena(symbols: &mut Symbols) -> FrameId {
    let function = symbols.strings.intern(ARENA);
    symbols.frames.intern(Frame::named(function))
}

fn millis(seconds: f64) -> u64 {
    (seconds * 1e3).clamp(0.0, 1e18) as u64
}

/// What reading a file leaves besides its values.
#[derive(Debug, Default)]
struct Ended {
    /// Offset behind the last whole record.
    offset: u64,
    /// Why it ended too early.
    cut: Option<String>,
}

impl Ended {
    fn salvage(self, source: &Source) -> Option<Salvage> {
        let reason = self.cut?;
        let stored = source.stored_bytes();
        Some(match source.packing() {
            Packing::Plain => Salvage {
                read_bytes: self.offset.min(stored),
                of_bytes: stored,
                reason,
            },
            packing => Salvage {
                read_bytes: stored,
                of_bytes: stored,
                reason: format!(
                    "{reason}: the {} data breaks off after {} unpacked bytes",
                    packing.as_str(),
                    self.offset
                ),
            },
        })
    }
}

/// Reads records until the trailer, the end, or `step` says that it is enough.
fn records(
    s: &mut Stream<'_>,
    strict: bool,
    step: &mut dyn FnMut(&mut Stream<'_>) -> Result<(Record, bool)>,
) -> Result<Ended> {
    let mut ended = Ended {
        offset: s.offset(),
        cut: None,
    };
    loop {
        let start = s.offset();
        match step(s) {
            Ok((Record::Trailer, _)) => return Ok(ended),
            Ok((Record::End, _)) => {
                let what = "the recording lacks its end mark";
                if strict {
                    return Err(Error::truncated(ended.offset, what));
                }
                ended.cut = Some(what.into());
                return Ok(ended);
            }
            // Fillers at the end belong to the space that memray reserves ahead.
            Ok((Record::Filler, _)) => {}
            Ok((Record::Some, enough)) => {
                ended.offset = s.offset();
                if enough {
                    return Ok(ended);
                }
            }
            Err(e) if e.code() == Code::Truncated && !strict => {
                ended.cut = Some("the recording breaks off".into());
                return Ok(ended);
            }
            Err(e) => return Err(e.at(Place::Byte(start))),
        }
    }
}

type AtPause<'f> = dyn FnMut(&mut Recording<'_>, &mut Context<'_>) -> Result<()> + 'f;

struct Recording<'a> {
    stream: Stream<'a>,
    header: Header,
    names: Names,
    replay: Replay,
}

impl<'a> Recording<'a> {
    fn new(source: &'a Source, stop: Stop) -> Result<Self> {
        let mut stream = Stream::new(source);
        let header = Header::read(&mut stream)?;
        let replay = Replay::new(stop, header.main_thread, header.skipped);
        Ok(Recording {
            stream,
            header,
            names: Names::default(),
            replay,
        })
    }

    /// Reads to the end or the stop; `pause` is called at every moment of a series.
    fn run(&mut self, cx: &mut Context<'_>, pause: &mut AtPause<'_>) -> Result<Ended> {
        if self.replay.stopped() {
            return Ok(Ended::default());
        }
        let old = self.header.version < 12;
        if self.header.has_arenas() {
            self.replay.set_arena(arena(cx.symbols));
        }
        let mut ended;
        loop {
            let Recording {
                stream,
                header,
                names,
                replay,
            } = self;
            let symbols = &mut *cx.symbols;
            ended = records(stream, cx.strict, &mut |s| {
                let record = if old {
                    names.next_of_old(s, replay, symbols)?
                } else {
                    names.next(s, header, replay, symbols)?
                };
                Ok((record, replay.stopped() || replay.paused()))
            })?;
            if !self.replay.paused() {
                return Ok(ended);
            }
            pause(self, cx)?;
            if ended.cut.is_some() {
                return Ok(ended);
            }
        }
    }

    fn profile(&mut self, cx: &mut Context<'_>, moment: Moment) -> Result<Profile> {
        let bytes_read = self.stream.offset();
        let mut profile = self.replay.profile(cx.symbols, bytes_read)?;
        profile.meta = meta(&self.header, self.replay.tree.cut);
        profile.meta.moment = Some(moment);
        profile.meta.peak_moment = Some(Moment {
            label: "the peak".into(),
            seconds: Some(self.replay.peak_seconds()),
        });
        Ok(profile)
    }
}

/// The one capture at `stop`.
fn moment(
    source: &Source,
    header: &Header,
    cx: &mut Context<'_>,
    stop: Stop,
    label: &str,
) -> Result<Profile> {
    let mut recording = Recording::new(source, stop)?;
    let ended = recording.run(cx, &mut |_, _| Ok(()))?;
    let lasted = recording.replay.seconds();
    if let (Stop::Time(wanted), false) = (stop, recording.replay.stopped())
        && wanted > (lasted * 1e3) as u64
    {
        return Err(Error::usage(format!(
            "no moment {} s: the recording lasts {lasted} s",
            wanted as f64 / 1e3
        ))
        .help("choose an earlier one"));
    }
    let label = Moment {
        label: label.into(),
        seconds: Some(lasted),
    };
    let empty = ended.cut.is_some() && header.records == 0 && recording.replay.allocated() == 0;
    if empty {
        return Err(Error::truncated(
            ended.offset,
            "the recording breaks off before the first allocation",
        ));
    }
    let mut profile = recording.profile(cx, label)?;
    profile.meta.salvaged = ended.salvage(source);
    Ok(profile)
}

/// One capture for every step of the recording.
fn series(source: &Source, cx: &mut Context<'_>, stop: Stop) -> Result<Vec<Profile>> {
    let mut recording = Recording::new(source, stop)?;
    let mut profiles: Vec<Profile> = Vec::new();
    let ended = recording.run(cx, &mut |recording, cx| {
        while let Some(moment) = recording.replay.due() {
            if profiles.len() == MOST_CAPTURES {
                return Err(Error::usage(format!(
                    "the recording gives more than {MOST_CAPTURES} captures"
                ))
                .help("choose a longer step after #every="));
            }
            profiles.push(recording.profile(cx, moment)?);
        }
        Ok(())
    })?;
    match profiles.last_mut() {
        Some(last) => last.meta.salvaged = ended.salvage(source),
        None => {
            return Err(Error::usage(format!(
                "the recording ends before the first step: it lasts {} s and allocates {} bytes",
                recording.replay.seconds(),
                recording.replay.allocated()
            ))
            .help("choose a shorter step after #every="));
        }
    }
    Ok(profiles)
}

/// The one capture of a file of sums.
fn sums(
    source: &Source,
    mut stream: Stream<'_>,
    header: &Header,
    cx: &mut Context<'_>,
) -> Result<Profile> {
    match cx.select {
        None | Some(Select::Last) | Some(Select::Peak) => {}
        Some(Select::Ends) => return Err(super::alone()),
        Some(_) => {
            return Err(Error::usage(
                "an aggregated memray capture holds the peak and the end only",
            )
            .help("capture it without --aggregate for other moments"));
        }
    }
    let mut sums = aggregated::Sums::default();
    let symbols = &mut *cx.symbols;
    let ended = records(&mut stream, cx.strict, &mut |s| {
        Ok((sums.next(s, header, symbols)?, false))
    })?;
    if ended.cut.is_some() && sums.is_empty() {
        return Err(Error::truncated(
            ended.offset,
            "an aggregated capture without sums: they are written when the program ends",
        ));
    }
    // The tree of a file that breaks off comes last, so its sums have no names.
    if let Some(cut) = &ended.cut {
        return Err(Error::truncated(
            ended.offset,
            format!("an aggregated capture cannot be read in part: {cut}"),
        ));
    }
    let (mut profile, tree) = sums.profile(header, cx.symbols, stream.offset())?;
    let at_peak = cx.select == Some(Select::Peak);
    if at_peak {
        profile.columns.swap(0, 2);
        profile.columns.swap(1, 3);
        for (live, peak) in [(0, 2), (1, 3)] {
            profile.columns[peak] = profile.columns[live].clone();
        }
    }
    profile.meta = meta(header, tree.cut);
    let (peak, end) = sums.seconds();
    let peak = Moment {
        label: "the peak".into(),
        seconds: peak,
    };
    profile.meta.moment = Some(if at_peak {
        peak.clone()
    } else {
        Moment {
            label: "the end".into(),
            seconds: Some(end),
        }
    });
    profile.meta.peak_moment = Some(peak);
    profile.meta.salvaged = ended.salvage(source);
    Ok(profile)
}

/// What the header says.
fn meta(h: &Header, cut_stacks: u64) -> Meta {
    let mut notes = Vec::new();
    let allocator = match h.allocator {
        1 => "pymalloc",
        2 => "pymalloc_debug",
        3 => "malloc",
        5 => "mimalloc",
        6 => "mimalloc_debug",
        _ => "another allocator",
    };
    if h.python_requests {
        notes.push(format!(
            "Python's own requests are recorded in place of what its allocator ({allocator}) takes from the system: sums differ from captures without --trace-python-allocators"
        ));
    } else if matches!(h.allocator, 1 | 2 | 5 | 6) {
        notes.push(format!(
            "small Python objects lie in arenas of {allocator} and are not seen one by one: --trace-python-allocators records them"
        ));
    }
    if h.native {
        notes.push("native frames: those from the last call out of the interpreter".into());
    }
    if cut_stacks > 0 {
        notes.push(format!(
            "{cut_stacks} stacks cut to their innermost 1024 frames"
        ));
    }
    Meta {
        producer: Some(format!("memray (capture version {})", h.version)),
        command: Some(h.command.clone()).filter(|c| !c.is_empty()),
        pid: Some(h.pid as u64),
        exactness: Exactness::Exact,
        language: Some("python"),
        notes,
        ..Meta::default()
    }
}

#[cfg(test)]
mod tests;
