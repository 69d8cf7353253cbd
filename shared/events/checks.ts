import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { CallRow } from '../sessions/session.ts';
import type { Standing } from './plan.ts';

/** @throws Fault `invalid` for a session that takes no more events */
export function checkOpen({ session, head }: Standing): void {
  // Both heads: a batch is no snapshot, and one of them may be read a moment earlier.
  const ended = session.status === 'terminated' || head.status === 'terminated';
  if (session.archived_at !== null || ended) {
    throw new Fault(
      'invalid',
      `Session ${session.session_id} is ${session.archived_at === null ? 'terminated' : 'archived'} and takes no more events. Create a new session.`,
    );
  }
}

/**
 * An interrupt has room of its own: a full inbox is just when one wants to stop a session.
 * @throws Fault `invalid`
 */
export function checkRoom(
  queued: readonly { readonly type: string }[],
  before: readonly unknown[],
): void {
  const urgent = queued.every(({ type }) => type === 'user.interrupt');
  const room = limits.queue_max + (urgent ? limits.send_events_max : 0);
  if (queued.length === 0 || queued.length + before.length <= room) return;
  throw new Fault(
    'invalid',
    `events: at most ${limits.queue_max} events may wait in a session. Wait until it is idle, or send a user.interrupt.`,
  );
}

/** The row of a call that an event answers. @throws Fault `invalid` when it names none of its kind */
export function callRowOf({ calls }: Standing, event_id: string, kind: CallRow['kind']): CallRow {
  const row = calls.get(event_id);
  if (row?.kind === kind) return row;
  const field = kind === 'ask' ? 'tool_use_id' : 'custom_tool_use_id';
  const what = kind === 'ask' ? 'a tool use that asks for confirmation' : 'a custom tool use';
  throw new Fault('invalid', `events: ${field} ${event_id} does not name ${what} in this session.`);
}

/** What says that a session waits for answers. @param ids Events of the calls, joined */
export function unanswered(type: string, ids: string): Fault {
  return new Fault(
    'invalid',
    `events: the session waits for answers to ${ids}; a ${type} is not accepted. Answer them, or send a user.interrupt first.`,
  );
}

/** What says that a session has reached its budget. */
export function capped(type: string): Fault {
  return new Fault(
    'invalid',
    `events: the session has reached its budget; a ${type} is not accepted. Allowed are user.tool_confirmation, user.tool_result, user.custom_tool_result and user.interrupt. Raise or remove the budget to go on.`,
  );
}
