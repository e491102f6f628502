// What a .heapprofile holds, summed by Node: node oracle.js FILE... > ORACLE
'use strict';
const fs = require('fs');
const out = {};
for (const path of process.argv.slice(2)) {
  const profile = JSON.parse(fs.readFileSync(path));
  const sums = new Map();
  let total = 0;
  const walk = (node) => {
    const f = node.callFrame;
    const key = `${f.functionName || '(anonymous)'} ${f.url} ${f.lineNumber + 1}:${f.columnNumber + 1}`;
    if (node.selfSize) sums.set(key, (sums.get(key) || 0) + node.selfSize);
    total += node.selfSize;
    node.children.forEach(walk);
  };
  walk(profile.head);
  const rows = [...sums].sort((a, b) => b[1] - a[1]);
  out[path.replace(/.*\//, '')] = { total, samples: profile.samples.length, functions: rows };
}
console.log(JSON.stringify(out));
