import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { timestamp } from '../core/clock.ts';
import { primaryThreadId } from '../core/id.ts';
import { ConditionFailed, type Table } from '../core/table.ts';
import { prepareAppend } from '../threads/log.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { after, merge } from '../turn/change.ts';
import { closeExhausted, exhausted } from '../turn/ending.ts';
import { settle } from '../turn/settle.ts';
import { changeSession } from './session-change.ts';
import { usageNow, usageSnapshot } from './session-usage.ts';
import { executionName, type SessionHead } from './session.ts';

export interface ExhaustPorts {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
}

/**
 * End a turn whose runs all die, also the one that should have said so: from the heads alone, so
 * that nothing a step trips over is in the way. Messages that wait stay queued: the next one takes
 * them with it, as at a budget.
 *
 * @returns false when it moved since it was read
 */
export async function exhaustSession(ports: ExhaustPorts, session: SessionHead): Promise<boolean> {
  const { session_id, run, usage, budget } = session;
  const thread_id = primaryThreadId(session_id);
  const head = (await ports.table.get(threadKey(thread_id))) as ThreadHead | undefined;
  if (head?.run !== run || (head.status !== 'running' && head.status !== 'rescheduling')) {
    return false;
  }
  const now = ports.clock.now();
  const closed = closeExhausted(head, now, {
    type: 'unknown_error',
    message: `The platform failed to run this turn, also when it was started anew (last execution ${executionName(session_id, run)}). Send a message to try again.`,
  });
  const bill = { usage: usageSnapshot(usageNow(usage, head.running_since, now)), budget };
  const change = merge(closed, settle(after(head, closed), exhausted, bill, now));
  const append = await prepareAppend(ports, head, change.lines, {
    ...change.patch,
    // A step that is still somewhere finds that it has lost the thread.
    lease_fence: head.lease_fence + 1,
  });
  const at = timestamp(ports.clock);
  const others = [changeSession(session_id, change.session ?? {}, at), ...(change.writes ?? [])];
  try {
    await ports.table.transact([...append.writes, ...others]);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
