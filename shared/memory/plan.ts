import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import { ROW_SCHEMA, type Write } from '../core/table.ts';
import type { Change } from './changes.ts';
import {
  pathKey,
  pointerKey,
  storeKey,
  versionKey,
  type FolderRow,
  type MemoryRow,
  type PointerRow,
  type VersionRow,
} from './memory.ts';
import { foldersOf } from './path.ts';

/** What a write's condition demands, so that a refused one can be explained. */
export type About =
  | { readonly kind: 'head' }
  /** The memory must be as it was seen. */
  | { readonly kind: 'seen'; readonly before: MemoryRow }
  /** Nothing may stand there: no memory, and no folder with others than those that leave it. */
  | { readonly kind: 'free'; readonly path: string }
  /** No memory may stand where a folder must be. */
  | { readonly kind: 'folder'; readonly path: string }
  /** The folder must be emptied by this, or must not be: as its count was read. */
  | { readonly kind: 'shrinking' }
  | { readonly kind: 'own' };

export interface PlannedWrite {
  readonly write: Write;
  readonly about: About;
}

export interface PlanFacts {
  readonly store_id: string;
  /** Demanded of the store when given. */
  readonly workspace_id?: string | undefined;
  readonly memories_max: number;
  /** `below_count` by path, of every folder of {@link shrinkingFolders}. */
  readonly folder_counts: ReadonlyMap<string, number>;
  /** For the head: see `isAllSeen`. */
  readonly changed_at: string;
  /** When versions go that a later one takes over. @default - never */
  readonly expires_at?: string | undefined;
}

/** What the changes of one transaction mean for one path. */
interface Slot {
  leaving?: MemoryRow;
  coming?: MemoryRow;
  /** Memories below that leave and come. */
  below_leaving: number;
  below_coming: number;
}

/**
 * One transaction for changes of one store: the head first, and one write for each key, since
 * DynamoDB refuses two. Changes may take one another's places: only what is there before and after
 * them all counts.
 *
 * @throws Fault `memory_path_conflict` when two of the changes want overlapping paths
 */
export function planMemories(changes: readonly Change[], facts: PlanFacts): PlannedWrite[] {
  const real = changes.filter(({ version }) => version !== undefined);
  if (real.length === 0) return [];
  return [
    headWrite(real, facts),
    ...[...slotsOf(real)].flatMap(([path, slot]) => pathWrite(path, slot, facts)),
    ...real.flatMap((change) => [
      ...pointerWrites(change, facts.store_id),
      ...versionWrites(change, facts),
    ]),
  ];
}

/** The folders that lose more memories than they get: whether they stay depends on their counts. */
export function shrinkingFolders(changes: readonly Change[]): string[] {
  const real = changes.filter(({ version }) => version !== undefined);
  return [...slotsOf(real)].flatMap(([path, slot]) => (isShrinking(slot) ? [path] : []));
}

function isShrinking({ leaving, coming, below_leaving, below_coming }: Slot): boolean {
  return leaving === undefined && coming === undefined && below_leaving > below_coming;
}

function slotsOf(changes: readonly Change[]): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  const slotAt = (path: string): Slot => {
    const slot = slots.get(path) ?? { below_leaving: 0, below_coming: 0 };
    slots.set(path, slot);
    return slot;
  };
  for (const { before, after } of changes) {
    if (before !== undefined) {
      const slot = slotAt(before.sk);
      invariant(slot.leaving === undefined, 'a memory is changed once in a transaction');
      slot.leaving = before;
      for (const folder of foldersOf(before.sk)) slotAt(folder).below_leaving++;
    }
    if (after !== undefined) {
      const slot = slotAt(after.sk);
      if (slot.coming !== undefined) throw pathConflict(slot.coming.sk, slot.coming.memory_id);
      slot.coming = after;
      for (const folder of foldersOf(after.sk)) slotAt(folder).below_coming++;
    }
  }
  for (const { coming, below_coming } of slots.values()) {
    if (coming !== undefined && below_coming > 0) throw pathConflict(coming.sk, coming.memory_id);
  }
  return slots;
}

/** @param memory_id Empty when it cannot be told (any more). */
export function pathConflict(path: string, memory_id: string): Fault {
  return new Fault(
    'memory_path_conflict',
    `path: it overlaps the memory at '${path}'. Use another path, or rename or delete that memory.`,
    { fields: { conflicting_memory_id: memory_id, conflicting_path: path } },
  );
}

function headWrite(changes: readonly Change[], facts: PlanFacts): PlannedWrite {
  const growth = changes.reduce(
    (sum, { before, after }) => sum + Number(after !== undefined) - Number(before !== undefined),
    0,
  );
  const only_deletes = changes.every(({ after }) => after === undefined);
  const conditions = [
    // Of a store that is not there every comparison is false.
    'deleted_at = :null',
    ...(facts.workspace_id === undefined ? [] : ['workspace_id = :workspace']),
    ...(only_deletes ? [] : ['archived_at = :null']),
    ...(growth > 0 ? ['memories_count <= :room'] : []),
  ];
  const write: Write = {
    update: storeKey(facts.store_id),
    expression: 'SET changed_at = :at ADD revision :one, memories_count :growth',
    condition: conditions.join(' AND '),
    values: {
      ':at': facts.changed_at,
      ':one': 1,
      ':growth': growth,
      ':null': null,
      ...(facts.workspace_id === undefined ? {} : { ':workspace': facts.workspace_id }),
      ...(growth > 0 ? { ':room': facts.memories_max - growth } : {}),
    },
  };
  return { write, about: { kind: 'head' } };
}

