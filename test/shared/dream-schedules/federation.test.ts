/**
 * Shared playbooks go to other stores: with where they are from, without a word of any session, and never
 * over what others have written.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planCopy, type CopyFacts, type CopyPlan } from '#shared/dream-schedules/shared-copy.ts';
import { parsePlaybook } from '#shared/playbooks/playbook.ts';
import { anOperation } from '../dreams/samples.ts';
import { aPlaybook } from '../playbooks/samples.ts';
import { startScheduleRig, type ScheduleRig } from './schedule-rig.ts';

let rig: ScheduleRig;
beforeAll(async () => {
  rig = await startScheduleRig();
  rig.at('2026-11-28T12:00:00Z');
});
afterAll(async () => await rig.stop());

const schedules = () => rig.own.dreamSchedules;

const shared = anOperation('c0001', {
  op: 'add',
  path: '/playbooks/csv.md',
  text: aPlaybook({ counted_sessions: ['sesn_2'] }),
});
const secret = anOperation('c0002', {
  op: 'add',
  path: '/playbooks/own.md',
  text: aPlaybook({ id: 'own', scope: 'private' }),
});

/** A store with two playbooks that a schedule has applied, and the store that it is federated with. */
async function federated() {
  const store_id = await rig.store();
  const other = await rig.store();
  const federation = { memory_store_ids: [other] };
  const { id, dream_id } = await rig.begun(store_id, { mode: 'auto', federation });
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
  const mine = aPlaybook({ title: 'Mine' });
  await edit(other, '/playbooks/csv.md', mine);
  const { apply_id } = await rig.newest(id);
  await rig.own.dreams.rollBack(dream_id, apply_id ?? '');
  expect((await rig.texts(other))['/playbooks/csv.md']).toBe(mine);
  expect((await rig.newest(id)).federation).toMatchObject({ kept_count: 1, withdrawn_count: 0 });
});

test('follows the original, keeps the counts that sessions there have moved', async () => {
  const { store_id, other, id } = await federated();
  const text = (await rig.texts(other))['/playbooks/csv.md'] ?? '';
  await edit(
    other,
    '/playbooks/csv.md',
    text.replace('helpful: 0', 'helpful: 7\ncounted_sessions: ["sesn_own"]'),
  );
  await edit(store_id, '/playbooks/csv.md', aPlaybook({}, '1. Ask for the encoding.\n'));
  await schedules().run(id);
  const copy = parsePlaybook((await rig.texts(other))['/playbooks/csv.md'] ?? '');
  expect(copy).toMatchObject({
    facts: { helpful: 7, counted_sessions: ['sesn_own'] },
    body: '1. Ask for the encoding.\n',
  });
  expect((await rig.newest(id)).federation).toMatchObject({ updated_count: 1 });
  // What is private now is taken back, and a copy is nobody's original.
  await edit(store_id, '/playbooks/csv.md', aPlaybook({ scope: 'private' }));
  await schedules().run(id);
  expect(Object.keys(await rig.texts(other))).not.toContain('/playbooks/csv.md');
});

test('overwrites nothing that was there before, and minds no store that has gone', async () => {
  const store_id = await rig.store();
  const other = await rig.store({ '/playbooks/csv.md': 'mine\n' });
  const gone = await rig.store();
  const federation = { memory_store_ids: [other, gone] };
  const { id, dream_id } = await rig.begun(store_id, { mode: 'auto', federation });
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
