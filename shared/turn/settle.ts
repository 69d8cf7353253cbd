import { newId } from '../core/id.ts';
import { idleLines, type Bill, type Stop } from '../threads/status-lines.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { Change } from './writer.ts';

/** End the turn: the events, and the head and the session at rest with the lease given back. */
export function settle(head: ThreadHead, stop: Stop, bill: Bill, now: Date): Change {
  const active_ms = activeMs(head, now);
  return {
    lines: idleLines(head, stop, bill),
    patch: {
      status: 'idle',
      stop_reason: stop.reason,
      announced: false,
      attempts: 0,
      rounds: 0,
      running_since: null,
      usage: { ...head.usage, active_ms: head.usage.active_ms + active_ms },
      lease_holder: null,
      lease_until_ms: 0,
      // Its last word is said.
      ...(head.outcome?.stage === 'acknowledge' ? { outcome: null } : {}),
    },
    session: {
      status: 'idle',
      stop: { reason: stop.reason, details: stop.details ?? null },
      usage: { active_ms },
    },
    settled: stop.reason.type,
  };
}

/** End the session for good. */
export function terminate(head: ThreadHead, now: Date): Change {
  const active_ms = activeMs(head, now);
  return {
    lines: [
      {
        event: {
          id: newId('event'),
          type: 'session.thread_status_terminated',
          agent_name: head.agent_name,
          session_thread_id: head.thread_id,
        },
      },
      { event: { id: newId('event'), type: 'session.status_terminated' } },
    ],
    patch: {
      status: 'terminated',
      stop_reason: null,
      calls: [],
      queue: [],
      running_since: null,
      usage: { ...head.usage, active_ms: head.usage.active_ms + active_ms },
      lease_holder: null,
      lease_until_ms: 0,
    },
    session: { status: 'terminated', stop: { reason: null, details: null }, usage: { active_ms } },
    settled: 'terminated',
  };
}

/** How long the running turn has lasted. */
export function activeMs(head: ThreadHead, now: Date): number {
  return head.running_since === null
    ? 0
    : Math.max(0, now.getTime() - Date.parse(head.running_since));
}
