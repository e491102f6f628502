//! Types and labels: a dump names classes by address and references not at all.

use super::lines::{self, Object};
use crate::format::script_facts;
use crate::model::{
    EdgeKind, GcMode, GraphBuilder, GraphMeta, LabelId, Role, RootKind, StrId, Symbols, TypeId,
};
use rustc_hash::FxHashMap;

/// Raw labels: an object to its class; then by what the source is; then names by shape.
pub(super) const CLASS: u32 = 0;
const VARIABLE: u32 = 1;
const ELEMENT: u32 = 2;
const VALUE: u32 = 3;
const CONSTANT: u32 = 4;
const CAPTURED: u32 = 5;
const CODE: u32 = 6;
const OTHER: u32 = 7;
const SHAPED: u32 = 8;

/// Longer chains of shapes are none.
const DEEPEST: usize = 1 << 12;

/// A class or module.
#[derive(Debug, Clone, Copy)]
struct Class {
    name: StrId,
    parent: u64,
}

/// A shape: the variable that it adds to its parent's.
#[derive(Debug, Clone, Copy)]
struct Shape {
    parent: u64,
    adds: Option<StrId>,
}

/// What is known of names while the dump is read.
#[derive(Debug, Default)]
pub(super) struct Names {
    classes: FxHashMap<u64, Class>,
    shapes: FxHashMap<u64, Shape>,
    /// Raw types: text of the type and its detail, and the class.
    kinds: Vec<(StrId, StrId, u64)>,
    of_kind: FxHashMap<(StrId, StrId, u64), u32>,
    /// Raw labels from [`SHAPED`] on: a shape and a place in it.
    places: Vec<(u64, u32)>,
    of_place: FxHashMap<(u64, u32), u32>,
}

impl Names {
    /// A shape.
    pub(super) fn shape(&mut self, line: &Object, text: &[u8], symbols: &mut Symbols) {
        let name = lines::text(text, line.edge);
        let adds = line.adds.then(|| symbols.strings.intern(&name));
        let parent = line.parent;
        self.shapes.insert(line.id, Shape { parent, adds });
    }

    /// The raw type of an object; remembers a class.
    pub(super) fn kind(&mut self, line: &Object, text: &[u8], symbols: &mut Symbols) -> u32 {
        let word = |range: &Option<std::ops::Range<usize>>| {
            range.clone().map_or(&b""[..], |r| &text[r]).to_vec()
        };
        let kind = word(&line.kind);
        let is_class = matches!(kind.as_slice(), b"CLASS" | b"MODULE" | b"ICLASS");
        let detail = symbols.strings.intern_bytes(&word(&line.detail));
        let kind = symbols.strings.intern_bytes(&kind);
        let class = if is_class {
            let name = symbols.strings.intern(&lines::text(text, line.name));
            let parent = line.superclass;
            self.classes.insert(line.address, Class { name, parent });
            line.address
        } else {
            line.class
        };
        let next = self.kinds.len() as u32;
        let key = (kind, detail, class);
        let at = *self.of_kind.entry(key).or_insert(next);
        if at == next {
            self.kinds.push(key);
        }
        at
    }

    /// The raw label of a reference by its place in the line.
    pub(super) fn label(&mut self, line: &Object, text: &[u8], place: usize) -> u32 {
        let kind = line.kind.clone().map_or(&b""[..], |r| &text[r]);
        let detail = line.detail.clone().map_or(&b""[..], |r| &text[r]);
        match kind {
            // Only where no variable holds an immediate, which references leave out.
            b"OBJECT" if line.shape > 0 && line.ivars == line.references.len() as u64 => {
                let key = (line.shape, place as u32);
                let next = self.places.len() as u32;
                let at = *self.of_place.entry(key).or_insert(next);
                if at == next {
                    self.places.push(key);
                }
                SHAPED.saturating_add(at)
            }
            b"OBJECT" | b"STRUCT" => VARIABLE,
            b"ARRAY" => ELEMENT,
            b"HASH" => VALUE,
            b"CLASS" | b"MODULE" => CONSTANT,
            b"ICLASS" | b"NODE" => CODE,
            b"IMEMO" if detail == b"env" => CAPTURED,
            b"IMEMO" if matches!(detail, b"memo" | b"tmpbuf" | b"alloc" | b"svar") => OTHER,
            b"IMEMO" => CODE,
            b"DATA" if detail == b"proc" || detail == b"binding" => CAPTURED,
            _ => OTHER,
        }
    }

    /// Raw types and labels become those of the graph.
    pub(super) fn resolve(&self, builder: &mut GraphBuilder, symbols: &mut Symbols) {
        let types: Vec<TypeId> = self
            .kinds
            .iter()
            .map(|k| self.type_of(*k, symbols))
            .collect();
        builder.rename_types(|_, raw| types[raw as usize]);
        let fixed = [
            ("<class>", EdgeKind::Struct),
            ("@*", EdgeKind::Attr),
            ("[]", EdgeKind::Item),
            ("[]", EdgeKind::Item),
            ("::*", EdgeKind::Attr),
            ("local:*", EdgeKind::Closure),
            ("<code>", EdgeKind::Struct),
            ("<reference>", EdgeKind::Other),
        ];
        let fixed = fixed.map(|(name, kind)| {
            let Symbols { strings, graph, .. } = &mut *symbols;
            graph.label_id(strings, name, kind)
        });
        let variables = self.variables();
        let mut shaped = Vec::with_capacity(self.places.len());
        for (shape, place) in &self.places {
            let Symbols { strings, graph, .. } = &mut *symbols;
            let name = variables.get(shape).and_then(|v| v.get(*place as usize));
            shaped.push(match name {
                Some(&name) => {
                    let name = strings.get(name).to_owned();
                    graph.label_id(strings, &name, EdgeKind::Attr)
                }
                None => fixed[VARIABLE as usize],
            });
        }
        builder.rename_labels(|_, _, raw| {
            let label: LabelId = match raw.checked_sub(SHAPED) {
                Some(at) => shaped[at as usize],
                None => fixed[raw as usize],
            };
            Some(label)
        });
    }

