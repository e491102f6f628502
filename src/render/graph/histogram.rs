//! `--histogram`: types with their numbers and bytes, the largest growth first.

use super::super::text::Style;
use super::columns::aligned;
use crate::graph::outcome::{TypeCount, TypeRow};
use crate::report::graph::GraphReport;
use crate::units;

/// Types in the order of printing: by growth of own bytes, then by bytes kept, or own ones
/// where nothing is known of those.
pub fn order<'r>(report: &'r GraphReport<'_>) -> Vec<&'r TypeRow> {
    let ends = |row: &TypeRow| {
        let first = row.counts.first().copied().unwrap_or_default();
        let last = row.counts.last().copied().unwrap_or_default();
        (first, last)
    };
    let mut rows: Vec<&TypeRow> = report.outcome.types.iter().collect();
    rows.sort_by(|a, b| {
        let key = |row: &TypeRow| {
            let (first, last) = ends(row);
            let grew = match row.counts.len() {
                1 => 0,
                _ => i128::from(last.shallow) - i128::from(first.shallow),
            };
            let bytes = match report.outcome.types_only {
                true => last.shallow,
                false => last.retained,
            };
            (std::cmp::Reverse(grew), std::cmp::Reverse(bytes))
        };
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    rows
}

/// Appends the table.
pub fn write(report: &GraphReport, out: &mut String, style: &Style) {
    let rows = order(report);
    let most = match style.limit {
        Some(0) => usize::MAX,
        limit => limit.unwrap_or(super::super::text::MOST_ROWS),
    };
    let bytes = |n: u64| match style.exact {
        true => format!("{} B", units::grouped(i128::from(n))),
        false => units::bytes(i128::from(n)),
    };
    let mut table =
        vec![["objects", "growth", "own bytes", "kept", "class", "type"].map(String::from)];
    let shown = |row: &TypeRow| {
        let last = row.counts.last().copied().unwrap_or_default();
        let first = row.counts.first().copied().unwrap_or_default();
        let delta = i128::from(last.count) - i128::from(first.count);
        let growth = match row.counts.len() {
            1 => String::new(),
            _ => units::signed(units::grouped(delta), delta > 0),
        };
        [
            units::grouped(i128::from(last.count)),
            growth,
            bytes(last.shallow),
            bytes(last.retained),
            row.trends[1].growth.as_str().unwrap_or("").to_owned(),
            super::clean(&row.name),
        ]
    };
    table.extend(rows.iter().take(most).map(|row| shown(row)));
    let mut rest = TypeCount::default();
    for row in rows.iter().skip(most) {
        let last = row.counts.last().copied().unwrap_or_default();
        rest.count += last.count;
        rest.shallow = rest.shallow.saturating_add(last.shallow);
    }
    if rows.len() > most {
        table.push([
            units::grouped(i128::from(rest.count)),
            String::new(),
            bytes(rest.shallow),
            String::new(),
            String::new(),
            format!("{} other types (--limit 0 shows all)", rows.len() - most),
        ]);
    }
    let without: &[usize] = if report.outcome.types_only { &[3] } else { &[] };
    out.push_str(&aligned(&table, &[4], without));
}
