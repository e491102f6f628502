use super::*;
use crate::format::testing::{self, cut_and_flip_graph, graph_rows as rows};
use crate::model::{HeapGraph, RootKind, Symbols};

/// A writer of dumps.
struct Writer {
    out: Vec<u8>,
    wide: bool,
    /// Sub-records of the segment being written.
    segment: Vec<u8>,
    /// Serial of the stack that allocates the objects written next.
    trace: u32,
}

impl Writer {
    fn new(version: &str, wide: bool) -> Writer {
        let mut out = format!("JAVA PROFILE {version}\0").into_bytes();
        out.extend((if wide { 8u32 } else { 4 }).to_be_bytes());
        out.extend(1_700_000_000_000u64.to_be_bytes());
        Writer {
            out,
            wide,
            segment: Vec::new(),
            trace: 0,
        }
    }

    fn id(&self, id: u64) -> Vec<u8> {
        if self.wide {
            id.to_be_bytes().to_vec()
        } else {
            (id as u32).to_be_bytes().to_vec()
        }
    }

    fn record(&mut self, tag: u8, body: &[u8]) {
        self.out.push(tag);
        self.out.extend([0; 4]);
        self.out.extend((body.len() as u32).to_be_bytes());
        self.out.extend_from_slice(body);
    }

    fn text(&mut self, id: u64, text: &str) {
        let body = [self.id(id), text.as_bytes().to_vec()].concat();
        self.record(0x01, &body);
    }

    fn load(&mut self, serial: u32, class: u64, name: u64) {
        let body = [
            serial.to_be_bytes().to_vec(),
            self.id(class),
            vec![0; 4],
            self.id(name),
        ];
        self.record(0x02, &body.concat());
    }

    /// Statics and fields are names and types; statics have a value.
    fn class(&mut self, id: u64, parent: u64, statics: &[(u64, u64)], fields: &[(u64, u8)]) {
        let mut body = vec![0x20];
        body.extend(self.id(id));
        body.extend([0; 4]);
        for other in [parent, 0, 0, 0, 0, 0] {
            body.extend(self.id(other));
        }
        body.extend([0; 4]);
        body.extend([0, 0]);
        body.extend((statics.len() as u16).to_be_bytes());
        for &(name, value) in statics {
            body.extend(self.id(name));
            body.push(2);
            body.extend(self.id(value));
        }
        body.extend((fields.len() as u16).to_be_bytes());
        for &(name, of) in fields {
            body.extend(self.id(name));
            body.push(of);
        }
        self.segment.extend(body);
    }

    fn instance(&mut self, id: u64, class: u64, fields: &[u8]) {
        let body = [
            vec![0x21],
            self.id(id),
            self.trace.to_be_bytes().to_vec(),
            self.id(class),
            (fields.len() as u32).to_be_bytes().to_vec(),
            fields.to_vec(),
        ];
        self.segment.extend(body.concat());
    }

    fn array(&mut self, id: u64, class: u64, elements: &[u64]) {
        let mut body = vec![0x22];
        body.extend(self.id(id));
        body.extend(self.trace.to_be_bytes());
        body.extend((elements.len() as u32).to_be_bytes());
        body.extend(self.id(class));
        for &e in elements {
            body.extend(self.id(e));
        }
        self.segment.extend(body);
    }

    fn bytes(&mut self, id: u64, length: u32) {
        let mut body = vec![0x23];
        body.extend(self.id(id));
        body.extend(self.trace.to_be_bytes());
        body.extend(length.to_be_bytes());
        body.push(8);
        body.extend(vec![7; length as usize]);
        self.segment.extend(body);
    }

    fn root(&mut self, tag: u8, id: u64, rest: &[u32]) {
        let mut body = vec![tag];
        body.extend(self.id(id));
        rest.iter().for_each(|n| body.extend(n.to_be_bytes()));
        self.segment.extend(body);
    }

    fn end_segment(&mut self, tag: u8) {
        let segment = std::mem::take(&mut self.segment);
        self.record(tag, &segment);
    }

