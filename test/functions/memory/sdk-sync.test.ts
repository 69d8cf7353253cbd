// Goal: the SDK's own memory tooling works against us and loses nothing. Method: two of its workers
// download one store onto disk, edit it side by side and sync at the same time,
// until both folders and the store are the same.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { SessionMemoryStores } from '@anthropic-ai/sdk/tools/agent-toolset/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MemoryOperation } from '#shared/memory/changes.ts';
import { splitOperations } from '#shared/memory/split.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';
import { actor, broken } from '../../shared/memory/store.ts';

let door: StartedDoor;
let client: Anthropic;
let folder: string;

beforeAll(async () => {
  door = await startDoor({ memories_max: MEMORIES + 100 });
  client = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, logLevel: 'off' });
  folder = await mkdtemp(join(tmpdir(), 'sdk-sync-'));
});
afterAll(async () => {
  await door.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The shortest that the SDK takes. */
const syncIntervalMs = 5_000;

/** With the 100 that the workers add a store is full: one of 2,000 with `LARGE=all`, else a smaller one. */
const MEMORIES = process.env['LARGE'] === 'all' ? 1_900 : 140;
/** The last of them. */
const RACED = `/notes/19/${MEMORIES - 1}.md`;

async function filledStore(): Promise<string> {
  const { id } = await client.beta.memoryStores.create({ name: 'synced' });
  const operations = Array.from({ length: MEMORIES }, (_, n): MemoryOperation => {
    const content = n % 100 === 0 ? `${n} `.repeat(2_000) : `memory ${n}`;
    return { kind: 'create', path: `/notes/${n % 40}/${n}.md`, content };
  });
  for (const batch of splitOperations(operations)) {
    await writeMemories(door.ports, { store_id: id, operations: batch, actor });
  }
  return id;
}

/** One of the SDK's workers, with the store at a place of its own. */
async function worker(memory_store_id: string, name: string) {
  const mount_path = join(folder, name);
  const stores = new SessionMemoryStores(client, { workdir: folder, syncIntervalMs });
  const resource = { type: 'memory_store', memory_store_id, mount_path, access: 'read_write' };
  await stores.download({ resources: [resource] } as unknown as BetaManagedAgentsSession);
  return { stores, mount_path };
}

async function filesOf(mount_path: string): Promise<Map<string, string>> {
  const entries = await readdir(mount_path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  return new Map(
    await Promise.all(
      files.map(async ({ parentPath, name }): Promise<[string, string]> => {
        const path = join(parentPath, name);
        return [path.slice(mount_path.length), await readFile(path, 'utf8')];
      }),
    ),
  );
}

test('two of the SDK’s workers edit a store side by side until it is full, and nothing is lost', async () => {
  const store_id = await filledStore();
  const workers = [await worker(store_id, 'one'), await worker(store_id, 'two')] as const;
  const [one, two] = workers;
  const downloaded = await filesOf(one.mount_path);
  expect(downloaded.size).toBe(MEMORIES);
  expect(await filesOf(two.mount_path)).toEqual(downloaded);

  const edited = new Map<string, string>();
  for (const [index, { mount_path }] of workers.entries()) {
    for (let n = 0; n < 50; n++) {
      const path = `/notes/${(n * 2 + index) % 40}/${n * 2 + index}.md`;
      edited.set(path, `changed by ${index}`);
      edited.set(`/new-${index}-${n}.md`, `made by ${index}`);
      await writeFile(join(mount_path, path), `changed by ${index}`);
      await writeFile(join(mount_path, `new-${index}-${n}.md`), `made by ${index}`);
    }
    // Both change this one: one of them wins, and the other takes what the winner wrote.
    await writeFile(join(mount_path, RACED), `raced by ${index}`);
  }
  await sleep(syncIntervalMs);
  await Promise.all(workers.map(async ({ stores }) => await stores.syncIfDue()));
  for (const { stores } of workers) await stores.finish();

  const memories = await collect(
    client.beta.memoryStores.memories.list(store_id, { view: 'full' }),
  );
  const held = new Map(
    memories.map((item) => [item.path, item.type === 'memory' ? item.content : null]),
  );
  const raced = held.get(RACED);
  expect(['raced by 0', 'raced by 1']).toContain(raced);
  expect(held).toEqual(new Map([...downloaded, ...edited, [RACED, raced]]));
  expect(await filesOf(one.mount_path)).toEqual(held);
  expect(await filesOf(two.mount_path)).toEqual(held);
  for (const { stores } of workers) await stores.dispose();
  expect(await broken(door.ports, store_id)).toEqual([]);
}, 180_000);
