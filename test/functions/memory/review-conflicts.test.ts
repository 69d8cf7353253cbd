/** A change that meets several conflicts: all are told at once, so that one decision is enough. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pathKey, type PathRow } from '#shared/memory/memory.ts';
import { partOf, planApply } from '#shared/reviews/plan-changes.ts';
import { aMemory, anOperation } from '../../shared/dreams/samples.ts';
import { putDream } from '../../shared/reviews/review-rig.ts';
import { startForgettingRig, type ForgettingRig } from './forgetting-rig.ts';

let rig: ForgettingRig;
beforeAll(async () => {
  rig = await startForgettingRig();
});
afterAll(async () => await rig.door.stop());

const merge = anOperation('c0001', {
  op: 'merge',
  paths: ['/b.md', '/c.md'],
  path: '/b.md',
  text: 'beta and gamma\n',
  removed: [],
});

const aRow = {
  kind: 'memory',
  memory_id: 'mem_1',
  memory_store_id: 'memstore_1',
  content: { text: 'theirs' },
  content_sha256: 'of theirs',
  content_size_bytes: 6,
  created_at: '2026-11-20T00:00:00.000Z',
  updated_at: '2026-11-20T00:00:00.000Z',
} as const;

async function overwrite(memory_store_id: string, path: string, content: string): Promise<void> {
  const { memories } = rig.client.beta.memoryStores;
  for await (const item of memories.list(memory_store_id)) {
    if (item.type !== 'memory' || item.path !== path) continue;
    await memories.update(item.id, { memory_store_id, content });
  }
}

test('an apply and a rollback name every place that stands in their way', async () => {
  const stored = await rig.storeOf({ '/b.md': 'beta\n', '/c.md': 'gamma\n' });
  const { store_id: memory_store_id } = stored;
  const id = await rig.dreamOf(stored, {}, [merge]);
  await rig.own.decide(id, 'c0001', { decision: 'accept' });
  await overwrite(memory_store_id, '/b.md', 'beta 3\n');
  await overwrite(memory_store_id, '/c.md', 'gamma 3\n');
  const [met] = (await rig.own.apply(id, { memory_store_id })).changes;
  expect(met?.conflicts.map(({ path, reason }) => [path, reason])).toEqual([
    ['/b.md', 'changed'],
    ['/c.md', 'changed'],
  ]);
  expect(met?.conflict).toEqual(met?.conflicts[0]);
  const seen = met?.conflicts.map(({ memory_version_id }) => memory_version_id ?? '') ?? [];
  const decision = { decision: 'accept', replaces_memory_version_ids: seen } as const;
  await rig.own.decide(id, 'c0001', decision);
  const apply = await rig.own.apply(id, { memory_store_id });
  expect(apply).toMatchObject({ applied_count: 1, conflict_count: 0 });

  await overwrite(memory_store_id, '/b.md', 'beta 4\n');
  const { memories } = rig.client.beta.memoryStores;
  await memories.create(memory_store_id, { path: '/c.md', content: 'new\n' });
  const [back] = (await rig.own.rollBack(id, apply.id)).changes;
  expect(back?.conflicts.map(({ path, reason }) => [path, reason])).toEqual([
    ['/b.md', 'changed'],
    ['/c.md', 'path_taken'],
  ]);
});

test('as many are told as one row holds and one decision may name, those of each change together', () => {
  const paths = Array.from({ length: 120 }, (_, n) => `/m${String(n).padStart(3, '0')}.md`);
  const edits = paths.map((path) => ({ path, before: aMemory(path, 'was\n'), after: null }));
  const held = new Map(
    paths.map((path): [string, PathRow] => [
      path,
      { ...pathKey('memstore_1', path), ...aRow, memory_version_id: `memver_${path}` },
    ]),
  );
  const plan = planApply({ edits }, held);
  const conflicts = plan.is === 'conflict' ? plan.conflicts : [];
  expect(conflicts.map(({ path }) => path)).toEqual(paths.slice(0, 100));
  const small = planApply({ edits: edits.slice(0, 60) }, held);
  expect(partOf([plan])).toBe(1);
  expect(partOf([small, small, plan])).toBe(1);
});

test('what a dream could not write into its own store is on record, also where paths are as long as can be', async () => {
  const { store_id } = await rig.storeOf();
  const folder = `/${'x'.repeat(240)}`.repeat(4);
  const pairs = Array.from({ length: 200 }, (_, n) => [`${folder}/${n}a.md`, `${folder}/${n}b.md`]);
  const snapshot = {
    memory_store_id: store_id,
    memories: pairs.flat().map((path) => aMemory(path, 'was\n')),
  };
  const operations = pairs.map(([path = '', other = ''], n) => {
    const text = 'both\n';
    const both = { op: 'merge', paths: [path, other], path, text, removed: [] } as const;
    return anOperation(`c${String(n).padStart(4, '0')}`, both);
  });
  const theirs = pairs.flat().map((path) => ({
    put: { ...pathKey(store_id, path), ...aRow, memory_version_id: 'memver_of_theirs' },
  }));
  for (let from = 0; from < theirs.length; from += 100) {
    await rig.door.ports.table.transact(theirs.slice(from, from + 100));
  }
  const unwritten = operations.map(({ change_id }) => change_id);
  const made = { workspace_id: rig.workspace_id, store_id, snapshot, operations };
  const id = await putDream(rig.door.ports, made, {
    output_behavior: { type: 'update_existing', memory_store_id: store_id },
    unwritten,
  });
  const { data } = await rig.own.applies(id);
  expect(data[0]).toMatchObject({ applied_count: 0, conflict_count: 200 });
  expect(data[0]?.changes.map(({ change_id }) => change_id)).toEqual(unwritten);
  expect(data[0]?.changes.every(({ conflicts }) => conflicts.length === 2)).toBe(true);
});
