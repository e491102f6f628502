//! V8 sampling heap profiles (`.heapprofile`), as Node, Chrome, Deno and Electron write them.
//!
//! A tree of functions, root first, each with the estimated bytes that it allocated itself and
//! that were alive when the profile was taken. V8 has scaled the samples up already; the interval
//! at which it took them is not recorded. Buffers and native memory are not in it. Written from
//! V8's `sampling-heap-profiler.cc` and `v8-heap-profiler-agent-impl.cc`.

use super::json::Scanner;
use super::tree::{ROOT, Tree};
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::Source;
use crate::model::{Exactness, Frame, Meta, Metric, ProfileBuilder, Sampling, StrId, Symbols};
use rustc_hash::FxHashMap;

/// The format of `node --heap-prof`.
pub static FORMAT: Format = Format {
    name: "heapprofile",
    title: "V8 sampling heap profile",
    recipe: "node --heap-prof app.js",
    sniff,
    read,
};

/// Functions nested deeper than this are no program: V8 keeps 128 at most.
const DEEPEST: usize = 1 << 16;

fn sniff(head: &[u8]) -> Match {
    let has = |key: &[u8]| head.windows(key.len()).any(|w| w == key);
    let start = head.iter().find(|b| !b.is_ascii_whitespace());
    // A profile with a short head may have its samples first.
    if start == Some(&b'{') && has(b"\"callFrame\"") && has(b"\"selfSize\"") && has(b"\"head\"") {
        Match::Yes
    } else {
        Match::No
    }
}

/// One function at one place of the tree; parents come before their children.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    frame: Option<Frame>,
    bytes: f64,
    id: i64,
}

impl Node {
    fn under(parent: u32) -> Node {
        Node {
            parent,
            frame: None,
            bytes: 0.0,
            id: -1,
        }
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("V8 heap profile")?;
    let bytes = source.bytes()?;
    let mut s = Scanner::new(&bytes, cx.limits.nesting);
    let mut nodes = Vec::new();
    let mut samples = Samples::default();
    if s.begin_object()? {
        loop {
            match s.key()? {
                b"head" if nodes.is_empty() => tree(&mut s, &mut nodes, cx.symbols)?,
                b"samples" if s.peek() == Some(b'[') => samples.read(&mut s)?,
                _ => s.skip_value()?,
            }
            if !s.next_member()? {
                break;
            }
        }
    }
    s.end()?;
    if nodes.is_empty() {
        return Err(Error::new(
            Code::Unrecognised,
            "is no V8 heap profile: it has no head",
        ));
    }
    let mut builder = ProfileBuilder::new(vec![Metric::known("live_bytes")]);
    let mut ours = Tree::new();
    let mut own: Vec<u32> = Vec::with_capacity(nodes.len());
    let mut scratch = Vec::new();
    let mut smallest = f64::INFINITY;
    for (i, node) in nodes.iter().enumerate() {
        // The head is V8's own root, which no stack of a program has.
        let at = match (i, node.frame) {
            (0, _) => ROOT,
            (_, Some(frame)) => {
                let frame = cx.symbols.frames.intern(frame);
                ours.child(own[node.parent as usize], frame)
            }
            (_, None) => own[node.parent as usize],
        };
        own.push(at);
        if node.bytes > 0.0 {
            smallest = smallest.min(node.bytes);
            let stack = ours.stack(at, bytes.len() as u64, cx.symbols, &mut scratch)?;
            builder.add(stack, &[node.bytes.round() as i64])?;
        }
    }
    let mut meta = Meta {
        producer: Some("V8".into()),
        exactness: Exactness::Sampled,
        sampling: Some(Sampling {
            mean_bytes: None,
            // A block smaller than the interval counts as about one interval.
            estimated_mean_bytes: Some(smallest.min(samples.smallest)).filter(|n| n.is_finite()),
            unbiased: true,
        }),
        language: Some("js"),
        ..Meta::default()
    };
    samples.tell(&nodes, &mut meta.notes);
    if ours.cut > 0 {
        let note = format!("{} stacks cut to their innermost 1024 frames", ours.cut);
        meta.notes.push(note);
    }
    Ok(vec![Capture::Profile(builder.finish(meta))])
}

/// Reads the tree without recursion, whatever the order of the members.
fn tree(s: &mut Scanner<'_>, nodes: &mut Vec<Node>, symbols: &mut Symbols) -> Result<()> {
    let mut open: Vec<u32> = Vec::new();
    let anonymous = symbols.strings.intern("(anonymous)");
    // At the start of a node; `members` tells whether one of its members comes next.
    let mut members = enter(s, nodes, &mut open)?;
    loop {
        let Some(&at) = open.last() else {
            return Ok(());
        };
        if members {
            let node = &mut nodes[at as usize];
            match s.key()? {
                b"callFrame" => node.frame = Some(frame(s, symbols, anonymous)?),
                b"selfSize" => {
                    let place = s.offset() as u64;
                    node.bytes = s.float()?;
                    if !(0.0..9e15).contains(&node.bytes) {
                        return Err(Error::damaged(place, "a size below 0 or above 2^53"));
                    }
                }
                b"id" => node.id = s.float()? as i64,
                b"children" if s.peek() == Some(b'[') => {
                    if s.begin_array()? {
                        members = enter(s, nodes, &mut open)?;
                        continue;
                    }
                }
                _ => s.skip_value()?,
            }
            members = s.next_member()?;
        }
        while !members {
            // The node has ended: a sibling follows, or its parent goes on.
            open.pop();
            if open.is_empty() {
                return Ok(());
            }
            if s.next_element()? {
                members = enter(s, nodes, &mut open)?;
            } else {
                members = s.next_member()?;
            }
        }
    }
}

/// Enters the node that comes next; `false` when it is empty.
fn enter(s: &mut Scanner<'_>, nodes: &mut Vec<Node>, open: &mut Vec<u32>) -> Result<bool> {
    if open.len() == DEEPEST {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("functions are nested deeper than {DEEPEST}"),
        )
        .at(Place::Byte(s.offset() as u64))
        .help("this is no heap profile"));
    }
    let members = s.begin_object()?;
    nodes.push(Node::under(open.last().copied().unwrap_or(0)));
    open.push(nodes.len() as u32 - 1);
    Ok(members)
}

