//! Reading a JSON document that this program wrote. A key that is missing is nothing, never a panic:
//! documents gain keys.

use serde_json::Value;

/// The array at `key`; empty where there is none.
pub fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The text at `key`; empty where there is none.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The whole number at `key`.
pub fn whole(value: &Value, key: &str) -> Option<i128> {
    integer(&value[key])
}

/// A whole number, also one that is written with a fraction.
pub fn integer(value: &Value) -> Option<i128> {
    let of_float = || value.as_f64().map(|n| n.round() as i128);
    value.as_i64().map(i128::from).or_else(of_float)
}

/// The number at `key`.
pub fn real(value: &Value, key: &str) -> Option<f64> {
    value[key].as_f64()
}

/// `2026-03-02T04:17:30Z` as `2026-03-02 04:17:30`.
pub fn moment(text: &str) -> String {
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

/// How long from one moment to another, in hours; none where one is no time.
pub fn hours_between(from: &str, to: &str) -> Option<f64> {
    let second = |t: &str| Some(t.parse::<jiff::Timestamp>().ok()?.as_second());
    Some((second(to)? - second(from)?) as f64 / 3600.0)
}
