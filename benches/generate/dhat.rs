//! Pairs of DHAT files, in the layout of the dhat crate.

use std::io::Write;

/// How a file is made. Equal numbers give equal bytes.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Program points.
    pub points: u64,
    /// Distinct frames.
    pub frames: u64,
    /// Of the second side, one point in so many has grown.
    pub differs: u64,
}

impl Shape {
    /// The frames of a large program for many points, those of a small one for few.
    pub fn of(points: u64) -> Shape {
        Shape {
            points,
            frames: if points >= 200_000 { 62_000 } else { 5_000 },
            differs: 20,
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Numbers that look random (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % end
    }
}

/// Stacks that later ones begin like.
const TRUNKS: usize = 2000;

/// Writes one side, 0 or 1. Both hold the same stacks in the same order, 10 to 60 frames each,
/// seven in ten of them with the callers of another; the second was loaded elsewhere, lists its
/// frames in another order, and some of its points have grown.
pub fn write(shape: Shape, side: u64, out: &mut dyn Write) -> std::io::Result<()> {
    out.write_all(
        b"{\"dhatFileVersion\":2\n,\"mode\":\"rust-heap\",\"verb\":\"Allocated\"\n\
          ,\"bklt\":true,\"bkacc\":false\n,\"tu\":\"us\",\"Mtu\":\"s\",\"tuth\":10\n\
          ,\"cmd\":\"service\",\"pid\":1\n,\"tg\":5,\"te\":9\n,\"pps\":\n [",
    )?;
    // Entry 0 is the root; the others are turned by a part of the table on the second side.
    let turn = side * shape.frames / 3;
    let entry = |frame: u64| 1 + (frame + turn) % shape.frames;
    let mut numbers = Numbers(1);
    let mut trunks: Vec<Vec<u64>> = Vec::new();
    let mut text = String::new();
    for point in 0..shape.points {
        let depth = 10 + numbers.below(51) as usize;
        let mut stack = Vec::with_capacity(depth);
        if !trunks.is_empty() && numbers.below(10) < 7 {
            let trunk = &trunks[numbers.below(trunks.len() as u64) as usize];
            let shared = numbers.below(trunk.len().min(depth) as u64) as usize;
            stack.extend_from_slice(&trunk[..shared]);
        }
        stack.resize_with(depth, || numbers.below(shape.frames));
        let mut live = numbers.below(100_000);
        let mut total = live * (1 + numbers.below(49));
        if numbers.below(shape.differs) == 0 && side == 1 {
            let more = 16 * (1 + mix(point) % 4096);
            (live, total) = (live + more, total + 2 * more);
        }
        text.clear();
        if point > 0 {
            text.push(',');
        }
        let (blocks, total_blocks) = (live / 64, total / 64 + 1);
        text.push_str(&format!(
            "{{\"tb\":{total},\"tbk\":{total_blocks},\"tl\":{}\n  ,\"mb\":{live},\"mbk\":{blocks}\n  \
             ,\"gb\":{live},\"gbk\":{blocks}\n  ,\"eb\":{live},\"ebk\":{blocks}\n  ,\"fs\":[",
            total * 7
        ));
        for frame in stack.iter().rev() {
            text.push_str(&entry(*frame).to_string());
            text.push(',');
        }
        text.pop();
        text.push_str("]\n  }\n");
        out.write_all(text.as_bytes())?;
        if trunks.len() < TRUNKS {
            trunks.push(stack);
        }
    }
    out.write_all(b" ]\n,\"ftbl\":\n [\"[root]\"\n")?;
    let base = [0x55d0_c000_0000u64, 0x7f12_0000_0000][side as usize & 1];
    for at in 0..shape.frames {
        let i = (at + shape.frames - turn) % shape.frames;
        let (line, column) = (1 + mix(i) % 2000, 1 + mix(i) / 2000 % 80);
        writeln!(
            out,
            " ,\"{:#x}: crate_{}::module_{m}::Type{}::function_{i} (src/module_{m}.rs:{line}:{column})\"",
            base + i * 64,
            i % 97,
            i % 331,
            m = i % 1009,
        )?;
    }
    out.write_all(b" ]\n}\n")
}
