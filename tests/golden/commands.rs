//! The commands whose outputs are kept.

/// One on each line.
pub const COMMANDS: &str = "

compare profiles/ingest/a.json profiles/ingest/b.json
compare profiles/ingest/a.json@50 profiles/ingest/b.json@200
compare profiles/ingest/a.json@50 profiles/ingest/b.json@200 --exact
compare profiles/ingest/a.json@50 profiles/ingest/b.json@200 --quiet
compare profiles/ingest/a.json@50 profiles/ingest/b.json@200 --width 60
compare profiles/ingest/a.json profiles/ingest/a.json
compare --runs 50,200,800 profiles/ingest/faulty
compare --runs 50,200,800 profiles/ingest/faulty --runs-per-hour 3600 --memory-limit 1GB
compare --runs 50,200,800 profiles/ingest/faulty --metric live_blocks
compare --runs 50,200,800 profiles/ingest/faulty --metric peak_bytes
compare --runs 50,200,800 profiles/ingest/faulty --metric total_bytes --limit 5
compare --runs 50,200,800 profiles/ingest/faulty --group-by function --limit 5
compare --runs 50,200,800 profiles/ingest/faulty --group-by file
compare --runs 50,200,800 profiles/ingest/faulty --group-by leaf --limit 5
compare --runs 50,200,800 profiles/ingest/faulty --group-by line --limit 5
compare --runs 50,200,800 profiles/ingest/faulty --focus flush
compare --runs 50,200,800 profiles/ingest/faulty --tree --limit 10
compare --runs 50,200,800 profiles/ingest/faulty --peek encode
compare profiles/ingest/a.json@50 profiles/ingest/b.json@200 --verbose
compare --runs 50,200,800 profiles/ingest/faulty --min-delta 4MiB
compare --runs 50,200,800 profiles/ingest/faulty --sort name --limit 4
compare --runs 50,200,800 profiles/ingest/cured
compare --runs 50,200,800 --base profiles/ingest/faulty profiles/ingest/cured
compare --runs 50,200,800 --base profiles/ingest/cured profiles/ingest/faulty
compare --base profiles/ingest/cured/run-200.json@200 profiles/ingest/faulty/run-200.json@200
compare --base profiles/ingest/cured/run-200.json profiles/ingest/double-buffer/run-200.json \
    --metric peak_bytes
compare --base profiles/ingest/cured/run-200.json profiles/ingest/keep-alive/run-200.json
compare --runs 50,200,800 profiles/ingest/faulty --format json --limit 1
compare --runs 50,200,800 profiles/ingest/faulty --format jsonl --limit 1
compare --runs 50,200,800 profiles/ingest/faulty --format md --limit 3
compare --runs 50,200,800 profiles/ingest/faulty --format csv --limit 3
compare --runs 50,200,800 --base profiles/ingest/faulty profiles/ingest/cured --format json \
    --limit 1
compare --runs 50,200,800 --base profiles/ingest/faulty profiles/ingest/cured --format md \
    --limit 3
inspect profiles/ingest/a.json --limit 5
inspect profiles/ingest/a.json --limit 3 --metric peak_bytes --exact
inspect profiles/ingest/cured --limit 1

compare --base profiles/builds/c/gcc-o0.json profiles/builds/c/gcc-o2-edited.json --limit 8
compare --base profiles/builds/go/default.pb.gz profiles/builds/go/edited.pb.gz --limit 8
inspect profiles/builds/cpp/gcc-o2.json --limit 5
compare --runs 50,200,800 profiles/c-ingest/faulty
compare profiles/c-ingest/faulty/run-050.json@50 profiles/c-ingest/faulty/run-200.json@200
compare --runs 50,200,800 --base profiles/c-ingest/faulty profiles/c-ingest/cured
compare --base profiles/c-ingest/cured/run-200.json profiles/c-ingest/double-buffer/run-200.json \
    --metric peak_bytes
