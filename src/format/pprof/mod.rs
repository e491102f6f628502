//! pprof profiles: the protocol buffer of `profile.proto`, as Go, jemalloc's converters,
//! Perfetto, Node and many others write it.
//!
//! Source of the format: `proto/profile.proto` and `profile/` of github.com/google/pprof.
//!
//! The tables that give samples their meaning may stand behind the samples, so a file is walked
//! twice: first for the tables, then for the samples. Addresses are not kept.

mod columns;
mod frames;
mod prune;
mod samples;
mod tables;
#[cfg(test)]
mod tests;
mod wire;

use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Result};
use crate::input::{Select, Source};
use crate::model::{Meta, Profile};
use tables::Tables;
use wire::{Cursor, Value};

/// The format.
pub static FORMAT: Format = Format {
    name: "pprof",
    title: "pprof profile",
    recipe: "curl -o heap.pb.gz 'http://localhost:6060/debug/pprof/heap?gc=1'",
    sniff,
    read,
};

/// Fields of the outermost message that are numbers; the others up to 15 are messages or text.
fn is_number(field: u32) -> bool {
    matches!(field, 7..=10 | 12 | 14 | 15)
}

/// A profile has no magic. A sample type is nearly one: a message of two small numbers.
fn sniff(head: &[u8]) -> Match {
    let mut cursor = Cursor::file(head);
    let (mut fields, mut types) = (0, 0);
    loop {
        match cursor.field() {
            Ok(Some(field)) => {
                let fits = match &field.value {
                    Value::Int(_) => is_number(field.number) || field.number == 13,
                    Value::Bytes(_) => !is_number(field.number),
                    Value::Fixed => field.number > 15,
                };
                if !fits && types > 0 {
                    break;
                }
                if !fits {
                    return Match::No;
                }
                if field.number == 1 {
                    match field.bytes() {
                        Ok(inner) if is_value_type(inner.clone()) => types += 1,
                        _ => return Match::No,
                    }
                }
                fields += 1;
            }
            Ok(None) => break,
            // The head ends inside a field, or the file does.
            Err(e) if e.code() == Code::Truncated => break,
            Err(_) if types > 0 => break,
            Err(_) => return Match::No,
        }
    }
    if types > 0 {
        Match::Yes
    } else if fields > 0 {
        Match::Maybe
    } else {
        Match::No
    }
}

fn is_value_type(mut message: Cursor<'_>) -> bool {
    let mut seen = 0;
    loop {
        match message.field() {
            Ok(Some(f)) => {
                if !matches!(f.number, 1 | 2) || f.uint().is_err() {
                    return false;
                }
                seen += 1;
            }
            Ok(None) => return seen > 0,
            Err(_) => return false,
        }
    }
}

/// Reads a profile: every sample type is a metric, every label is kept.
///
/// Errors: [`Code::Unrecognised`] for bytes that are no profile; otherwise damaged or truncated
/// with the offset. Cost: two passes over the unpacked bytes; memory for the tables, for what is
/// distinct, and, of packed files, for the unpacked bytes.
fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    // A saved difference holds two sides; see below.
    let wants_two = cx.select == Some(Select::Ends);
    if !wants_two {
        cx.single_moment("pprof")?;
    }
    let sure = sniff(source.head()) == Match::Yes;
    let doubtful = |e: Error| match e.place() {
        Some(place) if !sure => Error::new(Code::Unrecognised, "is no pprof profile").at(place),
        _ => e,
    };
    let bytes = source.bytes()?;
    let mut tables = Tables::default();
    let mut cursor = Cursor::file(&bytes);
    let mut released = 0;
    while let Some(field) = cursor.field().map_err(doubtful)? {
        tables.take(&field).map_err(doubtful)?;
        bytes.release(&mut released, cursor.offset() as usize);
    }
    tables.check()?;

    let mut meta = Meta::default();
    let columns = columns::columns(&tables)?;
    (meta.exactness, meta.sampling) = columns::sampling(&tables)?;
    meta.default_metric = columns.metrics.get(columns.default).map(|m| m.name.clone());
    let mut prune = prune::Prune::new(&tables, &mut meta.notes)?;
    let places = frames::Places::new(&tables, cx.symbols, prune.as_mut())?;
    notes(&tables, &places, &mut meta)?;

    let mut samples = samples::Samples::new(&tables, &columns, &places, cx.symbols);
    let mut cursor = Cursor::file(&bytes);
    let mut released = 0;
    while let Some(field) = cursor.field()? {
        if field.number == 2 {
            samples.take(&field, cx.symbols)?;
        }
        bytes.release(&mut released, cursor.offset() as usize);
    }
    if wants_two && samples.base == 0 {
        return Err(super::alone());
    }
    if samples.base > 0 {
        meta.notes.push(format!(
            "a saved difference: {} samples with the label pprof::base are its base side, negated",
            samples.base
        ));
    }
    let profile: Profile = samples.finish().finish(meta);
    Ok(vec![Capture::Profile(profile)])
}

/// Comments beyond this many are not repeated.
const MOST_COMMENTS: usize = 5;

fn notes(tables: &Tables, places: &frames::Places, meta: &mut Meta) -> Result<()> {
    for &comment in tables.comments.iter().take(MOST_COMMENTS) {
        let comment = columns::text(tables, comment, 0)?;
        meta.notes
            .push(format!("comment of the profile: {comment}"));
    }
    let doc = columns::text(tables, tables.doc_url, 0)?;
    if !doc.is_empty() {
        meta.notes
            .push(format!("documentation of the profile: {doc}"));
    }
    if places.folded > 0 {
        meta.notes.push(format!(
            "{} locations lie in code that several functions share: their names are one of several",
            places.folded
        ));
    }
    if places.unnamed > 0 {
        meta.notes.push(format!(
            "{} locations have no name and stand as module and offset",
            places.unnamed
        ));
    }
    Ok(())
}
