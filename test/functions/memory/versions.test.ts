import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';
import { statusesOf } from './refusals.ts';

/** Versions of memories over the SDK: history, filters, redaction. */

let door: StartedDoor;
let stores: CheckedClient['client']['beta']['memoryStores'];

beforeAll(async () => {
  door = await startDoor();
  stores = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }).client.beta.memoryStores;
});
afterAll(async () => await door.stop());

const large = 'x'.repeat(9_000);

/** A memory that was created, renamed, changed and deleted, and one that is there. */
async function aHistory() {
  const { id: memory_store_id } = await stores.create({ name: 'history' });
  const { memories } = stores;
  const made = await memories.create(memory_store_id, { path: '/a', content: large });
  const other = await memories.create(memory_store_id, { path: '/other', content: 'other' });
  const renamed = await memories.update(made.id, { memory_store_id, path: '/b' });
  const changed = await memories.update(made.id, { memory_store_id, content: '' });
  await memories.delete(made.id, { memory_store_id });
  return { place: { memory_store_id }, memory_store_id, made, other, renamed, changed };
}

test('each change is a version that stays, also after the memory is gone', async () => {
  const { memory_store_id, place, made, renamed, changed } = await aHistory();
  const versions = await collect(
    stores.memoryVersions.list(memory_store_id, { memory_id: made.id, view: 'full' }),
  );
  const seen = versions.map(({ operation, path, content }) => [operation, path, content]);
  expect(seen).toEqual([
    ['deleted', '/b', null],
    ['modified', '/b', ''],
    ['modified', '/b', large],
    ['created', '/a', large],
  ]);
  const ids = versions.map(({ id }) => id);
  expect(ids.slice(1)).toEqual(
    [changed, renamed, made].map(({ memory_version_id }) => memory_version_id),
  );
  expect(ids.toSorted()).toEqual(ids.toReversed());
  const times = versions.map(({ created_at }) => created_at);
  expect(new Set(times).size).toBe(4);
  expect(times.toSorted()).toEqual(times.toReversed());
  const [gone, , second] = versions;
  expect(gone).toMatchObject({ content_sha256: null, content_size_bytes: null, redacted_at: null });
  expect(second).toMatchObject({
    content_sha256: made.content_sha256,
    content_size_bytes: 9_000,
    created_by: { type: 'api_actor' },
    created_at: renamed.updated_at,
  });
  for (const version of versions) {
    expect(await stores.memoryVersions.retrieve(version.id, place)).toEqual(version);
    const basic = await stores.memoryVersions.retrieve(version.id, { ...place, view: 'basic' });
    expect(basic).toEqual({ ...version, content: null });
  }
});

test('versions are filtered by memory, kind, author and time, in pages of any size', async () => {
  const { memory_store_id, made, other } = await aHistory();
  const session_id = 'sesn_01JAAAAAAAAAAAAAAAAAAAAAAA';
  await sleep(2);
  await writeMemories(door.ports, {
    store_id: memory_store_id,
    operations: [{ kind: 'create', path: '/agent', content: '' }],
    actor: { type: 'session_actor', session_id },
  });
  const all = await collect(stores.memoryVersions.list(memory_store_id));
  expect(all).toHaveLength(6);
  expect(all.every(({ content }) => content === null)).toBe(true);
  const [by_agent] = all;
  expect(by_agent?.created_by).toEqual({ type: 'session_actor', session_id });
  const api_key_id = all[1]?.created_by?.type === 'api_actor' ? all[1].created_by.api_key_id : '';
  const third = all[2]?.created_at ?? '';
  const cases = [
    [{ memory_id: other.id }, 1],
    [{ memory_id: made.id, operation: 'modified' }, 2],
    [{ memory_id: 'mem_01JAAAAAAAAAAAAAAAAAAAAAAA' }, 0],
    [{ memory_id: 'x'.repeat(3_000) }, 0],
    [{ operation: 'created' }, 3],
    [{ operation: 'deleted' }, 1],
    [{ session_id }, 1],
    [{ session_id: 'nobody' }, 0],
    [{ api_key_id }, 5],
    [{ service_account_id: 'svac_1' }, 0],
    [{ 'created_at[gte]': third }, all.filter(({ created_at }) => created_at >= third).length],
    [{ 'created_at[lte]': third }, all.filter(({ created_at }) => created_at <= third).length],
    [{ 'created_at[gte]': '9999-01-01T00:00:00Z' }, 0],
    [{ 'created_at[lte]': '1969-01-01T00:00:00Z' }, 0],
    [{ 'created_at[gte]': '1969-01-01T00:00:00Z' }, 6],
    [
      {
        memory_id: made.id,
        'created_at[gte]': made.created_at,
        'created_at[lte]': made.created_at,
      },
      1,
    ],
  ] as const;
  for (const [query, count] of cases) {
    for (const limit of [1, 2, 100]) {
      const found = await collect(stores.memoryVersions.list(memory_store_id, { ...query, limit }));
      expect([query, limit, found.length]).toEqual([query, limit, count]);
      const ids = found.map(({ id }) => id);
      expect(ids).toEqual(all.map(({ id }) => id).filter((id) => ids.includes(id)));
    }
  }
});

