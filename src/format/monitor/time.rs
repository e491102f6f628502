//! Time stamps as monitoring and logs write them.

use crate::error::{Error, Result};
use crate::model::Time;

/// The zone of stamps that name none.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    /// `None` is UTC.
    named: Option<jiff::tz::TimeZone>,
}

impl Zone {
    /// The zone called `name` (`Europe/Berlin`, `+02:00`, `UTC`).
    ///
    /// Errors: no zone of that name.
    pub fn named(name: &str) -> Result<Zone> {
        if name.eq_ignore_ascii_case("utc") || name == "Z" {
            return Ok(Zone::default());
        }
        if let Some((seconds, length)) = offset(name.as_bytes())
            && length == name.len()
            && let Ok(offset) = jiff::tz::Offset::from_seconds(seconds as i32)
        {
            return Ok(Zone {
                named: Some(jiff::tz::TimeZone::fixed(offset)),
            });
        }
        let zone = jiff::tz::TimeZone::get(name).map_err(|_| {
            Error::usage(format!("no time zone is called {name:?}"))
                .help("write Europe/Berlin, +02:00 or UTC")
        })?;
        Ok(Zone { named: Some(zone) })
    }

    /// Seconds that clocks of this zone are ahead of UTC when they show `local` (seconds as if UTC).
    fn ahead(&self, local: i64) -> i64 {
        let Some(zone) = &self.named else { return 0 };
        // Two rounds find the offset in force but for the hour that is skipped or repeated, where
        // either is right.
        let mut ahead = 0;
        for _ in 0..2 {
            ahead = jiff::Timestamp::from_second(local - ahead)
                .map_or(ahead, |t| i64::from(zone.to_offset(t).seconds()));
        }
        ahead
    }
}

impl Zone {
    /// The moment at which clocks of this zone show `local` (seconds as if UTC).
    pub(super) fn at(&self, local: i64) -> Time {
        Time((local - self.ahead(local)) * 1000)
    }
}

/// Seconds of the day that a clock shows: `16:24:44`, nothing before or behind it.
pub(super) fn clock_of_day(text: &[u8]) -> Option<i64> {
    let mut r = Reader { text, at: 0 };
    let ms = r.clock()?;
    (r.at == text.len() && text.len() >= 7).then_some(ms / 1000)
}

/// Days since 1970 of a date alone: `2026-03-02`, `03/02/26`, `02.03.2026`; and whether the order of
/// day and month was assumed.
pub(super) fn date_of(word: &str) -> Option<(i64, bool)> {
    let parts: Vec<i64> = word
        .split(['-', '/', '.'])
        .map(|p| p.parse().ok())
        .collect::<Option<_>>()?;
    let &[a, b, c] = parts.as_slice() else {
        return None;
    };
    if word.starts_with(|c: char| !c.is_ascii_digit()) || parts.iter().any(|p| *p < 0) {
        return None;
    }
    if valid(a, b, c) {
        return Some((days(a, b, c), false));
    }
    let year = if c < 100 { 2000 + c } else { c };
    // A dot is German, a stroke American, unless the numbers say otherwise.
    let day_first = word.contains('.') || a > 12;
    let (month, day) = if day_first { (b, a) } else { (a, b) };
    let assumed = !day_first && b <= 12 && a != b;
    valid(year, month, day).then(|| (days(year, month, day), assumed))
}

