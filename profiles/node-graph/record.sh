#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
set -eu
here=$PWD/profiles/node-graph
mkdir -p /src/app
cp "$here/service.js" /src/app/
cargo run --release --quiet -- capture node > /src/app/heapdiff-capture.cjs
cd /src/app
node service.js faulty faulty 10 20 40
TRACE=1 node service.js cured cured 40
for name in faulty-010 faulty-020 faulty-040 cured-040; do
    node "$here/counts.js" "$name.heapsnapshot" > "$here/oracle/$name.json"
    zstd -q -f --ultra -22 "$name.heapsnapshot" -o "$here/$name.heapsnapshot.zst"
done
