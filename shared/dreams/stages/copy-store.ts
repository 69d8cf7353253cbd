import pLimit from 'p-limit';
import { timestamp } from '../../core/clock.ts';
import { Fault } from '../../core/fault.ts';
import { listKeys } from '../../core/listing.ts';
import { limits } from '../../core/limits.ts';
import { ConditionFailed, type Write } from '../../core/table.ts';
import { beginningOf } from '../../core/text.ts';
import { mayHoldHandwriting } from '../../memory/by-hand.ts';
import type { MemoryOperation } from '../../memory/changes.ts';
import { storeKey, type Actor, type StoreHead, type VersionRow } from '../../memory/memory.ts';
import { readMemories } from '../../memory/read-store.ts';
import { splitOperations } from '../../memory/split.ts';
import { writeMemories } from '../../memory/write-memories.ts';
import { dreamKey } from '../dream.ts';
import type { Snapshot, SnapshotMemory } from '../snapshot.ts';
import { dreamer } from './pipeline-session.ts';
import { readInput, readVersions } from './take-snapshot.ts';
import { TimeUp, type Work } from './work.ts';

const COPY = ' (dream)';

/**
 * Make the store that the dream will change, as the snapshot has it: each text under the name of who
 * wrote it. In no list until it is whole. Runs twice or dies here: what stands there is not written
 * again.
 *
 * @throws TimeUp between two transactions
 */
export async function copyStore(work: Work, snapshot: Snapshot): Promise<void> {
  const { ports, head } = work;
  const input = await readInput(ports, head.memory_store_id);
  await putStore(work, input);
  const there = await readMemories(ports.table, head.copy_store_id);
  const paths = new Set(there.map(({ sk }) => sk));
  const missing = snapshot.memories.filter(({ path }) => !paths.has(path));
  for (const { actor, dreamt_by, memories } of await byActor(work, missing)) {
    const limit = pLimit(limits.copies_parallel_max);
    const copies = memories.map((memory) => limit(copyOf, work, memory));
    const operations = (await Promise.all(copies)).map((copy) => ({ ...copy, dreamt_by }));
    for (const batch of splitOperations(operations)) {
      await work.look();
      await write(work, batch, actor);
    }
  }
}

/** The copy begins a history of its own: what the memory's own has shown goes with it. */
async function copyOf({ ports, head }: Work, memory: Authored['memories'][number]): Promise<Copy> {
  const { path, text, memory_id, updated_at: written_at, version } = memory;
  const { memory_store_id } = head;
  const may_hold_handwriting =
    memory.by_hand ||
    // Mostly there is one version only, and it is at hand.
    (version?.operation === 'created'
      ? version.copied?.may_hold_handwriting === true
      : await mayHoldHandwriting(ports.table, { memory_store_id, memory_id }));
  return { kind: 'create', path, content: text, copied: { written_at, may_hold_handwriting } };
}

type Copy = MemoryOperation & { readonly kind: 'create' };

async function write(work: Work, operations: readonly MemoryOperation[], actor: Actor) {
  try {
    await writeMemories(work.ports, { store_id: work.head.copy_store_id, operations, actor });
  } catch (error) {
    // Written before by this very dream: with a lost reply, or by a run that was taken for dead.
    if (error instanceof Fault && error.kind === 'memory_path_conflict') throw new TimeUp();
    throw error;
  }
}

async function putStore({ ports, head }: Work, input: StoreHead): Promise<void> {
  const at = timestamp(ports.clock);
  const store: StoreHead = {
    ...storeKey(head.copy_store_id),
    schema: 1,
    memory_store_id: head.copy_store_id,
    workspace_id: head.workspace_id,
    name: beginningOf(input.name, limits.memory_store_name_chars_max - COPY.length) + COPY,
    description: input.description,
    metadata: input.metadata,
    created_at: at,
    updated_at: at,
    archived_at: null,
    deleted_at: null,
    config_version: 1,
    revision: 0,
    memories_count: 0,
  };
  try {
    await ports.table.transact([{ put: store, condition: 'attribute_not_exists(pk)' }]);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

interface Authored {
  readonly actor: Actor;
  readonly dreamt_by: VersionRow['dreamt_by'] | undefined;
  readonly memories: readonly (SnapshotMemory & { readonly version: VersionRow | undefined })[];
}

/** Memories with who wrote what they hold; the dreamer, where that version has gone meanwhile. */
async function byActor(
  { ports, head }: Work,
  memories: readonly SnapshotMemory[],
): Promise<Authored[]> {
  const versions = await readVersions(ports, head.memory_store_id, memories);
  const authored = memories.map((memory) => ({
    ...memory,
    version: versions.get(memory.memory_version_id),
  }));
  const groups = Map.groupBy(authored, ({ version }) =>
    JSON.stringify([version?.created_by, version?.dreamt_by]),
  );
  return [...groups.values()].map((group) => {
    const { created_by: actor = dreamer(head), dreamt_by } = group[0]?.version ?? {};
    return { actor, dreamt_by, memories: group };
  });
}

/**
 * Show the store where the result goes: from here on it is in `outputs`, and a new one in the lists.
 * Refused once the dream is over: then nobody will ever have seen the copy.
 */
export async function recordOutput({ ports, head }: Work, is_new: boolean): Promise<void> {
  if (head.output_store_id !== null) return;
  const store_id = is_new ? head.copy_store_id : head.memory_store_id;
  const { workspace_id, dream_id, run } = head;
  const recorded: Write = {
    update: dreamKey(dream_id),
    expression: 'SET output_store_id = :store, stage = :stage, #version = #version + :one',
    condition: 'run = :run AND #status = :running',
    names: { '#version': 'version', '#status': 'status' },
    values: {
      ':store': store_id,
      ':stage': 'reflect',
      ':one': 1,
      ':run': run,
      ':running': 'running',
    },
  };
  const copy = (await ports.table.get(storeKey(store_id))) as StoreHead;
  const { gsi1pk, gsi1sk } = listKeys(workspace_id, 'memory_store', {
    id: store_id,
    created_at: copy.created_at,
  });
  const listed: Write = {
    update: storeKey(store_id),
    expression: 'SET gsi1pk = :list, gsi1sk = :place',
    condition: 'deleted_at = :null',
    values: { ':list': gsi1pk, ':place': gsi1sk, ':null': null },
  };
  await ports.table.transact(is_new ? [recorded, listed] : [recorded]);
}
