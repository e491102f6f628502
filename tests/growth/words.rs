//! What is said beside the numbers.

use super::{Files, document, exact, row, text};
use serde_json::Value;

/// The same capture, taken after the program had freed everything.
fn freed(capture: &str) -> String {
    let mut capture: Value = serde_json::from_str(capture).unwrap();
    for point in capture["pps"].as_array_mut().unwrap() {
        point["eb"] = 0.into();
        point["ebk"] = 0.into();
    }
    capture.to_string()
}

fn series(name: &str, captures: [String; 3]) -> (Files, Vec<String>) {
    let files = Files::new();
    let runs = [50, 200, 800];
    let paths = runs.iter().zip(captures).map(|(n, capture)| {
        let path = files.write(&format!("{name}-{n:03}.json"), &capture);
        format!("{path}@{n}")
    });
    let paths = paths.collect();
    (files, paths)
}

fn all<'a>(options: &[&'a str], paths: &'a [String]) -> Vec<&'a str> {
    let paths = paths.iter().map(String::as_str);
    options.iter().copied().chain(paths).collect()
}

#[test]
fn what_was_freed_as_the_program_ended_is_not_called_the_same() {
    let of = |n: u64| {
        exact(&[
            (&["main", "session_open"], 900 * n, n),
            (&["main", "config_read"], 5_000, 3),
        ])
    };
    let (_files, paths) = series("ended", [50, 200, 800].map(|n| freed(&of(n))));
    let said = text(&all(&[], &paths));
    assert!(said.starts_with("CANNOT TELL"), "{said}");
    assert!(
        said.contains("see --metric peak_bytes") || said.contains("shows with --metric peak_bytes"),
        "{said}"
    );
    assert!(!said.contains("no leak by itself"), "{said}");
    let peak = document(&all(&["--metric", "peak_bytes"], &paths));
    assert_eq!(peak["verdict"], "grew");
}

#[test]
fn a_peak_that_stays_level_is_the_same_though_all_was_freed() {
    let of = |_| freed(&exact(&[(&["main", "session_open"], 90_000, 100)]));
    let (_files, paths) = series("level", [50, 200, 800].map(of));
    assert!(text(&all(&[], &paths)).starts_with("SAME"));
}

#[test]
fn the_reason_is_that_of_the_hot_path_though_a_rare_one_holds_more() {
    let of = |n: u64| {
        exact(&[
            (&["main", "serve", "client_create"], 64 * n, n),
            (&["main", "serve", "query_buffer"], 16_384 * n / 5, n / 5),
        ])
    };
    let (_files, paths) = series("rare", [50, 200, 800].map(of));
    let said = text(&all(&[], &paths));
    assert!(said.starts_with("LEAK +64 B and 1 block per run"), "{said}");
    assert!(
        said.contains("why hot path: it keeps 1 block on every run"),
        "{said}"
    );
    assert!(
        said.contains("also 1 site on error paths keeps something on fewer than one run in four"),
        "{said}"
    );
}

#[test]
fn a_cache_that_fills_is_no_error_path() {
    let of = |n: u64| exact(&[(&["main", "cache_put"], 100 * n, n)]);
    // Ever slower: 30 entries after 50 runs, 60 after 200, 80 after 800.
    let (_files, paths) = series("fills", [30, 60, 80].map(of));
    let said = text(&all(&[], &paths));
    assert!(!said.contains("error path"), "{said}");
    assert!(said.contains("growth slows down"), "{said}");
}

#[test]
fn a_function_around_malloc_names_no_site() {
    let wrapped = [
        [
            "app_alloc (app_alloc.c:22)",
            "malloc (in /usr/libexec/valgrind/vgpreload_dhat.so)",
        ],
        [
            "mosq__strdup (memory.c:152)",
            "malloc (in /usr/libexec/valgrind/vgpreload_dhat.so)",
        ],
        [
            "luaX_realloc_ (lmem.c:89)",
            "realloc (in /usr/libexec/valgrind/vgpreload_dhat.so)",
        ],
        [
            "dbMallocRawNN (m.c:9)",
            "malloc (in /usr/libexec/valgrind/vgpreload_dhat.so)",
        ],
    ];
    for [wrapper, malloc] in wrapped {
        let of = |n: u64| {
            let stack = [
                "main (main.c:3)",
                "request_create (request.c:77)",
                wrapper,
                malloc,
            ];
            exact(&[(&stack, 64 * n, n)])
        };
        let (_files, paths) = series("wrapped", [50, 200, 800].map(of));
        let said = text(&all(&[], &paths));
        assert!(
            said.contains("request_create request.c:77"),
            "{wrapper}: {said}"
        );
    }
    // A function that allocates something of its own is what keeps it.
    let of = |n: u64| {
        exact(&[(
            &["main (main.c:3)", "session_alloc (session.c:8)"],
            64 * n,
            n,
        )])
    };
    let (_files, paths) = series("own", [50, 200, 800].map(of));
    assert!(text(&all(&[], &paths)).contains("session_alloc session.c:8"));
}

