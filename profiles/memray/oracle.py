"""What memray's own reader says about a capture, as JSON: python3 oracle.py CAPTURE > ORACLE.

By Python stack, leaf first: blocks and bytes at the peak, at the end, freed at once (temporary,
threshold 1), and of all allocations; sums, and the 60 stacks of most bytes.
"""

import collections
import json
import sys

from memray import FileReader

FREES = {"FREE", "MUNMAP", "PYMALLOC_FREE"}


def name(allocator):
    from memray import AllocatorType

    return AllocatorType(allocator).name


def by_stack(records):
    sums = collections.defaultdict(lambda: [0, 0])
    for record in records:
        if name(record.allocator) in FREES:
            continue
        stack = tuple(tuple(frame) for frame in record.stack_trace())
        sums[stack][0] += record.n_allocations
        sums[stack][1] += record.size
    rows = [[list(stack), *values] for stack, values in sums.items()]
    rows.sort(key=lambda row: (-row[2], str(row[0])))
    return {
        "stacks": len(rows),
        "blocks": sum(row[1] for row in rows),
        "bytes": sum(row[2] for row in rows),
        "rows": rows[:60],
    }


reader = FileReader(sys.argv[1])
metadata = reader.metadata
out = {
    "command_line": metadata.command_line,
    "pid": metadata.pid,
    "peak_memory": metadata.peak_memory,
    "total_allocations": metadata.total_allocations,
    "peak": by_stack(reader.get_high_watermark_allocation_records(merge_threads=True)),
    "live": by_stack(reader.get_leaked_allocation_records(merge_threads=True)),
}
try:
    out["temporary"] = by_stack(
        reader.get_temporary_allocation_records(threshold=1, merge_threads=True)
    )
    out["total"] = by_stack(reader.get_allocation_records())
except Exception as error:  # an aggregated file has neither
    out["absent"] = str(error)
json.dump(out, sys.stdout, separators=(",", ":"))