compare --runs 50,200,800 profiles/c-ingest/faulty --group-by function --limit 5
compare --runs 50,200,800 profiles/c-ingest/faulty --format json --limit 1
compare --runs 50,200,800 profiles/c-ingest/faulty --format csv
compare profiles/c-ingest/faulty/run-050.json profiles/c-ingest/faulty/run-200.json --format \
    folded
compare profiles/c-ingest/copy-050.json profiles/c-ingest/copy-050.json
compare profiles/c-ingest/copy-050.json profiles/c-ingest/ad-hoc-050.json
inspect profiles/c-ingest/faulty/run-800.json --limit 5
inspect profiles/c-ingest/copy-050.json --limit 3
inspect profiles/c-ingest/ad-hoc-050.json --limit 3

compare --runs 50,200,800 profiles/go-ingest/exact/faulty
compare --runs 50,200,800 profiles/go-ingest/exact/cured
compare profiles/go-ingest/exact/faulty/run-050.pb.gz@50 \
    profiles/go-ingest/exact/faulty/run-200.pb.gz@200
compare --runs 50,200,800 --base profiles/go-ingest/exact/faulty profiles/go-ingest/exact/cured \
    --limit 6
compare --runs 50,200,800 profiles/go-ingest/rate-4096/faulty
compare profiles/go-ingest/rate-4096/faulty/run-050.pb.gz@50 \
    profiles/go-ingest/rate-4096/faulty/run-200.pb.gz@200 --group-by function --limit 6
compare --runs 50,200,800 profiles/go-ingest/rate-4096/faulty --metric alloc_space --limit 5
compare --runs 50,200,800 profiles/go-ingest/rate-4096/faulty --format json --limit 1
compare --runs 50,200,800 profiles/go-ingest/rate-4096/faulty --format md --limit 3
compare --runs 50,200 profiles/go-ingest/default-rate
compare --base profiles/go-ingest/exact/cured/run-200.pb.gz \
    profiles/go-ingest/exact/double-buffer/run-200.pb.gz --metric alloc_space --limit 4
inspect profiles/go-ingest/rate-4096/faulty/run-200.pb.gz --limit 5
inspect profiles/go-ingest/exact/faulty/run-200.pb.gz --metric total_bytes --limit 5

compare profiles/log-forwarder/dhat/faulty/runs-050-conns-20.json@50 \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/faulty/runs-800-conns-20.json@800
compare profiles/log-forwarder/dhat/cure-errors/runs-050-conns-20.json@50 \
    profiles/log-forwarder/dhat/cure-errors/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/cure-errors/runs-800-conns-20.json@800
compare profiles/log-forwarder/dhat/faulty/runs-050-conns-20.json@50 \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/faulty/runs-800-conns-20.json@800 --group-by function --limit 6
compare profiles/log-forwarder/dhat/faulty/runs-050-conns-20.json@50 \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/faulty/runs-800-conns-20.json@800 --group-by file
compare profiles/log-forwarder/dhat/cured/runs-050-conns-20.json@50 \
    profiles/log-forwarder/dhat/cured/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/cured/runs-800-conns-20.json@800 --limit 3 --format json
compare --base profiles/log-forwarder/dhat/faulty/runs-050-conns-20.json@50 --base \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@200 --base \
    profiles/log-forwarder/dhat/faulty/runs-800-conns-20.json@800 \
    profiles/log-forwarder/dhat/cured/runs-050-conns-20.json@50 \
    profiles/log-forwarder/dhat/cured/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/cured/runs-800-conns-20.json@800
compare --base profiles/log-forwarder/dhat/cured/runs-200-conns-20.json@200 \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@200
compare --driver connections \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-4.json@runs=200,connections=4 \
    profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json@runs=200,connections=20
compare profiles/log-forwarder/heaptrack/faulty/runs-050-conns-20.zst@50 \
    profiles/log-forwarder/heaptrack/faulty/runs-200-conns-20.zst@200 \
    profiles/log-forwarder/heaptrack/faulty/runs-800-conns-20.zst@800 --limit 5
