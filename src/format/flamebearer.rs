//! Pyroscope's flamebearer JSON: a flame graph as levels of bars, of one profile or of two.
//!
//! Each bar is an offset to the bar before it, its total, its own part and its name; in a
//! comparison both sides have the first three. Written from grafana/pyroscope
//! `pkg/og/structs/flamebearer/flamebearer.go`.

use super::json::Scanner;
use super::tree::{ROOT, Tree};
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Result};
use crate::input::{Select, Source};
use crate::model::{Frame, FrameId, Meta, Metric, ProfileBuilder, Symbols};

/// The format of Pyroscope's `/render?format=json`.
pub static FORMAT: Format = Format {
    name: "flamebearer",
    title: "Pyroscope flamebearer JSON",
    recipe: "curl -o heap.flamebearer.json 'http://localhost:4040/pyroscope/render?query=memory:inuse_space:bytes:space:bytes%7Bservice_name=%22app%22%7D&from=now-1h&format=json'",
    sniff,
    read,
};

/// Levels of a flame graph that is drawn; deeper ones are damage.
const DEEPEST: usize = 1 << 14;

fn sniff(head: &[u8]) -> Match {
    let has = |key: &[u8]| head.windows(key.len()).any(|w| w == key);
    let object = head.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    if object && has(b"\"flamebearer\"") && (has(b"\"names\"") || has(b"\"levels\"")) {
        Match::Yes
    } else {
        Match::No
    }
}

#[derive(Debug, Default)]
struct File {
    names: Vec<FrameId>,
    /// Where the levels begin; they need the names, which may stand behind them.
    levels: Option<usize>,
    double: Option<bool>,
    units: String,
    name: String,
    spy: String,
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    if cx.select != Some(Select::Ends) {
        cx.single_moment("flamebearer")?;
    }
    let bytes = source.bytes()?;
    let mut s = Scanner::new(&bytes, cx.limits.nesting);
    let file = outline(&mut s, cx.symbols)?;
    let Some(levels) = file.levels else {
        return Err(Error::new(
            Code::Unrecognised,
            "is no flamebearer file: it has no levels",
        ));
    };
    let mut meta = Meta {
        producer: Some("Pyroscope".into()),
        language: match &*file.spy {
            "pyspy" => Some("python"),
            "javaspy" => Some("java"),
            "nodespy" => Some("js"),
            _ => None,
        },
        ..Meta::default()
    };
    let metric = metric(&file, cx.unit.as_deref(), &mut meta.notes)?;
    meta.default_metric = Some(metric.name.clone());
    let double = file.double.unwrap_or(false);
    if cx.select == Some(Select::Ends) && !double {
        return Err(super::alone());
    }
    let mut builders: Vec<ProfileBuilder> = (0..1 + double as usize)
        .map(|_| ProfileBuilder::new(vec![metric.clone()]))
        .collect();
    s.seek(levels);
    bars(&mut s, &file.names, bytes.len(), cx.symbols, &mut builders)?;
    let mut captures = Vec::new();
    for (i, builder) in builders.into_iter().enumerate() {
        let mut meta = meta.clone();
        if double {
            let side = ["first", "second"][i.min(1)];
            meta.notes
                .push(format!("the {side} of the two sides of a comparison"));
        }
        captures.push(Capture::Profile(builder.finish(meta)));
    }
    Ok(captures)
}

/// The metric by the unit, and by the query where that names a profile type.
fn metric(file: &File, unit: Option<&str>, notes: &mut Vec<String>) -> Result<Metric> {
    for known in [
        "inuse_space",
        "alloc_space",
        "inuse_objects",
        "alloc_objects",
    ] {
        if file.name.contains(known) {
            return Ok(Metric::known(known));
        }
    }
    match unit.unwrap_or(&file.units) {
        "bytes" => Ok(Metric::known("bytes")),
        "objects" | "blocks" | "count" => Ok(Metric::known("blocks")),
        "" => {
            notes.push("the file does not say what it counts: bytes are assumed (--unit)".into());
            Ok(Metric::known("bytes"))
        }
        other => Err(Error::new(
            Code::Unsupported,
            format!("the flame graph counts {other:?}, not memory"),
        )
        .help("query inuse_space or alloc_space, or say --unit bytes")),
    }
}

