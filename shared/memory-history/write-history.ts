import pLimit from 'p-limit';
import { limits } from '../core/limits.ts';
import type { Row, Table } from '../core/table.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { expiryOf } from '../memory/write-memories.ts';
import { names, type HistoryLine } from './archive.ts';
import type { ArchivedMemory } from './check-archive.ts';
import { importedVersion, type ImportFacts, type ImportedVersion } from './import-rows.ts';
import { entriesOf, textLinesOf } from './read-tar.ts';

/** A part of a history that is to be written. */
export interface HistoryPart {
  readonly store_id: string;
  readonly memories: ReadonlyMap<string, ArchivedMemory>;
  /** Lines that are written already. */
  readonly from: number;
  readonly is_time_up: () => boolean;
}

/** Lines of one round: each is at most three rows of some transactions and one object. */
const LINES_AT_ONCE = 200;
const WRITES_AT_ONCE = 4;
const OBJECTS_AT_ONCE = 16;

/**
 * Write the versions of a checked archive and the memories that they lead to, at least one round.
 * The rows have no condition: nobody else knows the store yet, and a repeat writes the same.
 *
 * @returns how many lines are written by now
 */
export async function writeHistory(
  ports: MemoryPorts,
  chunks: AsyncIterable<Uint8Array>,
  { store_id, memories, from, is_time_up }: HistoryPart,
): Promise<number> {
  const expires_at = expiryOf(ports.clock.now(), ports.version_days);
  const facts: ImportFacts = { store_id, expires_at };
  let done_count = from;
  let number = 0;
  let round: ImportedVersion[] = [];
  const flush = async (): Promise<void> => {
    await writeRound(ports, round);
    done_count += round.length;
    round = [];
  };
  for await (const text of historyIn(chunks)) {
    number += 1;
    if (number <= from) continue;
    const line = JSON.parse(text) as HistoryLine;
    round.push(importedVersion(line, memories.get(line.memory_id), facts));
    if (round.length < LINES_AT_ONCE) continue;
    await flush();
    if (is_time_up()) return done_count;
  }
  await flush();
  return done_count;
}

async function* historyIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const entry of entriesOf(chunks)) {
    if (entry.name !== names.history) continue;
    yield* textLinesOf(entry);
    return;
  }
}

/** Objects first: a row that is there has its text. */
async function writeRound(
  { table, blobs }: MemoryPorts,
  versions: readonly ImportedVersion[],
): Promise<void> {
  const atOnce = pLimit(OBJECTS_AT_ONCE);
  await Promise.all(
    versions.map(async ({ object }) => {
      if (object === undefined) return;
      await atOnce(() => blobs.put(object.key, object.text, 'text/plain; charset=utf-8'));
    }),
  );
  await writeRows(
    table,
    versions.flatMap(({ rows }) => rows),
  );
}

/** Put rows that nobody else writes. */
export async function writeRows(table: Table, rows: readonly Row[]): Promise<void> {
  const atOnce = pLimit(WRITES_AT_ONCE);
  const parts: Row[][] = [];
  for (let start = 0; start < rows.length; start += limits.transaction_writes_max) {
    parts.push(rows.slice(start, start + limits.transaction_writes_max));
  }
  await Promise.all(
    parts.map((part) => atOnce(() => table.transact(part.map((put) => ({ put }))))),
  );
}
