/**
 * What a schedule does by itself with what its dreams have learned, and what the history says of it.
 * Method: dreams that end with operations of the test's own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Operation } from '#shared/dreams/operation.ts';
import { takeSnapshot } from '#shared/dreams/stages/take-snapshot.ts';
import { anOperation } from '../dreams/samples.ts';
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

describe('mode auto', () => {
  test('applies what the gate has passed, once however often it is delivered, as the schedule', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await rig.begun(store_id, { mode: 'auto' });
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
    const { id, dream_id } = await rig.begun(store_id, { mode: 'auto' });
    await rig.end(dream_id, { operations: notes });
    const { apply_id } = await rig.newest(id);
    await rig.own.dreams.rollBack(dream_id, apply_id ?? '');
    expect(await rig.newest(id)).toMatchObject({ state: 'rolled_back' });
    await rig.end(dream_id, { operations: notes });
    expect((await rig.texts(store_id))['/a.md']).toBe('alpha\n');
  });

  test('what the gate has not passed goes nowhere, and the history says why', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await rig.begun(store_id, { mode: 'auto' });
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
    const { id, dream_id } = await rig.begun(store_id, { mode: 'auto' });
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
    const { id, dream_id } = await rig.begun(store_id, { mode: 'auto' });
    await rig.client.beta.memoryStores.archive(store_id);
    await rig.end(dream_id, { operations: notes });
    expect(await rig.newest(id)).toMatchObject({
      state: 'awaiting_review',
      reason: { type: 'apply_refused', message: expect.stringContaining('archived') },
    });
  });

  test('an archived schedule applies nothing more', async () => {
    const store_id = await rig.store({ '/a.md': 'alpha\n' });
    const { id, dream_id } = await rig.begun(store_id, { mode: 'auto' });
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
  const { dreams } = rig.own;
  const memory_store_id = await rig.store({ '/a.md': 'alpha\n' });
  const { id, dream_id } = await rig.begun(memory_store_id, {});
  await rig.end(dream_id, { operations: notes });
  expect(await rig.newest(id)).toMatchObject({ state: 'awaiting_review', reason: null });
  expect(await rig.texts(memory_store_id)).toEqual({ '/a.md': 'alpha\n' });
  await dreams.decide(dream_id, 'c0001', { decision: 'accept' });
  const apply = await dreams.apply(dream_id, { memory_store_id });
  const applied = { state: 'applied', apply_id: apply.id, applied_count: 1, conflict_count: 0 };
  expect(await rig.newest(id)).toMatchObject(applied);
  // Another apply, of which nothing comes, takes away nothing of the first one.
  const { data } = await rig.client.beta.memoryStores.memories.list(memory_store_id);
  const memory = data.find(({ path }) => path === '/a.md');
  await rig.client.beta.memoryStores.memories.update(memory?.type === 'memory' ? memory.id : '', {
    memory_store_id,
    content: 'mine\n',
  });
  await dreams.decide(dream_id, 'c0002', { decision: 'accept' });
  const late = await dreams.apply(dream_id, { memory_store_id });
  expect(await rig.newest(id)).toMatchObject({ ...applied, conflict_count: 1 });
  await dreams.rollBack(dream_id, late.id);
  expect(await rig.newest(id)).toMatchObject({ ...applied, conflict_count: 1 });
  await dreams.rollBack(dream_id, apply.id);
  expect(await rig.newest(id)).toMatchObject({ state: 'rolled_back', applied_count: 0 });
});
