import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import { madeAtMs } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { load, store, type Stored } from '../core/stored.ts';
import type { Row, Table, Write } from '../core/table.ts';
import { inboxKey, type Queued, type ThreadHead } from '../threads/thread.ts';
import type { Line, SessionEvent } from './event.ts';

/** Events that a client sends and that wait for their turn. */
export type QueuedEvent = Extract<SessionEvent, { type: Queued['type'] }>;

/**
 * `THREAD#<id>` / `I#<n>`: an event in the inbox. The head's `queue` says which still wait; a
 * taken row stays until its time is over, so that a stream that looks late shows the acceptance.
 */
export interface InboxRow extends Row {
  readonly n: number;
  readonly event: Stored<QueuedEvent>;
  readonly expires_at: number;
}

/** A queued event may wait for days behind a confirmation: rows outlive any wait in practice. */
const KEPT_SECONDS = 90 * 24 * 3_600;

/**
 * Prepare to queue events.
 * @returns the changes of the head, for the caller's own replacement of it, and the inbox's rows.
 */
export async function prepareQueue(
  blobs: Blobs,
  head: ThreadHead,
  events: readonly QueuedEvent[],
  now: Date,
): Promise<{ patch: Pick<ThreadHead, 'inbox_seq' | 'queue'>; writes: Write[] }> {
  const queued = events.map(({ id, type }, index) => ({ n: head.inbox_seq + 1 + index, id, type }));
  const rows = await Promise.all(
    events.map(async (event, index): Promise<InboxRow> => {
      const n = head.inbox_seq + 1 + index;
      const key = `sessions/${head.session_id}/events/${event.id}.queued.json`;
      return {
        ...inboxKey(head.thread_id, n),
        n,
        event: await store(blobs, key, event),
        expires_at: Math.floor(now.getTime() / 1_000) + KEPT_SECONDS,
      };
    }),
  );
  return {
    patch: { inbox_seq: head.inbox_seq + events.length, queue: [...head.queue, ...queued] },
    writes: rows.map((put) => ({ put, condition: 'attribute_not_exists(pk)' })),
  };
}

/**
 * Read queued events, in the order asked for; those that TTL took are left out. A head may be seen with an
 * event whose row is not to be seen yet, because DynamoDB shows what one transaction wrote row by row.
 *
 * @param known Rows that were read already
 * @throws Fault `busy` where a row that must be there does not come
 */
export async function loadQueued(
  { table, blobs, clock }: { table: Table; blobs: Blobs; clock: Clock },
  thread_id: string,
  queue: readonly Queued[],
  known: readonly InboxRow[] = [],
): Promise<QueuedEvent[]> {
  const rows = new Map(known.map((row) => [row.n, row]));
  const kept_since_ms = clock.now().getTime() - KEPT_SECONDS * 1_000;
  for (let attempt = 1; ; attempt++) {
    const missing = queue.filter(({ n }) => !rows.has(n));
    if (missing.length === 0) break;
    const read = await table.getMany(missing.map(({ n }) => inboxKey(thread_id, n)));
    for (const row of read as InboxRow[]) rows.set(row.n, row);
    if (missing.every(({ n, id }) => rows.has(n) || madeAtMs(id) < kept_since_ms)) break;
    if (attempt === limits.unseen_attempts_max) {
      throw new Fault('busy', 'What was sent is still being written. Try again.');
    }
    await sleep(backoffMs(attempt));
  }
  const found = queue.flatMap(({ n }) => rows.get(n) ?? []);
  return await Promise.all(found.map(async (row) => await load(blobs, row.event)));
}

/** A queued event as a line: its time is given anew by the append. */
export function lineOf(event: QueuedEvent): Line {
  const { processed_at: _, ...rest } = event;
  return { event: rest };
}

/**
 * Read a stretch of the inbox, in its order, whether its events still wait or were taken. It ends
 * before a gap: while an append becomes visible, a later row may be seen first.
 */
export async function loadInbox(
  { table, blobs }: { table: Table; blobs: Blobs },
  thread_id: string,
  { after, through }: { after: number; through: number },
): Promise<QueuedEvent[]> {
  const numbers = Array.from({ length: through - after }, (_, index) => after + 1 + index);
  const rows = await table.getMany(numbers.map((n) => inboxKey(thread_id, n)));
  const whole = (rows as InboxRow[]).filter(({ n }, index) => n === after + 1 + index);
  return await Promise.all(whole.map(async (row) => await load(blobs, row.event)));
}