/// The time in a name: `heap-20260302T091500Z.json`, `metrics-1772409600.txt`. A date alone is no
/// moment.
pub fn in_name(name: &str, zone: &Zone) -> Option<Time> {
    let bytes = name.as_bytes();
    for at in 0..bytes.len() {
        let begins = bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit());
        if begins && let Some((time, length)) = stamp(&bytes[at..], zone) {
            let stamp = &bytes[at..at + length];
            if length >= 10 && stamp.iter().filter(|b| b.is_ascii_digit()).count() >= 10 {
                return Some(time);
            }
        }
    }
    None
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; years 0 to 9999.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // March is the first month, so that the leap day is the last of the year.
    let y = year - i64::from(month <= 2);
    let m = (month + 9) % 12;
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
        - 1
        - 719_468
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, of: &[u8]) -> Option<u8> {
        let c = self.peek();
        (c != 0 && of.contains(&c)).then(|| {
            self.at += 1;
            c
        })
    }

    /// A number of `least` to `most` digits; nineteen of them may be one too large.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.text[self.at..]
            .iter()
            .take(most)
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits < least {
            return None;
        }
        let digits = &self.text[self.at..self.at + digits];
        self.at += digits.len();
        let add = |n: i64, b: &u8| n.checked_mul(10)?.checked_add(i64::from(b - b'0'));
        digits.iter().try_fold(0, add)
    }

    /// Milliseconds of a fraction behind `.` or `,`, if one follows; further digits are dropped.
    fn fraction(&mut self) -> i64 {
        if !matches!(self.peek(), b'.' | b',')
            || !self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit)
        {
            return 0;
        }
        self.at += 1;
        let (mut ms, mut scale) = (0, 100);
        while self.peek().is_ascii_digit() {
            ms += i64::from(self.peek() - b'0') * scale;
            scale /= 10;
            self.at += 1;
        }
        ms
    }

    /// `09:36:59.123`, in milliseconds of the day.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.number(1, 2)?;
        self.take(b":")?;
        let minute = self.number(2, 2)?;
        let second = match self.take(b":") {
            Some(_) => self.number(2, 2)?,
            None => 0,
        };
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        Some(((hour * 60 + minute) * 60 + second) * 1000 + self.fraction())
    }

    /// `Z`, `+02:00`, ` +0200`; nothing is the given zone.
    fn zoned(&mut self, day: i64, ms: i64, zone: &Zone) -> Time {
        let local = day * 86_400 + ms.div_euclid(1000);
        let ahead = if matches!(self.peek(), b'Z' | b'z') {
            self.at += 1;
            0
        } else {
            let space = usize::from(self.peek() == b' ');
            let rest = &self.text[(self.at + space).min(self.text.len())..];
            match offset(rest) {
                Some((seconds, length)) => {
                    self.at += space + length;
                    seconds
                }
                None if rest.starts_with(b"UTC") || rest.starts_with(b"GMT") => {
                    self.at += space + 3;
                    0
                }
                None => zone.ahead(local),
            }
        };
        Time((local - ahead) * 1000 + ms.rem_euclid(1000))
    }
}

/// `+02:00` or `-0530`: seconds and length. A sign and two digits alone are no offset.
fn offset(text: &[u8]) -> Option<(i64, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut r = Reader { text, at: 1 };
    let hours = r.number(2, 2)?;
    r.take(b":");
    let minutes = r.number(2, 2)?;
    let whole = hours <= 18 && minutes <= 59 && !r.peek().is_ascii_digit();
    whole.then_some((sign * (hours * 60 + minutes) * 60, r.at))
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

fn month_of(text: &[u8]) -> Option<i64> {
    let name = text.get(..3)?;
    let at = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))?;
    Some(at as i64 + 1)
}

