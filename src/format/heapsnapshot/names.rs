//! Numbers to names: the table of strings stands at the end of a snapshot.

use super::scan::Scan;
use super::schema::{Hold, NodeKind, Schema};
use super::{DETACHED, NUMBERED};
use crate::error::Result;
use crate::format::json;
use crate::format::script_facts;
use crate::model::{
    EdgeKind, GcMode, GraphBuilder, GraphMeta, LabelId, Role, RootKind, StrId, Strings, Symbols,
    TypeId, TypeTally,
};
use rustc_hash::FxHashMap;
use serde_json::Value;

/// The longest name that is kept; V8 itself cuts at 1,024 characters.
const LONGEST: usize = 1024;
/// The part of a raw type that is the number of a name.
const NAME: u32 = (1 << 26) - 1;

/// What is named by a number, and the names once they are read.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By number: whether a name is needed. Texts of the program are not.
    used: Numbers,
    /// By number: whether the engine calls a slot by this name.
    slots: Numbers,
    /// Of `slots`, those whose name is a number: all of them are one name.
    numbered: Numbers,
    /// By number, once read.
    names: Vec<StrId>,
    /// By number: the table of a WeakMap whose value such a reference is.
    tables: FxHashMap<u32, u64>,
    /// References of the root: how, and to which node.
    roots: Vec<(Hold, u32)>,
    /// Functions with line and column.
    places: Vec<(u32, u32, u32)>,
}

/// What names are found by most of the time, without a look into a table of all.
struct Recent<T>(Vec<(u32, T)>);

impl<T: Copy> Recent<T> {
    const SIZE: usize = 1 << 12;

    fn new(nothing: T) -> Self {
        Recent(vec![(u32::MAX, nothing); Self::SIZE])
    }

    fn slot(raw: u32) -> usize {
        (raw ^ raw >> 20) as usize % Self::SIZE
    }

    #[inline]
    fn get(&self, raw: u32) -> Option<T> {
        let entry = self.0[Self::slot(raw)];
        (entry.0 == raw && raw != u32::MAX).then_some(entry.1)
    }

    fn put(&mut self, raw: u32, value: T) {
        self.0[Self::slot(raw)] = (raw, value);
    }
}

/// A set of numbers of names, one bit each.
#[derive(Debug, Default)]
struct Numbers(Vec<u64>);

impl Numbers {
    #[inline]
    fn add(&mut self, number: u32) {
        let word = number as usize / 64;
        if word >= self.0.len() {
            // Doubled by hand: numbers come in about ascending order.
            self.0.resize((word + 1).next_power_of_two(), 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    #[inline]
    fn has(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|w| w >> (number % 64) & 1 == 1)
    }

    /// The numbers of this set and of another, ascending.
    fn with<'a>(&'a self, other: &'a Numbers) -> impl Iterator<Item = u32> + 'a {
        let end = 64 * self.0.len().max(other.0.len()) as u32;
        (0..end).filter(|&n| self.has(n) || other.has(n))
    }
}

impl Names {
    /// Says that the name of this number is needed.
    #[inline]
    pub(super) fn use_name(&mut self, number: u32) {
        self.used.add(number);
    }

    /// Says that the engine calls a slot by this name. The elements of its tables have a name each
    /// that is their number.
    #[inline]
    pub(super) fn use_slot(&mut self, number: u32) {
        self.slots.add(number);
    }

    fn uses(&self, number: u32) -> bool {
        self.used.has(number) || self.slots.has(number)
    }

    /// A reference of the root.
    pub(super) fn root(&mut self, hold: Hold, to: u32) {
        self.roots.push((hold, to));
    }

    /// Whether some of the table has been read.
    pub(super) fn some_read(&self) -> bool {
        !self.names.is_empty()
    }

    /// The name of a number; empty when there is none.
    pub(super) fn text(&self, number: u32) -> StrId {
        self.names
            .get(number as usize)
            .copied()
            .unwrap_or(StrId::EMPTY)
    }

    /// Where functions stand in their scripts.
    pub(super) fn locations(
        &mut self,
        scan: &mut Scan<'_>,
        (width, [object, line, column]): (usize, [usize; 3]),
        schema: &Schema,
        builder: &GraphBuilder,
    ) -> Result<()> {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX - 1);
        scan.records(width, |l| {
            let node = small(l[object] / schema.node_width as u64);
            // Objects have the place of their constructor.
            if (node as usize) < builder.nodes()
                && kind_of(builder.row(node).0.0, schema) == NodeKind::Closure
            {
                let place = (node, small(l[line]) + 1, small(l[column]) + 1);
                self.places.push(place);
            }
            Ok(())
        })?;
        self.places.sort_by_key(|p| p.0);
        Ok(())
    }

    /// The table: names that are needed are interned, the others passed over.
    pub(super) fn read(&mut self, scan: &mut Scan<'_>, symbols: &mut Symbols) -> Result<()> {
        scan.expect(b'[')?;
        if scan.accept(b']')? {
            return Ok(());
        }
        let mut scratch = String::new();
        loop {
            let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            let needed = self.used.has(number);
            let slot = self.slots.has(number);
            let (tables, numbered) = (&mut self.tables, &mut self.numbered);
            let name = scan.string(|raw, escaped| {
                if slot && raw.iter().all(u8::is_ascii_digit) {
                    numbered.add(number);
                    if !needed {
                        return StrId::EMPTY;
                    }
                } else if !needed && !slot {
                    return StrId::EMPTY;
                }
                if let Some(table) = weak_map_table(raw) {
                    tables.insert(number, table);
                    return StrId::EMPTY;
                }
                if !escaped && raw.len() <= LONGEST {
                    return symbols.strings.intern_bytes(raw);
                }
                let text = json::unescape(raw)
                    .unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned());
                scratch.clear();
                scratch.extend(text.chars().take(LONGEST));
                symbols.strings.intern(&scratch)
            })?;
            self.names.push(name);
            if !scan.another(b']')? {
                return Ok(());
            }
        }
    }

