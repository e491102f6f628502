//! `memray stats --json`: totals of a memray capture and its top locations.
//!
//! Only the first locations by size and by count are in it. What is not listed is kept as one row
//! without a frame, so that the totals are the file's own. Written from bloomberg/memray
//! `src/memray/reporters/stats.py`.

use super::json::Scanner;
use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Result};
use crate::input::Source;
use crate::model::{Exactness, Frame, Meta, Metric, ProfileBuilder, StackId, StrId, Symbols};

/// The format of `memray stats --json`.
pub static FORMAT: Format = Format {
    name: "memray-stats",
    title: "memray statistics JSON",
    recipe: "python3 -m memray stats --json -n 1000 -o stats.json capture.bin",
    sniff,
    read,
};

fn sniff(head: &[u8]) -> Match {
    let has = |key: &[u8]| head.windows(key.len()).any(|w| w == key);
    let object = head.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    match object && has(b"\"total_bytes_allocated\"") && has(b"\"total_num_allocations\"") {
        true => Match::Yes,
        false => Match::No,
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    cx.single_moment("memray statistics")?;
    let bytes = source.bytes()?;
    let mut s = Scanner::new(&bytes, cx.limits.nesting);
    let metrics = ["total_bytes", "total_blocks"].map(Metric::known).to_vec();
    let mut builder = ProfileBuilder::new(metrics);
    let mut totals = [None; 2];
    let mut listed = [0i64; 2];
    let mut rows = 0u64;
    let mut meta = Meta {
        producer: Some("memray stats".into()),
        exactness: Exactness::Exact,
        language: Some("python"),
        ..Meta::default()
    };
    let mut more = s.begin_object()?;
    while more {
        let symbols = &mut *cx.symbols;
        match s.key()? {
            b"total_bytes_allocated" => totals[0] = Some(count(&mut s)?),
            b"total_num_allocations" => totals[1] = Some(count(&mut s)?),
            b"top_allocations_by_size" => {
                rows += top(&mut s, symbols, &mut builder, b"size", 0, &mut listed)?;
            }
            b"top_allocations_by_count" => {
                top(&mut s, symbols, &mut builder, b"count", 1, &mut listed)?;
            }
            b"metadata" if s.peek() == Some(b'{') => metadata(&mut s, &mut meta)?,
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    s.end()?;
    let [Some(size), Some(blocks)] = totals else {
        return Err(Error::new(
            Code::Unrecognised,
            "holds no memray statistics: a total is missing",
        ));
    };
    let rest = [size - listed[0], blocks - listed[1]];
    if rest.iter().any(|&n| n < 0) {
        let what = "the top locations exceed the total";
        return Err(Error::damaged(s.offset() as u64, what));
    }
    if rest != [0, 0] {
        builder.add(StackId::EMPTY, &rest)?;
        meta.notes.push(format!(
            "only the first {rows} locations by size and by count are listed: the rest of each is one row without a name"
        ));
    }
    Ok(vec![Capture::Profile(builder.finish(meta))])
}

fn count(s: &mut Scanner<'_>) -> Result<i64> {
    let n = s.integer()?;
    if (0..1 << 60).contains(&n) {
        Ok(n)
    } else {
        Err(s.error("a count below 0 or above 2^60 stands"))
    }
}

/// Adds a list of locations to one column; returns their number.
fn top(
    s: &mut Scanner<'_>,
    symbols: &mut Symbols,
    builder: &mut ProfileBuilder,
    key: &[u8],
    column: usize,
    listed: &mut [i64; 2],
) -> Result<u64> {
    let mut rows = 0;
    let mut more = s.begin_array()?;
    while more {
        let (mut frame, mut value) = (None, 0);
        let mut member = s.begin_object()?;
        while member {
            match s.key()? {
                b"location" => frame = Some(location(&s.string()?, symbols)),
                k if k == key => value = count(s)?,
                _ => s.skip_value()?,
            }
            member = s.next_member()?;
        }
        let Some(frame) = frame else {
            return Err(s.error("an entry without a location stands"));
        };
        let frame = symbols.frames.intern(frame);
        let stack = symbols.stacks.intern_root_first(&[frame]);
        let mut values = [0; 2];
        values[column] = value;
        listed[column] = listed[column].saturating_add(value);
        builder.add(stack, &values)?;
        rows += 1;
        more = s.next_element()?;
    }
    Ok(rows)
}

/// `function:file:line`; a file may hold colons, a function does not.
fn location(text: &str, symbols: &mut Symbols) -> Frame {
    let strings = &mut symbols.strings;
    if let Some((function, place)) = text.split_once(':')
        && let Some((file, line)) = place.rsplit_once(':')
        && let Ok(line) = line.parse()
    {
        return Frame {
            file: strings.intern(file),
            line,
            ..Frame::named(strings.intern(function))
        };
    }
    Frame {
        file: StrId::EMPTY,
        ..Frame::named(strings.intern(text))
    }
}

fn metadata(s: &mut Scanner<'_>, meta: &mut Meta) -> Result<()> {
    let mut more = s.begin_object()?;
    while more {
        match (s.key()?, s.peek()) {
            (b"command_line", Some(b'"')) => meta.command = Some(s.string()?.into_owned()),
            (b"pid", Some(b'0'..=b'9')) => meta.pid = u64::try_from(s.integer()?).ok(),
            (b"peak_memory", Some(b'0'..=b'9')) => {
                let peak = s.integer()?;
                meta.notes.push(format!(
                    "the peak was {peak} bytes; which locations held it is not recorded"
                ));
            }
            _ => s.skip_value()?,
        }
        more = s.next_member()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    const SMALL: &str = r#"{"total_num_allocations":10,"total_bytes_allocated":1000,
        "allocation_size_histogram":[{"min_bytes":0,"max_bytes":2,"count":1}],
        "top_allocations_by_size":[{"location":"f:C:\\a.py:3","size":600},{"location":"g:b.py:4","size":300}],
        "top_allocations_by_count":[{"location":"g:b.py:4","count":7},{"location":"odd","count":2}],
        "metadata":{"pid":7,"command_line":"x.py","peak_memory":500}}"#;

    fn read_text(text: &str) -> Result<Vec<String>> {
        let mut symbols = Symbols::default();
        let source = Source::from_bytes("x", text.as_bytes().to_vec(), Limits::default())?;
        let all = read(&source, &mut Context::new(&mut symbols))?;
        let p = all.into_iter().find_map(Capture::into_profile).unwrap();
        assert_eq!(
            (p.meta.pid, p.meta.command.as_deref()),
            (Some(7), Some("x.py"))
        );
        let rows = (0..p.len()).map(|i| {
            let frames = symbols.stacks.frames(p.stacks[i]).map(|f| {
                let f = symbols.frames.get(f);
                let text = |id| symbols.strings.get(id);
                format!("{} {}:{}", text(f.function), text(f.file), f.line)
            });
            let frames: Vec<String> = frames.collect();
            let values: Vec<i64> = p.columns.iter().map(|c| c.get(i)).collect();
            format!("{} {values:?}", frames.join(";"))
        });
        Ok(rows.collect())
    }

    #[test]
    fn the_rest_is_one_row() {
        assert_eq!(sniff(SMALL.as_bytes()), Match::Yes);
        let rows = [
            "f C:\\a.py:3 [600, 0]",
            "g b.py:4 [300, 7]",
            "odd :0 [0, 2]",
            " [100, 1]",
        ];
        assert_eq!(read_text(SMALL).unwrap(), rows);
    }

    #[test]
    fn damage_is_named() {
        for (from, to, code) in [
            ("600", "6000", Code::Damaged),
            ("600", "-1", Code::Damaged),
            ("600", "1.5", Code::Damaged),
            ("\"total_bytes_allocated\":1000,", "", Code::Unrecognised),
        ] {
            let error = read_text(&SMALL.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        }
    }
}
