import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { backoffMs } from '../../core/backoff.ts';
import { Fault } from '../../core/fault.ts';
import { limits } from '../../core/limits.ts';
import type { Ports } from '../../core/ports.ts';
import { isByHand } from '../../memory/by-hand.ts';
import {
  storeKey,
  versionKey,
  type MemoryRow,
  type StoreHead,
  type VersionRow,
} from '../../memory/memory.ts';
import { memoryPages, textOf } from '../../memory/read-store.ts';
import type { Snapshot } from '../snapshot.ts';
import { DreamFailed } from './work.ts';

type ReadPorts = Pick<Ports, 'table' | 'blobs'>;

/**
 * The input store at one moment: between two reads of its head nothing was written, and all memories that
 * the head counts are there. Rows of one transaction are shown one by one: a memory that is being moved may
 * stand nowhere for a moment, or in two places, and would be lost to the copy, or doubled in it.
 *
 * @throws DreamFailed for a store that is gone, archived or too large; Fault `busy` when it is
 *   written to all the time
 */
export async function takeSnapshot(ports: ReadPorts, store_id: string): Promise<Snapshot> {
  for (let attempt = 1; attempt <= limits.update_attempts_max; attempt++) {
    const { revision } = await readInput(ports, store_id);
    const snapshot = await readWhole(ports, store_id).catch((error: unknown) => error);
    const after = await readInput(ports, store_id);
    if (after.revision === revision) {
      if (!isSnapshot(snapshot)) throw snapshot;
      if (snapshot.memories.length === after.memories_count) return snapshot;
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `memory store '${store_id}' is being changed all the time.`);
}

function isSnapshot(value: unknown): value is Snapshot {
  return typeof value === 'object' && value !== null && 'memories' in value;
}

/** @throws DreamFailed */
export async function readInput({ table }: ReadPorts, store_id: string): Promise<StoreHead> {
  const head = (await table.get(storeKey(store_id))) as StoreHead | undefined;
  if (head !== undefined && head.deleted_at === null && head.archived_at === null) return head;
  throw new DreamFailed(
    'input_memory_store_unavailable',
    `Memory store '${store_id}' was deleted or archived while the dream ran.`,
  );
}

async function readWhole(ports: ReadPorts, store_id: string): Promise<Snapshot> {
  const rows = await readRows(ports, store_id);
  const authors = await readVersions(ports, store_id, rows);
  const limit = pLimit(limits.copies_parallel_max);
  const memories = rows.map((row) =>
    limit(async () => {
      const version = authors.get(row.memory_version_id);
      return {
        memory_id: row.memory_id,
        memory_version_id: row.memory_version_id,
        path: row.sk,
        text: await textOf(ports.blobs, row.content),
        // Copied words are as old as they are: else each copy would win against what was said before it.
        updated_at: version?.copied?.written_at ?? row.updated_at,
        by_hand: isByHand(version),
      };
    }),
  );
  return { memory_store_id: store_id, memories: await Promise.all(memories) };
}

async function readRows({ table }: ReadPorts, store_id: string): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  let bytes = 0;
  for await (const page of memoryPages(table, store_id)) {
    rows.push(...page);
    bytes += page.reduce((sum, { content_size_bytes }) => sum + content_size_bytes, 0);
    if (bytes <= limits.dream_store_bytes_max) continue;
    throw new DreamFailed(
      'input_memory_store_too_large',
      `Memory store '${store_id}' holds more than the ${limits.dream_store_bytes_max} bytes that a dream can read.`,
    );
  }
  return rows;
}

/** The versions that memories stand at: they say who wrote them. */
export async function readVersions(
  { table }: Pick<Ports, 'table'>,
  store_id: string,
  memories: readonly { readonly memory_version_id: string }[],
): Promise<Map<string, VersionRow>> {
  const keys = memories.map(({ memory_version_id }) => versionKey(store_id, memory_version_id));
  const rows = (await table.getMany(keys)) as VersionRow[];
  return new Map(rows.map((row) => [row.memory_version_id, row]));
}
