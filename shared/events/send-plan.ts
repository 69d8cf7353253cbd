import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Write } from '../core/table.ts';
import { openOutcome, type DefinedOutcome } from '../outcomes/define.ts';
import { interruptedOutcome } from '../outcomes/interrupted.ts';
import { isActive, type OpenOutcome } from '../outcomes/outcome.ts';
import { callKey, type CallRow, type SessionHead } from '../sessions/session.ts';
import { usageSnapshot } from '../sessions/session-usage.ts';
import type { SessionChange } from '../sessions/session-change.ts';
import { idleLines, sessionIdleLines, type Bill } from '../threads/status-lines.ts';
import type { OpenCall, StopReason, ThreadHead } from '../threads/thread.ts';
import { interruptedResult } from './call-lines.ts';
import type { Line } from './event.ts';
import type { QueuedEvent } from './inbox.ts';
import type { SendEvent } from './params.ts';

/** What a request reads before it decides. */
export interface Standing {
  readonly head: ThreadHead;
  readonly session: SessionHead;
  /** Rows of the calls that the request answers, by the call's event. */
  readonly calls: ReadonlyMap<string, CallRow>;
}

/** How one event of the request comes back: as a line, as queued, or as heard without effect. */
export type Echo =
  | { readonly type: 'line'; readonly index: number }
  | { readonly type: 'queued'; readonly event: QueuedEvent }
  | { readonly type: 'void'; readonly event: Line['event'] };

export interface Plan {
  readonly lines: readonly Line[];
  readonly queued: readonly QueuedEvent[];
  readonly writes: readonly Write[];
  readonly patch: Partial<ThreadHead>;
  readonly session: SessionChange;
  readonly echoes: readonly Echo[];
  /** The run to start once all this is stored. */
  readonly run: number | undefined;
  /** The outcome among the lines: its row is written with them. */
  readonly defined: DefinedOutcome | undefined;
}

/**
 * Decide what a request's events do, in their order. Pure: one bad event refuses all of them, and
 * nothing has been written yet.
 * @throws Fault `invalid` that says which event does not fit the session's state
 */
export function planSend(standing: Standing, events: readonly SendEvent[], now: Date): Plan {
  checkOpen(standing);
  const draft = new Draft(standing, now.toISOString());
  for (const event of events) draft.add(event);
  return draft.finish();
}

function checkOpen({ session, head }: Standing): void {
  // Both heads: a batch is no snapshot, and one of them may be read a moment earlier.
  const ended = session.status === 'terminated' || head.status === 'terminated';
  if (session.archived_at !== null || ended) {
    throw new Fault(
      'invalid',
      `Session ${session.session_id} is ${session.archived_at === null ? 'terminated' : 'archived'} and takes no more events. Create a new session.`,
    );
  }
}

class Draft {
  readonly #standing: Standing;
  readonly #at: string;
  readonly #running: boolean;
  readonly #lines: Line[] = [];
  readonly #queued: QueuedEvent[] = [];
  readonly #writes: Write[] = [];
  readonly #echoes: Echo[] = [];
  readonly #answered = new Set<string>();
  #calls: readonly OpenCall[];
  #stop: StopReason | undefined;
  #outcome: OpenOutcome | null;
  #defined: DefinedOutcome | undefined;

  constructor(standing: Standing, at: string) {
    this.#at = at;
    this.#standing = standing;
    this.#calls = standing.head.calls;
    this.#outcome = standing.head.outcome ?? null;
    this.#running = standing.head.status === 'running' || standing.head.status === 'rescheduling';
  }

  add(event: SendEvent): void {
    switch (event.type) {
      case 'user.message':
        this.#checkTakesWork(event.type);
        return this.#queue({ ...event, id: newId('event'), processed_at: null });
      case 'system.message':
        return this.#addSystemMessage(event);
      case 'user.interrupt':
        return this.#interrupt(event);
      case 'user.tool_confirmation':
        return this.#confirm(event);
      case 'user.custom_tool_result':
        return this.#takeResult(event);
      case 'user.define_outcome':
        return this.#define(event);
      default:
        throw new Fault('invalid', 'events: this type is not supported by this deployment.');
    }
  }

