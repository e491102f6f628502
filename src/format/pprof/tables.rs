//! Everything of a profile but its samples, as the file states it: small, and needed before the
//! first sample can be understood, wherever in the file it stands.

use super::wire::{Cursor, Field};
use crate::error::{Code, Error, Place, Result};
use rustc_hash::FxHashMap;

/// What a value of a sample counts: two places in the string table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ValueType {
    pub kind: i64,
    pub unit: i64,
    pub at: u64,
}

/// A stretch of memory that holds one object file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mapping {
    pub id: u64,
    pub start: u64,
    pub limit: u64,
    pub file_offset: u64,
    pub file: i64,
    pub build_id: i64,
    pub at: u64,
}

/// A place in the code: one function, or several that the compiler expanded into it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Location {
    pub id: u64,
    pub mapping: u64,
    pub address: u64,
    /// Its lines are `lines[first_line..]` up to the next location's first.
    pub first_line: usize,
    pub folded: bool,
    pub at: u64,
}

/// One line of a location.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Line {
    pub function: u64,
    pub line: i64,
    pub column: i64,
}

/// A function.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Function {
    pub id: u64,
    pub name: i64,
    pub system_name: i64,
    pub file: i64,
    pub at: u64,
}

/// All tables of a profile.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub types: Vec<ValueType>,
    pub mappings: Vec<Mapping>,
    pub locations: Vec<Location>,
    pub lines: Vec<Line>,
    pub functions: Vec<Function>,
    pub drop_frames: i64,
    pub keep_frames: i64,
    pub period_type: Option<ValueType>,
    pub period: i64,
    pub comments: Vec<i64>,
    pub default_type: i64,
    pub doc_url: i64,
    pub samples: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    times: u32,
    second_empty: bool,
    types_before_text: bool,
    types_resume: bool,
}

impl Tables {
    /// Takes one field of the outermost message; the samples are only counted.
    ///
    /// Errors: a known field of the wrong type, a message that does not decode, the signs of two
    /// profiles in one stream.
    pub fn take(&mut self, field: &Field<'_>) -> Result<()> {
        match field.number {
            1 => {
                self.types_resume |= self.types_before_text && !self.ends.is_empty();
                self.types_before_text |= self.ends.is_empty();
                self.types.push(value_type(field)?);
            }
            2 => {
                field.bytes()?;
                self.samples += 1;
            }
            3 => self.mappings.push(mapping(field)?),
            4 => self.location(field)?,
            5 => self.functions.push(function(field)?),
            6 => {
                let text = field.bytes()?;
                self.second_empty |= !self.ends.is_empty() && text.at_end();
                self.text.extend_from_slice(text.rest());
                self.ends.push(self.text.len());
            }
            7 => self.drop_frames = field.int()?,
            8 => self.keep_frames = field.int()?,
            9 => {
                field.int()?;
                self.times += 1;
            }
            11 => self.period_type = Some(value_type(field)?),
            12 => self.period = field.int()?,
            13 => field.each(|n, _| {
                self.comments.push(n as i64);
                Ok(())
            })?,
            14 => self.default_type = field.int()?,
            15 => self.doc_url = field.int()?,
            _ => {}
        }
        // A stream of two profiles parses as one whose text indices of the second half are wrong.
        if self.times > 1 || (self.second_empty && self.types_resume) {
            return Err(
                Error::damaged(field.at, "a second profile follows the first in one file")
                    .help("split the file: each profile begins with its own sample types"),
            );
        }
        Ok(())
    }

    fn location(&mut self, field: &Field<'_>) -> Result<()> {
        let mut location = Location {
            first_line: self.lines.len(),
            at: field.at,
            ..Location::default()
        };
        let mut message = field.bytes()?;
        while let Some(f) = message.field()? {
            match f.number {
                1 => location.id = f.uint()?,
                2 => location.mapping = f.uint()?,
                3 => location.address = f.uint()?,
                4 => self.lines.push(line(&f)?),
                5 => location.folded = f.uint()? != 0,
                _ => {}
            }
        }
        self.locations.push(location);
        Ok(())
    }

    /// The lines of location `i`, innermost first.
    pub fn lines_of(&self, i: usize) -> &[Line] {
        let from = self.locations.get(i).map_or(0, |l| l.first_line);
        let to = self
            .locations
            .get(i + 1)
            .map_or(self.lines.len(), |l| l.first_line);
        self.lines.get(from..to).unwrap_or(&[])
    }

