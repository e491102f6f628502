#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/go-heap-text/record.sh, from anywhere.
# PREFIX is where the program is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/opt/ingest}
here=profiles/go-heap-text

mkdir -p "$prefix" "$here/oracle"
CGO_ENABLED=0 GO111MODULE=off go build -trimpath -o "$prefix/hold" "$here/main.go"
for rate in 1 4096; do
    for runs in 50 200; do
        name=$(printf 'rate-%04d-run-%03d' "$rate" "$runs")
        GOMAXPROCS=1 "$prefix/hold" -runs "$runs" -rate "$rate" -out "$here/$name.txt"
        for index in inuse_space inuse_objects alloc_space alloc_objects; do
            unit=(); case $index in *space) unit=(-unit=bytes) ;; esac
            go tool pprof -top -nodecount=0 -nodefraction=0 "${unit[@]}" -sample_index="$index" "$here/$name.txt" > "$here/oracle/$name.$index.txt" 2> /dev/null
        done
    done
done
