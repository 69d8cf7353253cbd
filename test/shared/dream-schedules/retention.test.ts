/** What was learned ends by the operator's choice alone: as versions, and never what a person has written. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BetaManagedAgentsMemory as BetaMemory } from '@anthropic-ai/sdk/resources/beta/memory-stores/memories';
import type { BetaManagedAgentsMemoryVersion as BetaMemoryVersion } from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-versions';
import { AwsJson } from '#shared/core/aws-json.ts';
import { itemOf } from '#shared/core/items-dynamo.ts';
import { dreamKey } from '#shared/dreams/dream.ts';
import { confirmedAt } from '#shared/dream-schedules/retain.ts';
import { runIdAt, runKey, type RunRow } from '#shared/dream-schedules/run.ts';
import type { MemoryOperation } from '#shared/memory/changes.ts';
import { versionKey } from '#shared/memory/memory.ts';
import { readMemories } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { anOperation } from '../dreams/samples.ts';
import { actor } from '../memory/store.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { aPlaybook } from '../playbooks/samples.ts';
import { startScheduleRig, type ScheduleRig } from './schedule-rig.ts';

let rig: ScheduleRig;
beforeAll(async () => {
  rig = await startScheduleRig();
  rig.at('2026-11-28T12:00:00Z');
});
afterAll(async () => await rig.stop());

const schedules = () => rig.own.dreamSchedules;

const notes: readonly Operation[] = [
  anOperation('c0001', { op: 'add', path: '/notes/new.md', text: 'new\n' }),
  anOperation('c0002', { op: 'revise', path: '/a.md', text: 'alpha 2\n', removed: [] }),
];

/** A run that may have a dream, which finds nothing. */
async function house(id: string): Promise<void> {
  const { dream_id } = await schedules().run(id);
  if (dream_id !== null) await rig.end(dream_id, {});
}

/** What a dream has written, and a schedule or a person has applied as it was. */
async function dreamt(store_id: string, texts: Readonly<Record<string, string>>): Promise<void> {
  const { ports } = rig.door;
  const rows = await readMemories(ports.table, store_id);
  const operations = Object.entries(texts).map(([path, content]): MemoryOperation => {
    const before = rows.find(({ sk }) => sk === path);
    const dreamt_by = 'dream_1';
    if (before === undefined) return { kind: 'create', path, content, dreamt_by };
    return { kind: 'write', before, content, dreamt_by };
  });
  await writeMemories(ports, { store_id, operations, actor });
}

/** The newest first. */
async function versionsOf(store_id: string): Promise<BetaMemoryVersion[]> {
  const versions: BetaMemoryVersion[] = [];
  const list = rig.client.beta.memoryStores.memoryVersions.list(store_id);
  for await (const version of list) versions.push(version);
  return versions;
}

