//! Endpoints: a method and a path with its identifiers folded, and the query parameters that matter.

use rustc_hash::{FxHashMap, FxHashSet};

/// More different values than this below one prefix are identifiers.
const MOST_VALUES: usize = 30;
/// A query parameter with more values than this is no part of an endpoint.
const MOST_QUERY_VALUES: usize = 8;
/// Prefixes that are watched.
const MOST_PREFIXES: usize = 16_384;
/// Segments of a path; the rest is `...`.
const MOST_SEGMENTS: usize = 16;
/// Longest segment that is kept as it is.
const LONGEST: usize = 48;

/// Folds targets of requests; remembers what varies below each prefix.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    seen: FxHashMap<String, FxHashSet<String>>,
    query: FxHashMap<String, FxHashSet<String>>,
}

/// The first fold of a target: identifiers by their form alone.
pub(super) fn first(method: &[u8], target: &[u8]) -> String {
    let target = String::from_utf8_lossy(&target[..target.len().min(2048)]);
    let path = match target.find("://") {
        Some(at) => target[at + 3..]
            .find('/')
            .map_or("/", |slash| &target[at + 3 + slash..]),
        None => &target,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.split(['#', ';']).next().unwrap_or(path);
    let method = match method {
        b"HEAD" => "GET".into(),
        m => String::from_utf8_lossy(&m[..m.len().min(12)]),
    };
    let mut out = format!("{method} ");
    for (i, segment) in path.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        if i > MOST_SEGMENTS {
            out.push_str("...");
            break;
        }
        push_segment(&mut out, segment);
    }
    let mut kept: Vec<&str> = query.split('&').filter(|p| is_word(p)).take(4).collect();
    kept.sort_unstable();
    kept.dedup();
    if !kept.is_empty() {
        out.push('?');
        out.push_str(&kept.join("&"));
    }
    out
}

/// A parameter that may name a kind of answer: `format=csv`, not `page=7`, not a search.
fn is_word(pair: &str) -> bool {
    let Some((key, value)) = pair.split_once('=') else {
        return false;
    };
    let short = |t: &str, most: usize| (1..=most).contains(&t.len());
    let letters = value
        .bytes()
        .all(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'-');
    short(key, 24)
        && short(value, 16)
        && letters
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn push_segment(out: &mut String, segment: &str) {
    let (stem, ending) = match segment.rsplit_once('.') {
        Some((s, e))
            if (1..=5).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            (s, Some(e))
        }
        _ => (segment, None),
    };
    match is_id(stem) {
        true => out.push_str("{id}"),
        false => out.extend(
            stem.chars()
                .take(LONGEST)
                .map(|c| if c.is_control() { '?' } else { c }),
        ),
    }
    if let Some(ending) = ending {
        out.push('.');
        out.push_str(ending);
    }
}

fn is_id(s: &str) -> bool {
    let b = s.as_bytes();
    let digits = b.iter().filter(|c| c.is_ascii_digit()).count();
    if b.is_empty() || digits == 0 {
        return b.contains(&b'%') && b.len() > 24;
    }
    let hex = b.iter().all(u8::is_ascii_hexdigit);
    let uuid = b.len() == 36 && b.iter().all(|c| c.is_ascii_hexdigit() || *c == b'-');
    digits == b.len() || uuid || (hex && b.len() >= 8) || b.len() > 24
}