    /// The text at `index` of the string table; `at` is where the index stands.
    ///
    /// Errors: an index outside of the table.
    pub fn text(&self, index: i64, at: u64) -> Result<&[u8]> {
        let found = usize::try_from(index).ok().and_then(|i| {
            let end = *self.ends.get(i)?;
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            self.text.get(start..end)
        });
        found.ok_or_else(|| {
            Error::damaged(
                at,
                format!(
                    "string {index} is not in the table of {} strings",
                    self.ends.len()
                ),
            )
        })
    }

    /// What must hold of any profile before its samples are looked at.
    ///
    /// Errors: no sample type; a string table that does not begin with the empty string; ids
    /// that are 0 or given twice are found by [`Ids::new`].
    pub fn check(&self) -> Result<()> {
        let wrong = |what: &str| {
            Err(Error::new(Code::Unrecognised, what)
                .at(Place::Byte(0))
                .help("is this a pprof profile? see `heapdiff formats`"))
        };
        if self.types.is_empty() {
            return wrong("no sample types, so this is no pprof profile");
        }
        if self.text(0, 0).is_ok_and(|first| !first.is_empty()) || self.ends.is_empty() {
            return wrong("no string table that begins with the empty string");
        }
        Ok(())
    }
}

fn value_type(field: &Field<'_>) -> Result<ValueType> {
    let mut out = ValueType {
        at: field.at,
        ..ValueType::default()
    };
    let mut message = field.bytes()?;
    while let Some(f) = message.field()? {
        match f.number {
            1 => out.kind = f.int()?,
            2 => out.unit = f.int()?,
            _ => {}
        }
    }
    Ok(out)
}

fn mapping(field: &Field<'_>) -> Result<Mapping> {
    let mut out = Mapping {
        at: field.at,
        ..Mapping::default()
    };
    let mut message = field.bytes()?;
    while let Some(f) = message.field()? {
        match f.number {
            1 => out.id = f.uint()?,
            2 => out.start = f.uint()?,
            3 => out.limit = f.uint()?,
            4 => out.file_offset = f.uint()?,
            5 => out.file = f.int()?,
            6 => out.build_id = f.int()?,
            _ => {}
        }
    }
    Ok(out)
}

fn function(field: &Field<'_>) -> Result<Function> {
    let mut out = Function {
        at: field.at,
        ..Function::default()
    };
    let mut message = field.bytes()?;
    while let Some(f) = message.field()? {
        match f.number {
            1 => out.id = f.uint()?,
            2 => out.name = f.int()?,
            3 => out.system_name = f.int()?,
            4 => out.file = f.int()?,
            _ => {}
        }
    }
    Ok(out)
}

fn line(field: &Field<'_>) -> Result<Line> {
    let mut out = Line::default();
    let mut message: Cursor<'_> = field.bytes()?;
    while let Some(f) = message.field()? {
        match f.number {
            1 => out.function = f.uint()?,
            2 => out.line = f.int()?,
            3 => out.column = f.int()?,
            _ => {}
        }
    }
    Ok(out)
}

/// From the ids of a table to its rows. Ids are 1 to n as a rule, but may be anything.
#[derive(Debug)]
pub(super) enum Ids {
    /// Row plus one by id; 0 is none.
    Dense(Vec<u32>),
    /// Any ids.
    Sparse(FxHashMap<u64, u32>),
}

impl Ids {
    /// The index of a table whose rows have these ids and offsets in the file.
    ///
    /// Errors: an id of 0, an id given twice.
    pub fn new(what: &str, rows: impl Iterator<Item = (u64, u64)> + Clone) -> Result<Ids> {
        let count = rows.clone().count();
        let most = rows.clone().map(|(id, _)| id).max().unwrap_or(0);
        let dense = most <= 2 * count as u64 + 64;
        let mut ids = if dense {
            Ids::Dense(vec![0; most as usize + 1])
        } else {
            Ids::Sparse(FxHashMap::default())
        };
        for (row, (id, at)) in rows.enumerate() {
            if id == 0 {
                return Err(Error::damaged(at, format!("a {what} with the id 0")));
            }
            let row = row as u32 + 1;
            let before = match &mut ids {
                Ids::Dense(by_id) => std::mem::replace(&mut by_id[id as usize], row),
                Ids::Sparse(by_id) => by_id.insert(id, row).unwrap_or(0),
            };
            if before != 0 {
                return Err(Error::damaged(at, format!("two {what}s with the id {id}")));
            }
        }
        Ok(ids)
    }

    /// The row of `id`.
    #[inline]
    pub fn row(&self, id: u64) -> Option<usize> {
        let row = match self {
            Ids::Dense(by_id) => usize::try_from(id)
                .ok()
                .and_then(|i| by_id.get(i).copied())
                .unwrap_or(0),
            Ids::Sparse(by_id) => by_id.get(&id).copied().unwrap_or(0),
        };
        (row as usize).checked_sub(1)
    }
}
