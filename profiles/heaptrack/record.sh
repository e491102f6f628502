#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/heaptrack/record.sh, from anywhere.
# PREFIX is where the program is built and started: a recording names the file of the program.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/opt/ingest}
here=profiles/heaptrack
faults=(double-buffer retries keep-alive encoder)

mkdir -p "$prefix" "$here/oracle"
gcc -g -O1 -Wall -Wextra -ffile-prefix-map="$PWD"=. -o "$prefix/c-ingest" profiles/c-ingest/ingest.c

for batches in 50 200 800; do
    name=$(printf 'run-%03d' "$batches")
    heaptrack -o "$here/faulty-$name" "$prefix/c-ingest" "$batches" "${faults[@]}"
    heaptrack -o "$here/cured-$name" "$prefix/c-ingest" "$batches"
done
# The same as the tool writes it before symbols are looked up, and after, packed by gzip.
heaptrack --raw -o "$here/raw-run-050" "$prefix/c-ingest" 50 "${faults[@]}"
zstd -dcq "$here/raw-run-050.raw.zst" | /usr/lib/heaptrack/libexec/heaptrack_interpret | gzip -9n > "$here/raw-run-050.interpreted.gz"

for file in "$here"/*.zst "$here"/*.gz; do
    case $file in *.raw.zst) continue ;; esac
    name=$(basename "$file"); name=${name%.*}
    # The totals, and every stack with its exact numbers.
    heaptrack_print --disable-builtin-suppressions -p 0 -a 0 -T 0 -f "$file" > "$here/oracle/$name.txt"
    for cost in allocations temporary leaked peak; do
        heaptrack_print --disable-builtin-suppressions --flamegraph-cost-type "$cost" \
            -F "$here/oracle/$name.$cost.folded" -f "$file" > /dev/null
    done
done
heaptrack_print --disable-builtin-suppressions -l 1 -d "$here/faulty-run-050.zst" -f "$here/faulty-run-200.zst" > "$here/oracle/difference-050-200.txt"
heaptrack_print -M "$here/oracle/faulty-run-050.massif" -f "$here/faulty-run-050.zst" > /dev/null
chmod 644 "$here"/*.zst "$here"/*.gz "$here"/oracle/*
