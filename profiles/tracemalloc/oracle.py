"""Python's own comparison of two snapshots, as JSON: python3 oracle.py BEFORE AFTER > ORACLE."""

import json
import sys
import tracemalloc

before, after = (tracemalloc.Snapshot.load(path) for path in sys.argv[1:3])


def total(snapshot):
    traces = snapshot.traces._traces
    return {"bytes": sum(t[1] for t in traces), "blocks": len(traces)}


def rows(key):
    return [
        {
            "frames": [[f.filename, f.lineno] for f in d.traceback],
            "size": d.size,
            "size_diff": d.size_diff,
            "count": d.count,
            "count_diff": d.count_diff,
        }
        for d in after.compare_to(before, key)
    ]


json.dump(
    {
        "limit": after.traceback_limit,
        "before": total(before),
        "after": total(after),
        "lineno": rows("lineno"),
        "filename": rows("filename"),
        "traceback": [r for r in rows("traceback") if r["size_diff"]][:100],
    },
    sys.stdout,
    indent=None,
    separators=(",", ":"),
)
