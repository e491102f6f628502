#!/usr/bin/env python3
"""Reads the captures of this folder and compares them with what is planted in them (truth.json).

    python3 profiles/log-forwarder/check.py       exit status 1 if something differs
    python3 profiles/log-forwarder/check.py -v    with the numbers

Its readers know nothing of heapdiff. It needs the program zstd.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERBOSE = "-v" in sys.argv
checks = failures = 0


def check(what, found, wanted):
    global checks, failures
    checks += 1
    failures += found != wanted
    if VERBOSE or found != wanted:
        print(f"{'ok  ' if found == wanted else 'FAIL'} {what}: {found:,} (planted {wanted:,})")


# ---- readers: a list of (functions of the program from the allocating one out, bytes, blocks) ----

OURS = re.compile(r"\b(conn|encoder|forwarder|in_http2?|out)\.c$")


def dhat(path):
    """What is alive at the end, and the totals of the capture."""
    capture = json.loads(path.read_text())
    frames = []
    for text in capture["ftbl"]:
        match = re.match(r"0x[0-9A-F]+: (\S+) \(([^()]*):\d+\)$", text)
        frames.append(match[1] if match and OURS.search(match[2]) else None)
    sites = [([frames[i] for i in point["fs"] if frames[i]], point["eb"], point["ebk"])
             for point in capture["pps"]]
    names = {"tb": "total_bytes", "tbk": "total_blocks", "gb": "peak_bytes",
             "gbk": "peak_blocks", "eb": "live_bytes", "ebk": "live_blocks"}
    totals = {name: sum(point[key] for point in capture["pps"]) for key, name in names.items()}
    return sites, totals


def heaptrack(path):
    text = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    strings, places, traces, infos = [b""], [[]], [[]], []
    alive, total, peak, live = Counter(), 0, 0, 0
    for line in text.split(b"\n"):
        kind, rest = line[:1], line[2:].split(b" ")
        if kind == b"s":
            strings.append(line[2:].split(b" ", 1)[1])
            continue
        if kind not in (b"i", b"t", b"a", b"+", b"-"):
            continue
        numbers = [int(field, 16) for field in rest]
        if kind == b"i":  # address, module, then (function, file, line), the innermost first
            inlined = [numbers[i:i + 3] for i in range(2, len(numbers), 3)]
            places.append([strings[f[0]].decode() for f in inlined
                           if len(f) == 3 and OURS.search(strings[f[1]].decode())])
        elif kind == b"t":
            traces.append(places[numbers[0]] + traces[numbers[1]])
        elif kind == b"a":
            infos.append(numbers)
        else:
            sign = 1 if kind == b"+" else -1
            alive[numbers[0]] += sign
            live += sign * infos[numbers[0]][0]
            total += sign > 0
            peak = max(peak, live)
    sites = [(traces[infos[i][1]], infos[i][0] * n, n) for i, n in alive.items() if n]
    totals = {"total_blocks": total, "peak_bytes": peak, "live_bytes": live,
              "live_blocks": sum(alive.values())}
    return sites, totals


def massif(path):
    """The last snapshot, if it is detailed; without blocks. What is below the threshold is left out."""
    sites, stack, totals = [], [], {}
    for line in path.read_text().splitlines():
        if line.startswith("snapshot="):
            sites, stack = [], []
        elif line.startswith("mem_heap_B="):
            live = int(line.split("=")[1])
            totals = {"last_bytes": live, "most_bytes": max(live, totals.get("most_bytes", 0))}
        elif match := re.match(r"( *)n(\d+): (\d+) (.*)", line):
            depth, text = len(match[1]), match[4]
            function = re.match(r"0x[0-9A-F]+: (\S+) \(([^()]*):\d+\)$", text)
            del stack[depth:]
            stack.append(function[1] if function and OURS.search(function[2]) else None)
            if match[2] == "0":
                sites.append(([name for name in stack if name], int(match[3]), None))
    return sites, totals


def sanitizer(path):
    sites, totals = [], {}
    for line in path.read_text().splitlines():
        if match := re.match(r"(?:Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object", line):
            sites.append(([], int(match[1]), int(match[2])))
        elif match := re.match(r"    #\d+ 0x[0-9a-f]+ in (\S+) (\S+?):\d+(:\d+)?$", line):
            if OURS.search(match[2]):
                sites[-1][0].append(match[1])
        elif match := re.match(r"SUMMARY: \w+: (\d+) byte\(s\) leaked in (\d+) alloc", line):
            totals = {"live_bytes": int(match[1]), "live_blocks": int(match[2])}
    return sites, totals


# ---- the truth ----

def at(sites, site):
    """Bytes and blocks that the site's function allocated, called by way of its `through`."""
    found = [0, 0]
    for functions, held, blocks in sites:
        allocating = functions[0] if functions else None
        if allocating == site["function"] and site.get("through", allocating) in functions:
            found[0] += held
            found[1] += blocks
    return found


