//! Heap dumps of Java virtual machines (HPROF 1.0.1, 1.0.2) and of Android (1.0.3).
//!
//! Read twice, as a stream: first names, classes, roots and the addresses of all objects; then,
//! with every class known, sizes and references, object after object in the order of the file.
//! Sizes are not in the file: the layout of objects is inferred from the distances between them.
//!
//! References of `java.lang.ref` hold what they hold in Java: weak and phantom referents are
//! counted and left out, soft and final ones are labelled. A thread holds the local variables of
//! its stack.

mod classes;
mod index;
mod loaders;
mod roots;
mod sizes;
mod tally;
#[cfg(test)]
mod tests;
mod walk;

use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::{Packing, Source};
use crate::model::{EdgeKind, GraphBuilder, GraphMeta, HeapGraph, IdKind, LabelId, Salvage};
use classes::{Classes, Texts, java_name};
use index::Index;
use roots::Roots;
use rustc_hash::FxHashMap;
use sizes::{Layout, SAMPLES, Samples};
use walk::{ClassDump, Head, Pass, PlaceRecord, RootRecord, Walked, number, width_of};

/// The format of `jcmd PID GC.heap_dump`.
pub static FORMAT: Format = Format {
    name: "hprof",
    title: "Java heap dump (HPROF)",
    recipe: "jcmd PID GC.heap_dump /tmp/run-050.hprof",
    sniff,
    read,
};

fn sniff(head: &[u8]) -> Match {
    if head.starts_with(b"JAVA PROFILE 1.0") {
        Match::Yes
    } else {
        Match::No
    }
}

/// The first pass: what must be known before an object can be read.
#[derive(Debug, Default)]
struct Survey {
    id_size: usize,
    texts: Texts,
    names: FxHashMap<u64, u64>,
    classes: Classes,
    roots: Roots,
    /// Addresses in the order of the file.
    ids: Vec<u64>,
    samples: Samples,
    /// Instances whose class has to be known for their sample: address, class.
    unsized_: Vec<(u64, u32)>,
    pending: u64,
}

impl Survey {
    fn object(&mut self, id: u64) -> Result<()> {
        // An object counts when it is complete.
        self.pending = id;
        if self.ids.len() >= u32::MAX as usize - 1 {
            return Err(Error::new(Code::LimitExceeded, "more than 2^32 objects")
                .help("capture a smaller process"));
        }
        Ok(())
    }
}

impl Pass for Survey {
    fn text(&mut self, id: u64, text: &[u8]) {
        self.texts.add(id, text);
    }

    fn load_class(&mut self, serial: u32, class: u64, name: u64) {
        self.names.insert(class, name);
        self.roots.class_of_serial(serial, class);
    }

    fn frame(&mut self, id: u64, place: PlaceRecord) {
        self.roots.frame(id, place);
    }

    fn trace(&mut self, serial: u32, frames: &[u64]) {
        self.roots.trace(serial, frames);
    }

    fn root(&mut self, root: RootRecord) {
        self.roots.add(root);
    }

    fn class(&mut self, class: ClassDump) -> Result<()> {
        let at = self.classes.at(class.id) as usize;
        self.object(class.id)?;
        self.ids.push(class.id);
        let row = &mut self.classes.rows[at];
        if row.dump.is_none() {
            row.dump = Some(class);
        }
        Ok(())
    }

    fn instance(&mut self, object: u64, class: u64, _bytes: u32) -> Result<usize> {
        let at = self.classes.at(class);
        if self.unsized_.len() < SAMPLES {
            self.unsized_.push((object, at));
        }
        self.object(object)?;
        Ok(0)
    }

    fn array(&mut self, object: u64, class: u64, length: u32) -> Result<bool> {
        self.classes.at(class);
        if self.samples.arrays.len() < SAMPLES {
            self.samples.arrays.push((object, u64::from(length)));
        }
        self.object(object)?;
        Ok(false)
    }

    fn numbers(&mut self, object: u64, length: u32, of: u8) -> Result<()> {
        if self.samples.numbers.len() < SAMPLES {
            let width = width_of(of, self.id_size).unwrap_or(1) as u64;
            self.samples
                .numbers
                .push((object, u64::from(length) * width));
        }
        self.object(object)
    }

