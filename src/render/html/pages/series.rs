//! The page of the timeline: levels and rates, episodes, the requests that coincide, and what
//! happened when.

use super::super::escape::Text;
use super::happened::{captured, events, incident, marks, requests};
use super::parts::{Cell, Column, badge, facts, table};
use super::value::{hours_between, list, moment, real, text, whole};
use crate::units;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Series of each kind that the page draws.
const MOST: usize = 60;
/// Endpoints whose requests are drawn below the memory that they coincide with.
const ACCUSED: usize = 3;

/// The page; nothing where the document has no series.
pub fn page(document: &Value) -> Option<String> {
    let all = list(document, "series");
    if all.is_empty() {
        return None;
    }
    let mut out = String::from("<p class=\"faint\">Times are UTC.</p>\n");
    incident(&mut out, document);
    let (first, others, plain) = kinds(document);
    for s in &first {
        article(&mut out, s);
    }
    captured(&mut out, document);
    requests(&mut out, document);
    events(&mut out, document);
    marks(&mut out, document);
    if !others.is_empty() {
        let heading = match first.is_empty() {
            true => "Series",
            false => "Other series",
        };
        let _ = writeln!(out, "<h3>{heading}</h3>");
    }
    for s in others.iter().take(MOST) {
        article(&mut out, s);
    }
    if others.len() > MOST {
        let _ = writeln!(
            out,
            "<p>{} more series are in the JSON document.</p>",
            others.len() - MOST
        );
    }
    if !plain.is_empty() {
        let _ = write!(
            out,
            "<details id=\"plain-series\"><summary>{} series that are not judged</summary>\n\
             <div class=\"picture\" data-plain=\"yes\"></div>\n{}</details>\n",
            plain.len(),
            levels(&plain)
        );
    }
    Some(out)
}

/// Whether a series is that of a service's memory, by which the service is judged.
pub fn is_primary(series: &Value) -> bool {
    series["primary"].as_bool().unwrap_or(false)
}

/// Series by which services are judged, other judged ones, and the rest.
fn kinds(document: &Value) -> (Vec<&Value>, Vec<&Value>, Vec<&Value>) {
    let all = list(document, "series");
    let (judged, plain): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|s| !s["growth"].is_null());
    let (mut first, others): (Vec<&Value>, Vec<&Value>) =
        judged.into_iter().partition(|s| is_primary(s));
    let fastest = |s: &Value| s["rate_mb_per_hour"]["max_1h"].as_f64().unwrap_or(0.0);
    first.sort_by(|a, b| fastest(b).total_cmp(&fastest(a)));
    (first, others, plain)
}

/// What the script draws: levels, rates, episodes, in the order of the document.
pub fn view(document: &Value) -> Value {
    let (first, others, plain) = kinds(document);
    let keys = [
        "id", "service", "metric", "unit", "primary", "samples", "restarts", "episodes", "windows",
    ];
    let one = |s: &&Value| -> Value {
        let pairs = keys.iter().map(|k| ((*k).to_owned(), s[*k].clone()));
        let mut out: serde_json::Map<String, Value> = pairs.collect();
        out.insert("gaps".to_owned(), wide_gaps(s));
        Value::Object(out)
    };
    let judged = first.iter().chain(others.iter().take(MOST)).map(one);
    let accused = list(document, "requests").iter();
    let accused = accused.filter(|r| !r["activity"].is_null()).take(ACCUSED);
    let activity = accused.map(|r| json!({"endpoint": r["endpoint"], "activity": r["activity"]}));
    json!({
        "activity": activity.collect::<Vec<_>>(),
        "judged": judged.collect::<Vec<_>>(),
        "plain": plain.iter().take(MOST).map(one).collect::<Vec<_>>(),
        "thresholds": document["thresholds"], "marks": document["marks"],
    })
}

/// Gaps that a picture shows; of others there may be thousands.
fn wide_gaps(series: &Value) -> Value {
    let long = |from: &str, to: &str| hours_between(from, to).unwrap_or(0.0);
    let whole = long(text(series, "start"), text(series, "end"));
    let seen = |g: &&Value| long(text(g, "start"), text(g, "end")) > whole / 300.0;
    list(series, "gaps").iter().filter(seen).cloned().collect()
}

fn is_bytes(series: &Value) -> bool {
    text(series, "unit") == "bytes"
}

/// A level in the unit of its series.
pub fn level(series: &Value, key: &str) -> String {
    real(series, key).map_or(String::new(), |n| amount(series, n))
}

/// A number in the unit of a series.
fn amount(series: &Value, n: f64) -> String {
    match is_bytes(series) {
        true => units::bytes(n.round() as i128),
        false => units::plain(n),
    }
}

/// The object that holds a series' rates, and its unit.
fn rates(series: &Value) -> (&Value, &'static str) {
    match is_bytes(series) {
        true => (&series["rate_mb_per_hour"], "MB/h"),
        false => (&series["rate_per_hour"], "per hour"),
    }
}

/// Three digits that count, with a sign.
pub fn rate(n: f64) -> String {
    let size = n.abs();
    let digits = match size {
        s if s >= 99.95 => units::grouped(n.round() as i128),
        s if s >= 9.995 => format!("{n:.1}"),
        s if s >= 0.0005 => format!("{n:.2}"),
        _ => "0".to_owned(),
    };
    let digits = match digits.as_str() {
        "0.00" | "-0.00" => "0".to_owned(),
        _ => digits,
    };
    let positive = n > 0.0 && digits != "0";
    units::signed(digits, positive)
}

