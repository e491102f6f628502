//! `heapdiff suppress`: the block that accepts a finding, printed or appended.

use super::args::SuppressArgs;
use super::config::{self, FILE, site_id};
use super::output::{Target, to_stdout};
use super::run::size;
use crate::error::{Code, Error, Result};
use crate::verdict::rules;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The part of a document that names its sites.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    sites: Vec<Site>,
}

#[derive(Debug, Deserialize)]
struct Site {
    id: String,
    #[serde(default)]
    frames: Vec<Frame>,
    owner: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    function: Option<String>,
}

/// Callers of the owner that a pattern names.
const CALLERS: usize = 2;

/// Prints or appends the block.
///
/// Errors: a finding, rule, date or size that is none; a site that the document does not have.
pub(super) fn suppress(args: &SuppressArgs) -> Result<u8> {
    let text = block(args)?;
    if !args.append {
        return to_stdout(text.as_bytes()).map(|()| 0);
    }
    let explicit = args.settings.config.as_deref().map(PathBuf::from);
    let path = explicit
        .or_else(config::find)
        .unwrap_or_else(|| FILE.into());
    let shown = path.display().to_string();
    let mut whole = match std::fs::read_to_string(&path) {
        Ok(whole) => whole,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(Error::io(Code::Unreadable, &shown, &e)),
    };
    if !whole.is_empty() && !whole.ends_with("\n\n") {
        whole.push_str(if whole.ends_with('\n') { "\n" } else { "\n\n" });
    }
    whole.push_str(&text);
    // Nothing is written that could not be read.
    config::read(&whole, Path::new(&path), None).map_err(|e| e.in_file(&shown))?;
    Target::open(&shown)?.write(whole.as_bytes())?;
    to_stdout(format!("added to {shown}:\n\n{text}").as_bytes()).map(|()| 0)
}

fn block(args: &SuppressArgs) -> Result<String> {
    let wrong = |what: String| {
        Error::usage(what).help("write HD001:9f2c61d0a4e7b318 as the gate does, or a site's id")
    };
    let (rule, id) = match args.finding.split_once(':') {
        Some((rule, id)) => {
            let known =
                rules::by_name(rule).ok_or_else(|| wrong(format!("no rule is called {rule:?}")))?;
            (known.id, id)
        }
        None => ("*", args.finding.as_str()),
    };
    if args.reason.trim().is_empty() {
        return Err(Error::usage("the reason is empty").help("say why it is accepted"));
    }
    let date: jiff::civil::Date = args.expires.parse().map_err(|_| {
        Error::usage(format!("--expires {:?} is no date", args.expires)).help("write 2027-03-01")
    })?;
    let max = size("max", &args.max)?;
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut out = format!("[[suppress]]\nrule = {}\n", quoted(rule));
    match site_id(id).filter(|_| !of_subjects(rule)) {
        Some((hash, rank)) => {
            let site = match &args.from {
                Some(path) => Some(site_in(path, hash, rank)?),
                None => None,
            };
            match site {
                Some((frames, _)) if !frames.is_empty() => {
                    let frames: Vec<String> = frames.iter().map(|f| quoted(f)).collect();
                    out.push_str(&format!("stack = [{}]\n", frames.join(", ")));
                }
                site => {
                    out.push_str(&format!("site = {}\n", quoted(id)));
                    if let (Some((_, of)), Some(_)) = (site, rank) {
                        out.push_str(&format!("of = {of}\n"));
                    }
                }
            }
        }
        None if id.is_empty() => return Err(wrong("the finding names nothing".into())),
        None => out.push_str(&format!("subject = {}\n", quoted(id))),
    }
    if let Some(max) = max {
        let text = args.max.clone().unwrap_or_else(|| max.to_string());
        out.push_str(&format!("max = {}\n", quoted(&text)));
    }
    out.push_str(&format!("reason = {}\n", quoted(args.reason.trim())));
    if let Some(owner) = &args.owner {
        out.push_str(&format!("owner = {}\n", quoted(owner)));
    }
    out.push_str(&format!("expires = {date}\n"));
    Ok(out)
}

/// Whether findings of a rule are about cycles, holders, series or endpoints.
fn of_subjects(rule: &str) -> bool {
    let number = rule.trim_start_matches("HD").parse::<u32>();
    number.is_ok_and(|n| (40..80).contains(&n) || n == 90)
}

/// The frames that name a site in a document, as a pattern, and how many sites share its hash.
fn site_in(path: &str, hash: u64, rank: Option<u32>) -> Result<(Vec<String>, usize)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(Code::Unreadable, path, &e))?;
    let document: Document = serde_json::from_slice(&bytes).map_err(|e| {
        Error::new(
            Code::Unrecognised,
            format!("is no document of heapdiff ({e})"),
        )
        .in_file(path)
        .help("write one: heapdiff gate ... -o gate.json")
    })?;
    let equal = |site: &&Site| site_id(&site.id).is_some_and(|(h, _)| h == hash);
    let same: Vec<&Site> = document.sites.iter().filter(equal).collect();
    let of_rank = |site: &&&Site| rank.is_none() || site_id(&site.id).and_then(|s| s.1) == rank;
    let Some(site) = same.iter().find(of_rank) else {
        return Err(
            Error::usage(format!("site {hash:016x} is not among the sites"))
                .in_file(path)
                .help("write the document of the run that named it, with --limit 0"),
        );
    };
    // A rank tells sites apart that a pattern does not.
    if rank.is_some() && same.len() > 1 {
        return Ok((Vec::new(), same.len()));
    }
    let owner = site.owner.unwrap_or(site.frames.len().saturating_sub(1));
    let from = owner.saturating_sub(CALLERS);
    let mut pattern = vec!["**".to_owned()];
    let own = site.frames.get(from..=owner).unwrap_or_default();
    pattern.extend(own.iter().filter_map(|f| f.function.clone()));
    pattern.push("**".to_owned());
    Ok((pattern, same.len()))
}
