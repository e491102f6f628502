//! What the numbers of a snapshot mean: every position and every kind is looked up by name in the
//! file's own `meta`, since both change between versions of V8.

use super::scan::WIDEST;
use crate::error::{Code, Error, Result};
use serde_json::Value;

/// What a node is. V8 may add kinds; unknown ones keep their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Hidden,
    Array,
    String,
    Object,
    Code,
    Closure,
    Native,
    Synthetic,
    /// A kind whose nodes are all of one type, named by it: `(symbol)`, `(regexp)`, ...
    Plain,
}

impl NodeKind {
    fn of(name: &str) -> NodeKind {
        match name {
            "hidden" => NodeKind::Hidden,
            "array" => NodeKind::Array,
            "string" | "concatenated string" | "sliced string" => NodeKind::String,
            "object" => NodeKind::Object,
            "code" => NodeKind::Code,
            "closure" => NodeKind::Closure,
            "native" => NodeKind::Native,
            "synthetic" => NodeKind::Synthetic,
            _ => NodeKind::Plain,
        }
    }

    /// Whether its name tells types apart; that of a string is its text.
    pub(super) fn is_named(self) -> bool {
        !matches!(self, NodeKind::String | NodeKind::Plain)
    }
}

/// How a reference holds its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Context,
    Element,
    Property,
    Internal,
    Hidden,
    Shortcut,
    Weak,
}

impl Hold {
    fn of(name: &str) -> Hold {
        match name {
            "context" => Hold::Context,
            "element" => Hold::Element,
            "property" => Hold::Property,
            "hidden" => Hold::Hidden,
            "shortcut" => Hold::Shortcut,
            "weak" => Hold::Weak,
            // A kind of a later V8 holds like the engine's own.
            _ => Hold::Internal,
        }
    }

    /// Whether its second number is a string; else it is the number of a slot.
    pub(super) fn is_named(self) -> bool {
        !matches!(self, Hold::Element | Hold::Hidden)
    }

    pub(super) fn of_raw(raw: u32) -> Hold {
        match raw >> 29 {
            0 => Hold::Context,
            1 => Hold::Element,
            2 => Hold::Property,
            3 => Hold::Internal,
            _ => Hold::Hidden,
        }
    }

    /// Its number in the upper three bits of a raw label.
    pub(super) fn raw(self) -> u32 {
        let n = match self {
            Hold::Context => 0,
            Hold::Element => 1,
            Hold::Property => 2,
            Hold::Internal | Hold::Shortcut | Hold::Weak => 3,
            Hold::Hidden => 4,
        };
        n << 29
    }
}

/// The member `snapshot` of the file.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) node_width: usize,
    pub(super) node_type: usize,
    pub(super) node_name: usize,
    pub(super) node_id: usize,
    pub(super) node_size: usize,
    pub(super) node_edges: usize,
    pub(super) node_trace: Option<usize>,
    pub(super) node_detached: Option<usize>,
    pub(super) node_kinds: Vec<(NodeKind, String)>,
    pub(super) edge_width: usize,
    pub(super) edge_type: usize,
    pub(super) edge_name: usize,
    pub(super) edge_to: usize,
    pub(super) edge_kinds: Vec<Hold>,
    /// Width, and the positions of name, script, line, column.
    pub(super) functions: Option<(usize, [usize; 4])>,
    /// Number of fields of a call, and the positions of id, function, children.
    pub(super) calls: Option<(usize, [usize; 3])>,
    /// Width, and the positions of object, line, column.
    pub(super) locations: Option<(usize, [usize; 3])>,
    pub(super) nodes: u64,
    pub(super) edges: u64,
    pub(super) traced: bool,
    pub(super) root: u64,
    /// Bytes outside the heap that V8 counted.
    pub(super) native_bytes: u64,
}

impl Schema {
    /// Takes the member apart.
    ///
    /// Errors: a field that is needed is missing, or there are more fields than any V8 has.
    pub(super) fn parse(text: &[u8]) -> Result<Schema> {
        let value: Value = serde_json::from_slice(text)
            .map_err(|_| Error::damaged(0, "the member \"snapshot\" is no JSON"))?;
        let meta = &value["meta"];
        let nodes = fields(meta, "node_fields").ok_or_else(|| lacks("node_fields"))?;
        let edges = fields(meta, "edge_fields").ok_or_else(|| lacks("edge_fields"))?;
        let node = |name: &str| position(&nodes, name).ok_or_else(|| lacks(name));
        let edge = |name: &str| position(&edges, name).ok_or_else(|| lacks(name));
        let number = |name: &str| value[name].as_u64().unwrap_or(0);
        let node_type = node("type")?;
        let edge_type = edge("type")?;
        let kinds = |key: &str, at: usize| -> Vec<String> {
            let list = meta[key][at].as_array();
            let names = list.into_iter().flatten();
            names.map(|n| n.as_str().unwrap_or("").to_owned()).collect()
        };
        let node_kinds = kinds("node_types", node_type);
        let edge_kinds = kinds("edge_types", edge_type);
        if node_kinds.is_empty() || edge_kinds.is_empty() {
            return Err(lacks("node_types or edge_types"));
        }
        if node_kinds.len() > 32 {
            return Err(Error::new(
                Code::Unsupported,
                "the snapshot has more than 32 kinds of nodes",
            ));
        }
        Ok(Schema {
            node_width: nodes.len(),
            node_type,
            node_name: node("name")?,
            node_id: node("id")?,
            node_size: node("self_size")?,
            node_edges: node("edge_count")?,
            node_trace: position(&nodes, "trace_node_id"),
            node_detached: position(&nodes, "detachedness"),
            node_kinds: node_kinds
                .into_iter()
                .map(|n| (NodeKind::of(&n), n))
                .collect(),
            edge_width: edges.len(),
            edge_type,
            edge_name: edge("name_or_index")?,
            edge_to: edge("to_node")?,
            edge_kinds: edge_kinds.iter().map(|n| Hold::of(n)).collect(),
            functions: places(
                meta,
                "trace_function_info_fields",
                ["name", "script_name", "line", "column"],
            ),
            calls: places(
                meta,
                "trace_node_fields",
                ["id", "function_info_index", "children"],
            ),
            locations: places(meta, "location_fields", ["object_index", "line", "column"]),
            nodes: number("node_count"),
            edges: number("edge_count"),
            traced: number("trace_function_count") > 0,
            root: number("root_index"),
            native_bytes: number("extra_native_bytes"),
        })
    }
}

fn lacks(what: &str) -> Error {
    Error::damaged(0, format!("the snapshot's meta lacks {what}"))
}

fn fields(meta: &Value, key: &str) -> Option<Vec<String>> {
    let list = meta[key].as_array()?;
    if list.is_empty() || list.len() > WIDEST {
        return None;
    }
    let names = list.iter().map(|n| n.as_str().unwrap_or("").to_owned());
    Some(names.collect())
}

fn position(fields: &[String], name: &str) -> Option<usize> {
    fields.iter().position(|f| f == name)
}

fn places<const N: usize>(
    meta: &Value,
    key: &str,
    names: [&str; N],
) -> Option<(usize, [usize; N])> {
    let list = fields(meta, key)?;
    let mut out = [0; N];
    for (place, name) in out.iter_mut().zip(names) {
        *place = position(&list, name)?;
    }
    Some((list.len(), out))
}
