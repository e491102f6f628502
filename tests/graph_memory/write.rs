//! Graphs of any size and shape in the formats that large ones come in.

use std::io::Write;
use std::path::Path;

/// Targets of an object, of `n`.
pub type Shape = fn(u64, u64, &mut dyn FnMut() -> u64, &mut Vec<u64>);

/// Every shape, by name. Several types at once, so that few paths are alike.
pub const SHAPES: &[(&str, Shape)] = &[
    ("list", |v, n, _, out| {
        out.extend((v + 1 < n).then_some(v + 1))
    }),
    ("double list", |v, n, _, out| {
        out.extend((v + 1 < n).then_some(v + 1));
        out.extend(v.checked_sub(1));
    }),
    ("ladder", |v, n, _, out| {
        let half = n / 2;
        let (other, end) = if v < half {
            (half + v, half)
        } else {
            (v - half, n)
        };
        out.extend((v + 1 < end).then_some(v + 1));
        out.extend((other < n).then_some(other));
    }),
    ("random heap", |v, n, random, out| {
        // A tree that reaches all, and references to what is near.
        out.extend([2 * v + 1, 2 * v + 2].into_iter().filter(|&w| w < n));
        out.push((v / 2 + random() % 64).min(n - 1));
    }),
    ("one component", |v, n, random, out| {
        out.extend([(v + 1) % n, random() % n, random() % n]);
    }),
    ("lists and fans", |v, n, random, out| {
        let back = if v % 3 == 0 {
            v.saturating_sub(1)
        } else {
            random() % n
        };
        out.extend([(v + 1) % n, back, random() % n]);
    }),
    ("deep ring", |v, n, _, out| {
        out.extend((v + 1 < n).then_some(v + 1));
        out.extend([v / 2, n - 1 - v / 2]);
    }),
    ("array", |v, n, _, out| {
        if v == 0 {
            out.extend(1..n);
        }
    }),
];

fn generator() -> impl FnMut() -> u64 {
    let mut seed = 7u64;
    move || {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        seed >> 33
    }
}

fn create(path: &Path) -> std::io::BufWriter<std::fs::File> {
    std::io::BufWriter::new(std::fs::File::create(path).unwrap())
}

/// A graph of `n` objects as JSON lines. Returns the number of references.
pub fn graph(path: &Path, n: u64, shape: Shape) -> u64 {
    let mut out = create(path);
    writeln!(out, "{{\"format\":\"heapdiff-graph\",\"version\":1,\"runtime\":\"cpython\",\"id_kind\":\"address\",\"capture\":{{\"run\":{n}}}}}").unwrap();
    for t in 0..40 {
        writeln!(
            out,
            "{{\"t\":{t},\"name\":\"app.T{t}\",\"role\":\"instance\"}}"
        )
        .unwrap();
        writeln!(out, "{{\"k\":{t},\"name\":\".a{t}\",\"kind\":\"attr\"}}").unwrap();
    }
    let id = |v: u64| 0x7f00_0000_0000 + v * 16;
    let mut random = generator();
    let mut edges = 0;
    let mut row = Vec::new();
    for v in 0..n {
        row.clear();
        shape(v, n, &mut random, &mut row);
        edges += row.len() as u64;
        let labelled: Vec<String> = row
            .iter()
            .zip(v % 7..)
            .map(|(&w, k)| format!("{},{}", k % 40, id(w)))
            .collect();
        writeln!(
            out,
            "{{\"n\":{},\"t\":{},\"s\":{},\"e\":[{}]}}",
            id(v),
            v % 40,
            16 + v % 100,
            labelled.join(",")
        )
        .unwrap();
    }
    writeln!(
        out,
        "{{\"r\":{},\"kind\":\"module\",\"name\":\"app\"}}",
        id(0)
    )
    .unwrap();
    writeln!(out, "{{\"end\":true}}").unwrap();
    edges
}

const SNAPSHOT: &str = r#"{"node_fields":["type","name","id","self_size","edge_count","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],"string","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"trace_function_info_fields":[],"trace_node_fields":[],"sample_fields":[],"location_fields":[]}"#;