    /// Names 1 to 9 and classes: Object 0x100, Node(next, value int) 0x110 under Base(ref) 0x120,
    /// WeakReference 0x140 under Reference 0x130, Node[] 0x150.
    fn names(&mut self) {
        for (id, text) in [
            (1, "java/lang/Object"),
            (2, "app/Node"),
            (3, "app/Base"),
            (4, "java/lang/ref/Reference"),
            (5, "java/lang/ref/WeakReference"),
            (6, "[Lapp/Node;"),
            (10, "next"),
            (11, "value"),
            (12, "owner"),
            (13, "referent"),
            (14, "HEAD"),
            (15, "run"),
        ] {
            self.text(id, text);
        }
        for (serial, class, name) in [
            (1, 0x100, 1),
            (2, 0x110, 2),
            (3, 0x120, 3),
            (4, 0x130, 4),
            (5, 0x140, 5),
            (6, 0x150, 6),
        ] {
            self.load(serial, class, name);
        }
    }

    fn classes(&mut self) {
        self.class(0x100, 0, &[], &[]);
        self.class(0x110, 0x120, &[(14, 0x1000)], &[(10, 2), (11, 10)]);
        self.class(0x120, 0x100, &[], &[(12, 2)]);
        self.class(0x130, 0x100, &[], &[(13, 2)]);
        self.class(0x140, 0x130, &[], &[]);
        self.class(0x150, 0x100, &[], &[]);
    }

    fn node(&mut self, id: u64, next: u64, owner: u64) {
        let fields = [self.id(next), vec![0, 0, 0, 9], self.id(owner)].concat();
        self.instance(id, 0x110, &fields);
    }
}

/// Two nodes in a ring, an array, a weak reference, a thread with a local; objects before classes.
fn small(version: &str, wide: bool, tag: u8) -> Vec<u8> {
    let mut w = Writer::new(version, wide);
    w.names();
    let frame = [
        w.id(0x900),
        w.id(15),
        w.id(0),
        w.id(0),
        2u32.to_be_bytes().to_vec(),
        41u32.to_be_bytes().to_vec(),
    ];
    w.record(0x04, &frame.concat());
    let trace = [
        8u32.to_be_bytes().to_vec(),
        1u32.to_be_bytes().to_vec(),
        1u32.to_be_bytes().to_vec(),
        w.id(0x900),
    ];
    w.record(0x05, &trace.concat());
    w.node(0x1000, 0x1020, 0x1060);
    w.node(0x1020, 0x1000, 0xdead);
    w.array(0x1040, 0x150, &[0x1000, 0, 0x1020]);
    let weak = w.id(0x1000);
    w.instance(0x1060, 0x140, &weak);
    w.bytes(0x1080, 10);
    w.instance(0x10a0, 0x100, &[]);
    if tag == 0x1c {
        w.end_segment(tag);
    }
    w.classes();
    w.root(0x05, 0x110, &[]);
    w.root(0x08, 0x10a0, &[1, 8]);
    w.root(0x03, 0x1040, &[1, 0]);
    w.root(0x01, 0x1080, if wide { &[0, 0] } else { &[0] });
    w.root(0xff, 0xbad, &[]);
    w.end_segment(tag);
    if tag == 0x1c {
        w.record(0x2c, &[]);
    }
    w.out
}

fn read_with(bytes: &[u8], strict: bool) -> Result<(HeapGraph, Symbols)> {
    testing::read_graph(&FORMAT, bytes, strict)
}