describe('retention', () => {
  const learned = (day: string): string =>
    `old\n\n<!-- reverie:sources -->\nLearned from: sesn_1/sevt_1 (${day}T00:00:00.000Z)\n`;

  test('is off unless it is asked for, and then retires what was learned and is not confirmed', async () => {
    const memories = {
      '/notes/old.md': learned('2026-11-01'),
      '/notes/confirmed.md': learned('2027-01-05'),
      '/notes/own.md': 'A person wrote this.\n',
      '/playbooks/old.md': aPlaybook({ last_confirmed: '2026-11-02T00:00:00Z' }),
      '/else.md': learned('2026-11-01'),
    };
    rig.at('2026-11-28T12:00:00Z');
    const store_id = await rig.store();
    await dreamt(store_id, memories);
    const off = await rig.schedule(store_id);
    const id = await rig.schedule(store_id, { retention: { notes_days: 30, playbooks_days: 60 } });
    // Everything is young: it was written today.
    await house(id);
    expect((await rig.newest(id)).retention).toMatchObject({ notes_retired_count: 0 });
    rig.at('2027-01-10T12:00:00Z');
    await house(off);
    expect((await rig.newest(off)).retention).toBeNull();
    expect(await rig.texts(store_id)).toEqual(memories);
    await house(id);
    expect((await rig.newest(id)).retention).toEqual({
      notes_retired_count: 1,
      playbooks_retired_count: 0,
      reviews_expired_count: 0,
      copies_archived_count: 0,
    });
    const { '/notes/old.md': _old, ...rest } = memories;
    expect(await rig.texts(store_id)).toMatchObject(rest);
    rig.at('2027-02-10T12:00:00Z');
    await house(id);
    expect((await rig.newest(id)).retention).toMatchObject({ playbooks_retired_count: 1 });
    const left = Object.keys(await rig.texts(store_id)).toSorted();
    expect(left).toEqual(['/_index.md', '/else.md', '/notes/own.md']);
    // As versions: it can be read, and brought back.
    const all = await versionsOf(store_id);
    const versions = all.filter(({ path }) => path === '/notes/old.md');
    expect(versions.map(({ operation }) => operation)).toEqual(['deleted', 'created']);
    expect(versions[0]?.created_by).toEqual({ type: 'api_actor', api_key_id: id });
  });

  test('leaves what a person has written in, whoever has written there since', async () => {
    rig.at('2026-11-28T12:00:00Z');
    const store_id = await rig.store({ '/notes/revised.md': 'A page of a person.\n' });
    const old = learned('2026-11-01');
    await dreamt(store_id, { '/notes/revised.md': `A page of a person. ${old}` });
    await dreamt(store_id, { '/notes/edited.md': old, '/notes/old.md': old });
    const { memories } = rig.client.beta.memoryStores;
    for await (const { id, path } of memories.list(store_id) as AsyncIterable<BetaMemory>) {
      if (path !== '/notes/edited.md') continue;
      await memories.update(id, { memory_store_id: store_id, content: `Not only ${old}` });
    }
    const id = await rig.schedule(store_id, { retention: { notes_days: 30 } });
    rig.at('2027-02-10T12:00:00Z');
    await house(id);
    expect((await rig.newest(id)).retention).toMatchObject({ notes_retired_count: 1 });
    const left = Object.keys(await rig.texts(store_id)).toSorted();
    expect(left).toEqual(['/_index.md', '/notes/edited.md', '/notes/revised.md']);
    // Who wrote the first version is not known any more: it may have been a person.
    const expired = await rig.store();
    await dreamt(expired, { '/notes/old.md': 'new\n' });
    await dreamt(expired, { '/notes/old.md': old });
    const [first] = (await versionsOf(expired)).toReversed();
    await rig.door.ports.table.deleteMany([versionKey(expired, first?.id ?? '')]);
    const other = await rig.schedule(expired, { retention: { notes_days: 30 } });
    rig.at('2027-05-10T12:00:00Z');
    await house(other);
    expect((await rig.newest(other)).retention).toMatchObject({ notes_retired_count: 0 });
  });

  test.each<[path: string, text: string, at: string | undefined]>([
    ['/notes/a.md', learned('2026-11-20'), '2026-11-20T00:00:00.000Z'],
    ['/notes/a.md', 'Mine.\n', undefined],
    ['/playbooks/a.md', aPlaybook(), '2026-11-20T00:00:00Z'],
    ['/playbooks/a.md', aPlaybook({ evidence: [] }), undefined],
    ['/playbooks/a.md', 'no front matter', undefined],
  ])('%s was confirmed when its text says', (path, text, at) => {
    expect(confirmedAt(path, text)).toBe(at);
  });

  test('rejects what nobody has decided for too long; a person may decide otherwise', async () => {
    rig.at('2026-11-28T12:00:00Z');
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await rig.begun(store_id, { retention: { reviews_days: 14 } });
    await rig.end(dream_id, { operations: notes });
    await rig.own.dreams.decide(dream_id, 'c0001', { decision: 'accept' });
    await manyRuns(id, '2026-11-01T00:00:00.000Z', 1_000);
    rig.at('2026-12-05T12:00:00Z');
    await house(id);
    const states = async () =>
      (await rig.own.dreams.changes(dream_id)).data.map(({ state }) => state);
    expect(await states()).toEqual(['accepted', 'proposed']);
    rig.at('2026-12-13T12:00:00Z');
    await house(id);
    expect((await rig.newest(id)).retention).toMatchObject({ reviews_expired_count: 1 });
    expect(await states()).toEqual(['accepted', 'rejected']);
    const runs = (await schedules().runs(id)).data;
    expect(runs.filter((run) => run.dream_id === dream_id)).toMatchObject([
      { state: 'review_expired' },
    ]);
    const { decided_by } = (await rig.own.dreams.changes(dream_id)).data[1] ?? {};
    expect(decided_by).toBe(id);
    await rig.own.dreams.decide(dream_id, 'c0002', { decision: 'accept' });
    expect(await states()).toEqual(['accepted', 'accepted']);
  });

  test('rejects what is left of a dream that was applied in part, which stays applied', async () => {
    rig.at('2026-11-28T12:00:00Z');
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await rig.begun(store_id, { retention: { reviews_days: 14 } });
    await rig.end(dream_id, { operations: notes });
    await rig.own.dreams.decide(dream_id, 'c0002', { decision: 'accept' });
    await rig.own.dreams.apply(dream_id, { memory_store_id: store_id });
    const expired: unknown[] = [];
    for (const day of ['13', '14']) {
      rig.at(`2026-12-${day}T12:00:00Z`);
      await house(id);
      expired.push((await rig.newest(id)).retention?.reviews_expired_count);
    }
    expect(expired).toEqual([1, 0]);
    const { data } = await rig.own.dreams.changes(dream_id);
    expect(data.map(({ state }) => state)).toEqual(['rejected', 'accepted']);
    expect((await schedules().runs(id)).data.at(-1)).toMatchObject({ dream_id, state: 'applied' });
  });
});

