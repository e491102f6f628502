//! `PATH[#SELECT][@N]`: what the user names on the command line.

use crate::error::{Error, Result};
use std::path::Path;

/// Which moment of a capture that holds several.
#[derive(Debug, Clone, PartialEq)]
pub enum Select {
    /// Snapshot number, as the format counts.
    Number(u64),
    /// The moment of the highest total.
    Peak,
    /// The last moment.
    Last,
    /// The first and the last moment, as two captures.
    Ends,
    /// Seconds since the start of the recording.
    Time(f64),
    /// A series, one capture every so many seconds.
    EverySeconds(f64),
    /// A series, one capture every so many bytes allocated.
    EveryBytes(u64),
}

/// A count that growth may follow: `runs`, `connections`.
pub type Driver = (String, f64);

/// One argument, taken apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spec {
    /// Paths, directories or globs; more than one is `A+B`: added up.
    pub paths: Vec<String>,
    /// The moment chosen.
    pub select: Option<Select>,
    /// The drivers given after `@`; `@800` is `runs=800`.
    pub drivers: Vec<Driver>,
}

impl Spec {
    /// Takes `text` apart, read from the right. A file whose whole name exists wins, so `a@b`,
    /// `a#1` and `a+b` may be names of files.
    ///
    /// Errors: a selection or driver that cannot be read, an empty path.
    pub fn parse(text: &str) -> Result<Spec> {
        Self::parse_with(text, &|p| Path::new(p).exists())
    }

    fn parse_with(text: &str, exists: &dyn Fn(&str) -> bool) -> Result<Spec> {
        let mut spec = Spec::default();
        let mut rest = text;
        if rest.is_empty() {
            return Err(Error::usage("an empty path").help("name a capture"));
        }
        if !exists(rest)
            && let Some((path, drivers)) = rest.rsplit_once('@')
            && !drivers.contains(['/', '#'])
        {
            spec.drivers = parse_drivers(text, drivers)?;
            rest = path;
        }
        if !exists(rest)
            && let Some((path, select)) = rest.rsplit_once('#')
            && !select.contains('/')
        {
            spec.select = Some(parse_select(text, select)?);
            rest = path;
        }
        if rest.is_empty() {
            return Err(
                Error::usage(format!("no path in {text:?}")).help("write PATH[#SELECT][@RUNS]")
            );
        }
        if rest == super::STDIN && !exists(rest) {
            rest = "-";
        }
        if !exists(rest) && rest.contains('+') {
            let parts: Vec<&str> = rest.split('+').collect();
            if parts.iter().all(|p| !p.is_empty()) && parts.iter().any(|p| exists(p)) {
                spec.paths = parts.into_iter().map(str::to_owned).collect();
                return Ok(spec);
            }
        }
        spec.paths = vec![rest.to_owned()];
        Ok(spec)
    }
}

/// More runs than this cannot be told apart from one more.
pub const MOST_RUNS: f64 = (1u64 << 53) as f64;

fn parse_drivers(text: &str, list: &str) -> Result<Vec<Driver>> {
    let help = "write @800 or @runs=800,connections=20";
    let number = |n: &str| match n.replace('_', "").parse::<f64>() {
        Ok(n) if (0.0..=MOST_RUNS).contains(&n) => Ok(n),
        _ => Err(Error::usage(format!("{n:?} in {text:?} is not a number of runs")).help(help)),
    };
    let mut drivers: Vec<Driver> = Vec::new();
    for (i, item) in list.split(',').enumerate() {
        let (name, value) = match item.split_once('=') {
            Some((name, value)) => (name.trim(), number(value.trim())?),
            None if i == 0 => ("runs", number(item.trim())?),
            None => {
                return Err(Error::usage(format!("{item:?} in {text:?} has no name")).help(help));
            }
        };
        if name.is_empty() || drivers.iter().any(|(n, _)| n == name) {
            return Err(Error::usage(format!(
                "driver {name:?} in {text:?} is empty or given twice"
            ))
            .help(help));
        }
        drivers.push((name.to_owned(), value));
    }
    drivers.sort_by_key(|(name, _)| name != "runs");
    Ok(drivers)
}

fn parse_select(text: &str, select: &str) -> Result<Select> {
    let wrong = || {
        Error::usage(format!("{select:?} in {text:?} chooses no moment"))
            .help("write #3, #peak, #last, #t=60s, #every=10m or #every=100MB")
    };
    if let Ok(n) = select.parse() {
        return Ok(Select::Number(n));
    }
    match select {
        "peak" => return Ok(Select::Peak),
        "last" => return Ok(Select::Last),
        _ => {}
    }
    let (name, value) = select.split_once('=').ok_or_else(wrong)?;
    match name {
        "t" => crate::units::parse_seconds(value)
            .map(Select::Time)
            .ok_or_else(wrong),
        "every" => crate::units::parse_seconds(value)
            .filter(|&s| s > 0.0)
            .map(Select::EverySeconds)
            .or_else(|| {
                crate::units::parse_bytes(value)
                    .filter(|&b| b > 0)
                    .map(Select::EveryBytes)
            })
            .ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, files: &[&str]) -> Result<Spec> {
        Spec::parse_with(text, &|p| files.contains(&p))
    }

    #[test]
    fn read_from_the_right() {
        let s = parse("a.json@800", &["a.json"]).unwrap();
        assert_eq!(
            (s.paths, s.drivers),
            (vec!["a.json".into()], vec![("runs".into(), 800.0)])
        );
        let s = parse("m.out#peak@1_000", &["m.out"]).unwrap();
        assert_eq!((s.select, s.drivers[0].1), (Some(Select::Peak), 1000.0));
        let s = parse("r.zst#every=10m", &[]).unwrap();
        assert_eq!(s.select, Some(Select::EverySeconds(600.0)));
        let s = parse("r.zst#every=100MB", &[]).unwrap();
        assert_eq!(s.select, Some(Select::EveryBytes(100_000_000)));
        let s = parse("r#t=60s", &[]).unwrap();
        assert_eq!(s.select, Some(Select::Time(60.0)));
        let s = parse("a@connections=20,runs=5", &["a"]).unwrap();
        assert_eq!(
            s.drivers,
            vec![("runs".into(), 5.0), ("connections".into(), 20.0)]
        );
    }

    #[test]
    fn a_whole_name_wins() {
        assert_eq!(parse("a@5", &["a@5"]).unwrap().drivers, vec![]);
        assert_eq!(
            parse("a#2@5", &["a#2"]).unwrap().paths,
            vec!["a#2".to_owned()]
        );
        assert_eq!(parse("x+y", &["x+y", "x"]).unwrap().paths.len(), 1);
        assert_eq!(parse("x+y@7", &["x", "y"]).unwrap().paths.len(), 2);
        assert_eq!(
            parse("user@host/x.json", &["user@host/x.json"])
                .unwrap()
                .paths
                .len(),
            1
        );
        assert_eq!(
            parse("u@h/x.json", &[]).unwrap().paths,
            vec!["u@h/x.json".to_owned()]
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "@5",
            "a@",
            "a@x",
            "a@-1",
            "a@1,2",
            "a@runs=1,runs=2",
            "a#",
            "a#every=0s",
            "a#foo=1",
        ] {
            assert!(parse(bad, &["a"]).is_err(), "{bad}");
        }
    }
}
