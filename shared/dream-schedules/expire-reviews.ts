import { ConditionFailed } from '../core/table.ts';
import { timestamp } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { decideRest } from '../reviews/decide.ts';
import { runKey, type RunRow } from './run.ts';
import { callOf, type ScheduleHead } from './schedule.ts';

const DAY_MS = 86_400_000;
/** Reviews that one run looks at, the oldest first. */
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
  const before = new Date(ports.clock.now().getTime() - reviews_days * DAY_MS).toISOString();
  const { dream_schedule_id: id } = head;
  const { pk } = runKey(id, '');
  let count = 0;
  let looked = 0;
  for (let from = 'R#'; looked < RUNS_MAX;) {
    const page = await ports.table.query({ pk, from, to: 'R#~', limit: 100 });
    for (const run of page.rows as RunRow[]) {
      if (run.started_at >= before) return count;
      if (isOpen(run) && (await expire(ports, head, run))) count += 1;
    }
    looked += page.rows.length;
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) break;
    from = `${last.sk}!`;
  }
  return count;
}

/** Whether something is left to decide. */
export function isOpen({ state }: RunRow): boolean {
  return state === 'awaiting_review' || state === 'not_recommended';
}

async function expire(ports: Ports, head: ScheduleHead, run: RunRow): Promise<boolean> {
  try {
    await decideRest(ports, callOf(head), run.dream_id, 'rejected');
  } catch (error) {
    // Others decide at this very moment: the next run comes here again.
    if (error instanceof Fault) return false;
    throw error;
  }
  try {
    await ports.table.update({
      update: runKey(run.dream_schedule_id, run.run_id),
      expression: 'SET #state = :expired, review_expired_at = :at',
      condition: '#state = :seen',
      names: { '#state': 'state' },
      values: { ':expired': 'review_expired', ':at': timestamp(ports.clock), ':seen': run.state },
    });
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
