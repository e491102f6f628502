//! What a column measures, by its name: names come with and without units, in any case.

use crate::model::Measure;
use crate::model::SeriesUnit;

/// What a column's name says.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in snake_case without its unit; dots of nested names stay.
    pub metric: String,
    /// What it measures.
    pub role: Measure,
    /// What the values count in the end.
    pub unit: SeriesUnit,
    /// What a bare number has to be multiplied with.
    pub factor: f64,
}

/// Endings that are units: the ending, the unit, the factor.
const ENDINGS: &[(&str, SeriesUnit, f64)] = &[
    ("_bytes", SeriesUnit::Bytes, 1.0),
    ("_byte", SeriesUnit::Bytes, 1.0),
    ("_kib", SeriesUnit::Bytes, 1024.0),
    ("_kb", SeriesUnit::Bytes, 1024.0),
    ("_mib", SeriesUnit::Bytes, 1_048_576.0),
    ("_mb", SeriesUnit::Bytes, 1_048_576.0),
    ("_megabytes", SeriesUnit::Bytes, 1_048_576.0),
    ("_gib", SeriesUnit::Bytes, 1_073_741_824.0),
    ("_gb", SeriesUnit::Bytes, 1_073_741_824.0),
    ("_milliseconds", SeriesUnit::Seconds, 1e-3),
    ("_ms", SeriesUnit::Seconds, 1e-3),
    ("_seconds", SeriesUnit::Seconds, 1.0),
    ("_secs", SeriesUnit::Seconds, 1.0),
    ("_sec", SeriesUnit::Seconds, 1.0),
    ("_percentage", SeriesUnit::Percent, 1.0),
    ("_percent", SeriesUnit::Percent, 1.0),
    ("_perc", SeriesUnit::Percent, 1.0),
    ("_pct", SeriesUnit::Percent, 1.0),
];

/// What the column called `name` measures.
pub fn column(name: &str) -> Column {
    let trimmed = name.trim();
    let share = trimmed.starts_with('%') || trimmed.ends_with('%');
    // `MEM (MiB)`, `mem[MB]`: the unit in brackets is an ending like any other.
    let plain: String = trimmed
        .chars()
        .map(|c| if "()[]% /".contains(c) { '_' } else { c })
        .collect();
    // Units are one word, whatever their capitals.
    let plain = ["KiB", "MiB", "GiB", "kB"]
        .iter()
        .fold(plain, |text, unit| text.replace(unit, &unit.to_lowercase()));
    let parts: Vec<String> = plain.split('.').map(words).collect();
    let mut metric = parts.join(".");
    let (mut unit, mut factor) = (None, 1.0);
    if share {
        unit = Some(SeriesUnit::Percent);
        metric.push_str("_percent");
    }
    // A counter of Prometheus: `process_cpu_seconds_total`.
    let total = metric.ends_with("_total");
    let stem = metric.strip_suffix("_total").unwrap_or(&metric).to_owned();
    for &(ending, u, f) in ENDINGS {
        if unit.is_none() && stem.len() > ending.len() && stem.ends_with(ending) {
            (unit, factor) = (Some(u), f);
            metric = stem[..stem.len() - ending.len()].to_owned();
            break;
        }
    }
    let mut role = role_of(&metric, total);
    if unit == Some(SeriesUnit::Percent) {
        role = Measure::Percent;
    } else if unit == Some(SeriesUnit::Seconds) && role.is_memory() {
        role = Measure::Level;
    }
    let memory = matches!(
        role,
        Measure::Memory | Measure::Part | Measure::Cache | Measure::Host | Measure::Address
    );
    let unit = unit.unwrap_or(if memory {
        SeriesUnit::Bytes
    } else {
        SeriesUnit::Count
    });
    Column {
        metric,
        role,
        unit,
        factor,
    }
}

/// `MemUsage`, `VmRSS`, `net-rx` as `mem_usage`, `vm_rss`, `net_rx`.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let chars: Vec<char> = text.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let before = i.checked_sub(1).map(|j| chars[j]);
        let starts = c.is_uppercase()
            && match before {
                Some(b) if b.is_lowercase() => true,
                Some(b) if b.is_uppercase() => chars.get(i + 1).is_some_and(|n| n.is_lowercase()),
                _ => false,
            };
        if starts && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