    /// The variables of each shape that objects have, in order. Those of a shape are its own and
    /// its ancestors', so all together are bounded.
    fn variables(&self) -> FxHashMap<u64, Vec<StrId>> {
        let mut out = FxHashMap::default();
        let mut left = 1usize << 24;
        for &(shape, _) in &self.places {
            if out.contains_key(&shape) {
                continue;
            }
            let mut names = Vec::new();
            let mut at = shape;
            for _ in 0..DEEPEST.min(left) {
                let Some(row) = self.shapes.get(&at) else {
                    break;
                };
                names.extend(row.adds);
                if row.parent == at {
                    break;
                }
                at = row.parent;
            }
            left = left.saturating_sub(names.len());
            names.reverse();
            out.insert(shape, names);
        }
        out
    }

    /// The name of a class; a singleton's and an anonymous one's is that of its nearest named
    /// ancestor.
    fn class_name(&self, mut class: u64) -> StrId {
        for _ in 0..DEEPEST {
            match self.classes.get(&class) {
                Some(row) if row.name.is_empty() => class = row.parent,
                Some(row) => return row.name,
                None => break,
            }
        }
        StrId::EMPTY
    }

    fn type_of(&self, (kind, detail, class): (StrId, StrId, u64), symbols: &mut Symbols) -> TypeId {
        let Symbols { strings, graph, .. } = symbols;
        let own = strings.get(self.class_name(class)).to_owned();
        let kind = strings.get(kind).to_owned();
        let detail = strings.get(detail).to_owned();
        let internal = match detail.as_str() {
            "" => kind.clone(),
            detail => format!("{kind}/{detail}"),
        };
        let (name, role) = match kind.as_str() {
            "CLASS" if own.is_empty() => ("class (anonymous)".into(), Role::Type),
            "CLASS" => (format!("class {own}"), Role::Type),
            "MODULE" => (format!("module {own}"), Role::Module),
            "ICLASS" | "NODE" | "SHAPE" | "ZOMBIE" | "NONE" => (internal, Role::Native),
            "IMEMO" if detail == "env" => (internal, Role::Closure),
            "IMEMO" => (internal, Role::Native),
            _ if own.is_empty() => (internal, Role::Native),
            "STRING" | "SYMBOL" => (own, Role::String),
            "ARRAY" => (own, Role::List),
            "HASH" => (own, Role::Map),
            "FLOAT" | "BIGNUM" | "RATIONAL" | "COMPLEX" => (own, Role::Number),
            "REGEXP" | "MATCH" => (own, Role::Other),
            _ => {
                let role = role_of(&own);
                (own, role)
            }
        };
        graph.type_id(strings, &name, role)
    }
}

/// What objects of a class are, by its name.
fn role_of(name: &str) -> Role {
    let first = name.split("::").next().unwrap_or(name);
    match name {
        "Proc" | "Method" | "UnboundMethod" | "Binding" => Role::Closure,
        "Set" | "SortedSet" => Role::Set,
        "Thread::Queue" | "Thread::SizedQueue" | "Queue" | "SizedQueue" => Role::List,
        "Enumerator" | "Fiber" | "Enumerator::Lazy" => Role::Generator,
        "WeakRef" | "ObjectSpace::WeakMap" | "ObjectSpace::WeakKeyMap" => Role::Weakref,
        _ if name.ends_with("Error") || name.ends_with("Exception") => Role::Exception,
        _ => match first {
            "Gem" | "RubyVM" | "Thread" | "Ractor" | "Encoding" | "IO" | "File" | "Dir"
            | "Random" | "Range" | "Monitor" | "Object" | "Kernel" | "Process" | "Time"
            | "ObjectSpace" | "Zlib" | "JSON" | "ErrorHighlight" | "DidYouMean" | "Tempfile" => {
                Role::Other
            }
            _ => Role::Instance,
        },
    }
}

/// The kind of a category of roots.
pub(super) fn root_kind(name: &str) -> RootKind {
    match name {
        "global_tbl" => RootKind::Module,
        // Scanned conservatively: what looks like an address may be stale, so every other root is
        // the better explanation.
        "machine_context" => RootKind::Other,
        "finalizers" | "end_proc" => RootKind::Handle,
        "vm" | "symbols" | "global_list" | "object_id" => RootKind::Interp,
        _ => RootKind::Other,
    }
}

/// What `heapdiff capture ruby` wrote about the dump.
pub(super) fn facts(meta: &mut GraphMeta, line: &[u8]) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
        return;
    };
    script_facts::facts(meta, &value);
    meta.producer = Some("ObjectSpace.dump_all by heapdiff capture ruby".into());
    if value["gc"].as_str() == Some("full") {
        meta.gc = GcMode::Full;
    }
}
