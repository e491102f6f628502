#!/usr/bin/env python3
"""Edits a program as a programmer would: edit.py edited|inserted SOURCE > RESULT.

edited: everything moves down 40 lines, and the function `encode` is called `serialise`.
inserted: one allocation more inside `cache` and one closure more inside `transforms`/`closures`.
"""
import re
import sys

INSERT_AFTER = {
    "rs": [
        ("//@ cache-first", "    entries.push(text[..1_511].to_owned()); //@ inserted"),
        ("fn transforms(text: &str) {", "    let single = |n: usize| {\n        keep(vec![3u8; n + 1_531]); //@ inserted-closure\n    };\n    single(0);"),
    ],
    "cpp": [
        ("//@ cache-first", "    keep(malloc(1511 + n)); //@ inserted"),
        ("static void transforms(int n) {", "    auto once = [](int k) {\n        keep(malloc(1531 + k)); //@ inserted-closure\n    };\n    once(0);"),
    ],
    "c": [
        ("//@ cache-first", "    keep(malloc(1511 + n)); //@ inserted"),
        ("//@ encode-buffer", "    keep(malloc(1531 + n)); //@ inserted-second"),
    ],
    "go": [
        ("//@ cache-first", "\tkeep(make([]byte, page*41+n)) //@ inserted"),
        ("func closures(n int) {", "\tsingle := func(k int) {\n\t\tkeep(make([]byte, page*42+k)) //@ inserted-closure\n\t}\n\tsingle(n)"),
    ],
    "js": [
        ("//@ header", "  keep(new Array(7001 + n).fill(0.5)); //@ inserted"),
        ("function transforms(n) {", "  const single = (k) => keep(new Array(7103 + k).fill(0.5)); //@ inserted-closure\n  single(n);"),
    ],
    "py": [
        ("#@ cache-first", "    held.append(bytearray(13_007 + n))  #@ inserted"),
        ("def transforms(n):", "    single = lambda k: held.append(bytearray(13_103 + k))  #@ inserted-closure\n    single(n)"),
    ],
}
COMMENT = {"py": "#"}


def main():
    how, path = sys.argv[1:]
    kind = path.rsplit(".", 1)[1]
    lines = open(path).read().split("\n")
    if how == "edited":
        mark = COMMENT.get(kind, "//")
        # Behind the leading comment, where imports and attributes start.
        at = next(i for i, l in enumerate(lines) if re.match(r"(use |#include|package |const fs|import |#\[global)", l))
        if kind in ("js", "go"):
            at += 1
        lines[at:at] = [f"{mark} line {i + 1}" for i in range(40)]
        lines = [re.sub(r"\bencode\((?!')", "serialise(", l) for l in lines]
    else:
        for after, text in INSERT_AFTER[kind]:
            at = next(i for i, l in enumerate(lines) if after in l)
            lines[at + 1:at + 1] = text.split("\n")
    sys.stdout.write("\n".join(lines))


main()