fn role_of(metric: &str, total: bool) -> Measure {
    let last = metric.rsplit('.').next().unwrap_or(metric);
    let parts: Vec<&str> = metric.split(['_', '.']).filter(|p| !p.is_empty()).collect();
    let has = |word: &str| parts.contains(&word);
    let any = |list: &[&str]| list.iter().any(|w| has(w));
    if any(&["percent", "perc", "pct", "ratio", "utilization"]) {
        return Measure::Percent;
    }
    if any(&[
        "limit",
        "max",
        "quota",
        "capacity",
        "hwm",
        "peak",
        "high",
        "available",
    ]) && !any(&["used", "count"])
        && last != "mem_available"
    {
        return Measure::Limit;
    }
    if last == "pid" || any(&["starttime"]) || metric.ends_with("start_time") {
        return Measure::Identity;
    }
    let failing = [
        "error", "errors", "failed", "failures", "failure", "timeouts", "timeout", "dropped",
    ];
    if any(&failing) {
        return Measure::Errors;
    }
    if any(&[
        "pending", "progress", "inflight", "backlog", "retrying", "queued", "unacked",
    ]) || metric.contains("in_flight")
        || metric.starts_with("retry_counts")
        || metric.starts_with("retries")
    {
        return Measure::Pending;
    }
    if total
        || any(&[
            "collections",
            "collected",
            "uncollectable",
            "requests",
            "received",
            "sent",
        ])
    {
        return Measure::Counter;
    }
    if any(&["rx", "tx", "read", "written", "net", "block", "blkio", "io"])
        || (has("cpu") && !has("load"))
        || last == "uptime"
    {
        return match has("cpu") && !any(&["time", "seconds", "usec", "ticks"]) {
            true => Measure::Percent,
            false => Measure::Counter,
        };
    }
    if any(&["fd", "fds", "descriptors"]) || metric.contains("open_files") {
        return Measure::Descriptors;
    }
    if any(&["sockets", "socket", "connections", "conns"]) {
        return Measure::Sockets;
    }
    if any(&["threads", "thread", "nlwp"]) {
        return Measure::Threads;
    }
    if any(&["pids", "processes", "procs", "workers", "nproc"]) {
        return Measure::Processes;
    }
    let host = [
        "mem_total",
        "mem_free",
        "mem_available",
        "swap_total",
        "swap_free",
    ];
    if host.contains(&last) || has("host") {
        return Measure::Host;
    }
    if any(&["vsz", "vms", "virt", "virtual"]) || metric == "size" || metric == "vm_size" {
        return Measure::Address;
    }
    if any(&["cache", "file", "buffers", "inactive", "slab", "mapped"]) {
        return Measure::Cache;
    }
    if any(&[
        "heap", "anon", "private", "uss", "native", "arena", "old", "external", "stack", "kernel",
    ]) && !any(&["objects", "count", "gen0", "gen1", "gen2"])
    {
        return match any(&[
            "heap", "arena", "old", "external", "stack", "kernel", "native",
        ]) && !any(&["anon", "uss"])
        {
            true => Measure::Part,
            false => Measure::Memory,
        };
    }
    let memory = ["mem", "memory", "rss", "pss", "res", "resident"];
    if any(&memory) || metric.contains("working_set") || metric == "usage" || metric == "used" {
        return Measure::Memory;
    }
    Measure::Level
}

/// A number with an optional unit: `1.2GiB`, `12.3%`, `5e6`, `1,234`, `250m` is none. The value in
/// base units and the unit that stood there. `--`, `-`, `N/A`, `NaN` and nothing are `None`.
pub fn number(text: &str) -> Option<(f64, Option<SeriesUnit>)> {
    let text = text.trim().trim_matches('"');
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || "+-.,eE_".contains(c)))
        .unwrap_or(text.len());
    // The E of `5EB` belongs to the unit.
    let digits = text[..end].trim_end_matches(['e', 'E']);
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let value: f64 = match digits.contains([',', '_']) {
        true => digits.replace([',', '_'], "").parse().ok()?,
        false => digits.parse().ok()?,
    };
    let suffix = text[digits.len()..].trim();
    let (factor, unit) = match suffix {
        "" => (1.0, None),
        "%" => (1.0, Some(SeriesUnit::Percent)),
        "s" | "sec" => (1.0, Some(SeriesUnit::Seconds)),
        "ms" => (1e-3, Some(SeriesUnit::Seconds)),
        "us" | "µs" => (1e-6, Some(SeriesUnit::Seconds)),
        _ => (bytes_of(suffix)?, Some(SeriesUnit::Bytes)),
    };
    let value = value * factor;
    value.is_finite().then_some((value, unit))
}

