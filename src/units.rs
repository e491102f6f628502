//! Numbers with units: read and printed in one place.

/// Reads a size: `4096`, `64KiB`, `5MB`, `1.2 GiB`. K, M and G alone mean 1024; KB, MB and GB 1000.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    let number: f64 = text[..split].replace('_', "").parse().ok()?;
    let factor: f64 = match text[split..].trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => 1.0,
        "k" | "kib" => 1024.0,
        "kb" => 1e3,
        "m" | "mib" => 1048576.0,
        "mb" => 1e6,
        "g" | "gib" => 1073741824.0,
        "gb" => 1e9,
        "t" | "tib" => 1099511627776.0,
        "tb" => 1e12,
        _ => return None,
    };
    let bytes = number * factor;
    (bytes.is_finite() && (0.0..9.0e18).contains(&bytes)).then_some(bytes.round() as u64)
}

/// Reads a duration in seconds: `60s`, `10m`, `1.5h`, `250ms`, `2d`.
pub fn parse_seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..split].parse().ok()?;
    let factor = match text[split..].trim() {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    Some(number * factor)
}

/// `n` with a comma between groups of three digits.
pub fn grouped(n: i128) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

const BINARY: &[&str] = &["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Bytes for people: exact below 1 KiB (`812 B`), else binary units with two decimals below ten
/// and one above (`9.87 KiB`, `54.7 MiB`).
pub fn bytes(n: i128) -> String {
    let magnitude = n.unsigned_abs();
    if magnitude < 1024 {
        return format!("{n} B");
    }
    let mut value = magnitude as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < BINARY.len() {
        value /= 1024.0;
        unit += 1;
    }
    let sign = if n < 0 { "-" } else { "" };
    if value < 9.995 {
        format!("{sign}{value:.2} {}", BINARY[unit])
    } else {
        format!("{sign}{value:.1} {}", BINARY[unit])
    }
}

/// `text` of a number with `+` in front unless it is negative or zero.
pub fn signed(text: String, positive: bool) -> String {
    if positive { format!("+{text}") } else { text }
}

/// A share as a percentage with one decimal; `None` where the base is zero.
pub fn percent(part: i128, base: i128) -> Option<f64> {
    (base != 0).then(|| part as f64 * 100.0 / base.unsigned_abs() as f64)
}

/// A percentage of a change: one decimal, above 999 % as a factor (`x12.4`).
pub fn change_percent(delta: i128, base: i128) -> Option<String> {
    let p = percent(delta, base)?;
    Some(if p > 999.0 {
        format!("x{:.1}", (base + delta) as f64 / base as f64)
    } else if p > 0.0 {
        format!("+{p:.1} %")
    } else {
        format!("{p:.1} %")
    })
}

/// A real number with one decimal, two below ten.
pub fn decimal(n: f64) -> String {
    if n.abs() < 9.995 {
        format!("{n:.2}")
    } else {
        format!("{n:.1}")
    }
}

/// A number of hours: `23 h`, `11 h 40 min`, `3.2 d`.
pub fn hours(n: f64) -> String {
    match n {
        n if !n.is_finite() => "never".into(),
        n if n >= 72.0 => format!("{} d", decimal(n / 24.0)),
        n if n >= 24.0 => format!("{n:.0} h"),
        n => {
            let minutes = (n * 60.0).round() as u64;
            match (minutes / 60, minutes % 60) {
                (0, m) => format!("{m} min"),
                (h, 0) => format!("{h} h"),
                (h, m) => format!("{h} h {m} min"),
            }
        }
    }
}

/// A real number without a needless fraction: `800`, `2.5`, `0.25`; whole from a hundred on.
pub fn plain(n: f64) -> String {
    if n == n.trunc() && n.abs() < 1e15 {
        return grouped(n as i128);
    }
    if n.abs() >= 100.0 && n.abs() < 1e15 {
        return grouped(n.round() as i128);
    }
    let text = if n.abs() < 1.0 {
        format!("{n:.3}")
    } else {
        format!("{n:.2}")
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read() {
        assert_eq!(parse_bytes("64KiB"), Some(65536));
        assert_eq!(parse_bytes("5 MB"), Some(5_000_000));
        assert_eq!(parse_bytes("1.5G"), Some(1_610_612_736));
        assert_eq!(parse_bytes("x"), None);
        assert_eq!(parse_bytes("-1"), None);
        assert_eq!(parse_seconds("10m"), Some(600.0));
        assert_eq!(parse_seconds("10"), None);
    }

    #[test]
    fn numbers_are_printed_for_people() {
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped(i128::MIN).len(), 1 + 39 + 12);
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.00 KiB");
        assert_eq!(bytes(54 * 1048576 + 734003), "54.7 MiB");
        assert_eq!(bytes(-1048575), "-1.00 MiB");
        assert_eq!(change_percent(5, 0), None);
        assert_eq!(change_percent(1140, 100).unwrap(), "x12.4");
        assert_eq!(change_percent(-50, 100).unwrap(), "-50.0 %");
        assert_eq!(plain(0.25), "0.25");
        assert_eq!(plain(1200.0), "1,200");
    }
}
