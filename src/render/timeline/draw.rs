//! Series thinned for drawing: what a page needs to plot them, and no more.

use super::json::number;
use crate::model::Series;
use crate::timeline::Load;
use crate::verdict::{Limits, Severity, Steps};
use serde_json::{Map, Value, json};

/// Columns of a series that is judged.
pub(super) const COLUMNS: usize = 480;
/// Columns of any other one.
pub(super) const FEW_COLUMNS: usize = 120;
/// Series beyond the judged ones that are drawn.
pub(super) const MOST_PLAIN: usize = 256;

/// `[seconds since 1970, lowest, highest]` of each of at most `columns` spans of equal length that
/// hold samples; spans without any are left out. One pass over the cells.
pub(super) fn samples(series: &Series, columns: usize) -> Value {
    let (Some(first), Some(last)) = (series.cells.first(), series.cells.last()) else {
        return json!([]);
    };
    let cells = last.at - first.at + 1;
    let per = (cells + columns as i64 - 1) / columns.max(1) as i64;
    let mut out: Vec<(i64, f64, f64)> = Vec::new();
    for cell in &series.cells {
        let column = (cell.at - first.at) / per.max(1);
        match out.last_mut() {
            Some(c) if c.0 == column => {
                c.1 = c.1.min(cell.min);
                c.2 = c.2.max(cell.max);
            }
            _ => out.push((column, cell.min, cell.max)),
        }
    }
    let at = |column: i64| (first.at + column * per.max(1)) * series.width_s;
    let rows = out
        .iter()
        .map(|&(c, low, high)| json!([at(c), number(low), number(high)]));
    Value::Array(rows.collect())
}

/// `[seconds since 1970, requests an hour]` of each of at most `columns` spans of equal length in
/// which requests ran, and the seconds of a span. One pass over the windows.
pub(super) fn activity(loads: &[Load], window_s: i64, columns: usize) -> Value {
    let (Some(first), Some(last)) = (loads.first(), loads.last()) else {
        return Value::Null;
    };
    let per = ((last.at - first.at + columns as i64) / columns.max(1) as i64).max(1);
    let mut out: Vec<(i64, f64)> = Vec::new();
    for load in loads {
        let column = (load.at - first.at) / per;
        match out.last_mut() {
            Some(c) if c.0 == column => c.1 += f64::from(load.ran),
            _ => out.push((column, f64::from(load.ran))),
        }
    }
    let width = per * window_s;
    let each = out.iter().map(|&(column, ran)| {
        let at = (first.at + column * per) * window_s;
        json!([at, number(ran * 3600.0 / width as f64)])
    });
    json!({"width_s": width, "per_hour": each.collect::<Vec<_>>()})
}

/// What severities are drawn from.
pub(super) fn thresholds(limits: Limits) -> Value {
    let of = |steps: &Steps| -> Value {
        let all = [Severity::Warning, Severity::Critical, Severity::Emergency];
        let each = all.map(|s| (s.as_str().to_owned(), number(steps.of(s))));
        Value::Object(each.into_iter().collect::<Map<_, _>>())
    };
    let known = limits.thresholds;
    json!({
        "mb_per_hour": of(&known.rates), "factor_per_day": of(&known.factors),
        "hours_to_limit": of(&known.hours),
        "memory_limit_bytes": limits.memory.map_or(Value::Null, number),
    })
}
