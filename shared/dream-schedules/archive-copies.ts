import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { dreamKey, type DreamHead } from '../dreams/dream.ts';
import { storeKey, type StoreHead } from '../memory/memory.ts';
import { archiveStore } from '../memory/stores.ts';
import { isOpen } from './expire-reviews.ts';
import { oldRuns } from './old-runs.ts';
import { callOf, type ScheduleHead } from './schedule.ts';

/** Runs that are looked at, of those that are old enough the newest: a review that is open for longer keeps its store. */
const RUNS_MAX = 100;

/**
 * Put away the stores that earlier dreams of a schedule have left, after as many days as the operator has
 * chosen: each night makes one, and once nothing is left to decide its changes are where they belong.
 * Never unasked: somebody may work with such a store, and archiving is one-way. Archived it is in no list,
 * and can still be read. Runs twice: the second finds them archived.
 *
 * @returns how many
 */
export async function archiveCopies(ports: Ports, head: ScheduleHead): Promise<number> {
  const { copies_days = null } = head.retention;
  if (copies_days === null) return 0;
  const old = { days: copies_days, limit: RUNS_MAX };
  const { before, runs } = await oldRuns(ports, head, old);
  const over = runs.filter(
    (run) => run.dream_started && run.ended_at !== null && run.ended_at < before && !isOpen(run),
  );
  const dreams = await ports.table.getMany(over.map(({ dream_id }) => dreamKey(dream_id)));
  // The store that a dream was told to change itself is nobody's copy.
  const copies = (dreams as DreamHead[]).flatMap(({ output_store_id: id, copy_store_id }) =>
    id !== null && id === copy_store_id ? [storeKey(id)] : [],
  );
  const stores = (await ports.table.getMany(copies)) as StoreHead[];
  let count = 0;
  for (const { memory_store_id: id, archived_at, deleted_at } of stores) {
    if (archived_at !== null || deleted_at !== null) continue;
    if (await archive(ports, head, id)) count += 1;
  }
  return count;
}

async function archive(ports: Ports, head: ScheduleHead, id: string): Promise<boolean> {
  try {
    await archiveStore(ports, callOf(head), id);
    return true;
  } catch (error) {
    // Its owner has deleted it, or is changing it: the next run comes here again.
    if (error instanceof Fault) return false;
    throw error;
  }
}
