import type { Write } from '../core/table.ts';
import type { DefinedOutcome } from '../outcomes/define.ts';
import type { CallRow, SessionHead } from '../sessions/session.ts';
import type { SessionChange } from '../sessions/session-change.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { Line } from './event.ts';
import type { QueuedEvent } from './inbox.ts';
import type { ChildPlan } from './send-child.ts';

/** What a request reads before it decides. */
export interface Standing {
  readonly head: ThreadHead;
  readonly session: SessionHead;
  /** Rows of the calls that the request answers, by the call's event. */
  readonly calls: ReadonlyMap<string, CallRow>;
  /** Heads of the children that the request may reach. @default - none */
  readonly children?: ReadonlyMap<string, ThreadHead>;
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
  /** The run to start once all this is stored: one that begins, or goes on with a turn whose wait is cut. */
  readonly run: number | undefined;
  /** The outcome among the lines: its row is written with them. */
  readonly defined: DefinedOutcome | undefined;
  readonly children: readonly ChildPlan[];
}

/** The answer to a call. */
export type Answer = Extract<
  Line['event'],
  { type: 'user.tool_confirmation' | 'user.custom_tool_result' }
>;

type Heads = Pick<Plan, 'patch' | 'session'>;

/** With a run, the turn that is under way goes on as that one. */
export function goingOn(heads: Heads, run: number | undefined): Heads {
  if (run === undefined) return heads;
  const { patch, session } = heads;
  return { patch: { ...patch, run }, session: { ...session, start: { ...session.start, run } } };
}
