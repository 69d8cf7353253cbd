import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed } from '../core/table.ts';
import { interruptedResult } from '../events/call-lines.ts';

import { readRows, tooBusy, type SessionRows } from '../sessions/read-session.ts';
import { billOf } from '../sessions/session-usage.ts';
import type { SessionHead } from '../sessions/session.ts';
import { restSession, terminatedLines, terminatedPatch } from '../turn/settle.ts';
import type { OtherChange } from './change.ts';
import { threadOf } from './list-threads.ts';
import { prepareChange } from './prepare-change.ts';
import { readThread } from './read-thread.ts';
import type { Thread } from './show-thread.ts';
import { isAtWork, sessionWorks, withMember } from './team.ts';
import type { ThreadHead } from './thread.ts';

/**
 * `POST …/threads/{thread_id}/archive`: a child that rests ends for good and makes room for another.
 * Its history stays readable. A repeat answers as the first did.
 *
 * @throws Fault `missing`; `invalid` for the primary thread, and while the child runs
 */
export async function archiveThread(
  ports: Ports,
  call: Call,
  session_id: string,
  thread_id: string,
): Promise<Thread> {
  for (let attempt = 1; attempt <= limits.append_attempts_max; attempt++) {
    const thread = await readThread(ports.table, call, session_id, thread_id);
    const rows = await readRows(ports.table, call, session_id);
    check(thread);
    try {
      return await write(ports, call, rows, thread);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  throw tooBusy(session_id);
}

function check({ session_id, thread_id, status }: ThreadHead): void {
  if (thread_id === primaryThreadId(session_id)) {
    throw new Fault(
      'invalid',
      'The primary thread cannot be archived. Archive the session instead.',
    );
  }
  if (!isAtWork(status)) return;
  throw new Fault(
    'invalid',
    `Thread ${thread_id} is ${status} and cannot be archived. Send a user.interrupt with this session_thread_id, wait until it is idle, and try again.`,
  );
}

async function write(
  ports: Ports,
  call: Call,
  rows: SessionRows,
  thread: ThreadHead,
): Promise<Thread> {
  const now = ports.clock.now();
  if (thread.archived_at !== undefined || rows.session.archived_at !== null) {
    return await commit(ports, call, [], { answer: await threadOf(ports, rows, thread) });
  }
  const archived_at = now.toISOString();
  const ended = endOf(thread, now);
  const { writes, appended } = await prepareChange(ports, thread, {
    ...ended,
    patch: { ...ended.patch, archived_at },
    others: [
      {
        thread_id: rows.thread.thread_id,
        change: (primary, session) => noteArchived(primary, session, thread, now),
      },
    ],
  });
  const answer = await threadOf(ports, rows, appended.head);
  return await commit(ports, call, writes, { answer });
}

/** What it waited for is closed; one that an error has terminated has said so already. */
function endOf(thread: ThreadHead, now: Date) {
  if (thread.status === 'terminated') return { lines: [], patch: {} };
  const open = thread.calls.filter(({ state }) => state !== 'answered');
  return {
    lines: [...open.map(interruptedResult), ...terminatedLines(thread)],
    patch: terminatedPatch(thread, now),
  };
}

/** A session that rests says so anew when it has waited for what is closed now. */
function noteArchived(
  primary: ThreadHead,
  session: SessionHead,
  thread: ThreadHead,
  now: Date,
): OtherChange {
  if (thread.status === 'terminated') return { lines: [] };
  const lines = terminatedLines(thread);
  const patch = withMember(primary, thread.thread_id, undefined);
  const next = { ...primary, ...patch };
  const has_waited = thread.stop_reason?.type === 'requires_action';
  if (!has_waited || sessionWorks(primary)) return { lines, patch };
  const rest = restSession(next, { bill: billOf(session), now, since: null });
  return { ...rest, lines: [...lines, ...rest.lines], patch: { ...patch, ...rest.patch } };
}
