import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/reverie', import.meta.url));

/**
 * The module that function threads run, as JavaScript. Given TypeScript each thread would load Node's
 * compiler for it: measured, half of the time in which an empty function starts. Compiled once, and
 * cached by its source.
 */
export async function workerFile(): Promise<URL> {
  const source = await readFile(new URL('./worker.ts', import.meta.url), 'utf8');
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 16);
  const file = join(cache, `worker-${hash}.mjs`);
  if (!existsSync(file)) {
    const { transform } = await import('esbuild');
    const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node24' });
    const own = `${file}.${process.pid}`;
    try {
      await mkdir(cache, { recursive: true });
      // Another host may do the same at this moment: a rename leaves one whole file or the other.
      await writeFile(own, code);
      await rename(own, file);
    } catch {
      // The packages may only be read: then it is compiled for each start.
      return new URL(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
    }
  }
  return pathToFileURL(file);
}
