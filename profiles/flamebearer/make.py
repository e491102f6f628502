"""Writes flame graphs in Pyroscope's flamebearer layout from memray captures.

    /opt/memray-v13/bin/python profiles/flamebearer/make.py     (from the root of the repository)

Pyroscope draws levels of bars: offset to the end of the bar before, total, own part, name; a
comparison has the first three for both sides. Children are sorted by name. What is live at the
end is written, once per capture and as a comparison of two.
"""

import json

from memray import FileReader


def tree(path):
    root = {"self": 0, "children": {}}
    for record in FileReader(path).get_leaked_allocation_records(merge_threads=True):
        node = root
        for function, file, line in reversed(record.stack_trace()):
            name = f"{file}:{line} - {function}"
            node = node["children"].setdefault(name, {"self": 0, "children": {}})
        node["self"] += record.size
    return root


EMPTY = {"self": 0, "children": {}}


def total(node):
    return node["self"] + sum(total(child) for child in node["children"].values())


def flamebearer(sides, units="bytes"):
    names, number = [], {}
    levels = []
    row = [(sides, [0] * len(sides), "total")]
    while row:
        level, following = [], []
        ends = [0] * len(sides)
        for nodes, starts, name in row:
            if name not in number:
                number[name] = len(names)
                names.append(name)
            for i, node in enumerate(nodes):
                level += [starts[i] - ends[i], total(node), node["self"]]
                ends[i] = starts[i] + total(node)
            level.append(number[name])
            # Own parts stand before the children, as Pyroscope draws them.
            at = [start + node["self"] for start, node in zip(starts, nodes)]
            for child in sorted(set().union(*(node["children"] for node in nodes))):
                parts = [node["children"].get(child, EMPTY) for node in nodes]
                following.append((parts, list(at), child))
                at = [a + total(part) for a, part in zip(at, parts)]
        levels.append(level)
        row = following
    return {
        "version": 1,
        "flamebearer": {
            "names": names,
            "levels": levels,
            "numTicks": sum(total(side) for side in sides),
            "maxSelf": 0,
        },
        "metadata": {
            "format": "double" if len(sides) == 2 else "single",
            "spyName": "pyspy",
            "sampleRate": 100,
            "units": units,
            "name": "service.py",
        },
    }


def write(name, sides):
    with open(f"profiles/flamebearer/{name}.json", "w") as out:
        json.dump(flamebearer(sides), out, separators=(",", ":"))


before = tree("profiles/memray/runs-10.bin")
after = tree("profiles/memray/runs-110.bin")
write("live-10", [before])
write("live-110", [after])
write("difference", [before, after])
