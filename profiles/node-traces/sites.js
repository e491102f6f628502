'use strict';
// What a snapshot holds by the function that allocated it, read with JSON.parse alone:
//
//     node sites.js FILE.heapsnapshot      { "function file:line": [objects, bytes] }
const fs = require('fs');
const snapshot = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const { node_fields: fields, trace_function_info_fields: info } = snapshot.snapshot.meta;
const [size, trace] = [fields.indexOf('self_size'), fields.indexOf('trace_node_id')];
const functionOf = new Map([[0, -1]]);
const walk = [snapshot.trace_tree];
while (walk.length) {
  const calls = walk.pop();
  // A call: id, function, objects, bytes, and the calls in it.
  for (let i = 0; i < calls.length; i += 5) {
    functionOf.set(calls[i], calls[i + 1]);
    walk.push(calls[i + 4]);
  }
}
function name(f) {
  if (f < 0) return '(no trace)';
  const at = f * info.length;
  const get = (field) => snapshot.trace_function_infos[at + info.indexOf(field)];
  const file = snapshot.strings[get('script_name')].split('/').pop();
  return `${snapshot.strings[get('name')] || '(anonymous)'} ${file}:${get('line')}`;
}
const out = {};
for (let i = 0; i < snapshot.nodes.length; i += fields.length) {
  const key = name(functionOf.get(snapshot.nodes[i + trace]));
  const row = (out[key] ||= [0, 0]);
  row[0]++;
  row[1] += snapshot.nodes[i + size];
}
const sorted = Object.fromEntries(Object.entries(out).sort());
console.log(JSON.stringify(sorted, null, 0).replace(/\],/g, '],\n'));
