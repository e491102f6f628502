#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/gperftools/record.sh, from anywhere.
# PREFIX is where the program is built and started: a profile names its file.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/opt/ingest}
here=profiles/gperftools
library=${TCMALLOC:-/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4}
faults=(double-buffer retries keep-alive encoder)

mkdir -p "$prefix" "$here/oracle"
rm -f "$here/symbols-200.heap"
gcc -g -O1 -Wall -Wextra -ffile-prefix-map="$PWD"=. -o "$prefix/c-ingest" profiles/c-ingest/ingest.c

record() { # file, arguments of the program
    local out=$here/$1
    shift
    rm -f "$prefix"/dump.*
    # One profile, at the end.
    HEAP_PROFILE_ALLOCATION_INTERVAL=0 HEAP_PROFILE_INUSE_INTERVAL=0 HEAPPROFILE=$prefix/dump \
        LD_PRELOAD=$library "$prefix/c-ingest" "$@"
    mv "$prefix"/dump.0001.heap "$out"
}

for batches in 50 200 800; do
    name=$(printf 'run-%03d' "$batches")
    record "faulty-$name.heap" "$batches" "${faults[@]}"
    record "cured-$name.heap" "$batches"
done

text() { # oracle, arguments
    local out=$here/oracle/$1
    shift
    google-pprof --text --show_bytes "$@" > "$out" 2> /dev/null
}
for file in "$here"/*.heap; do
    name=$(basename "$file" .heap)
    text "$name.txt" --inuse_space "$prefix/c-ingest" "$file"
    text "$name.alloc.txt" --alloc_space "$prefix/c-ingest" "$file"
done
text difference-050-200.txt --inuse_space --base="$here/faulty-run-050.heap" "$prefix/c-ingest" "$here/faulty-run-200.heap"
# What a server that symbolises its own profiles sends: the symbols, then the profile.
{
    google-pprof --raw "$prefix/c-ingest" "$here/faulty-run-200.heap" 2> /dev/null | sed '/^--- profile$/,$d' || true
    echo '--- heap'
    cat "$here/faulty-run-200.heap"
} > "$here/symbols-200.heap"
chmod 644 "$here"/*.heap "$here"/oracle/*
