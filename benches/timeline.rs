//! A day of five containers at a sample each five seconds, and an access log beside it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heapdiff::format::monitor;
use heapdiff::input::Source;
use heapdiff::model::Limits;
use heapdiff::timeline::{Question, Recording};
use std::fmt::Write;

/// Midnight of 2026-03-02 UTC.
const START: i64 = 1_772_409_600;
/// Lines of the log; the text is about 100 MB.
const LINES: i64 = 800_000;

fn containers() -> Vec<Source> {
    let container = |c: i64| {
        let mut text = String::from(
            "timestamp,cpu_percent,mem_usage_mb,mem_limit_mb,mem_percent,net_rx_bytes,net_tx_bytes,block_read_bytes,block_write_bytes,pids\n",
        );
        for i in 0..17_280i64 {
            let noise = (i * 7919 % 1000) as f64 / 100.0;
            let mb = 500.0 + noise + (c * 20 * i) as f64 / 720.0;
            let rx = i * 4096;
            writeln!(
                text,
                "{},1.5,{mb:.2},2048,{:.2},{rx},{rx},0,{rx},12",
                START + 5 * i,
                mb / 20.48
            )
            .unwrap();
        }
        Source::from_bytes(
            &format!("svc{c}_docker_stats.csv"),
            text.into_bytes(),
            Limits::default(),
        )
        .unwrap()
    };
    (0..5).map(container).collect()
}

fn log() -> Source {
    let paths = [
        "/",
        "/login",
        "/search?q=",
        "/users/",
        "/orders/",
        "/publisher/",
        "/static/app.js?v=",
    ];
    let mut text = String::new();
    for i in 0..LINES {
        let s = i * 86_400 / LINES;
        writeln!(
            text,
            "10.0.0.{} - - [02/Mar/2026:{:02}:{:02}:{:02} +0000] \"GET {}{} HTTP/1.1\" 200 {} \"-\" \"curl/8.0\" 0.{:03}",
            i % 250, s / 3600, s / 60 % 60, s % 60, paths[(i % 7) as usize], i * 7919 % 100_000, i % 9000, i % 1000
        )
        .unwrap();
    }
    Source::from_bytes("access.log", text.into_bytes(), Limits::default()).unwrap()
}

fn read(sources: &[Source]) -> Recording {
    let mut recording = Recording::default();
    for source in sources {
        monitor::read(source, &monitor::Options::default(), &mut recording).unwrap();
    }
    recording
}

fn benches(c: &mut Criterion) {
    let day = containers();
    let mut group = c.benchmark_group("timeline");
    group.sample_size(10);
    group.bench_function("a day of five containers", |b| {
        b.iter(|| read(&day).analyse(&Question::default()));
    });
    let log = [log()];
    group.throughput(Throughput::Bytes(log[0].stored_bytes()));
    group.bench_function("an access log", |b| b.iter(|| read(&log).requests()));
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
