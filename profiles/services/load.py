"""Load on one of the services: arrivals of a Poisson process for each endpoint, independent of one
another, by a fixed seed, for so many seconds; the access log that a proxy in front would write.

    python3 load.py rules PORT SECONDS access.log
    python3 load.py shop PORT SECONDS access.log
    python3 load.py forwarder - SECONDS access.log -- COMMAND...     starts the forwarder itself

Nothing but the loopback is ever asked.
"""
import http.client
import importlib.util
import os
import random
import subprocess
import sys
import threading
import time

RATES = {                                   # requests a second
    "rules": {"GET /check/{id}": 2.0, "GET /report/{id}": 0.7, "GET /rules?page={page}": 1.1, "GET /health": 0.2},
    "shop": {"GET /visit/{id}": 5.0, "GET /price/{id}": 2.5, "GET /category/{id}": 1.3, "GET /health": 0.2},
    "forwarder": {"POST /logs": 0.5, "PING /": 0.4, "abort": 0.02, "bad_header": 0.05, "bad_length": 0.03,
                  "too_large": 0.02, "unknown_frame": 0.05},
}


class Log:
    def __init__(self, path):
        self.file = open(path, "w", buffering=1)
        self.lock = threading.Lock()

    def write(self, begun, request, status, size):
        ended = time.time()
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S", time.gmtime(ended)) + f".{int(ended % 1 * 1000):03} +0000"
        with self.lock:
            self.file.write(f'127.0.0.1 - - [{stamp}] "{request} HTTP/1.1" {status} {size} "-" "load/1" {ended - begun:.3f}\n')


def arrivals(rates, seconds, rng):
    out = []
    for request, rate in rates.items():
        t = rng.expovariate(rate)
        while t < seconds:
            out.append((t, request))
            t += rng.expovariate(rate)
    return sorted(out)


def paced(todo):
    begun = time.time()
    for at, request in todo:
        wait = begun + at - time.time()
        if wait > 0:
            time.sleep(wait)
        yield request


def web(port, todo, log, rng):
    def ask(request):
        begun = time.time()
        method, path = request.split(" ", 1)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            log.write(begun, request, answer.status, len(answer.read()))
        except OSError:
            log.write(begun, request, 499, 0)
        finally:
            connection.close()

    for request in paced(todo):
        request = request.format(id=rng.randrange(1000, 9999), page=rng.randrange(1, 50))
        threading.Thread(target=ask, args=(request,), daemon=True).start()
    time.sleep(5)


def forwarder(todo, log, command):
    where = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "log-forwarder", "load.py")
    spec = importlib.util.spec_from_file_location("clients", where)
    clients = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(clients)
    destination = clients.Destination()
    program = subprocess.Popen(command, env=dict(os.environ, DESTINATION=str(destination.port)), stdout=subprocess.PIPE, text=True)
    destination.accept()
    port = int(program.stdout.readline())
    # Who samples the forwarder looks here for its process.
    with open(log.file.name + ".pid", "w") as out:
        out.write(str(program.pid))
    pool = [clients.Client(port, i % 2 == 1) for i in range(20)]
    posts = 0
    for request in paced(todo):
        begun = time.time()
        if request == "POST /logs":
            posts += 1
            body = clients.large if posts <= len(pool) or posts % 100 == 60 else clients.regular
            status = pool[posts % len(pool)].post(clients.tag_of(posts), body)
            destination.take()
            log.write(begun, request, status, len(body))
        elif request == "PING /":
            pool[1].ping()
            log.write(begun, request, 200, 0)
        else:
            getattr(clients, request)(port)
            status = {"bad_header": 400, "bad_length": 400, "too_large": 413, "abort": 499, "unknown_frame": 200}[request]
            log.write(begun, f"POST /{request.replace('_', '-')}", status, 0)
    program.terminate()


def main():
    service, port, seconds, path = sys.argv[1:5]
    command = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []
    rng = random.Random(service)
    todo = arrivals(RATES[service], float(seconds), rng)
    if service == "forwarder":
        # Every connection begins with what its client has piled up; that is over before the load.
        todo = [(i * 0.3, "POST /logs") for i in range(20)] + [(t + 10, r) for t, r in todo if t < float(seconds) - 10]
    log = Log(path)
    if service == "forwarder":
        forwarder(todo, log, command)
    else:
        web(int(port), todo, log, rng)


if __name__ == "__main__":
    main()
