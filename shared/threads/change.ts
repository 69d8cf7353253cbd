import type { Write } from '../core/table.ts';
import type { Line } from '../events/event.ts';
import type { SessionChange } from '../sessions/session-change.ts';
import type { SessionHead } from '../sessions/session.ts';
import type { ThreadHead } from './thread.ts';

/** What one append changes, computed from the head as it stands at the moment of writing. */
export interface Change {
  readonly lines: readonly Line[];
  readonly patch?: Partial<ThreadHead>;
  readonly session?: SessionChange;
  readonly writes?: readonly Write[];
  /** Further ones that tell when they are sent, of ISO time. */
  readonly timedWrites?: (at: string) => readonly Write[];
  /** Why the thread comes to rest with this change: counted once, when it stands in the log. */
  readonly settled?: string;
  /** What becomes of other threads of the session, in the same transaction. */
  readonly others?: readonly Other[];
}

/** Another thread that a change writes to. Several of one thread take effect one after the other. */
export interface Other {
  readonly thread_id: string;
  /** Its head where it is known already, or begins with this. @default - it is read */
  readonly head?: ThreadHead;
  /** Whether it begins with this. @default false */
  readonly is_new?: boolean;
  /** From its head as it stands, and that of the session. */
  readonly change: (head: ThreadHead, session: SessionHead) => OtherChange;
}

export interface OtherChange extends Omit<Change, 'others' | 'settled' | 'timedWrites'> {
  /** The run of that thread that begins with this: it is started once all is written. */
  readonly starts?: number;
}

/** Sums and statuses of two changes of one session as one; the later on top. */
export function mergeSession(
  first: SessionChange | undefined,
  second: SessionChange | undefined,
): SessionChange | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return { ...first, ...second, usage: { ...first.usage, ...second.usage } };
}
