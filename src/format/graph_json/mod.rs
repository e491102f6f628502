//! heapdiff-graph, version 1: object graphs as JSON lines, from any language.
//!
//! One JSON object a line; its first key says what the line is: a header (`format`), a type (`t`),
//! a label of references (`k`), an allocation site (`a`), an object (`n`), a root (`r`), the end
//! (`end`). Definitions precede use; objects come in any order and may refer forward. Unknown keys
//! are passed over, unknown lines counted. A file without its last line was cut short.
//!
//! Read in one pass, unpacked by a second thread: the memory is that of [`GraphBuilder`].

mod header;
mod roles;
#[cfg(test)]
mod tests;

use super::json::Scanner;
use super::lines::{Ahead, Block, NextBlock};
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{
    Defined, EdgeKind, Frame, GraphBuilder, LabelId, Role, RootKind, Salvage, StrId, Symbols,
    TypeId,
};
use rustc_hash::FxHashMap;

/// The registry's entry.
pub static FORMAT: Format = Format {
    name: "heapdiff-graph",
    title: "heapdiff-graph: object graph of any language",
    recipe: "heapdiff capture python > heapdiff_capture.py; python -c 'import heapdiff_capture; heapdiff_capture.dump(\"run-03.hdg.gz\", run=3)'",
    sniff,
    read,
};

/// The version that is read.
const VERSION: u64 = 1;

