#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/go-ingest/record.sh, from anywhere.
#
# A heap profile names the file that the program was started from, so the program is installed
# where it would be on any machine: PREFIX, /opt/ingest if not given. One processor, because each
# keeps its own distance to the next sample.
set -euo pipefail
cd "$(dirname "$0")"
prefix=${PREFIX:-/opt/ingest}
export GOMAXPROCS=1

mkdir -p "$prefix"
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$prefix/ingest" .

record() { # folder, sampling rate, batches, faults
    mkdir -p "$1"
    "$prefix/ingest" -rate "$2" -batches "$3" -faults "$4" -out "$(printf '%s/run-%03d.pb.gz' "$1" "$3")"
}

all=double-buffer,retries,keep-alive,encoder
for batches in 50 200 800; do
    record exact/faulty 1 $batches $all
    record exact/cured 1 $batches ''
    record rate-4096/faulty 4096 $batches $all
    record rate-4096/cured 4096 $batches ''
done
for fault in ${all//,/ }; do
    record "exact/$fault" 1 200 "$fault"
done
record default-rate 524288 50 $all
record default-rate 524288 200 $all
