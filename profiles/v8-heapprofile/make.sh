#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
set -eu
here=$PWD/profiles/v8-heapprofile
mkdir -p /srv/ingest
cp "$here/ingest.js" "$here/../tracemalloc/ingest.py" /srv/ingest/
for runs in 10 60 110; do
    (cd /srv/ingest && node --heap-prof --heap-prof-interval=16384 \
        --heap-prof-name=runs-$runs.heapprofile ingest.js $runs)
    chmod 644 /srv/ingest/runs-$runs.heapprofile
    mv /srv/ingest/runs-$runs.heapprofile "$here/"
done
(cd /srv/ingest && node --heap-prof --heap-prof-name=default-60.heapprofile ingest.js 60)
chmod 644 /srv/ingest/default-60.heapprofile
mv /srv/ingest/default-60.heapprofile "$here/"
node "$here/oracle.js" "$here"/*.heapprofile > "$here/sums.json"