compare --runs 50,200,800 profiles/log-forwarder/massif/faulty --limit 5
compare profiles/log-forwarder/sanitizers/leak-faulty-050.txt@50 \
    profiles/log-forwarder/sanitizers/leak-faulty-200.txt@200 \
    profiles/log-forwarder/sanitizers/leak-faulty-800.txt@800 --limit 5
compare profiles/log-forwarder/sanitizers/leak-faulty-200.txt \
    profiles/log-forwarder/sanitizers/leak-cured-200.txt
inspect profiles/log-forwarder/dhat/faulty/runs-200-conns-20.json --limit 3
inspect profiles/log-forwarder/sanitizers/address-clang-200.txt --limit 3

compare profiles/folded/leaked-050.folded@50 profiles/folded/leaked-200.folded@200
compare profiles/folded/peak-050.folded profiles/folded/peak-200.folded
compare profiles/folded/allocations-050.folded@50 profiles/folded/allocations-200.folded@200 \
    --unit blocks --limit 5
compare profiles/folded/leaked-050.folded profiles/folded/leaked-200.folded --format folded
inspect profiles/folded/leaked-200.folded --limit 3
compare profiles/heaptrack/faulty-run-050.zst@50 profiles/heaptrack/faulty-run-200.zst@200 \
    profiles/heaptrack/faulty-run-800.zst@800
compare profiles/heaptrack/cured-run-050.zst@50 profiles/heaptrack/cured-run-200.zst@200 \
    profiles/heaptrack/cured-run-800.zst@800
compare profiles/heaptrack/faulty-run-050.zst@50 profiles/heaptrack/faulty-run-200.zst@200 \
    profiles/heaptrack/faulty-run-800.zst@800 --metric peak_bytes --limit 5
compare profiles/heaptrack/raw-run-050.raw.zst profiles/heaptrack/faulty-run-050.zst
inspect profiles/heaptrack/faulty-run-200.zst --limit 5
inspect profiles/heaptrack/raw-run-050.interpreted.gz --limit 3
compare profiles/massif/faulty-run-050.out@50 profiles/massif/faulty-run-200.out@200 \
    profiles/massif/faulty-run-800.out@800
compare profiles/massif/whole-200.out
compare profiles/massif/clock-200.out#every=100ms --limit 5
inspect profiles/massif/whole-200.out --limit 3
inspect profiles/massif/whole-200.out#peak --limit 3
inspect profiles/massif/pages-050.out --limit 3
inspect profiles/massif/xtree-050.ms --limit 3
inspect profiles/massif/cured-run-050.out --limit 3
compare profiles/jemalloc/faulty-run-050.heap@50 profiles/jemalloc/faulty-run-200.heap@200 \
    profiles/jemalloc/faulty-run-800.heap@800
compare profiles/jemalloc/cured-run-050.heap@50 profiles/jemalloc/cured-run-200.heap@200 \
    profiles/jemalloc/cured-run-800.heap@800
inspect profiles/jemalloc/symbols-200.heap --limit 5
compare profiles/gperftools/faulty-run-050.heap@50 profiles/gperftools/faulty-run-200.heap@200 \
    profiles/gperftools/faulty-run-800.heap@800
compare profiles/gperftools/cured-run-050.heap@50 profiles/gperftools/cured-run-200.heap@200 \
    profiles/gperftools/cured-run-800.heap@800
inspect profiles/gperftools/symbols-200.heap --limit 5
inspect profiles/jemalloc/exact-200.heap --limit 3
inspect profiles/symbols/jemalloc.heap --symbolize=profiles/symbols/bin
inspect profiles/symbols/jemalloc.heap --symbolize=profiles/symbols/other
inspect profiles/symbols/memray-13.bin --symbolize=profiles/symbols/bin --focus counter.c
compare profiles/symbols/jemalloc.heap profiles/symbols/gperftools.heap --symbolize=profiles/symbols/bin
compare profiles/gperftools/faulty-run-050.heap profiles/gperftools/symbols-200.heap
compare profiles/leaks/memcheck-10.xml@10 profiles/leaks/memcheck-40.xml@40
compare profiles/leaks/memcheck-10.xml@10 profiles/leaks/memcheck-40.xml@40 --group-by \
    label:kind
