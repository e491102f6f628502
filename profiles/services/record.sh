#!/bin/sh
# Records three services under load, each by every means that a Linux has.
#   sh record.sh SECONDS OUT
# Needs gcc, node with prom-client (NODE_PATH), Python with prometheus_client (PYTHON), sysstat, curl.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seconds=$1 out=$2
python=${PYTHON:-python3}
mkdir -p "$out/monitor" "$out/rules_status" "$out/shop_metrics" "$out/forwarder_smaps_rollup"
gcc -D_GNU_SOURCE -g -O1 -o "$out/forwarder" "$here"/../log-forwarder/*.c
stamp() { date -u +%Y-%m-%dT%H:%M:%SZ; }

PYTHONDONTWRITEBYTECODE=1 $python "$here/rules.py" 8721 & rules=$!
CAPTURE=$here/../../capture/heapdiff-capture.cjs node "$here/shop.js" 8722 & shop=$!
rm -f "$out/forwarder_access.log.pid"
PYTHONDONTWRITEBYTECODE=1 $python "$here/load.py" forwarder - "$seconds" "$out/forwarder_access.log" -- "$out/forwarder" 10000000 & load3=$!
while [ ! -s "$out/forwarder_access.log.pid" ]; do sleep 0.2; done
forwarder=$(cat "$out/forwarder_access.log.pid")
sleep 1
$python "$here/load.py" rules 8721 "$seconds" "$out/rules_access.log" & load1=$!
$python "$here/load.py" shop 8722 "$seconds" "$out/shop_access.log" & load2=$!

sh "$here/../../capture/heapdiff_monitor.sh" --every 5 --pid rules=$rules --pid shop=$shop --pid forwarder=$forwarder \
  --metrics rules=http://127.0.0.1:8721/metrics --metrics shop=http://127.0.0.1:8722/metrics --out "$out/monitor" & monitor=$!
TZ=UTC LC_ALL=C S_TIME_FORMAT=ISO pidstat -r -p "$rules,$shop,$forwarder" 15 >"$out/pidstat.txt" & p1=$!
TZ=UTC LC_ALL=C pidstat -r -h -p "$rules,$shop,$forwarder" 15 >"$out/pidstat-h.txt" & p2=$!
(
  while kill -0 $load1 2>/dev/null; do
    { echo "$(stamp)"; ps -o pid,ppid,rss,vsz,nlwp,pcpu,comm -p "$rules,$shop,$forwarder"; } >>"$out/ps.txt"
    ps aux | awk -v s="$(stamp)" 'NR == 1 || /rules.py 87|shop.js 87|\/forwarder 10000000$/ { print s, $0 }' | grep -v -e awk -e load.py >>"$out/ps-aux.txt"
    { stamp; curl -s http://127.0.0.1:8721/metrics; } >>"$out/rules_metrics.txt"
    now=$(date -u +%Y%m%d_%H%M%S)
    curl -s http://127.0.0.1:8722/metrics >"$out/shop_metrics/$now.prom"
    cat "/proc/$rules/status" >"$out/rules_status/$now.txt" || true
    cat "/proc/$forwarder/smaps_rollup" >"$out/forwarder_smaps_rollup/$now.txt" || true
    sleep 15
  done
) & snapshots=$!
wait $load1 $load2 || true
kill $monitor $p1 $p2 $snapshots $rules $shop $forwarder $load3 2>/dev/null || true
