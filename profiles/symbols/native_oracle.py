"""What memray names in a capture with native stacks: python3 native_oracle.py CAPTURE > ORACLE.

Of what is held at the end: bytes, blocks, and the frames of the library, leaf first, with the
Python function below them.
"""

import collections
import json
import sys

from memray import FileReader

sums = collections.defaultdict(lambda: [0, 0])
for record in FileReader(sys.argv[1]).get_leaked_allocation_records(merge_threads=True):
    stack = [tuple(frame) for frame in record.hybrid_stack_trace()]
    library = [frame for frame in stack if frame[1].endswith("counter.c")]
    if library:
        python = [frame[0] for frame in stack if frame[1].endswith("counter.py")]
        key = (tuple(library), tuple(python[:1]))
        sums[key][0] += record.size
        sums[key][1] += record.n_allocations
rows = [[list(frames), list(python), *values] for (frames, python), values in sums.items()]
json.dump(sorted(rows, key=str), sys.stdout, indent=1)
