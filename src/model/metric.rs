//! Metrics: what a number in a capture counts.

/// How a metric behaves over time and when sites are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Held when the capture was taken.
    Live,
    /// Held at the program's global peak.
    Peak,
    /// Counted since the program started; grows with every run of healthy work.
    Cumulative,
    /// The site's own maximum; maxima of different sites lie at different times, so a sum of
    /// them means nothing and totals leave it out.
    Maximum,
    /// A value whose meaning the capture does not say.
    Plain,
}

/// What one unit of a metric is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of memory.
    Bytes,
    /// Blocks, objects, calls: things that are counted.
    Count,
    /// Anything else, named as the capture names it (`instrs`, `µs`, `unit`).
    Named(String),
}

impl Unit {
    /// The unit's name as in JSON: `bytes`, `blocks`, or the capture's own word.
    pub fn as_str(&self) -> &str {
        match self {
            Unit::Bytes => "bytes",
            Unit::Count => "blocks",
            Unit::Named(name) => name,
        }
    }
}

/// One column of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Name in JSON and after `--metric`.
    pub name: String,
    /// What is counted.
    pub unit: Unit,
    /// How it behaves.
    pub nature: Nature,
}

/// Known metrics: name, whether bytes, nature, and the names that formats give them.
const KNOWN: &[(&str, bool, Nature, &[&str])] = &[
    (
        "live_bytes",
        true,
        Nature::Live,
        &[
            "inuse_space",
            "space",
            "eb",
            "in_use_space",
            "unreleased_malloc_size",
            "unreleased_size",
        ],
    ),
    (
        "live_blocks",
        false,
        Nature::Live,
        &[
            "inuse_objects",
            "objects",
            "ebk",
            "unreleased_malloc_count",
            "unreleased_count",
        ],
    ),
    ("peak_bytes", true, Nature::Peak, &["gb"]),
    ("peak_blocks", false, Nature::Peak, &["gbk"]),
    (
        "total_bytes",
        true,
        Nature::Cumulative,
        &["alloc_space", "tb", "total_malloc_size", "total_size"],
    ),
    (
        "total_blocks",
        false,
        Nature::Cumulative,
        &["alloc_objects", "tbk", "total_malloc_count", "total_count"],
    ),
    ("max_bytes", true, Nature::Maximum, &["mb"]),
    ("max_blocks", false, Nature::Maximum, &["mbk"]),
    (
        "temporary_blocks",
        false,
        Nature::Cumulative,
        &["temporary"],
    ),
    ("lifetime", false, Nature::Cumulative, &["tl"]),
    ("read_bytes", true, Nature::Cumulative, &["rb"]),
    ("written_bytes", true, Nature::Cumulative, &["wb"]),
    ("copied_bytes", true, Nature::Cumulative, &[]),
    ("copied_blocks", false, Nature::Cumulative, &[]),
    ("bytes", true, Nature::Plain, &[]),
    ("blocks", false, Nature::Plain, &[]),
];

/// `name` in snake_case: lower case, every run of other characters one underscore.
pub fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

/// The contract's name for a format's own name (`inuse_space`, `eb`), or the name in snake_case.
pub fn canonical_name(name: &str) -> String {
    let plain = snake_case(name);
    KNOWN
        .iter()
        .find(|(known, _, _, aliases)| *known == plain || aliases.contains(&plain.as_str()))
        .map_or(plain, |(known, ..)| (*known).to_owned())
}

impl Metric {
    /// A metric by a name of [`canonical_name`]; `unit` is used for names that are not known.
    pub fn new(name: &str, unit: Unit) -> Self {
        let name = canonical_name(name);
        match KNOWN.iter().find(|(known, ..)| *known == name) {
            Some(&(_, _, nature, _)) if name == "lifetime" => Metric { name, unit, nature },
            Some(&(_, bytes, nature, _)) => Metric {
                name,
                unit: if bytes { Unit::Bytes } else { Unit::Count },
                nature,
            },
            None => {
                let nature = if name.starts_with("alloc") || name.starts_with("total") {
                    Nature::Cumulative
                } else {
                    Nature::Plain
                };
                Metric { name, unit, nature }
            }
        }
    }

    /// A metric whose name says its unit, such as `live_bytes`.
    pub fn known(name: &str) -> Self {
        let unit = if name.ends_with("_bytes") || name == "bytes" {
            Unit::Bytes
        } else {
            Unit::Count
        };
        Self::new(name, unit)
    }

    /// Whether values of several sites may be added up.
    pub fn is_additive(&self) -> bool {
        self.nature != Nature::Maximum
    }

    /// Whether a difference divided by runs has a meaning: not for peaks and maxima.
    pub fn has_per_run(&self) -> bool {
        !matches!(self.nature, Nature::Peak | Nature::Maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_formats_are_aliases() {
        assert_eq!(canonical_name("inuse_space"), "live_bytes");
        assert_eq!(canonical_name("Unreleased malloc size"), "live_bytes");
        assert_eq!(canonical_name("eb"), "live_bytes");
        assert_eq!(
            canonical_name("alloc_in_new_tlab_bytes"),
            "alloc_in_new_tlab_bytes"
        );
        assert_eq!(canonical_name("  My Odd-Type "), "my_odd_type");
        assert!(!Metric::known("max_bytes").is_additive());
    }
}
