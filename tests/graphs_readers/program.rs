//! The planted faults through the program: what it names is what the cure removes.

use serde_json::Value;

/// What `heapdiff cycles` says about captures of `profiles/`.
fn cycles(captures: &[&str]) -> (String, Value) {
    let captures: Vec<String> = captures.iter().map(|c| format!("profiles/{c}")).collect();
    let run = |format: &str| {
        let mut args = vec!["cycles", "--format", format];
        args.extend(captures.iter().map(String::as_str));
        let ran = crate::program::run(&args);
        assert_eq!(ran.status, 0, "{}", ran.err);
        ran.out
    };
    let document = serde_json::from_str(&run("json")).unwrap();
    (run("text"), document)
}

/// Everything that is accused: the paths of holders that leak and the titles of findings.
fn accused(document: &Value) -> String {
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|f| f["title"].as_str().unwrap_or("").to_owned() + "\n")
        .collect()
}

const INNOCENTS: [&str; 3] = ["Price", "Category", "Visit"];

fn no_innocent(text: &str) {
    for name in INNOCENTS {
        assert!(!text.contains(name), "{name} is accused:\n{text}");
    }
}

#[test]
fn node_names_the_listener_and_the_closures() {
    let (text, document) = cycles(&[
        "node-graph/faulty-010.heapsnapshot.zst",
        "node-graph/faulty-020.heapsnapshot.zst",
        "node-graph/faulty-040.heapsnapshot.zst",
    ]);
    assert_eq!(document["verdict"], "leak");
    assert!(text.contains("LEAK"), "{text}");
    assert!(text.contains("Settings._events"), "{text}");
    assert!(text.contains("1.00") && text.contains("per run"), "{text}");
    assert!(text.contains("Mailer.retries"), "{text}");
    no_innocent(&accused(&document));
    no_innocent(&text);
}

#[test]
fn java_names_the_static_map() {
    let (text, document) = cycles(&[
        "java-graph/faulty-010.hprof.zst@10",
        "java-graph/faulty-020.hprof.zst@20",
        "java-graph/faulty-040.hprof.zst@40",
    ]);
    assert_eq!(document["verdict"], "leak");
    assert!(text.contains("class Service.OPEN"), "{text}");
    assert!(text.contains("1.00") && text.contains("per run"), "{text}");
    no_innocent(&accused(&document));
    no_innocent(&text);
}

#[test]
fn ruby_names_the_registry() {
    let (text, document) = cycles(&[
        "ruby-graph/faulty-010.rbheap.zst",
        "ruby-graph/faulty-020.rbheap.zst",
        "ruby-graph/faulty-040.rbheap.zst",
    ]);
    assert_eq!(document["verdict"], "leak");
    assert!(
        text.contains("Registry") && text.contains("Session"),
        "{text}"
    );
    no_innocent(&accused(&document));
    no_innocent(&text);
    let (text, document) = cycles(&[
        "ruby-graph/cured-010.rbheap.zst",
        "ruby-graph/cured-040.rbheap.zst",
    ]);
    assert_ne!(document["verdict"], "leak", "{text}");
}

#[test]
fn the_scripts_are_printed() {
    for (language, word) in [("node", "writeHeapSnapshot"), ("ruby", "dump_all")] {
        let ran = crate::program::run(&["capture", language]);
        assert_eq!(ran.status, 0);
        assert!(ran.out.contains(word));
    }
}
