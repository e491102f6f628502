//! Classes: their names as Java writes them, what their objects are, and where references lie in
//! the fields of an instance.

use super::sizes::Layout;
use super::walk::{ClassDump, width_of};
use crate::error::{Code, Error, Result};
use crate::model::{EdgeKind, LabelId, Role, Symbols, TypeId};
use rustc_hash::FxHashMap;

/// All names of the file, by id.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    of_id: FxHashMap<u64, (usize, u32)>,
}

impl Texts {
    pub(super) fn add(&mut self, id: u64, text: &[u8]) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.of_id.insert(id, (at, text.len() as u32));
    }

    /// The text of an id; empty when the file has none.
    pub(super) fn get(&self, id: u64) -> String {
        let Some(&(at, length)) = self.of_id.get(&id) else {
            return String::new();
        };
        let bytes = &self.bytes[at..at + length as usize];
        // Java's UTF-8 writes U+0000 and characters beyond U+FFFF its own way; names have neither.
        let text = String::from_utf8_lossy(bytes);
        text.chars()
            .filter(|c| !c.is_control())
            .take(1024)
            .collect()
    }
}

/// A class and how its instances are read.
#[derive(Debug)]
pub(super) struct Class {
    /// Its place among the classes.
    pub(super) at: u32,
    /// Its description, once it has come.
    pub(super) dump: Option<ClassDump>,
    /// Its name, dotted; empty when it has none.
    pub(super) name: String,
    /// The type of its objects, and of itself.
    pub(super) type_of: TypeId,
    pub(super) type_of_class: TypeId,
    /// References in an instance: offset, label; `None` where a reference does not hold.
    pub(super) references: Vec<(u32, Option<LabelId>)>,
    /// Bytes of the fields of an instance.
    pub(super) bytes: u32,
    /// Of those, bytes that are no references.
    pub(super) plain_bytes: u32,
    /// Bytes of fields that the virtual machine adds and no dump mentions.
    pub(super) hidden_bytes: u64,
    /// Whether the class is a root, so that its instances need not hold it.
    pub(super) is_root: bool,
}

impl Class {
    /// Bytes of an instance.
    #[inline]
    pub(super) fn size(&self, layout: &Layout) -> u64 {
        let references = self.references.len() as u64;
        layout.instance(references, u64::from(self.plain_bytes)) + self.hidden_bytes
    }
}

/// Classes in order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Classes {
    pub(super) rows: Vec<Class>,
    of_id: FxHashMap<u64, u32>,
    ids: Vec<u64>,
    last: Option<(u64, u32)>,
}

/// Reference fields of all classes together; a real program has some hundred thousand.
const MOST_FIELDS: usize = 1 << 24;

impl Classes {
    /// The place of a class, made if it is new.
    #[inline]
    pub(super) fn at(&mut self, id: u64) -> u32 {
        if let Some((last, at)) = self.last
            && last == id
        {
            return at;
        }
        let next = self.rows.len() as u32;
        let at = *self.of_id.entry(id).or_insert(next);
        if at == next {
            self.ids.push(id);
            self.rows.push(Class {
                at: next,
                dump: None,
                name: String::new(),
                type_of: TypeId(0),
                type_of_class: TypeId(0),
                references: Vec::new(),
                bytes: 0,
                plain_bytes: 0,
                hidden_bytes: 0,
                is_root: false,
            });
        }
        self.last = Some((id, at));
        at
    }

    pub(super) fn get(&self, id: u64) -> Option<&Class> {
        self.of_id.get(&id).map(|&at| &self.rows[at as usize])
    }

    pub(super) fn mark_root(&mut self, id: u64) {
        if let Some(&at) = self.of_id.get(&id) {
            self.rows[at as usize].is_root = true;
        }
    }

    /// Names every class by its id.
    pub(super) fn name_all(&mut self, name: impl Fn(u64) -> Option<String>) {
        for (row, &id) in self.rows.iter_mut().zip(&self.ids) {
            row.name = name(id).unwrap_or_default();
        }
    }

