"""What is planted, counted without heapdiff: by the collector, and by a walk of its own.

make.sh runs it with the Python of the captures; it prints truth.json.
"""

import gc
import json
import sys

import engine

RUNS = 40


def unreachable(runs, held, cured):
    """What the collector finds after some runs that happened while it was off."""
    gc.collect()
    engine.work(runs, 0, held, cured)
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    found = list(gc.garbage)
    gc.garbage.clear()
    gc.set_debug(0)
    return found


def owned(found):
    """The unreachable objects and what only they refer to, by reference counts. Works on ids:
    nothing here may add a reference."""
    mine = {id(obj) for obj in found}
    objects = list(found)
    for obj in objects:  # grows while it is walked
        for ref in gc.get_referents(obj):
            if id(ref) not in mine and not gc.is_tracked(ref) and type(ref) is not type(None):
                mine.add(id(ref))
                objects.append(ref)
    obj = ref = None
    while True:
        inner = {}
        for obj in objects:
            for ref in gc.get_referents(obj):
                inner[id(ref)] = inner.get(id(ref), 0) + 1
        obj = ref = None
        # Besides: the list `objects`, the variable of the loop, and
        # the argument of getrefcount.
        named = {id(obj) for obj in found}
        keep = [obj for obj in objects if id(obj) in named
                or sys.getrefcount(obj) - 3 <= inner.get(id(obj), 0)]
        if len(keep) == len(objects):
            return objects
        objects = keep


def reached(start):
    """Ids of what an object refers to, directly or not. What leads to everything is not passed:
    modules, types, functions, and the frames that called the broker's."""
    wall = (type, type(sys), type(reached), type(reached.__code__))
    callers = ("work", "unreachable", "main", "<module>")
    seen, pending = {}, [start]
    while pending:
        obj = pending.pop()
        if type(obj).__name__ == "frame" and obj.f_code.co_name in callers:
            continue
        if id(obj) not in seen and not isinstance(obj, wall) and obj is not vars(engine):
            seen[id(obj)] = obj
            pending.extend(gc.get_referents(obj))
    return seen


def component(broker):
    """The objects that a broker reaches and that reach it."""
    return [obj for number, obj in reached(broker).items() if id(broker) in reached(obj)]


def count(objects):
    names = {}
    for obj in objects:
        names[type(obj).__name__] = names.get(type(obj).__name__, 0) + 1
    return dict(sorted(names.items()))


def main():
    gc.disable()
    engine.work(1, 100, False, False)  # imports the catalog
    truth = {"python": "%d.%d.%d" % sys.version_info[:3], "runs": [0, 10, 20, 40]}

    found = unreachable(RUNS, False, False)
    everything = owned(found)
    # All runs of a batch have one caller; its frame, which their frames keep, is no broker's.
    shared = [obj for obj in found if type(obj).__name__ == "frame"
              and obj.f_code.co_name == "work"]
    brokers = [obj for obj in found if type(obj) is engine.Broker]
    one = component(brokers[3])
    truth["off"] = {
        "brokers_per_run": len(brokers) / RUNS,
        "objects": count(everything),
        "bytes_per_run": (sum(map(sys.getsizeof, everything))
                          - sum(map(sys.getsizeof, shared))) / RUNS,
        "cycle": count(one),
        "cycle_objects": len(one),
        "cycle_bytes": sum(map(sys.getsizeof, one)),
        "log_bytes": sys.getsizeof(brokers[3].results[engine.read_log]),
    }
    del found, everything, shared, brokers, one

    found = unreachable(RUNS, True, False)
    truth["held"] = {"brokers_per_run": len(engine.REGISTRY.brokers) / RUNS,
                     "unreachable_brokers": count(found).get("Broker", 0)}
    engine.REGISTRY.brokers.clear()
    del found
    gc.collect()
    for name, held in (("cured", False), ("held_cured", True)):
        found = unreachable(RUNS, held, True)
        alive = [obj for obj in gc.get_objects() if type(obj) is engine.Broker]
        truth[name] = {"brokers_alive": len(alive), "unreachable": len(found)}
        del found, alive
    truth["cache"] = {"entries": len(engine.PATTERNS), "most": engine.CACHED}
    print(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main()
