#!/usr/bin/env python3
"""Reads the captures of this directory and compares them with what is planted in them.

    python3 profiles/check.py            every folder; exit status 1 if something differs
    python3 profiles/check.py ingest -v  one folder, with the numbers

Its readers know nothing of heapdiff: what they find is found independently.
"""

import gzip
import json
import math
import re
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERBOSE = "-v" in sys.argv
failures = 0


def check(what, found, wanted, tolerance=0):
    global failures
    good = abs(found - wanted) <= tolerance
    failures += not good
    if VERBOSE or not good:
        within = f" within {tolerance:,.0f}" if tolerance else ""
        print(f"{'ok  ' if good else 'FAIL'} {what}: {found:,} (planted {wanted:,}{within})")


def dhat(path):
    """{metric: Counter(function)}, the largest single stack of each, and the totals.

    A stack counts once for each function in it.
    """
    capture = json.loads(path.read_text())
    functions = []
    for frame in capture["ftbl"]:
        frame = re.sub(r"^0x[0-9A-Fa-f]+: ", "", frame)
        functions.append(re.sub(r" \([^()]*\)$", "", frame))
    names = {"tb": "total_bytes", "tbk": "total_blocks", "gb": "peak_bytes",
             "gbk": "peak_blocks", "eb": "live_bytes", "ebk": "live_blocks"}
    sites, largest, totals = {}, {}, Counter()
    for point in capture["pps"]:
        for key, metric in names.items():
            if key in point:
                totals[metric] += point[key]
                for function in {functions[frame] for frame in point["fs"]}:
                    sites.setdefault(metric, Counter())[function] += point[key]
                    most = largest.setdefault(metric, Counter())
                    most[function] = max(most[function], point[key])
    return sites, largest, totals


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def integers(values):
    """A repeated integer, packed or not."""
    for value in values:
        if isinstance(value, int):
            yield value
        else:
            at = 0
            while at < len(value):
                number, at = varint(value, at)
                yield number


def pprof(path):
    def message(data):
        parts = {}
        for number, value in fields(data):
            parts.setdefault(number, []).append(value)
        return parts

    profile = message(gzip.decompress(path.read_bytes()))
    strings = [text.decode() for text in profile[6]]
    types = [strings[message(kind)[1][0]] for kind in profile[1]]
    functions = {}
    for function in map(message, profile[5]):
        functions[function[1][0]] = strings[function[2][0]]
    locations = {}
    for location in map(message, profile[4]):
        lines = [message(line) for line in location.get(4, [])]
        locations[location[1][0]] = {functions[line[1][0]] for line in lines}
    sites, totals = {}, Counter()
    for sample in map(message, profile[2]):
        stack = set().union(*(locations[i] for i in integers(sample.get(1, []))))
        for kind, value in zip(types, integers(sample[2])):
            totals[kind] += value
            for function in stack:
                sites.setdefault(kind, Counter())[function] += value
    return sites, totals


def folded(path):
    sites, totals = {"value": Counter()}, Counter()
    for line in path.read_text().splitlines():
        stack, value = line.rsplit(" ", 1)
        totals["value"] += int(value)
        for function in set(stack.split(";")):
            sites["value"][function] += int(value)
    return sites, totals


def standard_deviation(objects, size, rate):
    """Of an estimate by sampling: each object is seen with the probability 1 - exp(-size / rate)."""
    seen = 1 - math.exp(-size / rate)
    return math.sqrt(objects * (1 - seen) / seen)