#[test]
fn both_widths_and_both_kinds_of_dump() {
    for (wide, version, tag) in [
        (true, "1.0.2", 0x1c),
        (false, "1.0.1", 0x0c),
        (true, "1.0.1", 0x0c),
        (false, "1.0.2", 0x1c),
    ] {
        let bytes = small(version, wide, tag);
        assert_eq!(sniff(&bytes), Match::Yes);
        let (g, symbols) = read_with(&bytes, true).unwrap();
        let all = rows(&g, &symbols);
        let names: Vec<&str> = all.iter().map(|r| r.split_once(' ').unwrap().0).collect();
        assert_eq!(
            names[..6],
            [
                "app.Node",
                "app.Node",
                "app.Node[]",
                "java.lang.ref.WeakReference",
                "byte[]",
                "java.lang.Object"
            ]
        );
        let edges = |v: usize| all[v].splitn(3, ' ').nth(2).unwrap_or("");
        // The class of nodes is a root: they need not hold it; those of the others are not.
        assert_eq!(edges(0), ".next->1 .owner->3");
        assert_eq!(edges(1), ".next->0");
        assert_eq!(edges(2), "<class>->11 [0]->0 [2]->1");
        assert_eq!(edges(3), "<class>->10");
        // The thread holds its local variable.
        assert_eq!(edges(5), "local:app.Node.run:41->2 <class>->6");
        assert_eq!(edges(7), "24 <super>->8 .HEAD->0");
        assert_eq!((g.meta.counts.weak, g.meta.counts.dangling), (1, 1));
        assert_eq!(g.meta.counts.dangling_roots, 1);
        let roots: Vec<_> = g
            .roots
            .iter()
            .map(|r| (r.node, r.kind, symbols.strings.get(r.name)))
            .collect();
        assert_eq!(
            roots,
            [
                (7, RootKind::Class, "app.Node"),
                (5, RootKind::Thread, "thread app.Node.run"),
                (4, RootKind::Handle, "JNI global")
            ]
        );
        // Ten bytes: the next object lies 32 bytes on, and so it does behind the array before.
        assert_eq!(g.size(4), 32);
    }
}

/// What agents with `heap=all` and trackers of allocations on Android write: a stack for each
/// object. HotSpot gives all objects one that is empty.
#[test]
fn objects_have_the_stacks_that_allocated_them() {
    for wide in [true, false] {
        let mut w = Writer::new("1.0.2", wide);
        w.names();
        for (id, text) in [(20, "fill"), (21, "Node.java")] {
            w.text(id, text);
        }
        // Top first: fill, called by run.
        for (id, method, line) in [(0x900u64, 15u64, 41u32), (0x901, 20, 7)] {
            let frame = [w.id(id), w.id(method), w.id(0), w.id(21)];
            let place = [2u32.to_be_bytes(), line.to_be_bytes()];
            w.record(0x04, &[frame.concat(), place.concat()].concat());
        }
        let of = |w: &mut Writer, serial: u32, frames: &[u64]| {
            let mut body = [serial, 1, frames.len() as u32]
                .map(u32::to_be_bytes)
                .concat();
            frames.iter().for_each(|&f| body.extend(w.id(f)));
            w.record(0x05, &body);
        };
        of(&mut w, 1, &[]);
        of(&mut w, 8, &[0x901, 0x900]);
        w.classes();
        w.trace = 8;
        w.node(0x1000, 0x1020, 0);
        w.bytes(0x1080, 10);
        w.array(0x1040, 0x150, &[0x1000]);
        w.trace = 1;
        w.node(0x1020, 0, 0);
        w.root(0x05, 0x110, &[]);
        w.end_segment(0x1c);
        w.record(0x2c, &[]);
        let (g, symbols) = read_with(&w.out, true).unwrap();
        let profile = g.allocations().unwrap().unwrap();
        let stacks: Vec<String> = profile
            .stacks
            .iter()
            .map(|&s| {
                let frames = symbols.stacks.frames(s).map(|f| symbols.frames.get(f));
                let text = frames.map(|f| {
                    let [name, file] = [f.function, f.file].map(|t| symbols.strings.get(t));
                    format!("{name} {file}:{}", f.line)
                });
                text.collect::<Vec<_>>().join(" > ")
            })
            .collect();
        let made = "app.Node.run Node.java:41 > app.Node.fill Node.java:7";
        // Six classes and an object that has an empty stack are at none.
        assert_eq!(stacks, ["", made]);
        assert_eq!(
            (profile.columns[1].get(0), profile.columns[1].get(1)),
            (7, 3)
        );
        let bytes: i64 = (0..2).map(|row| profile.columns[0].get(row)).sum();
        assert_eq!(bytes as u64, g.total_size());
        let whole = g
            .loaders()
            .iter()
            .fold((0, 0), |sum, l| (sum.0 + l.objects, sum.1 + l.bytes));
        assert_eq!(whole, (g.len() as u64, g.total_size()));
    }
    let (plain, _) = read_with(&small("1.0.2", true, 0x1c), true).unwrap();
    assert!(plain.allocations().unwrap().is_none());
}

