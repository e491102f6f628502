#!/usr/bin/env python3
"""Copies a heaptrack recording without a prefix of its paths: relative.py PREFIX <in >out.

A string is a line `s LENGTH BYTES` with the length in hexadecimal.
"""

import sys

prefix = sys.argv[1].rstrip("/").encode() + b"/"
for line in sys.stdin.buffer:
    if line.startswith(b"s "):
        text = line.split(b" ", 2)[2].rstrip(b"\n").removeprefix(prefix)
        line = b"s %x %s\n" % (len(text), text)
    sys.stdout.buffer.write(line)
