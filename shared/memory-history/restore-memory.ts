import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import type { Change, Returning } from '../memory/changes.ts';
import { storeArchived } from '../memory/explain.ts';
import { actorOf, updateMemory, type MemoryPlace } from '../memory/memories.ts';
import type { VersionRow } from '../memory/memory.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { findMemory, findVersion, readStore, textOf } from '../memory/read-store.ts';
import { showMemory, withoutText, type Memory, type View } from '../memory/show-memory.ts';
import { writeMemories } from '../memory/write-memories.ts';
import { redacted } from './diff.ts';

export interface RestoreRequest extends MemoryPlace {
  readonly memory_version_id: string;
  readonly view: View;
}

/**
 * Give a memory the content and path of one of its versions, as a new version; one that has been
 * deleted comes back under its id. What already is so is not written.
 *
 * @throws Fault `missing`; `invalid` for a version that is redacted or deletes, and for an archived
 *   or full store; `memory_path_conflict`
 */
export async function restoreMemory(
  ports: MemoryPorts,
  call: Call,
  request: RestoreRequest,
): Promise<Memory> {
  const { store_id, memory_id, view } = request;
  // Two that bring back the same memory: the second finds it there when it looks again.
  return await again(`memory '${memory_id}'`, async () => {
    const head = await readStore(ports.table, call.workspace_id, store_id);
    const { path, text } = await restorable(ports, request);
    if (head.archived_at !== null) throw storeArchived(store_id);
    const live = await findMemory(ports.table, store_id, memory_id);
    if (live !== undefined) {
      const body = { path, content: text };
      return await updateMemory(ports, call, { store_id, memory_id, body, view });
    }
    return await bringBack(ports, call, request, { path, text });
  });
}

interface Restorable {
  readonly path: string;
  readonly text: string;
}

async function restorable(ports: MemoryPorts, request: RestoreRequest): Promise<Restorable> {
  const { store_id, memory_id, memory_version_id: version_id } = request;
  const now = ports.clock.now().toISOString();
  const version = await findVersion(ports.table, { store_id, version_id }, now);
  if (version === undefined || version.memory_id !== memory_id) {
    throw new Fault(
      'missing',
      `memory version '${version_id}' of memory '${memory_id}' was not found.`,
    );
  }
  const { path, content, operation } = version;
  if (operation === 'deleted') {
    throw new Fault(
      'invalid',
      `memory version '${version_id}' records the deletion of its memory and has no content. Use the version before it, or delete the memory.`,
      { details: { error_code: 'memory_version_deleted' } },
    );
  }
  if (path === null || content === null) throw redacted(version_id);
  return { path, text: await textOf(ports.blobs, content) };
}

async function bringBack(
  ports: MemoryPorts,
  call: Call,
  { store_id, memory_id, view }: RestoreRequest,
  { path, text }: Restorable,
): Promise<Memory> {
  const returns = await lifeOf(ports, { store_id, memory_id });
  const batch = {
    store_id,
    workspace_id: call.workspace_id,
    operations: [{ kind: 'create', path, content: text, returns } as const],
    actor: actorOf(call),
  };
  const answerOf = ([change]: readonly Change[]): Memory => {
    invariant(change?.after !== undefined, 'a memory that is brought back is there');
    return showMemory(change.after, view === 'full' ? text : null);
  };
  const result = await writeMemories(ports, batch, { call, answerOf, keptOf: withoutText });
  invariant(result.outcome === 'written', 'a creation has seen nothing that could be gone');
  return result.answer;
}

/** When a memory began and ended, by the versions that are left. */
export async function lifeOf(
  { table }: MemoryPorts,
  { store_id, memory_id }: MemoryPlace,
): Promise<Returning> {
  const pk = `MEMVERS#${store_id}#${memory_id}`;
  const every = { from: '!', to: '~', limit: 1 };
  const [first, last] = await Promise.all(
    [false, true].map(async (reverse) => {
      const { rows } = await table.query({ pk, index: 'list', ...every, reverse });
      const [row] = await table.getMany(rows);
      // The index lags: what has just been made, or has just run out, is not as it says.
      if (row === undefined) throw new Fault('busy', `${memory_id} has just changed. Try again.`);
      return (row as VersionRow).created_at;
    }),
  );
  return { memory_id, created_at: first ?? '', deleted_at: last ?? '' };
}