#[test]
fn a_dump_cut_short_is_read_as_far_as_it_goes() {
    let bytes = small("1.0.2", true, 0x1c);
    let cut = &bytes[..bytes.len() - 60];
    let (g, _) = read_with(cut, false).unwrap();
    assert!(g.meta.salvaged.is_some());
    assert!(g.len() >= 11);
    assert_eq!(
        read_with(cut, true).map(|_| ()).unwrap_err().code(),
        Code::Truncated
    );
    // A writer that died before it knew the length.
    let mut w = Writer::new("1.0.2", true);
    w.names();
    w.classes();
    w.node(0x1000, 0, 0);
    let at = w.out.len() + 5;
    w.end_segment(0x1c);
    w.out[at..at + 4].fill(0);
    let (g, _) = read_with(&w.out, false).unwrap();
    assert_eq!(g.len(), 7);
}

#[test]
fn a_class_that_never_appears_leaves_its_instances_without_references() {
    let mut w = Writer::new("1.0.2", true);
    w.names();
    w.load(7, 0x160, 3);
    w.instance(0x1000, 0x160, &[0; 16]);
    w.instance(0x1020, 0x170, &[0; 16]);
    w.end_segment(0x1c);
    let (g, symbols) = read_with(&w.out, false).unwrap();
    assert_eq!(rows(&g, &symbols), ["app.Base 32", "(unknown class) 32"]);
    assert!(
        g.meta
            .notes
            .iter()
            .any(|n| n.starts_with("2 objects are of classes"))
    );
}

#[test]
fn an_unknown_record_costs_the_rest_of_its_segment() {
    let mut w = Writer::new("1.0.2", true);
    w.names();
    w.classes();
    w.segment.push(0x77);
    w.segment.extend([1; 40]);
    w.end_segment(0x1c);
    w.node(0x1000, 0x1000, 0);
    w.end_segment(0x1c);
    let (g, _) = read_with(&w.out, false).unwrap();
    assert_eq!((g.len(), g.edge_count()), (7, 8));
    assert_eq!(g.meta.counts.unknown, 1);
    assert!(g.meta.salvaged.is_some());
    assert_eq!(
        read_with(&w.out, true).map(|_| ()).unwrap_err().code(),
        Code::Damaged
    );
}

#[test]
fn lengths_that_nobody_has_cost_no_memory() {
    let mut w = Writer::new("1.0.2", true);
    w.names();
    w.classes();
    w.node(0x1000, 0, 0);
    w.segment.push(0x22);
    w.segment.extend(0x1020u64.to_be_bytes());
    w.segment.extend([0; 4]);
    w.segment.extend(u32::MAX.to_be_bytes());
    w.segment.extend(0x150u64.to_be_bytes());
    w.end_segment(0x1c);
    let (g, _) = read_with(&w.out, false).unwrap();
    assert_eq!(g.len(), 7);
    assert!(g.meta.salvaged.is_some());
    // A class that is its own ancestor.
    let mut w = Writer::new("1.0.2", true);
    w.names();
    w.class(0x110, 0x110, &[], &[(10, 2)]);
    w.instance(0x1000, 0x110, &0x1000u64.to_be_bytes());
    w.end_segment(0x1c);
    let (g, _) = read_with(&w.out, false).unwrap();
    assert!(g.edge_count() >= 2);
}

