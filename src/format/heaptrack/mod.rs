//! heaptrack recordings, interpreted and raw: every allocation and free of a program, in order.
//!
//! Written from KDE/heaptrack: `libheaptrack.cpp`, `heaptrack_interpret.cpp` (writers),
//! `accumulatedtracedata.cpp` (reader). Format versions 0 to 3.

mod names;
mod recording;

use super::lines::{Ahead, Block, Blocks, NextBlock};
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Result};
use crate::input::{Packing, Select, Source};
use crate::model::{Moment, Profile, Salvage};
use recording::{Recording, Stop};

/// heaptrack data files (`.zst`, `.gz` or unpacked; `--raw` or interpreted).
pub static FORMAT: Format = Format {
    name: "heaptrack",
    title: "heaptrack recording",
    recipe: "heaptrack -o heap ./program",
    sniff,
    read,
};

/// Packed files of this size on are unpacked by a thread of their own.
const UNPACK_AHEAD_FROM: u64 = 1 << 20;
/// The most captures that one recording is cut into.
const MOST_CAPTURES: usize = 1000;

fn sniff(head: &[u8]) -> Match {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if let Some(rest) = line.strip_prefix(b"v ") {
        let hex = |f: &[u8]| !f.is_empty() && f.len() <= 8 && f.iter().all(u8::is_ascii_hexdigit);
        let mut fields = rest.split(|&b| b == b' ');
        if (1..=2).contains(&fields.clone().count()) && fields.all(hex) {
            return Match::Yes;
        }
    }
    // Recordings before 1.0 have no version; they begin with the command.
    let unversioned = line.starts_with(b"X ")
        && head
            .split(|&b| b == b'\n')
            .skip(1)
            .take(4)
            .any(|l| l.starts_with(b"I ") || l.starts_with(b"s ") || l.starts_with(b"i "));
    if unversioned { Match::Maybe } else { Match::No }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let profiles = match cx.select.clone() {
        None | Some(Select::Last) => {
            let (mut recording, salvage) = run(source, cx, Stop::End)?;
            vec![finish(&mut recording, cx, "the end", salvage)?]
        }
        Some(Select::Time(seconds)) => {
            let (mut recording, salvage) = run(source, cx, Stop::Time(millis(seconds)))?;
            if !recording.stopped() {
                return Err(Error::usage(format!(
                    "no moment {seconds} s: the recording lasts {} s",
                    recording.seconds()
                ))
                .help("choose an earlier one"));
            }
            let mut profile = finish(&mut recording, cx, "the time chosen", salvage)?;
            if let Some(moment) = &mut profile.meta.moment {
                moment.seconds = Some(seconds);
            }
            vec![profile]
        }
        Some(Select::Peak) => {
            // The moment of the peak is known at the end only: the second pass stops there.
            let (first, _) = run(source, cx, Stop::End)?;
            let (mut recording, _) = run(source, cx, Stop::Event(first.peak_event()))?;
            vec![finish(&mut recording, cx, "the peak", None)?]
        }
        Some(Select::EverySeconds(step)) => {
            series(source, cx, Stop::EveryMillis(millis(step).max(1)))?
        }
        Some(Select::EveryBytes(step)) => series(source, cx, Stop::EveryBytes(step.max(1)))?,
        Some(Select::Number(_)) => {
            return Err(
                Error::usage("a heaptrack recording has no numbered snapshots")
                    .help("choose #peak, #last, #t=60s or #every=10m"),
            );
        }
        Some(Select::Ends) => {
            return Err(Error::usage(
                "a heaptrack recording starts empty: it has no two ends to compare",
            )
            .help("choose #every=10m or #every=100MB, or give two recordings"));
        }
    };
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

fn millis(seconds: f64) -> u64 {
    (seconds * 1e3).clamp(0.0, 1e18) as u64
}

fn finish(
    recording: &mut Recording,
    cx: &mut Context<'_>,
    label: &str,
    salvage: Option<Salvage>,
) -> Result<Profile> {
    let mut profile = recording.profile(
        cx.symbols,
        Moment {
            label: label.to_owned(),
            seconds: Some(recording.seconds()),
        },
    )?;
    profile.meta.salvaged = salvage;
    Ok(profile)
}

/// Reads events until `stop`. A recording that breaks off is read as far as it goes.
///
/// Errors: damage; a cut recording when that is not wanted.
fn run(source: &Source, cx: &mut Context<'_>, stop: Stop) -> Result<(Recording, Option<Salvage>)> {
    let mut recording = Recording::new(stop);
    let salvage = events(source, cx, &mut recording, &mut |_, _| Ok(()))?;
    Ok((recording, salvage))
}

/// One capture for every step of the recording.
fn series(source: &Source, cx: &mut Context<'_>, stop: Stop) -> Result<Vec<Profile>> {
    let mut recording = Recording::new(stop);
    let mut profiles: Vec<Profile> = Vec::new();
    let salvage = events(source, cx, &mut recording, &mut |recording, cx| {
        while let Some(moment) = recording.due() {
            if profiles.len() == MOST_CAPTURES {
                return Err(Error::usage(format!(
                    "the recording gives more than {MOST_CAPTURES} captures"
                ))
                .help("choose a longer step after #every="));
            }
            profiles.push(recording.profile(cx.symbols, moment)?);
        }
        Ok(())
    })?;
    match profiles.last_mut() {
        Some(last) => last.meta.salvaged = salvage,
        None => {
            return Err(Error::usage(format!(
                "the recording ends before the first step: it lasts {} s and allocates {} bytes",
                recording.seconds(),
                recording.allocated()
            ))
            .help("choose a shorter step after #every="));
        }
    }
    Ok(profiles)
}

type AtPause<'f> = dyn FnMut(&mut Recording, &mut Context<'_>) -> Result<()> + 'f;

