import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { backoffMs } from '../../core/backoff.ts';
import { Fault } from '../../core/fault.ts';
import { primaryThreadId } from '../../core/id.ts';
import { limits } from '../../core/limits.ts';
import { ConditionFailed, type Update, type Write } from '../../core/table.ts';
import type { Line } from '../../events/event.ts';
import { changeSession } from '../../sessions/session-change.ts';
import { prepareAppend, type LogStore } from '../../threads/log.ts';
import { threadKey, type ThreadHead, type Usage } from '../../threads/thread.ts';
import { addUsage } from '../../turn/turn.ts';
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
  { lines, writes, usage }: Said,
  mine: Turns,
): Promise<boolean> {
  let is_open = true;
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const head: ThreadHead | undefined = mine.head ?? (await headOf(store, thread_id));
    delete mine.head;
    const open: ThreadHead | undefined = is_open && head?.status === 'running' ? head : undefined;
    const appended = open && (await prepareAppend(store, open, lines, patchOf(open, usage)));
    const bill: Update[] = open ? billOf(store, open, usage) : [];
    try {
      await store.table.transact([...writes, ...bill, ...(appended?.writes ?? [])]);
      if (appended !== undefined) mine.head = appended.head;
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const [first = 0] = error.failed;
      if (first < writes.length) return false;
      // Deleted: its thread is swept later.
      is_open = first >= writes.length + bill.length;
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `The log of thread ${thread_id} is written to by too many at once.`);
}

async function headOf({ table }: LogStore, thread_id: string): Promise<ThreadHead | undefined> {
  return (await table.get(threadKey(thread_id))) as ThreadHead | undefined;
}

function patchOf(head: ThreadHead, usage: Said['usage']): Partial<ThreadHead> {
  return usage === undefined ? {} : { usage: addUsage(head.usage, usage) };
}

function billOf({ clock }: LogStore, { session_id }: ThreadHead, usage: Said['usage']): Update[] {
  if (usage === undefined) return [];
  return [changeSession(session_id, { usage }, clock.now().toISOString())];
}
