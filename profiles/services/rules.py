"""The rules engine of ../rules-engine behind HTTP, with the collector off, so that each check keeps
its broker. Counters by prometheus_client, under /metrics.

    python3 rules.py PORT
"""
import gc
import os
import socketserver
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rules-engine"))
import engine
import prometheus_client

REQUESTS = prometheus_client.Counter("http_requests", "Requests by endpoint.", ["endpoint"])
BROKERS = prometheus_client.Gauge("rules_hosts_waiting", "Hosts whose check has begun and not ended.")


class Handler(socketserver.StreamRequestHandler):
    """Reads the request line alone: the library's parser of headers leaves cycles of its own."""

    def handle(self):
        words = self.rfile.readline().split()
        while self.rfile.readline().strip():
            pass
        path = words[1].decode() if len(words) > 1 else "/"
        kind = path.split("/")[1].split("?")[0]
        body = b"ok\n"
        if kind == "check":
            with BROKERS.track_inprogress():
                engine.work(1, int(path.split("/")[2]), False, False)
        elif kind == "report":
            rows = [f"host {i} ".ljust(400, ".") for i in range(2000)]
            body = "".join(rows).encode()
        elif kind == "rules":
            body = repr([c.__name__ for c in engine.COMPONENTS]).encode()
        elif kind == "metrics":
            body = prometheus_client.generate_latest()
        if kind != "metrics":
            REQUESTS.labels(kind).inc()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 64


if __name__ == "__main__":
    gc.disable()
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
