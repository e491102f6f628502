const v8=require('v8');const n=+process.argv[3]||350000;
class Rec{constructor(i){this.id=i;this.tags=[i%7+0.5,{k:i}];this.next=null}}
const all=[];for(let i=0;i<n;i++){const r=new Rec(i);all.push(r);if(i)all[i-1].next=r}
global.all=all;v8.writeHeapSnapshot(process.argv[2]);