    /// Number of names that are needed and not in the table.
    pub(super) fn lost(&self) -> u64 {
        let read = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let needed = self.used.with(&self.slots);
        needed.filter(|&n| n >= read).count() as u64
    }

    /// Gives every object its type and every reference its label, and makes the roots. Returns
    /// the number of names that are not in the table.
    pub(super) fn rename(
        &self,
        builder: &mut GraphBuilder,
        schema: &Schema,
        symbols: &mut Symbols,
    ) -> u64 {
        let lost = self.lost();
        let hubs = self.roots(builder, schema, symbols);
        self.types(builder, schema, symbols);
        self.labels(builder, &hubs, symbols);
        lost
    }

    /// Roots: one for each global and each category below `(GC roots)`. Returns the root and
    /// `(GC roots)`, whose own references are given up.
    fn roots(
        &self,
        builder: &mut GraphBuilder,
        schema: &Schema,
        symbols: &mut Symbols,
    ) -> Vec<u32> {
        let top = (schema.root / schema.node_width as u64) as u32;
        let mut hubs = vec![top];
        let mut found = Vec::new();
        if (top as usize) < builder.nodes() {
            found.push((top, RootKind::Interp));
        }
        for &(hold, node) in &self.roots {
            if node as usize >= builder.nodes() {
                builder.meta().counts.dangling_roots += 1;
                continue;
            }
            let raw = builder.row(node).0.0;
            let synthetic = kind_of(raw, schema) == NodeKind::Synthetic;
            let name = symbols.strings.get(self.text(raw & NAME)).to_owned();
            if hold == Hold::Shortcut {
                found.push((node, RootKind::Module));
            } else if synthetic && name == "(GC roots)" {
                hubs.push(node);
                found.push((node, RootKind::Interp));
                let children: Vec<u32> = builder.row(node).2.to_vec();
                for child in children {
                    if child as usize >= builder.nodes() {
                        continue;
                    }
                    let raw = builder.row(child).0.0;
                    let name = symbols.strings.get(self.text(raw & NAME));
                    found.push((child, root_kind(name)));
                }
            } else if synthetic && name == "(Document DOM trees)" {
                found.push((node, RootKind::Module));
            } else {
                found.push((node, RootKind::Handle));
            }
        }
        let mut seen = rustc_hash::FxHashSet::default();
        for (node, kind) in found {
            if seen.insert(node) {
                let raw = builder.row(node).0.0;
                let name = self.text(raw & NAME);
                let name = match symbols.strings.get(name) {
                    "" => symbols.strings.intern("(root)"),
                    text => {
                        let cut = without_suffix(text).to_owned();
                        symbols.strings.intern(&cut)
                    }
                };
                builder.root(node, kind, name, false);
            }
        }
        hubs
    }

    /// The number of a name in the table. Cost: a pass over it.
    fn number_of(&self, name: Option<StrId>) -> Option<u32> {
        let at = self.names.iter().position(|&n| Some(n) == name)?;
        u32::try_from(at).ok()
    }

