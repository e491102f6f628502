#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
set -eu
here=$PWD/profiles/java-graph
mkdir -p /src/app
cp "$here/Service.java" /src/app/
cd /src/app
javac -g Service.java
record() {
    side=$1
    shift
    mkfifo talk 2>/dev/null || true
    java -XX:+UseSerialGC -Xmx16m -Xint --limit-modules java.base -cp /src/app Service "$side" "$@" < talk > said &
    pid=$!
    exec 3> talk
    for runs in "$@"; do
        until grep -q "runs $runs\$" said; do sleep 0.1; done
        name=$side-$(printf %03d "$runs")
        jcmd $pid GC.heap_dump "/src/app/$name.hprof" > /dev/null
        jmap -histo:live $pid > "$name.histo.txt"
        echo >&3
        zstd -q -f --ultra -22 --rm "$name.hprof" -o "$here/$name.hprof.zst"
        gzip -9 -n -c "$name.histo.txt" > "$here/oracle/$name.histo.txt.gz"
    done
    exec 3>&-
    wait $pid
    rm -f talk said
}
mkdir -p "$here/oracle"
record faulty 10 20 40
record cured 40
