//! One ELF file: its build id, its addresses, its functions and lines.

use super::calls;
use crate::input::ProgramFile;
use crate::model::Counted;
use crate::normalize::demangle;
use addr2line::gimli;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};
use std::borrow::Cow;
use std::io::Read;

/// The most bytes that one packed section may unpack to.
const LARGEST_SECTION: u64 = 4 << 30;
/// Inlined calls of one address beyond this many are left out.
const MOST_INLINED: usize = 256;

/// A frame as a program file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub function: String,
    pub file: String,
    pub line: u32,
    pub inlined: bool,
}

/// A parsed file.
pub(super) struct Elf<'d> {
    object: object::File<'d>,
}

/// A link from a program to its debug information.
pub(super) struct DebugLink {
    pub name: String,
    pub sum: u32,
}

impl<'d> Elf<'d> {
    /// Takes the file apart; none if it is damaged.
    pub fn parse(file: &'d ProgramFile) -> Option<Elf<'d>> {
        let object = object::File::parse(&file[..]).ok()?;
        Some(Elf { object })
    }

    /// The build id in lower-case hexadecimal; empty if there is none.
    pub fn build(&self) -> String {
        let id = self.object.build_id().ok().flatten().unwrap_or(&[]);
        id.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Whether the file says which line an instruction is of.
    pub fn has_lines(&self) -> bool {
        let section = self.object.section_by_name(".debug_info");
        section.is_some_and(|s| {
            s.compressed_file_range()
                .is_ok_and(|r| r.compressed_size > 0)
        })
    }

    /// The file that `.gnu_debuglink` names.
    pub fn debug_link(&self) -> Option<DebugLink> {
        let (name, sum) = self.object.gnu_debuglink().ok().flatten()?;
        let name = String::from_utf8_lossy(name).into_owned();
        Some(DebugLink { name, sum })
    }

    /// The path and build id that `.gnu_debugaltlink` names.
    pub fn alternative_link(&self) -> Option<(String, String)> {
        let (name, id) = self.object.gnu_debugaltlink().ok().flatten()?;
        let id = id.iter().map(|b| format!("{b:02x}")).collect();
        Some((String::from_utf8_lossy(name).into_owned(), id))
    }

    /// The address, as the file was linked, of an offset. Offsets in the file need the file
    /// itself: a separate debug file lies differently.
    pub fn address(&self, counted: Counted, offset: u64) -> Option<u64> {
        if counted == Counted::Image {
            return Some(offset);
        }
        self.object.segments().find_map(|segment| {
            let (start, size) = segment.file_range();
            let inside = offset.checked_sub(start).filter(|n| *n < size)?;
            segment.address().checked_add(inside)
        })
    }

    /// In which ways an address lies in a call, as [`calls::calls`] has it; none if the code is
    /// not in the file.
    pub fn calls(&self, address: u64) -> Option<u8> {
        let segment = self.object.segments().find(|s| {
            let inside = address.checked_sub(s.address());
            inside.is_some_and(|n| n < s.file_range().1)
        });
        let segment = segment?;
        let data = segment.data().ok()?;
        let at = usize::try_from(address - segment.address()).ok()?;
        // Of machines whose instructions are words, the slice begins with a whole one.
        let start = at.saturating_sub(calls::REACH);
        let odd = (segment.address().wrapping_add(start as u64) % 4) as usize;
        let start = (start + (4 - odd) % 4).min(at);
        let end = (at + calls::REACH).min(data.len());
        let code = data.get(start..end)?;
        calls::calls(self.object.architecture(), code, at - start)
    }
}

/// Function symbols by address.
#[derive(Default)]
struct Table<'d> {
    sorted: Vec<(u64, u64, &'d [u8])>,
}

impl<'d> Table<'d> {
    fn add(&mut self, elf: &Elf<'d>) {
        let object = &elf.object;
        for symbol in object.symbols().chain(object.dynamic_symbols()) {
            if symbol.is_undefined() || symbol.kind() != object::SymbolKind::Text {
                continue;
            }
            if let Ok(name) = symbol.name_bytes()
                && !name.is_empty()
            {
                self.sorted.push((symbol.address(), symbol.size(), name));
            }
        }
    }

    /// Of several names for one address the first in order is taken.
    fn sort(&mut self) {
        self.sorted.sort_unstable_by_key(|&(address, size, name)| {
            (address, std::cmp::Reverse(size), name)
        });
        self.sorted.dedup_by_key(|s| s.0);
    }

    /// The function that an address lies in. One without a size ends where the next begins.
    fn find(&self, address: u64) -> Option<&'d [u8]> {
        let after = self.sorted.partition_point(|s| s.0 <= address);
        let &(start, size, name) = self.sorted.get(after.checked_sub(1)?)?;
        (size == 0 || address - start < size).then_some(name)
    }
}

/// The files that names come from: the program, its debug file, what several debug files share.
pub(super) struct Sources<'d> {
    pub program: Elf<'d>,
    pub debug: Option<Elf<'d>>,
    pub shared: Option<Elf<'d>>,
}

