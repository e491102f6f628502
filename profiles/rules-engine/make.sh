#!/bin/sh
# Makes every capture again: sh profiles/rules-engine/make.sh [PYTHON], from the root of the
# repository. Needs CPython 3.11 and zstd; takes ten seconds.
set -eu
python=${1:-python3.11}
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
app=/srv/engine
rm -rf "$app" && mkdir -p "$app" && cd "$app"
cp "$here/engine.py" "$here/catalog.py" "$here/oracle.py" "$top/capture/heapdiff_capture.py" .
# Compiled, and without site: a small process makes small captures.
"$python" -m compileall -q -b . && mkdir run && mv ./*.pyc run && cd run

graph() { # NAME COLLECTOR GC RUNS... [OPTIONS]
    name=$1 collector=$2 mode=$3 runs=$4
    shift 4
    "$python" -S -E -B engine.pyc graph "$collector" "$mode" "$name-%d.hdg" "$@"
    for n in $runs; do
        zstd -q -f --ultra -22 "$name-$n.hdg" -o "$here/$name-$n.hdg.zst"
    done
    rm "$name"-*.hdg
}
rm -f "$here"/*.hdg.zst "$here"/*.pickle
graph off off none "0 10 20 40"
graph cured off none "10 20 40" --cured
graph saveall off saveall "10 20 40"
graph on on full "10 20 40"
graph waiting on none "40"
graph held on full "10 20 40" --held
graph held-cured on full "40" --held --cured
for kind in off cured; do
    option=
    [ "$kind" = off ] || option=--cured
    "$python" -E -B engine.pyc allocations off none "$here/$kind-%d.pickle" $option
done
"$python" -S -E -B oracle.pyc > "$here/truth.json"
