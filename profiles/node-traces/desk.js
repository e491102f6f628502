'use strict';
// Orders are checked in batches, with one planted fault: what was rejected is kept, for ever. Prices
// are kept as well, and there are no more than fifty of them.
//
//     node --no-opt desk.js faulty|cured OUT RUNS...      RUNS: after which numbers of runs to capture
const capture = require(process.env.CAPTURE || './heapdiff-capture.cjs');

const [mode, out, ...stops] = process.argv.slice(2);

class Rejection {
  constructor(order) {
    this.order = order;
    this.reasons = new Array(32).fill('price');
  }
}

class Desk {
  constructor() {
    this.rejected = [];
    this.prices = new Map();
  }

  priceOf(item) {
    if (!this.prices.has(item)) this.prices.set(item, { item, cents: item * 7 });
    return this.prices.get(item);
  }

  check(order) {
    if (this.priceOf(order % 50).cents > 200) this.reject(order);
  }

  reject(order) {
    const rejection = new Rejection(order);
    if (mode === 'faulty') this.rejected.push(rejection);
  }
}

const desk = new Desk();

function batch(n) {
  for (let i = 0; i < 100; i++) desk.check(n * 100 + i);
}

async function main() {
  capture.trace();
  let done = 0;
  for (const stop of stops.map(Number)) {
    while (done < stop) batch(done++);
    await capture.settle();
    capture.dump(`${out}-${String(stop).padStart(3, '0')}.heapsnapshot`, { run: done, items: done * 100 });
  }
  process.exit(0);
}

main();
