//! `--histogram --by loader`: objects by the loader of their class, the largest growth first.

use super::super::text::Style;
use super::columns::aligned;
use crate::graph::outcome::{LoaderCount, LoaderRow};
use crate::report::graph::GraphReport;
use crate::units;
use std::cmp::Reverse;

/// Loaders in the order of printing: by growth of bytes, then by bytes.
fn order<'r>(report: &'r GraphReport<'_>) -> Vec<&'r LoaderRow> {
    let mut rows: Vec<&LoaderRow> = report.outcome.loaders.iter().collect();
    rows.sort_by_key(|row| {
        let (first, last) = ends(row);
        let grew = i128::from(last.bytes) - i128::from(first.bytes);
        let grew = if row.counts.len() > 1 { grew } else { 0 };
        (Reverse(grew), Reverse(last.bytes))
    });
    rows
}

fn ends(row: &LoaderRow) -> (LoaderCount, LoaderCount) {
    let first = row.counts.first().copied().unwrap_or_default();
    (first, row.counts.last().copied().unwrap_or_default())
}

/// Appends the table. Objects and bytes of all rows are those of the last capture.
pub fn write(report: &GraphReport<'_>, out: &mut String, style: &Style) {
    if report.outcome.loaders.is_empty() {
        out.push_str("no class loaders: these captures are of a runtime that has none\n");
        return;
    }
    let rows = order(report);
    let most = match style.limit {
        Some(0) => usize::MAX,
        limit => limit.unwrap_or(super::super::text::MOST_ROWS),
    };
    let bytes = |n: i128| match style.exact {
        true => format!("{} B", units::grouped(n)),
        false => units::bytes(n),
    };
    let series = report.outcome.captures.len() > 1;
    let mut table = vec![
        [
            "loaders",
            "classes",
            "objects",
            "own bytes",
            "growth",
            "loader",
        ]
        .map(String::from),
    ];
    let mut rest = (LoaderCount::default(), 0i128);
    for (i, row) in rows.iter().enumerate() {
        let (first, last) = ends(row);
        let delta = i128::from(last.bytes) - i128::from(first.bytes);
        if i >= most {
            rest.0.loaders += last.loaders;
            rest.0.classes += last.classes;
            rest.0.objects += last.objects;
            rest.0.bytes = rest.0.bytes.saturating_add(last.bytes);
            rest.1 += delta;
            continue;
        }
        let from_to = |a: u64, b: u64| match series && a != b {
            true => format!(
                "{} -> {}",
                units::grouped(a.into()),
                units::grouped(b.into())
            ),
            false => units::grouped(b.into()),
        };
        table.push([
            from_to(first.loaders, last.loaders),
            from_to(first.classes, last.classes),
            units::grouped(last.objects.into()),
            bytes(last.bytes.into()),
            match series {
                true => units::signed(bytes(delta), delta > 0),
                false => String::new(),
            },
            super::clean(&row.name),
        ]);
    }
    if rows.len() > most {
        table.push([
            units::grouped(rest.0.loaders.into()),
            units::grouped(rest.0.classes.into()),
            units::grouped(rest.0.objects.into()),
            bytes(rest.0.bytes.into()),
            match series {
                true => units::signed(bytes(rest.1), rest.1 > 0),
                false => String::new(),
            },
            format!("{} other loaders (--limit 0 shows all)", rows.len() - most),
        ]);
    }
    out.push_str(&aligned(&table, &[], if series { &[] } else { &[4] }));
}
