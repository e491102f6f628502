#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
# PYTHONS names other interpreters, such as "python3.8 python3.13"; each adds python-VERSION.pickle.
set -eu
here=profiles/tracemalloc
mkdir -p /srv/ingest
cp $here/ingest.py /srv/ingest/
for n in 10 110 210; do
    /usr/bin/python3 -P /srv/ingest/ingest.py $n --dump $here/runs-$n.pickle
done
/usr/bin/python3 $here/oracle.py $here/runs-10.pickle $here/runs-110.pickle > $here/compare-10-110.json
for p in 0 1 2 3 4 5; do
    /usr/bin/python3 /srv/ingest/ingest.py 5 --own --protocol $p --dump $here/protocol-$p.pickle
done
/usr/bin/python3 /srv/ingest/ingest.py 30 --frames 1 --dump $here/one-frame.pickle
/usr/bin/python3 - <<'END'
import pickle, tracemalloc
here = "profiles/tracemalloc/"
pair = [tracemalloc.Snapshot.load(f"{here}protocol-{p}.pickle") for p in (4, 5)]
pickle.dump({"before": pair[0], "after": pair[1]}, open(here + "dictionary.pickle", "wb"))
pickle.dump(pair, open(here + "list.pickle", "wb"))
END
for python in ${PYTHONS:-}; do
    version=$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    $python /srv/ingest/ingest.py 5 --own --dump $here/python-$version.pickle
done
