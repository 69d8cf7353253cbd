import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What just-bash loads at run time, and of it only the files it reads: 15 MB of 60. esbuild cannot
 * bundle it, because it starts workers and reads wasm by paths next to its own files. Its other
 * dependencies are inside its own bundle. Left out: native codecs of the build machine's
 * architecture (xz and zstd then say that they are not available) and QuickJS (`js-exec` is off).
 */
const files: Readonly<Record<string, RegExp>> = {
  'just-bash': /^(package\.json|LICENSE|dist\/bundle\/(index\.js|chunks\/.*)|vendor\/.*)$/,
  'sql.js': /^(package\.json|LICENSE|dist\/sql-wasm\.(js|wasm))$/,
  'jq-web': /^(package\.json|LICENSE|jq\.(js|wasm))$/,
  diff: /^(package\.json|LICENSE|libesm\/.*\.js(on)?)$/,
  minimatch: /^(package\.json|LICENSE.*|dist\/esm\/.*\.js(on)?)$/,
  'brace-expansion': /^(package\.json|LICENSE|dist\/esm\/.*\.js(on)?)$/,
  'balanced-match': /^(package\.json|LICENSE.*|dist\/esm\/.*\.js(on)?)$/,
  'seek-bzip': /^(package\.json|LICENSE|lib\/.*)$/,
  commander: /^(package(-support)?\.json|LICENSE|index\.js)$/,
  'sprintf-js': /^(package\.json|LICENSE|src\/sprintf\.js)$/,
  turndown: /^(package\.json|LICENSE|lib\/turndown\.(cjs|es)\.js)$/,
  '@mixmark-io/domino': /^(package\.json|LICENSE|lib\/.*)$/,
};

interface Mend {
  /** Below the package's folder of bundles. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Where just-bash goes wrong and offers no other way in: each stands in its file once. */
const mends: readonly Mend[] = [
  {
    // Whoever answers the worker of a program says so in two steps, and if the worker has asked the next
    // thing between them, the second one wakes it too early: it took that for a failure, though it would be
    // done. A program's output came twice then, and a file that is there could be missing to it.
    file: 'chunks/worker.js',
    from: `    return _Atomics.wait(
      this.int32View,
      Offset.STATUS / 4,
      Status.READY,
      timeout
    );`,
    to: `    // Changed by Reverie: woken before its answer is there, it waits on.
    let said;
    do {
      said = _Atomics.wait(this.int32View, Offset.STATUS / 4, Status.READY, timeout);
    } while (said === "ok" && this.getStatus() === Status.READY);
    return said;`,
  },
  {
    // `for d in */` went over files too, and gave names without the slash that scripts go on with.
    file: 'index.js',
    from: 'return(await this.expandSegments(i,o,a)).sort()}',
    to: `/* Changed by Reverie */const found=await this.expandSegments(i,o,a);if(!t.endsWith("/"))return found.sort();
const kept=await Promise.all(this.filterGlobignore(found).map(async(name)=>{this.checkOpsLimit();try{return(await this.fs.stat(this.fs.resolvePath(this.cwd,name))).isDirectory?[name+"/"]:[]}catch{return[]}}));return kept.flat().sort()}`,
  },
  {
    // A link to a folder was none: the pattern of it matched nothing.
    file: 'index.js',
    from: 'i.length===0?l.push(Promise.resolve([h])):d.isDirectory&&l.push(this.expandSegments(p,h,i))',
    to: '/* Changed by Reverie */i.length===0?l.push(Promise.resolve([h])):(d.isDirectory||d.isSymbolicLink)&&l.push(this.expandSegments(p,h,i))',
  },
  {
    // Links were kept as copies of what they lead to, and a dangling one was an error.
    file: 'chunks/chunk-X3TZEFQG.js',
    from: 'try{let o=await e.fs.stat(a);if(B(e))return{entries:i,errors:["tar: operation aborted"]};if(Ee(r,n))',
    to: 'try{/* Changed by Reverie */let o=await e.fs.lstat(a);if(B(e))return{entries:i,errors:["tar: operation aborted"]};if(Ee(r,n))',
  },
];

/** Names that the sandbox's bundle leaves for Node to resolve beside it. */
export const sandboxModules = Object.keys(files);

/** @throws Error when a package is not installed: run `npm ci`; or is of another version. */
export function copySandboxModules(root: string, outdir: string): void {
  for (const [name, wanted] of Object.entries(files)) {
    const from = join(root, 'node_modules', name);
    const names = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((file) =>
      wanted.test(file),
    );
    for (const file of names.filter((path) => statSync(join(from, path)).isFile())) {
      cpSync(join(from, file), join(outdir, 'node_modules', name, file), { recursive: true });
    }
  }
  for (const each of mends) mend(join(outdir, 'node_modules/just-bash/dist/bundle'), each);
}

function mend(folder: string, { file, from, to }: Mend): void {
  const path = join(folder, file);
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2)
    throw new Error(`${path} is another one than infra/sandbox-modules.ts mends`);
  writeFileSync(path, parts.join(to));
}
