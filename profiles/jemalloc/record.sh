#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/jemalloc/record.sh, from anywhere.
# PREFIX is where the program is built and started: a profile names its file.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/opt/ingest}
here=profiles/jemalloc
library=${JEMALLOC:-/usr/lib/x86_64-linux-gnu/libjemalloc.so.2}
faults=(double-buffer retries keep-alive encoder)

mkdir -p "$prefix" "$here/oracle"
rm -f "$here/symbols-200.heap"
gcc -g -O1 -Wall -Wextra -ffile-prefix-map="$PWD"=. -o "$prefix/c-ingest" profiles/c-ingest/ingest.c

record() { # file, log2 of the mean distance of samples, further options, arguments of the program
    local out=$here/$1 sample=$2 options=$3
    shift 3
    rm -f "$prefix"/dump.*
    MALLOC_CONF="prof:true,prof_final:true,prof_prefix:$prefix/dump,lg_prof_sample:$sample$options" \
        LD_PRELOAD=$library "$prefix/c-ingest" "$@"
    mv "$prefix"/dump.*.heap "$out"
}

for batches in 50 200 800; do
    name=$(printf 'run-%03d' "$batches")
    record "faulty-$name.heap" 12 "" "$batches" "${faults[@]}"
    record "cured-$name.heap" 12 "" "$batches"
done
# Everything is sampled: exact; and what was allocated in all is counted as well.
record exact-200.heap 0 ",prof_accum:true" 200 "${faults[@]}"
record accum-200.heap 16 ",prof_accum:true" 200 "${faults[@]}"

text() { # oracle, arguments
    local out=$here/oracle/$1
    shift
    jeprof --text --show_bytes "$@" > "$out" 2> /dev/null
}
for file in "$here"/*.heap; do
    name=$(basename "$file" .heap)
    text "$name.txt" --inuse_space "$prefix/c-ingest" "$file"
    text "$name.objects.txt" --inuse_objects "$prefix/c-ingest" "$file"
done
text accum-200.alloc.txt --alloc_space "$prefix/c-ingest" "$here/accum-200.heap"
text difference-050-200.txt --inuse_space --base="$here/faulty-run-050.heap" "$prefix/c-ingest" "$here/faulty-run-200.heap"
# What a server that symbolises its own profiles sends: the symbols, then the profile.
{
    jeprof --raw "$prefix/c-ingest" "$here/faulty-run-200.heap" 2> /dev/null || true
    cat "$here/faulty-run-200.heap"
} > "$here/symbols-200.heap"
chmod 644 "$here"/*.heap "$here"/oracle/*
