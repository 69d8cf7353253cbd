import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { dreamKey, dreamObject, type DreamHead } from '#shared/dreams/dream.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';
import { anOperation } from '../../shared/dreams/samples.ts';
import { putDream, snapshotOf } from '../../shared/reviews/review-rig.ts';

/** What an operator does with a dream, over HTTP, through the typed client. */

let door: StartedDoor;
let client: Anthropic;
let own: ReverieClient['dreams'];
let key_id: string;
let workspace_id: string;

beforeAll(async () => {
  door = await startDoor();
  const admin = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, maxRetries: 0 });
  const key = await new ReverieClient(admin).apiKeys.create({ name: 'operator' });
  key_id = key.id;
  workspace_id = key.workspace_id;
  client = new Anthropic({ baseURL: door.baseURL, apiKey: key.secret, maxRetries: 0 });
  own = new ReverieClient(client).dreams;
});

afterAll(async () => await door.stop());

type Contents = Readonly<Record<string, string>>;

async function storeWith(contents: Contents): Promise<string> {
  const { id } = await client.beta.memoryStores.create({ name: 'notes', description: 'of a test' });
  for (const [path, content] of Object.entries(contents)) {
    await client.beta.memoryStores.memories.create(id, { path, content });
  }
  return id;
}

async function contentsOf(id: string): Promise<Contents> {
  const contents: Record<string, string> = {};
  const list = client.beta.memoryStores.memories.list(id, { view: 'full' });
  for await (const item of list) {
    if (item.type === 'memory') contents[item.path] = item.content ?? '';
  }
  return contents;
}

async function overwrite(store_id: string, path: string, content: string): Promise<void> {
  for await (const item of client.beta.memoryStores.memories.list(store_id)) {
    if (item.type !== 'memory' || item.path !== path) continue;
    const params = { memory_store_id: store_id, content };
    await client.beta.memoryStores.memories.update(item.id, params);
  }
}

async function versionAt(store_id: string, path: string): Promise<string> {
  for await (const item of client.beta.memoryStores.memories.list(store_id)) {
    if (item.type === 'memory' && item.path === path) return item.memory_version_id;
  }
  return '';
}

const start = { '/a.md': 'alpha\n', '/b.md': 'beta\n', '/c.md': 'gamma\n', '/d.md': 'delta\n' };
const operations: readonly Operation[] = [
  anOperation('c0001', { op: 'add', path: '/notes/new.md', text: 'new\n' }),
  anOperation('c0002', { op: 'revise', path: '/a.md', text: 'alpha 2\n', removed: [] }),
  anOperation('c0003', {
    op: 'merge',
    paths: ['/b.md', '/c.md'],
    path: '/b.md',
    text: 'beta and gamma\n',
    removed: [],
  }),
  anOperation('c0004', { op: 'retire', path: '/d.md' }),
];

async function dreamOf(store_id: string, changed: Partial<DreamHead> = {}): Promise<string> {
  const snapshot = await snapshotOf(door.ports, store_id);
  return await putDream(door.ports, { workspace_id, store_id, snapshot, operations }, changed);
}

const statusOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof Anthropic.APIError ? error.status : error),
  );

