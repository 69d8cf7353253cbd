import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doChores } from '#shared/core/due.ts';
import { MemoryRuns } from '../../sessions.ts';
import { choresWith } from '../../../functions/reconcile/chores.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';
import { statusesOf } from './refusals.ts';
import { wholeStore } from '../../shared/memory/store.ts';

/** Memory stores over HTTP, through the official SDK, with every answer held against its own types. */

let door: StartedDoor;
let client: CheckedClient['client'];
let stores: CheckedClient['client']['beta']['memoryStores'];

beforeAll(async () => {
  door = await startDoor();
  ({ client } = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }));
  stores = client.beta.memoryStores;
});
afterAll(async () => await door.stop());

test('a store is created, read, changed and archived; memories do not move its time', async () => {
  const made = await stores.create({
    name: 'one',
    description: 'What',
    metadata: { a: '1', b: '2' },
  });
  expect(made).toMatchObject({ archived_at: null, updated_at: made.created_at });
  expect(await stores.retrieve(made.id)).toEqual(made);
  await stores.memories.create(made.id, { path: '/a', content: 'x' });
  expect(await stores.retrieve(made.id)).toEqual(made);
  expect(
    await stores.update(made.id, { name: 'one', description: null, metadata: { a: '1' } }),
  ).toEqual(made);
  await sleep(2);
  const changed = await stores.update(made.id, {
    name: 'two',
    description: '',
    metadata: { a: null, c: '3' },
  });
  expect(changed).toMatchObject({ name: 'two', description: '', metadata: { b: '2', c: '3' } });
  expect(changed.updated_at > made.updated_at).toBe(true);
  await sleep(2);
  const archived = await stores.archive(made.id);
  expect(archived.updated_at > changed.updated_at).toBe(true);
  expect(archived).toEqual({
    ...changed,
    archived_at: archived.archived_at,
    updated_at: archived.updated_at,
  });
  expect(await stores.archive(made.id)).toEqual(archived);
  expect(await stores.retrieve(made.id)).toEqual(archived);
});

test('an archived store is read, emptied, redacted and deleted, and takes nothing new', async () => {
  const { id } = await stores.create({ name: 'archived' });
  const place = { memory_store_id: id };
  const one = await stores.memories.create(id, { path: '/a', content: 'one' });
  await stores.memories.update(one.id, { ...place, content: 'two' });
  await stores.archive(id);
  const refused = [
    stores.update(id, { name: 'x' }),
    stores.memories.create(id, { path: '/b', content: '' }),
    stores.memories.update(one.id, { ...place, content: 'three' }),
    stores.memories.update(one.id, { ...place, content: 'two' }),
  ];
  expect(await statusesOf(refused)).toEqual([400]);
  expect(await collect(stores.memories.list(id))).toHaveLength(1);
  await stores.memories.retrieve(one.id, place);
  await stores.memoryVersions.retrieve(one.memory_version_id, place);
  await stores.memoryVersions.redact(one.memory_version_id, place);
  await stores.memories.delete(one.id, place);
  expect(await collect(stores.memoryVersions.list(id))).toHaveLength(3);
  await stores.delete(id);
});

test('a deleted store is gone for everybody, with all its rows and objects', async () => {
  const { id } = await stores.create({ name: 'gone' });
  const place = { memory_store_id: id };
  const one = await stores.memories.create(id, { path: '/a/b', content: 'x'.repeat(9_000) });
  await stores.memories.create(id, { path: '/c', content: 'x' });
  expect((await wholeStore(door.ports, id)).objects).toHaveLength(1);
  expect(await stores.delete(id)).toEqual({ id, type: 'memory_store_deleted' });
  const refused = [
    stores.retrieve(id),
    stores.update(id, { name: 'x' }),
    stores.archive(id),
    stores.delete(id),
    stores.memories.create(id, { path: '/b', content: '' }),
    stores.memories.list(id),
    stores.memories.retrieve(one.id, place),
    stores.memories.update(one.id, { ...place, content: 'x' }),
    stores.memories.delete(one.id, place),
    stores.memoryVersions.list(id),
    stores.memoryVersions.retrieve(one.memory_version_id, place),
    stores.memoryVersions.redact(one.memory_version_id, place),
  ];
  expect(await statusesOf(refused)).toEqual([404]);
  const ids = (await collect(stores.list({ include_archived: true }))).map((store) => store.id);
  expect(ids).not.toContain(id);
  const nothing = { memories: [], folders: [], pointers: [], versions: [], objects: [] };
  const head = expect.objectContaining({ deleted_at: expect.any(String) });
  expect(await wholeStore(door.ports, id)).toEqual({ head, ...nothing });

  // A writer that saw it before is late with an object: reconcile sweeps once more.
  await door.ports.blobs.put(`memory_stores/${id}/versions/late`, 'late');
  const options = { min_age_ms: 0, is_time_up: () => false, done: () => undefined };
  await doChores(door.ports, choresWith(new MemoryRuns()), options);
  expect(await wholeStore(door.ports, id)).toEqual({ head: undefined, ...nothing });
});

