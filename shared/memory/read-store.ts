import type { Blobs } from '../core/blobs.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Row, Table } from '../core/table.ts';
import { storeMissing } from './explain.ts';
import {
  pathKey,
  pointerKey,
  storeKey,
  versionKey,
  type MemoryContent,
  type MemoryRow,
  type PathRow,
  type PointerRow,
  type StoreHead,
  type VersionRow,
} from './memory.ts';
import { rangeBelow } from './path.ts';

/** @throws Fault `missing`, also for a deleted store and for another workspace's */
export async function readStore(
  table: Table,
  workspace_id: string,
  store_id: string,
): Promise<StoreHead> {
  return checkedHead(await table.get(storeKey(store_id)), workspace_id, store_id);
}

function checkedHead(row: Row | undefined, workspace_id: string, store_id: string): StoreHead {
  const head = row as StoreHead | undefined;
  if (head === undefined || head.deleted_at !== null || head.workspace_id !== workspace_id) {
    throw storeMissing(store_id);
  }
  return head;
}

/**
 * A memory with its store, in two reads.
 *
 * @throws Fault `missing` for either
 */
export async function readPlaced(
  table: Table,
  workspace_id: string,
  { store_id, memory_id }: { readonly store_id: string; readonly memory_id: string },
): Promise<{ readonly head: StoreHead; readonly memory: MemoryRow }> {
  const keys = [storeKey(store_id), pointerKey(store_id, memory_id)] as const;
  const rows = await table.getMany(keys);
  const [head, pointer] = keys.map(({ sk }) => rows.find((row) => row.sk === sk));
  const store = checkedHead(head, workspace_id, store_id);
  const memory =
    (await pointedAt(table, store_id, memory_id, pointer as PointerRow | undefined)) ??
    // Renamed between the two reads, or gone.
    (pointer === undefined ? undefined : await findMemory(table, store_id, memory_id));
  if (memory === undefined) throw new Fault('missing', `memory '${memory_id}' was not found.`);
  return { head: store, memory };
}

/** A memory by its id, as it is now; undefined when there is none. */
export async function findMemory(
  table: Table,
  store_id: string,
  memory_id: string,
): Promise<MemoryRow | undefined> {
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const pointer = (await table.get(pointerKey(store_id, memory_id))) as PointerRow | undefined;
    if (pointer === undefined) return undefined;
    const row = await pointedAt(table, store_id, memory_id, pointer);
    // Renamed or deleted between the two reads: the pointer has moved with it.
    if (row !== undefined) return row;
  }
  throw new Fault('busy', `memory '${memory_id}' is being renamed by others. Try again.`);
}

/** The memory where its pointer says that it is, if it still is. */
async function pointedAt(
  table: Table,
  store_id: string,
  memory_id: string,
  pointer: PointerRow | undefined,
): Promise<MemoryRow | undefined> {
  if (pointer === undefined) return undefined;
  const row = (await table.get(pathKey(store_id, pointer.path))) as PathRow | undefined;
  return row?.kind === 'memory' && row.memory_id === memory_id ? row : undefined;
}

/**
 * Every memory of a store, in the order of its paths' bytes. Read in several requests: a store whose
 * head still has the revision that it had before was read as it was at one moment.
 */
export async function readMemories(table: Table, store_id: string): Promise<MemoryRow[]> {
  const memories: MemoryRow[] = [];
  for await (const rows of memoryPages(table, store_id)) memories.push(...rows);
  return memories;
}

/** The same a page at a time, for whoever need not hold them all. */
export async function* memoryPages(table: Table, store_id: string): AsyncGenerator<MemoryRow[]> {
  const { from: first, to } = rangeBelow('');
  let last: string | undefined;
  for (let from = first, more = true; more;) {
    const page = await table.query({ pk: `PATHS#${store_id}`, from, to });
    // A further page begins with the row that ended the one before.
    yield (page.rows as PathRow[]).filter(
      (row) => row.kind === 'memory' && row.sk !== last,
    ) as MemoryRow[];
    last = page.rows.at(-1)?.sk;
    from = last ?? to;
    more = page.more && page.rows.length > 1;
  }
}

/** @throws Error when its object is gone: the version was redacted or has expired meanwhile */
export async function textOf(blobs: Blobs, content: MemoryContent): Promise<string> {
  if ('text' in content) return content.text;
  return Buffer.from(await blobs.get(content.blob)).toString('utf8');
}

/**
 * A version by its id; undefined when there is none, or when its time is over.
 *
 * @param now ISO time
 */
export async function findVersion(
  table: Table,
  key: { readonly store_id: string; readonly version_id: string },
  now: string,
): Promise<VersionRow | undefined> {
  const row = (await table.get(versionKey(key.store_id, key.version_id))) as VersionRow | undefined;
  return row === undefined || isPast(row, now) ? undefined : row;
}

/** Whether a version's time is over, though its row may still be there for a minute. */
export function isPast({ gsi2sk }: VersionRow, now: string): boolean {
  return gsi2sk !== undefined && gsi2sk <= `${now}#~`;
}
