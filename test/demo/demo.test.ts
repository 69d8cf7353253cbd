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
  return await promisify(execFile)(process.execPath, [program, ...args], {
    cwd: root,
    env,
  });
}

test(
  'without a key it says so first, works with real tools, leaves a report, and learns',
  { timeout: 240_000 },
  async () => {
    const { stdout } = await run();
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toContain('No ANTHROPIC_API_KEY');
    expect(stdout).toMatch(/agent\.tool_use +bash .*awk|agent\.tool_use +bash PROGRAM=/);
    // The first attempt misses a criterion, the grader says which, the second passes.
    const [first = ''] = stdout.split('Does it learn?');
    const verdicts = first
      .split('\n')
      .filter((line) => /outcome_evaluation_end|^\s*[✓✗?] /.test(line));
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
    const path = /saved as (\S+)$/m.exec(stdout)?.[1] ?? '';
    const report = await readFile(`${root}/${path}`, 'utf8');
    expect(report).toContain('21933');
    expect(report).toMatch(/## Sources\n\n- global-temp\.csv: 144 rows\n/);
    expect(report).toContain('*Asked for: Read the attached records');
    expectLearning(stdout.slice(first.length));
  },
);

/** Twice the same mistake, a playbook that quotes both, and then none; the verdict is counted. */
function expectLearning(shown: string): void {
  const results = [...shown.matchAll(/outcome_evaluation_end +(\w+)/g)].map(([, word]) => word);
  const twice = ['needs_revision', 'satisfied'];
  expect(results).toEqual([...twice, ...twice, 'satisfied']);
  expect(shown).toContain('which cannot be.');
  expect(
    shown.match(/^ {2}evidence sesn_\w+ sevt_\w+: “This CSV file is an export/gm),
  ).toHaveLength(2);
  const path = '/playbooks/this-csv-file-is-an-export-of-a-german-spreadsheet.md';
  expect(shown).toContain(`+++ b${path}`);
  expect(shown).toContain('accepted by apikey_');
  expect(shown).toContain(`agent.tool_use                read /mnt/memory/analysts${path}`);
  expect(shown).toMatch(new RegExp(`^${path} was offered and read by the call sevt_`, 'm'));
  expect(shown).toMatch(/^ {2}-helpful: 0\n {2}\+helpful: 1$/m);
  expect(shown).toContain(
    'Before the dream: needs_revision, then satisfied; needs_revision, then satisfied. After it: satisfied.',
  );
}

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
