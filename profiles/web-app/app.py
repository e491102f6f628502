"""A small web application of two services, with a planted fault.

`reports` answers pages, exports and PDF reports; `backend` holds the items that they show.

The fault is in one family of endpoints, /publisher/ID/export/ and /publisher/ID/export.xml: an
export asks the backend for one item at a time, builds the whole document before it answers, and
the document stays in `Exports.finished`, which nobody empties. The backend keeps the result sets
of exports in `Store.sessions` as well. An export takes long and holds a worker; there are few
workers, so that everything else waits and times out: the victims.

`--cured` streams: items in pages of 25, written as they come, nothing kept on either side.

    python3 app.py backend --port 8701 [--cured]
    python3 app.py reports --port 8700 --backend 8701 --access access.log --error error.log [--cured]
    python3 app.py trace --out FOLDER [--cured]      tracemalloc snapshots after 10, 20, 40, 80 exports
    python3 app.py trace --out FOLDER --fields 200 --stages 1,2,4,8     the same on items of full size
"""
import argparse
import gc
import http.client
import http.server
import json
import os
import random
import sys
import threading
import time
import tracemalloc
import xml.etree.ElementTree as ET

ITEMS = 100            # of a publisher
FIELDS = 200           # of an item
WORKERS = 3            # requests that are worked on at once
PATIENCE = 2.0         # seconds until the front gives a request up
DATABASE = 0.0115      # seconds that a look-up takes


def item(publisher, number):
    """One item; the same each time."""
    return {"id": number, "fields": {f"f{k:03}": f"{publisher}-{number}-{k}-{(number * 7919 + k * 104729) % 10 ** 9:09}" for k in range(FIELDS)}}


# The backend.

class Store:
    """Answers look-ups. Sessions are the result sets of exports, by request."""

    def __init__(self, cured):
        self.cured = cured
        self.sessions = {}
        self.lock = threading.Lock()

    def find(self, publisher, first, count, session):
        time.sleep(DATABASE)
        rows = [item(publisher, n) for n in range(first, min(first + count, ITEMS))]
        if session and not self.cured:
            # Two rows in five stay in the session, which nobody closes.
            with self.lock:
                self.sessions.setdefault(session, []).extend(r for r in rows if r["id"] % 5 < 2)
        return rows


# The reports service.

class Exports:
    """Documents by publisher and time. `finished` is only added to."""

    def __init__(self, fetch, cured):
        self.fetch = fetch
        self.cured = cured
        self.finished = {}

    def add_item(self, parent, row):
        element = ET.SubElement(parent, "item", {"id": str(row["id"])})
        for name, value in row["fields"].items():
            ET.SubElement(element, name).text = value
        return element

    def serialise(self, publisher, request):
        """The whole document, built before the first byte of it is sent."""
        root = ET.Element("publisher", {"id": publisher})
        for n in range(ITEMS):
            for row in self.fetch(publisher, n, 1, request):
                self.add_item(root, row)
        self.finished[request] = root
        yield ET.tostring(root)

    def stream(self, publisher, request):
        """The document in parts, each given up when it is sent."""
        yield b'<publisher id="%s">' % publisher.encode()
        for first in range(0, ITEMS, 25):
            part = ET.Element("part")
            for row in self.fetch(publisher, first, 25, request):
                yield ET.tostring(self.add_item(part, row))
        yield b"</publisher>"

    def export(self, publisher, request):
        return (self.stream if self.cured else self.serialise)(publisher, request)


class Log:
    def __init__(self, path):
        self.file = open(path, "a", buffering=1) if path else None
        self.lock = threading.Lock()

    def write(self, line):
        if self.file:
            with self.lock:
                self.file.write(line + "\n")


def stamp(t):
    """Local time as nginx writes it, with milliseconds for the stretching."""
    return time.strftime("%d/%b/%Y:%H:%M:%S", time.gmtime(t)) + f".{int(t % 1 * 1000):03} +0000"


def error_stamp(t):
    return time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(t)) + f".{int(t % 1 * 1000):03}"


