//! Colours for people who see them differently: growth is warm, shrinking cool, both far apart in
//! lightness and for every common kind of colour blindness (after Okabe and Ito, 2008). Signs and
//! words say the same, so nothing is told by colour alone.

use super::tree::FlameNode;

/// What a box's colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Unchanged, or inside the noise.
    Quiet,
    /// Net growth.
    Grew,
    /// Not there before.
    New,
    /// Net shrinking.
    Shrank,
    /// Not there after.
    Gone,
    /// Changed, and net zero.
    Moved,
}

impl Tone {
    /// The tone of a frame with its subtree.
    pub fn of(node: &FlameNode) -> Tone {
        let t = &node.total;
        match t.delta() {
            _ if !node.loud => Tone::Quiet,
            d if d > 0 && t.before == 0 => Tone::New,
            d if d > 0 => Tone::Grew,
            d if d < 0 && t.after == 0 => Tone::Gone,
            d if d < 0 => Tone::Shrank,
            _ if t.churn() > 0 => Tone::Moved,
            _ => Tone::Quiet,
        }
    }

    /// The class in styles and scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Tone::Quiet => "quiet",
            Tone::Grew => "grew",
            Tone::New => "new",
            Tone::Shrank => "shrank",
            Tone::Gone => "gone",
            Tone::Moved => "moved",
        }
    }
}
