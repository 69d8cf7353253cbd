/** Resources of sessions that live: added, changed, removed and gone with them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileKey } from '#shared/api-files/api-file.ts';
import type { Blobs } from '#shared/core/blobs.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { default_workspace_id as workspace_id } from '#shared/keys/api-key.ts';
import { addFile } from '#shared/resources/add-file.ts';
import { sweepSession } from '#shared/sessions/sweep-session.ts';
import { collect } from './door.ts';
import { repository, startResourceRig, type ResourceRig } from './resource-rig.ts';
import { everyCall, startTurn } from './session-rig.ts';

let rig: ResourceRig;
let { beta, files, upload, store, withResources, list } = {} as ResourceRig;
beforeAll(async () => {
  rig = await startResourceRig();
  ({ beta, files, upload, store, withResources, list } = rig);
});
afterAll(async () => await rig.door.stop());

const own = { workspace_id, written_by: { thread_id: 'sthr_1', event_id: 'sevt_1' } };
const aCall = { request_id: 'req_1', workspace_id, api_key_id: 'apikey_1', scopes: [] };

test('a file is added while it rests and while it runs, and removed', async () => {
  const { id: session_id } = await rig.create();
  const file_id = await upload('first');
  const add = { type: 'file', file_id, mount_path: '/workspace/a.txt' } as const;
  const resource = await rig.sessions.resources.add(session_id, add);
  expect(await list(session_id)).toEqual([resource]);
  await expect(rig.sessions.resources.add(session_id, add)).rejects.toThrow(/400.*cannot both/);
  await startTurn(rig, session_id);
  const second = await rig.sessions.resources.add(session_id, { type: 'file', file_id });
  expect((await files.list(session_id, '/mnt/session')).map(({ path }) => path)).toEqual([
    `/mnt/session/uploads/${file_id}`,
  ]);
  expect((await files.list(session_id, '/workspace')).map(({ path }) => path)).toEqual([
    '/workspace/a.txt',
  ]);
  const gone = await rig.sessions.resources.delete(second.id, { session_id });
  expect(gone).toEqual({ id: second.id, type: 'session_resource_deleted' });
  expect(await list(session_id)).toEqual([resource]);
  expect(await files.list(session_id, '/mnt/session/uploads')).toEqual([]);
  await expect(beta.files.retrieveMetadata(second.file_id)).rejects.toThrow(/404/);
  await expect(rig.sessions.resources.delete(second.id, { session_id })).rejects.toThrow(/404/);
});

test.each(['rests', 'is archived'])(
  'a mounted copy that is deleted as a file leaves its session, which %s',
  async (state) => {
    const { id: session_id } = await rig.create();
    const file_id = await upload('first');
    const add = { type: 'file', file_id, mount_path: '/workspace/a.txt' } as const;
    const resource = await rig.sessions.resources.add(session_id, add);
    const other = await rig.sessions.resources.add(session_id, { type: 'file', file_id });
    if (state === 'is archived') await rig.sessions.archive(session_id);
    expect((await beta.files.delete(resource.file_id)).id).toBe(resource.file_id);
    expect(await list(session_id)).toEqual([other]);
    expect(await files.list(session_id, '/workspace')).toEqual([]);
    const scoped = await collect(beta.files.list({ scope_id: session_id }));
    expect(scoped.map(({ id }) => id)).toEqual([other.file_id]);
    await expect(beta.files.delete(resource.file_id)).rejects.toThrow(/404/);
    await beta.files.retrieveMetadata(file_id);
  },
);

test('a file that is wanted outside of the session\u2019s folders goes to its uploads', async () => {
  const { id: session_id } = await rig.create();
  const add = { type: 'file', file_id: await upload(), mount_path: '/data.csv' } as const;
  const { mount_path } = await rig.sessions.resources.add(session_id, add);
  expect(mount_path).toBe('/mnt/session/uploads/data.csv');
  expect((await files.list(session_id, '/mnt/session')).map(({ path }) => path)).toEqual([
    mount_path,
  ]);
});

test('what the agent has made of a file stays when the file is removed', async () => {
  const { id: session_id } = await rig.create();
  const path = '/workspace/mine.txt';
  const add = { type: 'file', file_id: await upload('theirs'), mount_path: path } as const;
  const resource = await rig.sessions.resources.add(session_id, add);
  await files.write(session_id, path, Buffer.from('mine'), own);
  await rig.sessions.resources.delete(resource.id, { session_id });
  expect(Buffer.from((await files.read(session_id, path)).bytes).toString()).toBe('mine');
  // It is in the way of another file now, and so is what would be its folder.
  for (const mount_path of [path, `${path}/below`, '/workspace/mine.txt/b/c']) {
    const again = rig.sessions.resources.add(session_id, { ...add, mount_path });
    await expect(again).rejects.toThrow(/400.*there already/);
  }
  await files.write(session_id, '/workspace/dir/x', Buffer.from('x'), own);
  const folder = rig.sessions.resources.add(session_id, { ...add, mount_path: '/workspace/dir' });
  await expect(folder).rejects.toThrow(/400.*there already/);
});

test('an addition that dies before its end leaves nothing but an object of the session', async () => {
  const { id: session_id } = await rig.create();
  const add = { type: 'file', file_id: await upload() } as const;
  const { table, blobs } = rig.door.ports;
  const transact = table.transact.bind(table);
  table.transact = async () => await Promise.reject(new Error('died here'));
  const dying = rig.sessions.resources.add(session_id, add, { maxRetries: 0 });
  await expect(dying).rejects.toThrow(/500/);
  table.transact = transact;
  expect(await list(session_id)).toEqual([]);
  expect(await collect(beta.files.list({ scope_id: session_id }))).toEqual([]);
  expect(await files.list(session_id, '/mnt/session')).toEqual([]);
  expect(await collect(blobs.list(`sessions/${session_id}/`))).toHaveLength(1);
  expect(await rig.sessions.resources.add(session_id, add)).toMatchObject({ type: 'file' });
});

test('a session that is full takes no more, and says so', async () => {
  const { id: session_id } = await rig.create();
  const pk = `FILES#${session_id}`;
  const full = { version: 1, files_count: 1, size_bytes: limits.session_bytes_max };
  await rig.door.ports.table.transact([{ put: { pk, sk: 'HEAD', ...full } }]);
  const add = rig.sessions.resources.add(session_id, { type: 'file', file_id: await upload() });
  await expect(add).rejects.toThrow(/413.*1073741824 bytes/);
});

test('a repeat under one Idempotency-Key adds one file', async () => {
  const { id: session_id } = await rig.create();
  const add = { type: 'file', file_id: await upload() } as const;
  const options = { headers: { 'idempotency-key': `add-${session_id}` } };
  const made = await Promise.all(
    [1, 2, 3].map(async () => await rig.sessions.resources.add(session_id, add, options)),
  );
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await list(session_id)).toHaveLength(1);
});

test('a repeat that finds the first one done has its answer, and is not in its own way', async () => {
  const { id: session_id } = await rig.create();
  const file_id = await upload();
  const request = { id: `again-${session_id}`, body_hash: 'same' };
  const call = { ...aCall, idempotency: request };
  const add = async () =>
    await addFile(rig.door.ports, call, session_id, { type: 'file', file_id });
  const first = await add();
  expect(await add()).toEqual(first);
  expect(await list(session_id)).toEqual([first]);
});

test('files count as changed when their rows are written, however long the copy took', async () => {
  const { id: session_id } = await rig.create();
  const file_id = await upload();
  const { ports } = rig.door;
  let now = ports.clock.now();
  const blobs: Blobs = Object.create(ports.blobs, {
    copy: {
      value: async (from: string, to: string) => {
        now = new Date(now.getTime() + 60_000);
        await ports.blobs.copy(from, to);
      },
    },
  });
  const slow = { ...ports, blobs, clock: { now: () => now } };
  await addFile(slow, aCall, session_id, { type: 'file', file_id });
  const head = await ports.table.get({ pk: `FILES#${session_id}`, sk: 'HEAD' });
  expect(head).toMatchObject({ changed_at: now.toISOString() });
});

test('what one session hands over is mounted in another, while it is still that', async () => {
  const { id: maker } = await rig.create();
  const { id: session_id } = await rig.create();
  const [small, large] = ['/mnt/session/outputs/s.md', '/mnt/session/outputs/l.md'];
  await files.write(maker, small, Buffer.from('small'), own);
  await files.write(maker, large, Buffer.alloc(9_000, 'l'), own);
  const made = await collect(beta.files.list({ scope_id: maker }));
  for (const { id: file_id, filename } of made) {
    const mount_path = `/workspace/${filename}`;
    await rig.sessions.resources.add(session_id, { type: 'file', file_id, mount_path });
  }
  const text = async (name: string) =>
    Buffer.from((await files.read(session_id, `/workspace/${name}`)).bytes).toString();
  expect(await text('s.md')).toBe('small');
  expect(await text('l.md')).toBe('l'.repeat(9_000));
  await files.write(maker, small, Buffer.from('other'), own);
  for (const { id: file_id, filename } of made) {
    const again = rig.sessions.resources.add(session_id, { type: 'file', file_id });
    if (filename === 's.md') await expect(again).rejects.toThrow(/404/);
    else await again;
  }
});

test('only files are added and removed, and only tokens are changed', async () => {
  const memory_store_id = await store();
  const session = await withResources(
    { type: 'memory_store', memory_store_id },
    { ...repository, authorization_token: 'old' },
    { type: 'file', file_id: await upload() },
  );
  const one = { session_id: session.id };
  const [, hub, file] = session.resources.map((resource) => ('id' in resource ? resource.id : ''));
  const { resources } = rig.sessions;
  const token = { ...one, authorization_token: 'new' };
  await expect(resources.delete(memory_store_id, one)).rejects.toThrow(/400/);
  await expect(resources.delete(hub ?? '', one)).rejects.toThrow(/400/);
  await expect(resources.update(file ?? '', token)).rejects.toThrow(/400/);
  await expect(resources.update(memory_store_id, token)).rejects.toThrow(/400/);
  await expect(resources.update('sesrsc_unknown', token)).rejects.toThrow(/404/);
  const add = { type: 'memory_store', memory_store_id } as unknown as {
    type: 'file';
    file_id: '';
  };
  await expect(resources.add(session.id, add)).rejects.toThrow(/400.*type/);
  const updated = await resources.update(hub ?? '', token);
  expect(updated).toMatchObject({ id: hub, url: repository.url });
  expect(JSON.stringify(updated)).not.toContain('new"');
});

test('an archived session is final, and one of another workspace unknown', async () => {
  const { id: session_id, resources } = await withResources({
    type: 'file',
    file_id: await upload(),
  });
  await rig.sessions.archive(session_id);
  const [file] = resources;
  const id = file !== undefined && 'id' in file ? file.id : '';
  const add = { type: 'file', file_id: await upload() } as const;
  await expect(rig.sessions.resources.add(session_id, add)).rejects.toThrow(/400.*archived/);
  const removal = rig.sessions.resources.delete(id, { session_id });
  await expect(removal).rejects.toThrow(/400.*archived/);
  expect(await list(session_id)).toEqual(resources);
  for (const [, call] of everyCall(rig.sessions, newId('session'))) {
    await expect(call()).rejects.toThrow(/404/);
  }
});

test('a deleted session leaves no row of its resources, outputs and files, and no object', async () => {
  const session = await withResources(
    { type: 'file', file_id: await upload() },
    { type: 'memory_store', memory_store_id: await store() },
  );
  await files.write(session.id, '/mnt/session/outputs/o.md', Buffer.alloc(9_000, 1), own);
  const scoped = await collect(beta.files.list({ scope_id: session.id }));
  expect(scoped.map(({ filename }) => filename).toSorted()).toEqual(['data.csv', 'o.md']);
  await rig.sessions.delete(session.id);
  const { table, blobs } = rig.door.ports;
  // The head stays for reconcile, which looks once more.
  expect(await sweepSession(rig.door.ports, session.id, () => false)).toBe(true);
  for (const pk of [`SESSION#${session.id}`, `FILES#${session.id}`]) {
    expect((await table.query({ pk, from: ' ', to: '~' })).rows).toEqual([]);
  }
  for (const { id } of scoped) {
    expect(await table.get(fileKey(id))).toBeUndefined();
    expect(await table.get({ ...fileKey(id), sk: 'SCOPE' })).toBeUndefined();
  }
  expect(await collect(blobs.list(`sessions/${session.id}/`))).toEqual([]);
});