    /// Whether there is a document whose elements can be detached from it.
    fn has_document(&self, symbols: &Symbols) -> bool {
        let mut used = (0..).zip(&self.names).filter(|(n, id)| {
            let named = **id != StrId::EMPTY;
            named && self.uses(*n)
        });
        used.any(|(_, &id)| {
            let name = symbols.strings.get(id);
            name.starts_with('<') || name == "(Document DOM trees)"
        })
    }

    /// Name and role of the type of nodes that were added with this number.
    fn type_name(&self, raw: u32, schema: &Schema, strings: &Strings) -> (String, Role) {
        let name = strings.get(self.text(raw & NAME)).to_owned();
        let label = &schema.node_kinds[(raw >> 26 & 31) as usize].1;
        let (name, role) = type_of(kind_of(raw, schema), &name, label);
        if raw & DETACHED != 0 && !name.starts_with("Detached ") {
            return (format!("Detached {name}"), role);
        }
        (name, role)
    }

    /// Numbers and bytes by type, of nodes counted by the number that they would be added with.
    /// Functions without a name are one type: their places are known by references.
    pub(super) fn tally(
        &self,
        counts: FxHashMap<u32, (u64, u64)>,
        schema: &Schema,
        symbols: &mut Symbols,
    ) -> Vec<TypeTally> {
        let dom = self.has_document(symbols);
        let mut counts: Vec<(u32, (u64, u64))> = counts.into_iter().collect();
        counts.sort_unstable();
        let Symbols { strings, graph, .. } = symbols;
        let row = |(raw, (objects, bytes))| {
            let raw = plain(raw, dom, kind_of(raw, schema));
            let (name, role) = self.type_name(raw, schema, strings);
            TypeTally {
                type_of: graph.type_id(strings, &name, role),
                objects,
                bytes,
            }
        };
        counts.into_iter().map(row).collect()
    }

    fn types(&self, builder: &mut GraphBuilder, schema: &Schema, symbols: &mut Symbols) {
        let mut known: FxHashMap<u32, TypeId> = FxHashMap::default();
        let mut recent = Recent::new(TypeId(0));
        let dom = self.has_document(symbols);
        let Symbols { strings, graph, .. } = symbols;
        let mut anonymous: FxHashMap<u32, TypeId> = FxHashMap::default();
        let shared = self.number_of(strings.find("shared"));
        let script = [
            self.number_of(strings.find("script_or_debug_info")),
            self.number_of(strings.find("script")),
        ];
        // By the name of a function: whether all functions of that name are of libraries.
        let mut foreign: FxHashMap<u32, bool> = FxHashMap::default();
        for &(node, line, column) in &self.places {
            let raw = builder.row(node).0.0;
            let file = slot(builder, node, &[shared])
                .and_then(|shared| slot(builder, shared, &script))
                .map(|script| strings.get(self.text(builder.row(script).0.0 & NAME)));
            if self.text(raw & NAME) == StrId::EMPTY {
                let file = file.map_or("", base_name);
                let name = format!("(anonymous {file}:{line}:{column})()");
                anonymous.insert(node, graph.type_id(strings, &name, Role::Closure));
            } else {
                *foreign.entry(raw & NAME).or_insert(true) &= file.is_some_and(is_of_library);
            }
        }
        builder.rename_types(|node, raw| {
            let kind = kind_of(raw, schema);
            let raw = plain(raw, dom, kind);
            if kind == NodeKind::Closure
                && let Some(&t) = anonymous.get(&node)
            {
                return t;
            }
            if let Some(t) = recent.get(raw) {
                return t;
            }
            let t = *known.entry(raw).or_insert_with(|| {
                let (name, role) = self.type_name(raw, schema, strings);
                let role = match role {
                    // A class is named as its constructor is.
                    Role::Instance if foreign.get(&(raw & NAME)) == Some(&true) => Role::Library,
                    role => role,
                };
                graph.type_id(strings, &name, role)
            });
            recent.put(raw, t);
            t
        });
    }

