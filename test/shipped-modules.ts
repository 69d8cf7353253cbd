import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { copySandboxModules } from '../infra/sandbox-modules.ts';

/**
 * The sandbox's interpreter as it ships, mended: a program of Python's in the package's own may miss a file that
 * is there, which failed two of three runs of the tests. Copied once, and again when what is copied or mended has changed.
 *
 * @returns the module that `just-bash` names
 */
export function shippedInterpreter(root: string): string {
  const hash = createHash('sha256');
  for (const file of ['infra/sandbox-modules.ts', 'package-lock.json']) {
    hash.update(readFileSync(join(root, file)));
  }
  const cache = join(root, 'node_modules', '.cache', 'reverie');
  const folder = join(cache, `sandbox-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) {
    const making = `${folder}.${process.pid}`;
    copySandboxModules(root, making);
    try {
      renameSync(making, folder);
    } catch {
      // Another run was faster; the two are equal.
      rmSync(making, { recursive: true, force: true });
    }
  }
  return join(folder, 'node_modules', 'just-bash', 'dist', 'bundle', 'index.js');
}
