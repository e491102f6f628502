//! What machines and pages receive: valid, within the limits of their hosts.

use super::{root, run_in};
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn schema(name: &str) -> jsonschema::Validator {
    let path = root().join("tests/gate/schema").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    // The published schema has a bracket too many in the pattern of a language.
    let text = text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn valid(schema: &jsonschema::Validator, json: &Value, what: &str) {
    let errors: Vec<String> = schema
        .iter_errors(json)
        .take(5)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// Gates of every verdict, with what is suppressed and what is not to be told.
const GATES: &[&str] = &[
    "--runs 50,200,800 profiles/ingest/faulty",
    "--runs 50,200,800 profiles/ingest/cured",
    "--runs 50,200,800 profiles/c-ingest/faulty",
    "--base profiles/ingest/cured/run-200.json --max-peak 16MiB profiles/ingest/double-buffer/run-200.json",
    "profiles/go-ingest/default-rate/run-050.pb.gz@50 profiles/go-ingest/default-rate/run-200.pb.gz@200",
    "--max-new-sites 0 --max-cycles 0 --base profiles/ingest/cured/run-200.json profiles/ingest/faulty/run-200.json",
    "--suppressions SUPP --runs 50,200,800 profiles/ingest/faulty",
    "profiles/rules-engine/off-10.hdg.zst profiles/rules-engine/off-20.hdg.zst profiles/rules-engine/off-40.hdg.zst",
    "--max-new-sites 0 --max-cycles 0 profiles/node-graph/cured-040.heapsnapshot.zst",
    "--budget 'endpoint = \"GET /*\", duration = \"30s\"' --budget 'severity = \"warning\", processes = 2' --timeline profiles/web-app/faulty",
    "--timeline profiles/web-app/cured",
    "--runs 50,200,800 profiles/ingest/retries --timeline profiles/monitoring",
];

struct Outputs {
    dir: tempfile::TempDir,
}

impl Outputs {
    /// Runs a gate with every rendering.
    fn of(line: &str) -> Outputs {
        let dir = tempfile::tempdir().unwrap();
        let supp = dir.path().join("lsan.supp");
        std::fs::write(&supp, "leak:readd_failed\n").unwrap();
        let line = line.replace("SUPP", supp.to_str().unwrap());
        let mut args: Vec<String> = ["gate", "--as-of", super::TODAY, "--format", "github"]
            .map(str::to_owned)
            .to_vec();
        args.extend(super::words(&line));
        let mut outputs = Vec::new();
        for name in [
            "g.json",
            "g.md",
            "g.sarif",
            "g.junit.xml",
            "g.codequality.json",
            "g.txt",
        ] {
            outputs.push("-o".to_owned());
            outputs.push(dir.path().join(name).to_str().unwrap().to_owned());
        }
        // Paths behind --timeline are monitoring.
        args.splice(1..1, outputs);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let summary = dir.path().join("summary.md");
        std::fs::write(&summary, "before\n").unwrap();
        let mut command = crate::program::heapdiff(&args);
        let output = command
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .unwrap();
        assert!(
            output.stderr.is_empty(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!([0, 1, 3].contains(&output.status.code().unwrap()), "{line}");
        std::fs::write(dir.path().join("annotations"), output.stdout).unwrap();
        Outputs { dir }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }
}

#[test]
fn every_rendering_is_valid() {
    let of = |kind: &str| {
        let path = format!("docs/schema/heapdiff.{kind}.1.schema.json");
        let text = std::fs::read(root().join(path)).unwrap();
        let schema: Value = serde_json::from_slice(&text).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    let (compare, timeline) = (of("compare"), of("timeline"));
    let (sarif, quality) = (schema("sarif-2.1.0.json"), schema("codequality.json"));
    let junit = Xsd::read(&root().join("tests/gate/schema/junit-4.xsd"));
    for line in GATES {
        let outputs = Outputs::of(line);
        let document = outputs.json("g.json");
        match document["schema"].as_str().unwrap() {
            "heapdiff.compare/1" => valid(&compare, &document, line),
            _ => valid(&timeline, &document, line),
        }
        if let Some(monitored) = document.get("timeline") {
            valid(&timeline, monitored, line);
        }
        what_a_page_needs(&document["gate"], line);
        valid(&sarif, &outputs.json("g.sarif"), line);
        valid(&quality, &outputs.json("g.codequality.json"), line);
        junit.check(&outputs.text("g.junit.xml"));
        let summary = outputs.text("summary.md");
        assert!(summary.starts_with("before\n### "), "{summary}");
    }
}

/// Everything about a budget in words and numbers, without the rest of the document.
fn what_a_page_needs(gate: &Value, line: &str) {
    for budget in gate["budgets"].as_array().unwrap() {
        for key in [
            "name", "subject", "kind", "unit", "verdict", "measured", "allowed",
        ] {
            assert!(budget[key].is_string(), "{line}: {key} of {budget}");
        }
        let broken = budget["verdict"] == "broken";
        assert_eq!(budget["held"] == false, broken, "{line}: {budget}");
        for offender in budget["broken_by"].as_array().unwrap() {
            assert_ne!(offender["name"], "", "{line}: {offender}");
            assert!(offender["finding"].as_str().unwrap().starts_with("HD"));
        }
        let open = budget["verdict"] == "cannot tell";
        assert_eq!(
            budget["why"].is_string() && budget["next"].is_string(),
            open,
            "{line}"
        );
    }
    for hidden in gate["suppressed"].as_array().unwrap() {
        assert!(
            hidden["place"].is_string() && hidden["names"].is_array(),
            "{line}"
        );
    }
}

#[test]
fn subjects_that_are_no_sites_are_told_everywhere() {
    let outputs = Outputs::of(GATES[7]);
    let log = outputs.json("g.sarif");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results[0]["ruleId"], "HD040");
    assert_eq!(results[0]["level"], "error");
    let print = &results[0]["partialFingerprints"]["heapdiffSite/v1"];
    assert_eq!(*print, "HD040:14d135aaa97065ca");
    assert!(outputs.text("g.junit.xml").contains("Broker.exceptions[*]"));
    let comment = outputs.text("g.md");
    assert!(comment.contains("`HD040:14d135aaa97065ca`"), "{comment}");
    assert!(
        outputs
            .text("annotations")
            .contains("::error title=heapdiff HD040")
    );
    let text = outputs.text("g.txt");
    for part in [
        "Broker.exceptions[*] -> Missing.__traceback__ -> traceback.tb_frame",
        "21,179 B per run",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let outputs = Outputs::of(GATES[9]);
    let issues = outputs.json("g.codequality.json");
    let services: Vec<&Value> = issues
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["check_name"] == "heapdiff/HD060")
        .collect();
    assert_eq!(services.len(), 2, "{issues:#}");
    assert!(
        services[0]["description"]
            .as_str()
            .unwrap()
            .contains("since 2026-03-02T")
    );
    assert_eq!(services[0]["location"]["path"], "heapdiff.toml");
}

#[test]
fn the_schema_of_sarif_can_fail() {
    let sarif = schema("sarif-2.1.0.json");
    let mut log = Outputs::of(GATES[0]).json("g.sarif");
    valid(&sarif, &log, "as it is");
    log["runs"][0]["results"][0]["level"] = Value::from("terrible");
    assert!(!sarif.is_valid(&log));
}

#[test]
fn a_site_is_at_its_place_in_the_repository() {
    let outputs = Outputs::of(GATES[0]);
    let log = outputs.json("g.sarif");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<&Value> = results.iter().map(|r| &r["ruleId"]).collect();
    // Retries and the encoder break the budget; the double buffer is a note beside them.
    assert_eq!(rules, ["HD001", "HD001", "HD020"]);
    assert_eq!(results[2]["level"], "note");
    let first = &results[0];
    assert_eq!(first["ruleId"], "HD001");
    assert_eq!(first["level"], "error");
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "examples/ingest.rs");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert!(place["region"]["startLine"].as_u64().unwrap() > 100);
    let print = first["partialFingerprints"]["heapdiffSite/v1"]
        .as_str()
        .unwrap();
    assert!(print.contains('#'), "{print}");
    assert!(first["stacks"][0]["frames"].as_array().unwrap().len() > 3);
    let issues = outputs.json("g.codequality.json");
    assert_eq!(issues[0]["location"]["path"], "examples/ingest.rs");
    assert_eq!(issues[0]["fingerprint"], print);
    let annotations = outputs.text("annotations");
    let line = annotations.lines().next().unwrap();
    assert!(
        line.starts_with("::error file=examples/ingest.rs,line="),
        "{line}"
    );
    assert!(
        line.contains("+7,928 B per run") && line.contains("heapdiff suppress HD001%3A")
            || line.contains("heapdiff suppress HD001:"),
        "{line}"
    );
}

#[test]
fn what_is_accepted_is_said_everywhere() {
    let outputs = Outputs::of(GATES[6]);
    let log = outputs.json("g.sarif");
    let suppressed: Vec<&Value> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["suppressions"].is_array())
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(
        suppressed[0]["suppressions"][0]["justification"],
        "leak:readd_failed"
    );
    assert!(
        outputs
            .text("g.junit.xml")
            .contains("<skipped>leak:readd_failed</skipped>")
    );
    assert!(outputs.text("g.md").contains("leak:readd\\_failed"));
    assert!(!outputs.text("g.codequality.json").contains("readd_failed"));
}

/// Ten thousand leaks, with names that mean something to every format.
fn many(dir: &Path) -> String {
    let odd = [
        "a|b",
        "c\u{60}d",
        "e<f>",
        "g&h",
        "@someone",
        "i\"j",
        "k%0A",
        "l\u{202e}m",
        "n*_o",
    ];
    let capture = |runs: u64| {
        let mut text = String::new();
        for i in 0..10_000u64 {
            let name = odd[i as usize % odd.len()];
            text.push_str(&format!(
                "main;serve;f{i}{name} {}\n",
                1000 + runs * (10 + i)
            ));
        }
        let path = dir.join(format!("{runs}.folded"));
        std::fs::write(&path, text).unwrap();
        format!("{}@{runs}", path.display())
    };
    format!(
        "--noise exact {} {} {}",
        capture(10),
        capture(20),
        capture(40)
    )
}

#[test]
fn ten_thousand_findings_fit_into_every_limit() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = Outputs::of(&many(dir.path()));
    let document = outputs.json("g.json");
    assert_eq!(document["findings"].as_array().unwrap().len(), 10_000);

    let comment = outputs.text("g.md");
    assert!(
        comment.chars().count() < 65_536,
        "{}",
        comment.chars().count()
    );
    assert!(comment.starts_with("### REGRESSION: "));
    let last = comment.trim_end().lines().last().unwrap();
    assert!(last.starts_with("<!-- heapdiff gate"), "{last}");
    let left_out = comment
        .lines()
        .find(|l| l.ends_with("sites are left out here."));
    assert!(left_out.is_some());
    assert!(comment.len() > 40_000, "room is used: {}", comment.len());
    for line in comment.lines().filter(|l| l.starts_with('|')) {
        let bare = line.replace("\\|", "");
        assert_eq!(
            bare.matches('|').count() % 2,
            if bare.matches('|').count() == 5 { 1 } else { 0 },
            "{line}"
        );
        assert!(!line.contains("<f>") || line.contains('`'), "{line}");
    }

    let summary = outputs.text("summary.md");
    assert!(summary.len() < 1 << 20, "{}", summary.len());
    assert!(summary.len() > comment.len());

    let annotations = outputs.text("annotations");
    for kind in ["::error ", "::warning ", "::notice "] {
        let count = annotations.lines().filter(|l| l.starts_with(kind)).count();
        assert!(count <= 10, "{kind}: {count}");
    }
    assert!(
        annotations.lines().all(|l| l.starts_with("::")),
        "no line breaks out"
    );
    assert!(annotations.contains("more of these"));

    let log = outputs.json("g.sarif");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() <= 5000, "{}", results.len());
    let notes = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert!(notes.to_string().contains("results more are left out"));
    valid(&schema("sarif-2.1.0.json"), &log, "many");
    valid(
        &schema("codequality.json"),
        &outputs.json("g.codequality.json"),
        "many",
    );
    Xsd::read(&root().join("tests/gate/schema/junit-4.xsd")).check(&outputs.text("g.junit.xml"));
    let prints = outputs.json("g.codequality.json");
    let prints: std::collections::BTreeSet<&str> = prints
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["fingerprint"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), 5000, "fingerprints are of one issue each");
    assert!(outputs.text("g.txt").lines().count() <= 24);
}

