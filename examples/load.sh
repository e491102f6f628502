#!/usr/bin/env bash
# Drives the ingestion service: so many batches, with a delay after each.
#
#   examples/load.sh 200                              200 batches, as fast as they are served
#   examples/load.sh 200 50                           50 ms after each
#   examples/load.sh 200 50 --faults retries,encoder  with faults switched on
#   examples/load.sh 200 0 --out heap.json            with a heap profile at the end
set -euo pipefail
if [ $# -lt 1 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit 2
fi
batches=$1
delay=${2:-0}
shift $(($# > 1 ? 2 : 1))

# Names and lines in a heap profile come from debug information.
export CARGO_PROFILE_RELEASE_DEBUG=full CARGO_PROFILE_RELEASE_STRIP=none
exec "${CARGO:-cargo}" run --quiet --release --example ingest -- --batches "$batches" --delay "$delay" "$@"
