#!/bin/sh
# Records the application under load. Takes about three quarters of an hour.
#   sh record.sh OUT                 OUT/faulty and OUT/cured, as measured
# then: python3 stretch.py --factor 30 --start 2026-03-02T00:00:00Z OUT/faulty faulty
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
python=${PYTHON:-python3}
monitor=$here/../../capture/heapdiff_monitor.sh

# record NAME PORT FLAG PHASES [PHASES AFTER A RESTART]
record() {
  name=$1 port=$2 flag=$3 folder=$out/$1
  shift 3
  mkdir -p "$folder"
  part=0
  for phases in "$@"; do
    part=$((part + 1))
    # shellcheck disable=SC2086
    $python "$here/app.py" backend --port $((port + 1)) $flag & b=$!
    # shellcheck disable=SC2086
    $python "$here/app.py" reports --port "$port" --backend $((port + 1)) --access "$folder/access.log" --error "$folder/error.log" $flag & r=$!
    sleep 1
    sh "$monitor" --every 0.5 --pid reports=$r --pid backend=$b --metrics reports=http://127.0.0.1:$port/metrics --out "$folder/part-$part" & m=$!
    $python "$here/load.py" --port "$port" --phases "$phases" --seed $part
    kill $m $r $b
    wait $m $r $b 2>/dev/null || true
  done
  for file in "$folder"/part-1/*.csv; do
    base=$(basename "$file")
    for p in "$folder"/part-*; do [ "$p" = "$folder/part-1" ] || tail -n +2 "$p/$base" >>"$file"; done
    mv "$file" "$folder/$base"
  done
  mkdir -p "$folder/reports_proc_meminfo"
  cp "$(ls "$folder"/part-1/reports_proc_meminfo/*.txt | head -1)" "$folder/reports_proc_meminfo/"
  rm -r "$folder"/part-*
}

# Three hours without exports, six at a rate, three at four times it, one and a half at three times
# that, a restart, and one and a half hours without: divided by 30.
record faulty 8700 "" 360:0,720:0.22,360:0.83,180:2.5 180:0
record cured 8710 --cured 120:0,360:0.83,180:2.5
