import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { Fault } from '../core/fault.ts';
import { inTurn } from '../core/in-turn.ts';
import { ConditionFailed } from '../core/table.ts';
import { limits } from '../core/limits.ts';
import type { LoggedEvent } from '../events/event.ts';
import { startRuns } from '../sessions/runs.ts';
import type { Change } from '../threads/change.ts';
import { newestLines, type PlacedLine } from '../threads/log.ts';
import { prepareChange, type Prepared } from '../threads/prepare-change.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import type { TurnPorts } from './turn-ports.ts';

/** Another execution has taken the thread: whatever this one still wanted to write is void. */
export class LeaseLost extends Error {
  override readonly name: string = 'LeaseLost';
}

/**
 * The thread has moved before the append that was to take its lease: nothing has been done yet, and
 * the lease must be taken by itself.
 */
export class LeaseNotTaken extends Error {
  override readonly name = 'LeaseNotTaken';
}

/** A further row of the change is not as it demands; nothing is written. Who demands nothing has lost the thread. */
export class FurtherRefused extends LeaseLost {
  override readonly name = 'FurtherRefused';
}

/** Whoever starts no other thread has no need of `runs`; the grader has one size. */
export type WriterStore = Pick<TurnPorts, 'table' | 'blobs' | 'clock' | 'observe'> &
  Partial<Pick<TurnPorts, 'runs' | 'is_large'>>;

/**
 * The only way in which a step writes to its thread. Each append holds the head's version; when a
 * client's event came in between, the head is read again and the change is computed anew, but
 * only while the lease is still ours.
 */
export class Writer {
  readonly #store: WriterStore;
  #head: ThreadHead;
  /** Whether the row has the lease as our head says it. */
  #holds: boolean;
  #written: PlacedLine[] = [];
  /** Appends of parallel tools queue up here: the head allows one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param holds False when the first append is to take the lease that `head` has. */
  constructor(store: WriterStore, head: ThreadHead, holds = true) {
    this.#store = store;
    this.#head = head;
    this.#holds = holds;
  }

  get head(): ThreadHead {
    return this.#head;
  }

  /** The newest events of the log that were written or read here, without a gap. */
  get written(): readonly PlacedLine[] {
    return this.#written;
  }

  /** Remember lines that follow, or begin anew with them. */
  follow(placed: readonly PlacedLine[]): void {
    const last = this.#written.at(-1);
    const follows = last !== undefined && last.seq + 1 === placed[0]?.seq;
    if (placed.length > 0 && !follows) this.#written = [];
    this.#written.push(...placed);
    if (this.#written.length > limits.segment_lines_kept_max) this.#written = [];
  }

  /** Read the head again, to see what clients have sent. @throws LeaseLost */
  async refresh(): Promise<ThreadHead> {
    // Another's head would pass for ours: it may hold a fence of the same number. Our append decides.
    if (!this.#holds) return this.#head;
    const row = await this.#store.table.get(threadKey(this.#head.thread_id));
    const head = row as ThreadHead | undefined;
    if (head === undefined || head.lease_fence > this.#head.lease_fence) throw new LeaseLost();
    // Fences only rise: the read is from before the append that takes ours, which decides by itself.
    if (head.lease_fence < this.#head.lease_fence) return this.#head;
    if (head.run !== this.#head.run) throw new LeaseLost();
    // A slower read must not undo what an append of ours has moved meanwhile.
    if (head.version > this.#head.version) this.#head = head;
    return this.#head;
  }

  /**
   * Append what `change` makes of the head.
   * @returns the events as logged. @throws LeaseLost, of it FurtherRefused; LeaseNotTaken, only the first append
   */
  async append(change: (head: ThreadHead) => Change): Promise<LoggedEvent[]> {
    const mine = this.#last.then(async () => await this.#append(change));
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  async #append(change: (head: ThreadHead) => Change): Promise<LoggedEvent[]> {
    for (let attempt = 1; ; attempt++) {
      const head = this.#head;
      const changed = change(head);
      // A look may have moved it while others had their turn.
      const write = async () =>
        await this.#write(this.#head === head ? changed : change(this.#head), attempt);
      // Whoever writes to the head of a team would refuse the others: in one process they take turns.
      const meets = head.team !== undefined || (changed.others ?? []).length > 0;
      const written = await (meets ? inTurn(this.#store.table, head.session_id, write) : write());
      if (typeof written !== 'string') return written;
      await sleep(backoffMs(attempt));
      // Where only another thread's head has moved, ours is as it was.
      if (written === 'moved') await this.refresh();
    }
  }

  /** @returns what is logged; else whose head has moved: ours, or only another's */
  async #write(changed: Change, attempt: number): Promise<LoggedEvent[] | 'moved' | 'met'> {
    const patch = {
      lease_until_ms: this.#store.clock.now().getTime() + limits.lease_ms,
      ...(this.#store.is_large === true ? { is_large: true as const } : {}),
    };
    const prepared = await prepareChange(this.#store, this.#head, changed, patch);
    try {
      await this.#store.table.transact(prepared.writes);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (!this.#holds) throw new LeaseNotTaken();
      const met = metBy(error, prepared);
      if (met === 'own' && (await this.#isWritten(prepared))) {
        return await this.#take(prepared, changed.settled);
      }
      if (isFurther(error, prepared)) {
        // Whoever has lost the lease is told that, and does nothing else instead.
        if (met === 'own') await this.refresh();
        throw new FurtherRefused();
      }
      // Only heads may have moved; the session's own condition means that it is gone.
      if (met === 'none') throw new LeaseLost();
      if (attempt === limits.append_attempts_max) throw tooBusy(error);
      return met === 'own' ? 'moved' : 'met';
    }
    return await this.#take(prepared, changed.settled);
  }

  /** Whether it was this very append that moved the head: written before its reply was lost. */
  async #isWritten({ appended: { head, placed } }: Prepared): Promise<boolean> {
    const last = placed.at(-1);
    if (last === undefined) return false;
    const range = { after: head.seq - 1, through: head.seq };
    const there = await newestLines(this.#store.table, head.thread_id, range);
    return there?.at(-1)?.id === last.id;
  }

  async #take({ appended, begun }: Prepared, settled: string | undefined): Promise<LoggedEvent[]> {
    this.#head = appended.head;
    this.#holds = true;
    this.follow(appended.placed);
    if (settled !== undefined) this.#store.observe({ type: 'settled', reason: settled });
    // What is lost here reconcile finds: threads that run without an execution.
    await startRuns(this.#store.runs, appended.head, begun).catch((error: unknown) =>
      this.#store.observe({ type: 'start_lost', message: String(error) }),
    );
    return appended.logged;
  }
}

/** Whose append has met another's. */
function metBy({ failed }: ConditionFailed, prepared: Prepared): 'own' | 'other' | 'none' {
  const first = Math.min(...failed);
  if (first < prepared.appended.writes.length) return 'own';
  return first < prepared.session_at ? 'other' : 'none';
}

function isFurther({ failed }: ConditionFailed, { further: [from, to] }: Prepared): boolean {
  return failed.some((index) => index >= from && index < to);
}

/** Repeated by the machine: the lease is still ours, only the others were faster. */
function tooBusy(cause: Error): Fault {
  return new Fault('busy', 'Too many writers met at one thread.', { cause });
}
