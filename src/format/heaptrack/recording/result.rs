//! What a recording adds up to at one moment.

use super::{DEEPEST, FRAMES_A_BYTE, FRAMES_FREE, Recording, damaged};
use crate::error::{Code, Error, Result};
use crate::model::{
    Exactness, FrameId, Meta, Metric, Moment, Profile, ProfileBuilder, StackId, Symbols,
};

impl Recording {
    /// The capture of this moment. Cost: linear in distinct blocks and in new stacks.
    ///
    /// Errors: stacks that add up to far more frames than the recording has bytes.
    pub fn profile(&mut self, symbols: &mut Symbols, moment: Moment) -> Result<Profile> {
        let metrics = [
            "live_bytes",
            "live_blocks",
            "peak_bytes",
            "peak_blocks",
            "total_bytes",
            "total_blocks",
            "temporary_blocks",
        ];
        let mut builder = ProfileBuilder::new(metrics.map(Metric::known).to_vec());

        let mut scratch = Vec::new();
        for i in 0..self.blocks.len() {
            let block = self.blocks[i];
            if block.allocated == 0 && block.live == 0 {
                continue;
            }
            let at_peak = if block.epoch == self.peak_epoch {
                block.at_peak
            } else {
                block.live
            };
            let stack = self.stack(block.trace, symbols, &mut scratch)?;
            let size = block.size as i64;
            let times = |count: i64| {
                size.checked_mul(count)
                    .ok_or_else(|| damaged(self.bytes_read, "a size that exceeds 64 bits"))
            };
            let (live, peak) = (i64::from(block.live), i64::from(at_peak));
            let allocated = i64::from(block.allocated);
            builder.add(
                stack,
                &[
                    times(live)?,
                    live,
                    times(peak)?,
                    peak,
                    times(allocated)?,
                    allocated,
                    i64::from(block.temporary),
                ],
            )?;
        }
        Ok(builder.finish(self.meta(moment)))
    }

    fn stack(
        &mut self,
        trace: u32,
        symbols: &mut Symbols,
        scratch: &mut Vec<FrameId>,
    ) -> Result<StackId> {
        if let Some(&known) = self.stacks.get(&trace) {
            return Ok(known);
        }
        scratch.clear();
        let mut at = trace;
        while at != 0 {
            let Some(&(pointer, parent)) = self.traces.get(at as usize) else {
                break;
            };
            scratch.extend_from_slice(self.pointers.get(pointer));
            if scratch.len() >= DEEPEST {
                scratch.truncate(DEEPEST);
                self.cut_stacks += 1;
                break;
            }
            at = parent;
        }
        self.frames_made += scratch.len() as u64;
        if self.frames_made > FRAMES_FREE + FRAMES_A_BYTE * self.bytes_read {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("the stacks hold more than {} frames", self.frames_made),
            )
            .help("the file is damaged: capture it again"));
        }
        let stack = symbols.stacks.intern_leaf_first(scratch);
        self.stacks.insert(trace, stack);
        Ok(stack)
    }

    fn meta(&self, moment: Moment) -> Meta {
        let mut notes = Vec::new();
        let mut note = |n: u64, text: &str| {
            if n > 0 {
                notes.push(format!("{n} {text}"));
            }
        };
        note(self.unknown_records, "records of unknown kinds left out");
        note(self.unmatched_frees, "frees without an allocation");
        note(
            self.suppressions,
            "suppressions lie in the recording and are not applied: heaptrack_print leaves out what they match",
        );
        note(
            self.nameless,
            "addresses without a symbol, told apart by the last three digits of the address",
        );
        note(self.cut_stacks, "stacks cut to their innermost 1024 frames");
        if self.attached {
            notes.push(
                "heaptrack was attached to a running program: blocks from before are not counted"
                    .into(),
            );
        }
        if self.raw {
            notes.push("a raw recording: heaptrack looks up no names in it".into());
        }
        Meta {
            producer: self.producer.clone(),
            command: self.command.clone(),
            exactness: Exactness::Exact,
            moment: Some(moment),
            peak_moment: Some(Moment {
                label: "the peak".into(),
                seconds: Some(self.peak_millis as f64 / 1e3),
            }),
            notes,
            ..Meta::default()
        }
    }
}
