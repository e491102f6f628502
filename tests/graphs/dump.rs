//! Writes synthetic object graphs as heapdiff-graph files.

use std::fmt::Write;

/// A dump in the making.
pub struct Dump {
    text: String,
    types: Vec<String>,
    labels: Vec<String>,
    next: u64,
}

impl Dump {
    /// A capture of CPython after so many runs; `capture` are more members of `capture`.
    pub fn python(run: u64, capture: &str) -> Dump {
        let head = format!(
            "{{\"format\":\"heapdiff-graph\",\"version\":1,\"runtime\":\"cpython\",\"id_kind\":\"address\",\"capture\":{{\"run\":{run}{capture}}}}}\n"
        );
        Dump {
            text: head,
            types: Vec::new(),
            labels: Vec::new(),
            next: 0x7f00_0000_0000 + run * 4096,
        }
    }

    /// The same of another runtime.
    pub fn of(runtime: &str, run: u64) -> Dump {
        let mut dump = Dump::python(run, ",\"gc\":\"full\"");
        dump.text = dump.text.replace("cpython", runtime);
        dump
    }

    /// Ids are stable: the same objects, made in the same order, have the same odd ids in every
    /// capture.
    pub fn stable(mut self) -> Dump {
        self.text = self.text.replace("\"address\"", "\"stable\"");
        self.next = 1;
        self
    }

    fn type_id(&mut self, name: &str) -> usize {
        if let Some(t) = self.types.iter().position(|n| n == name) {
            return t;
        }
        let t = self.types.len();
        let role = match name {
            "dict" => "map",
            "Set" => "set",
            "list" | "tuple" | "(array)" | "Array" => "list",
            "module" => "module",
            "frame" => "frame",
            "traceback" => "traceback",
            n if n.ends_with("Error") => "exception",
            n if n.starts_with("lib.") => "library",
            _ => "instance",
        };
        writeln!(
            self.text,
            "{{\"t\":{t},\"name\":\"{name}\",\"role\":\"{role}\"}}"
        )
        .unwrap();
        self.types.push(name.to_owned());
        t
    }

    fn label_id(&mut self, name: &str) -> usize {
        if let Some(k) = self.labels.iter().position(|n| n == name) {
            return k;
        }
        let k = self.labels.len();
        let kind = match name {
            n if n.starts_with('[') => "item",
            n if n.starts_with("local:") => "local",
            n if n.starts_with("cell") => "closure",
            n if n.starts_with("tb_") || n.starts_with("f_") => "frame",
            "<type>" => "struct",
            "<table>" | "<slot>" => "internal",
            ".referent" => "soft",
            _ => "attr",
        };
        writeln!(
            self.text,
            "{{\"k\":{k},\"name\":\"{name}\",\"kind\":\"{kind}\"}}"
        )
        .unwrap();
        self.labels.push(name.to_owned());
        k
    }

    /// An id for an object that is written later.
    pub fn id(&mut self) -> u64 {
        self.next += 16;
        self.next
    }

    /// Writes an object.
    pub fn put(&mut self, id: u64, type_name: &str, size: u64, edges: &[(&str, u64)]) {
        let t = self.type_id(type_name);
        let pairs: Vec<String> = edges
            .iter()
            .map(|(label, to)| format!("{},{to}", self.label_id(label)))
            .collect();
        let pairs = pairs.join(",");
        writeln!(
            self.text,
            "{{\"n\":{id},\"t\":{t},\"s\":{size},\"e\":[{pairs}]}}"
        )
        .unwrap();
    }

    /// Writes a new object.
    pub fn object(&mut self, type_name: &str, size: u64, edges: &[(&str, u64)]) -> u64 {
        let id = self.id();
        self.put(id, type_name, size, edges);
        id
    }

    /// Holds an object.
    pub fn root(&mut self, id: u64, kind: &str, name: &str) {
        writeln!(
            self.text,
            "{{\"r\":{id},\"kind\":\"{kind}\",\"name\":\"{name}\"}}"
        )
        .unwrap();
    }

    /// The whole file.
    pub fn finish(mut self) -> String {
        self.text.push_str("{\"end\":true}\n");
        self.text
    }
}