test('changes are listed with diff and evidence, decided on, applied and rolled back as one step', async () => {
  const store_id = await storeWith(start);
  const id = await dreamOf(store_id);
  const listed = await own.changes(id);
  expect(listed.next_page).toBeNull();
  expect(listed.data.map((change) => [change.id, change.state])).toEqual(
    operations.map(({ change_id }) => [change_id, 'proposed']),
  );
  expect(listed.data[1]).toMatchObject({
    type: 'dream_change',
    dream_id: id,
    operation: operations[1],
    text: 'alpha 2\n',
    decided_by: null,
    applies: [],
  });
  expect(listed.data[1]?.edits[0]?.diff).toBe(
    '--- a/a.md\n+++ b/a.md\n@@ -1,1 +1,1 @@\n-alpha\n+alpha 2\n',
  );
  expect(listed.data[2]?.edits.map(({ path }) => path)).toEqual(['/b.md', '/c.md']);

  const edited = await own.decide(id, 'c0002', { decision: 'edit', text: 'mine\n' });
  expect(edited).toMatchObject({
    state: 'accepted',
    edited: true,
    text: 'mine\n',
    decided_by: key_id,
  });
  expect(edited.edits[0]?.diff).toContain('+mine');
  await own.decide(id, 'c0004', { decision: 'reject' });
  expect(await own.acceptAll(id)).toMatchObject({ accepted_count: 2 });
  expect(await own.acceptAll(id)).toMatchObject({ accepted_count: 0 });
  const accepted = await own.changes(id, { state: 'accepted' });
  expect(accepted.data.map((change) => change.id)).toEqual(['c0001', 'c0002', 'c0003']);

  const apply = await own.apply(id, { memory_store_id: store_id });
  expect(apply).toMatchObject({
    type: 'dream_apply',
    state: 'applied',
    memory_store_id: store_id,
    applied_count: 3,
    conflict_count: 0,
    created_by: key_id,
    rolled_back_by: null,
  });
  const { '/_index.md': index, ...rest } = await contentsOf(store_id);
  expect(rest).toEqual({
    '/a.md': 'mine\n',
    '/b.md': 'beta and gamma\n',
    '/d.md': 'delta\n',
    '/notes/new.md': 'new\n',
  });
  expect(index).toContain('/notes/new.md: new');
  expect(await own.apply(id, { memory_store_id: store_id })).toEqual(apply);
  expect(await own.applies(id)).toMatchObject({ data: [apply], next_page: null });
  expect(await statusOf(own.decide(id, 'c0002', { decision: 'reject' }))).toBe(409);

  const back = await own.rollBack(id, apply.id);
  expect(back).toMatchObject({
    state: 'rolled_back',
    rolled_back_count: 3,
    rolled_back_by: key_id,
  });
  expect(await contentsOf(store_id)).toEqual(start);
  expect(await own.rollBack(id, apply.id)).toEqual(back);
  const after = await own.decide(id, 'c0002', { decision: 'accept' });
  expect(after).toMatchObject({ edited: false, text: 'alpha 2\n' });
  const of_apply = { apply_id: apply.id, memory_store_id: store_id, change_id: 'c0002' };
  expect(after.applies).toEqual([
    { ...of_apply, outcome: 'rolled_back', conflict: null, conflicts: [] },
  ]);
  expect(await own.apply(id, { memory_store_id: store_id })).toMatchObject({ applied_count: 3 });
});

test('what was changed meanwhile is a conflict for that change alone, and is tried again', async () => {
  const store_id = await storeWith(start);
  const id = await dreamOf(store_id);
  await own.acceptAll(id);
  await overwrite(store_id, '/c.md', 'theirs\n');
  const apply = await own.apply(id, { memory_store_id: store_id });
  expect([apply.applied_count, apply.conflict_count]).toEqual([3, 1]);
  const conflict = {
    reason: 'changed',
    path: '/c.md',
    memory_version_id: await versionAt(store_id, '/c.md'),
    message: expect.stringContaining('restore the version'),
  };
  expect(apply.changes.find(({ change_id }) => change_id === 'c0003')).toEqual({
    change_id: 'c0003',
    outcome: 'conflict',
    conflict,
    conflicts: [conflict],
  });
  expect(await contentsOf(store_id)).toMatchObject({ '/b.md': 'beta\n', '/c.md': 'theirs\n' });
  expect(await own.apply(id, { memory_store_id: store_id })).toEqual(apply);
  await overwrite(store_id, '/c.md', 'gamma\n');
  const again = await own.apply(id, { memory_store_id: store_id });
  expect([again.id, again.applied_count, again.conflict_count]).toEqual([apply.id, 4, 0]);

  await overwrite(store_id, '/a.md', 'edited since\n');
  const back = await own.rollBack(id, apply.id);
  expect([back.rolled_back_count, back.applied_count, back.conflict_count]).toEqual([3, 1, 1]);
  expect(await contentsOf(store_id)).toMatchObject({ ...start, '/a.md': 'edited since\n' });
  await overwrite(store_id, '/a.md', 'alpha 2\n');
  expect(await own.rollBack(id, apply.id)).toMatchObject({
    rolled_back_count: 4,
    conflict_count: 0,
  });
  expect(await contentsOf(store_id)).toEqual(start);
});