compare profiles/leaks/memcheck-10.log@10 profiles/leaks/memcheck-40.log@40
compare --base profiles/leaks/memcheck-10.xml profiles/leaks/memcheck-cured.xml
compare profiles/leaks/asan-gcc-10.txt@10 profiles/leaks/asan-gcc-40.txt@40
compare profiles/leaks/lsan-gcc-10.txt@10 profiles/leaks/lsan-gcc-40.txt@40
compare profiles/leaks/asan-clang-10.txt profiles/leaks/asan-plain-10.txt
inspect profiles/leaks/memcheck-40.xml
inspect profiles/leaks/memcheck-cured.log
inspect profiles/leaks/asan-top-10.txt
compare profiles/go-heap-text/rate-0001-run-050.txt@50 \
    profiles/go-heap-text/rate-0001-run-200.txt@200
compare profiles/go-heap-text/rate-4096-run-050.txt@50 \
    profiles/go-heap-text/rate-4096-run-200.txt@200
inspect profiles/go-heap-text/rate-4096-run-200.txt --limit 3

compare profiles/memray/runs-10.bin@10 profiles/memray/runs-110.bin@110 \
    profiles/memray/runs-210.bin@210
compare profiles/memray/runs-10.stats.json@10 profiles/memray/runs-110.stats.json@110 \
    profiles/memray/runs-210.stats.json@210 --limit 5
compare profiles/memray/v12.bin profiles/memray/v13.bin --limit 5
inspect profiles/memray/killed.bin --limit 3
inspect profiles/memray/v13-aggregated.bin --limit 3
inspect profiles/memray/v13-native.bin --limit 3
compare profiles/tracemalloc/runs-10.pickle@10 profiles/tracemalloc/runs-110.pickle@110 \
    profiles/tracemalloc/runs-210.pickle@210
compare profiles/tracemalloc/runs-10.pickle@10 profiles/tracemalloc/runs-110.pickle@110 \
    profiles/tracemalloc/runs-210.pickle@210 --group-by file --limit 5
compare profiles/tracemalloc/list.pickle
inspect profiles/tracemalloc/one-frame.pickle --limit 3
compare profiles/v8-heapprofile/runs-10.heapprofile@10 \
    profiles/v8-heapprofile/runs-60.heapprofile@60 profiles/v8-heapprofile/runs-110.heapprofile@110
inspect profiles/v8-heapprofile/default-60.heapprofile --limit 5
compare profiles/speedscope/leaks-10.speedscope.json@10 \
    profiles/speedscope/leaks-110.speedscope.json@110
inspect profiles/speedscope/runs-110.speedscope.json --limit 3
compare profiles/flamebearer/live-10.json@10 profiles/flamebearer/live-110.json@110
compare profiles/flamebearer/difference.json
inspect profiles/flamebearer/live-110.json --limit 3
compare profiles/telemetry-ingester/retries-fault-20.bin@20 \
    profiles/telemetry-ingester/retries-fault-40.bin@40 \
    profiles/telemetry-ingester/retries-fault-60.bin@60 \
    profiles/telemetry-ingester/retries-fault-80.bin@80
compare profiles/telemetry-ingester/retries-fault-40.pickle@40 \
    profiles/telemetry-ingester/retries-fault-80.pickle@80 \
    profiles/telemetry-ingester/retries-fault-160.pickle@160 --limit 5
compare profiles/telemetry-ingester/retries-cure-40.bin@40 \
    profiles/telemetry-ingester/retries-cure-80.bin@80 \
    profiles/telemetry-ingester/retries-cure-160.bin@160 \
    profiles/telemetry-ingester/retries-cure-320.bin@320
compare --base profiles/telemetry-ingester/payload-fault.bin \
    profiles/telemetry-ingester/payload-cure.bin --metric peak_bytes --limit 6
compare --base profiles/telemetry-ingester/ten-fault.bin \
    profiles/telemetry-ingester/ten-cure.bin --metric peak_bytes --limit 4
