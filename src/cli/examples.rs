//! Examples of the help texts; every one of them is run by a test.

pub const EXIT_STATUS: &str = "Exit status: 0 done; 1 the gate found a regression; 2 the command could not be \
carried out; 3 the gate cannot tell; 130 interrupted.";

pub const COMPARE: &str = "Examples:
  heapdiff compare profiles/ingest/a.json@50 profiles/ingest/b.json@200
  heapdiff compare --runs 50,200,800 profiles/ingest/faulty
  heapdiff compare --base profiles/ingest/cured/run-200.json profiles/ingest/keep-alive/run-200.json

PATH[#SELECT][@N]: @800 is the number of completed runs, @runs=800,connections=20 gives several
drivers of growth, #peak chooses a moment of a recording, A+B adds up workers of one service.";

pub const TIMELINE: &str = "Examples:
  heapdiff timeline profiles/monitoring/webapp.csv.gz --memory-limit 1GB
  heapdiff timeline profiles/monitoring/webapp.csv.gz profiles/monitoring/access.log.gz
  heapdiff timeline profiles/monitoring --memory-limit 2GB --format md

Tables with a time column, JSON lines, request logs and error logs are recognised by their content,
compressed or not. Rates named MB are of 10^6 bytes.";

pub const INSPECT: &str = "Examples:
  heapdiff inspect profiles/ingest/a.json
  heapdiff inspect profiles/go-ingest/exact/faulty/run-200.pb.gz --metric total_bytes --limit 5
  heapdiff inspect profiles/c-ingest/faulty --limit 1";

pub const CONVERT: &str = "Examples:
  heapdiff convert profiles/ingest/a.json --to folded -o a.folded
  heapdiff convert profiles/ingest/a.json --to pprof -o a.pb.gz
  heapdiff convert profiles/heaptrack/faulty-run-200.zst --to speedscope -o heap.speedscope.json";

pub const CAPTURE: &str = "Examples:
  heapdiff capture python
  heapdiff capture python -o heapdiff_capture.py
  heapdiff capture node -o heapdiff-capture.cjs
  heapdiff capture ruby -o heapdiff_capture.rb
  heapdiff capture monitor -o monitor.sh

Put the file beside the program and call it at the same point of each run:
  import heapdiff_capture
  heapdiff_capture.dump(\"run-03.hdg.gz\", run=3, items=3000)
  require('./heapdiff-capture.cjs').dump('run-03.heapsnapshot', { run: 3, items: 3000 })
  HeapdiffCapture.dump('run-03.rbheap', run: 3, items: 3000)";

pub const EXPLAIN: &str = "Examples:
  heapdiff explain HD001
  heapdiff explain hot-path
  heapdiff explain hd003";

pub const FORMATS: &str = "Examples:
  heapdiff formats
  heapdiff formats --quiet
  heapdiff formats --color never";

pub const COMPLETIONS: &str = "Examples:
  heapdiff completions bash
  heapdiff completions zsh
  heapdiff completions fish";

pub const MAN: &str = "Examples:
  heapdiff man
  heapdiff man --quiet
  heapdiff man --color never";

pub const CYCLES: &str = "Examples:
  heapdiff cycles profiles/rules-engine/off-10.hdg.zst profiles/rules-engine/off-40.hdg.zst
  heapdiff cycles profiles/rules-engine/held-40.hdg.zst --histogram --limit 10
  heapdiff cycles profiles/rules-engine/held-40.hdg.zst --path-to Broker";

pub const GATE: &str = "Examples:
  heapdiff gate profiles/ingest/cured/run-050.json@50 profiles/ingest/cured/run-200.json@200
  heapdiff gate --max-live 64MiB profiles/ingest/cured/run-200.json
  heapdiff gate --runs 50,200,800 --budget 'peak = \"64MiB\"' profiles/ingest/cured

Without budgets in heapdiff.toml or among the options: 1 KiB per run where runs are known, else
64 KiB and 5 %; and no leak of severity warning or above. Exit status: 0 every budget holds; 1 one
is broken beyond the noise; 3 these captures do not tell, and the message says what to capture.";

pub const BASELINE: &str = "Examples:
  heapdiff baseline save main profiles/ingest/cured/run-200.json@200
  heapdiff baseline show main
  heapdiff baseline update main profiles/ingest/cured/run-200.json@200

A baseline is a small text file in .heapdiff/baselines beside heapdiff.toml; it belongs in git. A
NAME with a / or the ending .json is a path.";

pub const SUPPRESS: &str = "Examples:
  heapdiff suppress HD001:9f2c61d0a4e7b318 --reason 'cache, full at 2 MiB' --expires 2027-03-01
  heapdiff suppress 9f2c61d0a4e7b318 --reason 'pool warms up' --expires 2027-03-01 --max 2MiB
  heapdiff suppress HD001:9f2c61d0a4e7b318 --reason cache --expires 2027-03-01 --owner @ingest";

pub const CONFIG: &str = "Examples:
  heapdiff config
  heapdiff config --no-config
  heapdiff config --prometheus";
