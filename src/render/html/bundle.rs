//! The page's script: modules that are real files, put together into one without a build tool.

use std::fmt::Write;

/// The modules in the order of their use; a module imports only those before it.
const MODULES: &[(&str, &str)] = &[
    ("format", include_str!("page/format.js")),
    ("dom", include_str!("page/dom.js")),
    ("tree", include_str!("page/tree.js")),
    ("plot", include_str!("page/plot.js")),
    ("flame", include_str!("page/flame.js")),
    ("grid", include_str!("page/grid.js")),
    ("table", include_str!("page/table.js")),
    ("types", include_str!("page/types.js")),
    ("cycles", include_str!("page/cycles.js")),
    ("treemap", include_str!("page/treemap.js")),
    ("span", include_str!("page/span.js")),
    ("timeline", include_str!("page/timeline.js")),
    ("site", include_str!("page/site.js")),
    ("accept", include_str!("page/accept.js")),
    ("app", include_str!("page/app.js")),
];

/// The page's styles.
pub(super) const STYLE: &str = include_str!("page/page.css");

/// One script: each module a function that returns what it exports, and at the end the start.
pub(super) fn script() -> String {
    let mut out = String::from("\"use strict\";\n");
    for (name, text) in MODULES {
        let _ = writeln!(out, "const module_{name} = (() => {{");
        let mut exports = Vec::new();
        for line in text.lines() {
            if let Some((names, from)) = imported(line) {
                let _ = writeln!(out, "const {{ {names} }} = module_{from};");
            } else if let Some(rest) = line.strip_prefix("export ") {
                exports.extend(defined(rest));
                let _ = writeln!(out, "{rest}");
            } else if !line.trim_start().starts_with("//") {
                let _ = writeln!(out, "{line}");
            }
        }
        let _ = writeln!(out, "return {{ {} }};\n}})();", exports.join(", "));
    }
    out.push_str("module_app.start();\n");
    out
}

/// The names and the module of a line `import { a, b } from "./c.js";`.
fn imported(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("import {")?;
    let (names, from) = rest.split_once("} from \"./")?;
    Some((names.trim(), from.strip_suffix(".js\";")?))
}

/// The name that a declaration defines.
fn defined(declaration: &str) -> Option<&str> {
    let rest = declaration.strip_prefix("async ").unwrap_or(declaration);
    let rest = rest
        .strip_prefix("function ")
        .or_else(|| rest.strip_prefix("const "))?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_use_only_those_before_them() {
        let mut known = Vec::new();
        for (name, text) in MODULES {
            for line in text.lines().filter(|l| l.starts_with("import")) {
                let (names, from) = imported(line).expect("an import on one line");
                let exports: &Vec<&str> = known
                    .iter()
                    .find(|(n, _)| *n == from)
                    .map(|(_, e)| e)
                    .unwrap_or_else(|| panic!("{name} uses {from}, which comes later"));
                for wanted in names.split(',').map(str::trim) {
                    assert!(exports.contains(&wanted), "{from} exports no {wanted}");
                }
            }
            let exports = text
                .lines()
                .filter_map(|l| l.strip_prefix("export "))
                .filter_map(defined);
            known.push((*name, exports.collect::<Vec<_>>()));
        }
    }
}
