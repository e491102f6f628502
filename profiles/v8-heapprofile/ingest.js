// A small ingestion program with planted faults: node --heap-prof ingest.js RUNS
//
// Per run:
// - `remember` keeps one array of 20,000 small integers (160,016 bytes): it grows for ever;
// - `level` keeps the last eight arrays of 10,000 (80,016 bytes each): a level;
// - `parse` makes records and drops them;
// - an unnamed function keeps 5,000 small objects in run 0 only: a warm-up.
'use strict';
// Reachable to the end: the profile is taken when the program has ended.
const state = (globalThis.state = { seen: [], recent: [], table: null });

function remember(run) {
  state.seen.push(new Array(20000).fill(run));
}

function level(run) {
  state.recent[run % 8] = new Array(10000).fill(run);
}

function parse(run) {
  const records = [];
  for (let i = 0; i < 2000; i++) records.push({ run, i, name: `record ${i}` });
  return records.length;
}

class Warm {
  fill() {
    state.table = Array.from({ length: 5000 }, (_, i) => ({ i }));
  }
}

function descend(depth, run) {
  if (depth > 0) return descend(depth - 1, run);
  return parse(run);
}

globalThis.program = { remember, level, parse, Warm, descend };
const runs = Number(process.argv[2] || 10);
for (let run = 0; run < runs; run++) {
  remember(run);
  level(run);
  descend(90, run);
  if (run === 0) new Warm().fill();
}