def reports(args):
    access, errors = Log(args.access), Log(args.error)
    workers = threading.BoundedSemaphore(WORKERS)
    counts = {"requests": 0, "exports": 0}
    pool = threading.local()

    def fetch(publisher, first, count, request):
        for attempt in (1, 2):
            connection = getattr(pool, "connection", None)
            if connection is None:
                connection = pool.connection = http.client.HTTPConnection("127.0.0.1", args.backend, timeout=10)
                errors.write(f'{error_stamp(time.time())} [info] New connection for "backend"')
            try:
                connection.request("GET", f"/items?publisher={publisher}&first={first}&count={count}&session={request}")
                return json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException):
                pool.connection = None
                if attempt == 2:
                    raise

    exports = Exports(fetch, args.cured)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16              # one packet an answer
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def do_GET(self):
            begun = time.time()
            counts["requests"] += 1
            path = self.path.split("?")[0]
            status, size = 200, 0
            if not workers.acquire(timeout=PATIENCE):
                status = 504
                errors.write(f'{error_stamp(time.time())} [error] 1#1: *{counts["requests"]} upstream timed out (110: Operation timed out) while reading response header from upstream, request: "GET {self.path} HTTP/1.1"')
            try:
                if status == 200:
                    try:
                        status, size = self.answer(path, begun)
                    finally:
                        workers.release()
                else:
                    size = self.send(status, b"timed out\n")
            except (BrokenPipeError, ConnectionResetError):
                status = 499
                errors.write(f"{error_stamp(time.time())} [info] Client closed local connection")
            ended = time.time()
            access.write(f'127.0.0.1 - - [{stamp(ended)}] "GET {self.path} HTTP/1.1" {status} {size} "-" "load/1" {ended - begun:.3f}')

        def send(self, status, body, kind="text/plain"):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return len(body)

        def answer(self, path, begun):
            parts = path.strip("/").split("/")
            if len(parts) == 3 and parts[0] == "publisher" and parts[2] in ("export", "export.xml"):
                counts["exports"] += 1
                size = 0
                self.send_response(200)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in exports.export(parts[1], f"{counts['requests']}"):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    size += len(part)
                self.wfile.write(b"0\r\n\r\n")
                return 200, size
            if path == "/project":
                rows = fetch("7", random.randrange(90), 5, "")
                return 200, self.send(200, "\n".join(",".join(r["fields"].values()) for r in rows).encode(), "text/csv")
            if parts[0] == "report":
                time.sleep(0.02)
                return 200, self.send(200, bytes(20_000), "application/pdf")
            if path == "/metrics":
                return 200, self.send(200, self.metrics().encode())
            return 200, self.send(200, b"ok\n")

        def metrics(self):
            lines = [f"http_requests_total {counts['requests']}", f"exports_total {counts['exports']}", f"threads {threading.active_count()}"]
            for k, s in enumerate(gc.get_stats()):
                lines.append(f'python_gc_collections_total{{generation="{k}"}} {s["collections"]}')
                lines.append(f'python_gc_objects_collected_total{{generation="{k}"}} {s["collected"]}')
            return "\n".join(lines) + "\n"

    serve(Handler, args.port)


def backend(args):
    store = Store(args.cured)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16              # one packet an answer
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def do_GET(self):
            query = dict(p.split("=", 1) for p in self.path.partition("?")[2].split("&") if "=" in p)
            rows = store.find(query.get("publisher", "0"), int(query.get("first", 0)), int(query.get("count", 1)), query.get("session", ""))
            body = json.dumps(rows).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    serve(Handler, args.port)


def serve(handler, port):
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
    Server(("127.0.0.1", port), handler).serve_forever()


def trace(args):
    """Exports in one process, with a snapshot of tracemalloc after each stage."""
    os.makedirs(args.out, exist_ok=True)
    store = Store(args.cured)
    tracemalloc.start(12)
    service = Exports(store.find, args.cured)
    global DATABASE, FIELDS
    DATABASE, FIELDS = 0, args.fields   # few fields: a snapshot holds every block

    def export(first, last):
        for number in range(first, last):
            for _ in service.export(str(6300 + number % 9), str(number)):
                pass

    # What the first exports import and cache belongs to none of those that are counted.
    export(-5, 0)
    service.finished.clear()
    store.sessions.clear()
    done = 0
    for stage in args.stages:
        export(done, stage)
        done = stage
        gc.collect()
        tracemalloc.take_snapshot().dump(os.path.join(args.out, f"exports-{stage:02}.snapshot"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["backend", "reports", "trace"])
    parser.add_argument("--port", type=int)
    parser.add_argument("--backend", type=int)
    parser.add_argument("--access")
    parser.add_argument("--error")
    parser.add_argument("--out")
    parser.add_argument("--cured", action="store_true")
    parser.add_argument("--fields", type=int, default=5, help="of an item, for trace")
    parser.add_argument("--stages", type=lambda t: [int(n) for n in t.split(",")], default=[10, 20, 40, 80])
    args = parser.parse_args()
    {"backend": backend, "reports": reports, "trace": trace}[args.role](args)


if __name__ == "__main__":
    main()
