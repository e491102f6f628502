//! Logs of requests in text: the common and combined formats of nginx and Apache with or without a
//! duration, load balancers, and home-made lines that hold a time, a request and a status in any
//! sensible order. One pass over each line, nothing allocated.

use super::time::{Zone, stamp};
use super::{Kind, Options, Outcome, each_line};
use crate::error::{Error, Result};
use crate::input::Source;
use crate::model::Request;
use crate::model::Sink;
use crate::model::Time;

/// A line that is one of a request log; the request itself may be empty (`"-" 408`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line<'a> {
    pub time: Time,
    pub request: Option<Request<'a>>,
}

/// Reads a log of requests.
pub(super) fn read(source: &Source, options: &Options, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::new(Kind::AccessLog);
    let groups = options.log_pattern.as_ref().map(groups_of).transpose()?;
    each_line(source, |number, text| {
        outcome.lines += 1;
        let parsed = match (&options.log_pattern, &groups) {
            (Some(pattern), Some(groups)) => by_pattern(pattern, groups, text, &options.zone),
            _ => parse_line(text, &options.zone),
        };
        let Some(line) = parsed else {
            return outcome.bad(number, text);
        };
        sink.logged(line.time, text.len() + 1);
        if let Some(request) = line.request {
            sink.request(&request);
        }
    })?;
    Ok(outcome)
}

/// The request of a line, if it is one.
pub(super) fn parse<'a>(line: &'a [u8], zone: &Zone) -> Option<Request<'a>> {
    parse_line(line, zone)?.request
}

/// What was met on a line so far.
#[derive(Default)]
struct Found<'a> {
    time: Option<Time>,
    request: Option<(&'a [u8], &'a [u8])>,
    asked: bool,
    status: Option<u16>,
    early_status: Option<u16>,
    bytes: Option<u64>,
    /// A duration with a unit or a name.
    named: Option<f64>,
    /// The largest bare decimal: `$request_time` is never less than `$upstream_response_time`.
    bare: Option<f64>,
    /// The sum of bare decimals before the request, and their number (load balancers).
    before: (f64, u8),
    /// A whole number behind everything else: microseconds of Apache's `%D`.
    trailing: Option<u64>,
    /// Whole numbers behind flags: those of Envoy.
    flags: bool,
    envoy: [u64; 3],
    envoy_n: usize,
    timed_out: bool,
    quoted_after: bool,
}

fn parse_line<'a>(line: &'a [u8], zone: &Zone) -> Option<Line<'a>> {
    let mut f = Found::default();
    let balancer = [&b"http "[..], b"https ", b"h2 ", b"grpcs ", b"ws ", b"wss "]
        .iter()
        .any(|p| line.starts_with(p));
    let mut i = 0;
    while i < line.len() {
        match line[i] {
            b' ' | b'\t' | b'|' | b',' | b';' => i += 1,
            b'[' => {
                let end = memchr::memchr(b']', &line[i..]).map_or(line.len(), |n| i + n);
                if f.time.is_none() {
                    f.time = stamp(&line[i + 1..end], zone).map(|(t, _)| t);
                }
                i = end + 1;
            }
            b'"' => {
                let end = closing_quote(line, i + 1);
                f.quoted(&line[i + 1..end], zone);
                i = end + 1;
            }
            _ => i = f.token(line, i, zone),
        }
    }
    f.line(balancer)
}

fn closing_quote(line: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(n) = memchr::memchr2(b'"', b'\\', &line[at.min(line.len())..]) {
        if line[at + n] == b'"' {
            return at + n;
        }
        at += n + 2;
    }
    line.len()
}

const METHODS: [&[u8]; 10] = [
    b"GET",
    b"POST",
    b"PUT",
    b"HEAD",
    b"DELETE",
    b"PATCH",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
];

