import type { Clock } from '../core/clock.ts';
import { isAllSeen } from '../core/seen.ts';
import type { Row, Table } from '../core/table.ts';
import { limits } from '../core/limits.ts';
import type { Change } from './changes.ts';
import { pathKey, storeKey, type MemoryRow, type PathRow, type StoreHead } from './memory.ts';
import { rangeBelow } from './path.ts';

/** All memories of a store at one moment. */
export interface StoreSnapshot {
  readonly memory_store_id: string;
  /** Grows with each transaction on the store's memories. */
  readonly revision: number;
  /** Memories of an archived store can be read. */
  readonly state: 'live' | 'archived' | 'deleted';
  /** By path. */
  readonly memories: ReadonlyMap<string, MemoryRow>;
  /** What it takes of a function's memory, about. */
  readonly bytes: number;
  /** Whether it is all that there was at its revision: see {@link isAllSeen}. */
  readonly is_whole: boolean;
}

/**
 * The stores that this function knows. One is used again while its revision is that of its head row,
 * so a warm call costs one read, and other sessions' writes are seen by the next call.
 */
export class StoreSnapshots {
  readonly #table: Table;
  readonly #clock: Clock;
  /** The least recently used first. */
  readonly #known = new Map<string, StoreSnapshot>();
  #bytes = 0;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** @param rows Among them the heads of the stores, as they were read just now. */
  async of(store_ids: readonly string[], rows: readonly Row[]): Promise<StoreSnapshot[]> {
    const heads = new Map(rows.map((row) => [row.pk, row as StoreHead]));
    return await Promise.all(
      store_ids.map(async (id) => await this.#snapshot(id, heads.get(storeKey(id).pk))),
    );
  }

  /** As {@link of}, for one store whose head nobody has read yet. */
  async read(store_id: string): Promise<StoreSnapshot> {
    const head = await this.#table.get(storeKey(store_id));
    return await this.#snapshot(store_id, head as StoreHead | undefined);
  }

  async #snapshot(id: string, head: StoreHead | undefined): Promise<StoreSnapshot> {
    if (head === undefined || head.deleted_at !== null) {
      this.#forget(id);
      return { ...nothing, memory_store_id: id };
    }
    const { revision, archived_at } = head;
    const state = archived_at === null ? 'live' : 'archived';
    const known = this.#known.get(id);
    if (known?.revision === revision && known.state === state && known.is_whole) {
      this.#keep(known);
      return known;
    }
    const is_whole = isAllSeen(head.changed_at, this.#clock);
    // What is written between the two reads is newer than the head: the next read of the head
    // differs from ours, so this snapshot is not used again.
    const memories = head.memories_count === 0 ? new Map() : await this.#memories(id);
    const bytes = [...memories.values()].reduce((sum, memory) => sum + weightOf(memory), 0);
    const snapshot = { memory_store_id: id, revision, state, memories, bytes, is_whole } as const;
    this.#keep(snapshot);
    return snapshot;
  }

  /** From both ends: two pages are on their way at a time. */
  async #memories(store_id: string): Promise<Map<string, MemoryRow>> {
    const { pk } = pathKey(store_id, '');
    let { from, to } = rangeBelow('');
    const ends: Row[][] = [];
    let page = await this.#table.query({ pk, from, to });
    ends.push(page.rows);
    while (page.more) {
      from = `${page.rows.at(-1)?.sk}\0`;
      const [next, last] = await Promise.all([
        this.#table.query({ pk, from, to }),
        this.#table.query({ pk, from, to, reverse: true }),
      ]);
      ends.push(next.rows, last.rows);
      to = last.rows.at(-1)?.sk ?? to;
      page = { rows: next.rows, more: next.more && last.more && isBelow(next.rows.at(-1)?.sk, to) };
    }
    const rows = ends.flat() as PathRow[];
    return new Map(rows.flatMap((row) => (row.kind === 'memory' ? [[row.sk, row]] : [])));
  }

  /**
   * Follow one transaction of our own. When others wrote between, the head's revision is ahead of
   * ours by their number, so what we kept is not used again.
   */
  follow(before: StoreSnapshot, changes: readonly Change[]): StoreSnapshot {
    // Nothing was written where nothing was new.
    if (changes.every(({ version }) => version === undefined)) return before;
    const memories = new Map(before.memories);
    let { bytes } = before;
    for (const change of changes) {
      if (change.before !== undefined) memories.delete(change.before.sk);
      bytes += weightOf(change.after) - weightOf(change.before);
    }
    for (const { after } of changes) if (after !== undefined) memories.set(after.sk, after);
    const snapshot = { ...before, revision: before.revision + 1, memories, bytes };
    this.#keep(snapshot);
    return snapshot;
  }

  #keep(snapshot: StoreSnapshot): void {
    this.#forget(snapshot.memory_store_id);
    this.#known.set(snapshot.memory_store_id, snapshot);
    this.#bytes += snapshot.bytes;
    for (const [oldest, { bytes }] of this.#known) {
      if (this.#bytes <= limits.memory_snapshots_bytes_max) return;
      this.#known.delete(oldest);
      this.#bytes -= bytes;
    }
  }

  #forget(store_id: string): void {
    this.#bytes -= this.#known.get(store_id)?.bytes ?? 0;
    this.#known.delete(store_id);
  }
}

const nothing = {
  revision: 0,
  state: 'deleted',
  memories: new Map<string, MemoryRow>(),
  bytes: 0,
  is_whole: true,
} as const;

/** The order of DynamoDB's keys is that of their bytes. */
function isBelow(a: string | undefined, b: string): boolean {
  return a !== undefined && Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

/** Text, path and the rest of a row, whose ids and times are about as long in each. */
function weightOf(memory: MemoryRow | undefined): number {
  if (memory === undefined) return 0;
  const text = 'text' in memory.content ? memory.content.text.length : 0;
  return text + memory.sk.length + ROW_BYTES;
}

const ROW_BYTES = 700;