function pathWrite(path: string, slot: Slot, facts: PlanFacts): PlannedWrite[] {
  const { leaving, coming, below_coming } = slot;
  if (coming !== undefined) return [comingWrite(path, coming, slot)];
  if (leaving === undefined) return folderWrite(path, slot, facts);
  const key = pathKey(facts.store_id, path);
  const about = { kind: 'seen', before: leaving } as const;
  if (below_coming === 0) return [{ write: { delete: key, ...isSeen(leaving) }, about }];
  const folder: FolderRow = { ...key, kind: 'folder', below_count: below_coming };
  return [{ write: { put: folder, ...isSeen(leaving) }, about }];
}

function comingWrite(path: string, coming: MemoryRow, slot: Slot): PlannedWrite {
  const { leaving, below_leaving } = slot;
  if (leaving !== undefined) {
    return {
      write: { put: coming, ...isSeen(leaving) },
      about: { kind: 'seen', before: leaving },
    };
  }
  const about = { kind: 'free', path } as const;
  if (below_leaving === 0) {
    return { write: { put: coming, condition: 'attribute_not_exists(pk)' }, about };
  }
  return { write: { put: coming, ...isFolderOf(below_leaving) }, about };
}

function folderWrite(path: string, slot: Slot, facts: PlanFacts): PlannedWrite[] {
  const growth = slot.below_coming - slot.below_leaving;
  // Those that leave show that it is a folder, and as many come.
  if (growth === 0) return [];
  const key = pathKey(facts.store_id, path);
  if (growth > 0) {
    const write: Write = {
      update: key,
      expression: 'SET #kind = :folder, #schema = :schema ADD below_count :growth',
      condition: 'attribute_not_exists(pk) OR #kind = :folder',
      names: { '#kind': 'kind', '#schema': 'schema' },
      values: { ':folder': 'folder', ':schema': ROW_SCHEMA, ':growth': growth },
    };
    return [{ write, about: { kind: 'folder', path } }];
  }
  const about = { kind: 'shrinking' } as const;
  if (facts.folder_counts.get(path) === -growth) {
    return [{ write: { delete: key, ...isFolderOf(-growth) }, about }];
  }
  const write: Write = {
    update: key,
    expression: 'ADD below_count :growth',
    condition: 'below_count > :leaving',
    values: { ':growth': growth, ':leaving': -growth },
  };
  return [{ write, about }];
}

function isFolderOf(count: number) {
  return { condition: 'below_count = :count', values: { ':count': count } };
}

/** Versions are never used twice: the memory, its place and its content are as they were seen. */
function isSeen({ memory_version_id }: MemoryRow) {
  return {
    condition: 'memory_version_id = :seen',
    values: { ':seen': memory_version_id },
  };
}

function pointerWrites({ before, after }: Change, store_id: string): PlannedWrite[] {
  const about = { kind: 'own' } as const;
  if (after === undefined) {
    // Without a condition, as below: it moves with the path's row, whose condition covers it.
    return before === undefined
      ? []
      : [{ write: { delete: pointerKey(store_id, before.memory_id) }, about }];
  }
  if (before?.sk === after.sk) return [];
  const put: PointerRow = { ...pointerKey(store_id, after.memory_id), path: after.sk };
  if (before !== undefined) return [{ write: { put }, about }];
  return [{ write: { put, condition: 'attribute_not_exists(pk)' }, about }];
}

function versionWrites({ before, after, version }: Change, facts: PlanFacts): PlannedWrite[] {
  if (version === undefined) return [];
  const about = { kind: 'own' } as const;
  // What says that a memory is gone is the last of its kind: nothing will take over from it.
  const last = after === undefined ? expiring(version, facts) : {};
  const put: VersionRow = { ...version, ...last };
  const writes: PlannedWrite[] = [{ write: { put, condition: 'attribute_not_exists(pk)' }, about }];
  if (before !== undefined && facts.expires_at !== undefined) {
    const { memory_version_id } = before;
    const { gsi2pk, gsi2sk } = expiring({ memory_version_id }, facts);
    const write: Write = {
      update: versionKey(facts.store_id, memory_version_id),
      expression: 'SET gsi2pk = :expires, gsi2sk = :place',
      condition: 'attribute_exists(pk)',
      values: { ':expires': gsi2pk, ':place': gsi2sk },
    };
    writes.push({ write, about });
  }
  return writes;
}

/** The attributes by which reconcile finds a version that is not kept for ever. */
export function expiring(
  { memory_version_id }: Pick<VersionRow, 'memory_version_id'>,
  { expires_at }: Pick<PlanFacts, 'expires_at'>,
): Pick<VersionRow, 'gsi2pk' | 'gsi2sk'> {
  if (expires_at === undefined) return {};
  return { gsi2pk: 'EXPIRES', gsi2sk: `${expires_at}#${memory_version_id}` };
}
