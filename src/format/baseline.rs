//! Baselines: captures that were saved by heapdiff itself, to be held against later ones.
//!
//! The file is sorted and has one site a line, so that a change of it can be read in a review.
//! Frames stand once, under a key made of what they hold; a site names them root first. Every
//! metric has one value a capture. The captures of the first save stay as the origin: moment `#0`.

use super::{Capture, Context, Format, Match};
use crate::error::{Code, Error, Result};
use crate::input::{Select, Source};
use crate::model::{
    Exactness, Frame, Meta, Metric, Profile, ProfileBuilder, Sampling, StackId, StrId, Symbols,
    Unit,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format of saved baselines.
pub static FORMAT: Format = Format {
    name: "baseline",
    title: "heapdiff baseline",
    recipe: "heapdiff baseline save main CAPTURE...",
    sniff,
    read,
};

/// The name and version of the document.
pub const SCHEMA: &str = "heapdiff.baseline/1";

/// The file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct File {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of heapdiff that wrote it.
    #[serde(default)]
    pub heapdiff: String,
    /// Language that the captures' formats fix.
    #[serde(default)]
    pub language: Option<String>,
    /// `exact`, `sampled` or `unknown`.
    #[serde(default)]
    pub exactness: String,
    /// What the values count: name and unit.
    pub metrics: Vec<(String, String)>,
    /// The metric that is looked at by default.
    #[serde(default)]
    pub default_metric: Option<String>,
    /// The captures.
    pub captures: Vec<Taken>,
    /// The captures of the first save, where these are later ones.
    #[serde(default)]
    pub origin: Vec<Taken>,
    /// Frames by key.
    pub frames: BTreeMap<String, FrameOf>,
    /// The sites, by id.
    pub sites: Vec<SiteOf>,
    /// Sites that are too small to be listed, as one row.
    #[serde(default)]
    pub rest: Option<RestOf>,
}

/// One capture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Name of the file, without its folder.
    pub name: String,
    /// Name of its format.
    #[serde(default)]
    pub format: String,
    /// The tool that wrote it.
    #[serde(default)]
    pub producer: Option<String>,
    /// `runs` and other drivers.
    #[serde(default)]
    pub drivers: BTreeMap<String, f64>,
    /// Mean number of bytes between two samples, where it is sampled.
    #[serde(default)]
    pub mean_bytes: Option<f64>,
}

/// A frame: function, file, line, column, module, whether it is inlined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FrameOf(
    pub String,
    pub String,
    pub u32,
    pub u32,
    pub String,
    pub bool,
);

/// Values of each metric, one a capture.
pub type Columns = BTreeMap<String, Vec<i64>>;

/// One site.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SiteOf {
    /// Its id.
    pub id: String,
    /// Keys of its frames, root first.
    pub stack: Vec<String>,
    /// The values; metrics that are zero in every capture are left out.
    pub values: Columns,
    /// Variance of the default metric by sampling, one a capture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variance: Vec<f64>,
    /// The values of the origin.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub origin: Columns,
}

/// What is not listed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RestOf {
    /// Number of sites.
    pub sites: u64,
    /// Their sums.
    pub values: Columns,
    /// The sums of the origin.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub origin: Columns,
}

fn sniff(head: &[u8]) -> Match {
    let key = b"\"heapdiff.baseline/";
    let head = &head[..head.len().min(4096)];
    match head.windows(key.len()).any(|w| w == key) {
        true => Match::Yes,
        false => Match::No,
    }
}

fn read(source: &Source, cx: &mut Context<'_>) -> Result<Vec<Capture>> {
    let bytes = source.bytes()?;
    let file = parse(&bytes)?;
    let origin = match cx.select {
        None | Some(Select::Last) => false,
        Some(Select::Number(0)) => true,
        Some(Select::Ends) if file.captures.len() > 1 => false,
        Some(Select::Ends) => return Err(super::alone()),
        Some(_) => {
            return Err(Error::usage("a baseline has no such moment")
                .help("#0 is what it was at first, #last what it is now"));
        }
    };
    let profiles = profiles(&file, origin, cx.symbols)?;
    Ok(profiles.into_iter().map(Capture::Profile).collect())
}

