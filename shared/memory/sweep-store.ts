import type { Ports } from '../core/ports.ts';
import { storeKey, storePrefix } from './memory.ts';

/** Rows of one round: they are read whole to know their keys, so a round is a few MB at most. */
const ROWS_PER_ROUND = 200;

/** Below and above every sort key that we make: a path begins with '/', whatever follows. */
const EVERY = { from: ' ', to: '~' };

/**
 * Remove everything that a deleted store has left, its head last; safe to repeat and to run twice at
 * once. Not for the moment of the deletion: see {@link sweepStoreContents}.
 *
 * @param is_time_up Asked between rounds.
 * @returns whether it came to the end
 */
export async function sweepStore(
  ports: Pick<Ports, 'table' | 'blobs'>,
  store_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  if (!(await sweepStoreContents(ports, store_id, is_time_up))) return false;
  await ports.table.deleteMany([storeKey(store_id)]);
  return true;
}

/**
 * Remove all but the head, by which reconcile finds what is left and sweeps again: a writer that saw
 * the store before it was deleted may still be about to put down an object, though the head refuses
 * its rows.
 *
 * @returns whether it came to the end
 */
export async function sweepStoreContents(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  store_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  const head = storeKey(store_id);
  for (const pk of [`PATHS#${store_id}`, `MEMVERS#${store_id}`, head.pk]) {
    for (let more = true; more;) {
      if (is_time_up()) return false;
      const page = await table.query({ pk, ...EVERY, limit: ROWS_PER_ROUND });
      await table.deleteMany(page.rows.filter(({ sk }) => pk !== head.pk || sk !== head.sk));
      more = page.more && page.rows.length > 1;
    }
  }
  return await blobs.deletePrefix(storePrefix(store_id), is_time_up);
}
