//! V8 heap snapshots (`.heapsnapshot`, `.heaptimeline`), as Node, Chrome, Deno and Electron write
//! them.
//!
//! One JSON object of flat arrays: nodes, then the references of each node in the order of nodes,
//! and the names of both in a table at the end. So the numbers are read straight into the columns
//! of the graph, with names as numbers, and renamed when the table has come. The file is read as a
//! stream; members in another order than V8's cost another pass each.
//!
//! What is no hold is left out, as Chrome DevTools does: weak references, shortcuts other than
//! those of the root, of the two references to a value of a WeakMap the one from the table, and
//! those of the array of an object's elements or properties to what the object itself refers to.
//! The root and `(GC roots)` become roots of the graph, one for each global and category.

mod names;
mod scan;
mod schema;
mod sites;
#[cfg(test)]
mod tests;

use super::feed::Feed;
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{GcMode, GraphBuilder, GraphMeta, IdKind, LabelId, Salvage, TypeId};
use names::Names;
use rustc_hash::FxHashMap;
use scan::Scan;
use schema::{Hold, Schema};
use sites::Traces;

/// The format of heap snapshots.
pub static FORMAT: Format = Format {
    name: "heapsnapshot",
    title: "V8 heap snapshot",
    recipe: "node --heapsnapshot-signal=SIGUSR2 app.js & sleep 5; kill -USR2 $!",
    sniff,
    read,
};

/// Names are numbers of 26 bits: that many fit beside the kind of a node, and which of them are used
/// is noted before the table is seen.
const MOST_NAMES: u64 = 1 << 26;
/// Elements beyond this one have one label.
const NUMBERED: u64 = 64;
/// In a raw type: the object is out of the document.
const DETACHED: u32 = 1 << 31;

fn sniff(head: &[u8]) -> Match {
    let start = head.iter().find(|b| !b.is_ascii_whitespace());
    let has = |key: &[u8]| memchr::memmem::find(head, key).is_some();
    if start == Some(&b'{') && has(b"\"node_fields\"") && has(b"\"edge_fields\"") {
        Match::Yes
    } else if start == Some(&b'{') && has(b"\"nodeClassNames\"") && has(b"\"edgeTypes\"") {
        // The inspector of JavaScriptCore; refused with a reason by `read`.
        Match::Yes
    } else {
        Match::No
    }
}

/// The members that a pass has still to read.
#[derive(Debug, Default)]
struct Done {
    nodes: bool,
    edges: bool,
    functions: bool,
    calls: bool,
    locations: bool,
    strings: bool,
}

struct Reading {
    builder: GraphBuilder,
    schema: Option<Schema>,
    names: Names,
    traces: Traces,
    degrees: Vec<u32>,
    done: Done,
    facts: Option<Vec<u8>>,
    cut: Option<Error>,
    /// Where types alone are wanted: number of nodes and their bytes, by raw type.
    tally: Option<FxHashMap<u32, (u64, u64)>>,
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("V8 heap snapshot")?;
    if memchr::memmem::find(source.head(), b"\"node_fields\"").is_none()
        && memchr::memmem::find(source.head(), b"\"nodeClassNames\"").is_some()
    {
        return Err(Error::new(
            Code::Unsupported,
            "is a heap snapshot of JavaScriptCore's inspector",
        )
        .help(
            "in Bun: import { generateHeapSnapshot } from \"bun\"; generateHeapSnapshot(\"v8\")",
        ));
    }
    let mut reading = Reading {
        builder: GraphBuilder::by_ordinal(),
        schema: None,
        names: Names::default(),
        traces: Traces::default(),
        degrees: Vec::new(),
        done: Done::default(),
        facts: None,
        cut: None,
        tally: cx.types_only.then(FxHashMap::default),
    };
    let mut read_bytes;
    loop {
        let before = (reading.schema.is_some(), reading.done.count());
        let mut scan = Scan::new(Feed::new(source), cx.limits.nesting);
        let result = reading.pass(&mut scan, source, cx);
        read_bytes = scan.offset();
        match result {
            Ok(()) => {}
            Err(e) if reading.salvages(&e, cx.strict) => {
                reading.cut = Some(e);
                break;
            }
            Err(e) => return Err(e),
        }
        if reading.done.whole() || (reading.schema.is_some(), reading.done.count()) == before {
            break;
        }
    }
    reading.finish(read_bytes, source, cx)
}