fn outline(s: &mut Scanner<'_>, symbols: &mut Symbols) -> Result<File> {
    let mut file = File::default();
    let mut more = s.begin_object()?;
    while more {
        match (s.key()?, s.peek()) {
            (b"flamebearer", Some(b'{')) => {
                let mut more = s.begin_object()?;
                while more {
                    match s.key()? {
                        b"names" => {
                            let mut more = s.begin_array()?;
                            while more {
                                let name = symbols.strings.intern(&s.string()?);
                                file.names.push(symbols.frames.intern(Frame::named(name)));
                                more = s.next_element()?;
                            }
                        }
                        b"levels" => {
                            s.peek();
                            file.levels = Some(s.offset());
                            s.skip_value()?;
                        }
                        _ => s.skip_value()?,
                    }
                    more = s.next_member()?;
                }
            }
            (b"metadata", Some(b'{')) => {
                let mut more = s.begin_object()?;
                while more {
                    match (s.key()?, s.peek()) {
                        (b"format", Some(b'"')) => file.double = Some(s.string()? == "double"),
                        (b"units", Some(b'"')) => file.units = s.string()?.into_owned(),
                        (b"name", Some(b'"')) => file.name = s.string()?.into_owned(),
                        (b"spyName", Some(b'"')) => file.spy = s.string()?.into_owned(),
                        _ => s.skip_value()?,
                    }
                    more = s.next_member()?;
                }
            }
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    s.end()?;
    Ok(file)
}

/// Where a bar lies: of a comparison both sides are added, so that each has a width.
#[derive(Debug, Clone, Copy)]
struct Bar {
    start: i64,
    end: i64,
    node: u32,
}

/// Adds each bar's own part. A bar belongs to the bar above that spans it; both levels are
/// sorted, so one pass over each finds them.
fn bars(
    s: &mut Scanner<'_>,
    names: &[FrameId],
    size: usize,
    symbols: &mut Symbols,
    builders: &mut [ProfileBuilder],
) -> Result<()> {
    let mut tree = Tree::new();
    let mut scratch = Vec::new();
    let mut above: Vec<Bar> = Vec::new();
    let mut level: Vec<Bar> = Vec::new();
    let mut depth = 0;
    let mut more = s.begin_array()?;
    while more {
        if depth == DEEPEST {
            return Err(s.error(format!("more than {DEEPEST} levels stand")));
        }
        level.clear();
        let mut parent = 0;
        let mut at: i64 = 0;
        let mut bar = s.begin_array()?;
        while bar {
            let place = s.offset() as u64;
            let damaged = |what: &str| Error::damaged(place, what);
            let mut own = [0i64; 2];
            let (mut start, mut width) = (at, 0i64);
            for own in own.iter_mut().take(builders.len()) {
                let mut next = || -> Result<i64> {
                    let n = s.integer()?;
                    if !(0..1 << 56).contains(&n) {
                        return Err(damaged("a bar's number is below 0 or above 2^56"));
                    }
                    if s.next_element()? {
                        Ok(n)
                    } else {
                        Err(damaged("a bar is cut off"))
                    }
                };
                let (offset, total) = (next()?, next()?);
                *own = next()?;
                if *own > total {
                    return Err(damaged("a bar's own part is larger than the bar"));
                }
                start = start.saturating_add(offset);
                width = width.saturating_add(total);
            }
            let name = s.integer()?;
            let name = usize::try_from(name).ok().and_then(|i| names.get(i));
            let &name = name.ok_or_else(|| damaged("a bar's name is not in the table"))?;
            let end = start.saturating_add(width);
            at = end;
            if width > 0 {
                let node = if depth == 0 {
                    // The one bar of the first level is the total.
                    ROOT
                } else {
                    while above.get(parent).is_some_and(|b| b.end <= start) {
                        parent += 1;
                    }
                    let spans = above
                        .get(parent)
                        .filter(|b| b.start <= start && end <= b.end);
                    let over = spans.ok_or_else(|| damaged("a bar lies under no other"))?;
                    tree.child(over.node, name)
                };
                level.push(Bar { start, end, node });
                for (builder, own) in builders.iter_mut().zip(own) {
                    if own > 0 {
                        let stack = tree.stack(node, size as u64, symbols, &mut scratch)?;
                        builder.add(stack, &[own])?;
                    }
                }
            }
            bar = s.next_element()?;
        }
        std::mem::swap(&mut above, &mut level);
        depth += 1;
        more = s.next_element()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn read_text(text: &str) -> Result<Vec<(String, Vec<String>)>> {
        let mut symbols = Symbols::default();
        let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default())?;
        let captures = read(&source, &mut Context::new(&mut symbols))?;
        let shown = captures
            .into_iter()
            .filter_map(Capture::into_profile)
            .map(|p| {
                let rows = (0..p.len()).map(|i| {
                    let frames = symbols.stacks.frames(p.stacks[i]);
                    let names = frames.map(|f| symbols.strings.get(symbols.frames.get(f).function));
                    let names: Vec<&str> = names.collect();
                    format!("{} {}", names.join(";"), p.columns[0].get(i))
                });
                (p.metrics[0].name.clone(), rows.collect())
            });
        Ok(shown.collect())
    }

    // total 100: a 60 (own 10: b 20, c 30), d 40 (own 0: b 35, a gap of 5).
    const SINGLE: &str = r#"{"version":1,"flamebearer":{"names":["total","a","b","c","d"],
        "levels":[[0,100,0,0],[0,60,10,1,0,40,5,4],[10,20,20,2,0,30,30,3,5,35,35,2]],"numTicks":100,"maxSelf":35},
        "metadata":{"format":"single","units":"bytes","name":"app"}}"#;

    #[test]
    fn bars_find_the_bar_above() {
        assert_eq!(sniff(SINGLE.as_bytes()), Match::Yes);
        let rows = ["a 10", "d 5", "a;b 20", "a;c 30", "d;b 35"];
        let rows: Vec<String> = rows.map(str::to_owned).to_vec();
        assert_eq!(read_text(SINGLE).unwrap(), [("bytes".to_owned(), rows)]);
        let named = SINGLE.replace("\"app\"", "\"app.inuse_space{}\"");
        assert_eq!(read_text(&named).unwrap()[0].0, "live_bytes");
        let objects = SINGLE.replace("\"bytes\"", "\"objects\"");
        assert_eq!(read_text(&objects).unwrap()[0].0, "blocks");
        let time = read_text(&SINGLE.replace("\"bytes\"", "\"samples\"")).unwrap_err();
        assert_eq!(time.code(), Code::Unsupported);
    }

    #[test]
    fn both_sides_of_a_comparison() {
        let text = r#"{"metadata":{"format":"double","units":"bytes"},"flamebearer":{
            "levels":[[0,10,0,0,30,0,0],[0,10,4,0,10,10,1,0,0,0,0,20,20,2],[4,6,6,0,0,0,2]],
            "names":["total","a","b"]}}"#;
        let sides = read_text(text).unwrap();
        assert_eq!(sides[0].1, ["a 4", "a;b 6"]);
        assert_eq!(sides[1].1, ["a 10", "b 20"]);
    }

    #[test]
    fn damage_is_named() {
        for (from, to) in [
            ("[0,60,10,1,", "[0,60,61,1,"),
            ("[0,60,10,1,", "[0,60,10,9,"),
            ("[0,60,10,1,", "[0,-60,10,1,"),
            ("0,40,5,4]", "0,40,5]"),
            ("[10,20,20,2,", "[50,20,20,2,"),
            ("5,35,35,2]", "5,350,35,2]"),
        ] {
            let error = read_text(&SINGLE.replace(from, to)).unwrap_err();
            assert_eq!(error.code(), Code::Damaged, "{error}");
        }
        assert_eq!(
            read_text(&SINGLE[..90]).unwrap_err().code(),
            Code::Truncated
        );
        let none = read_text(r#"{"flamebearer":{"names":[]}}"#).unwrap_err();
        assert_eq!(none.code(), Code::Unrecognised);
    }
}
