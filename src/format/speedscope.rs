//! speedscope JSON, as speedscope itself and many exporters (`memray transform speedscope`)
//! write it: a table of frames and one or more profiles, of samples or of events.
//!
//! Written from jlfwong/speedscope `src/lib/file-format-spec.ts`. Only profiles that count bytes
//! or things are read: most speedscope files measure time.

use super::json::Scanner;
use super::tree::{ROOT, Tree};
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Result};
use crate::input::{Select, Source};
use crate::model::{Frame, FrameId, Meta, Metric, ProfileBuilder, StrId, Symbols};

/// The format of speedscope's files.
pub static FORMAT: Format = Format {
    name: "speedscope",
    title: "speedscope JSON",
    recipe: "python3 -m memray transform -o heap.speedscope.json speedscope capture.bin",
    sniff,
    read,
};

/// More profiles in one file than anybody chooses from.
const MOST_PROFILES: usize = 10_000;

fn sniff(head: &[u8]) -> Match {
    let has = |key: &[u8]| head.windows(key.len()).any(|w| w == key);
    if head.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        Match::No
    } else if has(b"speedscope.app/file-format-schema") {
        Match::Yes
    } else if has(b"\"shared\"") && has(b"\"frames\"") {
        Match::Maybe
    } else {
        Match::No
    }
}

/// What a profile's numbers count.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Bytes,
    None,
    Time,
}

/// A profile and where it begins.
#[derive(Debug)]
struct Part {
    offset: usize,
    name: String,
    unit: Unit,
    evented: bool,
}

#[derive(Debug, Default)]
struct File {
    frames: Vec<FrameId>,
    parts: Vec<Part>,
    active: Option<usize>,
    exporter: Option<String>,
    shared: bool,
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let nesting = cx.limits.nesting;
    let mut s = Scanner::new(&bytes, nesting);
    let file = outline(&mut s, cx.symbols)?;
    if !file.shared || file.parts.is_empty() {
        return Err(Error::new(
            Code::Unrecognised,
            "is no speedscope file: it has no profiles",
        ));
    }
    let (main, second) = choose(&file, cx.select.as_ref())?;
    let part = &file.parts[main];
    let mut meta = Meta {
        producer: file.exporter.clone(),
        ..Meta::default()
    };
    let first = match (part.unit, cx.unit.as_deref()) {
        (Unit::Bytes, _) | (_, Some("bytes")) => "bytes",
        (_, Some("blocks" | "objects" | "count")) => "blocks",
        (_, Some(other)) => {
            return Err(
                Error::usage(format!("a speedscope file does not count {other:?}"))
                    .help("say --unit bytes or --unit blocks"),
            );
        }
        (_, None) if counts_things(&part.name) => "blocks",
        (_, None) => {
            meta.notes
                .push("the profile does not say what it counts: bytes are assumed (--unit)".into());
            "bytes"
        }
    };
    let mut metrics = vec![Metric::known(first)];
    if second.is_some() {
        metrics.push(Metric::known("blocks"));
    }
    if file.parts.len() > 1 {
        let used = match second {
            Some(i) => format!("#{main} and #{i}"),
            None => format!("#{main}"),
        };
        meta.notes.push(format!(
            "profile {used} of {}, which count from #0",
            file.parts.len()
        ));
    }
    meta.default_metric = Some(first.to_owned());
    let mut builder = ProfileBuilder::new(metrics);
    let mut rounded = 0;
    for (column, &i) in [main].iter().chain(&second).enumerate() {
        let part = &file.parts[i];
        let mut s = Scanner::new(&bytes, nesting);
        s.seek(part.offset);
        rounded += if part.evented {
            events(
                &mut s,
                &file.frames,
                column,
                bytes.len(),
                cx.symbols,
                &mut builder,
            )?
        } else {
            samples(&mut s, &file.frames, column, cx.symbols, &mut builder)?
        };
    }
    if rounded > 0 {
        meta.notes
            .push(format!("{rounded} weights lost their decimals"));
    }
    Ok(vec![Capture::Profile(builder.finish(meta))])
}

fn counts_things(name: &str) -> bool {
    let name = name.to_lowercase();
    ["alloc", "count", "object", "block"]
        .iter()
        .any(|word| name.contains(word))
        && !["size", "byte", "space", "memory"]
            .iter()
            .any(|word| name.contains(word))
}