def check_exact(name, sites, truth, runs, connections, cured):
    """Every site of the program in a capture of everything that is alive."""
    planted = [0, 0]

    def site(fault, what, bytes_, blocks):
        found = at(sites, what)
        title = f"{name} {fault} {what['function']}"
        check(f"{title} bytes", found[0], bytes_)
        check(f"{title} blocks", found[1], blocks)
        planted[0] += bytes_
        planted[1] += blocks

    for path in truth["encoder"]["paths"]:
        count = 0 if "encoder" in cured else runs
        site("encoder", path, path["bytes_per_run"] * count, path["blocks_per_run"] * count)
    buffers = dict(truth["buffers"])
    if name.startswith("heaptrack") and "buffers" in cured:
        # To heaptrack a realloc is a new block of the place that calls it.
        buffers["function"] = buffers["cured_function_by_heaptrack"]
    each = buffers["cured_bytes_per_connection" if "buffers" in cured else "bytes_per_connection"]
    site("buffers", buffers, each * connections, connections)
    for error in truth["errors"]:
        count = 0 if "errors" in cured else error["count"][str(runs)]
        site(f"errors ({error['when']})", error, error["bytes"] * count, count)
    for other in truth["stable"]:
        count = other["blocks"] if "blocks" in other else other["blocks_per_connection"] * connections
        site("stable", other, other["bytes"] * count, count)
    # Nothing else is alive, but what libraries keep for themselves.
    ours = [entry for entry in sites if entry[0] and entry[0][0] not in truth["outside"]]
    check(f"{name} everything, bytes", sum(entry[1] for entry in ours), planted[0])
    check(f"{name} everything, blocks", sum(entry[2] for entry in ours), planted[1])


def check_growth(truth):
    """Per run, the same in both intervals to the byte."""
    encoder = truth["encoder"]
    for connections in truth["connections"]:
        for folder in "faulty", "cured":
            held = []
            for runs in truth["runs"]:
                sites, _ = dhat(HERE / f"dhat/{folder}/runs-{runs:03}-conns-{connections}.json")
                held.append((runs, at(sites, encoder)))
            for (a, before), (b, after) in zip(held, held[1:]):
                title = f"dhat/{folder} {connections} connections, {a} to {b}, encoder"
                on = folder == "faulty"
                check(f"{title} bytes per run",
                      (after[0] - before[0]) / (b - a), encoder["bytes_per_run"] * on)
                check(f"{title} blocks per run",
                      (after[1] - before[1]) / (b - a), encoder["blocks_per_run"] * on)
    for connections in truth["connections"]:
        live = [dhat(HERE / f"dhat/cured/runs-{runs:03}-conns-{connections}.json")[1]["live_bytes"]
                for runs in truth["runs"]]
        per_run = (live[-1] - live[0]) / (truth["runs"][-1] - truth["runs"][0])
        check(f"dhat/cured {connections} connections: less than 1 KB per run in all",
              per_run < 1000, True)


def main():
    truth = json.loads((HERE / "truth.json").read_text())
    for name, wanted in truth["totals"].items():
        path = HERE / name
        kind = name.split("/")[0]
        reader = {"dhat": dhat, "heaptrack": heaptrack, "massif": massif,
                  "sanitizers": sanitizer}[kind]
        sites, totals = reader(path)
        for metric, value in wanted.items():
            check(f"{name} {metric}", totals[metric], value)
        if kind in ("dhat", "heaptrack"):
            runs, connections = map(int, re.search(r"runs-(\d+)-conns-(\d+)", name).groups())
            cured = truth["folders"][name.split("/")[1]]
            check_exact(name, sites, truth, runs, connections, cured)
        elif kind == "massif":
            # The last snapshot comes a little before the end, at a known number of posts.
            held = sum(size for functions, size, _ in sites
                       if functions and functions[0] == "sbuffer_write")
            check(f"{name} sbuffer_write", held, truth["massif_encoder_bytes"][name])
        else:
            runs = re.search(r"(\d+)\.txt", name)[1].lstrip("0")
            for error in truth["errors"]:
                count = error["count"][runs]
                found = at(sites, error)
                check(f"{name} {error['when']} bytes", found[0], error["bytes"] * count)
                check(f"{name} {error['when']} objects", found[1], count)
            check(f"{name}: the encoder is not in it", at(sites, truth["encoder"])[0], 0)
    check_growth(truth)
    for path in sorted(HERE.glob("*/**/*")):
        if path.is_file() and str(path.relative_to(HERE)) not in truth["totals"]:
            check(f"{path.relative_to(HERE)} is in truth.json", False, True)
    print(f"log-forwarder: {checks} checks, {failures or 'none'} failed")
    sys.exit(failures > 0)


main()
