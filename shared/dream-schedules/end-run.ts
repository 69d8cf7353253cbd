import { again } from '../core/again.ts';
import { timestamp } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { changed } from './change-schedule.ts';
import { findRun, findSchedule } from './read-schedule.ts';
import type { RunReason, RunRow } from './run.ts';
import { headWrite, type PausedReason, type ScheduleHead } from './schedule.ts';

export type RunEnd = Partial<
  Pick<
    RunRow,
    | 'apply_id'
    | 'applied_count'
    | 'conflict_count'
    | 'retention'
    | 'federation'
    | 'sessions_count'
    | 'sessions_left_count'
  >
> & {
  readonly state: Exclude<RunRow['state'], 'starting' | 'dreaming'>;
  readonly reason: RunReason | null;
};

/**
 * End a run, and free its schedule for the next. Runs twice: the second finds it ended.
 *
 * @returns whether this very call has ended it
 */
export async function endRun(
  ports: Pick<Ports, 'table' | 'clock'>,
  { dream_schedule_id, run_id }: Pick<RunRow, 'dream_schedule_id' | 'run_id'>,
  end: RunEnd,
): Promise<boolean> {
  return await again(`dream schedule '${dream_schedule_id}'`, async () => {
    const run = await findRun(ports.table, dream_schedule_id, run_id);
    const head = await findSchedule(ports.table, dream_schedule_id);
    if (run === undefined || head === undefined || run.ended_at !== null) return false;
    const next: RunRow = { ...run, ...end, ended_at: timestamp(ports.clock) };
    const freed = { ...head, active: head.active?.run_id === run_id ? null : head.active };
    const judged = judge(freed, end, ports.clock.now());
    await ports.table.transact([
      { put: next, condition: 'ended_at = :null', values: { ':null': null } },
      headWrite(judged, head),
    ]);
    return true;
  });
}

/** A schedule that cannot do its work says so and stops, before it costs more. */
function judge(head: ScheduleHead, { state, reason }: RunEnd, now: Date): ScheduleHead {
  if (reason?.type === 'memory_store_unavailable') {
    return paused(head, { type: 'memory_store_unavailable', message: reason.message }, now);
  }
  if (state === 'skipped' || state === 'canceled') return head;
  if (state !== 'failed') return { ...head, failures_count: 0 };
  const failed = { ...head, failures_count: head.failures_count + 1 };
  if (failed.failures_count < limits.schedule_failures_max) return failed;
  const message = `${failed.failures_count} dreams have failed one after the other, the last one so: ${reason?.message ?? ''} Unpause the schedule when that is mended.`;
  return paused(failed, { type: 'dreams_failing', message }, now);
}

function paused(head: ScheduleHead, paused_reason: PausedReason, now: Date): ScheduleHead {
  if (head.paused_reason !== null || head.archived_at !== null) return head;
  return changed(head, { paused_reason }, now);
}
