//! Files that hold sums instead of events (`memray run --aggregate`).

use super::events::{Names, Record, line, unknown};
use super::header::Header;
use super::replay::ARENA_SIZES;
use super::stream::Stream;
use crate::error::{Error, Result};
use crate::format::tree::{ROOT, Tree};
use crate::model::{Frame, FrameId, Metric, Profile, ProfileBuilder, Symbols};
use rustc_hash::FxHashMap;

/// A frame named before the function that it is of.
#[derive(Debug, Clone, Copy)]
enum Place {
    Instruction(u64, i64),
    Known(FrameId),
}

/// Position in the file's own tree, whether it is of the main thread, native stack, and the
/// modules of its time, whether it is of arenas.
type Key = (u64, bool, u64, u64, bool);

/// Sums by position in the file's own tree, and that tree.
#[derive(Debug, Default)]
pub struct Sums {
    names: Names,
    frames: FxHashMap<u64, Place>,
    /// Frame and parent of each node; node numbers count from 1.
    nodes: Vec<(u64, u32)>,
    /// Peak bytes and blocks, live bytes and blocks.
    sums: FxHashMap<Key, [i64; 4]>,
    /// Time of the highest heap seen by memray's own sampling, and that heap.
    peak: Option<(u64, u64)>,
    last_ms: u64,
}

impl Sums {
    /// Reads one record.
    pub fn next(
        &mut self,
        s: &mut Stream<'_>,
        h: &Header,
        symbols: &mut Symbols,
    ) -> Result<Record> {
        let Some(t) = s.next()? else {
            return Ok(Record::End);
        };
        let new = h.version >= 12;
        match t {
            0 => return Ok(Record::Filler),
            1 => {
                let (ms, _rss, heap) = (s.u64()?, s.u64()?, s.u64()?);
                self.last_ms = self.last_ms.max(ms);
                if self.peak.is_none_or(|(_, most)| heap > most) {
                    self.peak = Some((ms, heap));
                }
            }
            2 => {
                let thread = s.u64()?;
                // The allocator in one byte and seven of padding, whose content is undefined.
                let allocator = s.array::<8>()?[0];
                let native = s.u64()?;
                let node = s.u64()?;
                let generation = s.u64()?;
                let mut values = [0i64; 4];
                // Written as: blocks at the peak, blocks at the end, bytes at both.
                for i in [1, 3, 0, 2] {
                    let value = i64::try_from(s.u64()?).ok().filter(|v| *v < 1 << 56);
                    values[i] = value.ok_or_else(|| {
                        Error::damaged(s.offset() - 8, "a sum of more than 2^56 bytes or blocks")
                    })?;
                }
                let native = if h.native { native } else { 0 };
                let mapped = allocator == if new { 14 } else { 10 };
                let whole = [values[0], values[2]].map(|v| v % ARENA_SIZES[0] as i64) == [0, 0];
                let arena = mapped && whole && h.has_arenas();
                let key = (node, thread == h.main_thread, native, generation, arena);
                let sums = self.sums.entry(key).or_insert([0; 4]);
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = sum.saturating_add(value);
                }
            }
            3 => {
                let (frame, parent) = if new {
                    (s.varint()?, s.varint()?)
                } else {
                    (s.u64()?, s.u32()? as u64)
                };
                // Parents come first, so the tree has no cycles.
                if parent > self.nodes.len() as u64 {
                    return Err(unknown("calling frame", parent));
                }
                self.nodes.push((frame, parent as u32));
            }
            4 if new => {
                let (id, code, offset) = (s.varint()?, s.varint()?, s.signed()?);
                s.byte()?;
                self.frames.insert(id, Place::Instruction(code, offset));
            }
            4 => {
                let id = s.u64()?;
                let function = symbols.strings.intern_bytes(s.text()?);
                let file = symbols.strings.intern_bytes(s.text()?);
                let line = line(s.u32()? as u64);
                s.byte()?;
                let frame = symbols.frames.intern(Frame {
                    file,
                    line,
                    ..Frame::named(function)
                });
                self.frames.insert(id, Place::Known(frame));
            }
            5..=8 => self.names.segment(s, t, symbols)?,
            10 => {
                s.text()?;
            }
            12 => {
                s.u64()?;
            }
            13 => {
                s.varint()?;
                if h.native {
                    s.varint()?;
                }
            }
            14 if new => self.names.code(s, h, symbols)?,
            15 => return Ok(Record::Trailer),
            _ => return Err(unknown("record", t)),
        }
        Ok(Record::Some)
    }

    /// Whether there is anything to show.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Seconds from the start to the highest heap that was seen, and to the end.
    pub fn seconds(&self) -> (Option<f64>, f64) {
        let peak = self.peak.map(|(ms, _)| ms as f64 / 1e3);
        (peak, self.last_ms as f64 / 1e3)
    }

    /// The capture, without what the header says.
    pub fn profile(
        &mut self,
        h: &Header,
        symbols: &mut Symbols,
        bytes_read: u64,
    ) -> Result<(Profile, Tree)> {
        let metrics = ["live_bytes", "live_blocks", "peak_bytes", "peak_blocks"];
        let mut builder = ProfileBuilder::new(metrics.map(Metric::known).to_vec());
        let mut tree = Tree::new();
        // Ours for each node of the file: with all frames, and with memray's own left out.
        let mut whole: Vec<u32> = vec![ROOT];
        let mut shown: Vec<(u32, u32)> = vec![(ROOT, 0)];
        for i in 0..self.nodes.len() {
            let (frame, parent) = self.nodes[i];
            let frame = match self.frames.get(&frame).copied() {
                Some(Place::Known(id)) => id,
                Some(Place::Instruction(code, offset)) => self
                    .names
                    .frame(code, offset, h, symbols)
                    .ok_or_else(|| unknown("function", code))?,
                None => return Err(unknown("frame", frame)),
            };
            let parent = parent as usize;
            whole.push(tree.child(whole[parent], frame));
            let (above, depth) = shown[parent];
            let node = if (depth as u64) < h.skipped {
                ROOT
            } else {
                tree.child(above, frame)
            };
            shown.push((node, depth.saturating_add(1)));
        }
        let mut rows: Vec<(&Key, &[i64; 4])> = self.sums.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| **key);
        let arena_frame = super::arena(symbols);
        let mut scratch = Vec::new();
        let mut native_frames = Vec::new();
        for (&(node, main, native, generation, arena), &[peak_bytes, peak_blocks, bytes, blocks]) in
            rows
        {
            let i = usize::try_from(node).unwrap_or(usize::MAX);
            let ours = if main {
                shown.get(i).map(|&(node, _)| node)
            } else {
                whole.get(i).copied()
            };
            let ours = ours.ok_or_else(|| unknown("stack", node))?;
            let natives = &mut self.names.natives;
            natives.frames(native, generation, symbols, &mut native_frames)?;
            let mut ours = tree.below(ours, &native_frames);
            if arena {
                ours = tree.child(ours, arena_frame);
            }
            let stack = tree.stack(ours, bytes_read, symbols, &mut scratch)?;
            builder.add(stack, &[bytes, blocks, peak_bytes, peak_blocks])?;
        }
        Ok((builder.finish(Default::default()), tree))
    }
}
