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
