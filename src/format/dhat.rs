//! DHAT JSON, as Valgrind's DHAT and the dhat crate write it; versions 1 and 2, every mode.
//!
//! Facts from Valgrind `dhat/dh_main.c` and dhat-rs `src/lib.rs`. The frame table comes last in
//! the file, so it is looked up first and the program points are then read in one pass.

use super::json::Scanner;
use super::{Capture, Context, Format, Match};
use crate::error::{Error, Place, Result};
use crate::input::{Bytes, Source};
use crate::model::{
    Exactness, Frame, FrameId, Meta, Metric, ProfileBuilder, StackId, StrId, Symbols, Unit,
};

/// The format's entry in the registry.
pub static FORMAT: Format = Format {
    name: "dhat",
    title: "DHAT JSON",
    recipe: "valgrind --tool=dhat --num-callers=40 ./program",
    sniff,
    read,
};

fn sniff(head: &[u8]) -> Match {
    let start = head
        .iter()
        .position(|b| !b.is_ascii_whitespace())
        .unwrap_or(0);
    if head.get(start) != Some(&b'{') {
        return Match::No;
    }
    let has = |key: &[u8], within: usize| {
        head[..head.len().min(within)]
            .windows(key.len())
            .any(|w| w == key)
    };
    if has(b"\"dhatFileVersion\"", 512) {
        Match::Yes
    } else if has(b"\"dhatFileVersion\"", usize::MAX)
        || (has(b"\"pps\"", usize::MAX) && has(b"\"tbk\"", usize::MAX))
    {
        Match::Maybe
    } else {
        Match::No
    }
}

/// The members of a program point that become metrics, with version 1's names.
const FIELDS: [(&[u8], &[u8]); 11] = [
    (b"eb", b"fb"),
    (b"ebk", b"fbk"),
    (b"gb", b""),
    (b"gbk", b""),
    (b"tb", b""),
    (b"tbk", b""),
    (b"mb", b""),
    (b"mbk", b""),
    (b"tl", b"tli"),
    (b"rb", b""),
    (b"wb", b""),
];
const NAMES: [&str; FIELDS.len()] = [
    "live_bytes",
    "live_blocks",
    "peak_bytes",
    "peak_blocks",
    "total_bytes",
    "total_blocks",
    "max_bytes",
    "max_blocks",
    "lifetime",
    "read_bytes",
    "written_bytes",
];
/// Counts that stand for an access histogram may claim any length; more than this is a lie.
const MOST_ACCESSES: i64 = 25_600;

