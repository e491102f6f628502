//! Logs of which only the time is known: each line is an event.

use super::time::{Zone, stamp};
use super::{Kind, Options, Outcome, each_line};
use crate::error::Result;
use crate::input::Source;
use crate::model::Sink;
use crate::model::Time;

/// A time stands within so many bytes of a line's start.
const PREFIX: usize = 48;

/// The time near the start of a line and the text behind it: at the start, in brackets, or behind
/// a word or two (`ERROR 2025-08-28 ...`, `app-1 | 2025-...`).
pub(super) fn stamped<'a>(line: &'a [u8], zone: &Zone) -> Option<(Time, &'a [u8])> {
    let mut at = 0;
    while at < line.len().min(PREFIX) {
        let start = at == 0 || !line[at - 1].is_ascii_alphanumeric();
        if start
            && line[at].is_ascii_alphanumeric()
            && let Some((time, length)) = stamp(&line[at..], zone)
        {
            let rest = line[at + length..].trim_ascii_start();
            return Some((
                time,
                rest.strip_prefix(b"]").unwrap_or(rest).trim_ascii_start(),
            ));
        }
        at += 1;
    }
    None
}

pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::ErrorLog);
    let mut last: Option<Time> = None;
    each_line(source, |number, line| {
        outcome.lines += 1;
        match (stamped(line, &options.zone), last) {
            (Some((time, text)), _) => {
                last = Some(time);
                sink.logged(time, line.len() + 1);
                sink.event(time, text);
            }
            // Stack traces and continued messages belong to the line before them.
            (None, Some(time)) => sink.logged(time, line.len() + 1),
            (None, None) => outcome.bad(number, line),
        }
    })?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_may_stand_behind_a_word() {
        let zone = Zone::default();
        for line in [
            "2025/08/28 09:36:59 [error] 7#7: upstream timed out",
            "[Thu Aug 28 09:36:59.000 2025] [proxy:error] AH01102",
            "ERROR 2025-08-28 09:36:59,000 missed heartbeat",
            "web-1  | 2025-08-28T09:36:59Z GET",
            "1756373819 hello",
        ] {
            let got = stamped(line.as_bytes(), &zone).map(|(t, _)| t);
            assert_eq!(got, Some(Time(1_756_373_819_000)), "{line}");
        }
        assert!(stamped(b"Traceback (most recent call last):", &zone).is_none());
    }
}
