// The engine of the Comparison view of Chrome DevTools on two snapshots, on one thread.
import {HeapSnapshotLoader} from './node_modules/chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker/HeapSnapshotLoader.ts';
import {SecondaryInitManager} from './node_modules/chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts';
import * as fs from 'node:fs';
(Promise as any).withResolvers ??= function(){let resolve:any,reject:any;const promise=new Promise((a,b)=>{resolve=a;reject=b});return {promise,resolve,reject}};
async function load(path:string){
  const l=new HeapSnapshotLoader({sendEvent(){}} as any);
  for await (const chunk of fs.createReadStream(path,{encoding:'latin1',highWaterMark:10<<20})) await l.write(chunk as any);
  l.close();
  const c=new MessageChannel(); new SecondaryInitManager(c.port2 as any);
  const s=await l.buildSnapshot(c.port1 as any); return s;
}
(async()=>{
  const a=await load(process.argv[2]); const b=await load(process.argv[3]);
  const w=Date.now();
  const d=b.calculateSnapshotDiff(1 as any,a.aggregatesForDiff(b.interfaceDefinitions()));
  console.log('total',(b as any).totalSize,'nodes',(b as any).nodeCount);
  for(const k in d){const x=(d as any)[k]; if(x.addedCount-x.removedCount>1000) console.log(k,x.countDelta,x.sizeDelta)}
  const u=process.cpuUsage(); console.log('user',u.user/1e6,'sys',u.system/1e6,'maxrss MiB',process.resourceUsage().maxRSS/1024);
  process.exit(0);
})();
