//! The differential flamegraph: its numbers and its geometry, as they stand in the file.

use super::{json, text};
use serde_json::Value;

/// A frame of the picture.
#[derive(Debug)]
struct Frame {
    name: String,
    tone: String,
    title: String,
    parent: usize,
    /// Own: before, after, increases, decreases.
    own: [i128; 4],
    /// Left and width in pixels; none where it is not drawn.
    place: Option<(f64, f64)>,
}

struct Picture {
    frames: Vec<Frame>,
}

/// Reads a picture back.
fn picture(svg: &str) -> Picture {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut frames: Vec<Frame> = Vec::new();
    let (mut inside, mut title, mut data) = (false, false, false);
    let mut numbers = String::new();
    loop {
        let event = reader.read_event().unwrap();
        let attribute = |e: &quick_xml::events::BytesStart<'_>, name: &str| {
            let found = e.try_get_attribute(name).unwrap()?;
            Some(String::from_utf8(found.value.to_vec()).unwrap())
        };
        match event {
            Event::Start(e) if e.name().as_ref() == b"g" => {
                inside = attribute(&e, "id").as_deref() == Some("frames") || inside;
                if let Some(tone) = attribute(&e, "class") {
                    frames.push(Frame {
                        name: String::new(),
                        tone,
                        title: String::new(),
                        parent: 0,
                        own: [0; 4],
                        place: None,
                    });
                }
            }
            Event::Start(e) if e.name().as_ref() == b"title" => title = true,
            Event::End(e) if e.name().as_ref() == b"title" => title = false,
            Event::Start(e) if e.name().as_ref() == b"script" => {
                data = attribute(&e, "id").as_deref() == Some("data");
            }
            Event::End(e) if e.name().as_ref() == b"script" => data = false,
            Event::Text(t) if title && inside => {
                frames
                    .last_mut()
                    .unwrap()
                    .title
                    .push_str(&t.decode().unwrap());
            }
            Event::GeneralRef(r) if title && inside => {
                let sign = match r.decode().unwrap().as_ref() {
                    "gt" => '>',
                    "lt" => '<',
                    "amp" => '&',
                    _ => '"',
                };
                frames.last_mut().unwrap().title.push(sign);
            }
            Event::Text(t) if data => numbers.push_str(&t.decode().unwrap()),
            Event::Empty(e) if inside && e.name().as_ref() == b"rect" => {
                if let (None, Some(x)) = (attribute(&e, "class"), attribute(&e, "x")) {
                    let width = attribute(&e, "width").unwrap().parse().unwrap();
                    frames.last_mut().unwrap().place = Some((x.parse().unwrap(), width));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let numbers: Vec<[i128; 5]> = serde_json::from_str(&numbers).unwrap();
    assert_eq!(numbers.len(), frames.len());
    for (frame, [parent, before, after, up, down]) in frames.iter_mut().zip(numbers) {
        frame.parent = parent as usize;
        frame.own = [before, after, up, down];
        frame.name = frame.title.lines().next().unwrap_or_default().to_owned();
    }
    Picture { frames }
}

impl Picture {
    fn drawn(args: &[&str]) -> Picture {
        picture(&text("svg", args))
    }

    fn named(&self, name: &str) -> &Frame {
        let found = self.frames.iter().find(|f| f.name == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    }

    /// Before, after, increases and decreases over all frames.
    fn sums(&self) -> [i128; 4] {
        let mut sums = [0; 4];
        for f in &self.frames {
            for (sum, n) in sums.iter_mut().zip(f.own) {
                *sum += n;
            }
        }
        sums
    }

    /// Every frame lies in its caller, callees do not overlap, and what they leave free is the
    /// caller's own.
    fn check(&self, own: impl Fn(&[i128; 4]) -> i128) {
        let whole: i128 = self.frames.iter().map(|f| own(&f.own)).sum();
        let scale = 1180.0 / whole.max(1) as f64;
        let mut inside = vec![0.0; self.frames.len()];
        let mut right = vec![f64::MIN; self.frames.len()];
        for (i, f) in self.frames.iter().enumerate().skip(1) {
            let Some((x, width)) = f.place else { continue };
            let (left, all) = self.frames[f.parent]
                .place
                .expect("a caller of what is drawn");
            let near = 0.11;
            assert!(
                x >= left - near && x + width <= left + all + 2.0 * near,
                "{f:?}"
            );
            assert!(x >= right[f.parent] - 2.0 * near, "{f:?} overlaps");
            right[f.parent] = x + width;
            inside[f.parent] += width;
            let _ = i;
        }
        for (i, f) in self.frames.iter().enumerate() {
            let Some((_, width)) = f.place else { continue };
            let expected = inside[i] + own(&f.own) as f64 * scale;
            let callees = self.frames.iter().filter(|c| c.parent == i).count();
            let near = 0.1 * (callees + 2) as f64;
            assert!(
                (width - expected).abs() <= near,
                "{f:?}: {width} for {expected}"
            );
        }
    }
}

const CAPTURES: [[&str; 2]; 3] = [
    ["profiles/ingest/a.json", "profiles/ingest/b.json"],
    [
        "profiles/go-ingest/rate-4096/faulty/run-050.pb.gz",
        "profiles/go-ingest/rate-4096/faulty/run-200.pb.gz",
    ],
    [
        "profiles/log-forwarder/dhat/faulty/runs-800-conns-20.json",
        "profiles/log-forwarder/dhat/cured/runs-800-conns-20.json",
    ],
];

fn mode(name: &str) -> fn(&[i128; 4]) -> i128 {
    match name {
        "churn" => |o| o[2] + o[3],
        "after" => |o| o[1].max(0),
        _ => |o| o[0].max(0),
    }
}

#[test]
fn widths_add_up_at_every_level_in_every_width() {
    for pair in CAPTURES {
        for name in ["churn", "after", "before"] {
            Picture::drawn(&[pair[0], pair[1], "--flame", name]).check(mode(name));
        }
    }
}

#[test]
fn leaves_add_up_to_the_total() {
    for pair in CAPTURES {
        let sums = Picture::drawn(&pair).sums();
        let document = json(&pair);
        let total = |side: &str| document["totals"][side]["live_bytes"].as_i64().unwrap() as i128;
        assert_eq!(sums[0], total("before"));
        assert_eq!(sums[1], total("after"));
        assert_eq!(sums[2] - sums[3], total("delta"));
    }
}

fn folded(dir: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn two(before: &str, after: &str) -> Picture {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        folded(&dir, "a.folded", before),
        folded(&dir, "b.folded", after),
    );
    Picture::drawn(&[&a, &b, "--input-format", "folded"])
}

#[test]
fn a_caller_carries_the_growth_of_what_it_calls() {
    let p = two("p;a 10\np;b 10\np2 30\n", "p;a 30\np;b 30\np2 30\n");
    assert!(
        p.named("p").title.contains("20 B -> 60 B (+40 B)"),
        "{}",
        p.named("p").title
    );
    assert_eq!(p.named("p").tone, "grew");
    assert_eq!(p.named("p2").tone, "quiet");
}

#[test]
fn what_vanished_and_what_is_new_stand_in_one_picture() {
    let p = two(
        "base_only 50\nboth1 25\nboth2 25\n",
        "both1 25\nboth2 50\nnew 125\n",
    );
    let look = |name: &str| (p.named(name).tone.as_str(), p.named(name).place.is_some());
    assert_eq!(look("base_only"), ("gone", true));
    assert_eq!(look("new"), ("new", true));
    assert_eq!(look("both2"), ("grew", true));
    assert_eq!(look("both1"), ("quiet", false));
    let width = |name: &str| p.named(name).place.unwrap().1;
    assert!((width("base_only") / width("new") - 0.4).abs() < 0.01);
}

#[test]
fn own_and_total_growth_of_a_function_differ() {
    let p = two("main;foo 1\n", "main;foo 2\nmain;foo;bar 4\n");
    let foo = &p.named("foo").title;
    assert!(foo.contains("1 B -> 6 B (+5 B)"), "{foo}");
    assert!(foo.contains("itself 1 B -> 2 B (+1 B)"), "{foo}");
    assert_eq!(p.named("bar").tone, "new");
}

#[test]
fn everything_that_doubles_grew_though_shares_are_equal() {
    let p = two("m;a 100\nm;b 200\n", "m;a 200\nm;b 400\n");
    for name in ["all", "m", "a", "b"] {
        assert_eq!(p.named(name).tone, "grew");
    }
}

#[test]
fn a_move_nets_to_zero_at_its_caller() {
    let p = two("m;a 100\nm;b 0\n", "m;b 100\n");
    let m = p.named("m");
    assert_eq!(m.tone, "moved");
    assert!(
        m.title
            .contains("100 B -> 100 B (0 B), up 100 B, down 100 B"),
        "{}",
        m.title
    );
}

#[test]
fn shifted_lines_and_other_hashes_are_no_difference() {
    let lines = two(
        "main (a.py:10);work (a.py:20) 100\nmain (a.py:11);rest (a.py:30) 50\n",
        "main (a.py:14);work (a.py:26) 100\nmain (a.py:15);rest (a.py:36) 50\n",
    );
    let hashes = two(
        "main;app::work::h0123456789abcdef 100\nmain;app::rest::h0123456789abcde0 50\n",
        "main;app::work::hfedcba9876543210 100\nmain;app::rest::h00112233445566aa 50\n",
    );
    for p in [lines, hashes] {
        assert_eq!(p.sums(), [150, 150, 0, 0]);
        assert!(p.frames.iter().all(|f| f.tone == "quiet"));
    }
}

#[test]
fn recursion_and_the_allocator_are_chips() {
    let p = two(
        "main;walk 8\n",
        "main;walk;walk;walk;malloc 40\nmain;walk 8\n",
    );
    let walk = p.frames.iter().find(|f| f.name.starts_with("walk"));
    assert_eq!(walk.map(|f| f.name.as_str()), Some("walk [x3] [+1]"));
    assert_eq!(p.frames.len(), 3);
}

#[test]
fn small_frames_are_summed_up_and_said() {
    let mut before = String::from("main;big 1000000\n");
    let mut after = String::from("main;big 9000000\n");
    for i in 0..3000 {
        before.push_str(&format!("main;small_{i} 10\n"));
        after.push_str(&format!("main;small_{i} {}\n", 10 + i % 3));
    }
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        folded(&dir, "a.folded", &before),
        folded(&dir, "b.folded", &after),
    );
    let svg = text("svg", &[&a, &b]);
    let p = picture(&svg);
    assert!(svg.contains("3000 frames below a thousandth are summed up"));
    assert_eq!(p.frames.len(), 4);
    let rest = p.named("(3000 smaller)");
    assert_eq!(rest.own, [30_000, 33_000, 3000, 0]);
    let total: Value = json(&[&a, &b])["totals"]["after"]["bytes"].clone();
    assert_eq!(p.sums()[1], total.as_i64().unwrap() as i128);
    p.check(mode("churn"));
}