impl Done {
    fn count(&self) -> usize {
        let all = [
            self.nodes,
            self.edges,
            self.functions,
            self.calls,
            self.locations,
            self.strings,
        ];
        all.iter().filter(|d| **d).count()
    }

    fn whole(&self) -> bool {
        self.nodes && self.edges && self.strings && self.functions && self.calls && self.locations
    }
}

impl Reading {
    /// A file that ends within the names still has every object and reference.
    fn salvages(&self, e: &Error, strict: bool) -> bool {
        e.code() == Code::Truncated && !strict && self.done.edges && self.names.some_read()
    }

    /// One pass over the members; what cannot be read yet is passed over.
    fn pass(&mut self, scan: &mut Scan<'_>, source: &Source, cx: &mut Context<'_>) -> Result<()> {
        scan.expect(b'{')?;
        if scan.accept(b'}')? {
            return Ok(());
        }
        loop {
            let key = scan.string(|k, _| k.to_vec())?;
            scan.expect(b':')?;
            self.member(&key, scan, source, cx)?;
            if !scan.another(b'}')? {
                break;
            }
        }
        match scan.peek()? {
            None => Ok(()),
            Some(_) => Err(scan.error("the end of the file is expected")),
        }
    }

    fn member(
        &mut self,
        key: &[u8],
        scan: &mut Scan<'_>,
        source: &Source,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        let at = scan.offset();
        match (key, &self.schema) {
            (b"snapshot", None) => {
                let text = scan.raw_value()?;
                self.schema = Some(Schema::parse(&text).map_err(|e| moved(e, at))?);
                Ok(())
            }
            (b"nodes", Some(_)) if !self.done.nodes => self.nodes(scan, source, cx),
            (b"edges", Some(_)) if self.done.nodes && !self.done.edges => self.edges(scan),
            (b"trace_function_infos", Some(schema)) if !self.done.functions => {
                self.done.functions = true;
                match schema.functions {
                    Some(layout) if schema.traced => {
                        self.traces.functions(scan, layout, &mut self.names)
                    }
                    _ => scan.skip_value(),
                }
            }
            (b"trace_tree", Some(schema)) if !self.done.calls => {
                self.done.calls = true;
                match schema.calls {
                    Some(layout) if schema.traced => self.traces.calls(scan, layout),
                    _ => scan.skip_value(),
                }
            }
            (b"locations", Some(schema)) if self.done.nodes && !self.done.locations => {
                self.done.locations = true;
                match schema.locations {
                    Some(layout) => self.names.locations(scan, layout, schema, &self.builder),
                    None => scan.skip_value(),
                }
            }
            // Names are kept for what uses them, so all that does must have been read.
            (b"strings", Some(schema))
                if self.done.edges
                    && !self.done.strings
                    && (!schema.traced || self.done.functions) =>
            {
                self.names.read(scan, cx.symbols)?;
                self.done.strings = true;
                Ok(())
            }
            (b"heapdiff", _) => {
                self.facts = Some(scan.raw_value()?);
                Ok(())
            }
            _ => scan.skip_value(),
        }
    }