compare --base profiles/telemetry-ingester/late-fault.pickle \
    profiles/telemetry-ingester/late-cure.pickle --limit 4
compare profiles/telemetry-ingester/payload-fault.bin#every=8MB --limit 5
inspect profiles/telemetry-ingester/payload-fault.bin#peak --limit 4

compare profiles/builds/c/gcc-o2.json profiles/builds/c/gcc-o2-edited.json
compare profiles/builds/c/gcc-o0.json profiles/builds/c/gcc-o2.json --limit 5
compare profiles/builds/cpp/gcc-o2.json profiles/builds/cpp/gcc-o3.json --limit 5
compare profiles/builds/go/default.pb.gz profiles/builds/go/edited.pb.gz --limit 5
compare profiles/builds/go/default.pb.gz profiles/builds/go/no-inlining.pb.gz --format json --limit 1
inspect profiles/builds/c/gcc-o2.json --limit 3

timeline profiles/monitoring/webapp.csv.gz --memory-limit 1GB
timeline profiles/monitoring/webapp.csv.gz profiles/monitoring/access.log.gz
timeline profiles/monitoring --verbose --width 120
timeline profiles/monitoring --format md
timeline profiles/monitoring/webapp.csv.gz --mark 2026-03-02T12:00Z=deploy
timeline profiles/monitoring/unstretched
timeline profiles/monitoring/access.log.gz
timeline profiles/monitoring/webapp.csv.gz --mark noon=deploy
timeline profiles/monitoring/webapp.csv.gz --tz Mars/Olympus
timeline profiles/monitoring/access.log.gz --log-pattern (
timeline profiles/ingest/a.json
timeline profiles/none.csv

compare profiles/ingest/a.json
compare profiles/ingest/a.json profiles/c-ingest/copy-050.json
compare profiles/ingest/a.json@50 profiles/ingest/b.json
compare profiles/ingest/a.json@fifty profiles/ingest/b.json
compare profiles/ingest/a.json#3 profiles/ingest/b.json
compare profiles/ingest/a.json profiles/ingest/b.json --metric nonsense
compare profiles/ingest/a.json profiles/ingest/b.json --group-by nonsense
compare profiles/ingest/a.json profiles/ingest/b.json --focus ( --limit 1
compare profiles/ingest/a.json profiles/ingest/b.json --min-delta much
compare profiles/ingest/a.json profiles/ingest/b.json --format pdf
compare profiles/ingest/a.json profiles/none.json
compare README.md profiles/ingest/a.json
compare --runs 50,200 profiles/ingest/faulty
compare -focus flush profiles/ingest/a.json profiles/ingest/b.json
convert profiles/ingest/a.json --to nonsense -o -
convert profiles/ingest/a.json --to folded -o - --metric nonsense
explain HD999

--version
--help
compare -h
timeline -h
inspect -h
convert -h
formats
explain HD001
explain HD003

inspect profiles/healthy/run-640.pickle.gz --limit 3
compare --runs 20,40,80,160 profiles/healthy/run-020.pickle.gz profiles/healthy/run-040.pickle.gz profiles/healthy/run-080.pickle.gz profiles/healthy/run-160.pickle.gz --limit 5
compare --runs 20,40,80,160,640 profiles/healthy/run-020.pickle.gz profiles/healthy/run-040.pickle.gz profiles/healthy/run-080.pickle.gz profiles/healthy/run-160.pickle.gz profiles/healthy/run-640.pickle.gz --limit 5
compare --runs 0,10,20,40 profiles/rules-engine/off-0.pickle profiles/rules-engine/off-10.pickle profiles/rules-engine/off-20.pickle profiles/rules-engine/off-40.pickle
compare --runs 10,20,40 profiles/rules-engine/cured-10.pickle profiles/rules-engine/cured-20.pickle profiles/rules-engine/cured-40.pickle
inspect profiles/rules-engine/off-40.pickle --limit 3
gate --runs 50,200,800 profiles/ingest/faulty
gate --runs 50,200,800 profiles/ingest/cured
gate --runs 50,200,800 --base profiles/ingest/faulty profiles/ingest/cured
gate --base profiles/ingest/cured/run-200.json@200 profiles/ingest/keep-alive/run-200.json@200
gate --base profiles/ingest/cured/run-200.json --max-peak 16MiB profiles/ingest/double-buffer/run-200.json
gate --runs 50,200,800 --max-cycles 0 --max-live 1GiB profiles/c-ingest/encoder
gate --runs 50,200,800 --format md profiles/c-ingest/faulty
gate --runs 50,200,800 --format junit profiles/c-ingest/faulty
gate profiles/go-ingest/default-rate/run-050.pb.gz@50 profiles/go-ingest/default-rate/run-200.pb.gz@200
gate profiles/go-ingest/rate-4096/cured/run-050.pb.gz@50 profiles/go-ingest/rate-4096/cured/run-200.pb.gz@200
gate --max-per-run 1KiB profiles/telemetry-ingester/retries-fault-80.bin@80 profiles/telemetry-ingester/retries-fault-160.bin@160 profiles/telemetry-ingester/retries-fault-320.bin@320
gate --runs 50,200,800 profiles/log-forwarder/heaptrack/faulty
gate --help
baseline --help
suppress --help
config --help
config --no-config
explain HD060

compare profiles/ruby-graph/faulty-010.rbheap.zst@10 profiles/ruby-graph/faulty-020.rbheap.zst@20 profiles/ruby-graph/faulty-040.rbheap.zst@40
inspect profiles/ruby-graph/faulty-040.rbheap.zst
compare profiles/node-graph/faulty-010.heapsnapshot.zst profiles/node-graph/faulty-020.heapsnapshot.zst profiles/node-graph/faulty-040.heapsnapshot.zst
inspect profiles/node-graph/faulty-040.heapsnapshot.zst
compare profiles/java-graph/faulty-010.hprof.zst@10 profiles/java-graph/faulty-020.hprof.zst@20 profiles/java-graph/faulty-040.hprof.zst@40
inspect profiles/java-graph/faulty-040.hprof.zst
compare profiles/node-traces/faulty-010.heapsnapshot.zst profiles/node-traces/faulty-040.heapsnapshot.zst
compare profiles/node-traces/faulty-010.heapsnapshot.zst profiles/node-traces/faulty-040.heapsnapshot.zst --group-by function --focus desk.js
inspect profiles/node-traces/faulty-040.heapsnapshot.zst
inspect profiles/java-loaders/faulty-020.hprof.zst
compare profiles/java-loaders/faulty-005.hprof.zst@5 profiles/java-loaders/faulty-020.hprof.zst@20
cycles profiles/java-loaders/faulty-005.hprof.zst@5 profiles/java-loaders/faulty-020.hprof.zst@20 --histogram --by loader
cycles profiles/rules-engine/off-10.hdg.zst profiles/rules-engine/off-20.hdg.zst profiles/rules-engine/off-40.hdg.zst
cycles profiles/rules-engine/held-10.hdg.zst profiles/rules-engine/held-20.hdg.zst profiles/rules-engine/held-40.hdg.zst
cycles profiles/rules-engine/cured-10.hdg.zst profiles/rules-engine/cured-20.hdg.zst profiles/rules-engine/cured-40.hdg.zst
compare --runs 10,20,40,80 profiles/web-app/tracemalloc/faulty
compare --runs 10,20,40,80 profiles/web-app/tracemalloc/cured
inspect profiles/web-app/tracemalloc/faulty/exports-80.snapshot.gz --limit 3
timeline profiles/web-app/faulty/reports_proc_stats.csv.gz profiles/web-app/faulty/backend_proc_stats.csv.gz profiles/web-app/faulty/access.log.gz
timeline profiles/web-app/cured/reports_proc_stats.csv.gz profiles/web-app/cured/backend_proc_stats.csv.gz profiles/web-app/cured/access.log.gz
timeline profiles/services/monitor profiles/services/rules_access.log.gz
timeline profiles/services/ps.txt.gz
";
