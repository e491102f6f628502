//! The headers of a massif file, and where its trees lie.

use super::super::lines::{Lines, decimal, lossy};
use crate::error::{Error, Place, Result};
use std::ops::Range;

/// How much a snapshot tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Totals only.
    Empty,
    /// Totals and a tree.
    Detailed,
    /// The tree of the highest memory use seen.
    Peak,
}

/// One snapshot: totals, and the bytes of its tree.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub number: u64,
    pub time: f64,
    pub heap: i64,
    pub extra: i64,
    pub stacks: i64,
    pub kind: Kind,
    pub tree: Option<Range<usize>>,
    /// Offset behind the snapshot.
    end: usize,
}

impl Snapshot {
    /// What massif calls the total: heap, bookkeeping and stacks.
    pub fn all(&self) -> i64 {
        self.heap + self.extra + self.stacks
    }
    /// What the first node of the tree calls the whole.
    pub fn label<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(tree) = &self.tree else {
            return b"";
        };
        let first = Lines::new(&bytes[tree.clone()]).next();
        let text = first.map_or(&b""[..], |l| l.text);
        let rest = memchr::memchr(b':', text).map_or(text, |n| &text[n + 1..]);
        decimal(rest).map_or(&b""[..], |(_, r)| r.trim_ascii_start())
    }
}

/// A massif file without its trees.
#[derive(Debug, Default)]
pub(super) struct File {
    pub command: Option<String>,
    pub time_unit: String,
    pub depth_limit: Option<u32>,
    pub xtree: bool,
    pub snapshots: Vec<Snapshot>,
    pub notes: Vec<String>,
    header: bool,
}

impl File {
    /// The snapshots with a tree.
    pub fn detailed(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().filter(|s| s.tree.is_some())
    }

    /// The snapshot of the peak: the one so marked, else the largest with a tree, else the
    /// largest. The file holds at least one snapshot.
    ///
    /// massif marks a peak when memory is freed after it, and may miss it by one percent. A
    /// program that frees nothing at the end has its peak there: a snapshot with a tree that is
    /// larger by more than that is taken instead of the one marked.
    pub fn peak(&self) -> &Snapshot {
        // Of equal ones the first.
        let largest =
            |a: &&Snapshot, b: &&Snapshot| a.all().cmp(&b.all()).then(b.number.cmp(&a.number));
        let marked = self.snapshots.iter().rfind(|s| s.kind == Kind::Peak);
        let detailed = self.detailed().max_by(largest);
        match (marked, detailed) {
            (Some(marked), Some(large)) if large.all() - marked.all() <= marked.all() / 100 => {
                marked
            }
            (_, Some(large)) => large,
            (Some(marked), None) => marked,
            (None, None) => {
                let any = self.snapshots.iter().max_by(largest);
                any.unwrap_or(&self.snapshots[0])
            }
        }
    }

    /// Seconds since the start, if the file keeps time.
    pub fn seconds(&self, snapshot: &Snapshot) -> Option<f64> {
        match self.time_unit.as_str() {
            "ms" => Some(snapshot.time / 1e3),
            "s" => Some(snapshot.time),
            _ => None,
        }
    }

    /// The numbers of the snapshots, for messages.
    pub fn range(&self) -> String {
        let number = |s: Option<&Snapshot>| s.map_or(0, |s| s.number);
        format!(
            "snapshots {} to {}, {} of them with a tree",
            number(self.snapshots.first()),
            number(self.snapshots.last()),
            self.detailed().count()
        )
    }

    /// Bytes up to the end of the last snapshot.
    pub fn kept_bytes(&self) -> u64 {
        self.snapshots.last().map_or(0, |s| s.end as u64)
    }

    /// Who wrote the file: only heaptrack writes no header.
    pub fn producer(&self) -> &'static str {
        match (self.header, self.xtree) {
            (false, _) => "heaptrack_print",
            (true, false) => "Valgrind massif",
            (true, true) => "Valgrind xtree",
        }
    }
}

