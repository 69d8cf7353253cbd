import { Fault } from '../core/fault.ts';
import type { ConditionFailed, Row, Table } from '../core/table.ts';
import type { MemoryRow, PathRow, StoreHead } from './memory.ts';
import { rangeBelow } from './path.ts';
import { pathConflict, type About, type PlannedWrite } from './plan.ts';

/** A refused write: what it demanded, and the row that stood in the way when there was one. */
interface Refusal {
  readonly about: About;
  readonly row: Row | undefined;
}

export interface RefusedPlan {
  readonly store_id: string;
  readonly workspace_id?: string | undefined;
  readonly writes: readonly PlannedWrite[];
}

/** What the caller can do about it: look again at these memories, or have it planned again. */
export type Refused =
  | { readonly stale: readonly MemoryRow[] }
  /** Only the count of a folder has moved. */
  | { readonly again: true };

/**
 * Say what stood in the way of a plan. Of several things the one that would still be there when the
 * others were gone: the store, what was seen of memories, paths, room.
 *
 * @throws Fault `missing`, `invalid` when the store is archived or full, `memory_path_conflict`;
 *   the failure itself when none of the conditions that depend on others is among its causes
 */
export async function explain(
  table: Table,
  plan: RefusedPlan,
  failure: ConditionFailed,
): Promise<Refused> {
  const refusals = failure.failed.flatMap((index): Refusal[] => {
    const about = plan.writes[index]?.about;
    return about === undefined ? [] : [{ about, row: failure.rows[index] }];
  });
  const head = refusals.find(({ about }) => about.kind === 'head');
  if (head !== undefined) checkLive(head.row as StoreHead | undefined, plan);
  const stale = refusals.flatMap(({ about }) => (about.kind === 'seen' ? [about.before] : []));
  if (stale.length > 0) return { stale };
  for (const refusal of refusals) await checkPathFree(table, plan, refusal);
  if (head !== undefined) throw full(plan.store_id);
  if (refusals.some(({ about }) => about.kind === 'shrinking')) return { again: true };
  throw failure;
}

function checkLive(row: StoreHead | undefined, { store_id, workspace_id }: RefusedPlan): void {
  const is_other = workspace_id !== undefined && row?.workspace_id !== workspace_id;
  if (row === undefined || row.deleted_at !== null || is_other) throw storeMissing(store_id);
  // A plan that only deletes does not ask for it, and is refused for nothing else.
  if (row.archived_at !== null) throw storeArchived(store_id);
}

async function checkPathFree(table: Table, plan: RefusedPlan, { about, row }: Refusal) {
  if (about.kind !== 'free' && about.kind !== 'folder') return;
  const found = row as PathRow | undefined;
  if (found?.kind === 'memory') throw pathConflict(found.sk, found.memory_id);
  const below = await memoryBelow(table, plan, about.path);
  throw pathConflict(below?.sk ?? about.path, below?.memory_id ?? '');
}

/** The first memory below a folder that the plan does not itself move away. */
async function memoryBelow(
  table: Table,
  { store_id, writes }: RefusedPlan,
  folder: string,
): Promise<MemoryRow | undefined> {
  const own = new Set(
    writes.flatMap(({ about }) => (about.kind === 'seen' ? [about.before.memory_id] : [])),
  );
  const { to, from: first } = rangeBelow(folder);
  for (let from = first; ;) {
    const { rows, more } = await table.query({ pk: `PATHS#${store_id}`, from, to, limit: 100 });
    const other = (rows as PathRow[]).find(
      (row) => row.kind === 'memory' && row.sk !== to && !own.has(row.memory_id),
    );
    if (other?.kind === 'memory') return other;
    const last = rows.at(-1);
    // A page that only holds where it began has nothing behind that.
    if (!more || last === undefined || last.sk === from) return undefined;
    from = last.sk;
  }
}

export function storeMissing(store_id: string): Fault {
  return new Fault('missing', `memory store '${store_id}' was not found.`);
}

export function storeArchived(store_id: string): Fault {
  return new Fault(
    'invalid',
    `memory store '${store_id}' is archived: it and its memories cannot be changed any more.`,
    { details: { error_code: 'memory_store_archived' } },
  );
}

function full(store_id: string): Fault {
  return new Fault(
    'invalid',
    `memory store '${store_id}' is full. Delete memories, or merge some, to make room.`,
    { details: { error_code: 'memory_store_full' } },
  );
}
