//! The comparison as JSON: one document, or one line a site.
//!
//! Written as a stream: of a million sites one at a time is in memory. The document has a line
//! for every key, and one for every capture, site and finding, so that tools that work by lines
//! can handle it.

mod document;
mod gate;
mod lines;
mod site;
mod wire;

pub(super) use document::Rows;
pub(super) use gate::WireGate;

use super::unwritable;
use crate::error::Result;
use crate::report::Report;
use serde::Serialize;
use std::io::Write;

/// The name and version of the document.
pub const SCHEMA: &str = "heapdiff.compare/1";

/// What the gate says, as it stands in the document; null where no gate judged.
pub(super) fn gate(report: &Report<'_>) -> serde_json::Value {
    let gate = report.gate.as_ref();
    let wire = gate.map(|g| gate::WireGate::new(super::gate::Judged::Sites(report), g));
    serde_json::to_value(wire).unwrap_or_default()
}

/// Writes the document. `limit`: number of sites, all when none or 0; the others are summed up.
///
/// Errors: `out` cannot be written to.
pub fn write(report: &Report<'_>, limit: Option<usize>, out: &mut dyn Write) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    let mut json = serde_json::Serializer::with_formatter(&mut out, lines::Lines::default());
    document::Document::new(report, super::shown(report, limit))
        .serialize(&mut json)
        .map_err(|e| unwritable(e.into()))?;
    out.write_all(b"\n").map_err(unwritable)?;
    out.flush().map_err(unwritable)
}

/// Writes one line for each site: the objects of the document's `sites`, in the same order.
///
/// Errors: `out` cannot be written to.
pub fn write_lines(report: &Report<'_>, limit: Option<usize>, out: &mut dyn Write) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    let metrics = wire::metrics(report);
    for &row in &report.order[..super::shown(report, limit)] {
        let site = site::Site::new(report, &metrics, row as usize);
        serde_json::to_writer(&mut out, &site).map_err(|e| unwritable(e.into()))?;
        out.write_all(b"\n").map_err(unwritable)?;
    }
    out.flush().map_err(unwritable)
}