test('stores are listed newest first, within bounds of time, without archived ones', async () => {
  const made: string[] = [];
  const times: string[] = [];
  for (const name of ['one', 'two', 'three', 'four']) {
    await sleep(2);
    const { id, created_at } = await stores.create({ name });
    made.push(id);
    times.push(created_at);
  }
  await stores.archive(made[1] ?? '');
  const first = times[0] ?? '';
  const listed = async (query: Parameters<typeof stores.list>[0]) =>
    (await collect(stores.list({ 'created_at[gte]': first, ...query }))).map(({ id }) =>
      made.indexOf(id),
    );
  expect(await listed({})).toEqual([3, 2, 0]);
  expect(await listed({ limit: 1 })).toEqual([3, 2, 0]);
  expect(await listed({ include_archived: true })).toEqual([3, 2, 1, 0]);
  expect(await listed({ 'created_at[gte]': times[2] ?? '' })).toEqual([3, 2]);
  expect(await listed({ 'created_at[lte]': times[2] ?? '' })).toEqual([2, 0]);
});

test.each([
  [{ name: '' }],
  [{ name: 'x'.repeat(256) }],
  [{ name: 'a\nb' }],
  [{ name: 'x', description: 'x'.repeat(1_025) }],
  [{ name: 'x', metadata: { '': 'x' } }],
  [{ name: 'x', metadata: { a: 'x'.repeat(513) } }],
  [{ name: 'x', metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`${n}`, ''])) }],
  [{ name: 'x', more: true }],
  [{}],
])('%j is a 400', async (body) => {
  await expect(stores.create(body as { name: string })).rejects.toMatchObject({ status: 400 });
  if (!('name' in body)) return;
  const { id } = await stores.create({ name: 'one' });
  await expect(stores.update(id, body)).rejects.toMatchObject({ status: 400 });
});

test('a store of another workspace is missing', async () => {
  const mine = await stores.create({ name: 'mine' });
  const made = await stores.memories.create(mine.id, { path: '/a', content: '' });
  const response = await fetch(`${door.baseURL}/v1/reverie/api_keys`, {
    method: 'POST',
    headers: { 'x-api-key': admin_key, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'other',
      workspace_id: `wrkspc_${'1'.repeat(24)}`,
      scopes: ['read', 'write'],
    }),
  });
  const { secret } = (await response.json()) as { secret: string };
  const other = checkedClient(door.baseURL, secret, { maxRetries: 0 }).client.beta.memoryStores;
  const place = { memory_store_id: mine.id };
  const refused = [
    other.retrieve(mine.id),
    other.update(mine.id, { name: 'x' }),
    other.archive(mine.id),
    other.delete(mine.id),
    other.memories.list(mine.id),
    other.memories.create(mine.id, { path: '/b', content: '' }),
    other.memories.retrieve(made.id, place),
    other.memories.update(made.id, { ...place, content: 'x' }),
    other.memories.delete(made.id, place),
    other.memoryVersions.list(mine.id),
    other.memoryVersions.retrieve(made.memory_version_id, place),
    other.memoryVersions.redact(made.memory_version_id, place),
  ];
  expect(await statusesOf(refused)).toEqual([404]);
  expect(await collect(other.list())).toEqual([]);
  expect(await stores.retrieve(mine.id)).toEqual(mine);
});
