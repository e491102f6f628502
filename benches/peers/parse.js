// Seconds that JSON.parse needs for one snapshot, which is where every tool in JavaScript begins.
const fs = require('fs');
const text = fs.readFileSync(process.argv[2], 'utf8');
const before = process.cpuUsage();
JSON.parse(text);
const used = process.cpuUsage(before);
console.log('processor', (used.user + used.system) / 1e6);
