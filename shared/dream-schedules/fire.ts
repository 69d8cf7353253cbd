import { again } from '../core/again.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed } from '../core/table.ts';
import { dreamWrites, LIVE_STORE, newDream, startDream } from '../dreams/create-dream.ts';
import type { DreamPorts } from '../dreams/dream-ports.ts';
import { limits } from '../core/limits.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { storeKey, type StoreHead } from '../memory/memory.ts';
import { isDue } from '../schedules/cron.ts';
import { beginDue, dueBetween } from './begin-run.ts';
import { endRun } from './end-run.ts';
import { archiveCopies } from './archive-copies.ts';
import { expireReviews } from './expire-reviews.ts';
import { federate } from './federate.ts';
import { findRun, findSchedule } from './read-schedule.ts';
import { retain } from './retain.ts';
import { runKey, type RunReason, type RunRow } from './run.ts';
import { headWrite, type ScheduleHead } from './schedule.ts';
import { selectSessions } from './select-sessions.ts';
import { syncTimers, type TimerInput, type TimerPorts } from './sync-timers.ts';

/** What the fire function acts upon. */
export interface FirePorts extends MemoryPorts, DreamPorts, TimerPorts {}

/**
 * A timer has called. Two calls for one time, from two timers or from one that is repeated, are one
 * run; a call of a time that the schedule does not name (any more) is none, and brings its timers up.
 *
 * @returns the run; undefined where there is none
 */
export async function fire(
  ports: FirePorts,
  { dream_schedule_id: id, config_version, scheduled_at: given }: TimerInput,
): Promise<RunRow | undefined> {
  const scheduled_at = new Date(given).toISOString();
  const head = await findSchedule(ports.table, id);
  if (head?.config_version !== config_version) await syncTimers(ports, id);
  if (head === undefined || !isDue(head.cron, Date.parse(scheduled_at))) return undefined;
  const run = await beginDue(ports, id, { scheduled_at, trigger: 'schedule' });
  return run === undefined ? undefined : await goOn(ports, run);
}

/**
 * Everything of a schedule that stands still: timers that do not know of its newest version, a run that
 * has not come to its dream, and a fire that has not come, which is made good once.
 */
export async function heal(ports: FirePorts, id: string): Promise<void> {
  const head = await findSchedule(ports.table, id);
  if (head === undefined) return;
  const now_ms = ports.clock.now().getTime();
  const until_ms = now_ms - limits.timer_grace_ms;
  const missed =
    head.due_at === null ? [] : dueBetween(head.cron, Date.parse(head.due_at), until_ms);
  // A timer that has not called may be the wrong one.
  if (head.synced_version < head.config_version || missed.length > 0) await syncTimers(ports, id);
  if (head.active?.phase === 'starting') {
    const run = await findRun(ports.table, id, head.active.run_id);
    if (run !== undefined) await goOn(ports, run);
  }
  const scheduled_at = missed.at(-1);
  if (scheduled_at === undefined) return;
  const run = await beginDue(ports, id, { scheduled_at, trigger: 'catch_up' });
  if (run !== undefined) await goOn(ports, run);
}

/** Bring a run that has begun to its dream, or to its end. Runs twice, or side by side: one dream. */
export async function goOn(ports: FirePorts, run: RunRow): Promise<RunRow | undefined> {
  const { dream_schedule_id: id, run_id } = run;
  const head = await findSchedule(ports.table, id);
  if (head !== undefined && run.state === 'starting') await advance(ports, head, run);
  return await findRun(ports.table, id, run_id);
}

