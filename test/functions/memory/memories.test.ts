import { createHash } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';
import { broken } from '../../shared/memory/store.ts';

/** Memories over HTTP, through the official SDK, with every answer held against its own types. */

let door: StartedDoor;
let stores: CheckedClient['client']['beta']['memoryStores'];

beforeAll(async () => {
  door = await startDoor();
  stores = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }).client.beta.memoryStores;
});
afterAll(async () => await door.stop());

async function aStore(): Promise<string> {
  return (await stores.create({ name: 'a store' })).id;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What an error says in its envelope, and whether the SDK may try again. */
async function refusal(request: Promise<unknown>) {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Anthropic.APIError)) throw new Error('it was not refused');
  const { error: inner } = error.error as { error: Record<string, unknown> };
  return { status: error.status, retry: error.headers?.get('x-should-retry'), ...inner };
}

test.each([
  ['an empty one', ''],
  ['a short one', 'Zähle bis drei 🙂\r\n'],
  ['one in an object of its own', 'é'.repeat(51_200)],
])('a memory is created, read, renamed, changed and deleted: %s', async (_, content) => {
  const memory_store_id = await aStore();
  const { memories } = stores;
  const made = await memories.create(memory_store_id, { path: '/notes/one.md', content });
  expect(made).toMatchObject({
    path: '/notes/one.md',
    content: null,
    content_sha256: sha256(content),
    content_size_bytes: Buffer.byteLength(content),
    memory_store_id,
  });
  expect(made.created_at).toBe(made.updated_at);
  const read = await memories.retrieve(made.id, { memory_store_id });
  expect(read).toEqual({ ...made, content });
  expect(await memories.retrieve(made.id, { memory_store_id, view: 'basic' })).toEqual(made);
  const renamed = await memories.update(made.id, {
    memory_store_id,
    path: '/other/two.md',
    view: 'full',
  });
  expect(renamed).toMatchObject({ id: made.id, path: '/other/two.md', content });
  expect(renamed.memory_version_id > made.memory_version_id).toBe(true);
  expect(await memories.retrieve(made.id, { memory_store_id })).toEqual(renamed);
  const changed = await memories.update(made.id, { memory_store_id, content: 'new' });
  expect(changed).toMatchObject({ path: '/other/two.md', content: null, content_size_bytes: 3 });
  expect(await memories.delete(made.id, { memory_store_id })).toEqual({
    id: made.id,
    type: 'memory_deleted',
  });
  expect(await refusal(memories.retrieve(made.id, { memory_store_id }))).toMatchObject({
    status: 404,
  });
  expect(await refusal(memories.delete(made.id, { memory_store_id }))).toMatchObject({
    status: 404,
  });
  expect(await collect(memories.list(memory_store_id))).toEqual([]);
  expect(await broken(door.ports, memory_store_id)).toEqual([]);
});

test('a creation answers with the content when it is asked to', async () => {
  const memory_store_id = await aStore();
  const body = { path: '/a', content: 'text' };
  const made = await stores.memories.create(memory_store_id, { ...body, view: 'full' });
  expect(made.content).toBe('text');
});

test('what changes nothing writes no version and keeps the time, whatever the precondition says', async () => {
  const memory_store_id = await aStore();
  const made = await stores.memories.create(memory_store_id, { path: '/a', content: 'one' });
  const precondition = { type: 'content_sha256' as const, content_sha256: sha256('another') };
  for (const body of [
    {},
    { content: 'one' },
    { path: '/a' },
    { path: '/a', content: 'one' },
    { content: 'one', precondition },
    { path: '/a', content: 'one', precondition },
    { path: null, content: null },
  ]) {
    expect(await stores.memories.update(made.id, { memory_store_id, ...body })).toEqual(made);
  }
  expect(
    await stores.memories.update(made.id, { memory_store_id, content: 'one', view: 'full' }),
  ).toEqual({ ...made, content: 'one' });
  expect(await collect(stores.memoryVersions.list(memory_store_id))).toHaveLength(1);
});

