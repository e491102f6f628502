'use strict';
// The shop of ../node-graph behind HTTP: each visit keeps its session and two letters. Counters by
// prom-client, under /metrics.
//
//     CAPTURE=../../capture/heapdiff-capture.cjs node shop.js PORT
const http = require('http');
const path = require('path');
const { Shop } = require(path.join(__dirname, '..', 'node-graph', 'service.js'));
const client = require(process.env.PROM_CLIENT || 'prom-client');

client.collectDefaultMetrics();
const requests = new client.Counter({ name: 'http_requests_total', help: 'Requests by endpoint.', labelNames: ['endpoint'] });
const duration = new client.Histogram({ name: 'http_request_duration_seconds', help: 'Durations.', buckets: [0.001, 0.01, 0.1, 1] });
const shop = new Shop();

http.createServer(async (request, response) => {
  const begun = process.hrtime.bigint();
  const kind = request.url.split('/')[1];
  let body = 'ok\n';
  if (kind === 'visit') shop.visit();
  else if (kind === 'price') body = JSON.stringify(Array.from({ length: 300 }, (_, i) => ({ key: i, price: i / 7 })));
  else if (kind === 'category') body = 'x'.repeat(20000);
  else if (kind === 'metrics') body = await client.register.metrics();
  if (kind !== 'metrics') {
    requests.inc({ endpoint: kind });
    duration.observe(Number(process.hrtime.bigint() - begun) / 1e9);
  }
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
