//! The reference to cut is the nearest that a program lets go of: an entry, not the registry that
//! it is in, and never a class or a module.

use super::dump::Dump;
use super::{json, text};
use serde_json::{Value, json as value};

const RUNS: [u64; 4] = [10, 20, 40, 80];

fn cut(document: &Value) -> (Vec<String>, u64) {
    let cut = &document["holders"][0]["cut"];
    let words = |r: &Value| {
        let word = |key: &str| r[key].as_str().unwrap().to_owned();
        format!("{}{} -> {}", word("from"), word("edge"), word("to"))
    };
    let references = cut["references"].as_array().unwrap();
    let frees = cut["frees_bytes"].as_u64().unwrap();
    (references.iter().map(words).collect(), frees)
}

#[test]
fn what_is_in_two_containers_is_taken_out_of_both() {
    // One reference would free all: that to the hub.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let jobs: Vec<u64> = (0..n).map(|_| d.object("app.Job", 700, &[])).collect();
        let edges: Vec<(&str, u64)> = jobs.iter().map(|&j| ("[]", j)).collect();
        let by_id = d.object("dict", 64, &edges);
        let order = d.object("list", 56, &edges);
        let hub = d.object("app.Hub", 48, &[(".by_id", by_id), (".order", order)]);
        let module = d.object("module app", 72, &[(".hub", hub)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    let (references, frees) = cut(&document);
    let named = ["app.Hub.by_id[*] -> app.Job", "app.Hub.order[*] -> app.Job"];
    assert_eq!(references, named);
    assert_eq!(frees, 80 * 700);
    assert!(text(&dumps).contains("100 % of what they keep"));
}

#[test]
fn of_references_one_above_the_other_the_nearest_is_cut() {
    // A list of links: hub -> first -> next -> ..., each with a job.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let mut next = None;
        for _ in 0..n {
            let job = d.object("app.Job", 700, &[]);
            let mut edges = vec![(".job", job)];
            edges.extend(next.map(|link| (".next", link)));
            next = Some(d.object("app.Link", 48, &edges));
        }
        let hub = d.object("app.Hub", 48, &[(".first", next.unwrap())]);
        let module = d.object("module app", 72, &[(".hub", hub)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    assert_eq!(document["holders"][0]["series"], value!([10, 20, 40, 80]));
    let (references, frees) = cut(&document);
    assert_eq!(references, ["app.Hub.first -> app.Link"]);
    assert_eq!(frees, 80 * 748);
}

#[test]
fn what_code_holds_is_cut_where_the_code_is_held() {
    // Closures in two lists, each with the job among its variables.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let closures: Vec<(&str, u64)> = (0..n)
            .map(|_| {
                let job = d.object("app.Job", 700, &[]);
                let cell = d.object("cell", 40, &[("cell_contents", job)]);
                ("[]", d.object("function", 136, &[("cell", cell)]))
            })
            .collect();
        let before = d.object("list", 56, &closures);
        let after = d.object("list", 56, &closures);
        let hooks = [(".before", before), (".after", after)];
        let hooks = d.object("app.Hooks", 48, &hooks);
        let module = d.object("module app", 72, &[(".hooks", hooks)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    let (references, frees) = cut(&document);
    assert_eq!(references.len(), 2, "{references:?}");
    assert!(references.iter().all(|r| r.starts_with("app.Hooks.")));
    assert_eq!(frees, 80 * (700 + 40 + 136));
}

#[test]
fn what_several_entries_hold_together_is_theirs() {
    // A report in two entries of a cache: neither entry alone keeps it.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let mut entries = Vec::new();
        for _ in 0..n {
            let report = d.object("app.Report", 3000, &[]);
            for _ in 0..2 {
                entries.push(("[]", d.object("tuple", 56, &[("[0]", report)])));
            }
        }
        let dict = d.object("dict", 64, &entries);
        let module = d.object("module app", 72, &[(".cache", dict)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    assert_eq!(document["holders"][0]["retained_bytes"], 80 * 3112);
    assert_eq!(cut(&document).1, 80 * 3112);
    assert!(text(&dumps).starts_with("LEAK  1.00 Report per run (10 -> 20 -> 40 -> 80)"));
}

#[test]
fn threads_that_do_not_end_are_one_finding() {
    // Each has three frames, all of which roots hold; the middle one has a job.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        for i in 0..n {
            let job = d.object("app.Job", 700, &[]);
            let start = d.object("frame", 80, &[]);
            let work = d.object("frame", 80, &[("local:job", job), ("f_back", start)]);
            let wait = d.object("frame", 80, &[("f_back", work)]);
            for (k, (frame, name)) in [(wait, "wait"), (work, "work"), (start, "start")]
                .into_iter()
                .enumerate()
            {
                d.root(frame, "frame", &format!("Thread-{i} (work)#{k} {name}"));
            }
        }
        d.finish()
    });
    let document = json(&dumps);
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
    let holder = &document["holders"][0];
    assert_eq!(holder["exclusive_bytes"], 80 * (700 + 240));
    let shown = text(&dumps);
    assert!(
        shown.starts_with("LEAK  1.00 Job per run (10 -> 20 -> 40 -> 80)"),
        "{shown}"
    );
    assert!(shown.contains("work -> frame.local:job -> Job"), "{shown}");
}

#[test]
fn a_running_thread_is_its_own_beginning() {
    // The runtime lists its threads in a static field: that is not what holds their locals.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("jvm", n);
        let jobs: Vec<(&str, u64)> = (0..n)
            .map(|_| ("[]", d.object("app.Job", 700, &[])))
            .collect();
        let jobs = d.object("list", 56, &jobs);
        let thread = d.object("java.lang.Thread", 120, &[(".locals", jobs)]);
        let group = d.object("list", 56, &[("[]", thread)]);
        let class = d.object("class java.lang.Threads", 72, &[(".GROUP", group)]);
        d.root(class, "class", "java.lang.Threads");
        d.root(thread, "thread", "pool-1");
        d.finish()
    });
    let document = json(&dumps);
    let path = document["holders"][0]["path"].as_array().unwrap();
    assert_eq!(path[0]["edge"], "thread pool-1");
}

#[test]
fn entries_with_names_of_their_own_tell_what_is_in_them() {
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("v8", n).stable();
        let names: Vec<String> = (0..n).map(|i| format!("k{i}")).collect();
        let mut entries = Vec::new();
        for name in &names {
            let quote = d.object("Quote", 300, &[]);
            let entry = d.object("Object", 40, &[(".v", quote)]);
            entries.push((name.as_str(), entry));
        }
        let data = d.object("Object", 56, &entries);
        let cache = d.object("NodeCache", 56, &[(".data", data)]);
        let global = d.object("global", 40, &[(".cache", cache)]);
        d.root(global, "module", "global");
        d.finish()
    });
    let document = json(&dumps);
    let shown = text(&dumps);
    assert!(
        shown.starts_with("LEAK  1.00 Quote per run (10 -> 20 -> 40 -> 80)"),
        "{shown}"
    );
    // An object without a class is told by what holds it.
    assert_eq!(cut(&document).0, ["NodeCache.data[*] -> Object"]);
}

#[test]
fn what_the_engine_keeps_for_itself_is_no_leak() {
    let dumps = |below: Option<&'static str>| {
        RUNS.map(|n| {
            let mut d = Dump::of("v8", n).stable();
            let cells: Vec<(&str, u64)> = (0..n)
                .map(|_| {
                    let held = below.map(|t| d.object(t, 400, &[]));
                    let edges: Vec<(&str, u64)> = held.map(|h| (".value", h)).into_iter().collect();
                    ("[]", d.object("(array)", 72, &edges))
                })
                .collect();
            let registry = d.object("FinalizationRegistry", 64, &cells);
            let global = d.object("global", 40, &[(".registry", registry)]);
            d.root(global, "module", "global");
            d.finish()
        })
    };
    let document = json(&dumps(None));
    assert_ne!(document["verdict"], "leak");
    assert_eq!(document["findings"], value!([]));
    // What a program gave it to keep is the program's.
    assert_eq!(json(&dumps(Some("Job")))["verdict"], "leak");
}

