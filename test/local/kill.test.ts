/** A host that is killed with a machine in flight, and started again on the same data, finishes it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LogFile } from '../../infra/local/log-file.ts';
import { startEngine } from '../../infra/local/dynamodb/engine.ts';
import { startRig } from './fixture.ts';

const script = fileURLToPath(new URL('kill-child.ts', import.meta.url));
const assets = fileURLToPath(
  new URL('../../node_modules/.cache/reverie-tests/kill', import.meta.url),
);
const children: ChildProcess[] = [];
let data_dir: string;

beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'reverie-kill-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(data_dir, { recursive: true, force: true });
  await rm(assets, { recursive: true, force: true });
});

async function start(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [script, data_dir, assets], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: line.toString().trim() };
}

const state = async (url: string): Promise<unknown> => await (await fetch(`${url}/one`)).json();
const engine = async (): Promise<number> =>
  Number(await readFile(join(data_dir, 'dynamodb.pid'), 'utf8'));

/** A process that was ended and that nobody has waited for yet has no command line any more. */
async function alive(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';
}

test('killed between two states, started again, it runs to the end; and one host has the data at a time', async () => {
  const first = await start();
  await fetch(`${first.url}/one`, { method: 'POST' });
  await expect
    .poll(() => state(first.url), { timeout: 10_000 })
    .toEqual({ begun: true, done: false });
  // Also for a host that has its temporary files elsewhere.
  vi.stubEnv('TMPDIR', data_dir);
  await expect(startRig({}, { data_dir })).rejects.toThrow(/Another local host is using/);
  vi.unstubAllEnvs();
  const orphan = await engine();
  expect(await alive(orphan)).toBe(true);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const second = await start();
  expect(await alive(orphan)).toBe(false);
  await expect
    .poll(() => state(second.url), { timeout: 10_000 })
    .toEqual({ begun: true, done: true });
});

test('a table that is none is named with what the engine says of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reverie-garbage-'));
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'dynamodb.sqlite'), 'garbage');
  await expect(startEngine(folder)).rejects.toThrow(/dynamodb\.sqlite: .*not a valid SQLite/);
  await rm(folder, { recursive: true });
});

test.runIf(existsSync('/usr/bin/taskset'))('the engine keeps to one processor', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reverie-engine-'));
  await mkdir(join(folder, 'logs'));
  const started = await startEngine(folder);
  const pid = await readFile(join(folder, 'dynamodb.pid'), 'utf8');
  expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^Cpus_allowed_list:\s+\d+$/m);
  await started.stop();
  await rm(folder, { recursive: true });
});

test.runIf(existsSync('/proc/self/fd'))('the engine keeps its memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reverie-engine-'));
  await mkdir(join(folder, 'logs'));
  const started = await startEngine(folder);
  const pid = await readFile(join(folder, 'dynamodb.pid'), 'utf8');
  // By the connections that it holds.
  const open = async () => (await readdir(`/proc/${pid}/fd`)).length;
  await expect.poll(open).toBeGreaterThanOrEqual(64);
  await started.stop();
  await rm(folder, { recursive: true });
});

test('a log on a full disk loses its lines and ends nothing', async () => {
  const log = new LogFile('/dev/full').end('a line');
  await expect(once(log, 'close')).resolves.toEqual([]);
});
