#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/log-forwarder/record.sh, from anywhere.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=profiles/log-forwarder
work=target/captures/log-forwarder-raw
flags=(-D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer -Wall -Wextra -ffile-prefix-map="$PWD"=.)
mkdir -p "$work"
gcc "${flags[@]}" -o target/captures/log-forwarder $here/*.c
gcc "${flags[@]}" -fsanitize=leak -o target/captures/log-forwarder-leak $here/*.c
clang "${flags[@]}" -fsanitize=address -o target/captures/log-forwarder-address $here/*.c

dhat() { # folder, posts, connections, cures
    local out
    out=$(printf '%s/dhat/%s/runs-%03d-conns-%d.json' $here "$1" "$2" "$3")
    mkdir -p "$(dirname "$out")"
    RECORDER="valgrind -q --tool=dhat --num-callers=24 --dhat-out-file=$out" \
        CONNECTIONS=$3 $here/load.sh "$2" 0 "${@:4}"
    chmod 644 "$out"
}

massif() { # folder, posts, cures
    local out
    out=$(printf '%s/massif/%s/runs-%03d-conns-20.massif' $here "$1" "$2")
    mkdir -p "$(dirname "$out")"
    RECORDER="valgrind -q --tool=massif --detailed-freq=1 --max-snapshots=10 --threshold=0 \
        --massif-out-file=$out" $here/load.sh "$2" 0 "${@:3}"
    chmod 644 "$out"
}

# heaptrack writes where the program stands on this machine; relative.py takes that out.
heaptrack_() { # folder, posts, cures
    local out
    out=$(printf '%s/heaptrack/%s/runs-%03d-conns-20.zst' $here "$1" "$2")
    mkdir -p "$(dirname "$out")"
    rm -f "$work"/heaptrack.*
    RECORDER="heaptrack -o $work/heaptrack" $here/load.sh "$2" 0 "${@:3}" >/dev/null
    zstd -dcq "$work"/heaptrack.zst | python3 $here/relative.py "$PWD" | zstd -q -19 -f -o "$out"
}

leaks() { # file, sanitizer, posts, cures
    local out=$here/sanitizers/$1 program=target/captures/log-forwarder-$2
    mkdir -p "$(dirname "$out")"
    # Leaks found are exit status 23 (leak) or 1 (address).
    LSAN_OPTIONS=strip_path_prefix="$PWD/" ASAN_OPTIONS=strip_path_prefix="$PWD/" \
        FORWARDER=$program $here/load.sh "$3" 0 "${@:4}" 2>"$out" || [ -s "$out" ]
}

for posts in 50 200 800; do
    for connections in 4 20; do
        dhat faulty $posts $connections
        dhat cured $posts $connections cured
    done
    dhat cure-encoder $posts 20 cure-encoder
    dhat cure-buffers $posts 20 cure-buffers
    dhat cure-errors $posts 20 cure-errors
    massif faulty $posts
    massif cured $posts cured
    heaptrack_ faulty $posts
    heaptrack_ cured $posts cured
    leaks "$(printf 'leak-faulty-%03d.txt' $posts)" leak $posts
done
leaks leak-cured-200.txt leak 200 cured
leaks address-clang-050.txt address 50
leaks address-clang-200.txt address 200
