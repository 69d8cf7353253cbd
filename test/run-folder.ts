import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string;

/** What a run of the tests leaves on disk lies in one folder, which goes with it, whatever dies. */
export function setup(): void {
  // A short name: sockets lie in it, whose paths may have 104 characters on some systems.
  folder = mkdtempSync(join(tmpdir(), 'rv-'));
  process.env['TMPDIR'] = folder;
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true });
}