    /// The class and its ancestors, at most as many as there are classes.
    fn line<'a>(&'a self, at: usize) -> impl Iterator<Item = &'a Class> + 'a {
        let mut next = Some(at);
        let mut left = self.rows.len().min(4096);
        std::iter::from_fn(move || {
            let class = &self.rows[next?];
            left = left.checked_sub(1)?;
            let parent = class.dump.as_ref().map_or(0, |d| d.parent);
            next = (parent != 0)
                .then(|| self.of_id.get(&parent).map(|&p| p as usize))
                .flatten();
            Some(class)
        })
    }

    /// Sets what instances are larger by than their fields; a class has at least what the nearest
    /// ancestor has of which it is known.
    pub(super) fn hide(&mut self, bytes: &[u64]) {
        let of = |at: usize| {
            let mut line = self.line(at).map(|c| c.at);
            line.find_map(|at| bytes.get(at as usize).copied().filter(|&b| b > 0))
        };
        let all: Vec<u64> = (0..self.rows.len()).map(|at| of(at).unwrap_or(0)).collect();
        for (row, bytes) in self.rows.iter_mut().zip(all) {
            row.hidden_bytes = bytes;
        }
    }

    /// Names, types and the places of references. Names of classes must be set.
    ///
    /// Errors: more fields than memory should be spent on.
    pub(super) fn resolve(
        &mut self,
        texts: &Texts,
        id_size: usize,
        symbols: &mut Symbols,
    ) -> Result<()> {
        let Symbols { strings, graph, .. } = symbols;
        let mut total = 0;
        let mut labels: FxHashMap<(u64, EdgeKind), LabelId> = FxHashMap::default();
        for at in 0..self.rows.len() {
            let line: Vec<&str> = self.line(at).map(|c| c.name.as_str()).collect();
            let role = role_of(&line);
            let referent = referent_of(&line);
            let name = match self.rows[at].name.as_str() {
                "" => "(unknown class)",
                name => name,
            };
            let type_of = graph.type_id(strings, name, role);
            let type_of_class = graph.type_id(strings, &format!("class {name}"), Role::Type);
            let mut references = Vec::new();
            let (mut bytes, mut plain) = (0usize, 0usize);
            for class in self.line(at) {
                let declares = class.name == "java.lang.ref.Reference";
                for &(name, of) in class.dump.iter().flat_map(|d| &d.fields) {
                    let width = width_of(of, id_size).unwrap_or(0);
                    if of <= 2 {
                        let kind = if declares {
                            match texts.get(name).as_str() {
                                "referent" => referent,
                                "discovered" => EdgeKind::Weak,
                                _ => EdgeKind::Attr,
                            }
                        } else if lists_again(&class.name, &texts.get(name)) {
                            EdgeKind::Weak
                        } else {
                            EdgeKind::Attr
                        };
                        let label = (kind != EdgeKind::Weak).then(|| {
                            *labels.entry((name, kind)).or_insert_with(|| {
                                let name = match texts.get(name) {
                                    name if name.is_empty() => "(field)".to_owned(),
                                    name => name,
                                };
                                graph.label_id(strings, &format!(".{name}"), kind)
                            })
                        });
                        references.push((bytes as u32, label));
                    } else {
                        plain += width;
                    }
                    bytes += width;
                }
            }
            total += references.len();
            if total > MOST_FIELDS || bytes > 64 << 20 {
                return Err(Error::new(
                    Code::LimitExceeded,
                    "the classes have more than 2^24 fields",
                )
                .help("this is no heap dump of a program"));
            }
            let class = &mut self.rows[at];
            class.type_of = type_of;
            class.type_of_class = type_of_class;
            class.references = references;
            class.bytes = bytes as u32;
            class.plain_bytes = plain as u32;
        }
        Ok(())
    }

    /// Bytes of a class object: the fields of `java.lang.Class` and the statics of the class.
    pub(super) fn size_of_class(&self, dump: &ClassDump, id_size: usize, layout: &Layout) -> u64 {
        let mirror = self.mirror();
        let (references, plain) = mirror.map_or((0, 0), |c| {
            (c.references.len() as u64, u64::from(c.plain_bytes))
        });
        let statics = dump
            .statics
            .iter()
            .fold((0, 0), |(r, p), &(_, of, _)| match of {
                1 | 2 => (r + 1, p),
                _ => (r, p + width_of(of, id_size).unwrap_or(0) as u64),
            });
        layout.instance(references + statics.0, plain + statics.1)
    }

    fn mirror(&self) -> Option<&Class> {
        self.rows.iter().find(|c| c.name == "java.lang.Class")
    }
}

/// A name as Java's source has it, without the numbers of generated classes, which change from
/// run to run: `[Ljava/lang/String;` is `java.lang.String[]`, `A$$Lambda$14+0x800` is `A$$Lambda`.
pub(super) fn java_name(raw: &str) -> String {
    let arrays = raw.bytes().take_while(|&b| b == b'[').count();
    let inner = &raw[arrays..];
    let name = if arrays == 0 {
        inner
    } else {
        match inner {
            "Z" => "boolean",
            "B" => "byte",
            "C" => "char",
            "S" => "short",
            "I" => "int",
            "J" => "long",
            "F" => "float",
            "D" => "double",
            _ => inner
                .strip_prefix('L')
                .and_then(|n| n.strip_suffix(';'))
                .unwrap_or(inner),
        }
    };
    let mut name = name.replace('/', ".");
    for hidden in ["+0x", ".0x"] {
        if let Some(at) = name.find(hidden) {
            name.truncate(at);
        }
    }
    for made in [
        "$$Lambda$",
        "GeneratedMethodAccessor",
        "GeneratedConstructorAccessor",
        "$Proxy",
    ] {
        if let Some(at) = name.find(made) {
            let end = at + made.len();
            if name[end..].bytes().all(|b| b.is_ascii_digit()) {
                name.truncate(end);
                if name.ends_with("Lambda$") {
                    name.pop();
                }
            }
        }
    }
    name + &"[]".repeat(arrays)
}