/** Nights of a schedule that has lived for long, one a second, straight into the table. */
async function manyRuns(id: string, from: string, count: number): Promise<void> {
  const { place, name, table } = rig.door.table;
  const db = new AwsJson('dynamodb', place);
  const run = (await table.get(runKey(id, (await rig.newest(id)).id))) as RunRow;
  const nights = Array.from({ length: count }, (_, n) => {
    const started_at = new Date(Date.parse(from) + n * 1_000).toISOString();
    const run_id = runIdAt(id, started_at);
    const old = { run_id, started_at, state: 'skipped', dream_started: false };
    return { PutRequest: { Item: itemOf({ ...run, ...runKey(id, run_id), ...old }) } };
  });
  const batches = Array.from({ length: count / 25 }, (_, n) => nights.slice(n * 25, n * 25 + 25));
  await Promise.all(
    batches.map(async (puts) => {
      await db.call('BatchWriteItem', { RequestItems: { [name]: puts } });
    }),
  );
}

test('the store that a dream has made is put away when asked for, and nothing is left to decide', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const store_id = await rig.store({ '/a.md': 'alpha\n' });
  const { id, dream_id } = await rig.begun(store_id, { retention: { copies_days: 7 } });
  const copy = await rig.store({ '/a.md': 'alpha 2\n' });
  await rig.door.ports.table.update({
    update: dreamKey(dream_id ?? ''),
    expression: 'SET output_store_id = :copy, copy_store_id = :copy',
    values: { ':copy': copy },
  });
  await rig.end(dream_id, { operations: notes });
  const { memoryStores } = rig.client.beta;
  const archivedAt = async (store: string) => (await memoryStores.retrieve(store)).archived_at;
  const goneTo = async (day: string): Promise<string | null> => {
    rig.at(`2026-12-${day}T12:00:00Z`);
    await house(id);
    return await archivedAt(copy);
  };
  // Its changes wait for somebody.
  expect(await goneTo('10')).toBeNull();
  await rig.own.dreams.acceptAll(dream_id);
  await rig.own.dreams.apply(dream_id, { memory_store_id: store_id });
  await rig.own.dreamSchedules.update(id, { retention: null });
  expect(await goneTo('11')).toBeNull();
  await rig.own.dreamSchedules.update(id, { retention: { copies_days: 30 } });
  expect(await goneTo('12')).toBeNull();
  await rig.own.dreamSchedules.update(id, { retention: { copies_days: 7 } });
  expect(await goneTo('13')).not.toBeNull();
  expect((await rig.newest(id)).retention).toMatchObject({ copies_archived_count: 1 });
  expect(await archivedAt(store_id)).toBeNull();
  expect(await rig.texts(copy)).toEqual({ '/a.md': 'alpha 2\n' });
});

test('what a dream has read is remembered for longer than any schedule looks back', async () => {
  const store_id = await rig.store();
  const { dream_id } = await rig.begun(store_id, { sessions: { max_age_days: 365 } });
  await rig.end(dream_id, {});
  const page = await rig.door.ports.table.query({
    pk: `MEMSTORE#${store_id}`,
    from: 'D#',
    to: 'D#~',
  });
  const [row] = page.rows;
  const kept_days =
    (Number(row?.['expires_at']) * 1_000 - Date.parse(String(row?.['dreamt_at']))) / 86_400_000;
  expect(kept_days).toBeGreaterThan(366);
});
