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
import { startRuns } from '../sessions/runs.ts';
import type { SessionPorts } from '../sessions/session-ports.ts';
import { billOf } from '../sessions/session-usage.ts';
import type { SessionHead } from '../sessions/session.ts';
import { restSession, terminatedLines, terminatedPatch } from '../turn/settle.ts';
import type { OtherChange } from './change.ts';
import { threadOf } from './list-threads.ts';
import { prepareChange } from './prepare-change.ts';
import { readThread } from './read-thread.ts';
import type { Thread } from './show-thread.ts';
import { startPatch } from './start.ts';
import { interrupted, isAtWork, isWoken, sessionWorks, teamStarts, withMember } from './team.ts';
import type { ThreadHead } from './thread.ts';

export type ThreadArchivePorts = Ports & Pick<SessionPorts, 'runs' | 'startLost'>;

/**
 * `POST …/threads/{thread_id}/archive`: a child that rests ends for good and makes room for another.
 * Its history stays readable. A repeat answers as the first did. One that has just been interrupted is
 * waited for: the API's documentation sends both, one right behind the other.
 *
 * @throws Fault `missing`; `invalid` for the primary thread, and while the child runs
 */
export async function archiveThread(
  ports: ThreadArchivePorts,
  call: Call,
  session_id: string,
  thread_id: string,
): Promise<Thread> {
  const until_ms = performance.now() + limits.interrupt_wait_ms;
  for (let attempt = 1; attempt <= limits.append_attempts_max; attempt++) {
    const thread = await readStopped(until_ms, async () => {
      return await readThread(ports.table, call, session_id, thread_id);
    });
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

/** A thread once it has stopped for the interrupt that waits for it; as it is where none does. */
async function readStopped(until_ms: number, read: () => Promise<ThreadHead>): Promise<ThreadHead> {
  for (;;) {
    const thread = await read();
    const stops = isAtWork(thread.status) && interrupted(thread);
    if (!stops || performance.now() >= until_ms) return thread;
    await sleep(limits.interrupt_poll_ms);
  }
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
  ports: ThreadArchivePorts,
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
  const { writes, appended, begun } = await prepareChange(ports, thread, {
    ...ended,
    patch: { ...ended.patch, archived_at },
    others: [
      {
        thread_id: rows.thread.thread_id,
        change: (primary, session) => noteArchived(primary, session, thread, now),
      },
    ],
  });
  const mine = await threadOf(ports, rows, appended.head);
  const answer = await commit(ports, call, writes, { answer: mine });
  // Another's answer: then its run is started, not ours.
  if (answer === mine) await startRuns(ports.runs, appended.head, begun).catch(ports.startLost);
  return answer;
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
  // An outcome that waited for nothing else is judged now.
  if (isWoken(next, false)) {
    const judged = judgeNow(next, now);
    return { ...judged, lines, patch: { ...patch, ...judged.patch } };
  }
  const has_waited = thread.stop_reason?.type === 'requires_action';
  if (!has_waited || sessionWorks(primary)) return { lines, patch };
  const rest = restSession(next, { bill: billOf(session), now, since: null });
  return { ...rest, lines: [...lines, ...rest.lines], patch: { ...patch, ...rest.patch } };
}

function judgeNow(primary: ThreadHead, now: Date): Omit<OtherChange, 'lines'> {
  const run = primary.run + 1;
  const at = now.toISOString();
  return {
    patch: { ...teamStarts(primary, at), ...startPatch(run, at) },
    session: { status: 'running', start: { run, at } },
    starts: run,
  };
}