  finish(): Plan {
    const { head, session } = this.#standing;
    const open = this.#open();
    const resolved = this.#calls.length > 0 && this.#answered.size > 0 && open.length === 0;
    this.#checkRoom();
    const works = this.#queued.length > 0 || this.#defined !== undefined;
    const starts = !this.#running && (resolved || works);
    if (!starts && !this.#running && this.#answered.size > 0) this.#waitOn(open, session);
    return {
      ...this.#heads(starts ? { run: head.run + 1, at: this.#at } : undefined),
      lines: this.#lines,
      queued: this.#queued,
      writes: this.#writes,
      echoes: this.#echoes,
      run: starts ? head.run + 1 : undefined,
      defined: this.#defined,
    };
  }

  /** An interrupt has room of its own: a full inbox is just when one wants to stop a session. */
  #checkRoom(): void {
    const urgent = this.#queued.every(({ type }) => type === 'user.interrupt');
    const room = limits.queue_max + (urgent ? limits.send_events_max : 0);
    const waiting = this.#queued.length + this.#standing.head.queue.length;
    if (this.#queued.length === 0 || waiting <= room) return;
    throw new Fault(
      'invalid',
      `events: at most ${limits.queue_max} events may wait in a session. Wait until it is idle, or send a user.interrupt.`,
    );
  }

  /** What becomes of the thread's head and the session's. */
  #heads(start: SessionChange['start'] | undefined): Pick<Plan, 'patch' | 'session'> {
    const patch = {
      calls: this.#calls,
      ...(this.#calls.length === 0 ? this.#rest() : {}),
      ...(this.#outcome === (this.#standing.head.outcome ?? null)
        ? {}
        : { outcome: this.#outcome }),
    };
    const outcomes = this.#defined === undefined ? {} : { outcomes: 1 };
    if (start !== undefined) {
      return {
        patch: { ...patch, ...startPatch(start.run, start.at) },
        session: { ...outcomes, status: 'running', start },
      };
    }
    if (this.#stop === undefined) return { patch, session: outcomes };
    return {
      patch: { ...patch, stop_reason: this.#stop },
      session: { stop: { reason: this.#stop, details: null } },
    };
  }

  /** Calls that an interrupt has closed leave nothing to go on with but what is said next. */
  #rest(): Partial<ThreadHead> {
    return this.#standing.head.phase === 'tools' ? { phase: 'take' } : {};
  }

  /** Some calls were answered, others still wait: the session says so again. */
  #waitOn(open: readonly OpenCall[], session: SessionHead): void {
    this.#stop = { type: 'requires_action', event_ids: open.map(({ event_id }) => event_id) };
    this.#lines.push(...sessionIdleLines({ reason: this.#stop }, billOf(session)));
  }

  #open(): readonly OpenCall[] {
    return this.#calls.filter(({ state }) => state === 'ask' || state === 'custom');
  }

  #queue(event: QueuedEvent): void {
    this.#queued.push(event);
    this.#echoes.push({ type: 'queued', event });
  }

  #append(event: Line['event']): void {
    this.#echoes.push({ type: 'line', index: this.#lines.length });
    this.#lines.push({ event });
  }

  #checkTakesWork(type: string): void {
    if (this.#running) return;
    const open = this.#open();
    if (open.length > 0) {
      const ids = open.map(({ event_id }) => event_id).join(', ');
      throw new Fault(
        'invalid',
        `events: the session waits for answers to ${ids}; a ${type} is not accepted. Answer them, or send a user.interrupt first.`,
      );
    }
    if (this.#standing.head.stop_reason?.type === 'budget_reached') {
      throw new Fault(
        'invalid',
        `events: the session has reached its budget; a ${type} is not accepted. Allowed are user.tool_confirmation, user.tool_result, user.custom_tool_result and user.interrupt. Raise or remove the budget to go on.`,
      );
    }
  }

  /** Behind a message it waits with it; alone or behind a result it takes its place at once. */
  #addSystemMessage(event: Extract<SendEvent, { type: 'system.message' }>): void {
    const id = newId('event');
    if (this.#running || this.#queued.length > 0) {
      return this.#queue({ ...event, id, processed_at: null });
    }
    if (this.#answered.size === 0) {
      this.#checkTakesWork(event.type);
      const stop = this.#standing.head.stop_reason?.type ?? 'end_turn';
      if (stop !== 'end_turn') {
        throw new Fault(
          'invalid',
          `events: a system.message alone needs a session that is idle with end_turn; it is ${stop}.`,
        );
      }
    }
    this.#append({ ...event, id });
  }

  #interrupt(event: Extract<SendEvent, { type: 'user.interrupt' }>): void {
    const { head, session } = this.#standing;
    const target = event.session_thread_id ?? head.thread_id;
    if (target !== head.thread_id) {
      throw new Fault(
        'invalid',
        `events: session_thread_id ${target} is not a thread of this session.`,
      );
    }
    const wire = { ...event, id: newId('event') };
    if (this.#running) return this.#queue({ ...wire, processed_at: null });
    if (this.#calls.length === 0 && head.stop_reason?.type === 'budget_reached') {
      this.#echoes.push({ type: 'void', event: wire });
      return;
    }
    this.#append(wire);
    this.#endOutcome();
    if (this.#calls.length === 0) return;
    const unanswered = this.#calls.filter(({ state }) => state !== 'answered');
    this.#lines.push(...unanswered.map(interruptedResult));
    this.#writes.push(...unanswered.flatMap((call) => this.#closing(call)));
    this.#calls = [];
    this.#answered.clear();
    this.#stop = { type: 'end_turn' };
    this.#lines.push(...idleLines(head, { reason: this.#stop }, billOf(session)));
  }

  /** One at a time; it is heard at once, and the model sees it with its next request. */
  #define(event: Extract<SendEvent, { type: 'user.define_outcome' }>): void {
    const { rubric } = event;
    invariant(rubric.type === 'text', 'rubrics that are files were read before');
    if (isActive(this.#outcome)) {
      throw new Fault(
        'invalid',
        `events: the session still works for outcome ${this.#outcome.outcome_id}; only one can be active. Wait for its result, or send a user.interrupt first.`,
      );
    }
    const stops = [...this.#standing.head.queue, ...this.#queued];
    if (stops.some(({ type }) => type === 'user.interrupt')) {
      throw new Fault(
        'invalid',
        'events: the session is about to stop for a user.interrupt. Define the outcome once it is idle.',
      );
    }
    this.#checkTakesWork(event.type);
    const outcome_id = newId('outcome');
    this.#defined = { ...event, rubric, id: newId('event'), outcome_id };
    this.#outcome = openOutcome(this.#defined);
    this.#append(this.#defined);
  }

  /** An interrupt at rest ends what the session was to work for. */
  #endOutcome(): void {
    if (!isActive(this.#outcome)) return;
    const ended = interruptedOutcome(this.#standing.head, this.#outcome, { at: this.#at });
    this.#lines.push(...ended.lines);
    this.#writes.push(...ended.writes);
    this.#outcome = null;
  }

  #confirm(event: Extract<SendEvent, { type: 'user.tool_confirmation' }>): void {
    const row = this.#callRow(event.tool_use_id, 'ask');
    const wire = { ...event, id: newId('event'), deny_message: event.deny_message ?? null };
    const state = event.result === 'allow' ? 'ready' : 'denied';
    if (!this.#answer(row, { state, deny_message: wire.deny_message })) {
      this.#echoes.push({ type: 'void', event: wire });
      return;
    }
    this.#append(wire);
  }

  #takeResult(event: Extract<SendEvent, { type: 'user.custom_tool_result' }>): void {
    const row = this.#callRow(event.custom_tool_use_id, 'custom');
    const wire = {
      ...event,
      id: newId('event'),
      content: event.content ?? [],
      is_error: event.is_error ?? false,
    };
    if (!this.#answer(row, { state: 'answered' })) {
      this.#echoes.push({ type: 'void', event: wire });
      return;
    }
    this.#append(wire);
  }

  #callRow(event_id: string, kind: CallRow['kind']): CallRow {
    const row = this.#standing.calls.get(event_id);
    if (row?.kind === kind) return row;
    const field = kind === 'ask' ? 'tool_use_id' : 'custom_tool_use_id';
    const what = kind === 'ask' ? 'a tool use that asks for confirmation' : 'a custom tool use';
    throw new Fault(
      'invalid',
      `events: ${field} ${event_id} does not name ${what} in this session.`,
    );
  }

  /** @returns false when the call was answered before: accepted, without effect. */
  #answer(row: CallRow, answer: Pick<OpenCall, 'state' | 'deny_message'>): boolean {
    const { event_id } = row;
    if (row.answered || this.#answered.has(event_id)) return false;
    if (!this.#calls.some((call) => call.event_id === event_id)) return false;
    this.#answered.add(event_id);
    this.#calls = this.#calls.map((call) =>
      call.event_id === event_id ? { ...call, ...answer } : call,
    );
    this.#writes.push(answeredWrite(this.#standing.session.session_id, event_id));
    return true;
  }

  #closing(call: OpenCall): Write[] {
    const waited = call.state === 'ask' || call.state === 'custom';
    if (!waited) return [];
    return [answeredWrite(this.#standing.session.session_id, call.event_id)];
  }
}

/** The head's version already guards this: the row only remembers it for late answers. */
export function answeredWrite(session_id: string, event_id: string): Write {
  return {
    update: callKey(session_id, event_id),
    expression: 'SET answered = :true',
    condition: 'attribute_exists(pk)',
    values: { ':true': true },
  };
}

export function startPatch(run: number, at: string): Partial<ThreadHead> {
  return {
    status: 'running',
    stop_reason: null,
    announced: false,
    attempts: 0,
    rounds: 0,
    running_since: at,
    run,
    lease_holder: null,
    lease_until_ms: 0,
  };
}

export function billOf(session: SessionHead): Bill {
  return { usage: usageSnapshot(session.usage), budget: session.budget };
}
