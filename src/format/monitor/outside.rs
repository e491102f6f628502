//! Times and names that stand outside of the samples: a line in front of a block, the name of the
//! file, the folder it lies in, its time of modification.

use super::time::{Zone, in_name, stamp};
use super::{Options, Outcome};
use crate::input::Source;
use crate::model::Time;
use std::path::Path;

/// Words of a layout that are no part of a service's name, the longest first.
const LAYOUT: [&str; 24] = [
    "proc_meminfo",
    "smaps_rollup",
    "docker_stats",
    "memory_stat",
    "memory.stat",
    "proc_status",
    "proc_stats",
    "monitoring",
    "prometheus",
    "exposition",
    "gc_stats",
    "snapshots",
    "snapshot",
    "pidstat",
    "meminfo",
    "metrics",
    "sockets",
    "threads",
    "kubectl",
    "status",
    "stats",
    "smaps",
    "fds",
    "ps",
];
/// What may stand around a time on a line of its own: `# 2026-03-02T09:15Z`, `=== ... ===`.
const AROUND: &[u8] = b" \t#=*-[]<>|:";

/// The time of what is read: the last one that a line gave, else the file's.
pub(super) struct Clock<'a> {
    zone: &'a Zone,
    line: Option<Time>,
    file: Option<Time>,
}

impl<'a> Clock<'a> {
    /// The clock of a file: the time in its name, else its time of modification, which is noted.
    pub fn of(source: &Source, options: &'a Options) -> Clock<'a> {
        let name = Path::new(source.name()).file_name();
        let named = name.and_then(|n| in_name(&n.to_string_lossy(), &options.zone));
        Clock {
            zone: &options.zone,
            line: None,
            file: named.or_else(|| source.modified().and_then(Time::from_seconds)),
        }
    }

    /// Takes the time in front of a line. What is left of the line, or `None` where the time was
    /// all of it; a line without a time is left as it is.
    pub fn take<'l>(&mut self, line: &'l [u8]) -> Option<&'l [u8]> {
        let Some((time, rest)) = leading(line, self.zone) else {
            return Some(line);
        };
        self.line = Some(time);
        (!rest.is_empty()).then_some(rest)
    }

    /// The time of what stands here.
    pub fn now(&self) -> Option<Time> {
        self.line.or(self.file)
    }

    /// Says that the time came from the file, if it did and that is all there was.
    pub fn note(&self, outcome: &mut Outcome) {
        if self.line.is_none() && self.file.is_some() {
            outcome.notes.push("the time is the file's".to_owned());
        }
    }
}

/// A time at the start of a line and what stands behind it.
pub(super) fn leading<'l>(line: &'l [u8], zone: &Zone) -> Option<(Time, &'l [u8])> {
    let skip = line.iter().take_while(|b| AROUND.contains(b)).count();
    let (time, length) = stamp(&line[skip..], zone)?;
    let rest = &line[skip + length..];
    // `20260302-worker`: part of a word.
    if rest.first().is_some_and(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let gap = rest.iter().take_while(|b| AROUND.contains(b)).count();
    Some((time, rest[gap..].trim_ascii()))
}

/// The service that a file speaks of: its name, or that of its folder, without times, numbers and
/// the words of the layout. `None` if nothing is left.
pub(super) fn service_named(source: &Source, options: &Options) -> Option<String> {
    if let Some(service) = &options.service {
        return Some(service.clone());
    }
    let path = Path::new(source.name());
    let own = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .map(|n| n.to_string_lossy().into_owned());
    let named = own.as_deref().and_then(|n| bare(n, &options.zone));
    // A folder of snapshots is named like one; any other folder says nothing.
    named.or_else(|| {
        let folder = folder?;
        let of_layout = LAYOUT.iter().any(|w| folder.ends_with(w));
        of_layout.then(|| bare(&folder, &options.zone)).flatten()
    })
}

/// The name of the folder that a file lies in: of cgroups it is the group's.
pub(super) fn folder_named(source: &Source) -> Option<String> {
    let folder = Path::new(source.name()).parent()?.file_name()?;
    Some(folder.to_string_lossy().into_owned())
}

/// A name without endings, times and the words of a layout.
fn bare(name: &str, zone: &Zone) -> Option<String> {
    // `memory.stat`, and copies of it with a number behind.
    if name.starts_with("memory.stat") {
        return None;
    }
    let stem = name.split('.').next().unwrap_or(name);
    let mut text = stem.to_owned();
    let bytes = stem.as_bytes();
    for at in 0..bytes.len() {
        let begins = bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit());
        if begins && let Some((_, length)) = stamp(&bytes[at..], zone) {
            text = format!("{}{}", &stem[..at], &stem[at + length..]);
            break;
        }
    }
    let edge = |c: char| c.is_ascii_digit() || "_-. ".contains(c);
    loop {
        let before = text.len();
        text = text
            .trim_end_matches(edge)
            .trim_start_matches(['_', '-', '.', ' '])
            .to_owned();
        for word in LAYOUT {
            if text == word {
                return None;
            }
            if let Some(rest) = text.strip_suffix(word)
                && rest.ends_with(['_', '-', '.'])
            {
                text = rest.to_owned();
                break;
            }
        }
        if text.len() == before {
            break;
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_front_of_lines() {
        let zone = Zone::default();
        let want = Time(1_756_373_819_000);
        for (line, rest) in [
            ("2025-08-28T09:36:59Z", ""),
            ("# 2025-08-28T09:36:59Z", ""),
            ("=== 2025-08-28 09:36:59 ===", ""),
            ("Thu Aug 28 09:36:59 UTC 2025", ""),
            ("1756373819 web-1  12m  345Mi", "web-1  12m  345Mi"),
            ("[2025-08-28T09:36:59Z] root 1 2", "root 1 2"),
        ] {
            let got = leading(line.as_bytes(), &zone);
            assert_eq!(got, Some((want, rest.as_bytes())), "{line}");
        }
        for line in ["root 2025", "VmRSS: 1234 kB", "12345 1 2 3", "16:24:44 0 1"] {
            assert!(leading(line.as_bytes(), &zone).is_none(), "{line}");
        }
    }

    #[test]
    fn names_without_layout() {
        let zone = Zone::default();
        for (name, want) in [
            ("rules_status", Some("rules")),
            ("web_proc_meminfo", Some("web")),
            ("20261121_162444.txt", None),
            ("status-12.txt", None),
            ("memory.stat", None),
            ("web-20261121_162444.prom", Some("web")),
            ("api.smaps_rollup", Some("api")),
            ("db_docker_stats.csv", Some("db")),
        ] {
            assert_eq!(bare(name, &zone).as_deref(), want, "{name}");
        }
    }
}
