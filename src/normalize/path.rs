//! Paths of source files that survive a rebuild, another machine and another package version.

/// Prefixes that the user maps to one another (`--path-map A=B`), longest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathMap(Vec<(String, String)>);

impl PathMap {
    /// Takes `(from, to)` pairs in any order; a pair with an empty `from` is ignored. Separators
    /// may be slashes or backslashes; one at the end does not matter.
    pub fn new<A: AsRef<str>, B: AsRef<str>>(pairs: impl IntoIterator<Item = (A, B)>) -> PathMap {
        let clean = |text: &str| slashes(text).trim_end_matches('/').to_owned();
        let mut map: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(from, to)| (clean(from.as_ref()), clean(to.as_ref())))
            .filter(|(from, _)| !from.is_empty())
            .collect();
        map.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        map.dedup_by(|a, b| a.0 == b.0);
        PathMap(map)
    }

    /// Reads one `A=B` of the command line; `None` without an equals sign or without an `A`.
    pub fn parse_pair(text: &str) -> Option<(&str, &str)> {
        text.split_once('=').filter(|(from, _)| !from.is_empty())
    }

    /// A path as it is shown: as captured, unless a mapped prefix is replaced.
    pub(super) fn shown<'p>(&self, path: &'p str) -> std::borrow::Cow<'p, str> {
        match self.0.is_empty() {
            true => path.into(),
            false => self
                .apply(&slashes(path))
                .map_or(path.into(), |mapped| mapped.into()),
        }
    }

    /// The path with its longest mapped prefix replaced. A prefix ends at a separator.
    fn apply(&self, path: &str) -> Option<String> {
        self.0.iter().find_map(|(from, to)| {
            let rest = path.strip_prefix(from.as_str())?;
            match (rest.starts_with('/'), to.is_empty()) {
                (true, true) => Some(rest[1..].to_owned()),
                (true, false) => Some(format!("{to}{rest}")),
                (false, _) => rest.is_empty().then(|| to.clone()),
            }
        })
    }
}

pub(super) fn slashes(path: &str) -> String {
    if path.contains('\\') {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    }
}

/// Whether a producer wrote this where it knew no file.
pub(super) fn is_unknown(path: &str) -> bool {
    matches!(
        path,
        "" | "?" | "??" | "???" | "<unknown>" | "<null>" | "unknown"
    )
}

/// The path with separators unified and the user's map applied, nothing else. A query string and
/// `file://` go too: they are the address of a script, not its name.
pub(super) fn plain(path: &str, map: &PathMap) -> String {
    if is_unknown(path) {
        return String::new();
    }
    let mut path = slashes(path);
    if let Some(rest) = path.strip_prefix("file://") {
        path = rest.to_owned();
    }
    if let Some(at) = path.find(['?', '#'])
        && has_script_extension(&path[..at])
    {
        path.truncate(at);
    }
    if let Some(mapped) = map.apply(&path) {
        path = mapped;
    }
    let dots = path.len() - path.trim_start_matches("./").len();
    path.drain(..dots);
    path
}

/// Drops from a plain path what names a machine, a registry or a version. Linear in its length.
pub(super) fn portable(path: &str) -> String {
    let path = after_toolchain(path);
    let path = without_version(path);
    match path.rfind('/') {
        Some(at) => format!("{}/{}", &path[..at], script_name(&path[at + 1..])),
        None => script_name(&path).to_string(),
    }
}

/// `/rustc/<hash>/library/core/src/..` and the sources of an installed toolchain become
/// `core/src/..`; those of a Go toolchain or workspace start behind `src/`.
fn after_toolchain(path: &str) -> &str {
    if let Some(at) = path.find("/rustc/") {
        let rest = &path[at + 7..];
        let hash = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if hash >= 8 && rest[hash..].starts_with('/') {
            let rest = &rest[hash + 1..];
            return rest.strip_prefix("library/").unwrap_or(rest);
        }
    }
    if let Some(at) = path.find("/lib/rustlib/src/rust/library/") {
        return &path[at + 30..];
    }
    if path.ends_with(".go") || path.ends_with(".s") {
        // `/usr/local/go/src/`, `/usr/lib/go-1.19/src/`, `/home/me/go/src/`.
        for (at, _) in path.match_indices("/src/") {
            let parent = &path[..at];
            let name = &parent[parent.rfind('/').map_or(0, |slash| slash + 1)..];
            let version = name
                .strip_prefix("go")
                .unwrap_or("x")
                .trim_start_matches('-');
            if version
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            {
                return &path[at + 5..];
            }
        }
    }
    path
}

/// Drops the directory of a package registry up to the package, and the package's version.
fn without_version(path: &str) -> String {
    if let Some(at) = path.find("registry/src/")
        && let Some((_, rest)) = path[at + 13..].split_once('/')
    {
        return drop_head_version(rest);
    }
    if let Some(at) = path.find("/git/checkouts/") {
        let mut parts = path[at + 15..].splitn(3, '/');
        if let (Some(name), Some(_), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
            let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
            return format!("{name}/{rest}");
        }
    }
    if let Some(at) = path.find("/pkg/mod/") {
        return drop_at_version(&path[at + 9..]);
    }
    if path.ends_with(".go") {
        return drop_at_version(path);
    }
    for packages in ["site-packages/", "dist-packages/"] {
        if let Some(at) = find_component(path, packages) {
            return path[at..].to_owned();
        }
    }
    if let Some(rest) = python_library(path) {
        return format!("python/{rest}");
    }
    if let Some(at) = path.rfind("/gems/")
        && let Some((package, _)) = path[at + 6..].split_once('/')
        && package_of(package).is_some()
    {
        return drop_head_version(&path[at + 6..]);
    }
    drop_head_version(path)
}

