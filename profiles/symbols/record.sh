#!/usr/bin/env bash
# Makes the programs and captures of this folder again: profiles/symbols/record.sh, from anywhere.
# PREFIX is where the program is built and started: captures name its file.
# Needs g++, lld, binutils, heaptrack, libjemalloc2 (with jeprof), google-perftools and go.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/srv/shop}
here=profiles/symbols
lib=/usr/lib/x86_64-linux-gnu
lld=${LLD:-$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld}
mkdir -p "$prefix" "$here/bin" "$here/other" "$here/oracle"

# lld lays the file out otherwise than memory: an offset in one is no address in the other.
build() { # output, options
    local out=$1
    shift
    (cd "$prefix" && g++ -O2 -g -std=c++17 -fno-exceptions -B"$lld" -fuse-ld=lld \
        -Wl,--build-id=sha1 "$@" -o "$out" shop.cpp)
}
cp "$here/shop.cpp" "$prefix/"
build "$prefix/shop"
objcopy --only-keep-debug --compress-debug-sections=zlib "$prefix/shop" "$here/bin/shop.debug"
cp "$prefix/shop" "$here/bin/shop"
strip --strip-all "$here/bin/shop"
(cd "$here/bin" && objcopy --add-gnu-debuglink=shop.debug shop)
# The same source, optimised otherwise: another build.
build "$prefix/other" -O1
cp "$prefix/other" "$here/other/shop"
strip --strip-debug "$here/other/shop"

rm -f "$prefix"/dump.*
MALLOC_CONF="prof:true,prof_final:true,prof_prefix:$prefix/dump,lg_prof_sample:0" \
    LD_PRELOAD=$lib/libjemalloc.so.2 "$prefix/shop" 200
mv "$prefix"/dump.*.heap "$here/jemalloc.heap"
HEAP_PROFILE_ALLOCATION_INTERVAL=0 HEAP_PROFILE_INUSE_INTERVAL=0 HEAPPROFILE=$prefix/dump \
    LD_PRELOAD=$lib/libtcmalloc.so.4 "$prefix/shop" 200 2> /dev/null
mv "$prefix"/dump.0001.heap "$here/gperftools.heap"
heaptrack --raw -o "$here/heaptrack.raw" "$prefix/shop" 200 > /dev/null
mv "$here"/heaptrack.raw.raw.zst "$here/heaptrack.raw.zst" 2> /dev/null || true
build "$prefix/shop-asan" -fsanitize=address -DLOSE
ASAN_OPTIONS=detect_leaks=1:symbolize=0 "$prefix/shop-asan" 200 2> "$here/asan.txt" || true
cp "$prefix/shop-asan" "$here/bin/shop-asan"
objcopy --compress-debug-sections=zlib "$here/bin/shop-asan"

# The same as google/pprof writes it: addresses and mappings, no names.
go tool pprof -proto -symbolize=none -output "$here/pprof.pb.gz" "$prefix/shop" "$here/gperftools.heap" > /dev/null 2>&1

# What the tools of each format print with the program that has all its symbols.
jeprof --text --show_bytes --inuse_space "$prefix/shop" "$here/jemalloc.heap" > "$here/oracle/jeprof.txt" 2> /dev/null
google-pprof --text --show_bytes --inuse_space "$prefix/shop" "$here/gperftools.heap" > "$here/oracle/google-pprof.txt" 2> /dev/null
zstd -dcq "$here/heaptrack.raw.zst" | /usr/lib/heaptrack/libexec/heaptrack_interpret | gzip -9n > "$here/oracle/heaptrack.interpreted.gz"
# Every address of the program in the jemalloc profile, as binutils name it.
python3 - "$prefix/shop" "$here/jemalloc.heap" << 'END' > "$here/oracle/addr2line.txt"
import re, subprocess, sys
program, heap = sys.argv[1:]
text = open(heap).read()
maps = [re.match(r"(\w+)-(\w+) (\S+) (\w+) \S+ \d+ +(\S+)", line) for line in text.split("MAPPED_LIBRARIES:")[1].split("\n")]
maps = [(int(m[1], 16), int(m[2], 16), int(m[4], 16)) for m in maps if m and m[5] == program]
segments = [[int(x, 16) for x in line.split()[1:5]] for line in subprocess.run(["readelf", "-lW", program], capture_output=True, text=True).stdout.split("\n") if line.strip().startswith("LOAD")]
seen = set()
for line in text.split("\n"):
    if line.startswith("@"):
        for word in line[1:].split():
            call = int(word, 16) - 1
            for start, end, offset in maps:
                if start <= call < end:
                    seen.add(call - start + offset)
for offset in sorted(seen):
    for where, virtual, _, size in segments:
        if where <= offset < where + size:
            print(f"+{offset:#x}", flush=True)
            subprocess.run(["addr2line", "-Cfie", program, hex(offset - where + virtual)])
END
readelf -n "$here/bin/shop" | awk '/Build ID/{print $3}' > "$here/oracle/build-id.txt"
chmod 644 "$here"/*.heap "$here"/*.zst "$here"/*.gz "$here"/*.txt "$here"/oracle/* "$here"/bin/* "$here"/other/*
