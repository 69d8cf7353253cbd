/** `npm start` as a person meets it: one line when it is ready, sentences when it is not, a clean end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../infra/local/main.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
let data_dir: string;

beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'reverie-main-'));
});
afterAll(() => rm(data_dir, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Run the command to its end; `ready` is called with its address. */
async function run(
  env: object,
  args: string[] = [],
  ready?: (url: string) => Promise<void>,
  [program, ...first]: readonly [string, ...string[]] = [process.execPath, script],
) {
  const child = spawn(program, [...first, ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], DATA_DIR: data_dir, PORT: '0', ...env },
  });
  const said = { out: '', err: '' };
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
    const [, url] = /^ready (\S+)\n/m.exec(said.out) ?? [];
    if (url === undefined || ready === undefined) return;
    void ready(url).finally(() => child.kill('SIGTERM'));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said } satisfies Ended;
}

test('help names every variable and starts nothing', async () => {
  const { code, out } = await run({}, ['--help']);
  expect(code).toBe(0);
  for (const name of ['HOST', 'PORT', 'DATA_DIR', 'REVERIE_API_KEY', 'ANTHROPIC_API_KEY']) {
    expect(out).toContain(name);
  }
});

test('an argument is refused, and the variables are shown instead', async () => {
  const { code, err } = await run({}, ['--port', '9000']);
  expect([code, err]).toEqual([2, expect.stringMatching(/^There is no '--port'.*\n\nnpm start\n/)]);
});

test.each([
  [{ PORT: 'many' }, "PORT is 'many', not a number from 0 to 65535."],
  [{ PORT: '65536' }, "PORT is '65536'"],
  [{ ANTHROPIC_BASE_URL: 'localhost:1' }, "ANTHROPIC_BASE_URL is 'localhost:1', not a URL."],
])('%j is refused in a sentence', async (env, sentence) => {
  const { code, out, err } = await run(env);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(sentence);
  expect(err).not.toContain('    at ');
});

test('it says who answers, prints the one line once the API answers, and ends with 0', async () => {
  let status = 0;
  const ask = async (url: string): Promise<void> => {
    const headers = { 'x-api-key': 'mine', 'anthropic-version': '2023-06-01' };
    ({ status } = await fetch(`${url}/v1/agents`, { headers }));
  };
  // A shell between npm and the host would die of the signal alone, and leave the host behind.
  const { code, out, err } = await run({ REVERIE_API_KEY: 'mine' }, [], ask, [
    'npm',
    'start',
    '--silent',
  ]);
  expect(err.split('\n')[0]).toContain('the offline model answers');
  expect(out).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+\n$/);
  expect([code, status]).toEqual([0, 200]);
}, 90_000);

test('a port in use, and a default key for everybody, are sentences that say what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const PORT = String(typeof address === 'object' ? address?.port : 0);
  const { code, err } = await run({ PORT, HOST: '0.0.0.0' });
  taken.close();
  expect(code).toBe(1);
  expect(err).toContain(`Port ${PORT} on 0.0.0.0 is in use. Set PORT`);
  expect(err).toContain('everybody knows the default key. Set REVERIE_API_KEY.');
}, 90_000);
