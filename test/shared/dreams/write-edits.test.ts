// Goal: what a dream tells of its changes is what became of them, also where there was no room for
// them and where the function died behind its writes. Method: the stage Publish over a table and a bucket.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dreamKey, type DreamHead } from '#shared/dreams/dream.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import type { DreamReport } from '#shared/dreams/report.ts';
import { runStage } from '#shared/dreams/stages/run-stage.ts';
import type { StagePorts } from '#shared/dreams/stages/work.ts';
import { readMemories, textOf } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { openReview } from '#shared/reviews/adopt.ts';
import { readChanges } from '#shared/reviews/read-review.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, testPorts } from '../../sessions.ts';
import { actor, memoryPorts, putStore } from '../memory/store.ts';
import { putDream, snapshotOf } from '../reviews/review-rig.ts';
import { anOperation } from './samples.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

const { workspace_id } = aCall();
const consolidated = { operations: [], counts: [], dropped: [], uses: [] };

/** A dream that is about to write `operations` into its own store of `texts`. */
async function aboutToPublish(
  texts: Readonly<Record<string, string>>,
  operations: readonly Operation[],
  memories_max = 2_000,
) {
  const base = testPorts(started.table);
  const memory = { ...memoryPorts(started.table), blobs: base.blobs };
  const model = {
    stream: () => {
      throw new Error('no model is asked');
    },
  };
  const ports: StagePorts = { ...base, ...memory, model, memories_max };
  const store_id = await putStore(memory, { workspace_id });
  const write = async (path: string, content: string) => {
    const before = (await readMemories(ports.table, store_id)).find(({ sk }) => sk === path);
    const operation =
      before === undefined
        ? ({ kind: 'create', path, content } as const)
        : ({ kind: 'write', before, content } as const);
    await writeMemories(ports, { store_id, operations: [operation], actor });
  };
  for (const [path, text] of Object.entries(texts)) await write(path, text);
  const fabricated = { workspace_id, store_id, snapshot: await snapshotOf(ports, store_id) };
  const dream_id = await putDream(
    ports,
    { ...fabricated, operations },
    {
      status: 'running',
      stage: 'publish',
      gsi2pk: 'DREAMING',
      output_store_id: store_id,
      output_behavior: { type: 'update_existing', memory_store_id: store_id },
    },
  );
  const earlier = { gate: null, verified: { operations, dropped: [] }, consolidated };
  for (const [name, value] of Object.entries(earlier))
    await base.blobs.put(`dreams/${dream_id}/${name}.json`, JSON.stringify(value));
  const publish = async (over: Partial<StagePorts> = {}) =>
    await runStage({ ...ports, ...over }, { dream_id, run: 1, task: 'publish' }, 60_000);
  const head = async () => (await ports.table.get(dreamKey(dream_id))) as DreamHead;
  const report = async () =>
    JSON.parse(
      Buffer.from(await base.blobs.get(`dreams/${dream_id}/report.json`)).toString('utf8'),
    ) as DreamReport;
  const held = async () => {
    const rows = await readMemories(ports.table, store_id);
    const texts_now = rows.map(async (row) => [row.sk, await textOf(base.blobs, row.content)]);
    return Object.fromEntries(await Promise.all(texts_now)) as Record<string, string>;
  };
  return { ports, publish, head, report, held, write };
}

const add = (n: number): Operation =>
  anOperation(`c000${n}`, { op: 'add', path: `/notes/new-${n}.md`, text: `New ${n}.\n` });

test('a full store keeps what it has, takes every change that needs no room, and is told of the rest', async () => {
  const texts = { '/a.md': 'One.\n', '/b.md': 'Two.\n' };
  const revise = anOperation('c0002', {
    op: 'revise',
    path: '/a.md',
    text: 'One, and more.\n',
    removed: [],
  });
  const { publish, head, report, held } = await aboutToPublish(texts, [add(1), revise], 2);
  expect(await publish()).toEqual({ next: 'settle' });
  expect(await head()).toMatchObject({ status: 'completed', unwritten: ['c0001'] });
  expect(await held()).toEqual({ ...texts, '/a.md': 'One, and more.\n' });
  const { operations, dropped, ledger } = await report();
  expect(operations.map(({ change_id }) => change_id)).toEqual(['c0002']);
  expect(dropped).toMatchObject([{ stage: 'publish', reason: 'store_full' }]);
  expect(ledger.added.map(({ path }) => path)).not.toContain('/notes/new-1.md');
});

test('what ends makes room for what is new', async () => {
  const texts = { '/a.md': 'One.\n', '/b.md': 'Two.\n', '/_index.md': 'Mine.\n' };
  const retire = anOperation('c0002', { op: 'retire', path: '/b.md' });
  const { publish, head, held } = await aboutToPublish(texts, [add(1), retire, add(3)], 3);
  expect(await publish()).toEqual({ next: 'settle' });
  expect(await head()).toMatchObject({ status: 'completed', unwritten: ['c0003'] });
  expect(Object.keys(await held())).toEqual(['/_index.md', '/a.md', '/notes/new-1.md']);
});

test('a dream that dies behind its writes knows them again, whatever others have made of them since', async () => {
  const texts = { '/a.md': 'One.\n', '/b.md': 'One, said twice.\n', '/c.md': 'Three.\n' };
  const merge = anOperation('c0001', {
    op: 'merge',
    paths: ['/a.md', '/b.md'],
    path: '/a.md',
    text: 'One, said once.\n',
    removed: [],
  });
  const revise = anOperation('c0002', {
    op: 'revise',
    path: '/c.md',
    text: 'Three, and more.\n',
    removed: [],
  });
  const { ports, publish, head, report, held, write } = await aboutToPublish(texts, [
    merge,
    revise,
  ]);
  const dying = new Proxy(ports.blobs, {
    get(blobs, name) {
      if (name === 'replace') throw new Error('the function dies here');
      const own: unknown = Reflect.get(blobs, name);
      return typeof own === 'function' ? own.bind(blobs) : own;
    },
  });
  await expect(publish({ blobs: dying })).rejects.toThrow('dies here');
  await write('/a.md', 'Mine.\n');
  expect(await publish()).toEqual({ next: 'settle' });
  expect(await head()).toMatchObject({ status: 'completed', unwritten: [] });
  expect(await held()).toMatchObject({ '/a.md': 'Mine.\n', '/c.md': 'Three, and more.\n' });
  const { ledger, dropped } = await report();
  // The account is of what was done: else `/b.md` were called kept, and is not there.
  expect(ledger.entries.map(({ path, fate }) => [path, fate])).toEqual([
    ['/a.md', 'merged'],
    ['/b.md', 'merged'],
    ['/c.md', 'revised'],
  ]);
  expect(dropped).toEqual([]);
  const dream = await head();
  const changes = await readChanges(ports, dream);
  const { applies } = await openReview(ports, dream, changes);
  expect([...(applies[0]?.outcomes.values() ?? [])].map(({ outcome }) => outcome)).toEqual([
    'applied',
    'applied',
  ]);
});