/// `GET /path HTTP/1.1`.
fn asked(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memchr(b' ', text)?;
    let method = &text[..space];
    if !(3..=10).contains(&method.len()) || !method.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let rest = text[space + 1..].trim_ascii();
    let end = memchr::memrchr(b' ', rest)
        .filter(|&e| rest[e + 1..].starts_with(b"HTTP"))
        .unwrap_or(rest.len());
    let target = rest[..end].trim_ascii_end();
    (!target.is_empty()).then_some((method, target))
}

impl<'a> Found<'a> {
    fn quoted(&mut self, text: &'a [u8], zone: &Zone) {
        if self.request.is_none() && !self.asked {
            if let Some(request) = asked(text) {
                self.request = Some(request);
                self.asked = true;
                return;
            }
            // A broken request is the quoted text before the status.
            self.asked = self.status.is_none() && self.time.is_some();
            if self.asked {
                return;
            }
        }
        if self.time.is_none()
            && let Some((time, _)) = stamp(text, zone)
        {
            self.time = Some(time);
            return;
        }
        self.quoted_after = true;
        self.trailing = None;
        if text.len() < 12 && decimal(text).is_some() {
            self.number(text, b"");
        }
    }

    /// Takes the token at `from`; returns where the next one begins.
    fn token(&mut self, line: &'a [u8], from: usize, zone: &Zone) -> usize {
        let rest = &line[from..];
        if self.time.is_none()
            && rest[0].is_ascii_alphanumeric()
            && let Some((time, length)) = stamp(rest, zone)
            && !matches!(rest.get(length), Some(c) if c.is_ascii_alphanumeric() || *c == b'.')
        {
            self.time = Some(time);
            return from + length;
        }
        let length = rest
            .iter()
            .position(|b| matches!(b, b' ' | b'\t' | b'"' | b'|' | b';'))
            .unwrap_or(rest.len())
            .max(1);
        let token = &rest[..length];
        let end = from + length;
        if let Some(eq) = memchr::memchr(b'=', token)
            && !token.starts_with(b"/")
        {
            let (value, end) = match line.get(end) {
                Some(b'"') if eq + 1 == length => {
                    let close = closing_quote(line, end + 1);
                    (&line[end + 1..close], close + 1)
                }
                _ => (&token[eq + 1..], end),
            };
            self.pair(&token[..eq], value, zone);
            return end;
        }
        if !self.asked && METHODS.contains(&token) {
            let rest = line[end..].trim_ascii_start();
            let target = rest
                .split(|b| matches!(b, b' ' | b'\t' | b'"'))
                .next()
                .unwrap_or(rest);
            if target.starts_with(b"/") || target.starts_with(b"http") {
                self.request = Some((token, target));
                self.asked = true;
                return line.len() - rest.len() + target.len();
            }
        }
        if token[0].is_ascii_digit() || token[0] == b'-' {
            let next = line[end..].trim_ascii_start();
            self.number(token, next);
        }
        if self.status.is_some() && self.envoy_n == 0 && !self.flags && self.bytes.is_none() {
            let flag = token == b"-" || token.iter().all(|b| b.is_ascii_uppercase() || *b == b',');
            self.flags = flag;
            self.timed_out |= flag && token.starts_with(b"UT");
        }
        end
    }

