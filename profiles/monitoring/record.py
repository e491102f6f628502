"""A small web application with a planted leak, its load, and a sampler of /proc: real samples.

    python3 record.py SECONDS OUT

Each GET /publisher/N/export/ keeps 1 MiB for good and takes 0.3 to 0.5 s; all other requests keep
nothing. The samples are taken every 0.25 s. stretch.py then multiplies all times by a factor.
"""

import csv
import http.client
import math
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEPT = []
KEEP = 1 << 20
SERVED = [0]


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        start = time.time()
        status, body = 200, b"ok\n"
        if "/export" in self.path:
            rows = [b"<row>%d</row>" % i for i in range(2000)]
            time.sleep(random.uniform(0.3, 0.5))
            KEPT.append(bytes(KEEP))
            KEPT[-1] = bytearray(os.urandom(64)) + KEPT[-1]
            body = b"".join(rows)
        elif self.path.startswith("/search"):
            body = b"x" * random.randrange(1000, 50000)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        SERVED[0] += 1
        end = time.time()
        LOG.write(
            '127.0.0.1 - - [%.3f] "GET %s HTTP/1.1" %d %d "-" "load/1" %.4f\n'
            % (end, self.path, status, len(body), end - start)
        )

    def log_message(self, *args):
        pass


def ask(port, path):
    try:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request("GET", path)
        c.getresponse().read()
        c.close()
    except OSError:
        pass


def load(port, until, day):
    """Poisson load with a rhythm of one `day` seconds."""
    begun = time.time()
    paths = ["/", "/login", "/search?q=%d", "/users/%d", "/orders/%d/items", "/health"]
    while time.time() < until:
        rhythm = 1 + 0.5 * math.sin(2 * math.pi * (time.time() - begun) / day)
        time.sleep(random.expovariate(12 * rhythm))
        if random.random() < 0.04:
            path = "/publisher/%d/export/" % random.randrange(6000, 6400)
        else:
            path = random.choice(paths)
            path = path % random.randrange(1000) if "%d" in path else path
        threading.Thread(target=ask, args=(port, path), daemon=True).start()


def sample(out, until):
    with open("/proc/self/stat") as f:
        ticks = os.sysconf("SC_CLK_TCK")
    writer = csv.writer(out)
    writer.writerow(["timestamp", "rss_kb", "anon_kb", "vsz_kb", "cpu_seconds_total", "open_fds", "threads", "requests_total"])
    while time.time() < until:
        status = dict(
            line.split(":", 1) for line in open("/proc/self/status") if ":" in line
        )
        kb = lambda key: int(status[key].split()[0])
        stat = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
        cpu = (int(stat[11]) + int(stat[12])) / ticks
        writer.writerow(
            ["%.3f" % time.time(), kb("VmRSS"), kb("RssAnon"), kb("VmSize"), cpu,
             len(os.listdir("/proc/self/fd")), kb("Threads"), SERVED[0]]
        )
        time.sleep(0.25)


if __name__ == "__main__":
    seconds, folder = float(sys.argv[1]), sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    LOG = open(os.path.join(folder, "access.raw.log"), "w")
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    until = time.time() + seconds
    threading.Thread(target=load, args=(server.server_port, until, seconds), daemon=True).start()
    with open(os.path.join(folder, "webapp.raw.csv"), "w") as out:
        sample(out, until)
    LOG.close()
    print("kept", len(KEPT), "x", KEEP)
