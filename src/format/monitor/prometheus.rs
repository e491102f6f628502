//! Answers of Prometheus to `query_range` and `query`: series with their labels.

use super::columns;
use super::table::series_name;
use super::{Kind, Options, Outcome, service_of};
use crate::error::{Code, Error, Result};
use crate::input::Source;
use crate::model::Sink;
use crate::model::Time;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Labels that name whose series it is, the best first.
pub(super) const SERVICE: [&str; 8] = [
    "container",
    "pod",
    "service",
    "name",
    "job",
    "app",
    "process",
    "instance",
];

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    value: Option<(f64, String)>,
}

/// Whether the first bytes are such an answer.
pub(super) fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"{") && memchr::memmem::find(head, b"\"resultType\"").is_some()
}

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::Prometheus);
    let answer: Answer = serde_json::from_reader(source.reader()).map_err(|e| {
        Error::new(
            Code::Damaged,
            format!("the answer of Prometheus cannot be read ({e})"),
        )
        .in_file(source.name())
        .help("save the whole body of /api/v1/query_range")
    })?;
    let own = service_of(source, options);
    for found in answer.data.result {
        let service = SERVICE
            .iter()
            .find_map(|l| found.metric.get(*l))
            .unwrap_or(&own);
        let name = found
            .metric
            .get("__name__")
            .map_or("memory_bytes", String::as_str);
        let id = {
            let column = columns::column(name);
            sink.series(&series_name(service.clone(), &column, None))
        };
        let factor = columns::column(name).factor;
        for (at, value) in found.values.iter().chain(&found.value) {
            outcome.lines += 1;
            match (Time::from_seconds(*at), value.parse::<f64>()) {
                // NaN is how Prometheus says that there is none.
                (Some(time), Ok(v)) => sink.sample(id, time, v * factor),
                _ => outcome.bad(outcome.lines, value.as_bytes()),
            }
        }
    }
    Ok(outcome)
}
