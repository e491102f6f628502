//! Locations to frames: each location of the file becomes a run of interned frames.

use super::prune::{Cut, Prune};
use super::tables::{Ids, Location, Mapping, Tables};
use crate::error::Result;
use crate::format::native;
use crate::model::{CodePlace, Counted, Frame, FrameId, StrId, Symbols};

/// The frames of every location, leaf first.
#[derive(Debug)]
pub(super) struct Places {
    ids: Ids,
    frames: Vec<FrameId>,
    ends: Vec<u32>,
    cuts: Vec<Cut>,
    /// By id: the frame plus one of a location that has exactly one, where ids are dense.
    single: Vec<u32>,
    /// Whether some location is cut, so that samples have to be looked at.
    pub cuts_any: bool,
    /// Locations whose name is one of several, because equal code was folded.
    pub folded: usize,
    /// Locations without a name, shown as module and offset.
    pub unnamed: usize,
}

impl Places {
    /// The row of the location `id`.
    #[inline]
    pub fn row(&self, id: u64) -> Option<usize> {
        self.ids.row(id)
    }

    /// The frames of a location, leaf first; several where functions were inlined.
    #[inline]
    pub fn frames(&self, row: usize) -> &[FrameId] {
        let from = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.frames[from as usize..self.ends[row] as usize]
    }

    /// The frame of a location that has exactly one; none may also mean that it has to be
    /// looked up.
    #[inline(always)]
    pub fn single(&self, id: u64) -> Option<FrameId> {
        match self.single.get(id as usize) {
            Some(&frame) if frame > 0 => Some(FrameId(frame - 1)),
            _ => None,
        }
    }

    /// What is removed at a location.
    pub fn cut(&self, row: usize) -> Cut {
        self.cuts.get(row).copied().unwrap_or(Cut::Nothing)
    }

    /// Interns the frames of all locations.
    ///
    /// Errors: ids that are 0 or given twice, string indices outside of the table.
    pub fn new(tables: &Tables, symbols: &mut Symbols, prune: Option<&mut Prune>) -> Result<Self> {
        let functions = Ids::new("function", tables.functions.iter().map(|f| (f.id, f.at)))?;
        let mappings = Ids::new("mapping", tables.mappings.iter().map(|m| (m.id, m.at)))?;
        let ids = Ids::new("location", tables.locations.iter().map(|l| (l.id, l.at)))?;
        let mut names = Vec::with_capacity(tables.functions.len());
        for f in &tables.functions {
            let (name, system) = (
                tables.text(f.name, f.at)?,
                tables.text(f.system_name, f.at)?,
            );
            let file = symbols.strings.intern_bytes(tables.text(f.file, f.at)?);
            let name = if name.is_empty() { system } else { name };
            names.push((symbols.strings.intern_bytes(name), file));
        }
        let mut modules = Vec::with_capacity(tables.mappings.len());
        for m in &tables.mappings {
            modules.push(symbols.strings.intern_bytes(tables.text(m.file, m.at)?));
        }
        let mut out = Places {
            ids,
            frames: Vec::with_capacity(tables.lines.len()),
            ends: Vec::with_capacity(tables.locations.len()),
            cuts: Vec::new(),
            single: Vec::new(),
            cuts_any: false,
            folded: 0,
            unnamed: 0,
        };
        let mut prune = prune;
        for (i, location) in tables.locations.iter().enumerate() {
            out.folded += location.folded as usize;
            let mapping = mappings.row(location.mapping);
            let module = mapping.map_or(StrId::EMPTY, |m| modules[m]);
            let lines = tables.lines_of(i);
            let mut from = 0;
            if let Some(prune) = prune.as_deref_mut() {
                let dropped = lines.iter().rposition(|l| {
                    functions.row(l.function).is_some_and(|f| {
                        let name = tables.functions[f].name;
                        prune.drops(name, tables.text(name, 0).unwrap_or(&[]))
                    })
                });
                let cut = match dropped {
                    None => Cut::Nothing,
                    Some(at) if at + 1 == lines.len() => Cut::Whole,
                    Some(at) => {
                        from = at + 1;
                        Cut::Beneath
                    }
                };
                out.cuts_any |= cut != Cut::Nothing;
                out.cuts.push(cut);
            }
            let mut named = false;
            for (k, line) in lines.iter().enumerate().skip(from) {
                let Some(f) = functions.row(line.function) else {
                    continue;
                };
                let (function, file) = names[f];
                if function.is_empty() && file.is_empty() {
                    continue;
                }
                named = true;
                out.frames.push(symbols.frames.intern(Frame {
                    function,
                    file,
                    module,
                    line: u32::try_from(line.line).unwrap_or(0),
                    column: u32::try_from(line.column).unwrap_or(0),
                    inlined: k + 1 < lines.len(),
                }));
            }
            if !named {
                out.unnamed += 1;
                let mapping = mapping.map(|m| tables.mappings[m]);
                let build = match mapping {
                    Some(m) => tables.text(m.build_id, m.at)?,
                    None => b"",
                };
                let build = symbols.strings.intern_bytes(build);
                let place = code_place(module, build, mapping, location);
                let frame = if module.is_empty() {
                    native::at_address(symbols, place.offset)
                } else {
                    native::at_offset(symbols, place)
                };
                out.frames.push(symbols.frames.intern(frame));
            }
            out.ends.push(out.frames.len() as u32);
        }
        if let Ids::Dense(by_id) = &out.ids {
            let single = |&row: &u32| match row.checked_sub(1).map(|row| out.frames(row as usize)) {
                Some(&[FrameId(one)]) => one + 1,
                _ => 0,
            };
            out.single = by_id.iter().map(single).collect();
        }
        Ok(out)
    }
}

/// The place in the object file, which is the same in every start of the program. A mapping of
/// all memory marks addresses that are relative to the file already (jemalloc's profiles).
fn code_place(
    module: StrId,
    build: StrId,
    mapping: Option<Mapping>,
    location: &Location,
) -> CodePlace {
    let (counted, offset) = match mapping {
        Some(m) if m.start != 0 || m.limit != u64::MAX => {
            let inside = location.address.wrapping_sub(m.start);
            (Counted::File, inside.wrapping_add(m.file_offset))
        }
        _ => (Counted::Image, location.address),
    };
    CodePlace {
        module,
        build,
        counted,
        offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_to_the_file() {
        let at = |address| Location {
            address,
            ..Location::default()
        };
        let mapped = Mapping {
            start: 0x7f00_0000,
            limit: 0x7f10_0000,
            file_offset: 0x2000,
            ..Mapping::default()
        };
        let all = Mapping {
            limit: u64::MAX,
            file_offset: 0x2000,
            ..Mapping::default()
        };
        let place = |m, a| {
            let place = code_place(StrId::EMPTY, StrId::EMPTY, m, &at(a));
            (place.counted, place.offset)
        };
        assert_eq!(place(Some(mapped), 0x7f00_1000), (Counted::File, 0x3000));
        assert_eq!(place(Some(all), 0x3000), (Counted::Image, 0x3000));
        assert_eq!(place(None, 0x3000), (Counted::Image, 0x3000));
    }
}