test('a redacted version keeps who and when, and nothing else; again it answers the same', async () => {
  const { memory_store_id, place, made } = await aHistory();
  const before = await stores.memoryVersions.retrieve(made.memory_version_id, place);
  const object = `memory_stores/${memory_store_id}/versions/${before.id}`;
  expect(door.ports.blobs.objects.has(object)).toBe(true);
  const redacted = await stores.memoryVersions.redact(before.id, place);
  expect(redacted).toEqual({
    ...before,
    path: null,
    content: null,
    content_sha256: null,
    content_size_bytes: null,
    redacted_at: redacted.redacted_at,
    redacted_by: before.created_by,
  });
  expect(typeof redacted.redacted_at).toBe('string');
  expect(door.ports.blobs.objects.has(object)).toBe(false);
  expect(await stores.memoryVersions.redact(before.id, place)).toEqual(redacted);
  expect(await stores.memoryVersions.retrieve(before.id, place)).toEqual(redacted);
  const listed = await collect(stores.memoryVersions.list(memory_store_id, { view: 'full' }));
  expect(listed.find(({ id }) => id === before.id)).toEqual(redacted);
  // The renamed memory had a copy of its own.
  expect(listed.map(({ content }) => content)).toContain(large);
});

test('what a memory holds now cannot be redacted; what says that it is gone can', async () => {
  const { memory_store_id, place, other, made } = await aHistory();
  const refused = stores.memoryVersions.redact(other.memory_version_id, place);
  await expect(refused).rejects.toMatchObject({ status: 400 });
  expect((await stores.memories.retrieve(other.id, place)).content).toBe('other');
  const [gone] = await collect(
    stores.memoryVersions.list(memory_store_id, { memory_id: made.id, operation: 'deleted' }),
  );
  expect(await stores.memoryVersions.redact(gone?.id ?? '', place)).toMatchObject({ path: null });
  await stores.memories.update(other.id, { ...place, content: 'changed' });
  await stores.memoryVersions.redact(other.memory_version_id, place);
});

test.each([
  { limit: 0 },
  { limit: 101 },
  { operation: 'renamed' as 'created' },
  { 'created_at[gte]': 'yesterday' },
  { page: 'nonsense' },
  { view: 'all' as 'full' },
])('%j is a 400', async (query) => {
  const { id } = await stores.create({ name: 'bad' });
  await expect(stores.memoryVersions.list(id, query)).rejects.toMatchObject({ status: 400 });
});

test('a version of another store, or of none, is missing', async () => {
  const { place, made } = await aHistory();
  const { id } = await stores.create({ name: 'other' });
  const elsewhere = { memory_store_id: id };
  const refused = [
    stores.memoryVersions.retrieve(made.memory_version_id, elsewhere),
    stores.memoryVersions.redact(made.memory_version_id, elsewhere),
    stores.memoryVersions.retrieve('memver_01JAAAAAAAAAAAAAAAAAAAAAAA', place),
    stores.memoryVersions.redact('nothing', place),
  ];
  expect(await statusesOf(refused)).toEqual([404]);
});
