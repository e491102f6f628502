"""Stretches what was recorded: stamps move away from the first one, and durations grow, by a factor.

    python3 stretch.py --factor 30 --start 2026-03-02T00:00:00Z RECORDED STRETCHED

The values stay as they were measured. Of a recording at N times the load this gives the curve that
the load itself would have drawn: a rate in MB/h divided by N, a request N times as long.
"""
import argparse
import datetime
import gzip
import os
import re
import shutil
import sys
import time

UTC = datetime.timezone.utc


def seconds(text, form):
    return datetime.datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


FORMS = [
    # (pattern of the stamp, how it is read, how it is written)
    (re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z"), "%Y-%m-%dT%H:%M:%S.%f",
     lambda d: d.strftime("%Y-%m-%dT%H:%M:%S.") + f"{d.microsecond // 1000:03}Z"),
    (re.compile(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}) \+0000\]"), "%d/%b/%Y:%H:%M:%S.%f",
     lambda d: d.strftime("[%d/%b/%Y:%H:%M:%S +0000]")),
    (re.compile(r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3})"), "%Y/%m/%d %H:%M:%S.%f",
     lambda d: d.strftime("%Y/%m/%d %H:%M:%S")),
]
DURATION = re.compile(r" (\d+\.\d{3})$")


def lines_of(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt") as f:
        return f.read().splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--factor", type=float, required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("recorded")
    parser.add_argument("stretched")
    args = parser.parse_args()
    start = seconds(args.start, "%Y-%m-%dT%H:%M:%SZ")
    files = sorted(f for f in os.listdir(args.recorded) if re.search(r"\.(csv|log)(\.gz)?$", f))
    read = {f: lines_of(os.path.join(args.recorded, f)) for f in files}

    def stamp(line):
        for pattern, form, write in FORMS:
            found = pattern.search(line)
            if found:
                return found, seconds(found.group(1), form), write
        return None

    first = min(s[1] for lines in read.values() for s in map(stamp, lines) if s)
    os.makedirs(args.stretched, exist_ok=True)
    for name, lines in read.items():
        out = []
        for line in lines:
            found = stamp(line)
            if found:
                match, at, write = found
                moved = datetime.datetime.fromtimestamp(start + (at - first) * args.factor, UTC)
                line = line[:match.start()] + write(moved) + line[match.end():]
                if "] \"GET" in line:
                    line = DURATION.sub(lambda m: f" {float(m.group(1)) * args.factor:.3f}", line)
            out.append(line)
        target = os.path.join(args.stretched, name.removesuffix(".gz") + ".gz")
        with gzip.GzipFile(target, "wb", mtime=0) as f:
            f.write(("\n".join(out) + "\n").encode())
    # Snapshots carry their second in their name.
    for folder in sorted(f for f in os.listdir(args.recorded) if f.endswith("_proc_meminfo")):
        os.makedirs(os.path.join(args.stretched, folder), exist_ok=True)
        for name in sorted(os.listdir(os.path.join(args.recorded, folder))):
            at = max(seconds(name, "%Y%m%d_%H%M%S.txt"), first)
            moved = datetime.datetime.fromtimestamp(start + (at - first) * args.factor, UTC)
            shutil.copyfile(os.path.join(args.recorded, folder, name),
                            os.path.join(args.stretched, folder, moved.strftime("%Y%m%d_%H%M%S.txt")))


if __name__ == "__main__":
    main()
