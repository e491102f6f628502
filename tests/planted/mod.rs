//! What was planted in the captures is what the program says, through its JSON document.

mod forwarder;
mod ingest;
mod totals;

use crate::program::run;
use serde_json::Value;

/// A folder's `truth.json`.
fn truth(folder: &str) -> Value {
    let path = format!(
        "{}/profiles/{folder}/truth.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What `compare` says, as its JSON document.
struct Document {
    line: String,
    json: Value,
}

/// The classes that are leaks.
const LEAKS: [&str; 2] = ["steady-growth", "accelerating"];

impl Document {
    /// Compares; the line is what stands after `heapdiff compare`.
    fn of(line: &str) -> Document {
        let mut args = vec!["compare", "--format", "json"];
        args.extend(line.split_whitespace());
        let ran = run(&args);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{line}");
        Document {
            line: line.to_owned(),
            json: serde_json::from_str(&ran.out).unwrap(),
        }
    }

    fn verdict(&self) -> &str {
        self.json["verdict"].as_str().unwrap()
    }

    fn sites(&self) -> impl Iterator<Item = Site<'_>> {
        let sites = self.json["sites"].as_array().unwrap();
        sites.iter().map(|json| Site { json })
    }

    fn site(&self, at: usize) -> Site<'_> {
        self.sites()
            .nth(at)
            .unwrap_or_else(|| panic!("{}: no site {at}", self.line))
    }

    /// The sites that `function` owns, in the order of the document.
    fn sites_of(&self, function: &str) -> Vec<Site<'_>> {
        self.sites().filter(|s| s.owner() == function).collect()
    }

    /// The largest of the sites that `function` owns.
    fn largest(&self, function: &str) -> Site<'_> {
        let chosen = self.json["metric"].as_str().unwrap();
        let size = |s: &Site<'_>| s.number("before", chosen).max(s.number("after", chosen));
        let sites = self.sites_of(function).into_iter();
        sites
            .max_by_key(size)
            .unwrap_or_else(|| panic!("{}: no {function}", self.line))
    }

    /// The functions whose sites are leaks, in the order of the document.
    fn leaks(&self) -> Vec<&str> {
        self.sites()
            .filter(|s| LEAKS.contains(&s.growth()))
            .map(|s| s.owner())
            .collect()
    }

    fn total(&self, which: &str, metric: &str) -> f64 {
        self.json["totals"][which][metric].as_f64().unwrap()
    }

    /// Rows, what was left out and what was filtered are the total, in every metric that adds up.
    fn adds_up(&self) {
        for which in ["before", "after", "delta"] {
            for (metric, total) in self.json["totals"][which].as_object().unwrap() {
                let rows = self.json["sites"].as_array().unwrap().iter();
                let sum: i64 = rows
                    .chain([&self.json["omitted"], &self.json["filtered"]])
                    .map(|row| row[which][metric].as_i64().unwrap_or(0))
                    .sum();
                assert_eq!(Some(sum), total.as_i64(), "{}: {which} {metric}", self.line);
            }
        }
    }
}

/// One row.
struct Site<'a> {
    json: &'a Value,
}

impl<'a> Site<'a> {
    fn functions(&self) -> impl Iterator<Item = &'a str> {
        let frames = self.json["frames"].as_array().unwrap();
        frames.iter().map(|f| f["function"].as_str().unwrap())
    }

    /// The function that the site is named by: the innermost frame of the user's code.
    fn owner(&self) -> &'a str {
        let at = self.json["owner"].as_u64().map_or(0, |at| at as usize);
        self.functions().nth(at).unwrap_or("")
    }

    fn owner_file(&self) -> &'a str {
        let at = self.json["owner"].as_u64().map_or(0, |at| at as usize);
        self.json["frames"][at]["file"].as_str().unwrap_or("")
    }

    fn growth(&self) -> &'a str {
        self.json["growth"].as_str().unwrap()
    }

    fn number(&self, which: &str, metric: &str) -> i64 {
        self.json[which][metric].as_i64().unwrap_or(0)
    }

    fn per_run(&self, metric: &str) -> Option<f64> {
        self.json["per_run"][metric].as_f64()
    }

    fn series(&self) -> Vec<i64> {
        let series = self.json["series"].as_array().unwrap();
        series.iter().map(|n| n.as_i64().unwrap()).collect()
    }
}

/// The same words as the text output's first one.
fn first_word(line: &str) -> String {
    let mut args = vec!["compare"];
    args.extend(line.split_whitespace());
    let ran = run(&args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{line}");
    ran.out.split("  ").next().unwrap().to_owned()
}
