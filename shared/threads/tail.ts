import type { Table } from '../core/table.ts';
import { threadKey, type ThreadHead } from './thread.ts';

const HOT_MS = 8;
const WORKING_MS = 100;
const QUIET_MS = 250;
const ASLEEP_MS = 1_000;
const ASLEEP_AFTER_MS = 600_000;

/** A stream tells of a step that took a second at most so many parts of it late: a tenth. */
const WORKING_SHARE = 10;
/** Of a rest it is a hundredth: somebody may be typing. */
const RESTING_SHARE = 100;

/** A thread that has moved for so long without a pause is shown 30 times a second: more than anybody sees. */
const BUSY_AFTER_MS = 1_000;
const BUSY_MS = 33;
/** Nothing moved for so long: what comes next is waited for again. */
export const PAUSE_MS = 500;

/** How a thread has moved as far as a stream has seen. */
export interface Moves {
  readonly running: boolean;
  /** How long ago it last moved. */
  readonly quiet_ms: number;
  /** For how long it has moved without a pause. */
  readonly busy_ms: number;
}

/**
 * How long to wait before a thread's head is read again. Each read is half a read unit (eventual,
 * a head is under 4 kB), at $0.125 a million: 33 ms while a team works or words are relayed is $0.007 an hour
 * (8 ms, as in the first second, would be $0.028), 100 ms while the model works in silence is $0.0023, 250 ms
 * is $0.0009 and 1 s is $0.0002 an hour of waiting.
 */
export function pollInterval({ running, quiet_ms, busy_ms }: Moves): number {
  if (!running && quiet_ms >= ASLEEP_AFTER_MS) return ASLEEP_MS;
  const share = running ? WORKING_SHARE : RESTING_SHARE;
  const last_ms = running ? WORKING_MS : QUIET_MS;
  const is_busy = busy_ms >= BUSY_AFTER_MS && quiet_ms < PAUSE_MS;
  return Math.round(Math.min(last_ms, Math.max(is_busy ? BUSY_MS : HOT_MS, quiet_ms / share)));
}

/** As long after a move the head is looked at every 15 ms, which is often enough for the first words. */
export const SPEAKING_QUIET_MS = 150;

/** Who is due this much later is read along: one request for all instead of one for each. */
const TOGETHER_MS = 8;

/** What of a head a stream follows; the rest would only be parsed and thrown away. */
const attributes = [
  'pk',
  'sk',
  'version',
  'thread_id',
  'session_id',
  'status',
  'seq',
  'inbox_seq',
  'open_span',
  'stop_reason',
  'team',
] as const satisfies readonly (keyof ThreadHead)[];

export type TailHead = Pick<ThreadHead, (typeof attributes)[number]>;

/** After a read this many times as long as the process was busy during it is left to other work. */
const REST_SHARE = 4;

interface Waiter {
  readonly thread_id: string;
  readonly due_ms: number;
  readonly resolve: (head: TailHead | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads heads for all streams of the process: those that are due at about the same time share one
 * BatchGetItem. Reading takes at most a fifth of the process, so that many streams slow each other's
 * polls down and nothing else; to wait for an answer is no work.
 */
export class Tail {
  readonly #table: Table;
  readonly #waiters = new Set<Waiter>();
  #reading = false;
  #not_before_ms = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * The head of a thread, read after about `wait_ms`.
   *
   * @returns a head that may be a moment old; undefined when the row was not seen, and at once when
   *   `signal` aborts
   */
  async head(
    thread_id: string,
    wait_ms: number,
    signal: AbortSignal,
  ): Promise<TailHead | undefined> {
    if (signal.aborted) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<TailHead | undefined>();
    const waiter = { thread_id, due_ms: performance.now() + wait_ms, resolve, reject };
    const leave = (): void => {
      this.#waiters.delete(waiter);
      this.#schedule();
      resolve(undefined);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiters.add(waiter);
    this.#schedule();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#reading || this.#waiters.size === 0) return;
    const first_ms = Math.min(...[...this.#waiters].map(({ due_ms }) => due_ms));
    const wait_ms = Math.max(first_ms, this.#not_before_ms) - performance.now();
    this.#timer = setTimeout(() => void this.#read(), Math.max(0, wait_ms));
  }

  async #read(): Promise<void> {
    const began_ms = performance.now();
    const began = performance.eventLoopUtilization();
    const due = [...this.#waiters].filter(({ due_ms }) => due_ms <= began_ms + TOGETHER_MS);
    for (const waiter of due) this.#waiters.delete(waiter);
    this.#reading = true;
    try {
      const keys = due.map(({ thread_id }) => threadKey(thread_id));
      const rows = await this.#table.getMany(keys, { eventual: true, attributes });
      const heads = new Map(rows.map((row) => [row.pk, row as TailHead]));
      for (const { thread_id, resolve } of due) resolve(heads.get(threadKey(thread_id).pk));
    } catch (error) {
      for (const { reject } of due) reject(error);
    }
    this.#reading = false;
    const { active: busy_ms } = performance.eventLoopUtilization(began);
    this.#not_before_ms = performance.now() + REST_SHARE * busy_ms;
    this.#schedule();
  }
}