#[test]
fn a_program_that_allocates_elsewhere_is_no_second_build() {
    let stack = |line: u64| {
        [
            "main (main.c:40)".to_owned(),
            "serve (server.c:12)".to_owned(),
            format!("handle_{line} (server.c:{line})"),
        ]
    };
    let capture = |handlers: std::ops::Range<u64>, shift: u64| {
        let stacks: Vec<Vec<String>> = handlers
            .map(|h| {
                let [main, serve, handle] = stack(100 + h);
                let main = main.replace("40", &(40 + shift).to_string());
                let serve = serve.replace("12", &(12 + shift).to_string());
                vec![main, serve, handle]
            })
            .collect();
        let functions: Vec<Vec<&str>> = stacks
            .iter()
            .map(|s| s.iter().map(String::as_str).collect())
            .collect();
        let sites: Vec<_> = functions.iter().map(|f| (f.as_slice(), 1_000, 1)).collect();
        exact(&sites)
    };
    let (_files, one) = series(
        "one",
        [capture(0..10, 0), capture(5..15, 0), capture(9..19, 0)],
    );
    assert!(!text(&all(&["-v"], &one)).contains("two builds"));
    // Lines that moved are those of another build.
    let (_files, two) = series(
        "two",
        [capture(0..10, 0), capture(0..10, 3), capture(0..10, 3)],
    );
    assert!(text(&all(&["-v"], &two)).contains("two builds"));
}

#[test]
fn next_to_nothing_is_not_nothing() {
    let of = |n: u64| {
        exact(&[
            (&["main", "table"], 100_000_000, 10),
            (&["main", "serve"], 64 * n, n),
        ])
    };
    let (_files, paths) = series("small", [50, 200, 800].map(of));
    let said = text(&all(&["--metric", "peak_bytes"], &paths));
    assert!(said.contains("(under 0.1 % of before)"), "{said}");
    let document = document(&all(&[], &paths));
    assert_eq!(row(&document, "serve")["growth"], "steady-growth");
}

#[test]
fn few_runs_do_not_fill_a_cache() {
    let of = |n: u64| exact(&[(&["main", "cache_put"], 201 * n, 2 * n)]);
    let files = Files::new();
    let paths = |runs: [u64; 3]| -> Vec<String> {
        let path = |n: u64| format!("{}@{n}", files.write(&format!("{n}.json"), &of(n)));
        runs.map(path).to_vec()
    };
    let hint = "after 80 runs a cache that fills looks the same";
    let said = text(&all(&[], &paths([10, 35, 80])));
    assert!(said.starts_with("LEAK") && said.contains(hint), "{said}");
    assert!(!text(&all(&[], &paths([50, 200, 800]))).contains("a cache that fills"));
}

#[test]
fn two_runs_of_one_healthy_program_are_neither_worse_nor_cured() {
    // A log of slow commands, a buffer, a timer: present or not, as chance has it.
    let capture = |blocks: [u64; 4]| {
        exact(&[
            (&["main", "table_create"], 1_150_000, 900),
            (&["main", "slow_log", "entry"], 56 * blocks[0], blocks[0]),
            (&["main", "slow_log", "argument"], 24 * blocks[1], blocks[1]),
            (&["main", "reply_buffer"], 300 * blocks[2], blocks[2]),
            (&["main", "timer"], 64 * blocks[3], blocks[3]),
        ])
    };
    let one = [[1, 1, 1, 3], [2, 2, 2, 2], [2, 2, 2, 2]];
    let other = [[2, 2, 1, 2], [2, 2, 1, 2], [1, 1, 1, 2]];
    let (_files, base) = series("base", one.map(capture));
    let (_more, new) = series("new", other.map(capture));
    for (base, new) in [(&base, &new), (&new, &base)] {
        let mut options = vec!["--base"; 6];
        for (i, path) in base.iter().enumerate() {
            options[2 * i + 1] = path;
        }
        let said = document(&all(&options, new))["verdict"].clone();
        assert!(said == "same" || said == "cannot-tell", "{said}");
    }
}