/// `+71.4 MB/h (+37.2 to +106)`.
pub fn overall(series: &Value) -> String {
    let (rates, unit) = rates(series);
    let Some(value) = real(rates, "overall") else {
        return String::new();
    };
    match real(rates, "lo").zip(real(rates, "hi")) {
        Some((lo, hi)) => format!("{} {unit} ({} to {})", rate(value), rate(lo), rate(hi)),
        None => format!("{} {unit}", rate(value)),
    }
}

fn article(out: &mut String, s: &Value) {
    let id = text(s, "id");
    let _ = write!(
        out,
        "<article class=\"series\" id=\"series-{0}\"><h3>{1} <span class=\"faint\">{2}</span> {3}</h3>\n\
         <div class=\"picture\" data-series=\"{0}\"></div>\n",
        Text(id),
        Text(text(s, "service")),
        Text(text(s, "metric")),
        badge(text(s, "growth")),
    );
    let (by_span, unit) = rates(s);
    let fastest: Vec<String> = [
        ("15 min", "max_15m"),
        ("1 h", "max_1h"),
        ("6 h", "max_6h"),
        ("24 h", "max_24h"),
        ("30 d", "max_30d"),
    ]
    .iter()
    .filter_map(|(name, key)| Some(format!("{} over {name}", rate(real(by_span, key)?))))
    .collect();
    let fastest = match fastest.is_empty() {
        true => String::new(),
        false => format!("{} ({unit})", fastest.join(", ")),
    };
    let span = format!("{} to {}", moment(text(s, "start")), moment(text(s, "end")));
    let restarts: Vec<&str> = list(s, "restarts")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let restarts = match restarts.as_slice() {
        [first, .., last] if restarts.len() > 4 => {
            format!("{}: {} to {}", restarts.len(), moment(first), moment(last))
        }
        few => few.iter().map(|t| moment(t)).collect::<Vec<_>>().join(", "),
    };
    let gaps = list(s, "gaps");
    let missing: f64 = gaps
        .iter()
        .filter_map(|g| hours_between(text(g, "start"), text(g, "end")))
        .sum();
    let gaps = match gaps.len() {
        0 => String::new(),
        n => format!("{n}, {} without samples", units::hours(missing)),
    };
    let follows: Vec<String> = list(s, "follows")
        .iter()
        .map(|f| match real(f, "share") {
            Some(share) => format!("{} ({:.0} %)", text(f, "series"), 100.0 * share),
            None => text(f, "series").to_owned(),
        })
        .collect();
    let points = whole(s, "points").map_or(String::new(), units::grouped);
    let teeth = &s["teeth"];
    let teeth = match (real(teeth, "period_s"), whole(teeth, "releases")) {
        (Some(period), Some(n)) => {
            let hours = units::hours(period / 3600.0);
            let size = real(teeth, "size").map_or(String::new(), |n| amount(s, n));
            format!("{n} of {size}, every {hours}")
        }
        _ => String::new(),
    };
    out.push_str(&facts(&[
        (
            "level",
            format!(
                "{} -> {} (lowest {}, highest {})",
                level(s, "first"),
                level(s, "last"),
                level(s, "min"),
                level(s, "max")
            ),
        ),
        ("growth", overall(s)),
        ("fastest", fastest),
        (
            "time to the limit",
            real(s, "time_to_limit_s").map_or(String::new(), |t| units::hours(t / 3600.0)),
        ),
        ("restarts", restarts),
        ("teeth", teeth),
        ("follows", follows.join(", ")),
        ("seen", format!("{points} samples, {span}")),
        ("gaps", gaps),
    ]));
    episodes(out, s);
    out.push_str("</article>\n");
}

fn episodes(out: &mut String, s: &Value) {
    let all = list(s, "episodes");
    if all.is_empty() {
        return;
    }
    let (unit, key) = match is_bytes(s) {
        true => ("peak, MB/h", "peak_rate_mb_per_hour"),
        false => ("peak per hour", "peak_rate_per_hour"),
    };
    let columns = [
        ("episode from", Column::Words),
        ("to", Column::Words),
        (unit, Column::Number),
        ("gained", Column::Number),
        ("kept", Column::Number),
        ("gets faster", Column::Words),
        ("severity", Column::Words),
    ];
    let rows = all.iter().map(|e| {
        let to = match e["ongoing"].as_bool() {
            Some(true) => format!("{} and on", moment(text(e, "end"))),
            _ => moment(text(e, "end")),
        };
        let gained = real(e, "gained").map_or(String::new(), |n| amount(s, n));
        let faster = &e["escalation"];
        let faster = match (real(faster, "factor"), real(faster, "within_h")) {
            (Some(x), Some(h)) => format!("x{} in {}", units::decimal(x), units::hours(h)),
            _ => String::new(),
        };
        let severity = text(e, "severity").to_owned();
        vec![
            moment(text(e, "start")).into(),
            to.into(),
            real(e, key).map_or(String::new(), rate).into(),
            gained.into(),
            real(e, "kept_share")
                .map_or(String::new(), |k| format!("{:.0} %", 100.0 * k))
                .into(),
            faster.into(),
            match severity.as_str() {
                "critical" | "emergency" => Cell::classed(severity, "bad"),
                _ => severity.into(),
            },
        ]
    });
    out.push_str(&table(&columns, rows));
}

/// Series that no rate is asked of, by their levels.
fn levels(series: &[&Value]) -> String {
    let columns = [
        ("series", Column::Name),
        ("first", Column::Number),
        ("last", Column::Number),
        ("lowest", Column::Number),
        ("highest", Column::Number),
        ("samples", Column::Number),
    ];
    let rows = series.iter().map(|s| {
        vec![
            text(s, "id").into(),
            level(s, "first").into(),
            level(s, "last").into(),
            level(s, "min").into(),
            level(s, "max").into(),
            whole(s, "points")
                .map_or(String::new(), units::grouped)
                .into(),
        ]
    });
    table(&columns, rows)
}