#[test]
fn the_text_fits_a_screen() {
    for line in GATES.iter().filter(|l| !l.contains("SUPP")) {
        let words = super::words(line);
        let args: Vec<&str> = std::iter::once("gate")
            .chain(words.iter().map(String::as_str))
            .collect();
        let ran = run_in(root(), &args);
        assert!(ran.out.lines().count() <= 24, "{}", ran.out);
        let first = ran.out.split("  ").next().unwrap();
        assert!(
            ["PASS", "REGRESSION", "CANNOT TELL"].contains(&first),
            "{first}"
        );
        let last = ran.out.lines().last().unwrap();
        assert!(last.starts_with(&format!("exit {}", ran.status)), "{last}");
    }
}

/// A schema of elements, their children in order, and their attributes: as much of XSD as the
/// schema of JUnit uses.
struct Xsd {
    elements: BTreeMap<String, Element>,
}

#[derive(Default)]
struct Element {
    children: Vec<(String, bool)>,
    attributes: BTreeMap<String, bool>,
    text: bool,
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element
        .attributes()
        .flatten()
        .find(|a| a.key.as_ref() == name.as_bytes())?;
    Some(String::from_utf8(found.value.to_vec()).unwrap())
}

impl Xsd {
    fn read(path: &Path) -> Xsd {
        let text = std::fs::read_to_string(path).unwrap();
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut elements: BTreeMap<String, Element> = BTreeMap::new();
        let mut open = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(e) | Event::Empty(e) => match e.name().as_ref() {
                    b"xs:element" => match (attribute(&e, "name"), attribute(&e, "ref")) {
                        (Some(name), _) => {
                            let text = attribute(&e, "type").is_some();
                            open = name.clone();
                            elements.entry(name).or_default().text = text;
                        }
                        (None, Some(child)) => {
                            let many = attribute(&e, "maxOccurs").as_deref() == Some("unbounded");
                            elements
                                .get_mut(&open)
                                .unwrap()
                                .children
                                .push((child, many));
                        }
                        _ => panic!("an element without a name"),
                    },
                    b"xs:attribute" => {
                        let name = attribute(&e, "name").unwrap();
                        let required = attribute(&e, "use").as_deref() == Some("required");
                        elements
                            .get_mut(&open)
                            .unwrap()
                            .attributes
                            .insert(name, required);
                    }
                    b"xs:complexType" => {
                        let mixed = attribute(&e, "mixed").as_deref() == Some("true");
                        elements.get_mut(&open).unwrap().text |= mixed;
                    }
                    b"xs:schema" | b"xs:sequence" => {}
                    other => panic!("not known: {}", String::from_utf8_lossy(other)),
                },
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(elements.len() > 8);
        Xsd { elements }
    }

