// Goal: the command that a newcomer runs first works without a key, ends by itself and says where
// its result is. Method: it is run.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('demo.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

async function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { ANTHROPIC_API_KEY: _, ...env } = process.env;
  return await promisify(execFile)(process.execPath, ['--import', 'tsx', program, ...args], {
    cwd: root,
    env,
  });
}

test(
  'without a key it says so first, works with real tools and leaves a report',
  { timeout: 120_000 },
  async () => {
    const { stdout } = await run();
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toContain('No ANTHROPIC_API_KEY');
    expect(stdout).toMatch(/agent\.tool_use +bash .*awk|agent\.tool_use +bash PROGRAM=/);
    // The first attempt misses a criterion, the grader says which, the second passes.
    const verdicts = lines.filter((line) => /outcome_evaluation_end|^\s*[✓✗?] /.test(line));
    expect(verdicts.map((line) => line.replace(/^\s*[\d.]+ s/, '').trim())).toEqual([
      expect.stringMatching(/^span\.outcome_evaluation_end +needs_revision$/),
      ...Array.from({ length: 4 }, () => expect.stringMatching(/^✓ /) as string),
      expect.stringMatching(/^✗ It has a section "Sources".* → There is no section/),
      expect.stringMatching(/^span\.outcome_evaluation_end +satisfied$/),
      ...Array.from({ length: 5 }, () => expect.stringMatching(/^✓ /) as string),
    ]);
    expect(stdout).toMatch(/session\.status_idle +end_turn/);
    expect(stdout).toMatch(/first event after \d+\.\d\d s/);
    // A pipe is no terminal.
    expect(stdout).not.toContain('\u001b[');
    const path = /saved as (\S+)$/.exec(lines.at(-1) ?? '')?.[1] ?? '';
    const report = await readFile(`${root}/${path}`, 'utf8');
    expect(report).toContain('21933');
    expect(report).toMatch(/## Sources\n\n- global-temp\.csv: 144 rows\n/);
    expect(report).toContain('*Asked for: Read the attached records');
  },
);

test(
  'help, a wrong flag and a folder that is not there each say what to do',
  { timeout: 120_000 },
  async () => {
    expect((await run('--help')).stdout).toContain('npm run demo -- [folder]');
    await expect(run('--fodler')).rejects.toMatchObject({ code: 2 });
    await expect(run('no-such-folder')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is no folder 'no-such-folder'.") as string,
    });
  },
);
