//! massif snapshots, and the xtree files of Valgrind that use the same syntax.
//!
//! Written from Valgrind's `massif/ms_main.c` and `coregrind/m_xtree.c` (writers),
//! `massif/ms_print.in` (reader), and heaptrack_print's writer.

mod file;
mod tree;

use super::lines::lossy;
use super::{Capture, Context, Format, Match};
use crate::error::{Error, Result};
use crate::input::{Bytes, Select, Source};
use crate::model::{Exactness, Meta, Metric, Moment, Profile, ProfileBuilder, Salvage, StackId};
use file::{File, Kind, Snapshot};

/// massif output (`massif.out.PID`, `--xtree-memory` files).
pub static FORMAT: Format = Format {
    name: "massif",
    title: "massif snapshots",
    recipe: "valgrind --tool=massif --massif-out-file=massif.out ./program",
    sniff,
    read,
};

fn sniff(head: &[u8]) -> Match {
    let mut lines = head
        .split(|&b| b == b'\n')
        .map(|l| l.strip_suffix(b"\r").unwrap_or(l))
        .skip_while(|l| l.trim_ascii().is_empty());
    match lines.next() {
        Some(first) if first.starts_with(b"desc:") => {
            let mut header = lines.take(50);
            let has = |l: &[u8]| l.starts_with(b"time_unit:");
            if header.any(has) {
                Match::Yes
            } else {
                Match::No
            }
        }
        // heaptrack_print writes no header.
        Some(b"#-----------") if lines.next().is_some_and(|l| l.starts_with(b"snapshot=")) => {
            Match::Yes
        }
        _ => Match::No,
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let (mut file, mut salvage) = file::scan(&bytes)?;
    // A tree that ends too early is the last thing in a file; earlier ones end at a rule.
    if let Some(last) = file.snapshots.last()
        && let Some(tree) = &last.tree
        && let Err(error) = tree::check(&bytes[..tree.end], tree.start)
    {
        let number = last.number;
        if tree.end != bytes.len() {
            return Err(error);
        }
        salvage = Some(error);
        let kept = tree.start;
        file.snapshots.pop();
        if file.snapshots.is_empty() {
            return Err(Error::truncated(
                kept as u64,
                format!("the tree of snapshot {number}, the only one, is cut short"),
            ));
        }
    }
    let salvage = match salvage {
        None => None,
        Some(error) if cx.strict => return Err(error),
        Some(error) => Some(Salvage {
            read_bytes: file.kept_bytes(),
            of_bytes: bytes.len() as u64,
            reason: format!("the last snapshot is cut short ({error})"),
        }),
    };
    if file.snapshots.is_empty() {
        return Err(Error::truncated(
            bytes.len() as u64,
            "holds no snapshot: the program ended before the first one",
        ));
    }
    let reader = Reader {
        bytes: &bytes,
        file: &file,
        salvage,
    };
    let profiles = if file.xtree {
        cx.single_moment("massif xtree")?;
        vec![reader.xtree(cx)?]
    } else {
        reader.chosen(cx)?
    };
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

struct Reader<'a> {
    bytes: &'a Bytes<'a>,
    file: &'a File,
    salvage: Option<Salvage>,
}

impl Reader<'_> {
    fn chosen(&self, cx: &mut Context<'_>) -> Result<Vec<Profile>> {
        let snapshots = &self.file.snapshots;
        let one = |s: &Snapshot, cx: &mut Context<'_>| Ok(vec![self.live(s, cx)?]);
        match cx.select.clone() {
            None => Ok(vec![self.whole(cx)?]),
            Some(Select::Number(n)) => match snapshots.iter().find(|s| s.number == n) {
                Some(snapshot) => one(snapshot, cx),
                None => Err(Error::usage(format!("no snapshot {n}"))
                    .help(format!("the file holds {}", self.file.range()))),
            },
            Some(Select::Peak) => one(self.file.peak(), cx),
            Some(Select::Last) => one(&snapshots[snapshots.len() - 1], cx),
            Some(Select::Ends) => {
                // A snapshot without a tree names no site; the first one is empty memory.
                let first = self.file.detailed().next().unwrap_or(&snapshots[0]);
                let last = self.file.detailed().last();
                let last = last.unwrap_or(&snapshots[snapshots.len() - 1]);
                let first = if std::ptr::eq(first, last) {
                    &snapshots[0]
                } else {
                    first
                };
                Ok(vec![self.live(first, cx)?, self.live(last, cx)?])
            }
            Some(Select::Time(at)) => {
                self.needs_clock()?;
                let before = |s: &&Snapshot| self.file.seconds(s).is_some_and(|t| t <= at);
                match snapshots.iter().rfind(before) {
                    Some(snapshot) => one(snapshot, cx),
                    None => Err(Error::usage(format!("no snapshot up to {at} s"))
                        .help(format!("the file holds {}", self.file.range()))),
                }
            }
            Some(Select::EverySeconds(step)) => {
                self.needs_clock()?;
                self.series(step, &|s| self.file.seconds(s), cx)
            }
            Some(Select::EveryBytes(step)) => {
                if self.file.time_unit != "B" {
                    return Err(Error::usage(format!(
                        "the file counts time in {:?}, not in bytes",
                        self.file.time_unit
                    ))
                    .help("record with --time-unit=B, or choose #N"));
                }
                self.series(step as f64, &|s| Some(s.time), cx)
            }
        }
    }

    fn needs_clock(&self) -> Result<()> {
        if matches!(self.file.time_unit.as_str(), "ms" | "s") {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the file counts time in {:?}, not in seconds",
            self.file.time_unit
        ))
        .help("record with --time-unit=ms, or choose #N"))
    }

    /// The last snapshot with a tree of every step.
    fn series(
        &self,
        step: f64,
        clock: &dyn Fn(&Snapshot) -> Option<f64>,
        cx: &mut Context<'_>,
    ) -> Result<Vec<Profile>> {
        let mut kept: Vec<(f64, &Snapshot)> = Vec::new();
        for snapshot in self.file.detailed() {
            let Some(time) = clock(snapshot) else {
                continue;
            };
            let slot = (time / step).floor();
            match kept.last_mut() {
                Some(last) if last.0 == slot => last.1 = snapshot,
                _ => kept.push((slot, snapshot)),
            }
        }
        if kept.len() < 2 {
            return Err(
                Error::usage("fewer than two snapshots with a tree are that far apart")
                    .help("choose a shorter step, or record with --detailed-freq=1"),
            );
        }
        kept.into_iter().map(|(_, s)| self.live(s, cx)).collect()
    }

    /// One snapshot as what was live then.
    fn live(&self, snapshot: &Snapshot, cx: &mut Context<'_>) -> Result<Profile> {
        let mut builder = ProfileBuilder::new(vec![Metric::known("live_bytes")]);
        let mut meta = self.meta();
        meta.moment = Some(self.moment(snapshot));
        let cut = self.add(snapshot, &[1], &mut builder, cx, &mut meta)?;
        self.outside(snapshot, &mut meta, cut);
        Ok(builder.finish(meta))
    }

    /// The whole file: the heap at the peak, and at the end if the end has a tree.
    fn whole(&self, cx: &mut Context<'_>) -> Result<Profile> {
        let peak = self.file.peak();
        let last = &self.file.snapshots[self.file.snapshots.len() - 1];
        let mut meta = self.meta();
        meta.peak_moment = Some(self.moment(peak));
        let with_end = last.kind != Kind::Empty || last.heap == 0;
        let mut metrics = vec![Metric::known("peak_bytes")];
        if with_end {
            metrics.insert(0, Metric::known("live_bytes"));
            meta.moment = Some(self.moment(last));
        } else {
            meta.notes.push(format!(
                "the last snapshot, {}, has no tree: the heap at the end is not known by site (record with --detailed-freq=1)",
                last.number
            ));
        }
        let mut builder = ProfileBuilder::new(metrics);
        if with_end && last.heap > 0 {
            self.add(last, &[1, 0], &mut builder, cx, &mut meta)?;
        }
        let row: &[i64] = if with_end { &[0, 1] } else { &[1] };
        let cut = self.add(peak, row, &mut builder, cx, &mut meta)?;
        self.outside(peak, &mut meta, cut);
        let largest = self.file.snapshots.iter().max_by_key(|s| s.all());
        if let Some(larger) = largest.filter(|s| s.all() > peak.all() + peak.all() / 100) {
            meta.notes.push(format!(
                "snapshot {} is larger than the peak taken, and has no tree",
                larger.number
            ));
        }
        Ok(builder.finish(meta))
    }

    /// An xtree file: its snapshots are metrics of one moment.
    fn xtree(&self, cx: &mut Context<'_>) -> Result<Profile> {
        let mut meta = self.meta();
        let mut metrics = Vec::new();
        let mut wanted = Vec::new();
        for snapshot in &self.file.snapshots {
            let name = match snapshot.label(self.bytes) {
                l if l.starts_with(b"curB :") => "live_bytes",
                l if l.starts_with(b"curBk :") => "live_blocks",
                l if l.starts_with(b"totB :") => "total_bytes",
                l if l.starts_with(b"totBk :") => "total_blocks",
                // What was freed is the difference of the others.
                l if l.starts_with(b"totFdB") => continue,
                other => {
                    meta.notes
                        .push(format!("a tree called {:?} is left out", lossy(other)));
                    continue;
                }
            };
            if wanted.iter().all(|&(_, n)| n != name) {
                metrics.push(Metric::known(name));
                wanted.push((snapshot, name));
            }
        }
        if wanted.is_empty() {
            return Err(Error::truncated(
                self.bytes.len() as u64,
                "holds none of the trees of an xtree file",
            ));
        }
        let mut builder = ProfileBuilder::new(metrics);
        let mut row = vec![0; wanted.len()];
        for (i, &(snapshot, _)) in wanted.iter().enumerate() {
            row.fill(0);
            row[i] = 1;
            self.add(snapshot, &row, &mut builder, cx, &mut meta)?;
        }
        Ok(builder.finish(meta))
    }

    /// Adds a snapshot's sites, each value in the columns where `row` is 1. Returns whether
    /// some sites were too small to be listed.
    fn add(
        &self,
        snapshot: &Snapshot,
        row: &[i64],
        builder: &mut ProfileBuilder,
        cx: &mut Context<'_>,
        meta: &mut Meta,
    ) -> Result<bool> {
        let mut values = vec![0; row.len()];
        let mut sum: i128 = 0;
        let mut sink = |stack: StackId, bytes: i64| {
            sum += i128::from(bytes);
            for (value, unit) in values.iter_mut().zip(row) {
                *value = bytes * unit;
            }
            builder.add(stack, &values)
        };
        let Some(range) = &snapshot.tree else {
            if snapshot.heap > 0 {
                meta.notes.push(format!(
                    "snapshot {} has a total only, no tree",
                    snapshot.number
                ));
            }
            sink(StackId::EMPTY, snapshot.heap)?;
            return Ok(false);
        };
        let cut = tree::read(&self.bytes[..range.end], range.start, cx.symbols, &mut sink)?;
        if sum != i128::from(snapshot.heap) {
            meta.notes.push(format!(
                "the tree of snapshot {} adds up to {sum} bytes, its header says {}",
                snapshot.number, snapshot.heap
            ));
        }
        let pages = b"(page allocation syscalls)";
        if snapshot.label(self.bytes).starts_with(pages) {
            meta.notes.push(
                "counts pages (--pages-as-heap=yes): not comparable with blocks of the heap".into(),
            );
        }
        Ok(cut)
    }

    /// What a snapshot counts outside its tree, and what its tree lumps together.
    fn outside(&self, snapshot: &Snapshot, meta: &mut Meta, cut: bool) {
        if snapshot.extra > 0 || snapshot.stacks > 0 {
            meta.notes.push(format!(
                "snapshot {}: {} bytes of rounding and bookkeeping and {} bytes of stacks belong to no site and are left out",
                snapshot.number, snapshot.extra, snapshot.stacks
            ));
        }
        if cut {
            meta.notes.push(
                "sites below massif's threshold are lumped together per caller: a site that is absent may be small, not 0 (record with --threshold=0)".into(),
            );
        }
    }

    fn moment(&self, snapshot: &Snapshot) -> Moment {
        let what = match snapshot.kind {
            Kind::Peak => ", marked as the peak",
            _ => "",
        };
        let unit = match self.file.time_unit.as_str() {
            "i" => " instructions",
            "B" => " bytes allocated and freed",
            "ms" => " ms",
            "s" => " s",
            _ => "",
        };
        Moment {
            label: format!(
                "snapshot {}{what}, at {}{unit}",
                snapshot.number, snapshot.time
            ),
            seconds: self.file.seconds(snapshot),
        }
    }

    fn meta(&self) -> Meta {
        Meta {
            producer: Some(self.file.producer().to_owned()),
            command: self.file.command.clone(),
            exactness: Exactness::Exact,
            depth_limit: self.file.depth_limit,
            salvaged: self.salvage.clone(),
            notes: self.file.notes.clone(),
            ..Meta::default()
        }
    }
}

#[cfg(test)]
mod tests;
