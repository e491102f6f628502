//! pprof profiles, in the order of fields in which google/pprof writes them.

use super::stacks::{FRAMES, name, stack, values};
use std::io::Write;

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn int(field: u64, value: u64, out: &mut Vec<u8>) {
    varint(field << 3, out);
    varint(value, out);
}

fn bytes(field: u64, value: &[u8], out: &mut Vec<u8>) {
    varint(field << 3 | 2, out);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

const TYPES: [(&str, &str); 4] = [
    ("alloc_space", "bytes"),
    ("alloc_objects", "count"),
    ("inuse_space", "bytes"),
    ("inuse_objects", "count"),
];

/// Writes `count` samples of `side`, with four sample types.
pub fn write(count: u64, side: u64, out: &mut dyn Write) -> std::io::Result<()> {
    let mut text = vec![String::new()];
    let (mut all, mut one, mut list) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, unit) in TYPES {
        one.clear();
        int(1, text.len() as u64, &mut one);
        int(2, text.len() as u64 + 1, &mut one);
        text.extend([kind.to_owned(), unit.to_owned()]);
        bytes(1, &one, &mut all);
    }
    let mut frames = Vec::new();
    for i in 0..count {
        stack(i, side, &mut frames);
        one.clear();
        list.clear();
        for &f in frames.iter().rev() {
            varint(f as u64 + 1, &mut list);
        }
        bytes(1, &list, &mut one);
        list.clear();
        for v in values(i, side) {
            varint(v as u64, &mut list);
        }
        bytes(2, &list, &mut one);
        bytes(2, &one, &mut all);
        if all.len() > 1 << 16 {
            out.write_all(&all)?;
            all.clear();
        }
    }
    let first = text.len() as u64;
    for f in 0..FRAMES as u64 {
        one.clear();
        list.clear();
        int(1, f + 1, &mut list);
        int(2, 1 + f % 900, &mut list);
        int(1, f + 1, &mut one);
        // Every side was loaded at another address.
        int(3, 0x40_0000 + side * 0x10_0000 + f * 16, &mut one);
        bytes(4, &list, &mut one);
        bytes(4, &one, &mut all);
    }
    for f in 0..FRAMES as u64 {
        one.clear();
        int(1, f + 1, &mut one);
        int(2, first + f, &mut one);
        int(4, first + FRAMES as u64 + f % 300, &mut one);
        bytes(5, &one, &mut all);
    }
    text.extend((0..FRAMES).map(name));
    text.extend((0..300).map(|n| format!("/src/service/module_{n}.go")));
    for t in &text {
        bytes(6, t.as_bytes(), &mut all);
    }
    one.clear();
    int(1, 3, &mut one);
    int(2, 2, &mut one);
    bytes(11, &one, &mut all);
    int(12, 524_288, &mut all);
    out.write_all(&all)
}
