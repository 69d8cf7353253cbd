import { newId } from '../core/id.ts';
import type { Line } from '../events/event.ts';
import type { BudgetLimit, UsageSnapshot } from '../sessions/session-usage.ts';
import { isChild, teamWorks } from './team.ts';
import type { StopDetails, StopReason, ThreadHead } from './thread.ts';

/** Why a turn ends. */
export interface Stop {
  readonly reason: StopReason;
  readonly details?: StopDetails;
}

/** What `session.usage` shows: the session's sums at this moment. */
export interface Bill {
  readonly usage: UsageSnapshot;
  readonly budget: BudgetLimit | null;
  /** Whether the sums have reached the cap. */
  readonly is_used_up: boolean;
}

/** At its budget a session says so, also where its last turn has ended by itself. Source: budgets. */
export function saidStop(reason: StopReason, { is_used_up }: Pick<Bill, 'is_used_up'>): StopReason {
  return is_used_up && reason.type === 'end_turn' ? { type: 'budget_reached' } : reason;
}

/** Of which thread a status is told. */
type Named = Pick<ThreadHead, 'agent_name' | 'thread_id'>;

export function statusLine(
  type:
    | 'session.thread_status_running'
    | 'session.thread_status_rescheduled'
    | 'session.thread_status_terminated',
  { agent_name, thread_id }: Named,
): Line {
  return { event: { id: newId('event'), type, agent_name, session_thread_id: thread_id } };
}

/** That the session runs, where its log does not say so, and that the thread does. */
export function runningLines(head: ThreadHead): Line[] {
  const is_said = isChild(head) || head.team?.is_announced === true;
  const session: Line[] = is_said
    ? []
    : [{ event: { id: newId('event'), type: 'session.status_running' } }];
  return [...session, statusLine('session.thread_status_running', head)];
}

/**
 * The three events that end a turn: thread idle, usage, session idle, in this order. Nothing may
 * follow the last one: a worker's idle clock starts at it (api-behaviour 4.6). While a child runs,
 * only the first.
 */
export function idleLines(head: ThreadHead, stop: Stop, bill: Bill): Line[] {
  return [
    threadIdleLine(head, stop),
    ...(isChild(head) || teamWorks(head) ? [] : sessionIdleLines(stop, bill)),
  ];
}

export function threadIdleLine({ agent_name, thread_id }: Named, { reason, details }: Stop): Line {
  return {
    event: {
      id: newId('event'),
      type: 'session.thread_status_idle',
      agent_name,
      session_thread_id: thread_id,
      stop_reason: reason,
      stop_details: details ?? null,
    },
  };
}

/** The session's part of {@link idleLines}: said again when some, not all, calls were answered. */
export function sessionIdleLines({ reason, details }: Stop, bill: Bill): Line[] {
  return [
    {
      event: { id: newId('event'), type: 'session.usage', usage: bill.usage, budget: bill.budget },
    },
    {
      event: {
        id: newId('event'),
        type: 'session.status_idle',
        stop_reason: reason,
        stop_details: details ?? null,
      },
    },
  ];
}
