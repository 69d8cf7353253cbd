/** What sessions are created with, over HTTP through the official SDK; no step runs. */
import { toFile } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doChores } from '#shared/core/due.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { resourceKeys } from '#shared/resources/resource.ts';
import { sweepSession } from '#shared/sessions/sweep-session.ts';
import { collect } from './door.ts';
import { repository, startResourceRig, type ResourceRig, type Resources } from './resource-rig.ts';

let rig: ResourceRig;
let { beta, files, upload, store, withResources, list } = {} as ResourceRig;
beforeAll(async () => {
  rig = await startResourceRig();
  ({ beta, files, upload, store, withResources, list } = rig);
});
afterAll(async () => await rig.door.stop());

test('a file is copied, shown, listed with its session and stands in its file system', async () => {
  const file_id = await upload('a,b\n1,2\n');
  const session = await withResources(
    { type: 'file', file_id },
    { type: 'file', file_id, mount_path: '/workspace/in/data.csv' },
  );
  expect(session.resources).toMatchObject([
    { type: 'file', mount_path: `/mnt/session/uploads/${file_id}` },
    { type: 'file', mount_path: '/workspace/in/data.csv' },
  ]);
  expect(await list(session.id)).toEqual(session.resources);
  expect((await rig.sessions.retrieve(session.id)).resources).toEqual(session.resources);
  const [resource] = session.resources;
  if (resource?.type !== 'file') throw new Error('a file');
  expect(resource.file_id).not.toBe(file_id);
  const one = { session_id: session.id };
  expect(await rig.sessions.resources.retrieve(resource.id, one)).toEqual(resource);
  expect(await beta.files.retrieveMetadata(resource.file_id)).toMatchObject({
    filename: 'data.csv',
    mime_type: 'text/csv',
    size_bytes: 8,
    scope: { type: 'session', id: session.id },
  });
  const scoped = await collect(beta.files.list({ scope_id: session.id }));
  expect(scoped).toHaveLength(2);
  const { bytes, file } = await files.read(session.id, '/workspace/in/data.csv');
  expect(Buffer.from(bytes).toString()).toBe('a,b\n1,2\n');
  expect(file).toMatchObject({ mode: 0o644, size_bytes: 8 });
  // The copy is the session's own.
  await beta.files.delete(file_id);
  expect((await files.read(session.id, '/workspace/in/data.csv')).bytes).toHaveLength(8);
});

test('memory stores are snapshotted and mounted by their names', async () => {
  const ids = [await store(), await store('user preferences!'), await store('日本')];
  const session = await withResources(
    { type: 'memory_store', memory_store_id: ids[0] ?? '', instructions: 'Look first.' },
    { type: 'memory_store', memory_store_id: ids[1] ?? '', access: 'read_only' },
    { type: 'memory_store', memory_store_id: ids[2] ?? '' },
  );
  expect(session.resources).toEqual([
    {
      type: 'memory_store',
      memory_store_id: ids[0],
      access: 'read_write',
      name: 'User Preferences',
      description: 'What they like',
      instructions: 'Look first.',
      mount_path: '/mnt/memory/user-preferences',
    },
    expect.objectContaining({
      access: 'read_only',
      mount_path: '/mnt/memory/user-preferences-2',
      instructions: null,
    }),
    expect.objectContaining({ mount_path: '/mnt/memory/memory' }),
  ]);
  await beta.memoryStores.update(ids[0] ?? '', { name: 'Other' });
  const one = { session_id: session.id };
  expect(await rig.sessions.resources.retrieve(ids[0] ?? '', one)).toEqual(session.resources[0]);
});

test('the index of a store is kept as it was, cut where it is too long for a prompt', async () => {
  const long = `${'x'.repeat(limits.store_index_bytes_max - 1)}é and more`;
  const session = await withResources(
    { type: 'memory_store', memory_store_id: await store('Short', '# What is here') },
    { type: 'memory_store', memory_store_id: await store('Long', long) },
    { type: 'memory_store', memory_store_id: await store('None') },
  );
  const { rows } = await rig.door.ports.table.query({
    pk: `SESSION#${session.id}`,
    ...resourceKeys,
  });
  expect(rows.map((row) => row['index'])).toEqual([
    { text: '# What is here', is_cut: false },
    { text: 'x'.repeat(limits.store_index_bytes_max - 1), is_cut: true },
    null,
  ]);
});