    fn complete(&mut self) {
        self.ids.push(self.pending);
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("Java heap dump")?;
    let (head, start) = walk::head(source)?;
    if cx.types_only {
        let (mut graph, layout, walked) = tally::read(source, &head, start, cx.symbols)?;
        if let Some(e) = walked.cut.as_ref().filter(|_| cx.strict) {
            return Err(e.clone());
        }
        describe(&mut graph.meta, &head, &layout);
        tell_losses(&mut graph.meta, walked, source, cx.strict)?;
        return Ok(vec![Capture::Graph(graph)]);
    }
    let mut survey = Survey {
        id_size: head.id_size,
        ..Survey::default()
    };
    let walked = walk::walk(source, &head, start, &mut survey)?;
    if let Some(e) = &walked.cut
        && (cx.strict || survey.ids.is_empty())
    {
        return Err(e.clone());
    }
    if survey.ids.is_empty() {
        return Err(no_object(walked));
    }
    let graph = fill(source, &head, start, survey, walked, cx)?;
    Ok(vec![Capture::Graph(graph)])
}

fn no_object(walked: Walked) -> Error {
    walked.cut.unwrap_or_else(|| {
        Error::new(Code::Damaged, "the dump holds no object")
            .at(Place::Byte(walked.read))
            .help("was it made with heap=sites or cpu=samples? make it with heap=dump")
    })
}

/// What the head says of the dump, and how sizes were computed.
fn describe(meta: &mut GraphMeta, head: &Head, layout: &Layout) {
    meta.id_kind = IdKind::Moving;
    meta.runtime = if head.version == "1.0.3" {
        "art"
    } else {
        "jvm"
    }
    .into();
    meta.producer = Some(format!("HPROF {}", head.version));
    meta.time = i64::try_from(head.millis)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map(|t| t.to_string());
    meta.notes.push(format!(
        "sizes are computed: references of {} bytes, objects begin with {}, arrays with {}",
        layout.reference, layout.header, layout.array
    ));
}

/// What of the file could not be read.
///
/// Errors: something, where nothing may be lost.
fn tell_losses(meta: &mut GraphMeta, walked: Walked, source: &Source, strict: bool) -> Result<()> {
    for (at, tag) in walked.given_up.iter().take(3) {
        meta.notes.push(format!(
            "an unknown record 0x{tag:02x} at byte {at}: the rest of its segment is lost"
        ));
    }
    if walked.more_dumps > 0 {
        meta.notes.push(format!(
            "the first of {} dumps in the file",
            walked.more_dumps + 1
        ));
    }
    meta.counts.unknown = walked.given_up.len() as u64;
    let given_up = walked
        .given_up
        .first()
        .map(|(at, tag)| Error::damaged(*at, format!("an unknown record 0x{tag:02x}")));
    if let Some(e) = walked.cut.or(given_up) {
        if strict {
            return Err(e);
        }
        meta.salvaged = Some(Salvage {
            read_bytes: walked.read,
            of_bytes: match source.packing() {
                Packing::Plain => source.stored_bytes(),
                _ => walked.read,
            },
            reason: "cut short: holders and roots may be missing".into(),
        });
    }
    Ok(())
}

/// The second pass.
fn fill(
    source: &Source,
    head: &Head,
    start: u64,
    mut survey: Survey,
    walked: Walked,
    cx: &mut Context<'_>,
) -> Result<HeapGraph> {
    survey.classes.name_all(|id| {
        let name = survey.names.get(&id)?;
        Some(java_name(&survey.texts.get(*name)))
    });
    survey
        .classes
        .resolve(&survey.texts, head.id_size, cx.symbols)?;
    survey.roots.mark_classes(&mut survey.classes);
    let objects = survey.ids.len();
    let index = Index::new(std::mem::take(&mut survey.ids));
    for &(object, class) in &survey.unsized_ {
        let class = &survey.classes.rows[class as usize];
        if class.dump.is_some() {
            let references = class.references.len() as u64;
            let sample = (object, references, u64::from(class.plain_bytes));
            survey.samples.instances.push(sample);
        }
    }
    let layout = Layout::infer(head.id_size, &survey.samples, &index);
    let hidden = hidden_bytes(&survey, &layout, &index);
    survey.classes.hide(&hidden);
    let threads = survey
        .roots
        .resolve(&survey.texts, &survey.classes, &index, cx.symbols);
    let fixed = Fixed::new(&survey, cx);
    let stacks = survey
        .roots
        .stacks(&survey.texts, &survey.classes, cx.symbols);
    let mut filling = Filling {
        id_size: head.id_size,
        objects,
        classes: &survey.classes,
        statics: &fixed.statics,
        fixed: &fixed,
        locals: &threads.locals,
        stacks: &stacks,
        trace: (0, None),
        of_class: vec![(0, 0); survey.classes.rows.len()],
        of_numbers: (0, 0),
        of_unknown: (0, 0),
        index: &index,
        layout,
        builder: GraphBuilder::by_ordinal(),
        class: None,
        element: 0,
        open: false,
        counted: true,
        uncounted_bytes: 0,
        unknown_class: 0,
        short: 0,
    };
    filling.builder.reserve(objects, objects);
    let second = walk::walk(source, head, start, &mut filling)?;
    if filling.builder.nodes() != objects {
        return Err(Error::damaged(
            second.read,
            "the file changed while it was read",
        ));
    }
    let Filling {
        mut builder,
        unknown_class,
        short,
        uncounted_bytes,
        of_class,
        of_numbers,
        of_unknown,
        ..
    } = filling;
    let loaders = loaders::tally(
        &survey.classes,
        &of_class,
        of_numbers,
        of_unknown,
        cx.symbols,
        |id| index.find(id).map(|at| builder.row(at).0),
    );
    for root in &threads.roots {
        builder.root(root.node, root.kind, root.name, root.weak);
    }
    let meta = builder.meta();
    meta.counts.duplicates = index.duplicates;
    meta.counts.dangling_roots = threads.dangling;
    describe(meta, head, &layout);
    let mut note = |text: String| meta.notes.push(text);
    if unknown_class > 0 {
        note(format!(
            "{unknown_class} objects are of classes that the dump lacks: their references are unknown"
        ));
    }
    if short > 0 {
        note(format!("{short} objects are shorter than their class says"));
    }
    if uncounted_bytes > 0 {
        note(format!(
            "{uncounted_bytes} bytes of the zygote's and the image's heap are counted as 0"
        ));
    }
    tell_losses(meta, walked, source, cx.strict)?;
    let mut graph = builder.finish();
    graph.set_loaders(loaders);
    Ok(graph)
}

/// Bytes by which the instances of each class are larger than their fields: the virtual machine
/// adds fields of its own to some classes, which no dump mentions. Told by the least distance to a
/// neighbour, where there are enough objects for one of them to be a true neighbour.
fn hidden_bytes(survey: &Survey, layout: &Layout, index: &Index) -> Vec<u64> {
    let rows = &survey.classes.rows;
    let mut least = vec![(0u32, u64::MAX); rows.len()];
    for &(object, class) in &survey.unsized_ {
        if let Some(gap) = index.gap(object) {
            let row = &mut least[class as usize];
            *row = (row.0 + 1, row.1.min(gap));
        }
    }
    let more = rows.iter().zip(least);
    more.map(|(class, least)| hidden(class, layout, least))
        .collect()
}

/// The same for a class, by the number of its instances that were looked at and the least distance.
fn hidden(class: &classes::Class, layout: &Layout, (count, gap): (u32, u64)) -> u64 {
    const ENOUGH: u32 = 4;
    const MOST: u64 = 512;
    let more = gap.saturating_sub(class.size(layout));
    let told = count >= ENOUGH && more <= MOST && class.dump.is_some();
    if told { more } else { 0 }
}

/// Labels that every dump uses, and those of static fields.
#[derive(Debug)]
struct Fixed {
    class: LabelId,
    parent: LabelId,
    loader: LabelId,
    signers: LabelId,
    domain: LabelId,
    /// `[0]` to `[63]`, then `[]`.
    elements: Vec<LabelId>,
    statics: FxHashMap<u64, LabelId>,
    numbers: Vec<crate::model::TypeId>,
    unknown: crate::model::TypeId,
}

/// Arrays of numbers, by type from 4 on.
const NUMBERS: [&str; 8] = [
    "boolean[]",
    "char[]",
    "float[]",
    "double[]",
    "byte[]",
    "short[]",
    "int[]",
    "long[]",
];

/// Elements from this one on have one label.
const NUMBERED: usize = 64;

impl Fixed {
    fn new(survey: &Survey, cx: &mut Context<'_>) -> Fixed {
        let crate::model::Symbols { strings, graph, .. } = &mut *cx.symbols;
        let mut statics = FxHashMap::default();
        for row in &survey.classes.rows {
            for (name, of, _) in row.dump.iter().flat_map(|d| &d.statics) {
                if *of <= 2 {
                    statics.entry(*name).or_insert_with(|| {
                        let text = survey.texts.get(*name);
                        match text.as_str() {
                            // Where the virtual machine keeps what code refers to.
                            "<resolved_references>" | "<init_lock>" => {
                                graph.label_id(strings, &text, EdgeKind::Struct)
                            }
                            _ => graph.label_id(strings, &format!(".{text}"), EdgeKind::Attr),
                        }
                    });
                }
            }
        }
        let mut fixed = |name: &str| graph.label_id(strings, name, EdgeKind::Struct);
        let (class, parent) = (fixed("<class>"), fixed("<super>"));
        let (loader, signers, domain) = (fixed("<loader>"), fixed("<signers>"), fixed("<domain>"));
        let elements = (0..=NUMBERED).map(|n| {
            let name = if n < NUMBERED {
                format!("[{n}]")
            } else {
                "[]".into()
            };
            graph.label_id(strings, &name, EdgeKind::Item)
        });
        let elements = elements.collect();
        let numbers = NUMBERS.map(|w| graph.type_id(strings, w, crate::model::Role::Bytes));
        Fixed {
            class,
            parent,
            loader,
            signers,
            domain,
            elements,
            statics,
            numbers: numbers.to_vec(),
            unknown: graph.type_id(strings, "(unknown class)", crate::model::Role::Other),
        }
    }
}

/// What an object is counted as.
enum Of {
    /// The class at this place.
    Class(u32),
    /// An array of numbers.
    Numbers,
    /// Of no class that is known.
    Unknown,
}

struct Filling<'a> {
    id_size: usize,
    objects: usize,
    classes: &'a Classes,
    statics: &'a FxHashMap<u64, LabelId>,
    fixed: &'a Fixed,
    locals: &'a FxHashMap<u32, Vec<(u32, LabelId)>>,
    /// Stacks by serial, and the one that was looked up last.
    stacks: &'a FxHashMap<u32, u32>,
    trace: (u32, Option<u32>),
    /// Objects of each class, arrays of numbers, and objects of no class that is known.
    of_class: Vec<loaders::Amount>,
    of_numbers: loaders::Amount,
    of_unknown: loaders::Amount,
    index: &'a Index,
    layout: Layout,
    builder: GraphBuilder,
    class: Option<&'a classes::Class>,
    element: usize,
    open: bool,
    /// Whether objects of the present heap are counted.
    counted: bool,
    uncounted_bytes: u64,
    unknown_class: u64,
    short: u64,
}

