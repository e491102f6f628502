//! memcheck's text log: lines of several processes may be mixed.

use super::super::lines::{Lines, decimal, find, lossy};
use super::super::{Context, leaks, native};
use super::Capture;
use super::loss::{self, Loss, Series};
use crate::error::{Code, Error, Result};
use crate::input::Source;
use crate::model::{Frame, FrameId, Meta, Salvage, Symbols};
use indexmap::IndexMap;

/// The process and the text of a line `==PID== text`. Time stamps (`==00:00:01.2 PID==`) and
/// anything that a runner put before it are passed over.
pub(super) fn prefix(line: &[u8]) -> Option<(u64, &[u8])> {
    let mut from = 0;
    // A few tries: the line of a program may be full of equals signs.
    for _ in 0..4 {
        let open = from + find(&line[from..], b"==")? + 2;
        let close = open + find(&line[open..], b"==")?;
        let inner = &line[open..close];
        let digits = inner.rsplit(|&b| b == b' ').next().unwrap_or_default();
        if let Some((pid, b"")) = decimal(digits)
            && inner.len() < 64
        {
            let rest = &line[close + 2..];
            return Some((pid, rest.strip_prefix(b" ").unwrap_or(rest)));
        }
        from = open;
    }
    None
}

/// One process of the log.
#[derive(Default)]
struct Process {
    series: Series,
    command: Option<String>,
    loss: Option<Loss>,
    frames: Vec<(u64, Frame)>,
    scratch: Vec<FrameId>,
    in_use: Option<(u64, u64)>,
    summary: bool,
}

pub(super) fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let mut processes: IndexMap<u64, Process> = IndexMap::new();
    let mut meta = Meta::default();
    let mut released = 0;
    for line in Lines::new(&bytes) {
        bytes.release(&mut released, line.start);
        let Some((pid, rest)) = prefix(line.text) else {
            continue;
        };
        if !line.ended && rest.starts_with(b"  ") {
            // The frame may lack its end; its record is not complete either.
            continue;
        }
        if let Some(version) = rest.strip_prefix(b"Using Valgrind-") {
            let version = version.split(|&b| b == b' ').next().unwrap_or_default();
            meta.producer = Some(format!("Valgrind {} memcheck", lossy(version)));
            continue;
        }
        processes
            .entry(pid)
            .or_default()
            .line(pid, rest, cx.symbols);
    }
    if processes.is_empty() {
        return Err(Error::new(Code::Unrecognised, "no line of a Valgrind log"));
    }
    let cut: Vec<String> = processes
        .iter()
        .filter(|(_, p)| !p.summary)
        .map(|(pid, _)| pid.to_string())
        .collect();
    if !cut.is_empty() {
        let reason = format!("the log of process {} has no summary", cut.join(", "));
        if cx.strict {
            return Err(Error::truncated(bytes.len() as u64, reason));
        }
        meta.salvaged = Some(Salvage {
            read_bytes: bytes.len() as u64,
            of_bytes: bytes.len() as u64,
            reason,
        });
    }
    let mut checks = Vec::new();
    for (pid, mut process) in processes {
        process.finish(pid, cx.symbols);
        meta.command = meta.command.or(process.command);
        checks.append(&mut process.series.checks);
    }
    if checks.iter().all(|c| c.records.is_empty()) {
        meta.notes.push(
            "holds no leaks: none were found, or memcheck ran without --leak-check=full".into(),
        );
    }
    let profiles = leaks::choose(&checks, &meta, cx)?;
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

impl Process {
    fn line(&mut self, pid: u64, rest: &[u8], symbols: &mut Symbols) {
        let trimmed = rest.trim_ascii_start();
        if self.loss.is_some()
            && let Some(frame) = trimmed
                .strip_prefix(b"at ")
                .or_else(|| trimmed.strip_prefix(b"by "))
        {
            let (address, text) = native::address_and_rest(frame).unwrap_or((0, frame));
            let frame = native::valgrind(symbols, address, text);
            self.frames.push((address, frame));
            return;
        }
        self.record(pid, symbols);
        if let Some(loss) = loss::parse(trimmed) {
            self.loss = Some(loss);
        } else if let Some(command) = trimmed.strip_prefix(b"Command: ") {
            self.command = Some(lossy(command));
        } else if let Some(sum) = trimmed.strip_prefix(b"in use at exit: ") {
            let blocks = find(sum, b" in ").and_then(|n| decimal(&sum[n + 4..]));
            self.in_use = decimal(sum).zip(blocks).map(|(b, n)| (b.0, n.0));
        } else if trimmed.starts_with(b"LEAK SUMMARY")
            || trimmed.starts_with(b"All heap blocks were freed")
        {
            self.summary = true;
            self.end(pid);
        }
    }

    /// The leak that was being read is complete.
    fn record(&mut self, pid: u64, symbols: &mut Symbols) {
        if let Some(loss) = self.loss.take() {
            let stack = native::stack(symbols, &mut self.frames, &mut self.scratch);
            let kind = leaks::kind(symbols, loss.kind);
            self.series.add(Some(pid), loss, kind, stack);
        }
        self.frames.clear();
    }

    fn end(&mut self, pid: u64) {
        self.series.end(Some(pid));
        let Some((bytes, blocks)) = self.in_use.take() else {
            return;
        };
        let Some(check) = self.series.checks.last_mut() else {
            return;
        };
        let sum = |f: fn(&leaks::Record) -> u64| -> u128 {
            check.records.iter().map(|r| u128::from(f(r))).sum()
        };
        let (listed, listed_blocks) = (sum(|r| r.bytes), sum(|r| r.blocks));
        if listed != u128::from(bytes) || listed_blocks != u128::from(blocks) {
            check.notes.push(format!(
                "process {pid} lists {listed} of {bytes} bytes in use at exit: suppressed leaks are left out, and other kinds unless it ran with --show-leak-kinds=all"
            ));
        }
    }

    fn finish(&mut self, pid: u64, symbols: &mut Symbols) {
        // Without the line after it nobody knows whether the last record has all its frames.
        if self.summary {
            self.record(pid, symbols);
        }
    }
}
