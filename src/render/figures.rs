//! Numbers and nouns as text shows them: amounts in their unit, rates, changes, series.

use crate::diff::GroupBy;
use crate::model::Unit;
use crate::units;

/// The noun for a row.
pub fn noun(by: &GroupBy) -> &'static str {
    match by {
        GroupBy::Stack => "site",
        GroupBy::Function => "function",
        GroupBy::File => "file",
        GroupBy::Module => "module",
        GroupBy::Leaf => "leaf",
        GroupBy::Line => "line",
        GroupBy::Label(_) => "label",
    }
}

/// A noun after a number.
pub fn plural(n: usize, noun: &str) -> String {
    match (n, noun) {
        (1, noun) => noun.to_owned(),
        (_, "leaf") => "leaves".to_owned(),
        (_, noun) => format!("{noun}s"),
    }
}

/// A number and its noun: `1 block`, `2 blocks`.
pub fn counted(n: usize, word: &str) -> String {
    format!("{} {}", units::grouped(n as i128), plural(n, word))
}

/// A real number and its noun.
pub fn measured(n: f64, word: &str) -> String {
    let noun = plural(if n == 1.0 { 1 } else { 2 }, word);
    format!("{} {noun}", units::plain(n))
}

/// A number in a metric's unit.
pub fn amount(unit: &Unit, n: i128, exact: bool) -> String {
    match unit {
        Unit::Bytes if exact => format!("{} B", units::grouped(n)),
        Unit::Bytes => units::bytes(n),
        Unit::Count | Unit::Named(_) => units::grouped(n),
    }
}

/// A number per run: exact bytes up to a million, since what is kept on every run is counted.
pub fn rate(unit: &Unit, n: f64) -> String {
    let text = match unit {
        Unit::Bytes if n.abs() >= 1e6 => units::bytes(n.round() as i128),
        Unit::Bytes => format!("{} B", units::plain(n)),
        Unit::Count | Unit::Named(_) => units::plain(n),
    };
    units::signed(text, n > 0.0)
}

/// ` (+12.3 % of 5.1 MiB)`, or nothing where the base is zero.
pub(super) fn change(delta: i128, before: i128) -> String {
    let small = delta != 0 && delta.unsigned_abs() * 2000 < before.unsigned_abs();
    let of_before = match small {
        true => Some("under 0.1 %".to_owned()),
        false => units::change_percent(delta, before),
    };
    of_before.map_or(String::new(), |p| format!(" ({p} of before)"))
}

/// A share of a whole with one decimal; what is there is never `0.0 %`.
pub fn share(share: f64) -> String {
    match share {
        s if s != 0.0 && s.abs() < 0.001 => "under 0.1 %".to_owned(),
        s => format!("{:.1} %", 100.0 * s),
    }
}

pub(super) fn percent_cell(before: i128, after: i128) -> String {
    match (before, after) {
        (b, a) if b == a => "0".into(),
        (0, _) => "new".into(),
        (_, 0) => "gone".into(),
        (b, a) => units::change_percent(a - b, b).unwrap_or_default(),
    }
}

/// A series as one character a capture, at most twelve: low to high, or level.
pub fn spark(series: &[i64]) -> String {
    const LEVELS: [char; 5] = ['_', '.', '-', '+', '#'];
    let (low, high) = series
        .iter()
        .fold((i64::MAX, i64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    let step = series.len().div_ceil(12).max(1);
    let mut picked: Vec<i64> = series.iter().copied().step_by(step).collect();
    if step > 1
        && let (Some(last), Some(end)) = (picked.last_mut(), series.last())
    {
        *last = *end;
    }
    picked
        .iter()
        .map(|&v| {
            if low == high {
                return '=';
            }
            let share = (v as f64 - low as f64) / (high as f64 - low as f64);
            LEVELS[((share * 4.0).round() as usize).min(4)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_drawn_from_low_to_high() {
        assert_eq!(spark(&[1, 5, 9]), "_-#");
        assert_eq!(spark(&[7, 7, 7]), "===");
        assert_eq!(spark(&(0..50).collect::<Vec<_>>()).len(), 10);
    }

    #[test]
    fn percentages_never_divide_by_nothing() {
        assert_eq!(percent_cell(0, 5), "new");
        assert_eq!(percent_cell(5, 0), "gone");
        assert_eq!(percent_cell(0, 0), "0");
        assert_eq!(percent_cell(2, 3), "+50.0 %");
    }
}
