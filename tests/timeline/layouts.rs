//! What other tools leave behind: the same climb in each of their layouts gives the same rate.

use super::generator::START;
use super::program::{document, fine, run};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Three hours of a sample a minute; 12 MB an hour in bytes.
const MINUTES: i64 = 180;
fn level(minute: i64) -> i64 {
    500_000_000 + 200_000 * minute
}

fn stamp(minute: i64) -> String {
    let at = jiff::Timestamp::from_second(START + 60 * minute).unwrap();
    at.to_string()
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn primary<'d>(d: &'d Value, service: &str) -> &'d Value {
    let all = d["series"].as_array().unwrap();
    all.iter()
        .find(|s| s["service"] == service && s["primary"] == true)
        .unwrap_or_else(|| {
            let names: Vec<&Value> = all.iter().map(|s| &s["id"]).collect();
            panic!("no memory of {service} among {names:?}")
        })
}

/// The rate of a service's memory is the planted one, from every sample.
fn climbs(path: &str, service: &str) -> Value {
    let d = document(&[path]);
    let s = primary(&d, service);
    let rate = s["rate_mb_per_hour"]["overall"].as_f64().unwrap();
    assert!((rate - 12.0).abs() < 0.1, "{path}: {rate}");
    assert_eq!(s["points"], MINUTES, "{path}");
    d
}

#[test]
fn kubectl_top() {
    let dir = tempfile::tempdir().unwrap();
    let mib = |m: i64| level(m) as f64 / 1_048_576.0;
    let (mut blocks, mut prefixed, mut containers) = (String::new(), String::new(), String::new());
    for m in 0..MINUTES {
        let (at, ki) = (stamp(m), level(m) / 1024);
        write!(blocks, "{at}\nNAME                     CPU(cores)   MEMORY(bytes)\nweb-5d8f9c7b6-abcde      12m          {ki}Ki\ndb-0                     3m           210Mi\n").unwrap();
        writeln!(prefixed, "{at} web-5d8f9c7b6-abcde   12m   {ki}Ki").unwrap();
        write!(containers, "{at}\nPOD                   NAME    CPU(cores)   MEMORY(bytes)\nweb-5d8f9c7b6-abcde   app     12m          {ki}Ki\nweb-5d8f9c7b6-abcde   proxy   1m           {:.0}Mi\n", mib(0) / 10.0).unwrap();
    }
    let web = "web-5d8f9c7b6-abcde";
    let d = climbs(&write(dir.path(), "top.txt", &blocks), web);
    assert_eq!(primary(&d, "db-0")["max"], 210.0 * 1_048_576.0);
    climbs(&write(dir.path(), "ts.txt", &prefixed), web);
    let d = climbs(
        &write(dir.path(), "c.txt", &containers),
        &format!("{web}/app"),
    );
    primary(&d, &format!("{web}/proxy"));
}

#[test]
fn docker_stats_as_it_is_seen_on_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for m in 0..MINUTES {
        write!(
            text,
            "{}\n\u{1b}[2J\u{1b}[HCONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT     MEM %     NET I/O          BLOCK I/O   PIDS\nb95a83497c91   web       0.28%     {:.3}MB / 1.944GiB   0.28%     916B / 0B        147kB / 0B  9\n67b2525d8ad1   db        0.00%     1.727MiB / 1.944GiB   0.09%     2.48kB / 0B      4.11MB / 0B   2\nc0ffee00c0ff   gone      --        -- / --               --        -- / --          -- / --     --\n",
            stamp(m),
            level(m) as f64 / 1e6
        )
        .unwrap();
    }
    let path = write(dir.path(), "stats.txt", &text);
    let d = climbs(&path, "web");
    assert_eq!(d["inputs"][0]["bad_lines"], 0);
    // A limit and a share are no usage, and threads no processes.
    assert!(
        d["series"]
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["role"] != "limit" || s["rate_mb_per_hour"].is_null())
    );
}

