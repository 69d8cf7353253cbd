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

/** In just-bash: how the worker of a program waits until what it has asked is done. */
const WAITING = `    return _Atomics.wait(
      this.int32View,
      Offset.STATUS / 4,
      Status.READY,
      timeout
    );`;

/**
 * Whoever answers says so in two steps, and if the worker has asked the next thing between them, the second
 * one wakes it too early: it took that for a failure, though it would be done. A program's output came
 * twice then, and a file that is there could be missing to it.
 */
const WAITING_ON = `    // Changed by Reverie: woken before its answer is there, it waits on.
    let said;
    do {
      said = _Atomics.wait(this.int32View, Offset.STATUS / 4, Status.READY, timeout);
    } while (said === "ok" && this.getStatus() === Status.READY);
    return said;`;

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
  waitOn(join(outdir, 'node_modules/just-bash/dist/bundle/chunks/worker.js'));
}

function waitOn(worker: string): void {
  const parts = readFileSync(worker, 'utf8').split(WAITING);
  if (parts.length !== 2)
    throw new Error(`${worker} is another one than infra/sandbox-modules.ts mends`);
  writeFileSync(worker, parts.join(WAITING_ON));
}