test('a repository is shown without its token, which no row holds in the clear', async () => {
  const token = 'ghp_a-secret-of-this-test';
  const session = await withResources(
    { ...repository, authorization_token: token, checkout: { type: 'branch', name: 'feat/x' } },
    { ...repository, mount_path: '/workspace/again' },
  );
  expect(session.resources).toMatchObject([
    {
      type: 'github_repository',
      url: repository.url,
      mount_path: '/workspace/hello-world',
      checkout: { type: 'branch', name: 'feat/x' },
    },
    { mount_path: '/workspace/again', checkout: null },
  ]);
  expect(JSON.stringify(session)).not.toContain(token);
  const pk = `SESSION#${session.id}`;
  const { rows } = await rig.door.ports.table.query({ pk, from: ' ', to: '~' });
  expect(JSON.stringify(rows)).not.toContain(token);
});

test('500 files are mounted, or none', async () => {
  const file_id = await upload('x');
  const many = Array.from({ length: 500 }, (_, n) => ({
    type: 'file' as const,
    file_id,
    mount_path: `/workspace/f${n}`,
  }));
  const session = await rig.create({ resources: many });
  expect(session.resources).toHaveLength(500);
  expect(await list(session.id)).toHaveLength(500);
  const page = await rig.sessions.resources.list(session.id, { limit: 200 });
  expect(page.data).toHaveLength(200);
  expect(page.next_page).toEqual(expect.any(String));
  expect(await files.list(session.id, '/workspace')).toHaveLength(500);
  expect((await rig.sessions.retrieve(session.id)).resources).toEqual(session.resources);
  await rig.sessions.delete(session.id);
}, 60_000);

test('what dies before its end is nowhere to be seen and is swept', async () => {
  const file_id = await upload('x');
  const { blobs, table, clock } = rig.door.ports;
  const copy = blobs.copy.bind(blobs);
  const before = (await collect(rig.sessions.list())).length;
  const copied: string[] = [];
  blobs.copy = async (from, to) => {
    await copy(from, to);
    copied.push(to);
    if (copied.length === 2) throw new Error('died here');
  };
  const two: Resources = [
    { type: 'file', file_id },
    { type: 'file', file_id, mount_path: '/tmp/x' },
  ];
  const dying = rig.sessions.create(
    { agent: rig.agent_id, environment_id: rig.environment_id, resources: two },
    { maxRetries: 0 },
  );
  await expect(dying).rejects.toThrow(/500/);
  blobs.copy = copy;
  expect(await collect(rig.sessions.list())).toHaveLength(before);
  const session_id = copied[0]?.split('/')[1] ?? '';
  await expect(rig.sessions.retrieve(session_id)).rejects.toThrow(/404/);
  const sweep = async () =>
    await doChores(
      rig.door.ports,
      { deleted: { 'SESSION#': sweepSession }, expired: {} },
      { min_age_ms: 0, is_time_up: () => false, done: () => undefined },
    );
  await sweep();
  expect((await collect(blobs.list(`sessions/${session_id}/`))).length).toBe(2);
  clock.shift_ms += limits.reserved_ms + 1_000;
  await sweep();
  clock.shift_ms = 0;
  expect(await collect(blobs.list(`sessions/${session_id}/`))).toEqual([]);
  expect(await table.get({ pk: `SESSION#${session_id}`, sk: 'HEAD' })).toBeUndefined();
});

