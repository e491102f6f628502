'use strict';
// Objects and own bytes of each constructor of the program, by Node's own JSON.parse.
const snapshot = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
const { meta } = snapshot.snapshot;
const field = (name) => meta.node_fields.indexOf(name);
const width = meta.node_fields.length;
const kinds = meta.node_types[field('type')];
const out = { nodes: snapshot.snapshot.node_count, edges: snapshot.snapshot.edge_count, bytes: 0, kinds: {}, objects: {} };
for (let at = 0; at < snapshot.nodes.length; at += width) {
  const kind = kinds[snapshot.nodes[at + field('type')]];
  const bytes = snapshot.nodes[at + field('self_size')];
  out.bytes += bytes;
  const of = (table, name) => (table[name] = table[name] || { count: 0, bytes: 0 });
  for (const row of kind === 'object' ? [of(out.kinds, kind), of(out.objects, snapshot.strings[snapshot.nodes[at + field('name')]])] : [of(out.kinds, kind)]) {
    row.count++;
    row.bytes += bytes;
  }
}
const few = Object.entries(out.objects).filter(([name]) => !name.includes(' / '));
out.objects = Object.fromEntries(few.sort((a, b) => b[1].bytes - a[1].bytes || (a[0] < b[0] ? -1 : 1)).slice(0, 40));
console.log(JSON.stringify(out, null, 1));