impl Folder {
    /// Remembers the segments and parameters of an endpoint.
    pub fn watch(&mut self, endpoint: &str) {
        let (path, query) = endpoint.split_once('?').unwrap_or((endpoint, ""));
        let mut from = path.find('/').map_or(path.len(), |at| at + 1);
        while from <= path.len() {
            let end = path[from..].find('/').map_or(path.len(), |n| from + n);
            note(
                &mut self.seen,
                &path[..from],
                stem(&path[from..end]),
                MOST_VALUES,
            );
            from = end + 1;
        }
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            note(
                &mut self.query,
                &format!("{path}?{key}"),
                value,
                MOST_QUERY_VALUES,
            );
        }
    }

    /// The endpoint with everything folded that turned out to vary; `rare` drops the query.
    pub fn last(&self, endpoint: &str, rare: bool) -> String {
        let (path, query) = endpoint.split_once('?').unwrap_or((endpoint, ""));
        let mut out = String::new();
        let mut from = path.find('/').map_or(path.len(), |at| at + 1);
        out.push_str(&path[..from.min(path.len())]);
        while from <= path.len() {
            let end = path[from..].find('/').map_or(path.len(), |n| from + n);
            let segment = &path[from..end];
            // What stood below a folded prefix is looked up as it was seen.
            let many = self
                .seen
                .get(&path[..from])
                .is_some_and(|s| s.len() > MOST_VALUES);
            match many && !segment.is_empty() {
                true => {
                    out.push_str("{id}");
                    out.push_str(&segment[stem(segment).len()..]);
                }
                false => out.push_str(segment),
            }
            if end < path.len() {
                out.push('/');
            }
            from = end + 1;
        }
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| {
                let key = pair.split_once('=').map_or(*pair, |(k, _)| k);
                let values = self.query.get(&format!("{path}?{key}"));
                !pair.is_empty() && values.is_some_and(|v| v.len() <= MOST_QUERY_VALUES)
            })
            .collect();
        if !rare && !kept.is_empty() {
            out.push('?');
            out.push_str(&kept.join("&"));
        }
        out
    }
}

fn note(map: &mut FxHashMap<String, FxHashSet<String>>, key: &str, value: &str, most: usize) {
    if let Some(values) = map.get_mut(key) {
        if values.len() <= most && !values.contains(value) {
            values.insert(value.to_owned());
        }
    } else if map.len() < MOST_PREFIXES {
        map.insert(key.to_owned(), FxHashSet::from_iter([value.to_owned()]));
    }
}

/// A segment without its ending.
fn stem(segment: &str) -> &str {
    match segment.rsplit_once('.') {
        Some((s, e))
            if (1..=5).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            s
        }
        _ => segment,
    }
}

/// The family of an endpoint: without method, ending, last slash and query.
pub(super) fn family(endpoint: &str) -> String {
    let path = endpoint.split_once(' ').map_or(endpoint, |(_, p)| p);
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    match path.rfind('/') {
        Some(at) => format!("{}{}", &path[..=at], stem(&path[at + 1..])),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_fold_and_words_stay() {
        for (target, want) in [
            ("/publisher/6313/export/", "GET /publisher/{id}/export/"),
            (
                "/publisher/6375/export.xml",
                "GET /publisher/{id}/export.xml",
            ),
            ("/project?format=csv&page=7", "GET /project?format=csv"),
            ("/a/0b5e7a3c-1111-2222-3333-444455556666", "GET /a/{id}"),
            ("/a/deadbeef01", "GET /a/{id}"),
            ("/v1/users", "GET /v1/users"),
            ("https://example.com:443/x/1", "GET /x/{id}"),
            ("/", "GET /"),
            ("*", "GET *"),
        ] {
            assert_eq!(first(b"GET", target.as_bytes()), want);
        }
        assert_eq!(first(b"HEAD", b"/x"), "GET /x");
        assert_eq!(
            family("GET /publisher/{id}/export/"),
            family("GET /publisher/{id}/export.xml")
        );
    }

    #[test]
    fn what_varies_below_a_prefix_is_an_identifier() {
        let mut folder = Folder::default();
        let names: Vec<String> = (0..40)
            .map(|i| format!("{}{}", (b'a' + i / 26) as char, (b'a' + i % 26) as char))
            .collect();
        for n in &names {
            folder.watch(&first(b"GET", format!("/users/{n}/posts").as_bytes()));
        }
        folder.watch("GET /health");
        assert_eq!(
            folder.last("GET /users/aa/posts", false),
            "GET /users/{id}/posts"
        );
        assert_eq!(folder.last("GET /health", false), "GET /health");
    }
}
