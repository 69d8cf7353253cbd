import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed, type Table, type Write } from '../core/table.ts';
import { changeOf, type Change, type MemoryOperation } from './changes.ts';
import { explain, type Refused } from './explain.ts';
import {
  pathKey,
  type Actor,
  type FolderRow,
  type MemoryRow,
  type PathRow,
  type VersionRow,
} from './memory.ts';
import type { MemoryPorts } from './memory-ports.ts';
import { planMemories, shrinkingFolders } from './plan.ts';

/** Operations on one store that take effect together: at most what `splitOperations` makes one. */
export interface MemoryBatch {
  readonly store_id: string;
  /** A store of another workspace is missing. @default - not asked */
  readonly workspace_id?: string;
  readonly operations: readonly MemoryOperation[];
  readonly actor: Actor;
  readonly written_by?: VersionRow['written_by'];
  /** Rows that are written with the memories, or not at all. Refused: ConditionFailed. @default - none */
  readonly also?: (changes: readonly Change[]) => readonly Write[];
}

/** A POST: what it answers, which a repeat with its `Idempotency-Key` will get too. */
export interface Answering<Answer> {
  readonly call: Call;
  readonly answerOf: (changes: readonly Change[]) => Answer;
  /** What a repeat gets: texts are not kept, for a redaction would not find them. */
  readonly keptOf: (answer: Answer) => Answer;
}

export type WriteOutcome<Answer> =
  /** `changes` in the order of the operations. */
  | { readonly outcome: 'written'; readonly changes: readonly Change[]; readonly answer: Answer }
  /** Nothing was written: these memories are not any more as the operations saw them. */
  | (Extract<Refused, { readonly stale: unknown }> & { readonly outcome: 'stale' });

/**
 * Change memories in one transaction: what is too large for a row first becomes objects, then all
 * rows are written or none. Runs twice: what was seen is gone, so the second is stale. Dies in
 * between: objects that nothing points to, which go with the store.
 *
 * @throws Fault `missing`; `invalid` for a path, a content, an archived or a full store;
 *   `memory_path_conflict` with the memory that is in the way
 */
export async function writeMemories<Answer = undefined>(
  ports: MemoryPorts,
  batch: MemoryBatch,
  answering?: Answering<Answer>,
): Promise<WriteOutcome<Answer>> {
  const facts = { ...batch, now: ports.clock.now(), newId: ports.newId };
  const changes = batch.operations.map((operation) => changeOf(operation, facts));
  const lost = await putObjects(ports, changes);
  if (lost.length > 0) return { outcome: 'stale', stale: lost };
  try {
    const result = await transact(ports, { ...batch, now: facts.now, changes }, answering);
    if ('stale' in result) await dropObjects(ports, changes);
    return result;
  } catch (error) {
    // Another error may stand for a lost reply: then rows may point to the objects.
    if (error instanceof Fault) await dropObjects(ports, changes);
    throw error;
  }
}

interface Prepared extends MemoryBatch {
  readonly now: Date;
  readonly changes: readonly Change[];
}

async function transact<Answer>(
  ports: MemoryPorts,
  batch: Prepared,
  answering: Answering<Answer> | undefined,
): Promise<WriteOutcome<Answer>> {
  const { changes, store_id } = batch;
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const planned = planMemories(changes, {
      ...batch,
      memories_max: ports.memories_max,
      folder_counts: await folderCounts(ports.table, store_id, shrinkingFolders(changes)),
      expires_at: expiryOf(batch.now, ports.version_days),
      changed_at: timestamp(ports.clock),
    });
    const writes = [...planned.map(({ write }) => write), ...(batch.also?.(changes) ?? [])];
    try {
      if (answering !== undefined) {
        const answer = answering.answerOf(changes);
        const kept = answering.keptOf(answer);
        const given = await commit(ports, answering.call, writes, { answer, kept });
        return { outcome: 'written', changes, answer: given };
      }
      if (writes.length > 0) await ports.table.transact(writes);
      return { outcome: 'written', changes, answer: undefined as Answer };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const refused = await explain(ports.table, { ...batch, writes: planned }, error);
      if ('stale' in refused) return { outcome: 'stale', ...refused };
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `memory store '${store_id}' is being changed by others. Try again.`);
}

async function folderCounts(
  table: Table,
  store_id: string,
  folders: readonly string[],
): Promise<Map<string, number>> {
  const rows = await table.getMany(folders.map((folder) => pathKey(store_id, folder)));
  return new Map(
    (rows as FolderRow[]).map(({ sk, below_count }): [string, number] => [sk, below_count]),
  );
}

const DAY_MS = 86_400_000;

/** When versions go that are taken over now; undefined for never. */
export function expiryOf(now: Date, days: number): string | undefined {
  return days === 0 ? undefined : new Date(now.getTime() + days * DAY_MS).toISOString();
}

/** @returns the memories that are to be copied and are not any more what they were */
async function putObjects(
  { blobs, table }: MemoryPorts,
  changes: readonly Change[],
): Promise<MemoryRow[]> {
  const put = async ({ object, before }: Change): Promise<MemoryRow[]> => {
    if (object === undefined) return [];
    if ('text' in object) {
      await blobs.put(object.key, object.text, 'text/plain; charset=utf-8');
      return [];
    }
    try {
      await blobs.copy(object.copy_of, object.key);
      return [];
    } catch (error) {
      // The head's object is always there; that of a version which was taken over may go.
      if (before === undefined || (await isStill(table, before))) throw error;
      return [before];
    }
  };
  return (await Promise.all(changes.map(put))).flat();
}

async function isStill(table: Table, { pk, sk, memory_version_id }: MemoryRow): Promise<boolean> {
  const row = (await table.get({ pk, sk })) as PathRow | undefined;
  return row?.kind === 'memory' && row.memory_version_id === memory_version_id;
}

/** What was refused must not leave texts behind that no version shows and nobody can redact. */
async function dropObjects({ blobs }: MemoryPorts, changes: readonly Change[]): Promise<void> {
  const keys = changes.flatMap(({ object }) => object?.key ?? []);
  if (keys.length > 0) await blobs.delete(keys);
}