    fn nodes(&mut self, scan: &mut Scan<'_>, source: &Source, cx: &Context<'_>) -> Result<()> {
        let Some(schema) = &self.schema else {
            return Ok(());
        };
        // A node takes two bytes a field at the least: a length that the file cannot hold is none.
        let unpacked = match source.packing() {
            crate::input::Packing::Plain => source.stored_bytes(),
            _ => {
                source
                    .stored_bytes()
                    .saturating_mul(cx.limits.inflation_ratio)
                    / 8
            }
        };
        let room = |claimed: u64, width: usize| claimed.min(unpacked / (2 * width as u64)) as usize;
        let (nodes, edges) = (
            room(schema.nodes, schema.node_width),
            room(schema.edges, schema.edge_width),
        );
        if self.tally.is_none() {
            self.builder.reserve(nodes, edges);
            self.degrees.reserve_exact(nodes);
        }
        let mut tally = self.tally.as_mut().map(Counting::new);
        let traced = schema.node_trace.filter(|_| schema.traced);
        let (builder, names, degrees) = (&mut self.builder, &mut self.names, &mut self.degrees);
        let count = scan.records(schema.node_width, |n| {
            let raw = n[schema.node_type];
            let kind = schema.node_kinds.get(raw as usize).map(|k| k.0);
            let kind = kind.ok_or_else(|| damaged("a node is of a kind that meta lacks"))?;
            let mut type_of = (raw as u32) << 26;
            if kind.is_named() {
                let name = n[schema.node_name];
                if name >= MOST_NAMES {
                    return Err(damaged("a node's name lies beyond any table"));
                }
                names.use_name(name as u32);
                type_of |= name as u32;
            }
            if schema.node_detached.is_some_and(|f| n[f] == 2) {
                type_of |= DETACHED;
            }
            if let Some(tally) = &mut tally {
                tally.add(type_of, n[schema.node_size]);
                return Ok(());
            }
            let degree = u32::try_from(n[schema.node_edges])
                .map_err(|_| damaged("a node has more than 2^32 references"))?;
            degrees.push(degree);
            builder.node(
                TypeId(type_of),
                n[schema.node_size],
                Some(n[schema.node_id]),
            )?;
            if let Some(trace) = traced.map(|f| n[f]).filter(|&t| t > 0)
                && let Ok(trace) = u32::try_from(trace)
            {
                builder.site(trace);
            }
            Ok(())
        })?;
        if count != schema.nodes {
            let what = format!("{} nodes are announced and there are {count}", schema.nodes);
            return Err(Error::damaged(scan.offset(), what));
        }
        drop(tally);
        self.done.nodes = true;
        if self.tally.is_some() {
            // All that only references tell is passed over.
            self.done.edges = true;
            self.done.functions = true;
            self.done.calls = true;
            self.done.locations = true;
        }
        Ok(())
    }

    fn edges(&mut self, scan: &mut Scan<'_>) -> Result<()> {
        let Some(schema) = &self.schema else {
            return Ok(());
        };
        let width = schema.node_width as u64;
        let root = (schema.root / width) as usize;
        let (builder, names, degrees) = (&mut self.builder, &mut self.names, &self.degrees);
        let mut source = 0;
        let mut left = degrees.first().copied().unwrap_or(0);
        let mut weak = 0;
        let count = scan.records(schema.edge_width, |e| {
            while left == 0 {
                builder.end_row();
                source += 1;
                let Some(&degree) = degrees.get(source) else {
                    return Err(damaged("more references than the nodes announce"));
                };
                left = degree;
            }
            left -= 1;
            let kind = schema.edge_kinds.get(e[schema.edge_type] as usize);
            let kind = *kind.ok_or_else(|| damaged("a reference is of a kind that meta lacks"))?;
            let to = e[schema.edge_to];
            if to % width != 0 {
                return Err(damaged("a reference points between two nodes"));
            }
            let to = u32::try_from(to / width).unwrap_or(u32::MAX);
            let name = e[schema.edge_name];
            if kind.is_named() && name >= MOST_NAMES {
                return Err(damaged("a reference's name lies beyond any table"));
            }
            if source == root {
                if kind != Hold::Weak {
                    names.root(kind, to);
                }
                return Ok(());
            }
            let name = match kind {
                Hold::Weak => {
                    weak += 1;
                    return Ok(());
                }
                // Outside of the root they repeat what other references hold.
                Hold::Shortcut => return Ok(()),
                Hold::Element => name.min(NUMBERED) as u32,
                Hold::Hidden => 0,
                Hold::Internal => {
                    names.use_slot(name as u32);
                    name as u32
                }
                Hold::Context | Hold::Property => {
                    names.use_name(name as u32);
                    name as u32
                }
            };
            builder.edge(to, LabelId(kind.raw() | name))
        })?;
        builder.meta().counts.weak += weak;
        let announced: u64 = self.degrees.iter().map(|&d| u64::from(d)).sum();
        if count != schema.edges || count != announced {
            let what = format!(
                "{} references are announced, {announced} by the nodes, and there are {count}",
                schema.edges
            );
            return Err(Error::damaged(scan.offset(), what));
        }
        for _ in source..self.degrees.len() {
            self.builder.end_row();
        }
        self.degrees = Vec::new();
        self.done.edges = true;
        Ok(())
    }