fn frame(s: &mut Scanner<'_>, symbols: &mut Symbols, anonymous: StrId) -> Result<Frame> {
    let mut frame = Frame::named(anonymous);
    if !s.begin_object()? {
        return Ok(frame);
    }
    loop {
        match s.key()? {
            b"functionName" => {
                let name = symbols.strings.intern(&s.string()?);
                frame.function = if name.is_empty() { anonymous } else { name };
            }
            b"url" => frame.file = symbols.strings.intern(&s.string()?),
            // Both count from 0 here; -1 is unknown.
            b"lineNumber" => frame.line = position(s)?,
            b"columnNumber" => frame.column = position(s)?,
            _ => s.skip_value()?,
        }
        if !s.next_member()? {
            return Ok(frame);
        }
    }
}

fn position(s: &mut Scanner<'_>) -> Result<u32> {
    let n = s.float()? + 1.0;
    Ok(if (0.0..4e9).contains(&n) { n as u32 } else { 0 })
}

/// The list of samples: how many there were is the weight of the estimates.
#[derive(Debug)]
struct Samples {
    count: u64,
    smallest: f64,
    of_node: FxHashMap<i64, u64>,
}

impl Default for Samples {
    fn default() -> Self {
        Samples {
            count: 0,
            smallest: f64::INFINITY,
            of_node: FxHashMap::default(),
        }
    }
}

impl Samples {
    fn read(&mut self, s: &mut Scanner<'_>) -> Result<()> {
        if !s.begin_array()? {
            return Ok(());
        }
        loop {
            let mut more = s.begin_object()?;
            while more {
                match s.key()? {
                    b"size" => {
                        let size = s.float()?;
                        if size > 0.0 {
                            self.smallest = self.smallest.min(size);
                        }
                    }
                    b"nodeId" => *self.of_node.entry(s.float()? as i64).or_insert(0) += 1,
                    _ => s.skip_value()?,
                }
                more = s.next_member()?;
            }
            self.count += 1;
            if !s.next_element()? {
                return Ok(());
            }
        }
    }

