"""Calls counter.c on every run: counter.py RUNS."""

import ctypes
import sys

LIBRARY = ctypes.CDLL("/srv/shop/libcounter.so")


def count(run):
    LIBRARY.keep_with_thread(run)


for run in range(int(sys.argv[1])):
    count(run)
