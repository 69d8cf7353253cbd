/**
 * What a schedule does by itself with what its dreams have learned: applies it, gives shared playbooks to
 * other stores, and lets it end. Method: dreams that end with operations of the test's own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { confirmedAt } from '#shared/dream-schedules/retain.ts';
import { planCopy, type CopyFacts, type CopyPlan } from '#shared/dream-schedules/shared-copy.ts';
import { takeSnapshot } from '#shared/dreams/stages/take-snapshot.ts';
import { parsePlaybook, renderPlaybook, type PlaybookFacts } from '#shared/playbooks/playbook.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { anOperation } from '../dreams/samples.ts';
import { startScheduleRig, type ScheduleRig } from './schedule-rig.ts';

let rig: ScheduleRig;
beforeAll(async () => {
  rig = await startScheduleRig();
  rig.at('2026-11-28T12:00:00Z');
});
afterAll(async () => await rig.stop());

const schedules = () => rig.own.dreamSchedules;

function playbook(facts: Partial<PlaybookFacts> = {}, body = '1. Open it with the encoding.\n') {
  return renderPlaybook({
    facts: {
      id: 'csv',
      title: 'Read the odd file',
      situation: 'A CSV file that is not UTF-8',
      scope: 'shared',
      learned_from: { agent_id: 'agent_1', agent_version: 1, model: 'claude-sonnet-5-5' },
      evidence: [{ session_id: 'sesn_1', event_id: 'sevt_1', quote: 'the client is called Ada' }],
      helpful: 3,
      harmful: 1,
      last_confirmed: '2026-11-20T00:00:00Z',
      ...facts,
    },
    body,
  });
}

const notes: readonly Operation[] = [
  anOperation('c0001', { op: 'add', path: '/notes/new.md', text: 'new\n' }),
  anOperation('c0002', { op: 'revise', path: '/a.md', text: 'alpha 2\n', removed: [] }),
];

/** A schedule whose dream has begun. */
async function begun(
  store_id: string,
  params: Parameters<ScheduleRig['schedule']>[1],
): Promise<{ id: string; dream_id: string }> {
  const id = await rig.schedule(store_id, params);
  await rig.session();
  const { dream_id } = await schedules().run(id);
  return { id, dream_id: dream_id ?? '' };
}

