#!/usr/bin/env python3
"""Writes truth.json: for each state of each program the lines of its marked sites.

Two sites of two captures are a true pair if the marks on their stacks are the same. V8 records
where a function starts, not where it allocates: there the size tells the site.
"""
import json
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = {
    "rust": "shop.rs", "c": "shop.c", "cpp": "shop.cpp", "go": "main.go",
    "node": "shop.js", "python": "shop.py",
}
MARK = re.compile(r"(?://|#)@ (.+)$")
SIZE = re.compile(r"(?:Array\(|helper\(|\[|callerOne\()(\d{4})")


def main():
    lines, sizes = {}, {}
    for folder, source in SOURCES.items():
        path = HERE / folder / source
        for state in ("plain", "edited", "inserted"):
            text = path.read_text()
            if state != "plain":
                text = subprocess.run(
                    ["python3", HERE / "edit.py", state, path], check=True, capture_output=True, text=True
                ).stdout
            marks = {}
            for number, line in enumerate(text.split("\n"), 1):
                found = MARK.search(line)
                if found:
                    marks[str(number)] = found.group(1).removeprefix("via ")
                    if folder == "node":
                        near = SIZE.search(line) or SIZE.search(text.split("\n")[number - 2])
                        if near:
                            sizes[found.group(1).removeprefix("via ")] = int(near.group(1)) * 8
            lines[f"{folder}/{state}"] = {"file": source, "marks": marks}
    sizes.pop("helper", None)
    truth = {"lines": lines, "sizes": {"node": sizes}}
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")


main()