/// Finds the snapshots of a file; trees are passed over. The error beside it says that the last
/// snapshot's header is cut short.
///
/// Errors: lines that are none of massif's.
pub(super) fn scan(bytes: &[u8]) -> Result<(File, Option<Error>)> {
    let mut file = File {
        time_unit: "s".to_owned(),
        ..File::default()
    };
    let mut open: Option<Open> = None;
    let mut lines = Lines::new(bytes);
    let mut fields = 0;
    while let Some(line) = lines.next() {
        let text = line.text;
        // Names may hold `#` (closures, lambdas): a comment is one at the start of a line only.
        if text.is_empty() || text[0] == b'#' {
            continue;
        }
        if !line.ended && open.as_ref().is_none_or(|o| !o.heap_tree) {
            break;
        }
        let damaged = |what: &str| {
            Error::damaged(line.start as u64, what.to_owned()).at(Place::Line(line.number))
        };
        if let Some(number) = text.strip_prefix(b"snapshot=") {
            close(&mut file, &mut open, line.start);
            let (number, _) =
                decimal(number).ok_or_else(|| damaged("a snapshot without a number"))?;
            open = Some(Open::new(number));
            continue;
        }
        let Some(snapshot) = &mut open else {
            header(&mut file, text);
            fields += 1;
            if fields > 100_000 {
                return Err(damaged("a header of over 100,000 lines"));
            }
            continue;
        };
        if snapshot.heap_tree {
            if !matches!(text[0], b'n' | b' ') {
                return Err(damaged("a line that is no node of a tree"));
            }
            let from = snapshot
                .snapshot
                .tree
                .as_ref()
                .map_or(line.start, |t| t.start);
            let end = line.start + text.len() + usize::from(line.ended);
            // A carriage return before the line feed belongs to the line.
            snapshot.snapshot.tree = Some(from..end.max(lines.offset()));
            continue;
        }
        snapshot
            .field(text)
            .ok_or_else(|| damaged("a field of a snapshot that cannot be read"))?;
    }
    let complete = open.as_ref().is_none_or(|o| o.heap_tree && !o.lacks_tree());
    if complete {
        close(&mut file, &mut open, bytes.len());
    }
    let cut = (!complete).then(|| {
        Error::truncated(
            bytes.len() as u64,
            "the file ends within a snapshot's header",
        )
    });
    Ok((file, cut))
}

struct Open {
    snapshot: Snapshot,
    heap_tree: bool,
}

impl Open {
    fn new(number: u64) -> Self {
        Open {
            snapshot: Snapshot {
                number,
                time: 0.0,
                heap: 0,
                extra: 0,
                stacks: 0,
                kind: Kind::Empty,
                tree: None,
                end: 0,
            },
            heap_tree: false,
        }
    }

    fn lacks_tree(&self) -> bool {
        self.snapshot.kind != Kind::Empty && self.snapshot.tree.is_none()
    }

    fn field(&mut self, text: &[u8]) -> Option<()> {
        let equals = memchr::memchr(b'=', text)?;
        let (name, value) = (&text[..equals], &text[equals + 1..]);
        let bytes = || {
            decimal(value)
                .filter(|(_, rest)| rest.is_empty())
                .and_then(|(n, _)| i64::try_from(n).ok())
                // Three of these are added up.
                .filter(|&n| n < i64::MAX / 4)
        };
        match name {
            b"time" => {
                let time: f64 = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
                self.snapshot.time = Some(time).filter(|t| t.is_finite())?;
            }
            b"mem_heap_B" => self.snapshot.heap = bytes()?,
            b"mem_heap_extra_B" => self.snapshot.extra = bytes()?,
            b"mem_stacks_B" => self.snapshot.stacks = bytes()?,
            b"heap_tree" => {
                self.heap_tree = true;
                self.snapshot.kind = match value {
                    b"empty" => Kind::Empty,
                    b"detailed" => Kind::Detailed,
                    b"peak" => Kind::Peak,
                    _ => return None,
                };
            }
            // Fields of later versions.
            _ => {}
        }
        Some(())
    }
}

fn close(file: &mut File, open: &mut Option<Open>, end: usize) {
    let Some(mut done) = open.take() else {
        return;
    };
    done.snapshot.end = end;
    if done.lacks_tree() {
        file.notes.push(format!(
            "snapshot {} promises a tree and has none",
            done.snapshot.number
        ));
    }
    if let Some(last) = file.snapshots.last()
        && last.number >= done.snapshot.number
    {
        file.notes.push(format!(
            "snapshot {} comes after {}",
            done.snapshot.number, last.number
        ));
    }
    file.notes.truncate(20);
    file.snapshots.push(done.snapshot);
}

fn header(file: &mut File, text: &[u8]) {
    if let Some(options) = text.strip_prefix(b"desc:") {
        file.header = true;
        let options = lossy(options);
        file.xtree |= options.contains("xtree.produce_report");
        let depth = options
            .split_whitespace()
            .find_map(|o| o.strip_prefix("--depth="));
        // Without the option massif keeps 30 frames.
        let known = depth.and_then(|d| d.parse().ok());
        file.depth_limit = known.or(file.depth_limit).or(Some(30));
    } else if let Some(command) = text.strip_prefix(b"cmd:") {
        file.command = Some(lossy(command.trim_ascii()));
    } else if let Some(unit) = text.strip_prefix(b"time_unit:") {
        file.time_unit = lossy(unit.trim_ascii());
    }
}
