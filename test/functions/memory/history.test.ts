import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { unpackTar } from 'modern-tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { checkedClient } from '../../wire/checked-client.ts';
import { broken } from '../../shared/memory/store.ts';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';

/** What memory stores can beyond the hosted API, over HTTP, through the typed client. */

let door: StartedDoor;
let client: Anthropic;
let own: ReverieClient['memoryStores'];

beforeAll(async () => {
  door = await startDoor();
  ({ client } = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }));
  // The checked client knows the SDK's own routes only.
  const plain = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, maxRetries: 0 });
  own = new ReverieClient(plain).memoryStores;
});

afterAll(async () => await door.stop());

type Contents = Readonly<Record<string, string>>;

async function storeWith(contents: Contents, name = 'notes'): Promise<string> {
  const { id } = await client.beta.memoryStores.create({ name, description: 'of a test' });
  for (const [path, content] of Object.entries(contents)) await create(id, path, content);
  return id;
}

async function create(id: string, path: string, content: string) {
  return await client.beta.memoryStores.memories.create(id, { path, content });
}

async function update(id: string, memory_id: string, change: { path?: string; content?: string }) {
  const params = { memory_store_id: id, ...change };
  return await client.beta.memoryStores.memories.update(memory_id, params);
}

async function contentsOf(id: string): Promise<Contents> {
  const contents: Record<string, string> = {};
  const list = client.beta.memoryStores.memories.list(id, { view: 'full' });
  for await (const item of list) {
    if (item.type === 'memory') contents[item.path] = item.content ?? '';
  }
  return contents;
}

/** A moment that no write shares. */
function moment(): string {
  door.ports.clock.shift_ms += 2_000;
  return new Date(door.ports.clock.now().getTime() - 1_000).toISOString();
}

test('a memory is restored to a version: content and path, by the calling key, once', async () => {
  const id = await storeWith({});
  const first = await create(id, '/draft.md', 'one');
  const second = await update(id, first.id, { path: '/final.md', content: 'two' });
  const { memory_version_id } = first;
  const restored = await own.restoreMemory(id, first.id, { memory_version_id, view: 'full' });
  expect(restored).toMatchObject({ id: first.id, path: '/draft.md', content: 'one' });
  expect(restored.created_at).toBe(first.created_at);
  const again = await own.restoreMemory(id, first.id, { memory_version_id });
  expect(again).toEqual({ ...restored, content: null });
  expect(again.memory_version_id).not.toBe(second.memory_version_id);
  const version = await client.beta.memoryStores.memoryVersions.retrieve(again.memory_version_id, {
    memory_store_id: id,
  });
  expect(version).toMatchObject({ operation: 'modified', created_by: { type: 'api_actor' } });
});

test('a deleted memory comes back under its id and goes on with its history', async () => {
  const id = await storeWith({});
  const large = 'large '.repeat(2_000);
  const memory = await create(id, '/a/b.md', large);
  await client.beta.memoryStores.memories.delete(memory.id, { memory_store_id: id });
  const { memory_version_id } = memory;
  const back = await own.restoreMemory(id, memory.id, { memory_version_id });
  expect(back).toMatchObject({ id: memory.id, path: '/a/b.md', created_at: memory.created_at });
  expect(await contentsOf(id)).toEqual({ '/a/b.md': large });
  const versions = await client.beta.memoryStores.memoryVersions.list(id);
  expect(versions.data.map(({ operation }) => operation)).toEqual([
    'modified',
    'deleted',
    'created',
  ]);
});

test('restores of one deleted memory at once, to different paths, all succeed one after another', async () => {
  const id = await storeWith({});
  const memory = await create(id, '/a/first.md', 'one');
  const paths = ['/b/second.md', '/c.md', '/a/fourth.md'];
  const versions = [memory.memory_version_id];
  for (const path of paths) {
    versions.push((await update(id, memory.id, { path, content: path })).memory_version_id);
  }
  await client.beta.memoryStores.memories.delete(memory.id, { memory_store_id: id });
  const restored = await Promise.all(
    versions.map(async (memory_version_id) =>
      own.restoreMemory(id, memory.id, { memory_version_id }),
    ),
  );
  expect(restored.map((one) => one.path)).toEqual(['/a/first.md', ...paths]);
  expect(new Set(restored.map((one) => one.memory_version_id)).size).toBe(4);
  expect(Object.keys(await contentsOf(id))).toHaveLength(1);
  expect(await broken(door.ports, id)).toEqual([]);
});