    fn labels(&self, builder: &mut GraphBuilder, hubs: &[u32], symbols: &mut Symbols) {
        let mut known: FxHashMap<u32, LabelId> = FxHashMap::default();
        let mut numbered = None;
        let hubs_end = hubs.iter().max().map_or(0, |h| h + 1);
        let Symbols { strings, graph, .. } = symbols;
        let weak_map = graph.label_id(strings, "<WeakMap value>", EdgeKind::Ephemeron);
        let mut recent = Recent::new(weak_map);
        let mut through_table = 0;
        builder.rename_labels(|builder, source, raw| {
            if source < hubs_end && hubs.contains(&source) {
                return None;
            }
            if let Some(label) = recent.get(raw) {
                return Some(label);
            }
            let hold = Hold::of_raw(raw);
            let number = raw & 0x1fff_ffff;
            if hold == Hold::Internal && self.numbered.has(number) {
                return Some(*numbered.get_or_insert_with(|| {
                    let (name, kind) = label_of(hold, "0", number);
                    graph.label_id(strings, &name, kind)
                }));
            }
            if hold == Hold::Internal
                && let Some(&table) = self.tables.get(&number)
            {
                // Alive while the key is: the table alone does not hold it.
                if builder.id(source) == Some(table) {
                    through_table += 1;
                    return None;
                }
                return Some(weak_map);
            }
            let label = *known.entry(raw).or_insert_with(|| {
                let name = strings.get(self.text(number));
                let (name, kind) = label_of(hold, name, number);
                graph.label_id(strings, &name, kind)
            });
            recent.put(raw, label);
            Some(label)
        });
        builder.meta().counts.weak += through_table;
    }
}

fn kind_of(raw: u32, schema: &Schema) -> NodeKind {
    schema.node_kinds[(raw >> 26 & 31) as usize].0
}

/// The number of a node's type without what does not tell types apart.
fn plain(raw: u32, dom: bool, kind: NodeKind) -> u32 {
    let raw = if dom { raw } else { raw & !DETACHED };
    match kind {
        // What is in arrays and in the engine itself is of no type of the program.
        NodeKind::Hidden => raw & !NAME,
        _ => raw,
    }
}

/// The target of the first of these slots of the engine that a node has; before labels have names.
fn slot(builder: &GraphBuilder, node: u32, names: &[Option<u32>]) -> Option<u32> {
    let (_, _, targets, labels) = builder.row(node);
    let wanted = |label: &u32| {
        let named = |n: &Option<u32>| n.is_some_and(|n| Hold::Internal.raw() | n == *label);
        names.iter().any(named)
    };
    let at = labels.iter().position(wanted)?;
    targets
        .get(at)
        .copied()
        .filter(|&t| (t as usize) < builder.nodes())
}

