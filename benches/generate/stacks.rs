//! Stacks as programs have them: most lie on a few hot paths, all share frames.

/// Distinct frames of all stacks together.
pub const FRAMES: u32 = 62_000;

/// A small generator of numbers (splitmix64), so that every run writes the same bytes.
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Stack number `i` of `side`, root first: 10 to 60 frames. Every frame calls a few others, the
/// first of them far more often than the rest.
pub fn stack(i: u64, side: u64, out: &mut Vec<u32>) {
    let differs = mix(i).is_multiple_of(20);
    let mut numbers = Numbers(mix(i ^ if differs { side << 40 } else { 0 }));
    let depth = 10 + numbers.next() % 51;
    out.clear();
    let mut frame = 0u64;
    for level in 0..depth {
        out.push(frame as u32);
        let draw = numbers.next();
        let callee = match draw % 16 {
            0..=13 => 0,
            14 => 1,
            _ => 2 + draw / 16 % 6,
        };
        frame = mix(frame << 8 | callee | (level / 8) << 40) % FRAMES as u64;
    }
}

/// Values of a stack on a side: bytes and blocks in all, bytes and blocks at the end.
pub fn values(i: u64, side: u64) -> [i64; 4] {
    let n = mix(i ^ 0xabcd);
    let blocks = 1 + (n >> 8) % 200;
    let size = 16 << (n % 8);
    let live = blocks / 2 + (side * (n >> 20) % 3);
    [blocks * size, blocks, live * size, live].map(|v| v as i64)
}

/// The name of a frame.
pub fn name(frame: u32) -> String {
    let part = mix(frame as u64);
    format!(
        "service{}::module{}::function_{frame}",
        part % 17,
        part % 301
    )
}