test('what cannot be restored is refused by name', async () => {
  const id = await storeWith({});
  const memory = await create(id, '/a.md', 'secret');
  await update(id, memory.id, { path: '/b.md', content: 'plain' });
  const blocker = await create(id, '/a.md/x', 'in the way');
  const { memory_version_id } = memory;
  const attempt = (version: string, of = memory.id) =>
    own.restoreMemory(id, of, { memory_version_id: version });
  await expect(attempt(memory_version_id)).rejects.toMatchObject({
    status: 409,
    error: { error: { conflicting_memory_id: blocker.id, conflicting_path: '/a.md/x' } },
  });
  await expect(attempt(blocker.memory_version_id)).rejects.toMatchObject({ status: 404 });
  const { memoryVersions } = client.beta.memoryStores;
  await memoryVersions.redact(memory_version_id, { memory_store_id: id });
  await expect(attempt(memory_version_id)).rejects.toThrow('is redacted');
  await client.beta.memoryStores.memories.delete(blocker.id, { memory_store_id: id });
  const [deletion] = (await memoryVersions.list(id, { operation: 'deleted' })).data;
  await expect(attempt(deletion?.id ?? '', blocker.id)).rejects.toThrow('records the deletion');
  await client.beta.memoryStores.archive(id);
  await expect(attempt(blocker.memory_version_id, blocker.id)).rejects.toThrow('is archived');
});

test('a store is restored to a time, with progress, and the same request repeated does it once', async () => {
  const id = await storeWith({ '/a': 'one', '/b': 'two' });
  const at = moment();
  const { data } = await client.beta.memoryStores.memories.list(id);
  await update(id, data[0]?.type === 'memory' ? data[0].id : '', { content: 'changed' });
  await create(id, '/c', 'new');
  const planned = await own.restore(id, { at, dry_run: true });
  const counts = { created_count: 0, modified_count: 1, deleted_count: 1, unchanged_count: 1 };
  expect(planned).toMatchObject({ ...counts, next_cursor: null });
  const seen: number[] = [];
  const onProgress = ({ done_count, total_count }: { done_count: number; total_count: number }) =>
    void seen.push(done_count, total_count);
  expect(await own.restore(id, { at }, { onProgress })).toEqual(planned);
  expect(seen).toEqual([2, 2]);
  expect(await contentsOf(id)).toEqual({ '/a': 'one', '/b': 'two' });
  const headers = { 'idempotency-key': 'restore-once' };
  const path = `/v1/reverie/memory_stores/${id}/restore`;
  await create(id, '/d', 'new');
  const first = await client.post(path, { body: { at }, headers });
  await create(id, '/e', 'newer');
  expect(await client.post(path, { body: { at }, headers })).toEqual(first);
  expect(Object.keys(await contentsOf(id))).toEqual(['/a', '/b', '/e']);
});

const hunk = {
  from_line: 1,
  from_count: 2,
  to_line: 1,
  to_count: 2,
  lines: [' one', '-two', '+zwei'],
};

test('two versions, two times and two stores are compared, structured and as a patch', async () => {
  const id = await storeWith({ '/kept': 'same', '/old': 'gone\n', '/moved': 'this text moves\n' });
  const memory = await create(id, '/text', 'one\ntwo\n');
  const from = moment();
  const changed = await update(id, memory.id, { content: 'one\nzwei\n' });
  const before: Record<string, string> = {};
  for await (const item of client.beta.memoryStores.memories.list(id)) {
    if (item.type === 'memory') before[item.path] = item.id;
  }
  const { memories } = client.beta.memoryStores;
  await memories.delete(before['/old'] ?? '', { memory_store_id: id });
  await memories.delete(before['/moved'] ?? '', { memory_store_id: id });
  await create(id, '/moved-here', 'this text moves\n');
  await create(id, '/new', 'new\n');

  const versions = await own.diff(id, {
    from_version: memory.memory_version_id,
    to_version: changed.memory_version_id,
  });
  expect(versions.data).toMatchObject([
    { change: 'modified', path: '/text', from: { memory_id: memory.id }, hunks: [hunk] },
  ]);
  const expected = [
    ['renamed', '/moved-here'],
    ['added', '/new'],
    ['removed', '/old'],
    ['modified', '/text'],
  ];
  const since = await own.diff(id, { from });
  expect(since.data.map(({ change, path }) => [change, path])).toEqual(expected);
  expect(since.data[0]).toMatchObject({ from: { path: '/moved' }, hunks: [] });
  expect((await own.diff(id, { from, to: from })).data).toEqual([]);

  const other = await storeWith(await contentsOf(id), 'other');
  expect((await own.diff(id, { against: other })).data).toEqual([]);
  const patch = await own.diff(id, { from, format: 'unified', limit: 1 });
  expect(patch.data[0]?.unified).toBe('--- a/moved\n+++ b/moved-here\n');
  const patches: string[] = [];
  for await (const { unified } of own.changes(id, { from, format: 'unified', limit: 1 })) {
    patches.push(unified ?? '');
  }
  expect(patches.slice(1)).toEqual([
    '--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+new\n',
    '--- a/old\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n',
    '--- a/text\n+++ b/text\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n',
  ]);
});

