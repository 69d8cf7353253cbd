import type { Update } from '../core/table.ts';
import type { StopDetails, StopReason, ThreadStatus, Usage } from '../threads/thread.ts';
import type { BudgetLimit } from './session-usage.ts';
import { sessionKey } from './session.ts';

/** What a turn changes of its session's head. */
export interface SessionChange {
  readonly status?: ThreadStatus;
  /** With a status that is not running: why it stopped. */
  readonly stop?: { readonly reason: StopReason | null; readonly details: StopDetails };
  /** Sums to add. */
  readonly usage?: Partial<Usage>;
  /** Of a session of several threads: how long those have been active that rest with this. */
  readonly threads_active_ms?: number;
  /**
   * What begins: a run of the primary thread, and the running of the session, which also a child
   * begins, and which a run within it leaves as it is.
   */
  readonly start?: { readonly run?: number; readonly at?: string };
  /** The cap as a client changed it; null removes it. */
  readonly budget?: BudgetLimit | null;
  /** Outcomes that were defined with this. */
  readonly outcomes?: number;
}

/**
 * The update of a session's head that goes into a thread's transaction. It adds and sets instead
 * of replacing what was read: threads of one session change it at the same time, and none needs
 * to know what the others did. Refused once the session is deleted or archived.
 */
export function changeSession(session_id: string, change: SessionChange, at: string): Update {
  const sets = ['updated_at = :at', '#version = #version + :one'];
  const removes: string[] = [];
  const values: Record<string, unknown> = { ':at': at, ':one': 1, ':null': null };
  const names: Record<string, string> = { '#version': 'version' };
  if (change.status !== undefined) {
    sets.push('#status = :status');
    names['#status'] = 'status';
    values[':status'] = change.status;
  }
  if (change.stop !== undefined) {
    sets.push('stop_reason = :reason', 'stop_details = :details', 'running_since = :null');
    sets.push('ended_at = :at');
    removes.push('gsi2pk', 'gsi2sk');
    values[':reason'] = change.stop.reason;
    values[':details'] = change.stop.details;
  }
  if (change.start?.run !== undefined) {
    sets.push('run = :run');
    values[':run'] = change.start.run;
    removes.push('restarts_count', 'restarted_at');
  }
  if (change.start?.at !== undefined) {
    sets.push('running_since = :since', 'gsi2pk = :running', 'gsi2sk = :place');
    values[':since'] = change.start.at;
    values[':running'] = 'RUNNING';
    values[':place'] = `${change.start.at}#${session_id}`;
  }
  if (change.budget !== undefined) {
    sets.push('budget = :budget');
    values[':budget'] = change.budget;
  }
  if (change.outcomes !== undefined) {
    sets.push('outcomes_count = if_not_exists(outcomes_count, :zero) + :outcomes');
    values[':zero'] = 0;
    values[':outcomes'] = change.outcomes;
  }
  addUsage(change.usage ?? {}, sets, names, values);
  if (change.threads_active_ms !== undefined) {
    // Until then the primary thread was alone, and has been active as long as the session.
    sets.push(
      'threads_active_ms = if_not_exists(threads_active_ms, #usage.#active_ms) + :threads_active_ms',
    );
    Object.assign(names, { '#usage': 'usage', '#active_ms': 'active_ms' });
    values[':threads_active_ms'] = change.threads_active_ms;
  }
  const remove = removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`;
  return {
    update: sessionKey(session_id),
    expression: `SET ${sets.join(', ')}${remove}`,
    condition: 'deleted_at = :null AND archived_at = :null',
    names,
    values,
  };
}

/** A cost of null (a model without a list price) stays null for good: an unknown sum is unknown. */
function addUsage(
  usage: Partial<Usage>,
  sets: string[],
  names: Record<string, string>,
  values: Record<string, unknown>,
): void {
  for (const [name, amount] of Object.entries(usage)) {
    if (amount === 0) continue;
    names['#usage'] = 'usage';
    names[`#${name}`] = name;
    values[`:${name}`] = amount;
    sets.push(
      amount === null
        ? `#usage.#${name} = :${name}`
        : `#usage.#${name} = #usage.#${name} + :${name}`,
    );
  }
}