#[derive(Debug, Default)]
struct Header {
    version: i64,
    mode: String,
    verb: String,
    unit: Option<String>,
    events: Option<String>,
    time_unit: String,
    command: String,
    pid: Option<u64>,
    end_time: Option<i64>,
    peak_time: Option<i64>,
    lifetimes: Option<bool>,
    accesses: Option<bool>,
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("DHAT")?;
    let bytes = source.bytes()?;
    let frames = match locate_frame_table(&bytes) {
        Some(offset) => Some(read_frame_table(&mut at(&bytes, offset, cx), cx.symbols)?),
        None => None,
    };
    let mut header = Header::default();
    let mut points: Option<Points> = None;
    let mut table_seen = false;
    let mut s = Scanner::new(&bytes, cx.limits.nesting);
    let mut more = s.begin_object()?;
    while more {
        match s.key()? {
            b"dhatFileVersion" => header.version = s.integer()?,
            b"mode" => header.mode = s.string()?.into_owned(),
            b"verb" => header.verb = s.string()?.into_owned(),
            b"bsu" => header.unit = Some(s.string()?.into_owned()),
            b"bksu" => header.events = Some(s.string()?.into_owned()),
            b"tu" => header.time_unit = s.string()?.into_owned(),
            b"cmd" => header.command = s.string()?.into_owned(),
            b"pid" => header.pid = u64::try_from(s.integer()?).ok(),
            b"te" | b"ei" => header.end_time = Some(s.integer()?),
            b"tg" | b"mi" => header.peak_time = Some(s.integer()?),
            b"bklt" => header.lifetimes = Some(s.boolean()?),
            b"bkacc" => header.accesses = Some(s.boolean()?),
            b"pps" | b"aps" if points.is_none() => {
                let frames = match &frames {
                    Some(frames) => frames,
                    None => return Err(no_frame_table(&bytes)),
                };
                points = Some(read_points(&mut s, &bytes, frames, cx.symbols)?);
            }
            b"ftbl" => {
                table_seen = true;
                s.skip_value()?;
            }
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    s.end()?;
    let Some(points) = points else {
        return Err(not_dhat("there are no program points (\"pps\")"));
    };
    if !table_seen {
        return Err(no_frame_table(&bytes));
    }
    if !(1..=2).contains(&header.version) {
        return Err(not_dhat(format!(
            "file version {} is not known",
            header.version
        )));
    }
    finish(header, points).map(|p| vec![Capture::Profile(p)])
}

fn not_dhat(what: impl Into<String>) -> Error {
    Error::new(
        crate::error::Code::Damaged,
        format!("no DHAT profile: {}", what.into()),
    )
    .help("versions 1 and 2 of dhatFileVersion are read")
}

fn no_frame_table(bytes: &[u8]) -> Error {
    Error::truncated(
        bytes.len() as u64,
        "the frame table (\"ftbl\") at the end of the file is missing",
    )
}

fn at<'a>(bytes: &'a [u8], offset: usize, cx: &Context<'_>) -> Scanner<'a> {
    let mut s = Scanner::new(bytes, cx.limits.nesting);
    s.seek(offset);
    s
}

/// Offset of the frame table's `[`. Looked for from the end, where both tools put it: a quoted
/// `"ftbl"` in front of a colon cannot stand inside a string, whose quotes are escaped.
fn locate_frame_table(bytes: &[u8]) -> Option<usize> {
    let key = b"\"ftbl\"";
    let mut end = bytes.len();
    loop {
        let found = memchr::memmem::rfind(&bytes[..end], key)?;
        let mut s = Scanner::new(bytes, 1);
        s.seek(found + key.len());
        let escaped = found > 0 && bytes[found - 1] == b'\\';
        if !escaped && s.accept(b':') && s.peek() == Some(b'[') {
            return Some(s.offset());
        }
        end = found;
    }
}

/// The frame table: for each entry the interned frame, and nothing for `[root]`. Entries that
/// share an address are one physical frame, callee first: all but the last are inlined.
fn read_frame_table(s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<Vec<Option<FrameId>>> {
    let mut frames = Vec::new();
    let mut waiting: Option<(u64, Frame)> = None;
    let mut more = s.begin_array()?;
    while more {
        let text = s.string()?;
        let next = if text == "[root]" {
            None
        } else {
            let (address, name) = split_address(&text);
            Some((address, frame_of(name, symbols)))
        };
        if let Some((address, mut frame)) = waiting.take() {
            frame.inlined = address != 0 && next.is_some_and(|(a, _)| a == address);
            frames.push(Some(symbols.frames.intern(frame)));
        }
        match next {
            Some(entry) => waiting = Some(entry),
            None => frames.push(None),
        }
        more = s.next_element()?;
    }
    if let Some((_, frame)) = waiting {
        frames.push(Some(symbols.frames.intern(frame)));
    }
    Ok(frames)
}

/// `0x1F: name` is an address and a name; anything else is all name, at address 0.
fn split_address(text: &str) -> (u64, &str) {
    if let Some(rest) = text.strip_prefix("0x")
        && let Some((hex, name)) = rest.split_once(':')
        && let Ok(address) = u64::from_str_radix(hex, 16)
    {
        return (address, name.strip_prefix(' ').unwrap_or(name));
    }
    (0, text)
}

/// Takes `function (file:line:col)` or `function (in object)` apart. Names hold parentheses of
/// their own, so the location is the rightmost balanced group that looks like one.
fn frame_of(text: &str, symbols: &mut Symbols) -> Frame {
    let strings = &mut symbols.strings;
    let mut frame = Frame::named(StrId::EMPTY);
    let unknown = |s: &str| s.is_empty() || s == "???";
    let Some((name, location)) = split_location(text) else {
        frame.function = strings.intern(text);
        return frame;
    };
    frame.function = strings.intern(name);
    match location {
        Location::Object(object) if unknown(object) => {}
        Location::Object(object) => frame.module = strings.intern(object),
        Location::Source(file, line, column) => {
            if !unknown(file) {
                frame.file = strings.intern(file);
                frame.line = line;
                frame.column = column;
            }
        }
    }
    frame
}

#[derive(Debug, PartialEq)]
enum Location<'a> {
    Object(&'a str),
    Source(&'a str, u32, u32),
}

fn split_location(text: &str) -> Option<(&str, Location<'_>)> {
    let body = text.strip_suffix(')')?;
    let mut depth = 0i32;
    let mut groups = 0;
    for (i, b) in body.bytes().enumerate().rev() {
        match b {
            b')' => depth += 1,
            b'(' if depth > 0 => depth -= 1,
            b'(' => {
                if i > 0
                    && body.as_bytes()[i - 1] == b' '
                    && let Some(location) = location_of(&body[i + 1..])
                {
                    return Some((&body[..i - 1], location));
                }
                groups += 1;
                if groups > 8 {
                    return None;
                }
            }
            _ => {}
        }
    }
    None
}

fn location_of(inside: &str) -> Option<Location<'_>> {
    if let Some(object) = inside.strip_prefix("in ") {
        return Some(Location::Object(object));
    }
    let (rest, last) = inside.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    if let Some((file, line)) = rest.rsplit_once(':')
        && let Ok(line) = line.parse()
        && !file.is_empty()
    {
        return Some(Location::Source(file, line, last));
    }
    (!rest.is_empty()).then_some(Location::Source(rest, last, 0))
}

/// Program points as they stand in the file, with the fields that occurred.
struct Points {
    builder: ProfileBuilder,
    present: u16,
}

fn read_points(
    s: &mut Scanner<'_>,
    bytes: &Bytes<'_>,
    frames: &[Option<FrameId>],
    symbols: &mut Symbols,
) -> Result<Points> {
    let metrics = NAMES.iter().map(|name| Metric::known(name)).collect();
    let mut builder = ProfileBuilder::new(metrics);
    let mut present = 0u16;
    let mut released = 0;
    let mut stack: Vec<FrameId> = Vec::new();
    let mut more = s.begin_array()?;
    while more {
        let start = s.offset();
        let mut values = [0i64; FIELDS.len()];
        let mut has_stack = false;
        let mut member = s.begin_object()?;
        while member {
            let key = s.key()?;
            if key == b"fs" {
                has_stack = true;
                read_stack(s, frames, &mut stack)?;
            } else if key == b"acc" {
                check_accesses(s)?;
            } else if let Some(i) = FIELDS
                .iter()
                .position(|&(name, old)| key == name || (!old.is_empty() && key == old))
            {
                let place = s.offset();
                values[i] = s.integer()?;
                if values[i] < 0 {
                    return Err(Error::damaged(
                        place as u64,
                        format!("{} is negative", NAMES[i]),
                    ));
                }
                present |= 1 << i;
            } else {
                s.skip_value()?;
            }
            member = s.next_member()?;
        }
        if !has_stack {
            return Err(Error::damaged(
                start as u64,
                "a program point has no stack (\"fs\")",
            ));
        }
        let id = if stack.is_empty() {
            StackId::EMPTY
        } else {
            symbols.stacks.intern_leaf_first(&stack)
        };
        builder
            .add(id, &values)
            .map_err(|e| e.at(Place::Byte(start as u64)))?;
        bytes.release(&mut released, start);
        more = s.next_element()?;
    }
    Ok(Points { builder, present })
}

/// A stack, leaf first. `[root]` is no frame. Valgrind writes `"fs":]` where it skipped every
/// frame; that is read as an empty stack.
fn read_stack(
    s: &mut Scanner<'_>,
    frames: &[Option<FrameId>],
    stack: &mut Vec<FrameId>,
) -> Result<()> {
    stack.clear();
    if s.accept(b']') {
        return Ok(());
    }
    let mut more = s.begin_array()?;
    while more {
        let place = s.offset();
        let index = s.integer()?;
        match usize::try_from(index).ok().and_then(|i| frames.get(i)) {
            Some(Some(frame)) => stack.push(*frame),
            Some(None) => {}
            None => {
                return Err(Error::damaged(
                    place as u64,
                    format!(
                        "frame {index} is out of range, the table has {}",
                        frames.len()
                    ),
                ));
            }
        }
        more = s.next_element()?;
    }
    Ok(())
}

/// The access histogram is not used; its run lengths are held against the format's own bound.
fn check_accesses(s: &mut Scanner<'_>) -> Result<()> {
    let mut total = 0i64;
    let mut repeat = 1;
    let mut more = s.begin_array()?;
    while more {
        let place = s.offset();
        let n = s.integer()?;
        if n < 0 {
            repeat = n.saturating_neg();
        } else {
            total = total.saturating_add(repeat);
            repeat = 1;
        }
        if total > MOST_ACCESSES || repeat > MOST_ACCESSES {
            return Err(Error::damaged(
                place as u64,
                "an access histogram claims an impossible length",
            ));
        }
        more = s.next_element()?;
    }
    Ok(())
}

fn finish(header: Header, points: Points) -> Result<crate::model::Profile> {
    let valgrind = !header.mode.starts_with("rust");
    let copies = header.verb == "Copied" || header.mode == "copy";
    let counts_bytes = header.unit.is_none();
    let mut profile = points.builder.finish(Meta::default());
    let has_lifetimes = header.lifetimes.unwrap_or(true);
    let has_accesses = header.accesses.unwrap_or(true);
    let mut keep = Vec::new();
    for (i, metric) in profile.metrics.iter_mut().enumerate() {
        let declared = match NAMES[i] {
            "total_bytes" | "total_blocks" => true,
            "read_bytes" | "written_bytes" => has_accesses,
            _ => has_lifetimes,
        };
        // An empty list of points still has the metrics that its header declares.
        keep.push(declared && (points.present & (1 << i) != 0 || profile.stacks.is_empty()));
        match NAMES[i] {
            "lifetime" => metric.unit = Unit::Named(header.time_unit.clone()),
            "total_bytes" if copies => *metric = Metric::known("copied_bytes"),
            "total_blocks" if copies => *metric = Metric::known("copied_blocks"),
            "total_bytes" if !counts_bytes => *metric = ad_hoc(header.unit.as_deref(), "units"),
            "total_blocks" if !counts_bytes => *metric = ad_hoc(header.events.as_deref(), "events"),
            _ => {}
        }
    }
    let mut it = keep.iter();
    profile.metrics.retain(|_| *it.next().unwrap_or(&false));
    let mut it = keep.iter();
    profile.columns.retain(|_| *it.next().unwrap_or(&false));
    let mut notes = Vec::new();
    if let (Some(peak), Some(end), true) = (header.peak_time, header.end_time, has_lifetimes) {
        notes.push(format!("peak at {peak} of {end} {}", header.time_unit));
    }
    profile.meta = Meta {
        producer: Some(if valgrind {
            format!("Valgrind DHAT ({})", header.mode)
        } else {
            format!("dhat-rs ({})", header.mode)
        }),
        command: (!header.command.is_empty()).then_some(header.command),
        pid: header.pid,
        exactness: Exactness::Exact,
        default_metric: profile.metrics.first().map(|m| m.name.clone()),
        language: (!valgrind).then_some("rust"),
        notes,
        ..Meta::default()
    };
    Ok(profile)
}

/// Ad-hoc profiles count what the program says, in its own units.
fn ad_hoc(word: Option<&str>, default: &str) -> Metric {
    let word = word.filter(|w| !w.is_empty()).unwrap_or(default);
    Metric::new(&format!("total_{word}"), Unit::Named(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::model::{Limits, Profile};

    fn parse(text: &[u8]) -> Result<(Profile, Symbols)> {
        let source = Source::from_bytes("x.json", text.to_vec(), Limits::default())?;
        let mut symbols = Symbols::default();
        let mut captures = read(&source, &mut Context::new(&mut symbols))?;
        let profile = captures.remove(0).into_profile().unwrap();
        profile.check_valid(&symbols)?;
        Ok((profile, symbols))
    }

    fn doc(points: &str, table: &str) -> Vec<u8> {
        format!(
            r#"{{"dhatFileVersion":2,"mode":"heap","verb":"Allocated","bklt":true,"bkacc":true,
            "tu":"instrs","Mtu":"Minstr","tuth":500,"cmd":"./demo","pid":7,"te":9000,"tg":4000,
            "pps":[{points}],"ftbl":[{table}]}}"#
        )
        .into_bytes()
    }

    const POINT: &str = r#"{"tb":96,"tbk":3,"tl":1200,"mb":64,"mbk":2,"gb":64,"gbk":2,"eb":32,"ebk":1,"rb":5,"wb":96,"acc":[1,-31,0],"fs":[1,2]}"#;
    const TABLE: &str = r#""[root]","0x1100: make (demo.c:4)","0x1200: main (demo.c:9)""#;

    fn value(p: &Profile, name: &str, row: usize) -> i64 {
        p.columns[p.metric(name).unwrap()].get(row)
    }

    #[test]
    fn a_point_becomes_a_row() {
        let (p, symbols) = parse(&doc(&format!("{POINT},{POINT}"), TABLE)).unwrap();
        assert_eq!(p.len(), 1, "equal stacks are added up");
        assert_eq!(
            (value(&p, "live_bytes", 0), value(&p, "total_blocks", 0)),
            (64, 6)
        );
        let names: Vec<_> = symbols
            .stacks
            .frames(p.stacks[0])
            .map(|f| {
                symbols
                    .strings
                    .get(symbols.frames.get(f).function)
                    .to_owned()
            })
            .collect();
        assert_eq!(names, ["main", "make"], "root first");
        assert_eq!(p.meta.pid, Some(7));
    }

    #[test]
    fn locations_are_found_behind_odd_names() {
        let cases = [
            ("mk (a.c:4)", "mk", Some(Location::Source("a.c", 4, 0))),
            (
                "grow (src/lib.rs:5:75)",
                "grow",
                Some(Location::Source("src/lib.rs", 5, 75)),
            ),
            (
                "malloc (in /usr/lib/x.so)",
                "malloc",
                Some(Location::Object("/usr/lib/x.so")),
            ),
            (
                "A::operator()(int) const (x.cpp:5)",
                "A::operator()(int) const",
                Some(Location::Source("x.cpp", 5, 0)),
            ),
            (
                "(below main) (libc.h:58)",
                "(below main)",
                Some(Location::Source("libc.h", 58, 0)),
            ),
            (
                "f (d (x)/a (b).c:2)",
                "f",
                Some(Location::Source("d (x)/a (b).c", 2, 0)),
            ),
            (
                "f (C:/x/y.c:2)",
                "f",
                Some(Location::Source("C:/x/y.c", 2, 0)),
            ),
        ];
        for (text, name, location) in cases {
            let (got, at) = split_location(text).unwrap();
            assert_eq!((got, Some(at)), (name, location), "{text}");
        }
        assert_eq!(split_location("operator()(int) const"), None);
        assert_eq!(split_location("???"), None);
    }

    #[test]
    fn modes_without_lifetimes_have_no_live_metrics() {
        let text = br#"{"dhatFileVersion":2,"mode":"ad-hoc","verb":"Occurred","bklt":false,"bkacc":false,
            "bu":"unit","bsu":"units","bksu":"events","tu":"instrs","Mtu":"Minstr","cmd":"x","pid":1,"te":3,
            "pps":[{"tb":5,"tbk":2,"fs":[1]}],"ftbl":["[root]","0x1: f (a.c:1)"]}"#;
        let (p, _) = parse(text).unwrap();
        let names: Vec<_> = p.metrics.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["total_units", "total_events"]);
    }

    #[test]
    fn version_one_is_read() {
        let text = br#"{"dhatFileVersion":1,"cmd":"x","pid":1,"mi":5,"ei":9,
            "aps":[{"tb":5,"tbk":2,"tli":3,"mb":1,"mbk":1,"gb":4,"gbk":1,"fb":3,"fbk":1,"rb":0,"wb":0,"fs":[1]}],
            "ftbl":["[root]","0x1: f (a.c:1)"]}"#;
        let (p, _) = parse(text).unwrap();
        assert_eq!(
            (value(&p, "live_bytes", 0), value(&p, "lifetime", 0)),
            (3, 3)
        );
    }

