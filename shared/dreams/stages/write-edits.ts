import { Fault } from '../../core/fault.ts';
import { limits } from '../../core/limits.ts';
import type { MemoryOperation } from '../../memory/changes.ts';
import { sha256Of } from '../../memory/content.ts';
import type { MemoryRow } from '../../memory/memory.ts';
import { readMemories } from '../../memory/read-store.ts';
import { splitOperations } from '../../memory/split.ts';
import { writeMemories } from '../../memory/write-memories.ts';
import type { Edit } from '../report.ts';
import { dreamer } from './pipeline-session.ts';
import { readInput } from './take-snapshot.ts';
import { DreamFailed, type Work } from './work.ts';

/**
 * Bring the dream's edits into its output store. Each is written while the store still holds what the
 * snapshot held there, and found done where it already holds what is to come: so this goes on where
 * another invocation died, and never overwrites what others have written meanwhile.
 *
 * @returns the paths that others have changed meanwhile: those edits are left out
 * @throws TimeUp, Elsewhere between two transactions; DreamFailed
 */
export async function writeEdits(work: Work, edits: readonly Edit[]): Promise<string[]> {
  const store_id = work.head.output_store_id ?? work.head.copy_store_id;
  const blocked = new Set<string>();
  for (let round = 1; round <= limits.update_attempts_max; round++) {
    const rows = await readMemories(work.ports.table, store_id);
    const there = new Map(rows.map((row) => [row.sk, row]));
    const left = edits.filter((edit) => !isDone(edit, there.get(edit.path)));
    const possible = left.filter(
      (edit) => !blocked.has(edit.path) && isAsSeen(edit, there.get(edit.path)),
    );
    if (possible.length === 0) return left.map(({ path }) => path);
    const operations = possible.map((edit) => operationOf(edit, there.get(edit.path)));
    for (const batch of splitOperations(operations)) {
      await work.look();
      for (const path of await write(work, store_id, batch)) blocked.add(path);
    }
  }
  throw new Fault('busy', `memory store '${store_id}' is being changed all the time.`);
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

/** @returns the paths that cannot be written, because a folder or a memory of others is in the way */
async function write(
  work: Work,
  store_id: string,
  operations: readonly MemoryOperation[],
): Promise<string[]> {
  try {
    // What is stale is looked at in the next round.
    await writeMemories(work.ports, { store_id, operations, actor: dreamer(work.head) });
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.kind === 'memory_path_conflict') return await apart(work, store_id, operations);
    if (error.kind === 'missing') throw unavailable(store_id);
    if (error.kind === 'invalid') {
      await readInput(work.ports, store_id);
      throw new DreamFailed('input_memory_store_too_large', error.message, { cause: error });
    }
    throw error;
  }
}

async function apart(
  work: Work,
  store_id: string,
  operations: readonly MemoryOperation[],
): Promise<string[]> {
  const [operation, ...others] = operations;
  if (operation !== undefined && others.length === 0) {
    return [operation.kind === 'create' ? operation.path : operation.before.sk];
  }
  const blocked: string[] = [];
  for (const one of operations) blocked.push(...(await write(work, store_id, [one])));
  return blocked;
}

function unavailable(store_id: string): DreamFailed {
  return new DreamFailed(
    'input_memory_store_unavailable',
    `Memory store '${store_id}' was deleted while the dream wrote into it.`,
  );
}
