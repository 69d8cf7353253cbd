import { isDeepStrictEqual } from 'node:util';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { dueAfter } from '../schedules/cron.ts';
import { checkNamed, checkProcessing, synced } from './create-schedule.ts';
import { readSchedule } from './read-schedule.ts';
import { headWrite, type ScheduleHead } from './schedule.ts';
import type { SchedulePorts } from './schedule-ports.ts';
import type { ScheduleUpdate } from './schedule-wire.ts';
import { showSchedule, type DreamSchedule } from './show-schedule.ts';

type Wanted = Partial<
  Pick<
    ScheduleHead,
    | 'name'
    | 'cron'
    | 'sessions'
    | 'model'
    | 'instructions'
    | 'mode'
    | 'processing'
    | 'retention'
    | 'federation'
    | 'paused_reason'
    | 'failures_count'
    | 'archived_at'
  >
>;

/**
 * `POST /v1/reverie/dream_schedules/{dream_schedule_id}`. What changes nothing is not written.
 *
 * @throws Fault `missing`; `invalid` for an archived schedule or store, and for batches that there are none of
 */
export async function updateSchedule(
  ports: SchedulePorts,
  call: Call,
  id: string,
  { schedule: cron, ...body }: ScheduleUpdate,
): Promise<DreamSchedule> {
  checkProcessing(ports, body);
  await checkNamed(ports.table, call, body);
  return await change(ports, call, id, (head) => {
    checkLive(head);
    if (body.federation?.memory_store_ids.includes(head.memory_store_id) === true) {
      throw new Fault(
        'invalid',
        'federation.memory_store_ids: must not name the memory store of the schedule itself.',
      );
    }
    return { ...body, ...(cron === undefined ? {} : { cron }) };
  });
}

/** A repeat changes nothing. @throws Fault `missing`; `invalid` for an archived schedule */
export async function pauseSchedule(
  ports: SchedulePorts,
  call: Call,
  id: string,
): Promise<DreamSchedule> {
  return await change(ports, call, id, (head) => {
    checkLive(head);
    const message = 'Paused by hand.';
    return { paused_reason: head.paused_reason ?? { type: 'manual', message } };
  });
}

/**
 * What was due meanwhile is not made good: the next run takes the sessions. A repeat changes nothing.
 *
 * @throws Fault `missing`; `invalid` for an archived schedule, and while its store is not there
 */
export async function unpauseSchedule(
  ports: SchedulePorts,
  call: Call,
  id: string,
): Promise<DreamSchedule> {
  const { memory_store_id } = await readSchedule(ports.table, call, id);
  await checkNamed(ports.table, call, { memory_store_id });
  return await change(ports, call, id, (head) => {
    checkLive(head);
    return { paused_reason: null, failures_count: 0 };
  });
}

/** For good: its timers go, its history stays. A repeat changes nothing. @throws Fault `missing` */
export async function archiveSchedule(
  ports: SchedulePorts,
  call: Call,
  id: string,
): Promise<DreamSchedule> {
  return await change(ports, call, id, (head) => ({
    archived_at: head.archived_at ?? timestamp(ports.clock),
  }));
}

function checkLive({ archived_at, dream_schedule_id }: ScheduleHead): void {
  if (archived_at === null) return;
  throw new Fault(
    'invalid',
    `dream schedule '${dream_schedule_id}' is archived. Create another one.`,
    { details: { error_code: 'dream_schedule_archived' } },
  );
}

async function change(
  ports: SchedulePorts,
  call: Call,
  id: string,
  wantedOf: (head: ScheduleHead) => Wanted,
): Promise<DreamSchedule> {
  const shown = await again(`dream schedule '${id}'`, async () => {
    const head = await readSchedule(ports.table, call, id);
    const now = ports.clock.now();
    const next = changed(head, wantedOf(head), now);
    const writes = next === head ? [] : [headWrite(next, head)];
    return await commit(ports, call, writes, { answer: showSchedule(next, now) });
  });
  return await synced(ports, shown);
}

/** The schedule as it is wanted, for its timers to know; the same where nothing differs. */
export function changed(head: ScheduleHead, wanted: Wanted, now: Date): ScheduleHead {
  const next = { ...head, ...wanted };
  if (isDeepStrictEqual(next, head)) return head;
  const is_off = next.paused_reason !== null || next.archived_at !== null;
  const is_due_anew = head.due_at === null || !isDeepStrictEqual(next.cron, head.cron);
  const due_at = is_due_anew ? dueAfter(next.cron, now.getTime()) : head.due_at;
  return {
    ...next,
    due_at: is_off ? null : due_at,
    config_version: head.config_version + 1,
    updated_at: now.toISOString(),
  };
}
