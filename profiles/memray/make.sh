#!/bin/sh
# Makes every capture and oracle of this folder again; run it from the root of the repository.
# Needs Debian's python3 with venv. memray reads only its own version, so each has a folder.
set -eu
here=profiles/memray
mkdir -p /srv/ingest
cp $here/service.py /srv/ingest/
capture() { # VERSION NAME RUNS OPTION...
    bin=/opt/memray-v$1/bin
    name=$2 runs=$3
    shift 3
    $bin/memray run --force -q "$@" -o $here/$name.bin /srv/ingest/service.py "$runs"
    $bin/python $here/oracle.py $here/$name.bin > $here/$name.oracle.json
}
for pair in 10:1.10.0 11:1.15.0 12:1.19.0 13:1.20.0; do
    version=${pair%%:*}
    if ! [ -x /opt/memray-v$version/bin/memray ]; then
        /usr/bin/python3 -m venv /opt/memray-v$version
        /opt/memray-v$version/bin/pip install -q "memray==${pair##*:}"
    fi
    capture $version v$version 40
    capture $version v$version-aggregated 40 --aggregate
    capture $version v$version-native 10 --native
done
for version in 11 13; do
    capture $version v$version-objects 10 --trace-python-allocators
    capture $version v$version-objects-aggregated 10 --trace-python-allocators --aggregate
done
for runs in 10 110 210; do
    capture 13 runs-$runs $runs
    /opt/memray-v13/bin/memray stats --json --force -n 1000 \
        -o $here/runs-$runs.stats.json $here/runs-$runs.bin
done
# A killed program leaves a plain file with a tail of zeros and no end mark.
/opt/memray-v13/bin/memray run --force -q -o $here/killed.bin -c '
import os, sys
sys.argv = ["service.py", "10"]
exec(compile(open("/srv/ingest/service.py").read(), "/srv/ingest/service.py", "exec"))
os.kill(os.getpid(), 9)' || true