fn sniff(head: &[u8]) -> Match {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = head.trim_ascii_start();
    let end = memchr::memchr(b'\n', head).unwrap_or(head.len());
    let first: Vec<u8> = head[..end.min(256)]
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    if first.starts_with(b"{\"format\":\"heapdiff-graph\"") {
        Match::Yes
    } else {
        Match::No
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("heapdiff-graph")?;
    let strict = cx.strict;
    let mut reader = Reader::new(cx.values);
    let cut = std::thread::scope(|scope| {
        let mut blocks = Ahead::spawn(scope, source);
        reader.read_all(&mut blocks, cx.symbols)
    })?;
    let graph = reader.finish(cut, strict, source.stored_bytes())?;
    Ok(vec![Capture::Graph(graph)])
}

/// Where a file broke off: unpacked bytes read until then, and why.
struct Cut {
    at: u64,
    error: Error,
}

/// The state between lines.
struct Reader {
    builder: GraphBuilder,
    values: bool,
    line: u64,
    has_header: bool,
    /// What the last line claims: objects, references, roots.
    end: Option<[Option<u64>; 3]>,
    types: FxHashMap<u64, TypeId>,
    labels: FxHashMap<u64, Label>,
    sites: FxHashMap<u64, u32>,
    /// References of an object whose id was seen before.
    again: Vec<(u32, LabelId)>,
    edges: u64,
}

#[derive(Clone, Copy)]
enum Label {
    Holds(LabelId),
    Weak,
}

impl Reader {
    fn new(values: bool) -> Self {
        Reader {
            builder: GraphBuilder::by_id(),
            values,
            line: 0,
            has_header: false,
            end: None,
            types: FxHashMap::default(),
            labels: FxHashMap::default(),
            sites: FxHashMap::default(),
            again: Vec::new(),
            edges: 0,
        }
    }

    /// Reads until the end, or until the file breaks off.
    fn read_all(
        &mut self,
        blocks: &mut dyn NextBlock,
        symbols: &mut Symbols,
    ) -> Result<Option<Cut>> {
        loop {
            match blocks.next()? {
                Block::Lines(lines, at) => self.block(lines, at, symbols)?,
                Block::Broken(error, at) => return Ok(Some(Cut { at, error })),
                Block::End(rest, at) => {
                    let done = at + rest.len() as u64;
                    if rest.trim_ascii().is_empty() {
                        return Ok(None);
                    }
                    // A last line without its line feed is whole or cut short.
                    return match self.block(rest, at, symbols) {
                        Ok(()) => Ok(None),
                        Err(error) if self.has_header && self.end.is_none() => {
                            Ok(Some(Cut { at: done, error }))
                        }
                        Err(error) => Err(error),
                    };
                }
            }
        }
    }

    fn block(&mut self, bytes: &[u8], at: u64, symbols: &mut Symbols) -> Result<()> {
        let mut start = if at == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        while start < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |n| start + n);
            self.line += 1;
            let text = &bytes[start..end];
            if !text.trim_ascii().is_empty() {
                self.line_of(text, symbols).map_err(|e| self.placed(e))?;
            }
            start = end + 1;
        }
        Ok(())
    }

    /// The error of a line, with the line's number.
    fn placed(&self, error: Error) -> Error {
        let error = match error.code() {
            Code::Truncated => Error::damaged(0, "the line ends too early"),
            _ => error,
        };
        error.placed(Place::Line(self.line))
    }

    fn line_of(&mut self, text: &[u8], symbols: &mut Symbols) -> Result<()> {
        let mut s = Scanner::new(text, 64);
        if !s.begin_object()? {
            return Err(s.error("an empty line record"));
        }
        let key = s.key()?;
        if !self.has_header && key != b"format" {
            return Err(s.error("the header is missing"));
        }
        match key {
            b"n" => self.object(&mut s, symbols)?,
            b"t" => self.type_record(&mut s, symbols)?,
            b"k" => self.label_record(&mut s, symbols)?,
            b"a" => self.site_record(&mut s, symbols)?,
            b"r" => self.root(&mut s, symbols)?,
            b"end" => self.end_record(&mut s)?,
            b"format" => {
                let name = s.string()?;
                if name != "heapdiff-graph" {
                    return Err(Error::new(
                        Code::Unrecognised,
                        "the header names another format",
                    ));
                }
                self.has_header = true;
                header::read(&mut s, self.builder.meta(), VERSION)?;
            }
            _ => {
                s.skip_value()?;
                while s.next_member()? {
                    s.key()?;
                    s.skip_value()?;
                }
                self.builder.meta().counts.unknown += 1;
            }
        }
        match s.peek() {
            None => Ok(()),
            Some(_) => Err(s.error("the line goes on after its object")),
        }
    }

    /// `{"n":id,"t":type,"s":size,"e":[label,target,...]}`.
    fn object(&mut self, s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<()> {
        let id = id(s)?;
        let defined = self.builder.define(id)?;
        let mut type_of = None;
        let (mut size, mut site, mut value, mut label) = (0, None, None, None);
        self.again.clear();
        while s.next_member()? {
            match s.key()? {
                b"t" => type_of = Some(self.type_of(s)?),
                b"s" => size = s.unsigned()?,
                b"e" => self.references(s, matches!(defined, Defined::Again(_)))?,
                b"a" => {
                    let at = s.unsigned()?;
                    site = Some(*self.sites.get(&at).ok_or_else(|| {
                        wrong(format!(
                            "allocation site {at} is not defined before its use"
                        ))
                    })?);
                }
                b"l" if s.peek() == Some(b'"') => label = Some(s.string()?),
                b"v" if self.values => match s.peek() {
                    Some(b'"') => value = Some(symbols.strings.intern(&s.string()?)),
                    _ => s.skip_value()?,
                },
                _ => s.skip_value()?,
            }
        }
        let mut type_of = type_of.ok_or_else(|| wrong("the object has no type"))?;
        if let Some(label) = label {
            type_of = roles::named(symbols, type_of, &label);
        }
        match defined {
            Defined::New(_) => {
                self.builder.node(type_of, size, None)?;
                self.builder.end_row();
                if let Some(site) = site {
                    self.builder.site(site);
                }
                if let Some(value) = value {
                    self.builder.value(value);
                }
            }
            Defined::Again(before) => {
                let (t, bytes, targets, labels) = self.builder.row(before);
                let row = targets.iter().zip(labels);
                let same = (t, bytes) == (type_of, size)
                    && row.eq(self.again.iter().map(|(t, l)| (t, &l.0)));
                if !same {
                    return Err(wrong(format!("object {id} was written before, otherwise")));
                }
                self.builder.meta().counts.duplicates += 1;
            }
        }
        Ok(())
    }

    fn type_of(&self, s: &mut Scanner<'_>) -> Result<TypeId> {
        let t = s.unsigned()?;
        self.types
            .get(&t)
            .copied()
            .ok_or_else(|| wrong(format!("type {t} is not defined before its use")))
    }

    fn references(&mut self, s: &mut Scanner<'_>, again: bool) -> Result<()> {
        let mut more = s.begin_array()?;
        while more {
            let k = s.unsigned()?;
            let Some(&label) = self.labels.get(&k) else {
                return Err(wrong(format!("label {k} is not defined before its use")));
            };
            if !s.next_element()? {
                return Err(wrong("a label without its target"));
            }
            let target = id(s)?;
            self.edges += 1;
            match label {
                Label::Weak => self.builder.meta().counts.weak += 1,
                Label::Holds(label) => {
                    let target = self.builder.target(target)?;
                    if again {
                        self.again.push((target, label));
                    } else {
                        self.builder.edge(target, label)?;
                    }
                }
            }
            more = s.next_element()?;
        }
        Ok(())
    }

    /// `{"t":5,"name":"app.Broker","role":"instance"}`.
    fn type_record(&mut self, s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<()> {
        let t = s.unsigned()?;
        let (mut name, mut role) = (None, None);
        while s.next_member()? {
            match s.key()? {
                b"name" => name = Some(s.string()?),
                b"role" => role = Role::of(s.raw_string()?.bytes),
                _ => s.skip_value()?,
            }
        }
        let name = name.ok_or_else(|| wrong("the type has no name"))?;
        let runtime = self.builder.meta().runtime.as_str();
        let role = role.unwrap_or_else(|| roles::guess(runtime, &name));
        let type_id = symbols.graph.type_id(&mut symbols.strings, &name, role);
        match self.types.insert(t, type_id) {
            Some(before) if before != type_id => Err(wrong(format!("type {t} is defined twice"))),
            _ => Ok(()),
        }
    }

    /// `{"k":12,"name":".last","kind":"attr"}`.
    fn label_record(&mut self, s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<()> {
        let k = s.unsigned()?;
        let (mut name, mut kind) = (StrId::EMPTY, EdgeKind::Other);
        while s.next_member()? {
            match s.key()? {
                b"name" => name = symbols.strings.intern(&s.string()?),
                b"kind" => kind = EdgeKind::of(s.raw_string()?.bytes).unwrap_or_default(),
                _ => s.skip_value()?,
            }
        }
        let label = match kind {
            EdgeKind::Weak => Label::Weak,
            _ => Label::Holds(symbols.graph.label(name, kind)),
        };
        self.labels.insert(k, label);
        Ok(())
    }

    /// `{"a":3,"frames":[["ingest.py",41,"load"],...]}`, innermost first.
    fn site_record(&mut self, s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<()> {
        let a = s.unsigned()?;
        let mut frames = Vec::new();
        while s.next_member()? {
            if s.key()? != b"frames" {
                s.skip_value()?;
                continue;
            }
            let mut more = s.begin_array()?;
            while more {
                s.expect(b'[')?;
                let file = symbols.strings.intern(&s.string()?);
                s.expect(b',')?;
                let line = u32::try_from(s.unsigned()?).unwrap_or(0);
                s.expect(b',')?;
                let function = symbols.strings.intern(&s.string()?);
                s.expect(b']')?;
                let frame = Frame {
                    file,
                    line,
                    ..Frame::named(function)
                };
                frames.push(symbols.frames.intern(frame));
                more = s.next_element()?;
            }
        }
        let stack = symbols.stacks.intern_leaf_first(&frames);
        self.sites.insert(a, stack.index() as u32);
        Ok(())
    }

    /// `{"r":id,"kind":"module","name":"__main__"}`.
    fn root(&mut self, s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<()> {
        let target = id(s)?;
        let (mut kind, mut name, mut weak) = (RootKind::Other, StrId::EMPTY, false);
        while s.next_member()? {
            match s.key()? {
                b"kind" => kind = RootKind::of(s.raw_string()?.bytes).unwrap_or_default(),
                b"name" => name = symbols.strings.intern(&s.string()?),
                b"weak_root" => weak = s.boolean()?,
                _ => s.skip_value()?,
            }
        }
        let target = self.builder.target(target)?;
        let weak = weak || kind == RootKind::Uncollected;
        self.builder.root(target, kind, name, weak);
        Ok(())
    }

    /// `{"end":true,"nodes":27127,"edges":69469,"roots":112}`.
    fn end_record(&mut self, s: &mut Scanner<'_>) -> Result<()> {
        s.skip_value()?;
        let mut claims = [None; 3];
        while s.next_member()? {
            match s.key()? {
                b"nodes" => claims[0] = Some(s.unsigned()?),
                b"edges" => claims[1] = Some(s.unsigned()?),
                b"roots" => claims[2] = Some(s.unsigned()?),
                _ => s.skip_value()?,
            }
        }
        self.end = Some(claims);
        Ok(())
    }

    fn finish(
        mut self,
        cut: Option<Cut>,
        strict: bool,
        stored: u64,
    ) -> Result<crate::model::HeapGraph> {
        if !self.has_header {
            return Err(
                cut.map_or_else(|| Error::new(Code::Unrecognised, "no header"), |c| c.error)
            );
        }
        let nodes = self.builder.nodes() as u64;
        let cut = cut.or_else(|| {
            let error =
                Error::truncated(0, "the last line is missing").placed(Place::Line(self.line + 1));
            self.end.is_none().then_some(Cut { at: stored, error })
        });
        if let Some(Cut { at, error }) = cut {
            if strict || nodes == 0 {
                return Err(error);
            }
            let reason = "cut short: holders and roots may be missing".to_owned();
            let meta = self.builder.meta();
            meta.salvaged = Some(Salvage {
                read_bytes: at,
                of_bytes: at.max(stored),
                reason,
            });
        }
        if let Some([claimed, edges, _]) = self.end {
            let written = nodes + self.builder.meta().counts.duplicates;
            for (what, claim, found) in [
                ("objects", claimed, written),
                ("references", edges, self.edges),
            ] {
                if let Some(claim) = claim
                    && claim != found
                {
                    let note = format!("the last line speaks of {claim} {what}, {found} were read");
                    self.builder.meta().notes.push(note);
                }
            }
        }
        Ok(self.builder.finish())
    }
}

/// An id: a number, or text that holds one in decimal or as `0x...`.
fn id(s: &mut Scanner<'_>) -> Result<u64> {
    if s.peek() != Some(b'"') {
        return s.unsigned();
    }
    let text = s.string()?;
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number.ok_or_else(|| wrong(format!("{text:?} is no id")))
}

/// A line that is JSON and breaks the rules; [`Reader::placed`] adds the line.
fn wrong(what: impl Into<String>) -> Error {
    Error::damaged(0, what)
}
