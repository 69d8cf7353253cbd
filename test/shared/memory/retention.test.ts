import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '#shared/core/call.ts';
import { limits } from '#shared/core/limits.ts';
import { MemorySearcher } from '#shared/memory-history/search.ts';
import { expireVersion } from '#shared/memory/expire-version.ts';
import { createMemory, deleteMemory, updateMemory } from '#shared/memory/memories.ts';
import { StoreSnapshots } from '#shared/memory/snapshots.ts';
import { getVersion, listVersions, redactVersion } from '#shared/memory/versions.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { halfSeen } from '../../half-seen.ts';
import { broken, memoryPorts, putStore, wholeStore, workspace_id } from './store.ts';

/** How long versions are kept: over a real table, with a clock that jumps. */

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

const call: Call = {
  request_id: 'req_1',
  workspace_id,
  api_key_id: 'apikey_1',
  scopes: ['write'],
};
const DAY_MS = 86_400_000;
const query = { limit: 20, view: 'full' } as const;

test('what was taken over is gone after its days, and what a memory holds stays', async () => {
  const ports = memoryPorts(started.table, { version_days: 30 });
  const store_id = await putStore(ports);
  const later = (days: number) => {
    ports.clock.at = new Date(ports.clock.at.getTime() + days * DAY_MS);
  };
  const create = async (path: string) =>
    await createMemory(ports, call, {
      store_id,
      body: { path, content: path.repeat(3_000) },
      view: 'basic',
    });
  const kept = await create('/kept');
  later(1);
  const gone = await create('/gone');
  later(100);
  await updateMemory(ports, call, {
    store_id,
    memory_id: kept.id,
    body: { content: 'new' },
    view: 'basic',
  });
  later(1);
  await deleteMemory(ports, call, {
    store_id,
    memory_id: gone.id,
    expected_content_sha256: undefined,
  });
  const listed = async () =>
    (await listVersions(ports, call, { store_id, query })).data.map(
      ({ memory_id, operation }) => `${memory_id === kept.id ? 'kept' : 'gone'} ${operation}`,
    );
  expect(await listed()).toEqual(['gone deleted', 'kept modified', 'gone created', 'kept created']);

  later(29);
  const old = { store_id, version_id: kept.memory_version_id };
  expect(await listed()).toEqual(['gone deleted', 'kept modified', 'gone created']);
  await expect(getVersion(ports, call, { ...old, view: 'full' })).rejects.toMatchObject({
    kind: 'missing',
  });
  await expect(redactVersion(ports, call, old)).rejects.toMatchObject({ kind: 'missing' });

  // Its row is found by its place in the index, and goes with its object.
  const due = await ports.table.query({
    pk: 'EXPIRES',
    from: ' ',
    to: `${ports.clock.now().toISOString()}#~`,
    index: 'running',
  });
  const rows = await ports.table.getMany(due.rows);
  expect(rows.map(({ sk }) => sk)).toEqual([kept.memory_version_id]);
  for (const row of rows) {
    expect(await expireVersion(ports, row)).toBe(true);
    expect(await expireVersion(ports, row)).toBe(false);
  }
  const whole = await wholeStore(ports, store_id);
  expect(whole.versions.map(({ sk }) => sk)).not.toContain(kept.memory_version_id);
  expect(whole.objects).toHaveLength(1);

  later(1_000);
  expect(await listed()).toEqual(['kept modified']);
});

test('without a number of days every version stays as long as its store', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  const body = { path: '/a', content: '' };
  const { id } = await createMemory(ports, call, { store_id, body, view: 'basic' });
  await updateMemory(ports, call, {
    store_id,
    memory_id: id,
    body: { content: 'new' },
    view: 'basic',
  });
  ports.clock.at = new Date(ports.clock.at.getTime() + 10_000 * DAY_MS);
  expect((await listVersions(ports, call, { store_id, query })).data).toHaveLength(2);
  expect(await broken(ports, store_id)).toEqual([]);
});

test('what was read of a store while a change is becoming seen is used once; later it is kept', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  for (const path of ['/a', '/b']) {
    await createMemory(ports, call, { store_id, body: { path, content: 'told' }, view: 'basic' });
  }
  const table = halfSeen(ports.table);
  const hide = () => table.hide({ pk: `PATHS#${store_id}`, sk: '/b' }, 1);
  const snapshots = new StoreSnapshots(table, ports.clock);
  const searcher = new MemorySearcher({ ...ports, table });
  const read = async () => [...(await snapshots.read(store_id)).memories.keys()];
  const found = async () => {
    const { data } = await searcher.search(call, store_id, {
      query: 'told',
      path_prefix: '/',
      limit: 10,
    });
    return data.map(({ memory }) => memory.path);
  };
  for (const look of [read, found]) {
    ports.clock.at = new Date(Date.parse('2026-11-21T12:00:01.000Z'));
    hide();
    expect(await look()).toEqual(['/a']);
    expect(await look()).toEqual(['/a', '/b']);
    ports.clock.at = new Date(ports.clock.at.getTime() + limits.transaction_seen_ms);
    await look();
    hide();
    expect(await look()).toEqual(['/a', '/b']);
  }
});
