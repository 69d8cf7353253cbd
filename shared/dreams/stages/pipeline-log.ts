import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../core/backoff.ts';
import { Fault } from '../../core/fault.ts';
import { primaryThreadId } from '../../core/id.ts';
import { limits } from '../../core/limits.ts';
import {
  ConditionFailed,
  keyOfWrite,
  type Key,
  type Update,
  type Write,
} from '../../core/table.ts';
import type { Line } from '../../events/event.ts';
import { addRequestUsage, type RequestUsage } from '../../models/model.ts';
import { addUsage } from '../../sessions/add-usage.ts';
import { changeSession } from '../../sessions/session-change.ts';
import { prepareAppend, type LogStore } from '../../threads/log.ts';
import { threadKey, type ThreadHead } from '../../threads/thread.ts';
import { dreamKey, type DreamHead } from '../dream.ts';

/** What is said in the dream's session, and what is written with it. */
export interface Said {
  readonly lines: readonly Line[];
  /** Come first in the transaction; refused, they have been written by another, with the lines. */
  readonly writes: readonly Write[];
  /** What a request has used: counted for the dream, its session and the session's thread. */
  readonly usage?: RequestUse;
}

export type RequestUse = RequestUsage & { readonly cost_microcents: number };

/** Somebody who waits for what it says to be written. */
interface Speaker {
  readonly dream: DreamHead;
  readonly said: Said;
  readonly resolve: (is_written: boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface Log {
  readonly waiting: Speaker[];
  /** As this process has left it; a stale one is refused by its version. */
  head?: ThreadHead;
}

/**
 * Logs that this process is writing to. Requests of a stage run side by side, and who loses the race for
 * the head of the log is written again: in one process they take turns, and whatever came up during one
 * turn is written together in the next.
 */
const logs = new Map<string, Log>();

/**
 * Append to the session that a dream runs as, in one transaction with what it is about. Where that
 * session is no longer there or has ended, what it is about is written alone.
 *
 * @returns false when one of `writes` was refused: then nothing was written
 * @throws Fault `busy` when too many others write to the log
 */
export async function say(store: LogStore, dream: DreamHead, said: Said): Promise<boolean> {
  const thread_id = primaryThreadId(dream.pipeline_session_id);
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const speaker = { dream, said, resolve, reject };
  const log = logs.get(thread_id);
  if (log === undefined) void writeAll(store, thread_id, { waiting: [speaker] });
  else log.waiting.push(speaker);
  return await promise;
}

async function writeAll(store: LogStore, thread_id: string, log: Log): Promise<void> {
  logs.set(thread_id, log);
  while (log.waiting.length > 0) {
    const together = log.waiting.splice(0, togetherCount(log.waiting));
    // oxlint-disable-next-line no-await-in-loop -- they take turns
    await write(store, thread_id, log, together);
  }
  logs.delete(thread_id);
}

/** How many of those that wait fit into one transaction; no row stands in it twice. */
function togetherCount(waiting: readonly Speaker[]): number {
  const keys = new Set<string>();
  const end = waiting.findIndex(({ dream, said }, index) => {
    const own = said.writes.map((each) => nameOf(keyOfWrite(each)));
    if (index === limits.dream_lines_together_max || own.some((name) => keys.has(name)))
      return true;
    for (const name of own) keys.add(name);
    // What is used is counted in the dream's own row.
    return keys.has(nameOf(dreamKey(dream.dream_id)));
  });
  return end === -1 ? waiting.length : Math.max(1, end);
}

/** Tell each of them whether what it said is written. */
async function write(
  store: LogStore,
  thread_id: string,
  log: Log,
  together: readonly Speaker[],
): Promise<void> {
  try {
    const written = await append(store, thread_id, log, together);
    for (const speaker of together) speaker.resolve(written.has(speaker));
  } catch (error) {
    const [first, ...others] = together;
    if (others.length === 0) return first?.reject(error);
    // The fault of one is not that of the others.
    // oxlint-disable-next-line no-await-in-loop -- they take turns
    for (const speaker of together) await write(store, thread_id, log, [speaker]);
  }
}

/** @returns those whose writes were not refused */
async function append(
  store: LogStore,
  thread_id: string,
  log: Log,
  together: readonly Speaker[],
): Promise<ReadonlySet<Speaker>> {
  let left = together;
  let is_open = true;
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const head: ThreadHead | undefined = log.head ?? (await headOf(store, thread_id));
    delete log.head;
    const spoken = await speak(
      store,
      is_open && head?.status === 'running' ? head : undefined,
      left,
    );
    try {
      await store.table.transact(spoken.writes);
      if (spoken.head !== undefined) log.head = spoken.head;
      return new Set(left);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const failed = error.failed.map((index) => spoken.of[index]);
      const refused = left.filter((speaker) => failed.includes(speaker));
      left = left.filter((speaker) => !refused.includes(speaker));
      if (left.length === 0 || failed.includes('count')) return new Set();
      // Its session is deleted: its thread is swept later.
      if (failed.includes('bill')) is_open = false;
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `The log of thread ${thread_id} is written to by too many at once.`);
}

interface Spoken {
  readonly writes: readonly Write[];
  /** Of each write: whose it is, or what it does. */
  readonly of: readonly (Speaker | 'count' | 'bill' | 'log')[];
  readonly head?: ThreadHead;
}

/** @param head Of the log; undefined where nothing can be said any more */
async function speak(
  store: LogStore,
  head: ThreadHead | undefined,
  speakers: readonly Speaker[],
): Promise<Spoken> {
  const own = speakers.flatMap((speaker) =>
    speaker.said.writes.map((one) => [one, speaker] as const),
  );
  const usage = speakers.reduce<RequestUse | undefined>(
    (sum, { said }) => both(sum, said.usage),
    undefined,
  );
  const [first] = speakers;
  const count = usage && first ? [[countOf(first.dream.dream_id, usage), 'count'] as const] : [];
  if (head === undefined) return spokenOf([...own, ...count]);
  const at = store.clock.now().toISOString();
  const bill = usage ? [[changeSession(head.session_id, { usage }, at), 'bill'] as const] : [];
  const patch = usage === undefined ? {} : { usage: addUsage(head.usage, usage) };
  const lines = speakers.flatMap(({ said }) => said.lines);
  const appended = await prepareAppend(store, head, lines, patch);
  const log = appended.writes.map((one) => [one, 'log'] as const);
  return { ...spokenOf([...own, ...count, ...bill, ...log]), head: appended.head };
}

function spokenOf(writes: readonly (readonly [Write, Spoken['of'][number]])[]): Spoken {
  return { writes: writes.map(([one]) => one), of: writes.map(([, of]) => of) };
}

function both(a: RequestUse | undefined, b: RequestUse | undefined): RequestUse | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const cost_microcents = a.cost_microcents + b.cost_microcents;
  return { ...addRequestUsage(a, b), cost_microcents };
}

/** Adds only: also to a dream that was canceled meanwhile, since it has been paid for. */
function countOf(dream_id: string, used: RequestUse): Update {
  const { input_tokens, output_tokens, cache_read_input_tokens } = used;
  const cache_creation_input_tokens =
    used.cache_creation_5m_input_tokens + used.cache_creation_1h_input_tokens;
  const counts = {
    input_tokens,
    output_tokens,
    cache_read_input_tokens,
    cache_creation_input_tokens,
  };
  const names = Object.keys(counts).map((name) => [`#${name}`, name]);
  const sets = Object.keys(counts).map((name) => `#usage.#${name} = #usage.#${name} + :${name}`);
  const values = Object.entries(counts).map(([name, value]) => [`:${name}`, value]);
  return {
    update: dreamKey(dream_id),
    expression: `SET ${sets.join(', ')}, cost_microcents = cost_microcents + :cost`,
    condition: 'attribute_exists(pk)',
    names: { '#usage': 'usage', ...Object.fromEntries(names) },
    values: { ':cost': used.cost_microcents, ...Object.fromEntries(values) },
  };
}

function nameOf({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

async function headOf({ table }: LogStore, thread_id: string): Promise<ThreadHead | undefined> {
  return (await table.get(threadKey(thread_id))) as ThreadHead | undefined;
}
