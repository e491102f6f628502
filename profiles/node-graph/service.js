'use strict';
// A small shop with two planted faults and three innocents.
//
//     node service.js faulty|cured OUT RUNS...      RUNS: after which numbers of runs to capture
//
// One run is one visit: a session opens, looks at prices, sends two letters, closes.
const EventEmitter = require('events');
const inspector = process.env.TRACE ? require('inspector') : null;
const capture = require(process.env.CAPTURE || './heapdiff-capture.cjs');

const [mode, out, ...stops] = process.argv.slice(2);
const cured = mode === 'cured';

class Item {
  constructor(number) {
    this.number = number;
    this.notes = new Array(16).fill(number);
  }
}

// Fault 1: a closed session stays subscribed to the settings.
class Settings extends EventEmitter {}

class ShopSession {
  constructor(settings) {
    this.basket = [];
    for (let i = 0; i < 20; i++) this.basket.push(new Item(i));
    this.onChange = () => this.basket.length;
    this.settings = settings;
    settings.on('change', this.onChange);
  }

  close() {
    if (cured) this.settings.off('change', this.onChange);
  }
}

// Fault 2: what was delivered is still kept for another try.
class Letter {
  constructor(to) {
    this.to = to;
    this.lines = new Array(64).fill(to);
  }
}

class Mailer {
  constructor() {
    this.retries = [];
    this.sent = 0;
  }

  send(to) {
    const letter = new Letter(to);
    const retry = () => this.deliver(letter);
    this.retries.push(retry);
    retry();
    if (cured) this.retries.pop();
  }

  deliver(letter) {
    this.sent += letter.lines.length;
  }
}

// Innocent 1: a cache with a bound, full after four runs.
class Price {
  constructor(key) {
    this.key = key;
    this.history = new Array(8).fill(key);
  }
}

class PriceCache {
  constructor(bound) {
    this.bound = bound;
    this.entries = new Map();
  }

  get(key) {
    if (!this.entries.has(key)) {
      this.entries.set(key, new Price(key));
      if (this.entries.size > this.bound) this.entries.delete(this.entries.keys().next().value);
    }
    return this.entries.get(key);
  }
}

// Innocent 2: a tree whose nodes know their parents, built once.
class Category {
  constructor(parent, depth) {
    this.parent = parent;
    this.children = [];
    for (let i = 0; depth > 0 && i < 5; i++) this.children.push(new Category(this, depth - 1));
  }
}

// Innocent 3: a doubly linked list of fixed length.
class Visit {
  constructor(before) {
    this.before = before;
    this.after = null;
    if (before) before.after = this;
  }
}

class Shop {
  constructor() {
    this.settings = new Settings();
    this.settings.setMaxListeners(0);
    this.mailer = new Mailer();
    this.prices = new PriceCache(64);
    this.categories = new Category(null, 3);
    this.first = new Visit(null);
    let last = this.first;
    for (let i = 1; i < 100; i++) last = new Visit(last);
    this.key = 0;
  }

  visit() {
    const session = new ShopSession(this.settings);
    for (let i = 0; i < 20; i++) this.prices.get(this.key++);
    this.mailer.send(this.key);
    this.mailer.send(this.key + 1);
    session.close();
  }
}

async function main() {
  const shop = (global.shop = new Shop());
  let tracking = null;
  if (inspector) {
    tracking = new inspector.Session();
    tracking.connect();
    tracking.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  }
  let done = 0;
  for (const stop of stops.map(Number)) {
    for (; done < stop; done++) shop.visit();
    await capture.settle();
    capture.dump(`${out}-${String(stop).padStart(3, '0')}.heapsnapshot`, { run: done, items: done * 2, workload: 'visits' });
  }
}

if (require.main === module) main().then(() => process.exit());

module.exports = { Shop };
