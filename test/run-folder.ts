import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAssembly } from '../infra/local/assembly.ts';

let folder: string;

/**
 * What a run of the tests leaves on disk lies in one folder, which goes with it, whatever dies. And what
 * all hosts boot is synthesized before them: else each worker does it, at the same time.
 */
export async function setup(): Promise<void> {
  // A short name: sockets lie in it, whose paths may have 104 characters on some systems.
  folder = mkdtempSync(join(tmpdir(), 'rv-'));
  process.env['TMPDIR'] = folder;
  await loadAssembly((sentence) => process.stderr.write(`${sentence}\n`));
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true });
}