test('whoever has seen what others wrote may replace just that, and a rollback brings it back', async () => {
  const store_id = await storeWith(start);
  const id = await dreamOf(store_id);
  const target = { memory_store_id: store_id };
  const theirs = { '/a.md': 'theirs\n', '/c.md': 'gamma 3\n', '/notes/new.md': 'taken\n' };
  await overwrite(store_id, '/a.md', theirs['/a.md']);
  await overwrite(store_id, '/c.md', theirs['/c.md']);
  const there = { path: '/notes/new.md', content: theirs['/notes/new.md'] };
  await client.beta.memoryStores.memories.create(store_id, there);
  await own.acceptAll(id);
  const first = await own.apply(id, target);
  const seen = new Map(first.changes.map((one) => [one.change_id, one.conflict]));
  const reasons = [...seen.values()].map((conflict) => conflict?.reason ?? '');
  expect(reasons).toEqual(['path_taken', 'changed', 'changed', '']);
  const named = (change_id: string) => ({
    replaces_memory_version_ids: [seen.get(change_id)?.memory_version_id ?? ''],
  });

  const edit = { decision: 'edit', text: 'theirs and alpha 2\n' } as const;
  // To edit is not to have seen; and who has seen one version has not seen the next.
  for (const body of [edit, { ...edit, ...named('c0002') }]) {
    expect(await own.decide(id, 'c0002', body)).toMatchObject({ text: edit.text });
    theirs['/a.md'] = `${theirs['/a.md']}more\n`;
    await overwrite(store_id, '/a.md', theirs['/a.md']);
    const { changes } = await own.apply(id, target);
    const now = await versionAt(store_id, '/a.md');
    expect(changes.find(({ change_id }) => change_id === 'c0002')?.conflict).toMatchObject({
      reason: 'changed',
      memory_version_id: now,
      message: expect.stringContaining('replaces_memory_version_ids'),
    });
    expect(await contentsOf(store_id)).toMatchObject(theirs);
    seen.set('c0002', { reason: 'changed', path: '/a.md', memory_version_id: now, message: '' });
  }
  const replaces = named('c0002');
  expect(await own.decide(id, 'c0002', { ...edit, ...replaces })).toMatchObject(replaces);
  await own.decide(id, 'c0001', { decision: 'accept', ...named('c0001') });
  await own.decide(id, 'c0003', { decision: 'accept', ...named('c0003') });
  const apply = await own.apply(id, target);
  expect(apply).toMatchObject({ applied_count: 3, conflict_count: 0 });
  const applied = { '/a.md': edit.text, '/b.md': 'beta and gamma\n', '/notes/new.md': 'new\n' };
  expect(await contentsOf(store_id)).toEqual({ '/_index.md': expect.anything(), ...applied });
  await own.rollBack(id, apply.id);
  expect(await contentsOf(store_id)).toMatchObject({ '/b.md': 'beta\n', ...theirs });
});

