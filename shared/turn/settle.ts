import { newId } from '../core/id.ts';
import type { Line } from '../events/event.ts';
import type { Change, Other } from '../threads/change.ts';
import {
  saidStop,
  sessionIdleLines,
  statusLine,
  threadIdleLine,
  type Bill,
  type Stop,
} from '../threads/status-lines.ts';
import { runningSince, sessionStop, teamWorks } from '../threads/team.ts';
import type { ThreadHead } from '../threads/thread.ts';

/** End a primary thread's turn: the events, and the head and the session at rest with the lease given back. */
export function settle(head: ThreadHead, stop: Stop, bill: Bill, now: Date): Change {
  const patch = restPatch(head, stop, now);
  const rested = { ...head, ...patch };
  const first: Change = {
    lines: [threadIdleLine(head, stop)],
    patch,
    settled: stop.reason.type,
  };
  // The session runs on as long as a child does; whose rest comes last says that it is idle.
  if (teamWorks(head)) return first;
  const session = restSession(rested, { bill, now, since: runningSince(head), ...stop });
  return {
    ...first,
    lines: [...first.lines, ...session.lines],
    patch: { ...patch, ...session.patch },
    ...(session.session === undefined ? {} : { session: session.session }),
  };
}

/** What a thread's head becomes when its turn ends. */
export function restPatch(head: ThreadHead, { reason }: Stop, now: Date): Partial<ThreadHead> {
  return {
    status: 'idle',
    stop_reason: reason,
    announced: false,
    attempts: 0,
    rounds: 0,
    ...endPatch(head, now),
    // What goes on later takes up what has come; else it is seen with what is said next.
    ...(head.unread === undefined || goesOn(reason) ? {} : { unread: 0 }),
    // Its last word is said.
    ...(head.outcome?.stage === 'acknowledge' ? { outcome: null } : {}),
  };
}

function goesOn({ type }: Stop['reason']): boolean {
  return type === 'requires_action' || type === 'budget_reached';
}

function endPatch(head: ThreadHead, now: Date): Partial<ThreadHead> {
  return {
    running_since: null,
    usage: { ...head.usage, active_ms: head.usage.active_ms + activeMs(head, now) },
    lease_holder: null,
    lease_until_ms: 0,
  };
}

export interface SessionRest extends Partial<Stop> {
  readonly bill: Bill;
  readonly now: Date;
  /** Since when the session has been running. */
  readonly since: string | null;
}

/** Say that a session rests, none of whose threads runs any more. @param primary As it stands then */
export function restSession(
  primary: ThreadHead,
  { bill, now, since, details }: SessionRest,
): Pick<Change, 'lines' | 'patch' | 'session'> {
  const reason = saidStop(sessionStop(primary), bill);
  const stop = { reason, details: details ?? null };
  const active_ms = since === null ? 0 : Math.max(0, now.getTime() - Date.parse(since));
  return {
    lines: sessionIdleLines(stop, bill),
    patch: teamRest(primary),
    session: { status: 'idle', stop, usage: { active_ms } },
  };
}

function teamRest({ team }: ThreadHead): Pick<ThreadHead, 'team'> {
  return team === undefined ? {} : { team: { ...team, is_announced: false, running_since: null } };
}

/** End the session for good, and all of its threads. */
export function terminate(head: ThreadHead, now: Date): Change {
  const since = runningSince(head);
  const active_ms = since === null ? 0 : Math.max(0, now.getTime() - Date.parse(since));
  const members = head.team?.members ?? [];
  return {
    lines: [
      ...members.map((member) => statusLine('session.thread_status_terminated', member)),
      statusLine('session.thread_status_terminated', head),
      { event: { id: newId('event'), type: 'session.status_terminated' } },
    ],
    patch: {
      ...terminatedPatch(head, now),
      ...(head.team === undefined ? {} : { team: { ...head.team, members: [] } }),
    },
    session: { status: 'terminated', stop: { reason: null, details: null }, usage: { active_ms } },
    others: members.map(({ thread_id }) => terminateChild(thread_id, now)),
    settled: 'terminated',
  };
}

/** A child goes with its session, whatever it is at: a step of it finds that it has lost the thread. */
function terminateChild(thread_id: string, now: Date): Other {
  return {
    thread_id,
    change: (child) => ({
      lines: terminatedLines(child),
      patch: { ...terminatedPatch(child, now), lease_fence: child.lease_fence + 1 },
    }),
  };
}

export function terminatedLines(head: ThreadHead): Line[] {
  return [statusLine('session.thread_status_terminated', head)];
}

export function terminatedPatch(head: ThreadHead, now: Date): Partial<ThreadHead> {
  return {
    status: 'terminated',
    stop_reason: null,
    calls: [],
    queue: [],
    ...endPatch(head, now),
  };
}

/** How long the running turn has lasted. */
export function activeMs(head: ThreadHead, now: Date): number {
  return head.running_since === null
    ? 0
    : Math.max(0, now.getTime() - Date.parse(head.running_since));
}