test('a precondition that does not hold is a 409 that is not repeated, and changes nothing', async () => {
  const memory_store_id = await aStore();
  const made = await stores.memories.create(memory_store_id, { path: '/a', content: 'one' });
  const wrong = { type: 'content_sha256' as const, content_sha256: sha256('another') };
  for (const body of [{ content: 'two' }, { path: '/b' }, {}, { path: '/b', content: 'one' }]) {
    const tried = stores.memories.update(made.id, {
      memory_store_id,
      ...body,
      precondition: wrong,
    });
    expect(await refusal(tried)).toMatchObject({
      status: 409,
      retry: 'false',
      type: 'memory_precondition_failed_error',
    });
  }
  const gone = stores.memories.delete(made.id, {
    memory_store_id,
    expected_content_sha256: sha256('another'),
  });
  expect(await refusal(gone)).toMatchObject({
    status: 409,
    retry: 'false',
    type: 'memory_precondition_failed_error',
  });
  expect(await stores.memories.retrieve(made.id, { memory_store_id, view: 'basic' })).toEqual(made);
  const right = { type: 'content_sha256' as const, content_sha256: made.content_sha256 };
  const changed = await stores.memories.update(made.id, {
    memory_store_id,
    content: 'two',
    precondition: right,
  });
  await stores.memories.delete(made.id, {
    memory_store_id,
    expected_content_sha256: changed.content_sha256,
  });
});

test('overlapping paths name the memory that is in the way, by creation and by renaming', async () => {
  const memory_store_id = await aStore();
  const held = await stores.memories.create(memory_store_id, { path: '/a/b', content: '' });
  const other = await stores.memories.create(memory_store_id, { path: '/other', content: '' });
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/b/c/d/e']) {
    const expected = {
      status: 409,
      retry: 'false',
      type: 'memory_path_conflict_error',
      conflicting_memory_id: held.id,
      conflicting_path: '/a/b',
    };
    const created = stores.memories.create(memory_store_id, { path, content: 'x' });
    expect(await refusal(created)).toMatchObject(expected);
    const renamed = stores.memories.update(other.id, { memory_store_id, path });
    expect(await refusal(renamed)).toMatchObject(expected);
  }
  for (const path of ['/a/b/c', '/a', '/A/b', '/a/b.md', '/a-b', '/a/b']) {
    const moved = await stores.memories.update(held.id, { memory_store_id, path });
    expect(moved).toMatchObject({ id: held.id, path });
    expect(await broken(door.ports, memory_store_id)).toEqual([]);
  }
});

const letters = { long: 'x'.repeat(1_023), deep: Array.from({ length: 20 }, () => 's').join('/') };

test.each([
  ['/é', 200],
  ['/e\u0301', 400],
  [`/${letters.long}`, 200],
  [`/${letters.long}x`, 400],
  [`/${letters.deep}`, 200],
  [`/${letters.deep}/s`, 400],
  ['/~tilde', 200],
  ['/ space ', 200],
  ['/...', 200],
  ['/😀', 200],
  ['', 400],
  ['/', 400],
  ['a', 400],
  ['/a/', 400],
  ['/a//b', 400],
  ['/./a', 400],
  ['/a/..', 400],
  ['/a\u0000', 400],
  ['/a\nb', 400],
  ['/a\u200db', 400],
  ['/a\u2028b', 400],
  ['/a\u2029b', 400],
])('the path %j is a %i', async (path, status) => {
  const memory_store_id = await aStore();
  const made = stores.memories.create(memory_store_id, { path, content: 'x' });
  if (status === 200) {
    const { id } = await made;
    expect((await stores.memories.retrieve(id, { memory_store_id })).path).toBe(path);
    expect(await collect(stores.memories.list(memory_store_id))).toHaveLength(1);
  } else expect(await refusal(made)).toMatchObject({ status });
});

test('a content of 102,400 bytes is taken, one of a byte more and half a character are refused', async () => {
  const memory_store_id = await aStore();
  const largest = await stores.memories.create(memory_store_id, {
    path: '/a',
    content: 'x'.repeat(102_400),
  });
  for (const content of ['x'.repeat(102_401), 'é'.repeat(51_201), 'half \ud83d', null]) {
    const body = { path: '/b', content };
    expect(await refusal(stores.memories.create(memory_store_id, body))).toMatchObject({
      status: 400,
    });
    if (content === null) continue;
    const changed = stores.memories.update(largest.id, { memory_store_id, content });
    expect(await refusal(changed)).toMatchObject({ status: 400 });
  }
  expect(await broken(door.ports, memory_store_id)).toEqual([]);
});

test('a store that is full refuses new memories only', async () => {
  const memory_store_id = await aStore();
  const memory = await stores.memories.create(memory_store_id, { path: '/a', content: '' });
  await door.ports.table.update({
    update: { pk: `MEMSTORE#${memory_store_id}`, sk: 'HEAD' },
    expression: 'SET memories_count = :full',
    values: { ':full': door.ports.memories_max },
  });
  const more = stores.memories.create(memory_store_id, { path: '/b', content: '' });
  expect(await refusal(more)).toMatchObject({
    status: 400,
    details: { error_code: 'memory_store_full' },
  });
  await stores.memories.update(memory.id, { memory_store_id, path: '/b', content: 'more' });
  await stores.memories.delete(memory.id, { memory_store_id });
  await stores.memories.create(memory_store_id, { path: '/b', content: '' });
});

