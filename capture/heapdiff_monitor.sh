#!/bin/sh
# Samples the memory of containers or processes for `heapdiff timeline`. Needs a POSIX shell, awk,
# /proc for processes and docker for containers; curl or wget where counters are asked for.
#
#   heapdiff capture monitor > monitor.sh
#   sh monitor.sh web worker                       two containers, every 5 s, until Ctrl-C
#   sh monitor.sh --pid api=4711 --pid db=4712     two processes
#   sh monitor.sh --pid api=4711 --metrics api=http://127.0.0.1:8000/metrics
#   sh monitor.sh --every 10 --for 86400 web       every 10 s, for a day
#
# Writes a folder local_monitoring_YYYYMMDD_HHMMSS (or what --out names):
#   NAME_docker_stats.csv   a container: CPU, memory in MiB, limits, network, processes
#   NAME_proc_stats.csv     a process: memory in MiB, CPU, descriptors, sockets, threads, its start
#   NAME_gc_stats.csv       counters of the runtime, from --metrics (Prometheus text)
#   NAME_proc_meminfo/      /proc/meminfo as NAME sees it, every ten minutes: it is the host's
# What cannot be read at a moment is written as --, never as 0.
set -u

every=5
for_seconds=0
out=
names=
processes=
metrics=
fail() { echo "monitor: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --every) every=${2:?}; shift 2 ;;
    --for) for_seconds=${2:?}; shift 2 ;;
    --out) out=${2:?}; shift 2 ;;
    --pid) processes="$processes ${2:?}"; shift 2 ;;
    --metrics) metrics="$metrics ${2:?}"; shift 2 ;;
    -h|--help) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) fail "no option $1: see --help" ;;
    *) names="$names $1"; shift ;;
  esac
done
[ -n "$names$processes" ] || fail "name a container, or --pid NAME=PID"
if [ -n "$names" ]; then command -v docker >/dev/null 2>&1 || fail "docker is not here: use --pid NAME=PID"; fi
for p in $processes; do
  case $p in *=*) ;; *) fail "--pid wants NAME=PID" ;; esac
  [ -r "/proc/${p#*=}/status" ] || fail "no process ${p#*=}"
done
out=${out:-local_monitoring_$(date -u +%Y%m%d_%H%M%S)}
mkdir -p "$out" || exit 2

now() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; }
fetch() {
  if command -v curl >/dev/null 2>&1; then curl -sf --max-time 2 "$1"; else wget -q -T 2 -O - "$1"; fi
}

for n in $names; do
  echo 'timestamp,cpu_percent,mem_usage_mb,mem_limit_mb,mem_percent,net_rx_mb,net_tx_mb,pids' >"$out/${n}_docker_stats.csv"
done
for p in $processes; do
  echo 'timestamp,pid,start_ticks,mem_usage_mb,anon_mb,file_mb,swap_mb,cpu_seconds_total,threads,open_fds,sockets' >"$out/${p%%=*}_proc_stats.csv"
done

# docker prints "12.3%", "1.2GiB / 7.6GiB", "1.1MB / 2.2kB": all sizes become MiB, as docker means them.
containers() {
  [ -n "$names" ] || return 0
  # shellcheck disable=SC2086
  lines=$(docker stats --no-stream --format '{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.MemPerc}}|{{.NetIO}}|{{.PIDs}}' $names 2>/dev/null) || lines=
  stamp=$(now)
  for n in $names; do
    printf '%s\n' "$lines" | awk -F'|' -v n="$n" -v stamp="$stamp" '
      function mb(t,   v, u) {
        gsub(/ /, "", t); v = t + 0; u = t; sub(/^[0-9.]+/, "", u)
        if (t !~ /^[0-9]/) return "--"
        if (u == "B") v /= 1048576; else if (u == "kB" || u == "KB") v /= 1048.576
        else if (u == "MB") v /= 1.048576; else if (u == "GB") v /= 1.048576e-3
        else if (u == "KiB") v /= 1024; else if (u == "GiB") v *= 1024; else if (u == "TiB") v *= 1048576
        return sprintf("%.4f", v)
      }
      $1 == n { split($3, m, "/"); split($5, t, "/"); c = $2; p = $4; sub(/%/, "", c); sub(/%/, "", p)
        print stamp "," c "," mb(m[1]) "," mb(m[2]) "," p "," mb(t[1]) "," mb(t[2]) "," $6; found = 1 }
      END { if (!found) print stamp ",--,--,--,--,--,--,--" }' >>"$out/${n}_docker_stats.csv"
  done
}