const unknown = (noun: 'file' | 'memory_store') => newId(noun);
const refused: [string, object[], RegExp][] = [
  ['an unknown file', [{ type: 'file', file_id: unknown('file') }], /404/],
  ['a file id of no form', [{ type: 'file', file_id: 'x' }], /404/],
  ['an unknown store', [{ type: 'memory_store', memory_store_id: unknown('memory_store') }], /404/],
  ['an unknown type', [{ type: 'bucket' }], /400.*resources\.0\.type/],
  ['an unknown field', [{ ...repository, colour: 1 }], /400.*resources\.0\.colour/],
  ['another host', [{ ...repository, url: 'https://gitlab.com/a/b' }], /400.*url/],
  ['a URL with .git', [{ ...repository, url: `${repository.url}.git` }], /400.*url/],
  ['a URL with more', [{ ...repository, url: `${repository.url}/tree/main` }], /400.*url/],
  ['a URL with a user', [{ ...repository, url: 'https://a@github.com/a/b' }], /400.*url/],
  ['a name of dots', [{ ...repository, url: 'https://github.com/a/..' }], /400.*url/],
  [
    'a token with a space',
    [{ ...repository, authorization_token: 'a b' }],
    /400.*authorization_token/,
  ],
  [
    'a short commit',
    [{ ...repository, checkout: { type: 'commit', sha: 'abc' } }],
    /400.*full SHA/,
  ],
  [
    'a branch that climbs',
    [{ ...repository, checkout: { type: 'branch', name: 'a/../../b' } }],
    /400.*branch/,
  ],
  ['two in one place', [repository, repository], /400.*resources\.1\.mount_path: .*cannot both/],
  [
    'a file as a folder of another',
    [
      { ...repository, mount_path: '/workspace/a/b' },
      { type: 'file', file_id: 'FILE', mount_path: '/workspace/a' },
    ],
    /400.*cannot both/,
  ],
  ['a relative place', [{ ...repository, mount_path: 'a' }], /400.*absolute/],
  ['a place that climbs', [{ ...repository, mount_path: '/workspace/../etc' }], /400.*written/],
  [
    'a file that climbs',
    [{ type: 'file', file_id: 'FILE', mount_path: '../etc/x' }],
    /400.*written/,
  ],
  ['a file nowhere', [{ type: 'file', file_id: 'FILE', mount_path: '' }], /400.*written/],
  ['a place outside', [{ ...repository, mount_path: '/etc/x' }], /400.*outside/],
  ['a root itself', [{ ...repository, mount_path: '/workspace' }], /400.*below/],
  ['a folder of roots', [{ ...repository, mount_path: '/mnt/session' }], /400.*below/],
  ['a place among memories', [{ ...repository, mount_path: '/mnt/memory/x' }], /400.*kept/],
  ['nine stores', Array(9).fill({ type: 'memory_store', memory_store_id: 'x' }), /400.*at most 8/],
  ['501 files', Array(501).fill({ type: 'file', file_id: 'x' }), /400.*at most 500/],
  [
    'long instructions',
    [{ type: 'memory_store', memory_store_id: 'x', instructions: 'x'.repeat(4_097) }],
    /400.*instructions/,
  ],
];
test.each(refused)('%s is refused, and nothing is written', async (_title, params, text) => {
  const file_id = await upload();
  const resources = params.map((one) =>
    'file_id' in one && one.file_id === 'FILE' ? { ...one, file_id } : one,
  ) as Resources;
  const before = rig.door.ports.blobs.objects.size;
  await expect(rig.create({ resources })).rejects.toThrow(text);
  expect(rig.door.ports.blobs.objects.size).toBe(before);
});

test('an archived, a deleted and a twice named store, and an expired file, are refused', async () => {
  const [archived, deleted, twice] = [await store(), await store(), await store()];
  await beta.memoryStores.archive(archived);
  await beta.memoryStores.delete(deleted);
  const of = (memory_store_id: string) => ({ type: 'memory_store' as const, memory_store_id });
  await expect(withResources(of(archived))).rejects.toThrow(/400.*archived/);
  await expect(withResources(of(deleted))).rejects.toThrow(/404/);
  await expect(withResources(of(twice), of(twice))).rejects.toThrow(/400.*once/);
  const { id: file_id } = await beta.files.upload({
    file: await toFile(Buffer.from('x'), 'x'),
    expires_in_seconds: 3_600,
  });
  rig.door.ports.clock.shift_ms = 3_700_000;
  await expect(withResources({ type: 'file', file_id })).rejects.toThrow(/404.*file_expired/);
  rig.door.ports.clock.shift_ms = 0;
});

test('a list by memory store has the sessions that hold it, and no other', async () => {
  const id = await store();
  const first = await withResources({ type: 'memory_store', memory_store_id: id });
  const second = await withResources({ type: 'memory_store', memory_store_id: id });
  await withResources({ type: 'memory_store', memory_store_id: await store() });
  const ids = async (query: object) =>
    (await collect(rig.sessions.list({ memory_store_id: id, ...query }))).map((one) => one.id);
  expect(await ids({})).toEqual([second.id, first.id]);
  expect(await ids({ agent_id: rig.agent_id })).toEqual([second.id, first.id]);
  expect(await ids({ agent_id: newId('agent') })).toEqual([]);
  expect(await ids({ memory_store_id: 'nonsense' })).toEqual([]);
  await rig.sessions.delete(second.id);
  expect(await ids({})).toEqual([first.id]);
});
