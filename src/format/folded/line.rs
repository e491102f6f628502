//! One line of folded stacks taken apart, without an allocation.

/// A line: its stack and its one or two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Frames joined by semicolons, root first.
    pub stack: &'a [u8],
    /// The last number.
    pub last: Number,
    /// The number before it, where two are looked for.
    pub first: Option<Number>,
}

/// A number at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// Its whole part.
    pub value: i64,
    /// Whether something other than 0 behind a decimal point was left out.
    pub rounded: bool,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Nothing to read: blank, or a comment.
    Skip,
    /// A stack with its numbers.
    Stack(Line<'a>),
    /// Neither.
    Bad,
}

const BLANKS: &[u8] = b" \t\r";

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some((last, rest)) = text.split_last() {
        if !BLANKS.contains(last) {
            break;
        }
        text = rest;
    }
    text
}

/// `-?\d+(\.\d*)?`, as the tools write counts; no exponents.
fn number(text: &[u8]) -> Option<Number> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let mut value = 0i64;
    let mut rest = digits.iter();
    let mut any = false;
    let mut rounded = false;
    while let Some(&b) = rest.next() {
        match b {
            b'0'..=b'9' => {
                // Counted downwards, where one more number fits.
                value = value.checked_mul(10)?.checked_sub((b - b'0') as i64)?;
                any = true;
            }
            b'.' if any => {
                for &b in rest.by_ref() {
                    if !b.is_ascii_digit() {
                        return None;
                    }
                    rounded |= b != b'0';
                }
            }
            _ => return None,
        }
    }
    let value = if negative {
        value
    } else {
        value.checked_neg()?
    };
    any.then_some(Number { value, rounded })
}

/// Cuts the last word off; none where there is no blank before it.
fn split_last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = text.len();
    while at > 0 && !BLANKS.contains(&text[at - 1]) {
        at -= 1;
    }
    (at > 0).then(|| (trim_end(&text[..at]), &text[at..]))
}

/// Takes a line apart, whose line end is cut off already. With `two`, two numbers must stand at
/// its end.
pub(super) fn line(text: &[u8], two: bool) -> Kind<'_> {
    let text = trim_end(text);
    if text.is_empty() || text[0] == b'#' {
        return Kind::Skip;
    }
    let Some((stack, word)) = split_last_word(text) else {
        return Kind::Bad;
    };
    let Some(last) = number(word) else {
        return Kind::Bad;
    };
    if !two {
        return match stack.is_empty() {
            true => Kind::Bad,
            false => Kind::Stack(Line {
                stack,
                last,
                first: None,
            }),
        };
    }
    match split_last_word(stack).map(|(stack, word)| (stack, number(word))) {
        Some((stack, Some(first))) if !stack.is_empty() => Kind::Stack(Line {
            stack,
            last,
            first: Some(first),
        }),
        _ => Kind::Bad,
    }
}

/// Position of the next line feed at or after `from`.
pub(super) fn line_feed(bytes: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr::memchr(b'\n', bytes.get(from..)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<(String, i64)> {
        match line(text.as_bytes(), false) {
            Kind::Stack(l) => Some((String::from_utf8_lossy(l.stack).into(), l.last.value)),
            _ => None,
        }
    }

    #[test]
    fn the_count_is_the_last_word() {
        assert_eq!(one("a;b c 12"), Some(("a;b c".into(), 12)));
        assert_eq!(one("a;b  -12\r"), Some(("a;b".into(), -12)));
        assert_eq!(one("a; 10"), Some(("a;".into(), 10)));
        assert_eq!(one("a 3.75"), Some(("a".into(), 3)));
        assert_eq!(one("a 3."), Some(("a".into(), 3)));
        let least = i64::MIN.to_string();
        assert_eq!(one(&format!("a {least}")), Some(("a".into(), i64::MIN)));
        for bad in [
            "12",
            " 12",
            "a",
            "a 1e5",
            "a .5",
            "a 1.2.3",
            "a 0x10",
            "a -",
            "a +1",
            "a 9223372036854775808",
        ] {
            assert_eq!(line(bad.as_bytes(), false), Kind::Bad, "{bad}");
        }
        for skip in ["", "  ", "# a 12", "\r"] {
            assert_eq!(line(skip.as_bytes(), false), Kind::Skip, "{skip}");
        }
    }

    #[test]
    fn two_numbers() {
        let Kind::Stack(l) = line(b"a;operator 5 10 20", true) else {
            panic!()
        };
        assert_eq!(l.stack, b"a;operator 5");
        assert_eq!((l.first.unwrap().value, l.last.value), (10, 20));
        assert_eq!(line(b"a;b 10", true), Kind::Bad);
        assert_eq!(line(b"5 10", true), Kind::Bad);
    }
}
