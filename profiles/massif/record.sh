#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/massif/record.sh, from anywhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=profiles/massif
faults=(double-buffer retries keep-alive encoder)

mkdir -p target/captures "$here/oracle"
gcc -g -O1 -Wall -Wextra -ffile-prefix-map="$PWD"=. -o target/captures/c-ingest profiles/c-ingest/ingest.c

record() { # file, options of massif, --, arguments of the program
    local out=$here/$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    valgrind -q --tool=massif --massif-out-file="$out" "${options[@]}" target/captures/c-ingest "$@"
    ms_print "$out" > "$here/oracle/$(basename "$out" .out).txt"
}

for batches in 50 200 800; do
    name=$(printf 'run-%03d' "$batches")
    # Every tenth snapshot has a tree, and so has the last one for 50 batches only by luck.
    record "faulty-$name.out" -- "$batches" "${faults[@]}"
    record "cured-$name.out" -- "$batches"
done
# Every snapshot has a tree, nothing is lumped together, time is counted in bytes or milliseconds.
record whole-200.out --detailed-freq=1 --threshold=0 --time-unit=B -- 200 "${faults[@]}"
record clock-200.out --detailed-freq=1 --time-unit=ms -- 200 "${faults[@]}"
record pages-050.out --pages-as-heap=yes -- 50 "${faults[@]}"
valgrind -q --xtree-memory=full --xtree-memory-file="$here/xtree-050.ms" target/captures/c-ingest 50 "${faults[@]}"
chmod 644 "$here"/*.out "$here"/*.ms "$here"/oracle/*
