//! A curve in a few lines of characters.

use super::clock;
use crate::timeline::Curve;
use crate::units;

/// Rows of a plot.
const ROWS: usize = 4;
/// Characters in front of the plot.
const MARGIN: usize = 12;

/// Draws the bins of a curve, `width` characters in all: levels as `*`, restarts as `R` on the
/// axis. Empty for curves of fewer than two bins.
pub fn plot(curve: &Curve, width: usize) -> Vec<String> {
    let bins = &curve.bins.bins;
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
        return Vec::new();
    };
    let columns = width.saturating_sub(MARGIN).clamp(20, 160);
    let span = last.t - first.t;
    if bins.len() < 2 || span <= 0.0 || span.is_nan() {
        return Vec::new();
    }
    let column = |t: f64| (((t - first.t) / span) * (columns - 1) as f64).round() as usize;
    let (mut sum, mut n) = (vec![0.0; columns], vec![0u32; columns]);
    for b in bins {
        let c = column(b.t).min(columns - 1);
        sum[c] += b.y;
        n[c] += 1;
    }
    let levels: Vec<Option<f64>> = (0..columns)
        .map(|c| (n[c] > 0).then(|| sum[c] / f64::from(n[c])))
        .collect();
    let known = || levels.iter().flatten().copied();
    let (low, high) = (
        known().fold(f64::INFINITY, f64::min),
        known().fold(f64::NEG_INFINITY, f64::max),
    );
    let step = (high - low).max(1.0) / ROWS as f64;
    let row_of = |y: f64| (((y - low) / step) as usize).min(ROWS - 1);
    let name = |y: f64| match curve.series.name.unit {
        crate::model::SeriesUnit::Bytes => units::bytes(y as i128),
        _ => units::plain(y.round()),
    };
    let mut out = Vec::new();
    for row in (0..ROWS).rev() {
        let label = match row {
            r if r + 1 == ROWS => name(high),
            0 => name(low),
            _ => String::new(),
        };
        let line: String = levels
            .iter()
            .map(|l| {
                if l.is_some_and(|y| row_of(y) == row) {
                    '*'
                } else {
                    ' '
                }
            })
            .collect();
        out.push(format!("{label:>w$} |{}", line.trim_end(), w = MARGIN - 2));
    }
    let mut axis = vec!['-'; columns];
    for r in curve.restarts.iter() {
        let t = r.at.hours_since(curve.series.start);
        if t >= first.t && t <= last.t {
            axis[column(t).min(columns - 1)] = 'R';
        }
    }
    out.push(format!(
        "{:w$} +{}",
        "",
        axis.iter().collect::<String>(),
        w = MARGIN - 2
    ));
    let days = curve.span_h() > 24.5;
    let (from, to) = (
        clock(curve.moment(first.t), days),
        clock(curve.moment(last.t), days),
    );
    let gap = columns.saturating_sub(from.len() + to.len());
    out.push(format!(
        "{:w$}{from}{}{to}",
        "",
        " ".repeat(gap),
        w = MARGIN
    ));
    out
}