test('texts that have nothing in common are one replacement, in time', async () => {
  const lines = (word: string) => Array.from({ length: 20_000 }, (_, n) => `${word}${n % 7}`);
  const id = await storeWith({});
  const memory = await create(id, '/x', lines('a').join('\n'));
  const changed = await update(id, memory.id, { content: lines('b').join('\n') });
  const started_ms = performance.now();
  const { data } = await own.diff(id, {
    from_version: memory.memory_version_id,
    to_version: changed.memory_version_id,
  });
  expect(performance.now() - started_ms).toBeLessThan(5_000);
  expect(data[0]?.hunks).toMatchObject([{ from_count: 20_000, to_count: 20_000 }]);
});

test('a search finds words of any script in contents and paths, the best first, with places', async () => {
  const id = await storeWith({
    '/deploys/rollback.md': 'How to undo a release.\nFirst stop the queue.\n',
    '/deploys/release.md': 'A release needs two reviews. Release on Tuesdays.',
    '/people/zoë.md': 'Zoë speaks français and 日本語を話します.',
    '/empty.md': '',
  });
  const paths = async (query: string, more = {}) =>
    (await own.search(id, { query, ...more })).data.map(({ memory }) => memory.path);
  expect(await paths('release')).toEqual(['/deploys/release.md', '/deploys/rollback.md']);
  expect(await paths('ROLLBACK')).toEqual(['/deploys/rollback.md']);
  expect(await paths('zoe')).toEqual(['/people/zoë.md']);
  expect(await paths('FRANCAIS')).toEqual(['/people/zoë.md']);
  expect(await paths('日本')).toEqual(['/people/zoë.md']);
  expect(await paths('rele')).toHaveLength(2);
  expect(await paths('release', { limit: 1 })).toHaveLength(1);
  expect(await paths('release', { path_prefix: '/people/' })).toEqual([]);
  expect(await paths('nowhere')).toEqual([]);
  expect(await paths('?! …')).toEqual([]);
  const { data, is_partial } = await own.search(id, { query: 'queue' });
  expect(is_partial).toBe(false);
  expect(data[0]?.memory).toMatchObject({ type: 'memory', content: null });
  const [match] = data[0]?.matches ?? [];
  const text = 'How to undo a release.\nFirst stop the queue.\n';
  const { start = 0, end = 0 } = match?.positions[0] ?? {};
  expect(text.slice(start, end)).toBe('queue');
  expect(match).toMatchObject({ field: 'content', start: 0, line: 1, text });
});

test('a search sees what has been written, renamed and deleted since the last one', async () => {
  const id = await storeWith({ '/a': 'apple', '/b': 'banana' });
  const paths = async (query: string) =>
    (await own.search(id, { query })).data.map(({ memory }) => memory.path);
  expect(await paths('apple')).toEqual(['/a']);
  const memory = await create(id, '/c', 'apple');
  expect(await paths('apple')).toEqual(['/a', '/c']);
  await update(id, memory.id, { path: '/d', content: 'cherry' });
  expect(await paths('apple')).toEqual(['/a']);
  expect(await paths('cherry')).toEqual(['/d']);
  await client.beta.memoryStores.memories.delete(memory.id, { memory_store_id: id });
  expect(await paths('cherry')).toEqual([]);
});

test('a store goes out as a tar and comes back with ids, times and history', async () => {
  const id = await storeWith({ '/a.md': 'one', '/deep/er/ß.md': 'zwei' });
  const received: number[] = [];
  const read = async (store: string): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    const onProgress = (bytes: number) => void received.push(bytes);
    for await (const chunk of own.export(store, { onProgress })) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const bytes = await read(id);
  expect(received.at(-1)).toBe(bytes.byteLength);
  expect((await unpackTar(bytes)).map(({ header }) => header.name)).toContain(
    'memories/deep/er/ß.md',
  );
  const file = await client.beta.files.upload({ file: await toFile(bytes, 'store.tar') });
  const seen: unknown[] = [];
  const onProgress = (progress: unknown) => void seen.push(progress);
  const { memory_store_id: copy } = await own.import({ file_id: file.id }, { onProgress });
  expect(seen).toEqual([{ done_count: 2, total_count: 2 }]);
  expect((await read(copy)).equals(bytes)).toBe(true);
  const named = await own.import({ file_id: file.id, name: 'renamed' });
  const store = await client.beta.memoryStores.retrieve(named.memory_store_id);
  const original = await client.beta.memoryStores.retrieve(id);
  expect(store).toMatchObject({ name: 'renamed', created_at: original.created_at });
  const listed: string[] = [];
  for await (const one of client.beta.memoryStores.list()) listed.push(one.id);
  expect(listed).toContain(copy);
});

