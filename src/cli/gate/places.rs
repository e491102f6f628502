//! Where the frames of captures stand in the repository.

use crate::cli::config;
use crate::model::FrameId;
use crate::report::{Keys, Report};
use crate::verdict::{Gate, Offender};
use std::collections::BTreeMap;
use std::path::Path;

/// The files of the sites that are named, as the captures call them, to their paths in the
/// repository.
pub(super) fn files(report: &Report<'_>, gate: &Gate) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let Some(root) = config::repository(Path::new(".")) else {
        return out;
    };
    let Keys::Stacks(stacks) = &report.keys else {
        return out;
    };
    let broken = gate.outcomes.iter().flat_map(|o| &o.offenders);
    let broken = broken.flat_map(|o| match o {
        Offender::Rows(rows, _) => rows.as_slice(),
        Offender::Named(_) => &[],
    });
    let hidden = gate.hidden.iter().flat_map(|h| &h.rows);
    let found = report.findings.iter().flat_map(|f| &f.rows);
    for &row in broken.chain(hidden).chain(found) {
        let frames: Vec<FrameId> = report.symbols.stacks.frames(stacks[row as usize]).collect();
        for frame in frames {
            let raw = report
                .symbols
                .strings
                .get(report.symbols.frames.get(frame).file);
            if raw.is_empty() || out.contains_key(raw) {
                continue;
            }
            let shown = report.names.file(raw);
            let found = in_repository(&root, &shown).or_else(|| in_repository(&root, raw));
            out.insert(raw.to_owned(), found.unwrap_or_default());
        }
    }
    out.retain(|_, found| !found.is_empty());
    out
}

/// The path of a file in the repository: the longest end of `path` that exists there. Of an
/// absolute path from elsewhere two parts have to fit, lest any `main.c` does.
fn in_repository(root: &Path, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
    let own = Path::new(&path).strip_prefix(root).ok();
    if let Some(own) = own.filter(|p| root.join(p).is_file()) {
        return Some(own.display().to_string().replace('\\', "/"));
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    if parts.contains(&"..") {
        return None;
    }
    let fewest = if absolute { 2 } else { 1 };
    for from in 0..parts.len().saturating_sub(fewest - 1) {
        let end = parts[from..].join("/");
        if root.join(&end).is_file() {
            return Some(end);
        }
    }
    None
}
