/**
 * The SDK's own tooling for memory stores works against us. Method: workers as the SDK's agent
 * toolset has them, each with a folder of its own, download, edit, sync and delete; after that the
 * store and both folders must hold the same, and no edit may be lost.
 */
import Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { SessionMemoryStores } from '@anthropic-ai/sdk/tools/agent-toolset/node';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';

let door: StartedDoor;
let client: Anthropic;
let folder: string;
const open: SessionMemoryStores[] = [];

beforeAll(async () => {
  door = await startDoor();
  client = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, logLevel: 'error' });
  folder = await mkdtemp(join(tmpdir(), 'reverie-memories-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map(async (worker) => await worker.dispose()));
});
afterAll(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
  await door.stop();
});

/** Let a worker sync now: it looks at the time, which alone is moved. */
async function sync({ stores }: Worker): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  await stores.syncIfDue();
}

interface Worker {
  readonly stores: SessionMemoryStores;
  readonly at: string;
}

/** A session with this store, and workers that have downloaded it, each to a folder of its own. */
async function workersOf(memory_store_id: string, count: number): Promise<Worker[]> {
  const agent = await client.beta.agents.create({ name: 'Ada', model: 'claude-opus-5-5' });
  const environment = await client.beta.environments.create({ name: `for ${memory_store_id}` });
  const session = await client.beta.sessions.create({
    agent: agent.id,
    environment_id: environment.id,
    resources: [{ type: 'memory_store', memory_store_id, access: 'read_write' }],
  });
  return await Promise.all(Array.from({ length: count }, async () => await aWorker(session)));
}

async function aWorker(session: BetaManagedAgentsSession): Promise<Worker> {
  const workdir = await mkdtemp(join(folder, 'worker-'));
  const at = join(workdir, 'store');
  // The path of a sandbox; here two workers share one machine.
  const resources = session.resources.map((resource) =>
    resource.type === 'memory_store' ? { ...resource, mount_path: at } : resource,
  );
  const stores = new SessionMemoryStores(client, { workdir });
  open.push(stores);
  await stores.download({ ...session, resources });
  return { stores, at };
}

async function filesOf({ at }: Worker): Promise<Record<string, string>> {
  const entries = await readdir(at, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.anthropic'));
  const texts = files.map(async (file) => {
    const path = join(file.parentPath, file.name);
    return [path.slice(at.length), await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}

async function memoriesOf(store_id: string): Promise<Record<string, string | null | undefined>> {
  const found: Record<string, string | null | undefined> = {};
  const listed = client.beta.memoryStores.memories.list(store_id, { view: 'full' });
  for await (const item of listed) if (item.type === 'memory') found[item.path] = item.content;
  return found;
}

async function aStore(memories: Readonly<Record<string, string>>): Promise<string> {
  const { id } = await client.beta.memoryStores.create({ name: 'Notes' });
  const limit = pLimit(2);
  const made = Object.entries(memories).map(async ([path, content]) =>
    limit(async () => await client.beta.memoryStores.memories.create(id, { path, content })),
  );
  await Promise.all(made);
  return id;
}

test('what is downloaded, edited, added and deleted by a worker stands in the store', async () => {
  const before = { '/a': 'one', '/b': 'two', '/deep/er/c': 'three', '/large': 'x'.repeat(50_000) };
  const store_id = await aStore(before);
  const [worker] = await workersOf(store_id, 1);
  if (worker === undefined) throw new Error('no worker');
  expect(await filesOf(worker)).toEqual(before);
  await writeFile(join(worker.at, 'a'), 'one, edited');
  await writeFile(join(worker.at, 'deep', 'new'), 'new');
  await rm(join(worker.at, 'b'));
  await sync(worker);
  // A deletion goes out when the file has been missing for a while.
  await sync(worker);
  await worker.stores.finish();
  const { '/b': _, ...left } = before;
  const after = { ...left, '/a': 'one, edited', '/deep/new': 'new' };
  expect(await memoriesOf(store_id)).toEqual(after);
  expect(await filesOf(worker)).toEqual(after);
});

test('two workers at once lose nothing, and see each other', async () => {
  const store_id = await aStore({ '/shared': 'start' });
  const workers = await workersOf(store_id, 2);
  for (let round = 0; round < 3; round++) {
    const edits = workers.map(async (worker, n) => {
      await writeFile(join(worker.at, `worker-${n}-${round}`), `${n} ${round}`);
      await writeFile(join(worker.at, 'shared'), `${n} ${round}`);
      await sync(worker);
    });
    // oxlint-disable-next-line no-await-in-loop -- rounds follow each other
    await Promise.all(edits);
  }
  for (let round = 0; round < 2; round++) {
    // oxlint-disable-next-line no-await-in-loop -- each sees what the other has done
    for (const worker of workers) await sync(worker);
  }
  const memories = await memoriesOf(store_id);
  expect(Object.keys(memories)).toHaveLength(7);
  expect(memories).toMatchObject({ '/worker-0-2': '0 2', '/worker-1-2': '1 2' });
  for (const worker of workers) expect(await filesOf(worker)).toEqual(memories);
  const shared = client.beta.memoryStores.memoryVersions.list(store_id);
  const seen: string[] = [];
  for await (const version of shared) if (version.path === '/shared') seen.push(version.id);
  // Of two that edit the same file at once the server takes one; each that it took is a version.
  expect(seen.length).toBeGreaterThanOrEqual(4);
});

/** A whole store with `LARGE=all`, else one of many pages. */
const MEMORIES = process.env['LARGE'] === 'all' ? 2_000 : 240;

test('a store of many pages is downloaded and synced whole', async () => {
  const before = Object.fromEntries(
    Array.from({ length: MEMORIES }, (_, n) => [`/topic-${n % 20}/note-${n}`, `note ${n}`]),
  );
  const store_id = await aStore(before);
  const [worker] = await workersOf(store_id, 1);
  if (worker === undefined) throw new Error('no worker');
  expect(await filesOf(worker)).toEqual(before);
  await writeFile(join(worker.at, 'topic-7', 'note-7'), 'edited');
  await worker.stores.finish();
  expect(await memoriesOf(store_id)).toEqual({ ...before, '/topic-7/note-7': 'edited' });
}, 240_000);
