//! What the scripts of `heapdiff capture` write about a dump, whatever runtime made it.

use crate::model::GraphMeta;
use serde_json::Value;

/// The runs and other counts, the label, the process and the version of what ran.
pub(super) fn facts(meta: &mut GraphMeta, value: &Value) {
    for (key, driver) in [("run", "runs"), ("items", "items")] {
        if let Some(n) = value[key].as_f64().filter(|n| *n >= 0.0) {
            meta.drivers.push((driver.into(), n));
        }
    }
    meta.label = text(value, "label");
    meta.pid = value["pid"].as_u64();
    meta.runtime_version = text(value, "runtime_version").unwrap_or_default();
}

/// A text of such a script.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}
