import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import type { MemoryRow, StoreHead, VersionRow } from '../memory/memory.ts';
import { memoryPages, readStore, textOf } from '../memory/read-store.ts';
import { historyText } from './archive.ts';
import { readHistory } from './read-history.ts';

/** A memory without its text. */
export type Surveyed = Pick<
  MemoryRow,
  | 'sk'
  | 'memory_id'
  | 'memory_version_id'
  | 'content_sha256'
  | 'content_size_bytes'
  | 'created_at'
  | 'updated_at'
>;

/** What a store held at one moment: all that must be known before the first byte of its archive. */
export interface Survey {
  readonly head: StoreHead;
  /** In the order of their paths' bytes. */
  readonly memories: readonly Surveyed[];
  /** The newest version of every memory that it has ever held: later ones are not of this moment. */
  readonly newest: ReadonlyMap<string, string>;
  readonly history_bytes: number;
}

const ATTEMPTS_MAX = 3;

/** Objects that are read at the same time. */
const READS_AT_ONCE = 16;

/**
 * Look through a store. Its memories and its history are of one moment, since nothing was written
 * between the two readings of its head.
 *
 * @throws Fault `missing`; `busy` for a store that is written to all the time
 */
export async function surveyStore(ports: Ports, call: Call, store_id: string): Promise<Survey> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const head = await readStore(ports.table, call.workspace_id, store_id);
    const memories: Surveyed[] = [];
    for await (const rows of memoryPages(ports.table, store_id)) memories.push(...rows.map(slim));
    const newest = new Map<string, string>();
    let history_bytes = 0;
    for await (const rows of readHistory(ports, store_id)) {
      for (const { memory_id, memory_version_id } of rows) newest.set(memory_id, memory_version_id);
      for await (const line of linesOf(ports, rows)) history_bytes += line.byteLength;
    }
    const { revision } = await readStore(ports.table, call.workspace_id, store_id);
    if (revision === head.revision) return { head, memories, newest, history_bytes };
  }
  throw new Fault(
    'busy',
    `memory store '${store_id}' is being changed all the time. Export it when it rests.`,
  );
}

function slim(row: MemoryRow): Surveyed {
  const { sk, memory_id, memory_version_id, content_sha256 } = row;
  const { content_size_bytes, created_at, updated_at } = row;
  return {
    sk,
    memory_id,
    memory_version_id,
    content_sha256,
    content_size_bytes,
    created_at,
    updated_at,
  };
}

/** The lines of some versions, in their order. */
export async function* linesOf(
  ports: Pick<Ports, 'blobs'>,
  rows: readonly VersionRow[],
): AsyncGenerator<Uint8Array> {
  const texts = textsOf(ports, rows);
  for (const row of rows) {
    const { value = null } = await texts.next();
    yield Buffer.from(historyText(row, value));
  }
}

/** The texts of rows in their order, some read ahead; null where a version has none. */
export async function* textsOf(
  { blobs }: Pick<Ports, 'blobs'>,
  rows: readonly Pick<VersionRow, 'content'>[],
): AsyncGenerator<string | null> {
  for (let start = 0; start < rows.length; start += READS_AT_ONCE) {
    const part = rows.slice(start, start + READS_AT_ONCE);
    yield* await Promise.all(
      part.map(async ({ content }) => (content === null ? null : await textOf(blobs, content))),
    );
  }
}
