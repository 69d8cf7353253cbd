// Goal: the demo of a team works without a key, with real tools on each thread. Method: it is run.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('demo.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

test(
  'a coordinator gives each file to a specialist and joins what they wrote',
  { timeout: 240_000 },
  async () => {
    const { ANTHROPIC_API_KEY: _, ...env } = process.env;
    const args = [program, '--team'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    expect(stdout.split('\n')[0]).toContain('No ANTHROPIC_API_KEY');
    expect(stdout.match(/session\.thread_created +Data specialist/g)).toHaveLength(2);
    expect(stdout.match(/thread_message_received +from Data specialist: /g)).toHaveLength(2);
    expect(stdout).toMatch(/session\.status_idle +end_turn/);
    // The trace: who did what, by which tools, on which thread.
    expect(stdout).toMatch(/^Team lead \(…\w+\): .*wrote \/mnt\/session\/outputs\/report\.md$/m);
    for (const name of ['global-temp.csv', 'iowa-electricity.csv']) {
      const line = `^  └ Data specialist .*read 1, bash 1, write 1; wrote /workspace/parts/${name}\\.md$`;
      expect(stdout).toMatch(new RegExp(line, 'm'));
    }
    const path = /saved as (\S+)$/m.exec(stdout)?.[1] ?? '';
    const report = await readFile(`${root}/${path}`, 'utf8');
    expect(report).toContain('21933');
    expect(report).toMatch(/## global-temp\.csv[^]*## iowa-electricity\.csv/);
  },
);
