//! Java heap dumps of a small service: what `jmap -histo:live` says at the same stop.

use super::{graph, references, text, types};
use heapdiff::model::{EdgeKind, IdKind, RootKind, Symbols};
use std::collections::BTreeMap;

const CAPTURES: [&str; 4] = ["faulty-010", "faulty-020", "faulty-040", "cured-040"];

/// A name of `jmap` as Java's source has it.
fn name(raw: &str) -> String {
    let arrays = raw.bytes().take_while(|&b| b == b'[').count();
    let inner = match &raw[arrays..] {
        "Z" if arrays > 0 => "boolean",
        "B" if arrays > 0 => "byte",
        "C" if arrays > 0 => "char",
        "S" if arrays > 0 => "short",
        "I" if arrays > 0 => "int",
        "J" if arrays > 0 => "long",
        "F" if arrays > 0 => "float",
        "D" if arrays > 0 => "double",
        other if arrays > 0 => other[1..].trim_end_matches(';'),
        other => other,
    };
    let inner = inner.split("$$Lambda").next().unwrap().to_owned()
        + if inner.contains("$$Lambda") {
            "$$Lambda"
        } else {
            ""
        };
    let inner = inner.split("/0x").next().unwrap();
    format!("{inner}{}", "[]".repeat(arrays))
}

/// Classes of one object each to which HotSpot adds a word that no dump tells (a class loader's
/// data, a thread's state for tools): a class of many objects shows it by their distance.
const HIDDEN: [&str; 5] = [
    "java.lang.ref.Finalizer$FinalizerThread",
    "jdk.internal.loader.ClassLoaders$AppClassLoader",
    "jdk.internal.loader.ClassLoaders$BootClassLoader",
    "jdk.internal.loader.ClassLoaders$PlatformClassLoader",
    "jdk.internal.misc.InnocuousThread",
];

/// What the virtual machine itself makes between the two looks, which are not at one moment.
const MOVING: [&str; 2] = ["int[]", "jdk.internal.ref.CleanerImpl$PhantomCleanableRef"];

#[test]
fn counts_and_bytes_are_those_of_jmap() {
    let mut symbols = Symbols::default();
    for capture in CAPTURES {
        let g = graph(&format!("java-graph/{capture}.hprof.zst"), &mut symbols);
        let types = types(&g, &symbols);
        let mut oracle: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let histogram = text(&format!("java-graph/oracle/{capture}.histo.txt.gz"));
        for line in histogram.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [rank, count, bytes, class, ..] = fields[..]
                && rank.ends_with(':')
            {
                let row = oracle.entry(name(class)).or_default();
                row.0 += count.parse::<u64>().unwrap();
                row.1 += bytes.parse::<u64>().unwrap();
            }
        }
        for (class, &(count, bytes)) in &oracle {
            let read = types.get(class).copied();
            match class.as_str() {
                // A dump has classes without their objects of this class.
                "java.lang.Class" => {}
                name if HIDDEN.contains(&name) => {
                    assert_eq!(read, Some((1, bytes - 8)), "{capture} {class}");
                }
                name if MOVING.contains(&name) => assert!(read.is_some(), "{capture} {class}"),
                _ => assert_eq!(read, Some((count, bytes)), "{capture} {class}"),
            }
        }
        assert!(oracle.len() > 250, "{}", oracle.len());
        assert_eq!(g.meta.counts.dangling, 0);
        assert_eq!(g.meta.id_kind, IdKind::Moving);
        assert!(g.meta.salvaged.is_none());
    }
}

#[test]
fn what_is_planted_is_there_and_the_cure_removes_it() {
    let mut symbols = Symbols::default();
    let mut growth = Vec::new();
    for capture in CAPTURES {
        let g = graph(&format!("java-graph/{capture}.hprof.zst"), &mut symbols);
        let types = types(&g, &symbols);
        let count = |t: &str| types.get(t).map_or(0, |c| c.0);
        growth.push(["Service$Session", "Service$Item"].map(count));
        let innocents = ["Service$Price", "Service$Category", "Service$Visit"].map(count);
        assert_eq!(innocents, [64, 156, 100]);
    }
    assert_eq!(growth, [[10, 200], [20, 400], [40, 800], [0, 0]]);
}

#[test]
fn statics_fields_and_locals_have_their_names() {
    let mut symbols = Symbols::default();
    let g = graph("java-graph/faulty-040.hprof.zst", &mut symbols);
    let class = references(&g, &symbols, "class Service");
    assert_eq!(class[".OPEN -> java.util.HashMap"], 1);
    assert_eq!(class[".FIRST -> Service$Visit"], 1);
    let visit = references(&g, &symbols, "Service$Visit");
    assert_eq!(
        (
            visit[".before -> Service$Visit"],
            visit[".after -> Service$Visit"]
        ),
        (99, 99)
    );
    let thread = references(&g, &symbols, "java.lang.Thread");
    let local = |l: &&String| l.starts_with("local:Service.main:");
    assert_eq!(thread.keys().filter(local).count(), 2, "{thread:?}");
    let names = g.roots.iter().filter(|r| r.kind == RootKind::Thread);
    let names: Vec<_> = names.map(|r| symbols.strings.get(r.name)).collect();
    assert!(names.contains(&"thread Service.main"), "{names:?}");
    // Soft references hold softly, weak ones not at all.
    let soft = symbols
        .graph
        .labels()
        .iter()
        .find(|l| l.kind == EdgeKind::Soft);
    assert_eq!(symbols.strings.get(soft.unwrap().name), ".referent");
    assert!(g.meta.counts.weak > 100);
}