test('an id of another store, of another noun or of none is a 404', async () => {
  const memory_store_id = await aStore();
  const other = await aStore();
  const { id } = await stores.memories.create(memory_store_id, { path: '/a', content: '' });
  for (const [store, memory] of [
    [other, id],
    [memory_store_id, other],
    [memory_store_id, 'nothing'],
    [id, id],
  ] as const) {
    const place = { memory_store_id: store };
    expect(await refusal(stores.memories.retrieve(memory, place))).toMatchObject({ status: 404 });
    expect(await refusal(stores.memories.update(memory, { ...place, content: 'x' }))).toMatchObject(
      {
        status: 404,
      },
    );
    expect(await refusal(stores.memories.delete(memory, place))).toMatchObject({ status: 404 });
  }
});

test('a request that is repeated with its Idempotency-Key is done once, and its text is not kept for that', async () => {
  const memory_store_id = await aStore();
  const options = { headers: { 'idempotency-key': 'once' } };
  const body = { path: '/a', content: 'secret '.repeat(5_000), view: 'full' as const };
  const first = await stores.memories.create(memory_store_id, body, options);
  const repeated = await stores.memories.create(memory_store_id, body, options);
  expect(first.content).toBe(body.content);
  expect(repeated).toEqual({ ...first, content: null });
  const change = { memory_store_id, content: 'two' };
  const other = { headers: { 'idempotency-key': 'again' } };
  const changed = await stores.memories.update(first.id, change, other);
  await stores.memories.update(first.id, { memory_store_id, content: 'three' });
  expect(await stores.memories.update(first.id, change, other)).toEqual(changed);
  const versions = await collect(stores.memoryVersions.list(memory_store_id));
  expect(versions.map(({ operation }) => operation)).toEqual(['modified', 'modified', 'created']);
});

test('what a redacted version said is nowhere any more, not in remembered answers either', async () => {
  const memory_store_id = await aStore();
  const secret = `secret ${'x'.repeat(70_000)}`;
  const once = (key: string) => ({ headers: { 'idempotency-key': `${memory_store_id}-${key}` } });
  const body = { path: '/a', content: secret, view: 'full' as const };
  const first = await stores.memories.create(memory_store_id, body, once('create'));
  const same = { memory_store_id, content: secret, view: 'full' as const };
  await stores.memories.update(first.id, same, once('nothing'));
  const renamed = { memory_store_id, path: '/b', view: 'full' as const };
  const second = await stores.memories.update(first.id, renamed, once('rename'));
  expect(second.content).toBe(secret);
  await stores.memories.update(first.id, { memory_store_id, content: 'harmless' });
  for (const { memory_version_id } of [first, second]) {
    await stores.memoryVersions.redact(memory_version_id, { memory_store_id });
  }
  const objects = [...door.ports.blobs.objects.values()].map((bytes) => Buffer.from(bytes));
  expect(objects.filter((bytes) => bytes.includes('secret x'))).toEqual([]);
  const { client, name: TableName } = door.table;
  const { Items } = await client.send(new ScanCommand({ TableName }));
  expect(JSON.stringify(Items)).not.toContain('secret x');
});

test('a PATCH is the same as the POST, as older documentation has it', async () => {
  const memory_store_id = await aStore();
  const { id } = await stores.memories.create(memory_store_id, { path: '/a', content: 'one' });
  const patch = async (body: unknown, headers: Record<string, string> = {}) =>
    await fetch(`${door.baseURL}/v1/memory_stores/${memory_store_id}/memories/${id}?view=full`, {
      method: 'PATCH',
      headers: { 'x-api-key': admin_key, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const once = { 'idempotency-key': `patch-${memory_store_id}` };
  const answer = await patch({ content: 'two' }, once);
  expect([answer.status, await answer.json()]).toMatchObject([200, { id, content: 'two' }]);
  expect((await patch({ content: 'two' }, once)).status).toBe(200);
  expect((await patch({ content: 'three' }, once)).status).toBe(409);
  expect((await patch({ contents: 'x' })).status).toBe(400);
  expect(await stores.memories.retrieve(id, { memory_store_id })).toMatchObject({ content: 'two' });
});
