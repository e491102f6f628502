#!/usr/bin/env bash
# Drives the forwarder with N posts and MS milliseconds between two of them:
#
#     profiles/log-forwarder/load.sh N MS [cured|cure-encoder|cure-buffers|cure-errors]...
#
# CONNECTIONS is the number of keep-alive connections (20), RECORDER a command to run it under,
# FORWARDER another binary.
set -euo pipefail
cd "$(dirname "$0")/../.."

posts=$1 pause=$2
shift 2
forwarder=${FORWARDER:-target/captures/log-forwarder}
if [ ! -x "$forwarder" ]; then
    mkdir -p "$(dirname "$forwarder")"
    gcc -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer -Wall -Wextra -ffile-prefix-map="$PWD"=. \
        -o "$forwarder" profiles/log-forwarder/*.c
fi
# Words of RECORDER are arguments.
# shellcheck disable=SC2086
exec python3 profiles/log-forwarder/load.py "$posts" "$pause" "${CONNECTIONS:-20}" -- \
    ${RECORDER:-} "$forwarder" "$posts" "$@"