#[test]
fn a_length_that_lost_its_upper_bits_is_read_to_the_end() {
    // Without a known size, as behind gzip, an object beyond the record's end tells it.
    use std::io::Write;
    let mut w = Writer::new("1.0.1", true);
    w.names();
    w.classes();
    for n in 0..50u64 {
        w.node(0x1000 + n * 32, 0, 0);
    }
    let at = w.out.len() + 5;
    w.end_segment(0x0c);
    w.out[at..at + 4].copy_from_slice(&700u32.to_be_bytes());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&w.out).unwrap();
    let (g, _) = read_with(&gz.finish().unwrap(), false).unwrap();
    assert_eq!(g.len(), 56);
}

#[test]
fn dumps_of_android_have_heaps_and_roots_of_their_own() {
    let mut w = Writer::new("1.0.3", false);
    w.names();
    let zygote = w.id(1);
    w.segment.push(0xfe);
    w.segment.extend(u32::from(b'Z').to_be_bytes());
    w.segment.extend(zygote);
    w.classes();
    w.bytes(0x2000, 100);
    let app = w.id(2);
    w.segment.push(0xfe);
    w.segment.extend(u32::from(b'A').to_be_bytes());
    w.segment.extend(app);
    w.node(0x1000, 0x2000, 0);
    w.bytes(0x1020, 10);
    // Old dumps leave out what is in arrays.
    w.segment.push(0xc3);
    w.segment.extend(0x1040u32.to_be_bytes());
    w.segment.extend([0, 0, 0, 0, 0, 0, 0, 5, 10]);
    for tag in [0x89, 0x8a, 0x8b, 0x8c, 0x8d] {
        w.root(tag, 0x1000, &[]);
    }
    w.root(0x8e, 0x1020, &[1, 0]);
    w.root(0x90, 0x1040, &[]);
    w.end_segment(0x1c);
    w.record(0x2c, &[]);
    let (g, symbols) = read_with(&w.out, true).unwrap();
    let all = rows(&g, &symbols);
    assert_eq!(all[6], "byte[] 0");
    assert!(
        all[7].starts_with("app.Node ") && all[7].ends_with(".next->6"),
        "{}",
        all[7]
    );
    assert!(all[9].starts_with("int[] "), "{}", all[9]);
    assert_eq!(g.roots.len(), 6);
    assert!(g.roots.iter().all(|r| r.node != 9));
    assert_eq!(g.meta.runtime, "art");
    assert!(g.meta.notes.iter().any(|n| n.contains("zygote")));
}

#[test]
fn heads_that_are_none_are_refused() {
    let bytes = small("1.0.2", true, 0x1c);
    let mut odd = bytes.clone();
    odd[19 + 3] = 3;
    for (bytes, code) in [
        (&odd[..], Code::Damaged),
        (&bytes[..20], Code::Truncated),
        (b"JAVA PROFILE 1.0.2", Code::Unrecognised),
    ] {
        assert_eq!(
            read_with(bytes, false).map(|_| ()).unwrap_err().code(),
            code
        );
    }
    let empty = Writer::new("1.0.2", true).out;
    let error = read_with(&empty, false).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), Code::Damaged);
    // Two dumps in one file: the first.
    let mut two = small("1.0.1", true, 0x0c);
    let start = Writer::new("1.0.1", true).out.len();
    let again = two[start..].to_vec();
    two.extend(again);
    let (g, _) = read_with(&two, true).unwrap();
    assert_eq!(g.len(), 12);
    assert!(
        g.meta
            .notes
            .iter()
            .any(|n| n == "the first of 2 dumps in the file")
    );
}

#[test]
fn cut_and_flipped_files_never_panic() {
    cut_and_flip_graph(&FORMAT, &small("1.0.2", true, 0x1c));
    cut_and_flip_graph(&FORMAT, &small("1.0.1", false, 0x0c));
}
