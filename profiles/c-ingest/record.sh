#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/c-ingest/record.sh, from anywhere.
set -euo pipefail
cd "$(dirname "$0")/../.."

mkdir -p target/captures
gcc -g -O1 -Wall -Wextra -o target/captures/c-ingest profiles/c-ingest/ingest.c

record() { # mode, file, arguments of the program
    local mode=$1 out=profiles/c-ingest/$2
    shift 2
    mkdir -p "$(dirname "$out")"
    valgrind --tool=dhat --mode="$mode" --dhat-out-file="$out" target/captures/c-ingest "$@"
    chmod 644 "$out"
}

series() { # folder, faults
    local folder=$1
    shift
    for batches in 50 200 800; do
        record heap "$(printf '%s/run-%03d.json' "$folder" "$batches")" "$batches" "$@"
    done
}

series faulty double-buffer retries keep-alive encoder
series cured
series double-buffer double-buffer
series retries retries
series keep-alive keep-alive
series encoder encoder
record copy copy-050.json 50 double-buffer retries keep-alive encoder
record ad-hoc ad-hoc-050.json 50 double-buffer retries keep-alive encoder
