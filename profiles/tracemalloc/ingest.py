"""A small ingestion program with planted faults.

    python3 ingest.py RUNS [--dump FILE] [--frames N]

Each run parses one batch of records. Planted:
- `remember` keeps one bytes object of 1,000 bytes of payload per run: it grows for ever;
- `enrich` keeps one entry per distinct tenant, of which there are 20: it grows until run 20;
- `parse` makes all the records of a batch and drops them: nothing stays.
With --dump a tracemalloc snapshot is written after the last run; with --own only what this file
allocated is kept in it; with --protocol it is pickled anew with that protocol.
"""

import argparse
import gc
import pickle
import tracemalloc

SEEN = [None] * 4096  # long enough that remembering never resizes it
TENANTS = {}


def parse(run):
    return [f"record {run} {i} ".ljust(600, ".") for i in range(50)]


def remember(run):
    SEEN[run] = bytes(1000)


def enrich(run):
    tenant = run % 20
    if tenant not in TENANTS:
        TENANTS[tenant] = bytearray(2000)
    return TENANTS[tenant]


def ingest(run):
    records = parse(run)
    enrich(run)
    remember(run)
    return len(records)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("runs", type=int)
    options.add_argument("--dump")
    options.add_argument("--frames", type=int, default=10)
    options.add_argument("--own", action="store_true")
    options.add_argument("--protocol", type=int)
    options = options.parse_args()
    if options.dump:
        tracemalloc.start(options.frames)
    import json  # after the start, so that a real capture holds more than this file
    import logging

    log = logging.getLogger("ingest")
    for run in range(options.runs):
        log.debug(json.dumps({"run": run, "records": ingest(run)}))
    gc.collect()
    if options.dump:
        snapshot = tracemalloc.take_snapshot()
        if options.own:
            snapshot = snapshot.filter_traces([tracemalloc.Filter(True, __file__)])
        if options.protocol is None:
            snapshot.dump(options.dump)
        else:
            with open(options.dump, "wb") as out:
                pickle.dump(snapshot, out, options.protocol)


main()