test('many changes take several transactions and pages, and each is done once whoever races', async () => {
  const count = 60;
  const contents = Object.fromEntries(
    Array.from({ length: count }, (_, n): [string, string] => [`/m${n}.md`, `text ${n}\n`]),
  );
  const store_id = await storeWith(contents);
  const many = Array.from({ length: count }, (_, n) =>
    anOperation(`c${String(n + 1).padStart(4, '0')}`, {
      op: 'revise',
      path: `/m${n}.md`,
      text: `revised ${n}\n`,
      removed: [],
    }),
  );
  const snapshot = await snapshotOf(door.ports, store_id);
  const id = await putDream(door.ports, { workspace_id, store_id, snapshot, operations: many });
  const pages = [await own.changes(id, { limit: 25 })];
  for (let page = pages[0]?.next_page; page; page = pages.at(-1)?.next_page) {
    pages.push(await own.changes(id, { limit: 25, page }));
  }
  expect(pages.flatMap(({ data }) => data.map((change) => change.id))).toEqual(
    many.map(({ change_id }) => change_id),
  );
  await own.acceptAll(id);
  const target = { memory_store_id: store_id };
  const raced = await Promise.all([
    own.apply(id, target),
    own.apply(id, target),
    own.apply(id, target),
  ]);
  expect(new Set(raced.map((apply) => apply.id)).size).toBe(1);
  expect(raced[0]).toMatchObject({ state: 'applied', applied_count: count });
  const versions = client.beta.memoryStores.memoryVersions.list(store_id, { limit: 100 });
  const modified: string[] = [];
  for await (const version of versions) {
    if (version.operation === 'modified') modified.push(version.memory_id);
  }
  expect([modified.length, new Set(modified).size]).toEqual([count, count]);
  const apply_id = raced[0]?.id ?? '';
  await Promise.all([own.rollBack(id, apply_id), own.rollBack(id, apply_id)]);
  expect(await contentsOf(store_id)).toEqual(contents);
});

test('a dream that has not completed has no changes and no report, and others see none of it', async () => {
  const store_id = await storeWith(start);
  const target = { memory_store_id: store_id };
  for (const status of ['running', 'failed', 'canceled'] as const) {
    const id = await dreamOf(store_id, { status });
    expect((await own.changes(id)).data).toEqual([]);
    expect(await own.acceptAll(id)).toMatchObject({ accepted_count: 0 });
    expect(await statusOf(own.decide(id, 'c0001', { decision: 'accept' }))).toBe(404);
    expect(await statusOf(own.apply(id, target))).toBe(400);
    expect(await statusOf(own.report(id))).toBe(404);
  }
  const id = await dreamOf(store_id);
  await own.acceptAll(id);
  const apply = await own.apply(id, target);
  const other = await dreamOf(store_id, { workspace_id: door.ports.newId('workspace') });
  const fresh = await dreamOf(store_id);
  for (const request of [
    async () => await own.changes(other),
    async () => await own.acceptAll(other),
    async () => await own.decide(other, 'c0001', { decision: 'accept' }),
    async () => await own.apply(other, target),
    async () => await own.applies(other),
    async () => await own.rollBack(other, apply.id),
    async () => await own.report(other),
    async () => await own.rollBack(fresh, apply.id),
    async () => await own.apply(id, { memory_store_id: door.ports.newId('memory_store') }),
    async () => await own.decide(id, 'c9999', { decision: 'accept' }),
  ]) {
    expect(await statusOf(request())).toBe(404);
  }
});

test('what cannot be is refused by name and changes nothing', async () => {
  const store_id = await storeWith(start);
  const snapshot = await snapshotOf(door.ports, store_id);
  const playbook = anOperation('c0001', { op: 'add', path: '/playbooks/x.md', text: 'steps' });
  const retire = anOperation('c0002', { op: 'retire', path: '/a.md' });
  const fabricated = { workspace_id, store_id, snapshot, operations: [playbook, retire] };
  const id = await putDream(door.ports, fabricated);
  const edit = { decision: 'edit', text: 'no front matter' } as const;
  await expect(own.decide(id, 'c0001', edit)).rejects.toThrow(/playbook/);
  await expect(own.decide(id, 'c0002', edit)).rejects.toThrow(/only ends memories/);
  const post = async (path: string, body: unknown) =>
    await statusOf(client.post(`/v1/reverie/dreams/${id}/${path}`, { body }));
  expect(await post('changes/c0001', { decision: 'maybe' })).toBe(400);
  expect(await post('changes/c0001', { decision: 'edit' })).toBe(400);
  expect(await post('changes/c0001', { decision: 'accept', text: 'x' })).toBe(400);
  const replaces_memory_version_ids = ['memver_01JAAAAAAAAAAAAAAAAAAAAAAA'];
  expect(await post('changes/c0001', { decision: 'reject', replaces_memory_version_ids })).toBe(
    400,
  );
  const no_id = { decision: 'accept', replaces_memory_version_ids: ['1'] };
  expect(await post('changes/c0001', no_id)).toBe(400);
  expect(await post('changes/accept_all', { all: true })).toBe(400);
  expect(await post('apply', {})).toBe(400);
  expect(await post('apply', { memory_store_id: 'x' })).toBe(400);
  expect(await statusOf(own.changes(id, { state: 'gone' as 'proposed' }))).toBe(400);
  expect(await statusOf(own.apply(id, { memory_store_id: store_id }))).toBe(400);
  await own.acceptAll(id);
  await client.beta.memoryStores.archive(store_id);
  expect(await statusOf(own.apply(id, { memory_store_id: store_id }))).toBe(400);
  expect(await contentsOf(store_id)).toEqual(start);
  expect((await own.applies(id)).data).toEqual([]);
});

