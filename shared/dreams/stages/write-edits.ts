import { Fault } from '../../core/fault.ts';
import { limits } from '../../core/limits.ts';
import type { MemoryOperation } from '../../memory/changes.ts';
import { sha256Of } from '../../memory/content.ts';
import type { MemoryRow } from '../../memory/memory.ts';
import { readMemories } from '../../memory/read-store.ts';
import { fitsTransaction, splitOperations } from '../../memory/split.ts';
import { writeMemories } from '../../memory/write-memories.ts';
import type { DropReason, Edit } from '../report.ts';
import { OwnWrites } from './own-writes.ts';
import { dreamer } from './pipeline-session.ts';
import { readInput } from './take-snapshot.ts';
import { DreamFailed, type Work } from './work.ts';

/** What is due of one change, in the order in which it may break off. */
interface Due {
  readonly change_id: string;
  readonly operations: readonly MemoryOperation[];
}

/** A change that is not written, and why. */
export interface Unwritten {
  readonly change_id: string;
  readonly reason: Extract<DropReason, 'changed_meanwhile' | 'store_full'>;
}

/** What is left to do of one change. */
interface Left {
  readonly change_id: string;
  readonly open: readonly Edit[];
}

/**
 * Bring the dream's edits into its output store, those of a change together: each is written while the
 * store still holds what the snapshot held there, and found done where it already holds what is to
 * come. So this goes on where another invocation died, never overwrites what others have written
 * meanwhile, and never ends a memory whose words were to go into another one that others have changed.
 * What makes room comes first; a store that is full all the same keeps out what is new, and nothing else.
 *
 * @returns the changes that others, or the store's bound, stand in the way of: all that is not written of
 *   these is left out
 * @throws TimeUp, Elsewhere between two transactions; DreamFailed
 */
export async function writeEdits(work: Work, edits: readonly Edit[]): Promise<Unwritten[]> {
  const store_id = work.head.output_store_id ?? work.head.copy_store_id;
  const changes = Map.groupBy(edits, ({ change_ids: [change_id = ''] }) => change_id);
  const blocked = new Map<string, Unwritten['reason']>();
  for (let round = 1; round <= limits.update_attempts_max; round++) {
    const rows = await readMemories(work.ports.table, store_id);
    const there = new Map(rows.map((row) => [row.sk, row]));
    const left = [...changes].flatMap(([change_id, own]): Left[] => {
      const open = own.filter((edit) => !isDone(edit, there.get(edit.path)));
      return open.length === 0 ? [] : [{ change_id, open }];
    });
    const possible = left.filter(
      ({ change_id, open }) =>
        !blocked.has(change_id) && open.every((edit) => isAsSeen(edit, there.get(edit.path))),
    );
    if (possible.length === 0) {
      return (await withoutWritten(work, store_id, left)).map(({ change_id }) => {
        return { change_id, reason: blocked.get(change_id) ?? 'changed_meanwhile' };
      });
    }
    const due = possible.toSorted(byGrowth).map(({ change_id, open }): Due => {
      // Memories end last: what is cut off in between has lost nothing.
      const ordered = open.toSorted((a, b) => Number(a.after === null) - Number(b.after === null));
      const operations = ordered.map((edit) => operationOf(edit, there.get(edit.path)));
      return { change_id, operations };
    });
    const stopped = new Set<string>();
    for (const batch of batchesOf(due)) {
      // The further part of a change of which one was not written: it is looked at in the next round.
      if (batch.some(({ change_id }) => stopped.has(change_id))) continue;
      await work.look();
      const { is_stale, in_the_way } = await write(work, store_id, batch);
      for (const { change_id, reason } of in_the_way) blocked.set(change_id, reason);
      for (const { change_id } of batch) {
        if (is_stale || blocked.has(change_id)) stopped.add(change_id);
      }
    }
  }
  throw new Fault('busy', `memory store '${store_id}' is being changed all the time.`);
}

