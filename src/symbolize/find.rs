//! Which local files may hold a module of a capture, and the debug information of a file.

use std::path::{Component, Path, PathBuf};

/// Where global debug files lie below a root.
const DEBUG: &str = "usr/lib/debug";

/// The files below `root` that may be the module at `path`, the likeliest first. A root that is
/// itself a file stands for the module of its name.
pub(super) fn programs(root: &Path, path: &str, build: &str) -> Vec<PathBuf> {
    let inside = relative(path);
    let Some(name) = inside.file_name() else {
        return Vec::new();
    };
    if root.is_file() {
        let same = !build.is_empty() || root.file_name() == Some(name);
        return if same {
            vec![root.to_owned()]
        } else {
            Vec::new()
        };
    }
    let mut found = vec![root.join(&inside)];
    if inside.as_path() != Path::new(name) {
        found.push(root.join(name));
    }
    found.extend(by_build(root, build));
    found
}

/// The files below `root` that are kept by their build id.
pub(super) fn by_build(root: &Path, build: &str) -> Vec<PathBuf> {
    // Two digits are the folder; what is no build id is no path either.
    let plain = build.len() > 2 && build.bytes().all(|b| b.is_ascii_hexdigit());
    if !plain {
        return Vec::new();
    }
    let build = build.to_ascii_lowercase();
    let kept = |folder: PathBuf| {
        folder
            .join(".build-id")
            .join(&build[..2])
            .join(format!("{}.debug", &build[2..]))
    };
    vec![kept(root.to_owned()), kept(root.join(DEBUG))]
}

/// The files that a debug link of `program` may mean: beside it, in `.debug`, or below `root`.
pub(super) fn by_link(root: &Path, program: &Path, link: &str) -> Vec<PathBuf> {
    let name = relative(link);
    let (Some(name), Some(folder)) = (name.file_name(), program.parent()) else {
        return Vec::new();
    };
    let mut found = vec![folder.join(name), folder.join(".debug").join(name)];
    if !root.is_file() {
        let below = folder.strip_prefix(root).unwrap_or(folder);
        let below = relative(&below.to_string_lossy());
        found.push(root.join(DEBUG).join(below).join(name));
        found.push(root.join(name));
    }
    found.retain(|p| p != program);
    found
}

/// The file that an alternative debug link means: a path, absolute or seen from `program`.
pub(super) fn by_alternative(root: &Path, program: &Path, link: &str, build: &str) -> Vec<PathBuf> {
    let mut found = by_build(root, build);
    match (Path::new(link).is_absolute(), program.parent()) {
        (true, _) => found.push(root.join(relative(link))),
        (false, Some(folder)) => found.push(folder.join(link)),
        (false, None) => {}
    }
    found
}

/// A path without its root and without steps upwards.
fn relative(path: &str) -> PathBuf {
    Path::new(path)
        .components()
        .filter(|c| matches!(c, Component::Normal(_)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_stands_for_the_machine_of_the_capture() {
        let show = |paths: Vec<PathBuf>| -> Vec<String> {
            paths.iter().map(|p| p.display().to_string()).collect()
        };
        assert_eq!(
            show(programs(Path::new("/sys"), "/opt/app/srv", "AB12")),
            [
                "/sys/opt/app/srv",
                "/sys/srv",
                "/sys/.build-id/ab/12.debug",
                "/sys/usr/lib/debug/.build-id/ab/12.debug"
            ]
        );
        assert_eq!(show(programs(Path::new("/"), "../x", "")), ["/x"]);
        assert_eq!(
            show(programs(Path::new("/d"), "/a/../../b", "../..")),
            ["/d/a/b", "/d/b"]
        );
        assert!(programs(Path::new("/"), "", "").is_empty());
        assert_eq!(
            show(by_link(Path::new("/"), Path::new("/opt/srv"), "srv.debug")),
            [
                "/opt/srv.debug",
                "/opt/.debug/srv.debug",
                "/usr/lib/debug/opt/srv.debug",
                "/srv.debug"
            ]
        );
    }
}