/// Feeds the recording block by block; `pause` is called where its stop asks for it.
fn events(
    source: &Source,
    cx: &mut Context<'_>,
    recording: &mut Recording,
    pause: &mut AtPause<'_>,
) -> Result<Option<Salvage>> {
    if source.packing() == Packing::Plain || source.stored_bytes() < UNPACK_AHEAD_FROM {
        return feed(&mut Blocks::new(source), source, cx, recording, pause);
    }
    // Unpacking takes as long as reading: the two go side by side.
    std::thread::scope(|scope| {
        feed(
            &mut Ahead::spawn(scope, source),
            source,
            cx,
            recording,
            pause,
        )
    })
}

fn feed(
    blocks: &mut dyn NextBlock,
    source: &Source,
    cx: &mut Context<'_>,
    recording: &mut Recording,
    pause: &mut AtPause<'_>,
) -> Result<Option<Salvage>> {
    let cut = loop {
        match blocks.next()? {
            Block::Lines(lines, offset) => {
                let mut at = 0;
                while at < lines.len() {
                    at = recording.feed(lines, at, offset, cx.symbols)?;
                    pause(recording, cx)?;
                    if recording.stopped() {
                        return Ok(None);
                    }
                }
            }
            // A line that lost its end may still read as another, shorter number.
            Block::End(rest, offset) if !rest.is_empty() => {
                let error = Error::truncated(offset, "the recording ends within a line");
                break Some((error, offset));
            }
            Block::End(_, offset) if !recording.complete() => {
                let error = Error::truncated(offset, "the recording lacks its end mark");
                break Some((error, offset));
            }
            Block::End(..) => break None,
            Block::Broken(error, offset) => break Some((error, offset)),
        }
    };
    if !recording.begun() {
        return match cut {
            Some((error, _)) => Err(error),
            None => Err(Error::new(Code::Unrecognised, "holds no heaptrack records")),
        };
    }
    let Some((error, offset)) = cut else {
        return Ok(None);
    };
    if cx.strict || error.code() != Code::Truncated {
        return Err(error);
    }
    let stored = source.stored_bytes();
    Ok(Some(match source.packing() {
        Packing::Plain => Salvage {
            read_bytes: offset,
            of_bytes: stored,
            reason: "the recording breaks off".into(),
        },
        packing => Salvage {
            read_bytes: stored,
            of_bytes: stored,
            reason: format!(
                "the {} data breaks off after {offset} unpacked bytes",
                packing.as_str()
            ),
        },
    }))
}

#[cfg(test)]
mod tests;
