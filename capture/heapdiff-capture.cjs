'use strict';
/*
 * Writes a V8 heap snapshot that says after how many runs it was taken.
 *
 *     const capture = require('./heapdiff-capture.cjs');
 *     capture.dump('run-03.heapsnapshot', { run: 3, items: 3000 });
 *
 * or, where the program can wait until its queues are drained:
 *
 *     await capture.settle();
 *     capture.dump('run-03.heapsnapshot', { run: 3, items: 3000 });
 *
 * then, with snapshots of one process after three or more numbers of runs:
 *
 *     heapdiff cycles run-03.heapsnapshot run-10.heapsnapshot run-20.heapsnapshot
 *
 * To see as well where objects were allocated, call it before the runs begin; the program is slower
 * from then on:
 *
 *     capture.trace();
 *
 * V8 inlines functions that run often into their callers, which then stand as the allocating ones;
 * `node --no-opt` keeps every function apart.
 *
 * V8 collects garbage before it writes a snapshot: what is in it is reachable. The program stands
 * still meanwhile and needs about as much memory again as its heap. A snapshot holds the text of
 * strings: treat it like the data of the program. Object ids are stable within one process, so
 * take all snapshots of a series in one. Works from Node 12 on; needs nothing else.
 */
const fs = require('fs');
const v8 = require('v8');

/* The numbers of a snapshot are written behind its last table: every reader of snapshots passes
 * over them. They hold no bracket, since readers look for the last one to find that table's end. */
function note(path, facts) {
  const text = ',"heapdiff":' + JSON.stringify(facts).replace(/\[/g, '\\u005b').replace(/\]/g, '\\u005d') + '}\n';
  const file = fs.openSync(path, 'r+');
  try {
    const size = fs.fstatSync(file).size;
    const tail = Buffer.alloc(Math.min(64, size));
    fs.readSync(file, tail, 0, tail.length, size - tail.length);
    const end = tail.lastIndexOf('}');
    if (end < 0) throw new Error('the snapshot ' + path + ' is cut short: is the disk full?');
    fs.writeSync(file, text, size - tail.length + end);
  } finally {
    fs.closeSync(file);
  }
}

function count(name, value) {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(name + ' is to be a whole number of 0 or more');
  return value;
}

/**
 * Writes a snapshot to `path`, complete or not at all.
 *
 * run: how many runs (batches, requests, jobs) are completed; items: how many items they handled
 * altogether; label, workload: free text. Returns `path`.
 */
function dump(path, options) {
  const given = options || {};
  const facts = {
    version: 1,
    run: count('run', given.run),
    items: count('items', given.items),
    label: given.label,
    workload: given.workload,
    gc: 'full',
    settled: settled,
    runtime: 'node',
    runtime_version: process.version,
    v8: process.versions.v8,
    pid: process.pid,
    time: new Date().toISOString(),
  };
  const partial = path + '.partial';
  try {
    v8.writeHeapSnapshot(partial);
    note(partial, facts);
    fs.renameSync(partial, path);
  } catch (error) {
    fs.rmSync ? fs.rmSync(partial, { force: true }) : fs.existsSync(partial) && fs.unlinkSync(partial);
    throw error;
  }
  settled = false;
  return path;
}

let settled = false;
let session = null;

/**
 * From now on snapshots say where each object was allocated, those of before excepted. V8 measures
 * for as long as the program runs: a program that is to end by itself has to call process.exit().
 */
function trace() {
  if (session) return;
  const inspector = require('inspector');
  session = new inspector.Session();
  session.connect();
  session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
}

/** Waits until promises and callbacks that are ready have run, so that a snapshot does not show work in flight. */
async function settle() {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
  settled = true;
}

module.exports = { dump, settle, trace };
