//! Examples of the help texts; every one of them is run by a test.

pub const EXIT_STATUS: &str = "Exit status: 0 done; 1 the gate found a regression; 2 the command could not be \
carried out; 3 the gate cannot tell; 130 interrupted.";

pub const COMPARE: &str = "Examples:
  heapdiff compare profiles/ingest/a.json@50 profiles/ingest/b.json@200
  heapdiff compare --runs 50,200,800 profiles/ingest/faulty
  heapdiff compare --base profiles/ingest/cured/run-200.json profiles/ingest/keep-alive/run-200.json

PATH[#SELECT][@N]: @800 is the number of completed runs, @runs=800,connections=20 gives several
drivers of growth, #peak chooses a moment of a recording, A+B adds up workers of one service.";

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
