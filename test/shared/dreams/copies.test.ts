/** What the copy of a store must know of the memories that it was made of, since its history begins anew. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prefixes } from '#shared/core/id.ts';
import { dreamKey, type DreamHead } from '#shared/dreams/dream.ts';
import { runStage } from '#shared/dreams/stages/run-stage.ts';
import { takeSnapshot } from '#shared/dreams/stages/take-snapshot.ts';
import type { StagePorts } from '#shared/dreams/stages/work.ts';
import { mayHoldHandwriting } from '#shared/memory/by-hand.ts';
import { pathKey, storeKey, type Actor, type StoreHead } from '#shared/memory/memory.ts';
import { readMemories } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { halfSeen } from '../../half-seen.ts';
import { aCall, testPorts } from '../../sessions.ts';
import { actor as person, memoryPorts, putStore } from '../memory/store.ts';
import { putDream } from '../reviews/review-rig.ts';
import { aSnapshot } from './samples.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

const session: Actor = { type: 'session_actor', session_id: `${prefixes.session}_1` };
const WRITTEN_AT = '2026-11-10T12:00:00.000Z';
const REVISED_AT = '2026-11-12T12:00:00.000Z';

function stagePorts() {
  const base = testPorts(started.table);
  const memory = { ...memoryPorts(started.table), blobs: base.blobs };
  const model = {
    stream: () => {
      throw new Error('no model is asked');
    },
  };
  const ports: StagePorts = { ...base, ...memory, model };
  return { ports, memory, blobs: base.blobs, clock: memory.clock };
}

type Stages = ReturnType<typeof stagePorts>;

async function write({ ports }: Stages, store_id: string, actor: Actor, content: string) {
  const rows = await readMemories(ports.table, store_id);
  return async (...paths: string[]) => {
    const operations = paths.map((path) => {
      const before = rows.find(({ sk }) => sk === path);
      return before === undefined
        ? ({ kind: 'create', path, content: `${path} ${content}` } as const)
        : ({ kind: 'write', before, content: `${path} ${content}` } as const);
    });
    await writeMemories(ports, { store_id, operations, actor });
  };
}

/** @returns the store that a dream of `store_id` has made at its beginning */
async function copied({ ports, blobs }: Stages, store_id: string): Promise<string> {
  const { workspace_id } = aCall();
  const fabricated = { workspace_id, store_id, snapshot: aSnapshot(), operations: [] };
  const dream_id = await putDream(ports, fabricated, {
    status: 'pending',
    stage: 'gather',
    gsi2pk: 'DREAMING',
  });
  blobs.objects.delete(`dreams/${dream_id}/snapshot.json`);
  const input = { dream_id, run: 1, task: 'gather' } as const;
  expect(await runStage(ports, input, 60_000)).toMatchObject({ next: 'sessions' });
  const head = (await ports.table.get(dreamKey(dream_id))) as DreamHead;
  expect(head.output_store_id).toBe(head.copy_store_id);
  return head.copy_store_id;
}

test('whose words they are and how old, a copy knows as well as its original, and a copy of it too', async () => {
  const stages = stagePorts();
  const { ports, memory, clock } = stages;
  clock.at = new Date(WRITTEN_AT);
  const store_id = await putStore(memory, { workspace_id: aCall().workspace_id });
  await (
    await write(stages, store_id, person, 'By hand.')
  )('/notes/hand.md', '/notes/revised.md');
  await (
    await write(stages, store_id, session, 'Learned.')
  )('/notes/learned.md', '/notes/twice.md');
  clock.at = new Date(REVISED_AT);
  await (
    await write(stages, store_id, session, 'Revised.')
  )('/notes/revised.md', '/notes/twice.md');
  const wanted = {
    '/notes/hand.md': [true, WRITTEN_AT, true],
    '/notes/learned.md': [false, WRITTEN_AT, false],
    '/notes/revised.md': [false, REVISED_AT, true],
    '/notes/twice.md': [false, REVISED_AT, false],
  };
  let of = store_id;
  for (const day of ['2026-11-20', '2026-11-21']) {
    clock.at = new Date(`${day}T12:00:00.000Z`);
    of = await copied(stages, of);
    const { memories } = await takeSnapshot(ports, of);
    const rows = new Map((await readMemories(ports.table, of)).map((row) => [row.sk, row]));
    const known = memories.map(async ({ path, by_hand, updated_at, memory_id }) => [
      path,
      [
        by_hand,
        updated_at,
        await mayHoldHandwriting(ports.table, { memory_store_id: of, memory_id }),
      ],
    ]);
    expect(Object.fromEntries(await Promise.all(known))).toEqual(wanted);
    // What a client is told of the copy itself is as true as before.
    expect(rows.get('/notes/hand.md')?.updated_at).toBe(clock.at.toISOString());
  }
});

test('the name of a copy has whole characters, and no more than a name may have', async () => {
  const stages = stagePorts();
  const { workspace_id } = aCall();
  const name = `a${'\u{1F600}'.repeat(254)}`;
  const store_id = await putStore(stages.memory, { workspace_id, name });
  const copy = (await stages.ports.table.get(
    storeKey(await copied(stages, store_id)),
  )) as StoreHead;
  expect(copy.name).toBe(`a${'\u{1F600}'.repeat(246)} (dream)`);
});

test('a snapshot has every memory that its store counts, also while a move has not shown all of its rows', async () => {
  const stages = stagePorts();
  const { ports, memory } = stages;
  const store_id = await putStore(memory, { workspace_id: aCall().workspace_id });
  await (
    await write(stages, store_id, person, 'By hand.')
  )('/a.md', '/b.md');
  const table = halfSeen(started.table);
  table.hide(pathKey(store_id, '/b.md'), 2);
  const { memories } = await takeSnapshot({ ...ports, table }, store_id);
  expect(memories.map(({ path }) => path)).toEqual(['/a.md', '/b.md']);
});
