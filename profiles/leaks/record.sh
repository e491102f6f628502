#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/leaks/record.sh, from anywhere.
# PREFIX is where the programs are built and started: a report names their files.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/opt/ingest}
here=profiles/leaks

mkdir -p "$prefix"
build() { # compiler, name, options
    local compiler=$1 name=$2
    shift 2
    "$compiler" -g -O1 -Wall -Wextra -ffile-prefix-map="$PWD"=. "$@" -o "$prefix/$name" "$here/leaky.c"
}
build gcc leaky
# The sanitizers follow frame pointers.
build gcc leaky-asan -fsanitize=address -fno-omit-frame-pointer
build gcc leaky-lsan -fsanitize=leak -fno-omit-frame-pointer
build clang leaky-clang -fsanitize=address -fno-omit-frame-pointer

check=(valgrind --leak-check=full --show-leak-kinds=all)
for runs in 10 40; do
    "${check[@]}" --xml=yes --xml-file="$here/memcheck-$runs.xml" "$prefix/leaky" "$runs"
    "${check[@]}" --log-file="$here/memcheck-$runs.log" "$prefix/leaky" "$runs"
    # Leaks end a program with another status than 0.
    "$prefix/leaky-asan" "$runs" 2> "$here/asan-gcc-$runs.txt" || true
    "$prefix/leaky-lsan" "$runs" 2> "$here/lsan-gcc-$runs.txt" || true
done
"${check[@]}" --xml=yes --xml-file="$here/memcheck-cured.xml" "$prefix/leaky" 10 cured
"${check[@]}" --log-file="$here/memcheck-cured.log" "$prefix/leaky" 10 cured
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-14 || true) "$prefix/leaky-clang" 10 2> "$here/asan-clang-10.txt" || true
ASAN_OPTIONS=symbolize=0 "$prefix/leaky-clang" 10 2> "$here/asan-plain-10.txt" || true
LSAN_OPTIONS=max_leaks=1:report_objects=1 "$prefix/leaky-asan" 10 2> "$here/asan-top-10.txt" || true
