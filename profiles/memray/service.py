"""A small service with planted faults, to be run under memray: service.py RUNS.

Per run:
- `keep` keeps a bytearray of 3,000 bytes in a list of fixed length: it grows for ever;
- `burst` holds 400,000 bytes twice for a moment: this is the peak;
- `collect` lets a bytearray grow by appending (realloc) and drops it;
- `background`, on its own thread, keeps 5,000 bytes in a queue of eight: a level;
- `map_pages` maps 64 KiB; every tenth mapping is kept, the others are closed;
- `descend` calls itself thirty times and allocates at the bottom.
"""

import collections
import mmap
import sys
import threading

KEPT = [None] * 4096
RECENT = collections.deque(maxlen=8)
MAPPED = [None] * 4096


def keep(run):
    KEPT[run] = bytearray(3000)


def burst():
    payload = bytes(400_000)
    return len(
        payload
        + b"."
    )


def collect():
    grown = bytearray()
    for _ in range(20):
        grown += b"x" * 700
    return len(grown)


def background(run):
    RECENT.append(bytes(5000 + run % 3))


def map_pages(run):
    pages = mmap.mmap(-1, 1 << 16)
    pages[:4] = b"page"
    if run % 10 == 0:
        MAPPED[run] = pages
    else:
        pages.close()


def descend(depth):
    if depth:
        return descend(depth - 1)
    return sum(len(part) for part in [bytes(1500) for _ in range(3)])


def main(runs):
    for run in range(runs):
        keep(run)
        burst()
        collect()
        worker = threading.Thread(target=background, args=(run,))
        worker.start()
        worker.join()
        map_pages(run)
        descend(30)


if __name__ == "__main__":
    main(int(sys.argv[1]))