#[test]
fn objects_of_libraries_are_told_by_what_they_hold() {
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("jvm", n);
        let entries: Vec<(&str, u64)> = (0..n)
            .map(|_| {
                let tile = d.object("shop.Tile", 500, &[]);
                let entry = "com.google.common.cache.LocalCache$StrongEntry";
                ("[]", d.object(entry, 48, &[(".value", tile)]))
            })
            .collect();
        let table = d.object("list", 64, &entries);
        let class = d.object("class shop.Tiles", 72, &[(".CACHE", table)]);
        d.root(class, "class", "shop.Tiles");
        d.finish()
    });
    let shown = text(&dumps);
    assert!(shown.starts_with("LEAK  1.00 Tile per run"), "{shown}");
}

#[test]
fn one_object_more_in_two_captures_is_no_growth() {
    let dumps = [0, 1].map(|more| {
        let mut d = Dump::python(10 + more * 30, ",\"gc\":\"full\"");
        let rows: Vec<(&str, u64)> = (0..8 + more)
            .map(|_| ("[]", d.object("app.Category", 100, &[])))
            .collect();
        let list = d.object("list", 800, &rows);
        let module = d.object("module app", 72, &[(".categories", list)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    assert_eq!(document["holders"], value!([]));
    assert_eq!(document["findings"], value!([]));
}

#[test]
fn of_objects_that_are_held_together_the_programs_own_are_named() {
    // A session keeps a state of its own for each of the program's rows.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let mut entries = Vec::new();
        for _ in 0..n {
            let (state, row) = (d.id(), d.id());
            d.put(state, "lib.State", 900, &[("._row", row)]);
            d.put(row, "app.Row", 80, &[("._state", state)]);
            entries.extend([("[]", state), ("[]", row)]);
        }
        let new = d.object("dict", 64, &entries);
        let session = d.object("lib.Session", 48, &[("._new", new)]);
        let module = d.object("module app", 72, &[(".session", session)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let shown = text(&dumps);
    assert!(
        shown.starts_with("LEAK  1.00 Row cycle per run (10 -> 20 -> 40 -> 80)"),
        "{shown}"
    );
    let (references, frees) = cut(&json(&dumps));
    assert_eq!(references.len(), 2);
    assert!(
        references
            .iter()
            .all(|r| r.starts_with("lib.Session._new[*]"))
    );
    assert_eq!(frees, 80 * 980);
}

#[test]
fn collections_of_the_same_objects_are_one_finding() {
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("jvm", n);
        let jobs: Vec<u64> = (0..n).map(|_| d.object("app.Job", 700, &[])).collect();
        let nodes: Vec<(&str, u64)> = jobs
            .iter()
            .map(|&j| {
                (
                    "[]",
                    d.object("java.util.HashMap$Node", 32, &[(".value", j)]),
                )
            })
            .collect();
        let by_id = d.object("list", 64, &nodes);
        let order: Vec<(&str, u64)> = jobs.iter().map(|&j| ("[]", j)).collect();
        let order = d.object("list", 56, &order);
        let hub = d.object("app.Hub", 48, &[(".by_id", by_id), (".order", order)]);
        let class = d.object("class app.Hub", 72, &[(".HUB", hub)]);
        d.root(class, "class", "app.Hub");
        d.finish()
    });
    let document = json(&dumps);
    let shown = text(&dumps);
    assert!(
        shown.starts_with("LEAK  1.00 Job per run (10 -> 20 -> 40 -> 80)"),
        "{shown}"
    );
    assert!(shown.contains("and by class app.Hub.HUB -> Hub.by_id[*] -> HashMap$Node"));
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
    assert_eq!(document["holders"][0]["exclusive_bytes"], 80 * 732);
    let (references, frees) = cut(&document);
    assert_eq!(references.len(), 2, "{references:?}");
    assert_eq!(frees, 80 * 700);
}

#[test]
fn what_is_softly_held_goes_when_memory_is_short() {
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("jvm", n);
        let entries: Vec<(&str, u64)> = (0..n)
            .map(|_| {
                let thumb = d.object("app.Thumb", 900, &[]);
                let soft = d.object("java.lang.ref.SoftReference", 48, &[(".referent", thumb)]);
                (
                    "[]",
                    d.object("java.util.HashMap$Node", 32, &[(".value", soft)]),
                )
            })
            .collect();
        let table = d.object("list", 64, &entries);
        let class = d.object("class app.Thumbs", 72, &[(".CACHE", table)]);
        d.root(class, "class", "app.Thumbs");
        d.finish()
    });
    let shown = text(&dumps);
    assert!(!shown.starts_with("LEAK"), "{shown}");
    assert!(shown.contains("softly held"), "{shown}");
}

#[test]
fn closures_of_closures_are_one_group() {
    // Each object's method has the object before among its variables.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("v8", n).stable();
        let mut before = None;
        for _ in 0..n {
            let big = d.object("Big", 500, &[]);
            let kept: Vec<(&str, u64)> = before.map(|b| ("local:prev", b)).into_iter().collect();
            let context = d.object("system / Context", 40, &kept);
            let method = d.object("m()", 64, &[("<context>", context)]);
            before = Some(d.object("Object", 40, &[(".m", method), (".big", big)]));
        }
        let global = d.object("global", 40, &[(".last", before.unwrap())]);
        d.root(global, "module", "global");
        d.finish()
    });
    let shown = text(&dumps);
    assert!(shown.starts_with("LEAK  1.00 Big per run"), "{shown}");
}

#[test]
fn an_entry_of_a_map_is_cut_and_not_the_map() {
    // JavaScript: a set and an array of the same reactions; the set keeps them in a table.
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("v8", n).stable();
        let all: Vec<u64> = (0..n).map(|_| d.object("Reaction", 300, &[])).collect();
        let slots: Vec<(&str, u64)> = all.iter().map(|&r| ("<slot>", r)).collect();
        let table = d.object("(array)", 80, &slots);
        let set = d.object("Set", 32, &[("<table>", table)]);
        let items: Vec<(&str, u64)> = all.iter().map(|&r| ("[]", r)).collect();
        let array = d.object("Array", 32, &items);
        let store = d.object("Store", 48, &[(".observers", set), (".order", array)]);
        let global = d.object("global", 40, &[(".store", store)]);
        d.root(global, "module", "global");
        d.finish()
    });
    let shown = text(&dumps);
    for entry in [
        "Store.observers[*] -> Reaction",
        "Store.order[*] -> Reaction",
    ] {
        assert!(shown.contains(entry), "{entry} in {shown}");
    }
    assert_eq!(cut(&json(&dumps)).1, 80 * 300);
}
