#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
set -eu
here=$PWD/profiles/ruby-graph
mkdir -p /src/app "$here/oracle"
cp "$here/service.rb" "$here/counts.py" /src/app/
cargo run --release --quiet -- capture ruby > /src/app/heapdiff_capture.rb
cd /src/app
ruby --disable-gems --disable-did_you_mean service.rb faulty faulty 10 20 40
ruby --disable-gems --disable-did_you_mean service.rb cured cured 10 20 40
for name in faulty-010 faulty-020 faulty-040 cured-010 cured-040; do
    python3 counts.py "$name.rbheap" > "$here/oracle/$name.json"
    zstd -q -f --ultra -22 --rm "$name.rbheap" -o "$here/$name.rbheap.zst"
done
