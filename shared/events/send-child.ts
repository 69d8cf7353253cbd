import { newId } from '../core/id.ts';
import { isHeld, isWaiting } from './answered.ts';
import { interruptedResult } from './call-lines.ts';
import type { Line } from './event.ts';
import type { QueuedEvent } from './inbox.ts';
import { statusLine, threadIdleLine } from '../threads/status-lines.ts';
import { cutsWait, isAtWork } from '../threads/team.ts';
import type { Member, OpenCall, StopReason, ThreadHead } from '../threads/thread.ts';

/** What a request does to one child thread. */
export interface ChildPlan {
  readonly head: ThreadHead;
  readonly lines: readonly Line[];
  readonly queued: readonly QueuedEvent[];
  readonly patch: Partial<ThreadHead>;
  /** What its primary thread knows of it from now on. */
  readonly member: Partial<Member>;
  /** The run that begins: all that it waited for has been answered. */
  readonly run: number | undefined;
  /** The run that goes on with a turn whose wait is cut. @default - none */
  readonly cut?: number;
}

/** A child thread's part of a request: answers to its calls, and interrupts. */
export class ChildDraft {
  readonly #head: ThreadHead;
  readonly #lines: Line[] = [];
  readonly #queued: QueuedEvent[] = [];
  readonly #answered = new Set<string>();
  #calls: readonly OpenCall[];
  #stop: StopReason | undefined;

  constructor(head: ThreadHead) {
    this.#head = head;
    this.#calls = head.calls;
  }

  /** @returns false when the call was answered before: accepted, without effect */
  answer(
    event_id: string,
    answer: Pick<OpenCall, 'state' | 'deny_message'>,
    event: Line['event'],
  ): boolean {
    if (!this.#calls.some((call) => call.event_id === event_id && isWaiting(call))) return false;
    this.#answered.add(event_id);
    this.#calls = this.#calls.map((call) =>
      call.event_id === event_id ? { ...call, ...answer } : call,
    );
    this.#lines.push({ event });
    return true;
  }

  /** @returns what the session's log says of it now; undefined when it has nothing to stop */
  interrupt(): readonly Line[] | undefined {
    const event = { id: newId('event'), type: 'user.interrupt' as const };
    if (isAtWork(this.#head.status)) {
      this.#queued.push({ ...event, processed_at: null });
      return [];
    }
    if (!isHeld(this.#calls, this.#answered)) return undefined;
    const open = this.#calls.filter(({ state }) => state !== 'answered');
    this.#stop = { type: 'end_turn' };
    const idle = (): Line => threadIdleLine(this.#head, { reason: { type: 'end_turn' } });
    this.#lines.push({ event }, ...open.map(interruptedResult), idle());
    this.#calls = [];
    this.#answered.clear();
    return [idle()];
  }

  finish(): ChildPlan {
    const head = this.#head;
    const waiting = this.#calls.filter(isWaiting);
    const is_idle = !isAtWork(head.status);
    const starts = is_idle && this.#answered.size > 0 && waiting.length === 0;
    const stop = this.#stop ?? this.#remaining(waiting);
    const rest: Partial<ThreadHead> = {
      calls: this.#calls,
      ...(this.#calls.length === 0 && head.phase === 'tools' ? { phase: 'take' } : {}),
    };
    const parts = { head, queued: this.#queued };
    if (starts) {
      return {
        ...parts,
        lines: [...this.#lines, statusLine('session.thread_status_running', head)],
        patch: rest,
        member: { status: 'running', stop_reason: null },
        run: head.run + 1,
      };
    }
    const changed = is_idle && stop !== undefined;
    return {
      ...parts,
      lines: this.#lines,
      patch: { ...rest, ...(changed ? { stop_reason: stop } : {}) },
      member: changed ? { stop_reason: stop } : {},
      run: undefined,
      ...(cutsWait(head, this.#queued) ? { cut: head.run + 1 } : {}),
    };
  }

  #remaining(waiting: readonly OpenCall[]): StopReason | undefined {
    if (this.#answered.size === 0) return undefined;
    return { type: 'requires_action', event_ids: waiting.map(({ event_id }) => event_id) };
  }
}