describe('mode auto', () => {
  test('applies what the gate has passed, once however often it is delivered, as the schedule', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { mode: 'auto' });
    await rig.end(dream_id, { operations: notes, times: 3 });
    expect(await rig.texts(store_id)).toMatchObject({
      '/a.md': 'alpha 2\n',
      '/notes/new.md': 'new\n',
    });
    const run = await rig.newest(id);
    expect(run).toMatchObject({ state: 'applied', applied_count: 2, conflict_count: 0 });
    const { data } = await rig.own.dreams.applies(dream_id);
    expect(data).toMatchObject([{ id: run.apply_id, created_by: id, applied_count: 2 }]);
    const writers = [];
    const versions = rig.client.beta.memoryStores.memoryVersions.list(store_id);
    for await (const { path, created_by } of versions) {
      if (path === '/notes/new.md') writers.push(created_by);
    }
    expect(writers).toEqual([{ type: 'api_actor', api_key_id: id }]);
    // So the next dream may revise it: nobody's hand was in it.
    const { memories } = await takeSnapshot(rig.door.ports, store_id);
    const by_hand = Object.fromEntries(memories.map((memory) => [memory.path, memory.by_hand]));
    expect(by_hand).toMatchObject({ '/a.md': false, '/notes/new.md': false });
    expect((await rig.head(id)).active).toBeNull();
  });

  test('what an operator takes back stays back', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { mode: 'auto' });
    await rig.end(dream_id, { operations: notes });
    const { apply_id } = await rig.newest(id);
    await rig.own.dreams.rollBack(dream_id, apply_id ?? '');
    expect(await rig.newest(id)).toMatchObject({ state: 'rolled_back' });
    await rig.end(dream_id, { operations: notes });
    expect((await rig.texts(store_id))['/a.md']).toBe('alpha\n');
  });

  test('what the gate has not passed goes nowhere, and the history says why', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { mode: 'auto' });
    await rig.end(dream_id, { operations: notes, recommended: false });
    expect(await rig.texts(store_id)).toEqual({ '/a.md': 'alpha\n' });
    expect(await rig.newest(id)).toMatchObject({
      state: 'not_recommended',
      reason: { type: 'gate', message: expect.stringContaining('Of five answers one fell.') },
      apply_id: null,
    });
  });

  test('what others have changed meanwhile is theirs, and is told', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { mode: 'auto' });
    const { memories } = rig.client.beta.memoryStores;
    const blocked = [
      ...notes,
      anOperation('c0003', { op: 'add', path: '/notes/late.md', text: 'late\n' }),
    ];
    // It comes between the dream's look and the apply.
    const { blobs } = rig.door.ports;
    const put = blobs.put.bind(blobs);
    blobs.put = async (key: string, body: Uint8Array | string) => {
      await put(key, body);
      if (!key.endsWith('gate.json')) return;
      blobs.put = put;
      await memories.create(store_id, { path: '/notes/late.md', content: 'mine\n' });
    };
    await rig.end(dream_id, { operations: blocked });
    expect(await rig.newest(id)).toMatchObject({
      state: 'applied',
      applied_count: 2,
      conflict_count: 1,
      reason: { type: 'conflicts' },
    });
    expect((await rig.texts(store_id))['/notes/late.md']).toBe('mine\n');
  });

  test('a store that is archived meanwhile keeps what it has, and nothing is stuck', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { mode: 'auto' });
    await rig.client.beta.memoryStores.archive(store_id);
    await rig.end(dream_id, { operations: notes });
    expect(await rig.newest(id)).toMatchObject({
      state: 'awaiting_review',
      reason: { type: 'apply_refused', message: expect.stringContaining('archived') },
    });
  });

  test('an archived schedule applies nothing more', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { mode: 'auto' });
    await schedules().archive(id);
    await rig.end(dream_id, { operations: notes });
    expect(await rig.texts(store_id)).toEqual({ '/a.md': 'alpha\n' });
    expect(await rig.newest(id)).toMatchObject({
      state: 'awaiting_review',
      reason: { type: 'schedule_archived' },
    });
  });
});

test('mode review applies nothing until an operator does, and the history follows', async () => {
  const store_id = await rig.store({ '/a.md': 'alpha\n' });
  const { id, dream_id } = await begun(store_id, {});
  await rig.end(dream_id, { operations: notes });
  expect(await rig.newest(id)).toMatchObject({ state: 'awaiting_review', reason: null });
  expect(await rig.texts(store_id)).toEqual({ '/a.md': 'alpha\n' });
  await rig.own.dreams.acceptAll(dream_id);
  const apply = await rig.own.dreams.apply(dream_id, { memory_store_id: store_id });
  expect(await rig.newest(id)).toMatchObject({
    state: 'applied',
    apply_id: apply.id,
    applied_count: 2,
  });
});

