//! Folded stacks.

use super::stacks::{FRAMES, name, stack, values};
use std::io::Write;

/// Writes `count` stacks of `side`.
pub fn write(count: u64, side: u64, out: &mut dyn Write) -> std::io::Result<()> {
    let names: Vec<String> = (0..FRAMES).map(name).collect();
    let mut frames = Vec::new();
    let mut line = String::new();
    for i in 0..count {
        stack(i, side, &mut frames);
        line.clear();
        for &f in &frames {
            line.push_str(&names[f as usize]);
            line.push(';');
        }
        line.pop();
        line.push_str(&format!(" {}\n", values(i, side)[2]));
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}
