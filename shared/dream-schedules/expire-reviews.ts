import { ConditionFailed } from '../core/table.ts';
import { timestamp } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { decideRest } from '../reviews/decide.ts';
import { oldRuns } from './old-runs.ts';
import { runKey, type RunRow } from './run.ts';
import { callOf, type ScheduleHead } from './schedule.ts';

/** Runs that are looked at, of those that are old enough the newest: each passes there once it is of age. */
const RUNS_MAX = 1_000;

/**
 * Reject what nobody has decided for as many days as the operator has chosen. A person may decide
 * otherwise later: it is a decision like any other. Runs twice: the second finds nothing left.
 *
 * @returns of how many dreams
 */
export async function expireReviews(ports: Ports, head: ScheduleHead): Promise<number> {
  const { reviews_days } = head.retention;
  if (reviews_days === null) return 0;
  const old = { days: reviews_days, limit: RUNS_MAX };
  const { before, runs } = await oldRuns(ports, head, old);
  let count = 0;
  for (const run of runs) {
    if (run.started_at >= before || !mayBeOpen(run)) continue;
    if (await expire(ports, head, run)) count += 1;
  }
  return count;
}

/** Whether something is left to decide. */
export function isOpen({ state }: RunRow): boolean {
  return state === 'awaiting_review' || state === 'not_recommended';
}

/** Of a dream that was applied in part, too, until it was looked at once. */
function mayBeOpen(run: RunRow): boolean {
  return isOpen(run) || (run.state === 'applied' && run.review_expired_at === undefined);
}

async function expire(ports: Ports, head: ScheduleHead, run: RunRow): Promise<boolean> {
  let rejected_count: number;
  try {
    rejected_count = await decideRest(ports, callOf(head), run.dream_id, 'rejected');
  } catch (error) {
    // Others decide at this very moment: the next run comes here again.
    if (error instanceof Fault) return false;
    throw error;
  }
  try {
    await ports.table.update({
      update: runKey(run.dream_schedule_id, run.run_id),
      expression: 'SET #state = :next, review_expired_at = :at',
      condition: '#state = :seen',
      names: { '#state': 'state' },
      values: {
        // What is in the store stays told.
        ':next': isOpen(run) ? 'review_expired' : run.state,
        ':at': timestamp(ports.clock),
        ':seen': run.state,
      },
    });
    return isOpen(run) || rejected_count > 0;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
