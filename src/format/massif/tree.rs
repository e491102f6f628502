//! The tree of one snapshot: allocating functions first, their callers below them.

use super::super::lines::{Lines, decimal};
use super::super::native;
use crate::error::{Error, Result};
use crate::model::{Frame, FrameId, StackId, StrId, Symbols};

/// The name of what is too small to be listed. Without its number of places, so that it pairs.
const LUMPED: &str = "(below massif's threshold)";

/// A node that is not complete yet.
struct Node {
    address: u64,
    frame: Frame,
    /// Interned once the first caller tells whether it was inlined.
    id: Option<FrameId>,
    own: i64,
}

/// Gives every stack with bytes of its own to `sink`. `bytes` end with the tree, which begins at
/// `start`. Returns whether sites were lumped together.
///
/// Cost: linear in the bytes; the indentation pays for the depth of each stack.
/// Errors: another indentation than the nodes' promised children ask for, children larger than
/// their parent, a tree that ends too early.
pub(super) fn read(
    bytes: &[u8],
    start: usize,
    symbols: &mut Symbols,
    sink: &mut dyn FnMut(StackId, i64) -> Result<()>,
) -> Result<bool> {
    let mut open: Vec<Node> = Vec::new();
    let mut scratch: Vec<FrameId> = Vec::new();
    let mut lumped = false;
    walk(bytes, start, &mut |event| match event {
        Event::Enter { root, node } => {
            let (address, frame) = if root {
                (0, Frame::named(StrId::EMPTY))
            } else {
                lumped |= is_lump(node.text);
                frame(node.text, symbols)
            };
            // The tree goes from the allocating function to its callers.
            if let Some(callee) = open.last_mut() {
                callee.own -= node.bytes;
                if callee.id.is_none() {
                    let pair = (callee.address, &callee.frame);
                    callee.frame.inlined = native::is_inlined(pair, (address, &frame));
                    callee.id = Some(symbols.frames.intern(callee.frame));
                }
            }
            open.push(Node {
                address,
                frame,
                id: None,
                own: node.bytes,
            });
            Ok(())
        }
        Event::Leave => {
            let Some(node) = open.last_mut() else {
                return Ok(());
            };
            if node.id.is_none() {
                node.id = Some(symbols.frames.intern(node.frame));
            }
            let own = node.own;
            if own != 0 {
                scratch.clear();
                // The first node is the whole heap, no frame.
                scratch.extend(open.iter().skip(1).filter_map(|n| n.id));
                let stack = symbols.stacks.intern_leaf_first(&scratch);
                sink(stack, own)?;
            }
            open.pop();
            Ok(())
        }
    })?;
    Ok(lumped)
}

/// Whether the tree is whole.
pub(super) fn check(bytes: &[u8], start: usize) -> Result<()> {
    walk(bytes, start, &mut |_| Ok(()))
}

struct Line<'a> {
    children: u64,
    bytes: i64,
    text: &'a [u8],
}

enum Event<'a> {
    Enter { root: bool, node: Line<'a> },
    Leave,
}

/// Goes through a tree in order, with a stack of its own.
fn walk(bytes: &[u8], start: usize, visit: &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<()> {
    // Children that are still to come, and bytes that they may still have.
    let mut open: Vec<(u64, i64)> = Vec::new();
    let mut begun = false;
    for line in Lines::new(&bytes[start..]) {
        let place = (start + line.start) as u64;
        if !line.ended {
            break;
        }
        let depth = line.text.iter().take_while(|&&b| b == b' ').count();
        let node = parse(&line.text[depth..]);
        let Some(node) = node else {
            return Err(Error::damaged(place, "a node that cannot be read"));
        };
        if depth != open.len() || (begun && depth == 0) {
            let what = format!("a node at depth {depth} where {} was promised", open.len());
            return Err(Error::damaged(place, what));
        }
        if let Some(parent) = open.last_mut() {
            parent.0 -= 1;
            parent.1 -= node.bytes;
            if parent.1 < 0 {
                let what = "nodes that are larger than the node above them".to_owned();
                return Err(Error::damaged(place, what));
            }
        }
        open.push((node.children, node.bytes));
        visit(Event::Enter { root: !begun, node })?;
        begun = true;
        while open.last().is_some_and(|n| n.0 == 0) {
            open.pop();
            visit(Event::Leave)?;
        }
    }
    if !begun || !open.is_empty() {
        return Err(Error::truncated(bytes.len() as u64, "a tree is cut short"));
    }
    Ok(())
}

/// `nCHILDREN: BYTES TEXT`.
fn parse(line: &[u8]) -> Option<Line<'_>> {
    let (children, rest) = decimal(line.strip_prefix(b"n")?)?;
    let (bytes, rest) = decimal(rest.strip_prefix(b": ")?)?;
    Some(Line {
        children,
        bytes: i64::try_from(bytes).ok()?,
        text: rest.strip_prefix(b" ").unwrap_or(rest),
    })
}

/// `in 3 places, all below massif's threshold (1.00%)`, `in 1 place, below ...`.
fn is_lump(text: &[u8]) -> bool {
    text.starts_with(b"in ") && memchr::memmem::find(text, b"below massif's threshold").is_some()
}

fn frame(text: &[u8], symbols: &mut Symbols) -> (u64, Frame) {
    if is_lump(text) {
        return (0, Frame::named(symbols.strings.intern(LUMPED)));
    }
    let (address, rest) = native::address_and_rest(text).unwrap_or((0, text));
    (address, native::valgrind(symbols, address, rest))
}
