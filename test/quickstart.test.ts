// Goal: what the README tells a newcomer to run does run. test/house compares the two texts.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHost, type Host } from '../infra/local/host.ts';
import { startModel, type ScriptedModel } from './model/model.ts';
import { call, reply, say } from './model/replies.ts';

let model: ScriptedModel;
let host: Host;
let data_dir: string;

beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'quickstart-'));
  model = await startModel();
  host = await startHost({
    data_dir,
    admin_key: 'quickstart',
    model: { api_key: 'test', base_url: model.url },
  });
});

afterAll(async () => {
  await host.stop();
  await model.close();
  await rm(data_dir, { recursive: true, force: true });
});

test('the quickstart runs, shows the work and ends by itself', async () => {
  const input = { file_path: '/mnt/session/outputs/primes.csv', content: '2\n3\n5\n' };
  model.on(
    'prime',
    reply(say('I write them down.'), call('write', input)),
    say('primes.csv is written.'),
  );
  const program = fileURLToPath(new URL('quickstart.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env: { ...process.env, REVERIE_BASE_URL: host.base_url, REVERIE_API_KEY: 'quickstart' },
    timeout: 25_000,
  });
  expect(stdout).toContain('→ write');
  expect(stdout).toContain('primes.csv is written.');
  expect(model.violations).toEqual([]);
});
