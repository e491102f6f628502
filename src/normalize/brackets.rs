//! Matching brackets of a function name, found in one pass without recursion.
//!
//! Names come from files that anybody may have written: a name can hold a hundred thousand `<` and
//! not one `>`. Every rewrite therefore asks this table for a bracket's partner instead of
//! scanning ahead, which keeps the whole of normalising linear in the name's length (times the
//! logarithm of the number of brackets, for the look-up).

/// Longest name whose inner structure is rewritten; a longer one is kept as it stands.
pub(super) const MAX_STRUCTURED: usize = 1 << 20;

/// A bracket that has its partner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    /// Byte offset of the opening bracket.
    pub open: usize,
    /// Byte offset of the closing bracket; 0 while none was found.
    pub close: usize,
    /// Byte offset of the first ` as ` directly inside, for `<T as Trait>`.
    pub as_at: Option<usize>,
    /// Byte offset of the first ` for ` directly inside, for `<impl Trait for T>`.
    pub for_at: Option<usize>,
}

/// All matched brackets of one name, by the offset of the opening one.
#[derive(Debug, Default)]
pub(super) struct Pairs(Vec<Pair>);

/// Which characters are brackets, and which only look like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `->` is an arrow.
    Rust,
    /// `->` is an arrow or an operator, and so is what follows the word `operator`.
    Cpp,
    /// Only `(`, `[` and `{` nest.
    Go,
}

impl Pairs {
    /// Finds the partners. Time and memory are linear in the length of `text`.
    pub(super) fn of(text: &str, dialect: Dialect) -> Pairs {
        let bytes = text.as_bytes();
        let mut pairs: Vec<Pair> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        // How many of each closing kind are open: a stray `)` must not search the stack in vain.
        let mut waiting = [0usize; 4];
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match byte {
                b'o' if dialect == Dialect::Cpp => {
                    if let Some(end) = operator_end(text, at) {
                        at = end;
                        continue;
                    }
                }
                b'-' if dialect != Dialect::Go && bytes.get(at + 1) == Some(&b'>') => at += 1,
                b'<' if dialect == Dialect::Go => {}
                b'<' | b'(' | b'[' | b'{' => {
                    waiting[kind(byte)] += 1;
                    open.push(pairs.len());
                    pairs.push(Pair {
                        open: at,
                        close: 0,
                        as_at: None,
                        for_at: None,
                    });
                }
                b'>' => {
                    // Inside parentheses an unpaired `>` is a comparison.
                    if let Some(&top) = open.last()
                        && bytes[pairs[top].open] == b'<'
                    {
                        pairs[top].close = at;
                        waiting[kind(b'<')] -= 1;
                        open.pop();
                    }
                }
                b')' | b']' | b'}' if waiting[kind(byte)] > 0 => {
                    while let Some(top) = open.pop() {
                        let opener = bytes[pairs[top].open];
                        waiting[kind(opener)] -= 1;
                        if kind(opener) == kind(byte) {
                            pairs[top].close = at;
                            break;
                        }
                    }
                }
                b' ' => {
                    if let Some(&top) = open.last() {
                        let rest = &bytes[at..];
                        if rest.starts_with(b" as ") {
                            pairs[top].as_at.get_or_insert(at);
                        } else if rest.starts_with(b" for ") {
                            pairs[top].for_at.get_or_insert(at);
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        pairs.retain(|pair| pair.close != 0);
        Pairs(pairs)
    }

    /// The pair that opens at `open`, if it has a partner.
    pub(super) fn at(&self, open: usize) -> Option<Pair> {
        let index = self.0.binary_search_by_key(&open, |pair| pair.open).ok()?;
        self.0.get(index).copied()
    }
}

fn kind(bracket: u8) -> usize {
    match bracket {
        b'<' | b'>' => 0,
        b'(' | b')' => 1,
        b'[' | b']' => 2,
        _ => 3,
    }
}

/// Whether a byte can stand in an identifier; all of non-ASCII can.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// C++ operators that are spelled with signs, longest first.
#[rustfmt::skip]
const SIGNS: [&str; 40] = [
    "<=>", "<<=", ">>=", "->*", "()", "[]", "<<", ">>", "<=", ">=", "->", "==", "!=", "&&", "||",
    "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "\"\"", "<", ">", "+", "-", "*",
    "/", "%", "^", "&", "|", "~", "!", "=", ",",
];

/// Where the C++ operator name that starts at `at` ends: behind the signs of `operator<<`, behind
/// the word itself for `operator new` and conversions. `None` if no operator starts here.
pub(super) fn operator_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let rest = bytes.get(at..)?.strip_prefix(b"operator")?;
    if at > 0 && is_word(bytes[at - 1]) {
        return None;
    }
    let word_end = at + "operator".len();
    match rest.first() {
        Some(&next) if is_word(next) => None,
        _ => {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes()));
            Some(word_end + sign.map_or(0, |sign| sign.len()))
        }
    }
}

/// Byte offset behind the last `::` of `text` that is not inside brackets; 0 if there is none.
/// Linear; unbalanced closing brackets are ignored.
pub(super) fn last_component(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut start, mut at) = (0usize, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'-' if bytes.get(at + 1) == Some(&b'>') => at += 1,
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                at += 1;
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if start < bytes.len() { start } else { 0 }
}
