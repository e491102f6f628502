#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/folded/record.sh, from anywhere.
#
# Not optimised, because heaptrack_print writes the functions that were inlined into one frame
# in the wrong order.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=profiles/folded
tools=target/captures/inferno

mkdir -p target/captures/heaptrack
gcc -g -O0 -Wall -Wextra -o target/captures/c-ingest-O0 profiles/c-ingest/ingest.c
[ -x $tools/bin/inferno-diff-folded ] ||
    "${CARGO:-cargo}" install --locked inferno --version 0.12.8 --root $tools

for batches in 050 200; do
    raw=target/captures/heaptrack/run-$batches
    heaptrack -o $raw target/captures/c-ingest-O0 $((10#$batches)) double-buffer retries keep-alive encoder
    for cost in leaked peak allocations; do
        heaptrack_print -f $raw.zst --flamegraph-cost-type $cost -F $out/$cost-$batches.folded >/dev/null
    done
done
# inferno writes its lines in the order of a hash map, another one in each run: sorted here.
for cost in leaked peak allocations; do
    diff_folded() { $tools/bin/inferno-diff-folded "$@" $out/$cost-050.folded $out/$cost-200.folded | LC_ALL=C sort; }
    diff_folded >$out/$cost.diff.folded
    diff_folded --normalize >$out/$cost.diff-normalized.folded
    diff_folded --strip-hex >$out/$cost.diff-strip-hex.folded
done
