import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { backoffMs } from '../../core/backoff.ts';
import { Fault } from '../../core/fault.ts';
import { primaryThreadId } from '../../core/id.ts';
import { limits } from '../../core/limits.ts';
import { ConditionFailed, type Write } from '../../core/table.ts';
import type { Line } from '../../events/event.ts';
import { changeSession } from '../../sessions/session-change.ts';
import { prepareAppend, type LogStore } from '../../threads/log.ts';
import { threadKey, type ThreadHead, type Usage } from '../../threads/thread.ts';
import { addUsage } from '../../sessions/add-usage.ts';
import type { DreamHead } from '../dream.ts';

/** What is said in the dream's session, and what is written with it. */
export interface Said {
  readonly lines: readonly Line[];
  /** Come first in the transaction; refused, they have been written by another, with the lines. */
  readonly writes: readonly Write[];
  /** What the session has used with this. */
  readonly usage?: Partial<Usage>;
}

interface Turns {
  readonly limit: LimitFunction;
  /** As this process has left it; a stale one is refused by its version. */
  head?: ThreadHead;
}

/**
 * Logs that this process is writing to. Requests of a stage run side by side, and one that loses the
 * race for the head of the log is written again: in one process they take turns.
 */
const turns = new Map<string, Turns>();

/**
 * Append to the session that a dream runs as, in one transaction with what it is about. Where that
 * session is no longer there or has ended, what it is about is written alone.
 *
 * @returns false when one of `writes` was refused: then nothing was written
 * @throws Fault `busy` when too many others write to the log
 */
export async function say(store: LogStore, dream: DreamHead, said: Said): Promise<boolean> {
  const thread_id = primaryThreadId(dream.pipeline_session_id);
  const mine = turns.get(thread_id) ?? { limit: pLimit(1) };
  turns.set(thread_id, mine);
  try {
    return await mine.limit(append, store, thread_id, said, mine);
  } finally {
    if (mine.limit.activeCount + mine.limit.pendingCount === 0) turns.delete(thread_id);
  }
}

async function append(
  store: LogStore,
  thread_id: string,
  said: Said,
  mine: Turns,
): Promise<boolean> {
  const { writes } = said;
  let is_open = true;
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const head: ThreadHead | undefined = mine.head ?? (await headOf(store, thread_id));
    delete mine.head;
    const spoken: Spoken =
      is_open && head?.status === 'running' ? await speak(store, head, said) : silence;
    try {
      await store.table.transact([...writes, ...spoken.writes]);
      if (spoken.head !== undefined) mine.head = spoken.head;
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (error.failed.some((index) => index < writes.length)) return false;
      // Its session is deleted: its thread is swept later.
      is_open = !error.failed.some((index) => index < writes.length + spoken.bills_count);
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `The log of thread ${thread_id} is written to by too many at once.`);
}

interface Spoken {
  /** The session's bill first. */
  readonly writes: readonly Write[];
  readonly bills_count: number;
  readonly head?: ThreadHead;
}

const silence: Spoken = { writes: [], bills_count: 0 };

async function speak(store: LogStore, head: ThreadHead, { lines, usage }: Said): Promise<Spoken> {
  const at = store.clock.now().toISOString();
  const bill = usage === undefined ? [] : [changeSession(head.session_id, { usage }, at)];
  const patch = usage === undefined ? {} : { usage: addUsage(head.usage, usage) };
  const appended = await prepareAppend(store, head, lines, patch);
  return {
    writes: [...bill, ...appended.writes],
    bills_count: bill.length,
    head: appended.head,
  };
}

async function headOf({ table }: LogStore, thread_id: string): Promise<ThreadHead | undefined> {
  return (await table.get(threadKey(thread_id))) as ThreadHead | undefined;
}
