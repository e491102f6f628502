//! Directories, globs and sums: from what the user named to the files of each capture.

use super::spec::Spec;
use crate::error::{Code, Error, Result};
use std::cmp::Ordering;
use std::path::Path;

/// The files of one capture: one, or several that are added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Paths in natural order; `-` is standard input.
    pub paths: Vec<String>,
    /// The argument that named them, for its selection and drivers.
    pub spec: Spec,
    /// Whether the files were found in a directory or by a glob: files that are no captures are
    /// then left out instead of refused.
    pub found: bool,
}

/// What one argument stands for, in natural order: a file is itself, a directory its files, a
/// glob its matches, a sum one group.
///
/// Errors: nothing there, an empty directory, a glob that matches nothing.
pub fn expand(spec: &Spec) -> Result<Vec<Group>> {
    if spec.paths.len() > 1 {
        let mut paths = Vec::new();
        for path in &spec.paths {
            paths.extend(files(path)?.0);
        }
        return Ok(vec![Group {
            paths,
            spec: spec.clone(),
            found: false,
        }]);
    }
    let (paths, found) = match spec.paths.first() {
        Some(path) => files(path)?,
        None => (Vec::new(), false),
    };
    Ok(paths
        .into_iter()
        .map(|p| Group {
            paths: vec![p],
            spec: spec.clone(),
            found,
        })
        .collect())
}

/// The files that `path` stands for, and whether they were looked for.
fn files(path: &str) -> Result<(Vec<String>, bool)> {
    let on_disk = Path::new(path);
    if path == "-" || on_disk.is_file() {
        return Ok((vec![path.to_owned()], false));
    }
    if on_disk.is_dir() {
        return Ok((directory(path)?, true));
    }
    if path.contains(['*', '?', '[']) {
        return Ok((matches(path)?, true));
    }
    if on_disk.exists() {
        return Ok((vec![path.to_owned()], false));
    }
    Err(Error::new(Code::Unreadable, "no such file or directory")
        .in_file(path)
        .help("check the name; a number of runs is written PATH@800"))
}

fn directory(path: &str) -> Result<Vec<String>> {
    let unreadable = |e: std::io::Error| Error::io(Code::Unreadable, path, &e);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            names.push(entry.path().display().to_string());
        }
    }
    if names.is_empty() {
        return Err(Error::new(Code::Unreadable, "the directory holds no files")
            .in_file(path)
            .help("name a directory with captures"));
    }
    names.sort_by(|a, b| natural_order(a, b));
    Ok(names)
}

fn matches(pattern: &str) -> Result<Vec<String>> {
    let wrong = |e: glob::PatternError| {
        Error::usage(format!("{pattern:?} is no pattern ({})", e.msg))
            .help("quote names that hold * ? or [")
    };
    let mut names = Vec::new();
    for path in glob::glob(pattern).map_err(wrong)? {
        let path = path
            .map_err(|e| Error::io(Code::Unreadable, &e.path().display().to_string(), e.error()))?;
        if path.is_file() {
            names.push(path.display().to_string());
        }
    }
    if names.is_empty() {
        return Err(Error::new(Code::Unreadable, "no file matches this pattern")
            .in_file(pattern)
            .help("check the pattern"));
    }
    names.sort_by(|a, b| natural_order(a, b));
    Ok(names)
}

/// The order that people expect of names with numbers in them: `run-2` before `run-10`. Names
/// that differ in leading zeros only are ordered by text.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (x, y) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (0, 0);
    while i < x.len() && j < y.len() {
        if x[i].is_ascii_digit() && y[j].is_ascii_digit() {
            let (m, n) = (digits(&x[i..]), digits(&y[j..]));
            let (p, q) = (trim_zeros(&x[i..i + m]), trim_zeros(&y[j..j + n]));
            let order = p.len().cmp(&q.len()).then_with(|| p.cmp(q));
            if order != Ordering::Equal {
                return order;
            }
            i += m;
            j += n;
        } else if x[i] == y[j] {
            i += 1;
            j += 1;
        } else {
            return x[i].cmp(&y[j]);
        }
    }
    (x.len() - i).cmp(&(y.len() - j)).then_with(|| a.cmp(b))
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&b| b == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = vec![
            "run-10.json",
            "run-2.json",
            "run-002.json",
            "a",
            "run-1.json",
            "run",
        ];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            [
                "a",
                "run",
                "run-1.json",
                "run-002.json",
                "run-2.json",
                "run-10.json"
            ]
        );
    }
}
