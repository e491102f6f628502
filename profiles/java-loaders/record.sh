#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
set -eu
here=$PWD/profiles/java-loaders
mkdir -p /src/plugins/plugin "$here/oracle"
cp "$here/Plugins.java" "$here/Plugin.java" /src/plugins/
cd /src/plugins
javac -g -d . Plugins.java
javac -g -d plugin Plugin.java
record() {
    side=$1
    shift
    mkfifo talk 2>/dev/null || true
    java -XX:+UseSerialGC -Xmx16m -Xint --limit-modules java.base -cp /src/plugins Plugins "$side" "$@" < talk > said &
    pid=$!
    exec 3> talk
    for runs in "$@"; do
        until grep -q "at $runs\$" said; do sleep 0.1; done
        name=$side-$(printf %03d "$runs")
        jcmd $pid GC.heap_dump "/src/plugins/$name.hprof" > /dev/null
        jcmd $pid VM.classloader_stats | sed 1d > "$here/oracle/$name.loaders.txt"
        jmap -histo:live $pid | gzip -9 -n > "$here/oracle/$name.histo.txt.gz"
        echo >&3
        zstd -q -f --ultra -22 --rm "$name.hprof" -o "$here/$name.hprof.zst"
    done
    exec 3>&-
    wait $pid
    rm -f talk said
}
record faulty 5 20
record cured 20
