#!/bin/sh
# Makes every capture of this folder again; run it from the root of the repository.
# Needs memray 1.20.0 in /opt/memray-v13 (see profiles/memray/make.sh).
set -eu
here=profiles/telemetry-ingester
out=$PWD/$here
mkdir -p /srv/telemetry
cp $here/ingester.py $here/msgpack.py $here/load.py /srv/telemetry/
(cd /srv/telemetry && /usr/bin/python3 load.py)
record() { # NAME MEMRAY-OPTION INGESTER-OPTION...
    name=$1 form=$2
    shift 2
    (cd /srv/telemetry && PYTHONHASHSEED=0 /opt/memray-v13/bin/memray run --force -q $form \
        -o "capture.bin" /srv/telemetry/ingester.py "$@")
    mv /srv/telemetry/capture.bin "$out/$name.bin"
}
snapshot() { # NAME INGESTER-OPTION...
    name=$1
    shift
    (cd /srv/telemetry && PYTHONHASHSEED=0 /usr/bin/python3 /srv/telemetry/ingester.py \
        --snapshot snapshot.pickle "$@")
    mv /srv/telemetry/snapshot.pickle "$out/$name.pickle"
}
for state in fault cure; do
    cure=
    [ $state = fault ] || cure="--cure all"
    record payload-$state "" --requests 8 --large-every 4 $cure
    record ten-$state --aggregate --concurrent 10 $cure
    for n in 20 40 60 80 160 320; do
        record retries-$state-$n --aggregate --requests $n --store down $cure
    done
    for n in 40 80 160; do
        snapshot retries-$state-$n --requests $n --store down $cure
    done
    snapshot late-$state --requests 8 --large-every 4 $cure
    (cd /srv/telemetry && /usr/bin/python3 ingester.py --requests 320 --store down \
        --statistics statistics.jsonl $cure)
    mv /srv/telemetry/statistics.jsonl "$out/statistics-$state.jsonl"
done
rm -rf /srv/telemetry/__pycache__ /srv/telemetry/*.gz
