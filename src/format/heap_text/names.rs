//! Addresses to frames: by the symbols in the file, else by module and offset.

use super::super::lines::{Lines, hexadecimal, lossy};
use super::super::native;
use super::mappings::{self, Mappings};
use super::section;
use crate::model::{Frame, FrameId, Symbols};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// What the file says about code addresses.
pub(super) struct Names {
    mappings: Mappings,
    /// By address: the frames, innermost first.
    named: FxHashMap<u64, Range<u32>>,
    known: FxHashMap<u64, Range<u32>>,
    frames: Vec<FrameId>,
    /// The program, where the file names it.
    pub binary: Option<String>,
    /// The bytes that hold samples: between the symbols and the mappings.
    pub samples: Range<usize>,
    /// Whether the file has a list of mappings.
    pub mapped: bool,
    /// Whether the file ends within its last line.
    pub cut: bool,
    pub unresolved: u64,
}

impl Names {
    /// Finds the sections of a file; one pass over symbols and mappings.
    pub fn read(bytes: &[u8], symbols: &mut Symbols) -> Names {
        let from = mappings::begin(bytes);
        let end = from.unwrap_or(bytes.len());
        let mut names = Names {
            mappings: from.map_or_else(Mappings::default, |at| Mappings::read(bytes, at, symbols)),
            named: FxHashMap::default(),
            known: FxHashMap::default(),
            frames: Vec::new(),
            binary: None,
            samples: 0..end,
            mapped: false,
            cut: false,
            unresolved: 0,
        };
        names.mapped = !names.mappings.is_empty();
        names.cut = match from {
            Some(_) => names.mappings.cut,
            None => bytes.last() != Some(&b'\n'),
        };
        names.symbols(&bytes[..end], symbols);
        names
    }

    fn symbols(&mut self, bytes: &[u8], symbols: &mut Symbols) {
        let mut inside = false;
        let mut lines = Lines::new(bytes);
        while let Some(line) = lines.next() {
            let text = line.text.trim_ascii();
            match section(text) {
                Some(b"symbol") => inside = true,
                Some(b"") => inside = false,
                Some(_) => {
                    self.samples.start = lines.offset();
                    break;
                }
                None if inside => self.symbol(text, symbols),
                // A file without symbols begins with its samples.
                None if !text.is_empty() => break,
                None => {}
            }
        }
    }

    /// `0x0000000000401234 outer--inlined`, `binary=/opt/demo`.
    fn symbol(&mut self, text: &[u8], symbols: &mut Symbols) {
        if let Some(binary) = text.strip_prefix(b"binary=") {
            self.binary = Some(lossy(binary));
            return;
        }
        let Some((address, rest)) = hexadecimal(text) else {
            return;
        };
        let names = lossy(rest.trim_ascii());
        if names.is_empty() || names.starts_with("0x") || names == "??" {
            return;
        }
        let start = self.frames.len() as u32;
        // jeprof writes the function that holds the code first, then what is inlined into it.
        let mut chain = names.rsplit("--").filter(|n| !n.is_empty()).peekable();
        while let Some(name) = chain.next() {
            // jeprof appends the address of the function: `main<0000000000001785>`.
            let end = name.strip_suffix('>').and_then(|n| n.rsplit_once('<'));
            let name = match end {
                Some((name, hex))
                    if hex.len() >= 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()) =>
                {
                    name
                }
                _ => name,
            };
            let frame = Frame {
                // The last of a chain is the function that holds the code.
                inlined: chain.peek().is_some(),
                ..Frame::named(symbols.strings.intern(name))
            };
            self.frames.push(symbols.frames.intern(frame));
        }
        self.named.insert(address, start..self.frames.len() as u32);
    }

    /// Adds the frames of a return address to `out`, innermost first.
    pub fn push(&mut self, address: u64, symbols: &mut Symbols, out: &mut Vec<FrameId>) {
        let range = match self.known.get(&address) {
            Some(known) => known.clone(),
            None => {
                let range = self.resolve(address, symbols);
                self.known.insert(address, range.clone());
                range
            }
        };
        out.extend_from_slice(&self.frames[range.start as usize..range.end as usize]);
    }

    fn resolve(&mut self, address: u64, symbols: &mut Symbols) -> Range<u32> {
        // The call lies before the address it returns to.
        let call = address.saturating_sub(1);
        let named = self.named.get(&address).or_else(|| self.named.get(&call));
        if let Some(range) = named {
            return range.clone();
        }
        let frame = match self.mappings.find(call) {
            Some(place) => native::at_offset(symbols, place),
            None => {
                self.unresolved += 1;
                native::at_address(symbols, address)
            }
        };
        let start = self.frames.len() as u32;
        self.frames.push(symbols.frames.intern(frame));
        start..start + 1
    }
}

/// Reads the addresses of a sample to `out`: `0x4011a0 0x401230`. False if something else is
/// among them.
pub(super) fn addresses(mut text: &[u8], out: &mut Vec<u64>) -> bool {
    out.clear();
    loop {
        text = text.trim_ascii_start();
        if text.is_empty() {
            return true;
        }
        match hexadecimal(text) {
            Some((address, rest)) if rest.is_empty() || rest[0].is_ascii_whitespace() => {
                out.push(address);
                text = rest;
            }
            _ => return false,
        }
    }
}
