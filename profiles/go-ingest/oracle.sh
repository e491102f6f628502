#!/usr/bin/env bash
# Writes what `go tool pprof` says about the pair of rate-4096/faulty into oracle/.
#
#   top.single.TYPE[.cum].txt      run-200 alone
#   top.diff_base.TYPE[.cum].txt   run-200 with -diff_base run-050
#   top.base.TYPE[.cum].txt        run-200 with -base run-050
set -euo pipefail
cd "$(dirname "$0")"
export TZ=UTC
before=rate-4096/faulty/run-050.pb.gz
after=rate-4096/faulty/run-200.pb.gz

rm -rf oracle
mkdir oracle
top() { # name, sample type, options
    local name=$1 type=$2
    shift 2
    go tool pprof -top -unit=bytes -nodefraction=0 -edgefraction=0 -nodecount=1000000 \
        -sample_index="$type" "$@" "$after" >"oracle/top.$name.txt"
}
for type in alloc_objects alloc_space inuse_objects inuse_space; do
    top "single.$type" $type
    top "single.$type.cum" $type -cum
    for option in diff_base base; do
        top "$option.$type" $type "-$option=$before"
        top "$option.$type.cum" $type -cum "-$option=$before"
    done
done