    fn check(&self, xml: &str) {
        let mut reader = quick_xml::Reader::from_str(xml);
        // Name, place among the parent's children, how often it was there.
        let mut stack: Vec<(String, usize, bool)> = Vec::new();
        loop {
            let event = reader.read_event().unwrap();
            match event {
                Event::Start(ref e) | Event::Empty(ref e) => {
                    let name = String::from_utf8(e.name().as_ref().to_vec()).unwrap();
                    let element = self
                        .elements
                        .get(&name)
                        .unwrap_or_else(|| panic!("<{name}>"));
                    match stack.last_mut() {
                        None => assert_eq!(name, "testsuites"),
                        Some((parent, at, seen)) => {
                            let children = &self.elements[parent.as_str()].children;
                            let place = children.iter().position(|(c, _)| *c == name);
                            let place = place.unwrap_or_else(|| panic!("<{name}> in <{parent}>"));
                            assert!(place >= *at, "<{name}> stands too late in <{parent}>");
                            assert!(place > *at || !*seen || children[place].1, "two <{name}>");
                            (*at, *seen) = (place, true);
                        }
                    }
                    let mut required: Vec<&String> = element
                        .attributes
                        .iter()
                        .filter(|(_, r)| **r)
                        .map(|(n, _)| n)
                        .collect();
                    for attribute in e.attributes() {
                        let attribute = attribute.unwrap();
                        let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                        assert!(element.attributes.contains_key(&key), "{key} of <{name}>");
                        required.retain(|r| **r != key);
                    }
                    assert!(required.is_empty(), "<{name}> lacks {required:?}");
                    if matches!(event, Event::Start(_)) {
                        stack.push((name, 0, false));
                    }
                }
                Event::End(_) => {
                    stack.pop();
                }
                Event::Text(t) => {
                    let text = String::from_utf8_lossy(&t).trim().to_owned();
                    let own = stack.last().map(|(n, ..)| n.as_str()).unwrap_or("");
                    let allowed = self.elements.get(own).is_some_and(|e| e.text);
                    assert!(text.is_empty() || allowed, "text in <{own}>: {text}");
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(stack.is_empty());
    }
}
