//! tracemalloc snapshots: what `tracemalloc.Snapshot.dump` of CPython 3.4 and later writes.
//!
//! A pickle of one tuple per live block: domain, bytes requested, the innermost frames as file
//! and line. There are no function names, no addresses and no time. The file is read by a small
//! machine of our own that executes nothing. Layout: CPython's `Lib/tracemalloc.py`.

mod machine;
mod values;

use super::{Capture, Context, Format, Match};
use crate::error::{Error, Result};
use crate::input::{Select, Source};
use crate::model::{
    Exactness, Label, LabelValue, LabelsId, Meta, Metric, Profile, ProfileBuilder, Salvage, StrId,
};
use machine::End;
use values::{Machine, Snapshot};

/// The format of `tracemalloc.Snapshot.dump`.
pub static FORMAT: Format = Format {
    name: "tracemalloc",
    title: "tracemalloc snapshot",
    recipe: "python3 -X tracemalloc=25 -c 'import tracemalloc; kept = [bytes(1000) for _ in range(99)]; tracemalloc.take_snapshot().dump(\"snapshot.pickle\")'",
    sniff,
    read,
};

fn sniff(head: &[u8]) -> Match {
    let start = &head[..head.len().min(256)];
    let names = |what: &[u8]| start.windows(what.len()).any(|w| w == what);
    let binary = matches!(start, [0x80, 2..=5, ..]);
    if (binary || start.starts_with(b"c")) && names(b"tracemalloc") && names(b"Snapshot") {
        return Match::Yes;
    }
    // Protocols 0 and 1, also of a list or a dictionary.
    if names(b"ccopy_reg\n_reconstructor\n") && names(b"tracemalloc\nSnapshot\n") {
        return Match::Yes;
    }
    Match::No
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let mut machine = Machine::default();
    let mut at = 0;
    let mut snapshots: Vec<Snapshot> = Vec::new();
    let mut salvaged = None;
    let mut left_out = 0;
    while at < bytes.len() {
        if at > 0 && !matches!(bytes[at], 0x80 | b'c' | b'(') {
            left_out = bytes.len() - at;
            break;
        }
        match machine::run(&bytes, &mut at, &mut machine, cx.symbols)? {
            End::Stop => snapshots.extend(machine.result()?),
            End::Cut => {
                let cut = Error::truncated(at as u64, "the pickle ends before its last value");
                let rescued = if cx.strict { None } else { machine.rescue() };
                let Some(rescued) = rescued else {
                    return Err(cut);
                };
                snapshots.push(rescued);
                salvaged = Some(Salvage {
                    read_bytes: at as u64,
                    of_bytes: bytes.len() as u64,
                    reason: "the pickle ends before its last value; blocks after it are missing"
                        .into(),
                });
                break;
            }
        }
    }
    let chosen = choose(&snapshots, &machine, cx.select.as_ref())?;
    let mut captures = Vec::with_capacity(chosen.len());
    for &i in &chosen {
        let mut profile = profile(&machine, &snapshots[i], cx)?;
        let meta = &mut profile.meta;
        if snapshots.len() > 1 {
            let name = cx.symbols.strings.get(snapshots[i].name);
            let named = if name.is_empty() {
                String::new()
            } else {
                format!(" ({name})")
            };
            meta.notes.push(format!(
                "snapshot #{i}{named} of {}, which count from #0",
                snapshots.len()
            ));
        }
        if left_out > 0 {
            meta.notes.push(format!(
                "{left_out} bytes behind the snapshot were left out"
            ));
        }
        if i + 1 == snapshots.len() {
            meta.salvaged = salvaged.clone();
        }
        captures.push(Capture::Profile(profile));
    }
    Ok(captures)
}

/// Positions of the snapshots chosen; without a choice the last.
fn choose(
    snapshots: &[Snapshot],
    machine: &Machine,
    select: Option<&Select>,
) -> Result<Vec<usize>> {
    let last = snapshots.len().saturating_sub(1);
    let total = |s: &Snapshot| -> i128 {
        let size = |&id: &u32| machine.blocks()[id as usize].size as i128;
        machine.block_ids(s).iter().map(size).sum()
    };
    match select {
        None | Some(Select::Last) => Ok(vec![last]),
        Some(Select::Number(n)) if *n <= last as u64 => Ok(vec![*n as usize]),
        Some(Select::Number(n)) => Err(Error::usage(format!(
            "there is no snapshot #{n}: the file holds {}, counted from #0",
            snapshots.len()
        ))
        .help("choose one that is there, or leave out the part after #")),
        Some(Select::Peak) => Ok((0..snapshots.len())
            .max_by_key(|&i| total(&snapshots[i]))
            .into_iter()
            .collect()),
        Some(Select::Ends) if last > 0 => Ok(vec![0, last]),
        Some(Select::Ends) => Err(super::alone()),
        Some(Select::Time(_) | Select::EverySeconds(_) | Select::EveryBytes(_)) => {
            Err(Error::usage("a tracemalloc snapshot records no time")
                .help("choose a snapshot by its number, such as #0"))
        }
    }
}

fn profile(machine: &Machine, snapshot: &Snapshot, cx: &mut Context<'_>) -> Result<Profile> {
    let blocks = machine.blocks();
    let symbols = &mut *cx.symbols;
    let key = symbols.strings.intern("domain");
    // Decided once for each distinct block: whether outer frames are missing, and its label.
    let mut seen: Vec<Option<(bool, LabelsId)>> = vec![None; blocks.len()];
    let mut builder = ProfileBuilder::new(vec![
        Metric::known("live_bytes"),
        Metric::known("live_blocks"),
    ]);
    let mut cut = 0u64;
    for &id in machine.block_ids(snapshot) {
        let block = &blocks[id as usize];
        let (is_cut, labels) = *seen[id as usize].get_or_insert_with(|| {
            let frames = symbols.stacks.frames(block.stack).count();
            let labels = match block.domain {
                0 => LabelsId::NONE,
                n => symbols.labels.intern(&[Label {
                    key,
                    value: LabelValue::Number(n, StrId::EMPTY),
                }]),
            };
            (block.depth as usize > frames, labels)
        });
        cut += is_cut as u64;
        builder.add_labelled(block.stack, labels, &[block.size, 1])?;
    }
    let mut meta = Meta {
        producer: Some("CPython tracemalloc".into()),
        exactness: Exactness::Exact,
        language: Some("python"),
        depth_limit: snapshot.limit.and_then(|n| u32::try_from(n).ok()),
        ..Meta::default()
    };
    if cut > 0 {
        let limit = snapshot.limit.unwrap_or(1);
        meta.notes.push(format!(
            "{cut} blocks were allocated deeper than the {limit} innermost frames that were kept; tracemalloc.start(25) keeps 25"
        ));
    }
    Ok(builder.finish(meta))
}

#[cfg(test)]
mod tests;