#[test]
fn pidstat_with_a_clock_of_twelve_hours_across_midnight() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("Linux 6.1.0 (host) \t03/02/2026 \t_x86_64_\t(2 CPU)\n\n");
    for m in 0..MINUTES {
        // From 22:30 to 01:30.
        let minute = (22 * 60 + 30 + m) % 1440;
        let (h, half) = (minute / 60, if minute < 720 { "AM" } else { "PM" });
        let h = if h % 12 == 0 { 12 } else { h % 12 };
        if m % 20 == 0 {
            writeln!(text, "\n{h:02}:{:02}:00 {half}   UID       PID  minflt/s  majflt/s     VSZ     RSS   %MEM  Command", minute % 60).unwrap();
        }
        writeln!(
            text,
            "{h:02}:{:02}:00 {half}     0       812      0.00      0.00  900000  {}   0.10  web",
            minute % 60,
            level(m) / 1024
        )
        .unwrap();
    }
    text.push_str("\nAverage:      UID       PID  minflt/s  majflt/s     VSZ     RSS   %MEM  Command\nAverage:        0       812      0.00      0.00  900000  99999   0.10  web\n");
    let path = write(dir.path(), "pidstat.txt", &text);
    let d = climbs(&path, "web");
    let s = primary(&d, "web");
    assert_eq!(s["start"], "2026-03-02T22:30:00Z");
    assert_eq!(s["end"], "2026-03-03T01:29:00Z");
    let note = d["inputs"][0]["notes"].to_string();
    assert!(note.contains("month/day/year"), "{note}");
}

/// `ps` of a service that forks: the growth is split into more processes and bigger ones.
#[test]
fn ps_tells_more_processes_from_bigger_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for m in 0..MINUTES {
        write!(
            text,
            "{}\nUSER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n",
            stamp(m)
        )
        .unwrap();
        let workers = if m < 90 { 4 } else { 6 };
        for w in 0..workers {
            writeln!(text, "www       {}  0.1  1.0 900000 {} ?        S    00:00   0:01 gunicorn: worker [app]", 100 + w, 102_400 + 114 * m).unwrap();
        }
        text.push_str(
            "root         2  0.0  0.0      0     0 ?        S    00:00   0:00 [kthreadd]\n",
        );
    }
    let path = write(dir.path(), "ps.txt", &text);
    let d = document(&[&path]);
    let split = &primary(&d, "gunicorn")["makeup"]["split"];
    let of = |key: &str| split[key].as_f64().unwrap();
    assert_eq!((of("processes_before"), of("processes_after")), (4.0, 6.0));
    // Each went from 100 MiB by about 20 MiB; two more came.
    let mib = 1_048_576.0;
    assert!(
        (of("bigger_processes_bytes") / mib - 90.0).abs() < 8.0,
        "{split}"
    );
    assert!(
        (of("more_processes_bytes") / mib - 220.0).abs() < 10.0,
        "{split}"
    );
    assert!(
        fine(&["timeline", &path]).contains("4 -> 6 processes: +2"),
        "{}",
        fine(&["timeline", &path])
    );
    assert!(
        d["series"]
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["service"] != "kthreadd")
    );
}

