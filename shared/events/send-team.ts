import { newId } from '../core/id.ts';
import { statusLine } from '../threads/status-lines.ts';
import { isAtWork, memberOf, withMember } from '../threads/team.ts';
import type { OpenCall, ThreadHead } from '../threads/thread.ts';
import type { Line } from './event.ts';
import type { Standing } from './plan.ts';
import { ChildDraft, type ChildPlan } from './send-child.ts';

/** What an interrupt has reached among children. */
interface Reached {
  /** What the session's log says of those that waited. */
  readonly reached: readonly Line[];
  /** Whether any had something to stop. */
  readonly stops: boolean;
}

export const nobody: Reached = { reached: [], stops: false };

/** The children's part of a request: drafts of those that it reaches, and the team as it becomes. */
export class TeamDraft {
  readonly #standing: Standing;
  readonly #children = new Map<string, ChildDraft>();
  /** Calls of children that the request has answered. */
  readonly answered = new Set<string>();
  #team: ThreadHead['team'];

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#team = standing.head.team;
  }

  has(thread_id: string): boolean {
    return memberOf(this.#standing.head, thread_id) !== undefined;
  }

  interrupt(): Reached {
    const members = this.#team?.members ?? [];
    const stops = members.some(({ status, stop_reason }) => {
      return isAtWork(status) || stop_reason?.type === 'requires_action';
    });
    const reached = members.flatMap(({ thread_id }) => this.interruptOne(thread_id) ?? []);
    return { reached, stops };
  }

  /** @returns undefined when the child has nothing to stop */
  interruptOne(thread_id: string): readonly Line[] | undefined {
    const lines = this.#child(thread_id)?.interrupt();
    this.#note();
    return lines;
  }

  /** @returns false when the call was answered before: accepted, without effect */
  answer(
    thread_id: string,
    {
      event_id,
      answer,
      event,
    }: {
      readonly event_id: string;
      readonly answer: Pick<OpenCall, 'state' | 'deny_message'>;
      readonly event: Line['event'];
    },
  ): boolean {
    if (this.#child(thread_id)?.answer(event_id, answer, event) !== true) return false;
    this.answered.add(event_id);
    return true;
  }

  /** What becomes of the children, and what the session's own log says of it. */
  finish(): { readonly children: readonly ChildPlan[]; readonly lines: readonly Line[] } {
    this.#note();
    const children = [...this.#children.values()].map((child) => child.finish());
    const started = children.filter(({ run }) => run !== undefined);
    const lines = started.map(({ head }) => statusLine('session.thread_status_running', head));
    if (this.#team?.is_announced !== false || lines.length === 0) return { children, lines };
    this.#team = { ...this.#team, is_announced: true };
    const running: Line = { event: { id: newId('event'), type: 'session.status_running' } };
    return { children, lines: [running, ...lines] };
  }

  /** What of it the primary thread's head takes. @param since When the session begins to run with this */
  patch(since: string | undefined): Pick<ThreadHead, 'team'> {
    const team = this.#team;
    if (team === undefined) return {};
    const next = since === undefined ? team : { ...team, running_since: since };
    return next === this.#standing.head.team ? {} : { team: next };
  }

  /** From what stood before: a later event may undo what an earlier one has decided of a child. */
  #note(): void {
    let { head } = this.#standing;
    for (const [thread_id, child] of this.#children) {
      head = { ...head, ...withMember(head, thread_id, child.finish().member) };
    }
    this.#team = head.team;
  }

  /** Undefined for one that has nothing to do with the request. */
  #child(thread_id: string): ChildDraft | undefined {
    const known = this.#children.get(thread_id);
    if (known !== undefined) return known;
    const head = this.#standing.children?.get(thread_id);
    if (head === undefined || !this.has(thread_id)) return undefined;
    const draft = new ChildDraft(head);
    this.#children.set(thread_id, draft);
    return draft;
  }
}