/// Where `component` (with its `/`) starts in `path` as a whole component, the last time.
fn find_component(path: &str, component: &str) -> Option<usize> {
    path.rmatch_indices(component)
        .map(|(at, _)| at)
        .find(|&at| at == 0 || path.as_bytes()[at - 1] == b'/')
}

/// What follows `lib/python3.11/` (also `lib64`, `pypy3.9`, a zip, or `Python311/Lib/`).
pub(super) fn python_library(path: &str) -> Option<&str> {
    for lib in ["lib/", "lib64/", "Lib/"] {
        for (at, _) in path.match_indices(lib) {
            if at > 0 && path.as_bytes()[at - 1] != b'/' {
                continue;
            }
            let rest = &path[at + lib.len()..];
            if lib == "Lib/" {
                let parent = path[..at].trim_end_matches('/');
                let name = parent.rsplit('/').next().unwrap_or(parent);
                if name.to_ascii_lowercase().starts_with("python") {
                    return Some(rest);
                }
                continue;
            }
            let Some((name, rest)) = rest.split_once('/') else {
                continue;
            };
            let version = name
                .strip_prefix("python")
                .or_else(|| name.strip_prefix("pypy"))
                .map(|version| version.strip_suffix(".zip").unwrap_or(version));
            if version.is_some_and(|version| {
                !version.is_empty()
                    && version
                        .bytes()
                        .all(|b| b.is_ascii_digit() || b == b'.' || b == b't')
            }) {
                return Some(rest);
            }
        }
    }
    None
}

/// `name-1.2.3/rest` to `name/rest`.
fn drop_head_version(path: &str) -> String {
    match path.split_once('/') {
        Some((head, rest)) => match package_of(head) {
            Some(name) => format!("{name}/{rest}"),
            None => path.to_owned(),
        },
        None => path.to_owned(),
    }
}

/// The package's name if `directory` is `name-1.2.3`, also with a pre-release.
pub(super) fn package_of(directory: &str) -> Option<&str> {
    let mut search = 0;
    while let Some(dash) = directory[search..].find('-') {
        let at = search + dash;
        let version = &directory[at + 1..];
        let major = version.bytes().take_while(u8::is_ascii_digit).count();
        let minor = version
            .as_bytes()
            .get(major + 1)
            .is_some_and(u8::is_ascii_digit);
        if at > 0 && major > 0 && version.as_bytes()[major..].starts_with(b".") && minor {
            return Some(&directory[..at]);
        }
        search = at + 1;
    }
    None
}

/// `mod@v1.2.3/z.go` to `mod/z.go`.
fn drop_at_version(path: &str) -> String {
    if let Some(at) = path.find("@v") {
        let rest = &path[at..];
        if let Some(slash) = rest.find('/')
            && rest.as_bytes().get(2).is_some_and(u8::is_ascii_digit)
        {
            return format!("{}{}", &path[..at], &rest[slash..]);
        }
    }
    path.to_owned()
}

const SCRIPTS: [&str; 4] = [".js", ".mjs", ".cjs", ".css"];

fn has_script_extension(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [
        ".js", ".mjs", ".cjs", ".css", ".ts", ".mts", ".tsx", ".jsx", ".vue", ".svelte",
    ]
    .iter()
    .any(|extension| name.ends_with(extension))
}

/// The name of a bundled script without its content hash; other names as they are.
fn script_name(name: &str) -> String {
    let Some(extension) = SCRIPTS.iter().find(|extension| name.ends_with(**extension)) else {
        return name.to_owned();
    };
    let mut stem = &name[..name.len() - extension.len()];
    let full = stem;
    while let Some(shorter) = [".chunk", ".min", ".bundle"]
        .iter()
        .find_map(|part| stem.strip_suffix(part))
    {
        stem = shorter;
    }
    let tail = &full[stem.len()..];
    let short = match hash_start(stem) {
        Some(at) => &stem[..at],
        None => stem,
    };
    format!("{short}{tail}{extension}")
}

/// Where the separator and hash at the end of a script's stem start.
fn hash_start(stem: &str) -> Option<usize> {
    let bytes = stem.as_bytes();
    let separator = |byte: u8| matches!(byte, b'-' | b'.' | b'_');
    if let Some(at) = bytes.len().checked_sub(9).filter(|&at| at > 0)
        && separator(bytes[at])
    {
        let hash = &bytes[at + 1..];
        let whole = hash
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if whole
            && hash
                .iter()
                .any(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            return Some(at);
        }
    }
    let at = stem.rfind(['-', '.', '_']).filter(|&at| at > 0)?;
    let hash = &bytes[at + 1..];
    let hex = (8..=40).contains(&hash.len()) && hash.iter().all(u8::is_ascii_hexdigit);
    (hex && hash.iter().any(u8::is_ascii_digit)).then_some(at)
}

/// The last component of a path.
pub(super) fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}
