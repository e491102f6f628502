//! Objects of a Ruby process, as `ObjectSpace.dump_all` of the `objspace` library writes them.
//!
//! One line of JSON for each root, object and, since Ruby 3.2, shape. Ruby's authors call the
//! format experimental: every field may be missing, and old versions write lines that are no JSON;
//! those are passed over and counted. References have no names; where the shapes of objects are in
//! the dump, those of instance variables are told by them. A first line by `heapdiff capture ruby`
//! says after how many runs the dump was made.

mod lines;
mod names;
#[cfg(test)]
mod tests;

use super::feed::Feed;
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Place, Result};
use crate::input::{Packing, Source};
use crate::model::{Defined, Frame, GcMode, GraphBuilder, IdKind, LabelId, Salvage, TypeId};
use lines::{Line, Object};
use names::Names;

/// The format of `ObjectSpace.dump_all`.
pub static FORMAT: Format = Format {
    name: "ruby-objspace",
    title: "Ruby objects (ObjectSpace.dump_all)",
    recipe: "ruby -robjspace -e 'GC.start; ObjectSpace.dump_all(output: File.open(\"run-050.rbheap\", \"w\"))'",
    sniff,
    read,
};

fn sniff(head: &[u8]) -> Match {
    let has = |key: &[u8]| memchr::memmem::find(head, key).is_some();
    let starts = |key: &[u8]| head.starts_with(key);
    if starts(b"{\"format\":\"heapdiff-ruby\"") {
        return Match::Yes;
    }
    let root = has(b"\"type\":\"ROOT\"") && has(b"\"root\":");
    let object = has(b"\"address\":\"0x") && has(b"\"type\":\"") && has(b"\"memsize\":");
    if (starts(b"{\"type\":\"ROOT\"") && root) || (starts(b"{\"address\":\"0x") && object) {
        Match::Yes
    } else {
        Match::No
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("Ruby heap dump")?;
    let mut reading = Reading {
        builder: GraphBuilder::by_id(),
        names: Names::default(),
        roots: 0,
        bad: None,
        bad_lines: 0,
    };
    let mut feed = Feed::new(source);
    let mut object = Object::default();
    let mut number = 0u64;
    let mut cut = None;
    loop {
        let length = match line(&mut feed) {
            Ok(Some((length, ended))) => {
                if !ended {
                    cut = Some((feed.offset(), number + 1));
                }
                length
            }
            Ok(None) => break,
            Err(e) if e.code() == Code::Truncated && !cx.strict && number > 0 => {
                cut = Some((feed.offset(), number + 1));
                break;
            }
            Err(e) => return Err(e),
        };
        number += 1;
        let text = &feed.rest()[..length];
        // A last line without its end is whole if it is JSON.
        match lines::parse(text, cx.limits.nesting, &mut object) {
            Ok(line) => {
                cut = None;
                reading.line(line, &object, text, number, cx)?;
            }
            Err(e) => {
                if cut.is_none() {
                    reading.bad_lines += 1;
                    reading.bad.get_or_insert((number, e));
                }
            }
        }
        let ended = usize::from(feed.rest().get(length) == Some(&b'\n'));
        feed.consume(length + ended);
    }
    let read = feed.offset();
    reading.finish(cut, read, source, cx)
}

/// The length of the next line, and whether its end is there; none at the end of the file.
fn line(feed: &mut Feed<'_>) -> Result<Option<(usize, bool)>> {
    let mut seen = 0;
    loop {
        let rest = feed.rest();
        if let Some(n) = memchr::memchr(b'\n', &rest[seen..]) {
            return Ok(Some((seen + n, true)));
        }
        seen = rest.len();
        if !feed.more()? {
            return Ok((seen > 0).then_some((seen, false)));
        }
    }
}

struct Reading {
    builder: GraphBuilder,
    names: Names,
    roots: u64,
    bad: Option<(u64, Error)>,
    bad_lines: u64,
}

impl Reading {
    fn line(
        &mut self,
        line: Line,
        object: &Object,
        text: &[u8],
        number: u64,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        match line {
            Line::Blank => Ok(()),
            Line::Header => {
                names::facts(self.builder.meta(), text);
                Ok(())
            }
            Line::Root => {
                let name = lines::text(text, object.name);
                let (kind, name) = (names::root_kind(&name), cx.symbols.strings.intern(&name));
                for &to in &object.references {
                    self.roots += 1;
                    let to = self.builder.target(to)?;
                    self.builder.root(to, kind, name, false);
                }
                Ok(())
            }
            Line::Shape => {
                self.names.shape(object, text, cx.symbols);
                Ok(())
            }
            Line::Object => self.object(object, text, number, cx),
        }
    }

    fn object(
        &mut self,
        object: &Object,
        text: &[u8],
        number: u64,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        if let Defined::Again(_) = self.builder.define(object.address)? {
            return Err(Error::new(
                Code::Damaged,
                format!("the object 0x{:x} is written twice", object.address),
            )
            .at(Place::Line(number))
            .help("is it two dumps in one file? give each a file of its own"));
        }
        let kind = self.names.kind(object, text, cx.symbols);
        self.builder.node(TypeId(kind), object.memsize, None)?;
        // The interpreter's own objects have no class: what is written there is another field.
        let internal = object.kind.clone().and_then(|k| text.get(k)) == Some(b"IMEMO");
        if object.class != 0 && !internal {
            let class = self.builder.target(object.class)?;
            self.builder.edge(class, LabelId(names::CLASS))?;
        }
        for (place, &to) in object.references.iter().enumerate() {
            let label = self.names.label(object, text, place);
            let to = self.builder.target(to)?;
            self.builder.edge(to, LabelId(label))?;
        }
        self.builder.end_row();
        if object.line > 0 || object.file.is_some() {
            let strings = &mut cx.symbols.strings;
            let frame = Frame {
                file: strings.intern(&lines::text(text, object.file)),
                line: object.line,
                ..Frame::named(strings.intern(&lines::text(text, object.method)))
            };
            let frame = cx.symbols.frames.intern(frame);
            let stack = cx.symbols.stacks.intern_root_first(&[frame]);
            self.builder.site(stack.index() as u32);
        }
        if cx.values && object.value.is_some() {
            let value: String = lines::text(text, object.value).chars().take(80).collect();
            self.builder.value(cx.symbols.strings.intern(&value));
        }
        Ok(())
    }

    fn finish(
        mut self,
        cut: Option<(u64, u64)>,
        read: u64,
        source: &Source,
        cx: &mut Context<'_>,
    ) -> Result<Vec<Capture>> {
        if let Some((line, e)) = &self.bad
            && (self.bad_lines * 100 > self.builder.nodes() as u64 || cx.strict)
        {
            return Err(
                Error::new(Code::Damaged, format!("the line cannot be read ({e})"))
                    .at(Place::Line(*line))
                    .help("the dump is damaged: make it again"),
            );
        }
        if self.builder.nodes() == 0 {
            return Err(Error::new(Code::Damaged, "the dump holds no object")
                .at(Place::Line(1))
                .help("make it with ObjectSpace.dump_all"));
        }
        if let (Some((at, line)), true) = (cut, cx.strict) {
            return Err(Error::truncated(at, "the last line is cut short").at(Place::Line(line)));
        }
        self.names.resolve(&mut self.builder, cx.symbols);
        let (roots, bad) = (self.roots, self.bad_lines);
        let meta = self.builder.meta();
        meta.runtime = "ruby".into();
        meta.id_kind = IdKind::Address;
        meta.producer
            .get_or_insert_with(|| "ObjectSpace.dump_all".into());
        meta.counts.unknown += bad;
        if bad > 0 {
            meta.notes.push(format!("{bad} lines could not be read"));
        }
        if roots == 0 {
            meta.notes.push(
                "the dump has no roots (was it made with since:?): nothing can be said to be held"
                    .into(),
            );
        }
        if meta.gc == GcMode::Unknown {
            meta.notes.push(
                "it is not known whether GC.start ran before: dead objects may be in the dump"
                    .into(),
            );
        }
        if cut.is_some() {
            meta.salvaged = Some(Salvage {
                read_bytes: read,
                of_bytes: match source.packing() {
                    Packing::Plain => source.stored_bytes(),
                    _ => read,
                },
                reason: "cut short: holders may be missing".into(),
            });
        }
        Ok(vec![Capture::Graph(self.builder.finish())])
    }
}
