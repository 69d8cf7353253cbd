import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** `from"./chunk.mjs"` and `import"./chunk.mjs"`, but not `import("./chunk.mjs")`. */
const STATIC = /\b(?:from|import)\s*"\.\/([^"]+\.mjs)"/g;

/** Bytes that a cold start loads: the entry of a bundle, and every chunk that is not imported later. */
export function loadedBytes(folder: string): number {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const [, next] of readFileSync(join(folder, name), 'utf8').matchAll(STATIC)) {
      if (next !== undefined) visit(next);
    }
  };
  visit('index.mjs');
  return [...seen].reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