async function advance(ports: FirePorts, head: ScheduleHead, run: RunRow): Promise<void> {
  const skip = async (reason: RunReason, more: Partial<RunRow> = {}): Promise<void> => {
    await endRun(ports, run, { ...more, state: 'skipped', reason });
  };
  if (head.archived_at !== null) {
    const message = 'The schedule was archived.';
    return await skip({ type: 'schedule_archived', message });
  }
  if (!(await isStoreLive(ports, head))) return await skip(storeUnavailable(head));
  const kept = await keepHouse(ports, head);
  const { session_ids, left_count } = await selectSessions(ports, head);
  if (session_ids.length === 0) return await skip(nothing_new, kept);
  const found = { ...kept, sessions_count: session_ids.length, sessions_left_count: left_count };
  const outcome = await beginDream(ports, { ...run, ...found }, session_ids);
  if (outcome === 'store_unavailable') await skip(storeUnavailable(head), kept);
}

const nothing_new: RunReason = {
  type: 'nothing_new',
  message: 'No session has come to rest that was not dreamt before. No model was asked.',
};

function storeUnavailable({ memory_store_id }: ScheduleHead): RunReason {
  const message = `Memory store '${memory_store_id}' is deleted or archived. The schedule is paused.`;
  return { type: 'memory_store_unavailable', message };
}

async function isStoreLive(
  { table }: Pick<Ports, 'table'>,
  { memory_store_id, workspace_id }: ScheduleHead,
): Promise<boolean> {
  const store = (await table.get(storeKey(memory_store_id))) as StoreHead | undefined;
  if (store?.workspace_id !== workspace_id) return false;
  return store.deleted_at === null && store.archived_at === null;
}

/** What costs no model: old lessons end, old reviews expire, copies of dreams are put away, those of playbooks follow their originals. */
async function keepHouse(
  ports: FirePorts,
  head: ScheduleHead,
): Promise<Pick<RunRow, 'retention' | 'federation'>> {
  const is_kept = Object.values(head.retention).every((days) => days === null);
  const retired = await retain(ports, head);
  const reviews_expired_count = await expireReviews(ports, head);
  const copies_archived_count = await archiveCopies(ports, head);
  return {
    retention: is_kept ? null : { ...retired, reviews_expired_count, copies_archived_count },
    federation: head.federation === null ? null : await federate(ports, head),
  };
}

/** The dream, the run and the schedule in one transaction; then the dream is started. */
async function beginDream(
  ports: FirePorts,
  run: RunRow,
  session_ids: readonly string[],
): Promise<'begun' | 'store_unavailable'> {
  const { dream_schedule_id, run_id, dream_id } = run;
  return await again(`dream schedule '${dream_schedule_id}'`, async () => {
    const head = await findSchedule(ports.table, dream_schedule_id);
    const now = await findRun(ports.table, dream_schedule_id, run_id);
    // Another invocation was faster: what it has begun is its own to start.
    if (head?.active?.run_id !== run_id || now?.state !== 'starting') return 'begun';
    const dream = newDream(ports, {
      workspace_id: head.workspace_id,
      dream_id,
      scheduled: { dream_schedule_id, run_id },
      inputs: { memory_store_id: head.memory_store_id, session_ids: session_ids.toSorted() },
      model: head.model,
      ...(head.processing === undefined ? {} : { processing: head.processing }),
      instructions: head.instructions,
      output_behavior: { type: 'create_new' },
    });
    const { processing = 'standard' } = dream;
    const dreaming: RunRow = { ...run, state: 'dreaming', dream_started: true, processing };
    const active = { ...head.active, phase: 'dreaming' } as const;
    try {
      await ports.table.transact([
        ...dreamWrites(dream),
        {
          put: { ...dreaming, ...runKey(dream_schedule_id, run_id) },
          condition: '#state = :starting',
          names: { '#state': 'state' },
          values: { ':starting': 'starting' },
        },
        headWrite({ ...head, active }, head),
      ]);
    } catch (error) {
      const is_store = error instanceof ConditionFailed && error.failed.includes(LIVE_STORE);
      if (is_store) return 'store_unavailable';
      throw error;
    }
    await startDream(ports, dream);
    return 'begun';
  });
}
