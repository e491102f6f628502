"""Load on the reports service: arrivals of a Poisson process for each endpoint, independent of one
another, by fixed seeds. Phases change the rate of the exports alone.

    python3 load.py --port 8700 --phases 360:0,720:0.28,360:1.06,180:2 --seed 1

A phase is SECONDS:EXPORTS_PER_SECOND. Nothing but the loopback is ever asked.
"""
import argparse
import http.client
import random
import threading
import time

STEADY = {                      # requests a second
    "/project?format=csv&page={page}": 0.5,
    "/project?format=html&page={page}": 0.7,
    "/report/{id}.pdf": 0.4,
    "/health": 0.2,
}
EXPORTS = ["/publisher/{id}/export/", "/publisher/{id}/export.xml"]
PATIENCE = 2.2                  # seconds until a client goes away


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--phases", required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    phases = [tuple(map(float, p.split(":"))) for p in args.phases.split(",")]
    arrivals = []
    whole = sum(s for s, _ in phases)
    for path, rate in STEADY.items():
        t = rng.expovariate(rate)
        while t < whole:
            arrivals.append((t, path))
            t += rng.expovariate(rate)
    start = 0.0
    for seconds, rate in phases:
        t = start + (rng.expovariate(rate) if rate else seconds)
        while t < start + seconds:
            arrivals.append((t, EXPORTS[rng.random() < 0.3]))
            t += rng.expovariate(rate)
        start += seconds
    arrivals.sort()
    begun = time.time()
    slots = threading.BoundedSemaphore(64)
    for at, path in arrivals:
        wait = begun + at - time.time()
        if wait > 0:
            time.sleep(wait)
        path = path.format(id=rng.randrange(6300, 6400), page=rng.randrange(1, 50))
        if slots.acquire(blocking=False):
            def run(path=path):
                try:
                    ask(args.port, path)
                finally:
                    slots.release()
            threading.Thread(target=run, daemon=True).start()
    time.sleep(max(0, begun + whole - time.time()))


if __name__ == "__main__":
    main()
