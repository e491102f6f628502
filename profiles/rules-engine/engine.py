"""A small rules engine with a planted retention cycle.

A broker runs the components of one run in order, over the log of one host, and keeps what each
gave; where a component fails it keeps the exception, with its traceback, for the report. The
frames of the traceback refer to the broker: broker -> exception -> traceback -> frame -> broker.
Nothing else refers to a finished broker, but only the cyclic collector can free it.

    --collector off   the process has switched the cyclic collector off
    --held            a registry keeps the brokers of all runs
    --cured           an exception is kept without its traceback; the registry forgets finished runs

Innocent: PATTERNS is a cache of at most 16 entries; catalog.py is imported by the first run.
"""

import gc
import sys

LOG = 20000      # bytes of a host's log
CACHED = 16      # entries of PATTERNS at most
PATTERNS = {}    # prepared patterns by host; the first 16 runs fill it


class RuleError(Exception):
    """What a component raises when it cannot decide."""


class Missing(RuleError):
    """A component needs what another one could not give."""


class Registry:
    """Brokers by host, for a report on all of them."""

    def __init__(self):
        self.brokers = {}

    def enter(self, host, broker):
        self.brokers[host] = broker

    def leave(self, host):
        del self.brokers[host]


class Broker:
    """One run: the results and the exceptions of the components."""

    def __init__(self, host, cured):
        self.host = host
        self.cured = cured
        self.results = {}
        self.exceptions = {}

    def add_exception(self, component, error):
        if self.cured:
            error = error.with_traceback(None)
        self.exceptions[component] = error

    def run(self, components):
        for component in components:
            try:
                self.results[component] = component(self)
            except RuleError as error:
                self.add_exception(component, error)


def read_log(broker):
    """The log of the host."""
    return (b"%d error;" % broker.host * LOG)[:LOG]


def match(broker):
    """Lines that the pattern of the host finds."""
    pattern = PATTERNS.get(broker.host)
    if pattern is None:
        pattern = bytes(str(broker.host % 10), "ascii") * 2
        if len(PATTERNS) < CACHED:
            PATTERNS[broker.host] = pattern
    return broker.results[read_log].count(pattern)


def classify(broker):
    """Names the severity of what was found; its table is loaded when it is first needed."""
    import catalog
    return catalog.severity(broker.results[match])


def inventory(broker):
    """Fails on each host: what it needs is not in the log."""
    if b"packages" not in broker.results[read_log]:
        raise Missing("no list of packages")


COMPONENTS = [read_log, match, classify, inventory]
REGISTRY = Registry()


def work(runs, first, held, cured):
    """Completes `runs` runs."""
    for host in range(first, first + runs):
        broker = Broker(host, cured)
        if held:
            REGISTRY.enter(host, broker)
        broker.run(COMPONENTS)
        if held and cured:
            REGISTRY.leave(host)


def main(argv):
    options = [word for word in argv if word.startswith("--")]
    kind, collector, mode, name = [word for word in argv if not word.startswith("--")]
    held, cured = "--held" in options, "--cured" in options
    if collector == "off":
        gc.disable()
    if kind == "graph":
        import heapdiff_capture
    else:
        import tracemalloc
        tracemalloc.start(8)
    done = 0
    for runs in (0, 10, 20, 40):
        work(runs - done, done, held, cured)
        done = runs
        if kind == "graph":
            heapdiff_capture.dump(name % runs, run=runs, gc=mode, workload="rules engine")
        else:
            if mode == "full":
                gc.collect()
            tracemalloc.take_snapshot().dump(name % runs)


if __name__ == "__main__":
    main(sys.argv[1:])