const refused: readonly [
  what: string,

  request: string,
  body: object,
  said: string,
][] = [
  ['no time', 'post ID/restore', {}, 'Send at to begin'],
  ['a time to come', 'post ID/restore', { at: '2999-01-01T00:00:00Z' }, 'lies in the future'],
  [
    'a time before the store',
    'post ID/restore',
    { at: '2020-01-01T00:00:00Z' },
    'The earliest time is 20',
  ],
  ['the last hour of all', 'post ID/restore', { at: '9999-12-31T23:00:00-12:00' }, 'lies in the'],
  ['no RFC 3339', 'post ID/restore', { at: 'yesterday' }, 'at: must be an RFC 3339'],
  ['both', 'post ID/restore', { at: '2026-01-01T00:00:00Z', cursor: 'x' }, 'Send at to begin'],
  ['another cursor', 'post ID/restore', { cursor: 'bm9uc2Vuc2U' }, 'cursor: belongs to nothing'],
  ['an unknown field', 'post ID/restore', { when: 1 }, 'when: unknown field'],
  ['nothing to compare', 'get ID/diff', {}, 'Say what to compare'],
  ['half of a comparison', 'get ID/diff?to=2026-01-01T00:00:00Z', {}, 'Say what to compare'],
  [
    'two comparisons',
    'get ID/diff?from=2026-01-01T00:00:00Z&against=memstore_01JAAAAAAAAAAAAAAAAAAAAAAA',
    {},
    'Say what to compare',
  ],
  ['a time to come', 'get ID/diff?from=2999-01-01T00:00:00Z', {}, 'from: lies in the future'],
  ['another format', 'get ID/diff?from=2026-01-01T00:00:00Z&format=html', {}, 'format: must be'],
  ['another page', 'get ID/diff?from=2026-01-01T00:00:00Z&page=x', {}, 'is not a cursor'],
  ['no query', 'get ID/search', {}, 'query: is required'],
  ['a long query', `get ID/search?query=${'x'.repeat(1_001)}`, {}, 'at most 1000 characters'],
  ['a wrong prefix', 'get ID/search?query=x&path_prefix=/a', {}, "path_prefix: must end with '/'"],
  ['too many', 'get ID/search?query=x&limit=51', {}, 'limit: must be at most 50'],
  ['a parameter', 'get ID/export?format=zip', {}, 'format: unknown field'],
  ['no file', 'post import', {}, 'Send file_id'],
  [
    'an unknown version',
    'post ID/memories/mem_01JAAAAAAAAAAAAAAAAAAAAAAA/restore',
    { memory_version_id: 'v1' },
    'must be the id of a memory version',
  ],
];

test.each(refused)('%s is refused (%s) and changes nothing', async (_, request, body, said) => {
  const id = await storeWith({ '/a': 'stays' });
  const [method, path = ''] = request.split(' ');
  const url = `/v1/reverie/memory_stores/${path.replace('ID', id)}`;
  const attempt = method === 'get' ? client.get(url) : client.post(url, { body });
  await expect(attempt).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining(said),
  });
  expect(await contentsOf(id)).toEqual({ '/a': 'stays' });
});

test('stores, versions and files that are not there are 404', async () => {
  const none = 'memstore_01JAAAAAAAAAAAAAAAAAAAAAAA';
  const version = 'memver_01JAAAAAAAAAAAAAAAAAAAAAAA';
  const id = await storeWith({});
  const attempts = [
    own.restore(none, { at: '2026-01-01T00:00:00Z' }),
    own.diff(none, { from: '2026-01-01T00:00:00Z' }),
    own.diff(id, { against: none }),
    own.diff(id, { from_version: version, to_version: version }),
    own.search(none, { query: 'x' }),
    own.export(none).next(),
    own.import({ file_id: 'file_01JAAAAAAAAAAAAAAAAAAAAAAA' }),
    own.restoreMemory(id, 'mem_01JAAAAAAAAAAAAAAAAAAAAAAA', { memory_version_id: version }),
  ];
  const settled = await Promise.allSettled(attempts);
  expect(
    settled.map((one) => one.status === 'rejected' && (one.reason as { status?: number }).status),
  ).toEqual(attempts.map(() => 404));
});
