//! Sample types to metrics, and how the profile was sampled.

use super::tables::{Tables, ValueType};
use crate::error::{Code, Error, Place, Result};
use crate::model::{Exactness, Metric, Nature, Sampling, Unit, snake_case};

const MOST_TYPES: usize = 256;

/// The columns of a profile.
#[derive(Debug)]
pub(super) struct Columns {
    /// One per sample type.
    pub metrics: Vec<Metric>,
    /// What a value of the file is multiplied with to give the metric's unit.
    pub factors: Vec<i64>,
    /// Column that pprof shows when none is asked for.
    pub default: usize,
}

/// A unit as pprof reads it: any case, singular or plural; its kB is 1024 bytes.
fn unit(name: &str) -> (Unit, i64) {
    let lower = name.trim().to_ascii_lowercase();
    let singular = match lower.strip_suffix('s') {
        Some(head) if head.len() > 1 => head,
        _ => lower.as_str(),
    };
    let bytes = |shift: u32| (Unit::Bytes, 1i64 << shift);
    match singular {
        "b" | "byte" => bytes(0),
        "kb" | "kib" | "kbyte" | "kilobyte" | "kibibyte" => bytes(10),
        "mb" | "mib" | "mbyte" | "megabyte" | "mebibyte" => bytes(20),
        "gb" | "gib" | "gbyte" | "gigabyte" | "gibibyte" => bytes(30),
        "tb" | "tib" | "tbyte" | "terabyte" | "tebibyte" => bytes(40),
        "count" | "object" | "block" | "allocation" => (Unit::Count, 1),
        _ => (Unit::Named(name.trim().to_owned()), 1),
    }
}

/// The text of a string index, lossy.
pub(super) fn text(tables: &Tables, index: i64, at: u64) -> Result<String> {
    Ok(String::from_utf8_lossy(tables.text(index, at)?).into_owned())
}

/// The metric of a sample type. A known name with a unit that it cannot have is not that metric.
fn metric(kind: &str, unit: &Unit) -> Metric {
    let known = Metric::new(kind, unit.clone());
    if known.unit == *unit && !known.name.is_empty() {
        known
    } else {
        own_name(kind, unit)
    }
}

fn own_name(kind: &str, unit: &Unit) -> Metric {
    let mut name = snake_case(kind);
    if name.is_empty() {
        name = snake_case(unit.as_str());
    }
    if name.is_empty() {
        name = "value".to_owned();
    }
    let known = Metric::new(kind, unit.clone());
    let fits = known.unit == *unit;
    if !fits && known.name == name {
        name = format!("{name}_{}", snake_case(unit.as_str()));
    }
    Metric {
        name,
        unit: unit.clone(),
        nature: if fits { known.nature } else { Nature::Plain },
    }
}

/// The columns that the sample types stand for. Two types of one canonical name do not collide:
/// the second keeps its own name, with a number where that is taken as well.
///
/// Errors: a string index outside of the table, more than 256 sample types.
pub(super) fn columns(tables: &Tables) -> Result<Columns> {
    if let Some(t) = tables.types.get(MOST_TYPES) {
        let what = format!("{} sample types", tables.types.len());
        return Err(Error::new(Code::LimitExceeded, what)
            .at(Place::Byte(t.at))
            .help("profiles have four as a rule, and heapdiff reads up to 256"));
    }
    let mut out = Columns {
        metrics: Vec::new(),
        factors: Vec::new(),
        default: tables.types.len().saturating_sub(1),
    };
    for &ValueType { kind, unit: u, at } in &tables.types {
        let kind_text = text(tables, kind, at)?;
        let (unit, factor) = unit(&text(tables, u, at)?);
        let taken = |out: &Columns, name: &str| out.metrics.iter().any(|m| m.name == name);
        let mut metric = metric(&kind_text, &unit);
        if taken(&out, &metric.name) {
            metric = own_name(&kind_text, &unit);
            let own = metric.name.clone();
            let mut n = 2;
            while taken(&out, &metric.name) {
                metric.name = format!("{own}_{n}");
                n += 1;
            }
        }
        out.metrics.push(metric);
        out.factors.push(factor);
    }
    if tables.default_type != 0 {
        let wanted = text(tables, tables.default_type, 0)?;
        for (i, t) in tables.types.iter().enumerate() {
            if text(tables, t.kind, t.at)? == wanted {
                out.default = i;
                break;
            }
        }
    }
    Ok(out)
}

/// How the profile was sampled: by its period, if that counts bytes.
///
/// Errors: a string index outside of the table.
pub(super) fn sampling(tables: &Tables) -> Result<(Exactness, Option<Sampling>)> {
    let unknown = Sampling {
        mean_bytes: None,
        estimated_mean_bytes: None,
        unbiased: true,
    };
    let Some(t) = tables.period_type else {
        return Ok((Exactness::Unknown, Some(unknown)));
    };
    let (unit, factor) = unit(&text(tables, t.unit, t.at)?);
    let mean = tables.period.saturating_mul(factor);
    Ok(match (unit, mean) {
        (Unit::Bytes, 1) => (Exactness::Exact, None),
        (Unit::Bytes, mean) if mean > 1 => (
            Exactness::Sampled,
            Some(Sampling {
                mean_bytes: Some(mean as f64),
                ..unknown
            }),
        ),
        _ => (Exactness::Unknown, Some(unknown)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_one_family_become_bytes() {
        assert_eq!(unit("bytes"), (Unit::Bytes, 1));
        assert_eq!(unit("Kilobytes"), (Unit::Bytes, 1024));
        assert_eq!(unit("MB"), (Unit::Bytes, 1 << 20));
        assert_eq!(unit("count"), (Unit::Count, 1));
        assert_eq!(
            unit("nanoseconds"),
            (Unit::Named("nanoseconds".to_owned()), 1)
        );
        assert_eq!(unit("s"), (Unit::Named("s".to_owned()), 1));
    }

    #[test]
    fn a_known_name_needs_its_unit() {
        assert_eq!(metric("inuse_space", &Unit::Bytes).name, "live_bytes");
        assert_eq!(metric("space", &Unit::Bytes).name, "live_bytes");
        assert_eq!(metric("inuse_space", &Unit::Count).name, "inuse_space");
        assert_eq!(
            metric("alloc_in_new_tlab_bytes", &Unit::Bytes).nature,
            Nature::Cumulative
        );
        assert_eq!(metric("", &Unit::Count).name, "blocks");
    }
}