/// A folder of snapshots: times from names, or from when the files were modified.
#[test]
fn folders_of_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    for m in 0..MINUTES {
        let at = jiff::Timestamp::from_second(START + 60 * m).unwrap();
        let name = at.strftime("%Y%m%d_%H%M%S").to_string();
        let kb = level(m) / 1024;
        write(
            dir.path(),
            &format!("api_status/{name}.txt"),
            &format!(
                "Name:\tpython\nUmask:\t0022\nPid:\t812\nUid:\t0\t0\t0\t0\nVmPeak:\t 9000000 kB\nVmSize:\t 9000000 kB\nVmRSS:\t  {kb} kB\nRssAnon:\t  {} kB\nThreads:\t4\n",
                kb - 10_000
            ),
        );
        let path = write(
            dir.path(),
            &format!("db/memory.stat.{m}"),
            &format!(
                "anon {}\nfile 4096000\nkernel 100000\nkernel_stack 16384\ninactive_anon 77\nslab 5000\npgfault {}\nworkingset_refault_anon 0\n",
                level(m),
                1000 + m
            ),
        );
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs((START + 60 * m) as u64);
        file.set_modified(time).unwrap();
        write(
            dir.path(),
            &format!("web_proc_meminfo/{name}.txt"),
            &format!(
                "MemTotal:       8000000 kB\nMemFree:  {} kB\nCached: 12 kB\nHugePages_Total:       0\n",
                4_000_000 - kb
            ),
        );
    }
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let d = climbs(&at("api_status"), "api");
    assert_eq!(primary(&d, "api")["metric"], "rss_anon");
    climbs(&at("db"), "db");
    // The host's memory is nobody's.
    let d = document(&[&at("web_proc_meminfo")]);
    assert!(
        d["series"]
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["role"] == "host" && s["rate_mb_per_hour"].is_null())
    );
    assert!(
        d["inputs"][0]["notes"]
            .to_string()
            .contains("is the host's")
    );
    // All at once, from the folder above.
    let d = document(&[dir.path().to_str().unwrap()]);
    primary(&d, "api");
}

#[test]
fn pages_of_prometheus() {
    let dir = tempfile::tempdir().unwrap();
    let head = "# HELP process_resident_memory_bytes Resident memory size in bytes.\n# TYPE process_resident_memory_bytes gauge\n";
    let more = |m: i64| {
        format!(
            "# TYPE http_requests counter\nhttp_requests_total{{endpoint=\"a}} b\\\"\"}} {m}\nhttp_requests_created{{endpoint=\"a\"}} 1.7e9\n# TYPE t histogram\nt_bucket{{le=\"+Inf\"}} 3\nt_count 3\nt_sum 0.5\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.7724e9\n# EOF\n"
        )
    };
    let (mut blocks, mut stamped) = (String::new(), String::from(head));
    for m in 0..MINUTES {
        let rss = format!("process_resident_memory_bytes {:e}", level(m) as f64);
        write!(blocks, "# {}\n{head}{rss}\n{}", stamp(m), more(m)).unwrap();
        writeln!(
            stamped,
            "process_resident_memory_bytes{{job=\"api\"}} {} {}",
            level(m),
            (START + 60 * m) * 1000
        )
        .unwrap();
        write(
            dir.path(),
            &format!("app_metrics/{}.prom", START + 60 * m),
            &format!("{head}{rss}\n{}", more(m)),
        );
    }
    let d = climbs(&write(dir.path(), "api_metrics.txt", &blocks), "api");
    let names: Vec<&str> = d["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|s| s["metric"].as_str())
        .collect();
    assert!(
        names
            .iter()
            .all(|n| !n.contains("bucket") && !n.contains("created")),
        "{names:?}"
    );
    climbs(&write(dir.path(), "federate.txt", &stamped), "api");
    climbs(dir.path().join("app_metrics").to_str().unwrap(), "app");
}

/// Bytes that no page or table is: an error, and never a guess.
#[test]
fn what_has_no_time_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let top = "NAME   CPU(cores)   MEMORY(bytes)\nweb-1   12m   345Mi\n".repeat(30);
    let path = write(dir.path(), "kubectl.txt", &top);
    // One moment for thirty blocks: its file's. They are duplicates, and one point is no series.
    let (status, out, _) = run(&["timeline", &path, "--format", "json"]);
    assert_eq!(status, 0);
    let d: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(d["verdict"], "cannot-tell");
    // Half of the rows are damaged: the first one is named.
    let mut text = String::new();
    for m in 0..20 {
        write!(
            text,
            "{}\n  PID   RSS COMMAND\n812 {} web\n813 broken web\n",
            stamp(m),
            level(m) / 1024
        )
        .unwrap();
    }
    let (status, _, err) = run(&["timeline", &write(dir.path(), "ps.txt", &text)]);
    assert_eq!(status, 2);
    assert!(
        err.contains("line 4") && err.contains("20 of 40") && err.contains("813 broken web"),
        "{err}"
    );
}
