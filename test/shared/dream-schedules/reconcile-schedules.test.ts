/** Reconcile of schedules: what stands still is told each minute, and counted once that has not helped. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { reconcileSchedules } from '#shared/dream-schedules/reconcile-schedules.ts';
import { scheduleKey } from '#shared/dream-schedules/schedule.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { SettableClock } from '../../sessions.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

const minute = 60_000;
const nothing = async (): Promise<void> => await Promise.resolve();

test.each([
  ['one that is due is told', minute, 1, 0],
  ['one that is not due long enough is left', minute - 1, 0, 0],
  ['one that has been told for half an hour is told again', limits.stuck_ms, 1, 0],
  ['and counted from then on', limits.stuck_ms + minute, 1, 1],
])('%s', async (_, age_ms, healed, stuck) => {
  const clock = new SettableClock();
  const id = newId('dream_schedule');
  const gsi2sk = `${clock.now().toISOString()}#${id}`;
  const row = { ...scheduleKey(id), dream_schedule_id: id, gsi2pk: 'SCHEDULED', gsi2sk };
  await started.table.transact([{ put: row }]);
  clock.ms += age_ms;
  const told: string[] = [];
  const heal = async (of: string): Promise<void> => {
    told.push(of);
    await nothing();
  };
  const ports = { table: started.table, clock, firing: { heal, sync: nothing, run: nothing } };
  const options = { min_age_ms: minute, is_time_up: () => false, found: () => undefined };
  const done = await reconcileSchedules(ports, options);
  expect(done).toEqual({ healed, stuck, complete: true });
  expect(told).toEqual(healed === 1 ? [id] : []);
  await started.table.deleteMany([scheduleKey(id)]);
});