function byGrowth(one: Left, other: Left): number {
  return growthOf(one) - growthOf(other);
}

/** Memories that a change adds to the store. */
function growthOf({ open }: Left): number {
  return open.reduce((sum, { before, after }) => {
    return sum + Number(after !== null) - Number(before !== null);
  }, 0);
}

/**
 * Of changes that are not there as they were to be, those that the dream has not written: it may have, and
 * have died before it was told, and others have changed since what it wrote.
 */
async function withoutWritten(
  { ports, head }: Work,
  store_id: string,
  left: readonly Left[],
): Promise<readonly Left[]> {
  if (left.length === 0) return left;
  const own = await OwnWrites.read(ports, head, store_id);
  return left.filter(({ open }) => !open.every((edit) => own.has(edit)));
}

/** Whole changes, as many as fit into a transaction; one that is larger goes in parts, by itself. */
function batchesOf(due: readonly Due[]): Due[][] {
  const batches: Due[][] = [];
  for (const change of due) {
    const last = batches.at(-1);
    const together = [...(last ?? []), change].flatMap(({ operations }) => operations);
    if (last !== undefined && fitsTransaction(together, 0)) last.push(change);
    else if (fitsTransaction(change.operations, 0)) batches.push([change]);
    else {
      const parts = splitOperations(change.operations);
      batches.push(...parts.map((operations) => [{ ...change, operations }]), []);
    }
  }
  return batches.filter((batch) => batch.length > 0);
}

function isDone({ after }: Edit, row: MemoryRow | undefined): boolean {
  return after === null ? row === undefined : row?.content_sha256 === sha256Of(after);
}

function isAsSeen({ before }: Edit, row: MemoryRow | undefined): boolean {
  return before === null ? row === undefined : row?.content_sha256 === sha256Of(before.text);
}

function operationOf({ path, after }: Edit, before: MemoryRow | undefined): MemoryOperation {
  if (before === undefined) return { kind: 'create', path, content: after ?? '' };
  return after === null ? { kind: 'delete', before } : { kind: 'write', before, content: after };
}

interface Tried {
  /** Nothing was written, for others were faster. */
  readonly is_stale: boolean;
  /** The changes that cannot be written: a folder or a memory of others is in the way, or there is no room. */
  readonly in_the_way: readonly Unwritten[];
}

async function write(work: Work, store_id: string, batch: readonly Due[]): Promise<Tried> {
  const operations = batch.flatMap((change) => change.operations);
  try {
    const actor = dreamer(work.head);
    const { outcome } = await writeMemories(work.ports, { store_id, operations, actor });
    return { is_stale: outcome === 'stale', in_the_way: [] };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const reason = reasonOf(error);
    if (reason !== undefined) return await apart(work, store_id, batch, reason);
    if (error.kind === 'missing') throw unavailable(store_id);
    // Archived: that is said by its name.
    if (error.kind === 'invalid') await readInput(work.ports, store_id);
    throw error;
  }
}

function reasonOf({ kind, details }: Fault): Unwritten['reason'] | undefined {
  if (kind === 'memory_path_conflict') return 'changed_meanwhile';
  return details?.error_code === 'memory_store_full' ? 'store_full' : undefined;
}

async function apart(
  work: Work,
  store_id: string,
  batch: readonly Due[],
  reason: Unwritten['reason'],
): Promise<Tried> {
  const [change, ...others] = batch;
  if (change !== undefined && others.length === 0) {
    return { is_stale: false, in_the_way: [{ change_id: change.change_id, reason }] };
  }
  const tried: Tried[] = [];
  for (const one of batch) {
    await work.look();
    tried.push(await write(work, store_id, [one]));
  }
  return { is_stale: false, in_the_way: tried.flatMap(({ in_the_way }) => in_the_way) };
}

function unavailable(store_id: string): DreamFailed {
  return new DreamFailed(
    'input_memory_store_unavailable',
    `Memory store '${store_id}' was deleted while the dream wrote into it.`,
  );
}
