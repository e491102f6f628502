"""Stretches the times of a recording: a day out of twelve minutes.

    python3 stretch.py FACTOR BEGIN RAW.csv RAW.log OUT.csv OUT.log
"""

import re
import sys
from datetime import datetime, timezone

factor, begin = float(sys.argv[1]), float(sys.argv[2])
rows = open(sys.argv[3]).read().splitlines()
first = float(rows[1].split(",")[0])
at = lambda t: begin + (float(t) - first) * factor
with open(sys.argv[5], "w") as out:
    out.write(rows[0] + "\n")
    for row in rows[1:]:
        stamp, rest = row.split(",", 1)
        out.write("%.3f,%s\n" % (at(stamp), rest))
with open(sys.argv[6], "w") as out:
    for line in sorted(open(sys.argv[4]), key=lambda l: float(l[l.index("[") + 1 : l.index("]")])):
        stamp = line[line.index("[") + 1 : line.index("]")]
        moment = datetime.fromtimestamp(at(stamp), timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000")
        head, took = line.rstrip().rsplit(" ", 1)
        out.write(head.replace(stamp, moment) + " %.3f\n" % (float(took) * factor))
