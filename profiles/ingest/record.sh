#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/ingest/record.sh, from anywhere.
#
# Function names and lines come from full debug information, and a stripped program would leave
# every stack empty. The path prefix is mapped so that captures do not tell where they were made.
set -euo pipefail
cd "$(dirname "$0")/../.."

CARGO_PROFILE_RELEASE_DEBUG=full \
CARGO_PROFILE_RELEASE_STRIP=none \
RUSTFLAGS="--remap-path-prefix=$PWD=heapdiff" \
    "${CARGO:-cargo}" build --release --example ingest --target-dir target/captures
ingest=target/captures/release/examples/ingest

record() { # folder, faults
    mkdir -p "profiles/ingest/$1"
    for batches in 50 200 800; do
        out=$(printf 'profiles/ingest/%s/run-%03d.json' "$1" "$batches")
        "$ingest" --batches "$batches" ${2:+--faults "$2"} --out "$out"
    done
}

record faulty double-buffer,retries,keep-alive,encoder
record cured ''
record double-buffer double-buffer
record retries retries
record keep-alive keep-alive
record encoder encoder
cp profiles/ingest/faulty/run-050.json profiles/ingest/a.json
cp profiles/ingest/faulty/run-200.json profiles/ingest/b.json