    fn finish(
        mut self,
        read_bytes: u64,
        source: &Source,
        cx: &mut Context<'_>,
    ) -> Result<Vec<Capture>> {
        let Some(schema) = self.schema.take() else {
            return Err(Error::new(
                Code::Unrecognised,
                "is no heap snapshot: it has no member \"snapshot\"",
            ));
        };
        let missing = [
            (self.done.nodes, "nodes"),
            (self.done.edges, "edges"),
            (self.done.strings || self.cut.is_some(), "strings"),
        ];
        if let Some((_, name)) = missing.iter().find(|m| !m.0) {
            return Err(Error::truncated(
                read_bytes,
                format!("the snapshot has no {name}"),
            ));
        }
        if let Some(counts) = self.tally.take() {
            let rows = self.names.tally(counts, &schema, cx.symbols);
            let mut graph = std::mem::take(&mut self.builder).finish();
            graph.set_tally(rows);
            self.describe(&mut graph.meta, &schema);
            let lost = self.names.lost();
            self.tell_losses(&mut graph.meta, lost, read_bytes, source)?;
            return Ok(vec![Capture::Graph(graph)]);
        }
        std::mem::take(&mut self.traces).stacks(&mut self.builder, &self.names, cx.symbols);
        let lost = self.names.rename(&mut self.builder, &schema, cx.symbols);
        names::drop_stores(&mut self.builder, cx.symbols);
        let mut graph = std::mem::take(&mut self.builder).finish();
        self.describe(&mut graph.meta, &schema);
        self.tell_losses(&mut graph.meta, lost, read_bytes, source)?;
        Ok(vec![Capture::Graph(graph)])
    }

    /// What is known of every snapshot, and what the one who made this one says.
    fn describe(&self, meta: &mut GraphMeta, schema: &Schema) {
        meta.runtime = "v8".into();
        meta.producer = Some("V8".into());
        meta.id_kind = IdKind::Stable;
        meta.gc = GcMode::Full;
        if schema.native_bytes > 0 {
            meta.notes.push(format!(
                "{} bytes of native memory beside the heap belong to no object",
                schema.native_bytes
            ));
        }
        if let Some(facts) = &self.facts {
            names::facts(meta, facts);
        }
    }

    /// Says which names are lost where the file is cut short.
    ///
    /// Errors: some are lost and it is not.
    fn tell_losses(
        &self,
        meta: &mut GraphMeta,
        lost: u64,
        read_bytes: u64,
        source: &Source,
    ) -> Result<()> {
        if let Some(e) = &self.cut {
            meta.notes
                .push(format!("{lost} names are lost: the file ends within them"));
            meta.salvaged = Some(Salvage {
                read_bytes,
                of_bytes: source.stored_bytes().max(read_bytes),
                reason: match e.place() {
                    Some(Place::Byte(n)) => format!("the file ends at byte {n} within the names"),
                    _ => "the file ends within the names".into(),
                },
            });
        } else if lost > 0 {
            return Err(damaged("names lie beyond the table of strings"));
        }
        Ok(())
    }
}

/// Counts nodes by raw type; the present one stays at hand, since equals come in a row.
struct Counting<'a> {
    counts: &'a mut FxHashMap<u32, (u64, u64)>,
    raw: u32,
    now: (u64, u64),
}

impl<'a> Counting<'a> {
    fn new(counts: &'a mut FxHashMap<u32, (u64, u64)>) -> Self {
        Counting {
            counts,
            raw: 0,
            now: (0, 0),
        }
    }

    #[inline]
    fn add(&mut self, raw: u32, bytes: u64) {
        if raw != self.raw {
            self.store();
            self.raw = raw;
        }
        self.now.0 += 1;
        self.now.1 = self.now.1.saturating_add(bytes);
    }

    fn store(&mut self) {
        let (objects, bytes) = std::mem::take(&mut self.now);
        if objects > 0 {
            let entry = self.counts.entry(self.raw).or_default();
            entry.0 += objects;
            entry.1 = entry.1.saturating_add(bytes);
        }
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.store();
    }
}

fn damaged(what: &str) -> Error {
    Error::new(Code::Damaged, what).help("the file is damaged: capture it again")
}

/// An error of a member that was read apart, at the member's place.
fn moved(e: Error, at: u64) -> Error {
    match e.place() {
        Some(_) => Error::damaged(at, "the member \"snapshot\" cannot be used").help(e.to_string()),
        None => e.at(Place::Byte(at)),
    }
}