/// A script's file; those of Node itself keep their whole name: `node:events`.
fn base_name(path: &str) -> &str {
    if path.starts_with("node:") {
        return path;
    }
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether a script is part of Node or of an installed package.
fn is_of_library(path: &str) -> bool {
    path.starts_with("node:") || path.split(['/', '\\']).any(|part| part == "node_modules")
}

/// `... pair in WeakMap (table @77389)`: the number of the table.
fn weak_map_table(raw: &[u8]) -> Option<u64> {
    let digits = raw.strip_suffix(b")")?;
    let at = memchr::memmem::rfind(digits, b" pair in WeakMap (table @")?;
    std::str::from_utf8(&digits[at + 25..]).ok()?.parse().ok()
}

/// The kind of a category below `(GC roots)`.
fn root_kind(name: &str) -> RootKind {
    match name {
        "(Stack roots)" => RootKind::Frame,
        "(Handle scope)" | "(Global handles)" | "(Traced handles)" | "(Eternal handles)"
        | "(Client heap)" => RootKind::Handle,
        _ => RootKind::Interp,
    }
}

/// A global's name without what an inspector appends: `global / localhost`.
fn without_suffix(name: &str) -> &str {
    match name.split_once(" / ") {
        Some((own, _)) if !matches!(own, "system" | "Node" | "V8" | "cppgc" | "InternalNode") => {
            own
        }
        _ => name,
    }
}

/// Type and role of a node of this kind and name.
fn type_of(kind: NodeKind, name: &str, label: &str) -> (String, Role) {
    let plain = |name: &str, role| (name.to_owned(), role);
    match kind {
        NodeKind::String => (format!("({label})"), Role::String),
        NodeKind::Plain => {
            let role = match label {
                "number" | "bigint" => Role::Number,
                "object shape" => Role::Native,
                _ => Role::Other,
            };
            (format!("({label})"), role)
        }
        NodeKind::Hidden => plain("(system)", Role::Native),
        NodeKind::Code => plain("(compiled code)", Role::Native),
        NodeKind::Array if name.is_empty() => plain("(array)", Role::List),
        NodeKind::Array => plain(name, Role::List),
        NodeKind::Synthetic if name.is_empty() => plain("(root)", Role::Native),
        NodeKind::Synthetic => plain(name, Role::Native),
        NodeKind::Closure if name.is_empty() => plain("(anonymous)()", Role::Closure),
        NodeKind::Closure => (format!("{}()", one_line(name)), Role::Closure),
        NodeKind::Native | NodeKind::Object => {
            let name = tag(one_line(without_suffix(name)));
            let name = if name.is_empty() {
                "(object)".to_owned()
            } else {
                name
            };
            let role = object_role(&name, kind);
            (name, role)
        }
    }
}

/// An element of a document with its tag alone: `<div class="x">` is a `<div>`.
fn tag(name: String) -> String {
    match name.strip_prefix('<').and_then(|n| n.split_once(' ')) {
        Some((tag, _)) => format!("<{tag}>"),
        None => name,
    }
}

fn one_line(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

/// What objects of a built-in constructor are.
fn object_role(name: &str, kind: NodeKind) -> Role {
    match name {
        "Array" => Role::List,
        "Map" | "WeakMap" => Role::Map,
        "Set" | "WeakSet" => Role::Set,
        "Promise" | "Generator" | "AsyncGenerator" | "AsyncFunction" => Role::Generator,
        "WeakRef" | "FinalizationRegistry" | "system / WeakCell" => Role::Weakref,
        "ArrayBuffer" | "SharedArrayBuffer" | "DataView" | "Buffer" => Role::Bytes,
        "system / Context" => Role::Closure,
        "global" | "Window" | "globalThis" => Role::Namespace,
        "Module" => Role::Module,
        // Used for everything: it says nothing about the program.
        "Object" | "(object)" => Role::Other,
        _ if name.starts_with("system / ") => Role::Native,
        _ if name.ends_with("Error") => Role::Exception,
        _ if name.ends_with("Array") && name.bytes().any(|b| b.is_ascii_digit()) => Role::Bytes,
        _ if kind == NodeKind::Native && !name.starts_with('<') => Role::Native,
        _ => Role::Instance,
    }
}

/// Name and kind of a reference.
fn label_of(hold: Hold, name: &str, number: u32) -> (String, EdgeKind) {
    match hold {
        Hold::Element if u64::from(number) < NUMBERED => (format!("[{number}]"), EdgeKind::Item),
        Hold::Element => ("[]".into(), EdgeKind::Item),
        Hold::Hidden => ("<slot>".into(), EdgeKind::Internal),
        Hold::Context => (format!("local:{}", one_line(name)), EdgeKind::Closure),
        Hold::Property => match name {
            "__proto__" | "constructor" | "prototype" => (format!(".{name}"), EdgeKind::Struct),
            _ => (format!(".{}", one_line(name)), EdgeKind::Attr),
        },
        _ => match name {
            "map" | "shared" | "code" | "feedback_cell" | "native_context" | "scope_info"
            | "prototype" | "constructor" | "transition" | "descriptors" | "script" => {
                (format!("<{name}>"), EdgeKind::Struct)
            }
            _ if name.bytes().all(|b| b.is_ascii_digit()) => ("<slot>".into(), EdgeKind::Internal),
            _ => (format!("<{}>", one_line(name)), EdgeKind::Internal),
        },
    }
}

/// V8 tells what an object holds twice: by its elements and properties, and by the slots of the
/// arrays in which these are kept.
pub(super) fn drop_stores(builder: &mut GraphBuilder, symbols: &mut Symbols) {
    let (names, strings) = (&mut symbols.graph, &mut symbols.strings);
    let mut label = |name: &str| names.label_id(strings, name, EdgeKind::Internal).0;
    let stores = [label("<elements>"), label("<properties>")];
    let slot = label("<slot>");
    builder.drop_repeated(|l| stores.contains(&l), |l| l == slot);
}

/// What `heapdiff capture node` wrote about the capture.
pub(super) fn facts(meta: &mut GraphMeta, text: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        meta.notes
            .push("what the snapshot says about its runs cannot be read".into());
        return;
    };
    script_facts::facts(meta, &value);
    meta.time = script_facts::text(&value, "time");
    meta.settled = value["settled"].as_bool();
    if value["gc"].as_str() == Some("none") {
        meta.gc = GcMode::None;
    }
    if let Some(v8) = script_facts::text(&value, "v8") {
        meta.producer = Some(format!("V8 {v8}"));
    }
}