/// A V8 snapshot of `n` objects below a root; one in four has a text of its own as its name, as
/// texts of the program have. Returns the number of references.
pub fn snapshot(path: &Path, n: u64, shape: Shape) -> u64 {
    let mut out = create(path);
    let mut random = generator();
    let mut rows: Vec<Vec<u64>> = vec![vec![0]];
    for v in 0..n {
        let mut row = Vec::new();
        shape(v, n, &mut random, &mut row);
        rows.push(row);
    }
    let edges: u64 = rows.iter().map(|r| r.len() as u64).sum();
    let count = n + 1;
    writeln!(out, "{{\"snapshot\":{{\"meta\":{SNAPSHOT},\"node_count\":{count},\"edge_count\":{edges},\"trace_function_count\":0}},\n\"nodes\":[").unwrap();
    for (v, row) in rows.iter().enumerate() {
        let (kind, name) = match v {
            0 => (9, 0),
            v if v % 4 == 0 => (2, 100 + v / 4),
            v => (3, 1 + v % 40),
        };
        let comma = if v > 0 { "," } else { "" };
        writeln!(
            out,
            "{comma}{kind},{name},{},{},{},0",
            2 * v + 1,
            16 + v % 100,
            row.len()
        )
        .unwrap();
    }
    writeln!(out, "],\n\"edges\":[").unwrap();
    let mut first = true;
    for (v, row) in rows.iter().enumerate() {
        for (w, k) in row.iter().zip(v % 7..) {
            let comma = if first { "" } else { "," };
            first = false;
            let kind = if v == 0 { 5 } else { 2 };
            writeln!(out, "{comma}{kind},{},{}", 50 + k % 40, (w + 1) * 6).unwrap();
        }
    }
    let names = (0..=100 + count / 4).map(|s| format!("\"name{s}\""));
    let names: Vec<String> = names.collect();
    writeln!(
        out,
        "],\n\"trace_function_infos\":[],\"trace_tree\":[],\"samples\":[],\"locations\":[],\n\"strings\":[{}]}}",
        names.join(",\n")
    )
    .unwrap();
    edges
}

/// A dump of `n` objects of 40 classes of a Java virtual machine, each with the references of its
/// shape, three at most, and one to its class.
pub fn hprof(path: &Path, n: u64, shape: Shape) -> u64 {
    const CLASSES: u64 = 0x1000;
    const OBJECTS: u64 = 0x1_0000_0000;
    let id = |v: u64| (OBJECTS + v * 40).to_be_bytes();
    let mut out = create(path);
    out.write_all(b"JAVA PROFILE 1.0.2\0\0\0\0\x08\0\0\0\0\0\0\0\0")
        .unwrap();
    let record = |out: &mut dyn Write, tag: u8, body: &[u8]| {
        out.write_all(&[tag, 0, 0, 0, 0]).unwrap();
        out.write_all(&(body.len() as u32).to_be_bytes()).unwrap();
        out.write_all(body).unwrap();
    };
    let text = |out: &mut dyn Write, id: u64, text: &str| {
        record(out, 0x01, &[&id.to_be_bytes(), text.as_bytes()].concat());
    };
    let fields = ["next", "left", "right"];
    for (name, number) in fields.into_iter().zip(1u64..) {
        text(&mut out, number, name);
    }
    let mut body = Vec::new();
    for t in 0..40u64 {
        text(&mut out, 10 + t, &format!("app/T{t}"));
        let class = (CLASSES + t * 16).to_be_bytes();
        let name = (10 + t).to_be_bytes();
        let load = [&(t as u32 + 1).to_be_bytes()[..], &class, &[0; 4], &name];
        record(&mut out, 0x02, &load.concat());
        body.push(0x20);
        body.extend(class);
        body.extend([0; 4 + 6 * 8]);
        body.extend(24u32.to_be_bytes());
        body.extend([0, 0, 0, 0, 0, fields.len() as u8]);
        for number in 1..=fields.len() as u64 {
            body.extend(number.to_be_bytes());
            body.push(2);
        }
    }
    body.push(0xff);
    body.extend(id(0));
    let mut random = generator();
    let mut edges = n;
    let mut row = Vec::new();
    for v in 0..n {
        row.clear();
        shape(v, n, &mut random, &mut row);
        edges += row.len() as u64;
        body.push(0x21);
        body.extend(id(v));
        body.extend([0; 4]);
        body.extend((CLASSES + v % 40 * 16).to_be_bytes());
        body.extend(24u32.to_be_bytes());
        for i in 0..fields.len() {
            body.extend(row.get(i).map_or([0; 8], |&w| id(w)));
        }
        if body.len() > 1 << 20 {
            record(&mut out, 0x1c, &body);
            body.clear();
        }
    }
    record(&mut out, 0x1c, &body);
    record(&mut out, 0x2c, &[]);
    edges
}
