//! The first line: what was captured, when, and in which state.

use crate::error::{Code, Error, Result};
use crate::format::json::Scanner;
use crate::model::{GcMode, GraphMeta, IdKind};

/// Reads the members after `format`.
///
/// Errors: another version, values of another kind than the key promises.
pub fn read(s: &mut Scanner<'_>, meta: &mut GraphMeta, known: u64) -> Result<()> {
    let mut version = None;
    while s.next_member()? {
        match s.key()? {
            b"version" => version = Some(s.unsigned()?),
            b"runtime" => meta.runtime = s.string()?.into_owned(),
            b"runtime_version" => meta.runtime_version = s.string()?.into_owned(),
            b"producer" => meta.producer = optional_text(s)?,
            b"command" => meta.command = optional_text(s)?,
            b"id_kind" => meta.id_kind = IdKind::of(s.raw_string()?.bytes).unwrap_or_default(),
            b"time" => meta.time = optional_text(s)?,
            b"pid" => meta.pid = optional_number(s)?.map(|n| n as u64),
            b"capture" => capture(s, meta)?,
            _ => s.skip_value()?,
        }
    }
    match version {
        Some(v) if v == known => Ok(()),
        Some(v) => Err(Error::new(
            Code::Unsupported,
            format!("version {v} of heapdiff-graph is not supported"),
        )
        .help("this program reads version 1")),
        None => Err(s.error("the header names no version")),
    }
}

fn capture(s: &mut Scanner<'_>, meta: &mut GraphMeta) -> Result<()> {
    let mut more = s.begin_object()?;
    let (mut run, mut items) = (None, None);
    while more {
        match s.key()? {
            b"run" | b"runs" => run = optional_number(s)?,
            b"items" => items = optional_number(s)?,
            b"label" => meta.label = optional_text(s)?,
            b"gc" => {
                meta.gc = match optional_text(s)? {
                    Some(word) => GcMode::of(word.as_bytes()).unwrap_or_default(),
                    None => GcMode::Unknown,
                }
            }
            b"gc_enabled" => meta.gc_enabled = optional_flag(s)?,
            b"settled" => meta.settled = optional_flag(s)?,
            b"gc_collected" => meta.gc_collected = optional_number(s)?.map(|n| n as u64),
            b"frozen" => meta.frozen = optional_number(s)?.map(|n| n as u64),
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    for (name, value) in [("runs", run), ("items", items)] {
        if let Some(value) = value.filter(|v| *v >= 0.0) {
            meta.drivers.push((name.to_owned(), value));
        }
    }
    Ok(())
}

/// Text, or nothing: other kinds of values are passed over.
fn optional_text(s: &mut Scanner<'_>) -> Result<Option<String>> {
    if s.peek() == Some(b'"') {
        return Ok(Some(s.string()?.into_owned()));
    }
    s.skip_value().map(|()| None)
}

fn optional_number(s: &mut Scanner<'_>) -> Result<Option<f64>> {
    match s.peek() {
        Some(b'-' | b'0'..=b'9') => s.float().map(Some),
        _ => s.skip_value().map(|()| None),
    }
}

fn optional_flag(s: &mut Scanner<'_>) -> Result<Option<bool>> {
    match s.peek() {
        Some(b't' | b'f') => s.boolean().map(Some),
        _ => s.skip_value().map(|()| None),
    }
}
