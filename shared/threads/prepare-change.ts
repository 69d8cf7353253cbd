import type { Blobs } from '../core/blobs.ts';
import { timestamp, type Clock } from '../core/clock.ts';
import { invariant } from '../core/invariant.ts';
import type { Row, Table, Write } from '../core/table.ts';
import { changeSession, type SessionChange } from '../sessions/session-change.ts';
import { sessionKey, type SessionHead } from '../sessions/session.ts';
import { mergeSession, type Change, type Other, type OtherChange } from './change.ts';
import { prepareAppend, type Appended } from './log.ts';
import { isChild } from './team.ts';
import { threadKey, type ThreadHead } from './thread.ts';

export interface ChangeStore {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
}

/** A run that begins with a change. */
export interface Begun {
  readonly thread_id: string;
  readonly run: number;
}

export interface Prepared {
  readonly appended: Appended;
  /** One transaction; the first is that of the thread's own head. */
  readonly writes: Write[];
  /** The index of the write of the session's head, where it has one: its condition means it is gone. */
  readonly session_at: number;
  /** The indexes of the change's own further writes: from, and up to. */
  readonly further: readonly [number, number];
  /** Runs of other threads, to be started once this is written. */
  readonly begun: readonly Begun[];
}

/**
 * Make a change one transaction: the thread's append, those of the threads that it touches, and the
 * session's head. Each head is written under the version that was read, so whoever loses a race reads
 * again and decides anew.
 *
 * @param patch What changes of the head besides, beneath the change's own patch.
 */
export async function prepareChange(
  store: ChangeStore,
  head: ThreadHead,
  change: Change,
  patch: Partial<ThreadHead> = {},
): Promise<Prepared> {
  const own = prepareAppend(store, head, change.lines, { ...patch, ...change.patch });
  const others = change.others ?? [];
  const touched = others.length === 0 ? [] : await touch(store, head.session_id, others);
  const appended = await own;
  const appends = await Promise.all(touched.map(async (one) => await append(store, one)));
  const merged = touched.reduce<SessionChange | undefined>(
    (sum, one) => mergeSession(sum, one.change.session),
    change.session,
  );
  const session = withThreads(merged, head, [{ head, change }, ...touched]);
  const writes = [...appended.writes, ...appends.flat()];
  const session_at = writes.length;
  if (session !== undefined) {
    writes.push(changeSession(head.session_id, session, timestamp(store.clock)));
  }
  const own_writes = [
    ...(change.writes ?? []),
    // At the last moment: readers take what is older than a few seconds for all that there is.
    ...(change.timedWrites?.(timestamp(store.clock)) ?? []),
  ];
  const further = [writes.length, writes.length + own_writes.length] as const;
  writes.push(...own_writes, ...touched.flatMap((one) => one.change.writes ?? []));
  const begun = touched.flatMap(({ head: { thread_id }, change: { starts } }) =>
    starts === undefined ? [] : [{ thread_id, run: starts }],
  );
  return { appended, writes, session_at, further, begun };
}

/**
 * With how long threads were active that rest with this. A session whose primary thread is its only one has
 * been active as long as that one, which its own sum says already.
 */
function withThreads(
  session: SessionChange | undefined,
  head: ThreadHead,
  changed: readonly Pick<Touched, 'head' | 'change'>[],
): SessionChange | undefined {
  if (head.team === undefined && !isChild(head)) return session;
  const threads_active_ms = changed.reduce((sum, { head: { usage }, change: { patch } }) => {
    return sum + (patch?.usage?.active_ms ?? usage.active_ms) - usage.active_ms;
  }, 0);
  return threads_active_ms === 0 ? session : { ...session, threads_active_ms };
}

interface Touched {
  readonly head: ThreadHead;
  readonly is_new: boolean;
  readonly change: OtherChange;
}

async function touch(
  { table }: ChangeStore,
  session_id: string,
  others: readonly Other[],
): Promise<Touched[]> {
  const unknown = new Set(others.flatMap(({ head, thread_id }) => (head ? [] : [thread_id])));
  const keys = [...unknown].map((thread_id) => threadKey(thread_id));
  const rows = await table.getMany([sessionKey(session_id), ...keys]);
  const session = rows.find(({ pk }) => pk.startsWith('SESSION#'));
  invariant(session !== undefined, 'a thread has its session');
  const touched = new Map<string, Touched>();
  for (const { thread_id, head, is_new = false, change } of others) {
    const before = touched.get(thread_id) ?? begin(head ?? headIn(rows, thread_id), is_new);
    const next = change({ ...before.head, ...before.change.patch }, session as SessionHead);
    touched.set(thread_id, { ...before, change: join(before.change, next) });
  }
  return [...touched.values()];
}

function headIn(rows: readonly Row[], thread_id: string): ThreadHead {
  const head = rows.find(({ pk }) => pk === threadKey(thread_id).pk);
  invariant(head !== undefined, 'a thread that is written to exists');
  return head as ThreadHead;
}

function begin(head: ThreadHead, is_new: boolean): Touched {
  return { head, is_new, change: { lines: [] } };
}

function join(first: OtherChange, second: OtherChange): OtherChange {
  const session = mergeSession(first.session, second.session);
  const starts = second.starts ?? first.starts;
  return {
    lines: [...first.lines, ...second.lines],
    patch: { ...first.patch, ...second.patch },
    writes: [...(first.writes ?? []), ...(second.writes ?? [])],
    ...(session === undefined ? {} : { session }),
    ...(starts === undefined ? {} : { starts }),
  };
}

async function append(store: ChangeStore, { head, is_new, change }: Touched): Promise<Write[]> {
  const appended = await prepareAppend(store, head, change.lines, change.patch);
  if (!is_new) return appended.writes;
  const [, ...entries] = appended.writes;
  const first = { ...appended.head, version: 1 };
  return [{ put: first, condition: 'attribute_not_exists(pk)' }, ...entries];
}
