//! The sentence in which memcheck states a loss; XML and text share it.

use super::super::leaks::{Check, Record};
use super::super::lines::{decimal, find};
use crate::model::{LabelsId, StackId};

/// `1,248 (48 direct, 1,200 indirect) bytes in 3 blocks are definitely lost in loss record 4 of 4`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loss {
    /// Bytes of the blocks themselves: what they hold indirectly is listed on its own.
    pub bytes: u64,
    /// The blocks themselves.
    pub blocks: u64,
    /// `definite`, `indirect`, `possible`, `reachable`, as in `--show-leak-kinds`.
    pub kind: &'static str,
    /// Number of the record in its leak check, and how many there are.
    pub number: u64,
    pub of: u64,
}

/// Takes the sentence apart; none if it is another one.
pub(super) fn parse(text: &[u8]) -> Option<Loss> {
    find(text, b"loss record")?;
    let plain = without_changes(text);
    let (total, rest) = decimal(&plain)?;
    let rest = rest.trim_ascii_start();
    let (bytes, rest) = match rest.strip_prefix(b"(") {
        Some(inner) => {
            let (direct, rest) = decimal(inner)?;
            let close = find(rest, b")")?;
            (direct, rest[close + 1..].trim_ascii_start())
        }
        None => (total, rest),
    };
    let rest = rest
        .strip_prefix(b"bytes in ")
        .or_else(|| rest.strip_prefix(b"byte in "))?;
    let (blocks, rest) = decimal(rest)?;
    let kinds: [(&[u8], &str); 4] = [
        (b"definitely lost", "definite"),
        (b"indirectly lost", "indirect"),
        (b"possibly lost", "possible"),
        (b"still reachable", "reachable"),
    ];
    let kind = kinds
        .iter()
        .find(|(words, _)| find(rest, words).is_some())?
        .1;
    let record = find(rest, b"loss record ")?;
    let (number, rest) = decimal(&rest[record + b"loss record ".len()..])?;
    let (of, _) = decimal(rest.trim_ascii_start().strip_prefix(b"of")?)?;
    Some(Loss {
        bytes,
        blocks,
        kind,
        number,
        of,
    })
}

/// Reports that compare with the check before insert ` (+200)` after every number.
fn without_changes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        if rest.starts_with(b"(+") || rest.starts_with(b"(-") {
            let inner = &rest[2..];
            let digits = inner
                .iter()
                .take_while(|b| b.is_ascii_digit() || **b == b',');
            let n = digits.count();
            if n > 0 && inner.get(n) == Some(&b')') {
                rest = inner[n + 1..].trim_ascii_start();
                continue;
            }
        }
        out.push(byte);
        rest = &rest[1..];
    }
    out
}

/// Losses in the order of the file, cut into leak checks: their numbering starts again.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub checks: Vec<Check>,
    last: Option<(u64, u64)>,
}

impl Series {
    /// Adds a loss of process `pid`.
    pub fn add(&mut self, pid: Option<u64>, loss: Loss, kind: LabelsId, stack: StackId) {
        let follows = self
            .last
            .is_some_and(|(number, of)| number < loss.number && of == loss.of);
        if !follows {
            self.start(pid);
        }
        self.last = Some((loss.number, loss.of));
        if let Some(check) = self.checks.last_mut() {
            check.records.push(Record {
                kind,
                stack,
                bytes: loss.bytes,
                blocks: loss.blocks,
            });
        }
    }

    /// The check that is being read, if losses of it were seen.
    pub fn current(&mut self) -> Option<&mut Check> {
        self.last.and_then(|_| self.checks.last_mut())
    }

    /// Nothing more belongs to the check; one without a loss is a check all the same.
    pub fn end(&mut self, pid: Option<u64>) {
        if self.last.is_none() {
            self.start(pid);
        }
        self.last = None;
        if let Some(check) = self.checks.last_mut() {
            check.complete = true;
        }
    }

    /// Nothing more belongs to the check that is being read, if one is.
    pub fn end_if_any(&mut self) {
        if let Some(check) = self.current() {
            check.complete = true;
        }
        self.last = None;
    }

    fn start(&mut self, pid: Option<u64>) {
        if let Some(before) = self.current() {
            before.complete = true;
        }
        self.checks.push(Check {
            pid,
            ..Check::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_bytes_are_counted_once() {
        let loss = |text: &str| parse(text.as_bytes());
        let whole = loss(
            "1,248 (48 direct, 1,200 indirect) bytes in 3 blocks are definitely lost in loss record 4 of 5",
        );
        let expected = Loss {
            bytes: 48,
            blocks: 3,
            kind: "definite",
            number: 4,
            of: 5,
        };
        assert_eq!(whole, Some(expected));
        let delta = loss(
            "1,248 (+0) (48 (+0) direct, 1,200 (+0) indirect) bytes in 3 (+1) blocks are definitely lost in new loss record 4 of 5",
        );
        assert_eq!(delta, Some(expected));
        let plain = loss("10 bytes in 1 blocks are possibly lost in loss record 2 of 4").unwrap();
        assert_eq!((plain.bytes, plain.blocks, plain.kind), (10, 1, "possible"));
        let delta = loss(
            "1,000 (+200) bytes in 5 (-1) blocks are still reachable in loss record 1 of 1,200",
        )
        .unwrap();
        assert_eq!((delta.bytes, delta.blocks, delta.of), (1000, 5, 1200));
        assert_eq!(loss("Invalid read of size 4"), None);
        assert_eq!(loss("(+( loss record"), None);
    }
}