ticks=$(getconf CLK_TCK 2>/dev/null || echo 100)
process() {
  name=${1%%=*} pid=${1#*=}
  stamp=$(now)
  if [ ! -r "/proc/$pid/status" ]; then
    echo "$stamp,--,--,--,--,--,--,--,--,--,--" >>"$out/${name}_proc_stats.csv"
    return
  fi
  files=$(find "/proc/$pid/fd" -mindepth 1 -maxdepth 1 -printf '%l\n' 2>/dev/null | awk '{n++} /^socket:/ {s++} END {print n+0 "," s+0}')
  awk -v stamp="$stamp" -v ticks="$ticks" -v files="$files" -v pid="$pid" '
    FILENAME ~ /stat$/ { sub(/^.*\) /, ""); cpu = ($12 + $13) / ticks; born = $20; next }
    $1 == "VmRSS:" { rss = $2 } $1 == "RssAnon:" { anon = $2 } $1 == "RssFile:" { file = $2 }
    $1 == "VmSwap:" { swap = $2 } $1 == "Threads:" { threads = $2 }
    # One that has ended and waits for its parent has no memory to show.
    END { if (rss == "") { print stamp ",--,--,--,--,--,--,--,--,--,--"; exit }
      printf "%s,%s,%s,%.4f,%.4f,%.4f,%.4f,%.2f,%s,%s\n", stamp, pid, born, rss / 1024, anon / 1024, file / 1024, swap / 1024, cpu, threads, files }
  ' "/proc/$pid/stat" "/proc/$pid/status" 2>/dev/null >>"$out/${name}_proc_stats.csv"
}

# Plain samples of a Prometheus page as columns; the first answer fixes which.
counters() {
  name=${1%%=*} url=${1#*=} file="$out/${1%%=*}_gc_stats.csv"
  stamp=$(now)
  page=$(fetch "$url") || page=
  if [ ! -f "$file" ]; then
    [ -n "$page" ] || return 0
    printf '%s\n' "$page" | awk '/^[a-zA-Z_:]/ && NF == 2 { gsub(/[{}",=]+/, "_", $1); sub(/_+$/, "", $1); h = h "," $1 } END { print "timestamp" h }' >"$file"
  fi
  { sed -n 1p "$file"; printf '%s\n' "$page"; } | awk -v stamp="$stamp" '
    NR == 1 { count = split($0, want, ","); next }
    /^[a-zA-Z_:]/ && NF == 2 { gsub(/[{}",=]+/, "_", $1); sub(/_+$/, "", $1); got[$1] = $2 }
    END { line = stamp; for (i = 2; i <= count; i++) line = line "," ((want[i] in got) ? got[want[i]] : "--"); print line }' >>"$file"
}

trap 'exit 0' INT TERM
started=$(date +%s)
round=0
while :; do
  containers
  for p in $processes; do process "$p"; done
  for m in $metrics; do counters "$m"; done
  at=$(date +%s)
  if [ $((at / 600)) -ne "$round" ]; then
    round=$((at / 600))
    for n in $names; do
      mkdir -p "$out/${n}_proc_meminfo"
      docker exec "$n" cat /proc/meminfo >"$out/${n}_proc_meminfo/$(date -u +%Y%m%d_%H%M%S).txt" 2>/dev/null
    done
    for p in $processes; do
      mkdir -p "$out/${p%%=*}_proc_meminfo"
      cat /proc/meminfo >"$out/${p%%=*}_proc_meminfo/$(date -u +%Y%m%d_%H%M%S).txt"
    done
  fi
  [ "$for_seconds" -gt 0 ] && [ $((at - started)) -ge "$for_seconds" ] && exit 0
  sleep "$every"
done
