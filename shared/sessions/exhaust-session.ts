import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { ConditionFailed, type Table } from '../core/table.ts';
import { prepareChange } from '../threads/prepare-change.ts';
import { isAtWork, isChild } from '../threads/team.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { after, merge } from '../turn/change.ts';
import { failChild, stoppedReport } from '../turn/child.ts';
import { begunFirst } from '../turn/and-rest.ts';
import { closeExhausted, exhausted } from '../turn/ending.ts';
import { settle } from '../turn/settle.ts';
import { startRuns, type Runs } from './runs.ts';
import { billOf, usageNow } from './session-usage.ts';
import { executionName, type SessionHead } from './session.ts';

export interface ExhaustPorts {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly runs: Pick<Runs, 'start' | 'startThreads'>;
}

/**
 * End a turn whose runs all die, also the one that should have said so: from the heads alone, so
 * that nothing a step trips over is in the way. Messages that wait stay queued: the next one takes
 * them with it, as at a budget. A child ends for good, and its primary thread is told.
 *
 * @returns false when it moved since it was read
 */
export async function exhaustThread(
  ports: ExhaustPorts,
  session: SessionHead,
  thread_id: string,
): Promise<boolean> {
  const head = (await ports.table.get(threadKey(thread_id))) as ThreadHead | undefined;
  if (head === undefined || !isAtWork(head.status)) return false;
  if (!isChild(head) && head.run !== session.run) return false;
  const now = ports.clock.now();
  const closed = begunFirst(
    head,
    closeExhausted(head, now, {
      type: 'unknown_error',
      message: `The platform failed to run this turn, also when it was started anew (last execution ${head.execution ?? executionName(session.session_id, head.run)}). Send a message to try again.`,
    }),
  );
  const next = after(head, closed);
  const ended = isChild(head)
    ? failChild(next, exhausted, { now, report: stoppedReport(next) })
    : settle(next, exhausted, billAt(session, now), now);
  // A step that is still somewhere finds that it has lost the thread.
  const fence = { lines: [], patch: { lease_fence: head.lease_fence + 1 } };
  const change = merge(merge(closed, ended), fence);
  const { writes, begun, appended } = await prepareChange(ports, head, change);
  try {
    await ports.table.transact(writes);
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  await startRuns(ports.runs, appended.head, begun);
  return true;
}

function billAt({ usage, running_since, budget }: SessionHead, now: Date) {
  return billOf({ usage: usageNow(usage, running_since, now), budget });
}
