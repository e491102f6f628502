#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
set -eu
here=$PWD/profiles/node-traces
mkdir -p /src/desk
cp "$here/desk.js" capture/heapdiff-capture.cjs /src/desk/
cd /src/desk
node --no-opt desk.js faulty faulty 10 40
node --no-opt desk.js cured cured 40
for name in faulty-010 faulty-040 cured-040; do
    node "$here/sites.js" "$name.heapsnapshot" > "$here/oracle/$name.json"
    zstd -q -f --ultra -22 "$name.heapsnapshot" -o "$here/$name.heapsnapshot.zst"
done
