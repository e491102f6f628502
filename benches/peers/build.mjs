// Bundles devtools.ts: texts of the user interface and what asks for a browser are left out.
import * as esbuild from 'esbuild';
const stub={name:'stub',setup(b){b.onResolve({filter:/locales\.js$|\.css\.js$/},a=>({path:a.path,namespace:'stub'}));
 b.onLoad({filter:/HostRuntime\.ts$/},()=>({contents:'export const HOST_RUNTIME={};export const IS_NODE=true;export const IS_BROWSER=false;',loader:'ts'})); b.onLoad({filter:/.*/,namespace:'stub'},()=>({contents:'export const LOCALES=["en-US"];export const BUNDLED_LOCALES=["en-US"];export const DEFAULT_LOCALE="en-US";export const REMOTE_FETCH_PATTERN="";export const LOCAL_FETCH_PATTERN="";export default {};'}));}};
await esbuild.build({entryPoints:['devtools.ts'],bundle:true,platform:'node',format:'cjs',outfile:'devtools.js',plugins:[stub],logLevel:'error',tsconfigRaw:{compilerOptions:{target:'es2022',useDefineForClassFields:false}}});
