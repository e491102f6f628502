//! What holds objects from outside: classes, native handles, threads and the locals of their
//! stacks.

use super::classes::{Classes, Texts, java_name};
use super::index::Index;
use super::walk::{PlaceRecord, RootRecord};
use crate::model::{EdgeKind, Frame, LabelId, Root, RootKind, StrId, Symbols};
use rustc_hash::FxHashMap;

/// Roots and stacks as the file has them.
#[derive(Debug, Default)]
pub(super) struct Roots {
    records: Vec<RootRecord>,
    places: FxHashMap<u64, PlaceRecord>,
    traces: FxHashMap<u32, Vec<u64>>,
    classes: FxHashMap<u32, u64>,
}

/// Roots as the graph has them.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) roots: Vec<Root>,
    /// By ordinal of a thread: its locals and their labels.
    pub(super) locals: FxHashMap<u32, Vec<(u32, LabelId)>>,
    /// Roots that name no object of the dump.
    pub(super) dangling: u64,
}

impl Roots {
    pub(super) fn class_of_serial(&mut self, serial: u32, class: u64) {
        self.classes.insert(serial, class);
    }

    pub(super) fn frame(&mut self, id: u64, place: PlaceRecord) {
        self.places.insert(id, place);
    }

    pub(super) fn trace(&mut self, serial: u32, frames: &[u64]) {
        // HotSpot gives every object the same empty trace.
        if !frames.is_empty() {
            self.traces.insert(serial, frames.to_vec());
        }
    }

    pub(super) fn add(&mut self, root: RootRecord) {
        self.records.push(root);
    }

    /// Says which classes are roots.
    pub(super) fn mark_classes(&self, classes: &mut Classes) {
        for root in self.records.iter().filter(|r| r.tag == 0x05) {
            classes.mark_root(root.object);
        }
    }

    /// Roots by ordinal. The locals of a thread whose object is known hang below it.
    pub(super) fn resolve(
        &self,
        texts: &Texts,
        classes: &Classes,
        index: &Index,
        symbols: &mut Symbols,
    ) -> Resolved {
        let mut out = Resolved::default();
        let mut threads: FxHashMap<u32, (u32, u32)> = FxHashMap::default();
        for root in self.records.iter().filter(|r| r.tag == 0x08) {
            if let Some(node) = index.find(root.object) {
                threads.insert(root.thread, (node, root.frame));
            }
        }
        for root in &self.records {
            let Some(node) = index.find(root.object) else {
                out.dangling += u64::from(root.object != 0 && root.tag != 0x90);
                continue;
            };
            if let (0x02 | 0x03, Some(&(thread, trace))) = (root.tag, threads.get(&root.thread)) {
                let name = match self.place(trace, root.frame as usize, texts, classes) {
                    Some((name, line)) if line > 0 => format!("local:{name}:{line}"),
                    Some((name, _)) => format!("local:{name}"),
                    None => "local:(native)".into(),
                };
                let Symbols { strings, graph, .. } = &mut *symbols;
                let label = graph.label_id(strings, &name, EdgeKind::Local);
                out.locals.entry(thread).or_default().push((node, label));
                continue;
            }
            let (kind, name) = match root.tag {
                0x01 => (RootKind::Handle, "JNI global".to_owned()),
                0x02 => (RootKind::Frame, "JNI local".into()),
                0x03 => (RootKind::Frame, "local variable".into()),
                0x04 => (RootKind::Frame, "native stack".into()),
                0x05 => (RootKind::Class, self.class_name(root.object, classes)),
                0x06 => (RootKind::Thread, "thread block".into()),
                0x07 => (RootKind::Handle, "monitor".into()),
                0x08 => (
                    RootKind::Thread,
                    self.thread_name(root.frame, texts, classes),
                ),
                0x89 => (RootKind::Interp, "interned string".into()),
                0x8b => (RootKind::Handle, "debugger".into()),
                0x8d => (RootKind::Interp, "virtual machine".into()),
                0x8e => (RootKind::Handle, "JNI monitor".into()),
                // Marks what is not reachable.
                0x90 => continue,
                0x8a => (RootKind::Other, "finalizing".into()),
                0x8c => (RootKind::Other, "reference cleanup".into()),
                _ => (RootKind::Other, "unknown".into()),
            };
            let name: StrId = symbols.strings.intern(&name);
            out.roots.push(Root {
                node,
                kind,
                name,
                weak: false,
            });
        }
        out
    }

    fn class_name(&self, class: u64, classes: &Classes) -> String {
        match classes.get(class) {
            Some(c) if !c.name.is_empty() => c.name.clone(),
            _ => "class".into(),
        }
    }

    /// A thread is called by what it was started to run: the outermost frame of its stack.
    fn thread_name(&self, trace: u32, texts: &Texts, classes: &Classes) -> String {
        let depth = self.traces.get(&trace).map_or(0, Vec::len);
        let outermost = depth
            .checked_sub(1)
            .and_then(|n| self.place(trace, n, texts, classes));
        match outermost {
            Some((name, _)) => format!("thread {name}"),
            None => "thread".into(),
        }
    }

    /// The stacks of the dump by serial, those of threads among them.
    pub(super) fn stacks(
        &self,
        texts: &Texts,
        classes: &Classes,
        symbols: &mut Symbols,
    ) -> FxHashMap<u32, u32> {
        let mut serials: Vec<u32> = self.traces.keys().copied().collect();
        serials.sort_unstable();
        let mut known = FxHashMap::default();
        let mut frames = Vec::new();
        let mut stacks = FxHashMap::default();
        for serial in serials {
            frames.clear();
            for id in &self.traces[&serial] {
                let Some(place) = self.places.get(id) else {
                    continue;
                };
                let frame = *known.entry(*id).or_insert_with(|| {
                    let name = self.method(place, texts, classes);
                    let strings = &mut symbols.strings;
                    symbols.frames.intern(Frame {
                        file: strings.intern(&texts.get(place.source)),
                        line: place.line,
                        ..Frame::named(strings.intern(&name))
                    })
                });
                frames.push(frame);
            }
            if !frames.is_empty() {
                let stack = symbols.stacks.intern_leaf_first(&frames);
                stacks.insert(serial, stack.index() as u32);
            }
        }
        stacks
    }

    /// Class and method of a place.
    fn method(&self, place: &PlaceRecord, texts: &Texts, classes: &Classes) -> String {
        let class = self.classes.get(&place.class).and_then(|&c| classes.get(c));
        let class = class.map_or("", |c| c.name.as_str());
        let method = java_name(&texts.get(place.method));
        format!("{class}.{method}")
    }

    /// Class and method of a frame of a stack, and the line.
    fn place(
        &self,
        trace: u32,
        frame: usize,
        texts: &Texts,
        classes: &Classes,
    ) -> Option<(String, u32)> {
        let id = self.traces.get(&trace)?.get(frame)?;
        let place = self.places.get(id)?;
        Some((self.method(place, texts, classes), place.line))
    }
}