impl Sources<'_> {
    /// The frames of each address, innermost first; none where nothing is known. Cost: the
    /// debug information of the units that are asked for.
    pub fn names(&self, addresses: &[u64]) -> Vec<Vec<Named>> {
        let mut table = Table::default();
        table.add(&self.program);
        if let Some(debug) = &self.debug {
            table.add(debug);
        }
        table.sort();
        let lines = self.debug.as_ref().unwrap_or(&self.program);
        let unpacked = lines.has_lines().then(|| sections(lines)).flatten();
        let shared = self.shared.as_ref().and_then(sections);
        let context = unpacked.as_ref().and_then(|own| {
            let endian = match lines.object.is_little_endian() {
                true => gimli::RunTimeEndian::Little,
                false => gimli::RunTimeEndian::Big,
            };
            let dwarf =
                own.borrow_with_sup(shared.as_ref(), |s| gimli::EndianSlice::new(s, endian));
            addr2line::Context::from_dwarf(dwarf).ok()
        });
        addresses
            .iter()
            .map(|&address| {
                let mut frames = Vec::new();
                if let Some(context) = &context {
                    in_lines(context, address, &mut frames);
                }
                in_symbols(&table, address, &mut frames);
                frames
            })
            .collect()
    }
}

type Sections<'d> = gimli::DwarfSections<Cow<'d, [u8]>>;

/// The sections that functions and lines need, unpacked.
fn sections<'d>(elf: &Elf<'d>) -> Option<Sections<'d>> {
    let load = |id: gimli::SectionId| -> Result<Cow<'d, [u8]>, object::Error> {
        use gimli::SectionId as S;
        let unused = matches!(
            id,
            S::DebugMacinfo | S::DebugMacro | S::DebugLoc | S::DebugLocLists | S::DebugNames
        );
        let section = elf.object.section_by_name(id.name()).filter(|_| !unused);
        let Some(section) = section else {
            return Ok(Cow::Borrowed(&[]));
        };
        let packed = section.compressed_data()?;
        Ok(unpack(packed).unwrap_or(Cow::Borrowed(&[])))
    };
    Sections::load(load).ok()
}

/// The content of a section. What it claims to unpack to is a bound, never room that is made.
fn unpack(packed: object::CompressedData<'_>) -> Option<Cow<'_, [u8]>> {
    use object::CompressionFormat as F;
    let most = packed.uncompressed_size.min(LARGEST_SECTION);
    let mut out = Vec::new();
    let read = match packed.format {
        F::None => return Some(Cow::Borrowed(packed.data)),
        F::Zlib => flate2::bufread::ZlibDecoder::new(packed.data)
            .take(most)
            .read_to_end(&mut out),
        F::Zstandard => zstd::stream::read::Decoder::with_buffer(packed.data)
            .ok()?
            .take(most)
            .read_to_end(&mut out),
        _ => return None,
    };
    read.ok().map(|_| Cow::Owned(out))
}

type Reader<'s> = gimli::EndianSlice<'s, gimli::RunTimeEndian>;

/// The frames that the lines of the program know for an address.
fn in_lines(context: &addr2line::Context<Reader<'_>>, address: u64, out: &mut Vec<Named>) {
    let Ok(mut frames) = context.find_frames(address).skip_all_loads() else {
        return;
    };
    while let Ok(Some(frame)) = frames.next() {
        if out.len() == MOST_INLINED {
            break;
        }
        let raw = frame.function.as_ref().and_then(|f| f.raw_name().ok());
        let place = frame.location.as_ref();
        out.push(Named {
            function: raw.map_or_else(String::new, |name| readable(&name)),
            file: place.and_then(|l| l.file).unwrap_or("").to_owned(),
            line: place.and_then(|l| l.line).unwrap_or(0),
            inlined: true,
        });
    }
    if let Some(last) = out.last_mut() {
        last.inlined = false;
    }
}

/// The function that holds the address, where the lines do not name it.
fn in_symbols(table: &Table<'_>, address: u64, out: &mut Vec<Named>) {
    if out.last().is_some_and(|last| !last.function.is_empty()) {
        return;
    }
    match (table.find(address), out.last_mut()) {
        (Some(name), Some(last)) => last.function = readable(&String::from_utf8_lossy(name)),
        (Some(name), None) => out.push(Named {
            function: readable(&String::from_utf8_lossy(name)),
            file: String::new(),
            line: 0,
            inlined: false,
        }),
        // Without a function a line alone is no frame that could be compared.
        (None, _) => out.clear(),
    }
}

fn readable(name: &str) -> String {
    // A version stays outside of the name: `memcpy@@GLIBC_2.14`.
    let plain = match name.find('@') {
        Some(n) if n > 0 && !name.contains(' ') => &name[..n],
        _ => name,
    };
    demangle(plain).unwrap_or_else(|| plain.to_owned())
}
