import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import { newId } from '../core/id.ts';
import type { Write } from '../core/table.ts';
import { openOutcome, type DefinedOutcome } from '../outcomes/define.ts';
import { interruptedOutcome } from '../outcomes/interrupted.ts';
import { isActive, type OpenOutcome } from '../outcomes/outcome.ts';
import type { CallRow } from '../sessions/session.ts';
import { billOf } from '../sessions/session-usage.ts';
import type { SessionChange } from '../sessions/session-change.ts';
import { startPatch } from '../threads/start.ts';
import { saidStop, sessionIdleLines, threadIdleLine } from '../threads/status-lines.ts';
import { cutsWait, isAtWork, isWoken, sessionStop, sessionWorks } from '../threads/team.ts';
import type { OpenCall, StopReason, ThreadHead } from '../threads/thread.ts';
import { isHeld, isWaiting, withAbandoned } from './answered.ts';
import { interruptedResult } from './call-lines.ts';
import type { Line } from './event.ts';
import { callRowOf, capped, checkOpen, checkRoom, unanswered } from './checks.ts';
import type { QueuedEvent } from './inbox.ts';
import { goingOn, type Answer, type Echo, type Plan, type Standing } from './plan.ts';
import type { ChildPlan } from './send-child.ts';
import { nobody, TeamDraft } from './send-team.ts';
import type { SendEvent } from './params.ts';

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
  /** Whether the log has been told anew why the session rests. */
  #is_said = false;
  #outcome: OpenOutcome | null;
  #defined: DefinedOutcome | undefined;
  readonly #team: TeamDraft;
  /** Whether any thread runs, so that the session does not rest whatever is answered. */
  readonly #works: boolean;

  constructor(standing: Standing, at: string) {
    this.#at = at;
    this.#standing = standing;
    this.#calls = standing.head.calls;
    this.#outcome = standing.head.outcome ?? null;
    this.#running = isAtWork(standing.head.status);
    this.#works = sessionWorks(standing.head);
    this.#team = new TeamDraft(standing);
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
    const { head } = this.#standing;
    checkRoom(this.#queued, head.queue);
    const run = this.#starts() ? head.run + 1 : undefined;
    const { children, lines } = this.#team.finish();
    this.#lines.push(...lines);
    const begins = run !== undefined || children.some((child) => child.run !== undefined);
    if (!begins) this.#sayWaiting(children);
    const start = { ...(run === undefined ? {} : { run }), ...this.#since() };
    const cut = cutsWait(head, this.#queued) ? head.run + 1 : undefined;
    return {
      ...goingOn(this.#heads(begins ? start : undefined), cut),
      lines: this.#lines,
      queued: this.#queued,
      writes: this.#writes,
      echoes: this.#echoes,
      run: run ?? cut,
      defined: this.#defined,
      children,
    };
  }

  /** Whether the primary thread's run begins; else, what it still waits for when some was answered. */
  #starts(): boolean {
    if (this.#running) return false;
    const open = this.#open();
    const is_answered = this.#answered.size > 0;
    const resolved = this.#calls.length > 0 && is_answered && open.length === 0;
    if (resolved || this.#queued.length > 0 || this.#defined || this.#judges()) return true;
    if (this.#frees()) return true;
    if (is_answered) {
      this.#stop = { type: 'requires_action', event_ids: open.map(({ event_id }) => event_id) };
    }
    return false;
  }

  /** Whether messages have waited only for calls that an interrupt has closed. */
  #frees(): boolean {
    const { calls, queue } = this.#standing.head;
    return queue.length > 0 && calls.length > 0 && this.#calls.length === 0;
  }

  /** Whether an outcome has waited only for a child that was interrupted. */
  #judges(): boolean {
    return isWoken({ ...this.#primary(), outcome: this.#outcome }, false);
  }

  /** A session that runs already has been running since before. */
  #since(): Pick<NonNullable<SessionChange['start']>, 'at'> {
    return this.#works ? {} : { at: this.#at };
  }

  /** The primary thread as it stands with what was decided so far. */
  #primary(): ThreadHead {
    const { head } = this.#standing;
    return {
      ...head,
      calls: this.#calls,
      stop_reason: this.#stop ?? head.stop_reason,
      ...this.#team.patch(undefined),
    };
  }

  /** What becomes of the thread's head and the session's. */
  #heads(start: SessionChange['start'] | undefined): Pick<Plan, 'patch' | 'session'> {
    const patch = {
      calls: this.#calls,
      ...(this.#calls.length === 0 ? this.#rest() : {}),
      ...(this.#outcome === (this.#standing.head.outcome ?? null)
        ? {}
        : { outcome: this.#outcome }),
      ...(this.#stop === undefined ? {} : { stop_reason: this.#stop }),
      ...this.#team.patch(start?.at),
    };
    const outcomes = this.#defined === undefined ? {} : { outcomes: 1 };
    if (start !== undefined) {
      const begun = start.run === undefined ? {} : startPatch(start.run, this.#at);
      return {
        patch: { ...patch, ...begun },
        session: { ...outcomes, status: 'running', start },
      };
    }
    if (!this.#is_said) return { patch, session: outcomes };
    return { patch, session: { stop: { reason: this.#said(), details: null } } };
  }

  /** Calls that an interrupt has closed leave nothing to go on with but what is said next. */
  #rest(): Partial<ThreadHead> {
    return this.#standing.head.phase === 'tools' ? { phase: 'take' } : {};
  }

  /** The session says again what it waits for, when that has changed and nothing runs. */
  #sayWaiting(children: readonly ChildPlan[]): void {
    const answered = this.#answered.size > 0 || children.some(({ member }) => member.stop_reason);
    if (this.#works || !answered || this.#is_said) return;
    this.#sayIdle();
  }

  #sayIdle(): void {
    const reason = this.#said();
    this.#lines.push(...sessionIdleLines({ reason }, billOf(this.#standing.session)));
    this.#is_said = true;
  }

  #said(): StopReason {
    return saidStop(sessionStop(this.#primary()), billOf(this.#standing.session));
  }

  #open(): readonly OpenCall[] {
    return this.#calls.filter(isWaiting);
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
    const ids = this.#awaited().join(', ');
    if (ids !== '') throw unanswered(type, ids);
    if (this.#isCapped()) throw capped(type);
  }

  /** Answers that must come before anything else: of a session that rests, those of all threads. */
  #awaited(): string[] {
    const own = this.#open().map(({ event_id }) => event_id);
    if (this.#works) return own;
    const stop = sessionStop(this.#primary());
    const others = stop.type === 'requires_action' ? stop.event_ids : [];
    const closed = new Set([...own, ...this.#answered, ...this.#team.answered]);
    return [...own, ...others.filter((id) => !closed.has(id))];
  }

  #isCapped(): boolean {
    const { head, session } = this.#standing;
    if (head.stop_reason?.type === 'budget_reached') return true;
    if (this.#works) return false;
    return sessionStop(head).type === 'budget_reached' || billOf(session).is_used_up;
  }

  /** Behind a message it waits with it; behind a result it takes its place at once, and alone at rest. */
  #addSystemMessage(event: Extract<SendEvent, { type: 'system.message' }>): void {
    const id = newId('event');
    const is_behind_result = this.#answered.size > 0;
    if (this.#queued.length > 0 || (this.#running && !is_behind_result)) {
      return this.#queue({ ...event, id, processed_at: null });
    }
    if (!is_behind_result && this.#team.answered.size === 0) {
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

  /** Without a thread's id it reaches all of them. */
  #interrupt(event: Extract<SendEvent, { type: 'user.interrupt' }>): void {
    const { head } = this.#standing;
    const wire = { ...event, id: newId('event') };
    const target = event.session_thread_id ?? undefined;
    if (target !== undefined && target !== head.thread_id) {
      return this.#interruptChild(wire, target);
    }
    const { reached, stops } = target === undefined ? this.#team.interrupt() : nobody;
    if (this.#running) {
      this.#queue({ ...wire, processed_at: null });
      return this.#closed(reached, false);
    }
    if (!isHeld(this.#calls, this.#answered) && !stops && this.#isCapped()) {
      this.#echoes.push({ type: 'void', event: wire });
      return;
    }
    this.#append(wire);
    this.#endOutcome();
    this.#closed(reached, this.#closeOwn());
  }

  /** Close what the primary thread waits for. @returns whether there was anything */
  #closeOwn(): boolean {
    if (!isHeld(this.#calls, this.#answered)) return false;
    const unanswered = this.#calls.filter(({ state }) => state !== 'answered');
    this.#lines.push(...unanswered.map(interruptedResult));
    this.#calls = [];
    this.#answered.clear();
    this.#stop = { type: 'end_turn' };
    this.#lines.push(threadIdleLine(this.#standing.head, { reason: this.#stop }));
    return true;
  }

  /** Say what an interrupt has closed, and that the session rests anew. */
  #closed(reached: readonly Line[], is_own: boolean): void {
    this.#lines.push(...reached);
    if (this.#works || this.#judges()) return;
    if (is_own || reached.length > 0) this.#sayIdle();
  }

  #interruptChild(wire: Line['event'] & { type: 'user.interrupt' }, target: string): void {
    if (!this.#team.has(target)) {
      throw new Fault(
        'invalid',
        `events: session_thread_id ${target} is not a thread of this session that can be interrupted.`,
      );
    }
    const abandoned = withAbandoned(this.#calls, target);
    this.#calls = abandoned ?? this.#calls;
    if (abandoned !== undefined) return this.#append(wire);
    const reached = this.#team.interruptOne(target);
    if (reached === undefined) {
      this.#echoes.push({ type: 'void', event: wire });
      return;
    }
    this.#append(wire);
    this.#closed(reached, false);
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
    const row = callRowOf(this.#standing, event.tool_use_id, 'ask');
    const { session_thread_id: _, ...own } = event;
    const wire = { ...own, id: newId('event'), deny_message: event.deny_message ?? null };
    const state = event.result === 'allow' ? 'ready' : 'denied';
    this.#answer(row, { state, deny_message: wire.deny_message }, wire);
  }

  #takeResult(event: Extract<SendEvent, { type: 'user.custom_tool_result' }>): void {
    const row = callRowOf(this.#standing, event.custom_tool_use_id, 'custom');
    const { session_thread_id: _, ...own } = event;
    const wire = {
      ...own,
      id: newId('event'),
      content: event.content ?? [],
      is_error: event.is_error ?? false,
    };
    this.#answer(row, { state: 'answered' }, wire);
  }

  /** A call that was answered before is accepted, without effect. */
  #answer(row: CallRow, answer: Pick<OpenCall, 'state' | 'deny_message'>, wire: Answer): void {
    const { head } = this.#standing;
    if (row.thread_id !== head.thread_id) return this.#answerChild(row, answer, wire);
    if (!this.#isTaken(row, answer)) {
      this.#echoes.push({ type: 'void', event: wire });
      return;
    }
    this.#append(wire);
  }

  /** The session's log shows to which thread the answer went; that thread's own has it as its own. */
  #answerChild(
    { thread_id, event_id }: CallRow,
    answer: Pick<OpenCall, 'state' | 'deny_message'>,
    wire: Answer,
  ): void {
    const event = { ...wire, session_thread_id: thread_id };
    const own = { ...wire, id: newId('event') };
    const is_taken = this.#team.answer(thread_id, { event_id, answer, event: own });
    if (is_taken) return this.#append(event);
    this.#echoes.push({ type: 'void', event });
  }

  #isTaken({ event_id }: CallRow, answer: Pick<OpenCall, 'state' | 'deny_message'>): boolean {
    if (!this.#calls.some((call) => call.event_id === event_id && isWaiting(call))) return false;
    this.#answered.add(event_id);
    this.#calls = this.#calls.map((call) =>
      call.event_id === event_id ? { ...call, ...answer } : call,
    );
    return true;
  }
}
