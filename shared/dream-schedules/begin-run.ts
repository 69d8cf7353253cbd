import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Write } from '../core/table.ts';
import { dueAfter, dueFrom, type CronSchedule } from '../schedules/cron.ts';
import { findRun, findSchedule, readSchedule } from './read-schedule.ts';
import { runIdAt, runKey, type RunRow, type RunTrigger } from './run.ts';
import { headWrite, type ScheduleHead } from './schedule.ts';
import type { SchedulePorts } from './schedule-ports.ts';
import { showRun, type DreamScheduleRun } from './show-run.ts';

type BeginPorts = Pick<Ports, 'table' | 'clock' | 'newId'>;

/**
 * `POST /v1/reverie/dream_schedules/{dream_schedule_id}/run`, also while it is paused. The run is
 * written first and then gone on with: when that is lost, reconcile goes on.
 *
 * @throws Fault `missing`; `invalid` for an archived schedule
 */
export async function runNow(
  ports: SchedulePorts,
  call: Call,
  id: string,
): Promise<DreamScheduleRun> {
  const run_id = ports.newId('dream_schedule_run', ports.clock.now().getTime());
  const answer = await again(`dream schedule '${id}'`, async () => {
    const head = await readSchedule(ports.table, call, id);
    if (head.archived_at !== null) {
      throw new Fault('invalid', `dream schedule '${id}' is archived and runs no more.`, {
        details: { error_code: 'dream_schedule_archived' },
      });
    }
    const { run, writes } = beginning(ports, head, { run_id, trigger: 'manual' });
    return await commit(ports, call, writes, { answer: showRun(run) });
  });
  // Another request with the same Idempotency-Key may have come first: its run is gone on with.
  await ports.firing.run(id, answer.id).catch(ports.firingLost);
  const now = await findRun(ports.table, id, answer.id);
  return now === undefined ? answer : showRun(now);
}

/**
 * Begin the run of a time that was due, once. @returns the run, which may have begun before; undefined
 * where the schedule wants none: then its timer is behind
 */
export async function beginDue(
  ports: BeginPorts,
  id: string,
  { scheduled_at, trigger }: { readonly scheduled_at: string; readonly trigger: RunTrigger },
): Promise<RunRow | undefined> {
  const run_id = runIdAt(id, scheduled_at);
  return await again(`dream schedule '${id}'`, async () => {
    const head = await findSchedule(ports.table, id);
    const begun = await findRun(ports.table, id, run_id);
    if (head === undefined || begun !== undefined) return begun;
    if (head.archived_at !== null || head.paused_reason !== null) return undefined;
    const { run, writes } = beginning(ports, head, { run_id, trigger, scheduled_at });
    await ports.table.transact(writes);
    return run;
  });
}

interface Begun {
  readonly run_id: string;
  readonly trigger: RunTrigger;
  readonly scheduled_at?: string;
}

/** A run and the schedule with it, in one transaction: one that has not ended is left alone. */
function beginning(
  { clock, newId }: BeginPorts,
  head: ScheduleHead,
  begun: Begun,
): { readonly run: RunRow; readonly writes: readonly Write[] } {
  const { run_id, trigger, scheduled_at } = begun;
  const started_at = timestamp(clock);
  const { active } = head;
  const missed = missedBefore(head, begun, clock.now().getTime());
  const run: RunRow = {
    ...runKey(head.dream_schedule_id, run_id),
    schema: 1,
    run_id,
    dream_schedule_id: head.dream_schedule_id,
    trigger,
    scheduled_at: scheduled_at ?? null,
    started_at,
    ...(active === null ? starting : overlapping(active.dream_id, started_at)),
    dream_id: newId('dream'),
    dream_started: false,
    sessions_count: 0,
    sessions_left_count: 0,
    missed_count: missed.length,
    missed_since: missed[0] ?? null,
    apply_id: null,
    applied_count: 0,
    conflict_count: 0,
    retention: null,
    federation: null,
  };
  const own = { run_id, dream_id: run.dream_id, since: started_at, phase: 'starting' } as const;
  const next: ScheduleHead = {
    ...head,
    active: active ?? own,
    ...(scheduled_at === undefined
      ? {}
      : { last_run_at: started_at, due_at: laterDue(head, comesUpTo(begun, scheduled_at, clock)) }),
  };
  const put = { put: run, condition: 'attribute_not_exists(pk)' };
  return { run, writes: [put, headWrite(next, head)] };
}

const starting = { state: 'starting', reason: null, ended_at: null } as const;

function overlapping(dream_id: string, ended_at: string) {
  const message = `Dream ${dream_id} of this schedule still runs. The next run takes the sessions.`;
  return { state: 'skipped', reason: { type: 'overlapping', message }, ended_at } as const;
}

/**
 * Up to when a run stands for what was due. One that makes good stands for all that no timer will call any more,
 * also where that was more than is counted: else the rest of a long outage would be made good by one run after another.
 */
function comesUpTo({ trigger }: Begun, scheduled_at: string, clock: BeginPorts['clock']): number {
  const at_ms = Date.parse(scheduled_at);
  if (trigger !== 'catch_up') return at_ms;
  return Math.max(at_ms, clock.now().getTime() - limits.timer_grace_ms);
}

/** A fire that comes late does not turn the schedule back. */
function laterDue({ cron, due_at }: ScheduleHead, up_to_ms: number): string | null {
  const next = dueAfter(cron, up_to_ms);
  return due_at !== null && next !== null && next < due_at ? due_at : next;
}

/** The fires before a run that did not come; of one that makes good, its own too. */
function missedBefore(
  { cron, due_at }: ScheduleHead,
  { trigger, scheduled_at }: Begun,
  now_ms: number,
): string[] {
  if (due_at === null || scheduled_at === undefined) return [];
  const until_ms = trigger === 'catch_up' ? now_ms : Date.parse(scheduled_at) - 1;
  return dueBetween(cron, Date.parse(due_at), until_ms);
}

/** What was due from one moment to another, both included, as far as it is counted. */
export function dueBetween(cron: CronSchedule, from_ms: number, until_ms: number): string[] {
  const due: string[] = [];
  if (from_ms > until_ms) return due;
  for (const at of dueFrom(cron, from_ms)) {
    if (at.getTime() > until_ms || due.length === limits.missed_runs_max) break;
    due.push(at.toISOString());
  }
  return due;
}