    fn number(&mut self, token: &[u8], next: &[u8]) {
        let digits = token.iter().take_while(|b| b.is_ascii_digit()).count();
        let unit_of = |text: &[u8]| -> Option<f64> {
            let word = text
                .split(|b| !b.is_ascii_alphabetic())
                .next()
                .unwrap_or_default();
            match word {
                b"s" | b"sec" | b"secs" | b"second" | b"seconds" => Some(1.0),
                b"ms" | b"msec" | b"milliseconds" => Some(1e-3),
                b"us" | b"usec" | b"microseconds" => Some(1e-6),
                _ => None,
            }
        };
        let value = decimal(token);
        let attached = token
            .iter()
            .position(|b| b.is_ascii_alphabetic())
            .map(|at| (&token[..at], &token[at..]));
        if let Some((number, unit)) = attached {
            if let (Some(v), Some(u)) = (decimal(number), unit_of(unit)) {
                self.named.get_or_insert(v * u);
            }
            return;
        }
        let Some(value) = value else { return };
        if let Some(unit) = unit_of(next) {
            self.named.get_or_insert(value * unit);
            return;
        }
        if digits < token.len() {
            // A decimal, or -1 of a balancer whose target did not answer.
            if !self.asked {
                self.before = (self.before.0 + value.max(0.0), self.before.1 + 1);
            }
            self.bare = Some(self.bare.map_or(value, |b: f64| b.max(value)));
            return;
        }
        let whole = value as u64;
        if self.flags && self.envoy_n < 3 {
            self.envoy[self.envoy_n] = whole;
            self.envoy_n += 1;
            return;
        }
        let like_status = digits == 3 && (100..600).contains(&whole);
        match (self.asked, self.status) {
            (true, None) if like_status => self.status = Some(whole as u16),
            (true, Some(_)) if self.bytes.is_none() && !self.quoted_after => {
                self.bytes = Some(whole)
            }
            (true, Some(_)) => self.trailing = Some(whole),
            (false, _) if like_status => {
                self.early_status.get_or_insert(whole as u16);
            }
            _ => {}
        }
    }

    fn pair(&mut self, key: &[u8], value: &'a [u8], zone: &Zone) {
        let seconds = |text: &[u8], bare: f64| -> Option<f64> {
            let at = text
                .iter()
                .position(u8::is_ascii_alphabetic)
                .unwrap_or(text.len());
            let unit = match &text[at..] {
                b"" => bare,
                b"s" => 1.0,
                b"ms" => 1e-3,
                b"us" => 1e-6,
                _ => return None,
            };
            decimal(&text[..at]).map(|v| v * unit)
        };
        match key {
            b"time" | b"ts" | b"t" | b"at" if self.time.is_none() => {
                self.time = stamp(value, zone).map(|(t, _)| t);
            }
            b"request_time" | b"rt" | b"duration" | b"latency" | b"elapsed" | b"took"
            | b"service" => {
                self.named = seconds(value, 1.0).or(self.named);
            }
            b"duration_ms" | b"latency_ms" | b"elapsed_ms" | b"time_ms" => {
                self.named = seconds(value, 1e-3).or(self.named);
            }
            b"status" | b"code" | b"status_code" => {
                self.status = decimal(value)
                    .filter(|v| (100.0..600.0).contains(v))
                    .map(|v| v as u16);
            }
            b"bytes" | b"size" | b"body_bytes_sent" => {
                self.bytes = decimal(value).map(|v| v as u64)
            }
            b"method" => self.request = Some((value, self.request.map_or(b"", |r| r.1))),
            b"path" | b"uri" | b"url" => {
                self.request = Some((self.request.map_or(b"GET", |r| r.0), value));
                self.asked = true;
            }
            b"request" => {
                self.request = asked(value).or(self.request);
                self.asked = true;
            }
            _ => {}
        }
    }

    fn line(self, balancer: bool) -> Option<Line<'a>> {
        let mut time = self.time?;
        let status = self.status.or(self.early_status);
        let request = self.request.filter(|r| !r.1.is_empty());
        if request.is_none() && !(self.asked && status.is_some()) {
            return None;
        }
        let mut bytes = self.bytes;
        let duration = if balancer && self.before.1 >= 3 {
            Some(self.before.0)
        } else if self.flags && self.envoy_n == 3 {
            let took = self.envoy[2] as f64 * 1e-3;
            bytes = Some(self.envoy[1]);
            // Envoy writes when a request began.
            time = time.plus(took);
            Some(took)
        } else {
            let micro = self.trailing.map(|us| us as f64 * 1e-6);
            self.named.or(self.bare).or(micro)
        };
        let duration = duration.filter(|d| (0.0..=7.0 * 86_400.0).contains(d));
        let status = status.unwrap_or(0);
        Some(Line {
            time,
            request: request.map(|(method, target)| Request {
                end: time,
                duration,
                method,
                target,
                status,
                bytes,
                timed_out: status == 504 || self.timed_out,
            }),
        })
    }
}