describe('federation', () => {
  const shared = anOperation('c0001', {
    op: 'add',
    path: '/playbooks/csv.md',
    text: playbook(),
  });
  const secret = anOperation('c0002', {
    op: 'add',
    path: '/playbooks/own.md',
    text: playbook({ id: 'own', scope: 'private' }),
  });

  /** A store with two playbooks that a schedule has applied, and the store that it is federated with. */
  async function federated() {
    const store_id = await rig.store();
    const other = await rig.store();
    const federation = { memory_store_ids: [other] };
    const { id, dream_id } = await begun(store_id, { mode: 'auto', federation });
    await rig.end(dream_id, { operations: [shared, secret] });
    return { store_id, other, id, dream_id };
  }

  async function edit(store_id: string, path: string, content: string): Promise<void> {
    const { memories } = rig.client.beta.memoryStores;
    for await (const item of memories.list(store_id)) {
      if (item.type !== 'memory' || item.path !== path) continue;
      await memories.update(item.id, { memory_store_id: store_id, content });
    }
  }

  test('gives what is shared, with where it is from and without a word of any session', async () => {
    const { store_id, other, id } = await federated();
    const texts = await rig.texts(other);
    expect(Object.keys(texts).toSorted()).toEqual(['/_index.md', '/playbooks/csv.md']);
    const text = texts['/playbooks/csv.md'] ?? '';
    const copy = parsePlaybook(text);
    expect(copy).toMatchObject({
      facts: {
        scope: 'shared',
        origin: { memory_store_id: store_id, playbook_id: 'csv' },
        evidence: [],
        helpful: 0,
        harmful: 0,
      },
      body: '1. Open it with the encoding.\n',
    });
    expect(text).not.toMatch(/Ada|sesn_/);
    expect(texts['/_index.md']).toContain('/playbooks/csv.md');
    expect((await rig.newest(id)).federation).toEqual({
      copied_count: 1,
      updated_count: 0,
      withdrawn_count: 0,
      kept_count: 0,
      unavailable: [],
    });
    const versions = rig.client.beta.memoryStores.memoryVersions.list(other);
    for await (const { created_by } of versions) {
      expect(created_by).toEqual({ type: 'api_actor', api_key_id: id });
    }
  });

  test('withdraws with a rollback what nobody has touched', async () => {
    const { other, id, dream_id } = await federated();
    const { apply_id } = await rig.newest(id);
    await rig.own.dreams.rollBack(dream_id, apply_id ?? '');
    expect(Object.keys(await rig.texts(other))).not.toContain('/playbooks/csv.md');
    expect(await rig.newest(id)).toMatchObject({
      state: 'rolled_back',
      federation: { withdrawn_count: 1 },
    });
  });

  test('leaves alone what a person has changed there, also in a rollback', async () => {
    const { other, id, dream_id } = await federated();
    const mine = playbook({ title: 'Mine' });
    await edit(other, '/playbooks/csv.md', mine);
    const { apply_id } = await rig.newest(id);
    await rig.own.dreams.rollBack(dream_id, apply_id ?? '');
    expect((await rig.texts(other))['/playbooks/csv.md']).toBe(mine);
    expect((await rig.newest(id)).federation).toMatchObject({ kept_count: 1, withdrawn_count: 0 });
  });

  test('follows the original, keeps the counts that sessions there have moved', async () => {
    const { store_id, other, id } = await federated();
    const text = (await rig.texts(other))['/playbooks/csv.md'] ?? '';
    await edit(other, '/playbooks/csv.md', text.replace('helpful: 0', 'helpful: 7'));
    await edit(store_id, '/playbooks/csv.md', playbook({}, '1. Ask for the encoding.\n'));
    await schedules().run(id);
    const copy = parsePlaybook((await rig.texts(other))['/playbooks/csv.md'] ?? '');
    expect(copy).toMatchObject({ facts: { helpful: 7 }, body: '1. Ask for the encoding.\n' });
    expect((await rig.newest(id)).federation).toMatchObject({ updated_count: 1 });
    // What is private now is taken back, and a copy is nobody's original.
    await edit(store_id, '/playbooks/csv.md', playbook({ scope: 'private' }));
    await schedules().run(id);
    expect(Object.keys(await rig.texts(other))).not.toContain('/playbooks/csv.md');
  });

  test('overwrites nothing that was there before, and minds no store that has gone', async () => {
    const store_id = await rig.store();
    const other = await rig.store({ '/playbooks/csv.md': 'mine\n' });
    const gone = await rig.store();
    const federation = { memory_store_ids: [other, gone] };
    const { id, dream_id } = await begun(store_id, { mode: 'auto', federation });
    await rig.client.beta.memoryStores.delete(gone);
    await rig.end(dream_id, { operations: [shared] });
    expect((await rig.texts(other))['/playbooks/csv.md']).toBe('mine\n');
    expect(await rig.newest(id)).toMatchObject({
      state: 'applied',
      federation: { copied_count: 0, kept_count: 1, unavailable: [gone] },
    });
    // A store that is not named any more gives back what it had: here nothing.
    await schedules().update(id, { federation: null });
    expect((await schedules().retrieve(id)).federation).toBeNull();
  });

  test.each<[plan: CopyPlan, facts: Partial<CopyFacts>]>([
    ['nothing', {}],
    ['create', { wanted: 'a' }],
    ['keep', { wanted: 'a', is_taken: true }],
    ['nothing', { wanted: 'a', written: 'a', found: 'a', is_taken: true }],
    ['write', { wanted: 'b', written: 'a', found: 'a', is_taken: true }],
    ['keep', { wanted: 'b', written: 'a', found: 'c', is_taken: true }],
    ['keep', { wanted: 'b', written: 'a' }],
    ['delete', { written: 'a', found: 'a', is_taken: true }],
    ['keep', { written: 'a', found: 'c', is_taken: true }],
    ['forget', { written: 'a' }],
  ])('the plan is %s for %j', (plan, facts) => {
    const none = { wanted: undefined, written: undefined, found: undefined, is_taken: false };
    expect(planCopy({ ...none, ...facts })).toBe(plan);
  });
});