def check_dhat(folder, truth):
    for name, wanted in truth["totals"].items():
        _, _, totals = dhat(folder / name)
        for metric, value in wanted.items():
            check(f"{name} {metric}", totals[metric], value)
    for subfolder, planted in truth["folders"].items():
        runs = {n: dhat(folder / subfolder / f"run-{n:03}.json")[1] for n in truth["batches"]}
        for fault in truth["faults"]:
            function, metric = fault["function"], fault["metric"]
            on = fault["fault"] in planted
            for n, sites in runs.items():
                what = f"{subfolder} @{n} {function}"
                for unit in "bytes", "blocks":
                    found = sites[metric.replace("bytes", unit)][function]
                    if fault["kind"] == "growth":
                        check(f"{what} {unit}", found, fault[f"{unit}_per_batch"] * n * on)
                    else:
                        check(f"{what} {unit}", found, fault[unit if on else f"cured_{unit}"])
        # Nothing else may grow.
        growth = sum(fault["bytes_per_batch"] for fault in truth["faults"]
                     if fault["kind"] == "growth" and fault["fault"] in planted)
        first, last = (truth["batches"][i] for i in (0, -1))
        before, after = (dhat(folder / subfolder / f"run-{n:03}.json")[2] for n in (first, last))
        check(f"{subfolder} growth of all live bytes",
              after["live_bytes"] - before["live_bytes"], growth * (last - first))


def check_go(folder, truth):
    for name, rate in truth["rates"].items():
        for side in "faulty", "cured":
            runs = {n: pprof(folder / name / side / f"run-{n:03}.pb.gz")[0]
                    for n in truth["batches"]}
            for fault in truth["faults"]:
                function, on = fault["function"], side == "faulty"
                for n, sites in runs.items():
                    what = f"{name}/{side} @{n} {function}"
                    if fault["kind"] == "growth":
                        objects = fault["objects_per_batch"] * n * on
                        size = fault["bytes_per_batch"] // fault["objects_per_batch"]
                        slack = 4 * standard_deviation(objects, size, rate) if rate > 1 else 0
                        check(f"{what} objects", sites["inuse_objects"][function], objects, slack)
                        check(f"{what} bytes", sites["inuse_space"][function],
                              objects * size, slack * size)
                    elif fault["metric"] == "inuse_space":
                        wanted = fault["bytes"] if on else fault["cured_bytes"]
                        slack = truth["slack_of_sizes"] * wanted if rate > 1 else 0
                        check(what, sites["inuse_space"][function], wanted, slack)
    for fault in truth["faults"]:
        if fault["metric"] == "alloc_space":
            sites, _ = pprof(folder / "exact" / fault["fault"] / "run-200.pb.gz")
            wanted = fault["bytes_at_200"]
            check(f"exact/{fault['fault']} @200 {fault['function']}",
                  sites["alloc_space"][fault["function"]], wanted)
    (_, before), (_, after) = (pprof(folder / "exact/faulty" / f"run-{n}.pb.gz")
                               for n in ("050", "200"))
    wanted = 150 * sum(fault.get("bytes_per_batch", 0) for fault in truth["faults"])
    check("exact/faulty growth of all in use, 50 to 200",
          after["inuse_space"] - before["inuse_space"], wanted)


def check_folded(folder, truth):
    for name, wanted in truth["totals"].items():
        check(name, folded(folder / name)[1]["value"], wanted)
    for fault in truth["faults"]:
        for n in truth["batches"]:
            sites, _ = folded(folder / f"{fault['files']}-{n:03}.folded")
            wanted = fault["bytes"] if fault["kind"] == "size" else fault["bytes_per_batch"] * n
            check(f"{fault['files']} @{n} {fault['function']}",
                  sites["value"][fault["function"]], wanted)


def main():
    wanted = [name for name in sys.argv[1:] if name != "-v"]
    for path in sorted(HERE.glob("*/truth.json")):
        if wanted and path.parent.name not in wanted:
            continue
        truth = json.loads(path.read_text())
        checks = {"dhat": check_dhat, "pprof": check_go, "folded": check_folded}
        if truth["format"] in checks:
            before = failures
            checks[truth["format"]](path.parent, truth)
            print(f"{path.parent.name}: {'as planted' if failures == before else 'DIFFERS'}")
    sys.exit(failures > 0)


main()