/// A number of digits with at most one point, or -1; nothing else.
fn decimal(text: &[u8]) -> Option<f64> {
    if text == b"-1" {
        return Some(-1.0);
    }
    let (mut whole, mut scale, mut point, mut any) = (0u64, 1.0, false, false);
    for &b in text {
        match b {
            b'0'..=b'9' => {
                whole = whole.checked_mul(10)?.checked_add(u64::from(b - b'0'))?;
                any = true;
                if point {
                    scale *= 10.0;
                }
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    any.then(|| whole as f64 / scale)
}

/// The groups of `--log-pattern`, by position.
struct Groups {
    time: usize,
    request: Option<usize>,
    method: Option<usize>,
    path: Option<usize>,
    status: Option<usize>,
    bytes: Option<usize>,
    duration: Option<(usize, f64)>,
}

fn groups_of(pattern: &regex::bytes::Regex) -> Result<Groups> {
    let at = |name: &str| pattern.capture_names().position(|n| n == Some(name));
    let missing = |what: &str| {
        Error::usage(format!("--log-pattern has no group called {what}")).help(
            "write (?<time>...), (?<method>...), (?<path>...), (?<status>...), (?<duration>...)",
        )
    };
    let groups = Groups {
        time: at("time").ok_or_else(|| missing("time"))?,
        request: at("request"),
        method: at("method"),
        path: at("path"),
        status: at("status"),
        bytes: at("bytes"),
        duration: at("duration")
            .map(|i| (i, 1.0))
            .or(at("duration_ms").map(|i| (i, 1e-3)))
            .or(at("duration_us").map(|i| (i, 1e-6))),
    };
    match groups.request.or(groups.path) {
        Some(_) => Ok(groups),
        None => Err(missing("path")),
    }
}

fn by_pattern<'a>(
    pattern: &regex::bytes::Regex,
    groups: &Groups,
    line: &'a [u8],
    zone: &Zone,
) -> Option<Line<'a>> {
    let captures = pattern.captures(line)?;
    let get = |at: usize| captures.get(at).map(|m| m.as_bytes());
    let (time, _) = stamp(get(groups.time)?, zone)?;
    let (method, target) = match groups.request.and_then(get).and_then(asked) {
        Some(request) => request,
        None => (
            groups.method.and_then(get).unwrap_or(b"GET"),
            groups.path.and_then(get)?,
        ),
    };
    let number = |at: usize| get(at).and_then(decimal);
    let status = groups.status.and_then(number).map_or(0, |s| s as u16);
    Some(Line {
        time,
        request: Some(Request {
            end: time,
            duration: groups
                .duration
                .and_then(|(at, unit)| number(at).map(|v| v * unit)),
            method,
            target,
            status,
            bytes: groups.bytes.and_then(number).map(|b| b as u64),
            timed_out: status == 504,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Option<(i64, String, String, u16, Option<f64>, Option<u64>)> {
        let r = parse(line.as_bytes(), &Zone::default())?;
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let ms = r.duration.map(|d| (d * 1e6).round() / 1e6);
        Some((
            r.end.0 / 1000,
            text(r.method),
            text(r.target),
            r.status,
            ms,
            r.bytes,
        ))
    }

    #[test]
    fn layouts() {
        let t = 1_756_373_819;
        let want = |d: Option<f64>, b: Option<u64>| {
            Some((t, "GET".to_owned(), "/a/1?x=2".to_owned(), 200, d, b))
        };
        for (line, d, b) in [
            (
                r#"10.0.0.1 - - [28/Aug/2025:09:36:59 +0000] "GET /a/1?x=2 HTTP/1.1" 200 512"#,
                None,
                Some(512),
            ),
            (
                r#"10.0.0.1 - bob [28/Aug/2025:09:36:59 +0000] "GET /a/1?x=2 HTTP/1.1" 200 512 "-" "curl \"8\"" 0.023"#,
                Some(0.023),
                Some(512),
            ),
            (
                r#"10.0.0.1 - - [28/Aug/2025:09:36:59 +0000] "GET /a/1?x=2 HTTP/1.1" 200 512 "-" "curl/8" 0.023 0.021 ."#,
                Some(0.023),
                Some(512),
            ),
            (
                r#"10.0.0.1 - - [28/Aug/2025:09:36:59 +0000] 0.023 "GET /a/1?x=2 HTTP/1.1" 200 512 "-" "curl/8.0""#,
                Some(0.023),
                Some(512),
            ),
            (
                r#"10.0.0.1 - - [28/Aug/2025:09:36:59 +0000] "GET /a/1?x=2 HTTP/1.1" 200 512 "-" "curl/8" rt=0.023 urt="0.021""#,
                Some(0.023),
                Some(512),
            ),
            (
                r#"10.0.0.1 - - [28/Aug/2025:09:36:59 +0000] "GET /a/1?x=2 HTTP/1.1" 200 512 "-" "curl/8" 23000"#,
                Some(0.023),
                Some(512),
            ),
            (
                r#"2025-08-28 09:36:59,000 10.0.0.1 "GET /a/1?x=2" 200 0.023 seconds"#,
                Some(0.023),
                None,
            ),
            (
                r#"2025/08/28 09:36:59 GET /a/1?x=2 200 23ms"#,
                Some(0.023),
                None,
            ),
            (
                r#"0.023 seconds 200 "GET /a/1?x=2 HTTP/1.0" 10.0.0.1 [2025-08-28T09:36:59Z]"#,
                Some(0.023),
                None,
            ),
            (
                r#"time=2025-08-28T09:36:59Z level=info method=GET path="/a/1?x=2" status=200 duration=23ms"#,
                Some(0.023),
                None,
            ),
            (
                r#"https 2025-08-28T09:36:59.000000Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.001 0.021 0.001 200 200 0 57 "GET /a/1?x=2 HTTP/1.1" "curl/7" TLS"#,
                Some(0.023),
                None,
            ),
            (
                r#"[2025-08-28T09:36:58.977Z] "GET /a/1?x=2 HTTP/2" 200 - 154 512 23 20 "10.0.35.28" "nsq" "cc21" "locations" "tcp://1""#,
                Some(0.023),
                Some(512),
            ),
        ] {
            assert_eq!(one(line), want(d, b), "{line}");
        }
    }

    #[test]
    fn lines_without_a_request_are_lines_all_the_same() {
        let zone = Zone::default();
        let empty = br#"10.0.0.1 - - [28/Aug/2025:09:36:59 +0000] "-" 408 0 "-" "-""#;
        assert!(parse_line(empty, &zone).is_some_and(|l| l.request.is_none()));
        for line in [
            "",
            "hello",
            "2025-08-28 09:36:59 starting",
            r#""GET / HTTP/1.1" 200"#,
        ] {
            assert!(parse_line(line.as_bytes(), &zone).is_none(), "{line}");
        }
    }

    #[test]
    fn a_pattern_with_named_groups() {
        let pattern = regex::bytes::Regex::new(
            r"^(?<time>\S+ \S+) \| (?<status>\d+) \| (?<duration_ms>\d+) \| (?<method>\S+) +(?<path>\S+)",
        )
        .unwrap();
        let groups = groups_of(&pattern).unwrap();
        let line = b"2025/08/28 09:36:59 | 504 | 250 | POST  /x";
        let r = by_pattern(&pattern, &groups, line, &Zone::default())
            .unwrap()
            .request
            .unwrap();
        assert_eq!(
            (r.duration, r.status, r.target, r.timed_out),
            (Some(0.25), 504, &b"/x"[..], true)
        );
        assert!(groups_of(&regex::bytes::Regex::new("x").unwrap()).is_err());
    }
}