    fn tell(&mut self, nodes: &[Node], notes: &mut Vec<String>) {
        if self.count == 0 {
            return;
        }
        notes.push(format!(
            "estimated from {} samples of live objects; Buffers and native memory are not seen",
            self.count
        ));
        for node in nodes {
            self.of_node.remove(&node.id);
        }
        let lost: u64 = self.of_node.values().sum();
        if lost > 0 {
            notes.push(format!("{lost} samples name a function that is not there"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Limits, Profile};

    fn read_text(text: &str) -> Result<(Profile, Vec<String>)> {
        let mut symbols = Symbols::default();
        let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default())?;
        let mut captures = read(&source, &mut Context::new(&mut symbols))?;
        let p = captures.remove(0).into_profile().unwrap();
        let rows = (0..p.len()).map(|i| {
            let frames = symbols.stacks.frames(p.stacks[i]).map(|f| {
                let f = symbols.frames.get(f);
                let text = |id| symbols.strings.get(id);
                format!(
                    "{} {}:{}:{}",
                    text(f.function),
                    text(f.file),
                    f.line,
                    f.column
                )
            });
            let frames: Vec<String> = frames.collect();
            format!("{} = {}", frames.join(" < "), p.columns[0].get(i))
        });
        let rows = rows.collect();
        Ok((p, rows))
    }

    const SMALL: &str = r#"{"head":{"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":0,"id":1,
      "children":[{"callFrame":{"functionName":"leak","scriptId":"9","url":"file:///app/t.js","lineNumber":3,"columnNumber":16},
      "selfSize":131088,"id":2,"children":[]},
      {"children":[{"selfSize":1.5e2,"callFrame":{"functionName":"","url":"a.js","lineNumber":0,"columnNumber":0}}],
       "callFrame":{"functionName":"(V8 API)","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":8},
      {"callFrame":{"functionName":"leak","scriptId":"10","url":"file:///app/t.js","lineNumber":3,"columnNumber":16},"selfSize":12}]},
      "samples":[{"size":65544,"nodeId":2,"ordinal":7},{"size":65544,"nodeId":2,"ordinal":3},{"size":70000,"nodeId":77,"ordinal":4}],"startTime":0}"#;

    #[test]
    fn the_tree_in_any_order_of_members() {
        assert_eq!(sniff(SMALL.as_bytes()), Match::Yes);
        let (p, rows) = read_text(SMALL).unwrap();
        assert_eq!(
            rows,
            [
                "leak file:///app/t.js:4:17 = 131100",
                "(V8 API) :0:0 = 8",
                "(V8 API) :0:0 < (anonymous) a.js:1:1 = 150",
            ]
        );
        assert_eq!(p.meta.exactness, Exactness::Sampled);
        let sampling = p.meta.sampling.unwrap();
        assert_eq!((sampling.mean_bytes, sampling.unbiased), (None, true));
        assert_eq!(sampling.estimated_mean_bytes, Some(8.0));
        assert!(p.meta.notes[0].contains("3 samples"), "{:?}", p.meta.notes);
        assert!(
            p.meta.notes[1].contains("1 samples name"),
            "{:?}",
            p.meta.notes
        );
    }

    #[test]
    fn thousands_of_nested_functions() {
        let deep = |n: usize| {
            let node = r#"{"callFrame":{"functionName":"f"},"selfSize":1,"children":["#;
            format!(r#"{{"head":{}{}}}"#, node.repeat(n), "]}".repeat(n))
        };
        let (p, _) = read_text(&deep(5000)).unwrap();
        assert_eq!(p.columns[0].sum(), 5000);
        assert!(p.meta.notes.iter().any(|n| n.contains("1024")));
        let error = read_text(&deep(70_000)).unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded);
    }

    #[test]
    fn damage_is_named() {
        for (text, code) in [
            (SMALL.replace("131088", "-5"), Code::Damaged),
            (SMALL.replace("131088", "\"x\""), Code::Damaged),
            (SMALL.replace("131088", "1e300"), Code::Damaged),
            (SMALL[..SMALL.len() - 9].to_owned(), Code::Truncated),
            (format!("{SMALL} 5"), Code::Damaged),
            (r#"{"head":[]}"#.to_owned(), Code::Damaged),
            (r#"{"heads":{}}"#.to_owned(), Code::Unrecognised),
        ] {
            let error = read_text(&text).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        }
    }
}