test('what a dream has written into its own store is an apply of the dream, and goes as one step', async () => {
  const store_id = await storeWith(start);
  const snapshot = await snapshotOf(door.ports, store_id);
  const changed = { '/a.md': 'alpha 2\n', '/b.md': 'beta and gamma\n' };
  for (const [path, content] of Object.entries(changed)) await overwrite(store_id, path, content);
  for (const path of ['/c.md', '/d.md']) {
    const memory_id = snapshot.memories.find((memory) => memory.path === path)?.memory_id ?? '';
    await client.beta.memoryStores.memories.delete(memory_id, { memory_store_id: store_id });
  }
  const fresh = { path: '/notes/new.md', content: 'new\n' };
  await client.beta.memoryStores.memories.create(store_id, fresh);
  const in_place = { type: 'update_existing', memory_store_id: store_id } as const;
  const fabricated = { workspace_id, store_id, snapshot, operations };
  const id = await putDream(door.ports, fabricated, { output_behavior: in_place });
  const { pipeline_session_id } = (await door.ports.table.get(dreamKey(id))) as DreamHead;
  const listed = await Promise.all([own.changes(id), own.applies(id), own.changes(id)]);
  expect(listed[0].data.map((change) => change.state)).toEqual(operations.map(() => 'accepted'));
  const [apply] = (await own.applies(id)).data;
  expect(apply).toMatchObject({ applied_count: 4, created_by: pipeline_session_id });
  expect(await own.acceptAll(id)).toMatchObject({ accepted_count: 0 });
  expect(await own.apply(id, { memory_store_id: store_id })).toEqual(apply);

  await overwrite(store_id, '/a.md', 'mine\n');
  const back = await own.rollBack(id, apply?.id ?? '');
  expect([back.rolled_back_count, back.conflict_count]).toEqual([3, 1]);
  const { '/_index.md': index, ...rest } = await contentsOf(store_id);
  expect(rest).toEqual({ ...start, '/a.md': 'mine\n' });
  expect(index).not.toContain('new');
  const states = (await own.changes(id)).data.map((change) => change.state);
  expect(states).toEqual(['proposed', 'accepted', 'proposed', 'proposed']);
});

test('the report is streamed as it was written, for programs and for people', async () => {
  const store_id = await storeWith(start);
  const id = await dreamOf(store_id);
  const report = { type: 'dream_report', dream_id: id, cost_share: 0.08 };
  await door.ports.blobs.put(dreamObject(id, 'report.json'), JSON.stringify(report));
  await door.ports.blobs.put(dreamObject(id, 'report.md'), '# Dream\n');
  expect(await own.report(id)).toEqual(report);
  const markdown = await own.reportMarkdown(id);
  expect(markdown.headers.get('content-type')).toContain('text/markdown');
  expect(await markdown.text()).toBe('# Dream\n');
  expect(await door.ports.table.get(dreamKey(id))).toMatchObject({ status: 'completed' });
});