/// The profile to read, and one that counts the blocks of the same samples.
fn choose(file: &File, select: Option<&Select>) -> Result<(usize, Option<usize>)> {
    let parts = &file.parts;
    let last = parts.len() - 1;
    let no_time = |i: usize| match parts[i].unit {
        Unit::Time => Err(Error::new(
            Code::Unsupported,
            format!("profile #{i} measures time, not memory"),
        )
        .help("choose another one, such as #0, or export bytes")),
        _ => Ok(i),
    };
    match select {
        None => {}
        Some(Select::Number(n)) if *n <= last as u64 => return Ok((no_time(*n as usize)?, None)),
        Some(Select::Last) => return Ok((no_time(last)?, None)),
        Some(Select::Number(n)) => {
            return Err(Error::usage(format!(
                "there is no profile #{n}: the file holds {}, counted from #0",
                parts.len()
            ))
            .help("choose one that is there, or leave out the part after #"));
        }
        Some(Select::Ends) => return Err(super::alone()),
        Some(_) => {
            return Err(Error::usage("a speedscope file holds profiles, no moments")
                .help("choose a profile by its number, such as #0"));
        }
    }
    let active = file.active.filter(|&i| i <= last);
    let bytes = |i: &usize| parts[*i].unit == Unit::Bytes;
    if let Some(main) = active.filter(bytes).or_else(|| (0..=last).find(bytes)) {
        let second =
            (0..=last).find(|&i| parts[i].unit == Unit::None && counts_things(&parts[i].name));
        let alone = (0..=last).filter(bytes).count() == 1;
        return Ok((main, second.filter(|_| alone)));
    }
    let plain = (0..=last).find(|&i| parts[i].unit == Unit::None);
    no_time(
        active
            .filter(|&i| parts[i].unit == Unit::None)
            .or(plain)
            .unwrap_or(0),
    )
    .map(|i| (i, None))
}

