"""A shop of allocations, each in its own line and of its own size, all of them kept.

`#@ name` marks the line that the table of true pairs knows by this name.
"""
import pickle
import sys
import tracemalloc

held = []


def header(n):
    held.append(bytearray(10_007 + n))  #@ header
    field(n)


def field(n):
    held.append(bytearray(10_103 + n))  #@ field-first
    held.append(bytearray(10_211 + n))  #@ field-second


class File:
    def emit(self, n):
        held.append(bytearray(10_301 + n))  #@ file-emit


class Network:
    def __init__(self, n):
        self.room = bytearray(10_427 + n)  #@ network-room
        held.append(self.room)

    def emit(self, n):
        held.append(bytearray(10_501 + n))  #@ network-emit


def helper(n):
    return bytearray(n)  #@ helper


def caller_one():
    held.append(helper(10_601))  #@ via caller-one


def caller_two():
    held.append(helper(10_709))  #@ via caller-two
    held.append(helper(10_831))  #@ via caller-two-again


def transforms(n):
    double = lambda k: held.append(bytearray(10_903 + k))  #@ transforms-double
    triple = lambda k: held.append(bytearray(11_003 + k))  #@ transforms-triple
    double(n)
    triple(n)
    held.append([bytearray(k) for k in (11_113,)])  #@ transforms-list
    held.append({k: bytearray(k) for k in (11_213,)})  #@ transforms-dict
    held.extend(bytearray(k) for k in (11_311,))  #@ transforms-generator


def plan(depth, n):
    if depth == 0:
        held.append(bytearray(11_411 + n))  #@ plan-leaf
        return
    held.append(bytearray(11_400 + 100 * depth + n))  #@ plan-step
    plan(depth - 1, n)


def cache(n):
    held.append(bytearray(11_701 + n))  #@ cache-first
    held.append(bytearray(11_801 + n))  #@ cache-second
    held.append(bytearray(11_903 + n))  #@ cache-third


def encode(n):
    held.append(b"x" * (12_007 + n))  #@ encode-bytes
    held.append("y" * (12_101 + n))  #@ encode-text


def session(n):
    def inner(k):
        held.append(bytearray(12_203 + k))  #@ session-inner

    inner(n)
    held.append(list(range(1_500 + n)))  #@ session-list


def run(n):
    header(n)
    for sink in (File(), Network(n)):
        sink.emit(n)
    caller_one()
    caller_two()
    transforms(n)
    plan(2, n)
    cache(n)
    encode(n)
    session(n)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tracemalloc.start(25)
        run(0)
        snapshot = tracemalloc.take_snapshot()
        with open(sys.argv[1], "wb") as out:
            pickle.dump(snapshot, out, 4)
    else:
        run(0)
