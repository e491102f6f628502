// A shop of allocations, each in its own function and of its own size, all of them kept. `//@ name`
// marks the line that the table of true pairs knows by this name.
'use strict';
const fs = require('fs');
const { Session } = require('inspector');

const held = [];
function keep(value) {
  held.push(value);
}

function header(n) {
  keep(new Array(5003 + n).fill(0.5)); //@ header
  field(n);
}
function field(n) {
  keep(new Array(5101 + n).fill(0.5)); //@ field
}
class File {
  emit(n) {
    keep(new Array(5209 + n).fill(0.5)); //@ file-emit
  }
  get value() {
    keep(new Array(5303).fill(0.5)); //@ file-value
    return 1;
  }
}
class Network {
  constructor(n) {
    this.room = new Array(5407 + n).fill(0.5); //@ network-room
    keep(this.room);
  }
  emit(n) {
    keep(new Array(5501 + n).fill(0.5)); //@ network-emit
  }
}
function helper(n) {
  return new Array(n).fill(0.5); //@ helper
}
function callerOne() {
  keep(helper(5603)); //@ via caller-one
}
function callerTwo() {
  keep(helper(5701)); //@ via caller-two
}
function transforms(n) {
  const double = (k) => keep(new Array(5801 + k).fill(0.5)); //@ transforms-double
  const triple = (k) => keep(new Array(5903 + k).fill(0.5)); //@ transforms-triple
  double(n);
  triple(n);
  [6007].forEach((k) => keep(new Array(k + n).fill(0.5))); //@ transforms-each
  [6101].forEach(function (k) {
    keep(new Array(k + n).fill(0.5)); //@ transforms-anonymous
  });
}
function plan(depth, n) {
  if (depth === 0) {
    keep(new Array(6203 + n).fill(0.5)); //@ plan-leaf
    return;
  }
  plan(depth - 1, n);
}
function* rows(n) {
  yield new Array(6301 + n).fill(0.5); //@ rows
}
function session(n) {
  for (const row of rows(n)) keep(row);
  const nested = () => {
    const inner = () => keep(new Array(6421 + n).fill(0.5)); //@ session-inner
    inner();
  };
  nested();
}
function encode(n) {
  keep(new Array(6521 + n).fill(0.5)); //@ encode
}
function run(n) {
  header(n);
  const file = new File();
  const network = new Network(n);
  file.emit(n);
  file.value;
  network.emit(n);
  callerOne();
  callerTwo();
  transforms(n);
  plan(2, n);
  session(n);
  encode(n);
}

const inspector = new Session();
inspector.connect();
inspector.post('HeapProfiler.startSampling', { samplingInterval: 1 }, () => {
  run(0);
  inspector.post('HeapProfiler.stopSampling', (error, { profile }) => {
    fs.writeFileSync(process.argv[2], JSON.stringify(profile));
  });
});
