//! The objects of a graph by where they were allocated, for dumps with allocation traces.

use super::HeapGraph;
use crate::error::Result;
use crate::model::metric::Metric;
use crate::model::profile::{Exactness, Meta, Profile, ProfileBuilder};
use crate::model::stacks::StackId;
use rustc_hash::FxHashMap;

/// In the column of sites: no trace.
const NONE: u32 = u32::MAX;

impl HeapGraph {
    /// What is live by where it was allocated: `live_bytes`, objects' own, and `live_blocks`,
    /// objects, of each stack. Objects without a trace are at the empty stack, so that totals are
    /// those of the heap. None where the capture has no traces.
    ///
    /// Errors: more bytes than 64 bits hold. Cost: one pass over the objects, and some bytes for
    /// each stack.
    pub fn allocations(&self) -> Result<Option<Profile>> {
        if self.sites.is_empty() {
            return Ok(None);
        }
        let mut row_of: FxHashMap<u32, usize> = FxHashMap::default();
        let mut rows: Vec<(u32, u64, i64)> = Vec::new();
        for (node, &site) in self.sites.iter().enumerate() {
            let row = *row_of.entry(site).or_insert_with(|| {
                rows.push((site, 0, 0));
                rows.len() - 1
            });
            let size = self.size(node as u32);
            let row = &mut rows[row];
            row.1 = row.1.saturating_add(size);
            row.2 += 1;
        }
        let metrics = ["live_bytes", "live_blocks"].map(Metric::known).to_vec();
        let mut builder = ProfileBuilder::new(metrics);
        for (site, bytes, objects) in rows {
            let stack = match site {
                NONE => StackId::EMPTY,
                site => StackId(site),
            };
            builder.add(stack, &[i64::try_from(bytes).unwrap_or(i64::MAX), objects])?;
        }
        let meta = &self.meta;
        Ok(Some(builder.finish(Meta {
            format: meta.format,
            producer: meta.producer.clone(),
            command: meta.command.clone(),
            pid: meta.pid,
            drivers: meta.drivers.clone(),
            exactness: Exactness::Exact,
            salvaged: meta.salvaged.clone(),
            language: match meta.runtime.as_str() {
                "v8" | "node" => Some("js"),
                "jvm" | "art" => Some("java"),
                "cpython" | "python" => Some("python"),
                _ => None,
            },
            ..Meta::default()
        })))
    }
}
