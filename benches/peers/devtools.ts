// The engine of the Comparison view of Chrome DevTools on two snapshots, on one thread.
import {HeapSnapshotLoader} from './node_modules/chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker/HeapSnapshotLoader.ts';
import {SecondaryInitManager} from './node_modules/chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts';
import * as fs from 'node:fs';

// Node 20 lacks what browsers have.
(Promise as any).withResolvers ??= () => {
  let resolve: any;
  let reject: any;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return {promise, resolve, reject};
};

async function load(path: string): Promise<any> {
  const loader = new HeapSnapshotLoader({sendEvent() {}} as any);
  const stream = fs.createReadStream(path, {encoding: 'latin1', highWaterMark: 10 << 20});
  for await (const chunk of stream) {
    await loader.write(chunk as any);
  }
  loader.close();
  const channel = new MessageChannel();
  new SecondaryInitManager(channel.port2 as any);
  return await loader.buildSnapshot(channel.port1 as any);
}

async function main(): Promise<void> {
  const before = await load(process.argv[2]);
  const after = await load(process.argv[3]);
  const diff = after.calculateSnapshotDiff(1, before.aggregatesForDiff(after.interfaceDefinitions()));
  console.log('bytes', after.totalSize, 'objects', after.nodeCount);
  for (const name in diff) {
    const row = diff[name];
    if (row.countDelta > 1000) {
      console.log(name, row.countDelta, row.sizeDelta);
    }
  }
  const used = process.cpuUsage();
  console.log('processor', (used.user + used.system) / 1e6, 'KiB', process.resourceUsage().maxRSS);
  process.exit(0);
}

void main();
