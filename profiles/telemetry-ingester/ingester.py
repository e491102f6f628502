"""A telemetry ingester with three planted faults, each with its cure.

    python3 ingester.py --requests 80 --store down              the faults
    python3 ingester.py --requests 80 --store down --cure all   all of them cured
    python3 ingester.py --serve 8080                            the same over HTTP

`load.py` writes the two request bodies, which are read from the current folder.

A request is a gzip-packed MessagePack array of records; each is encoded as one line of 600 bytes
and waits in the buffer of its measurement (there are 100) until the flush after every tenth
request. `--cure` takes any of:

join      A batch is unpacked through a list of chunks and a join, so that it is held twice.
          Cured: into one buffer of its final size.
retries   Records that the store refuses are put back, up to twice the buffer, for ever.
          Cured: three retries, then they are dropped; a success resets the count.
release   The records of a batch of more than 1,000 stay until the next such batch is unpacked.
          Cured: nothing of a batch is kept once its lines are made.
"""

import argparse
import json
import threading
import zlib

import msgpack

MEASUREMENTS = [f"measurement.{i:03}" for i in range(100)]
BUFFER = 50
FLUSH_EVERY = 10
LARGE = 1000
RETRIES = 3
CHUNK = 1 << 16
SERVICES = []  # a service lives until the program ends


class StoreDown(Exception):
    pass


class Store:
    def __init__(self, down):
        self.down = down
        self.written = 0

    def write(self, lines):
        if self.down:
            raise StoreDown()
        self.written += len(lines)


def unpack_joined(body, meet):
    inflater = zlib.decompressobj(31)
    chunks = []
    rest = body
    while not inflater.eof:
        chunks.append(inflater.decompress(rest, CHUNK))
        rest = inflater.unconsumed_tail
    payload = b"".join(chunks)
    meet()
    return payload


def unpack_in_place(body, meet):
    inflater = zlib.decompressobj(31)
    payload = bytearray(int.from_bytes(body[-4:], "little"))
    at = 0
    rest = body
    while not inflater.eof:
        chunk = inflater.decompress(rest, CHUNK)
        payload[at : at + len(chunk)] = chunk
        at += len(chunk)
        rest = inflater.unconsumed_tail
    del chunk
    meet()
    return payload


def encode(record):
    line = f"{record['m']} {record['t']} {record['v']}"
    return line.encode().ljust(600)


class Ingester:
    def __init__(self, store, cures=()):
        self.store = store
        self.cures = set(cures)
        self.buffers = {m: [] for m in MEASUREMENTS}
        self.retry_counts = {m: 0 for m in MEASUREMENTS}
        self.requests = 0
        self.late = None
        self.lock = threading.Lock()

    def handle(self, body, meet=lambda: None):
        """Takes one request; `meet` is called while the whole batch is unpacked."""
        decompress = unpack_in_place if "join" in self.cures else unpack_joined
        payload = decompress(body, meet)
        with memoryview(payload) as view, self.lock:
            if "release" in self.cures:
                self.take(msgpack.records(view, len))
            else:
                large = msgpack.length(view) > LARGE
                if large:
                    self.late = None
                records = list(msgpack.records(view, bytes))
                self.take(records)
                if large:
                    self.late = records
            self.requests += 1
            if self.requests % FLUSH_EVERY == 0:
                self.flush()

    def take(self, records):
        for record in records:
            self.buffers[record["m"]].append(encode(record))

    def flush(self):
        for name, lines in self.buffers.items():
            self.buffers[name] = []
            try:
                self.store.write(lines)
                self.retry_counts[name] = 0
            except StoreDown:
                self.retry_counts[name] += 1
                if "retries" not in self.cures:
                    self.put_back(name, lines)
                elif self.retry_counts[name] <= RETRIES:
                    self.buffers[name] = lines
                else:
                    self.retry_counts[name] = 0

    def put_back(self, name, lines):
        self.buffers[name] = (lines + self.buffers[name])[: 2 * BUFFER]

    def statistics(self):
        sizes = {name: len(lines) for name, lines in self.buffers.items()}
        return {
            "total_records_buffered": sum(sizes.values()),
            "current_buffer_sizes": sizes,
            "retry_counts": dict(self.retry_counts),
        }


def drive(options, ingester):
    with open("small.msgpack.gz", "rb") as file:
        small = file.read()
    with open("large.msgpack.gz", "rb") as file:
        large = file.read()
    polls = []
    if options.concurrent > 1:
        barrier = threading.Barrier(options.concurrent)
        threads = [
            threading.Thread(target=ingester.handle, args=(large, barrier.wait))
            for _ in range(options.concurrent)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(1, options.requests + 1):
        if options.large_every and number % options.large_every == 0:
            ingester.handle(large)
        else:
            ingester.handle(small)
        if options.statistics and number % FLUSH_EVERY == 0:
            seconds = number * 6
            when = f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"
            polls.append({"time": when, **ingester.statistics()})
    if options.statistics:
        with open(options.statistics, "w") as out:
            for poll in polls:
                out.write(json.dumps(poll, separators=(",", ":")) + "\n")


def serve(port, ingester):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            ingester.handle(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def do_GET(self):
            body = json.dumps(ingester.statistics()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--requests", type=int, default=0)
    options.add_argument("--large-every", type=int, default=0, metavar="N")
    options.add_argument("--concurrent", type=int, default=1, metavar="N")
    options.add_argument("--store", choices=["up", "down"], default="up")
    options.add_argument("--cure", default="", metavar="LIST")
    options.add_argument("--statistics", metavar="FILE")
    options.add_argument("--snapshot", metavar="FILE")
    options.add_argument("--serve", type=int, metavar="PORT")
    options = options.parse_args()
    cures = options.cure.replace("all", "join,retries,release").split(",")
    ingester = Ingester(Store(options.store == "down"), cures)
    SERVICES.append(ingester)
    if options.serve:
        serve(options.serve, ingester)
        return
    if options.snapshot:
        import tracemalloc

        tracemalloc.start(12)
    drive(options, ingester)
    if options.snapshot:
        tracemalloc.take_snapshot().dump(options.snapshot)


if __name__ == "__main__":
    main()
