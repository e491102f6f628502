//! The timeline as text with small plots, as JSON, as Markdown.

mod draw;
pub mod json;
pub mod markdown;
mod plot;
mod sentences;
mod text;

pub use plot::plot;
pub use text::text;

use crate::model::Time;
use crate::units;

/// A moment as RFC 3339 in UTC, whole seconds.
pub(super) fn stamp(time: Time) -> String {
    match jiff::Timestamp::from_second(time.0.div_euclid(1000)) {
        Ok(t) => t.to_string(),
        Err(_) => format!("@{}", time.0 / 1000),
    }
}

/// A moment for people: the hour, with the day in front where the data cover more than one.
pub(super) fn clock(time: Time, days: bool) -> String {
    let text = stamp(time);
    let (Some(day), Some(hour)) = (text.get(5..10), text.get(11..16)) else {
        return text;
    };
    match days {
        true => format!("{day} {hour}"),
        false => hour.to_owned(),
    }
}

/// A rate in MB (10^6 bytes) an hour with a sign and as many digits as say something.
pub(super) fn rate(units_per_hour: f64) -> String {
    let v = units_per_hour / 1e6;
    let size = v.abs();
    let text = match size {
        s if s >= 99.95 => units::grouped(v.round() as i128),
        s if s >= 9.995 => format!("{v:.1}"),
        s if s >= 0.005 => format!("{v:.2}"),
        _ => "0".to_owned(),
    };
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    units::signed(text, v > 0.0 && size >= 0.005)
}

/// Names come from files: what turns or breaks text is left out.
pub(super) fn clean(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_control() || super::turns_text(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