fn valid(year: i64, month: i64, day: i64) -> bool {
    (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// The time stamp that `text` begins with, and its length. Known are RFC 3339 and its relatives
/// (`2025-08-28 09:36:59,123`, `2025/08/28 09:36:59`), the common log format
/// (`28/Aug/2025:09:36:59 +0000`), `Thu Aug 28 09:36:59.123 2025`, `20250828_093659`, and seconds
/// (10 digits), milli- (13), micro- (16) and nanoseconds (19) since 1970.
pub fn stamp(text: &[u8], zone: &Zone) -> Option<(Time, usize)> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    match (digits, text.get(digits)) {
        (4, Some(b'-' | b'/')) => dashed(text, zone),
        (1 | 2, Some(b'/' | b'-' | b' ')) => common(text, zone),
        (8, Some(b'_' | b'T' | b'-')) => compact(text, zone),
        (14, _) => compact(text, zone),
        (9.., _) => epoch(text, digits),
        (0, _) => worded(text, zone),
        _ => None,
    }
}

fn dashed(text: &[u8], zone: &Zone) -> Option<(Time, usize)> {
    let mut r = Reader { text, at: 0 };
    let year = r.number(4, 4)?;
    let dash = r.take(b"-/")?;
    let month = r.number(1, 2)?;
    r.take(&[dash])?;
    let day = r.number(1, 2)?;
    if !valid(year, month, day) {
        return None;
    }
    let date = r.at;
    if r.take(b"Tt _").is_none() {
        return Some((r.zoned(days(year, month, day), 0, zone), date));
    }
    let ms = match r.clock() {
        Some(ms) => ms,
        None => return Some((Time(days(year, month, day) * 86_400_000), date)),
    };
    let time = r.zoned(days(year, month, day), ms, zone);
    Some((time, r.at))
}

fn common(text: &[u8], zone: &Zone) -> Option<(Time, usize)> {
    let mut r = Reader { text, at: 0 };
    let day = r.number(1, 2)?;
    r.take(b"/- ")?;
    let month = month_of(&text[r.at..])?;
    r.at += 3;
    r.take(b"/- ")?;
    let year = r.number(4, 4)?;
    r.take(b": T")?;
    if !valid(year, month, day) {
        return None;
    }
    let ms = r.clock()?;
    let time = r.zoned(days(year, month, day), ms, zone);
    Some((time, r.at))
}

fn compact(text: &[u8], zone: &Zone) -> Option<(Time, usize)> {
    let mut r = Reader { text, at: 0 };
    let (year, month, day) = (r.number(4, 4)?, r.number(2, 2)?, r.number(2, 2)?);
    r.take(b"_T-");
    let (hour, minute, second) = (r.number(2, 2)?, r.number(2, 2)?, r.number(2, 2)?);
    if !valid(year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let ms = ((hour * 60 + minute) * 60 + second) * 1000;
    let time = r.zoned(days(year, month, day), ms, zone);
    Some((time, r.at))
}

fn epoch(text: &[u8], digits: usize) -> Option<(Time, usize)> {
    let mut r = Reader { text, at: 0 };
    let whole = r.number(9, 19)?;
    let ms = match digits {
        9 | 10 => whole * 1000 + r.fraction(),
        12 | 13 => {
            r.fraction();
            whole
        }
        15 | 16 => whole / 1000,
        18 | 19 => whole / 1_000_000,
        _ => return None,
    };
    Some((Time(ms), r.at))
}

/// `Thu Aug 28 09:36:59.123456 2025`.
fn worded(text: &[u8], zone: &Zone) -> Option<(Time, usize)> {
    let mut r = Reader { text, at: 0 };
    if month_of(text).is_none() {
        r.at = 3;
        r.take(b",");
        r.take(b" ")?;
    }
    let month = month_of(text.get(r.at..)?)?;
    r.at += 3;
    while r.take(b" ").is_some() {}
    let day = r.number(1, 2)?;
    r.take(b" ")?;
    let ms = r.clock()?;
    r.take(b" ")?;
    let zoned = r.text[r.at..].iter().take_while(|b| b.is_ascii_uppercase());
    let letters = zoned.count();
    if letters > 0 {
        r.at += letters;
        r.take(b" ")?;
    }
    let year = r.number(4, 4)?;
    if !valid(year, month, day) {
        return None;
    }
    let time = r.zoned(days(year, month, day), ms, zone);
    Some((time, r.at))
}

/// The time stamp that is all of `text`, spaces around it aside.
pub fn whole_stamp(text: &[u8], zone: &Zone) -> Option<Time> {
    let text = text.trim_ascii();
    let (time, length) = stamp(text, zone)?;
    (length == text.len()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_moment() {
        let want = Time(1_756_373_819_000);
        for text in [
            "2025-08-28T09:36:59Z",
            "2025-08-28 09:36:59",
            "2025-08-28 09:36:59,000",
            "2025-08-28T11:36:59+02:00",
            "2025-08-28T04:06:59.000-05:30",
            "2025/08/28 09:36:59",
            "28/Aug/2025:09:36:59 +0000",
            "28/Aug/2025:05:36:59 -0400",
            "Thu Aug 28 09:36:59.000123 2025",
            "Thu Aug 28 09:36:59 UTC 2025",
            "20250828_093659",
            "20250828T093659Z",
            "20250828093659",
            "1756373819",
            "1756373819.000",
            "1756373819000",
            "1756373819000000",
            "1756373819000000000",
            "28 Aug 2025 09:36:59",
        ] {
            assert_eq!(
                whole_stamp(text.as_bytes(), &Zone::default()),
                Some(want),
                "{text}"
            );
        }
        let fine = whole_stamp(b"1756373819.25", &Zone::default());
        assert_eq!(fine, Some(Time(1_756_373_819_250)));
    }

    #[test]
    fn zones_apply_to_stamps_that_name_none() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let at = |text: &str| whole_stamp(text.as_bytes(), &berlin).unwrap();
        assert_eq!(at("2025-08-28 11:36:59"), Time(1_756_373_819_000));
        assert_eq!(at("2025-08-28T09:36:59Z"), Time(1_756_373_819_000));
        assert_eq!(
            at("2025-01-28 10:00:00").0 - at("2025-01-28T09:00:00Z").0,
            0
        );
        assert!(Zone::named("Mars/Olympus").is_err());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "12",
            "2025-13-01 00:00:00",
            "2025-08-28 99:00:00",
            "10.0.0.1",
            "hello",
            "99999999",
            "28/Foo/2025:09:36:59",
            "--",
            "123456789012345678901234567890",
            "Aug 28 09:36:59",
        ] {
            let got = whole_stamp(text.as_bytes(), &Zone::default());
            assert_eq!(got, None, "{text}");
        }
    }
}