/// Reads the file.
///
/// Errors: bytes that are no baseline, one of a later version, one whose parts do not fit.
pub fn parse(bytes: &[u8]) -> Result<File> {
    let file: File = serde_json::from_slice(bytes).map_err(|e| {
        let offset = offset_of(bytes, e.line(), e.column());
        let what = e.to_string();
        let what = what
            .split(" at line")
            .next()
            .unwrap_or("damaged")
            .to_owned();
        match e.is_eof() {
            true => Error::truncated(offset, what),
            false => Error::damaged(offset, what),
        }
        .help("take the file from git, or save the baseline anew")
    })?;
    let broken = |what: String| {
        Err(Error::new(Code::Damaged, what)
            .help("take the file from git, or save the baseline anew"))
    };
    match file.schema.strip_prefix("heapdiff.baseline/") {
        Some("1") => {}
        Some(version) => {
            return Err(Error::new(
                Code::Unsupported,
                format!("a baseline of version {version}, version 1 is known"),
            )
            .help("use the version of heapdiff that wrote it, or save the baseline anew"));
        }
        None => return broken(format!("its schema is {:?}", file.schema)),
    }
    if file.captures.is_empty() {
        return broken("a baseline without captures".into());
    }
    let fits = |columns: &Columns, captures: usize| {
        columns.iter().all(|(name, values)| {
            values.len() == captures && file.metrics.iter().any(|(n, _)| n == name)
        })
    };
    for site in &file.sites {
        if !fits(&site.values, file.captures.len()) || !fits(&site.origin, file.origin.len()) {
            return broken(format!(
                "the values of site {} do not fit the captures",
                site.id
            ));
        }
        if let Some(key) = site.stack.iter().find(|k| !file.frames.contains_key(*k)) {
            return broken(format!("site {} names the unknown frame {key}", site.id));
        }
    }
    if let Some(rest) = &file.rest
        && (!fits(&rest.values, file.captures.len()) || !fits(&rest.origin, file.origin.len()))
    {
        return broken("the values of the rest do not fit the captures".into());
    }
    Ok(file)
}

fn offset_of(bytes: &[u8], line: usize, column: usize) -> u64 {
    let mut lines = bytes.split_inclusive(|&b| b == b'\n');
    let before: usize = lines
        .by_ref()
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (before + column.saturating_sub(1)).min(bytes.len()) as u64
}

/// The stack of each site. Linear in the file.
pub fn stacks(file: &File, symbols: &mut Symbols) -> Vec<StackId> {
    let mut frames = BTreeMap::new();
    for (key, FrameOf(function, file, line, column, module, inlined)) in &file.frames {
        let mut id = |text: &str| match text {
            "" => StrId::EMPTY,
            text => symbols.strings.intern(text),
        };
        let frame = Frame {
            function: id(function),
            file: id(file),
            module: id(module),
            line: *line,
            column: *column,
            inlined: *inlined,
        };
        frames.insert(key.as_str(), symbols.frames.intern(frame));
    }
    file.sites
        .iter()
        .map(|site| {
            let ids: Vec<_> = site
                .stack
                .iter()
                .filter_map(|k| frames.get(k.as_str()).copied())
                .collect();
            symbols.stacks.intern_root_first(&ids)
        })
        .collect()
}

/// The captures of a baseline as they were, but for what the rest sums up.
///
/// Errors: values of one site that exceed 64 bits.
pub fn profiles(file: &File, origin: bool, symbols: &mut Symbols) -> Result<Vec<Profile>> {
    // A baseline that was never updated is its own origin.
    let origin = origin && !file.origin.is_empty();
    let captures = if origin { &file.origin } else { &file.captures };
    let metrics: Vec<Metric> = file
        .metrics
        .iter()
        .map(|(name, unit)| {
            Metric::new(
                name,
                match unit.as_str() {
                    "bytes" => Unit::Bytes,
                    "blocks" => Unit::Count,
                    other => Unit::Named(other.to_owned()),
                },
            )
        })
        .collect();
    let stacks = stacks(file, symbols);
    let mut out = Vec::new();
    for (i, taken) in captures.iter().enumerate() {
        let mut builder = ProfileBuilder::new(metrics.clone());
        let row = |columns: &Columns| -> Vec<i64> {
            let value = |(name, _): &(String, String)| {
                columns
                    .get(name)
                    .and_then(|v| v.get(i))
                    .copied()
                    .unwrap_or(0)
            };
            file.metrics.iter().map(value).collect()
        };
        let columns = |site: &'_ SiteOf| match origin {
            true => row(&site.origin),
            false => row(&site.values),
        };
        for (site, &stack) in file.sites.iter().zip(&stacks) {
            let values = columns(site);
            if values.iter().any(|&v| v != 0) {
                builder.add(stack, &values)?;
            }
        }
        if let Some(rest) = &file.rest {
            let values = match origin {
                true => row(&rest.origin),
                false => row(&rest.values),
            };
            if values.iter().any(|&v| v != 0) {
                builder.add(StackId::EMPTY, &values)?;
            }
        }
        out.push(builder.finish(meta(file, taken)));
    }
    Ok(out)
}

fn meta(file: &File, taken: &Taken) -> Meta {
    let exactness = match file.exactness.as_str() {
        "exact" => Exactness::Exact,
        "sampled" => Exactness::Sampled,
        _ => Exactness::Unknown,
    };
    let mut drivers: Vec<(String, f64)> = taken
        .drivers
        .iter()
        .map(|(name, n)| (name.clone(), *n))
        .collect();
    drivers.sort_by_key(|(name, _)| name != "runs");
    let known = ["rust", "python", "js", "java", "go"];
    Meta {
        producer: taken.producer.clone(),
        drivers,
        exactness,
        sampling: (exactness == Exactness::Sampled).then_some(Sampling {
            mean_bytes: taken.mean_bytes,
            estimated_mean_bytes: None,
            unbiased: true,
        }),
        default_metric: file.default_metric.clone(),
        language: known
            .into_iter()
            .find(|l| Some(*l) == file.language.as_deref()),
        ..Meta::default()
    }
}