fn bytes_of(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "B" | "b" | "bytes" => 1.0,
        "kB" | "KB" => 1e3,
        "K" | "k" | "Ki" | "KiB" => 1024.0,
        "MB" => 1e6,
        "M" | "Mi" | "MiB" => 1_048_576.0,
        "GB" => 1e9,
        "G" | "Gi" | "GiB" => 1_073_741_824.0,
        "TB" => 1e12,
        "T" | "Ti" | "TiB" => 1_099_511_627_776.0,
        _ => return None,
    })
}

/// Names under which a time stands.
pub fn is_time(name: &str) -> bool {
    matches!(
        words(name).as_str(),
        "time"
            | "timestamp"
            | "ts"
            | "date"
            | "datetime"
            | "at_timestamp"
            | "t"
            | "epoch"
            | "time_local"
            | "time_iso8601"
            | "timestamp_ms"
            | "timestamp_s"
            | "unix_time"
            | "start_time_local"
            | "event_time"
            | "sampled_at"
            | "asctime"
            | "timestamp_utc"
    ) || name.trim() == "@timestamp"
}

/// Names under which the service stands.
pub fn is_service(name: &str) -> bool {
    matches!(
        words(name).as_str(),
        "container"
            | "container_name"
            | "name"
            | "service"
            | "pod"
            | "process"
            | "command"
            | "comm"
            | "app"
            | "job"
            | "instance"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> (String, Measure, SeriesUnit, f64) {
        let c = column(name);
        (c.metric, c.role, c.unit, c.factor)
    }

    #[test]
    fn names_with_and_without_units_are_one_metric() {
        let mib = 1_048_576.0;
        for (name, factor) in [
            ("mem_usage", 1.0),
            ("mem_usage_mb", mib),
            ("MemUsage", 1.0),
            ("mem_usage_bytes", 1.0),
            ("Mem Usage (MiB)", mib),
        ] {
            let want = (
                "mem_usage".to_owned(),
                Measure::Memory,
                SeriesUnit::Bytes,
                factor,
            );
            assert_eq!(role(name), want, "{name}");
        }
    }

    #[test]
    fn limits_and_shares_are_never_usage() {
        for name in [
            "mem_limit_mb",
            "mem_percent",
            "MemPerc",
            "%MEM",
            "mem%",
            "memory.max",
        ] {
            let role = role(name).1;
            assert!(
                matches!(role, Measure::Limit | Measure::Percent),
                "{name}: {role:?}"
            );
        }
        assert_eq!(role("cpu_percent").1, Measure::Percent);
        assert_eq!(role("CPUPerc").1, Measure::Percent);
    }

    #[test]
    fn roles_by_name() {
        for (name, want) in [
            ("rss", Measure::Memory),
            ("RSS", Measure::Memory),
            ("VmRSS", Measure::Memory),
            ("process_resident_memory_bytes", Measure::Memory),
            ("heap_used", Measure::Part),
            ("anon", Measure::Memory),
            ("vsz", Measure::Address),
            ("pids", Measure::Processes),
            ("open_fds", Measure::Descriptors),
            ("process_open_fds", Measure::Descriptors),
            ("sockets", Measure::Sockets),
            ("threads", Measure::Threads),
            ("gc.collections", Measure::Counter),
            ("net_rx_bytes", Measure::Counter),
            ("process_cpu_seconds_total", Measure::Counter),
            ("http_requests_total", Measure::Counter),
            ("errors_total", Measure::Errors),
            ("retry_counts.disk", Measure::Pending),
            ("records_buffered", Measure::Level),
            ("MemAvailable", Measure::Host),
            ("pid", Measure::Identity),
        ] {
            assert_eq!(role(name).1, want, "{name}");
        }
    }

    #[test]
    fn numbers_with_units() {
        let mib = 1_048_576.0;
        assert_eq!(number("1.5MiB"), Some((1.5 * mib, Some(SeriesUnit::Bytes))));
        assert_eq!(number("12.3%"), Some((12.3, Some(SeriesUnit::Percent))));
        assert_eq!(number(" 42 "), Some((42.0, None)));
        assert_eq!(number("5e6"), Some((5e6, None)));
        assert_eq!(number("1,234"), Some((1234.0, None)));
        for nothing in ["", "-", "--", "N/A", "NaN", "null", "abc", "1.2.3"] {
            assert_eq!(number(nothing), None, "{nothing}");
        }
    }
}
