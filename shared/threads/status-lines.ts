import { newId } from '../core/id.ts';
import type { Line } from '../events/event.ts';
import type { BudgetLimit, UsageSnapshot } from '../sessions/session-usage.ts';
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
}

/** The pair of events that says that the session and its thread run. */
export function runningLines(head: ThreadHead): Line[] {
  return [
    { event: { id: newId('event'), type: 'session.status_running' } },
    {
      event: {
        id: newId('event'),
        type: 'session.thread_status_running',
        agent_name: head.agent_name,
        session_thread_id: head.thread_id,
      },
    },
  ];
}

/**
 * The three events that end a turn: thread idle, usage, session idle, in this order. Nothing may
 * follow the last one: a worker's idle clock starts at it (api-behaviour 4.6).
 */
export function idleLines(head: ThreadHead, { reason, details }: Stop, bill: Bill): Line[] {
  const stop = { stop_reason: reason, stop_details: details ?? null };
  return [
    {
      event: {
        id: newId('event'),
        type: 'session.thread_status_idle',
        agent_name: head.agent_name,
        session_thread_id: head.thread_id,
        ...stop,
      },
    },
    ...sessionIdleLines({ reason, ...(details === undefined ? {} : { details }) }, bill),
  ];
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