    #[test]
    fn damage_is_named_with_its_place() {
        let cut = doc(POINT, TABLE);
        assert_eq!(
            parse(&cut[..cut.len() - 40]).unwrap_err().code(),
            Code::Truncated
        );
        assert_eq!(
            parse(&cut[..cut.len() / 2]).unwrap_err().code(),
            Code::Truncated
        );
        let wild = parse(&doc(r#"{"tb":1,"tbk":1,"fs":[9]}"#, TABLE)).unwrap_err();
        assert!(
            wild.to_string()
                .contains("frame 9 is out of range, the table has 3"),
            "{wild}"
        );
        assert!(wild.place().is_some());
        for bad in [
            r#"{"tb":-1,"fs":[1]}"#,
            r#"{"tb":1}"#,
            r#"{"acc":[-2000000000,1],"fs":[1]}"#,
        ] {
            assert_eq!(
                parse(&doc(bad, TABLE)).unwrap_err().code(),
                Code::Damaged,
                "{bad}"
            );
        }
        let mut twice = cut.clone();
        twice.extend_from_slice(&cut);
        assert!(parse(&twice).is_err());
        assert!(parse(&doc(r#"{"tb":1,"tbk":1,"fs":]}"#, TABLE)).is_ok());
    }

    #[test]
    fn a_name_that_looks_like_the_table_is_no_table() {
        let table = r#""[root]","0x1: say \"ftbl\": [ (a.c:1)","0x2: main (b.c:1)""#;
        let (p, symbols) = parse(&doc(POINT, table)).unwrap();
        assert_eq!(p.len(), 1);
        let name = symbols.strings.find("say \"ftbl\": [");
        assert!(name.is_some());
    }
}
