#!/usr/bin/env bash
# Makes the captures of this folder again: profiles/builds/record.sh [LANGUAGE...]
#
# Needs cargo, gcc, g++, valgrind, go and node; for Python PYTHON311 and PYTHON312, two
# interpreters with memray installed. Path prefixes are mapped so that captures do not tell where
# they were made.
set -euo pipefail
cd "$(dirname "$0")"
work=${WORK:-/srv/shop} # captures hold this path
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
all=(rust c cpp go node python)
wanted=("${@:-${all[@]}}")

variants() { # source: the three states of a program
    mkdir -p "$work/$1/plain" "$work/$1/edited" "$work/$1/inserted"
    cp "$1/$2" "$work/$1/plain/$2"
    for how in edited inserted; do
        python3 edit.py $how "$1/$2" > "$work/$1/$how/$2"
    done
}

rust() {
    variants rust shop.rs
    mkdir -p "$work/shop/src"
    cat > "$work/shop/Cargo.toml" <<TOML
[package]
name = "shop"
version = "0.1.0"
edition = "2021"
[[bin]]
name = "shop"
path = "src/shop.rs"
[dependencies]
dhat = "=0.3.3"
[workspace]
TOML
    build() { # name, variant, flags of rustc
        cp "$work/rust/$2/shop.rs" "$work/shop/src/shop.rs"
        (cd "$work/shop" && RUSTFLAGS="$3 -C debug-assertions=off --remap-path-prefix=$work/shop=shop" \
            "${CARGO:-cargo}" build -q --target-dir "$work/target-$1")
        "$work/target-$1/debug/shop" "rust/$1-uncut.json" 0
        "$work/target-$1/debug/shop" "rust/$1-24.json" 24
        "$work/target-$1/debug/shop" "rust/$1-10.json" 10
    }
    build o0 plain "-C opt-level=0 -C debuginfo=2"
    build o3 plain "-C opt-level=3 -C debuginfo=2"
    build o3-edited edited "-C opt-level=3 -C debuginfo=2"
    build o3-inserted inserted "-C opt-level=3 -C debuginfo=2"
    build o3-tables plain "-C opt-level=3 -C debuginfo=line-tables-only"
    rm -f rust/o3-tables-{10,24}.json rust/o3-inserted-24.json
}

native() { # language, source, compiler
    variants "$1" "$2"
    build() { # name, variant, flags
        (cd "$work/$1" && $3 -g $5 -ffile-prefix-map="$work/$1/$4=shop" "$work/$1/$4/$2" -o "$work/$1/shop")
        valgrind -q --tool=dhat --num-callers=30 --dhat-out-file="$work/$1.json" "$work/$1/shop" 2>/dev/null
        sed "s#$work/$1/##" "$work/$1.json" > "$1/$6.json"
    }
    build "$1" "$2" "$3" plain -O0 gcc-o0
    build "$1" "$2" "$3" plain -O2 gcc-o2
    build "$1" "$2" "$3" plain -O3 gcc-o3
    build "$1" "$2" "$3" edited -O0 gcc-o0-edited
    build "$1" "$2" "$3" edited -O2 gcc-o2-edited
    build "$1" "$2" "$3" inserted -O2 gcc-o2-inserted
}
c() { native c shop.c gcc; }
cpp() { native cpp shop.cpp g++; }

go_() {
    variants go main.go
    build() { # name, variant, flags
        mkdir -p "$work/gobuild"
        cp "$work/go/$2/main.go" "$work/gobuild/main.go"
        printf 'module shop\n\ngo 1.19\n' > "$work/gobuild/go.mod"
        (cd "$work/gobuild" && GOFLAGS=-mod=mod go build -trimpath $3 -o shop .)
        "$work/gobuild/shop" "go/$1.pb.gz"
    }
    build default plain ""
    build no-inlining plain "-gcflags=-l"
    build edited edited ""
    build inserted inserted ""
}

node_() {
    variants node shop.js
    for how in plain edited inserted; do
        (cd "$work/node/$how" && node shop.js out.json)
        sed "s#file://$work/node/$how#file:///app#g; s#$work/node/$how#/app#g" "$work/node/$how/out.json" > "node/$how.heapprofile"
    done
}

python() {
    variants python shop.py
    record() { # interpreter, name, variant
        (cd "$work/python/$3" && PYTHONDONTWRITEBYTECODE=1 "$1" shop.py out.pickle)
        cp "$work/python/$3/out.pickle" "python/tracemalloc-$2.pickle"
        (cd "$work/python/$3" && rm -f out.bin && PYTHONDONTWRITEBYTECODE=1 "$1" -m memray run -q -o out.bin shop.py)
        cp "$work/python/$3/out.bin" "python/memray-$2.bin"
    }
    # The file names of the interpreter are in the captures too: give one of a neutral place.
    record "$PYTHON311" 3.11 plain
    record "$PYTHON312" 3.12 plain
    record "$PYTHON312" 3.12-edited edited
    record "$PYTHON312" 3.12-inserted inserted
}

for language in "${wanted[@]}"; do
    case $language in
        go) go_ ;;
        node) node_ ;;
        *) "$language" ;;
    esac
done
