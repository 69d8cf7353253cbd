/** Reconcile of dreams: what a lost start or execution leaves, and what it must not touch. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { dreamExecution, dreamKey, type DreamHead } from '#shared/dreams/dream.ts';
import { reconcileDreams } from '#shared/dreams/reconcile-dreams.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryExecutions } from '../../executions.ts';
import { SettableClock } from '../../sessions.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

interface Case {
  readonly title: string;
  readonly age_ms: number;
  readonly alive: boolean;
  readonly stopped: boolean;
  readonly restarted: 0 | 1;
  readonly stuck: 0 | 1;
}

const minute = 60_000;
const cases = [
  // title, age, execution lives, fully stopped, restarted, counted as stuck
  ['a dead one is started anew', minute, false, false, 1, 0],
  ['one that is too young is left: its start may be under way', 59_000, false, false, 0, 0],
  ['one that lives is left', minute, true, false, 0, 0],
  ['one that has fully stopped is left', minute, false, true, 0, 0],
  [
    'one that outlives its time is counted',
    limits.dream_timeout_ms + limits.dream_stuck_after_ms + 1,
    true,
    false,
    0,
    1,
  ],
] as const;

test.each(
  cases.map(([title, age_ms, alive, stopped, restarted, stuck]): Case => ({
    title,
    age_ms,
    alive,
    stopped,
    restarted,
    stuck,
  })),
)('$title', async ({ age_ms, alive, stopped, restarted, stuck }) => {
  const clock = new SettableClock();
  const dreams = new MemoryExecutions();
  const dream_id = newId('dream');
  const created_at = clock.now().toISOString();
  const index = stopped ? {} : { gsi2pk: 'DREAMING', gsi2sk: `${created_at}#${dream_id}` };
  const row = { ...dreamKey(dream_id), dream_id, created_at, run: 1, version: 1, ...index };
  await started.table.transact([{ put: row }]);
  if (alive) dreams.running.add(dreamExecution(dream_id, 1));
  clock.ms += age_ms;
  const options = { min_age_ms: minute, is_time_up: () => false, found: () => undefined };
  const ports = { table: started.table, clock, dreams };
  expect(await reconcileDreams(ports, options)).toEqual({ restarted, stuck, complete: true });
  const input = { dream_id, run: 2 };
  const wanted = restarted === 1 ? [{ name: dreamExecution(dream_id, 2), input }] : [];
  expect(dreams.started).toEqual(wanted);
  const head = (await started.table.get(dreamKey(dream_id))) as DreamHead;
  expect(head.run).toBe(1 + restarted);
  // Now it lives: nothing is done twice.
  const again = await reconcileDreams(ports, options);
  expect(again.restarted).toBe(0);
  await started.table.deleteMany([head]);
});

test('one that cannot be started anew is counted all the same, once it outlives its time', async () => {
  const clock = new SettableClock();
  const dreams = new MemoryExecutions();
  dreams.alive = async () => await Promise.reject(new Error('no answer'));
  const dream_id = newId('dream');
  const created_at = clock.now().toISOString();
  const index = { gsi2pk: 'DREAMING', gsi2sk: `${created_at}#${dream_id}` };
  const row = { ...dreamKey(dream_id), dream_id, created_at, run: 1, version: 1, ...index };
  await started.table.transact([{ put: row }]);
  clock.ms += limits.dream_timeout_ms + limits.dream_stuck_after_ms + 1;
  const ports = { table: started.table, clock, dreams };
  const options = { min_age_ms: minute, is_time_up: () => false, found: () => undefined };
  expect(await reconcileDreams(ports, options)).toEqual({
    restarted: 0,
    stuck: 1,
    complete: true,
  });
  await started.table.deleteMany([dreamKey(dream_id)]);
});
