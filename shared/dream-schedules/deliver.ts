import { Fault } from '../core/fault.ts';
import { dreamObject, hasEnded, type DreamHead } from '../dreams/dream.ts';
import type { GateResult } from '../dreams/report.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { applyChanges } from '../reviews/apply.ts';
import { acceptAll } from '../reviews/decide.ts';
import { readChanges, readReview } from '../reviews/read-review.ts';
import { markDreamt } from './dreamt.ts';
import { endRun, type RunEnd } from './end-run.ts';
import { findRun, findSchedule } from './read-schedule.ts';
import type { RunRow } from './run.ts';
import { callOf, type ScheduleHead } from './schedule.ts';

/**
 * What a schedule does when its dream has ended, before the dream lets go: it remembers which sessions
 * were read, applies what the gate has passed where its mode is `auto`, and ends the run. Dies
 * anywhere: the dream is still in the index of those that run, so it is brought here again; an
 * apply that this schedule has begun is gone on with, and one that is done is never done again.
 *
 * @throws Fault, retryable, when the time is up: the machine comes again
 */
export async function deliverDream(
  ports: MemoryPorts,
  dream: DreamHead,
  is_time_up: () => boolean,
): Promise<void> {
  if (dream.scheduled === undefined || !hasEnded(dream)) return;
  const { dream_schedule_id, run_id } = dream.scheduled;
  const run = await findRun(ports.table, dream_schedule_id, run_id);
  const head = await findSchedule(ports.table, dream_schedule_id);
  if (run === undefined || head === undefined || run.ended_at !== null) return;
  if (dream.status === 'completed') await markDreamt(ports.table, dream);
  const end = await endOf(ports, dream, { run, head }, is_time_up);
  await endRun(ports, run, end);
}

interface Scheduled {
  readonly run: RunRow;
  readonly head: ScheduleHead;
}

async function endOf(
  ports: MemoryPorts,
  dream: DreamHead,
  scheduled: Scheduled,
  is_time_up: () => boolean,
): Promise<RunEnd> {
  if (dream.status === 'canceled') {
    const message = 'The dream was canceled. Its sessions are taken by the next run.';
    return { state: 'canceled', reason: { type: 'dream_canceled', message } };
  }
  if (dream.status === 'failed') {
    const message = dream.error?.message ?? 'The dream failed.';
    return { state: 'failed', reason: { type: 'dream_failed', message } };
  }
  const changes = await readChanges(ports, dream);
  if (changes.size === 0) return { state: 'unchanged', reason: null };
  if (dream.recommended === false) return await notRecommended(ports, dream);
  const { head } = scheduled;
  if (head.archived_at !== null) {
    const message = 'The schedule was archived while the dream ran. Its changes wait for a review.';
    return { state: 'awaiting_review', reason: { type: 'schedule_archived', message } };
  }
  if (head.mode === 'review' || dream.recommended !== true) {
    return { state: 'awaiting_review', reason: null };
  }
  return await applied(ports, dream, scheduled, is_time_up);
}

async function notRecommended({ blobs }: MemoryPorts, { dream_id }: DreamHead): Promise<RunEnd> {
  const kept = await blobs.get(dreamObject(dream_id, 'gate.json'));
  const gate = JSON.parse(Buffer.from(kept).toString('utf8')) as GateResult | null;
  const message = `The gate does not recommend it, so nothing is applied: ${gate?.reason ?? ''}`;
  return { state: 'not_recommended', reason: { type: 'gate', message } };
}

async function applied(
  ports: MemoryPorts,
  { dream_id, memory_store_id }: DreamHead,
  { run, head }: Scheduled,
  is_time_up: () => boolean,
): Promise<RunEnd> {
  try {
    await applyAll(ports, { dream_id, memory_store_id, head }, is_time_up);
  } catch (error) {
    if (!(error instanceof Fault) || error.name === 'RetryableFault') throw error;
    const message = `The changes were not applied and wait for a review: ${error.message}`;
    return { state: 'awaiting_review', reason: { type: 'apply_refused', message } };
  }
  // As the apply has left it there.
  const after = await findRun(ports.table, run.dream_schedule_id, run.run_id);
  const { applied_count = 0, conflict_count = 0 } = after ?? {};
  const message = `${conflict_count} changes met memories that others have changed meanwhile; these wait for a review.`;
  return {
    state: applied_count > 0 ? 'applied' : 'awaiting_review',
    reason: conflict_count > 0 ? { type: 'conflicts', message } : null,
  };
}

interface Applying extends Pick<DreamHead, 'dream_id' | 'memory_store_id'> {
  readonly head: ScheduleHead;
}

/** As an operator would who accepts all; what one has rejected stays so. */
async function applyAll(
  ports: MemoryPorts,
  { dream_id, memory_store_id, head }: Applying,
  is_time_up: () => boolean,
): Promise<void> {
  const call = callOf(head);
  const { applies } = await readReview(ports.table, dream_id);
  const own = applies.find(({ row }) => row.created_by === call.api_key_id);
  // Done before, and taken back since: it is not done again.
  if (own?.row.state === 'rolling_back' || own?.row.state === 'rolled_back') return;
  await acceptAll(ports, call, dream_id);
  for (let left = 1; left > 0;) {
    if (is_time_up()) throw new Fault('busy', 'The changes are still being applied.');
    const apply = await applyChanges(ports, call, dream_id, { memory_store_id });
    left = apply.remaining_count;
  }
}
