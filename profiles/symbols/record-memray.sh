#!/usr/bin/env bash
# Makes the captures of memray with native stacks again: profiles/symbols/record-memray.sh.
# memray reads only captures of its own version, so each lives in an environment of its own,
# as profiles/memray/make.sh sets them up.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=/srv/shop
here=profiles/symbols
mkdir -p "$prefix" "$here/bin" "$here/oracle"
cp "$here/counter.c" "$here/counter.py" "$prefix/"
(cd "$prefix" && gcc -O2 -g -gz=zlib -fPIC -shared -Wl,--build-id=sha1 -o libcounter.so counter.c -lpthread)
cp "$prefix/libcounter.so" "$here/bin/"
capture() { # VERSION NAME OPTION...
    local bin=/opt/memray-v$1/bin name=$2
    shift 2
    (cd "$prefix" && "$bin/memray" run --force -q --native "$@" -o "$name.bin" counter.py 50 > /dev/null)
    mv "$prefix/$name.bin" "$here/"
    "$bin/python" "$here/native_oracle.py" "$here/$name.bin" > "$here/oracle/$name.json"
}
for version in 10 11 12 13; do
    capture $version memray-$version
done
capture 11 memray-11-aggregated --aggregate
capture 13 memray-13-aggregated --aggregate
chmod 644 "$here"/memray-*.bin "$here"/oracle/memray-* "$here/bin/libcounter.so"