impl Filling<'_> {
    /// Starts an object: its row stays open until the next one.
    fn node(&mut self, id: u64, type_of: crate::model::TypeId, size: u64, of: Of) -> Result<()> {
        self.close();
        let size = if self.counted {
            size
        } else {
            self.uncounted_bytes = self.uncounted_bytes.saturating_add(size);
            0
        };
        let amount = match of {
            Of::Class(at) => &mut self.of_class[at as usize],
            Of::Numbers => &mut self.of_numbers,
            Of::Unknown => &mut self.of_unknown,
        };
        loaders::add(amount, size);
        let ordinal = self.builder.node(type_of, size, Some(id))?;
        self.open = true;
        if let Some(locals) = self.locals.get(&ordinal) {
            for &(target, label) in locals {
                self.builder.edge(target, label)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.open {
            self.builder.end_row();
            self.open = false;
        }
    }

    #[inline]
    fn edge(&mut self, id: u64, label: LabelId) -> Result<()> {
        if id == 0 {
            return Ok(());
        }
        match self.index.find(id) {
            Some(target) => self.builder.edge(target, label),
            None => {
                self.builder.meta().counts.dangling += 1;
                Ok(())
            }
        }
    }

    /// A class that is a root itself need not be held by its instances.
    fn class_edge(&mut self, class: u64, is_root: bool) -> Result<()> {
        if is_root {
            return Ok(());
        }
        self.edge(class, self.fixed.class)
    }
}

impl Pass for Filling<'_> {
    fn is_done(&self) -> bool {
        self.builder.nodes() >= self.objects && !self.open
    }

    fn heap(&mut self, kind: u32) {
        self.counted = kind == 0 || kind == u32::from(b'A');
    }

    fn class(&mut self, dump: ClassDump) -> Result<()> {
        let class = self.classes.get(dump.id);
        let type_of = class.map_or(self.fixed.unknown, |c| c.type_of_class);
        let size = self
            .classes
            .size_of_class(&dump, self.id_size, &self.layout);
        let of = class.map_or(Of::Unknown, |c| Of::Class(c.at));
        self.node(dump.id, type_of, size, of)?;
        self.edge(dump.parent, self.fixed.parent)?;
        self.edge(dump.loader, self.fixed.loader)?;
        self.edge(dump.signers, self.fixed.signers)?;
        self.edge(dump.domain, self.fixed.domain)?;
        for &(name, of, value) in &dump.statics {
            if of <= 2
                && let Some(&label) = self.statics.get(&name)
            {
                self.edge(value, label)?;
            }
        }
        self.close();
        Ok(())
    }

    fn instance(&mut self, object: u64, class: u64, bytes: u32) -> Result<usize> {
        let known = self.classes.get(class).filter(|c| c.dump.is_some());
        let Some(known) = known else {
            self.unknown_class += 1;
            let class = self.classes.get(class);
            let type_of = class.map_or(self.fixed.unknown, |c| c.type_of);
            let of = class.map_or(Of::Unknown, |c| Of::Class(c.at));
            let size = self.layout.instance(0, u64::from(bytes));
            self.node(object, type_of, size, of)?;
            self.class = None;
            return Ok(0);
        };
        let size = known.size(&self.layout);
        self.node(object, known.type_of, size, Of::Class(known.at))?;
        self.class_edge(class, known.is_root)?;
        self.short += u64::from(bytes < known.bytes);
        self.class = Some(known);
        let last = known.references.last();
        Ok(last.map_or(0, |r| r.0 as usize + self.id_size))
    }

    fn fields(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(class) = self.class else {
            return Ok(());
        };
        let mut weak = 0;
        for &(offset, label) in &class.references {
            let at = offset as usize;
            let Some(field) = bytes.get(at..at + self.id_size) else {
                break;
            };
            let id = number(field);
            match label {
                Some(label) => self.edge(id, label)?,
                None => weak += u64::from(id != 0),
            }
        }
        if weak > 0 {
            self.builder.meta().counts.weak += weak;
        }
        Ok(())
    }

    fn array(&mut self, object: u64, class: u64, length: u32) -> Result<bool> {
        let known = self.classes.get(class);
        let type_of = known.map_or(self.fixed.unknown, |c| c.type_of);
        let is_root = known.is_none_or(|c| c.is_root);
        let of = known.map_or(Of::Unknown, |c| Of::Class(c.at));
        let size = self.layout.references(u64::from(length));
        self.node(object, type_of, size, of)?;
        self.class_edge(class, is_root)?;
        self.element = 0;
        Ok(true)
    }

    fn elements(&mut self, ids: &[u8]) -> Result<()> {
        for id in ids.chunks_exact(self.id_size) {
            let label = self.fixed.elements[self.element.min(NUMBERED)];
            self.edge(number(id), label)?;
            self.element += 1;
        }
        Ok(())
    }

    fn numbers(&mut self, object: u64, length: u32, of: u8) -> Result<()> {
        let width = width_of(of, self.id_size).unwrap_or(1) as u64;
        let type_of = (of as usize)
            .checked_sub(4)
            .and_then(|n| self.fixed.numbers.get(n));
        let type_of = type_of.copied().unwrap_or(self.fixed.unknown);
        let size = self.layout.numbers(u64::from(length) * width);
        self.node(object, type_of, size, Of::Numbers)
    }

    fn allocated(&mut self, trace: u32) {
        if self.stacks.is_empty() {
            return;
        }
        if self.trace.0 != trace {
            self.trace = (trace, self.stacks.get(&trace).copied());
        }
        if let Some(stack) = self.trace.1 {
            self.builder.site(stack);
        }
    }

    fn complete(&mut self) {
        self.close();
    }
}