/// Whether a field of a map refers to entries that are in its table as well: in the order in which
/// they came. An entry that is removed leaves both; so the table alone counts.
fn lists_again(class: &str, field: &str) -> bool {
    match class {
        "java.util.LinkedHashMap" => matches!(field, "head" | "tail"),
        "java.util.LinkedHashMap$Entry" | "java.util.LinkedHashMap$LinkedHashMapEntry" => {
            matches!(field, "before" | "after")
        }
        _ => false,
    }
}

/// How a reference object of this line of classes holds its referent.
fn referent_of(line: &[&str]) -> EdgeKind {
    for name in line {
        match *name {
            "java.lang.ref.SoftReference" => return EdgeKind::Soft,
            "java.lang.ref.FinalReference" => return EdgeKind::Final,
            "java.lang.ref.WeakReference" | "java.lang.ref.PhantomReference" => break,
            _ => {}
        }
    }
    EdgeKind::Weak
}

/// What the objects of a class are, by its own and its ancestors' names.
fn role_of(line: &[&str]) -> Role {
    let Some(&name) = line.first() else {
        return Role::Other;
    };
    match name {
        "java.lang.String" => return Role::String,
        "java.lang.Class" => return Role::Type,
        "java.lang.Thread" => return Role::Instance,
        "java.lang.Integer"
        | "java.lang.Long"
        | "java.lang.Short"
        | "java.lang.Byte"
        | "java.lang.Character"
        | "java.lang.Boolean"
        | "java.lang.Float"
        | "java.lang.Double"
        | "java.math.BigInteger"
        | "java.math.BigDecimal" => return Role::Number,
        _ => {}
    }
    if let Some(of) = name.strip_suffix("[]") {
        let number = [
            "boolean", "byte", "char", "short", "int", "long", "float", "double",
        ];
        return if number.contains(&of) {
            Role::Bytes
        } else {
            Role::List
        };
    }
    if line.contains(&"java.lang.Throwable") {
        return Role::Exception;
    }
    if line.contains(&"java.lang.ClassLoader") {
        return Role::Native;
    }
    let library = [
        "java.", "javax.", "jdk.", "sun.", "com.sun.", "android.", "dalvik.", "libcore.",
    ];
    if !library.iter().any(|p| name.starts_with(p)) {
        return if name.contains("$$Lambda") {
            Role::Closure
        } else {
            Role::Instance
        };
    }
    if let Some(own) = name.strip_prefix("java.util.") {
        let own = own.strip_prefix("concurrent.").unwrap_or(own);
        let outer = own.split('$').next().unwrap_or(own);
        for (end, role) in [
            ("Map", Role::Map),
            ("Hashtable", Role::Map),
            ("Properties", Role::Map),
            ("Set", Role::Set),
            ("List", Role::List),
            ("Vector", Role::List),
            ("Stack", Role::List),
            ("Deque", Role::List),
            ("Queue", Role::List),
            ("Arrays", Role::List),
            ("Collections", Role::List),
            ("ImmutableCollections", Role::List),
        ] {
            if outer.ends_with(end) {
                return role;
            }
        }
    }
    if name.ends_with("Map$Entry") || name == "java.lang.ThreadLocal$ThreadLocalMap$Entry" {
        return Role::Map;
    }
    if line.contains(&"java.lang.ref.Reference") {
        return Role::Weakref;
    }
    Role::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_source() {
        for (raw, name) in [
            ("java/util/HashMap$Node", "java.util.HashMap$Node"),
            ("[I", "int[]"),
            ("[[Ljava/lang/String;", "java.lang.String[][]"),
            ("Service$$Lambda$14+0x0000000800c01000", "Service$$Lambda"),
            ("Service$$Lambda/0x0000000800c01000", "Service$$Lambda"),
            ("Service$$Lambda$14/0x0000000800c01000", "Service$$Lambda"),
            (
                "java.lang.invoke.LambdaForm$MH/0x80",
                "java.lang.invoke.LambdaForm$MH",
            ),
            ("com/sun/proxy/$Proxy12", "com.sun.proxy.$Proxy"),
            ("", ""),
            ("[", "[]"),
        ] {
            assert_eq!(java_name(raw), name);
        }
    }

    #[test]
    fn roles_come_from_the_line_of_classes() {
        assert_eq!(
            role_of(&["java.util.HashMap$Node", "java.lang.Object"]),
            Role::Map
        );
        assert_eq!(
            role_of(&["app.Cache", "java.util.LinkedHashMap"]),
            Role::Instance
        );
        assert_eq!(
            role_of(&["app.Failed", "java.lang.Throwable"]),
            Role::Exception
        );
        assert_eq!(role_of(&["app.Job[]"]), Role::List);
        let entry = ["java.util.WeakHashMap$Entry", "java.lang.ref.WeakReference"];
        assert_eq!(role_of(&entry), Role::Map);
        assert_eq!(referent_of(&entry), EdgeKind::Weak);
        assert!(lists_again("java.util.LinkedHashMap$Entry", "after"));
        assert!(!lists_again("java.util.LinkedList$Node", "next"));
        assert_eq!(
            referent_of(&["java.lang.ref.Finalizer", "java.lang.ref.FinalReference"]),
            EdgeKind::Final
        );
    }
}
