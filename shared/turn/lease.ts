import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed, type Table } from '../core/table.ts';
import { isChild } from '../threads/team.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { decide } from './decide.ts';

export interface Claim {
  readonly thread_id: string;
  readonly run: number;
  /** Name of the execution. A repeated task of the same execution takes the lease back at once. */
  readonly execution: string;
}

/**
 * The head as it will be when a run's first append takes the lease along: one write less before the
 * model is asked. Only of a thread whose run nobody has begun, and that has something to take in:
 * then nothing is done before that append, which is refused when the head is not the one that was
 * read. Another invocation that comes at the same time then takes the lease by {@link takeLease}.
 */
export function leaseToTake(
  head: ThreadHead,
  clock: Clock,
  { run, execution }: Claim,
): ThreadHead | undefined {
  if (head.run !== run || head.lease_holder !== null) return undefined;
  const action = decide(head);
  // A child's request begins with an append too, but where a death has left its span open.
  const asks = action === 'request' && isChild(head) && head.open_span === null;
  if (action !== 'take' && !asks) return undefined;
  return {
    ...head,
    lease_fence: head.lease_fence + 1,
    lease_holder: execution,
    lease_until_ms: clock.now().getTime() + limits.lease_ms,
  };
}

/**
 * Take the thread's lease: from now on only appends that saw this fence succeed. An execution
 * takes its own lease back without waiting (its earlier invocation is dead, or will find its
 * fence gone); another one's only when it has run out.
 *
 * @returns the head, or undefined when this run has nothing to do here: it is over, it was
 *   superseded by a newer run, or another execution is at work on it.
 */
export async function takeLease(
  table: Table,
  clock: Clock,
  { thread_id, run, execution }: Claim,
): Promise<ThreadHead | undefined> {
  const now = clock.now().getTime();
  try {
    const row = await table.update({
      update: threadKey(thread_id),
      expression:
        'SET lease_fence = lease_fence + :one, lease_holder = :me, lease_until_ms = :until, #version = #version + :one',
      condition:
        'run = :run AND #status IN (:running, :rescheduling) AND (lease_holder = :me OR lease_holder = :null OR lease_until_ms < :now)',
      names: { '#version': 'version', '#status': 'status' },
      values: {
        ':one': 1,
        ':me': execution,
        ':null': null,
        ':now': now,
        ':until': now + limits.lease_ms,
        ':run': run,
        ':running': 'running',
        ':rescheduling': 'rescheduling',
      },
    });
    return row as ThreadHead;
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    throw error;
  }
}
