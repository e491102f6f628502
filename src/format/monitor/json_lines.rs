//! JSON lines: objects of numbers with a time, nested maps flattened, or objects that are requests.

use super::columns;
use super::table::series_name;
use super::time::{Zone, whole_stamp};
use super::{Kind, Options, Outcome, each_line, service_of};
use crate::error::Result;
use crate::input::Source;
use crate::model::Request;
use crate::model::Sink;
use crate::model::Time;
use serde_json::{Map, Value};

/// Most numbers of one object.
const MOST_NUMBERS: usize = 1024;

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::JsonLines);
    let service = service_of(source, options);
    let mut flat = Vec::new();
    each_line(source, |number, line| {
        outcome.lines += 1;
        let (prefix, text) = match line.first() {
            Some(b'{') => (None, line),
            _ => super::errors::stamped(line, &options.zone)
                .map_or((None, line), |(t, rest)| (Some(t), rest)),
        };
        let value = serde_json::from_slice::<Value>(text);
        let Ok(Value::Object(object)) = value else {
            return outcome.bad(number, line);
        };
        if let Some(request) = request_of(&object, &options.zone) {
            sink.logged(request.end, line.len() + 1);
            return sink.request(&request);
        }
        let inside = time_of(&object, &options.zone);
        let Some((key, time)) = inside.or(prefix.map(|t| ("", t))) else {
            return outcome.bad(number, line);
        };
        if let Some(text) = message_of(&object) {
            sink.logged(time, line.len() + 1);
            return sink.event(time, text.as_bytes());
        }
        let named = object
            .iter()
            .find(|(k, v)| columns::is_service(k) && v.is_string());
        let whose = named.and_then(|(_, v)| v.as_str()).unwrap_or(&service);
        flat.clear();
        flatten(&object, "", key, &mut flat);
        for (name, text_or_number) in &flat {
            let (value, unit) = match text_or_number {
                Leaf::Number(v) => (*v, None),
                Leaf::Text(text) => {
                    let left = text.split('/').next().unwrap_or(text);
                    match columns::number(left) {
                        Some(found) => found,
                        None => continue,
                    }
                }
            };
            let column = columns::column(name);
            let factor = if unit.is_some() { 1.0 } else { column.factor };
            let id = sink.series(&series_name(whose.to_owned(), &column, unit));
            sink.sample(id, time, value * factor);
        }
    })?;
    Ok(outcome)
}

enum Leaf {
    Number(f64),
    Text(String),
}

/// The numbers of an object, with the names of the maps around them. The parser bounds nesting.
fn flatten(object: &Map<String, Value>, prefix: &str, skip: &str, out: &mut Vec<(String, Leaf)>) {
    for (key, value) in object {
        if out.len() >= MOST_NUMBERS || (prefix.is_empty() && key == skip) {
            continue;
        }
        let name = match prefix {
            "" => key.clone(),
            _ => format!("{prefix}.{key}"),
        };
        match value {
            Value::Number(n) => {
                if let Some(v) = n.as_f64() {
                    out.push((name, Leaf::Number(v)));
                }
            }
            Value::String(text) if text.len() <= 64 => out.push((name, Leaf::Text(text.clone()))),
            Value::Object(inner) => flatten(inner, &name, skip, out),
            _ => {}
        }
    }
}

/// The time of an object and the key it stands under.
fn time_of<'a>(object: &'a Map<String, Value>, zone: &Zone) -> Option<(&'a str, Time)> {
    let named = object.iter().filter(|(k, _)| columns::is_time(k));
    named
        .filter_map(|(k, v)| Some((k.as_str(), moment(v, zone)?)))
        .next()
}

fn moment(value: &Value, zone: &Zone) -> Option<Time> {
    match value {
        Value::String(text) => whole_stamp(text.as_bytes(), zone),
        Value::Number(n) => {
            let v = n.as_f64()?;
            let scale = match v {
                v if v >= 1e17 => 1e-9,
                v if v >= 1e14 => 1e-6,
                v if v >= 1e11 => 1e-3,
                v if v >= 1e8 => 1.0,
                _ => return None,
            };
            Time::from_seconds(v * scale)
        }
        _ => None,
    }
}

fn message_of(object: &Map<String, Value>) -> Option<&str> {
    ["message", "msg", "log", "textPayload"]
        .iter()
        .find_map(|k| object.get(*k))
        .and_then(Value::as_str)
}

/// Names under which a field of a request stands, at the top or one level down.
fn field<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| match name.split_once('.') {
        Some((outer, inner)) => object.get(outer)?.as_object()?.get(inner),
        None => object.get(*name),
    })
}

fn request_of<'a>(object: &'a Map<String, Value>, zone: &Zone) -> Option<Request<'a>> {
    let text = |names: &[&str]| field(object, names).and_then(Value::as_str);
    let method = text(&[
        "method",
        "request_method",
        "httpRequest.requestMethod",
        "http.method",
        "verb",
    ]);
    let path = text(&[
        "path",
        "uri",
        "url",
        "request_uri",
        "httpRequest.requestUrl",
        "http.url",
        "http.path",
        "endpoint",
        "request_path",
    ]);
    let line = text(&["request"]).map(|r| {
        let mut parts = r.split(' ');
        (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        )
    });
    let status = field(
        object,
        &[
            "status",
            "status_code",
            "code",
            "response_code",
            "httpRequest.status",
            "http.status_code",
            "elb_status_code",
        ],
    )
    .and_then(whole);
    let (method, target) = match (path, line) {
        (Some(path), _) => (method.unwrap_or("GET"), path),
        (None, Some((m, target))) if !target.is_empty() => (m, target),
        _ => return None,
    };
    if status.is_none() && method.is_empty() {
        return None;
    }
    let seconds = [
        "request_time",
        "latency",
        "httpRequest.latency",
        "duration_s",
        "response_time",
        "elapsed",
        "took",
    ];
    let duration = field(
        object,
        &[
            "duration_ms",
            "latency_ms",
            "elapsed_ms",
            "response_time_ms",
        ],
    )
    .and_then(|v| span(v, 1e-3))
    .or_else(|| field(object, &seconds).and_then(|v| span(v, 1.0)))
    .or_else(|| {
        // Envoy counts milliseconds, most others seconds.
        let unit = if object.contains_key("response_flags") {
            1e-3
        } else {
            1.0
        };
        field(object, &["duration"]).and_then(|v| span(v, unit))
    });
    let (began, end) = match object.get("start_time").and_then(|v| moment(v, zone)) {
        Some(start) => (true, start),
        None => (false, time_of(object, zone)?.1),
    };
    let end = if began {
        end.plus(duration.unwrap_or(0.0))
    } else {
        end
    };
    let status = status.filter(|s| *s < 1000).unwrap_or(0) as u16;
    let flags = text(&["response_flags"]).unwrap_or_default();
    Some(Request {
        end,
        duration: duration.filter(|d| (0.0..=7.0 * 86_400.0).contains(d)),
        method: method.as_bytes(),
        target: target.as_bytes(),
        status,
        bytes: field(
            object,
            &[
                "bytes",
                "body_bytes_sent",
                "bytes_sent",
                "httpRequest.responseSize",
            ],
        )
        .and_then(whole),
        timed_out: status == 504 || flags.contains("UT"),
    })
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A duration in seconds; bare numbers are in `unit`.
fn span(value: &Value, unit: f64) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64().map(|v| v * unit),
        Value::String(text) => match columns::number(text)? {
            (v, None) => Some(v * unit),
            (v, Some(_)) => Some(v),
        },
        _ => None,
    }
}
