"""Objects and bytes of each class of a dump, by Python's json."""
import json
import sys

classes, objects, references = {}, [], 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    row = json.loads(line)
    if row.get("type") in ("CLASS", "MODULE") and "name" in row:
        classes[row["address"]] = row["name"]
    if "address" in row and row["type"] != "SHAPE":
        objects.append(row)
        references += len(row.get("references", []))
counts = {}
for row in objects:
    if row["type"] == "OBJECT":
        name = classes.get(row.get("class"))
        if name is not None:
            count, size = counts.get(name, (0, 0))
            counts[name] = (count + 1, size + row.get("memsize", 0))
out = {"objects": len(objects), "references": references,
       "bytes": sum(row.get("memsize", 0) for row in objects),
       "classes": {name: {"count": n, "bytes": b} for name, (n, b) in sorted(counts.items())}}
print(json.dumps(out, indent=1))
