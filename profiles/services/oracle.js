'use strict';
// What a visit keeps, by the runtime's own counter: node --expose-gc oracle.js
const path = require('path');
process.env.CAPTURE = process.env.CAPTURE || path.join(__dirname, '..', '..', 'capture', 'heapdiff-capture.cjs');
const { Shop } = require(path.join(__dirname, '..', 'node-graph', 'service.js'));
const shop = new Shop();
const used = () => { global.gc(); global.gc(); return process.memoryUsage().heapUsed; };
for (let i = 0; i < 2000; i++) shop.visit();
const before = used();
for (let i = 0; i < 10000; i++) shop.visit();
console.log(JSON.stringify({ bytes_per_visit: Math.round((used() - before) / 10000) }));