/** A run that may have a dream, which finds nothing. */
async function house(id: string): Promise<void> {
  const { dream_id } = await schedules().run(id);
  if (dream_id !== null) await rig.end(dream_id, {});
}

describe('retention', () => {
  const learned = (day: string): string =>
    `old\n\n<!-- reverie:sources -->\nLearned from: sesn_1/sevt_1 (${day}T00:00:00.000Z)\n`;

  test('is off unless it is asked for, and then retires what was learned and is not confirmed', async () => {
    const memories = {
      '/notes/old.md': learned('2026-11-01'),
      '/notes/confirmed.md': learned('2027-01-05'),
      '/notes/own.md': 'A person wrote this.\n',
      '/playbooks/old.md': playbook({ last_confirmed: '2026-11-02T00:00:00Z' }),
      '/else.md': learned('2026-11-01'),
    };
    rig.at('2026-11-28T12:00:00Z');
    const store_id = await rig.store(memories);
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
    });
    const { '/notes/old.md': _old, ...rest } = memories;
    expect(await rig.texts(store_id)).toMatchObject(rest);
    rig.at('2027-02-10T12:00:00Z');
    await house(id);
    expect((await rig.newest(id)).retention).toMatchObject({ playbooks_retired_count: 1 });
    const left = Object.keys(await rig.texts(store_id)).toSorted();
    expect(left).toEqual(['/_index.md', '/else.md', '/notes/own.md']);
    // As versions: it can be read, and brought back.
    const versions = [];
    for await (const version of rig.client.beta.memoryStores.memoryVersions.list(store_id)) {
      if (version.path === '/notes/old.md') versions.push(version);
    }
    expect(versions.map(({ operation }) => operation)).toEqual(['deleted', 'created']);
    expect(versions[0]?.created_by).toEqual({ type: 'api_actor', api_key_id: id });
  });

  test.each<[path: string, text: string, at: string | undefined]>([
    ['/notes/a.md', learned('2026-11-20'), '2026-11-20T00:00:00.000Z'],
    ['/notes/a.md', 'Mine.\n', undefined],
    ['/playbooks/a.md', playbook(), '2026-11-20T00:00:00Z'],
    ['/playbooks/a.md', playbook({ evidence: [] }), undefined],
    ['/playbooks/a.md', 'no front matter', undefined],
  ])('%s was confirmed when its text says', (path, text, at) => {
    expect(confirmedAt(path, text)).toBe(at);
  });

  test('rejects what nobody has decided for too long; a person may decide otherwise', async () => {
    rig.at('2026-11-28T12:00:00Z');
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await begun(store_id, { retention: { reviews_days: 14 } });
    await rig.end(dream_id, { operations: notes });
    await rig.own.dreams.decide(dream_id, 'c0001', { decision: 'accept' });
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
    expect(runs.at(-1)).toMatchObject({ dream_id, state: 'review_expired' });
    const { decided_by } = (await rig.own.dreams.changes(dream_id)).data[1] ?? {};
    expect(decided_by).toBe(id);
    await rig.own.dreams.decide(dream_id, 'c0002', { decision: 'accept' });
    expect(await states()).toEqual(['accepted', 'accepted']);
  });
});

test('what a dream has read is remembered for longer than any schedule looks back', async () => {
  const store_id = await rig.store();
  const { dream_id } = await begun(store_id, { sessions: { max_age_days: 365 } });
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