/// Reads the table of frames, and of each profile what it is and where.
fn outline(s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<File> {
    let mut file = File::default();
    let mut more = s.begin_object()?;
    while more {
        match s.key()? {
            b"shared" => {
                file.shared = true;
                let mut more = s.begin_object()?;
                while more {
                    match s.key()? {
                        b"frames" => frames(s, symbols, &mut file.frames)?,
                        _ => s.skip_value()?,
                    }
                    more = s.next_member()?;
                }
            }
            b"profiles" => {
                let mut more = s.begin_array()?;
                while more {
                    if file.parts.len() == MOST_PROFILES {
                        return Err(s.error(format!("more than {MOST_PROFILES} profiles stand")));
                    }
                    file.parts.push(part(s)?);
                    more = s.next_element()?;
                }
            }
            b"activeProfileIndex" if s.peek() != Some(b'n') => {
                file.active = usize::try_from(s.float()? as i64).ok();
            }
            b"exporter" if s.peek() == Some(b'"') => file.exporter = Some(s.string()?.into_owned()),
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    s.end()?;
    Ok(file)
}

fn frames(s: &mut Scanner<'_>, symbols: &mut Symbols, out: &mut Vec<FrameId>) -> Result<()> {
    let mut more = s.begin_array()?;
    while more {
        let mut frame = Frame::named(StrId::EMPTY);
        let mut member = s.begin_object()?;
        while member {
            match (s.key()?, s.peek()) {
                (b"name", Some(b'"')) => frame.function = symbols.strings.intern(&s.string()?),
                (b"file", Some(b'"')) => frame.file = symbols.strings.intern(&s.string()?),
                (b"line", Some(b'0'..=b'9')) => frame.line = s.float()? as u32,
                (b"col", Some(b'0'..=b'9')) => frame.column = s.float()? as u32,
                _ => s.skip_value()?,
            }
            member = s.next_member()?;
        }
        out.push(symbols.frames.intern(frame));
        more = s.next_element()?;
    }
    Ok(())
}

fn part(s: &mut Scanner<'_>) -> Result<Part> {
    s.peek();
    let mut part = Part {
        offset: s.offset(),
        name: String::new(),
        unit: Unit::None,
        evented: false,
    };
    let mut more = s.begin_object()?;
    while more {
        match (s.key()?, s.peek()) {
            (b"name", Some(b'"')) => part.name = s.string()?.into_owned(),
            (b"unit", Some(b'"')) => {
                part.unit = match &*s.string()? {
                    "bytes" => Unit::Bytes,
                    "none" => Unit::None,
                    _ => Unit::Time,
                }
            }
            (b"type", Some(b'"')) => part.evented = s.string()? == "evented",
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    Ok(part)
}

fn frame_at(s: &mut Scanner<'_>, frames: &[FrameId]) -> Result<FrameId> {
    let place = s.offset() as u64;
    let i = s.integer()?;
    let frame = usize::try_from(i).ok().and_then(|i| frames.get(i));
    frame
        .copied()
        .ok_or_else(|| Error::damaged(place, format!("frame {i} of a table of {}", frames.len())))
}

/// A weight as a whole number, and whether it lost its decimals.
fn whole(s: &Scanner<'_>, weight: f64) -> Result<(i64, u64)> {
    if weight.abs() > 9e15 {
        return Err(s.error("a weight above 2^53 stands"));
    }
    let n = weight.round();
    Ok((n as i64, (n != weight) as u64))
}

fn values(column: usize, value: i64) -> [i64; 2] {
    let mut values = [0; 2];
    values[column.min(1)] = value;
    values
}

/// Adds the samples of a profile; returns how many weights lost decimals.
fn samples(
    s: &mut Scanner<'_>,
    frames: &[FrameId],
    column: usize,
    symbols: &mut Symbols,
    builder: &mut ProfileBuilder,
) -> Result<u64> {
    let mut stacks = Vec::new();
    let mut weights = None;
    let mut scratch = Vec::new();
    let mut more = s.begin_object()?;
    while more {
        match s.key()? {
            b"samples" => {
                let mut more = s.begin_array()?;
                while more {
                    scratch.clear();
                    let mut frame = s.begin_array()?;
                    while frame {
                        scratch.push(frame_at(s, frames)?);
                        frame = s.next_element()?;
                    }
                    stacks.push(symbols.stacks.intern_root_first(&scratch));
                    more = s.next_element()?;
                }
            }
            b"weights" => {
                s.peek();
                weights = Some(s.offset());
                s.skip_value()?;
            }
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    let Some(weights) = weights else {
        return Err(s.error("a sampled profile without weights stands"));
    };
    s.seek(weights);
    let (mut n, mut rounded) = (0, 0);
    let mut more = s.begin_array()?;
    while more {
        let (weight, lost) = {
            let w = s.float()?;
            whole(s, w)?
        };
        rounded += lost;
        let Some(&stack) = stacks.get(n) else {
            return Err(s.error("more weights than samples stand"));
        };
        builder.add(stack, &values(column, weight))?;
        n += 1;
        more = s.next_element()?;
    }
    if n < stacks.len() {
        return Err(s.error(format!("{n} weights for {} samples stand", stacks.len())));
    }
    Ok(rounded)
}

/// Adds what passes between the events of a profile to the frame that is then on top.
fn events(
    s: &mut Scanner<'_>,
    frames: &[FrameId],
    column: usize,
    size: usize,
    symbols: &mut Symbols,
    builder: &mut ProfileBuilder,
) -> Result<u64> {
    let mut tree = Tree::new();
    let mut open: Vec<(FrameId, u32)> = Vec::new();
    let mut scratch = Vec::new();
    let mut last: Option<f64> = None;
    let mut rounded = 0;
    let mut more = s.begin_object()?;
    while more {
        if s.key()? != b"events" {
            s.skip_value()?;
            more = s.next_member()?;
            continue;
        }
        let mut event = s.begin_array()?;
        while event {
            let (mut opens, mut frame, mut at) = (None, None, None);
            let mut member = s.begin_object()?;
            while member {
                match s.key()? {
                    b"type" => opens = Some(s.string()? == "O"),
                    b"frame" => frame = Some(frame_at(s, frames)?),
                    b"at" => at = Some(s.float()?),
                    _ => s.skip_value()?,
                }
                member = s.next_member()?;
            }
            let (Some(opens), Some(frame), Some(at)) = (opens, frame, at) else {
                return Err(s.error("an event without type, frame or place stands"));
            };
            let passed = at - last.unwrap_or(at);
            if passed < 0.0 {
                return Err(s.error("an event before the one before it stands"));
            }
            last = Some(at);
            let top = open.last().map_or(ROOT, |&(_, node)| node);
            if passed > 0.0 {
                let (weight, lost) = whole(s, passed)?;
                rounded += lost;
                let stack = tree.stack(top, size as u64, symbols, &mut scratch)?;
                builder.add(stack, &values(column, weight))?;
            }
            if opens {
                let node = tree.child(top, frame);
                open.push((frame, node));
            } else if open.pop().map(|(f, _)| f) != Some(frame) {
                return Err(s.error("the end of a frame that is not on top stands"));
            }
            event = s.next_element()?;
        }
        more = s.next_member()?;
    }
    Ok(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Limits, Profile};

    fn read_text(text: &str, select: Option<Select>) -> Result<(Profile, Vec<String>)> {
        let mut symbols = Symbols::default();
        let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default())?;
        let mut cx = Context::new(&mut symbols);
        cx.select = select;
        let all = read(&source, &mut cx)?;
        let p = all.into_iter().find_map(Capture::into_profile).unwrap();
        let rows = (0..p.len()).map(|i| {
            let frames = symbols.stacks.frames(p.stacks[i]);
            let names = frames.map(|f| symbols.strings.get(symbols.frames.get(f).function));
            let names: Vec<&str> = names.collect();
            let values: Vec<i64> = p.columns.iter().map(|c| c.get(i)).collect();
            format!("{} {values:?}", names.join(";"))
        });
        let rows = rows.collect();
        Ok((p, rows))
    }

    const HEAD: &str =
        r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","profiles":["#;
    const TAIL: &str = r#"],"shared":{"frames":[{"name":"main"},{"name":"a","file":"a.c","line":4,"col":2},{"name":"a","file":"a.c","line":4,"col":2}]},"exporter":"x@1"}"#;
    const BYTES: &str = r#"{"type":"sampled","name":"Memory","unit":"bytes","startValue":0,"endValue":30,"samples":[[0,1],[0],[0,2]],"weights":[10,5.5,15]}"#;
    const BLOCKS: &str = r#"{"weights":[1,2],"samples":[[0,1],[]],"type":"sampled","name":"Allocations","unit":"none"}"#;
    const TIME: &str =
        r#"{"type":"sampled","name":"t","unit":"seconds","samples":[],"weights":[]}"#;

    #[test]
    fn samples_and_their_blocks() {
        let text = format!("{HEAD}{TIME},{BYTES},{BLOCKS}{TAIL}");
        assert_eq!(sniff(text.as_bytes()), Match::Yes);
        let (p, rows) = read_text(&text, None).unwrap();
        assert_eq!(rows, ["main;a [25, 1]", "main [6, 0]", " [0, 2]"]);
        assert_eq!(p.meta.producer.as_deref(), Some("x@1"));
        assert!(
            p.meta.notes[0].contains("#1 and #2 of 3"),
            "{:?}",
            p.meta.notes
        );
        assert!(
            p.meta.notes[1].contains("1 weights lost"),
            "{:?}",
            p.meta.notes
        );
        let (_, rows) = read_text(&text, Some(Select::Number(2))).unwrap();
        assert_eq!(rows, ["main;a [1]", " [2]"]);
        let time = read_text(&text, Some(Select::Number(0))).unwrap_err();
        assert_eq!(time.code(), Code::Unsupported);
        assert_eq!(
            read_text(&text, Some(Select::Number(3)))
                .unwrap_err()
                .code(),
            Code::Usage
        );
        assert_eq!(
            read_text(&text, Some(Select::Peak)).unwrap_err().code(),
            Code::Usage
        );
    }

    #[test]
    fn events_give_what_lies_between_them() {
        let part = r#"{"type":"evented","name":"e","unit":"bytes","startValue":5,"events":[
            {"type":"O","frame":0,"at":5},{"type":"O","frame":1,"at":6},{"type":"C","frame":1,"at":16},{"type":"C","frame":0,"at":17}]}"#;
        let (_, rows) = read_text(&format!("{HEAD}{part}{TAIL}"), None).unwrap();
        assert_eq!(rows, ["main [2]", "main;a [10]"]);
        for (from, to) in [
            (
                r#"{"type":"C","frame":1,"at":16}"#,
                r#"{"type":"C","frame":0,"at":16}"#,
            ),
            (r#""at":16"#, r#""at":1"#),
            (r#""at":16"#, r#""to":16"#),
        ] {
            let bad = part.replace(from, to);
            let error = read_text(&format!("{HEAD}{bad}{TAIL}"), None).unwrap_err();
            assert_eq!(error.code(), Code::Damaged, "{error}");
        }
    }

    #[test]
    fn damage_is_named() {
        for (from, to) in [
            ("[0,2]", "[0,3]"),
            ("[0,2]", "[0,-1]"),
            ("5.5,15]", "5.5]"),
            ("5.5,15]", "5.5,15,1]"),
            ("\"weights\"", "\"weight\""),
            ("5.5", "1e999"),
            ("5.5", "1e17"),
        ] {
            let text = format!("{HEAD}{}{TAIL}", BYTES.replace(from, to));
            let error = read_text(&text, None).unwrap_err();
            assert_eq!(error.code(), Code::Damaged, "{error}");
            assert!(error.place().is_some());
        }
        let none = read_text(r#"{"shared":{"frames":[]},"profiles":[]}"#, None).unwrap_err();
        assert_eq!(none.code(), Code::Unrecognised);
        let only_time = read_text(&format!("{HEAD}{TIME}{TAIL}"), None).unwrap_err();
        assert_eq!(only_time.code(), Code::Unsupported);
    }
}
